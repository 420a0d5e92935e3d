//! The waiting period after late or interrupted participation in residents' medical insurance (待遇等待期).
//!
//! Source: 国办发〔2024〕38号, from 2025: a fixed part and one month for each year missed; each missed year paid
//! afterwards, at the present premium, takes a month off. Newborns and the groups that the region names do not wait.

use chrono::NaiveDate;
use minsheng_kit::values::{
    divisions::AreaCode,
    parameters::{ParameterError, Parameters},
};

/// The figures of an area on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Months that everybody waits.
    pub fixed_months: u32,
    /// Further months for each year missed.
    pub months_per_missed_year: u32,
    /// Months that each year paid afterwards takes off.
    pub months_off_per_repaid_year: u32,
    /// Missed years from which the floor holds.
    pub floor_missed_years: u32,
    /// Months that are waited at least where the floor holds.
    pub floor_months: u32,
}

impl Figures {
    /// Reads the figures that hold for an area on a day.
    pub fn on(parameters: &Parameters, area: AreaCode, day: NaiveDate) -> Result<Self, ParameterError> {
        let value = |key| parameters.value_on(key, area, day);
        Ok(Self {
            fixed_months: value("medical.waiting_fixed_months")?.as_months()?,
            months_per_missed_year: value("medical.waiting_per_missed_year_months")?.as_months()?,
            months_off_per_repaid_year: value("medical.waiting_reduced_per_repaid_year_months")?.as_months()?,
            floor_missed_years: value("medical.waiting_floor_missed_years")?.as_years()?,
            floor_months: value("medical.waiting_floor_months")?.as_months()?,
        })
    }
}

/// How a person comes to participate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// In the time set for it, without a break; or in a group that does not wait.
    InTime,
    /// After that time, or after a break.
    Late {
        /// Full years missed.
        missed_years: u32,
        /// Of them, years whose premium was paid afterwards.
        repaid_years: u32,
    },
}

/// Returns the months until benefits begin.
pub fn waiting_months(entry: Entry, figures: &Figures) -> u32 {
    let Entry::Late { missed_years, repaid_years } = entry else { return 0 };
    let added = figures.months_per_missed_year.saturating_mul(missed_years);
    let off = figures.months_off_per_repaid_year.saturating_mul(repaid_years.min(missed_years));
    let months = figures.fixed_months.saturating_add(added.saturating_sub(off));
    if missed_years >= figures.floor_missed_years { months.max(figures.floor_months) } else { months }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        let day = NaiveDate::from_ymd_opt(2025, 9, 1).expect("a day");
        Figures::on(Parameters::get(), AreaCode::parse("540102").expect("a county"), day).expect("published")
    }

    #[test]
    fn each_missed_year_adds_a_month_and_each_repaid_year_takes_one_off() {
        for (missed_years, repaid_years, months) in
            [(0, 0, 3), (1, 0, 4), (2, 0, 5), (2, 2, 3), (4, 0, 7), (4, 4, 6), (6, 6, 6), (6, 1, 8)]
        {
            let entry = Entry::Late { missed_years, repaid_years };
            assert_eq!(waiting_months(entry, &figures()), months, "{entry:?}");
        }
    }

    #[test]
    fn more_years_repaid_than_missed_take_nothing_off_the_fixed_part() {
        assert_eq!(waiting_months(Entry::Late { missed_years: 1, repaid_years: 9 }, &figures()), 3);
    }

    #[test]
    fn who_participates_in_time_does_not_wait() {
        assert_eq!(waiting_months(Entry::InTime, &figures()), 0);
    }
}
