//! The lake in other engines: each reads it as it is, and `DuckDB` computes every register-based measure from the shipped
//! views, over random records in every dataset that is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::second_engine::Random;
use super::*;
use crate::bench::Values;
use crate::catalogue::{ColumnKind, columns_of};
use crate::lake::{Lake, Progress};
use crate::testing::{History, PythonWith, append};

/// Python with other engines.
const ENGINES: PythonWith = PythonWith {
    name: "lake-venv",
    packages: &[
        "deltalake==1.6.6",
        "duckdb==1.5.5",
        "duckdb-extension-delta==1.5.5",
        "polars==2.1.0",
        "pyarrow==26.0.1",
    ],
    imports: "import deltalake, duckdb, duckdb_extension_delta, polars, pyarrow",
};

/// Python with an engine that speaks Spark's protocol.
const SAIL: PythonWith = PythonWith {
    name: "sail-venv",
    packages: &["pysail==0.7.2", "pyspark-client==4.1.1"],
    imports: "import pysail, pyspark",
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A value of a column.
trait Choose {
    fn value(&self, random: &mut Random, dataset: &str, column: &crate::catalogue::Column) -> Option<Value>;
}

impl Choose for Values {
    fn value(&self, random: &mut Random, dataset: &str, column: &crate::catalogue::Column) -> Option<Value> {
        let name = column.name.as_str();
        let open = column.kind == ColumnKind::Day && (name.ends_with("_to") || name.starts_with("closed"));
        if random.below(12) == 0 || (open && random.below(2) == 0) {
            return None;
        }
        let place = (dataset.to_owned(), name.to_owned());
        Some(match column.kind {
            ColumnKind::Text => Value::Text(if let Some(named) = self.names.get(&place) {
                // With its collection or without.
                let id = format!("r{}", random.below(RECORDS));
                if random.below(2) == 0 { id } else { format!("{named}/{id}") }
            } else {
                let some: Vec<&str> = match self.texts.get(&place) {
                    Some(texts) => texts.iter().map(String::as_str).chain(["OTHER"]).collect(),
                    None => vec!["v0", "v1", "v2"],
                };
                let favoured: Vec<&str> = some.iter().copied().filter(|text| FAVOURED.contains(text)).collect();
                let among = if favoured.is_empty() || random.below(2) == 0 { some } else { favoured };
                random.of(&among).to_owned()
            }),
            ColumnKind::Integer => {
                Value::Integer([0, 1, 2, 5, 40, 2025, 20_000, 123_457][usize::try_from(random.below(8)).unwrap()])
            }
            ColumnKind::Decimal => Value::Decimal(f64::from(u32::try_from(random.below(40)).unwrap()) / 4.0),
            ColumnKind::Boolean => Value::Boolean(random.below(3) > 0),
            ColumnKind::Day => {
                let day = day("2023-09-01") + Days::new(random.below(900));
                Value::Day(if random.below(2) == 0 { day } else { day.with_day(1).unwrap() })
            }
        })
    }
}

/// What is chosen more often, because measures ask for it together with much else.
const FAVOURED: [&str; 11] = [
    "ELDER_MEAL_POINT",
    "FITNESS_FACILITY",
    "VILLAGE",
    "ADMITTED",
    "RESIDENT_PENSION",
    "MATERNITY",
    "FLEXIBLE_EMPLOYMENT",
    "EMPLOYEE_MEDICAL",
    "HOUSEHOLD_REGISTRATION",
    "SELF",
    "GENERAL_HOSPITAL",
];
/// Records of each dataset.
const RECORDS: u64 = 60;
const AREAS: [&str; 10] =
    ["540102", "540103", "540121", "540202", "540302", "540402", "542521", "540100", "540200", "540000"];

/// Random records of every dataset that is counted: changed, corrected, planned, ended, resumed and withdrawn.
pub(super) fn random_rows(seed: u64, values: &Values) -> Vec<Row> {
    let mut random = Random(seed);
    let mut rows = Vec::new();
    for dataset in &values.datasets {
        let columns = columns_of(dataset).unwrap();
        let many = ["community.service_points", "community.point_activities", "social_security.enrolments"]
            .contains(&dataset.as_str());
        let records = if many { 3 * RECORDS } else { RECORDS };
        for id in 0..records {
            // Seldom in an area wider than a county.
            let wide = random.below(8) == 0;
            let area = random.of(if wide { &AREAS } else { &AREAS[..7] });
            let mut recorded: Vec<NaiveDate> = (0..=random.below(4)).map(|_| random.day()).collect();
            recorded.sort_unstable();
            let mut history = History::default();
            for (change, recorded_on) in recorded.into_iter().enumerate() {
                // Mostly since before it was recorded; now and then planned.
                let from = if random.below(5) == 0 { random.day() } else { recorded_on - Days::new(random.below(90)) };
                let mut state = row(dataset, &format!("{dataset}/r{id}"), area, &from.to_string());
                for column in columns {
                    if let Some(value) = values.value(&mut random, dataset, column) {
                        state.values.insert(column.name.as_str(), value);
                    }
                }
                match random.below(9) {
                    _ if change == 0 => {}
                    0 => state.ended = true,
                    1 => {
                        history.replace(None, recorded_on);
                        continue;
                    }
                    2 | 3 => state.until = Some(from + Days::new(1 + random.below(200))),
                    _ => {}
                }
                history.replace(Some(state), recorded_on);
            }
            rows.extend(history.told);
        }
    }
    for (service, key, area, from, value) in [
        ("health", "recognition.minimum_institutions", "540100", "2024-09-01", 3),
        ("health", "recognition.minimum_institutions", "540202", "2025-01-15", 1),
        ("health", "age_friendly.clinics_are_eligible", "540000", "2025-02-01", 1),
        ("community", "meal_point.operating_minimum_meals", "540102", "2024-06-01", 3),
        ("community", "meal_point.operating_window_days", "540200", "2024-06-01", 400),
    ] {
        let unit = match key {
            "meal_point.operating_window_days" => "days",
            "age_friendly.clinics_are_eligible" => "flag",
            _ => "count",
        };
        let filed = row(&format!("{service}.parameters"), &format!("{key}/{area}"), area, from);
        let filed = filed.with("key", key).with("unit", unit).with("value", value).with("effective_from", from);
        rows.push(filed.recorded("2024-05-01"));
    }
    // A record's instants grow with its positions, as in a journal.
    rows.sort_by_key(|row| row.recorded_on);
    rows
}

/// Numbers of a cell, by commitment, measure, area and month.
type Cells = BTreeMap<[String; 4], [Option<f64>; 3]>;

fn ours(catalogue: &Catalogue, statistics: &Statistics) -> Cells {
    let counted = |row: &&StatisticRow| {
        let entry = catalogue.entry(&row.commitment).unwrap();
        let measure = entry.measures.iter().find(|measure| measure.name == row.measure).unwrap();
        measure.source == SourceKind::Register
    };
    let rows = statistics.rows.iter().filter(counted);
    let cell = |row: &StatisticRow| {
        let key = [row.commitment.clone(), row.measure.clone(), row.area.clone(), row.month.to_string()];
        (key, [row.numerator, row.denominator, row.value])
    };
    rows.map(cell).collect()
}

/// Computes the measures in `DuckDB`, by the views that are shipped or by others.
fn in_duckdb(python: &Path, lake: &Path, views: Option<&Path>) -> Cells {
    let mut command = Command::new(python);
    command.arg(root().join("docs/read_lake.py")).arg(lake).arg("SELECT * FROM attainment").args(views);
    cells(&mut command)
}

/// Returns the cells that a command prints.
fn cells(command: &mut Command) -> Cells {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let mut reader = csv::Reader::from_reader(output.stdout.as_slice());
    assert_eq!(reader.headers().unwrap().len(), 7);
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let key = [0, 1, 2, 3].map(|index| row[index].to_owned());
        (key, [4, 5, 6].map(|index| (!row[index].is_empty()).then(|| row[index].parse().unwrap())))
    });
    rows.collect()
}

/// Compares cells; numbers that were divided before or behind a sum may differ in the last places.
fn assert_same(ours: &Cells, theirs: &Cells) {
    let same = |one: &[Option<f64>; 3], other: &[Option<f64>; 3]| {
        one.iter().zip(other).all(|pair| match pair {
            (Some(one), Some(other)) => (one - other).abs() <= 1e-12 * one.abs().max(other.abs()),
            (one, other) => one == other,
        })
    };
    let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let wrong: Vec<String> = keys
        .into_iter()
        .filter(|key| !matches!((ours.get(*key), theirs.get(*key)), (Some(one), Some(other)) if same(one, other)))
        .map(|key| format!("{key:?}: ours {:?}, SQL {:?}", ours.get(key), theirs.get(key)))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), ours.len(), wrong[..wrong.len().min(40)].join("\n"));
}

#[test]
fn the_shipped_views_give_in_another_engine_every_figure_that_is_counted() {
    let Some(python) = ENGINES.python() else { return };
    let shipped = Catalogue::embedded().unwrap();
    let values = Values::of(&shipped);
    // Random points report too seldom for the figures that depend on it; here a tenth is enough.
    let all = shipped.entries.iter().flat_map(|entry| {
        let counted = entry.measures.iter().filter(|measure| measure.source == SourceKind::Register);
        counted.map(move |measure| [entry.commitment.id.as_str(), measure.name.as_str()])
    });
    let (mut without, mut compared) = (all.collect::<Vec<_>>(), 0);
    let mut lenient = shipped.clone();
    lenient.entries.iter_mut().for_each(|entry| entry.complete_from = 10.0);
    let asked = [(1, "2025-06-30", "2025-05-15", &shipped), (2, "2025-03-31", "2025-12-31", &lenient)];
    for (seed, on, as_of, catalogue) in asked {
        let directory = tempfile::tempdir().unwrap();
        let lake_directory = directory.path().join("lake");
        let mut lake = Lake::open(&lake_directory).unwrap();
        append(&mut lake, &random_rows(seed, &values), 700);
        let asked = cutoff(on, as_of);
        let found = compute(catalogue, &lake, &asked).unwrap();
        lake.publish(crate::reference::tables(catalogue, &asked, &found.reference)).unwrap();
        let views = directory.path().join("views.sql");
        std::fs::write(&views, crate::sql::views(catalogue)).unwrap();
        let is_shipped = std::ptr::eq(catalogue, &raw const shipped);
        let ours = ours(catalogue, &found);
        assert_same(&ours, &in_duckdb(&python, &lake_directory, (!is_shipped).then_some(views.as_path())));

        let not_zero = ours.iter().filter(|(_, cell)| cell[0].is_some_and(|numerator| numerator > 0.0));
        compared += not_zero.clone().count();
        without.retain(|[commitment, measure]| !not_zero.clone().any(|(key, _)| key[..2] == [*commitment, *measure]));
    }
    assert!(without.len() <= 8, "nothing was counted for {without:?}");
    assert!(compared > 5_000, "{compared}");
}

/// The way out when one machine is outgrown. It installs some hundred megabytes, so only the long campaigns run it.
#[test]
fn an_engine_that_speaks_spark_gives_every_figure_that_is_counted() {
    if std::env::var_os("MINSHENG_SOAK").is_none() {
        return;
    }
    let Some(python) = SAIL.python() else { return };
    let shipped = Catalogue::embedded().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    append(&mut lake, &random_rows(1, &Values::of(&shipped)), 700);
    let asked = cutoff("2025-06-30", "2025-05-15");
    let found = compute(&shipped, &lake, &asked).unwrap();
    lake.publish(crate::reference::tables(&shipped, &asked, &found.reference)).unwrap();
    let mut command = Command::new(python);
    command
        .arg(root().join("docs/lake_in_sail.py"))
        .arg(directory.path())
        .arg(root().join("analytics/sql/attainment.sql"));
    assert_same(&ours(&shipped, &found), &cells(&mut command));
}

#[test]
fn other_engines_read_the_lake_as_it_is_and_as_it_was() {
    const DATASET: &str = "health.institutions";
    let Some(python) = ENGINES.python() else { return };
    let of = |ids: std::ops::Range<u32>| -> Vec<Row> {
        let one = |id: u32| institution(&format!("i{id}"), "540102", "CLINIC").with("operating_from", "2020-01-01");
        ids.map(one).collect()
    };
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    append(&mut lake, &of(0..5), usize::MAX);
    for more in 0..60 {
        // Positions go on behind those before.
        let rows: Vec<(i64, Row)> = (100 + i64::from(more)..).zip(of(more + 10..more + 11)).collect();
        let progress = Progress { cursor: more.to_string(), position: rows[0].0, recorded_until: Some(1) };
        lake.append(DATASET, &[crate::testing::batch(DATASET, &rows)], progress).unwrap();
    }
    lake.compact(DATASET, 2).unwrap();
    lake.begin_resync(DATASET, crate::model::ResyncReason::JournalReplaced, 1);
    append(&mut lake, &of(0..7), usize::MAX);
    lake.finish_resync(DATASET).unwrap();
    assert_eq!((lake.sources()[DATASET].version, lake.rows(DATASET)), (Some(62), 7));

    let table = directory.path().join(DATASET);
    let read = |versions: &[&str]| -> serde_json::Value {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_table.py");
        let output = Command::new(&python).arg(script).arg(&table).args(versions).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let said = read(&["0", "60", "61", "62"]);
    // The first version, before the compaction, behind it, and today's.
    let rows = serde_json::json!({"0": 5, "60": 65, "61": 65, "62": 7});
    for engine in ["deltalake", "polars", "duckdb"] {
        assert_eq!(said[engine]["rows"], rows, "{engine}: {said}");
        // 2024-01-01T00:00:00Z, on each row, whatever the engine's own zone.
        assert_eq!(said[engine]["recorded_at"], 1_704_067_200_000_000_i64, "{engine}: {said}");
    }
    assert_eq!(said["cursor"], "7", "the place to go on from stands in the table");

    // Without a commit before it, the checkpoint has to do.
    let log = table.join("_delta_log");
    std::fs::remove_file(log.join(format!("{:020}.json", 10))).unwrap();
    std::fs::remove_file(log.join(format!("{:020}.{:020}.compacted.json", 0, 50))).unwrap();
    let said = read(&["61", "62"]);
    for engine in ["deltalake", "polars", "duckdb"] {
        assert_eq!(said[engine]["rows"], serde_json::json!({"61": 65, "62": 7}), "{engine}: {said}");
    }
}
