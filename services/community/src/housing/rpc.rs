//! The contract's `HousingProjectService` over the register.

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Facts, Head, Register, Table as _, enum_field, enum_number},
    store::Tx,
};
use minsheng_proto::community::v1 as pb;

use super::rules::{Stages, check_progress, check_stages};
use crate::schema::HousingProjectRecord;

/// The register of housing projects.
#[derive(Clone, Copy, Debug)]
pub struct HousingProjects;

impl HousingProjectRecord {
    fn stages(&self) -> Stages {
        Stages {
            planned: self.units_planned,
            started: self.units_started,
            acquired: self.units_acquired,
            completed: self.units_completed,
            let_or_sold: self.units_let,
        }
    }
}

impl Register for HousingProjects {
    const COLLECTION: &'static str = "housing_projects";
    type Record = HousingProjectRecord;
    type Row = pb::HousingProjectRow;

    fn dataset(&self) -> String {
        "community.housing".to_owned()
    }

    fn decode(
        &self,
        project: &pb::HousingProject,
        head: Head,
        previous: Option<&HousingProjectRecord>,
        _: Facts<'_>,
    ) -> Result<HousingProjectRecord, Violations> {
        let mut violations = Violations::new();
        let kind: pb::HousingKind = enum_field("kind", project.kind, &mut violations);
        let effective_on = head.effective_on;
        let record = HousingProjectRecord {
            title: project.title.clone(),
            kind: kind as i64,
            plan_year: i64::from(project.plan_year),
            units_planned: project.units_planned,
            units_started: project.units_started,
            units_acquired: project.units_acquired,
            units_completed: project.units_completed,
            units_let: project.units_let,
            ..HousingProjectRecord::with_head(head)
        };
        check_stages(record.stages(), &mut violations);
        if let Some(previous) = previous.filter(|previous| previous.effective_on < effective_on) {
            check_progress(previous.stages(), record.stages(), &mut violations);
        }
        violations.into_result(record)
    }

    fn encode(&self, record: &HousingProjectRecord, _: Facts<'_>, _: bool) -> Result<pb::HousingProject, Error> {
        Ok(pb::HousingProject {
            title: record.title.clone(),
            kind: enum_number(record.kind),
            plan_year: enum_number(record.plan_year),
            units_planned: record.units_planned,
            units_started: record.units_started,
            units_acquired: record.units_acquired,
            units_completed: record.units_completed,
            units_let: record.units_let,
            ..pb::HousingProject::default()
        })
    }

    fn row(&self, record: &HousingProjectRecord, _: Facts<'_>) -> pb::HousingProjectRow {
        pb::HousingProjectRow {
            kind: enum_number(record.kind),
            plan_year: record.plan_year,
            units_planned: record.units_planned,
            units_started: record.units_started,
            units_acquired: record.units_acquired,
            units_completed: record.units_completed,
            units_let: record.units_let,
        }
    }

    /// The numbers are those of the day on which they are told.
    /// The first day of the plan's year, or today for a plan of a year to come: the homes planned are known from then on,
    /// and later states follow by updates with their own days.
    fn effective_on(&self, project: &pb::HousingProject, today: NaiveDate) -> NaiveDate {
        NaiveDate::from_ymd_opt(project.plan_year, 1, 1).map_or(today, |first| first.min(today))
    }

    fn written(&self, _: &mut Tx<'_>, records: &[HousingProjectRecord], _: Facts<'_>) -> Result<(), Error> {
        for record in records.iter().filter(|record| record.stages().exceeds_plan()) {
            tracing::warn!(
                housing_project = record.id,
                planned = record.units_planned,
                raised = record.stages().raised(),
                "more homes are started and acquired than planned"
            );
        }
        Ok(())
    }
}

minsheng_kit::register_api! {
    package: minsheng_proto::community::v1,
    register: HousingProjects,
    resource: HousingProject as housing_project,
    plural: HousingProjects as housing_projects,
}
