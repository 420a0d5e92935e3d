//! What a change may make of an enrolment: whose it is and in which scheme stays, and a cover that was true is not erased
//! by a change that speaks of later days. Pure.
//!
//! The register answers from the present content of an enrolment, for past days too. So what past days rest on changes
//! only by a correction, which says that it never was, and not by a change from a day on.

use minsheng_kit::error::Violations;
use minsheng_proto::social_security::v1 as pb;

use crate::schema::EnrolmentRecord;

/// Checks the new content of an enrolment against the one that it replaces.
pub fn check_change(previous: &EnrolmentRecord, record: &EnrolmentRecord, violations: &mut Violations) {
    violations.require(
        record.scheme == previous.scheme,
        "scheme",
        "CANNOT_CHANGE",
        "cannot change; withdraw this enrolment and record another",
        "险种不得更改；请撤销该登记并另行登记",
    );
    violations.require(
        record.resident_index == previous.resident_index,
        "resident_id",
        "CANNOT_CHANGE",
        "cannot change; withdraw this enrolment and record another",
        "参保人不得更改；请撤销该登记并另行登记",
    );
    if record.effective_on > previous.effective_on && previous.covered_from.is_some() {
        check_later_content(previous, record, violations);
    }
}

/// Checks that a change from a day on leaves the cover before that day as it was.
fn check_later_content(previous: &EnrolmentRecord, record: &EnrolmentRecord, violations: &mut Violations) {
    violations.require(
        record.decision == pb::EnrolmentDecision::Admitted as i64,
        "decision",
        "ERASES_COVER",
        "would erase the cover before the day of the change; end the enrolment, or correct it without a day",
        "将抹去变更日前的参保；请终止该登记，或不填生效日期予以更正",
    );
    violations.require(
        record.covered_from.is_none() || record.covered_from == previous.covered_from,
        "covered_from",
        "ERASES_COVER",
        "would erase the cover before the day of the change; a cover that begins anew is an enrolment of its own",
        "将抹去变更日前的参保；重新参保请另行登记",
    );
    let last_before = record.effective_on - 1;
    let shortened =
        record.covered_to.is_some_and(|to| to < last_before && previous.covered_to.is_none_or(|was| to < was));
    violations.require(
        !shortened,
        "covered_to",
        "ERASES_COVER",
        "would erase cover before the day of the change; correct it without a day",
        "将抹去变更日前的参保；如属更正，请不填生效日期",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered() -> EnrolmentRecord {
        EnrolmentRecord {
            effective_on: 100,
            scheme: pb::Scheme::ResidentMedical as i64,
            resident_index: vec![1],
            decision: pb::EnrolmentDecision::Admitted as i64,
            covered_from: Some(110),
            covered_to: Some(400),
            ..EnrolmentRecord::default()
        }
    }

    fn found(previous: &EnrolmentRecord, record: &EnrolmentRecord) -> Vec<(String, &'static str)> {
        let mut violations = Violations::new();
        check_change(previous, record, &mut violations);
        violations.iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
    }

    #[test]
    fn scheme_and_person_of_an_enrolment_cannot_change() {
        for (record, field) in [
            (EnrolmentRecord { scheme: pb::Scheme::ResidentPension as i64, ..covered() }, "scheme"),
            (EnrolmentRecord { resident_index: vec![2], ..covered() }, "resident_id"),
        ] {
            assert_eq!(found(&covered(), &record), [(field.to_owned(), "CANNOT_CHANGE")]);
        }
    }

    #[test]
    fn a_change_from_a_day_on_leaves_the_cover_before_that_day() {
        let later = EnrolmentRecord { effective_on: 300, ..covered() };
        let refused = pb::EnrolmentDecision::Refused as i64;
        for (record, field) in [
            (later.clone(), None),
            (EnrolmentRecord { covered_to: None, ..later.clone() }, None),
            (EnrolmentRecord { covered_to: Some(299), ..later.clone() }, None),
            (EnrolmentRecord { covered_to: Some(298), ..later.clone() }, Some("covered_to")),
            (EnrolmentRecord { covered_from: Some(300), ..later.clone() }, Some("covered_from")),
            (EnrolmentRecord { decision: refused, covered_from: None, covered_to: None, ..later }, Some("decision")),
        ] {
            let expected: Vec<_> = field.into_iter().map(|field| (field.to_owned(), "ERASES_COVER")).collect();
            assert_eq!(found(&covered(), &record), expected, "{record:?}");
        }
    }

    #[test]
    fn a_correction_may_say_that_a_cover_never_was_and_a_pending_application_may_be_decided() {
        let refused = EnrolmentRecord {
            decision: pb::EnrolmentDecision::Refused as i64,
            covered_from: None,
            covered_to: None,
            ..covered()
        };
        assert!(found(&covered(), &refused).is_empty());
        assert!(found(&covered(), &EnrolmentRecord { covered_to: Some(120), ..covered() }).is_empty());
        let pending = EnrolmentRecord { effective_on: 90, ..refused };
        assert!(found(&pending, &covered()).is_empty());
    }
}
