//! What names another register's record, as the contract's option `refers_to` declares it: the named record is there, is
//! locked while what names it goes in, and is not withdrawn while something names it.
//!
//! The rules of a register say what the named record must be on the day that matters. Whoever withdraws a record locks its
//! first state; so does, in share, whoever names it. On SQLite there is nothing to lock: one unit runs at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types::Text};
use minsheng_proto::{register_of_collection, registers};

use super::{
    Declared, ROWS_PER_INSERT, Register, Table as _,
    declared::{Named, reference},
    states::WITHDRAWN,
};
use crate::{
    error::{Error, Violations},
    on_each,
    store::{AnyConnection, LockStrength, records::first_states},
};

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    #[expect(dead_code, reason = "that there is one says enough")]
    id: String,
}

/// Whether the records that are looked up stay as they are until the unit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// They are locked in share; only in a unit that writes.
    Locked,
    /// They are read.
    Unlocked,
}

/// Checks, for each state, that the records that it names are there, were not withdrawn, and lie in its county where they
/// must.
pub(super) fn validate_named(
    connection: &mut AnyConnection,
    states: &[impl Declared],
    lookup: Lookup,
) -> Result<Vec<Violations>, Error> {
    let found = find_named(connection, states, lookup)?;
    let verdict = |state: &_| {
        let area = super::Table::head(state).area;
        let mut violations = Violations::new();
        for named in Declared::references(state) {
            let title = register_of_collection(named.collection).map_or("", |register| &register.title_zh);
            match area_of(&found, named) {
                None => violations.add(
                    named.field,
                    "NO_SUCH_RECORD",
                    format!("names no record of {}", named.collection),
                    format!("所引用的{title}未登记"),
                ),
                Some(county) if named.same_county && *county != area => violations.add(
                    "area",
                    "OTHER_COUNTY",
                    format!("is not the county of what `{}` names", named.field),
                    format!("与所引用的{title}所在县不一致"),
                ),
                Some(_) => {}
            }
        }
        violations
    };
    Ok(states.iter().map(verdict).collect())
}

/// Keeps what these states name from going away, and refuses the withdrawal of what others name.
pub(super) fn keep<R: Register>(connection: &mut AnyConnection, states: &[R::Record]) -> Result<(), Error> {
    if connection.has_concurrent_writers() {
        let in_force: Vec<&R::Record> = states.iter().filter(|state| state.head().is_active()).collect();
        let found = find_named(connection, in_force.iter().copied(), Lookup::Locked)?;
        let mut named = in_force.iter().flat_map(|state| state.references());
        if named.any(|named| area_of(&found, named).is_none()) {
            // It went away since it was looked up: the unit runs again and says so.
            return Err(Error::Raced);
        }
    }
    for state in states.iter().filter(|state| state.head().is_withdrawn()) {
        check_unnamed::<R>(connection, state.id())?;
    }
    Ok(())
}

fn area_of<'a>(found: &'a BTreeMap<&'static str, HashMap<String, String>>, named: Named<'_>) -> Option<&'a String> {
    found.get(named.collection)?.get(named.id)
}

/// Finds the records that states name and their areas, by collection.
fn find_named<'a, D: Declared + 'a>(
    connection: &mut AnyConnection,
    states: impl IntoIterator<Item = &'a D>,
    lookup: Lookup,
) -> Result<BTreeMap<&'static str, HashMap<String, String>>, Error> {
    let mut named: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
    for state in states {
        for reference in state.references() {
            named.entry(reference.collection).or_default().insert(reference.id);
        }
    }
    let lock = (lookup == Lookup::Locked).then_some(LockStrength::Shared);
    // Collections and ids in their order: units that name some of the same cannot wait for each other in a circle.
    let mut found = BTreeMap::new();
    for (collection, ids) in named {
        let ids = Vec::from_iter(ids);
        let there: &mut HashMap<String, String> = found.entry(collection).or_default();
        for part in ids.chunks(ROWS_PER_INSERT) {
            let found = first_states(connection, collection, part, lock)?;
            let found = found.into_iter().filter(|found| found.state != WITHDRAWN);
            there.extend(found.map(|found| (found.id, found.area)));
        }
    }
    Ok(found)
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
