//! The months of one measure in one area, as the rules read them.

use chrono::{Datelike, Months, NaiveDate};

use crate::model::{Reason, StatisticRow};

/// A value and the day it is true for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The month's last day, or the report's day in its own month.
    pub on: NaiveDate,
    /// The value in the commitment's unit.
    pub value: f64,
}

/// Returns the last day of the month that the day is in.
pub fn month_end(day: NaiveDate) -> NaiveDate {
    let first = day.with_day(1).unwrap_or(day);
    first.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt()).unwrap_or(day)
}

/// Returns the number of whole months from one day's month to the other's.
pub fn months_between(from: NaiveDate, to: NaiveDate) -> i32 {
    let month_number = |day: NaiveDate| day.year() * 12 + day.month0().cast_signed();
    month_number(to) - month_number(from)
}

/// One measure in one area, month by month, up to the report's day.
#[derive(Debug, Clone, Default)]
pub struct Series<'a> {
    rows: Vec<&'a StatisticRow>,
    observations: Vec<Observation>,
}

impl<'a> Series<'a> {
    /// Builds the series from the rows of one measure and area; months after `on` do not count.
    pub fn new(rows: impl IntoIterator<Item = &'a StatisticRow>, on: NaiveDate) -> Self {
        let mut rows: Vec<_> = rows.into_iter().filter(|row| months_between(row.month, on) >= 0).collect();
        rows.sort_by_key(|row| row.month);
        let observations = rows
            .iter()
            .filter_map(|row| {
                let value = row.value.filter(|value| value.is_finite())?;
                Some(Observation { on: month_end(row.month).min(on), value })
            })
            .collect();
        Self { rows, observations }
    }

    /// The months that have a value, oldest first.
    pub fn observations(&self) -> &[Observation] {
        &self.observations
    }

    /// The row of the newest value.
    pub fn newest_row(&self) -> Option<&'a StatisticRow> {
        self.rows.iter().rev().find(|row| row.value.is_some_and(f64::is_finite)).copied()
    }

    /// The newest row that says anything at all.
    pub fn newest_statement(&self) -> Option<&'a StatisticRow> {
        self.rows
            .iter()
            .rev()
            .find(|row| row.value.is_some() || row.numerator.is_some() || row.denominator.is_some())
            .copied()
    }

    /// Why the newest statement has no value: its denominator is missing or zero. None where it has one.
    ///
    /// An older value does not stand in for it: the department spoke for the later month, and what it said is no figure.
    pub fn denominator_fault(&self) -> Option<Reason> {
        let row = self.newest_statement()?;
        match (row.value, row.denominator) {
            (Some(value), _) if value.is_finite() => None,
            (_, Some(denominator)) if denominator.abs() < f64::EPSILON => Some(Reason::ZeroDenominator),
            (_, Some(_)) => Some(Reason::NoData),
            (_, None) => Some(Reason::MissingDenominator),
        }
    }

    /// Change of the newest value against the one twelve months before.
    pub fn change_12_months(&self) -> Option<f64> {
        let newest = self.observations.last()?;
        self.observations
            .iter()
            .find(|earlier| months_between(earlier.on, newest.on) == 12)
            .map(|earlier| newest.value - earlier.value)
    }
}
