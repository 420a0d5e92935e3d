//! Figures that departments judge by: as shipped, and as their services told them.

use super::*;

const KEY: &str = "recognition.minimum_institutions";

/// A parameter as a department's feed gives it.
fn filed(service: &str, key: &'static str, area: &str, from: &'static str, value: i64) -> Row {
    row(&format!("{service}.parameters"), &format!("{key}/{area}"), area, from)
        .with("key", key)
        .with("unit", "count")
        .with("value", value)
        .with("effective_from", from)
}

fn item_that_two_hold_in_each_of_two_prefectures() -> Vec<Row> {
    let mut rows = vec![
        row("health.recognition_items", "r/K", "540000", "2025-01-01")
            .with("item_code", "K")
            .with("active_from", "2025-01-01"),
    ];
    for (holder, county) in [("h1", "540102"), ("h2", "540102"), ("h3", "540202"), ("h4", "540202")] {
        rows.extend([institution(holder, county, "GENERAL_HOSPITAL"), certificate(holder, county, "K")]);
    }
    rows
}

#[test]
fn an_area_counts_by_the_parameter_that_its_department_filed_for_it_from_its_first_day_as_it_was_known() {
    let mut rows = item_that_two_hold_in_each_of_two_prefectures();
    let three = filed("health", KEY, "540100", "2025-03-01", 3).recorded("2025-02-01");
    rows.extend([
        three.clone(),
        // What another department filed, and of another thing, is nothing to it.
        filed("community", KEY, "540000", "2025-01-01", 9).recorded("2025-02-01"),
        filed("health", "meal_point.operating_minimum_meals", "540000", "2025-01-01", 9).recorded("2025-02-01"),
        three.retracted("2025-08-01"),
        filed("health", KEY, "540100", "2025-03-01", 2).assertion(2, "2025-03-01").recorded("2025-08-01"),
    ]);
    let of = |as_of: &str, area: &str| {
        let figures = figures(&rows, "2025-04-30", as_of);
        ["2025-02", "2025-03"].map(|month| value(&figures, "mutual-recognition-items", area, month))
    };
    let (counted, not) = (Some(1.0), Some(0.0));
    assert_eq!(of("2025-07-31", "540100"), [counted, not], "two of the three that it wants from March on");
    assert_eq!(of("2025-07-31", "540102"), [counted, not], "a county without a figure of its own has its prefecture's");
    assert_eq!(of("2025-07-31", "540200"), [counted, counted], "the next prefecture has the region's");
    assert_eq!(of("2025-07-31", "540000"), [counted, counted], "the region is counted by its own");
    assert_eq!(of("2025-08-31", "540100"), [counted, counted], "as corrected since");
    // `recorded` says the first of February; the day before, nobody knew.
    let early = figures(&rows, "2025-04-30", "2025-01-31");
    assert_eq!(value(&early, "mutual-recognition-items", "540100", "2025-01"), counted);
}

#[test]
fn a_value_that_a_service_ships_with_is_told_and_one_that_is_filed_replaces_it_from_its_first_day() {
    let shipped = filed("health", KEY, "540000", "2021-01-01", 2).recorded("2025-01-05");
    let replaced = shipped.changed_to(filed("health", KEY, "540000", "2025-02-01", 5).recorded("2025-06-01"));
    // What the service ships with for later goes before what was filed.
    let later = replaced[2].changed_to(filed("health", KEY, "540000", "2025-03-01", 4).recorded("2025-07-01"));
    let mut rows = item_that_two_hold_in_each_of_two_prefectures();
    rows.push(shipped);
    rows.extend(replaced.into_iter().chain(later));
    let of = |as_of: &str| {
        let figures = figures(&rows, "2025-03-31", as_of);
        ["2025-01", "2025-02", "2025-03"].map(|month| value(&figures, "mutual-recognition-items", "540000", month))
    };
    let (counted, not) = (Some(1.0), Some(0.0));
    assert_eq!(of("2025-05-31"), [counted; 3]);
    assert_eq!(of("2025-06-30"), [counted, not, not], "four hold it, and it wants five from February on");
    assert_eq!(of("2025-07-31"), [counted, not, counted], "and four from March on");
}

#[test]
fn a_value_that_was_told_until_a_day_leaves_the_days_behind_it_to_the_shipped_one() {
    let mut rows = item_that_two_hold_in_each_of_two_prefectures();
    rows.push(filed("health", KEY, "540000", "2025-02-01", 9).until("2025-03-01"));
    let figures = figures(&rows, "2025-03-31", "2025-12-31");
    let items = |month| value(&figures, "mutual-recognition-items", "540000", month);
    assert_eq!(["2025-01", "2025-02", "2025-03"].map(items), [Some(1.0), Some(0.0), Some(1.0)]);
}

#[test]
fn a_county_whose_own_figure_is_higher_than_the_region_s_is_not_counted_by_the_region_s() {
    let mut rows = item_that_two_hold_in_each_of_two_prefectures();
    rows.extend([
        filed("health", KEY, "540000", "2025-01-01", 4),
        filed("health", KEY, "540202", "2025-01-01", 5),
        filed("health", KEY, "540200", "2025-01-01", 1),
    ]);
    let figures = figures(&rows, "2025-04-30", "2025-12-31");
    let items = |area| value(&figures, "mutual-recognition-items", area, "2025-03");
    assert_eq!([items("540000"), items("540200"), items("540202")], [Some(1.0), Some(1.0), Some(0.0)]);
    assert_eq!([items("540100"), items("540102")], [Some(0.0), Some(0.0)], "two, and the region wants four");
}

#[test]
fn a_condition_on_rows_reads_the_figure_of_each_row_s_own_area() {
    let catalogue = counted_points(
        r#"{ name = "least", key = "meal_point.operating_minimum_meals" }"#,
        "where = \"capacity >= least\"\nnumerator = \"COUNT(*)\"",
    );
    let rows = [
        place("m1", "540102", "ELDER_MEAL_POINT").with("capacity", 40_i64),
        place("m2", "540103", "ELDER_MEAL_POINT").with("capacity", 40_i64),
        filed("community", "meal_point.operating_minimum_meals", "540102", "2025-02-01", 50),
    ];
    let (_directory, lake) = lake_of(&rows);
    let figures = compute(&catalogue, &lake, &cutoff("2025-03-31", "2025-12-31")).unwrap();
    let of = |area| ["2025-01", "2025-02"].map(|month| value(&figures, "c", area, month));
    assert_eq!(of("540102"), [1.0, 0.0].map(Some));
    assert_eq!(of("540103"), [1.0, 1.0].map(Some));
    assert_eq!(of("540000"), [2.0, 1.0].map(Some));
}

#[test]
fn a_parameter_that_does_not_fit_the_catalogue_s_is_named_and_stops_its_own_commitments_alone() {
    let rows = [
        filed("health", KEY, "540000", "2025-01-01", 3).with("unit", "bushels"),
        institution("a", "540102", "GENERAL_HOSPITAL"),
    ];
    let found = figures(&rows, "2025-03-31", "2025-12-31");
    assert_eq!(found.stopped.values().collect::<Vec<_>>(), [KEY]);
    let stopped = found.stopped.keys().next().unwrap();
    assert!(!found.rows.iter().any(|row| row.commitment == *stopped), "no figure is guessed");
    assert!(!found.completeness.iter().any(|row| row.commitment == *stopped));
    assert_eq!(value(&found, "age-friendly-institutions", "540102", "2025-03"), Some(0.0), "others are counted");
}

const CLINICS: &str = "age_friendly.clinics_are_eligible";
const MEALS: &str = "meal_point.operating_minimum_meals";

#[test]
fn clinics_are_among_the_age_friendly_institutions_where_and_since_the_department_says_so() {
    let certified = |row: Row| row.with("age_friendly_from", "2025-01-10").with("age_friendly_to", "2028-01-09");
    let institutions = [
        institution("a", "540102", "GENERAL_HOSPITAL"),
        institution("b", "540102", "TOWNSHIP_HEALTH_CENTRE"),
        certified(institution("c", "540102", "CLINIC")),
        certified(institution("d", "540102", "VILLAGE_CLINIC")),
        institution("e", "540102", "MATERNAL_CHILD"),
        certified(institution("f", "540202", "OUTPATIENT_DEPARTMENT")),
    ];
    let flag = |value| filed("health", CLINICS, "540100", "2025-03-01", value).with("unit", "flag");
    let of = |rows: &[Row], measure: &str, area: &str| {
        let figures = figures(rows, "2025-04-30", "2025-12-31");
        ["2025-02", "2025-03"].map(|month| {
            let (numerator, denominator, _) =
                cell(&figures, "age-friendly-institutions", measure, area, month).unwrap();
            (numerator.unwrap(), denominator.unwrap_or_default())
        })
    };
    for (rows, march) in [
        (institutions.to_vec(), (0.0, 2.0)),
        ([&institutions[..], &[flag(0)]].concat(), (0.0, 2.0)),
        ([&institutions[..], &[flag(1)]].concat(), (2.0, 4.0)),
    ] {
        assert_eq!(of(&rows, "primary", "540100"), [(0.0, 2.0), march]);
        assert_eq!(of(&rows, "primary", "540000")[1], march, "the next prefecture has filed nothing: no clinic counts");
        assert_eq!(of(&rows, "primary-institutions", "540102")[1], (march.0, march.1 - 1.0), "all but the hospital");
        assert_eq!(of(&rows, "eligible", "540102"), [(2.0, 0.0), (march.1, 0.0)]);
        assert_eq!(of(&rows, "general-hospitals", "540102"), [(0.0, 1.0); 2]);
    }
}

#[test]
fn a_meal_point_that_served_fewer_meals_than_the_department_says_is_not_in_operation() {
    let activity = |point: &str, area: &str, meals: i64| {
        row("community.point_activities", &format!("point_activities/{point}"), area, "2025-02-28")
            .with("service_point", point)
            .with("kind", "ELDER_MEAL_POINT")
            .with("month_from", "2025-02-01")
            .with("last_served_on", "2025-02-20")
            .with("services", meals)
    };
    let points = [("m1", "540102", 1_i64), ("m2", "540102", 200), ("m3", "540202", 1)];
    let rows: Vec<Row> = points
        .iter()
        .flat_map(|(id, area, meals)| {
            [place(id, area, "ELDER_MEAL_POINT").with("capacity", 40_i64), activity(id, area, *meals)]
        })
        .collect();
    let of = |rows: &[Row], measure: &str| {
        let figures = figures(rows, "2025-03-10", "2025-12-31");
        ["540000", "540102", "540202"]
            .map(|area| cell(&figures, "elder-meal-points", measure, area, "2025-02").and_then(|(_, _, value)| value))
    };
    let least = |value| [&rows[..], &[filed("community", MEALS, "540102", "2025-01-01", value)]].concat();
    for rows in [rows.clone(), least(1)] {
        assert_eq!(of(&rows, "primary"), [3.0, 2.0, 1.0].map(Some), "one meal is enough unless more is filed");
        assert_eq!(of(&rows, "not-operating"), [0.0; 3].map(Some));
    }
    assert_eq!(of(&least(100), "primary"), [2.0, 1.0, 1.0].map(Some), "and elsewhere it still is");
    assert_eq!(of(&least(100), "seats"), [80.0, 40.0, 40.0].map(Some));
    assert_eq!(of(&least(100), "not-operating"), [1.0, 1.0, 0.0].map(Some));
}
