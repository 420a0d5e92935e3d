//! Queries on the table of institutions beyond those of every register.

use std::collections::BTreeSet;

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{
    error::{Error, Violations},
    on_each,
    register::{ROWS_PER_INSERT, Table as _},
    store::AnyConnection,
};
use minsheng_proto::common::v1::RecordState;

use crate::schema::{
    InstitutionRecord, age_friendly_assessments, institutions, quality_certificates, result_decisions,
};

const WITHDRAWN: i64 = RecordState::Withdrawn as i64;

/// Holds the institutions that records of this unit name, until it ends: a withdrawal waits for the records, or is seen
/// here and the unit is to be sent again. On SQLite there is nothing to do: one unit runs at a time.
pub fn hold_institutions<'a>(
    connection: &mut AnyConnection,
    ids: impl IntoIterator<Item = &'a str>,
) -> Result<(), Error> {
    let AnyConnection::Postgres(connection) = connection else { return Ok(()) };
    let ids = Vec::from_iter(ids.into_iter().collect::<BTreeSet<_>>());
    for part in ids.chunks(ROWS_PER_INSERT) {
        let there = institutions::table
            .filter(institutions::id.eq_any(part))
            .filter(institutions::number.eq(0))
            .order(institutions::id)
            .select(institutions::state);
        let states: Vec<i64> = there.for_key_share().load(connection)?;
        if states.len() < part.len() || states.contains(&WITHDRAWN) {
            return Err(Error::Raced);
        }
    }
    Ok(())
}

/// Refuses to withdraw an institution that records name which were not withdrawn themselves: they would speak of an
/// institution that never was.
pub(super) fn check_unnamed(connection: &mut AnyConnection, id: &str) -> Result<(), Error> {
    macro_rules! name_it {
        ($naming:ident, $table:ident by $column:ident) => {
            let query = $table::table
                .filter($table::$column.eq(id))
                .filter($table::state.ne(WITHDRAWN))
                .select($table::id)
                .limit(1);
            $naming.append(&mut on_each!(connection, c => query.load(c))?);
        };
    }
    let mut naming: Vec<String> = Vec::new();
    name_it!(naming, age_friendly_assessments by institution);
    name_it!(naming, quality_certificates by institution);
    name_it!(naming, result_decisions by performing_institution);
    name_it!(naming, result_decisions by receiving_institution);
    let mut violations = Violations::new();
    violations.require(
        naming.is_empty(),
        "kind",
        "INSTITUTION_IN_USE",
        "assessments, certificates or decisions name the institution; withdraw those first, or end the institution",
        "有评估、质评或互认记录引用该机构，请先撤回这些记录，或改为终止",
    );
    violations.into_result(()).map_err(Error::State)
}

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
