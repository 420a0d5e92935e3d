//! The rows of the lake's datasets that hold at the cutoff's instant, each dataset read once.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{DataFrame, DataType, Expr, col};

use super::columns::{ENDED, FROM, ID, PLACE, UNTIL, without_collection};
use super::netting::net;
use super::{BitemporalCutoff, StatisticsError};
use crate::catalogue::{Denominator, Measure, columns_of, columns_used, compile, frame_type};
use crate::lake::{Lake, Schema};

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
    cutoff: &'a BitemporalCutoff,
    wanted: BTreeMap<String, BTreeSet<String>>,
    loaded: BTreeMap<String, DataFrame>,
}

impl<'a> Frames<'a> {
    /// Reads what some datasets, such as those of returns, hold in some columns.
    pub(super) fn new(
        lake: &'a Lake,
        cutoff: &'a BitemporalCutoff,
        datasets: impl IntoIterator<Item = (String, &'static [&'static str])>,
    ) -> Self {
        let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (dataset, columns) in datasets {
            wanted.entry(dataset).or_default().extend(columns.iter().map(|column| (*column).to_owned()));
        }
        Self { lake, cutoff, wanted, loaded: BTreeMap::new() }
    }

    /// Reads what a measure is counted from as well.
    pub(super) fn want(&mut self, measure: &Measure) {
        let Some(count) = &measure.count else { return };
        let wanted = &mut self.wanted;
        let own = wanted.entry(measure.dataset.clone()).or_default();
        own.extend(count.expressions().filter_map(|sql| compile(sql).ok()).flat_map(|sql| columns_used(&sql)));
        own.extend(count.columns().map(str::to_owned));
        if let Some(Denominator::Other(whole)) = &count.denominator {
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

    /// Returns the rows of a dataset that hold on any day, as known at the cutoff's instant.
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

    fn load(&mut self, dataset: &str) -> Result<(), StatisticsError> {
        let none = BTreeSet::new();
        let wanted = self.wanted.get(dataset).unwrap_or(&none);
        let mut schema: Schema = JOURNAL.iter().map(|(name, kind)| ((*name).to_owned(), kind.clone())).collect();
        for column in columns_of(dataset).unwrap_or_default() {
            if wanted.contains(&column.name) {
                schema.push((column.name.clone(), frame_type(column.kind)));
            }
        }
        let rows = self.lake.read(dataset, &schema)?;
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
        let mut rows = net(rows, self.cutoff.as_of.timestamp_micros(), &columns).map_err(engine(dataset))?;
        if wanted.contains(ID) {
            without_collection(&mut rows, ID).map_err(engine(dataset))?;
        }
        self.loaded.insert(dataset.to_owned(), rows);
        Ok(())
    }
}

fn engine(dataset: &str) -> impl Fn(polars::prelude::PolarsError) -> StatisticsError {
    let dataset = dataset.to_owned();
    move |source| StatisticsError::Engine { what: dataset.clone(), source: Box::new(source) }
}
