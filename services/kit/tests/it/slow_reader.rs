//! A reader of the feed that does not read costs the department nothing but the page that waits for it.

use std::time::{Duration, Instant};

use arrow_flight::{FlightData, Ticket, flight_service_client::FlightServiceClient};
use diesel::{
    Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, connection::SimpleConnection as _,
    sql_types::Integer,
};
use minsheng_kit::{
    assembly::{Assembly, Definition},
    journal::flight::FeedTicket,
    register::FOREVER,
    store::{AnyConnection, KIT_MIGRATIONS, Migrations, Store, StoreConfig, Unit, system_clock},
};
use minsheng_proto::returns::v1::{self as pb, return_service_client::ReturnServiceClient};
use minsheng_testkit::{TestClock, TestDatabase, TestService, TestSite, databases};
use prost::Message as _;
use tonic::{Code, Request, Streaming};

const DATASET: &str = "health.returns";
/// More than the pool has connections.
const READERS: usize = 12;

static DEFINITION: Definition = Definition {
    department: "health",
    service: "health",
    migrations: Migrations::NONE,
    assemble: |parts| Assembly::new(parts.context),
};

/// Writes so many changes that the windows of a connection cannot take them in.
async fn fill(site: &TestSite, database: TestDatabase) {
    let url = site.database(database, "health").expect("a database");
    let store = Store::open(&StoreConfig::new(url), &[KIT_MIGRATIONS], system_clock()).expect("opens");
    store.open_keys(&site.path().join("keys"), "health").await.expect("keys");
    let row = pb::ReturnRow { commitment: "x".repeat(500), ..pb::ReturnRow::default() };
    let hex = row.encode_to_vec().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let fill = move |tx: &mut minsheng_kit::store::Tx<'_>| {
        let into = "INSERT INTO journal (dataset, record, assertion, diff, valid_from, valid_until, ended, recorded_at, \
                    area, payload)";
        let sql = match tx.connection {
            AnyConnection::Sqlite(_) => format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) \
                 {into} SELECT '{DATASET}', 'r' || i, 0, 1, 0, {FOREVER}, FALSE, i, '540102', x'{hex}' FROM n"
            ),
            AnyConnection::Postgres(_) => format!(
                "{into} SELECT '{DATASET}', 'r' || i, 0, 1, 0, {FOREVER}, FALSE, i, '540102', '\\x{hex}'::bytea \
                 FROM generate_series(1, 50000) AS n(i)"
            ),
        };
        tx.connection.batch_execute(&sql)?;
        Ok(pb::ReturnRow::default())
    };
    store.write(Unit::of("probe"), fill).await.expect("filled");
}

async fn get(site: &TestSite, service: &TestService, cursor: &str) -> Result<Streaming<FlightData>, tonic::Status> {
    let channel = site.channel("analytics", &DEFINITION, service).expect("a channel");
    let ticket = FeedTicket { dataset: DATASET.to_owned(), cursor: cursor.to_owned(), ..FeedTicket::default() };
    let mut request = Request::new(Ticket::new(serde_json::to_vec(&ticket).expect("encodes")));
    request.set_timeout(Duration::from_mins(2));
    let mut client = FlightServiceClient::new(channel).max_decoding_message_size(64 << 20);
    Ok(client.do_get(request).await?.into_inner())
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = Integer)]
    busy: i32,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_that_stop_reading_hold_neither_connections_nor_snapshots() {
    for database in databases() {
        let site = TestSite::new().expect("a directory");
        fill(&site, database).await;
        let clock = TestClock::on(chrono::NaiveDate::from_ymd_opt(2026, 3, 2).expect("a day"));
        let service = site.start(&DEFINITION, database, &clock, &[]).await.expect("starts");
        let mut stalled = Vec::new();
        for reader in 0..READERS {
            let mut messages = get(&site, &service, "").await.expect("answered");
            for what in ["schema", "page"] {
                let message = messages.message().await.unwrap_or_else(|error| panic!("reader {reader}: {error}"));
                assert!(message.is_some(), "reader {reader} got no {what}");
            }
            stalled.push(messages);
        }

        let mut returns = ReturnServiceClient::new(site.channel("operator", &DEFINITION, &service).expect("a channel"));
        let list = pb::ListReturnsRequest { area: "540102".to_owned(), ..pb::ListReturnsRequest::default() };
        returns.list_returns(list).await.expect("the department still answers");

        if database == TestDatabase::Sqlite {
            let url = site.database(database, "health").expect("named");
            let mut connection = SqliteConnection::establish(url.trim_start_matches("sqlite:")).expect("opens");
            // The log can be emptied only when no read transaction is open; a page that is just being read may be one.
            let (began, mut busy) = (Instant::now(), true);
            while busy && began.elapsed() < Duration::from_secs(20) {
                let written = "UPDATE journal_state SET settled = settled + 1";
                connection.batch_execute(&format!("PRAGMA busy_timeout = 1000; {written}")).expect("written");
                let found: Checkpoint =
                    diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(&mut connection).expect("checked");
                busy = found.busy != 0;
            }
            assert!(!busy, "a stalled reader keeps the log from being emptied");
        }

        // Whoever reads on gets the rest.
        let mut messages = stalled.pop().expect("a reader");
        let mut rows = 1;
        while messages.message().await.expect("goes on").is_some() {
            rows += 1;
        }
        assert!(rows >= 50_000 / 8192, "{database:?}: {rows} pages");
        drop(stalled);
        let foreign = get(&site, &service, "eyJmcm9tIjoiMSIsInVudGlsIjoiMSIsImFmdGVyIjowfQ").await;
        let foreign = foreign.expect_err("not a cursor");
        assert_eq!(foreign.code(), Code::InvalidArgument, "{foreign:?}");
        service.stop().await.expect("stops");
    }
}
