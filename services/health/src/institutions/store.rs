//! Queries on the table of institutions beyond those of every register.

use std::collections::{BTreeSet, HashMap};

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{
    error::Error,
    register::{ROWS_PER_INSERT, Table as _},
    store::AnyConnection,
};

use crate::schema::{InstitutionRecord, institutions};

/// Finds institutions by id.
pub fn institutions_by_id<'a>(
    connection: &mut AnyConnection,
    ids: impl IntoIterator<Item = &'a str>,
) -> Result<HashMap<String, InstitutionRecord>, Error> {
    let ids: Vec<String> = ids.into_iter().collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect();
    let mut found = HashMap::with_capacity(ids.len());
    for part in ids.chunks(ROWS_PER_INSERT) {
        found.extend(InstitutionRecord::find(connection, part)?.into_iter().map(|record| (record.id.clone(), record)));
    }
    Ok(found)
}

/// Finds institutions for writing, in the order of ids: on PostgreSQL the rows stay locked until the unit ends, and
/// units that lock in this order cannot wait for each other in a circle.
pub fn institutions_locked(connection: &mut AnyConnection, ids: &[String]) -> Result<Vec<InstitutionRecord>, Error> {
    let mut found = Vec::with_capacity(ids.len());
    for part in ids.chunks(ROWS_PER_INSERT) {
        let query = institutions::table.filter(institutions::id.eq_any(part)).order(institutions::id);
        found.append(&mut match connection {
            AnyConnection::Sqlite(c) => query.load::<InstitutionRecord>(c)?,
            AnyConnection::Postgres(c) => query.for_update().load::<InstitutionRecord>(c)?,
        });
    }
    Ok(found)
}
