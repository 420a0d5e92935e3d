//! What the store knows about cases: which wait, and which pupils have a case already.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{
    error::Error,
    load_among,
    register::{ACTIVE, Holders, Period},
    store::AnyConnection,
};
use minsheng_proto::education::v1::AidOutcome;

use crate::schema::{AidCaseRecord, aid_cases};

/// A pupil (blind index), a school and a year: of these there is one case on a day.
type Once = (Vec<u8>, String, i64);

/// Lists the states of cases that wait for social security, those of cases that ended since included, behind an id.
pub(super) fn waiting_cases(
    connection: &mut AnyConnection,
    after: &str,
    limit: i64,
) -> Result<Vec<AidCaseRecord>, Error> {
    Ok(aid_cases::table
        .filter(aid_cases::outcome.eq(AidOutcome::WaitingForEvidence as i64))
        .filter(aid_cases::state.eq(ACTIVE))
        .filter(aid_cases::id.gt(after))
        .order((aid_cases::id, aid_cases::number))
        .limit(limit)
        .load(connection)?)
}

/// Returns which cases of the same pupils are in force, and on which days.
pub(super) fn there_already(connection: &mut AnyConnection, records: &[AidCaseRecord]) -> Result<Holders<Once>, Error> {
    let pupils: Vec<&[u8]> = records.iter().map(|record| record.resident_index.as_slice()).collect();
    let in_force = aid_cases::table.filter(aid_cases::state.eq(ACTIVE)).select((
        aid_cases::resident_index,
        aid_cases::school,
        aid_cases::term_year,
        aid_cases::id,
        aid_cases::effective_on,
        aid_cases::effective_until,
    ));
    let found: Vec<(Vec<u8>, String, i64, String, i64, i64)> =
        load_among!(connection, in_force, aid_cases::resident_index, pupils)?;
    let holder = |(pupil, school, year, id, from, until)| ((pupil, school, year), id, Period { from, until });
    Ok(found.into_iter().map(holder).collect())
}

/// Returns the pupil, school and year of a case.
pub(super) fn once(record: &AidCaseRecord) -> Once {
    (record.resident_index.clone(), record.school.clone(), record.term_year)
}
