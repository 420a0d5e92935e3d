//! A journal that was restored says so: a reader whose cursor speaks of its former life is told to begin again, and
//! nothing of the restored journal stays hidden from a reader who does.

use diesel::{Connection as _, PgConnection, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{
    error::Error,
    journal::feed::{self, Cursor},
    keys::Keys,
    store::{KIT_MIGRATIONS, Store, StoreConfig, Unit, schema::journal_state, system_clock},
};
use minsheng_proto::returns::v1::ReturnRow;
use minsheng_testkit::{TestDatabase, TestSite, asserted, databases};

const DATASET: &str = "probe.rows";

fn open(url: &str) -> Store {
    Store::open(&StoreConfig::new(url), &[KIT_MIGRATIONS], system_clock()).expect("opens")
}

async fn write(store: &Store, record: &'static str) {
    let unit = move |tx: &mut minsheng_kit::store::Tx<'_>| {
        tx.journal(asserted(DATASET, record, &ReturnRow::default()));
        Ok(ReturnRow::default())
    };
    store.write(Unit::of("probe"), unit).await.expect("written");
}

/// Reads what lies behind a cursor; returns the records and where to go on.
async fn read(store: &Store, cursor: &Cursor) -> Result<(Vec<String>, Cursor), Error> {
    let settled = store.settled().await?;
    let cursor = cursor.clone();
    let read = move |connection: &mut _| {
        let mut records = Vec::new();
        let progress = feed::read(connection, settled, DATASET, &cursor, 2, &mut |rows, _| {
            records.extend(rows.into_iter().map(|row| row.record));
            true
        })?;
        Ok((records, progress.cursor))
    };
    store.read_long(read).await
}

fn refused(answer: Result<(Vec<String>, Cursor), Error>) -> &'static str {
    match answer {
        Err(Error::Precondition { reason, .. }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_cursor_that_has_seen_more_than_the_restored_journal_is_refused() {
    let site = TestSite::new().expect("a directory");
    let url = site.database(TestDatabase::Sqlite, "probe").expect("a database");
    let file = url.trim_start_matches("sqlite:").to_owned();
    let store = open(&url);
    write(&store, "a").await;
    let (_, early) = read(&store, &Cursor::default()).await.expect("read");
    drop(store);
    let backup = site.path().join("backup.db");
    std::fs::copy(&file, &backup).expect("backed up");
    let store = open(&url);
    write(&store, "b").await;
    let (records, late) = read(&store, &early).await.expect("read");
    assert_eq!(records, ["b"]);
    drop(store);

    std::fs::copy(&backup, &file).expect("restored");
    let store = open(&url);
    assert_eq!(refused(read(&store, &late).await), "JOURNAL_REPLACED");
    assert_eq!(read(&store, &Cursor::default()).await.expect("from the beginning").0, ["a"]);
}

#[tokio::test]
async fn a_cursor_of_another_journal_is_refused() {
    for database in databases() {
        let site = TestSite::new().expect("a directory");
        let one = open(&site.database(database, "one").expect("a database"));
        let two = open(&site.database(database, "two").expect("a database"));
        write(&one, "a").await;
        write(&two, "a").await;
        let (_, cursor) = read(&one, &Cursor::default()).await.expect("read");
        assert_eq!(refused(read(&two, &cursor).await), "JOURNAL_REPLACED", "{database:?}");
    }
}

#[test]
fn a_cursor_that_was_changed_or_given_for_another_dataset_or_department_is_no_cursor() {
    let keys = Keys::derive(&[7; 32], "health");
    let sealed = Cursor::default().seal(&keys, DATASET);
    assert_eq!(Cursor::open(&keys, DATASET, &sealed).expect("own"), Cursor::default());
    let mut changed = sealed.clone().into_bytes();
    let middle = changed.len() / 2;
    changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).expect("text");
    let elsewhere = Keys::derive(&[7; 32], "education");
    for (keys, dataset, text) in [
        (&keys, DATASET, changed.as_str()),
        (&keys, DATASET, "eyJmcm9tIjoiMSJ9"),
        (&keys, DATASET, "not base64!"),
        (&keys, "probe.others", sealed.as_str()),
        (&elsewhere, DATASET, sealed.as_str()),
    ] {
        match Cursor::open(keys, dataset, text) {
            Err(Error::Invalid(found)) => assert!(found.iter().any(|one| one.reason == "BAD_CURSOR"), "{found:?}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_restored_into_a_new_cluster_hides_nothing_and_begins_a_new_life() {
    if !databases().contains(&TestDatabase::Postgres) {
        return;
    }
    for (what, restore) in [
        ("transactions of the future", "UPDATE journal SET tx = '9000000000000'::xid8"),
        ("another cluster", "UPDATE journal_state SET place = '1/1/1'"),
    ] {
        let site = TestSite::new().expect("a directory");
        let url = site.database(TestDatabase::Postgres, "probe").expect("a database");
        let store = open(&url);
        write(&store, "a").await;
        write(&store, "b").await;
        let (_, cursor) = read(&store, &Cursor::default()).await.expect("read");
        drop(store);
        let store = open(&url);
        assert!(read(&store, &cursor).await.expect("a restart changes nothing").0.is_empty(), "{what}");
        drop(store);

        let mut connection = PgConnection::establish(&url).expect("connects");
        diesel::sql_query(restore).execute(&mut connection).expect("made as after a restore");
        let incarnation = |connection: &mut PgConnection| {
            journal_state::table.select(journal_state::incarnation).first::<String>(connection).expect("one")
        };
        let before = incarnation(&mut connection);
        let store = open(&url);
        assert_ne!(incarnation(&mut connection), before, "{what}");
        assert_eq!(refused(read(&store, &cursor).await), "JOURNAL_REPLACED", "{what}");
        write(&store, "c").await;
        let (records, _) = read(&store, &Cursor::default()).await.expect("read");
        assert_eq!(records, ["a", "b", "c"], "{what}");
    }
}
