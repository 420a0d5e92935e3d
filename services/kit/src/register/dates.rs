//! The contract's dates and timestamps, and the store's days and microseconds.

use chrono::{Datelike as _, NaiveDate};
use minsheng_proto::common::v1 as pb;

use crate::{
    error::Violations,
    values::calendar::{day_of_epoch, day_of_instant, epoch_day, first_of_month, last_of_month},
};

/// Makes the contract's date of a stored day.
pub fn date(day: i64) -> Option<pb::Date> {
    let day = day_of_epoch(day)?;
    Some(pb::Date { year: day.year(), month: i32::try_from(day.month()).ok()?, day: i32::try_from(day.day()).ok()? })
}

/// Reads a contract's date; nothing when there is no such day.
pub fn day(date: &pb::Date) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(date.year, date.month.try_into().ok()?, date.day.try_into().ok()?)
}

/// Reads a date that must be there, as a stored day; notes a violation otherwise and gives 0.
pub fn required_day(field: &str, date: Option<&pb::Date>, violations: &mut Violations) -> i64 {
    if let Some(date) = date {
        day(date).map_or_else(
            || {
                violations.add(field, "NO_SUCH_DAY", "is not a day of the calendar", "日期不存在");
                0
            },
            epoch_day,
        )
    } else {
        violations.add(field, "REQUIRED", "is required", "必填");
        0
    }
}

/// Reads a date that may be absent, as a stored day.
pub fn optional_day(field: &str, date: Option<&pb::Date>, violations: &mut Violations) -> Option<i64> {
    date.map(|date| required_day(field, Some(date), violations))
}

/// Returns the first day of a contract's month, as a stored day.
pub fn month_start(month: &pb::YearMonth) -> Option<i64> {
    NaiveDate::from_ymd_opt(month.year, month.month.try_into().ok()?, 1).map(|day| epoch_day(first_of_month(day)))
}

/// Returns the last day of a contract's month, as a stored day.
pub fn month_end(month: &pb::YearMonth) -> Option<i64> {
    NaiveDate::from_ymd_opt(month.year, month.month.try_into().ok()?, 1).map(|day| epoch_day(last_of_month(day)))
}

/// Makes the contract's timestamp of a stored instant.
pub fn timestamp(micros: i64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1000).unwrap_or(0),
    }
}

/// Returns the day of an instant in Asia/Shanghai.
pub fn today(micros: i64) -> NaiveDate {
    day_of_instant(micros).unwrap_or_default()
}
