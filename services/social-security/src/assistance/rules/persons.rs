//! The members of a household, and those of them who get dibao as persons (单人保). Pure.

use std::collections::BTreeSet;

use minsheng_kit::{
    error::Violations,
    values::{
        identifiers::ResidentId,
        money::{Fen, MoneyError},
    },
};
use minsheng_proto::social_security::v1 as pb;

use super::amount::{Means, Payment, RoundingRule, Standard, monthly_amount};

/// Checks the members: the applicant first and only once, nobody twice.
pub fn check_members(members: &[(ResidentId, pb::MemberRelation)], violations: &mut Violations) {
    let mut seen = BTreeSet::new();
    for (index, (resident, relation)) in members.iter().enumerate() {
        violations.require(
            (*relation == pb::MemberRelation::Applicant) == (index == 0),
            &format!("members[{index}].relation"),
            "APPLICANT_FIRST",
            "the applicant is the first member and no other",
            "申请人须为第一位成员且仅一人",
        );
        violations.require(
            seen.insert(resident),
            &format!("members[{index}].resident_id"),
            "MEMBER_TWICE",
            "is a member already",
            "成员重复",
        );
    }
}

/// Checks the members who get dibao as persons: severely disabled or ill members of a household on the margin, whose own
/// income lies below the standard (社会救助法 21).
pub fn check_single_persons(
    members: &[pb::HouseholdMember],
    category: pb::AssistanceCategory,
    standard: Standard,
    violations: &mut Violations,
) {
    for (index, member) in members.iter().enumerate().filter(|(_, member)| member.single_person_dibao) {
        let flag = format!("members[{index}].single_person_dibao");
        violations.require(
            category == pb::AssistanceCategory::Margin,
            &flag,
            "SINGLE_PERSON_NOT_OF_CATEGORY",
            "is for members of a household on the margin",
            "单人保仅适用于低保边缘家庭成员",
        );
        violations.require(
            member.severe_disability || member.severe_illness,
            &flag,
            "NEITHER_DISABLED_NOR_ILL",
            "is for severely disabled or severely ill members",
            "单人保仅适用于重度残疾或重病人员",
        );
        violations.require(
            means_of(member).below(standard),
            &format!("members[{index}].own_monthly_income_fen"),
            "INCOME_CONTRADICTS_CATEGORY",
            "must lie below the dibao standard for dibao as a person",
            "单人保人员本人收入须低于低保标准",
        );
    }
}

/// Computes what dibao pays a month to the members who get it as persons, each a household of one.
pub fn amount_of_single_persons(
    members: &[pb::HouseholdMember],
    standard: Standard,
    payment: Payment,
    rounding: RoundingRule,
) -> Result<Fen, MoneyError> {
    let persons = members.iter().filter(|member| member.single_person_dibao);
    let amounts: Result<Vec<Fen>, MoneyError> =
        persons.map(|member| monthly_amount(standard, payment, means_of(member), rounding)).collect();
    Fen::sum(amounts?)
}

fn means_of(member: &pb::HouseholdMember) -> Means {
    Means { members: 1, monthly_income: Fen::new(member.own_monthly_income_fen) }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use minsheng_kit::values::money::Rounding;
    use pb::{AssistanceCategory as Category, MemberRelation as Relation};

    use super::*;

    fn reasons(check: impl FnOnce(&mut Violations)) -> Vec<&'static str> {
        let mut violations = Violations::new();
        check(&mut violations);
        violations.iter().map(|violation| violation.reason).collect()
    }

    fn standard() -> Standard {
        Standard::of_month(Fen::new(90_000)).expect("small")
    }

    fn single(severe_disability: bool, severe_illness: bool, own_monthly_income_fen: i64) -> pb::HouseholdMember {
        pb::HouseholdMember {
            severe_disability,
            severe_illness,
            single_person_dibao: true,
            own_monthly_income_fen,
            ..pb::HouseholdMember::default()
        }
    }

    #[test]
    fn a_severely_disabled_or_ill_member_of_a_margin_household_gets_dibao_as_a_person() {
        for (member, category, expected) in [
            (single(true, false, 0), Category::Margin, vec![]),
            (single(false, true, 89_999), Category::Margin, vec![]),
            (single(false, true, 90_000), Category::Margin, vec!["INCOME_CONTRADICTS_CATEGORY"]),
            (single(false, false, 0), Category::Margin, vec!["NEITHER_DISABLED_NOR_ILL"]),
            (single(true, false, 0), Category::Dibao, vec!["SINGLE_PERSON_NOT_OF_CATEGORY"]),
            (pb::HouseholdMember::default(), Category::Dibao, vec![]),
        ] {
            let found = reasons(|v| check_single_persons(std::slice::from_ref(&member), category, standard(), v));
            assert_eq!(found, expected, "{member:?} {category:?}");
        }
    }

    #[test]
    fn each_person_is_a_household_of_one() {
        let up = RoundingRule { direction: Rounding::Up, to_yuan: false };
        let members = [single(true, false, 30_000), pb::HouseholdMember::default(), single(false, true, 0)];
        let paid = |payment| amount_of_single_persons(&members, standard(), payment, up);
        assert_eq!(paid(Payment::Difference), Ok(Fen::new(60_000 + 90_000)));
        assert_eq!(paid(Payment::Sum(Fen::new(50_000))), Ok(Fen::new(100_000)));
    }

    #[test]
    fn the_applicant_is_the_first_member_and_nobody_is_a_member_twice() {
        let person = |sequence| {
            let born = NaiveDate::from_ymd_opt(1990, 1, 1).expect("a day");
            ResidentId::synthetic(born, sequence).expect("synthetic")
        };
        for (members, expected) in [
            (vec![(person(1), Relation::Applicant), (person(2), Relation::Child)], vec![]),
            (vec![(person(1), Relation::Spouse)], vec!["APPLICANT_FIRST"]),
            (vec![(person(1), Relation::Applicant), (person(2), Relation::Applicant)], vec!["APPLICANT_FIRST"]),
            (vec![(person(1), Relation::Applicant), (person(1), Relation::Child)], vec!["MEMBER_TWICE"]),
        ] {
            assert_eq!(reasons(|violations| check_members(&members, violations)), expected);
        }
    }
}
