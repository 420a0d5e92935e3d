//! The contract's `InstitutionService` over the register.

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared as _, Head, Register, RuleContext, day},
    store::AnyConnection,
    values::calendar::epoch_day,
};
use minsheng_proto::{common::v1::Date, health::v1 as pb};

use super::rules::check_institution;
use crate::{
    age_friendly::{aligned, certificates_of},
    schema::InstitutionRecord,
};

/// The register of medical institutions.
#[derive(Clone, Copy, Debug)]
pub struct Institutions;

impl Register for Institutions {
    type Record = InstitutionRecord;
    type Row = pb::InstitutionRow;

    fn validate(
        &self,
        institution: &pb::Institution,
        head: Head,
        previous: Option<&InstitutionRecord>,
        context: RuleContext<'_>,
    ) -> Result<InstitutionRecord, Violations> {
        let mut violations = Violations::new();
        let mut record = InstitutionRecord::read(institution, head, context, &mut violations);
        check_institution(&record, &mut violations);
        // The assessments decide the certificate of each day; see `align`.
        record.age_friendly_from = previous.and_then(|record| record.age_friendly_from);
        record.age_friendly_to = previous.and_then(|record| record.age_friendly_to);
        violations.into_result(record)
    }

    fn effective_on(&self, institution: &pb::Institution, today: NaiveDate) -> NaiveDate {
        institution.operating_from.as_ref().and_then(day).unwrap_or(today)
    }

    /// Returns each day the age-friendly certificate that the assessments say, whatever became of the days.
    fn align(
        &self,
        connection: &mut AnyConnection,
        states: &mut Vec<InstitutionRecord>,
        _: RuleContext<'_>,
    ) -> Result<(), Error> {
        let Some(first) = states.first() else { return Ok(()) };
        let certificates = certificates_of(connection, std::slice::from_ref(&first.id))?;
        *states = aligned(states, certificates.get(&first.id).map_or(&[], Vec::as_slice));
        Ok(())
    }

    /// The row tells what held on the days of the state; the content of the same write may be that of later days.
    fn restore(&self, state: &mut InstitutionRecord, _: &pb::Institution, row: &pb::InstitutionRow) {
        let stored = |date: &Option<Date>| date.as_ref().and_then(day).map(epoch_day);
        state.institution_class = i64::from(row.institution_class);
        state.public = row.public;
        state.level = row.level;
        state.operating_from = stored(&row.operating_from).unwrap_or(state.operating_from);
        state.operating_to = stored(&row.operating_to);
        state.age_friendly_from = stored(&row.age_friendly_from);
        state.age_friendly_to = stored(&row.age_friendly_to);
    }
}

minsheng_kit::register_api! {
    package: minsheng_proto::health::v1,
    register: Institutions,
    resource: Institution as institution,
    plural: Institutions as institutions,
}
