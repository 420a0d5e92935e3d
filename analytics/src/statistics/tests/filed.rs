//! Returns and milestones.

use super::*;

fn filed(area: &str, month: &str, commitment: &str) -> Row {
    let dataset = if commitment == "three-day-registration" { "health.returns" } else { "community.returns" };
    let end = month_end(day(&format!("{month}-01")));
    let filed = row(dataset, &format!("returns/{commitment}-{area}-{month}"), area, &end.to_string());
    filed
        .with("commitment", commitment)
        .with("month_from", Value::Day(day(&format!("{month}-01"))))
        .with("return_state", "SUBMITTED")
}

fn share(area: &str, month: &str, numerator: f64, denominator: f64) -> Row {
    filed(area, month, "purchased-services").with("numerator", numerator).with("denominator", denominator)
}

#[test]
fn an_area_s_own_filing_counts_before_the_sum_of_the_areas_below() {
    let rows = [
        share("540102", "2025-01", 1.0, 4.0),
        share("540103", "2025-01", 2.0, 4.0),
        share("540200", "2025-01", 5.0, 12.0),
        share("540202", "2025-01", 1.0, 1.0),
        share("540000", "2025-02", 9.0, 10.0),
        share("540102", "2025-02", 1.0, 4.0),
    ];
    let figures = figures(&rows, "2025-02-28", "2025-12-31");
    let cell = |area, month| cell(&figures, "purchased-services", "primary", area, month);
    assert_eq!(cell("540100", "2025-01"), Some((Some(3.0), Some(8.0), Some(37.5))));
    assert_eq!(cell("540200", "2025-01"), Some((Some(5.0), Some(12.0), Some(500.0 / 12.0))));
    assert_eq!(cell("540202", "2025-01"), Some((Some(1.0), Some(1.0), Some(100.0))));
    assert_eq!(cell("540000", "2025-01"), Some((Some(8.0), Some(20.0), Some(40.0))));
    assert_eq!(cell("540000", "2025-02"), Some((Some(9.0), Some(10.0), Some(90.0))));
    assert_eq!(cell("540300", "2025-01"), None, "nobody filed for it");
    let complete =
        figures.completeness.iter().find(|row| row.commitment == "purchased-services" && row.area == "540100");
    assert_eq!(complete.unwrap().completeness.areas_reported, 1, "in the newest month only one county filed");
}

#[test]
fn what_is_filed_below_the_lowest_level_shown_still_counts_above() {
    let calls = |area| filed(area, "2025-01", "data-sharing").with("numerator", 5.0);
    let figures = figures(&[calls("540102"), calls("540200")], "2025-01-31", "2025-12-31");
    assert_eq!(value(&figures, "data-sharing", "540000", "2025-01"), Some(10.0));
    assert_eq!(value(&figures, "data-sharing", "540100", "2025-01"), None, "the figure is the region's");
}

#[test]
fn a_figure_without_its_parts_speaks_for_its_own_area_only() {
    let rows =
        [filed("540100", "2025-01", "purchased-services").with("value", 90.0), share("540200", "2025-01", 1.0, 2.0)];
    let figures = figures(&rows, "2025-01-31", "2025-12-31");
    assert_eq!(value(&figures, "purchased-services", "540100", "2025-01"), Some(90.0));
    assert_eq!(
        cell(&figures, "purchased-services", "primary", "540000", "2025-01"),
        Some((Some(1.0), Some(2.0), Some(50.0)))
    );
}

#[test]
fn a_withdrawn_return_and_one_for_a_month_that_has_not_ended_do_not_count() {
    let corrected = share("540102", "2025-01", 4.0, 4.0).change("CHANGED").recorded("2025-03-01");
    let rows = [
        share("540102", "2025-01", 1.0, 4.0),
        corrected.with("return_state", "APPROVED"),
        share("540103", "2025-01", 1.0, 4.0).with("return_state", "WITHDRAWN"),
        share("540104", "2025-02", 1.0, 4.0),
    ];
    let now = figures(&rows, "2025-02-27", "2025-12-31");
    assert_eq!(
        cell(&now, "purchased-services", "primary", "540000", "2025-01"),
        Some((Some(4.0), Some(4.0), Some(100.0)))
    );
    assert_eq!(cell(&now, "purchased-services", "primary", "540000", "2025-02"), None);
    let before_the_correction = figures(&rows, "2025-02-27", "2025-02-15");
    assert_eq!(value(&before_the_correction, "purchased-services", "540000", "2025-01"), Some(25.0));
}

#[test]
fn a_commitment_of_one_city_is_counted_there_and_nowhere_else() {
    let rows = [
        filed("540102", "2025-01", "three-day-registration").with("numerator", 3.0).with("denominator", 4.0),
        filed("540202", "2025-01", "three-day-registration").with("numerator", 1.0).with("denominator", 4.0),
    ];
    let figures = figures(&rows, "2025-01-31", "2025-12-31");
    let value = |area| value(&figures, "three-day-registration", area, "2025-01");
    assert_eq!((value("540102"), value("540100"), value("540000")), (Some(75.0), Some(75.0), Some(75.0)));
    assert_eq!((value("540202"), value("540200")), (None, None));
}

#[test]
fn a_register_that_nobody_keeps_yet_leaves_the_word_to_the_returns_and_says_so() {
    let rows = [filed("540000", "2025-06", "elder-meal-points").with("value", 139.0)];
    let figures = figures(&rows, "2025-08-05", "2025-12-31");
    assert_eq!(value(&figures, "elder-meal-points", "540000", "2025-06"), Some(139.0));
    assert_eq!(figures.taken_from["elder-meal-points"], (SourceKind::Returns, "community.returns".to_owned()));
    assert_eq!(figures.taken_from["disabled-homes"].0, SourceKind::Register);

    let with_register = [rows[0].clone(), place("m1", "540102", "ELDER_MEAL_POINT")];
    let figures = super::figures(&with_register, "2025-08-05", "2025-12-31");
    assert_eq!(value(&figures, "elder-meal-points", "540000", "2025-06"), Some(0.0), "open, but it never served");
    assert_eq!(figures.taken_from["elder-meal-points"].0, SourceKind::Register);
}

fn milestone(commitment: &str, subject: &str, state: &str, on: &str) -> Row {
    let dataset =
        if commitment == "regional-medical-centres" { "health.milestones" } else { "social_security.milestones" };
    row(dataset, &format!("milestones/{commitment}-{subject}"), "540000", on)
        .with("commitment", commitment)
        .with("subject", subject)
        .with("milestone_state", state)
        .with("happened_on", on)
}

#[test]
fn a_milestone_is_one_from_the_day_on_which_it_is_done() {
    let rows = [
        milestone("medical-long-term-opinion", "opinion", "UNDER_WAY", "2025-03-01"),
        milestone("medical-long-term-opinion", "opinion", "DONE", "2025-06-23").change("CHANGED"),
        milestone("medical-long-term-opinion", "annex", "DONE", "2025-07-23"),
    ];
    let figures = figures(&rows, "2025-08-05", "2025-12-31");
    let value = |month| value(&figures, "medical-long-term-opinion", "540000", month);
    assert_eq!([value("2025-02"), value("2025-03"), value("2025-05")], [None, Some(0.0), Some(0.0)]);
    assert_eq!([value("2025-06"), value("2025-08")], [Some(1.0), Some(1.0)]);
    assert!(figures.rows.iter().all(|row| row.area == "540000"), "a regional document exists in no county");
}

#[test]
fn a_commitment_of_two_centres_counts_those_that_are_done() {
    let rows = [
        milestone("regional-medical-centres", "west-china", "DONE", "2025-02-01"),
        milestone("regional-medical-centres", "west-china-second", "UNDER_WAY", "2025-02-01"),
    ];
    let figures = figures(&rows, "2025-03-31", "2025-12-31");
    assert_eq!(value(&figures, "regional-medical-centres", "540000", "2025-03"), Some(1.0));
}
