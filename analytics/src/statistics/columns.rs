//! The columns of rows under count, and how they are read.

use chrono::NaiveDate;
use polars::prelude::{Column, DataFrame, DataType, Int32Chunked, Int64Chunked, PolarsResult, Series, StringChunked};

use crate::catalogue::{Entry, Measure};

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
