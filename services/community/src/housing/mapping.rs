//! The contract's `HousingProjectService` over the register.

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{ACTIVE, Declared as _, Head, Register, RuleContext, date, day, optional_day},
    store::Tx,
    values::calendar::epoch_day,
};
use minsheng_proto::community::v1 as pb;

use super::rules::{Counted, Stages, check_progress, check_stages};
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
    type Record = HousingProjectRecord;
    type Row = pb::HousingProjectRow;

    fn validate(
        &self,
        project: &pb::HousingProject,
        head: Head,
        previous: Option<&HousingProjectRecord>,
        context: RuleContext<'_>,
    ) -> Result<HousingProjectRecord, Violations> {
        let mut violations = Violations::new();
        let counted = Counted {
            on: optional_day("counted_on", project.counted_on.as_ref(), &mut violations),
            asked_for: head.effective_on,
            before: previous.map(|previous| previous.effective_on),
        };
        // What an earlier version wrote was judged then; it told the first day of a plan that lay ahead, too.
        let effective_on = if head.is_carried_over() {
            head.effective_on
        } else {
            counted.true_from(epoch_day(context.today), &mut violations)
        };
        let head = Head { effective_on, ..head };
        let record = HousingProjectRecord::read(project, head, context, &mut violations);
        check_stages(record.stages(), &mut violations);
        violations.into_result(record)
    }

    /// Numbers of a day that lies ahead are planned and not counted.
    fn encode(
        &self,
        record: &HousingProjectRecord,
        context: RuleContext<'_>,
        reveal: bool,
    ) -> Result<pb::HousingProject, Error> {
        let counted_on = Some(record.effective_on).filter(|day| *day <= epoch_day(context.today));
        Ok(pb::HousingProject { counted_on: counted_on.and_then(date), ..record.resource(context, reveal)? })
    }

    /// The numbers are true from the day on which they were counted, or else from today: what is finished in February is
    /// not told of the January in which it was planned.
    fn effective_on(&self, project: &pb::HousingProject, today: NaiveDate) -> NaiveDate {
        project.counted_on.as_ref().and_then(day).unwrap_or(today)
    }

    /// From one state of a project to the next one no stage runs backwards, whichever of the two was changed.
    fn validate_states(&self, states: &[HousingProjectRecord]) -> Violations {
        let mut violations = Violations::new();
        let in_force: Vec<_> = states.iter().filter(|state| state.state == ACTIVE).collect();
        for states in in_force.windows(2) {
            check_progress(states[0].stages(), states[1].stages(), &mut violations);
        }
        violations
    }

    /// Leaves a note in the log where more homes are raised than planned.
    fn after_write(&self, _: &mut Tx<'_>, records: &[HousingProjectRecord], _: RuleContext<'_>) -> Result<(), Error> {
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
