//! The contract's `PointActivityService` over the register.

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared as _, Head, Held, Register, RuleContext, Table as _, month_end, month_start},
    store::{AnyConnection, lock_keys},
    values::calendar::{day_of_epoch, epoch_day},
};
use minsheng_proto::community::v1 as pb;

use super::{
    activity_rules::{Activity, check_activity, check_against_point},
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

    fn validate(
        &self,
        activity: &pb::PointActivity,
        head: Head,
        _: Option<&PointActivityRecord>,
        context: RuleContext<'_>,
    ) -> Result<PointActivityRecord, Violations> {
        let mut violations = Violations::new();
        let record = PointActivityRecord::read(activity, head, context, &mut violations);
        let Some(month_to) = activity.month.as_ref().and_then(month_end) else { return Err(violations) };
        let counted = Activity {
            month_from: record.month_from,
            month_to,
            days_open: activity.days_open,
            last_served_on: record.last_served_on,
            people_served: activity.people_served,
            services: activity.services,
            discounted_services: activity.discounted_services,
        };
        check_activity(counted, epoch_day(context.today), &mut violations);
        violations.into_result(record)
    }

    /// True from the first day of its month.
    fn effective_on(&self, activity: &pb::PointActivity, today: NaiveDate) -> NaiveDate {
        activity.month.as_ref().and_then(month_start).and_then(day_of_epoch).unwrap_or(today)
    }

    /// A point has one record of a month.
    fn lock(&self, connection: &mut AnyConnection, records: &[PointActivityRecord]) -> Result<(), Error> {
        let keys = records.iter().map(|record| format!("{}/{}", record.service_point, record.month_from));
        let keys: Vec<String> = keys.collect();
        lock_keys(connection, "point_activities.month", keys.iter().map(String::as_bytes))
    }

    /// The point is of the kind, was in service in the month and has no other record of it on the same
    /// days.
    fn validate_against_store(
        &self,
        connection: &mut AnyConnection,
        records: &[PointActivityRecord],
        _: RuleContext<'_>,
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
