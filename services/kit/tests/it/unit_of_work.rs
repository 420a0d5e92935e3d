//! A unit's parts are there together or not at all, replicas may start together, and a database knows its key.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use diesel::{
    QueryableByName, RunQueryDsl as _,
    connection::SimpleConnection as _,
    sql_types::{BigInt, Text},
};
use minsheng_kit::{
    error::Error,
    keys::Keys,
    on_each,
    register::Head,
    store::{
        AccessEntry, AnyConnection, Idempotency, KIT_MIGRATIONS, ROWS_WORTH_A_COPY, Store, StoreConfig, Tx, Unit,
        system_clock,
    },
};
use minsheng_proto::returns::v1::ReturnRow;
use minsheng_testkit::{TestDatabase, TestSite, asserted, databases};

const PARTS: [&str; 5] = ["probe", "journal", "accesses", "revisions", "idempotency"];

/// The head of a record's first version.
fn head(record: &str) -> Head {
    Head { id: record.to_owned(), version: 1, ..Head::default() }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    isolation: String,
    #[diesel(sql_type = Text)]
    read_only: String,
}

fn open(site: &TestSite, database: TestDatabase) -> Store {
    let url = site.database(database, "probe").expect("a database");
    Store::open(&StoreConfig::new(url), &[KIT_MIGRATIONS], system_clock()).expect("opens")
}

async fn batch(store: &Store, sqlite: String, postgres: String) {
    let run = move |tx: &mut Tx<'_>| {
        let sql = if matches!(tx.connection, AnyConnection::Sqlite(_)) { &sqlite } else { &postgres };
        tx.connection.batch_execute(sql)?;
        Ok(ReturnRow::default())
    };
    store.write(Unit::of("probe"), run).await.expect("run");
}

/// Lets every insert into a table fail, or not any more.
async fn break_table(store: &Store, table: &str) {
    let sqlite = format!("CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'broken'); END");
    let postgres = format!(
        "CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN RAISE EXCEPTION 'broken'; END $$; \
         CREATE TRIGGER broken BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION broken()"
    );
    batch(store, sqlite, postgres).await;
}

async fn mend_table(store: &Store, table: &str) {
    batch(store, "DROP TRIGGER broken".to_owned(), format!("DROP TRIGGER broken ON {table}")).await;
}

async fn counts(store: &Store) -> Vec<i64> {
    let count = |connection: &mut AnyConnection| {
        PARTS
            .iter()
            .map(|table| {
                let sql = diesel::sql_query(format!("SELECT count(*) AS number FROM {table}"));
                let found: Count = on_each!(connection, c => sql.get_result(c))?;
                Ok(found.number)
            })
            .collect::<Result<Vec<_>, Error>>()
    };
    store.read(count).await.expect("counted")
}

/// An access to an invented person's record by a method.
pub(crate) fn access_entry(method: &str) -> AccessEntry {
    AccessEntry {
        recorded_at: 0,
        department: "probe".to_owned(),
        officer: "7".to_owned(),
        purpose: 1,
        case_number: "case".to_owned(),
        method: method.to_owned(),
        subject: vec![1],
    }
}

/// A unit with all of its parts, that gives up at the end of its closure or not.
async fn write(store: &Store, gives_up: bool) -> Result<ReturnRow, Error> {
    let row = ReturnRow { commitment: "x".to_owned(), ..ReturnRow::default() };
    let key = Idempotency::new("probe", "probe/Write", "00000000-0000-4000-8000-000000000001", &row);
    let unit = move |tx: &mut Tx<'_>| {
        tx.connection.batch_execute("INSERT INTO probe VALUES (1)")?;
        tx.journal(asserted("probe.rows", "a", &row));
        tx.access(access_entry("probe/Write"));
        tx.revision("probe", &head("a"), vec![1]);
        if gives_up { Err(Error::Deadline) } else { Ok(row.clone()) }
    };
    store.write(Unit::repeatable(key), unit).await
}

#[tokio::test]
async fn a_unit_that_fails_at_any_step_leaves_none_of_its_parts() {
    for database in databases() {
        let site = TestSite::new().expect("a directory");
        let store = open(&site, database);
        let table = "CREATE TABLE probe (id BIGINT PRIMARY KEY)";
        batch(&store, table.to_owned(), table.to_owned()).await;
        for part in PARTS {
            break_table(&store, part).await;
            let error = write(&store, false).await.expect_err("broken");
            assert!(matches!(error, Error::Internal(_)), "{database:?}, {part}: {error:?}");
            mend_table(&store, part).await;
            assert_eq!(counts(&store).await, [0; 5], "{database:?}: failed at {part}");
        }
        write(&store, true).await.expect_err("given up");
        assert_eq!(counts(&store).await, [0; 5], "{database:?}: given up at the end");
        let first = write(&store, false).await.expect("written");
        assert_eq!(counts(&store).await, [1; 5], "{database:?}");
        assert_eq!(write(&store, true).await.expect("the first answer"), first, "{database:?}");
        assert_eq!(counts(&store).await, [1; 5], "{database:?}: repeated");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_calls_of_one_request_at_once_the_second_waits_and_gets_the_first_one_s_answer() {
    for database in databases() {
        let site = TestSite::new().expect("a directory");
        let store = open(&site, database);
        let key = Idempotency::new("probe", "probe/Write", "00000000-0000-4000-8000-000000000001", &answer("asked"));
        let (begun, began) = tokio::sync::oneshot::channel();
        let mut begun = Some(begun);
        let first = move |tx: &mut Tx<'_>| {
            if let Some(begun) = begun.take() {
                begun.send(()).expect("the test waits");
            }
            if let AnyConnection::Postgres(connection) = tx.connection {
                let waiting = "SELECT count(*) AS number FROM pg_locks JOIN pg_database ON oid = database \
                               WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted";
                while diesel::sql_query(waiting).get_result::<Count>(connection)?.number == 0 {
                    std::thread::yield_now();
                }
            }
            Ok(answer("first"))
        };
        let first = tokio::spawn({
            let (store, unit) = (store.clone(), Unit::repeatable(key.clone()));
            async move { store.write(unit, first).await }
        });
        began.await.expect("the first is under way");
        let second = store.write(Unit::repeatable(key), |_| Ok(answer("second"))).await.expect("answered");
        assert_eq!(second, answer("first"), "{database:?}");
        assert_eq!(first.await.expect("ran").expect("written"), answer("first"), "{database:?}");
    }
}

fn answer(commitment: &str) -> ReturnRow {
    ReturnRow { commitment: commitment.to_owned(), ..ReturnRow::default() }
}

#[tokio::test]
async fn a_unit_that_meets_another_each_time_it_runs_is_given_up_and_leaves_nothing() {
    for database in databases() {
        let site = TestSite::new().expect("a directory");
        let store = open(&site, database);
        let table = "CREATE TABLE probe (id BIGINT PRIMARY KEY)";
        batch(&store, table.to_owned(), table.to_owned()).await;
        let runs = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&runs);
        let unit = move |tx: &mut Tx<'_>| {
            counted.fetch_add(1, Ordering::SeqCst);
            tx.connection.batch_execute("INSERT INTO probe VALUES (1)")?;
            Err::<ReturnRow, _>(Error::Raced)
        };
        let error = store.write(Unit::of("probe"), unit).await.expect_err("given up");
        assert_eq!(error.reason(), "CONCURRENT_CHANGE", "{database:?}");
        let runs = runs.load(Ordering::SeqCst);
        assert_eq!(runs, if database == TestDatabase::Postgres { 5 } else { 1 }, "{database:?}");
        assert_eq!(counts(&store).await, [0; 5], "{database:?}");
    }
}

/// Names the rows that come together; the texts are such as a copy in another format would spoil.
fn names(count: usize) -> Vec<String> {
    let special = ["b", "拉萨", "", "tab\tand\nline", "\\N"].map(str::to_owned);
    special.into_iter().chain((0..).map(|number| format!("n{number:02}"))).take(count).collect()
}

fn together(names: Vec<String>) -> impl FnMut(&mut Tx<'_>) -> Result<ReturnRow, Error> + Send + 'static {
    move |tx| {
        for name in &names {
            tx.journal(asserted("probe.rows", name, &answer(name)));
            tx.revision("probe", &head(name), vec![0, 255]);
        }
        Ok(answer("written"))
    }
}

/// On PostgreSQL a few rows are one statement, many a COPY, which knows no defaults of its own.
#[tokio::test]
async fn rows_that_come_together_are_kept_as_they_are_or_none_of_them() {
    let kept = |connection: &mut AnyConnection| {
        use diesel::QueryDsl as _;
        use minsheng_kit::store::schema::{journal, revisions};
        let rows = journal::table.order(journal::position).select((
            journal::record,
            journal::valid_from,
            journal::area,
            journal::payload,
        ));
        let contents = revisions::table.select((revisions::record, revisions::resource));
        Ok((
            on_each!(connection, c => rows.load::<(String, i64, String, Vec<u8>)>(c))?,
            on_each!(connection, c => contents.load::<(String, Vec<u8>)>(c))?,
        ))
    };
    for database in databases() {
        for count in [ROWS_WORTH_A_COPY - 1, ROWS_WORTH_A_COPY, ROWS_WORTH_A_COPY * 4] {
            let site = TestSite::new().expect("a directory");
            let store = open(&site, database);
            let names = names(count);
            store.write(Unit::of("probe"), together(names.clone())).await.expect("written");
            let again = names.iter().rev().map(|name| if name == "b" { name.clone() } else { format!("{name}+") });
            let twice = store.write(Unit::of("probe"), together(again.collect())).await.expect_err("a version twice");
            assert_eq!(twice.reason(), "CONCURRENT_CHANGE", "{database:?}, {count}: {twice:?}");
            let (rows, mut contents) = store.read(kept).await.expect("read");
            let row =
                |name: &String| (name.clone(), 0, "540102".to_owned(), prost::Message::encode_to_vec(&answer(name)));
            assert_eq!(rows, names.iter().map(row).collect::<Vec<_>>(), "{database:?}, {count}: in their order");
            contents.sort();
            let mut expected: Vec<_> = names.iter().map(|name| (name.clone(), vec![0, 255])).collect();
            expected.sort();
            assert_eq!(contents, expected, "{database:?}, {count}");
        }
    }
}

#[tokio::test]
async fn a_read_is_one_snapshot_that_writes_nothing() {
    let count = |connection: &mut AnyConnection| {
        let sql = diesel::sql_query("SELECT count(*) AS number FROM journal");
        let found: Count = on_each!(connection, c => sql.get_result(c))?;
        Ok::<_, Error>(found.number)
    };
    for database in databases() {
        let site = TestSite::new().expect("a directory");
        let store = open(&site, database);
        let table = "CREATE TABLE probe (id BIGINT PRIMARY KEY)";
        batch(&store, table.to_owned(), table.to_owned()).await;
        let (writer, runtime) = (store.clone(), tokio::runtime::Handle::current());
        let seen = store.read_long(move |connection| {
            let before = count(connection)?;
            runtime.block_on(write(&writer, false))?;
            if let AnyConnection::Postgres(connection) = connection {
                let settings = "SELECT current_setting('transaction_isolation') AS isolation, \
                                current_setting('transaction_read_only') AS read_only";
                let found: Setting = diesel::sql_query(settings).get_result(connection)?;
                assert_eq!((found.isolation.as_str(), found.read_only.as_str()), ("repeatable read", "on"));
            }
            Ok((before, count(connection)?))
        });
        assert_eq!(seen.await.expect("read"), (0, 0), "{database:?}: what was written meanwhile is not seen");
        assert_eq!(store.read(count).await.expect("read"), 1, "{database:?}");
    }
}

#[test]
fn replicas_that_start_together_on_a_fresh_database_all_come_up() {
    if !databases().contains(&TestDatabase::Postgres) {
        return;
    }
    let site = TestSite::new().expect("a directory");
    site.database(TestDatabase::Postgres, "probe").expect("a database");
    let start = std::sync::Barrier::new(8);
    let opened: Vec<_> = std::thread::scope(|scope| {
        let replica = || {
            start.wait();
            open(&site, TestDatabase::Postgres)
        };
        let replicas: Vec<_> = (0..8).map(|_| scope.spawn(replica)).collect();
        replicas.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    assert!(opened.iter().all(Result::is_ok), "a replica did not start");
}

#[tokio::test]
async fn a_database_is_opened_only_with_the_key_it_was_written_with() {
    for database in databases() {
        let site = TestSite::new().expect("a directory");
        let store = open(&site, database);
        let (own, other) = (site.path().join("own"), site.path().join("other"));
        let keys = store.open_keys(&own, "probe").await.expect("made at the first start");
        let again = store.open_keys(&own, "probe").await.expect("found at the second");
        assert_eq!(keys.check_value(), again.check_value(), "{database:?}");

        let error = store.open_keys(&other, "probe").await.expect_err("no key");
        assert!(format!("{error:?}").contains("cannot read"), "{error:?}");
        assert!(!other.exists(), "{database:?}: no key was made beside a database that has one");
        Keys::open_or_create(&other, "probe").expect("a foreign key");
        let error = store.open_keys(&other, "probe").await.expect_err("a foreign key");
        assert!(format!("{error:?}").contains("is not the key"), "{database:?}: {error:?}");

        // The key is there and the database is not, as when its volume was not mounted.
        let elsewhere = TestSite::new().expect("a directory");
        let empty = open(&elsewhere, database);
        let error = empty.open_keys(&own, "probe").await.expect_err("the database was lost");
        assert!(format!("{error:?}").contains("the database is empty"), "{database:?}: {error:?}");
        empty.begin_with_keys(&own, "probe").await.expect("the operator says so");
        empty.open_keys(&own, "probe").await.expect("and need not say it again");
    }
}

/// Hashes that a version before this one kept are put under the key when it first meets them.
#[tokio::test]
async fn no_hash_of_a_request_is_kept_that_can_be_computed_without_the_key() {
    for database in databases() {
        let site = TestSite::new().expect("a directory");
        let store = open(&site, database);
        let table = "CREATE TABLE probe (id BIGINT PRIMARY KEY)";
        batch(&store, table.to_owned(), table.to_owned()).await;
        let first = write(&store, false).await.expect("written by a version without keys");
        // That version made its key beside the database.
        Keys::open_or_create(&site.path().join("keys"), "probe").expect("a key");
        let keys = store.open_keys(&site.path().join("keys"), "probe").await.expect("taken over");
        let plain = Idempotency::hash(&first);
        let kept = |connection: &mut AnyConnection| {
            use diesel::QueryDsl as _;
            use minsheng_kit::store::schema::idempotency;
            let hashes = idempotency::table.select(idempotency::request_hash);
            Ok(on_each!(connection, c => hashes.load::<Vec<u8>>(c))?)
        };
        assert_eq!(store.read(kept).await.expect("read"), [keys.request_tag(&plain)], "{database:?}");
        let store = store.keyed(Arc::new(keys));
        assert_eq!(write(&store, true).await.expect("the first answer"), first, "{database:?}");
    }
}
