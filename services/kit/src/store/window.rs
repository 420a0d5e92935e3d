//! Windows of the journal: what lies between two marks, whatever commits at the same time.
//!
//! On SQLite one writer appends, so positions follow commits and a mark is a position. On PostgreSQL a position is
//! drawn before the commit, and a transaction with a low position may commit last: a mark there is a snapshot, and a
//! window holds what the snapshot at its end sees and the one at its beginning did not, in the order of positions.
//! Nothing is missed or repeated, because a transaction is in a snapshot or not; and each record's history holds: a
//! record's row is locked when its entry is written, so its positions follow its history, and a snapshot that sees a
//! later change sees the earlier ones.
//!
//! Reading behind the oldest running transaction, ordered by transaction id, would miss nothing either, but it breaks
//! the history of a record that an old transaction touches late, and a long transaction would hold the feed up.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryableByName, RunQueryDsl as _,
    sql_types::{BigInt, Binary, Bool, Nullable, Text},
};

use super::{AnyConnection, schema::journal};
use crate::error::Error;

/// One change, as stored.
#[derive(Clone, Debug, diesel::Queryable, QueryableByName, PartialEq, Eq)]
pub struct JournalRecord {
    /// Position in the journal.
    #[diesel(sql_type = BigInt)]
    pub position: i64,
    /// Id of the record.
    #[diesel(sql_type = Text)]
    pub record: String,
    /// Number of the assertion within its record.
    #[diesel(sql_type = BigInt)]
    pub assertion: i64,
    /// 1 where it is asserted, -1 where it is retracted.
    #[diesel(sql_type = BigInt)]
    pub diff: i64,
    /// First day for which it is true.
    #[diesel(sql_type = BigInt)]
    pub valid_from: i64,
    /// First day for which it no longer is.
    #[diesel(sql_type = BigInt)]
    pub valid_until: i64,
    /// Whether the record has ended on these days.
    #[diesel(sql_type = Bool)]
    pub ended: bool,
    /// Microseconds UTC.
    #[diesel(sql_type = BigInt)]
    pub recorded_at: i64,
    /// Division.
    #[diesel(sql_type = Text)]
    pub area: String,
    /// The row message, encoded.
    #[diesel(sql_type = Binary)]
    pub payload: Vec<u8>,
}

#[derive(QueryableByName)]
struct Mark {
    #[diesel(sql_type = Text)]
    mark: String,
}

#[derive(QueryableByName)]
struct First {
    #[diesel(sql_type = Nullable<BigInt>)]
    first: Option<i64>,
}

/// Marks what can be read now.
pub(crate) fn mark(connection: &mut AnyConnection) -> Result<String, Error> {
    match connection {
        AnyConnection::Sqlite(connection) => {
            let last = journal::table.order(journal::position.desc()).select(journal::position);
            let last: Option<i64> = last.first(connection).optional()?;
            Ok(last.unwrap_or(0).to_string())
        }
        AnyConnection::Postgres(connection) => {
            let now: Mark = diesel::sql_query("SELECT pg_current_snapshot()::text AS mark").get_result(connection)?;
            Ok(now.mark)
        }
    }
}

/// Reports whether a mark has seen what this journal does not have.
pub(crate) fn is_ahead(connection: &AnyConnection, mark: &str, now: &str) -> Result<bool, Error> {
    Ok(match connection {
        AnyConnection::Sqlite(_) => position_of(mark)? > position_of(now)?,
        AnyConnection::Postgres(_) => end_of(mark)? > end_of(now)?,
    })
}

/// Reads a mark of SQLite.
fn position_of(mark: &str) -> Result<i64, Error> {
    if mark.is_empty() { Ok(0) } else { mark.parse().map_err(|_| bad_cursor()) }
}

/// Reads the first transaction that had not begun in a mark of PostgreSQL.
fn end_of(mark: &str) -> Result<u64, Error> {
    mark.split(':').nth(1).and_then(|end| end.parse().ok()).ok_or_else(bad_cursor)
}

/// Reads the oldest transaction that had not ended in a mark of PostgreSQL.
fn oldest_of(mark: &str) -> &str {
    mark.split(':').next().unwrap_or_default()
}

pub(crate) fn bad_cursor() -> Error {
    Error::invalid("cursor", "BAD_CURSOR", "is not a cursor of this feed", "不是本数据流的游标")
}

/// What nothing has seen on PostgreSQL: the mark before the beginning.
const BEGINNING: &str = "1:1:";

/// A dataset's entries between two marks; the empty mark is the beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    pub(crate) dataset: &'a str,
    pub(crate) from: &'a str,
    pub(crate) until: &'a str,
}

impl Window<'_> {
    /// Returns a position before the first entry, so that batches need not look for it among older ones.
    pub(crate) fn before_first(self, connection: &mut AnyConnection) -> Result<i64, Error> {
        let AnyConnection::Postgres(connection) = connection else { return Ok(0) };
        if self.from.is_empty() {
            return Ok(0);
        }
        // `+ 0` keeps PostgreSQL from walking the positions in their order, which begins with the oldest.
        let found: First = diesel::sql_query(
            "SELECT min(position + 0) AS first FROM journal WHERE dataset = $1 AND tx >= $2::xid8 \
             AND NOT pg_visible_in_snapshot(tx, $3::pg_snapshot) AND pg_visible_in_snapshot(tx, $4::pg_snapshot)",
        )
        .bind::<Text, _>(self.dataset)
        .bind::<Text, _>(oldest_of(self.from))
        .bind::<Text, _>(self.from)
        .bind::<Text, _>(self.until)
        .get_result(connection)?;
        Ok(found.first.map_or(i64::MAX, |first| first - 1))
    }

    /// Fetches the next entries behind a position, in the order of positions.
    pub(crate) fn entries(
        self,
        connection: &mut AnyConnection,
        after: i64,
        limit: usize,
    ) -> Result<Vec<JournalRecord>, Error> {
        let limit = i64::try_from(limit).map_err(Error::internal)?;
        match connection {
            AnyConnection::Sqlite(connection) => Ok(journal::table
                .filter(journal::dataset.eq(self.dataset))
                .filter(journal::position.gt(position_of(self.from)?.max(after)))
                .filter(journal::position.le(position_of(self.until)?))
                .order(journal::position)
                .limit(limit)
                .select((
                    journal::position,
                    journal::record,
                    journal::assertion,
                    journal::diff,
                    journal::valid_from,
                    journal::valid_until,
                    journal::ended,
                    journal::recorded_at,
                    journal::area,
                    journal::payload,
                ))
                .load(connection)?),
            AnyConnection::Postgres(connection) => {
                let from = if self.from.is_empty() { BEGINNING } else { self.from };
                Ok(diesel::sql_query(
                    "SELECT position, record, assertion, diff, valid_from, valid_until, ended, recorded_at, area, \
                     payload FROM journal \
                     WHERE dataset = $1 AND tx >= $2::xid8 AND position > $3 \
                     AND NOT pg_visible_in_snapshot(tx, $4::pg_snapshot) \
                     AND pg_visible_in_snapshot(tx, $5::pg_snapshot) ORDER BY position LIMIT $6",
                )
                .bind::<Text, _>(self.dataset)
                .bind::<Text, _>(oldest_of(from))
                .bind::<BigInt, _>(after)
                .bind::<Text, _>(from)
                .bind::<Text, _>(self.until)
                .bind::<BigInt, _>(limit)
                .load(connection)?)
            }
        }
    }
}

/// Lets positions go on behind the last one, after entries were written with positions of their own.
pub(crate) fn continue_positions(connection: &mut AnyConnection) -> Result<(), Error> {
    // SQLite goes on behind the greatest one by itself.
    let AnyConnection::Postgres(connection) = connection else { return Ok(()) };
    diesel::sql_query("SELECT setval('journal_position_seq', greatest(1, (SELECT max(position) FROM journal)))")
        .execute(connection)?;
    Ok(())
}
