//! Small lakes for tests: journal rows as a department's feed would send them.

use std::collections::BTreeMap;
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
    pub(crate) valid_on: NaiveDate,
    pub(crate) change: &'static str,
    pub(crate) recorded_on: NaiveDate,
    pub(crate) values: BTreeMap<&'static str, Value>,
}

/// Returns a row that is true from a day on and was recorded on that day.
pub(crate) fn row(dataset: &str, record: &str, area: &str, valid_on: &str) -> Row {
    let valid_on = day(valid_on);
    Row {
        dataset: dataset.to_owned(),
        record: record.to_owned(),
        area: area.to_owned(),
        valid_on,
        change: "CREATED",
        recorded_on: valid_on,
        values: BTreeMap::new(),
    }
}

impl Row {
    pub(crate) fn with(mut self, column: &'static str, value: impl Into<Value>) -> Self {
        self.values.insert(column, value.into());
        self
    }

    pub(crate) fn change(mut self, change: &'static str) -> Self {
        self.change = change;
        self
    }

    pub(crate) fn recorded(mut self, on: &str) -> Self {
        self.recorded_on = day(on);
        self
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
    let recorded =
        rows.iter().map(|(_, row)| row.recorded_on.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp_micros());
    let mut columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("_position", Arc::new(rows.iter().map(|(position, _)| Some(*position)).collect::<Int64Array>()), false),
        ("_record", text(&|row| row.record.clone()), false),
        ("_change", text(&|row| row.change.to_owned()), false),
        (
            "_valid_on",
            Arc::new(rows.iter().map(|(_, row)| Some(row.valid_on.to_epoch_days())).collect::<Date32Array>()),
            false,
        ),
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

/// The moment to which lakes of tests are read, where a test says nothing else: behind all their records.
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
    let recorded_until = Some(micros(until));
    let mut by_dataset: BTreeMap<&str, Vec<(i64, Row)>> = BTreeMap::new();
    for (position, row) in (1..).zip(rows) {
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
