//! The contract's `AgeFriendlyAssessmentService` over the register.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared as _, Head, Register, RuleContext, WITHDRAWN, day},
    store::{AnyConnection, Tx},
};
use minsheng_proto::health::v1 as pb;

use super::{
    rules::{
        Scores, check_eligible, check_institution_kept, check_revocation, last_certificate_day, score, standard_on,
    },
    store::align_institutions,
};
use crate::{
    institutions::{InstitutionReferences, NamedInstitution},
    schema::AgeFriendlyAssessmentRecord,
};

/// The register of age-friendly assessments.
#[derive(Clone, Copy, Debug)]
pub struct AgeFriendlyAssessments;

impl Register for AgeFriendlyAssessments {
    type Record = AgeFriendlyAssessmentRecord;
    type Row = pb::AgeFriendlyAssessmentRow;

    fn validate(
        &self,
        assessment: &pb::AgeFriendlyAssessment,
        head: Head,
        previous: Option<&AgeFriendlyAssessmentRecord>,
        context: RuleContext<'_>,
    ) -> Result<AgeFriendlyAssessmentRecord, Violations> {
        let mut violations = Violations::new();
        let mut record = AgeFriendlyAssessmentRecord::read(assessment, head, context, &mut violations);
        let (assessed_on, revoked_on) = (record.assessed_on, record.revoked_on);
        check_institution_kept(&record, previous, &mut violations);
        if !violations.is_empty() {
            return Err(violations);
        }
        let standard = standard_on(context.parameters, &record.area, assessed_on, &mut violations);
        let Some((standard, first)) = standard else { return Err(violations) };
        let outcome = score(scores(assessment), assessment.mandatory_met, &standard);
        check_revocation(outcome, assessed_on, revoked_on, &mut violations);
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

    fn validate_against_store(
        &self,
        connection: &mut AnyConnection,
        records: &[AgeFriendlyAssessmentRecord],
        context: RuleContext<'_>,
    ) -> Result<Vec<Violations>, Error> {
        let ids = records.iter().map(|record| record.institution.as_str());
        let institutions = InstitutionReferences::find(connection, ids)?;
        let judge = |record: &AgeFriendlyAssessmentRecord| {
            let mut violations = Violations::new();
            let institution = institutions.in_operation(&record.institution, record.assessed_on);
            let class = institution.map(NamedInstitution::class);
            check_eligible(class, record, context.parameters, &mut violations);
            violations
        };
        Ok(records.iter().map(judge).collect())
    }

    /// Brings the institutions into line, in whose states the certificates stand.
    fn after_write(
        &self,
        tx: &mut Tx<'_>,
        records: &[AgeFriendlyAssessmentRecord],
        context: RuleContext<'_>,
    ) -> Result<(), Error> {
        let institutions: BTreeSet<&str> = records.iter().map(|record| record.institution.as_str()).collect();
        let standing = records.iter().filter(|record| record.state != WITHDRAWN);
        let named: BTreeSet<&str> = standing.map(|record| record.institution.as_str()).collect();
        align_institutions(tx, &institutions, &named, context)
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

minsheng_kit::register_api! {
    package: minsheng_proto::health::v1,
    register: AgeFriendlyAssessments,
    resource: AgeFriendlyAssessment as age_friendly_assessment,
    plural: AgeFriendlyAssessments as age_friendly_assessments,
}
