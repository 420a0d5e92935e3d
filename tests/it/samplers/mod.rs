//! Samples of every register, for the tests that are written once for all of them: the conformance suite, and the
//! property test of what is said about a day.

mod community;
mod education;
mod filings;
mod health;
mod social_security;

use std::collections::BTreeSet;

use bytes::Bytes;
use chrono::NaiveDate;
use minsheng::registers::{self, Register};
use minsheng_proto::common::v1 as common;
use minsheng_testkit::{
    sampler::{Needed, Sample, Sampler},
    wire,
};
use prost::Message;
use prost_reflect::Value;

/// The samplers of all registers.
pub(crate) fn all() -> Vec<&'static dyn Sampler> {
    [social_security::SAMPLERS, education::SAMPLERS, health::SAMPLERS, community::SAMPLERS, filings::SAMPLERS].concat()
}

/// Returns the department in which a register is sampled.
pub(crate) fn department(register: &Register) -> &str {
    register.keeper.as_deref().unwrap_or(filings::DEPARTMENT)
}

#[test]
fn every_register_of_the_contracts_has_a_sampler() {
    let sampled: BTreeSet<&str> = all().iter().map(|sampler| sampler.register()).collect();
    let declared: BTreeSet<&str> = registers::names().into_iter().collect();
    assert_eq!(sampled, declared, "samplers on the left, the contracts' registers on the right");
}

fn sample(needs: Vec<Needed>, record: &impl Message) -> Sample {
    Sample { needs, record: bytes(record) }
}

fn need(register: &'static str, record: &impl Message) -> Needed {
    Needed { register, record: bytes(record) }
}

fn bytes(record: &impl Message) -> Bytes {
    Bytes::from(record.encode_to_vec())
}

#[expect(clippy::unnecessary_wraps, reason = "the contract's dates are optional")]
pub(crate) fn date(day: NaiveDate) -> Option<common::Date> {
    Some(wire::date(day))
}

#[expect(clippy::unnecessary_wraps, reason = "the contract's dates are optional")]
fn on(year: i32, month: i32, day: i32) -> Option<common::Date> {
    Some(common::Date { year, month, day })
}

fn numbers(values: impl IntoIterator<Item = i64>) -> Vec<Value> {
    values.into_iter().map(Value::I64).collect()
}

fn choices<E: Into<i32>>(values: impl IntoIterator<Item = E>) -> Vec<Value> {
    values.into_iter().map(|value| Value::EnumNumber(value.into())).collect()
}

fn switch() -> Vec<Value> {
    vec![Value::Bool(false), Value::Bool(true)]
}

fn texts(values: &[&str]) -> Vec<Value> {
    values.iter().map(|text| Value::String((*text).to_owned())).collect()
}
