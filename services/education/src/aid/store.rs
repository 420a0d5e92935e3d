//! What the store knows about cases: which wait, and which pupils have a case already.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{error::Error, load_among, register::Holders, store::AnyConnection};
use minsheng_proto::{common::v1::RecordState, education::v1::AidOutcome};

use crate::schema::{AidRecord, aid_cases};

/// A pupil (blind index), a school and a year: of these there is one active case.
type Once = (Vec<u8>, String, i64);

/// Lists active cases that wait for social security, behind an id.
pub(super) fn waiting_cases(connection: &mut AnyConnection, after: &str, limit: i64) -> Result<Vec<AidRecord>, Error> {
    Ok(aid_cases::table
        .filter(aid_cases::outcome.eq(AidOutcome::WaitingForEvidence as i64))
        .filter(aid_cases::state.eq(RecordState::Active as i64))
        .filter(aid_cases::id.gt(after))
        .order(aid_cases::id)
        .limit(limit)
        .load(connection)?)
}

/// Gives, by pupil, school and year, the id of the active case that is there.
pub(super) fn there_already(connection: &mut AnyConnection, records: &[AidRecord]) -> Result<Holders<Once>, Error> {
    let pupils: Vec<&[u8]> = records.iter().map(|record| record.resident_blind.as_slice()).collect();
    let active = aid_cases::table.filter(aid_cases::state.eq(RecordState::Active as i64)).select((
        aid_cases::resident_blind,
        aid_cases::school,
        aid_cases::term_year,
        aid_cases::id,
    ));
    let found: Vec<(Vec<u8>, String, i64, String)> =
        load_among!(connection, active, aid_cases::resident_blind, pupils)?;
    Ok(found.into_iter().map(|(pupil, school, year, id)| ((pupil, school, year), id)).collect())
}

/// Gives the pupil, school and year of a case.
pub(super) fn once(record: &AidRecord) -> Once {
    (record.resident_blind.clone(), record.school.clone(), record.term_year)
}
