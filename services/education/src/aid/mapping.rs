//! The contract's `AidCaseService` over the register.

use chrono::NaiveDate;
use minsheng_kit::{
    clients::DepartmentChannel,
    error::{Error, Violations},
    register::{Declared as _, Head, Held, Register, RuleContext, Table as _, day},
    store::{AnyConnection, lock_keys},
    values::calendar::epoch_day,
};
use minsheng_proto::{education::v1 as pb, social_security::v1::question_service_client::QuestionServiceClient};

use super::{
    rules::{Decision, check_school, decide_at_once},
    store::{once, there_already},
};
use crate::{schema::AidCaseRecord, schools};

/// Said where another record of the pupil is there.
const HELD: Held = Held {
    field: "resident_id",
    reason: "CASE_EXISTS",
    description: "the pupil has a case at this school in this year; change that one",
    description_zh: "该生本年度在该校已有记录，请修改原记录",
};

/// The register of cases for the three guarantees.
#[derive(Clone, Debug)]
pub struct AidCases {
    social_security: Option<QuestionServiceClient<DepartmentChannel>>,
}

impl AidCases {
    /// Makes the register; without a channel to social security the cases that need it wait.
    pub fn asking(social_security: Option<DepartmentChannel>) -> Self {
        Self { social_security: social_security.map(QuestionServiceClient::new) }
    }

    pub(super) fn client(&self) -> Option<QuestionServiceClient<DepartmentChannel>> {
        self.social_security.clone()
    }
}

impl Register for AidCases {
    type Record = AidCaseRecord;
    type Row = pb::AidCaseRow;

    fn validate(
        &self,
        case: &pb::AidCase,
        head: Head,
        previous: Option<&AidCaseRecord>,
        context: RuleContext<'_>,
    ) -> Result<AidCaseRecord, Violations> {
        let mut violations = Violations::new();
        let mut record = AidCaseRecord::read(case, head, context, &mut violations);
        if let Some(previous) = previous.filter(|previous| decided_by_the_same(previous, &record)) {
            record.outcome = previous.outcome;
            record.assistance_category = previous.assistance_category;
            record.decided_on = previous.decided_on;
        } else {
            let decision = decide_at_once(case.household_kind());
            record.outcome = decision.outcome() as i64;
            record.decided_on = (decision != Decision::NeedsCategory).then(|| epoch_day(context.today));
        }
        violations.into_result(record)
    }

    fn effective_on(&self, case: &pb::AidCase, today: NaiveDate) -> NaiveDate {
        case.applied_on.as_ref().and_then(day).unwrap_or(today)
    }

    /// A pupil has one case at a school in a year.
    fn lock(&self, connection: &mut AnyConnection, records: &[AidCaseRecord]) -> Result<(), Error> {
        lock_keys(connection, "aid_cases.resident", records.iter().map(|record| record.resident_index.as_slice()))
    }

    /// Checks that the school is there on the day of the application and teaches at the stage, and that the pupil has no other
    /// case there this year on the same days.
    fn validate_against_store(
        &self,
        connection: &mut AnyConnection,
        records: &[AidCaseRecord],
        _: RuleContext<'_>,
    ) -> Result<Vec<Violations>, Error> {
        let schools = schools::named(connection, records.iter().map(|record| record.school.as_str()))?;
        let mut there = there_already(connection, records)?;
        Ok(records
            .iter()
            .map(|record| {
                let mut violations = Violations::new();
                let on_the_day = schools.on(&record.school, record.applied_on);
                let was_there = schools.was_there_before(&record.school, record.applied_on);
                check_school(record, on_the_day, was_there, &mut violations);
                there.claim(once(record), &record.id, record.period(), HELD, &mut violations);
                violations
            })
            .collect())
    }
}

/// Reports whether what a case was decided by is unchanged: the person, the ground and the day.
fn decided_by_the_same(previous: &AidCaseRecord, record: &AidCaseRecord) -> bool {
    previous.resident_index == record.resident_index
        && previous.household_kind == record.household_kind
        && previous.applied_on == record.applied_on
}

minsheng_kit::register_api! {
    package: minsheng_proto::education::v1,
    register: AidCases,
    resource: AidCase as aid_case,
    plural: AidCases as aid_cases,
    create: create_with_evidence,
}
