// Written by `just gen` from `proto/minsheng/community/v1/service_point_service.proto`: change the contract instead.

//! 服务点: the table `service_points` and its record.

use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::community::v1 as pb;

minsheng_kit::register_table! {
    /// One place at which people are served.
    service_points => ServicePointRecord {
        /// Name of the point.
        title: Text = String,
        /// Kind.
        kind: BigInt = i64,
        /// Who runs it.
        operator: BigInt = i64,
        /// Level of the area that it serves.
        level: BigInt = i64,
        /// Township (nine digits); required for the levels township and village.
        township_code: Text = String,
        /// Village or community (twelve digits); required for the level village.
        village_code: Text = String,
        /// Code of a named site, as `puma-yumco`; oxygen sites only.
        site_code: Text = String,
        /// Seats, beds or places.
        capacity: BigInt = i64,
        /// Area, in hundredths of a square metre.
        floor_area_dm2: BigInt = i64,
        /// Open free or at low charge.
        free_or_low_charge: Bool = bool,
        /// Billed at household prices for water, power and gas.
        household_utility_prices: Bool = bool,
        /// Has an agreement with a medical institution.
        medical_agreement: Bool = bool,
        /// Opening time a week, in minutes.
        weekly_opening_minutes: BigInt = i64,
        /// First day in service; absent while planned.
        opened_on: Nullable<BigInt> = Option<i64>,
        /// Day on which it left service.
        closed_on: Nullable<BigInt> = Option<i64>,
    }
}

impl Declared for ServicePointRecord {
    type Resource = pb::ServicePoint;
    type Row = pb::ServicePointRow;

    const FIELDS: &'static [&'static str] = &[
        "title",
        "kind",
        "operator",
        "level",
        "township_code",
        "village_code",
        "site_code",
        "capacity",
        "floor_area_dm2",
        "free_or_low_charge",
        "household_utility_prices",
        "medical_agreement",
        "weekly_opening_minutes",
        "opened_on",
        "closed_on",
    ];

    fn read(resource: &pb::ServicePoint, head: Head, _: RuleContext<'_>, violations: &mut Violations) -> Self {
        Self {
            title: resource.title.clone(),
            kind: declared::enum_field::<pb::ServicePointKind>("kind", resource.kind, violations) as i64,
            operator: declared::enum_field::<pb::OperatorKind>("operator", resource.operator, violations) as i64,
            level: declared::enum_field::<pb::AreaLevel>("level", resource.level, violations) as i64,
            township_code: resource.township_code.clone(),
            village_code: resource.village_code.clone(),
            site_code: resource.site_code.clone(),
            capacity: resource.capacity,
            floor_area_dm2: resource.floor_area_dm2,
            free_or_low_charge: resource.free_or_low_charge,
            household_utility_prices: resource.household_utility_prices,
            medical_agreement: resource.medical_agreement,
            weekly_opening_minutes: resource.weekly_opening_minutes,
            opened_on: declared::optional_day("opened_on", resource.opened_on.as_ref(), violations),
            closed_on: declared::optional_day("closed_on", resource.closed_on.as_ref(), violations),
            ..Self::with_head(head)
        }
    }

    fn resource(&self, _: RuleContext<'_>, _: bool) -> Result<pb::ServicePoint, Error> {
        Ok(pb::ServicePoint {
            title: self.title.clone(),
            kind: declared::enum_number(self.kind),
            operator: declared::enum_number(self.operator),
            level: declared::enum_number(self.level),
            township_code: self.township_code.clone(),
            village_code: self.village_code.clone(),
            site_code: self.site_code.clone(),
            capacity: self.capacity,
            floor_area_dm2: self.floor_area_dm2,
            free_or_low_charge: self.free_or_low_charge,
            household_utility_prices: self.household_utility_prices,
            medical_agreement: self.medical_agreement,
            weekly_opening_minutes: self.weekly_opening_minutes,
            opened_on: self.opened_on.and_then(declared::date),
            closed_on: self.closed_on.and_then(declared::date),
            ..pb::ServicePoint::default()
        })
    }

    fn row(&self) -> pb::ServicePointRow {
        pb::ServicePointRow {
            kind: declared::enum_number(self.kind),
            operator: declared::enum_number(self.operator),
            level: declared::enum_number(self.level),
            site_code: self.site_code.clone(),
            capacity: self.capacity,
            floor_area_dm2: self.floor_area_dm2,
            free_or_low_charge: self.free_or_low_charge,
            household_utility_prices: self.household_utility_prices,
            medical_agreement: self.medical_agreement,
            weekly_opening_minutes: self.weekly_opening_minutes,
            opened_on: self.opened_on.and_then(declared::date),
            closed_on: self.closed_on.and_then(declared::date),
            ..pb::ServicePointRow::default()
        }
    }

    fn references(&self) -> Vec<declared::Named<'_>> {
        Vec::new()
    }

    fn natural_id(_: &pb::ServicePoint, _: RuleContext<'_>) -> Option<String> {
        None
    }

    fn take_field(field: &str, from: &pb::ServicePoint, to: &mut pb::ServicePoint) -> bool {
        match field {
            "title" => to.title.clone_from(&from.title),
            "kind" => to.kind = from.kind,
            "operator" => to.operator = from.operator,
            "level" => to.level = from.level,
            "township_code" => to.township_code.clone_from(&from.township_code),
            "village_code" => to.village_code.clone_from(&from.village_code),
            "site_code" => to.site_code.clone_from(&from.site_code),
            "capacity" => to.capacity = from.capacity,
            "floor_area_dm2" => to.floor_area_dm2 = from.floor_area_dm2,
            "free_or_low_charge" => to.free_or_low_charge = from.free_or_low_charge,
            "household_utility_prices" => to.household_utility_prices = from.household_utility_prices,
            "medical_agreement" => to.medical_agreement = from.medical_agreement,
            "weekly_opening_minutes" => to.weekly_opening_minutes = from.weekly_opening_minutes,
            "opened_on" => to.opened_on = from.opened_on,
            "closed_on" => to.closed_on = from.closed_on,
            _ => return false,
        }
        true
    }

    fn clear_decided(_: &mut pb::ServicePoint) {}

    fn restore_decided(&mut self, _: &pb::ServicePoint) {}
}
