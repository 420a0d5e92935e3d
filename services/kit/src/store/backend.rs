//! Chooses the database by its URL and brings its schema up to date.

use std::{collections::HashSet, path::PathBuf, time::Duration};

use diesel::{
    backend::Backend as Database,
    migration::{Migration, MigrationSource},
    pg::Pg,
    sqlite::Sqlite,
};
use diesel_migrations::EmbeddedMigrations;

use super::{AnyConnection, postgres::PostgresBackend, sqlite::SqliteBackend};
use crate::error::Error;

/// The embedded migrations of one part of the schema. A version is in one of the three places only.
#[derive(Clone, Copy)]
pub struct Migrations {
    /// Those that both databases run.
    pub both: &'static EmbeddedMigrations,
    /// Those of SQLite alone.
    pub sqlite: &'static EmbeddedMigrations,
    /// Those of PostgreSQL alone.
    pub postgres: &'static EmbeddedMigrations,
}

const NOTHING: EmbeddedMigrations = EmbeddedMigrations::new(&[]);

impl Migrations {
    /// A part without tables of its own.
    pub const NONE: Self = Self::of_both(&NOTHING);

    /// Makes a part of migrations that both databases run.
    pub const fn of_both(both: &'static EmbeddedMigrations) -> Self {
        Self { both, sqlite: &NOTHING, postgres: &NOTHING }
    }
}

impl MigrationSource<Sqlite> for Migrations {
    fn migrations(&self) -> diesel::migration::Result<Vec<Box<dyn Migration<Sqlite>>>> {
        joined(self.both, self.sqlite)
    }
}

impl MigrationSource<Pg> for Migrations {
    fn migrations(&self) -> diesel::migration::Result<Vec<Box<dyn Migration<Pg>>>> {
        joined(self.both, self.postgres)
    }
}

fn joined<DB: Database>(
    both: &EmbeddedMigrations,
    one: &EmbeddedMigrations,
) -> diesel::migration::Result<Vec<Box<dyn Migration<DB>>>> {
    let mut all = both.migrations()?;
    all.append(&mut one.migrations()?);
    Ok(all)
}

/// Embeds the migrations of the calling crate out of `migrations/`, which both databases run. PostgreSQL knows `BLOB`
/// from the kit's first migration.
#[macro_export]
macro_rules! migrations {
    () => {{
        const BOTH: diesel_migrations::EmbeddedMigrations = diesel_migrations::embed_migrations!("migrations");
        $crate::store::Migrations::of_both(&BOTH)
    }};
}

/// Refuses parts of which two have a migration of one version: the later one would be taken for done and never run.
pub(super) fn check_unique_versions<DB: Database>(parts: &[Migrations]) -> Result<(), Error>
where
    Migrations: MigrationSource<DB>,
{
    let mut versions = HashSet::new();
    for part in parts {
        for migration in MigrationSource::<DB>::migrations(part).map_err(Error::Internal)? {
            let name = migration.name();
            if !versions.insert(name.version().as_owned()) {
                return Err(Error::internal(format!("two migrations have the version of {name}")));
            }
        }
    }
    Ok(())
}

/// Where the records are kept. Printed without its password.
#[derive(Clone)]
pub struct StoreConfig {
    /// `sqlite:PATH` or `postgres://USER@HOST/DATABASE`.
    pub url: String,
    /// Connections of the PostgreSQL pool, or readers of SQLite.
    pub connections: u32,
    /// How long to wait for a connection.
    pub patience: Duration,
}

impl std::fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreConfig")
            .field("url", &redacted(&self.url))
            .field("connections", &self.connections)
            .field("patience", &self.patience)
            .finish()
    }
}

/// Leaves out of a URL what may be a password: whoever it names, and its parameters.
pub(crate) fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let (place, parameters) = place.split_once('?').map_or((place, ""), |(place, _)| (place, "?…"));
    let user = if rest.contains('@') { "…@" } else { "" };
    format!("{scheme}://{user}{place}{parameters}")
}

impl StoreConfig {
    /// Returns the usual configuration for a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), connections: 8, patience: Duration::from_secs(5) }
    }
}

pub(super) enum Backend {
    Sqlite(SqliteBackend),
    Postgres(PostgresBackend),
}

impl Backend {
    pub(super) fn open(config: &StoreConfig, migrations: &[Migrations]) -> Result<Self, Error> {
        if let Some(path) = config.url.strip_prefix("sqlite:") {
            return SqliteBackend::open(PathBuf::from(path), config, migrations).map(Self::Sqlite);
        }
        if config.url.starts_with("postgres://") || config.url.starts_with("postgresql://") {
            return PostgresBackend::open(config, migrations).map(Self::Postgres);
        }
        Err(Error::invalid(
            "database_url",
            "UNKNOWN_DATABASE",
            "must begin with sqlite: or postgres://",
            "须以 sqlite: 或 postgres:// 开头",
        ))
    }

    pub(super) fn read<T, F>(&self, f: F) -> Result<T, Error>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, Error>,
    {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(f),
            Self::Postgres(postgres) => postgres.read(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_s_configuration_prints_without_its_password() {
        for url in ["postgres://minsheng:s3cret@db:5432/health", "postgres://db/health?user=m&password=s3cret"] {
            let printed = format!("{:?}", StoreConfig::new(url));
            assert!(printed.contains("db") && printed.contains("health") && !printed.contains("s3cret"), "{printed}");
        }
        assert!(format!("{:?}", StoreConfig::new("sqlite:/data/health.db")).contains("sqlite:/data/health.db"));
    }

    #[test]
    fn two_migrations_of_one_version_are_refused_before_any_runs() {
        let kit = crate::store::KIT_MIGRATIONS;
        assert!(check_unique_versions::<Sqlite>(&[kit]).is_ok());
        assert!(check_unique_versions::<Pg>(&[kit]).is_ok());
        let twice = check_unique_versions::<Sqlite>(&[kit, kit]).expect_err("one version twice");
        assert!(format!("{twice:?}").contains("two migrations"), "{twice:?}");
    }
}
