//! Rows as columns: from the feed's batches into files and back.
//!
//! The feed speaks one Arrow implementation and the statistics another; batches cross over as an IPC stream in
//! memory, which both read and which needs no unsafe code.

use std::collections::BTreeMap;
use std::io::{Cursor, ErrorKind};
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::{available_parallelism, scope};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType as ArrowType, Field as ArrowField};
use arrow::ipc::writer::StreamWriter;
use chrono::{DateTime, Datelike as _, Utc};
use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Int64Chunked, IntoSeries as _, IpcStreamReader, NewChunkedArray as _,
    ParquetReader, ParquetWriter, PolarsResult, SerReader as _, SortMultipleOptions, TimeUnit, TimeZone,
};

use super::LakeError;
use super::files::read_checked;
use super::log::{Field, FileEntry};
use crate::catalogue::{ColumnKind, columns_of};

/// A column that is wanted from the lake.
pub type SchemaColumn = (String, DataType);

/// The columns that are wanted from the lake.
pub type Schema = Vec<SchemaColumn>;

const POSITION: &str = "_position";
const RECORD: &str = "_record";
const RECORDED_AT: &str = "_recorded_at";
/// What every row has beside its dataset's own columns, its type in a table, and what it means.
const JOURNAL_COLUMNS: [(&str, &str, &str); 9] = [
    (POSITION, "long", "position in the department's journal"),
    (RECORD, "string", "the record's name"),
    ("_assertion", "long", "number of the assertion within its record"),
    ("_diff", "long", "1: the row is asserted; -1: it is retracted"),
    ("_from", "date", "first day for which the row is true"),
    ("_until", "date", "first day for which it no longer is; null while it is open"),
    ("_ended", "boolean", "the record has ended in this row"),
    (RECORDED_AT, "timestamp", "when it was recorded"),
    ("_area", "string", "division, GB/T 2260"),
];

/// Returns the columns of a dataset's table: those of every journal row, then the contract's.
pub(super) fn fields_of(dataset: &str) -> Vec<Field> {
    let journal = JOURNAL_COLUMNS.iter().map(|(name, kind, meaning)| Field::new(name, kind).meaning(meaning));
    let own = columns_of(dataset).unwrap_or_default().iter().map(|column| {
        let kind = match column.kind {
            ColumnKind::Text => "string",
            ColumnKind::Integer => "long",
            ColumnKind::Decimal => "double",
            ColumnKind::Boolean => "boolean",
            ColumnKind::Day => "date",
        };
        Field::new(&column.name, kind)
    });
    journal.chain(own).collect()
}

pub(crate) fn frame_error(dataset: &str) -> impl Fn(polars::prelude::PolarsError) -> LakeError {
    let dataset = dataset.to_owned();
    move |source| LakeError::Frame { dataset: dataset.clone(), source: Box::new(source) }
}

fn batch_error(dataset: &str) -> impl Fn(arrow::error::ArrowError) -> LakeError {
    let dataset = dataset.to_owned();
    move |source| LakeError::Batch { dataset: dataset.clone(), source: Box::new(source) }
}

/// Consumes batches; none where they hold no row. Rows are in the order of their positions.
pub(super) fn from_batches(dataset: &str, batches: &[RecordBatch]) -> Result<Option<DataFrame>, LakeError> {
    let mut frame: Option<DataFrame> = None;
    for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
        let batch = with_plain_instants(dataset, batch)?;
        let mut stream = Vec::new();
        let mut writer = StreamWriter::try_new(&mut stream, &batch.schema()).map_err(batch_error(dataset))?;
        writer.write(&batch).and_then(|()| writer.finish()).map_err(batch_error(dataset))?;
        drop(writer);
        let part = IpcStreamReader::new(Cursor::new(stream)).finish().map_err(frame_error(dataset))?;
        match &mut frame {
            None => frame = Some(part),
            Some(frame) => {
                frame.vstack_mut(&part).map_err(frame_error(dataset))?;
            }
        }
    }
    for (required, ..) in JOURNAL_COLUMNS {
        if frame.as_ref().is_some_and(|frame| frame.column(required).is_err()) {
            return Err(LakeError::MissingColumn { dataset: dataset.to_owned(), column: required.to_owned() });
        }
    }
    frame.map(|frame| frame.sort([POSITION], SortMultipleOptions::default()).map_err(frame_error(dataset))).transpose()
}

/// Instants cross over as whole microseconds, so that no time zone is needed on the other side.
fn with_plain_instants(dataset: &str, batch: &RecordBatch) -> Result<RecordBatch, LakeError> {
    let schema = batch.schema();
    let mut fields = Vec::with_capacity(batch.num_columns());
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        if matches!(field.data_type(), ArrowType::Timestamp(..)) {
            columns.push(arrow::compute::cast(column, &ArrowType::Int64).map_err(batch_error(dataset))?);
            fields.push(Arc::new(ArrowField::new(field.name(), ArrowType::Int64, field.is_nullable())));
        } else {
            columns.push(Arc::clone(column));
            fields.push(Arc::clone(field));
        }
    }
    RecordBatch::try_new(Arc::new(arrow::datatypes::Schema::new(fields)), columns).map_err(batch_error(dataset))
}

/// Splits rows by the month (UTC) in which they were recorded, `YYYY-MM`.
pub(super) fn by_month(dataset: &str, frame: &DataFrame) -> Result<BTreeMap<String, DataFrame>, LakeError> {
    let wrong = frame_error(dataset);
    let recorded = integers(frame, RECORDED_AT).map_err(&wrong)?;
    let months: Vec<i32> = recorded.iter().map(|instant| month_of(instant.unwrap_or_default())).collect();
    let mut distinct = months.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let mut parts = BTreeMap::new();
    for month in distinct {
        let mask = BooleanChunked::from_iter_values("mask".into(), months.iter().map(|of_row| *of_row == month));
        let part = frame.filter(&mask).map_err(&wrong)?;
        parts.insert(format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1), part);
    }
    Ok(parts)
}

fn month_of(micros: i64) -> i32 {
    let instant = DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or_default();
    instant.year() * 12 + i32::try_from(instant.month0()).unwrap_or_default()
}

fn integers(frame: &DataFrame, name: &str) -> PolarsResult<Int64Chunked> {
    frame.column(name)?.cast(&DataType::Int64)?.i64().cloned()
}

/// Returns the least and the greatest position of some rows.
pub(super) fn position_range(dataset: &str, frame: &DataFrame) -> Result<(i64, i64), LakeError> {
    let positions = integers(frame, POSITION).map_err(frame_error(dataset))?;
    let least = positions.iter().flatten().min().unwrap_or_default();
    Ok((least, positions.iter().flatten().max().unwrap_or_default()))
}

/// Returns when the newest of some rows was recorded.
pub(super) fn newest(dataset: &str, frame: &DataFrame) -> Result<Option<i64>, LakeError> {
    Ok(integers(frame, RECORDED_AT).map_err(frame_error(dataset))?.iter().flatten().max())
}

/// Returns rows as Parquet; instants are written as such, in UTC.
pub(super) fn encode(dataset: &str, frame: &mut DataFrame) -> Result<Vec<u8>, LakeError> {
    let wrong = frame_error(dataset);
    let instants = integers(frame, RECORDED_AT).map_err(&wrong)?;
    let instants = instants.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_series();
    frame.with_column(instants.with_name(RECORDED_AT.into()).into()).map_err(&wrong)?;
    to_parquet(frame).map_err(wrong)
}

/// Returns a frame as Parquet.
pub(crate) fn to_parquet(frame: &mut DataFrame) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).set_parallel(false).finish(frame)?;
    Ok(bytes)
}

/// Returns the columns of rows as a table names their types; none in place of a type that no feed sends.
pub(super) fn kinds(frame: &DataFrame) -> impl Iterator<Item = (&str, Option<&'static str>)> {
    frame.columns().iter().map(|column| {
        let kind = match column.dtype() {
            _ if column.name() == RECORDED_AT => Some("timestamp"),
            DataType::String => Some("string"),
            DataType::Int64 => Some("long"),
            DataType::Float64 => Some("double"),
            DataType::Boolean => Some("boolean"),
            DataType::Date => Some("date"),
            DataType::Datetime(..) => Some("timestamp"),
            _ => None,
        };
        (column.name().as_str(), kind)
    })
}

/// Returns the type that a table's column has in a frame; instants are whole microseconds.
pub(super) fn frame_type(kind: &str) -> DataType {
    match kind {
        "long" | "timestamp" => DataType::Int64,
        "double" => DataType::Float64,
        "boolean" => DataType::Boolean,
        "date" => DataType::Date,
        _ => DataType::String,
    }
}

/// Reads files of a lake, none that is not the one that was written; instants come back as whole microseconds.
pub(super) fn read(
    directory: &Path,
    dataset: &str,
    files: &[FileEntry],
    schema: &Schema,
) -> Result<DataFrame, LakeError> {
    let wrong = frame_error(dataset);
    let empty = schema.iter().map(|(name, kind)| Column::new_empty(name.as_str().into(), kind)).collect();
    let mut all = DataFrame::new(0, empty).map_err(&wrong)?;
    // While one file is decoded, the next one is read and checked.
    let (sender, checked) = sync_channel(1);
    scope(|scope| {
        scope.spawn(move || {
            for file in files {
                let bytes = read_checked(directory, file);
                if sender.send(bytes.and_then(|bytes| bytes.ok_or_else(|| missing(directory, file)))).is_err() {
                    break;
                }
            }
        });
        for bytes in checked {
            all.vstack_mut_owned(decode(bytes?, schema).map_err(&wrong)?).map_err(&wrong)?;
        }
        Ok(all)
    })
}

/// Reads files of a lake one by one, as many at a time as there are processors, and hands each one's rows to what its
/// thread gathers; returns what the threads gathered.
///
/// The file that is decoded is the one whose checksum was compared: it is read once.
pub(super) fn read_each<S: Send, E: From<LakeError> + Send>(
    directory: &Path,
    dataset: &str,
    files: &[FileEntry],
    schema: &Schema,
    begin: impl Fn() -> S + Sync,
    take: impl Fn(&mut S, &FileEntry, DataFrame) -> Result<(), E> + Sync,
) -> Result<Vec<S>, E> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<S, E> {
        let mut gathered = begin();
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let bytes =
                read_checked(directory, file).and_then(|bytes| bytes.ok_or_else(|| missing(directory, file)))?;
            let rows = decode(bytes, schema).map_err(frame_error(dataset))?;
            take(&mut gathered, file, rows)?;
        }
        Ok(gathered)
    };
    let threads = available_parallelism().map_or(1, NonZero::get).min(files.len());
    crate::engine::on_own_threads(threads, work).into_iter().collect()
}

fn missing(directory: &Path, file: &FileEntry) -> LakeError {
    LakeError::Io { doing: "read", path: directory.join(&file.path), source: ErrorKind::NotFound.into() }
}

/// Reads the columns of a schema from Parquet; those that are not there are null.
fn decode(bytes: Vec<u8>, schema: &Schema) -> PolarsResult<DataFrame> {
    let mut reader = ParquetReader::new(Cursor::new(bytes));
    let present = reader.schema()?;
    let wanted: Vec<String> =
        schema.iter().map(|(name, _)| name.clone()).filter(|name| present.contains(name)).collect();
    let part = reader.with_columns(Some(wanted)).finish()?;
    let height = part.height();
    let columns = schema
        .iter()
        .map(|(name, kind)| match part.column(name) {
            Ok(column) => column.cast(kind),
            Err(_) => Ok(Column::full_null(name.as_str().into(), height, kind)),
        })
        .collect::<PolarsResult<Vec<Column>>>()?;
    DataFrame::new(height, columns)
}

/// Counts the different records of files.
pub(super) fn records(directory: &Path, dataset: &str, files: &[FileEntry]) -> Result<u64, LakeError> {
    let frame = read(directory, dataset, files, &vec![(RECORD.to_owned(), DataType::String)])?;
    let found = frame.column(RECORD).and_then(Column::n_unique).map_err(frame_error(dataset))?;
    Ok(u64::try_from(found).unwrap_or(u64::MAX))
}

/// Returns the positions that rows hold.
pub(super) fn positions(dataset: &str, bytes: Vec<u8>) -> Result<Vec<i64>, LakeError> {
    let wrong = frame_error(dataset);
    let frame = decode(bytes, &vec![(POSITION.to_owned(), DataType::Int64)]).map_err(&wrong)?;
    let positions = integers(&frame, POSITION).map_err(wrong)?;
    Ok(positions.iter().flatten().collect())
}
