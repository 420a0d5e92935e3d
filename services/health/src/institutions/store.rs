//! Queries on the table of institutions beyond those of every register.

use minsheng_kit::{
    error::Error,
    register::Table as _,
    store::{AnyConnection, LockStrength, lock_records},
};

use crate::schema::InstitutionRecord;

/// Finds all states of institutions for writing what assessments say of them, in the order of ids and days: nobody else
/// writes the institutions until the unit ends, and others may go on naming them, as the assessments of this unit do.
pub fn institutions_locked(connection: &mut AnyConnection, ids: &[String]) -> Result<Vec<InstitutionRecord>, Error> {
    lock_records(connection, "institutions", ids.iter().map(String::as_str), LockStrength::SharedWrite)?;
    InstitutionRecord::find(connection, ids)
}
