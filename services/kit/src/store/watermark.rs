//! Which instants are settled: nothing recorded at or before such an instant will appear in the journal any more.
//!
//! A unit takes its instant before it commits, so the clock alone does not tell: a unit of an earlier instant may still
//! be under way. On SQLite the writer says from which instant on its present group is recorded. On PostgreSQL a unit
//! shows it by a shared advisory lock, which every replica sees; and as their clocks need not agree, an instant that
//! was called settled is kept in the database, and units are recorded after it whatever their own clock says.

use diesel::{
    ExpressionMethods as _, PgConnection, QueryDsl as _, QueryableByName, RunQueryDsl as _, sql_types::BigInt,
};
use parking_lot::Mutex;

use super::{
    AnyConnection, JournalEntry,
    schema::{journal, journal_state},
};
use crate::error::Error;

diesel::define_sql_function! {
    /// See the migration that makes it.
    #[sql_name = "announce_moment"]
    fn announce_instant(instant: BigInt) -> BigInt;
}

/// What SQLite's one writer and its readers tell each other.
#[derive(Debug, Default)]
pub(super) struct Watermark(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Earliest instant of the group that is being written.
    in_flight: Option<i64>,
    settled: i64,
}

impl Watermark {
    /// Begins a group that follows the entry of the instant `floor`; returns the instant after which it is recorded.
    pub(super) fn begin(&self, floor: i64) -> i64 {
        let mut state = self.0.lock();
        let floor = floor.max(state.settled);
        state.in_flight = Some(floor + 1);
        floor
    }

    /// Ends a group, committed or not.
    pub(super) fn end(&self) {
        self.0.lock().in_flight = None;
    }

    /// Settles the instants up to now, as far as no group is under way; what is read afterwards holds all of them.
    pub(super) fn settle(&self, now: i64) -> i64 {
        let mut state = self.0.lock();
        let until = state.in_flight.map_or(now, |earliest| now.min(earliest - 1));
        state.settled = state.settled.max(until);
        until
    }
}

#[derive(QueryableByName)]
struct Settled {
    #[diesel(sql_type = BigInt)]
    until: i64,
}

/// Settles the instants up to now, as far as no unit is under way; what is read afterwards holds all of them.
///
/// Two transactions of their own: the first must be seen by every unit that the second does not see.
pub(super) fn settle(connection: &mut PgConnection, now: i64) -> Result<i64, Error> {
    diesel::update(journal_state::table.filter(journal_state::settled.lt(now)))
        .set(journal_state::settled.eq(now))
        .execute(connection)?;
    let found: Settled = diesel::sql_query(
        "SELECT least($1, min(((classid::bigint << 32) | objid::bigint) - 1)) AS until FROM pg_locks \
         WHERE locktype = 'advisory' AND mode = 'ShareLock' AND objsubid = 1 \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .bind::<BigInt, _>(now)
    .get_result(connection)?;
    Ok(found.until)
}

/// Appends the entry of a unit that has but one, with its instant, in one statement on PostgreSQL; says whether it did.
pub(super) fn append_one(connection: &mut AnyConnection, entries: &[JournalEntry]) -> Result<bool, Error> {
    let (AnyConnection::Postgres(connection), [entry]) = (connection, entries) else { return Ok(false) };
    let instant = announce_instant(entry.recorded_at);
    diesel::insert_into(journal::table)
        .values((
            journal::dataset.eq(&entry.dataset),
            journal::record.eq(&entry.record),
            journal::assertion.eq(entry.assertion),
            journal::diff.eq(entry.diff),
            journal::valid_from.eq(entry.valid_from),
            journal::valid_until.eq(entry.valid_until),
            journal::ended.eq(entry.ended),
            journal::recorded_at.eq(instant),
            journal::area.eq(&entry.area),
            journal::payload.eq(&entry.payload),
        ))
        .execute(connection)?;
    Ok(true)
}

/// Assigns a unit's entries their instant: on PostgreSQL one that no reader has called settled.
pub(super) fn stamp(connection: &mut AnyConnection, entries: &mut [JournalEntry], now: i64) -> Result<(), Error> {
    let AnyConnection::Postgres(connection) = connection else { return Ok(()) };
    if entries.is_empty() {
        return Ok(());
    }
    let instant: i64 = diesel::select(announce_instant(now)).get_result(connection)?;
    for entry in entries {
        entry.recorded_at = instant;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_group_under_way_will_record_is_not_settled() {
        let watermark = Watermark::default();
        assert_eq!(watermark.begin(100), 100);
        assert_eq!(watermark.settle(500), 100, "the group may record at 101");
        watermark.end();
        assert_eq!(watermark.settle(500), 500, "the clock, not the last entry");
        assert_eq!(watermark.begin(101), 500, "the next group is recorded after what was settled");
    }
}
