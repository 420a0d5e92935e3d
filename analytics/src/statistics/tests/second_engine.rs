//! The same measures in plain loops over random rows, and the same rows in other files.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::lake::Lake;
use crate::testing::append;

/// A generator whose numbers are the same on every machine (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }

    fn day(&mut self) -> NaiveDate {
        day("2024-01-01") + Days::new(self.below(600))
    }
}

const COUNTIES: [&str; 5] = ["540102", "540103", "540202", "540302", "542521"];
const CHANGES: [&str; 8] = ["CHANGED", "CHANGED", "CHANGED", "CHANGED", "CHANGED", "CHANGED", "ENDED", "WITHDRAWN"];

/// Random institutions and certificates, changed, corrected, ended and withdrawn at random.
fn random_rows(seed: u64) -> Vec<Row> {
    let mut random = Random(seed);
    let mut rows = Vec::new();
    let mut changes: Vec<(NaiveDate, Row)> = Vec::new();
    for id in 0..60 {
        let area = random.of(&COUNTIES);
        for change in 0..=random.below(4) {
            let from = random.day();
            let class = random.of(&["GENERAL_HOSPITAL", "TIBETAN_MEDICINE_HOSPITAL", "CLINIC"]);
            let mut institution = row("health.institutions", &format!("institutions/i{id}"), area, &from.to_string())
                .with("institution_class", class)
                .with("operating_from", Value::Day(random.day()))
                .with("age_friendly_from", Value::Day(random.day()));
            if random.below(2) == 0 {
                institution = institution.with("age_friendly_to", Value::Day(random.day()));
            }
            institution.recorded_on = random.day();
            institution.change = if change == 0 { "CREATED" } else { random.of(&CHANGES) };
            changes.push((institution.recorded_on, institution));
        }
    }
    for id in 0..200 {
        let area = random.of(&COUNTIES);
        let from = random.day();
        let item = random.of(&["K", "NA", "CL", "CA", "P"]);
        let mut certificate = row("health.quality_certificates", &format!("c/{id}"), area, &from.to_string())
            .with("institution", random.of(&["i0", "i1", "i2", "i3", "i4", "i5"]))
            .with("item_code", item)
            .with("passed", random.below(5) > 0)
            .with("valid_from", Value::Day(from));
        if random.below(2) == 0 {
            certificate = certificate.with("valid_to", Value::Day(from + Days::new(90)));
        }
        certificate.recorded_on = random.day();
        changes.push((certificate.recorded_on, certificate));
    }
    for item in ["K", "NA", "CL", "CA"] {
        // The last is an addition of one prefecture.
        let list = if item == "CA" { "540100" } else { "540000" };
        let listed = row("health.recognition_items", &format!("r/{item}"), list, "2024-01-01");
        rows.push(listed.with("item_code", item).with("active_from", "2024-02-01"));
    }
    // A record's positions follow the moments of recording, as in a journal.
    changes.sort_by_key(|(recorded_on, _)| *recorded_on);
    rows.extend(changes.into_iter().map(|(_, row)| row));
    rows
}

/// The rows of a dataset that are the truth on a day, without those that ended, by the definition.
fn truth_by_definition<'a>(rows: &'a [Row], dataset: &str, on: NaiveDate, as_of: NaiveDate) -> Vec<&'a Row> {
    let mut by_record: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.dataset == dataset && row.recorded_on <= as_of) {
        by_record.entry(&row.record).or_default().push(row);
    }
    let mut found = Vec::new();
    for mut entries in by_record.into_values() {
        let withdrawn = entries.iter().rposition(|row| row.change == "WITHDRAWN").map_or(0, |index| index + 1);
        let entries = entries.split_off(withdrawn);
        // `max_by_key` gives the last of equals, and the list is in the order of positions.
        let truth = entries.into_iter().filter(|row| row.valid_on <= on).max_by_key(|row| row.valid_on);
        found.extend(truth.filter(|row| row.change != "ENDED"));
    }
    found
}

fn date(row: &Row, column: &str) -> Option<NaiveDate> {
    match row.values.get(column) {
        Some(Value::Day(day)) => Some(*day),
        _ => None,
    }
}

fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    match &row.values[column] {
        Value::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

fn age_friendly(rows: &[Row], area: &str, on: NaiveDate, as_of: NaiveDate) -> (f64, f64) {
    let (mut certified, mut open) = (0.0, 0.0);
    for row in truth_by_definition(rows, "health.institutions", on, as_of) {
        let counts = crate::catalogue::contains(area, &row.area)
            && text(row, "institution_class") != "CLINIC"
            && date(row, "operating_from").unwrap() <= on;
        if counts {
            open += 1.0;
            let valid =
                date(row, "age_friendly_from").unwrap() <= on && date(row, "age_friendly_to").is_none_or(|to| to >= on);
            certified += f64::from(u8::from(valid));
        }
    }
    (certified, open)
}

fn recognisable(rows: &[Row], area: &str, on: NaiveDate, as_of: NaiveDate) -> usize {
    let listed: BTreeSet<(&str, &str)> = truth_by_definition(rows, "health.recognition_items", on, as_of)
        .into_iter()
        .filter(|row| date(row, "active_from").unwrap() <= on)
        .map(|row| (text(row, "item_code"), row.area.as_str()))
        .collect();
    let open: BTreeSet<&str> = truth_by_definition(rows, "health.institutions", on, as_of)
        .into_iter()
        .filter(|row| date(row, "operating_from").unwrap() <= on)
        .filter_map(|row| row.record.strip_prefix("institutions/"))
        .collect();
    let mut holders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in truth_by_definition(rows, "health.quality_certificates", on, as_of) {
        let valid = row.values["passed"] == Value::Boolean(true)
            && date(row, "valid_from").unwrap() <= on
            && date(row, "valid_to").is_none_or(|to| to >= on)
            && open.contains(text(row, "institution"));
        let item = text(row, "item_code");
        let on_list = listed.iter().any(|(code, list)| *code == item && crate::catalogue::contains(list, &row.area));
        if valid && crate::catalogue::contains(area, &row.area) && on_list {
            holders.entry(text(row, "item_code")).or_default().insert(text(row, "institution"));
        }
    }
    holders.values().filter(|institutions| institutions.len() >= 2).count()
}

fn listed(rows: &[Row], area: &str, on: NaiveDate, as_of: NaiveDate) -> usize {
    let applies = |list: &str| crate::catalogue::contains(list, area) || crate::catalogue::contains(area, list);
    let listed: BTreeSet<&str> = truth_by_definition(rows, "health.recognition_items", on, as_of)
        .into_iter()
        .filter(|row| date(row, "active_from").unwrap() <= on && applies(&row.area))
        .map(|row| text(row, "item_code"))
        .collect();
    listed.len()
}

#[test]
fn plain_loops_over_random_rows_give_the_same_figures() {
    for seed in 1..=6 {
        let rows = random_rows(seed);
        let (on, as_of) = (day("2025-08-20"), "2025-06-15");
        let found = figures(&rows, &on.to_string(), as_of);
        let mut compared = 0;
        for moment in moments(on) {
            let month = moment.month.format("%Y-%m").to_string();
            // The last month that is known speaks for the last day that is.
            let moment = Moment { day: moment.day.min(day(as_of) + Days::new(1)), ..moment };
            for area in ["540000", "540100", "540200", "542500", "540102", "540302"] {
                if let Some((numerator, denominator, _)) =
                    cell(&found, "age-friendly-institutions", "primary", area, &month)
                {
                    let expected = age_friendly(&rows, area, moment.day, day(as_of));
                    assert_eq!(
                        (numerator, denominator),
                        (Some(expected.0), Some(expected.1)),
                        "seed {seed} {area} {month}"
                    );
                    compared += 1;
                }
                if let Some(items) = value(&found, "mutual-recognition-items", area, &month) {
                    let expected = recognisable(&rows, area, moment.day, day(as_of));
                    let expected = f64::from(u32::try_from(expected).unwrap());
                    assert_eq!(Some(items), Some(expected), "seed {seed} {area} {month}");
                    compared += 1;
                }
                if let Some((items, _, _)) = cell(&found, "mutual-recognition-items", "listed", area, &month) {
                    let expected = u32::try_from(listed(&rows, area, moment.day, day(as_of))).unwrap();
                    assert_eq!(items, Some(f64::from(expected)), "seed {seed} {area} {month}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 250, "seed {seed}: only {compared} cells");
    }
}

#[test]
fn the_same_rows_in_other_files_and_another_order_give_the_same_figures() {
    let rows = random_rows(7);
    let asked = question("2025-08-20", "2025-06-15");
    let catalogue = Catalogue::embedded().unwrap();
    let of_chunks = |chunk: usize| {
        let directory = tempfile::tempdir().unwrap();
        let mut lake = Lake::open(directory.path()).unwrap();
        append(&mut lake, &rows, chunk);
        compute(&catalogue, &lake, &asked).unwrap()
    };
    let whole = of_chunks(usize::MAX);
    assert!(whole.rows.len() > 500, "only {} rows", whole.rows.len());
    assert_eq!(of_chunks(7), whole);
    assert_eq!(of_chunks(50), whole);
}

#[test]
#[ignore = "a measurement: run by hand"]
fn two_hundred_thousand_rows_over_two_years_take_less_than_ten_seconds() {
    let mut random = Random(1);
    let mut rows = Vec::new();
    let wide = ["540102", "540103", "540202", "540302", "540402", "540502", "540602", "542521"];
    for id in 0..100_000 {
        let from = random.day();
        rows.push(
            row("social_security.enrolments", &format!("enrolments/{id}"), random.of(&wide), &from.to_string())
                .with("person", Value::Text(format!("p{}", random.below(60_000))))
                .with("scheme", random.of(&["EMPLOYEE_MEDICAL", "RESIDENT_MEDICAL", "RESIDENT_PENSION"]))
                .with("entry_kind", random.of(&["EMPLOYMENT", "RESIDENCE_PERMIT"]))
                .with("registered_elsewhere", random.below(4) == 0)
                .with("decision", "ADMITTED")
                .with("decided_on", Value::Day(from))
                .with("covered_from", Value::Day(from))
                .with("yearly_contribution_fen", i64::try_from(random.below(40_000)).unwrap()),
        );
    }
    for id in 0..60_000 {
        let from = random.day();
        rows.push(
            row("health.result_decisions", &format!("d/{id}"), random.of(&wide), &from.to_string())
                .with("item_code", Value::Text(format!("i{}", random.below(200))))
                .with("decided_on", Value::Day(from))
                .with("decision", random.of(&["RECOGNISED", "NOT_RECOGNISED"]))
                .with("recognisable", true)
                .with("price_fen", 3000_i64),
        );
    }
    for id in 0..40_000 {
        let kinds = ["ELDER_MEAL_POINT", "FITNESS_FACILITY", "NURSERY", "SPORTS_VENUE", "ELDER_CARE_HOME"];
        let unit = Value::Text(format!("540102{id:06}"));
        let mut point = place(&id.to_string(), random.of(&wide), random.of(&kinds)).with("unit_code", unit);
        point = point.with("level", "VILLAGE").with("capacity", 10_i64).with("operator", "EMPLOYER");
        rows.push(point.with("free_or_low_charge", true).with("household_utility_prices", true));
    }
    let (_directory, lake) = lake_of(&rows);
    let catalogue = Catalogue::embedded().unwrap();
    let begun = std::time::Instant::now();
    let found = compute(&catalogue, &lake, &question("2025-12-31", "2026-12-31")).unwrap();
    let taken = begun.elapsed();
    assert!(found.rows.len() > 10_000);
    assert!(taken.as_secs() < 10, "{taken:?}");
    eprintln!("{taken:?}");
}
