//! Writes the certificates of institutions into their rows and entries, in the unit that records the assessments.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, dsl::sql, sql_types::Bool, upsert::excluded};
use minsheng_kit::{
    error::Error,
    journal::Change,
    load_among, on_each,
    register::{Facts, ROWS_PER_INSERT, Register as _, keep_revision},
    store::{AnyConnection, JournalEntry, Tx, schema::journal},
};
use minsheng_proto::{common::v1 as common, health::v1 as pb};
use prost::Message as _;

use super::timeline::{CertificatePeriod, InstitutionEntry, certificate_on, entries_rewritten};
use crate::{
    institutions::{Institutions, institutions_locked},
    schema::{AgeFriendlyAssessmentRecord, InstitutionRecord, age_friendly_assessments, institutions},
};

/// Gives the day before which a certificate ended early: revoked, or its assessment ended.
pub(super) fn cut_on(record: &AgeFriendlyAssessmentRecord) -> Option<i64> {
    record.revoked_on.into_iter().chain(record.ended_on).min()
}

/// Gives the last day of a record's certificate, an early end included.
pub(super) fn certificate_to(record: &AgeFriendlyAssessmentRecord) -> Option<i64> {
    record.certificate_to.map(|to| cut_on(record).map_or(to, |cut| to.min(cut - 1)))
}

/// Brings institutions up to date with their assessments; `since` names the first day that may have changed for each.
/// Those in `named` must still be there once they are locked: one that was withdrawn meanwhile refuses the unit.
///
/// One locked read of the institutions, one of the assessments, one of the entries, one write of the institutions for
/// each thousand; entries and revisions go out with the unit.
pub(super) fn institutions_certified(
    tx: &mut Tx<'_>,
    since: &BTreeMap<String, i64>,
    named: &BTreeSet<&str>,
    facts: Facts<'_>,
) -> Result<(), Error> {
    let changing: Vec<String> = since.keys().cloned().collect();
    let all: BTreeSet<&str> = since.keys().map(String::as_str).chain(named.iter().copied()).collect();
    let held = institutions_locked(tx.connection, &all.into_iter().map(str::to_owned).collect::<Vec<_>>())?;
    let withdrawn = common::RecordState::Withdrawn as i64;
    let there = held.iter().filter(|was| was.state != withdrawn && named.contains(was.id.as_str())).count();
    if there < named.len() {
        return Err(Error::Raced);
    }
    let mut certificates = certificates_of(tx.connection, &changing)?;
    let mut entries = entries_of(tx.connection, &changing)?;
    let dataset = Institutions.dataset();
    let mut changed = Vec::new();
    for was in held {
        let Some(since) = since.get(&was.id) else { continue };
        let certificates = certificates.remove(&was.id).unwrap_or_default();
        let rewritten = entries_rewritten(entries.remove(&was.id).unwrap_or_default(), &certificates, *since);
        let Some(now) = institution_with(&was, &certificates, &rewritten, tx.now()) else { continue };
        for entry in rewritten {
            tx.journal(JournalEntry::new(
                &dataset,
                &was.id,
                change_of(entry.change),
                entry.valid_on,
                &was.area,
                &entry.row,
            ));
        }
        keep_revision(tx, &Institutions, &was, facts)?;
        changed.push(now);
    }
    write(tx.connection, &changed)
}

/// Gives an institution with its latest certificate; nothing when that changes neither row nor entries.
fn institution_with(
    was: &InstitutionRecord,
    certificates: &[CertificatePeriod],
    rewritten: &[InstitutionEntry],
    now: i64,
) -> Option<InstitutionRecord> {
    let latest = certificate_on(certificates, i64::MAX);
    let period = (latest.map(|certificate| certificate.from), latest.map(|certificate| certificate.to));
    let withdrawn = was.state == common::RecordState::Withdrawn as i64;
    if withdrawn || (rewritten.is_empty() && period == (was.age_friendly_from, was.age_friendly_to)) {
        return None;
    }
    // The present content is true from its last entry on: a later correction of it must not lie behind that one.
    let last = rewritten.iter().filter(|entry| entry.change != Change::Ended as i64).map(|entry| entry.valid_on).max();
    Some(InstitutionRecord {
        version: was.version + 1,
        updated_at: now,
        effective_on: last.map_or(was.effective_on, |last| was.effective_on.max(last)),
        age_friendly_from: period.0,
        age_friendly_to: period.1,
        ..was.clone()
    })
}

fn change_of(number: i64) -> Change {
    if number == Change::Ended as i64 { Change::Ended } else { Change::Changed }
}

/// Lists the certificates that stand, by institution.
fn certificates_of(
    connection: &mut AnyConnection,
    institutions: &[String],
) -> Result<HashMap<String, Vec<CertificatePeriod>>, Error> {
    let mut found: HashMap<String, Vec<CertificatePeriod>> = HashMap::new();
    let passed = age_friendly_assessments::table
        .filter(age_friendly_assessments::passed.eq(true))
        .filter(age_friendly_assessments::state.ne(common::RecordState::Withdrawn as i64));
    let records: Vec<AgeFriendlyAssessmentRecord> =
        load_among!(connection, passed, age_friendly_assessments::institution, institutions)?;
    for record in records {
        if let (Some(from), Some(to)) = (record.certificate_from, certificate_to(&record)) {
            let cut_on = cut_on(&record);
            let period = CertificatePeriod { assessment: record.id, from, to, cut_on };
            found.entry(record.institution).or_default().push(period);
        }
    }
    Ok(found)
}

/// Lists the entries of institutions in the journal, by institution, in the order of positions.
fn entries_of(
    connection: &mut AnyConnection,
    institutions: &[String],
) -> Result<HashMap<String, Vec<InstitutionEntry>>, Error> {
    let mut found: HashMap<String, Vec<InstitutionEntry>> = HashMap::new();
    for part in institutions.chunks(ROWS_PER_INSERT) {
        let entries: Vec<(String, i64, i64, Vec<u8>)> = journal::table
            // Spelt out, not bound, so that SQLite sees that the partial index serves.
            .filter(sql::<Bool>("dataset = 'health.institutions'"))
            .filter(journal::record.eq_any(part))
            .order((journal::record, journal::position))
            .select((journal::record, journal::valid_on, journal::change, journal::payload))
            .load(connection)?;
        for (institution, valid_on, change, payload) in entries {
            let row = pb::InstitutionRow::decode(payload.as_slice()).map_err(Error::internal)?;
            found.entry(institution).or_default().push(InstitutionEntry { valid_on, change, row });
        }
    }
    Ok(found)
}

/// Writes the changed columns of many institutions, which are there and locked, in one statement for each thousand.
fn write(connection: &mut AnyConnection, records: &[InstitutionRecord]) -> Result<(), Error> {
    for rows in records.chunks(ROWS_PER_INSERT) {
        on_each!(connection, c => {
            diesel::insert_into(institutions::table)
                .values(rows)
                .on_conflict(institutions::id)
                .do_update()
                .set((
                    institutions::version.eq(excluded(institutions::version)),
                    institutions::updated_at.eq(excluded(institutions::updated_at)),
                    institutions::effective_on.eq(excluded(institutions::effective_on)),
                    institutions::age_friendly_from.eq(excluded(institutions::age_friendly_from)),
                    institutions::age_friendly_to.eq(excluded(institutions::age_friendly_to)),
                ))
                .execute(c)
        })?;
    }
    Ok(())
}
