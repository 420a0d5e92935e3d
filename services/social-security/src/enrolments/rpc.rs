//! The contract's `EnrolmentService` over the register.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared as _, Facts, Head, Held, Holders, Register, day, declared::days_read},
    store::{AnyConnection, lock_keys},
    values::{
        calendar::{day_of_epoch, epoch_day},
        divisions::CountyCode,
    },
};
use minsheng_proto::social_security::v1 as pb;

use super::{
    rules::{Application, check_application, check_change, is_registered_elsewhere},
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

    fn decode(
        &self,
        enrolment: &pb::Enrolment,
        head: Head,
        previous: Option<&EnrolmentRecord>,
        facts: Facts<'_>,
    ) -> Result<EnrolmentRecord, Violations> {
        let mut violations = Violations::new();
        let mut record = EnrolmentRecord::read(enrolment, head, facts, &mut violations);
        let elsewhere = registered_elsewhere(&record.area, enrolment, record.applied_on, &mut violations);
        record.registered_elsewhere = elsewhere;
        if days_read(&violations) {
            check_application(&application_of(enrolment, &record), epoch_day(facts.today), &mut violations);
        }
        if let Some(previous) = previous.filter(|_| !record.person.is_empty()) {
            check_change(previous, &record, &mut violations);
        }
        violations.into_result(record)
    }

    fn row(&self, record: &EnrolmentRecord, facts: Facts<'_>) -> pb::EnrolmentRow {
        pb::EnrolmentRow {
            decision_working_days: record
                .decided_on
                .and_then(|decided_on| decision_working_days(record.applied_on, decided_on, facts.calendar)),
            ..record.row()
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
