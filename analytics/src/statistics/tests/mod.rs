//! Small lakes whose figures are computed by hand.

mod behind;
mod filed;
mod kept;
mod parameters;
mod reading;
mod second_engine;
mod shared_sql;

use super::*;
use crate::model::Possible;
use crate::testing::{Row, Value, day, lake_of, row};

/// The figures of the compiled-in catalogue over some rows.
fn figures(rows: &[Row], on: &str, as_of: &str) -> Statistics {
    let (_directory, lake) = lake_of(rows);
    compute(&Catalogue::embedded().unwrap(), &lake, &cutoff(on, as_of)).unwrap()
}

fn cutoff(on: &str, as_of: &str) -> BitemporalCutoff {
    BitemporalCutoff { on: day(on), as_of: day(as_of).and_hms_opt(23, 59, 59).unwrap().and_utc() }
}

/// Numerator, denominator and value of a cell.
type Figure = (Option<f64>, Option<f64>, Option<f64>);

fn cell(statistics: &Statistics, commitment: &str, measure: &str, area: &str, month: &str) -> Option<Figure> {
    let month = day(&format!("{month}-01"));
    let found: Vec<&StatisticRow> = statistics
        .rows
        .iter()
        .filter(|row| (row.commitment.as_str(), row.measure.as_str()) == (commitment, measure))
        .filter(|row| row.area == area && row.month == month)
        .collect();
    assert!(found.len() <= 1, "{found:?}");
    found.first().map(|row| (row.numerator, row.denominator, row.value))
}

fn value(statistics: &Statistics, commitment: &str, area: &str, month: &str) -> Option<f64> {
    cell(statistics, commitment, "primary", area, month).and_then(|(_, _, value)| value)
}

fn institution(id: &str, area: &str, class: &str) -> Row {
    row("health.institutions", &format!("institutions/{id}"), area, "2024-01-01")
        .with("institution_class", class)
        .with("operating_from", "2020-01-01")
}

#[test]
fn a_share_counts_the_certificates_that_are_valid_on_the_day() {
    let certified = |row: Row| row.with("age_friendly_from", "2025-02-10").with("age_friendly_to", "2025-04-20");
    let rows = [
        certified(institution("a", "540102", "GENERAL_HOSPITAL")),
        institution("b", "540102", "TOWNSHIP_HEALTH_CENTRE").with("operating_to", "2025-03-31"),
        institution("c", "540103", "TIBETAN_MEDICINE_HOSPITAL"),
        certified(institution("d", "540202", "COMMUNITY_HEALTH_CENTRE")),
        certified(institution("e", "540202", "CLINIC")),
    ];
    let figures = figures(&rows, "2025-05-15", "2025-12-31");
    let share = |area: &str, month: &str| cell(&figures, "age-friendly-institutions", "primary", area, month).unwrap();
    assert_eq!(share("540102", "2025-01"), (Some(0.0), Some(2.0), Some(0.0)));
    assert_eq!(share("540102", "2025-02"), (Some(1.0), Some(2.0), Some(50.0)));
    assert_eq!(share("540100", "2025-02"), (Some(1.0), Some(3.0), Some(100.0 / 3.0)));
    assert_eq!(share("540000", "2025-02"), (Some(2.0), Some(4.0), Some(50.0)));
    assert_eq!(
        share("540102", "2025-04"),
        (Some(0.0), Some(1.0), Some(0.0)),
        "the second has closed, the paper lapsed"
    );
    let silent = cell(&figures, "age-friendly-institutions", "primary", "540300", "2025-02");
    assert_eq!(silent, None, "nobody knows of an area that sent nothing");
    let general = cell(&figures, "age-friendly-institutions", "general-hospitals", "540103", "2025-02").unwrap();
    assert_eq!(general, (Some(0.0), Some(0.0), None), "a share of nothing has no value");
    assert_eq!(share("540000", "2024-01").1, Some(4.0), "series begin in January 2024");
    assert!(figures.rows.iter().all(|row| row.month >= day("2024-01-01") && row.month <= day("2025-05-01")));
}

fn place(id: &str, area: &str, kind: &str) -> Row {
    row("community.service_points", &format!("service_points/{id}"), area, "2025-01-10")
        .with("kind", kind)
        .with("opened_on", "2025-01-10")
}

#[test]
fn what_was_true_on_a_day_is_what_was_asserted_and_not_retracted_as_known_then() {
    let home = |number: i64, from: &str, capacity: i64| {
        let home = place("n1", "540102", "NURSERY").with("operator", "EMPLOYER").with("capacity", capacity);
        home.assertion(number, from).recorded("2025-07-01")
    };
    let first = home(1, "2025-01-10", 10).recorded("2025-01-10");
    // In July: thirty places from April on, and then that it was twenty from March until then.
    let [retracted, shortened, april] = first.changed_to(home(3, "2025-04-01", 30));
    let march = home(5, "2025-03-01", 20).until("2025-04-01");
    let withdrawn = place("n2", "540102", "NURSERY").with("operator", "EMPLOYER").with("capacity", 1000_i64);
    let rows = [
        first,
        withdrawn.clone(),
        retracted,
        shortened.clone(),
        april.clone(),
        shortened.retracted("2025-07-01"),
        home(4, "2025-01-10", 10).until("2025-03-01"),
        march,
        april.retracted("2025-08-01"),
        home(6, "2025-04-01", 31).recorded("2025-08-01"),
        withdrawn.retracted("2025-08-01"),
    ];
    let places = |as_of: &str, month: &str| {
        let figures = figures(&rows, "2025-12-31", as_of);
        cell(&figures, "employer-nurseries", "places", "540000", month).unwrap().2.unwrap()
    };
    for (month, then, now) in [("2025-01", 1010.0, 10.0), ("2025-03", 1020.0, 20.0), ("2025-04", 1030.0, 31.0)] {
        assert_eq!((places("2025-07-31", month), places("2025-08-31", month)), (then, now), "{month}");
    }
    assert_eq!(Some(places("2025-06-30", "2025-04")), Some(1010.0), "what was recorded later was not known then");
}

#[test]
fn a_record_that_ended_is_not_there_from_that_day_on() {
    let home = place("d1", "540102", "DISABLED_HOME");
    let ended = home.changed_to(home.clone().assertion(3, "2025-03-15").ended().recorded("2025-03-20"));
    let rows = [&[home, place("d2", "540103", "DISABLED_HOME")][..], &ended].concat();
    let figures = figures(&rows, "2025-04-30", "2025-12-31");
    assert_eq!(value(&figures, "disabled-homes", "540100", "2025-02"), Some(2.0));
    assert_eq!(value(&figures, "disabled-homes", "540100", "2025-03"), Some(1.0));
    assert_eq!(value(&figures, "disabled-homes", "540102", "2025-03"), Some(0.0));
    assert_eq!(
        value(&figures, "disabled-homes", "540102", "2024-12"),
        None,
        "before the first record there is nothing"
    );
}

#[test]
fn what_was_withdrawn_and_recorded_again_counts_as_it_was_recorded_again() {
    let home = |number, from: &str| place("d1", "540102", "DISABLED_HOME").assertion(number, from);
    let first = home(1, "2025-01-10");
    let changed = first.changed_to(home(3, "2025-03-10"));
    let withdrawn = changed[1..].iter().map(|state| state.retracted("2025-08-01"));
    let mut rows = vec![first];
    rows.extend(changed.iter().cloned().chain(withdrawn));
    rows.push(home(4, "2025-02-10").recorded("2025-09-01"));
    let known =
        |as_of: &str, month: &str| value(&figures(&rows, "2025-04-30", as_of), "disabled-homes", "540102", month);
    assert_eq!(known("2025-08-31", "2025-04"), Some(0.0), "withdrawn, and the register is kept");
    assert_eq!((known("2025-09-30", "2025-01"), known("2025-09-30", "2025-02")), (Some(0.0), Some(1.0)));
    assert_eq!(known("2025-09-30", "2025-04"), Some(1.0), "the withdrawal is for what was there before it");
}

fn certificate(institution: &str, area: &str, item: &str) -> Row {
    let id = format!("quality_certificates/{institution}-{item}");
    row("health.quality_certificates", &id, area, "2025-01-01")
        .with("institution", institution)
        .with("item_code", item)
        .with("scope", "REGION")
        .with("passed", true)
        .with("valid_from", "2025-01-01")
        .with("valid_to", "2025-06-30")
}

#[test]
fn an_item_is_recognisable_where_two_institutions_of_the_area_hold_a_certificate() {
    let listed_in = |area: &str, code: &str| {
        row("health.recognition_items", &format!("{area}-{code}"), area, "2025-01-01")
            .with("item_code", code)
            .with("active_from", "2025-01-01")
    };
    let item = |code: &str| listed_in("540000", code);
    let rows = [
        item("K"),
        item("NA").with("active_to", "2025-02-15"),
        item("CL"),
        item("CA"),
        item("MG"),
        item("ABO").with("window_days", 0_i64),
        // An addition of one prefecture, in which one of three holders lies; and one in which two do.
        listed_in("540200", "FER"),
        listed_in("540100", "LIP"),
        institution("h1", "540102", "GENERAL_HOSPITAL"),
        institution("h2", "540102", "GENERAL_HOSPITAL"),
        institution("h3", "540103", "GENERAL_HOSPITAL"),
        institution("h4", "540202", "GENERAL_HOSPITAL"),
        institution("h5", "540202", "GENERAL_HOSPITAL"),
        institution("closed", "540102", "GENERAL_HOSPITAL").with("operating_to", "2025-01-30"),
        // One of two has closed the day before; what is never reused is not recognisable.
        certificate("h1", "540102", "MG"),
        certificate("closed", "540102", "MG"),
        certificate("h1", "540102", "ABO"),
        certificate("h2", "540102", "ABO"),
        certificate("h1", "540102", "K"),
        certificate("h2", "540102", "K"),
        certificate("h2", "540102", "NA"),
        certificate("h3", "540103", "NA"),
        certificate("h3", "540103", "CL"),
        certificate("h4", "540202", "CL"),
        certificate("h4", "540202", "CA"),
        certificate("h5", "540202", "CA").with("passed", false),
        certificate("h1", "540102", "FER"),
        certificate("h2", "540102", "FER"),
        certificate("h4", "540202", "FER"),
        certificate("h1", "540102", "LIP"),
        certificate("h3", "540103", "LIP"),
        certificate("h4", "540202", "UNLISTED"),
        certificate("h5", "540202", "UNLISTED"),
    ];
    let figures = figures(&rows, "2025-07-31", "2025-12-31");
    let items = |area: &str, month: &str| value(&figures, "mutual-recognition-items", area, month);
    assert_eq!(items("540102", "2025-01"), Some(1.0), "K");
    assert_eq!(items("540100", "2025-01"), Some(3.0), "K, NA and its own LIP");
    assert_eq!(items("540200", "2025-01"), Some(0.0), "FER is on its list, and one institution of it holds it");
    assert_eq!(items("540000", "2025-01"), Some(4.0), "K, NA, LIP and, across prefectures, CL");
    assert_eq!(items("540000", "2025-02"), Some(3.0), "NA is off the list");
    assert_eq!(items("540000", "2025-07"), Some(0.0), "the certificates have lapsed");
    let listed = |area: &str, month: &str| {
        cell(&figures, "mutual-recognition-items", "listed", area, month).and_then(|(_, _, value)| value)
    };
    assert_eq!(listed("540000", "2025-01"), Some(8.0));
    assert_eq!([listed("540100", "2025-01"), listed("540200", "2025-01")], [Some(7.0); 2], "with its own addition");
    assert_eq!([listed("540102", "2025-01"), listed("540202", "2025-01")], [Some(7.0); 2], "with its prefecture's");
    assert_eq!([listed("540300", "2025-01"), listed("540302", "2025-02")], [Some(6.0), Some(5.0)], "the region's list");
    assert_eq!(listed("540300", "2024-12"), None, "before there was a list");
}

#[test]
fn a_meal_point_is_in_operation_when_it_served_within_the_window_and_not_judged_before_it_reports() {
    let activity = |point: &str, month: &str, last: &str| {
        row("community.point_activities", &format!("point_activities/{point}-{month}"), "540102", last)
            .with("service_point", point)
            .with("kind", "ELDER_MEAL_POINT")
            .with("month_from", month)
            .with("last_served_on", last)
            .with("services", 100_i64)
    };
    let meal_point = |id: &str| place(id, "540102", "ELDER_MEAL_POINT").with("capacity", 40_i64);
    let rows = [
        meal_point("m1"),
        meal_point("m2"),
        meal_point("m3").with("closed_on", "2025-02-28"),
        activity("m1", "2025-01-01", "2025-01-30"),
        activity("m1", "2025-02-01", "2025-02-27"),
        activity("m2", "2025-01-01", "2025-01-29"),
        activity("m3", "2025-02-01", "2025-02-27"),
    ];
    let half = figures(&rows, "2025-03-31", "2025-12-31");
    let meals = |figures: &Statistics, measure: &str, month: &str| {
        cell(figures, "elder-meal-points", measure, "540000", month).and_then(|(_, _, value)| value)
    };
    assert_eq!(meals(&half, "primary", "2025-01"), Some(2.0));
    assert_eq!(meals(&half, "seats", "2025-01"), Some(80.0));
    assert_eq!((meals(&half, "reported", "2025-02"), meals(&half, "not-reported", "2025-02")), (Some(50.0), Some(1.0)));
    assert_eq!(meals(&half, "primary", "2025-02"), None, "half of the points have not reported February");
    assert_eq!((meals(&half, "meals", "2025-02"), meals(&half, "meals", "2025-03")), (Some(200.0), None));
    assert_eq!(meals(&half, "opened", "2025-03"), Some(2.0));
    let region = half.completeness.iter().find(|row| row.commitment == "elder-meal-points" && row.area == "540000");
    assert!(region.unwrap().partial.is_some(), "what was reported later is too little");

    // The second point reports for February that it did not serve: 29 January is thirty days before the month's end.
    let closed = activity("m2", "2025-02-01", "2025-01-29").recorded("2025-03-05");
    let rows = [&rows[..], &[closed.assertion(1, "2025-02-28")]].concat();
    let whole = figures(&rows, "2025-03-10", "2025-12-31");
    assert_eq!(meals(&whole, "primary", "2025-02"), Some(1.0));
    assert_eq!(
        (meals(&whole, "not-operating", "2025-02"), meals(&whole, "not-reported", "2025-02")),
        (Some(1.0), Some(0.0))
    );
    assert_eq!(meals(&whole, "primary", "2025-03"), None, "the running month has no figure yet");
    assert_eq!(value(&whole, "elder-meal-points", "540103", "2025-02"), None, "nobody knows of the next county");
}

/// A catalogue of one commitment, `c`, that counts service points with parameters.
fn counted_points(parameters: &str, measure: &str) -> Catalogue {
    let text = format!(
        r#"
[[commitment]]
id = "c"
article = 8
service = "community"
leads = []
title_zh = "甲"
title_en = "A"
kind = "count"
basis = "trend"
direction = "rising"
unit = "points"
unit_zh = "个"
source = "register"
parameters = [{parameters}]
text_zh = "乙"
text_en = "B"

[[commitment.measures]]
name = "primary"
form = "figure"
dataset = "community.service_points"
{measure}
"#
    );
    Catalogue::parse(&[("year.toml", &text)]).unwrap()
}

#[test]
fn a_parameter_holds_from_its_own_first_day_and_for_no_month_before() {
    let parameters = r#"
    { name = "least", value = 10, from = "2025-03-01", confidence = "low", note = "a test" },
    { name = "least", value = 50, from = "2025-05-01", confidence = "low", note = "a test" },
"#;
    let catalogue = counted_points(parameters, r#"numerator = "COUNT(*) FILTER (WHERE capacity >= least)""#);
    let (_directory, lake) = lake_of(&[place("m1", "540102", "ELDER_MEAL_POINT").with("capacity", 40_i64)]);
    let figures = compute(&catalogue, &lake, &cutoff("2025-06-30", "2025-12-31")).unwrap();
    let counted =
        ["2025-01", "2025-02", "2025-03", "2025-04", "2025-05"].map(|month| value(&figures, "c", "540000", month));
    assert_eq!(counted, [0.0, 0.0, 1.0, 1.0, 0.0].map(Some));
}

#[test]
fn the_window_of_meal_points_is_the_one_that_the_service_judges_by() {
    let catalogue = Catalogue::embedded().unwrap();
    let ours = catalogue.entry("elder-meal-points").unwrap().parameters_on(day("2025-12-31"))["window_days"];
    let area = minsheng_values::divisions::AreaCode::parse("540000").unwrap();
    let theirs = minsheng_values::parameters::Parameters::get()
        .value_on("meal_point.operating_window_days", area, day("2025-12-31"))
        .unwrap();
    assert_eq!(ours, theirs.value);
}

#[test]
fn an_area_that_sent_nothing_is_not_known_and_one_that_sent_other_things_has_none() {
    let rows = [place("d1", "540102", "DISABLED_HOME"), place("s1", "540202", "SPORTS_VENUE")];
    let homes = figures(&rows, "2025-03-31", "2025-12-31");
    let value = |area| value(&homes, "disabled-homes", area, "2025-03");
    assert_eq!([value("540102"), value("540100"), value("540000")], [Some(1.0); 3]);
    assert_eq!((value("540202"), value("540200")), (Some(0.0), Some(0.0)), "it keeps a register without homes");
    assert_eq!((value("540302"), value("540300"), value("540103")), (None, None, None));

    let project = row("community.housing", "housing_projects/1", "540102", "2025-01-10")
        .with("plan_year", 2025_i64)
        .with("units_started", 30_i64)
        .with("units_acquired", 0_i64);
    let housing = figures(&[project], "2025-03-31", "2025-12-31");
    let homes = |area| super::tests::value(&housing, "affordable-housing-2025", area, "2025-03");
    assert_eq!((homes("540102"), homes("540202")), (Some(30.0), Some(0.0)), "a county without a project builds none");
}

#[test]
fn a_register_is_known_up_to_the_day_to_which_its_department_was_read() {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    crate::testing::append_until(&mut lake, &[place("d1", "540102", "DISABLED_HOME")], usize::MAX, "2025-03-10");
    let found = compute(&Catalogue::embedded().unwrap(), &lake, &cutoff("2025-06-30", "2025-06-30")).unwrap();
    assert_eq!(value(&found, "disabled-homes", "540000", "2025-03"), Some(1.0));
    assert_eq!(value(&found, "disabled-homes", "540000", "2025-04"), None);
    let region = found.completeness.iter().find(|row| row.commitment == "disabled-homes" && row.area == "540000");
    let region = region.unwrap();
    assert_eq!((region.known_on, region.last_record), (Some(day("2025-03-10")), Some(day("2025-01-10"))));
    assert_eq!(region.completeness.oldest, Some(day("2025-03-10")));
    let community = found.sources.iter().find(|source| source.service == "community").unwrap();
    assert!(community.incomplete);
    assert_eq!(community.recorded_until, Some(crate::testing::micros("2025-03-10")));
}

#[test]
fn a_standard_is_judged_in_each_school_s_latest_term_out_of_all_schools_in_service() {
    let paid = |school: &str, term: &str, students: i64, yuan: i64, meets: bool| {
        row("education.funding", &format!("funding/{school}-{term}"), "540102", term)
            .with("school", Value::Text(format!("schools/{school}")))
            .with("fund", "SENIOR_PUBLIC_FUNDS")
            .with("term_from", term)
            .with("students", students)
            .with("per_student_year_fen", yuan * 100)
            .with("meets_standard", meets)
            .with("shortfall_fen", 0_i64)
    };
    let rows = [
        school("s1", "SENIOR"),
        school("s2", "SENIOR"),
        school("s3", "SENIOR"),
        school("s4", "SENIOR").with("closed_on", "2024-12-31"),
        school("s5", "PRIMARY"),
        school("s6", "SENIOR").with("ownership", "PRIVATE"),
        paid("s1", "2024-03-01", 100, 1000, true),
        paid("s2", "2024-03-01", 300, 1000, true),
        paid("s4", "2024-03-01", 100, 1000, true),
        paid("s1", "2024-09-01", 100, 1100, true),
        paid("s2", "2025-03-01", 300, 1000, false),
    ];
    let figures = figures(&rows, "2025-04-30", "2025-12-31");
    let share = |month| cell(&figures, "senior-public-funds", "primary", "540100", month);
    assert_eq!(
        share("2024-09"),
        Some((Some(3.0), Some(4.0), Some(75.0))),
        "one has an autumn term, two still spring's"
    );
    assert_eq!(share("2025-01"), Some((Some(2.0), Some(3.0), Some(200.0 / 3.0))), "one of them has closed");
    assert_eq!(share("2025-03"), Some((Some(1.0), Some(3.0), Some(100.0 / 3.0))), "one has never reported");
    assert_eq!(share("2024-02"), None);
    let yuan = cell(&figures, "senior-public-funds", "per-student-year", "540000", "2025-04").unwrap();
    assert_eq!(yuan, (Some(410_000.0), Some(400.0), Some(1025.0)));
}

fn school(id: &str, stage: &str) -> Row {
    // The feed names a record by its id; funding names the school with its collection.
    row("education.schools", id, "540102", "2024-01-01")
        .with("stage", stage)
        .with("rural", false)
        .with("opened_on", "2000-09-01")
}

#[test]
fn one_school_that_reports_the_new_term_first_is_not_all_schools() {
    let mut rows: Vec<Row> = (0..10).map(|number| school(&format!("p{number}"), "PRIMARY")).collect();
    rows.push(
        row("education.funding", "funding_records/1", "540102", "2025-09-01")
            .with("school", "schools/p0")
            .with("fund", "THREE_GUARANTEES")
            .with("term_from", "2025-09-01")
            .with("students", 100_i64)
            .with("per_student_year_fen", 570_000_i64)
            .with("meets_standard", true),
    );
    let figures = figures(&rows, "2025-09-01", "2025-12-31");
    let share = cell(&figures, "three-guarantees", "primary", "540000", "2025-09");
    assert_eq!(share, Some((Some(1.0), Some(10.0), Some(10.0))));
}

#[test]
fn facilities_are_counted_against_the_division_table() {
    let facility = |id: &str, level: &str, code: &str| {
        place(id, "540102", "FITNESS_FACILITY").with("level", level).with("unit_code", Value::Text(code.to_owned()))
    };
    let rows = [
        facility("f1", "COUNTY", "540102"),
        facility("f2", "TOWNSHIP", "540102002"),
        facility("f3", "TOWNSHIP", "540102002"),
        facility("f4", "VILLAGE", "540102002001"),
        facility("f5", "VILLAGE", "540102999999"),
    ];
    let figures = figures(&rows, "2025-01-31", "2025-12-31");
    let least = |area| cell(&figures, "fitness-three-level", "primary", area, "2025-01").unwrap();
    assert_eq!(least("540000"), (Some(1.0), Some(5576.0), Some(100.0 / 5576.0)), "the villages");
    assert_eq!((least("540102").0, least("540102").1), (Some(1.0), Some(53.0)));
    let counties = cell(&figures, "fitness-three-level", "counties", "540100", "2025-01").unwrap();
    assert_eq!(counties, (Some(1.0), Some(8.0), Some(12.5)));
}

#[test]
fn a_county_counts_when_it_recognised_families_of_both_kinds() {
    let family = |id: &str, area: &str, category: &str| {
        row("social_security.assistance", &format!("assistance_households/{id}"), area, "2025-01-05")
            .with("category", category)
            .with("valid_from", "2025-01-05")
            .with("valid_to", "2025-02-20")
    };
    let rows = [
        family("1", "540102", "MARGIN"),
        family("2", "540102", "RIGID_EXPENDITURE"),
        family("3", "540103", "MARGIN"),
        family("4", "540202", "RIGID_EXPENDITURE"),
    ];
    let figures = figures(&rows, "2025-01-31", "2025-12-31");
    let share = |area| cell(&figures, "edge-family-recognition", "primary", area, "2025-01").unwrap();
    assert_eq!(share("540102"), (Some(1.0), Some(1.0), Some(100.0)));
    assert_eq!(share("540103"), (Some(0.0), Some(1.0), Some(0.0)));
    assert_eq!(share("540100"), (Some(1.0), Some(8.0), Some(12.5)));
    assert_eq!((share("540000").0, share("540000").1), (Some(1.0), Some(74.0)));
    let lapsed = super::tests::figures(&rows, "2025-02-28", "2025-12-31");
    let lapsed = cell(&lapsed, "edge-family-recognition", "primary", "540102", "2025-02");
    assert_eq!(lapsed, Some((Some(0.0), Some(1.0), Some(0.0))), "nobody is recognised on the day");
}

#[test]
fn a_person_with_two_enrolments_is_one_person_and_a_refusal_breaks_the_share() {
    let enrolment = |id: &str, area: &str, person: &str, decision: &str| {
        row("social_security.enrolments", &format!("enrolments/{id}"), area, "2025-08-15")
            .with("person", person)
            .with("scheme", "EMPLOYEE_MEDICAL")
            .with("entry_kind", "EMPLOYMENT")
            .with("registered_elsewhere", true)
            .with("applied_on", "2025-08-05")
            .with("decision", decision)
            .with("decided_on", "2025-08-15")
            .with("covered_from", "2025-08-15")
    };
    let refused = |id: &str| enrolment(id, "540103", id, "REFUSED").with("refusal_reason", "HOUSEHOLD_REGISTRATION");
    let rows = [
        enrolment("1", "540102", "p", "ADMITTED"),
        enrolment("2", "540103", "p", "ADMITTED"),
        refused("3"),
        enrolment("4", "540103", "r", "REFUSED").with("refusal_reason", "ALREADY_ENROLLED"),
        enrolment("5", "540103", "s", "PENDING"),
        // Before the notice, by a residence permit, and in a residents' scheme: not what was promised here.
        refused("6").with("applied_on", "2025-08-04"),
        refused("7").with("entry_kind", "RESIDENCE_PERMIT"),
        refused("8").with("scheme", "RESIDENT_PENSION"),
    ];
    let figures = figures(&rows, "2025-08-31", "2025-12-31");
    let people = |area| value(&figures, "residence-medical-enrolment", area, "2025-08");
    assert_eq!((people("540102"), people("540103"), people("540100")), (Some(1.0), Some(1.0), Some(1.0)));
    let merits = cell(&figures, "employment-place-enrolment", "primary", "540000", "2025-08").unwrap();
    assert_eq!(merits, (Some(3.0), Some(4.0), Some(75.0)));
    let pending = cell(&figures, "employment-place-enrolment", "pending", "540000", "2025-08").unwrap();
    assert_eq!(pending.2, Some(1.0));
}

#[test]
fn a_register_that_is_kept_says_0_and_no_return_stands_in_for_it() {
    let counties = Areas::of_the_region();
    let counties = counties.within("540000", Level::County).map(|county| county.code.clone());
    let mut rows: Vec<Row> = counties.map(|county| place(&format!("s{county}"), &county, "SPORTS_VENUE")).collect();
    rows.push(
        row("community.returns", "returns/oxygen", "540000", "2024-12-31")
            .with("commitment", "oxygen-pilots")
            .with("month_from", "2024-12-01")
            .with("value", 5.0)
            .with("return_state", "APPROVED"),
    );
    let found = figures(&rows, "2025-03-31", "2025-12-31");
    let sites = |area, month| value(&found, "oxygen-pilots", area, month);
    assert_eq!((sites("540000", "2025-03"), sites("540102", "2025-03")), (Some(0.0), Some(0.0)));
    assert_eq!(sites("540000", "2024-12"), None, "before the register was kept");
    assert_eq!(found.taken_from["oxygen-pilots"].0, SourceKind::Register);
    let kept = found.rows.iter().filter(|row| row.commitment == "oxygen-pilots" && row.possible.is_some());
    assert_eq!(kept.count(), 0, "every county has sent records");

    let project = row("community.housing", "housing_projects/1", "540102", "2025-01-10").with("plan_year", 2024_i64);
    let housing = figures(&[project], "2025-03-31", "2025-12-31");
    let homes = cell(&housing, "affordable-housing-2025", "primary", "540000", "2025-03");
    assert_eq!(homes.and_then(|cell| cell.0), Some(0.0), "of another year's plan only");
}

#[test]
fn counties_that_never_sent_a_record_leave_a_count_open_upwards() {
    let site = place("o1", "540102", "OXYGEN_SITE").with("site_code", "puma-yumco");
    let found = figures(&[site], "2025-03-31", "2025-12-31");
    let possible = |area: &str| {
        let row = found
            .rows
            .iter()
            .find(|row| row.commitment == "oxygen-pilots" && row.area == area && row.month == day("2025-03-01"));
        row.and_then(|row| row.possible.as_deref().copied())
    };
    assert_eq!(possible("540000"), Some(Possible { low: Some(1.0), high: None, unapproved: false }));
    assert_eq!(possible("540102"), None);
    // Of a share by divisions the silent are counted anyway.
    let family = row("social_security.assistance", "a/1", "540102", "2025-01-05");
    let family = family.with("category", "MARGIN").with("valid_from", "2025-01-05");
    let found = figures(&[family], "2025-01-31", "2025-12-31");
    let region = found.rows.iter().find(|row| row.commitment == "edge-family-recognition" && row.area == "540000");
    let region = region.and_then(|row| row.possible.as_deref().copied()).unwrap();
    assert_eq!((region.low, region.high), (Some(0.0), Some(7300.0 / 74.0)));
}

#[test]
fn the_sources_tell_how_far_the_records_go() {
    let rows = [
        place("d1", "540102", "DISABLED_HOME"),
        place("d2", "540202", "DISABLED_HOME").recorded("2025-03-05"),
        place("d3", "540202", "DISABLED_HOME").recorded("2025-06-05"),
    ];
    let figures = figures(&rows, "2025-04-30", "2025-04-30");
    let community = figures.sources.iter().find(|source| source.service == "community").unwrap();
    assert_eq!(community.position, 2);
    let end = cutoff("2025-04-30", "2025-04-30").as_of.timestamp_micros();
    assert_eq!(community.recorded_until, Some(end), "the feed was read beyond the instant of the report");
    assert!(!community.incomplete);
    assert_eq!(figures.sources.len(), 4);
    let region = figures.completeness.iter().find(|row| row.commitment == "disabled-homes" && row.area == "540000");
    let region = region.unwrap().completeness;
    assert_eq!((region.areas_reported, region.areas_expected, region.oldest), (2, 74, Some(day("2025-04-30"))));
}
