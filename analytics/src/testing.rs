//! Small lakes for tests: journal rows as a department's feed would send them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use chrono::NaiveDate;

use crate::catalogue::{ColumnKind, columns_of};
use crate::lake::{Lake, Progress};

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Decimal(f64),
    Boolean(bool),
    Day(NaiveDate),
}

impl From<&str> for Value {
    /// Reads `2025-01-31` as a day and anything else as text.
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Text(text.to_owned()), Self::Day)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Decimal(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Boolean(flag)
    }
}

/// A journal row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) dataset: String,
    pub(crate) record: String,
    pub(crate) area: String,
    pub(crate) assertion: i64,
    pub(crate) diff: i64,
    pub(crate) from: NaiveDate,
    pub(crate) until: Option<NaiveDate>,
    pub(crate) ended: bool,
    pub(crate) recorded_on: NaiveDate,
    pub(crate) values: BTreeMap<&'static str, Value>,
}

/// Returns a record's first assertion, true from a day on and recorded on that day.
pub(crate) fn row(dataset: &str, record: &str, area: &str, from: &str) -> Row {
    let from = day(from);
    Row {
        dataset: dataset.to_owned(),
        record: record.to_owned(),
        area: area.to_owned(),
        assertion: 1,
        diff: 1,
        from,
        until: None,
        ended: false,
        recorded_on: from,
        values: BTreeMap::new(),
    }
}

impl Row {
    pub(crate) fn with(mut self, column: &'static str, value: impl Into<Value>) -> Self {
        self.values.insert(column, value.into());
        self
    }

    /// Numbers the assertion, which is true from a day on.
    pub(crate) fn assertion(mut self, number: i64, from: &str) -> Self {
        (self.assertion, self.from) = (number, day(from));
        self
    }

    pub(crate) fn until(mut self, day: &str) -> Self {
        self.until = Some(self::day(day));
        self
    }

    pub(crate) fn ended(mut self) -> Self {
        self.ended = true;
        self
    }

    pub(crate) fn recorded(mut self, on: &str) -> Self {
        self.recorded_on = day(on);
        self
    }

    /// Returns the assertion's retraction.
    pub(crate) fn retracted(&self, on: &str) -> Self {
        Self { diff: -1, ..self.clone() }.recorded(on)
    }

    /// Returns what a journal says where another row holds from its own day on: this one is shortened.
    pub(crate) fn changed_to(&self, after: Self) -> [Self; 3] {
        let recorded_on = after.recorded_on;
        [
            Self { diff: -1, recorded_on, ..self.clone() },
            Self { assertion: self.assertion + 1, until: Some(after.from), recorded_on, ..self.clone() },
            Self { assertion: self.assertion + 2, ..after },
        ]
    }
}

/// What a journal tells of one record while its states are replaced.
#[derive(Default)]
pub(crate) struct History {
    standing: Vec<Row>,
    pub(crate) told: Vec<Row>,
    assertions: i64,
}

impl History {
    /// Lets a row be true for its days, or nothing for those of all states, from a day of recording on.
    pub(crate) fn replace(&mut self, by: Option<Row>, recorded_on: NaiveDate) {
        let (from, until) = by.as_ref().map_or((NaiveDate::MIN, None), |row| (row.from, row.until));
        for state in std::mem::take(&mut self.standing) {
            if state.until.is_some_and(|end| end <= from) || until.is_some_and(|until| until <= state.from) {
                self.standing.push(state);
                continue;
            }
            self.told.push(Row { diff: -1, recorded_on, ..state.clone() });
            if state.from < from {
                self.assert(Row { until: Some(from), ..state.clone() }, recorded_on);
            }
            if let Some(until) = until.filter(|until| state.until.is_none_or(|end| *until < end)) {
                self.assert(Row { from: until, ..state }, recorded_on);
            }
        }
        if let Some(row) = by {
            self.assert(row, recorded_on);
        }
    }

    fn assert(&mut self, row: Row, recorded_on: NaiveDate) {
        self.assertions += 1;
        let row = Row { assertion: self.assertions, recorded_on, ..row };
        self.standing.push(row.clone());
        self.told.push(row);
    }
}

/// The beginning of a day, microseconds UTC.
pub(crate) fn micros(day: &str) -> i64 {
    self::day(day).and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp_micros()
}

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Turns rows of one dataset into a batch, their positions counted from the first given.
pub(crate) fn batch(dataset: &str, rows: &[(i64, Row)]) -> RecordBatch {
    let text = |of: &dyn Fn(&Row) -> String| {
        Arc::new(StringArray::from(rows.iter().map(|(_, row)| of(row)).collect::<Vec<_>>())) as ArrayRef
    };
    let numbers = |of: &dyn Fn(&Row) -> i64| {
        Arc::new(rows.iter().map(|(_, row)| Some(of(row))).collect::<Int64Array>()) as ArrayRef
    };
    let days = |of: &dyn Fn(&Row) -> Option<NaiveDate>| {
        let days = rows.iter().map(|(_, row)| of(row).map(|day| day.to_epoch_days()));
        Arc::new(days.collect::<Date32Array>()) as ArrayRef
    };
    let ended = BooleanArray::from(rows.iter().map(|(_, row)| row.ended).collect::<Vec<_>>());
    let recorded =
        rows.iter().map(|(_, row)| row.recorded_on.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp_micros());
    let mut columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("_position", Arc::new(rows.iter().map(|(position, _)| Some(*position)).collect::<Int64Array>()), false),
        ("_record", text(&|row| row.record.clone()), false),
        ("_assertion", numbers(&|row| row.assertion), false),
        ("_diff", numbers(&|row| row.diff), false),
        ("_from", days(&|row| Some(row.from)), false),
        ("_until", days(&|row| row.until), true),
        ("_ended", Arc::new(ended), false),
        ("_recorded_at", Arc::new(TimestampMicrosecondArray::from_iter_values(recorded).with_timezone("UTC")), false),
        ("_area", text(&|row| row.area.clone()), false),
    ];
    for column in columns_of(dataset).unwrap() {
        let values = rows.iter().map(|(_, row)| row.values.get(column.name.as_str()));
        let array: ArrayRef = match column.kind {
            ColumnKind::Text => Arc::new(
                values
                    .map(|value| {
                        value.map(
                            |value| if let Value::Text(text) = value { text.as_str() } else { panic!("{value:?}") },
                        )
                    })
                    .collect::<StringArray>(),
            ),
            ColumnKind::Integer => Arc::new(
                values
                    .map(|value| {
                        value
                            .map(|value| if let Value::Integer(number) = value { *number } else { panic!("{value:?}") })
                    })
                    .collect::<Int64Array>(),
            ),
            ColumnKind::Decimal => Arc::new(
                values
                    .map(|value| {
                        value
                            .map(|value| if let Value::Decimal(number) = value { *number } else { panic!("{value:?}") })
                    })
                    .collect::<Float64Array>(),
            ),
            ColumnKind::Boolean => Arc::new(
                values
                    .map(|value| {
                        value.map(|value| if let Value::Boolean(flag) = value { *flag } else { panic!("{value:?}") })
                    })
                    .collect::<BooleanArray>(),
            ),
            ColumnKind::Day => Arc::new(
                values
                    .map(|value| {
                        value.map(
                            |value| if let Value::Day(day) = value { day.to_epoch_days() } else { panic!("{value:?}") },
                        )
                    })
                    .collect::<Date32Array>(),
            ),
        };
        columns.push((column.name.as_str(), array, true));
    }
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// The instant to which lakes of tests are read, where a test says nothing else: behind all their records.
pub(crate) const READ_UNTIL: &str = "2027-01-01";

/// Appends rows of any datasets, as one file a dataset and month for every `chunk` rows; the feeds go on to
/// [`READ_UNTIL`].
///
/// Positions are those of the list.
pub(crate) fn append(lake: &mut Lake, rows: &[Row], chunk: usize) {
    append_until(lake, rows, chunk, READ_UNTIL);
}

/// Appends rows of feeds that were read to the beginning of a day.
pub(crate) fn append_until(lake: &mut Lake, rows: &[Row], chunk: usize, until: &str) {
    append_from(lake, rows, chunk, until, 1);
}

/// Appends rows behind others that were appended before: the first has the position that is given.
pub(crate) fn append_from(lake: &mut Lake, rows: &[Row], chunk: usize, until: &str, first: i64) {
    let recorded_until = Some(micros(until));
    let mut by_dataset: BTreeMap<&str, Vec<(i64, Row)>> = BTreeMap::new();
    for (position, row) in (first..).zip(rows) {
        by_dataset.entry(&row.dataset).or_default().push((position, row.clone()));
    }
    for (dataset, rows) in by_dataset {
        for part in rows.chunks(chunk) {
            let position = part.last().map_or(0, |(position, _)| *position);
            let progress = Progress { cursor: position.to_string(), position, recorded_until };
            lake.append(dataset, &[batch(dataset, part)], progress).unwrap();
        }
    }
}

/// Returns a lake of its own with some rows.
pub(crate) fn lake_of(rows: &[Row]) -> (tempfile::TempDir, Lake) {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    append(&mut lake, rows, usize::MAX);
    (directory, lake)
}

/// Makes a closed lake one that an earlier version left: files by month, listed in a manifest.
pub(crate) fn make_outdated(directory: &std::path::Path) {
    let mut sources = serde_json::Map::new();
    for table in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        let log = table.join("_delta_log");
        if !log.is_dir() {
            continue;
        }
        std::fs::remove_dir_all(log).unwrap();
        for month in std::fs::read_dir(&table).unwrap().map(|entry| entry.unwrap()) {
            let former = format!("month={}", month.file_name().into_string().unwrap());
            std::fs::rename(month.path(), table.join(former)).unwrap();
        }
        let name = table.file_name().unwrap().to_str().unwrap().to_owned();
        sources.insert(name, serde_json::json!({"cursor": "c", "position": 7, "files": []}));
    }
    let manifest = serde_json::json!({"version": 1, "sources": sources});
    std::fs::write(directory.join("manifest.json"), manifest.to_string()).unwrap();
}

/// What of Python a test needs, and what is imported of it.
pub(crate) struct PythonWith {
    /// Name of the directory in which they are kept.
    pub(crate) name: &'static str,
    pub(crate) packages: &'static [&'static str],
    pub(crate) imports: &'static str,
}

impl PythonWith {
    /// Returns a Python that has the packages, installed once and kept below the build's directory; none where there is
    /// no Python, or no index to install from.
    pub(crate) fn python(&self) -> Option<PathBuf> {
        let build = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("tmp");
        std::fs::create_dir_all(&build).unwrap();
        // Tests are processes of their own, and install side by side otherwise.
        let lock = std::fs::File::create(build.join(format!("{}.lock", self.name))).unwrap();
        lock.lock().unwrap();
        let kept = build.join(self.name);
        let python = kept.join("bin/python");
        let tried = Command::new(&python).args(["-c", self.imports]).output();
        if tried.is_ok_and(|tried| tried.status.success()) {
            return Some(python);
        }
        let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&kept).output();
        if !made.is_ok_and(|made| made.status.success()) {
            eprintln!("SKIP: there is no python3 with venv here");
            return None;
        }
        let pip =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "20"];
        let installed = Command::new(&python).args(pip).args(self.packages).output().unwrap();
        if installed.status.success() {
            return Some(python);
        }
        let said =
            format!("{}{}", String::from_utf8_lossy(&installed.stdout), String::from_utf8_lossy(&installed.stderr));
        // What pip says of an index that it cannot reach, or that is closed to it.
        let unreachable =
            ["ConnectionError", "NewConnectionError", "Could not find a version", "ProxyError", "timed out"];
        assert!(unreachable.iter().any(|words| said.contains(words)), "{said}");
        eprintln!("SKIP: pip reaches no index for {:?}", self.packages);
        None
    }
}
