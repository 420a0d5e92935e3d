//! The store: one unit of work over SQLite and PostgreSQL.
//!
//! A unit holds the register's rows, the journal entries, the idempotency record and the access entry; all of them
//! commit or none does, and the answer leaves only after the commit is durable. What the kit needs from a database
//! is here and nowhere else; no SQL text of a register stands in this module.

mod backend;
mod connection;
mod key_check;
mod locks;
mod postgres;
pub(crate) mod records;
mod restore_point;
pub mod schema;
mod sqlite;
mod unit;
mod watermark;
pub(crate) mod window;
mod workers;

use std::sync::Arc;

pub use backend::{Migrations, StoreConfig};
pub use connection::{AnyConnection, ROWS_OF_A_STATEMENT, ROWS_WORTH_A_COPY};
pub use locks::lock_keys;
pub use records::{LockStrength, lock_records};
pub use sqlite::SQLITE_SETTINGS;
pub use unit::{AccessEntry, Idempotency, JournalEntry, Tx, Unit};
pub use window::JournalRecord;

use crate::{error::Error, keys::Keys};

/// Returns the time in microseconds UTC; fixed in tests.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Reads the machine's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| chrono::Utc::now().timestamp_micros())
}

/// A department's store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    backend: Arc<backend::Backend>,
    clock: Clock,
    keys: Option<Arc<Keys>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database of a URL (`sqlite:PATH` or `postgres://…`) and brings its schema up to date.
    ///
    /// Blocks; several processes may do it at once on PostgreSQL, one at a time owns an SQLite file.
    pub fn open(config: &StoreConfig, migrations: &[Migrations], clock: Clock) -> Result<Self, Error> {
        Ok(Self { backend: Arc::new(backend::Backend::open(config, migrations)?), clock, keys: None })
    }

    /// Keeps hashes of requests under the department's key from now on.
    #[must_use]
    pub fn keyed(self, keys: Arc<Keys>) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// Returns the present instant, in microseconds UTC.
    pub fn now(&self) -> i64 {
        (self.clock)()
    }

    /// Returns an instant that is settled: a read that begins afterwards sees everything recorded up to it, and nothing
    /// recorded at or before it will ever appear.
    pub async fn settled(&self) -> Result<i64, Error> {
        let now = self.now();
        match &*self.backend {
            backend::Backend::Sqlite(sqlite) => Ok(sqlite.settle(now)),
            backend::Backend::Postgres(_) => self.on_postgres(move |postgres| postgres.settle(now)).await,
        }
    }

    /// Reads in one snapshot. Short reads on SQLite stay on the caller's thread; PostgreSQL's hop to one of its own.
    pub async fn read<T, F>(&self, f: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Error> + Send + 'static,
    {
        match &*self.backend {
            backend::Backend::Sqlite(sqlite) => sqlite.read(f),
            backend::Backend::Postgres(_) => self.on_postgres(move |postgres| postgres.read(f)).await,
        }
    }

    /// Reads by a single statement, which needs no transaction around it. A second one would see another instant.
    pub async fn read_one<T, F>(&self, f: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Error> + Send + 'static,
    {
        match &*self.backend {
            backend::Backend::Sqlite(sqlite) => sqlite.read_one(f),
            backend::Backend::Postgres(_) => self.on_postgres(move |postgres| postgres.read_one(f)).await,
        }
    }

    /// Reads in one snapshot on a thread that may block: for what takes long.
    pub async fn read_long<T, F>(&self, f: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Error> + Send + 'static,
    {
        let backend = Arc::clone(&self.backend);
        let span = tracing::Span::current();
        tokio::task::spawn_blocking(move || span.in_scope(|| backend.read(f))).await.map_err(Error::internal)?
    }

    /// Carries out a unit of work and answers when it is durable.
    ///
    /// A repeated request gets the first answer back; the closure is then not called. A unit that meets another one, so
    /// that the database lets only one of them pass, runs again a few times, in a transaction of its own each time.
    pub async fn write<T, F>(&self, mut unit: Unit, mut f: F) -> Result<T, Error>
    where
        T: prost::Message + Default + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        if let (Some(keys), Some(key)) = (&self.keys, &mut unit.idempotency) {
            key.request_hash = keys.request_tag(&key.request_hash);
        }
        let clock = Arc::clone(&self.clock);
        let work = move |connection: &mut AnyConnection, floor: i64| {
            let now = clock().max(floor);
            unit::run(connection, &unit, now, &mut f)
        };
        match &*self.backend {
            backend::Backend::Sqlite(sqlite) => sqlite.write(work).await,
            backend::Backend::Postgres(_) => self.on_postgres(move |postgres| postgres.write(work)).await,
        }
    }

    /// Goes to PostgreSQL on a thread that has a connection at hand. Only where the store is one.
    async fn on_postgres<T, F>(&self, f: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&postgres::PostgresBackend) -> Result<T, Error> + Send + 'static,
    {
        let backend::Backend::Postgres(postgres) = &*self.backend else {
            unreachable!("asked only where the store is PostgreSQL")
        };
        let (backend, span) = (Arc::clone(&self.backend), tracing::Span::current());
        let work = move || match &*backend {
            backend::Backend::Postgres(postgres) => span.in_scope(|| f(postgres)),
            backend::Backend::Sqlite(_) => unreachable!("it was PostgreSQL"),
        };
        postgres.workers.run(work).await
    }
}

const BOTH: diesel_migrations::EmbeddedMigrations = diesel_migrations::embed_migrations!("migrations/both");
const OF_SQLITE: diesel_migrations::EmbeddedMigrations = diesel_migrations::embed_migrations!("migrations/sqlite");
const OF_POSTGRES: diesel_migrations::EmbeddedMigrations = diesel_migrations::embed_migrations!("migrations/postgres");

/// The migrations of the kit's own tables; every service runs them before its own.
pub const KIT_MIGRATIONS: Migrations = Migrations { both: &BOTH, sqlite: &OF_SQLITE, postgres: &OF_POSTGRES };
