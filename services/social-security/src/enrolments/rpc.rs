//! The contract's `EnrolmentService` over the register.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{
        Facts, Head, Held, Holders, Register, Table as _, date, day, enum_field, enum_number, optional_day,
        required_day,
    },
    store::{AnyConnection, lock_keys},
    values::{
        calendar::{day_of_epoch, epoch_day},
        divisions::CountyCode,
        identifiers::ResidentId,
    },
};
use minsheng_proto::social_security::v1 as pb;

use super::{
    rules::{Application, check_application, check_change, is_registered_elsewhere},
    store::{cover_period, covers_of_people},
};
use crate::{duration::decision_working_days, schema::EnrolmentRecord};

/// Place of the sealed identity number.
const SEALED_RESIDENT: &str = "enrolments.resident";

const ALREADY_COVERED: Held = Held {
    field: "covered_from",
    reason: "ALREADY_COVERED",
    description: "the person is covered by this scheme on some of these days",
    description_zh: "该人员在此期间已参加同一险种",
};

/// The register of enrolments.
#[derive(Clone, Copy, Debug)]
pub struct Enrolments;

impl Register for Enrolments {
    type Record = EnrolmentRecord;
    type Row = pb::EnrolmentRow;

    fn decode(
        &self,
        enrolment: &pb::Enrolment,
        head: Head,
        previous: Option<&EnrolmentRecord>,
        facts: Facts<'_>,
    ) -> Result<EnrolmentRecord, Violations> {
        let mut violations = Violations::new();
        let resident = ResidentId::parse(&enrolment.resident_id, facts.today)
            .map_err(|error| violations.add("resident_id", error.reason(), error.to_string(), error.message_zh()));
        let application = application_of(enrolment, epoch_day(facts.today), &mut violations);
        let elsewhere = registered_elsewhere(&head.area, enrolment, application.applied_on, &mut violations);
        let Ok(resident) = resident else { return Err(violations) };
        let record = EnrolmentRecord {
            resident: facts.keys.seal(SEALED_RESIDENT, enrolment.resident_id.as_bytes()),
            resident_index: facts.keys.blind(&resident),
            person: facts.keys.pseudonym(&resident),
            scheme: application.scheme as i64,
            entry_kind: application.entry_kind as i64,
            registration_area: enrolment.registration_area.clone(),
            registered_elsewhere: elsewhere,
            applied_on: application.applied_on,
            decision: application.decision as i64,
            decided_on: application.decided_on,
            refusal_reason: application.refusal_reason as i64,
            covered_from: application.covered_from,
            covered_to: application.covered_to,
            premium_payer: application.premium_payer as i64,
            yearly_contribution_fen: enrolment.yearly_contribution_fen,
            ..EnrolmentRecord::with_head(head)
        };
        if let Some(previous) = previous {
            check_change(previous, &record, &mut violations);
        }
        violations.into_result(record)
    }

    fn encode(&self, record: &EnrolmentRecord, facts: Facts<'_>, reveal: bool) -> Result<pb::Enrolment, Error> {
        let resident = facts.keys.open_resident(SEALED_RESIDENT, &record.resident)?;
        let resident_id = if reveal {
            resident.to_string()
        } else {
            ResidentId::parse_stored(&resident).map_err(Error::internal)?.to_string()
        };
        Ok(pb::Enrolment {
            resident_id,
            scheme: enum_number(record.scheme),
            entry_kind: enum_number(record.entry_kind),
            registration_area: record.registration_area.clone(),
            applied_on: date(record.applied_on),
            decision: enum_number(record.decision),
            decided_on: record.decided_on.and_then(date),
            refusal_reason: enum_number(record.refusal_reason),
            covered_from: record.covered_from.and_then(date),
            covered_to: record.covered_to.and_then(date),
            premium_payer: enum_number(record.premium_payer),
            yearly_contribution_fen: record.yearly_contribution_fen,
            ..pb::Enrolment::default()
        })
    }

    fn row(&self, record: &EnrolmentRecord, facts: Facts<'_>) -> pb::EnrolmentRow {
        pb::EnrolmentRow {
            person: record.person.clone(),
            scheme: enum_number(record.scheme),
            entry_kind: enum_number(record.entry_kind),
            registered_elsewhere: record.registered_elsewhere,
            decision: enum_number(record.decision),
            refusal_reason: enum_number(record.refusal_reason),
            applied_on: date(record.applied_on),
            decided_on: record.decided_on.and_then(date),
            covered_from: record.covered_from.and_then(date),
            covered_to: record.covered_to.and_then(date),
            premium_payer: enum_number(record.premium_payer),
            yearly_contribution_fen: record.yearly_contribution_fen,
            decision_working_days: record
                .decided_on
                .and_then(|decided_on| decision_working_days(record.applied_on, decided_on, facts.calendar)),
        }
    }

    /// An application is true from its day; a cover that reaches back before it, from its first day.
    fn effective_on(&self, enrolment: &pb::Enrolment, today: NaiveDate) -> NaiveDate {
        let days = [&enrolment.applied_on, &enrolment.covered_from];
        days.into_iter().filter_map(|date| date.as_ref().and_then(day)).min().unwrap_or(today)
    }

    /// A person has one cover of a scheme at a time.
    fn check(
        &self,
        connection: &mut AnyConnection,
        records: &[EnrolmentRecord],
        _: Facts<'_>,
    ) -> Result<Vec<Violations>, Error> {
        let people: BTreeSet<&[u8]> = records
            .iter()
            .filter(|record| cover_period(record).is_some())
            .map(|record| record.resident_index.as_slice())
            .collect();
        lock_keys(connection, "enrolments.resident", people.iter().copied())?;
        let people: Vec<&[u8]> = people.into_iter().collect();
        let covers = covers_of_people(connection, &people)?.into_iter();
        let mut holders: Holders<(Vec<u8>, i64)> =
            covers.map(|cover| ((cover.resident_index, cover.scheme), cover.enrolment, cover.period)).collect();
        let verdicts = records.iter().map(|record| {
            let mut violations = Violations::new();
            if let Some(period) = cover_period(record) {
                let key = (record.resident_index.clone(), record.scheme);
                holders.claim(key, &record.id, period, ALREADY_COVERED, &mut violations);
            }
            violations
        });
        Ok(verdicts.collect())
    }
}

/// Reads what the rules look at, and checks it.
fn application_of(enrolment: &pb::Enrolment, today: i64, violations: &mut Violations) -> Application {
    let mut days = Violations::new();
    let application = Application {
        scheme: enum_field("scheme", enrolment.scheme, violations),
        entry_kind: enum_field("entry_kind", enrolment.entry_kind, violations),
        applied_on: required_day("applied_on", enrolment.applied_on.as_ref(), &mut days),
        decision: enum_field("decision", enrolment.decision, violations),
        decided_on: optional_day("decided_on", enrolment.decided_on.as_ref(), &mut days),
        refusal_reason: enrolment.refusal_reason(),
        covered_from: optional_day("covered_from", enrolment.covered_from.as_ref(), &mut days),
        covered_to: optional_day("covered_to", enrolment.covered_to.as_ref(), &mut days),
        premium_payer: enrolment.premium_payer(),
    };
    if days.is_empty() {
        check_application(&application, today, violations);
    }
    violations.extend_under("", days);
    application
}

/// Compares the registered residence with the county of the record; notes a violation when no list knows the place.
fn registered_elsewhere(area: &str, enrolment: &pb::Enrolment, applied_on: i64, violations: &mut Violations) -> bool {
    let county = CountyCode::parse(area).ok();
    let elsewhere = county
        .zip(day_of_epoch(applied_on))
        .and_then(|(county, on)| is_registered_elsewhere(&enrolment.registration_area, county, on));
    violations.require(
        elsewhere.is_some(),
        "registration_area",
        "UNKNOWN_DIVISION",
        "is in no list of the region's divisions, or names a county that was divided among its neighbours",
        "不在本区历年区划代码表内，或原县已并入多个邻县",
    );
    elsewhere.unwrap_or_default()
}

minsheng_kit::register_api! {
    package: minsheng_proto::social_security::v1,
    register: Enrolments,
    resource: Enrolment as enrolment,
    plural: Enrolments as enrolments,
}
