//! How days and numbers are written: ISO 8601, and numbers that come out the same on every run.
//!
//! Sums of the same records may differ in their last bits when they were added up in another order, so numbers are
//! settled to twelve significant digits before they are written; whole numbers are written without a fraction.

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serializer};

/// Returns the number at twelve significant digits, never a negative zero.
pub fn settle(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    // A whole number of at most twelve digits is settled as it is, and the common case.
    if !value.is_finite() || (value.fract() == 0.0 && value.abs() < 1e12) {
        return value;
    }
    format!("{value:.11e}").parse().unwrap_or(value)
}

/// The whole number that the value is exactly, where a double holds it without loss.
fn whole(value: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "checked: no fraction, below 2^53")]
    (value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0).then_some(value as i64)
}

/// Returns the number as text: twelve significant digits at most, no fraction for a whole number.
pub fn number_text(value: f64) -> String {
    let settled = settle(value);
    whole(settled).map_or_else(|| settled.to_string(), |whole| whole.to_string())
}

fn write_number<S: Serializer>(value: f64, serializer: S) -> Result<S::Ok, S::Error> {
    let settled = settle(value);
    if !settled.is_finite() {
        return serializer.serialize_none();
    }
    match whole(settled) {
        Some(whole) => serializer.serialize_i64(whole),
        None => serializer.serialize_f64(settled),
    }
}

/// A number that is always there.
pub mod number {
    use super::{Deserialize, Deserializer, Serializer};

    /// Writes the settled number.
    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        super::write_number(*value, serializer)
    }

    /// Reads a number.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        f64::deserialize(deserializer)
    }
}

/// A number that may be absent.
pub mod optional_number {
    use super::{Deserialize, Deserializer, Serializer};

    /// Writes the settled number or null.
    pub fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::write_number(*value, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a number or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        Option::deserialize(deserializer)
    }
}

/// A day as `YYYY-MM-DD`.
pub mod date {
    use super::{Deserialize, Deserializer, NaiveDate, Serializer};

    /// Writes the day.
    pub fn serialize<S: Serializer>(value: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    /// Reads the day.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
        super::parse_date(&String::deserialize(deserializer)?)
    }
}

/// A day or null.
pub mod optional_date {
    use super::{Deserialize, Deserializer, NaiveDate, Serializer};

    /// Writes the day or null.
    pub fn serialize<S: Serializer>(value: &Option<NaiveDate>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(day) => serializer.collect_str(day),
            None => serializer.serialize_none(),
        }
    }

    /// Reads the day or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
        Option::<String>::deserialize(deserializer)?.map(|text| super::parse_date(&text)).transpose()
    }
}

/// Reads a day as `YYYY-MM-DD`.
pub fn parse_date<E: serde::de::Error>(text: &str) -> Result<NaiveDate, E> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| E::custom(format!("not a day: {text}")))
}

#[cfg(test)]
mod tests {
    use super::{number_text, settle};

    #[test]
    fn numbers_that_differ_only_in_their_last_bits_are_written_the_same() {
        assert_eq!(number_text(0.1 + 0.2), "0.3");
        assert_eq!(number_text(85.0), "85");
        assert_eq!(number_text(-0.0), "0");
        assert_eq!(number_text(726.0 / 855.0 * 100.0), "84.9122807018");
        assert!((settle(1e300) - 1e300).abs() < 1e288);
    }
}
