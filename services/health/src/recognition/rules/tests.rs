//! The rules of recognition, case by case.

use minsheng_kit::register::FOREVER;

use super::*;

fn county(code: &str) -> CountyCode {
    CountyCode::parse(code).expect("a county")
}

fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).expect("an area")
}

const ALWAYS: Period = Period { from: 0, until: FOREVER };

fn listed(from: i64, to: Option<i64>) -> ListedState {
    ListedState {
        item: format!("from-{from}"),
        days: ALWAYS,
        in_force: true,
        area: area("540000"),
        from,
        to,
        window_days: 30,
    }
}

/// A visit on the day of the test.
fn visit(performed_on: i64, receiving: &str) -> Visit {
    Visit { performed_on, on: performed_on, receiving: county(receiving), in_operation: true, downward: false }
}

fn certified(scope: pb::RecognitionScope, code: &str, from: i64, to: i64) -> CertifiedPeriod {
    CertifiedPeriod { scope, county: county(code), from, to }
}

#[test]
fn a_result_outside_the_certificate_period_is_not_recognised() {
    let list = [listed(0, None)];
    let held = [certified(pb::RecognitionScope::Region, "540102", 100, 200)];
    for (day, recognisable) in [(99, false), (100, true), (200, true), (201, false)] {
        let found = standing(&list, &held, visit(day, "540202"));
        assert_eq!(matches!(found, Standing::Recognisable(_)), recognisable, "day {day}");
        assert_eq!(found == Standing::NoCertificate, !recognisable, "day {day}");
    }
}

#[test]
fn a_certificate_reaches_as_far_as_its_scope() {
    use pb::RecognitionScope as Scope;
    // 540102 Chengguan and 540121 Lhünzhub lie in Lhasa, 540202 Samzhubzê in Xigazê.
    for (scope, same_county, same_prefecture, elsewhere) in [
        (Scope::Nation, true, true, true),
        (Scope::Region, true, true, true),
        (Scope::Prefecture, true, true, false),
        (Scope::County, true, false, false),
        (Scope::Unspecified, false, false, false),
    ] {
        let from = county("540102");
        assert_eq!(reaches(scope, from, county("540102")), same_county, "{scope:?}");
        assert_eq!(reaches(scope, from, county("540121")), same_prefecture, "{scope:?}");
        assert_eq!(reaches(scope, from, county("540202")), elsewhere, "{scope:?}");
    }
}

#[test]
fn an_item_counts_only_on_the_days_on_which_it_is_in_the_list() {
    let held = [certified(pb::RecognitionScope::Nation, "540102", 0, 1000)];
    let list = [listed(100, Some(200)), listed(300, None)];
    for (day, on_list) in [(99, false), (200, true), (201, false), (300, true)] {
        let found = standing(&list, &held, visit(day, "540102"));
        assert_eq!(found != Standing::ItemNotListed, on_list, "day {day}");
    }
}

#[test]
fn the_widest_certificate_of_the_day_gives_the_mark() {
    let list = [listed(0, None)];
    let held = [
        certified(pb::RecognitionScope::Prefecture, "540102", 0, 1000),
        certified(pb::RecognitionScope::Region, "540102", 0, 1000),
        certified(pb::RecognitionScope::Nation, "540102", 900, 1000),
    ];
    let Standing::Recognisable(certificate) = standing(&list, &held, visit(500, "540202")) else {
        panic!("it is recognisable");
    };
    assert_eq!(certificate.scope, pb::RecognitionScope::Region);
    let Standing::OutOfScope(certificate) = standing(&list, &held[..1], visit(500, "540202")) else {
        panic!("it is out of scope");
    };
    assert_eq!(certificate.scope, pb::RecognitionScope::Prefecture);
}

#[test]
fn marks_name_the_nation_the_region_the_prefecture_or_the_county() {
    use pb::RecognitionScope as Scope;
    for (scope, code, text) in [
        (Scope::Nation, "540102", "全国HR"),
        (Scope::Region, "540102", "藏HR"),
        (Scope::Prefecture, "540102", "拉萨HR"),
        (Scope::Prefecture, "542521", "阿里HR"),
        (Scope::County, "540122", "当雄县HR"),
        (Scope::Unspecified, "540122", ""),
    ] {
        assert_eq!(mark(scope, county(code)), text);
    }
}

#[test]
fn a_window_holds_to_its_last_day_and_what_has_none_is_never_reused() {
    for (window, performed_on, on, passed) in [
        (30, 0, 30, false),
        (30, 0, 31, true),
        (3, 10, 10, false),
        // The blood group before a transfusion: on the same day, the next and ever after.
        (0, 10, 10, true),
        (0, 10, 11, true),
        (0, 0, 9999, true),
    ] {
        assert_eq!(window_passed(window, performed_on, on), passed, "{window} {performed_on} {on}");
        let list = [ListedState { window_days: window, ..listed(0, None) }];
        let held = [certified(pb::RecognitionScope::Nation, "540102", 0, 10_000)];
        let found = standing(&list, &held, Visit { on, ..visit(performed_on, "540202") });
        assert_eq!(matches!(found, Standing::WindowPassed(_)), passed, "{window} {performed_on} {on}");
    }
}

#[test]
fn the_window_is_that_of_the_item_on_the_day_of_the_visit() {
    // 30 days until day 200, 7 from then on, 90 from day 300 on until the item leaves the list on day 400.
    let state = |from, until, window_days, in_force| ListedState {
        days: Period { from, until },
        window_days,
        in_force,
        ..listed(0, None)
    };
    let list =
        [state(0, 200, 30, true), state(200, 300, 7, true), state(300, 400, 90, true), state(400, FOREVER, 90, false)];
    let held = [certified(pb::RecognitionScope::Nation, "540102", 0, 1000)];
    for (performed_on, on, passed) in [
        (150, 180, false),
        (150, 181, true),
        (190, 199, false),
        (190, 200, true),
        (193, 200, false),
        (290, 299, true),
        (290, 300, false),
        (390, 480, false),
        (390, 481, true),
    ] {
        let found = standing(&list, &held, Visit { on, ..visit(performed_on, "540202") });
        assert_eq!(matches!(found, Standing::WindowPassed(_)), passed, "{performed_on} {on}");
        assert_eq!(matches!(found, Standing::Recognisable(_)), !passed, "{performed_on} {on}");
    }
    assert_eq!(standing(&list, &held, visit(400, "540202")), Standing::ItemNotListed);
}

#[test]
fn a_result_of_an_institution_out_of_operation_is_not_recognisable_whatever_vouches_for_it() {
    let held = [certified(pb::RecognitionScope::Nation, "540102", 0, 1000)];
    let closed = Visit { in_operation: false, ..visit(500, "540202") };
    assert_eq!(standing(&[listed(0, None)], &held, closed), Standing::NotInOperation);
    assert_eq!(standing(&[], &[], closed), Standing::NotInOperation);
}

#[test]
fn a_failed_round_takes_marks_away_from_its_first_day_on_which_its_record_says_so() {
    let said = |from, until| Period { from, until };
    for (valid_from, valid_to, said, day) in [
        (100, 200, ALWAYS, Some(100)),
        (100, 200, said(100, 150), Some(100)),
        (100, 200, said(150, FOREVER), Some(150)),
        (100, 200, said(200, FOREVER), Some(200)),
        (100, 200, said(201, FOREVER), None),
        (100, 200, said(50, 100), None),
    ] {
        assert_eq!(fails_on(valid_from, valid_to, said), day, "{said:?}");
    }
}

#[test]
fn an_addition_of_a_prefecture_or_county_holds_there_and_nowhere_else() {
    let held = [certified(pb::RecognitionScope::Nation, "540102", 0, 1000)];
    for (list, lhasa_urban, lhasa_rural, xigaze) in
        [("540000", true, true, true), ("540100", true, true, false), ("540102", true, false, false)]
    {
        let list = [ListedState { area: area(list), ..listed(0, None) }];
        for (receiving, recognised) in [("540102", lhasa_urban), ("540121", lhasa_rural), ("540202", xigaze)] {
            let found = standing(&list, &held, visit(500, receiving));
            assert_eq!(matches!(found, Standing::Recognisable(_)), recognised, "{list:?} {receiving}");
            assert_eq!(found == Standing::ItemNotListed, !recognised, "{list:?} {receiving}");
        }
    }
}

#[test]
fn where_recognition_goes_upward_only_a_result_of_a_lower_grade_is_not_recognisable() {
    let held = [certified(pb::RecognitionScope::Nation, "540102", 0, 1000)];
    let list = [listed(0, None)];
    let found = standing(&list, &held, Visit { downward: true, ..visit(500, "540202") });
    assert_eq!(found, Standing::LowerGrade(held[0]));
    // Without a certificate that is what is said.
    assert_eq!(standing(&list, &[], Visit { downward: true, ..visit(500, "540202") }), Standing::NoCertificate);
}

#[test]
fn a_later_failed_round_cuts_a_certificate_from_its_own_day() {
    for (from, to, failed, cut) in [
        (100, 400, vec![], None),
        (100, 400, vec![250], Some(250)),
        (100, 400, vec![300, 250], Some(250)),
        (100, 400, vec![400], Some(400)),
        // After the certificate has lapsed, or before and on its first day, there is nothing to cut: a round passed after a
        // failed one counts.
        (100, 400, vec![401], None),
        (100, 400, vec![99], None),
        (100, 400, vec![100], None),
        (100, 400, vec![50, 250], Some(250)),
    ] {
        assert_eq!(failed_on(from, to, failed.clone()), cut, "{from} {to} {failed:?}");
    }
}

#[test]
fn a_repetition_has_a_reason_and_the_doctor_decides() {
    use pb::{RecognitionDecision as Decision, ReexaminationReason as Reason};
    for (decision, reason, explanation, expected) in [
        (Decision::Recognised, Reason::Unspecified, "", None),
        (Decision::Recognised, Reason::Emergency, "", Some("REASON_OF_REPETITION")),
        (Decision::NotRecognised, Reason::Unspecified, "", Some("REASON_REQUIRED")),
        (Decision::NotRecognised, Reason::ConditionChanged, "", None),
        (Decision::NotRecognised, Reason::OtherNecessary, " ", Some("EXPLANATION_REQUIRED")),
        (Decision::NotRecognised, Reason::OtherNecessary, "图像伪影", None),
        (Decision::NotRecognised, Reason::Expired, "电话13800000000", Some("PERSONAL_DATA")),
        (Decision::NotRecognised, Reason::Expired, "549999199001010012", Some("PERSONAL_DATA")),
        (Decision::NotRecognised, Reason::Expired, "距上次2025-01-03已45天", None),
    ] {
        let mut violations = Violations::new();
        check_decision(decision, reason, explanation, &mut violations);
        let found = violations.iter().map(|violation| violation.reason).next();
        assert_eq!(found, expected, "{decision:?} {reason:?} {explanation}");
    }
}

#[test]
fn an_item_counts_when_enough_open_institutions_of_the_area_hold_a_valid_certificate() {
    let institution =
        |id: &str, code: &str, to| OperatingInstitution { id: id.to_owned(), county: county(code), from: 0, to };
    let institutions = [
        institution("a", "540102", None),
        institution("b", "540121", None),
        institution("c", "540202", None),
        institution("closed", "540102", Some(50)),
    ];
    let held = |institution: &str, item: &str, passed, from, to| HeldCertificate {
        id: format!("{institution}.{item}.{from}"),
        days: ALWAYS,
        institution: institution.to_owned(),
        item_code: item.to_owned(),
        passed,
        from,
        to,
    };
    let certificates = [
        // Two in Lhasa.
        held("a", "K", true, 0, 200),
        held("b", "K", true, 0, 200),
        // One twice is one.
        held("a", "NA", true, 0, 200),
        held("a", "NA", true, 50, 200),
        // One in Lhasa, one in Xigazê.
        held("a", "CL", true, 0, 200),
        held("c", "CL", true, 0, 200),
        // Failed, lapsed, closed, not listed.
        held("a", "CA", true, 0, 200),
        held("b", "CA", false, 0, 200),
        held("a", "P", true, 0, 200),
        held("b", "P", true, 0, 99),
        held("a", "MG", true, 0, 200),
        held("closed", "MG", true, 0, 200),
        held("a", "OLD", true, 0, 200),
        held("b", "OLD", true, 0, 200),
        // Failed in a later round, of which only the one of TP had begun and was not made good since.
        held("a", "TP", true, 0, 200),
        held("b", "TP", true, 0, 200),
        held("b", "TP", false, 100, 120),
        held("a", "ALB", true, 0, 200),
        held("b", "ALB", true, 0, 200),
        held("b", "ALB", false, 101, 120),
        held("a", "TC", true, 0, 200),
        held("b", "TC", true, 0, 200),
        held("b", "TC", false, 50, 60),
        held("b", "TC", true, 70, 200),
        // Added to the list by Lhasa, by Xigazê; never reused.
        held("a", "LHASA", true, 0, 200),
        held("b", "LHASA", true, 0, 200),
        held("a", "XIGAZE", true, 0, 200),
        held("b", "XIGAZE", true, 0, 200),
        held("c", "XIGAZE", true, 0, 200),
        held("a", "ABO", true, 0, 200),
        held("b", "ABO", true, 0, 200),
        // In the list with a window until the day before.
        held("a", "CHANGED", true, 0, 200),
        held("b", "CHANGED", true, 0, 200),
        // Passed until a correction from day 90 on, or from day 101 on.
        HeldCertificate { days: Period { from: 0, until: 90 }, ..held("a", "HCG", true, 0, 200) },
        HeldCertificate { days: Period { from: 90, until: FOREVER }, ..held("a", "HCG", false, 0, 200) },
        held("b", "HCG", true, 0, 200),
        HeldCertificate { days: Period { from: 0, until: 101 }, ..held("a", "TSH", true, 0, 200) },
        HeldCertificate { days: Period { from: 101, until: FOREVER }, ..held("a", "TSH", false, 0, 200) },
        held("b", "TSH", true, 0, 200),
    ];
    let list: Vec<_> = ["K", "NA", "CL", "CA", "P", "MG", "TP", "ALB", "TC", "HCG", "TSH"]
        .map(|code| (code.to_owned(), listed(0, None)))
        .into_iter()
        .chain([
            ("OLD".to_owned(), listed(0, Some(99))),
            ("CHANGED".to_owned(), ListedState { days: Period { from: 0, until: 100 }, ..listed(0, None) }),
            (
                "CHANGED".to_owned(),
                ListedState { window_days: 0, days: Period { from: 100, until: FOREVER }, ..listed(0, None) },
            ),
            ("LHASA".to_owned(), ListedState { area: area("540100"), ..listed(0, None) }),
            ("XIGAZE".to_owned(), ListedState { area: area("540200"), ..listed(0, None) }),
            ("ABO".to_owned(), ListedState { window_days: 0, ..listed(0, None) }),
        ])
        .collect();
    let count = |code: &str, minimum| {
        recognisable_items(&list, &certificates, &institutions, area(code), 100, minimum)
            .into_iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(count("540100", 2), ["ALB", "K", "LHASA", "TC", "TSH"]);
    assert_eq!(count("540000", 2), ["ALB", "CL", "K", "LHASA", "TC", "TSH"]);
    assert_eq!(count("540102", 1), ["ALB", "CA", "CL", "K", "LHASA", "MG", "NA", "P", "TC", "TP", "TSH"]);
    assert_eq!(count("540200", 1), ["CL", "XIGAZE"]);
    assert!(count("540200", 2).is_empty());
}
