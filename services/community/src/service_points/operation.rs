//! When a point is in operation (运营): open, not closed, and having served not long ago. Pure.

use chrono::NaiveDate;
use minsheng_kit::values::{
    divisions::AreaCode,
    parameters::{ParameterError, Parameters},
};
use minsheng_proto::community::v1::ServicePointKind;

use super::kinds::rules_of;

/// The days on which a point is in service, counted since 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InService {
    /// First day in service; absent while planned.
    pub opened_on: Option<i64>,
    /// First day on which it is no longer in service.
    pub closed_on: Option<i64>,
}

impl InService {
    /// Reports whether the point is in service on a day.
    pub fn holds_on(self, day: i64) -> bool {
        self.opened_on.is_some_and(|opened| opened <= day) && self.closed_on.is_none_or(|closed| day < closed)
    }
}

/// Reports whether a point is in operation on a day: in service, and having served somebody within the last
/// `window_days` days, the day itself included.
///
/// `window_days` is absent for kinds for which being in service is enough. Days are counted since 1970-01-01.
pub fn is_operating(in_service: InService, last_served_on: Option<i64>, on: i64, window_days: Option<u32>) -> bool {
    let served = |window: u32| last_served_on.is_some_and(|day| day <= on && day > on - i64::from(window));
    in_service.holds_on(on) && window_days.is_none_or(served)
}

/// Returns the window of a kind in an area on a day, in days; absent for kinds that have none.
pub fn operating_window(
    kind: ServicePointKind,
    area: AreaCode,
    on: NaiveDate,
    parameters: &Parameters,
) -> Result<Option<u32>, ParameterError> {
    rules_of(kind)
        .and_then(|rules| rules.operating_window)
        .map(|key| parameters.value_on(key, area, on)?.as_days())
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: InService = InService { opened_on: Some(100), closed_on: None };

    #[test]
    fn a_meal_point_is_in_operation_when_it_served_within_the_window() {
        for (last_served_on, on, expected) in [
            (Some(171), 200, true),
            (Some(170), 200, false),
            (Some(200), 200, true),
            // What was served later says nothing of this day.
            (Some(201), 200, false),
            (None, 200, false),
        ] {
            assert_eq!(is_operating(OPEN, last_served_on, on, Some(30)), expected, "{last_served_on:?} on {on}");
        }
    }

    #[test]
    fn a_point_that_is_planned_or_closed_is_not_in_operation_whatever_it_served() {
        let closed = InService { closed_on: Some(200), ..OPEN };
        assert!(is_operating(closed, Some(199), 199, Some(30)));
        assert!(!is_operating(closed, Some(199), 200, Some(30)));
        assert!(!is_operating(InService::default(), Some(199), 199, Some(30)));
        assert!(!is_operating(OPEN, Some(99), 99, Some(30)));
    }

    #[test]
    fn where_no_window_is_set_being_in_service_is_enough() {
        assert!(is_operating(OPEN, None, 200, None));
    }

    #[test]
    fn the_window_is_the_parameter_of_the_kind_for_area_and_day() {
        let area = AreaCode::parse("540102").expect("a county");
        let on = NaiveDate::from_ymd_opt(2025, 9, 1).expect("a day");
        let window = |kind| operating_window(kind, area, on, Parameters::get());
        assert_eq!(window(ServicePointKind::ElderMealPoint), Ok(Some(30)));
        assert_eq!(window(ServicePointKind::DayCareCentre), Ok(Some(60)));
        assert_eq!(window(ServicePointKind::FitnessFacility), Ok(None));
    }
}
