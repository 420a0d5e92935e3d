//! Days, instants and working days (工作日).
//!
//! A day is a [`NaiveDate`]; the store holds it as days since 1970-01-01 and an instant as microseconds since then,
//! UTC. The day of an instant is the day in China, eight hours ahead of UTC and without summer time.
//!
//! Working days follow the State Council's holiday notices: statutory holidays are off, and the make-up days
//! (调休上班) that the notices name are worked although they fall on a weekend. A day of a year whose notice is
//! not in the table is an error and never a guess, because a guessed deadline is a wrong deadline.
//!
//! The region's own holidays (Losar 藏历新年, Shoton 雪顿节 and others) are announced by the regional government
//! year by year. No such notice is in the table; an entry has an `area` for them, and [`Calendar::from_toml`]
//! takes the entries of the area it is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, Weekday};
use serde::Deserialize;

use super::divisions::{AreaCode, Divisions};
use super::parameters::Confidence;

/// China's distance from UTC.
const CHINA_STANDARD_TIME: TimeDelta = TimeDelta::hours(8);

/// Returns the day as stored: days since 1970-01-01.
pub fn epoch_day(day: NaiveDate) -> i64 {
    day.signed_duration_since(NaiveDate::default()).num_days()
}

/// Reads a day as stored; none if it lies outside the calendar (some 260,000 years either way).
pub fn day_of_epoch(days: i64) -> Option<NaiveDate> {
    NaiveDate::default().checked_add_signed(TimeDelta::try_days(days)?)
}

/// Returns the day in China of an instant, in microseconds since 1970-01-01 UTC.
pub fn day_of_instant(micros: i64) -> Option<NaiveDate> {
    let there = DateTime::from_timestamp_micros(micros)?.checked_add_signed(CHINA_STANDARD_TIME)?;
    Some(there.date_naive())
}

/// Returns the instant at which a day begins in China, in microseconds since 1970-01-01 UTC.
pub fn start_of_day_micros(day: NaiveDate) -> i64 {
    (day.and_time(NaiveTime::MIN).and_utc().timestamp_micros()) - CHINA_STANDARD_TIME.num_seconds() * 1_000_000
}

/// Returns the first day of the month of a day.
pub fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).expect("every month has a first day")
}

/// Returns the last day of the month of a day.
pub fn last_of_month(day: NaiveDate) -> NaiveDate {
    let length = u32::from(day.num_days_in_month());
    day.with_day(length).expect("every month has as many days as it has")
}

/// Adds months; where the target month is shorter, its last day (31 January and one month is 28 February).
///
/// None if the result lies outside the calendar.
pub fn add_months(day: NaiveDate, months: u32) -> Option<NaiveDate> {
    day.checked_add_months(Months::new(months))
}

/// A number of working days, so that nobody adds it to a date as if it were days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkingDays(pub u32);

/// Why the calendar cannot answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The holiday notice of the year is not in the table.
    #[error("the holidays of {year} are not in the calendar")]
    YearNotCovered {
        /// The year asked for.
        year: i32,
    },
    /// A period was asked for whose end comes before its start.
    #[error("the end of the period comes before its start")]
    EndBeforeStart,
    /// The table does not read.
    #[error("the calendar's table does not read: {0}")]
    Table(String),
    /// The table contradicts itself.
    #[error("the calendar's table says of {day}: {rule}")]
    Contradiction {
        /// The day in question.
        day: NaiveDate,
        /// What is wrong with it.
        rule: &'static str,
    },
}

impl CalendarError {
    /// Returns the stable reason, for error details and for tests.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::YearNotCovered { .. } => "CALENDAR_YEAR_NOT_COVERED",
            Self::EndBeforeStart => "CALENDAR_END_BEFORE_START",
            Self::Table(_) => "CALENDAR_TABLE",
            Self::Contradiction { .. } => "CALENDAR_CONTRADICTION",
        }
    }

    /// Returns the message in Chinese.
    pub fn message_zh(&self) -> String {
        match self {
            Self::YearNotCovered { year } => format!("日历中没有{year}年的节假日安排"),
            Self::EndBeforeStart => "期间的终止日早于起始日".to_owned(),
            Self::Table(text) => format!("节假日表无法读取：{text}"),
            Self::Contradiction { day, rule } => format!("节假日表中{day}自相矛盾：{rule}"),
        }
    }
}

/// A holiday notice of one year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolidayNotice {
    /// Where it was published.
    pub source: String,
    /// How sure the table is of it.
    pub confidence: Confidence,
}

/// Statutory holidays and make-up working days, year by year.
#[derive(Debug, Clone)]
pub struct Calendar {
    notices: BTreeMap<i32, HolidayNotice>,
    holidays: BTreeMap<NaiveDate, String>,
    make_up: BTreeSet<NaiveDate>,
}

static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| {
    Calendar::from_toml(include_str!("../data/holidays.toml"), Divisions::get().region())
        .expect("the compiled-in table is well-formed, as a test shows")
});

impl Calendar {
    /// Returns the compiled-in calendar of the region.
    pub fn get() -> &'static Self {
        &CALENDAR
    }

    /// Reads a table: the national notices and those holidays whose `area` contains or is `area`.
    pub fn from_toml(text: &str, area: AreaCode) -> Result<Self, CalendarError> {
        let table: Table = toml::from_str(text).map_err(|error| CalendarError::Table(error.to_string()))?;
        let mut calendar = Self { notices: BTreeMap::new(), holidays: BTreeMap::new(), make_up: BTreeSet::new() };
        for year in table.year {
            for holiday in &year.holiday {
                let here = match &holiday.area {
                    Some(code) => code.contains(area),
                    None => true,
                };
                if here {
                    calendar.take(year.year, holiday)?;
                }
            }
            let notice = HolidayNotice { source: year.source, confidence: year.confidence };
            calendar.notices.insert(year.year, notice);
        }
        match calendar.make_up.iter().find(|day| calendar.holidays.contains_key(day)) {
            Some(day) => Err(CalendarError::Contradiction { day: *day, rule: "both a holiday and worked" }),
            None => Ok(calendar),
        }
    }

    /// Returns the years that the calendar covers, with their notices.
    pub fn notices(&self) -> impl Iterator<Item = (i32, &HolidayNotice)> {
        self.notices.iter().map(|(year, notice)| (*year, notice))
    }

    /// Returns the Chinese name of the holiday that a day belongs to, if it belongs to one.
    pub fn holiday_on(&self, day: NaiveDate) -> Result<Option<&str>, CalendarError> {
        self.covered(day)?;
        Ok(self.holidays.get(&day).map(String::as_str))
    }

    /// Reports whether offices work on a day.
    pub fn is_working_day(&self, day: NaiveDate) -> Result<bool, CalendarError> {
        self.covered(day)?;
        let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        Ok(self.make_up.contains(&day) || (!weekend && !self.holidays.contains_key(&day)))
    }

    /// Returns the day on which a period of working days that starts on `from` ends.
    ///
    /// The day of the start does not count (民法典 201): what is due one working day from a Monday is due on the
    /// Tuesday, if that is worked. Zero working days end on `from` itself.
    pub fn add_working_days(&self, from: NaiveDate, count: WorkingDays) -> Result<NaiveDate, CalendarError> {
        let mut day = from;
        let mut left = count.0;
        while left > 0 {
            day = next(day)?;
            if self.is_working_day(day)? {
                left -= 1;
            }
        }
        Ok(day)
    }

    /// Counts the working days after `from` up to and with `to`: what [`Self::add_working_days`] undoes.
    pub fn working_days_between(&self, from: NaiveDate, to: NaiveDate) -> Result<WorkingDays, CalendarError> {
        if to < from {
            return Err(CalendarError::EndBeforeStart);
        }
        let mut day = from;
        let mut count = 0;
        while day < to {
            day = next(day)?;
            count += u32::from(self.is_working_day(day)?);
        }
        Ok(WorkingDays(count))
    }

    fn covered(&self, day: NaiveDate) -> Result<(), CalendarError> {
        if self.notices.contains_key(&day.year()) {
            Ok(())
        } else {
            Err(CalendarError::YearNotCovered { year: day.year() })
        }
    }

    fn take(&mut self, year: i32, holiday: &HolidayRow) -> Result<(), CalendarError> {
        let (from, to) = (day_of(holiday.from)?, day_of(holiday.to)?);
        for day in from.iter_days().take_while(|day| *day <= to) {
            if day.year() != year {
                return Err(CalendarError::Contradiction { day, rule: "listed under another year" });
            }
            if self.holidays.insert(day, holiday.name_zh.clone()).is_some() {
                return Err(CalendarError::Contradiction { day, rule: "in two holidays" });
            }
        }
        for worked in &holiday.make_up {
            let day = day_of(*worked)?;
            if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
                return Err(CalendarError::Contradiction { day, rule: "made up although no weekend" });
            }
            self.make_up.insert(day);
        }
        Ok(())
    }
}

fn next(day: NaiveDate) -> Result<NaiveDate, CalendarError> {
    day.checked_add_days(Days::new(1)).ok_or(CalendarError::YearNotCovered { year: day.year() })
}

fn day_of(written: toml::value::Datetime) -> Result<NaiveDate, CalendarError> {
    super::parameters::day_of_toml(written).ok_or_else(|| CalendarError::Table(format!("{written} is no day")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    year: Vec<YearRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct YearRow {
    year: i32,
    source: String,
    confidence: Confidence,
    holiday: Vec<HolidayRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HolidayRow {
    name_zh: String,
    #[expect(dead_code, reason = "for the reader of the table")]
    name_en: String,
    area: Option<AreaCode>,
    from: toml::value::Datetime,
    to: toml::value::Datetime,
    #[serde(default)]
    make_up: Vec<toml::value::Datetime>,
}

#[cfg(test)]
mod tests;
