//! The contract's `AgeFriendlyAssessmentService` over the register.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared as _, Facts, Head, Register, WITHDRAWN, day},
    store::{AnyConnection, Tx},
    values::{
        calendar::{day_of_epoch, epoch_day},
        divisions::AreaCode,
        parameters::Parameters,
    },
};
use minsheng_proto::health::v1 as pb;

use super::{
    rules::{Scores, Standard, last_certificate_day, score},
    store::align_institutions,
};
use crate::{
    institutions::{InstitutionReferences, is_age_friendly_class},
    schema::AgeFriendlyAssessmentRecord,
};

/// The register of age-friendly assessments.
#[derive(Clone, Copy, Debug)]
pub struct AgeFriendlyAssessments;

impl Register for AgeFriendlyAssessments {
    type Record = AgeFriendlyAssessmentRecord;
    type Row = pb::AgeFriendlyAssessmentRow;

    fn decode(
        &self,
        assessment: &pb::AgeFriendlyAssessment,
        head: Head,
        previous: Option<&AgeFriendlyAssessmentRecord>,
        facts: Facts<'_>,
    ) -> Result<AgeFriendlyAssessmentRecord, Violations> {
        let mut violations = Violations::new();
        let mut record = AgeFriendlyAssessmentRecord::read(assessment, head, facts, &mut violations);
        let (assessed_on, revoked_on) = (record.assessed_on, record.revoked_on);
        violations.require(
            previous.is_none_or(|previous| previous.institution == record.institution),
            "institution",
            "INSTITUTION_FIXED",
            "cannot become another institution; withdraw the assessment and record another one",
            "评估对象不可更改，请撤回后重新登记",
        );
        let today = epoch_day(facts.today);
        violations.require(assessed_on <= today, "assessed_on", "IN_FUTURE", "lies in the future", "评估日期晚于今天");
        violations.require(
            revoked_on.is_none_or(|revoked| revoked <= today),
            "revoked_on",
            "IN_FUTURE",
            "lies in the future",
            "撤销日期晚于今天",
        );
        if !violations.is_empty() {
            return Err(violations);
        }
        let standard = standard_on(facts.parameters, &record.area, assessed_on, &mut violations);
        let Some((standard, first)) = standard else { return Err(violations) };
        let outcome = score(scores(assessment), assessment.mandatory_met, &standard);
        violations.require(
            outcome.passed || revoked_on.is_none(),
            "revoked_on",
            "NO_CERTIFICATE",
            "is given, but no certificate follows from the scores",
            "未通过评估，无证书可撤销",
        );
        violations.require(
            revoked_on.is_none_or(|revoked| revoked >= assessed_on),
            "revoked_on",
            "BEFORE_CERTIFICATE",
            "lies before the first day of the certificate",
            "撤销日期早于证书起始日期",
        );
        let full_term = last_certificate_day(first, &standard).filter(|_| outcome.passed);
        record.passed = outcome.passed;
        record.total_score = outcome.total;
        record.certificate_from = outcome.passed.then_some(assessed_on);
        record.certificate_to = full_term.map(|to| revoked_on.map_or(to, |revoked| to.min(revoked - 1)));
        violations.into_result(record)
    }

    fn effective_on(&self, assessment: &pb::AgeFriendlyAssessment, today: NaiveDate) -> NaiveDate {
        assessment.assessed_on.as_ref().and_then(day).unwrap_or(today)
    }

    fn check(
        &self,
        connection: &mut AnyConnection,
        records: &[AgeFriendlyAssessmentRecord],
        facts: Facts<'_>,
    ) -> Result<Vec<Violations>, Error> {
        let ids = records.iter().map(|record| record.institution.as_str());
        let institutions = InstitutionReferences::find(connection, ids)?;
        let judge = |record: &AgeFriendlyAssessmentRecord| {
            let mut violations = Violations::new();
            institutions.require_in("institution", &record.institution, &record.area, &mut violations);
            if violations.is_empty() {
                check_eligible(&institutions, record, facts.parameters, &mut violations);
            }
            violations
        };
        Ok(records.iter().map(judge).collect())
    }

    /// Brings the institutions into line, in whose states the certificates stand.
    fn written(&self, tx: &mut Tx<'_>, records: &[AgeFriendlyAssessmentRecord], facts: Facts<'_>) -> Result<(), Error> {
        let institutions: BTreeSet<&str> = records.iter().map(|record| record.institution.as_str()).collect();
        let standing = records.iter().filter(|record| record.state != WITHDRAWN);
        let named: BTreeSet<&str> = standing.map(|record| record.institution.as_str()).collect();
        align_institutions(tx, &institutions, &named, facts)
    }
}

fn scores(assessment: &pb::AgeFriendlyAssessment) -> Scores {
    Scores {
        culture: assessment.culture_score,
        management: assessment.management_score,
        service: assessment.service_score,
        environment: assessment.environment_score,
    }
}

/// Finds the standard of the day of an assessment; notes a violation when none is in force.
fn standard_on(
    parameters: &Parameters,
    area: &str,
    assessed_on: i64,
    violations: &mut Violations,
) -> Option<(Standard, NaiveDate)> {
    let (area, day) = (AreaCode::parse(area).ok()?, day_of_epoch(assessed_on)?);
    match Standard::on(parameters, area, day) {
        Ok(standard) => Some((standard, day)),
        Err(error) => {
            violations.add("assessed_on", error.reason(), error.to_string(), error.message_zh());
            None
        }
    }
}

/// Checks that the institution was in operation on the day of the assessment, and then of a class that is assessed.
fn check_eligible(
    institutions: &InstitutionReferences,
    record: &AgeFriendlyAssessmentRecord,
    parameters: &Parameters,
    violations: &mut Violations,
) {
    use pb::InstitutionClass as Class;
    let Some(institution) = institutions.in_operation(&record.institution, record.assessed_on) else {
        violations.add(
            "assessed_on",
            "NOT_IN_OPERATION",
            "the institution was not in operation on that day",
            "评估日机构未在运营",
        );
        return;
    };
    let class = i32::try_from(institution.institution_class).ok().and_then(|number| Class::try_from(number).ok());
    let class = class.unwrap_or_default();
    let small = matches!(class, Class::Clinic | Class::OutpatientDepartment | Class::VillageClinic);
    let small_count = || {
        let (area, day) = (AreaCode::parse(&record.area).ok()?, day_of_epoch(record.assessed_on)?);
        parameters.value_on("age_friendly.clinics_are_eligible", area, day).ok().map(|entry| entry.value == 1)
    };
    violations.require(
        is_age_friendly_class(class) || (small && small_count().unwrap_or(false)),
        "institution",
        "CLASS_NOT_ASSESSED",
        "is not of a class that is assessed: general and Tibetan-medicine hospitals, township and community centres",
        "机构类别不在评估范围：综合医院、藏医院、乡镇卫生院和社区卫生服务中心",
    );
}

minsheng_kit::register_api! {
    package: minsheng_proto::health::v1,
    register: AgeFriendlyAssessments,
    resource: AgeFriendlyAssessment as age_friendly_assessment,
    plural: AgeFriendlyAssessments as age_friendly_assessments,
}
