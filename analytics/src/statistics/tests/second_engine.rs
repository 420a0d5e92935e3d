//! The same measures by SQL and in plain loops over random rows, and the same rows in other files.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{DataType, LazyFrame, PlRefPath, ScanArgsParquet};
use polars::sql::SQLContext;

use super::*;
use crate::lake::Lake;
use crate::testing::{History, append};

/// A generator whose numbers are the same on every machine (splitmix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub(super) fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }

    pub(super) fn day(&mut self) -> NaiveDate {
        day("2024-01-01") + Days::new(self.below(600))
    }
}

const COUNTIES: [&str; 5] = ["540102", "540103", "540202", "540302", "542521"];

/// Random institutions and certificates, changed, corrected, ended and withdrawn at random.
fn random_rows(seed: u64) -> Vec<Row> {
    let mut random = Random(seed);
    let mut rows = Vec::new();
    let mut changes: Vec<Row> = Vec::new();
    for id in 0..60 {
        let area = random.of(&COUNTIES);
        let mut recorded: Vec<NaiveDate> = (0..=random.below(4)).map(|_| random.day()).collect();
        recorded.sort_unstable();
        let mut history = History::default();
        for (change, recorded_on) in recorded.into_iter().enumerate() {
            let from = random.day();
            let class = random.of(&["GENERAL_HOSPITAL", "TIBETAN_MEDICINE_HOSPITAL", "CLINIC"]);
            let mut institution = row("health.institutions", &format!("institutions/i{id}"), area, &from.to_string())
                .with("institution_class", class)
                .with("operating_from", Value::Day(random.day()))
                .with("age_friendly_from", Value::Day(random.day()));
            if random.below(2) == 0 {
                institution = institution.with("age_friendly_to", Value::Day(random.day()));
            }
            match random.below(8) {
                _ if change == 0 => {}
                0 => institution.ended = true,
                1 => {
                    history.replace(None, recorded_on);
                    continue;
                }
                2 | 3 => institution.until = Some(from + Days::new(1 + random.below(200))),
                _ => {}
            }
            history.replace(Some(institution), recorded_on);
        }
        changes.extend(history.told);
    }
    for id in 0..200 {
        let area = random.of(&COUNTIES);
        let from = random.day();
        let item = random.of(&["K", "NA", "CL", "CA", "P"]);
        let mut certificate = row("health.quality_certificates", &format!("c/{id}"), area, &from.to_string())
            .with("institution", random.of(&["i0", "i1", "i2", "i3", "i4", "i5"]))
            .with("item_code", item)
            .with("scope", "REGION")
            .with("passed", random.below(5) > 0)
            .with("valid_from", Value::Day(from));
        if random.below(2) == 0 {
            certificate = certificate.with("valid_to", Value::Day(from + Days::new(90)));
        }
        certificate.recorded_on = random.day();
        changes.push(certificate);
    }
    for item in ["K", "NA", "CL", "CA"] {
        // The last is an addition of one prefecture.
        let list = if item == "CA" { "540100" } else { "540000" };
        let listed = row("health.recognition_items", &format!("r/{item}"), list, "2024-01-01");
        rows.push(listed.with("item_code", item).with("active_from", "2024-02-01"));
    }
    // A record's instants grow with its positions, as in a journal.
    changes.sort_by_key(|row| row.recorded_on);
    rows.extend(changes);
    rows
}

/// The rows of a dataset that are true on a day, without those that ended, netted by the definition.
fn true_on<'a>(rows: &'a [Row], dataset: &str, on: NaiveDate, as_of: NaiveDate) -> Vec<&'a Row> {
    let mut sums: BTreeMap<(&str, i64), (i64, &Row)> = BTreeMap::new();
    let known = rows.iter().filter(|row| row.dataset == dataset && row.recorded_on <= as_of);
    for row in known.filter(|row| row.from <= on && row.until.is_none_or(|until| on < until) && !row.ended) {
        sums.entry((&row.record, row.assertion)).or_insert((0, row)).0 += row.diff;
    }
    sums.into_values().filter(|(sum, _)| *sum > 0).map(|(_, row)| row).collect()
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

/// The lake's institutions as a table for SQL, as anybody reads the files.
struct Institutions(SQLContext);

impl Institutions {
    fn of(directory: &std::path::Path, lake: &Lake) -> Self {
        let files = lake.sources()["health.institutions"].files.iter();
        let paths = files.map(|file| PlRefPath::try_from_path(&directory.join(&file.path)).unwrap());
        let scan = LazyFrame::scan_parquet_files(paths.collect(), ScanArgsParquet::default()).unwrap();
        let context = SQLContext::new();
        context.register("institutions", scan);
        Self(context)
    }

    /// Certified institutions and all, of each county, as the one line of `docs/FEED.md` sums them up.
    fn age_friendly(&mut self, on: NaiveDate, as_of: &str) -> Vec<(String, [f64; 2])> {
        let instant = crate::testing::micros(as_of) + 86_399_000_000;
        let certified =
            format!("age_friendly_from <= DATE '{on}' AND (age_friendly_to IS NULL OR age_friendly_to >= DATE '{on}')");
        let sql = format!(
            "SELECT _area, SUM(CASE WHEN {certified} THEN _diff ELSE 0 END) AS certified, SUM(_diff) AS open \
             FROM institutions \
             WHERE CAST(_recorded_at AS BIGINT) <= {instant} \
             AND _from <= DATE '{on}' AND (_until IS NULL OR _until > DATE '{on}') AND NOT _ended \
             AND institution_class <> 'CLINIC' AND operating_from <= DATE '{on}' GROUP BY _area"
        );
        let sums = self.0.execute(&sql).unwrap().collect().unwrap();
        let of = |name: &str| sums.column(name).unwrap().cast(&DataType::Float64).unwrap().f64().unwrap().clone();
        let (certified, open) = (of("certified"), of("open"));
        let numbers = certified.iter().zip(open.iter()).map(|(part, whole)| [part.unwrap(), whole.unwrap()]);
        let areas = sums.column("_area").unwrap().str().unwrap().iter().map(|area| area.unwrap().to_owned());
        areas.zip(numbers).collect()
    }
}

fn recognisable(rows: &[Row], area: &str, on: NaiveDate, as_of: NaiveDate) -> usize {
    let listed: BTreeSet<(&str, &str)> = true_on(rows, "health.recognition_items", on, as_of)
        .into_iter()
        .filter(|row| date(row, "active_from").unwrap() <= on)
        .map(|row| (text(row, "item_code"), row.area.as_str()))
        .collect();
    let open: BTreeSet<&str> = true_on(rows, "health.institutions", on, as_of)
        .into_iter()
        .filter(|row| date(row, "operating_from").unwrap() <= on)
        .filter_map(|row| row.record.strip_prefix("institutions/"))
        .collect();
    let mut holders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in true_on(rows, "health.quality_certificates", on, as_of) {
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
    let listed: BTreeSet<&str> = true_on(rows, "health.recognition_items", on, as_of)
        .into_iter()
        .filter(|row| date(row, "active_from").unwrap() <= on && applies(&row.area))
        .map(|row| text(row, "item_code"))
        .collect();
    listed.len()
}

#[test]
fn sums_by_sql_and_plain_loops_over_random_rows_give_the_same_figures() {
    for seed in 1..=6 {
        let rows = random_rows(seed);
        let (on, as_of) = (day("2025-08-20"), "2025-06-15");
        let (directory, lake) = lake_of(&rows);
        let mut institutions = Institutions::of(directory.path(), &lake);
        let found = compute(&Catalogue::embedded().unwrap(), &lake, &cutoff(&on.to_string(), as_of)).unwrap();
        let mut compared = 0;
        for counting_day in counting_days(on) {
            let month = counting_day.month.format("%Y-%m").to_string();
            // The last month that is known speaks for the last day that is.
            let counting_day = CountingDay { day: counting_day.day.min(day(as_of) + Days::new(1)), ..counting_day };
            let sums = institutions.age_friendly(counting_day.day, as_of);
            for area in ["540000", "540100", "540200", "542500", "540102", "540302"] {
                if let Some((numerator, denominator, _)) =
                    cell(&found, "age-friendly-institutions", "primary", area, &month)
                {
                    let own = sums.iter().filter(|(county, _)| crate::catalogue::contains(area, county));
                    let expected = own.fold([0.0, 0.0], |[part, whole], (_, sums)| [part + sums[0], whole + sums[1]]);
                    assert_eq!([numerator, denominator], expected.map(Some), "seed {seed} {area} {month}");
                    compared += 1;
                }
                if let Some(items) = value(&found, "mutual-recognition-items", area, &month) {
                    let expected = recognisable(&rows, area, counting_day.day, day(as_of));
                    let expected = f64::from(u32::try_from(expected).unwrap());
                    assert_eq!(Some(items), Some(expected), "seed {seed} {area} {month}");
                    compared += 1;
                }
                if let Some((items, _, _)) = cell(&found, "mutual-recognition-items", "listed", area, &month) {
                    let expected = u32::try_from(listed(&rows, area, counting_day.day, day(as_of))).unwrap();
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
    let asked = cutoff("2025-08-20", "2025-06-15");
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
fn compaction_and_a_horizon_change_no_figure_that_can_be_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    append(&mut lake, &random_rows(8), 20);
    let catalogue = Catalogue::embedded().unwrap();
    let of = |lake: &Lake, as_of: &str| compute(&catalogue, lake, &cutoff("2025-08-20", as_of));
    let instants = ["2025-06-15", "2025-07-20", "2026-01-01"];
    let before = instants.map(|as_of| of(&lake, as_of).unwrap());
    let datasets: Vec<String> = lake.sources().keys().cloned().collect();
    let dropped: usize = datasets
        .iter()
        .flat_map(|dataset| lake.compact(dataset, 2).unwrap())
        .map(|rewritten| rewritten.dropped.len())
        .sum();
    assert!(dropped > 10, "{dropped}");
    assert_eq!(instants.map(|as_of| of(&lake, as_of).unwrap()), before);

    let gone = lake.forget_before(day("2025-06-01").and_hms_opt(0, 0, 0).unwrap().and_utc()).unwrap();
    assert!(gone > 50, "{gone}");
    assert_eq!(instants.map(|as_of| of(&lake, as_of).unwrap()), before);
    let earlier = of(&lake, "2025-05-20").unwrap_err();
    assert!(matches!(earlier, StatisticsError::Lake(LakeError::BeforeHorizon { .. })), "{earlier}");
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
    let found = compute(&catalogue, &lake, &cutoff("2025-12-31", "2026-12-31")).unwrap();
    let taken = begun.elapsed();
    assert!(found.rows.len() > 10_000);
    assert!(taken.as_secs() < 10, "{taken:?}");
    eprintln!("{taken:?}");
}
