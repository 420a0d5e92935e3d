//! The contract's `SchoolService` over the register.

use chrono::NaiveDate;
use minsheng_kit::{
    error::Violations,
    register::{Declared as _, Facts, Head, Register, day},
    values::divisions::{AreaCode, Divisions},
};
use minsheng_proto::education::v1 as pb;

use super::rules::{NurseryFigures, check_days, check_nursery, check_pupils};
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
        facts: Facts<'_>,
    ) -> Result<SchoolRecord, Violations> {
        let mut violations = Violations::new();
        let record = SchoolRecord::read(school, head, facts, &mut violations);
        let nursery = NurseryFigures {
            classes: school.nursery_classes,
            places: school.nursery_places,
            children: school.nursery_children,
        };
        check_nursery(school.stage(), nursery, &mut violations);
        check_days(record.opened_on, record.closed_on, &mut violations);
        check_pupils(record.opened_on, school.pupils, school.large_classes, &mut violations);
        violations.require(
            lies_on_border(&record.area).is_none_or(|border| border == school.border),
            "border",
            "NOT_AS_DIVISION",
            "does not agree with the table of divisions",
            "与区划表中的边境县标识不一致",
        );
        violations.into_result(record)
    }

    /// A school is on record from the day on which it opened; one that is still being built, from today.
    fn effective_on(&self, school: &pb::School, today: NaiveDate) -> NaiveDate {
        school.opened_on.as_ref().and_then(day).map_or(today, |opened| opened.min(today))
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
