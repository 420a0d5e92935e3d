//! Follows the journal: no committed change is missed or given twice, whatever commits at the same time.
//!
//! What a mark is on either database, and why nothing is missed between two of them: `store/window.rs`.
//!
//! A window's ends are fixed when it is opened, and what lies in it never changes. So a reading needs a connection only
//! for the moment in which it fetches a batch, and each batch may be fetched through another one.

use diesel::{QueryDsl as _, RunQueryDsl as _};
use serde::{Deserialize, Serialize};

pub use crate::store::JournalRecord;
use crate::{
    error::Error,
    keys::Keys,
    on_each,
    store::{
        AnyConnection,
        schema::journal_state,
        window::{self, Window, bad_cursor},
    },
};

/// Where a reader stands in a dataset's changes, or is to stop. Opaque to readers.
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

    /// Returns the place behind everything that a connection's read sees.
    ///
    /// `settled` was given by [`Store::settled`](crate::store::Store::settled) before that read began.
    pub fn now(connection: &mut AnyConnection, settled: i64) -> Result<Self, Error> {
        let mark = window::mark(connection)?;
        Ok(Self { incarnation: incarnation(connection)?, from: mark.clone(), until: mark, after: 0, settled })
    }

    /// Returns the window that is being read.
    fn window<'a>(&'a self, dataset: &'a str) -> Window<'a> {
        Window { dataset, from: &self.from, until: &self.until }
    }

    /// Writes it for the reader, who cannot change it and cannot use it elsewhere.
    pub fn seal(&self, keys: &Keys, dataset: &str) -> String {
        keys.page_token(&scope(dataset), &serde_json::to_string(self).unwrap_or_default())
    }
}

fn incarnation(connection: &mut AnyConnection) -> Result<String, Error> {
    let state = journal_state::table.select(journal_state::incarnation);
    Ok(on_each!(connection, c => state.first(c))?)
}

fn scope(dataset: &str) -> String {
    format!("feed/{dataset}")
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

impl Reading {
    /// Begins to read a dataset's changes behind a cursor, up to what is committed now.
    ///
    /// `settled` was given by [`Store::settled`](crate::store::Store::settled) before the connection's read began.
    pub fn begin(connection: &mut AnyConnection, settled: i64, dataset: &str, cursor: &Cursor) -> Result<Self, Error> {
        let now = Cursor::now(connection, settled)?;
        Self::between(connection, dataset, cursor, now)
    }

    /// Begins to read a dataset's changes behind a cursor, up to a place that was given before; of one that lies before the
    /// cursor nothing is left to read.
    pub fn begin_until(
        connection: &mut AnyConnection,
        dataset: &str,
        cursor: &Cursor,
        mut until: Cursor,
    ) -> Result<Self, Error> {
        let now = Cursor::now(connection, 0)?;
        if until.incarnation != now.incarnation || window::is_ahead(connection, &until.until, &now.until)? {
            return Err(replaced(dataset));
        }
        if *cursor != Cursor::default()
            && cursor.incarnation == until.incarnation
            && window::is_ahead(connection, &cursor.until, &until.until)?
        {
            until.clone_from(cursor);
        }
        Self::between(connection, dataset, cursor, until)
    }

    fn between(connection: &AnyConnection, dataset: &str, cursor: &Cursor, end: Cursor) -> Result<Self, Error> {
        let Cursor { incarnation, until: end, settled, .. } = end;
        if *cursor != Cursor::default()
            && (cursor.incarnation != incarnation || window::is_ahead(connection, &cursor.until, &end)?)
        {
            return Err(replaced(dataset));
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
                cursor.after = cursor.window(&self.dataset).before_first(connection)?;
            }
            let rows = cursor.window(&self.dataset).entries(connection, cursor.after, batch)?;
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

fn replaced(dataset: &str) -> Error {
    Error::Precondition {
        reason: "JOURNAL_REPLACED",
        description: format!(
            "the journal was restored or recreated after this cursor was given; read {dataset} again from the beginning, \
             into an empty place"
        ),
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
