//! What stands beside the datasets for whoever computes figures of their own: tables that a run writes again.
//!
//! Each is a Delta table of one file, with its columns explained in the table itself. A run that has nothing new to say
//! makes no commit; the versions before stay readable.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};
use polars::prelude::{
    Column, DataFrame, DataType, Int64Chunked, IntoSeries as _, NamedFrom as _, NewChunkedArray as _, PolarsResult,
    Series, TimeUnit, TimeZone,
};

use super::log::{Change, Field, Rows, Table};
use super::{Lake, LakeError, files, frames};

/// A table that is written again.
pub(crate) struct Published {
    name: &'static str,
    about: &'static str,
    fields: Vec<Field>,
    columns: PolarsResult<Vec<Column>>,
}

impl Published {
    /// Returns a table without columns.
    pub(crate) fn new(name: &'static str, about: &'static str) -> Self {
        Self { name, about, fields: Vec::new(), columns: Ok(Vec::new()) }
    }

    fn with(mut self, name: &str, kind: &str, meaning: &str, column: PolarsResult<Series>) -> Self {
        self.fields.push(Field::new(name, kind).meaning(meaning));
        self.columns = self.columns.and_then(|mut columns| {
            columns.push(column?.with_name(name.into()).into());
            Ok(columns)
        });
        self
    }

    /// Adds a column of texts.
    pub(crate) fn texts<T: Into<Option<String>>>(
        self,
        name: &str,
        meaning: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        let values: Vec<Option<String>> = values.into_iter().map(Into::into).collect();
        self.with(name, "string", meaning, Ok(Series::new("".into(), values)))
    }

    /// Adds a column of whole numbers.
    pub(crate) fn numbers<T: Into<Option<i64>>>(
        self,
        name: &str,
        meaning: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        let values: Vec<Option<i64>> = values.into_iter().map(Into::into).collect();
        self.with(name, "long", meaning, Ok(Series::new("".into(), values)))
    }

    /// Adds a column of numbers.
    pub(crate) fn decimals<T: Into<Option<f64>>>(
        self,
        name: &str,
        meaning: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        let values: Vec<Option<f64>> = values.into_iter().map(Into::into).collect();
        self.with(name, "double", meaning, Ok(Series::new("".into(), values)))
    }

    /// Adds a column of truths.
    pub(crate) fn flags(self, name: &str, meaning: &str, values: impl IntoIterator<Item = bool>) -> Self {
        let values: Vec<bool> = values.into_iter().collect();
        self.with(name, "boolean", meaning, Ok(Series::new("".into(), values)))
    }

    /// Adds a column of days.
    pub(crate) fn days<T: Into<Option<NaiveDate>>>(
        self,
        name: &str,
        meaning: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        let values: Vec<Option<i32>> =
            values.into_iter().map(|day| day.into().map(|day| day.to_epoch_days())).collect();
        self.with(name, "date", meaning, Series::new("".into(), values).cast(&DataType::Date))
    }

    /// Adds a column of instants.
    pub(crate) fn instants(self, name: &str, meaning: &str, values: impl IntoIterator<Item = DateTime<Utc>>) -> Self {
        let values: Vec<i64> = values.into_iter().map(|instant| instant.timestamp_micros()).collect();
        let values = Int64Chunked::from_slice("".into(), &values);
        let values = values.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_series();
        self.with(name, "timestamp", meaning, Ok(values))
    }
}

/// What the names of published tables begin with.
const PREFIX: &str = "reference.";

/// Returns the published tables of a lake, by name.
pub(super) fn tables(directory: &Path) -> Result<BTreeMap<String, Table>, LakeError> {
    let mut tables = BTreeMap::new();
    if directory.is_dir() {
        for (name, _, kind) in files::entries(directory)? {
            if kind.is_dir() && name.starts_with(PREFIX) {
                let table = Table::read(directory, &name, String::new())?;
                tables.extend(table.map(|table| (name, table)));
            }
        }
    }
    Ok(tables)
}

impl Lake {
    /// Writes tables again where they say something else than before; a lake that is open for reading only stays as it
    /// is.
    pub(crate) fn publish(&self, tables: Vec<Published>) -> Result<(), LakeError> {
        if self.lock.is_none() {
            return Ok(());
        }
        for Published { name, about, fields, columns } in tables {
            let wrong = frames::frame_error(name);
            let columns = columns.map_err(&wrong)?;
            let height = columns.first().map_or(0, Column::len);
            let mut frame = DataFrame::new(height, columns).map_err(&wrong)?;
            let bytes = frames::to_parquet(&mut frame).map_err(&wrong)?;
            let former = Table::read(&self.directory, name, String::new())?;
            let mut table = former.unwrap_or_else(|| Table::new(String::new(), Vec::new()));
            // A file that is not the one that the table lists is written again.
            let listed = table.fields == fields
                && matches!(&table.files[..], [file] if file.sha256 == files::digest(&bytes)
                    && matches!(files::read_checked(&self.directory, file), Ok(Some(_))));
            if listed {
                continue;
            }
            (table.fields, table.about) = (fields, Some(about.to_owned()));
            let version = table.version.map_or(0, |version| version + 1);
            let file = files::write(&self.directory, format!("{name}/{version:06}.parquet"), &bytes, height)?;
            let change = Change {
                operation: "WRITE",
                at: Utc::now().timestamp_millis(),
                added: vec![file],
                dropped: table.files.iter().map(|file| file.path.clone()).collect(),
                rows: Rows::Superseded,
            };
            table.commit(&self.directory, name, change, &mut |_| Ok(()))?;
        }
        Ok(())
    }
}
