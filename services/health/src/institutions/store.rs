//! Queries on the table of institutions beyond those of every register.

use minsheng_kit::{
    error::Error,
    register::Table as _,
    store::{AnyConnection, LockStrength, lock_records},
};

use crate::schema::InstitutionRecord;

/// Finds all states of institutions for writing, in the order of ids and days: nobody else writes the institutions until
/// the unit ends.
pub fn institutions_locked(connection: &mut AnyConnection, ids: &[String]) -> Result<Vec<InstitutionRecord>, Error> {
    lock_records(connection, "institutions", ids.iter().map(String::as_str), LockStrength::Exclusive)?;
    InstitutionRecord::find(connection, ids)
}
