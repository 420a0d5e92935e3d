//! Looks up and locks the records of registers by id, whichever register it is.
//!
//! Whoever writes a record locks its first state, and whoever rests on the record shares that lock, until the unit ends.
//! What stands is read afterwards, by a statement of its own: what a unit added for which this one waited is not seen by
//! the statement that waited. On SQLite there is nothing to lock: one unit runs at a time.

use std::collections::BTreeSet;

use diesel::{
    QueryResult, Queryable, RunQueryDsl,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Text},
    sqlite::Sqlite,
};

use super::AnyConnection;
use crate::error::Error;

/// Who else may lock a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockStrength {
    /// Whoever shares the lock: nobody changes or withdraws the record.
    Shared,
    /// Whoever shares the lock: nobody else writes the record. For a write that takes nothing away from what rests on
    /// the record, out of a unit that rests on it itself: of two units that share a lock, each would wait for the other
    /// to get it for itself.
    SharedWrite,
    /// Nobody.
    Exclusive,
}

/// What any register's table says of a record in its first state.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub(crate) struct FirstState {
    pub(crate) id: String,
    pub(crate) area: String,
    pub(crate) state: i64,
}

/// Finds which records of a register are there, in no order, and locks them where asked to; only in a unit that writes.
pub(crate) fn first_states(
    connection: &mut AnyConnection,
    table: &str,
    ids: &[&str],
    lock: Option<LockStrength>,
) -> Result<Vec<FirstState>, Error> {
    Ok(match connection {
        AnyConnection::Sqlite(connection) => {
            let ids = serde_json::to_string(ids).map_err(Error::internal)?;
            FirstStates { table, ids, lock }.load(connection)?
        }
        AnyConnection::Postgres(connection) => FirstStates { table, ids, lock }.load(connection)?,
    })
}

/// Locks the records of a register that are there until the unit ends, in the order of ids: units that lock some of the
/// same cannot wait for each other in a circle.
pub fn lock_records<'a>(
    connection: &mut AnyConnection,
    table: &str,
    ids: impl IntoIterator<Item = &'a str>,
    strength: LockStrength,
) -> Result<(), Error> {
    if !connection.has_concurrent_writers() {
        return Ok(());
    }
    let ids = Vec::from_iter(ids.into_iter().collect::<BTreeSet<_>>());
    first_states(connection, table, &ids, Some(strength)).map(|_| ())
}

/// The lookup's statement. It stays prepared for each table, unlike one that is written as a text.
struct FirstStates<'a, Ids> {
    table: &'a str,
    ids: Ids,
    lock: Option<LockStrength>,
}

impl QueryFragment<Pg> for FirstStates<'_, &[&str]> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT id, area, state FROM ");
        out.push_identifier(self.table)?;
        out.push_sql(" WHERE number = 0 AND id = ANY(");
        out.push_bind_param::<Array<Text>, _>(&self.ids)?;
        out.push_sql(match self.lock {
            None => ")",
            Some(LockStrength::Shared) => ") ORDER BY id FOR KEY SHARE",
            Some(LockStrength::SharedWrite) => ") ORDER BY id FOR NO KEY UPDATE",
            Some(LockStrength::Exclusive) => ") ORDER BY id FOR UPDATE",
        });
        Ok(())
    }
}

impl QueryFragment<Sqlite> for FirstStates<'_, String> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("SELECT id, area, state FROM ");
        out.push_identifier(self.table)?;
        out.push_sql(" WHERE number = 0 AND id IN (SELECT value FROM json_each(");
        out.push_bind_param::<Text, _>(&self.ids)?;
        out.push_sql("))");
        Ok(())
    }
}

impl<Ids> QueryId for FirstStates<'_, Ids> {
    type QueryId = ();

    // The text depends on the table.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Ids> Query for FirstStates<'_, Ids> {
    type SqlType = (Text, Text, BigInt);
}

impl<Ids, Connection> RunQueryDsl<Connection> for FirstStates<'_, Ids> {}
