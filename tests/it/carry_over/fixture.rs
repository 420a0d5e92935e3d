//! The fixture: databases and a lake that the previous version wrote, what its registers answered and what its reports said.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, SqliteConnection,
    connection::SimpleConnection as _,
    pg::Pg,
    sql_types::{BigInt, Text},
    sqlite::Sqlite,
};
use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};
use minsheng_kit::{
    assembly::Definition,
    store::{Store, StoreConfig, system_clock},
};
use minsheng_testkit::{TestDatabase, TestSite};
use serde::Deserialize;
use serde_json::Value;

/// The first migrations of this version; the previous one had those before.
const FIRST_MIGRATION: &str = "2026-11-28";
/// The one that has a lower version than theirs.
const BLOB_MIGRATION: &str = "2025-12-31-000000_blob";

/// A site whose directory holds what the previous version left there.
pub(super) struct Fixture {
    pub(super) site: TestSite,
    pub(super) told: Told,
}

/// What the previous version answered and reported.
#[derive(Deserialize)]
pub(super) struct Told {
    /// By department and record's name.
    pub(super) records: BTreeMap<String, BTreeMap<String, Answers>>,
    /// All that `ListParameters` gave, by department.
    pub(super) parameters: BTreeMap<String, Vec<Value>>,
    pub(super) reports: Vec<Report>,
    /// Instants between the changes, by name.
    pub(super) instants: BTreeMap<String, String>,
}

/// What was answered of a record that had changed.
#[derive(Deserialize)]
pub(super) struct Answers {
    pub(super) record: Value,
    /// The newest first.
    pub(super) revisions: Vec<Value>,
}

/// A report that the previous version made; its figures stand in files of this name.
#[derive(Deserialize)]
pub(super) struct Report {
    pub(super) name: String,
    pub(super) on: String,
    pub(super) as_of: String,
}

impl Fixture {
    pub(super) fn unpack() -> Self {
        let site = TestSite::new().expect("a site");
        let archive = root().join("tests/fixtures/previous-version/data.tar.gz");
        let mut tar = Command::new("tar");
        let tar = tar.arg("-xzf").arg(archive).arg("-C").arg(site.path());
        assert!(tar.status().expect("tar runs").success(), "the fixture does not unpack");
        let told = fs::read(site.path().join("answers.json")).expect("it is in the fixture");
        Self { told: serde_json::from_slice(&told).expect("the fixture's own"), site }
    }

    /// Opens a service's database, which no service may have open.
    pub(super) fn open(&self, kind: TestDatabase, definition: &Definition) -> Database {
        let url = self.site.database(kind, definition.department).expect("a database");
        match kind {
            TestDatabase::Sqlite => {
                let file = url.strip_prefix("sqlite:").expect("the URL of a file");
                Database::Sqlite(SqliteConnection::establish(file).expect("opens"))
            }
            TestDatabase::Postgres => Database::Postgres(PgConnection::establish(&url).expect("opens")),
        }
    }

    /// Opens a database as the previous version left it. On PostgreSQL it is made first, with the previous version's
    /// schema and the rows of the fixture's file.
    pub(super) fn open_before(&self, kind: TestDatabase, definition: &Definition) -> Database {
        let mut database = self.open(kind, definition);
        if let Database::Postgres(connection) = &mut database {
            for service in ["kit", definition.department] {
                let migrations = previous_migrations(&self.site.path().join("migrations"), service);
                let migrations = FileBasedMigrations::from_path(migrations).expect("migrations");
                connection.run_pending_migrations(migrations).expect("the previous version's schema");
            }
            let mut file = self.open(TestDatabase::Sqlite, definition);
            copy_rows(&mut file, &mut database);
        }
        database
    }

    /// Brings a database's schema up to date, as the start of a service does before it carries anything over.
    pub(super) fn migrate(&self, kind: TestDatabase, definition: &Definition) {
        let url = self.site.database(kind, definition.department).expect("a database");
        Store::open(&StoreConfig::new(url), &definition.all_migrations(), system_clock()).expect("migrated");
    }

    /// Reads a table of figures that the previous version reported: the columns of the value by those of the key.
    pub(super) fn figures(&self, file: &str, keys: usize) -> BTreeMap<Vec<String>, Vec<String>> {
        let path = self.site.path().join("expected").join(file);
        let mut rows = csv::Reader::from_path(path).expect("it is in the fixture");
        let rows = rows.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect::<Vec<_>>());
        rows.map(|mut row| {
            let value = row.split_off(keys);
            (row, value)
        })
        .collect()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Lays out a service's migrations as the previous version had them for PostgreSQL: without those of this version, and
/// with PostgreSQL's own name for bytes.
fn previous_migrations(directory: &Path, service: &str) -> PathBuf {
    let all = root().join("services").join(service).join("migrations");
    let previous = directory.join(service);
    let folders = if service == "kit" { vec![all.join("both"), all.join("postgres")] } else { vec![all] };
    for migration in folders.iter().flat_map(|folder| fs::read_dir(folder).expect("migrations")) {
        let migration = migration.expect("a migration");
        let name = migration.file_name();
        if name.to_string_lossy().as_ref() < FIRST_MIGRATION && name != BLOB_MIGRATION {
            let copy = previous.join(name);
            fs::create_dir_all(&copy).expect("a directory");
            for file in ["up.sql", "down.sql"] {
                let text = fs::read_to_string(migration.path().join(file)).expect("read");
                fs::write(copy.join(file), text.replace("BLOB", "BYTEA")).expect("written");
            }
        }
    }
    previous
}

/// A connection to a service's database.
pub(super) enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Database {
    pub(super) fn load<Row>(&mut self, sql: &str) -> Vec<Row>
    where
        Row: QueryableByName<Sqlite> + QueryableByName<Pg> + 'static,
    {
        let query = diesel::sql_query(sql);
        match self {
            Self::Sqlite(connection) => query.load(connection),
            Self::Postgres(connection) => query.load(connection),
        }
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub(super) fn execute(&mut self, sql: &str) {
        match self {
            Self::Sqlite(connection) => connection.batch_execute(sql),
            Self::Postgres(connection) => connection.batch_execute(sql),
        }
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    pub(super) fn texts(&mut self, sql: &str) -> Vec<String> {
        self.load::<OneText>(sql).into_iter().map(|row| row.text).collect()
    }

    pub(super) fn number(&mut self, sql: &str) -> i64 {
        self.load::<OneNumber>(sql).first().expect("a row").number
    }

    /// Lists the columns of a table.
    pub(super) fn columns(&mut self, table: &str) -> Vec<String> {
        self.texts(&match self {
            Self::Sqlite(_) => format!("SELECT name AS text FROM pragma_table_info('{table}')"),
            // The transaction of an entry says nothing of its content.
            Self::Postgres(_) => format!(
                "SELECT column_name::text AS text FROM information_schema.columns WHERE table_schema = 'public' \
                 AND table_name = '{table}' AND column_name <> 'tx' ORDER BY ordinal_position"
            ),
        })
    }

    /// Spells the expression for a column's value as text.
    pub(super) fn as_text(&self, column: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("quote({column})"),
            Self::Postgres(_) => format!("coalesce({column}::text, 'NULL')"),
        }
    }

    /// Lists the tables of registers: those whose rows are states.
    pub(super) fn registers(&mut self) -> Vec<String> {
        self.texts(match self {
            Self::Sqlite(_) => {
                "SELECT name AS text FROM sqlite_master WHERE type = 'table' \
                 AND EXISTS (SELECT 1 FROM pragma_table_info(sqlite_master.name) WHERE name = 'told') \
                 AND name <> 'parameter_states' ORDER BY name"
            }
            Self::Postgres(_) => {
                "SELECT table_name::text AS text FROM information_schema.columns WHERE table_schema = 'public' \
                 AND column_name = 'told' AND table_name <> 'parameter_states' ORDER BY table_name"
            }
        })
    }
}

#[derive(QueryableByName)]
struct OneText {
    #[diesel(sql_type = Text)]
    text: String,
}

#[derive(QueryableByName)]
struct OneNumber {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

/// Copies all rows of an SQLite file into a PostgreSQL database that has the tables.
fn copy_rows(from: &mut Database, to: &mut Database) {
    let tables = from.texts(
        "SELECT name AS text FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_\\_%' \
         ESCAPE '\\'",
    );
    for table in tables {
        let there = from.texts(&format!("SELECT name AS text FROM pragma_table_info('{table}')"));
        let columns: Vec<Column> = to.load(&format!(
            "SELECT column_name::text AS name, data_type::text AS kind FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
        ));
        let columns: Vec<&Column> = columns.iter().filter(|column| there.contains(&column.name)).collect();
        assert!(!columns.is_empty(), "PostgreSQL has no table {table}");
        let names: Vec<String> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        let literals: Vec<String> = columns.iter().map(|column| literal(column)).collect();
        let rows = from.texts(&format!("SELECT {} AS text FROM \"{table}\"", literals.join(" || ', ' || ")));
        to.execute(&format!("DELETE FROM \"{table}\""));
        for row in rows.chunks(200) {
            let rows: Vec<String> = row.iter().map(|row| format!("({row})")).collect();
            to.execute(&format!("INSERT INTO \"{table}\" ({}) VALUES {}", names.join(", "), rows.join(", ")));
        }
        if columns.iter().any(|column| column.name == "position") {
            to.execute(&format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'position'), greatest(1, (SELECT max(position) FROM \"{table}\")))"
            ));
        }
    }
}

/// Writes the expression with which SQLite spells a column's value as PostgreSQL reads it.
fn literal(Column { name, kind }: &Column) -> String {
    match kind.as_str() {
        "bytea" => format!("CASE WHEN \"{name}\" IS NULL THEN 'NULL' ELSE '''\\x' || hex(\"{name}\") || '''' END"),
        "boolean" => format!("CASE \"{name}\" WHEN 1 THEN 'TRUE' WHEN 0 THEN 'FALSE' ELSE 'NULL' END"),
        _ => format!("quote(\"{name}\")"),
    }
}
