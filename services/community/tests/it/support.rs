//! A running community service, and the records that tests begin with.

use std::time::Duration;

use chrono::NaiveDate;
use diesel::{
    Connection as _, ExpressionMethods as _, PgConnection, QueryDsl as _, RunQueryDsl as _, SqliteConnection,
};
use minsheng_community::DEFINITION;
use minsheng_kit::{
    clients::{ChannelConfig, DepartmentChannel},
    identity::Department,
    launch::{self, Launch},
    pki::Credentials,
    server::ServerConfig,
    store::schema::journal,
};
use minsheng_proto::{common::v1 as common, community::v1 as pb};
use minsheng_testkit::{TestClock, TestDatabase, TestSite};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// Time between two rounds of questions about prices that wait.
const SOON: Duration = Duration::from_millis(50);

/// A community service on loopback with a client's channel to it.
pub(crate) struct Community {
    pub(crate) site: TestSite,
    pub(crate) clock: TestClock,
    pub(crate) channel: DepartmentChannel,
    database: String,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), minsheng_kit::error::Error>>,
}

impl Community {
    /// Starts one on 10 September 2025, with or without the address of social security.
    pub(crate) async fn start(kind: TestDatabase, social_security: Option<&str>) -> Self {
        let site = TestSite::new().expect("certificates");
        let clock = TestClock::on(NaiveDate::from_ymd_opt(2025, 9, 10).expect("a day"));
        let database = site.database(kind, "community").expect("a database");
        let pki = site.path().join("pki");
        let mut launch = Launch::new(&DEFINITION, database.clone(), site.path().join("keys"), &pki).expect("a launch");
        launch.clock = clock.clock();
        launch.server = ServerConfig::default().without_notice();
        // No test waits for what a service does by itself.
        launch.intervals.settle = SOON;
        if let Some(address) = social_security {
            launch.upstreams.push((department("social-security"), address.to_owned()));
        }
        let ready = launch::prepare(&DEFINITION, launch).await.expect("starts");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = format!("https://localhost:{}", listener.local_addr().expect("bound").port());
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(ready.serve(listener, async {
            let _ = stopped.await;
        }));
        let credentials = Credentials::load(&pki, &department("operator")).expect("credentials");
        let config = ChannelConfig { default_deadline: Duration::from_secs(20), ..ChannelConfig::default() };
        let channel = DepartmentChannel::connect_lazy(&address, department("community"), credentials, &config)
            .expect("a channel");
        Self { site, clock, channel, database, stop, served }
    }

    /// Reads the journal of a dataset: asserted or retracted, day from which it is true, payload.
    pub(crate) fn journal(&self, dataset: &str) -> Vec<(i64, i64, Vec<u8>)> {
        let query = journal::table.filter(journal::dataset.eq(dataset.to_owned())).order(journal::position).select((
            journal::diff,
            journal::valid_from,
            journal::payload,
        ));
        match self.database.strip_prefix("sqlite:") {
            Some(path) => query.load(&mut SqliteConnection::establish(path).expect("opens")),
            None => query.load(&mut PgConnection::establish(&self.database).expect("opens")),
        }
        .expect("the journal")
    }

    /// Stops it and waits until its store is closed.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        self.served.await.expect("no panic").expect("served");
    }
}

pub(crate) fn department(name: &str) -> Department {
    Department::new(name).expect("a department")
}

pub(crate) fn request_id(n: u128) -> String {
    format!("00000000-0000-4000-8000-{n:012x}")
}

#[expect(clippy::unnecessary_wraps, reason = "the contract's fields are optional messages")]
pub(crate) fn date(year: i32, month: i32, day: i32) -> Option<common::Date> {
    Some(common::Date { year, month, day })
}

/// Returns a day as it is stored.
pub(crate) fn stored(year: i32, month: u32, day: u32) -> i64 {
    minsheng_kit::values::calendar::epoch_day(NaiveDate::from_ymd_opt(year, month, day).expect("a day"))
}

/// Returns outcome and reasons of an upload's results.
pub(crate) fn verdicts(results: &[common::ItemResult]) -> Vec<(common::ItemOutcome, Vec<String>)> {
    let reasons = |result: &common::ItemResult| result.violations.iter().map(|v| v.reason.clone()).collect();
    results.iter().map(|result| (result.outcome(), reasons(result))).collect()
}

/// A meal point of the county 540102 with 24 seats, open since March 2024.
pub(crate) fn meal_point(name: &str) -> pb::ServicePoint {
    pb::ServicePoint {
        name: name.to_owned(),
        area: "540102".to_owned(),
        title: "八廓街道老年助餐点".to_owned(),
        kind: pb::ServicePointKind::ElderMealPoint.into(),
        operator: pb::OperatorKind::Collective.into(),
        level: pb::AreaLevel::Village.into(),
        township_code: "540102002".to_owned(),
        village_code: "540102002001".to_owned(),
        capacity: 24,
        opened_on: date(2024, 3, 1),
        ..pb::ServicePoint::default()
    }
}

/// Records a point.
pub(crate) async fn create_point(channel: &DepartmentChannel, n: u128, point: pb::ServicePoint) -> pb::ServicePoint {
    let request =
        pb::CreateServicePointRequest { request_id: request_id(n), service_point: Some(point), effective_on: None };
    pb::service_point_service_client::ServicePointServiceClient::new(channel.clone())
        .create_service_point(request)
        .await
        .expect("created")
        .into_inner()
        .service_point
        .expect("in the answer")
}
