//! The months of one measure in one area, as the rules read them.

use chrono::{Datelike, Months, NaiveDate};

use crate::model::{Direction, Possible, Reason, StatisticRow};

/// Stands for a figure that nothing bounds: beyond every target, and still a number that can be computed with.
const UNBOUNDED: f64 = 1e300;

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
    /// What each observation may be, where something did not report or was not approved.
    possible: Vec<Option<Possible>>,
}

impl<'a> Series<'a> {
    /// Builds the series from the rows of one measure and area; months after `on` do not count.
    pub fn new(rows: impl IntoIterator<Item = &'a StatisticRow>, on: NaiveDate) -> Self {
        let mut rows: Vec<_> = rows.into_iter().filter(|row| months_between(row.month, on) >= 0).collect();
        rows.sort_by_key(|row| row.month);
        let known = rows.iter().filter_map(|row| {
            let value = row.value.filter(|value| value.is_finite())?;
            Some((Observation { on: month_end(row.month).min(on), value }, row.possible.as_deref().copied()))
        });
        let (observations, possible) = known.unzip();
        Self { rows, observations, possible }
    }

    /// The months that have a value, oldest first.
    pub fn observations(&self) -> &[Observation] {
        &self.observations
    }

    /// What the newest month may be that is not what it is; none where all are.
    pub fn newest_possible(&self) -> Option<Possible> {
        self.possible.iter().rev().find_map(|possible| *possible)
    }

    /// The months with the worst values that they may have, and with the best.
    pub fn worst_and_best(&self, direction: Direction, bounds: Option<(f64, f64)>) -> [Vec<Observation>; 2] {
        let (lowest, highest) = bounds.unwrap_or((-UNBOUNDED, UNBOUNDED));
        let with = |of: &dyn Fn(Possible) -> f64| {
            let known = self.observations.iter().zip(&self.possible);
            known.map(|(known, possible)| Observation { value: possible.map_or(known.value, of), ..*known }).collect()
        };
        let low = with(&|possible| possible.low.unwrap_or(lowest));
        let high = with(&|possible| possible.high.unwrap_or(highest));
        match direction {
            Direction::AtLeast | Direction::Rising => [low, high],
            Direction::AtMost | Direction::Falling => [high, low],
        }
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
