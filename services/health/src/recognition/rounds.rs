//! What a failed round of external quality assessment takes away: from its first day on, the marks of earlier rounds of the
//! same institution and item, whichever organisation held them.
//!
//! The day stands in the states of the earlier certificate and, as its last day, in its rows of the dataset, so that the
//! question, the count and analytics see the same. A failed round that was recorded late, corrected or withdrawn changes
//! the earlier certificates again, in its own unit.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{
    error::Error,
    load_among,
    register::{ACTIVE, RuleContext, Table as _, WITHDRAWN, rewrite},
    store::{AnyConnection, Tx, lock_keys},
};

use super::{
    certificates::QualityCertificates,
    rules::{failed_on, fails_on},
};
use crate::schema::{QualityCertificateRecord, quality_certificates};

/// An institution and an item: their certificates are one series of rounds.
type Series = (String, String);

fn series(record: &QualityCertificateRecord) -> Series {
    (record.institution.clone(), record.item_code.clone())
}

/// The failed rounds of some series: each with the id of its certificate and the day from which it takes marks away.
#[derive(Default)]
struct Failures(BTreeMap<Series, Vec<(String, i64)>>);

impl Failures {
    fn of<'a>(states: impl IntoIterator<Item = &'a QualityCertificateRecord>) -> Self {
        let mut failures = Self::default();
        for state in states.into_iter().filter(|state| !state.passed && state.state == ACTIVE) {
            if let Some(day) = fails_on(state.valid_from, state.valid_to, state.period()) {
                failures.0.entry(series(state)).or_default().push((state.id.clone(), day));
            }
        }
        failures
    }

    /// Returns the day on which another certificate of the series takes the mark of a state away.
    fn mark(&self, state: &QualityCertificateRecord) -> Option<i64> {
        let failed = self.0.get(&series(state)).filter(|_| state.passed)?;
        let others = failed.iter().filter(|(id, _)| *id != state.id);
        failed_on(state.valid_from, state.valid_to, others.map(|(_, day)| *day))
    }
}

/// Marks states of certificates that are about to be written, by the failed rounds in the store and among themselves.
pub(super) fn mark_new(connection: &mut AnyConnection, records: &mut [QualityCertificateRecord]) -> Result<(), Error> {
    let ids: BTreeSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
    let there = with_failures(connection, records)?;
    let there = there.iter().filter(|record| !ids.contains(record.id.as_str()));
    let failures = Failures::of(there.chain(&*records));
    for record in records {
        record.failed_on = failures.mark(record);
    }
    Ok(())
}

/// Marks the other certificates of the series that records of this unit belong to, in all their states.
pub(super) fn mark_others(
    tx: &mut Tx<'_>,
    records: &[QualityCertificateRecord],
    context: RuleContext<'_>,
) -> Result<(), Error> {
    let keys: BTreeSet<Vec<u8>> =
        records.iter().map(|record| format!("{}\0{}", record.institution, record.item_code).into_bytes()).collect();
    // Two units that record rounds of one series at once: the later one sees what the earlier one wrote.
    lock_keys(tx.connection, "quality_certificates.series", keys.iter().map(Vec::as_slice))?;
    let touched: BTreeSet<Series> = records.iter().map(series).collect();
    let concerned: BTreeSet<Series> =
        with_failures(tx.connection, records)?.iter().map(series).filter(|series| touched.contains(series)).collect();
    let rounds = rounds_of(tx.connection, &concerned)?;
    let failures = Failures::of(&rounds);
    let changed = rounds.iter().filter(|state| failures.mark(state) != state.failed_on);
    let changed: BTreeSet<&str> = changed.map(|state| state.id.as_str()).collect();
    for id in changed {
        let was = QualityCertificateRecord::lock(tx.connection, id)?;
        let mut now = was.clone();
        for state in now.iter_mut().filter(|state| state.state != WITHDRAWN) {
            state.failed_on = failures.mark(state);
        }
        // Writing one comes back here for its series, and finds what that did done.
        if now != was {
            rewrite(tx, &QualityCertificates, &was, now, context)?;
        }
    }
    Ok(())
}

/// Finds, near the series of some records, the states of failed rounds and those that a failed round marked: without one
/// of these nothing in a series changes.
fn with_failures(
    connection: &mut AnyConnection,
    records: &[QualityCertificateRecord],
) -> Result<Vec<QualityCertificateRecord>, Error> {
    let institutions =
        Vec::from_iter(records.iter().map(|record| record.institution.as_str()).collect::<BTreeSet<_>>());
    let codes: BTreeSet<&str> = records.iter().map(|record| record.item_code.as_str()).collect();
    let concerned = quality_certificates::table
        .filter(quality_certificates::passed.eq(false).or(quality_certificates::failed_on.is_not_null()))
        .filter(quality_certificates::state.ne(WITHDRAWN));
    let found: Vec<QualityCertificateRecord> =
        load_among!(connection, concerned, quality_certificates::institution, institutions)?;
    Ok(found.into_iter().filter(|record| codes.contains(record.item_code.as_str())).collect())
}

/// Lists all states of the rounds of some series.
fn rounds_of(
    connection: &mut AnyConnection,
    wanted: &BTreeSet<Series>,
) -> Result<Vec<QualityCertificateRecord>, Error> {
    let institutions = Vec::from_iter(wanted.iter().map(|(institution, _)| institution).collect::<BTreeSet<_>>());
    let codes = Vec::from_iter(wanted.iter().map(|(_, code)| code).collect::<BTreeSet<_>>());
    let rounds = quality_certificates::table
        .filter(quality_certificates::state.ne(WITHDRAWN))
        .filter(quality_certificates::item_code.eq_any(codes));
    let found: Vec<QualityCertificateRecord> =
        load_among!(connection, rounds, quality_certificates::institution, institutions)?;
    Ok(found.into_iter().filter(|record| wanted.contains(&series(record))).collect())
}
