//! Turns journal entries into Arrow batches: the one mechanism for every dataset.
//!
//! The schema follows from the dataset's row message. Payloads are read from the wire straight into column builders,
//! without making messages first: rows are flat by contract, so this is a loop over tags.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, RecordBatch, StringBuilder,
        TimestampMicrosecondBuilder,
    },
    datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit},
};
use chrono::NaiveDate;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::feed::JournalRecord;
use crate::values::calendar::epoch_day;

/// A payload that is not what its dataset's contract says.
#[derive(Debug, thiserror::Error)]
pub enum ColumnsError {
    /// A row message has a field that cannot be a column.
    #[error("field {0} cannot be a column of a dataset")]
    NotFlat(String),
    /// A payload could not be read.
    #[error("payload at position {position} cannot be read")]
    Payload {
        /// Position of the entry.
        position: i64,
        /// What the decoder said.
        #[source]
        source: prost::DecodeError,
    },
    /// The columns did not fit together.
    #[error("batch cannot be built")]
    Batch(#[from] arrow::error::ArrowError),
}

/// Knows a dataset's columns.
#[derive(Clone, Debug)]
pub struct Columns {
    schema: SchemaRef,
    fields: Arc<[Column]>,
    /// Index into `fields` by field number.
    by_number: Arc<[Option<usize>]>,
}

#[derive(Clone, Debug)]
struct Column {
    kind: ColumnKind,
    /// True when an absent field is null and not its default.
    optional: bool,
}

#[derive(Clone, Debug)]
enum ColumnKind {
    Text,
    Integer,
    Double,
    Boolean,
    /// Short names by number.
    Enumeration(Arc<[(i32, Option<String>)]>),
    Date,
}

enum Builder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
    Date(Date32Builder),
}

/// A field of one row while it is being read.
#[derive(Clone, Debug, Default)]
enum Cell {
    #[default]
    Absent,
    Text(String),
    Integer(i64),
    Double(f64),
    Boolean(bool),
    Date(i32),
}

impl Columns {
    /// Works out the columns of a row message.
    pub fn of(row: &MessageDescriptor) -> Result<Self, ColumnsError> {
        let mut schema = vec![
            Field::new("_position", DataType::Int64, false),
            Field::new("_record", DataType::Utf8, false),
            Field::new("_assertion", DataType::Int64, false),
            Field::new("_diff", DataType::Int64, false),
            Field::new("_from", DataType::Date32, false),
            Field::new("_until", DataType::Date32, true),
            Field::new("_ended", DataType::Boolean, false),
            Field::new("_recorded_at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
            Field::new("_area", DataType::Utf8, false),
        ];
        let mut columns = Vec::new();
        let mut by_number: Vec<Option<usize>> = Vec::new();
        for field in row.fields() {
            let column = Column::of(&field)?;
            let data_type = match column.kind {
                ColumnKind::Text | ColumnKind::Enumeration(_) => DataType::Utf8,
                ColumnKind::Integer => DataType::Int64,
                ColumnKind::Double => DataType::Float64,
                ColumnKind::Boolean => DataType::Boolean,
                ColumnKind::Date => DataType::Date32,
            };
            schema.push(Field::new(field.name(), data_type, true));
            let number = field.number() as usize;
            if by_number.len() <= number {
                by_number.resize(number + 1, None);
            }
            by_number[number] = Some(columns.len());
            columns.push(column);
        }
        Ok(Self { schema: Arc::new(Schema::new(schema)), fields: columns.into(), by_number: by_number.into() })
    }

    /// Returns the Arrow schema.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Builds one batch out of entries, in their order.
    pub fn batch(&self, records: &[JournalRecord]) -> Result<RecordBatch, ColumnsError> {
        let rows = records.len();
        let mut position = Int64Builder::with_capacity(rows);
        let mut record_id = StringBuilder::with_capacity(rows, rows * 36);
        let mut assertion = Int64Builder::with_capacity(rows);
        let mut diff = Int64Builder::with_capacity(rows);
        let mut from = Date32Builder::with_capacity(rows);
        let mut until = Date32Builder::with_capacity(rows);
        let mut ended = BooleanBuilder::with_capacity(rows);
        let mut recorded_at = TimestampMicrosecondBuilder::with_capacity(rows).with_timezone("UTC");
        let mut area = StringBuilder::with_capacity(rows, rows * 6);
        let mut builders: Vec<Builder> = self.fields.iter().map(|column| column.builder(rows)).collect();
        let mut cells = vec![Cell::Absent; self.fields.len()];
        for record in records {
            position.append_value(record.position);
            record_id.append_value(&record.record);
            assertion.append_value(record.assertion);
            diff.append_value(record.diff);
            from.append_value(i32::try_from(record.valid_from).unwrap_or(i32::MAX));
            // The greatest number stands for no end.
            until.append_option(i32::try_from(record.valid_until).ok());
            ended.append_value(record.ended);
            recorded_at.append_value(record.recorded_at);
            area.append_value(&record.area);
            cells.fill(Cell::Absent);
            self.read(&record.payload, &mut cells)
                .map_err(|source| ColumnsError::Payload { position: record.position, source })?;
            for ((column, builder), cell) in self.fields.iter().zip(&mut builders).zip(&mut cells) {
                builder.append(column, std::mem::take(cell));
            }
        }
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(position.finish()),
            Arc::new(record_id.finish()),
            Arc::new(assertion.finish()),
            Arc::new(diff.finish()),
            Arc::new(from.finish()),
            Arc::new(until.finish()),
            Arc::new(ended.finish()),
            Arc::new(recorded_at.finish()),
            Arc::new(area.finish()),
        ];
        arrays.extend(builders.into_iter().map(Builder::finish));
        Ok(RecordBatch::try_new(self.schema(), arrays)?)
    }

    /// Reads a payload's fields from the wire.
    fn read(&self, mut payload: &[u8], cells: &mut [Cell]) -> Result<(), prost::DecodeError> {
        let wire = &mut payload;
        while !wire.is_empty() {
            let (tag, wire_type) = decode_key(wire)?;
            let Some(index) = self.by_number.get(tag as usize).copied().flatten() else {
                skip_field(wire_type, tag, wire, DecodeContext::default())?;
                continue;
            };
            let column = &self.fields[index];
            cells[index] = match (&column.kind, wire_type) {
                (ColumnKind::Text, WireType::LengthDelimited) => {
                    let mut text = String::new();
                    prost::encoding::string::merge(wire_type, &mut text, wire, DecodeContext::default())?;
                    Cell::Text(text)
                }
                (ColumnKind::Integer | ColumnKind::Enumeration(_), WireType::Varint) => {
                    Cell::Integer(decode_varint(wire)?.cast_signed())
                }
                (ColumnKind::Boolean, WireType::Varint) => Cell::Boolean(decode_varint(wire)? != 0),
                (ColumnKind::Double, WireType::SixtyFourBit) => {
                    let mut number = 0.0;
                    prost::encoding::double::merge(wire_type, &mut number, wire, DecodeContext::default())?;
                    Cell::Double(number)
                }
                (ColumnKind::Date, WireType::LengthDelimited) => {
                    let mut date = minsheng_proto::common::v1::Date::default();
                    prost::encoding::message::merge(wire_type, &mut date, wire, DecodeContext::default())?;
                    day(&date).map_or(Cell::Absent, Cell::Date)
                }
                _ => {
                    skip_field(wire_type, tag, wire, DecodeContext::default())?;
                    Cell::Absent
                }
            };
        }
        Ok(())
    }
}

fn day(date: &minsheng_proto::common::v1::Date) -> Option<i32> {
    let day = NaiveDate::from_ymd_opt(date.year, date.month.try_into().ok()?, date.day.try_into().ok()?)?;
    i32::try_from(epoch_day(day)).ok()
}

impl Column {
    fn of(field: &FieldDescriptor) -> Result<Self, ColumnsError> {
        let not_flat = || ColumnsError::NotFlat(field.full_name().to_owned());
        if field.is_list() || field.is_map() {
            return Err(not_flat());
        }
        let kind = match field.kind() {
            Kind::String => ColumnKind::Text,
            Kind::Int32 | Kind::Int64 => ColumnKind::Integer,
            Kind::Double => ColumnKind::Double,
            Kind::Bool => ColumnKind::Boolean,
            Kind::Enum(values) => ColumnKind::Enumeration(
                values.values().map(|value| (value.number(), minsheng_proto::short_value_name(&value))).collect(),
            ),
            Kind::Message(message) if message.full_name() == "minsheng.common.v1.Date" => ColumnKind::Date,
            _ => return Err(not_flat()),
        };
        Ok(Self { kind, optional: field.supports_presence() })
    }

    fn builder(&self, rows: usize) -> Builder {
        match self.kind {
            ColumnKind::Text | ColumnKind::Enumeration(_) => {
                Builder::Text(StringBuilder::with_capacity(rows, rows * 16))
            }
            ColumnKind::Integer => Builder::Integer(Int64Builder::with_capacity(rows)),
            ColumnKind::Double => Builder::Double(Float64Builder::with_capacity(rows)),
            ColumnKind::Boolean => Builder::Boolean(BooleanBuilder::with_capacity(rows)),
            ColumnKind::Date => Builder::Date(Date32Builder::with_capacity(rows)),
        }
    }
}

impl Builder {
    fn append(&mut self, column: &Column, cell: Cell) {
        let absent = matches!(cell, Cell::Absent);
        match (self, cell) {
            (Self::Text(builder), Cell::Text(text)) => builder.append_value(text),
            (Self::Text(builder), Cell::Integer(number)) => {
                builder.append_option(column.value_name(number));
            }
            (Self::Text(builder), _) => {
                let empty = absent && !column.optional && matches!(column.kind, ColumnKind::Text);
                builder.append_option(empty.then_some(""));
            }
            (Self::Integer(builder), Cell::Integer(number)) => builder.append_value(number),
            (Self::Integer(builder), _) => builder.append_option((!column.optional).then_some(0)),
            (Self::Double(builder), Cell::Double(number)) => builder.append_value(number),
            (Self::Double(builder), _) => builder.append_option((!column.optional).then_some(0.0)),
            (Self::Boolean(builder), Cell::Boolean(value)) => builder.append_value(value),
            (Self::Boolean(builder), _) => builder.append_option((!column.optional).then_some(false)),
            (Self::Date(builder), Cell::Date(day)) => builder.append_value(day),
            (Self::Date(builder), _) => builder.append_null(),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Integer(mut builder) => Arc::new(builder.finish()),
            Self::Double(mut builder) => Arc::new(builder.finish()),
            Self::Boolean(mut builder) => Arc::new(builder.finish()),
            Self::Date(mut builder) => Arc::new(builder.finish()),
        }
    }
}

impl Column {
    fn value_name(&self, number: i64) -> Option<&str> {
        let ColumnKind::Enumeration(values) = &self.kind else { return None };
        let number = i32::try_from(number).ok()?;
        values.iter().find(|(value, _)| *value == number).and_then(|(_, name)| name.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray as _;
    use arrow::datatypes::{Date32Type, Float64Type, Int64Type};
    use minsheng_proto::{common::v1 as common, datasets, returns::v1 as returns};

    use super::*;

    fn record(position: i64, row: &impl prost::Message) -> JournalRecord {
        JournalRecord {
            position,
            record: format!("r{position}"),
            assertion: 0,
            diff: 1,
            valid_from: 20_000,
            valid_until: crate::register::FOREVER,
            ended: false,
            recorded_at: 1,
            area: "540102".into(),
            payload: row.encode_to_vec(),
        }
    }

    #[test]
    fn every_dataset_of_the_contract_has_columns() {
        for dataset in datasets() {
            Columns::of(&dataset.row).unwrap_or_else(|error| panic!("{}: {error}", dataset.name));
        }
    }

    #[test]
    fn absent_optional_figures_are_null_and_other_absent_fields_are_their_default() {
        let row = datasets().into_iter().find(|d| d.name == "returns").expect("in the contract").row;
        let columns = Columns::of(&row).expect("flat");
        let full = returns::ReturnRow {
            commitment: "elder-meal-points".into(),
            measure: String::new(),
            month_from: Some(common::Date { year: 1970, month: 1, day: 11 }),
            numerator: Some(0.0),
            denominator: None,
            value: None,
            return_state: returns::ReturnState::Approved.into(),
            confidence: 0,
            source: "x".into(),
        };
        let batch = columns.batch(&[record(1, &full), record(2, &returns::ReturnRow::default())]).expect("flat");
        let column = |name: &str| batch.column_by_name(name).expect("in the schema").clone();
        assert_eq!(column("_position").as_primitive::<Int64Type>().values(), &[1, 2]);
        assert_eq!(column("month_from").as_primitive::<Date32Type>().value(0), 10);
        assert!(column("month_from").is_null(1));
        assert!(column("numerator").as_primitive::<Float64Type>().value(0).abs() < f64::EPSILON);
        assert!(!column("numerator").is_null(0));
        assert!(column("numerator").is_null(1));
        assert!(column("denominator").is_null(0));
        assert_eq!(column("return_state").as_string::<i32>().value(0), "APPROVED");
        assert!(column("return_state").is_null(1));
        assert_eq!(column("measure").as_string::<i32>().value(0), "");
        assert!(column("confidence").is_null(0));
    }

    #[test]
    fn a_damaged_payload_is_an_error_that_names_its_position() {
        let row = datasets().into_iter().find(|d| d.name == "returns").expect("in the contract").row;
        let columns = Columns::of(&row).expect("flat");
        let mut damaged = record(7, &returns::ReturnRow::default());
        damaged.payload = vec![0x0a, 0xff];
        let error = columns.batch(&[damaged]).expect_err("damaged");
        assert!(error.to_string().contains("position 7"), "{error}");
    }
}
