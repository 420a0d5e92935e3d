//! Follows the journal: no committed change is missed or given twice, whatever commits at the same time.
//!
//! On SQLite one writer appends, so positions follow commits and a cursor is a position. On PostgreSQL a position is
//! drawn before the commit, and a transaction with a low position may commit last: a cursor there is a snapshot, and a
//! reading gives what the present snapshot sees and the cursor's did not, in the order of positions. Nothing is missed
//! or repeated, because a transaction is in a snapshot or not; and each record's history holds: a record's row is
//! locked when its entry is written, so its positions follow its history, and a snapshot that sees a later change sees
//! the earlier ones.
//!
//! Reading behind the oldest running transaction, ordered by transaction id, would miss nothing either, but it breaks
//! the history of a record that an old transaction touches late, and a long transaction would hold the feed up.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use diesel::{
    ExpressionMethods as _, QueryDsl as _, QueryableByName, RunQueryDsl as _,
    sql_types::{BigInt, Binary, Text},
};
use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    store::{AnyConnection, schema::journal},
};

/// Where a reader stands in a dataset's changes. Opaque to readers.
///
/// A mark is a snapshot on PostgreSQL and a position on SQLite; what lies between two marks is a window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// What was read completely; empty at the beginning.
    from: String,
    /// End of the window that is being read.
    until: String,
    /// Last position read within the window.
    after: i64,
}

impl Cursor {
    /// Reads a cursor; the empty text is the beginning.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(bad_cursor)
    }

    /// Writes it for the reader.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }
}

/// One change, as stored.
#[derive(Clone, Debug, diesel::Queryable, QueryableByName, PartialEq, Eq)]
pub struct JournalRecord {
    /// Position in the journal.
    #[diesel(sql_type = BigInt)]
    pub position: i64,
    /// Id of the record.
    #[diesel(sql_type = Text)]
    pub record: String,
    /// Number of the change.
    #[diesel(sql_type = BigInt)]
    pub change: i64,
    /// First day for which it is true.
    #[diesel(sql_type = BigInt)]
    pub valid_on: i64,
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

/// How far a reading went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Ask again with it.
    pub cursor: Cursor,
    /// Greatest position given so far in this reading, 0 for none.
    pub position: i64,
    /// Everything recorded up to this moment is behind the cursor, microseconds UTC.
    pub recorded_until: i64,
}

#[derive(QueryableByName)]
struct Horizon {
    #[diesel(sql_type = Text)]
    mark: String,
    #[diesel(sql_type = BigInt)]
    recorded_until: i64,
}

/// Reads a dataset's changes behind a cursor, in batches, up to what is settled when the reading begins.
///
/// Blocks. `give` takes a batch and says whether to go on; the progress after the last batch given is returned.
pub fn read(
    connection: &mut AnyConnection,
    now: i64,
    dataset: &str,
    cursor: &Cursor,
    batch: usize,
    give: &mut dyn FnMut(Vec<JournalRecord>, &Progress) -> bool,
) -> Result<Progress, Error> {
    let horizon = horizon(connection, now)?;
    let mut progress = Progress { cursor: cursor.clone(), position: 0, recorded_until: horizon.recorded_until };
    if cursor.from != cursor.until {
        // The rest of a window in which an earlier reading stopped.
        if !read_window(connection, dataset, &mut progress, batch, give)? {
            return Ok(progress);
        }
    }
    let from = progress.cursor.until;
    progress.cursor = Cursor { from, until: horizon.mark, after: 0 };
    if progress.cursor.from != progress.cursor.until && !read_window(connection, dataset, &mut progress, batch, give)? {
        return Ok(progress);
    }
    let end = progress.cursor.until;
    progress.cursor = Cursor { from: end.clone(), until: end, after: 0 };
    Ok(progress)
}

/// Marks what can be read now.
fn horizon(connection: &mut AnyConnection, now: i64) -> Result<Horizon, Error> {
    match connection {
        AnyConnection::Sqlite(connection) => {
            let last: Option<i64> = journal::table.select(diesel::dsl::max(journal::position)).first(connection)?;
            // The writer's clock never goes back, and what it has not yet committed is recorded later than what it has.
            let until: Option<i64> = journal::table.select(diesel::dsl::max(journal::recorded_at)).first(connection)?;
            Ok(Horizon { mark: last.unwrap_or(0).to_string(), recorded_until: until.unwrap_or(now) })
        }
        AnyConnection::Postgres(connection) => Ok(diesel::sql_query(
            "SELECT pg_current_snapshot()::text AS mark, \
             least($1, coalesce((SELECT (extract(epoch FROM min(xact_start)) * 1000000)::bigint - 1 \
             FROM pg_stat_activity WHERE backend_xid IS NOT NULL), $1)) AS recorded_until",
        )
        .bind::<BigInt, _>(now)
        .get_result(connection)?),
    }
}

/// Reads a mark of SQLite.
fn position_of(mark: &str) -> Result<i64, Error> {
    if mark.is_empty() { Ok(0) } else { mark.parse().map_err(|_| bad_cursor()) }
}

fn bad_cursor() -> Error {
    Error::invalid("cursor", "BAD_CURSOR", "is not a cursor of this feed", "不是本数据流的游标")
}

/// Streams one window in the order of positions; says whether it was read to its end.
fn read_window(
    connection: &mut AnyConnection,
    dataset: &str,
    progress: &mut Progress,
    batch: usize,
    give: &mut dyn FnMut(Vec<JournalRecord>, &Progress) -> bool,
) -> Result<bool, Error> {
    let cursor = progress.cursor.clone();
    let mut pending = Vec::with_capacity(batch);
    let mut hand_over = |record: Option<JournalRecord>, progress: &mut Progress| -> bool {
        let last = record.is_none();
        if let Some(record) = record {
            progress.cursor.after = record.position;
            progress.position = progress.position.max(record.position);
            pending.push(record);
        }
        if pending.is_empty() || (!last && pending.len() < batch) {
            return true;
        }
        give(std::mem::replace(&mut pending, Vec::with_capacity(batch)), progress)
    };
    match connection {
        AnyConnection::Sqlite(connection) => {
            let rows = journal::table
                .filter(journal::dataset.eq(dataset))
                .filter(journal::position.gt(position_of(&cursor.from)?.max(cursor.after)))
                .filter(journal::position.le(position_of(&cursor.until)?))
                .order(journal::position)
                .select((
                    journal::position,
                    journal::record,
                    journal::change,
                    journal::valid_on,
                    journal::recorded_at,
                    journal::area,
                    journal::payload,
                ))
                .load_iter::<JournalRecord, diesel::connection::DefaultLoadingMode>(connection)?;
            for row in rows {
                if !hand_over(Some(row?), progress) {
                    return Ok(false);
                }
            }
        }
        AnyConnection::Postgres(connection) => {
            // What nothing has seen: the mark before the beginning.
            let from = if cursor.from.is_empty() { "1:1:" } else { &cursor.from };
            let oldest = from.split(':').next().unwrap_or_default();
            let rows = diesel::sql_query(
                "SELECT position, record, change, valid_on, recorded_at, area, payload FROM journal \
                 WHERE dataset = $1 AND tx >= $2::xid8 AND position > $3 \
                 AND NOT pg_visible_in_snapshot(tx, $4::pg_snapshot) \
                 AND pg_visible_in_snapshot(tx, $5::pg_snapshot) ORDER BY position",
            )
            .bind::<Text, _>(dataset)
            .bind::<Text, _>(oldest)
            .bind::<BigInt, _>(cursor.after)
            .bind::<Text, _>(from)
            .bind::<Text, _>(&cursor.until)
            .load_iter::<JournalRecord, diesel::pg::PgRowByRowLoadingMode>(connection)?;
            for row in rows {
                if !hand_over(Some(row?), progress) {
                    return Ok(false);
                }
            }
        }
    }
    Ok(hand_over(None, progress))
}
