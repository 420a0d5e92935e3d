//! The day that it is.

use chrono::{NaiveDate, Utc};
use minsheng_kit::values::calendar::day_of_instant;

/// Returns today in China.
pub fn today() -> NaiveDate {
    let now = Utc::now();
    day_of_instant(now.timestamp_micros()).unwrap_or_else(|| now.date_naive())
}
