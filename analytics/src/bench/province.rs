//! Lakes of many rows that fill every dataset which a commitment is counted from.
//!
//! Of a thousand rows 540 are enrolments, 300 decisions on results, 130 assistance and 10 activities of points; the rest
//! spreads over the other registers, which a province has few rows of. What a row says comes from its number alone.
//! Columns hold the texts that the catalogue's expressions ask for, so that every measure counts something.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, StringBuilder,
    TimestampMicrosecondArray,
};
use minsheng_values::divisions::{CountyCode, Divisions};

use super::{MONTHS, Row, after, end_of, mixed, row};
use crate::catalogue::{Catalogue, Column, ColumnKind, Count, Denominator, Measure, columns_of};
use crate::lake::{Lake, Progress};
use crate::model::SourceKind;
use crate::statistics::StatisticsError;

/// Rows of one append, as a feed gives them.
const ROWS_AT_ONCE: u64 = 250_000;
/// Of a thousand rows.
const SHARES: [(&str, u64); 4] = [
    ("social_security.enrolments", 540),
    ("health.result_decisions", 300),
    ("social_security.assistance", 130),
    ("community.point_activities", 10),
];

/// Fills a new lake with so many rows.
pub fn make_province(directory: &Path, rows: u64) -> Result<(), StatisticsError> {
    let mut lake = Lake::open(directory)?;
    for (dataset, of) in sizes(rows) {
        append(&mut lake, &dataset, 0..of, of)?;
    }
    Ok(())
}

/// Adds to such a lake what one more month brings: rows behind those that are there, one for each `of` of them.
pub fn add_month(directory: &Path, rows: u64, of: u64) -> Result<(), StatisticsError> {
    let mut lake = Lake::open(directory)?;
    for (dataset, size) in sizes(rows) {
        append(&mut lake, &dataset, size..size + size / of.max(1), size)?;
    }
    Ok(())
}

/// The rows of each dataset; a group of seven of them at least.
fn sizes(rows: u64) -> BTreeMap<String, u64> {
    let values = Values::of(Catalogue::shipped());
    let shared: BTreeMap<&str, u64> = SHARES.into_iter().collect();
    let others = values.datasets.iter().filter(|dataset| !shared.contains_key(dataset.as_str())).count();
    let rest = 1_000 - SHARES.iter().map(|(_, share)| share).sum::<u64>();
    let each = rest * rows / 1_000 / u64::try_from(others.max(1)).unwrap_or(1);
    let size = |dataset: &String| shared.get(dataset.as_str()).map_or(each, |share| share * rows / 1_000).max(7);
    values.datasets.iter().map(|dataset| (dataset.clone(), size(dataset))).collect()
}

fn append(lake: &mut Lake, dataset: &str, numbers: Range<u64>, of: u64) -> Result<(), StatisticsError> {
    let values = Values::of(Catalogue::shipped());
    let mut first = numbers.start;
    while first < numbers.end {
        let last = numbers.end.min(first + ROWS_AT_ONCE);
        let position = i64::try_from(last).unwrap_or(i64::MAX);
        let recorded_until = Some(after(end_of(MONTHS + 1)).timestamp_micros());
        let progress = Progress { cursor: last.to_string(), position, recorded_until };
        lake.append(dataset, &[batch(dataset, &values, first..last, of)], progress)?;
        first = last;
    }
    Ok(())
}

/// What the columns of datasets may hold, from what the catalogue's expressions ask of them.
pub(crate) struct Values {
    /// By dataset and column.
    pub(crate) texts: BTreeMap<(String, String), BTreeSet<String>>,
    /// Columns that name a record of a dataset.
    pub(crate) names: BTreeMap<(String, String), String>,
    /// The datasets that are counted, or looked into by who counts others.
    pub(crate) datasets: BTreeSet<String>,
}

impl Values {
    pub(crate) fn of(catalogue: &Catalogue) -> Self {
        let table = Divisions::get();
        let mut divisions: BTreeSet<String> = ["540199", "bogus"].map(str::to_owned).into();
        divisions.extend(table.counties().iter().take(9).map(|county| county.as_str().to_owned()));
        divisions.extend(table.townships().iter().take(9).map(|township| township.code.as_str().to_owned()));
        divisions.extend(table.villages().iter().take(9).map(|village| village.code.as_str().to_owned()));
        let mut values = Self { texts: BTreeMap::new(), names: BTreeMap::new(), datasets: BTreeSet::new() };
        for (dataset, count) in counted(catalogue) {
            values.datasets.insert(dataset.to_owned());
            count.expressions().for_each(|sql| values.take(dataset, sql));
            if let Some(column) = &count.division_column {
                values.texts.insert((dataset.to_owned(), column.clone()), divisions.clone());
            }
            if let Some(Denominator::Other(whole)) = &count.denominator {
                values.datasets.insert(whole.dataset.clone());
                whole.condition.iter().for_each(|sql| values.take(&whole.dataset, sql));
            }
            for restriction in &count.restrictions {
                values.datasets.insert(restriction.dataset.clone());
                restriction.condition.iter().for_each(|sql| values.take(&restriction.dataset, sql));
                let (own, other) = ((dataset, &restriction.column), (restriction.dataset.as_str(), &restriction.key));
                for ((dataset, column), (named, key)) in [(own, other), (other, own)] {
                    if key == "_id" {
                        values.names.insert((dataset.to_owned(), column.clone()), named.to_owned());
                    }
                }
            }
        }
        values
    }

    /// Takes the texts with which an expression compares columns.
    fn take(&mut self, dataset: &str, sql: &str) {
        let columns = columns_of(dataset).unwrap_or_default();
        let mut column = "";
        for (index, part) in sql.split('\'').enumerate() {
            if index % 2 == 1 {
                if columns.iter().any(|known| known.name == column) {
                    self.texts.entry((dataset.to_owned(), column.to_owned())).or_default().insert(part.to_owned());
                }
                continue;
            }
            let mut words = part.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            column = words.rfind(|word| !word.is_empty() && !["IN", "NOT"].contains(word)).unwrap_or(column);
        }
    }
}

/// The measures that are counted from registers, by dataset.
fn counted(catalogue: &Catalogue) -> impl Iterator<Item = (&str, &Count)> {
    let measures = catalogue.entries.iter().flat_map(|entry| &entry.measures);
    let from_registers = |measure: &&Measure| measure.source == SourceKind::Register;
    measures.filter(from_registers).filter_map(|measure| Some((measure.dataset.as_str(), measure.count.as_ref()?)))
}

fn batch(dataset: &str, values: &Values, numbers: Range<u64>, of: u64) -> RecordBatch {
    let counties: Vec<&str> = Divisions::get().counties().iter().map(CountyCode::as_str).collect();
    let rows: Vec<Row> = numbers.map(|number| row(number, of, counties.len())).collect();
    let numbers =
        |of: &dyn Fn(&Row) -> i64| Arc::new(rows.iter().map(|row| Some(of(row))).collect::<Int64Array>()) as ArrayRef;
    let days = |of: &dyn Fn(&Row) -> Option<i32>| Arc::new(rows.iter().map(of).collect::<Date32Array>()) as ArrayRef;
    let mut records = StringBuilder::new();
    for row in &rows {
        records.append_value(&row.record);
    }
    let recorded = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.recorded_at));
    let mut columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("_position", numbers(&|row| row.position), false),
        ("_record", Arc::new(records.finish()), false),
        ("_assertion", numbers(&|row| row.assertion), false),
        ("_diff", numbers(&|row| row.diff), false),
        ("_from", days(&|row| Some(row.from)), false),
        ("_until", days(&|row| row.until), true),
        ("_ended", Arc::new(rows.iter().map(|row| Some(row.ended)).collect::<BooleanArray>()), false),
        ("_recorded_at", Arc::new(recorded.with_timezone("UTC")), false),
        ("_area", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| counties[row.area]))), false),
    ];
    for (salt, column) in (1..).zip(columns_of(dataset).unwrap_or_default()) {
        columns.push((&column.name, values_of(dataset, values, column, salt, &rows, of), true));
    }
    RecordBatch::try_from_iter_with_nullable(columns).expect("all columns have a value for each row")
}

/// One column of some rows; one value in twelve is missing, and of days on which something ends half.
fn values_of(dataset: &str, values: &Values, column: &Column, salt: u64, rows: &[Row], of: u64) -> ArrayRef {
    let name = column.name.as_str();
    let ends = column.kind == ColumnKind::Day && (name.ends_with("_to") || name.starts_with("closed"));
    let dice = |row: &Row| {
        let dice = mixed(row.dice ^ mixed(salt));
        let missing = dice.is_multiple_of(12) || (ends && dice.is_multiple_of(2));
        (!missing).then_some(dice / 12)
    };
    let index = |dice: u64, len: usize| usize::try_from(dice % u64::try_from(len.max(1)).unwrap_or(1)).unwrap_or(0);
    let place = (dataset.to_owned(), name.to_owned());
    match column.kind {
        ColumnKind::Text => {
            let mut texts = StringBuilder::new();
            let known = values.texts.get(&place);
            let choices: Vec<&str> = known.into_iter().flatten().map(String::as_str).chain(["OTHER"]).collect();
            // Records of another dataset, or persons: some thousand groups of them at most have a place for it.
            let groups = (of / 7).clamp(1, if values.names.contains_key(&place) { 5_000 } else { u64::MAX });
            for row in rows {
                match dice(row) {
                    None => texts.append_null(),
                    Some(dice) if known.is_some() => texts.append_value(choices[index(dice, choices.len())]),
                    Some(dice) => {
                        let subject = dice % groups * 7;
                        texts.append_value(super::record_of(subject));
                    }
                }
            }
            Arc::new(texts.finish())
        }
        ColumnKind::Integer => {
            const SOME: [i64; 8] = [0, 1, 2, 5, 40, 2025, 20_000, 123_457];
            Arc::new(rows.iter().map(|row| dice(row).map(|dice| SOME[index(dice, SOME.len())])).collect::<Int64Array>())
        }
        ColumnKind::Decimal => {
            let some = |dice: u64| f64::from(u32::try_from(dice % 40).unwrap_or_default()) / 4.0;
            Arc::new(rows.iter().map(|row| dice(row).map(some)).collect::<Float64Array>())
        }
        ColumnKind::Boolean => {
            Arc::new(rows.iter().map(|row| dice(row).map(|dice| dice % 3 > 0)).collect::<BooleanArray>())
        }
        ColumnKind::Day => {
            let day = |row: &Row| {
                let dice = dice(row)?;
                let near = i32::try_from(dice % 120).unwrap_or_default();
                Some(if ends { row.applied_on + 3 * near } else { row.applied_on - near })
            };
            let first_of_month = name.ends_with("month_from") || name == "month_from";
            let rounded = |day: i32| if first_of_month { first_day_of_month(day) } else { day };
            Arc::new(rows.iter().map(|row| day(row).map(rounded)).collect::<Date32Array>())
        }
    }
}

fn first_day_of_month(day: i32) -> i32 {
    use chrono::Datelike as _;
    let date = chrono::NaiveDate::from_epoch_days(day).unwrap_or_default();
    date.with_day(1).unwrap_or(date).to_epoch_days()
}
