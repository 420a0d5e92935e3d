//! Rows as columns: from the feed's batches into files and back.
//!
//! The feed speaks one Arrow implementation and the statistics another; batches cross over as an IPC stream in
//! memory, which both read and which needs no unsafe code.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType as ArrowType, Field};
use arrow::ipc::writer::StreamWriter;
use chrono::{DateTime, Datelike as _, Utc};
use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Int64Chunked, IpcStreamReader, NewChunkedArray as _, ParquetReader,
    ParquetWriter, PolarsResult, SerReader as _, SortMultipleOptions, TimeUnit,
};

use super::LakeError;

/// A column that is wanted from the lake.
pub type SchemaColumn = (String, DataType);

/// The columns that are wanted from the lake.
pub type Schema = Vec<SchemaColumn>;

const POSITION: &str = "_position";
const RECORD: &str = "_record";
const RECORDED_AT: &str = "_recorded_at";
/// What every row has beside its dataset's own columns.
const JOURNAL_COLUMNS: [&str; 9] =
    [POSITION, RECORD, "_assertion", "_diff", "_from", "_until", "_ended", RECORDED_AT, "_area"];

fn frame_error(dataset: &str) -> impl Fn(polars::prelude::PolarsError) -> LakeError {
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
    for required in JOURNAL_COLUMNS {
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
            fields.push(Arc::new(Field::new(field.name(), ArrowType::Int64, field.is_nullable())));
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

/// Writes rows as Parquet; instants are written as such.
pub(super) fn write(dataset: &str, file: &File, frame: &mut DataFrame) -> Result<(), LakeError> {
    let wrong = frame_error(dataset);
    let instants = frame
        .column(RECORDED_AT)
        .and_then(|column| column.cast(&DataType::Datetime(TimeUnit::Microseconds, None)))
        .map_err(&wrong)?;
    frame.with_column(instants).map_err(&wrong)?;
    ParquetWriter::new(file).set_parallel(false).finish(frame).map_err(wrong)?;
    Ok(())
}

/// Reads files; instants come back as whole microseconds.
pub(super) fn read(dataset: &str, paths: &[PathBuf], schema: &Schema) -> Result<DataFrame, LakeError> {
    let wrong = frame_error(dataset);
    let empty = schema.iter().map(|(name, kind)| Column::new_empty(name.as_str().into(), kind)).collect();
    let mut all = DataFrame::new(0, empty).map_err(&wrong)?;
    for path in paths {
        let file = File::open(path).map_err(|source| LakeError::Io { doing: "read", path: path.clone(), source })?;
        let mut reader = ParquetReader::new(file);
        let present = reader.schema().map_err(&wrong)?;
        let wanted: Vec<String> =
            schema.iter().map(|(name, _)| name.clone()).filter(|name| present.contains(name)).collect();
        let part = reader.with_columns(Some(wanted)).finish().map_err(&wrong)?;
        let height = part.height();
        let columns = schema
            .iter()
            .map(|(name, kind)| match part.column(name) {
                Ok(column) => column.cast(kind),
                Err(_) => Ok(Column::full_null(name.as_str().into(), height, kind)),
            })
            .collect::<PolarsResult<Vec<Column>>>()
            .map_err(&wrong)?;
        all.vstack_mut_owned(DataFrame::new(height, columns).map_err(&wrong)?).map_err(&wrong)?;
    }
    Ok(all)
}

/// Counts the different records of files.
pub(super) fn records(dataset: &str, paths: &[PathBuf]) -> Result<u64, LakeError> {
    let frame = read(dataset, paths, &vec![(RECORD.to_owned(), DataType::String)])?;
    let found = frame.column(RECORD).and_then(Column::n_unique).map_err(frame_error(dataset))?;
    Ok(u64::try_from(found).unwrap_or(u64::MAX))
}

/// Returns the positions that files hold.
pub(super) fn positions(dataset: &str, paths: &[PathBuf]) -> Result<Vec<i64>, LakeError> {
    let frame = read(dataset, paths, &vec![(POSITION.to_owned(), DataType::Int64)])?;
    let positions = integers(&frame, POSITION).map_err(frame_error(dataset))?;
    Ok(positions.iter().flatten().collect())
}
