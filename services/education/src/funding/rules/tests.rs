//! The rules of funding, case by case.

use super::*;
use pb::{FundKind as Fund, SchoolStage as Stage, Term};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn county() -> AreaCode {
    AreaCode::parse("540102").expect("a county")
}

fn kind(stage: Stage) -> Kind {
    Kind { stage, altitude_class: pb::AltitudeClass::Three, area: county() }
}

/// What was given to 100 students for a term, in yuan, of it nutrition for so many of them.
fn given(fund: Fund, yuan: i64, nutrition_yuan: i64, nutrition_students: i64) -> Given {
    let (amount_fen, nutrition_fen) = (yuan * 100, nutrition_yuan * 100);
    Given { fund, students: 100, amount_fen, nutrition_fen, nutrition_students }
}

/// Judges as the register does: by the standards of the term's first day.
fn judged(given: Given, stage: Stage, year: i32, term: Term) -> Verdict {
    let days = term_days(year, term).expect("a term");
    verdict(given, kind(stage), days.from, Parameters::get()).expect("in force")
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
        // Three guarantees without nutrition: 3,720 yuan from 2018, 4,200 from 2021, 4,620 from 2023, with nutrition
        // 5,620 from 2024, 5,700 from autumn 2025 and 5,940 from 2026 (handbook, section 15).
        (Fund::ThreeGuarantees, 2018, Term::Spring, 186_000, 372_000, true, 0),
        (Fund::ThreeGuarantees, 2020, Term::Autumn, 185_999, 372_000, false, 100),
        (Fund::ThreeGuarantees, 2021, Term::Spring, 186_000, 420_000, false, 2_400_000),
        (Fund::ThreeGuarantees, 2021, Term::Spring, 210_000, 420_000, true, 0),
        (Fund::ThreeGuarantees, 2022, Term::Autumn, 210_000, 420_000, true, 0),
        (Fund::ThreeGuarantees, 2023, Term::Spring, 210_000, 462_000, false, 2_100_000),
        (Fund::ThreeGuarantees, 2023, Term::Spring, 231_000, 462_000, true, 0),
        (Fund::ThreeGuarantees, 2025, Term::Spring, 231_000, 462_000, true, 0),
        (Fund::ThreeGuarantees, 2025, Term::Autumn, 231_000, 470_000, false, 400_000),
        (Fund::ThreeGuarantees, 2025, Term::Autumn, 235_000, 470_000, true, 0),
        (Fund::ThreeGuarantees, 2026, Term::Spring, 235_000, 494_000, false, 1_200_000),
        (Fund::ThreeGuarantees, 2026, Term::Spring, 247_000, 494_000, true, 0),
    ] {
        let verdict = judged(given(fund, yuan, 0, 0), Stage::Senior, year, term);
        assert_eq!(
            (verdict.base.standard_fen, verdict.base.meets_standard, verdict.base.shortfall_fen),
            (standard, meets, shortfall),
            "{fund:?} {year} {term:?} {yuan}"
        );
        assert_eq!(verdict.per_student_year_fen, yuan * 2);
    }
}

#[test]
fn what_has_no_nutrition_part_needs_none_to_reach_the_standard() {
    // A kindergarten and a senior school have no nutrition scheme: 4,700 yuan a year is all that is due to them.
    for stage in [Stage::Kindergarten, Stage::Senior] {
        let verdict = judged(given(Fund::ThreeGuarantees, 235_000, 0, 0), stage, 2025, Term::Autumn);
        assert_eq!((verdict.base.meets_standard, verdict.base.shortfall_fen), (true, 0), "{stage:?}");
        assert_eq!(verdict.nutrition, None, "{stage:?}");
    }
}

#[test]
fn neither_part_hides_what_the_other_lacks() {
    // 5,700 yuan a year are due for each of 100 pupils: 4,700, and 1,000 of nutrition money.
    for (yuan, nutrition, base_missing, nutrition_missing) in [
        (285_000, 50_000, 0, 0),
        // Generous nutrition money does not fill the rest, nor the rest the nutrition money.
        (285_000, 60_000, 1_000_000, 0),
        (285_000, 40_000, 0, 1_000_000),
        (284_999, 50_000, 100, 0),
        (285_000, 0, 0, 5_000_000),
    ] {
        let given = given(Fund::ThreeGuarantees, yuan, nutrition, 100);
        let verdict = judged(given, Stage::Primary, 2025, Term::Autumn);
        let nutrition = verdict.nutrition.expect("in the scheme");
        assert_eq!((verdict.base.standard_fen, nutrition.standard_fen), (470_000, 100_000));
        assert_eq!(
            (verdict.base.shortfall_fen, nutrition.shortfall_fen),
            (base_missing, nutrition_missing),
            "{given:?}"
        );
        assert_eq!(verdict.base.meets_standard, base_missing == 0, "{given:?}");
        assert_eq!(nutrition.meets_standard, nutrition_missing == 0, "{given:?}");
        assert_eq!(verdict.per_student_year_fen, yuan * 2);
    }
}

#[test]
fn nutrition_is_due_to_its_own_students_by_its_own_dated_standard() {
    // (year, term, students in the scheme, yuan of nutrition, standard, meets)
    for (year, term, students, yuan, standard, meets) in [
        (2021, Term::Spring, 40, 16_000, 80_000, true),
        (2021, Term::Autumn, 40, 16_000, 100_000, false),
        (2021, Term::Autumn, 40, 20_000, 100_000, true),
        (2025, Term::Autumn, 40, 19_999, 100_000, false),
    ] {
        let given = given(Fund::ThreeGuarantees, 300_000, yuan, students);
        let nutrition = judged(given, Stage::NineYear, year, term).nutrition.expect("in the scheme");
        assert_eq!((nutrition.standard_fen, nutrition.meets_standard), (standard, meets), "{year} {term:?} {yuan}");
    }
}

#[test]
fn the_rate_of_a_stage_and_class_goes_before_the_average_from_its_day_on() {
    use pb::AltitudeClass as Class;
    let mut parameters = Parameters::get().clone();
    let series = "[parameter.'three_guarantees.compulsory_class_four_without_nutrition_fen']\nen = 'x'\nzh = '甲'\n\
                  unit = 'fen'\nvalues = [\n\
                  { from = 2025-09-01, value = 500_000, confidence = 'low', source = 'a test' },\n\
                  { from = 2025-09-01, area = '540602', value = 510_000, confidence = 'low', source = 'a test' }]\n";
    parameters.extend(Parameters::from_toml(series).expect("reads").iter().cloned()).expect("fits");
    for (stage, altitude_class, county, on, standard) in [
        (Stage::Primary, Class::Four, "540621", "2025-09-01", 500_000),
        (Stage::NineYear, Class::Four, "540621", "2026-03-01", 500_000),
        (Stage::Primary, Class::Four, "540602", "2025-09-01", 510_000),
        // Before its day, of another class and of another stage, the average.
        (Stage::Primary, Class::Four, "540621", "2025-08-31", 462_000),
        (Stage::Primary, Class::Three, "540621", "2025-09-01", 470_000),
        (Stage::Kindergarten, Class::Four, "540621", "2025-09-01", 470_000),
        (Stage::Senior, Class::Four, "540621", "2025-09-01", 470_000),
    ] {
        let kind = Kind { stage, altitude_class, area: AreaCode::parse(county).expect("a county") };
        let found = standard_of(Fund::ThreeGuarantees, kind, day(on), &parameters);
        assert_eq!(found, Ok(standard), "{stage:?} {altitude_class:?} {county} {on}");
    }
}

#[test]
fn every_rate_that_is_asked_for_is_listed_as_not_known() {
    let unknown: Vec<&str> = Parameters::get().unknown().map(|(key, _)| key).collect();
    for stage in [Stage::Kindergarten, Stage::Special, Stage::Vocational] {
        for altitude_class in [pb::AltitudeClass::Two, pb::AltitudeClass::Three, pb::AltitudeClass::Four] {
            let key = rate_key(Kind { stage, altitude_class, area: county() }).expect("a key");
            assert!(unknown.contains(&key.as_str()), "{key}");
        }
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
fn a_term_before_the_first_known_standard_is_an_error_and_not_a_guess() {
    for (fund, on) in [(Fund::SeniorPublicFunds, "2019-03-01"), (Fund::ThreeGuarantees, "2017-09-01")] {
        let before = verdict(given(fund, 1, 0, 0), kind(Stage::Senior), day(on), Parameters::get());
        assert!(matches!(before, Err(NoVerdict::Standard(ParameterError::NotInForce { .. }))), "{fund:?}");
    }
}

#[test]
fn schools_get_only_what_is_meant_for_their_stage_and_only_public_ones_in_service() {
    let public = |stage, rural| SchoolInTerm { stage, rural, public: true, in_service: true };
    let senior = public(Stage::Senior, false);
    for (fund, nutrition, school, expected) in [
        (Fund::SeniorPublicFunds, 0, senior, None),
        (Fund::SeniorPublicFunds, 0, SchoolInTerm { public: false, ..senior }, Some("NOT_A_PUBLIC_SCHOOL")),
        (Fund::SeniorPublicFunds, 0, SchoolInTerm { in_service: false, ..senior }, Some("SCHOOL_NOT_IN_SERVICE")),
        (Fund::SeniorPublicFunds, 0, public(Stage::Vocational, false), Some("NOT_A_SENIOR_SCHOOL")),
        (Fund::SeniorPublicFunds, 0, public(Stage::Junior, false), Some("NOT_A_SENIOR_SCHOOL")),
        (Fund::ThreeGuarantees, 0, public(Stage::Kindergarten, true), None),
        (
            Fund::ThreeGuarantees,
            0,
            SchoolInTerm { public: false, ..public(Stage::Kindergarten, true) },
            Some("NOT_A_PUBLIC_SCHOOL"),
        ),
        (Fund::ThreeGuarantees, 10, public(Stage::NineYear, true), None),
        (Fund::ThreeGuarantees, 10, public(Stage::NineYear, false), Some("NOT_IN_NUTRITION_SCHEME")),
        (Fund::ThreeGuarantees, 10, public(Stage::Kindergarten, true), Some("NOT_IN_NUTRITION_SCHEME")),
    ] {
        let mut violations = Violations::new();
        check_school(fund, nutrition, school, &mut violations);
        assert_eq!(violations.iter().map(|v| v.reason).next(), expected, "{fund:?} {school:?}");
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
