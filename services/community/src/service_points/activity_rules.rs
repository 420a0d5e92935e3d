//! What a month of activity must satisfy. Pure.

use minsheng_kit::{
    error::Violations,
    register::{Period, Table as _},
    values::calendar::{day_of_epoch, epoch_day, last_of_month},
};

use super::store::Reported;
use crate::schema::{PointActivityRecord, ServicePointRecord};

/// A month of a point; days are counted since 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// First day of the month.
    pub month_from: i64,
    /// Last day of the month.
    pub month_to: i64,
    /// Days open.
    pub days_open: i64,
    /// Last day on which somebody was served.
    pub last_served_on: Option<i64>,
    /// People served.
    pub people_served: i64,
    /// Meals, visits or episodes.
    pub services: i64,
    /// Of them at a reduced price.
    pub discounted_services: i64,
}

/// Checks the numbers of a month against each other and against the calendar, as it stands on `today`.
pub fn check_activity(activity: Activity, today: i64, violations: &mut Violations) {
    let Activity { month_from, month_to, .. } = activity;
    if month_from > today {
        violations.add("month", "IN_FUTURE", "lies in the future", "月份在未来");
        return;
    }
    let days = month_to.min(today) - month_from + 1;
    violations.require(
        activity.days_open <= days,
        "days_open",
        "MORE_THAN_THE_MONTH",
        "is more than the days of the month, or those of it that are over",
        "超过当月（或当月已过）的天数",
    );
    violations.require(
        activity.discounted_services <= activity.services,
        "discounted_services",
        "MORE_THAN_ALL",
        "is more than all services",
        "优惠次数多于服务次数",
    );
    let served = activity.services > 0 || activity.people_served > 0;
    match activity.last_served_on {
        None => violations.require(
            !served,
            "last_served_on",
            "REQUIRED",
            "is required when somebody was served",
            "有服务记录时必填",
        ),
        Some(day) => {
            violations.require(
                (month_from..=month_to).contains(&day),
                "last_served_on",
                "OUTSIDE_MONTH",
                "does not lie in the month",
                "不在当月内",
            );
            violations.require(day <= today, "last_served_on", "IN_FUTURE", "lies in the future", "日期在未来");
            violations.require(
                served,
                "last_served_on",
                "NOBODY_SERVED",
                "is given although nobody was served",
                "无服务记录时不应填写",
            );
        }
    }
}

impl PointActivityRecord {
    /// Returns the days of the month.
    pub(super) fn month(&self) -> Period {
        month_of(self.month_from)
    }
}

fn month_of(first_day: i64) -> Period {
    let last = day_of_epoch(first_day).map_or(first_day, |day| epoch_day(last_of_month(day)));
    Period { from: first_day, until: last + 1 }
}

/// Checks a month against the states that its point has in it; no states are given when none stands under the id.
///
/// The kind is that of the state in which somebody was served last, or, where nobody was, of any state of the month.
pub(super) fn check_against_point(
    activity: &PointActivityRecord,
    point: &[ServicePointRecord],
    violations: &mut Violations,
) {
    let states = || point.iter().filter(|state| state.is_in_force() && state.period().overlaps(activity.month()));
    let in_service_on =
        |period: Period| states().filter_map(ServicePointRecord::in_service).any(|days| days.overlaps(period));
    let served_by = activity.last_served_on.and_then(|day| states().find(|state| state.period().contains(day)));
    let of_its_kind = |state: &ServicePointRecord| state.kind == activity.kind;
    violations.require(
        served_by.map_or_else(|| states().next().is_none() || states().any(of_its_kind), of_its_kind),
        "kind",
        "NOT_THE_POINTS",
        "is not the point's",
        "与服务点类型不符",
    );
    match activity.last_served_on {
        Some(day) => violations.require(
            in_service_on(Period { from: day, until: day + 1 }),
            "last_served_on",
            "NOT_IN_SERVICE",
            "lies on a day on which the point was not in service",
            "当日服务点未在营",
        ),
        None => violations.require(
            in_service_on(activity.month()),
            "month",
            "NOT_IN_SERVICE",
            "is a month in which the point was not in service on any day",
            "当月服务点未在营",
        ),
    }
}

/// Reports whether a month that a point has reported agrees with a state of the point: the state does not judge it, or
/// has the kind that the month says.
pub(super) fn keeps_month(state: &ServicePointRecord, month: Reported) -> bool {
    let (days, whole) = (state.period(), month_of(month.month_from));
    let judges = match month.last_served_on {
        Some(day) => days.contains(day),
        None => days.intersection(whole) == Some(whole),
    };
    !judges || month.kind == state.kind
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A September of thirty days, from day 100 to day 129.
    const MONTH: Activity = Activity {
        month_from: 100,
        month_to: 129,
        days_open: 22,
        last_served_on: Some(128),
        people_served: 40,
        services: 600,
        discounted_services: 200,
    };
    const NOTHING: Activity =
        Activity { last_served_on: None, people_served: 0, services: 0, discounted_services: 0, ..MONTH };

    fn reasons(check: impl FnOnce(&mut Violations)) -> Vec<(String, &'static str)> {
        let mut violations = Violations::new();
        check(&mut violations);
        violations.iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
    }

    #[test]
    fn a_month_fits_the_calendar_and_its_own_numbers() {
        for (activity, today, expected) in [
            (MONTH, 200, None),
            (NOTHING, 200, None),
            (MONTH, 128, None),
            (Activity { days_open: 30, ..MONTH }, 200, None),
            (Activity { days_open: 31, ..MONTH }, 200, Some(("days_open", "MORE_THAN_THE_MONTH"))),
            (Activity { days_open: 30, ..MONTH }, 128, Some(("days_open", "MORE_THAN_THE_MONTH"))),
            (Activity { discounted_services: 601, ..MONTH }, 200, Some(("discounted_services", "MORE_THAN_ALL"))),
            (Activity { last_served_on: Some(99), ..MONTH }, 200, Some(("last_served_on", "OUTSIDE_MONTH"))),
            (Activity { last_served_on: Some(130), ..MONTH }, 200, Some(("last_served_on", "OUTSIDE_MONTH"))),
            (Activity { last_served_on: Some(129), ..MONTH }, 128, Some(("last_served_on", "IN_FUTURE"))),
            (Activity { last_served_on: None, ..MONTH }, 200, Some(("last_served_on", "REQUIRED"))),
            (Activity { last_served_on: Some(110), ..NOTHING }, 200, Some(("last_served_on", "NOBODY_SERVED"))),
            (MONTH, 99, Some(("month", "IN_FUTURE"))),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(field, reason)| (field.to_owned(), reason)).collect();
            assert_eq!(reasons(|v| check_activity(activity, today, v)), expected, "{activity:?} on {today}");
        }
    }

    /// A meal point that serves from day 100 to day 109, by a state that holds from day 0 until day 200.
    fn point() -> ServicePointRecord {
        ServicePointRecord {
            area: "540102".to_owned(),
            kind: 1,
            effective_until: 200,
            state: 1,
            opened_on: Some(100),
            closed_on: Some(110),
            ..ServicePointRecord::default()
        }
    }

    /// April 1970, from day 90 to day 119.
    fn april(area: &str, kind: i64, last_served_on: Option<i64>) -> PointActivityRecord {
        PointActivityRecord {
            area: area.to_owned(),
            kind,
            month_from: 90,
            last_served_on,
            ..PointActivityRecord::default()
        }
    }

    fn found(activity: &PointActivityRecord, point: &[ServicePointRecord]) -> Vec<&'static str> {
        reasons(|v| check_against_point(activity, point, v)).into_iter().map(|(_, reason)| reason).collect()
    }

    #[test]
    fn a_month_belongs_to_a_point_of_its_kind_and_county_that_was_in_service() {
        let ended = ServicePointRecord { closed_on: None, effective_until: 105, ..point() };
        let after = ServicePointRecord { effective_on: 105, effective_until: 300, state: 2, ..ended.clone() };
        let (point, ended) = ([point()], [ended, after]);
        for (activity, point, expected) in [
            (april("540102", 1, Some(109)), &point[..], vec![]),
            (april("540102", 1, None), &point, vec![]),
            (april("540102", 1, Some(110)), &point, vec!["NOT_IN_SERVICE"]),
            (april("540102", 1, Some(99)), &point, vec!["NOT_IN_SERVICE"]),
            (april("540102", 1, Some(104)), &ended, vec![]),
            (april("540102", 1, Some(105)), &ended, vec!["NOT_IN_SERVICE"]),
            (april("540103", 2, None), &point, vec!["NOT_THE_POINTS"]),
            (PointActivityRecord { month_from: 120, ..april("540102", 1, None) }, &point, vec!["NOT_IN_SERVICE"]),
            (PointActivityRecord { month_from: 212, ..april("540102", 2, None) }, &point, vec!["NOT_IN_SERVICE"]),
        ] {
            assert_eq!(found(&activity, point), expected, "{activity:?}");
        }
    }

    #[test]
    fn a_month_is_judged_by_the_states_that_its_point_has_in_it() {
        // A meal point until day 99; a day-care centre that opens on day 105.
        let meals = ServicePointRecord { opened_on: Some(0), closed_on: None, effective_until: 100, ..point() };
        let care = ServicePointRecord { kind: 3, effective_on: 100, opened_on: Some(105), closed_on: None, ..point() };
        let point = [meals, care];
        for (kind, last_served_on, expected) in [
            (1, Some(99), None),
            (3, Some(99), Some("NOT_THE_POINTS")),
            (3, Some(105), None),
            (1, Some(105), Some("NOT_THE_POINTS")),
            (3, Some(104), Some("NOT_IN_SERVICE")),
            (1, None, None),
            (3, None, None),
            (2, None, Some("NOT_THE_POINTS")),
        ] {
            let activity = april("540102", kind, last_served_on);
            assert_eq!(found(&activity, &point), expected.into_iter().collect::<Vec<_>>(), "{activity:?}");
        }
    }

    #[test]
    fn a_state_keeps_the_kind_of_the_months_that_it_judges() {
        let month = |last_served_on| Reported { kind: 1, month_from: 90, last_served_on };
        for (from, until, last_served_on, expected) in [
            (0, 200, Some(99), false),
            (0, 200, None, false),
            (90, 120, None, false),
            (100, 200, Some(99), true),
            (100, 200, Some(100), false),
            // The state of the days before has the kind that the month says.
            (100, 200, None, true),
        ] {
            let state = ServicePointRecord { kind: 3, effective_on: from, effective_until: until, ..point() };
            assert_eq!(keeps_month(&state, month(last_served_on)), expected, "{from} {until} {last_served_on:?}");
            assert!(keeps_month(&ServicePointRecord { kind: 1, ..state }, month(last_served_on)));
        }
    }
}
