//! What a change may make of an enrolment: whose it is and in which scheme stays. Pure.

use minsheng_kit::error::Violations;

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
}

#[cfg(test)]
mod tests {
    use minsheng_proto::social_security::v1 as pb;

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
}
