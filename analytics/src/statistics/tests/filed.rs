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

/// The codes of the counties of a prefecture, or of all.
fn counties(within: &str) -> Vec<String> {
    Areas::of_the_region().within(within, Level::County).map(|county| county.code.clone()).collect()
}

/// What the prefectures but one file for themselves.
fn prefectures_but(one: &str, month: &str, numerator: f64, denominator: f64) -> Vec<Row> {
    let areas = Areas::of_the_region();
    let others = areas.within("540000", Level::Prefecture).filter(|area| area.code != one);
    others.map(|area| share(&area.code, month, numerator, denominator)).collect()
}

fn reported(figures: &Statistics, commitment: &str, area: &str) -> CompletenessRow {
    figures.completeness.iter().find(|row| row.commitment == commitment && row.area == area).unwrap().clone()
}

#[test]
fn an_area_s_own_filing_counts_before_the_sum_of_the_areas_below() {
    let mut rows: Vec<Row> = counties("540100").iter().map(|county| share(county, "2025-01", 1.0, 4.0)).collect();
    rows.extend(prefectures_but("540100", "2025-01", 5.0, 12.0));
    rows.extend([
        share("540202", "2025-01", 1.0, 1.0),
        share("540000", "2025-02", 9.0, 10.0),
        share("540102", "2025-02", 1.0, 4.0),
    ]);
    let figures = figures(&rows, "2025-02-28", "2025-12-31");
    let cell = |area, month| cell(&figures, "purchased-services", "primary", area, month);
    assert_eq!(cell("540100", "2025-01"), Some((Some(8.0), Some(32.0), Some(25.0))));
    assert_eq!(cell("540200", "2025-01"), Some((Some(5.0), Some(12.0), Some(500.0 / 12.0))));
    assert_eq!(cell("540202", "2025-01"), Some((Some(1.0), Some(1.0), Some(100.0))));
    assert_eq!(cell("540000", "2025-01"), Some((Some(38.0), Some(104.0), Some(3800.0 / 104.0))));
    assert_eq!(cell("540000", "2025-02"), Some((Some(9.0), Some(10.0), Some(90.0))));
    assert_eq!(cell("540302", "2025-01"), None, "nobody filed for it");
    let lhasa = reported(&figures, "purchased-services", "540100");
    assert_eq!(
        (lhasa.completeness.areas_reported, lhasa.partial.is_some()),
        (8, true),
        "one county alone has filed February"
    );
    assert!(reported(&figures, "purchased-services", "540000").partial.is_none());
}

#[test]
fn one_county_of_seventy_four_is_not_the_region_and_nine_in_ten_are() {
    let all = counties("540000");
    assert_eq!(all.len(), 74);
    let of = |filing: usize| {
        let rows: Vec<Row> = all[..filing].iter().map(|county| share(county, "2025-01", 4.0, 4.0)).collect();
        let figures = figures(&rows, "2025-02-10", "2025-12-31");
        let region = reported(&figures, "purchased-services", "540000");
        (
            value(&figures, "purchased-services", "540000", "2025-01"),
            region.completeness.areas_reported,
            region.partial.is_some(),
        )
    };
    assert_eq!(of(1), (None, 1, true));
    assert_eq!(of(66), (None, 66, true));
    assert_eq!(of(67), (Some(100.0), 67, false));
    assert_eq!(of(74), (Some(100.0), 74, false));
}

#[test]
fn what_was_filed_for_months_before_the_series_of_registers_is_part_of_the_history() {
    let home = place("d1", "540102", "DISABLED_HOME").assertion(1, "2022-01-10");
    let mut rows: Vec<Row> = counties("540100").iter().map(|county| share(county, "2021-12", 1.0, 4.0)).collect();
    rows.extend([
        filed("540000", "2022-12", "purchased-services").with("value", 90.0),
        share("540102", "2022-12", 1.0, 4.0),
        home.with("opened_on", "2022-01-10"),
    ]);
    let figures = figures(&rows, "2025-02-28", "2025-12-31");
    let filed = |area, month| value(&figures, "purchased-services", area, month);
    assert_eq!([filed("540000", "2022-12"), filed("540102", "2022-12")], [Some(90.0), Some(25.0)]);
    assert_eq!([filed("540100", "2021-12"), filed("540000", "2021-12")], [Some(25.0), None], "added up as ever");
    let completeness = reported(&figures, "purchased-services", "540000").completeness;
    assert_eq!((completeness.areas_reported, completeness.oldest), (74, Some(day("2022-12-31"))));
    let homes = figures.rows.iter().filter(|row| row.commitment == "disabled-homes").map(|row| row.month);
    assert_eq!(homes.min(), Some(day("2024-01-01")), "what is counted begins where it began");
    assert_eq!(
        value(&super::figures(&rows, "2022-11-30", "2025-12-31"), "purchased-services", "540000", "2022-12"),
        None
    );
}

#[test]
fn medians_of_counties_are_not_added_up() {
    let median = |area: &str| filed(area, "2025-01", "disability-certificates").with("measure", "median-days");
    let mut rows: Vec<Row> = counties("540000").iter().map(|county| median(county).with("numerator", 9.0)).collect();
    rows.push(median("540200").with("numerator", 11.0));
    let figures = figures(&rows, "2025-02-10", "2025-12-31");
    let days = |area| cell(&figures, "disability-certificates", "median-days", area, "2025-01").and_then(|cell| cell.2);
    assert_eq!([days("540102"), days("540100"), days("540200"), days("540000")], [Some(9.0), None, Some(11.0), None]);
}

#[test]
fn what_is_filed_below_the_lowest_level_shown_still_counts_above() {
    let calls = |area: &str| filed(area, "2025-01", "data-sharing").with("numerator", 5.0);
    let mut rows: Vec<Row> = counties("540100").iter().map(|county| calls(county)).collect();
    let areas = Areas::of_the_region();
    rows.extend(areas.within("540000", Level::Prefecture).skip(1).map(|area| calls(&area.code)));
    let figures = figures(&rows, "2025-01-31", "2025-12-31");
    assert_eq!(value(&figures, "data-sharing", "540000", "2025-01"), Some(5.0 * (8.0 + 6.0)));
    assert_eq!(value(&figures, "data-sharing", "540100", "2025-01"), None, "the figure is the region's");
}

#[test]
fn a_figure_without_its_parts_speaks_for_its_own_area_only() {
    // Of one county only the share is known: the other seventy-three are enough for the region.
    let county = "540102";
    let mut rows: Vec<Row> = counties("540100").iter().map(|code| share(code, "2025-01", 1.0, 2.0)).collect();
    rows.extend(prefectures_but("540100", "2025-01", 1.0, 2.0));
    let whole = rows.clone();
    rows[0] = filed(county, "2025-01", "purchased-services").with("value", 90.0);
    let (without, with) = (figures(&rows, "2025-01-31", "2025-12-31"), figures(&whole, "2025-01-31", "2025-12-31"));
    assert_eq!(value(&without, "purchased-services", county, "2025-01"), Some(90.0));
    let region = |figures: &Statistics| cell(figures, "purchased-services", "primary", "540000", "2025-01").unwrap();
    assert_eq!((region(&without).0, region(&with).0), (Some(13.0), Some(14.0)));
    assert_eq!(value(&without, "purchased-services", "540100", "2025-01"), None, "one of eight counties is not in it");
}

#[test]
fn a_withdrawn_return_and_one_for_a_month_that_has_not_ended_do_not_count() {
    let first = share("540000", "2025-01", 1.0, 4.0);
    let corrected = share("540000", "2025-01", 4.0, 4.0).assertion(2, "2025-01-31").recorded("2025-03-01");
    let rows = [
        first.clone(),
        first.retracted("2025-03-01"),
        corrected.with("return_state", "APPROVED"),
        share("540103", "2025-01", 1.0, 4.0).with("return_state", "WITHDRAWN"),
        share("540000", "2025-02", 1.0, 4.0),
    ];
    let now = figures(&rows, "2025-02-27", "2025-12-31");
    assert_eq!(
        cell(&now, "purchased-services", "primary", "540000", "2025-01"),
        Some((Some(4.0), Some(4.0), Some(100.0)))
    );
    assert_eq!(cell(&now, "purchased-services", "primary", "540103", "2025-01"), None);
    assert_eq!(cell(&now, "purchased-services", "primary", "540000", "2025-02"), None);
    let before_the_correction = figures(&rows, "2025-02-27", "2025-02-15");
    assert_eq!(value(&before_the_correction, "purchased-services", "540000", "2025-01"), Some(25.0));
}

#[test]
fn a_commitment_of_one_city_is_counted_there_and_nowhere_else() {
    let registration = |area: &str, numerator: f64| {
        filed(area, "2025-01", "three-day-registration").with("numerator", numerator).with("denominator", 4.0)
    };
    let mut rows: Vec<Row> = counties("540100").iter().map(|county| registration(county, 3.0)).collect();
    rows.push(registration("540202", 1.0));
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
    assert_eq!(value(&figures, "elder-meal-points", "540000", "2025-06"), None, "open, and it never reported");
    let open = cell(&figures, "elder-meal-points", "opened", "540000", "2025-06").and_then(|(_, _, value)| value);
    assert_eq!(open, Some(1.0));
    assert_eq!(figures.taken_from["elder-meal-points"].0, SourceKind::Register);
}

fn milestone(commitment: &str, subject: &str, state: &str, on: &str) -> Row {
    let dataset = match commitment {
        "medical-long-term-opinion" => "social_security.milestones",
        "education-expansion-plan" => "education.milestones",
        _ => "health.milestones",
    };
    row(dataset, &format!("milestones/{commitment}-{subject}"), "540000", on)
        .with("commitment", commitment)
        .with("subject", subject)
        .with("milestone_state", state)
        .with("filing_state", "APPROVED")
        .with("happened_on", on)
}

#[test]
fn a_milestone_is_one_from_the_day_on_which_it_is_done() {
    let opinion = |state, on| milestone("medical-long-term-opinion", "opinion-issued", state, on);
    let begun = opinion("UNDER_WAY", "2025-03-01");
    let mut rows = vec![begun.clone(), milestone("medical-long-term-opinion", "annex", "DONE", "2025-07-23")];
    rows.extend(begun.changed_to(opinion("DONE", "2025-06-23")));
    let figures = figures(&rows, "2025-08-05", "2025-12-31");
    let value = |month| value(&figures, "medical-long-term-opinion", "540000", month);
    assert_eq!([value("2025-02"), value("2025-03"), value("2025-05")], [None, Some(0.0), Some(0.0)]);
    assert_eq!([value("2025-06"), value("2025-08")], [Some(1.0), Some(1.0)]);
    assert!(figures.rows.iter().all(|row| row.area == "540000"), "a regional document exists in no county");
    assert_eq!(reported(&figures, "medical-long-term-opinion", "540000").reached_on, Some(day("2025-06-23")));
}

#[test]
fn a_commitment_of_two_centres_counts_those_that_are_done() {
    let rows = [
        milestone("regional-medical-centres", "west-china-hospital", "DONE", "2025-02-01"),
        milestone("regional-medical-centres", "west-china-second-hospital", "UNDER_WAY", "2025-02-01"),
        milestone("regional-medical-centres", "ceremony", "DONE", "2025-02-01"),
    ];
    let figures = figures(&rows, "2025-03-31", "2025-12-31");
    assert_eq!(value(&figures, "regional-medical-centres", "540000", "2025-03"), Some(1.0));
}

#[test]
fn a_milestone_with_a_deciding_subject_is_not_done_by_another() {
    let centre = |state, on| milestone("tibetan-medicine-centre", "national-centre", state, on);
    let begun = centre("UNDER_WAY", "2025-03-01");
    let mut rows = vec![milestone("tibetan-medicine-centre", "key-projects-plan", "DONE", "2025-02-01"), begun.clone()];
    rows.extend(begun.changed_to(centre("DONE", "2025-05-01")));
    let figures = figures(&rows, "2025-06-30", "2025-12-31");
    let value = |month| value(&figures, "tibetan-medicine-centre", "540000", month);
    assert_eq!([value("2025-02"), value("2025-03"), value("2025-05")], [None, Some(0.0), Some(1.0)]);
}

#[test]
fn a_plan_s_actions_are_counted_and_out_of_those_known() {
    let action = |subject: &str, state: &str| milestone("education-expansion-plan", subject, state, "2025-02-01");
    let rows = [action("1", "DONE"), action("2", "UNDER_WAY"), action("3", "DONE"), action("4", "UNDER_WAY")];
    let figures = figures(&rows, "2025-02-28", "2025-12-31");
    assert_eq!(value(&figures, "education-expansion-plan", "540000", "2025-02"), Some(2.0));
    let share = cell(&figures, "education-expansion-plan", "share-done", "540000", "2025-02");
    assert_eq!(share, Some((Some(2.0), Some(4.0), Some(50.0))));
}

#[test]
fn a_step_that_nobody_has_approved_is_shown_and_may_not_be_done() {
    let issued = milestone("medical-long-term-opinion", "opinion-issued", "DONE", "2025-06-23");
    let filed = issued.clone().with("filing_state", "SUBMITTED");
    let possible = |row: Row| {
        let found = figures(&[row], "2025-08-05", "2025-12-31");
        let row = found.rows.iter().find(|row| row.month == day("2025-07-01")).unwrap().clone();
        assert_eq!(row.value, Some(1.0));
        row.possible.map(|possible| *possible)
    };
    assert_eq!(possible(issued), None);
    assert_eq!(possible(filed), Some(Possible { low: Some(0.0), high: Some(1.0), unapproved: true }));
}

#[test]
fn counts_that_are_filed_as_values_add_up() {
    let renewed = |area: &str| filed(area, "2025-01", "neighbourhood-renewal").with("value", 20.0);
    let rows: Vec<Row> = counties("540000").iter().map(|county| renewed(county)).collect();
    let found = figures(&rows, "2025-01-31", "2025-12-31");
    let value = |area| value(&found, "neighbourhood-renewal", area, "2025-01");
    assert_eq!((value("540102"), value("540100"), value("540000")), (Some(20.0), Some(160.0), Some(1480.0)));
}

/// What the region's share of January may be.
fn possible(rows: &[Row], commitment: &str) -> Option<Possible> {
    let found = figures(rows, "2025-01-31", "2025-12-31");
    let row = found.rows.iter().find(|row| row.commitment == commitment && row.area == "540000").unwrap();
    row.possible.as_deref().copied()
}

#[test]
fn what_is_filed_counts_once_another_than_the_filer_has_approved_it() {
    let approved = |row: Row| row.with("return_state", "APPROVED");
    let all: Vec<Row> = counties("540000").iter().map(|county| share(county, "2025-01", 4.0, 4.0)).collect();
    assert_eq!(possible(&all, "purchased-services"), Some(Possible { low: None, high: None, unapproved: true }));
    let mut rows: Vec<Row> = all.into_iter().map(approved).collect();
    assert_eq!(possible(&rows, "purchased-services"), None);
    rows.pop();
    let silent = Possible { low: None, high: None, unapproved: false };
    assert_eq!(possible(&rows, "purchased-services"), Some(silent), "nothing bounds what one county has");
}

#[test]
fn a_silent_county_is_bounded_by_the_denominator_that_it_filed_last() {
    let children = |area: &str, month: &str, whole: f64| {
        filed(area, month, "children-in-difficulty")
            .with("numerator", 10.0)
            .with("denominator", whole)
            .with("return_state", "APPROVED")
    };
    let all = counties("540000");
    let mut rows: Vec<Row> = all[1..].iter().map(|county| children(county, "2025-01", 10.0)).collect();
    rows.push(children(&all[0], "2024-11", 30.0));
    let found = possible(&rows, "children-in-difficulty").unwrap();
    assert_eq!((found.low, found.high), (Some(730.0 * 100.0 / 760.0), Some(100.0)));
}

#[test]
fn counties_are_counted_by_the_division_table_whatever_is_filed() {
    let connected = |area: &str, whole: f64| {
        row("health.returns", &format!("returns/t-{area}"), area, "2025-01-31")
            .with("commitment", "telemedicine")
            .with("month_from", "2025-01-01")
            .with("return_state", "APPROVED")
            .with("numerator", 1.0)
            .with("denominator", whole)
    };
    let rows: Vec<Row> = counties("540000")[..67].iter().map(|county| connected(county, 60_000.0)).collect();
    let found = figures(&rows, "2025-01-31", "2025-12-31");
    assert_eq!(
        cell(&found, "telemedicine", "primary", "540000", "2025-01"),
        Some((Some(67.0), Some(74.0), Some(6700.0 / 74.0))),
        "67 of 74 are not all"
    );
    assert_eq!(cell(&found, "telemedicine", "primary", "540102", "2025-01"), Some((Some(1.0), Some(1.0), Some(100.0))));
    let region = possible(&rows, "telemedicine").unwrap();
    assert_eq!((region.low, region.high), (Some(6700.0 / 74.0), Some(100.0)));
}

#[test]
fn hospitals_are_counted_from_their_register_whatever_is_filed() {
    let hospital = |id: &str, area: &str| institution(id, area, "GENERAL_HOSPITAL").with("public", true);
    let mut rows: Vec<Row> = counties("540100").iter().map(|county| hospital(county, county)).collect();
    rows.extend([hospital("second", "540102"), institution("private", "540102", "GENERAL_HOSPITAL")]);
    rows.extend(counties("540100").iter().map(|county| {
        filed(county, "2025-01", "three-day-registration").with("numerator", 1.0).with("denominator", 1.0)
    }));
    let found = figures(&rows, "2025-01-31", "2025-12-31");
    let share = |area| cell(&found, "three-day-registration", "primary", area, "2025-01").unwrap();
    assert_eq!((share("540102").1, share("540100")), (Some(2.0), (Some(8.0), Some(9.0), Some(800.0 / 9.0))));
}
