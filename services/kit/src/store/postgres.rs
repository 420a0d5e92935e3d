//! PostgreSQL: a pool, a transaction for each unit, migrations under an advisory lock.

use std::time::Duration;

use diesel::{
    Connection as _, PgConnection, RunQueryDsl as _,
    connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager as _},
    r2d2::{ManageConnection, Pool, PooledConnection},
    sql_types::BigInt,
};
use diesel_migrations::MigrationHarness as _;

use super::{
    AnyConnection, Migrations, StoreConfig, backend::check_unique_versions, restore_point, watermark, workers::Workers,
};
use crate::error::Error;

/// Key of the advisory lock under which replicas migrate, one after the other ("minsheng" in ASCII).
const MIGRATION_LOCK: i64 = 0x6d69_6e73_6865_6e67;

/// Each statement of a unit sees what was committed before it began, and so what a lock was waited for; whatever the
/// server's usual isolation is.
const BEGIN_UNIT: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// How often a unit runs that meets others.
const ATTEMPTS: u32 = 5;

/// Longest pause before a unit runs for the second time; each later one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

pub(super) struct PostgresBackend {
    pool: Pool<Manager>,
    pub(super) workers: Workers,
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
        check_unique_versions::<diesel::pg::Pg>(migrations)?;
        let mut connection =
            PgConnection::establish(&config.url).map_err(|error| Error::StoreUnavailable(Box::new(error)))?;
        diesel::sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(MIGRATION_LOCK).execute(&mut connection)?;
        for part in migrations {
            connection.run_pending_migrations(*part).map_err(Error::Internal)?;
        }
        restore_point::recognise(&mut connection)?;
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
        Ok(Self { pool, workers: Workers::start(config.connections, config.patience)? })
    }

    pub(super) fn read<T, F>(&self, f: F) -> Result<T, Error>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, Error>,
    {
        // One snapshot for all statements of the read.
        transaction(&mut *self.connection()?, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", f)
    }

    /// Reads by one statement, which is a snapshot by itself: its beginning and end are no round trips of their own.
    pub(super) fn read_one<T, F>(&self, f: F) -> Result<T, Error>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, Error>,
    {
        f(&mut *self.connection()?)
    }

    pub(super) fn settle(&self, now: i64) -> Result<i64, Error> {
        watermark::settle(inner(&mut *self.connection()?), now)
    }

    /// Carries out a unit, and again a few times if it meets another one: then nothing of it is there, and the next
    /// time it sees what the other wrote.
    pub(super) fn write<T, F>(&self, mut work: F) -> Result<T, Error>
    where
        F: FnMut(&mut AnyConnection, i64) -> Result<(T, i64), Error>,
    {
        let mut connection = self.connection()?;
        let (mut pause, mut floor) = (FIRST_PAUSE, 0);
        for _ in 1..ATTEMPTS {
            match transaction(&mut connection, BEGIN_UNIT, |connection| work(connection, floor)) {
                Err(Error::Raced) => tracing::debug!("a unit met another one and runs again"),
                Err(Error::ClockBehind { instant }) => {
                    floor = instant + 1;
                    continue;
                }
                done => return done.map(|(value, _)| value),
            }
            // Those that met would meet again if they all came back at once.
            std::thread::sleep(pause.mul_f64(fastrand::f64()));
            pause *= 2;
        }
        transaction(&mut connection, BEGIN_UNIT, |connection| work(connection, floor)).map(|(value, _)| value)
    }

    fn connection(&self) -> Result<PooledConnection<Manager>, Error> {
        self.pool.get().map_err(|error| Error::StoreUnavailable(Box::new(error)))
    }
}

fn inner(connection: &mut AnyConnection) -> &mut PgConnection {
    let AnyConnection::Postgres(connection) = connection else { unreachable!("the manager makes no other") };
    connection
}

/// Runs a closure in a transaction that begins by this statement.
fn transaction<T, F>(connection: &mut AnyConnection, begin: &str, f: F) -> Result<T, Error>
where
    F: FnOnce(&mut AnyConnection) -> Result<T, Error>,
{
    AnsiTransactionManager::begin_transaction_sql(inner(connection), begin)?;
    let result = f(connection);
    let inner = inner(connection);
    match result {
        Ok(value) => AnsiTransactionManager::commit_transaction(inner).map(|()| value).map_err(Error::from),
        Err(error) => match AnsiTransactionManager::rollback_transaction(inner) {
            // What broke the connection was told by the closure.
            Ok(()) | Err(diesel::result::Error::BrokenTransactionManager) => Err(error),
            Err(worse) => Err(worse.into()),
        },
    }
}
