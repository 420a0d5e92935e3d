//! What names another register's record, as the contract's option `refers_to` declares it: the named record is locked while
//! what names it goes in, and is not withdrawn while something names it.
//!
//! The rules of a register say what the named record must be on the day that matters; here it is only kept from going
//! away. Whoever withdraws a record locks its first state; so does, in share, whoever names it. On SQLite there is
//! nothing to lock: one unit runs at a time.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    QueryableByName, RunQueryDsl as _, sql_query,
    sql_types::{Array, BigInt, Text},
};
use minsheng_proto::registers;

use super::{Declared, ROWS_PER_INSERT, Register, Table as _, declared::reference, states::WITHDRAWN};
use crate::{
    error::{Error, Violations},
    on_each,
    store::AnyConnection,
};

#[derive(QueryableByName)]
struct State {
    #[diesel(sql_type = BigInt)]
    state: i64,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    #[expect(dead_code, reason = "that there is one says enough")]
    id: String,
}

/// Keeps what these states name from going away, and refuses the withdrawal of what others name.
pub(super) fn keep<R: Register>(connection: &mut AnyConnection, states: &[R::Record]) -> Result<(), Error> {
    lock_named(connection, states)?;
    for state in states.iter().filter(|state| state.head().is_withdrawn()) {
        check_unnamed::<R>(connection, state.id())?;
    }
    Ok(())
}

/// Locks the records that states in force name, until the unit ends: a withdrawal waits for it, or is seen here and the
/// unit is to be sent again.
fn lock_named(connection: &mut AnyConnection, states: &[impl Declared]) -> Result<(), Error> {
    let AnyConnection::Postgres(connection) = connection else { return Ok(()) };
    let mut named: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for state in states.iter().filter(|state| state.head().is_active()) {
        for (collection, id) in state.references() {
            named.entry(collection).or_default().insert(id);
        }
    }
    // Collections and ids in their order: units that name some of the same cannot wait for each other in a circle.
    for (collection, ids) in named {
        let ids = Vec::from_iter(ids);
        for part in ids.chunks(ROWS_PER_INSERT) {
            let there =
                format!("SELECT state FROM {collection} WHERE id = ANY($1) AND number = 0 ORDER BY id FOR KEY SHARE");
            let there: Vec<State> = sql_query(there).bind::<Array<Text>, _>(part).load(connection)?;
            if there.len() < part.len() || there.iter().any(|found| found.state == WITHDRAWN) {
                return Err(Error::Raced);
            }
        }
    }
    Ok(())
}

/// Refuses to withdraw a record that others name which were not withdrawn themselves: they would speak of something that
/// never was.
fn check_unnamed<R: Register>(connection: &mut AnyConnection, id: &str) -> Result<(), Error> {
    let mut naming = Vec::new();
    for register in registers() {
        for named_by in register.references.iter().filter(|reference| reference.collection == R::COLLECTION) {
            let (table, column) = (&register.collection, &named_by.field);
            let name = if named_by.kept_whole { reference(R::COLLECTION, id) } else { id.to_owned() };
            let query = format!("SELECT id FROM {table} WHERE {column} = $1 AND state <> {WITHDRAWN} LIMIT 1");
            let found: Vec<Id> = on_each!(connection, c => sql_query(query).bind::<Text, _>(name).load(c))?;
            if !found.is_empty() {
                naming.push(register);
            }
        }
    }
    naming.dedup_by_key(|register| &register.collection);
    let mut violations = Violations::new();
    if !naming.is_empty() {
        let (collections, titles): (Vec<&str>, Vec<&str>) =
            naming.iter().map(|register| (register.collection.as_str(), register.title_zh.as_str())).unzip();
        violations.add(
            "kind",
            "RECORD_IN_USE",
            format!("records of {} name it; withdraw those first, or end this one", collections.join(", ")),
            format!("有{}引用该记录，请先撤回这些记录，或改为终止", titles.join("、")),
        );
    }
    violations.into_result(()).map_err(Error::State)
}
