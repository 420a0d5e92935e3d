//! What a failed round of external quality assessment takes away: from its first day on, the marks of earlier rounds of the
//! same institution and item, whichever organisation held them.
//!
//! The day stands in the row of the earlier certificate and, as its last day, in its entries of the journal, so that the
//! question, the count and analytics see the same. A failed round that was recorded late, corrected or withdrawn changes
//! the earlier certificates again, in its own unit.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{
    error::Error,
    journal::Change,
    load_among,
    register::{Facts, Register as _, Table as _, keep_revision},
    store::{AnyConnection, JournalEntry, Tx, hold_keys},
};
use minsheng_proto::common::v1::RecordState;

use super::{certificates::QualityCertificates, rules::failed_on};
use crate::schema::{QualityCertificateRecord, quality_certificates};

const WITHDRAWN: i64 = RecordState::Withdrawn as i64;

/// An institution and an item: their certificates are one series of rounds.
type Series = (String, String);

fn series(record: &QualityCertificateRecord) -> Series {
    (record.institution.clone(), record.item_code.clone())
}

/// Marks certificates that are about to be written, by the failed rounds in the store and among themselves.
pub(super) fn mark_new(connection: &mut AnyConnection, records: &mut [QualityCertificateRecord]) -> Result<(), Error> {
    let ids: BTreeSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
    let mut failed: BTreeMap<Series, Vec<i64>> = BTreeMap::new();
    let there = with_failures(connection, records)?;
    let there = there.iter().filter(|record| !ids.contains(record.id.as_str()));
    for record in there.chain(&*records).filter(|record| !record.passed) {
        failed.entry(series(record)).or_default().push(record.valid_from);
    }
    for record in records.iter_mut() {
        record.failed_on = mark(record, failed.get(&series(record)));
    }
    Ok(())
}

/// Marks the other certificates of the series that records of this unit belong to, and tells the journal.
pub(super) fn mark_others(
    tx: &mut Tx<'_>,
    records: &[QualityCertificateRecord],
    facts: Facts<'_>,
) -> Result<(), Error> {
    let keys: BTreeSet<Vec<u8>> =
        records.iter().map(|record| format!("{}\0{}", record.institution, record.item_code).into_bytes()).collect();
    // Two units that record rounds of one series at once: the later one sees what the earlier one wrote.
    hold_keys(tx.connection, "quality_certificates.series", keys.iter().map(Vec::as_slice))?;
    let touched: BTreeSet<Series> = records.iter().map(series).collect();
    let concerned: BTreeSet<Series> =
        with_failures(tx.connection, records)?.iter().map(series).filter(|series| touched.contains(series)).collect();
    let mut rounds: BTreeMap<Series, Vec<QualityCertificateRecord>> = BTreeMap::new();
    for record in rounds_of(tx.connection, &concerned)? {
        rounds.entry(series(&record)).or_default().push(record);
    }
    let dataset = QualityCertificates.dataset();
    for rounds in rounds.into_values() {
        let failed: Vec<i64> = rounds.iter().filter(|round| !round.passed).map(|round| round.valid_from).collect();
        for was in rounds {
            let failed_on = mark(&was, Some(&failed));
            if failed_on == was.failed_on {
                continue;
            }
            let now =
                QualityCertificateRecord { version: was.version + 1, updated_at: tx.now(), failed_on, ..was.clone() };
            keep_revision(tx, &QualityCertificates, &was, facts)?;
            if !QualityCertificateRecord::replace(tx.connection, &now, was.version)? {
                return Err(Error::Raced);
            }
            // The present content is true from `effective_on` on; a cut that lies before it must be seen before it.
            let cuts = [was.failed_on, failed_on].into_iter().flatten().filter(|cut| *cut < now.effective_on);
            let days: BTreeSet<i64> = cuts.chain([now.effective_on]).collect();
            let row = QualityCertificates.row(&now, facts);
            for day in days {
                tx.journal(JournalEntry::new(&dataset, &now.id, Change::Changed, day, &now.area, &row));
            }
        }
    }
    Ok(())
}

fn mark(record: &QualityCertificateRecord, failed: Option<&Vec<i64>>) -> Option<i64> {
    let failed = failed.filter(|_| record.passed)?;
    failed_on(record.valid_from, record.valid_to, failed.iter().copied())
}

/// Finds, near the series of some records, the failed rounds and those that a failed round marked: without one of these
/// nothing in a series changes.
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

/// Lists all rounds of some series.
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
