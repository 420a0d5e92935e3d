//! What the tests of the education service share: invented records, and a stand-in for social security.

pub(crate) mod social_security;

use chrono::NaiveDate;
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, connection::Connection as _};
use minsheng_kit::{clients::DepartmentChannel, store::schema::journal};
use minsheng_proto::{common::v1 as common, education::v1 as pb};
use minsheng_testkit::{TestClock, TestDatabase, TestService, TestSite};
use pb::school_service_client::SchoolServiceClient;
use prost::Message;

#[expect(clippy::unnecessary_wraps, reason = "the contract's fields may be absent")]
pub(crate) fn date(year: i32, month: i32, day: i32) -> Option<common::Date> {
    Some(common::Date { year, month, day })
}

pub(crate) fn request_id(n: u128) -> String {
    format!("00000000-0000-4000-8000-{n:012x}")
}

/// The day of the tests' clock.
pub(crate) fn clock() -> TestClock {
    TestClock::on(NaiveDate::from_ymd_opt(2026, 3, 20).expect("a day"))
}

pub(crate) fn school(name: &str, stage: pb::SchoolStage) -> pb::School {
    pb::School {
        name: name.to_owned(),
        area: "540102".to_owned(),
        title: "示例县第一学校".to_owned(),
        stage: stage.into(),
        rural: true,
        altitude_class: pb::AltitudeClass::Two.into(),
        places: 600,
        pupils: 540,
        meets_basic_conditions: true,
        opened_on: date(2010, 9, 1),
        ..pb::School::default()
    }
}

/// Starts the service alone and opens a channel of the operator.
pub(crate) async fn start(site: &TestSite, database: TestDatabase) -> (TestService, DepartmentChannel) {
    let service = site.start(&minsheng_education::DEFINITION, database, &clock(), &[]).await.expect("starts");
    let channel = site.channel("operator", &minsheng_education::DEFINITION, &service).expect("channel");
    (service, channel)
}

/// Records schools.
pub(crate) async fn record_schools(channel: &DepartmentChannel, schools: &[(&str, pb::SchoolStage)]) {
    let mut client = SchoolServiceClient::new(channel.clone());
    for (index, (name, stage)) in schools.iter().enumerate() {
        let request = pb::CreateSchoolRequest {
            request_id: request_id(0x5000 + index as u128),
            school: Some(school(name, *stage)),
            effective_on: None,
        };
        client.create_school(request).await.expect("school recorded");
    }
}

/// What the journal asserts or retracts.
pub(crate) struct Told<Row> {
    pub(crate) diff: i64,
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) ended: bool,
    pub(crate) row: Row,
    pub(crate) payload: Vec<u8>,
}

/// Returns a day as it is stored.
pub(crate) fn stored(year: i32, month: u32, day: u32) -> i64 {
    minsheng_kit::values::calendar::epoch_day(NaiveDate::from_ymd_opt(year, month, day).expect("a day"))
}

/// Reads the journal of a dataset, oldest first, straight from the database.
pub(crate) fn journal_of<Row: Message + Default>(
    site: &TestSite,
    database: TestDatabase,
    dataset: &str,
) -> Vec<Told<Row>> {
    let url = site.database(database, "education").expect("database");
    let query = journal::table.filter(journal::dataset.eq(dataset)).order(journal::position).select((
        journal::diff,
        journal::valid_from,
        journal::valid_until,
        journal::ended,
        journal::payload,
    ));
    let rows: Vec<(i64, i64, i64, bool, Vec<u8>)> = match database {
        TestDatabase::Sqlite => {
            let path = url.strip_prefix("sqlite:").expect("a path");
            query.load(&mut diesel::SqliteConnection::establish(path).expect("opens")).expect("reads")
        }
        TestDatabase::Postgres => {
            query.load(&mut diesel::PgConnection::establish(&url).expect("opens")).expect("reads")
        }
    };
    rows.into_iter()
        .map(|(diff, from, until, ended, payload)| {
            let row = Row::decode(payload.as_slice()).expect("a row");
            Told { diff, from, until, ended, row, payload }
        })
        .collect()
}
