//! PostgreSQL: a pool, a transaction for each unit, migrations under an advisory lock.

use diesel::{
    Connection as _, PgConnection, RunQueryDsl as _,
    connection::{SimpleConnection as _, TransactionManager as _},
    r2d2::{ManageConnection, Pool},
    sql_types::BigInt,
};
use diesel_migrations::MigrationHarness as _;

use super::{AnyConnection, Migrations, StoreConfig, backend::told_apart, moments, place};
use crate::error::Error;

/// Key of the advisory lock under which replicas migrate, one after the other ("minsheng" in ASCII).
const MIGRATION_LOCK: i64 = 0x6d69_6e73_6865_6e67;

pub(super) struct PostgresBackend {
    pool: Pool<Manager>,
}

/// Makes the pool's connections in the shape that the store speaks.
struct Manager {
    url: String,
}

impl ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<AnyConnection, Self::Error> {
        PgConnection::establish(&self.url).map(AnyConnection::Postgres).map_err(diesel::r2d2::Error::ConnectionError)
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), Self::Error> {
        connection.batch_execute("SELECT 1").map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        std::thread::panicking()
            || <AnyConnection as diesel::Connection>::TransactionManager::is_broken_transaction_manager(connection)
    }
}

impl PostgresBackend {
    pub(super) fn open(config: &StoreConfig, migrations: &[Migrations]) -> Result<Self, Error> {
        told_apart::<diesel::pg::Pg>(migrations.iter().map(|part| (part.postgres)()))?;
        let mut connection =
            PgConnection::establish(&config.url).map_err(|error| Error::StoreUnavailable(Box::new(error)))?;
        diesel::sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(MIGRATION_LOCK).execute(&mut connection)?;
        for part in migrations {
            connection.run_pending_migrations((part.postgres)()).map_err(Error::Internal)?;
        }
        place::recognise(&mut connection)?;
        diesel::sql_query("SELECT pg_advisory_unlock($1)")
            .bind::<BigInt, _>(MIGRATION_LOCK)
            .execute(&mut connection)?;
        let pool = Pool::builder()
            .max_size(config.connections)
            .min_idle(Some(1))
            .connection_timeout(config.patience)
            .test_on_check_out(false)
            .build(Manager { url: config.url.clone() })
            .map_err(|error| Error::StoreUnavailable(Box::new(error)))?;
        Ok(Self { pool })
    }

    pub(super) fn read<T, F>(&self, f: F) -> Result<T, Error>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, Error>,
    {
        let mut connection = self.pool.get().map_err(|error| Error::StoreUnavailable(Box::new(error)))?;
        connection.transaction(|connection| {
            // One snapshot for all statements of the read.
            diesel::sql_query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(connection)?;
            f(connection)
        })
    }

    pub(super) fn settle(&self, now: i64) -> Result<i64, Error> {
        let mut connection = self.pool.get().map_err(|error| Error::StoreUnavailable(Box::new(error)))?;
        let AnyConnection::Postgres(connection) = &mut *connection else { unreachable!("the manager makes no other") };
        moments::settle(connection, now)
    }

    pub(super) fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        F: FnOnce(&mut AnyConnection, i64) -> Result<(T, i64), Error>,
    {
        let mut connection = self.pool.get().map_err(|error| Error::StoreUnavailable(Box::new(error)))?;
        connection.transaction(|connection| work(connection, 0)).map(|(value, _)| value)
    }
}
