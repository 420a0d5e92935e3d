//! The rows of the lake's datasets, each loaded once, with the days on which each was the truth.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Int32Chunked, Int64Chunked, NamedFrom as _, NewChunkedArray as _,
    PolarsResult, Series, StringChunked,
};

use super::{Question, StatisticsError};
use crate::catalogue::{Catalogue, Entry, Measure, columns_of, columns_used, compile, frame_type};
use crate::lake::{Lake, Schema};

/// First day on which a row was the truth of its record.
pub(super) const FROM: &str = "_valid_on";
/// First day on which it no longer was; null while it is.
pub(super) const UNTIL: &str = "_until";
/// Whether the record has ended in this row.
pub(super) const ENDED: &str = "_ended";
/// The area's code as a number.
pub(super) const PLACE: &str = "_place";
/// The record's name without its collection.
pub(super) const ID: &str = "_id";

const JOURNAL: [(&str, DataType); 6] = [
    ("_position", DataType::Int64),
    ("_record", DataType::String),
    ("_change", DataType::String),
    ("_valid_on", DataType::Date),
    ("_recorded_at", DataType::Int64),
    ("_area", DataType::String),
];

/// Loads datasets when they are first asked for.
pub(super) struct Frames<'a> {
    lake: &'a Lake,
    question: &'a Question,
    wanted: BTreeMap<String, BTreeSet<String>>,
    loaded: BTreeMap<String, DataFrame>,
}

impl<'a> Frames<'a> {
    pub(super) fn new(lake: &'a Lake, catalogue: &Catalogue, question: &'a Question) -> Self {
        let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for measure in catalogue.entries.iter().flat_map(|entry| &entry.measures) {
            let Some(count) = &measure.count else { continue };
            let own = wanted.entry(measure.dataset.clone()).or_default();
            own.extend(count.expressions().filter_map(|sql| compile(sql).ok()).flat_map(|sql| columns_used(&sql)));
            own.extend(count.columns().map(str::to_owned));
            if let Some(crate::catalogue::Denominator::Other(whole)) = &count.denominator {
                let other = wanted.entry(whole.dataset.clone()).or_default();
                let expressions = whole.condition.iter().chain([&whole.count]);
                other.extend(expressions.filter_map(|sql| compile(sql).ok()).flat_map(|sql| columns_used(&sql)));
            }
            for restriction in &count.restrictions {
                let other = wanted.entry(restriction.dataset.clone()).or_default();
                other.insert(restriction.key.clone());
                let condition = restriction.condition.as_deref().and_then(|sql| compile(sql).ok());
                other.extend(condition.iter().flat_map(columns_used));
            }
        }
        Self { lake, question, wanted, loaded: BTreeMap::new() }
    }

    /// Returns the rows of a dataset that were ever the truth, as known at the question's moment.
    pub(super) fn get(&mut self, dataset: &str) -> Result<&DataFrame, StatisticsError> {
        if !self.loaded.contains_key(dataset) {
            let none = BTreeSet::new();
            let wanted = self.wanted.get(dataset).unwrap_or(&none);
            let own: Vec<&str> = wanted.iter().map(String::as_str).collect();
            let frame = truth_of(self.lake, dataset, &own, wanted.contains(ID), self.question)?;
            self.loaded.insert(dataset.to_owned(), frame);
        }
        Ok(&self.loaded[dataset])
    }
}

/// Loads the rows of a dataset that were ever the truth, with some of its own columns.
pub(super) fn truth_of(
    lake: &Lake,
    dataset: &str,
    own: &[&str],
    with_id: bool,
    question: &Question,
) -> Result<DataFrame, StatisticsError> {
    let mut schema: Schema = JOURNAL.iter().map(|(name, kind)| ((*name).to_owned(), kind.clone())).collect();
    for column in columns_of(dataset).unwrap_or_default() {
        if own.contains(&column.name.as_str()) {
            schema.push((column.name.clone(), frame_type(column.kind)));
        }
    }
    let rows = lake.read(dataset, &schema)?;
    truth(rows, question.as_of.timestamp_micros(), with_id)
        .map_err(|source| StatisticsError::Engine { what: dataset.to_owned(), source: Box::new(source) })
}

/// Keeps what was known at a moment and adds to each row the days on which it was the truth.
///
/// A row is the truth of its record from its own day until the next row's: of two rows for the same day the later
/// position counts. What was recorded of a record before it was withdrawn was never true.
pub(super) fn truth(mut rows: DataFrame, as_of: i64, with_id: bool) -> PolarsResult<DataFrame> {
    rows.rechunk_mut();
    let height = rows.height();
    let records = rows.column("_record")?.str()?.clone();
    let changes = rows.column("_change")?.str()?.clone();
    let positions = numbers(&rows, "_position")?;
    let recorded = numbers(&rows, "_recorded_at")?;
    let valid_on = days(&rows, FROM)?;

    let known: Vec<bool> = recorded.iter().map(|moment| moment.is_some_and(|moment| moment <= as_of)).collect();
    let mut last_of: HashMap<&str, usize> = HashMap::with_capacity(height);
    let mut previous: Vec<Option<usize>> = vec![None; height];
    for (index, record) in records.iter().enumerate() {
        if known[index] {
            previous[index] = last_of.insert(record.unwrap_or_default(), index);
        }
    }
    let valid: Vec<i32> = valid_on.iter().map(Option::unwrap_or_default).collect();
    let position: Vec<i64> = positions.iter().map(Option::unwrap_or_default).collect();
    let mut keep = known;
    let mut until: Vec<Option<i32>> = vec![None; height];
    let mut entries = Vec::new();
    for last in last_of.into_values() {
        entries.clear();
        let mut next = Some(last);
        while let Some(index) = next {
            entries.push(index);
            next = previous[index];
        }
        let withdrawals = entries.iter().filter(|index| changes.get(**index) == Some("WITHDRAWN"));
        if let Some(withdrawn) = withdrawals.map(|index| position[*index]).max() {
            entries.retain(|index| {
                keep[*index] &= position[*index] > withdrawn;
                position[*index] > withdrawn
            });
        }
        entries.sort_unstable_by_key(|index| (valid[*index], position[*index]));
        for pair in entries.windows(2) {
            until[pair[0]] = Some(valid[pair[1]]);
            keep[pair[0]] &= valid[pair[0]] < valid[pair[1]];
        }
    }

    let ended = BooleanChunked::from_iter_values(ENDED.into(), changes.iter().map(|change| change == Some("ENDED")));
    let areas = rows.column("_area")?.str()?.clone();
    let place: Int32Chunked = areas.iter().map(|area| area.and_then(|code| code.parse().ok())).collect();
    let mut columns = vec![
        Series::new(UNTIL.into(), until).cast(&DataType::Date)?.into(),
        Column::from(Series::from(ended)),
        Column::from(Series::from(place.with_name(PLACE.into()))),
    ];
    if with_id {
        let ids: StringChunked = records.iter().map(|record| record.map(short_id)).collect();
        columns.push(Column::from(Series::from(ids.with_name(ID.into()))));
    }
    for column in columns {
        rows.with_column(column)?;
    }
    rows.filter(&BooleanChunked::from_iter_values("keep".into(), keep.into_iter()))
}

fn short_id(record: &str) -> &str {
    record.rsplit_once('/').map_or(record, |(_, id)| id)
}

/// Replaces the names of records in a column by their ids: a dataset may refer to `schools/a` or to `a`.
pub(super) fn without_collection(rows: &mut DataFrame, column: &str) -> PolarsResult<()> {
    let ids: StringChunked = rows.column(column)?.str()?.iter().map(|name| name.map(short_id)).collect();
    rows.with_column(Column::from(Series::from(ids.with_name(column.into()))))?;
    Ok(())
}

/// Returns a column of whole numbers.
pub(super) fn numbers(frame: &DataFrame, name: &str) -> PolarsResult<Int64Chunked> {
    frame.column(name)?.cast(&DataType::Int64)?.i64().cloned()
}

/// Returns a column of days as days since 1970-01-01.
pub(super) fn days(frame: &DataFrame, name: &str) -> PolarsResult<Int32Chunked> {
    frame.column(name)?.cast(&DataType::Int32)?.i32().cloned()
}

/// Returns the day that many days after 1970-01-01.
pub(super) fn day(number: i32) -> NaiveDate {
    NaiveDate::from_epoch_days(number).unwrap_or_default()
}

impl crate::catalogue::Count {
    /// The expressions over the dataset's own rows.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &str> {
        let denominator = match &self.denominator {
            Some(crate::catalogue::Denominator::Expression(sql)) => Some(sql),
            _ => None,
        };
        let having = self.group.as_ref().map(|group| &group.having);
        [self.condition.as_ref(), self.numerator.as_ref(), denominator, having]
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// The columns that are named outside expressions.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let group = self.group.as_ref().map(|group| &group.column);
        let named = [self.latest.as_ref(), self.latest_of.as_ref(), self.division_column.as_ref(), group];
        named
            .into_iter()
            .flatten()
            .chain(self.restrictions.iter().map(|restriction| &restriction.column))
            .map(String::as_str)
    }
}

/// Names a measure in an error.
pub(super) fn named(entry: &Entry, measure: &Measure) -> String {
    format!("{} ({})", entry.commitment.id, measure.name)
}
