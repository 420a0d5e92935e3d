//! Queries on the table of institutions beyond those of every register.

use crate::schema::{InstitutionRecord, institutions};
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{
    error::Error,
    register::{ROWS_PER_INSERT, Table as _},
    store::AnyConnection,
};

/// Finds all states of institutions for writing, in the order of ids and days: on PostgreSQL they stay locked until the
/// unit ends, and units that lock in this order cannot wait for each other in a circle.
pub fn institutions_locked(connection: &mut AnyConnection, ids: &[String]) -> Result<Vec<InstitutionRecord>, Error> {
    if let AnyConnection::Postgres(connection) = connection {
        // Whoever writes a record locks its first state. What stands is read afterwards, for states that another unit
        // added while this one waited are not seen by the statement that waited.
        for part in ids.chunks(ROWS_PER_INSERT) {
            let first = institutions::table
                .filter(institutions::id.eq_any(part))
                .filter(institutions::number.eq(0))
                .order(institutions::id)
                .select(institutions::id);
            first.for_update().load::<String>(connection)?;
        }
    }
    InstitutionRecord::find(connection, ids)
}
