//! Notices that a PostgreSQL database was restored: it lies in another cluster, on another timeline or under another
//! name than when it was opened last, or its journal remembers transactions that this cluster has not had yet.
//!
//! Cursors that readers hold speak of the journal's former life, so it gets a new incarnation. A dump carries the old
//! cluster's transaction ids along; here they mean nothing, and those in the future would hide their entries from the
//! feed. They are all stamped again as older than any snapshot.

use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _,
    sql_types::{Bool, Text},
};

use crate::error::Error;

#[derive(QueryableByName)]
struct Here {
    #[diesel(sql_type = Text)]
    here: String,
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Text)]
    place: String,
    #[diesel(sql_type = Bool)]
    beyond: bool,
}

/// Compares the place with the one that the database remembers. Under the lock of migrations, before anything is served.
pub(super) fn recognise(connection: &mut PgConnection) -> Result<(), Error> {
    // Somebody may have taken these functions away from the role: then what the journal remembers has to do.
    let here: Option<Here> = connection
        .transaction(|connection| {
            diesel::sql_query(
                "SELECT concat(system_identifier, '/', timeline_id, '/', (SELECT oid FROM pg_database \
                 WHERE datname = current_database())) AS here FROM pg_control_system(), pg_control_checkpoint()",
            )
            .get_result(connection)
        })
        .inspect_err(|error| tracing::warn!(%error, "cannot tell which cluster this is"))
        .ok();
    connection.transaction(|connection| {
        // The greatest transaction of each dataset by the index (dataset, tx); the journal is not scanned.
        let known: Known = diesel::sql_query(
            "WITH RECURSIVE names AS (\
             SELECT (SELECT min(dataset) FROM journal) AS dataset UNION ALL \
             SELECT (SELECT min(dataset) FROM journal WHERE dataset > names.dataset) FROM names \
             WHERE names.dataset IS NOT NULL) \
             SELECT place, EXISTS (SELECT 1 FROM names WHERE EXISTS (SELECT 1 FROM journal \
             WHERE journal.dataset = names.dataset AND tx >= pg_snapshot_xmax(pg_current_snapshot()))) AS beyond \
             FROM journal_state",
        )
        .get_result(connection)?;
        let place = here.map_or_else(|| known.place.clone(), |here| here.here);
        let cluster = |place: &str| place.split('/').next().unwrap_or_default().to_owned();
        let moved = !known.place.is_empty() && known.place != place;
        if known.beyond || moved && cluster(&known.place) != cluster(&place) {
            let stamped = diesel::sql_query("UPDATE journal SET tx = '3'::xid8").execute(connection)?;
            tracing::warn!(
                entries = stamped,
                "the journal comes from another cluster; its transactions are stamped again"
            );
        }
        if known.beyond || moved {
            diesel::sql_query("UPDATE journal_state SET incarnation = replace(gen_random_uuid()::text, '-', '')")
                .execute(connection)?;
            tracing::warn!("the database was restored or moved: the journal begins a new life, readers start again");
        }
        if known.place != place {
            diesel::sql_query("UPDATE journal_state SET place = $1").bind::<Text, _>(&place).execute(connection)?;
        }
        Ok(())
    })
}
