//! The rows of the lake's datasets that hold at the question's instant, each dataset read once.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use polars::prelude::{
    Column, DataFrame, DataType, Expr, Int32Chunked, Int64Chunked, PolarsResult, Series, StringChunked, col,
};

use super::netting::net;
use super::{Question, StatisticsError, filing, milestones, parameters, sources};
use crate::catalogue::{Catalogue, Entry, Measure, SERVICES, columns_of, columns_used, compile, frame_type};
use crate::lake::{Lake, Schema};

/// First day for which a row is true.
pub(super) const FROM: &str = "_from";
/// First day for which it no longer is; null while it is open.
pub(super) const UNTIL: &str = "_until";
/// Whether the record has ended in this row.
pub(super) const ENDED: &str = "_ended";
/// The area's code as a number.
pub(super) const PLACE: &str = "_place";
/// The record's name without its collection.
pub(super) const ID: &str = "_id";

const JOURNAL: [(&str, DataType); 9] = [
    ("_position", DataType::Int64),
    ("_record", DataType::String),
    ("_assertion", DataType::Int64),
    ("_diff", DataType::Int64),
    (FROM, DataType::Date),
    (UNTIL, DataType::Date),
    (ENDED, DataType::Boolean),
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
        let texts = |columns: &[&str]| columns.iter().map(|column| (*column).to_owned()).collect::<Vec<String>>();
        for service in SERVICES {
            wanted.entry(filing::dataset_of(service)).or_default().extend(texts(&filing::COLUMNS));
            wanted.entry(milestones::dataset_of(service)).or_default().extend(texts(&milestones::COLUMNS));
            wanted.entry(parameters::dataset_of(service)).or_default().extend(texts(&parameters::COLUMNS));
        }
        Self { lake, question, wanted, loaded: BTreeMap::new() }
    }

    /// Returns the rows of a dataset that hold on any day, as known at the question's instant.
    pub(super) fn get(&mut self, dataset: &str) -> Result<&DataFrame, StatisticsError> {
        if !self.loaded.contains_key(dataset) {
            self.load(dataset)?;
        }
        Ok(&self.loaded[dataset])
    }

    /// Returns the rows for somebody who alone needs them.
    pub(super) fn take(&mut self, dataset: &str) -> Result<DataFrame, StatisticsError> {
        self.get(dataset)?;
        Ok(self.loaded.remove(dataset).unwrap_or_default())
    }

    /// Returns how far a dataset's rows go in each area, and keeps the rows where somebody will ask for them.
    pub(super) fn reach(&mut self, dataset: &str) -> Result<DataFrame, StatisticsError> {
        if self.wanted.contains_key(dataset) {
            return self.load(dataset);
        }
        let rows = self.lake.read(dataset, &sources::schema())?;
        sources::by_area(rows, self.as_of()).map_err(engine(dataset))
    }

    fn load(&mut self, dataset: &str) -> Result<DataFrame, StatisticsError> {
        let none = BTreeSet::new();
        let wanted = self.wanted.get(dataset).unwrap_or(&none);
        let mut schema: Schema = JOURNAL.iter().map(|(name, kind)| ((*name).to_owned(), kind.clone())).collect();
        for column in columns_of(dataset).unwrap_or_default() {
            if wanted.contains(&column.name) {
                schema.push((column.name.clone(), frame_type(column.kind)));
            }
        }
        let rows = self.lake.read(dataset, &schema)?;
        let reach = sources::by_area(rows.clone(), self.as_of()).map_err(engine(dataset))?;
        let mut columns: Vec<Expr> = schema
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| [FROM, UNTIL, ENDED].contains(name) || wanted.contains(*name))
            .map(col)
            .collect();
        columns.push(col("_area").cast(DataType::Int32).alias(PLACE));
        if wanted.contains(ID) {
            columns.push(col("_record").alias(ID));
        }
        let mut rows = net(rows, self.as_of(), &columns).map_err(engine(dataset))?;
        if wanted.contains(ID) {
            without_collection(&mut rows, ID).map_err(engine(dataset))?;
        }
        self.loaded.insert(dataset.to_owned(), rows);
        Ok(reach)
    }

    fn as_of(&self) -> i64 {
        self.question.as_of.timestamp_micros()
    }
}

fn engine(dataset: &str) -> impl Fn(polars::prelude::PolarsError) -> StatisticsError {
    let dataset = dataset.to_owned();
    move |source| StatisticsError::Engine { what: dataset.clone(), source: Box::new(source) }
}

/// Returns the name of a record without its collection.
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

/// Names a measure in an error.
pub(super) fn named(entry: &Entry, measure: &Measure) -> String {
    format!("{} ({})", entry.commitment.id, measure.name)
}
