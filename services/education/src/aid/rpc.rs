//! The contract's `AidCaseService` over the register.

use chrono::NaiveDate;
use minsheng_kit::{
    clients::DepartmentChannel,
    error::{Error, Violations},
    register::{Declared as _, Facts, Head, Held, Register, Table as _, day, enum_number},
    store::AnyConnection,
    values::calendar::epoch_day,
};
use minsheng_proto::{education::v1 as pb, social_security::v1::question_service_client::QuestionServiceClient};

use super::{
    rules::{Decision, decide_at_once, school_gives},
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

    fn decode(
        &self,
        case: &pb::AidCase,
        head: Head,
        previous: Option<&AidCaseRecord>,
        facts: Facts<'_>,
    ) -> Result<AidCaseRecord, Violations> {
        let mut violations = Violations::new();
        let mut record = AidCaseRecord::read(case, head, facts, &mut violations);
        violations.require(
            record.applied_on <= epoch_day(facts.today),
            "applied_on",
            "IN_FUTURE",
            "lies in the future",
            "申请日期晚于今天",
        );
        if let Some(previous) = previous.filter(|previous| decided_by_the_same(previous, &record)) {
            record.outcome = previous.outcome;
            record.assistance_category = previous.assistance_category;
            record.decided_on = previous.decided_on;
        } else {
            let decision = decide_at_once(case.household_kind());
            record.outcome = decision.outcome() as i64;
            record.decided_on = (decision != Decision::NeedsCategory).then(|| epoch_day(facts.today));
        }
        violations.into_result(record)
    }

    fn effective_on(&self, case: &pb::AidCase, today: NaiveDate) -> NaiveDate {
        case.applied_on.as_ref().and_then(day).unwrap_or(today)
    }

    /// Checks that the school is there on the day of the application and teaches at the stage, and that the pupil has no other
    /// case there this year on the same days.
    fn check(
        &self,
        connection: &mut AnyConnection,
        records: &[AidCaseRecord],
        _: Facts<'_>,
    ) -> Result<Vec<Violations>, Error> {
        let schools = schools::named(connection, records.iter().map(|record| record.school.as_str()))?;
        let mut there = there_already(connection, records)?;
        Ok(records
            .iter()
            .map(|record| {
                let mut violations = Violations::new();
                schools.check(&record.school, &record.area, &mut violations);
                if let Some(school) = schools.on(&record.school, record.applied_on) {
                    let stage = pb::AidStage::try_from(enum_number(record.stage)).unwrap_or_default();
                    violations.require(
                        school_gives(school.school_stage(), stage),
                        "stage",
                        "NOT_THE_SCHOOLS_STAGE",
                        "is not a stage that the school teaches",
                        "学段与学校不符",
                    );
                    violations.require(
                        school.closed_on.is_none_or(|closed| closed > record.applied_on),
                        "school",
                        "SCHOOL_CLOSED",
                        "closed before the application",
                        "学校在申请前已停办",
                    );
                    violations.require(
                        school.is_public(),
                        "school",
                        "NOT_A_PUBLIC_SCHOOL",
                        "is not a public school",
                        "不是公办学校",
                    );
                } else if violations.is_empty() {
                    note_not_there(schools.was_there_before(&record.school, record.applied_on), &mut violations);
                }
                there.claim(once(record), &record.id, record.period(), HELD, &mut violations);
                violations
            })
            .collect())
    }
}

/// Notes that the school is on record, but not on the day of the application.
fn note_not_there(closed: bool, violations: &mut Violations) {
    if closed {
        violations.add("school", "SCHOOL_CLOSED", "closed before the application", "学校在申请前已停办");
    } else {
        violations.add(
            "school",
            "SCHOOL_NOT_OPENED",
            "is not on record on the day of the application yet",
            "申请当日学校尚未建档",
        );
    }
}

/// Says whether what a case was decided by is unchanged: the person, the ground and the day.
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
