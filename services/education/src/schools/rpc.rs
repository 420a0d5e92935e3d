//! The contract's `SchoolService` over the register.

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Facts, Head, Register, Table as _, date, day, enum_field, enum_number, optional_day},
    store::Tx,
    values::divisions::{AreaCode, Divisions},
};
use minsheng_proto::{common::v1::RecordState, education::v1 as pb};

use super::{
    rules::{NurseryFigures, check_days, check_nursery, check_pupils},
    store::check_unnamed,
};
use crate::schema::SchoolRecord;

/// The register of schools.
#[derive(Clone, Copy, Debug)]
pub struct Schools;

impl Register for Schools {
    type Record = SchoolRecord;
    type Row = pb::SchoolRow;

    fn decode(
        &self,
        school: &pb::School,
        head: Head,
        _: Option<&SchoolRecord>,
        _: Facts<'_>,
    ) -> Result<SchoolRecord, Violations> {
        let mut violations = Violations::new();
        let stage: pb::SchoolStage = enum_field("stage", school.stage, &mut violations);
        let altitude_class: pb::AltitudeClass = enum_field("altitude_class", school.altitude_class, &mut violations);
        let opened_on = optional_day("opened_on", school.opened_on.as_ref(), &mut violations);
        let closed_on = optional_day("closed_on", school.closed_on.as_ref(), &mut violations);
        let nursery = NurseryFigures {
            classes: school.nursery_classes,
            places: school.nursery_places,
            children: school.nursery_children,
        };
        check_nursery(stage, nursery, &mut violations);
        check_days(opened_on, closed_on, &mut violations);
        check_pupils(opened_on, school.pupils, school.large_classes, &mut violations);
        violations.require(
            lies_on_border(&head.area).is_none_or(|border| border == school.border),
            "border",
            "NOT_AS_DIVISION",
            "does not agree with the table of divisions",
            "与区划表中的边境县标识不一致",
        );
        violations.into_result(SchoolRecord {
            title: school.title.clone(),
            stage: stage as i64,
            rural: school.rural,
            altitude_class: altitude_class as i64,
            border: school.border,
            places: school.places,
            pupils: school.pupils,
            large_classes: school.large_classes,
            meets_basic_conditions: school.meets_basic_conditions,
            nursery_classes: school.nursery_classes,
            nursery_places: school.nursery_places,
            nursery_children: school.nursery_children,
            opened_on,
            closed_on,
            ownership: i64::from(school.ownership),
            ..SchoolRecord::with_head(head)
        })
    }

    fn encode(&self, record: &SchoolRecord, _: Facts<'_>, _: bool) -> Result<pb::School, Error> {
        Ok(pb::School {
            title: record.title.clone(),
            stage: enum_number(record.stage),
            rural: record.rural,
            altitude_class: enum_number(record.altitude_class),
            border: record.border,
            places: record.places,
            pupils: record.pupils,
            large_classes: record.large_classes,
            meets_basic_conditions: record.meets_basic_conditions,
            nursery_classes: record.nursery_classes,
            nursery_places: record.nursery_places,
            nursery_children: record.nursery_children,
            opened_on: record.opened_on.and_then(date),
            closed_on: record.closed_on.and_then(date),
            ownership: enum_number(record.ownership),
            ..pb::School::default()
        })
    }

    fn row(&self, record: &SchoolRecord, _: Facts<'_>) -> pb::SchoolRow {
        pb::SchoolRow {
            stage: enum_number(record.stage),
            rural: record.rural,
            altitude_class: enum_number(record.altitude_class),
            border: record.border,
            places: record.places,
            pupils: record.pupils,
            large_classes: record.large_classes,
            meets_basic_conditions: record.meets_basic_conditions,
            nursery_classes: record.nursery_classes,
            nursery_places: record.nursery_places,
            nursery_children: record.nursery_children,
            opened_on: record.opened_on.and_then(date),
            closed_on: record.closed_on.and_then(date),
            ownership: enum_number(record.ownership),
        }
    }

    /// A school is on record from the day on which it opened; one that is still being built, from today.
    fn effective_on(&self, school: &pb::School, today: NaiveDate) -> NaiveDate {
        school.opened_on.as_ref().and_then(day).map_or(today, |opened| opened.min(today))
    }

    /// A school that funding or cases name is not withdrawn.
    fn written(&self, tx: &mut Tx<'_>, records: &[SchoolRecord], _: Facts<'_>) -> Result<(), Error> {
        let mut withdrawn = records.iter().filter(|school| school.state == RecordState::Withdrawn as i64);
        withdrawn.try_for_each(|school| check_unnamed(tx.connection, &school.id))
    }
}

/// Says whether a county lies on the border, by the table of divisions.
fn lies_on_border(area: &str) -> Option<bool> {
    let county = AreaCode::parse(area).ok()?.county()?;
    Some(Divisions::get().is_border(county))
}

minsheng_kit::register_api! {
    package: minsheng_proto::education::v1,
    register: Schools,
    resource: School as school,
    plural: Schools as schools,
}
