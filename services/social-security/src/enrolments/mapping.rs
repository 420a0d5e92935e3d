//! The contract's `EnrolmentService` over the register.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared as _, Head, Held, Holders, Register, RuleContext, day, declared::days_read},
    store::{AnyConnection, lock_keys},
    values::calendar::epoch_day,
};
use minsheng_proto::social_security::v1 as pb;

use super::{
    rules::{Application, check_application, check_change, registered_elsewhere},
    store::{cover_period, covers_of_people},
};
use crate::{duration::decision_working_days, schema::EnrolmentRecord};

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

    fn validate(
        &self,
        enrolment: &pb::Enrolment,
        head: Head,
        previous: Option<&EnrolmentRecord>,
        context: RuleContext<'_>,
    ) -> Result<EnrolmentRecord, Violations> {
        let mut violations = Violations::new();
        let mut record = EnrolmentRecord::read(enrolment, head, context, &mut violations);
        let elsewhere =
            registered_elsewhere(&record.area, &enrolment.registration_area, record.applied_on, &mut violations);
        record.registered_elsewhere = elsewhere;
        if days_read(&violations) {
            check_application(&application_of(enrolment, &record), epoch_day(context.today), &mut violations);
        }
        if let Some(previous) = previous.filter(|_| !record.person.is_empty()) {
            check_change(previous, &record, &mut violations);
        }
        violations.into_result(record)
    }

    fn row(&self, record: &EnrolmentRecord, context: RuleContext<'_>) -> pb::EnrolmentRow {
        pb::EnrolmentRow {
            decision_working_days: record
                .decided_on
                .and_then(|decided_on| decision_working_days(record.applied_on, decided_on, context.calendar)),
            ..record.row()
        }
    }

    /// An application is true from its day; a cover that reaches back before it, from its first day.
    fn effective_on(&self, enrolment: &pb::Enrolment, today: NaiveDate) -> NaiveDate {
        let days = [&enrolment.applied_on, &enrolment.covered_from];
        days.into_iter().filter_map(|date| date.as_ref().and_then(day)).min().unwrap_or(today)
    }

    /// A person has one cover of a scheme at a time.
    fn lock(&self, connection: &mut AnyConnection, records: &[EnrolmentRecord]) -> Result<(), Error> {
        lock_keys(connection, "enrolments.resident", covered_people(records))
    }

    fn validate_against_store(
        &self,
        connection: &mut AnyConnection,
        records: &[EnrolmentRecord],
        _: RuleContext<'_>,
    ) -> Result<Vec<Violations>, Error> {
        let people: Vec<&[u8]> = covered_people(records).into_iter().collect();
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

/// Returns the blind indexes of the people whom records cover.
fn covered_people(records: &[EnrolmentRecord]) -> BTreeSet<&[u8]> {
    let covered = records.iter().filter(|record| cover_period(record).is_some());
    covered.map(|record| record.resident_index.as_slice()).collect()
}

/// Returns what the rules judge.
fn application_of(enrolment: &pb::Enrolment, record: &EnrolmentRecord) -> Application {
    Application {
        scheme: enrolment.scheme(),
        entry_kind: enrolment.entry_kind(),
        applied_on: record.applied_on,
        decision: enrolment.decision(),
        decided_on: record.decided_on,
        refusal_reason: enrolment.refusal_reason(),
        covered_from: record.covered_from,
        covered_to: record.covered_to,
        premium_payer: enrolment.premium_payer(),
    }
}

minsheng_kit::register_api! {
    package: minsheng_proto::social_security::v1,
    register: Enrolments,
    resource: Enrolment as enrolment,
    plural: Enrolments as enrolments,
}
