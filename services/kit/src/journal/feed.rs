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
//!
//! A window's ends are fixed when it is opened, and what lies in it never changes. So a reading needs a connection only
//! for the moment in which it fetches a batch, and each batch may be fetched through another one.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryableByName, RunQueryDsl as _,
    sql_types::{BigInt, Binary, Bool, Nullable, Text},
};
use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    keys::Keys,
    on_each,
    store::{
        AnyConnection,
        schema::{journal, journal_state},
    },
};

/// Where a reader stands in a dataset's changes. Opaque to readers.
///
/// A mark is a snapshot on PostgreSQL and a position on SQLite; what lies between two marks is a window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The journal's life that the marks belong to; empty at the beginning.
    incarnation: String,
    /// What was read completely; empty at the beginning.
    from: String,
    /// End of the window that is being read.
    until: String,
    /// Last position read within the window.
    after: i64,
    /// Everything recorded up to this instant has been given; 0 as long as there is none.
    settled: i64,
}

impl Cursor {
    /// Reads a cursor that [`seal`](Self::seal) wrote for the same dataset; the empty text is the beginning.
    pub fn open(keys: &Keys, dataset: &str, text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let opened = keys.read_page_token(&scope(dataset), text).ok();
        opened.and_then(|json| serde_json::from_str(&json).ok()).ok_or_else(bad_cursor)
    }

    /// Writes it for the reader, who cannot change it and cannot use it elsewhere.
    pub fn seal(&self, keys: &Keys, dataset: &str) -> String {
        keys.page_token(&scope(dataset), &serde_json::to_string(self).unwrap_or_default())
    }
}

fn scope(dataset: &str) -> String {
    format!("feed/{dataset}")
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

/// How far a reading went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Ask again with it.
    pub cursor: Cursor,
    /// Greatest position given so far in this reading, 0 for none.
    pub position: i64,
    /// Everything recorded up to this instant is behind the cursor and nothing more will appear there, microseconds
    /// UTC. 0 as long as the first reading has not come to its end.
    pub recorded_until: i64,
}

/// A reading under way: how far it goes, and where it is. It holds no connection between its batches.
#[derive(Clone, Debug)]
pub struct Reading {
    dataset: String,
    /// Where it ends.
    end: String,
    /// What is settled once it has come there.
    settled: i64,
    progress: Progress,
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

impl Reading {
    /// Begins to read a dataset's changes behind a cursor, up to what is committed now.
    ///
    /// `settled` was given by [`Store::settled`](crate::store::Store::settled) before the connection's read began.
    pub fn begin(connection: &mut AnyConnection, settled: i64, dataset: &str, cursor: &Cursor) -> Result<Self, Error> {
        let state = journal_state::table.select(journal_state::incarnation);
        let incarnation: String = on_each!(connection, c => state.first(c))?;
        let end = mark(connection)?;
        if *cursor != Cursor::default() && (cursor.incarnation != incarnation || is_ahead(connection, cursor, &end)?) {
            return Err(Error::Precondition {
                reason: "JOURNAL_REPLACED",
                description: format!(
                    "the journal was restored or recreated after this cursor was given; read {dataset} again from the \
                     beginning, into an empty place"
                ),
            });
        }
        let cursor = Cursor { incarnation, ..cursor.clone() };
        let progress = Progress { recorded_until: cursor.settled, cursor, position: 0 };
        let mut reading = Self { dataset: dataset.to_owned(), end, settled, progress };
        if reading.is_finished() {
            // Nothing was recorded since: what is known goes on to now, and nobody will ask for a batch.
            reading.settle();
        }
        Ok(reading)
    }

    /// Returns how far it is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Reports whether all was given.
    pub fn is_finished(&self) -> bool {
        let cursor = &self.progress.cursor;
        cursor.from == cursor.until && cursor.until == self.end
    }

    /// Fetches the next batch; an empty one is the last.
    ///
    /// Blocks. Any read will do for it: what lies in the window is the same for all of them.
    pub fn next(&mut self, connection: &mut AnyConnection, batch: usize) -> Result<Vec<JournalRecord>, Error> {
        while !self.is_finished() {
            let cursor = &mut self.progress.cursor;
            if cursor.from == cursor.until {
                cursor.until.clone_from(&self.end);
                cursor.after = before_window(connection, &self.dataset, cursor)?;
            }
            let rows = window(connection, &self.dataset, cursor, batch)?;
            if let Some(last) = rows.last() {
                cursor.after = last.position;
                self.progress.position = self.progress.position.max(last.position);
            }
            if rows.len() < batch {
                cursor.from.clone_from(&cursor.until);
                cursor.after = 0;
            }
            if cursor.from == self.end {
                cursor.settled = cursor.settled.max(self.settled);
            }
            self.progress.recorded_until = cursor.settled;
            if !rows.is_empty() {
                return Ok(rows);
            }
        }
        self.settle();
        Ok(Vec::new())
    }

    fn settle(&mut self) {
        let cursor = &mut self.progress.cursor;
        cursor.settled = cursor.settled.max(self.settled);
        self.progress.recorded_until = cursor.settled;
    }
}

/// Reads a dataset's changes behind a cursor, in batches, up to what is committed when the reading begins.
///
/// Blocks, and keeps its connection: for what does not wait for anybody. `give` takes a batch and says whether to go
/// on; the progress after the last batch given is returned.
pub fn read(
    connection: &mut AnyConnection,
    settled: i64,
    dataset: &str,
    cursor: &Cursor,
    batch: usize,
    give: &mut dyn FnMut(Vec<JournalRecord>, &Progress) -> bool,
) -> Result<Progress, Error> {
    let mut reading = Reading::begin(connection, settled, dataset, cursor)?;
    loop {
        let rows = reading.next(connection, batch)?;
        if rows.is_empty() || !give(rows, reading.progress()) {
            return Ok(reading.progress);
        }
    }
}

/// Marks what can be read now.
fn mark(connection: &mut AnyConnection) -> Result<String, Error> {
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

/// Reports whether a cursor has seen what this journal does not have.
fn is_ahead(connection: &AnyConnection, cursor: &Cursor, now: &str) -> Result<bool, Error> {
    Ok(match connection {
        AnyConnection::Sqlite(_) => position_of(&cursor.until)? > position_of(now)?,
        AnyConnection::Postgres(_) => end_of(&cursor.until)? > end_of(now)?,
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

fn bad_cursor() -> Error {
    Error::invalid("cursor", "BAD_CURSOR", "is not a cursor of this feed", "不是本数据流的游标")
}

/// What nothing has seen on PostgreSQL: the mark before the beginning.
const BEGINNING: &str = "1:1:";

/// Returns a position before the first one of a window, so that its batches need not look for it among older entries.
fn before_window(connection: &mut AnyConnection, dataset: &str, cursor: &Cursor) -> Result<i64, Error> {
    let AnyConnection::Postgres(connection) = connection else { return Ok(0) };
    if cursor.from.is_empty() {
        return Ok(0);
    }
    // `+ 0` keeps PostgreSQL from walking the positions in their order, which begins with the oldest.
    let found: First = diesel::sql_query(
        "SELECT min(position + 0) AS first FROM journal WHERE dataset = $1 AND tx >= $2::xid8 \
         AND NOT pg_visible_in_snapshot(tx, $3::pg_snapshot) AND pg_visible_in_snapshot(tx, $4::pg_snapshot)",
    )
    .bind::<Text, _>(dataset)
    .bind::<Text, _>(cursor.from.split(':').next().unwrap_or_default())
    .bind::<Text, _>(&cursor.from)
    .bind::<Text, _>(&cursor.until)
    .get_result(connection)?;
    Ok(found.first.map_or(i64::MAX, |first| first - 1))
}

/// Fetches the next entries of a window in the order of positions.
fn window(
    connection: &mut AnyConnection,
    dataset: &str,
    cursor: &Cursor,
    batch: usize,
) -> Result<Vec<JournalRecord>, Error> {
    let limit = i64::try_from(batch).map_err(Error::internal)?;
    match connection {
        AnyConnection::Sqlite(connection) => Ok(journal::table
            .filter(journal::dataset.eq(dataset))
            .filter(journal::position.gt(position_of(&cursor.from)?.max(cursor.after)))
            .filter(journal::position.le(position_of(&cursor.until)?))
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
            let from = if cursor.from.is_empty() { BEGINNING } else { &cursor.from };
            let oldest = from.split(':').next().unwrap_or_default();
            Ok(diesel::sql_query(
                "SELECT position, record, assertion, diff, valid_from, valid_until, ended, recorded_at, area, payload \
                 FROM journal \
                 WHERE dataset = $1 AND tx >= $2::xid8 AND position > $3 \
                 AND NOT pg_visible_in_snapshot(tx, $4::pg_snapshot) \
                 AND pg_visible_in_snapshot(tx, $5::pg_snapshot) ORDER BY position LIMIT $6",
            )
            .bind::<Text, _>(dataset)
            .bind::<Text, _>(oldest)
            .bind::<BigInt, _>(cursor.after)
            .bind::<Text, _>(from)
            .bind::<Text, _>(&cursor.until)
            .bind::<BigInt, _>(limit)
            .load(connection)?)
        }
    }
}
