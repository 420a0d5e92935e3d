//! What a month of activity must satisfy. Pure.

use minsheng_kit::error::Violations;

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

/// Checks a month against the point that it belongs to; the point is absent when none stands under the id.
pub(super) fn check_against_point(
    activity: &PointActivityRecord,
    point: Option<&ServicePointRecord>,
    violations: &mut Violations,
) {
    let Some(point) = point else {
        violations.add("service_point", "NO_SUCH_POINT", "does not exist", "服务点不存在");
        return;
    };
    violations.require(activity.kind == point.kind, "kind", "NOT_THE_POINTS", "is not the point's", "与服务点类型不符");
    violations.require(
        activity.area == point.area,
        "area",
        "NOT_THE_POINTS",
        "is not the county that keeps the point",
        "与服务点所属县区不符",
    );
    violations.require(
        activity.last_served_on.is_none_or(|day| point.in_service().holds_on(day)),
        "last_served_on",
        "NOT_IN_SERVICE",
        "lies on a day on which the point was not in service",
        "当日服务点未在营",
    );
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

    #[test]
    fn a_month_belongs_to_a_point_of_its_kind_and_county_that_was_in_service() {
        let point = ServicePointRecord {
            area: "540102".to_owned(),
            kind: 1,
            opened_on: Some(110),
            closed_on: Some(120),
            ..ServicePointRecord::default()
        };
        let ended = ServicePointRecord { closed_on: None, ended_on: Some(115), ..point.clone() };
        let month = |area: &str, kind, last_served_on| PointActivityRecord {
            area: area.to_owned(),
            kind,
            last_served_on,
            ..PointActivityRecord::default()
        };
        for (activity, point, expected) in [
            (month("540102", 1, Some(119)), Some(&point), vec![]),
            (month("540102", 1, None), Some(&point), vec![]),
            (month("540102", 1, Some(120)), Some(&point), vec!["NOT_IN_SERVICE"]),
            (month("540102", 1, Some(109)), Some(&point), vec!["NOT_IN_SERVICE"]),
            (month("540102", 1, Some(114)), Some(&ended), vec![]),
            (month("540102", 1, Some(115)), Some(&ended), vec!["NOT_IN_SERVICE"]),
            (month("540103", 2, None), Some(&point), vec!["NOT_THE_POINTS", "NOT_THE_POINTS"]),
            (month("540102", 1, None), None, vec!["NO_SUCH_POINT"]),
        ] {
            let found: Vec<_> =
                reasons(|v| check_against_point(&activity, point, v)).into_iter().map(|(_, r)| r).collect();
            assert_eq!(found, expected, "{activity:?}");
        }
    }
}
