//! The contract's `InstitutionService` over the register.

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Facts, Head, Register, Table as _, date, day, enum_field, enum_number, optional_day, required_day},
    store::{AnyConnection, Tx},
    values::calendar::epoch_day,
};
use minsheng_proto::{
    common::v1::{Date, RecordState},
    health::v1 as pb,
};

use super::{rules::check_institution, store::check_unnamed};
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

    fn decode(
        &self,
        institution: &pb::Institution,
        head: Head,
        previous: Option<&InstitutionRecord>,
        _: Facts<'_>,
    ) -> Result<InstitutionRecord, Violations> {
        let mut violations = Violations::new();
        let class: pb::InstitutionClass =
            enum_field("institution_class", institution.institution_class, &mut violations);
        let operating_from = required_day("operating_from", institution.operating_from.as_ref(), &mut violations);
        let operating_to = optional_day("operating_to", institution.operating_to.as_ref(), &mut violations);
        let level = i64::from(institution.level);
        check_institution(class, level, operating_from, operating_to, &mut violations);
        violations.into_result(InstitutionRecord {
            title: institution.title.clone(),
            institution_class: class as i64,
            public: institution.public,
            level,
            operating_from,
            operating_to,
            // The assessments decide the certificate of each day; see `align`.
            age_friendly_from: previous.and_then(|record| record.age_friendly_from),
            age_friendly_to: previous.and_then(|record| record.age_friendly_to),
            ..InstitutionRecord::with_head(head)
        })
    }

    fn encode(&self, record: &InstitutionRecord, _: Facts<'_>, _: bool) -> Result<pb::Institution, Error> {
        Ok(pb::Institution {
            title: record.title.clone(),
            institution_class: enum_number(record.institution_class),
            public: record.public,
            level: enum_number(record.level),
            operating_from: date(record.operating_from),
            operating_to: record.operating_to.and_then(date),
            ..pb::Institution::default()
        })
    }

    fn row(&self, record: &InstitutionRecord, _: Facts<'_>) -> pb::InstitutionRow {
        pb::InstitutionRow {
            institution_class: enum_number(record.institution_class),
            public: record.public,
            level: record.level,
            operating_from: date(record.operating_from),
            operating_to: record.operating_to.and_then(date),
            age_friendly_from: record.age_friendly_from.and_then(date),
            age_friendly_to: record.age_friendly_to.and_then(date),
        }
    }

    fn effective_on(&self, institution: &pb::Institution, today: NaiveDate) -> NaiveDate {
        institution.operating_from.as_ref().and_then(day).unwrap_or(today)
    }

    /// Gives each day the age-friendly certificate that the assessments say, whatever became of the days.
    fn align(
        &self,
        connection: &mut AnyConnection,
        states: &mut Vec<InstitutionRecord>,
        _: Facts<'_>,
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

    /// An institution that assessments, certificates or decisions name is not withdrawn.
    fn written(&self, tx: &mut Tx<'_>, records: &[InstitutionRecord], _: Facts<'_>) -> Result<(), Error> {
        let mut withdrawn = records.iter().filter(|record| record.state == RecordState::Withdrawn as i64);
        withdrawn.try_for_each(|record| check_unnamed(tx.connection, &record.id))
    }
}

minsheng_kit::register_api! {
    package: minsheng_proto::health::v1,
    register: Institutions,
    resource: Institution as institution,
    plural: Institutions as institutions,
}
