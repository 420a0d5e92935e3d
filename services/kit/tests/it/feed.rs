//! The feed's promise: every committed change is seen exactly once, in an order that respects each record's history,
//! whatever commits, waits and aborts at the same time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use diesel::{
    RunQueryDsl as _,
    sql_types::{BigInt, Text},
};
use minsheng_kit::{
    error::Error,
    journal::feed::{Cursor, Reading},
    keys::Keys,
    store::{AnyConnection, Clock, KIT_MIGRATIONS, Store, StoreConfig, Unit, system_clock},
};
use minsheng_proto::returns::v1 as pb;
use minsheng_testkit::{TestDatabase, TestSite, asserted, databases};
use prost::Message as _;

const WRITERS: u64 = 12;
const UNITS_PER_WRITER: u64 = 60;
const RECORDS: u64 = 8;
const DATASET: &str = "probe.rows";

#[derive(diesel::QueryableByName)]
struct Version {
    #[diesel(sql_type = BigInt)]
    version: i64,
}

/// A small generator, so that a failing seed can be run again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn open(site: &TestSite, database: TestDatabase, clock: Clock) -> Store {
    let url = site.database(database, "probe").expect("a database");
    let config = StoreConfig { connections: 16, ..StoreConfig::new(url) };
    Store::open(&config, &[KIT_MIGRATIONS], clock).expect("opens")
}

/// Opens another replica on PostgreSQL, one whose clock is late.
fn replica(site: &TestSite, database: TestDatabase, store: &Store) -> Store {
    match database {
        TestDatabase::Sqlite => store.clone(),
        TestDatabase::Postgres => open(site, database, Arc::new(|| system_clock()() - 3_000_000)),
    }
}

/// Raises a record's version under its row lock and tells the journal.
fn raise(tx: &mut minsheng_kit::store::Tx<'_>, record: &str) -> Result<i64, Error> {
    let sql = if matches!(tx.connection, AnyConnection::Postgres(_)) {
        "UPDATE probe SET version = version + 1 WHERE id = $1 RETURNING version"
    } else {
        "UPDATE probe SET version = version + 1 WHERE id = ? RETURNING version"
    };
    let raised: Version = minsheng_kit::on_each!(tx.connection, c => {
        diesel::sql_query(sql).bind::<Text, _>(record).get_result(c)
    })?;
    let row = pb::ReturnRow { commitment: raised.version.to_string(), ..pb::ReturnRow::default() };
    tx.journal(asserted(DATASET, record, &row));
    Ok(raised.version)
}

async fn write_randomly(store: Store, writer: u64) -> BTreeSet<(String, i64)> {
    let mut dice = Dice(writer * 7919 + 1);
    let mut committed = BTreeSet::new();
    for _ in 0..UNITS_PER_WRITER {
        // An own record first, so that the transaction is old when it touches the shared ones.
        let own = format!("own-{writer}");
        let shared: BTreeSet<String> = (0..=dice.roll(3)).map(|_| format!("shared-{}", dice.roll(RECORDS))).collect();
        let (before, after, abort) = (dice.roll(4), dice.roll(4), dice.roll(5) == 0);
        let (sender, receiver) = std::sync::mpsc::channel();
        let written = store
            .write(Unit::of("probe"), move |tx| {
                let mut raised = vec![(own.clone(), raise(tx, &own)?)];
                std::thread::sleep(Duration::from_millis(before));
                for record in &shared {
                    raised.push((record.clone(), raise(tx, record)?));
                }
                std::thread::sleep(Duration::from_millis(after));
                if abort {
                    return Err(Error::Deadline);
                }
                let _ = sender.send(raised);
                Ok(pb::ReturnRow::default())
            })
            .await;
        assert_eq!(written.is_err(), abort, "{written:?}");
        if !abort {
            committed.extend(receiver.recv().expect("sent before the commit"));
        }
    }
    committed
}

/// A change as the reader saw it.
struct Seen {
    record: String,
    version: i64,
    position: i64,
}

/// Follows the feed until told that all is written, stopping in the middle of windows now and then; sees to it that
/// nothing appears at or before an instant that was called settled.
fn follow(store: &Store, runtime: &tokio::runtime::Handle, done: &AtomicBool) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut cursor = Cursor::default();
    let mut dice = Dice(42);
    let keys = Keys::derive(&[7; 32], "probe");
    let mut promised = 0;
    loop {
        let last = done.load(Ordering::SeqCst);
        let begun = store.now();
        let (from, patience) = (cursor.clone(), if last { u64::MAX } else { 1 + dice.roll(4) });
        let settled = runtime.block_on(store.settled()).expect("settles");
        let begin = move |connection: &mut AnyConnection| Reading::begin(connection, settled, DATASET, &from);
        let mut reading = runtime.block_on(store.read_long(begin)).expect("begins");
        for _ in 0..patience {
            let fetch = move |connection: &mut AnyConnection| {
                let rows = reading.next(connection, 7)?;
                Ok((reading, rows))
            };
            let rows;
            (reading, rows) = runtime.block_on(store.read_long(fetch)).expect("reads");
            if rows.is_empty() {
                break;
            }
            seen.extend(rows.into_iter().map(|row| {
                assert!(row.recorded_at > promised, "{} appeared after {promised} was settled", row.recorded_at);
                let payload = pb::ReturnRow::decode(row.payload.as_slice()).expect("own payload");
                let version = payload.commitment.parse().expect("a version");
                Seen { record: row.record, version, position: row.position }
            }));
        }
        promised = promised.max(reading.progress().recorded_until);
        // A cursor survives its way through the reader's hands.
        let sealed = reading.progress().cursor.seal(&keys, DATASET);
        cursor = Cursor::open(&keys, DATASET, &sealed).expect("own cursor");
        if last {
            assert!(promised >= begun, "with nobody writing, all is settled up to the clock");
            return seen;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_committed_change_is_seen_exactly_once_and_in_the_order_of_its_record() {
    for database in databases() {
        let site = TestSite::new().expect("a directory");
        let store = open(&site, database, system_clock());
        let late = replica(&site, database, &store);
        store
            .write(Unit::of("probe"), |tx| {
                let create = "CREATE TABLE probe (id TEXT PRIMARY KEY, version BIGINT NOT NULL)";
                diesel::sql_query(create).execute(tx.connection)?;
                let names = (0..RECORDS).map(|n| format!("shared-{n}")).chain((0..WRITERS).map(|n| format!("own-{n}")));
                for name in names {
                    diesel::sql_query(format!("INSERT INTO probe VALUES ('{name}', 0)")).execute(tx.connection)?;
                }
                Ok(pb::ReturnRow::default())
            })
            .await
            .expect("table");

        let done = Arc::new(AtomicBool::new(false));
        let reader = {
            let (store, done, runtime) = (store.clone(), Arc::clone(&done), tokio::runtime::Handle::current());
            std::thread::spawn(move || follow(&store, &runtime, &done))
        };
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let replica = if writer % 3 == 0 { &late } else { &store };
                tokio::spawn(write_randomly(replica.clone(), writer))
            })
            .collect();
        let mut committed = BTreeSet::new();
        for writer in writers {
            committed.extend(writer.await.expect("a writer"));
        }
        done.store(true, Ordering::SeqCst);
        let seen = tokio::task::spawn_blocking(move || reader.join().expect("the reader")).await.expect("joins");

        let positions: BTreeSet<i64> = seen.iter().map(|change| change.position).collect();
        assert_eq!(positions.len(), seen.len(), "{database:?}: a change was given twice");
        let distinct: BTreeSet<(String, i64)> =
            seen.iter().map(|change| (change.record.clone(), change.version)).collect();
        assert_eq!(distinct, committed, "{database:?}: what was seen is not what was committed");
        let mut versions: BTreeMap<&str, i64> = BTreeMap::new();
        for Seen { record, version, .. } in &seen {
            let last = versions.insert(record, *version).unwrap_or(0);
            assert_eq!(*version, last + 1, "{database:?}: {record} out of order");
        }
    }
}

#[tokio::test]
async fn a_journal_at_rest_is_known_up_to_now_although_no_batch_is_asked_for() {
    for database in databases() {
        let site = TestSite::new().expect("a directory");
        let store = open(&site, database, system_clock());
        let written = store.write(Unit::of("probe"), |tx| {
            tx.journal(asserted(DATASET, "a", &pb::ReturnRow::default()));
            Ok(pb::ReturnRow::default())
        });
        written.await.expect("written");
        let mut cursor = Cursor::default();
        for reading in 0..3 {
            let settled = store.settled().await.expect("settled");
            let read = move |connection: &mut AnyConnection| {
                let mut reading = Reading::begin(connection, settled, DATASET, &cursor)?;
                // As the feed does it: a reading that is finished is asked for nothing.
                while !reading.is_finished() {
                    reading.next(connection, 10)?;
                }
                Ok(reading.progress().clone())
            };
            let progress = store.read_long(read).await.expect("read");
            assert!(progress.recorded_until >= settled, "reading {reading} on {database:?}");
            cursor = progress.cursor;
        }
    }
}
