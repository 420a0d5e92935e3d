//! How days, months, instants and numbers are written: ISO 8601, and numbers that come out the same on every run.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use minsheng_catalogue::wire::parse_date;
use serde::{Deserialize, Deserializer, Serializer};

pub use minsheng_catalogue::wire::{date, number, number_text, optional_date, optional_number, settle};

/// A month as `YYYY-MM`, held as its first day.
pub mod month {
    use super::{Deserialize, Deserializer, NaiveDate, Serializer};

    /// Writes the month.
    pub fn serialize<S: Serializer>(value: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&value.format("%Y-%m"))
    }

    /// Reads the month.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
        super::parse_date(&format!("{}-01", String::deserialize(deserializer)?))
    }
}

/// An instant as RFC 3339 in UTC.
pub mod instant {
    use super::{DateTime, Deserialize, Deserializer, SecondsFormat, Serializer, Utc};

    /// Writes the instant.
    pub fn serialize<S: Serializer>(value: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }

    /// Reads the instant.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        super::parse_instant(&String::deserialize(deserializer)?)
    }
}

/// Microseconds UTC, written as RFC 3339, or null.
pub mod optional_instant {
    use super::{Deserialize, Deserializer, Serializer};

    /// Writes the instant or null.
    pub fn serialize<S: Serializer>(value: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
        match value.and_then(super::instant_text) {
            Some(text) => serializer.serialize_str(&text),
            None => serializer.serialize_none(),
        }
    }

    /// Reads the instant or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
        Option::<String>::deserialize(deserializer)?
            .map(|text| super::parse_instant::<D::Error>(&text).map(|instant| instant.timestamp_micros()))
            .transpose()
    }
}

/// Returns microseconds UTC as RFC 3339, or none for an instant outside the calendar.
pub fn instant_text(micros: i64) -> Option<String> {
    DateTime::<Utc>::from_timestamp_micros(micros).map(|instant| instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

fn parse_instant<E: serde::de::Error>(text: &str) -> Result<DateTime<Utc>, E> {
    DateTime::parse_from_rfc3339(text)
        .map(|instant| instant.to_utc())
        .map_err(|_| E::custom(format!("not an instant: {text}")))
}
