//! What a register brings to the property test.

use bytes::Bytes;
use chrono::{Datelike as _, NaiveDate};
use minsheng_kit::values::{
    divisions::{AreaCode, Divisions},
    identifiers::ResidentId,
};
use minsheng_proto::common::v1 as common;
use prost::Message;
use prost_reflect::Value;

use super::{community, education, filings, health, social_security};

/// The first day of the window, on which sampled contents begin where the caller names no day.
pub(super) const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2025, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// Where one history takes place: a county of its own.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Number of the history within its register.
    pub(super) number: u16,
    /// Six digits.
    pub(super) county: String,
    /// By the table of divisions.
    pub(super) border: bool,
}

impl Place {
    /// Returns the place of a history; no two histories of a register share a county.
    pub(super) fn of(number: u16) -> Self {
        let counties = Divisions::get().counties_of(AreaCode::parse("540000").expect("the region"));
        let county = counties[usize::from(number)];
        Self { number, county: county.as_str().to_owned(), border: Divisions::get().is_border(county) }
    }

    /// Names a record of this history, `schools/aid-3`.
    pub(super) fn name(&self, register: &str, owner: &str) -> String {
        format!("{register}/{owner}-{}", self.number)
    }

    /// Returns an invented person of this history.
    pub(super) fn person(&self, born: i32, which: u16) -> String {
        let born = NaiveDate::from_ymd_opt(born, 3, 1 + u32::from(which % 28)).expect("a day");
        let person = ResidentId::synthetic(born, self.number * 10 + which / 28).expect("a person");
        person.expose().to_owned()
    }
}

/// A record that is created before a history begins, and stays as it is.
pub(super) struct Needed {
    pub(super) register: &'static str,
    pub(super) record: Bytes,
}

/// A record of a register, and what it refers to in the order in which it is created.
pub(super) struct Sample {
    pub(super) needs: Vec<Needed>,
    pub(super) record: Bytes,
}

/// A question about a record on a day.
pub(super) enum Question {
    /// A register takes this item if and only if the record is in force on the day.
    Takes { register: &'static str, item: Bytes },
    /// The record's own register takes this item, which has the same key, if and only if the record is in force neither
    /// on the day nor later.
    KeyIsFree { item: Bytes },
    /// A department says yes if and only if the record is in force on the day.
    Asks { caller: &'static str, department: &'static str, path: &'static str, request: Bytes, yes: fn(Bytes) -> bool },
}

/// Samples of one register.
pub(super) trait Sampler: Sync {
    /// As in record names.
    fn register(&self) -> &'static str;

    /// Returns a valid record that begins on [`FIRST_DAY`] where nothing else is said, and may begin on any other.
    fn sample(&self, place: &Place, name: &str) -> Sample;

    /// Lists fields of the dataset that may change by themselves, each with values that keep the record valid.
    fn variations(&self) -> Vec<(&'static str, Vec<Value>)>;

    /// Reports whether the content names its first day, so that a creation need not.
    fn names_its_first_day(&self) -> bool {
        true
    }

    /// Lists what can be asked about a record on a day.
    fn questions(&self, _place: &Place, _name: &str, _day: NaiveDate) -> Vec<Question> {
        Vec::new()
    }
}

/// The samplers of all registers.
pub(super) fn all() -> Vec<&'static dyn Sampler> {
    [social_security::SAMPLERS, education::SAMPLERS, health::SAMPLERS, community::SAMPLERS, filings::SAMPLERS].concat()
}

pub(super) fn sample(needs: Vec<Needed>, record: &impl Message) -> Sample {
    Sample { needs, record: bytes(record) }
}

pub(super) fn need(register: &'static str, record: &impl Message) -> Needed {
    Needed { register, record: bytes(record) }
}

pub(super) fn bytes(record: &impl Message) -> Bytes {
    Bytes::from(record.encode_to_vec())
}

#[expect(clippy::unnecessary_wraps, reason = "the contract's dates are optional")]
pub(super) fn date(day: NaiveDate) -> Option<common::Date> {
    let part = |number: u32| i32::try_from(number).unwrap_or_default();
    Some(common::Date { year: day.year(), month: part(day.month()), day: part(day.day()) })
}

#[expect(clippy::unnecessary_wraps, reason = "the contract's dates are optional")]
pub(super) fn on(year: i32, month: i32, day: i32) -> Option<common::Date> {
    Some(common::Date { year, month, day })
}

pub(super) fn numbers(values: impl IntoIterator<Item = i64>) -> Vec<Value> {
    values.into_iter().map(Value::I64).collect()
}

pub(super) fn choices<E: Into<i32>>(values: impl IntoIterator<Item = E>) -> Vec<Value> {
    values.into_iter().map(|value| Value::EnumNumber(value.into())).collect()
}

pub(super) fn switch() -> Vec<Value> {
    vec![Value::Bool(false), Value::Bool(true)]
}

pub(super) fn texts(values: &[&str]) -> Vec<Value> {
    values.iter().map(|text| Value::String((*text).to_owned())).collect()
}
