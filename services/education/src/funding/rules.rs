//! What a school was given for a term, judged by the standard of that term. Pure; whole fen throughout.

use chrono::NaiveDate;
use minsheng_kit::{
    error::Violations,
    values::{
        divisions::AreaCode,
        parameters::{ParameterError, Parameters},
    },
};
use minsheng_proto::education::v1 as pb;

/// Terms of a school year: one for each value of the contract's `Term`.
pub const TERMS_PER_YEAR: i64 = 2;

/// Standard of public funds of senior secondary schools (普通高中生均公用经费), by dated parameter.
const SENIOR_PUBLIC_FUNDS: &str = "senior_public_funds.standard_fen";
/// Standard of the three guarantees, nutrition included (教育三包年生均标准), by dated parameter.
///
/// The published figure is an average; rates by stage, altitude class and boarding are not published.
const THREE_GUARANTEES: &str = "three_guarantees.standard_fen";
/// Standard of the nutrition scheme (营养改善计划), by dated parameter.
const NUTRITION: &str = "nutrition.standard_fen";

/// First and last day of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TermDays {
    /// First day, on which the standard is looked up.
    pub from: NaiveDate,
    /// Last day: the day before the next term.
    pub to: NaiveDate,
}

/// What the standard says about an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Amount for each student, brought to a year, in fen, rounded down.
    pub per_student_year_fen: i64,
    /// True when the amount reaches the standard.
    pub meets_standard: bool,
    /// What is missing for all students of the term, in fen, rounded up; 0 when nothing is.
    pub shortfall_fen: i64,
}

/// Gives the days of a term of the calendar year in which it begins: spring from 1 March to 31 August, autumn from
/// 1 September to the end of February.
///
/// These are the days by which the notices date their standards ("from the spring term 2025"); when teaching begins is
/// every county's own matter and decides nothing here.
pub fn term_days(year: i32, term: pb::Term) -> Option<TermDays> {
    let day = NaiveDate::from_ymd_opt;
    match term {
        pb::Term::Spring => Some(TermDays { from: day(year, 3, 1)?, to: day(year, 8, 31)? }),
        pb::Term::Autumn => Some(TermDays { from: day(year, 9, 1)?, to: day(year + 1, 3, 1)?.pred_opt()? }),
        pb::Term::Unspecified => None,
    }
}

/// Looks up the standard of a fund for a student and a year, in fen, in force on a day in an area.
pub fn standard_of(
    fund: pb::FundKind,
    area: AreaCode,
    on: NaiveDate,
    parameters: &Parameters,
) -> Result<i64, ParameterError> {
    let key = match fund {
        pb::FundKind::SeniorPublicFunds => SENIOR_PUBLIC_FUNDS,
        pb::FundKind::ThreeGuarantees | pb::FundKind::Unspecified => THREE_GUARANTEES,
    };
    Ok(parameters.value_on(key, area, on)?.as_fen()?.get())
}

/// Judges what was given for a term's students by a standard for a student and a year.
///
/// The amount meets the standard when `amount × terms >= standard × students`: no division, so nothing is lost. None
/// when there are no students, or when the amount for each of them exceeds what can be stored.
pub fn judge(amount_fen: i64, students: i64, standard_fen: i64) -> Option<Judgement> {
    if students <= 0 {
        return None;
    }
    let terms = i128::from(TERMS_PER_YEAR);
    let (year, due) = (i128::from(amount_fen) * terms, i128::from(standard_fen) * i128::from(students));
    let missing = (due - year).max(0);
    Some(Judgement {
        per_student_year_fen: i64::try_from(year.div_euclid(i128::from(students))).ok()?,
        meets_standard: year >= due,
        shortfall_fen: i64::try_from((missing + terms - 1) / terms).ok()?,
    })
}

/// Says whether the nutrition part reaches its own standard; none when nobody is in the scheme.
pub fn nutrition_meets(
    nutrition_fen: i64,
    nutrition_students: i64,
    area: AreaCode,
    on: NaiveDate,
    parameters: &Parameters,
) -> Result<Option<bool>, ParameterError> {
    if nutrition_students <= 0 {
        return Ok(None);
    }
    let standard = parameters.value_on(NUTRITION, area, on)?.as_fen()?.get();
    Ok(judge(nutrition_fen, nutrition_students, standard).map(|judgement| judgement.meets_standard))
}

/// Checks that the nutrition part belongs to the three guarantees, lies within the amount and has students.
pub fn check_nutrition(
    fund: pb::FundKind,
    amount_fen: i64,
    nutrition_fen: i64,
    nutrition_students: i64,
    violations: &mut Violations,
) {
    violations.require(
        fund == pb::FundKind::ThreeGuarantees || (nutrition_fen == 0 && nutrition_students == 0),
        "nutrition_fen",
        "NOT_THREE_GUARANTEES",
        "only the three guarantees have a nutrition part",
        "只有教育三包经费含营养改善计划",
    );
    violations.require(
        nutrition_fen <= amount_fen,
        "nutrition_fen",
        "MORE_THAN_AMOUNT",
        "is a part of the amount and exceeds it",
        "超过拨付金额",
    );
    violations.require(
        nutrition_fen == 0 || nutrition_students > 0,
        "nutrition_students",
        "NUTRITION_WITHOUT_STUDENTS",
        "there is nutrition money but nobody in the scheme",
        "有营养改善资金但没有学生",
    );
}

/// Checks that a school may have a fund for a term: its stage, whether it is open, whether it is in the nutrition scheme.
///
/// Public funds of this kind are for senior secondary schools. The three guarantees reach from kindergarten to the
/// senior stage; the nutrition scheme is for rural schools of the compulsory stage.
pub fn check_school(
    fund: pb::FundKind,
    nutrition_students: i64,
    stage: pb::SchoolStage,
    rural: bool,
    closed_before_term: bool,
    violations: &mut Violations,
) {
    use pb::SchoolStage as Stage;
    violations.require(
        fund != pb::FundKind::SeniorPublicFunds || stage == Stage::Senior,
        "fund",
        "NOT_A_SENIOR_SCHOOL",
        "is for senior secondary schools only",
        "仅限普通高中",
    );
    let compulsory =
        matches!(stage, Stage::Primary | Stage::Junior | Stage::NineYear | Stage::Special | Stage::Dedicated);
    violations.require(
        nutrition_students == 0 || (compulsory && rural),
        "nutrition_students",
        "NOT_IN_NUTRITION_SCHEME",
        "the nutrition scheme is for rural schools of the compulsory stage",
        "营养改善计划仅限农村义务教育学校",
    );
    violations.require(
        !closed_before_term,
        "school",
        "SCHOOL_CLOSED",
        "closed before the term began",
        "学校在学期开始前已停办",
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use pb::{FundKind as Fund, SchoolStage as Stage, Term};

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn county() -> AreaCode {
        AreaCode::parse("540102").expect("a county")
    }

    /// Judges as the register does: standard of the term's first day, amount and students of the record.
    fn judged(fund: Fund, year: i32, term: Term, amount: i64, students: i64) -> (i64, Judgement) {
        let days = term_days(year, term).expect("a term");
        let standard = standard_of(fund, county(), days.from, Parameters::get()).expect("in force");
        (standard, judge(amount, students, standard).expect("students"))
    }

    #[test]
    fn terms_begin_in_march_and_september_and_leave_no_day_out() {
        for (year, term, from, to) in [
            (2025, Term::Spring, "2025-03-01", "2025-08-31"),
            (2025, Term::Autumn, "2025-09-01", "2026-02-28"),
            (2027, Term::Autumn, "2027-09-01", "2028-02-29"),
        ] {
            assert_eq!(term_days(year, term), Some(TermDays { from: day(from), to: day(to) }));
        }
    }

    #[test]
    fn a_term_is_judged_by_the_standard_of_its_own_first_day() {
        // (fund, year, term, yuan for 100 students in the term, standard, meets, shortfall of the term in fen)
        for (fund, year, term, yuan, standard, meets, shortfall) in [
            // Senior public funds: 1,000 yuan until autumn 2024, 1,100 from spring 2025 on.
            (Fund::SeniorPublicFunds, 2024, Term::Autumn, 50_000, 100_000, true, 0),
            (Fund::SeniorPublicFunds, 2025, Term::Spring, 50_000, 110_000, false, 500_000),
            (Fund::SeniorPublicFunds, 2025, Term::Spring, 55_000, 110_000, true, 0),
            // Three guarantees: 5,620 yuan until spring 2025, 5,700 from autumn 2025 on, 5,940 in 2026.
            (Fund::ThreeGuarantees, 2025, Term::Spring, 281_000, 562_000, true, 0),
            (Fund::ThreeGuarantees, 2025, Term::Autumn, 281_000, 570_000, false, 400_000),
            (Fund::ThreeGuarantees, 2025, Term::Autumn, 285_000, 570_000, true, 0),
            (Fund::ThreeGuarantees, 2026, Term::Spring, 285_000, 594_000, false, 1_200_000),
        ] {
            let (found, judgement) = judged(fund, year, term, yuan * 100, 100);
            assert_eq!(found, standard, "{fund:?} {year} {term:?}");
            assert_eq!(
                (judgement.meets_standard, judgement.shortfall_fen),
                (meets, shortfall),
                "{fund:?} {year} {term:?} {yuan}"
            );
            assert_eq!(judgement.per_student_year_fen, yuan * 2);
        }
    }

    #[test]
    fn exactly_the_standard_meets_it_and_a_fen_less_does_not() {
        // 3 students at 1,100 yuan a year: 165,000 fen for the term.
        assert!(judge(165_000, 3, 110_000).expect("students").meets_standard);
        let less = judge(164_999, 3, 110_000).expect("students");
        assert_eq!((less.meets_standard, less.shortfall_fen, less.per_student_year_fen), (false, 1, 109_999));
    }

    #[test]
    fn an_uneven_half_is_rounded_against_the_payer() {
        // A standard of 1 fen for one student: half a fen is due for the term, and a whole one is missing.
        let judgement = judge(0, 1, 1).expect("students");
        assert_eq!((judgement.meets_standard, judgement.shortfall_fen), (false, 1));
    }

    #[test]
    fn amounts_at_the_edge_of_what_can_be_stored_do_not_wrap() {
        assert_eq!(judge(i64::MAX, 1, 1), None);
        assert!(judge(i64::MAX, 2, 1).expect("fits").meets_standard);
        assert_eq!(judge(0, 0, 1), None);
    }

    #[test]
    fn nutrition_is_judged_apart_by_its_own_standard() {
        let on = day("2025-09-01");
        let meets = |fen, students| nutrition_meets(fen, students, county(), on, Parameters::get()).expect("in force");
        // 1,000 yuan a year, 500 for the term.
        assert_eq!(meets(5_000_000, 100), Some(true));
        assert_eq!(meets(4_999_999, 100), Some(false));
        assert_eq!(meets(0, 0), None);
    }

    #[test]
    fn a_term_before_the_first_known_standard_is_an_error_and_not_a_guess() {
        let before = standard_of(Fund::SeniorPublicFunds, county(), day("2019-03-01"), Parameters::get());
        assert!(matches!(before, Err(ParameterError::NotInForce { .. })));
    }

    #[test]
    fn schools_get_only_what_is_meant_for_their_stage() {
        for (fund, nutrition, stage, rural, expected) in [
            (Fund::SeniorPublicFunds, 0, Stage::Senior, false, None),
            (Fund::SeniorPublicFunds, 0, Stage::Vocational, false, Some("NOT_A_SENIOR_SCHOOL")),
            (Fund::SeniorPublicFunds, 0, Stage::Junior, false, Some("NOT_A_SENIOR_SCHOOL")),
            (Fund::ThreeGuarantees, 0, Stage::Kindergarten, true, None),
            (Fund::ThreeGuarantees, 10, Stage::NineYear, true, None),
            (Fund::ThreeGuarantees, 10, Stage::NineYear, false, Some("NOT_IN_NUTRITION_SCHEME")),
            (Fund::ThreeGuarantees, 10, Stage::Kindergarten, true, Some("NOT_IN_NUTRITION_SCHEME")),
        ] {
            let mut violations = Violations::new();
            check_school(fund, nutrition, stage, rural, false, &mut violations);
            assert_eq!(violations.iter().map(|v| v.reason).next(), expected, "{fund:?} {stage:?}");
        }
    }

    #[test]
    fn the_nutrition_part_lies_within_the_amount_and_has_students() {
        for (fund, amount, fen, students, expected) in [
            (Fund::ThreeGuarantees, 100, 100, 1, None),
            (Fund::ThreeGuarantees, 100, 101, 1, Some("MORE_THAN_AMOUNT")),
            (Fund::ThreeGuarantees, 100, 1, 0, Some("NUTRITION_WITHOUT_STUDENTS")),
            (Fund::SeniorPublicFunds, 100, 0, 1, Some("NOT_THREE_GUARANTEES")),
        ] {
            let mut violations = Violations::new();
            check_nutrition(fund, amount, fen, students, &mut violations);
            assert_eq!(violations.iter().map(|v| v.reason).next(), expected, "{fund:?} {amount} {fen} {students}");
        }
    }
}
