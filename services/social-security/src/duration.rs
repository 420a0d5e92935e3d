//! How long a decision took: the ground of the time limits that analytics judges (社会保险经办条例, 民发〔2021〕57号).

use minsheng_kit::values::calendar::{Calendar, day_of_epoch};

/// Counts the working days from the application to the decision; days since 1970-01-01.
///
/// Nothing for a year whose holidays nobody has announced to the calendar: an unknown duration is neither in time
/// nor late.
pub(crate) fn decision_working_days(applied_on: i64, decided_on: i64, calendar: &Calendar) -> Option<i64> {
    let (from, to) = (day_of_epoch(applied_on)?, day_of_epoch(decided_on)?);
    calendar.working_days_between(from, to).ok().map(|days| i64::from(days.0))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use minsheng_kit::values::calendar::epoch_day;

    use super::*;

    fn between(from: (i32, u32, u32), to: (i32, u32, u32)) -> Option<i64> {
        let day = |(year, month, day)| epoch_day(NaiveDate::from_ymd_opt(year, month, day).expect("a day"));
        decision_working_days(day(from), day(to), Calendar::get())
    }

    #[test]
    fn weekends_and_holidays_do_not_count() {
        assert_eq!(between((2025, 9, 1), (2025, 9, 1)), Some(0));
        assert_eq!(between((2025, 9, 5), (2025, 9, 8)), Some(1));
        // National Day and Mid-Autumn, 1 to 8 October; Sunday the 28th was worked for it.
        assert_eq!(between((2025, 9, 26), (2025, 10, 9)), Some(4));
    }

    #[test]
    fn a_duration_in_a_year_without_a_calendar_is_unknown() {
        assert_eq!(between((1999, 9, 1), (1999, 9, 8)), None);
    }
}
