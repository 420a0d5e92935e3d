//! Replicas of a service may start at once, and what one of them files the others know without being asked for it.

use std::{
    sync::{Barrier, Mutex, PoisonError},
    time::Duration,
};

use chrono::NaiveDate;
use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, SqliteConnection,
    connection::SimpleConnection as _, migration::MigrationSource, pg::Pg, sql_types::BigInt,
};
use minsheng_kit::{
    assembly::{Assembly, Definition},
    context::Context,
    store::{KIT_MIGRATIONS, Migrations, Store, StoreConfig, system_clock},
};
use minsheng_proto::common::v1::{self as common, parameter_service_client::ParameterServiceClient};
use minsheng_testkit::{TestClock, TestDatabase, TestSite, databases};

const KEY: &str = "probe.patience_days";

/// The contexts of the services that were started, in their order.
static CONTEXTS: Mutex<Vec<Context>> = Mutex::new(Vec::new());

static DEFINITION: Definition = Definition {
    department: "health",
    service: "health",
    migrations: Migrations::NONE,
    assemble: |parts| {
        CONTEXTS.lock().unwrap_or_else(PoisonError::into_inner).push(parts.context.clone());
        Assembly::new(parts.context)
    },
};

fn last_context() -> Context {
    CONTEXTS.lock().unwrap_or_else(PoisonError::into_inner).last().expect("one was started").clone()
}

fn in_force(context: &Context) -> Option<i64> {
    context.parameters().iter().find(|parameter| parameter.key == KEY).map(|parameter| parameter.value)
}

/// Files a parameter at another replica.
async fn file_elsewhere(site: &TestSite, database: TestDatabase, clock: &TestClock) {
    if database == TestDatabase::Sqlite {
        // One process has a file: the other one stands for whatever writes into it.
        let url = site.database(database, "health").expect("named");
        let mut connection = SqliteConnection::establish(url.trim_start_matches("sqlite:")).expect("opens");
        let row = format!(
            "PRAGMA busy_timeout = 5000; INSERT INTO parameters (key, area, value, unit, effective_from, source, \
             confidence, recorded_at) VALUES ('{KEY}', '540000', 12, 'days', 20454, 'notice 1', 1, 1)"
        );
        return connection.batch_execute(&row).expect("written");
    }
    let replica = site.start(&DEFINITION, database, clock, &[]).await.expect("starts");
    let mut client = ParameterServiceClient::new(site.channel("operator", &DEFINITION, &replica).expect("channel"));
    let parameter = common::Parameter {
        key: KEY.to_owned(),
        area: "540000".to_owned(),
        value: 12,
        unit: "days".to_owned(),
        effective_from: Some(common::Date { year: 2026, month: 1, day: 1 }),
        effective_to: None,
        source: "notice 1".to_owned(),
        confidence: common::Confidence::High.into(),
    };
    let request_id = "00000000-0000-4000-8000-000000000001".to_owned();
    let filed = client.set_parameter(common::SetParameterRequest { request_id, parameter: Some(parameter) }).await;
    filed.expect("filed");
    assert_eq!(in_force(&last_context()), Some(12), "there at once");
    replica.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_is_filed_at_one_replica_is_soon_in_force_at_another_that_nobody_asks() {
    for database in databases() {
        let site = TestSite::new().expect("a directory");
        let clock = TestClock::on(NaiveDate::from_ymd_opt(2026, 3, 20).expect("a day"));
        let service = site.start(&DEFINITION, database, &clock, &[]).await.expect("starts");
        let context = last_context();
        assert_eq!(in_force(&context), None);
        file_elsewhere(&site, database, &clock).await;
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        let known = async {
            while in_force(&context).is_none() {
                looks.tick().await;
            }
        };
        // It looks every five seconds.
        tokio::time::timeout(Duration::from_secs(30), known).await.expect("soon in force");
        assert_eq!(in_force(&context), Some(12), "{database:?}");
        service.stop().await.expect("stops");
    }
}

/// Replicas that start at once.
const REPLICAS: usize = 6;

#[derive(QueryableByName)]
struct Schema {
    #[diesel(sql_type = BigInt)]
    migrations: i64,
    #[diesel(sql_type = BigInt)]
    journals: i64,
    #[diesel(sql_type = BigInt)]
    incarnations: i64,
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_at_once_on_an_empty_database_all_start_and_make_its_schema_once() {
    // An SQLite file belongs to one process.
    for database in databases().into_iter().filter(|database| *database == TestDatabase::Postgres) {
        let site = TestSite::new().expect("a directory");
        let url = site.database(database, "probe").expect("an empty database");
        let together = Barrier::new(REPLICAS);
        let open = || {
            let config = StoreConfig { connections: 2, ..StoreConfig::new(url.clone()) };
            together.wait();
            Store::open(&config, &[KIT_MIGRATIONS], system_clock())
        };
        let stores: Vec<Store> = std::thread::scope(|scope| {
            let replicas: Vec<_> = (0..REPLICAS).map(|_| scope.spawn(open)).collect();
            replicas.into_iter().map(|replica| replica.join().expect("no panic").expect("starts")).collect()
        });
        for store in &stores {
            store.settled().await.expect("works");
        }
        let mut connection = PgConnection::establish(&url).expect("connected");
        let there = diesel::sql_query(
            "SELECT (SELECT count(*) FROM __diesel_schema_migrations) AS migrations, \
             (SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname = 'journal') AS journals, \
             (SELECT count(*) FROM journal_state) AS incarnations",
        );
        let there: Schema = there.get_result(&mut connection).expect("counted");
        let embedded = MigrationSource::<Pg>::migrations(&KIT_MIGRATIONS).expect("embedded");
        assert_eq!(usize::try_from(there.migrations), Ok(embedded.len()));
        assert_eq!((there.journals, there.incarnations), (1, 1));
    }
}
