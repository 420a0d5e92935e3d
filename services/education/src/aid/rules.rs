//! Who has the three guarantees. Pure.
//!
//! Source: the region's rule that they are for children of farmers and herders and of urban families in hardship, in
//! public schools from kindergarten to the senior stage.

use minsheng_kit::{error::Violations, register::enum_number};
use minsheng_proto::{education::v1 as pb, social_security::v1::AssistanceCategory};

use crate::schema::{AidCaseRecord, SchoolRecord};

/// What was decided, or that evidence is needed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The pupil has the three guarantees.
    Eligible,
    /// The pupil does not have them.
    NotEligible,
    /// The household's category of assistance decides.
    NeedsCategory,
}

/// Decides by the ground alone, where that is enough.
pub fn decide_at_once(ground: pb::AidHouseholdKind) -> Decision {
    match ground {
        pb::AidHouseholdKind::FarmerHerder => Decision::Eligible,
        pb::AidHouseholdKind::UrbanHardship => Decision::NeedsCategory,
        pb::AidHouseholdKind::Other | pb::AidHouseholdKind::Unspecified => Decision::NotEligible,
    }
}

/// Decides the case of an urban family by its category of assistance: every recognised category is hardship.
pub fn decide_by_category(category: AssistanceCategory) -> Decision {
    match category {
        AssistanceCategory::Tekun
        | AssistanceCategory::Dibao
        | AssistanceCategory::Margin
        | AssistanceCategory::RigidExpenditure => Decision::Eligible,
        AssistanceCategory::None => Decision::NotEligible,
        AssistanceCategory::Unspecified => Decision::NeedsCategory,
    }
}

/// Reports whether a school teaches at a stage of the three guarantees. The senior stage holds vocational schools too,
/// the compulsory stage special and dedicated schools.
pub fn school_gives(school: pb::SchoolStage, stage: pb::AidStage) -> bool {
    use pb::SchoolStage as School;
    match stage {
        pb::AidStage::Kindergarten => school == School::Kindergarten,
        pb::AidStage::Compulsory => {
            matches!(school, School::Primary | School::Junior | School::NineYear | School::Special | School::Dedicated)
        }
        pb::AidStage::Senior => matches!(school, School::Senior | School::Vocational),
        pb::AidStage::Unspecified => false,
    }
}

/// Checks a case against the state of its school on the day of the application; `was_there` says whether the school was on
/// record before that day.
pub(super) fn check_school(
    case: &AidCaseRecord,
    on_the_day: Option<&SchoolRecord>,
    was_there: bool,
    violations: &mut Violations,
) {
    const CLOSED: (&str, &str) = ("closed before the application", "学校在申请前已停办");
    let Some(school) = on_the_day else {
        if was_there {
            violations.add("school", "SCHOOL_CLOSED", CLOSED.0, CLOSED.1);
        } else {
            violations.add(
                "school",
                "SCHOOL_NOT_OPENED",
                "is not on record on the day of the application yet",
                "申请当日学校尚未建档",
            );
        }
        return;
    };
    let stage = pb::AidStage::try_from(enum_number(case.stage)).unwrap_or_default();
    violations.require(
        school_gives(school.school_stage(), stage),
        "stage",
        "NOT_THE_SCHOOLS_STAGE",
        "is not a stage that the school teaches",
        "学段与学校不符",
    );
    violations.require(
        school.closed_on.is_none_or(|closed| closed > case.applied_on),
        "school",
        "SCHOOL_CLOSED",
        CLOSED.0,
        CLOSED.1,
    );
    violations.require(school.is_public(), "school", "NOT_A_PUBLIC_SCHOOL", "is not a public school", "不是公办学校");
}

impl Decision {
    /// Returns the contract's outcome.
    pub fn outcome(self) -> pb::AidOutcome {
        match self {
            Self::Eligible => pb::AidOutcome::Eligible,
            Self::NotEligible => pb::AidOutcome::NotEligible,
            Self::NeedsCategory => pb::AidOutcome::WaitingForEvidence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AssistanceCategory as Category;
    use pb::{AidHouseholdKind as Ground, AidStage, SchoolStage};

    #[test]
    fn the_ground_decides_for_all_but_urban_families() {
        for (ground, decision) in [
            (Ground::FarmerHerder, Decision::Eligible),
            (Ground::Other, Decision::NotEligible),
            (Ground::UrbanHardship, Decision::NeedsCategory),
        ] {
            assert_eq!(decide_at_once(ground), decision, "{ground:?}");
        }
    }

    #[test]
    fn every_category_of_assistance_is_hardship_and_none_is_not() {
        for (category, decision) in [
            (Category::Tekun, Decision::Eligible),
            (Category::Dibao, Decision::Eligible),
            (Category::Margin, Decision::Eligible),
            (Category::RigidExpenditure, Decision::Eligible),
            (Category::None, Decision::NotEligible),
            (Category::Unspecified, Decision::NeedsCategory),
        ] {
            assert_eq!(decide_by_category(category), decision, "{category:?}");
        }
    }

    #[test]
    fn a_case_belongs_to_the_stage_that_its_school_teaches() {
        assert!(school_gives(SchoolStage::NineYear, AidStage::Compulsory));
        assert!(school_gives(SchoolStage::Vocational, AidStage::Senior));
        assert!(!school_gives(SchoolStage::Senior, AidStage::Compulsory));
        assert!(!school_gives(SchoolStage::Primary, AidStage::Kindergarten));
    }
}
