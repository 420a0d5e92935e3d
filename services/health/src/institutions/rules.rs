//! What an institution's record must satisfy. Pure.

use minsheng_kit::{error::Violations, register::enum_number};
use minsheng_proto::health::v1 as pb;

use crate::schema::InstitutionRecord;

/// Reports whether institutions of a class count for the age-friendly commitment: general hospitals, Tibetan-medicine
/// hospitals and primary institutions in the sense of the assessments, that is township and community centres.
pub fn is_age_friendly_class(class: pb::InstitutionClass) -> bool {
    use pb::InstitutionClass as Class;
    matches!(
        class,
        Class::GeneralHospital
            | Class::TibetanMedicineHospital
            | Class::TownshipHealthCentre
            | Class::CommunityHealthCentre
    )
}

/// Checks the days of operation and the grade.
pub fn check_institution(institution: &InstitutionRecord, violations: &mut Violations) {
    let class = pb::InstitutionClass::try_from(enum_number(institution.institution_class)).unwrap_or_default();
    violations.require(
        institution.operating_to.is_none_or(|last| last >= institution.operating_from),
        "operating_to",
        "BEFORE_OPENING",
        "lies before the first day in operation",
        "停业日期早于开业日期",
    );
    let hospital = matches!(
        class,
        pb::InstitutionClass::GeneralHospital
            | pb::InstitutionClass::TibetanMedicineHospital
            | pb::InstitutionClass::SpecialisedHospital
            | pb::InstitutionClass::MaternalChild
    );
    violations.require(
        institution.level == 0 || hospital,
        "level",
        "NOT_GRADED",
        "only hospitals and maternal and child health institutions are graded",
        "只有医院和妇幼保健机构评级",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(class: pb::InstitutionClass, level: i64, from: i64, to: Option<i64>) -> Vec<&'static str> {
        let mut violations = Violations::new();
        let institution = InstitutionRecord {
            institution_class: class as i64,
            level,
            operating_from: from,
            operating_to: to,
            ..InstitutionRecord::default()
        };
        check_institution(&institution, &mut violations);
        violations.iter().map(|violation| violation.reason).collect()
    }

    #[test]
    fn an_institution_cannot_close_before_it_opens() {
        assert_eq!(reasons(pb::InstitutionClass::Clinic, 0, 10, Some(9)), ["BEFORE_OPENING"]);
        assert!(reasons(pb::InstitutionClass::Clinic, 0, 10, Some(10)).is_empty());
    }

    #[test]
    fn only_hospitals_are_graded() {
        assert_eq!(reasons(pb::InstitutionClass::TownshipHealthCentre, 1, 10, None), ["NOT_GRADED"]);
        assert!(reasons(pb::InstitutionClass::TibetanMedicineHospital, 3, 10, None).is_empty());
    }

    #[test]
    fn clinics_do_not_count_as_primary_institutions_for_the_age_friendly_rate() {
        assert!(!is_age_friendly_class(pb::InstitutionClass::VillageClinic));
        assert!(is_age_friendly_class(pb::InstitutionClass::CommunityHealthCentre));
    }
}
