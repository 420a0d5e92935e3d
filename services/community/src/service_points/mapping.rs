//! The contract's `ServicePointService` over the register.

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{ACTIVE, Declared as _, FOREVER, Head, Period, Register, RuleContext, Table as _, day, enum_number},
    store::AnyConnection,
    values::calendar::epoch_day,
};
use minsheng_proto::community::v1 as pb;

use super::{
    activity_rules::keeps_month,
    operation::InService,
    rules::{Place, check_kept_kind, check_kind, check_opening, check_place, unit_code},
    store,
};
use crate::schema::ServicePointRecord;

/// The register of service points.
#[derive(Clone, Copy, Debug)]
pub struct ServicePoints;

impl ServicePointRecord {
    /// Returns the days on which the point is in service by this state; none while it is planned, and none where the record
    /// has ended or was withdrawn.
    pub fn in_service(&self) -> Option<Period> {
        let open = Period { from: self.opened_on?, until: self.closed_on.unwrap_or(FOREVER) };
        open.intersection(self.period()).filter(|_| self.is_in_force())
    }

    /// Reports whether the record is in force on the days of this state.
    pub fn is_in_force(&self) -> bool {
        self.state == ACTIVE
    }

    fn place(&self) -> Place<'_> {
        Place {
            area: &self.area,
            level: pb::AreaLevel::try_from(enum_number(self.level)).unwrap_or_default(),
            township_code: &self.township_code,
            village_code: &self.village_code,
        }
    }
}

impl Register for ServicePoints {
    type Record = ServicePointRecord;
    type Row = pb::ServicePointRow;

    fn validate(
        &self,
        point: &pb::ServicePoint,
        head: Head,
        _: Option<&ServicePointRecord>,
        context: RuleContext<'_>,
    ) -> Result<ServicePointRecord, Violations> {
        let mut violations = Violations::new();
        let record = ServicePointRecord::read(point, head, context, &mut violations);
        let told = InService { opened_on: record.opened_on, closed_on: record.closed_on };
        check_place(record.place(), &mut violations);
        check_kind(point.kind(), &record, &mut violations);
        check_opening(told, record.weekly_opening_minutes, epoch_day(context.today), &mut violations);
        violations.into_result(record)
    }

    fn row(&self, record: &ServicePointRecord, _: RuleContext<'_>) -> pb::ServicePointRow {
        pb::ServicePointRow { unit_code: unit_code(record.place()).to_owned(), ..record.row() }
    }

    /// True from the first day in service; a planned point from the day on which it is told.
    fn effective_on(&self, point: &pb::ServicePoint, today: NaiveDate) -> NaiveDate {
        point.opened_on.as_ref().and_then(day).unwrap_or(today)
    }

    /// A point keeps its kind on days on which something rests on it: the months say what kind of service they count, and
    /// prices of elders belong to meal points.
    fn validate_against_store(
        &self,
        connection: &mut AnyConnection,
        records: &[ServicePointRecord],
        _: RuleContext<'_>,
    ) -> Result<Vec<Violations>, Error> {
        // Only the change of a recorded point can find what rests on it: months and prices are accepted for a point that exists.
        let changed: Vec<&ServicePointRecord> = records.iter().filter(|record| record.created_at > 0).collect();
        let (from, until) = (
            changed.iter().map(|point| point.effective_on).min(),
            changed.iter().map(|point| point.effective_until).max(),
        );
        let (Some(from), Some(until)) = (from, until) else { return Ok(vec![Violations::new(); records.len()]) };
        let points: Vec<&str> = changed.iter().map(|point| point.id.as_str()).collect();
        let months = store::months_by_point(connection, &points)?;
        let prices = store::prices_by_point(connection, &points, Period { from, until })?;
        let verdict = |record: &ServicePointRecord| {
            let mut violations = Violations::new();
            let mut months = months.iter().filter(|(point, _)| *point == record.id).map(|(_, month)| *month);
            let priced = |(point, days): &(String, Period)| *point == record.id && days.overlaps(record.period());
            let (keeps_months, priced) = (months.all(|month| keeps_month(record, month)), prices.iter().any(priced));
            check_kept_kind(record, keeps_months, priced, &mut violations);
            violations
        };
        Ok(records.iter().map(verdict).collect())
    }
}

minsheng_kit::register_api! {
    package: minsheng_proto::community::v1,
    register: ServicePoints,
    resource: ServicePoint as service_point,
    plural: ServicePoints as service_points,
}
