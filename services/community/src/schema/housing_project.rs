// Written by `just gen` from `proto/minsheng/community/v1/housing_project_service.proto`: change the contract instead.

//! 保障性住房项目: the table `housing_projects` and its record.

use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::community::v1 as pb;

minsheng_kit::register_table! {
    /// One project of a year's plan, its homes by stage.
    housing_projects => HousingProjectRecord {
        /// Name of the project.
        title: Text = String,
        /// Kind.
        kind: BigInt = i64,
        /// Year of the plan.
        plan_year: BigInt = i64,
        /// Homes planned.
        units_planned: BigInt = i64,
        /// Homes started, those finished included.
        units_started: BigInt = i64,
        /// Homes acquired instead of built.
        units_acquired: BigInt = i64,
        /// Homes finished.
        units_completed: BigInt = i64,
        /// Homes let or sold.
        units_let: BigInt = i64,
    }
}

impl Declared for HousingProjectRecord {
    type Resource = pb::HousingProject;
    type Row = pb::HousingProjectRow;

    const FIELDS: &'static [&'static str] = &[
        "title",
        "kind",
        "plan_year",
        "units_planned",
        "units_started",
        "units_acquired",
        "units_completed",
        "units_let",
        "counted_on",
    ];

    fn read(resource: &pb::HousingProject, head: Head, _: RuleContext<'_>, violations: &mut Violations) -> Self {
        Self {
            title: resource.title.clone(),
            kind: declared::enum_field::<pb::HousingKind>("kind", resource.kind, violations) as i64,
            plan_year: i64::from(resource.plan_year),
            units_planned: resource.units_planned,
            units_started: resource.units_started,
            units_acquired: resource.units_acquired,
            units_completed: resource.units_completed,
            units_let: resource.units_let,
            ..Self::with_head(head)
        }
    }

    fn resource(&self, _: RuleContext<'_>, _: bool) -> Result<pb::HousingProject, Error> {
        Ok(pb::HousingProject {
            title: self.title.clone(),
            kind: declared::enum_number(self.kind),
            plan_year: declared::enum_number(self.plan_year),
            units_planned: self.units_planned,
            units_started: self.units_started,
            units_acquired: self.units_acquired,
            units_completed: self.units_completed,
            units_let: self.units_let,
            ..pb::HousingProject::default()
        })
    }

    fn row(&self) -> pb::HousingProjectRow {
        pb::HousingProjectRow {
            kind: declared::enum_number(self.kind),
            plan_year: self.plan_year,
            units_planned: self.units_planned,
            units_started: self.units_started,
            units_acquired: self.units_acquired,
            units_completed: self.units_completed,
            units_let: self.units_let,
        }
    }

    fn references(&self) -> Vec<declared::Named<'_>> {
        Vec::new()
    }

    fn natural_id(_: &pb::HousingProject, _: RuleContext<'_>) -> Option<String> {
        None
    }

    fn take_field(field: &str, from: &pb::HousingProject, to: &mut pb::HousingProject) -> bool {
        match field {
            "title" => to.title.clone_from(&from.title),
            "kind" => to.kind = from.kind,
            "plan_year" => to.plan_year = from.plan_year,
            "units_planned" => to.units_planned = from.units_planned,
            "units_started" => to.units_started = from.units_started,
            "units_acquired" => to.units_acquired = from.units_acquired,
            "units_completed" => to.units_completed = from.units_completed,
            "units_let" => to.units_let = from.units_let,
            "counted_on" => to.counted_on = from.counted_on,
            _ => return false,
        }
        true
    }

    fn clear_decided(_: &mut pb::HousingProject) {}

    fn restore_decided(&mut self, _: &pb::HousingProject) {}
}
