//! The contract's `SchoolService` over the register.

use chrono::NaiveDate;
use minsheng_kit::{
    error::Violations,
    register::{Declared as _, Head, Register, RuleContext, day},
};
use minsheng_proto::education::v1 as pb;

use super::rules::{NurseryFigures, check_border, check_days, check_nursery, check_pupils};
use crate::schema::SchoolRecord;

/// The register of schools.
#[derive(Clone, Copy, Debug)]
pub struct Schools;

impl Register for Schools {
    type Record = SchoolRecord;
    type Row = pb::SchoolRow;

    fn validate(
        &self,
        school: &pb::School,
        head: Head,
        _: Option<&SchoolRecord>,
        context: RuleContext<'_>,
    ) -> Result<SchoolRecord, Violations> {
        let mut violations = Violations::new();
        let record = SchoolRecord::read(school, head, context, &mut violations);
        let nursery = NurseryFigures {
            classes: school.nursery_classes,
            places: school.nursery_places,
            children: school.nursery_children,
        };
        check_nursery(school.stage(), nursery, &mut violations);
        check_days(record.opened_on, record.closed_on, &mut violations);
        check_pupils(record.opened_on, school.pupils, school.large_classes, &mut violations);
        check_border(&record.area, school.border, &mut violations);
        violations.into_result(record)
    }

    /// A school is on record from the day on which it opened; one that is still being built, from today.
    fn effective_on(&self, school: &pb::School, today: NaiveDate) -> NaiveDate {
        school.opened_on.as_ref().and_then(day).map_or(today, |opened| opened.min(today))
    }
}

minsheng_kit::register_api! {
    package: minsheng_proto::education::v1,
    register: Schools,
    resource: School as school,
    plural: Schools as schools,
}
