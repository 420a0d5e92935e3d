//! Invented people. A number stands for one person, whatever register it is used in.

use chrono::{Days, NaiveDate};
use minsheng_kit::values::identifiers::ResidentId;

use super::day_of;

/// People of one span of birth days that differ in the number's own sequence.
const SEQUENCES: u64 = 1000;

/// A span of birth days.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ages {
    first: NaiveDate,
    days: u64,
}

/// Of working age throughout the records.
pub(super) const WORKING: Ages = Ages { first: day_of(1968, 1, 1), days: 13_000 };
/// Sixty and over throughout the records.
pub(super) const ELDERS: Ages = Ages { first: day_of(1935, 1, 1), days: 9_500 };
/// Of school age throughout the records.
pub(super) const PUPILS: Ages = Ages { first: day_of(2008, 1, 1), days: 4_000 };
/// Adults of all ages, in households on assistance.
pub(super) const ADULTS: Ages = Ages { first: day_of(1995, 1, 1), days: 4_300 };

/// A step that visits every day of a span before it comes back to the first, since it divides none of the lengths.
const STEP: u64 = 7_919;

/// Returns the identity number of a person of an age, by number.
pub(super) fn resident_id(ages: Ages, number: u64) -> String {
    let birth = ages.first + Days::new((number % ages.days) * STEP % ages.days);
    let sequence = u16::try_from(number / ages.days % SEQUENCES).unwrap_or_default();
    ResidentId::synthetic(birth, sequence).map(|id| id.expose().to_owned()).unwrap_or_default()
}
