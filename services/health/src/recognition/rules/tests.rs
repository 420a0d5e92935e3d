//! The rules of recognition, case by case.

use super::*;

fn county(code: &str) -> CountyCode {
    CountyCode::parse(code).expect("a county")
}

fn listed(from: i64, to: Option<i64>) -> ListedPeriod {
    ListedPeriod { from, to, window_days: 30 }
}

fn certified(scope: pb::RecognitionScope, code: &str, from: i64, to: i64) -> CertifiedPeriod {
    CertifiedPeriod { scope, county: county(code), from, to }
}

#[test]
fn a_result_outside_the_certificate_period_is_not_recognised() {
    let list = [listed(0, None)];
    let held = [certified(pb::RecognitionScope::Region, "540102", 100, 200)];
    for (day, recognisable) in [(99, false), (100, true), (200, true), (201, false)] {
        let found = standing(&list, &held, day, county("540202"));
        assert_eq!(matches!(found, Standing::Recognisable { .. }), recognisable, "day {day}");
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
        let found = standing(&list, &held, day, county("540102"));
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
    let Standing::Recognisable { certificate, window_days } = standing(&list, &held, 500, county("540202")) else {
        panic!("it is recognisable");
    };
    assert_eq!((certificate.scope, window_days), (pb::RecognitionScope::Region, 30));
    let Standing::OutOfScope(certificate) = standing(&list, &held[..1], 500, county("540202")) else {
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
fn a_window_of_zero_never_passes() {
    for (window, performed_on, on, passed) in
        [(30, 0, 30, false), (30, 0, 31, true), (0, 0, 9999, false), (3, 10, 10, false)]
    {
        assert_eq!(window_passed(window, performed_on, on), passed, "{window} {performed_on} {on}");
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
    ];
    let list: Vec<_> = ["K", "NA", "CL", "CA", "P", "MG"]
        .map(|code| (code.to_owned(), listed(0, None)))
        .into_iter()
        .chain([("OLD".to_owned(), listed(0, Some(99)))])
        .collect();
    let count = |area: &str, minimum| {
        let area = AreaCode::parse(area).expect("an area");
        recognisable_items(&list, &certificates, &institutions, area, 100, minimum).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(count("540100", 2), ["K"]);
    assert_eq!(count("540000", 2), ["CL", "K"]);
    assert_eq!(count("540102", 1), ["CA", "CL", "K", "MG", "NA", "P"]);
    assert!(count("540200", 2).is_empty());
}
