//! What a capability's record must satisfy. Pure.

use minsheng_kit::error::Violations;
use minsheng_proto::health::v1::CapabilityKind;

use crate::schema::CapabilityRecord;

/// Checks the days, and that a drug list and nothing else has an edition.
pub(super) fn check_capability(capability: &CapabilityRecord, violations: &mut Violations) {
    violations.require(
        capability.held_to.is_none_or(|last| last >= capability.held_from),
        "held_to",
        "BEFORE_START",
        "lies before the first day",
        "截止日期早于起始日期",
    );
    let is_list = capability.kind == CapabilityKind::DrugList as i64;
    violations.require(
        is_list != capability.edition.is_empty(),
        "edition",
        "ONLY_OF_DRUG_LISTS",
        "is required of a drug list, and stands for no other kind",
        "用药目录须填版本，其他类别不填",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_stand_in_order_and_a_drug_list_alone_has_an_edition() {
        for (kind, held_to, edition, expected) in [
            (CapabilityKind::Midwifery, None, "", vec![]),
            (CapabilityKind::Midwifery, Some(100), "", vec![]),
            (CapabilityKind::Midwifery, Some(99), "", vec!["BEFORE_START"]),
            (CapabilityKind::Midwifery, None, "2025", vec!["ONLY_OF_DRUG_LISTS"]),
            (CapabilityKind::DrugList, None, "2025", vec![]),
            (CapabilityKind::DrugList, None, "", vec!["ONLY_OF_DRUG_LISTS"]),
        ] {
            let (kind, edition) = (kind as i64, edition.to_owned());
            let record = CapabilityRecord { kind, held_from: 100, held_to, edition, ..CapabilityRecord::default() };
            let mut violations = Violations::new();
            check_capability(&record, &mut violations);
            assert_eq!(violations.iter().map(|violation| violation.reason).collect::<Vec<_>>(), expected, "{record:?}");
        }
    }
}
