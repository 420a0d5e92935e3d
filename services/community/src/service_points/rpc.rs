//! The contract's `ServicePointService` over the register.

use std::collections::HashSet;

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Facts, Head, Register, Table as _, date, day, enum_field, enum_number, optional_day},
    store::{AnyConnection, Tx},
    values::calendar::epoch_day,
};
use minsheng_proto::{common::v1 as common, community::v1 as pb};

use super::{
    operation::InService,
    rules::{Place, check_kind, check_opening, check_place, unit_code},
    store,
};
use crate::schema::ServicePointRecord;

/// The register of service points.
#[derive(Clone, Copy, Debug)]
pub struct ServicePoints;

impl ServicePointRecord {
    /// Gives the days on which the point is in service; a record that ended says nothing of the days after.
    pub fn in_service(&self) -> InService {
        let closed_on = [self.closed_on, self.ended_on].into_iter().flatten().min();
        InService { opened_on: self.opened_on, closed_on }
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
    const COLLECTION: &'static str = "service_points";
    type Record = ServicePointRecord;
    type Row = pb::ServicePointRow;

    fn dataset(&self) -> String {
        "community.service_points".to_owned()
    }

    fn decode(
        &self,
        point: &pb::ServicePoint,
        head: Head,
        _: Option<&ServicePointRecord>,
        facts: Facts<'_>,
    ) -> Result<ServicePointRecord, Violations> {
        let mut violations = Violations::new();
        let kind: pb::ServicePointKind = enum_field("kind", point.kind, &mut violations);
        let operator: pb::OperatorKind = enum_field("operator", point.operator, &mut violations);
        let level: pb::AreaLevel = enum_field("level", point.level, &mut violations);
        let record = ServicePointRecord {
            title: point.title.clone(),
            kind: kind as i64,
            operator: operator as i64,
            level: level as i64,
            township_code: point.township_code.clone(),
            village_code: point.village_code.clone(),
            site_code: point.site_code.clone(),
            capacity: point.capacity,
            floor_area_dm2: point.floor_area_dm2,
            free_or_low_charge: point.free_or_low_charge,
            household_utility_prices: point.household_utility_prices,
            medical_agreement: point.medical_agreement,
            weekly_opening_minutes: point.weekly_opening_minutes,
            opened_on: optional_day("opened_on", point.opened_on.as_ref(), &mut violations),
            closed_on: optional_day("closed_on", point.closed_on.as_ref(), &mut violations),
            ..ServicePointRecord::with_head(head)
        };
        let told = InService { opened_on: record.opened_on, closed_on: record.closed_on };
        check_place(record.place(), &mut violations);
        check_kind(kind, &record, &mut violations);
        check_opening(told, record.weekly_opening_minutes, epoch_day(facts.today), &mut violations);
        violations.into_result(record)
    }

    fn encode(&self, record: &ServicePointRecord, _: Facts<'_>, _: bool) -> Result<pb::ServicePoint, Error> {
        Ok(pb::ServicePoint {
            title: record.title.clone(),
            kind: enum_number(record.kind),
            operator: enum_number(record.operator),
            level: enum_number(record.level),
            township_code: record.township_code.clone(),
            village_code: record.village_code.clone(),
            site_code: record.site_code.clone(),
            capacity: record.capacity,
            floor_area_dm2: record.floor_area_dm2,
            free_or_low_charge: record.free_or_low_charge,
            household_utility_prices: record.household_utility_prices,
            medical_agreement: record.medical_agreement,
            weekly_opening_minutes: record.weekly_opening_minutes,
            opened_on: record.opened_on.and_then(date),
            closed_on: record.closed_on.and_then(date),
            ..pb::ServicePoint::default()
        })
    }

    fn row(&self, record: &ServicePointRecord, _: Facts<'_>) -> pb::ServicePointRow {
        pb::ServicePointRow {
            kind: enum_number(record.kind),
            operator: enum_number(record.operator),
            level: enum_number(record.level),
            unit_code: unit_code(record.place()).to_owned(),
            site_code: record.site_code.clone(),
            capacity: record.capacity,
            floor_area_dm2: record.floor_area_dm2,
            free_or_low_charge: record.free_or_low_charge,
            household_utility_prices: record.household_utility_prices,
            medical_agreement: record.medical_agreement,
            weekly_opening_minutes: record.weekly_opening_minutes,
            opened_on: record.opened_on.and_then(date),
            closed_on: record.closed_on.and_then(date),
        }
    }

    /// True from the first day in service; a planned point from the day on which it is told.
    fn effective_on(&self, point: &pb::ServicePoint, today: NaiveDate) -> NaiveDate {
        point.opened_on.as_ref().and_then(day).unwrap_or(today)
    }

    /// A point keeps its kind once something rests on it: the months say what kind of service they count, and prices of
    /// elders belong to meal points.
    fn check(
        &self,
        connection: &mut AnyConnection,
        records: &[ServicePointRecord],
        _: Facts<'_>,
    ) -> Result<Vec<Violations>, Error> {
        // Only a change can find what rests on a point: it is accepted for a point that exists.
        let resting = Resting::on(connection, records.iter().filter(|record| record.version > 1))?;
        let verdict = |record: &ServicePointRecord| {
            let mut violations = Violations::new();
            violations.require(
                !resting.activities.iter().any(|(point, kind)| *point == record.id && *kind != record.kind),
                "kind",
                "HAS_ACTIVITY",
                "cannot change once the point has reported activity",
                "已有月报的服务点不能更改类型",
            );
            let serves_meals = record.kind == pb::ServicePointKind::ElderMealPoint as i64;
            violations.require(
                serves_meals || !resting.prices.contains(&record.id),
                "kind",
                "HAS_PRICES",
                "cannot change while prices of elders are in force at the point",
                "有效助餐价格存续期间不能更改类型",
            );
            violations
        };
        Ok(records.iter().map(verdict).collect())
    }

    /// A point on which months or prices rest is not withdrawn before them: they would count for a point that never was.
    fn written(&self, tx: &mut Tx<'_>, records: &[ServicePointRecord], _: Facts<'_>) -> Result<(), Error> {
        let withdrawn = records.iter().filter(|record| record.state == common::RecordState::Withdrawn as i64);
        let resting = Resting::on(tx.connection, withdrawn)?;
        let mut violations = Violations::new();
        violations.require(
            resting.activities.is_empty(),
            "name",
            "HAS_ACTIVITY",
            "has months of activity; withdraw those first, or end the point",
            "已有月报；请先撤销月报，或终止该服务点",
        );
        violations.require(
            resting.prices.is_empty(),
            "name",
            "HAS_PRICES",
            "has prices of elders in force; end those first, or end the point",
            "存在有效助餐价格；请先终止价格，或终止该服务点",
        );
        violations.into_result(()).map_err(Error::State)
    }
}

/// What rests on points.
struct Resting {
    /// Points with activity, and its kinds.
    activities: Vec<(String, i64)>,
    /// Points with prices in force.
    prices: HashSet<String>,
}

impl Resting {
    fn on<'a>(
        connection: &mut AnyConnection,
        points: impl Iterator<Item = &'a ServicePointRecord>,
    ) -> Result<Self, Error> {
        let points: Vec<&str> = points.map(|point| point.id.as_str()).collect();
        Ok(Self {
            activities: store::activity_kinds_by_point(connection, &points)?,
            prices: store::points_with_prices(connection, &points)?,
        })
    }
}

minsheng_kit::register_api! {
    package: minsheng_proto::community::v1,
    register: ServicePoints,
    resource: ServicePoint as service_point,
    plural: ServicePoints as service_points,
}
