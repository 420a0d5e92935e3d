//! How often a unit and a read go to PostgreSQL: each time is a round trip that its caller waits for.
//!
//! One test, in a process of its own as nextest gives it, for what is counted is all that any connection of the process does.

use std::sync::Mutex;

use diesel::{
    QueryDsl as _, RunQueryDsl as _,
    connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation},
};
use minsheng_kit::{
    error::Error,
    on_each,
    store::{
        AnyConnection, Idempotency, JournalEntry, KIT_MIGRATIONS, Store, StoreConfig, Tx, Unit,
        schema::{idempotency, journal},
        system_clock,
    },
};
use minsheng_proto::returns::v1::ReturnRow;
use minsheng_testkit::{TestDatabase, TestSite, asserted, databases};

use crate::unit_of_work::access_entry;

/// Statements as they were sent, with what they were prepared for marked.
static SENT: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Count;

impl Instrumentation for Count {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        let sent = match event {
            InstrumentationEvent::StartQuery { query, .. } => query.to_string(),
            InstrumentationEvent::CacheQuery { sql, .. } => format!("prepare {sql}"),
            _ => return,
        };
        SENT.lock().expect("nobody panics with it").push(sent);
    }
}

fn sent() -> Vec<String> {
    std::mem::take(&mut *SENT.lock().expect("nobody panics with it"))
}

fn entry(record: &str) -> JournalEntry {
    asserted("probe.rows", record, &ReturnRow::default())
}

async fn write(store: &Store, id: u32, entries: &'static [&'static str]) {
    let key = Idempotency::new("probe", "probe/Write", &id.to_string(), &ReturnRow::default());
    let unit = move |tx: &mut Tx<'_>| {
        for record in entries {
            tx.journal(entry(record));
        }
        Ok(ReturnRow::default())
    };
    store.write(Unit::repeatable(key), unit).await.expect("written");
}

async fn answer(store: &Store) {
    let unit = |tx: &mut Tx<'_>| {
        tx.access(access_entry("probe/Ask"));
        Ok(ReturnRow::default())
    };
    store.write(Unit::of("probe"), unit).await.expect("answered");
}

fn one(connection: &mut AnyConnection) -> Result<i64, Error> {
    Ok(on_each!(connection, c => journal::table.count().get_result(c))?)
}

fn two(connection: &mut AnyConnection) -> Result<i64, Error> {
    let answers: i64 = on_each!(connection, c => idempotency::table.count().get_result(c))?;
    Ok(answers + one(connection)?)
}

#[tokio::test]
async fn units_and_reads_make_no_more_round_trips_than_their_statements_and_prepare_none_twice() {
    if !databases().contains(&TestDatabase::Postgres) {
        return;
    }
    set_default_instrumentation(|| Some(Box::new(Count))).expect("set");
    let site = TestSite::new().expect("a directory");
    let url = site.database(TestDatabase::Postgres, "probe").expect("a database");
    let config = StoreConfig { connections: 1, ..StoreConfig::new(url) };
    let store = Store::open(&config, &[KIT_MIGRATIONS], system_clock()).expect("opens");
    // What is prepared for each connection once.
    write(&store, 1, &["a"]).await;
    write(&store, 2, &["b", "c"]).await;
    answer(&store).await;
    store.read(two).await.expect("read");
    store.read_one(one).await.expect("read");

    sent();
    store.read_one(one).await.expect("read");
    assert_eq!(sent().len(), 1, "a read of one statement is that statement");

    assert_eq!(store.read(two).await.expect("read"), 2 + 3);
    assert_eq!(sent().len(), 4, "beginning, two statements, end");

    write(&store, 3, &["d"]).await;
    let round_trips = sent();
    assert_eq!(round_trips.len(), 5, "beginning, lookup of an answer, entry, answer, end: {round_trips:#?}");

    write(&store, 4, &["e", "f"]).await;
    let round_trips = sent();
    assert_eq!(round_trips.len(), 6, "the instant of several entries is one more: {round_trips:#?}");

    answer(&store).await;
    let round_trips = sent();
    assert_eq!(round_trips.len(), 3, "beginning, access entry, end: {round_trips:#?}");
}
