//! The contract's `PointActivityService` over the register.

use chrono::{Datelike as _, NaiveDate};
use minsheng_kit::{
    error::{Error, Violations},
    register::{
        Facts, Head, Held, Register, Table as _, date, enum_field, enum_number, month_end, month_start, natural_key,
        optional_day,
    },
    store::AnyConnection,
    values::calendar::{day_of_epoch, epoch_day},
};
use minsheng_proto::{common::v1 as common, community::v1 as pb};

use super::{
    activity_rules::{Activity, check_activity, check_against_point},
    reference::{point_id, point_name},
    store,
};
use crate::schema::PointActivityRecord;

/// Said where a month of a point is reported already.
const MONTH_REPORTED: Held = Held {
    field: "month",
    reason: "MONTH_REPORTED",
    description: "has a record of this point already, under another name",
    description_zh: "该服务点当月已有月报",
};

/// The register of monthly activity.
#[derive(Clone, Copy, Debug)]
pub struct PointActivities;

impl Register for PointActivities {
    type Record = PointActivityRecord;
    type Row = pb::PointActivityRow;

    fn decode(
        &self,
        activity: &pb::PointActivity,
        head: Head,
        _: Option<&PointActivityRecord>,
        facts: Facts<'_>,
    ) -> Result<PointActivityRecord, Violations> {
        let mut violations = Violations::new();
        let service_point = point_id("service_point", &activity.service_point, &mut violations);
        let kind: pb::ServicePointKind = enum_field("kind", activity.kind, &mut violations);
        let last_served_on = optional_day("last_served_on", activity.last_served_on.as_ref(), &mut violations);
        let month = activity.month.as_ref();
        let (Some(month_from), Some(month_to)) = (month.and_then(month_start), month.and_then(month_end)) else {
            violations.add("month", "NO_SUCH_MONTH", "is not a month of the calendar", "月份不存在");
            return Err(violations);
        };
        let counted = Activity {
            month_from,
            month_to,
            days_open: activity.days_open,
            last_served_on,
            people_served: activity.people_served,
            services: activity.services,
            discounted_services: activity.discounted_services,
        };
        check_activity(counted, epoch_day(facts.today), &mut violations);
        violations.into_result(PointActivityRecord {
            service_point,
            kind: kind as i64,
            month_from,
            days_open: activity.days_open,
            last_served_on,
            people_served: activity.people_served,
            services: activity.services,
            discounted_services: activity.discounted_services,
            revenue_fen: activity.revenue_fen,
            ..PointActivityRecord::with_head(head)
        })
    }

    fn encode(&self, record: &PointActivityRecord, _: Facts<'_>, _: bool) -> Result<pb::PointActivity, Error> {
        let month = day_of_epoch(record.month_from).map(|first| common::YearMonth {
            year: first.year(),
            month: i32::try_from(first.month()).unwrap_or_default(),
        });
        Ok(pb::PointActivity {
            service_point: point_name(&record.service_point),
            kind: enum_number(record.kind),
            month,
            days_open: record.days_open,
            last_served_on: record.last_served_on.and_then(date),
            people_served: record.people_served,
            services: record.services,
            discounted_services: record.discounted_services,
            revenue_fen: record.revenue_fen,
            ..pb::PointActivity::default()
        })
    }

    fn row(&self, record: &PointActivityRecord, _: Facts<'_>) -> pb::PointActivityRow {
        pb::PointActivityRow {
            service_point: record.service_point.clone(),
            kind: enum_number(record.kind),
            month_from: date(record.month_from),
            last_served_on: record.last_served_on.and_then(date),
            days_open: record.days_open,
            people_served: record.people_served,
            services: record.services,
            discounted_services: record.discounted_services,
            revenue_fen: record.revenue_fen,
        }
    }

    /// True from the first day of its month.
    fn effective_on(&self, activity: &pb::PointActivity, today: NaiveDate) -> NaiveDate {
        activity.month.as_ref().and_then(month_start).and_then(day_of_epoch).unwrap_or(today)
    }

    /// A point and a month have one record: sent twice under no name of its own, it is found again.
    fn natural_id(&self, activity: &pb::PointActivity, _: Facts<'_>) -> Option<String> {
        let month = activity.month.as_ref()?;
        let point = point_id("service_point", &activity.service_point, &mut Violations::new());
        Some(natural_key(&[&point, &format!("{:04}-{:02}", month.year, month.month)]))
    }

    /// The point exists, is of the kind and the county, was in service in the month and has no other record of it on the same
    /// days.
    fn check(
        &self,
        connection: &mut AnyConnection,
        records: &[PointActivityRecord],
        _: Facts<'_>,
    ) -> Result<Vec<Violations>, Error> {
        let points =
            store::service_points_by_id(connection, records.iter().map(|record| record.service_point.as_str()))?;
        let keys: Vec<(&str, i64)> =
            records.iter().map(|record| (record.service_point.as_str(), record.month_from)).collect();
        let mut months = store::activities_by_point(connection, &keys)?;
        let mut verdicts = Vec::with_capacity(records.len());
        for record in records {
            let mut violations = Violations::new();
            check_against_point(record, points.states(&record.service_point), &mut violations);
            let key = (record.service_point.clone(), record.month_from);
            months.claim(key, &record.id, record.period(), MONTH_REPORTED, &mut violations);
            verdicts.push(violations);
        }
        Ok(verdicts)
    }
}

minsheng_kit::register_api! {
    package: minsheng_proto::community::v1,
    register: PointActivities,
    resource: PointActivity as point_activity,
    plural: PointActivities as point_activities,
}
