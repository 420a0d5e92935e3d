//! What the tests of the health service share.
pub(crate) mod recognition;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use minsheng_kit::{
    journal::feed::{self, Cursor, JournalRecord},
    store::{Store, StoreConfig},
};
use minsheng_proto::{common::v1 as common, health::v1 as pb};
use minsheng_testkit::{TestClock, TestDatabase, TestService, TestSite};
use pb::institution_service_client::InstitutionServiceClient;
use prost::Message;

/// A service under test, on one database.
pub(crate) struct Site {
    pub(crate) files: TestSite,
    pub(crate) clock: TestClock,
    pub(crate) service: TestService,
    pub(crate) database: TestDatabase,
}

impl Site {
    pub(crate) async fn start(database: TestDatabase, today: NaiveDate) -> Self {
        let site = TestSite::new().expect("certificates");
        let clock = TestClock::on(today);
        let service = site.start(&minsheng_health::DEFINITION, database, &clock, &[]).await.expect("starts");
        Self { files: site, clock, service, database }
    }

    pub(crate) fn channel(&self, caller: &str) -> minsheng_kit::clients::DepartmentChannel {
        self.files.channel(caller, &minsheng_health::DEFINITION, &self.service).expect("channel")
    }

    pub(crate) async fn record_institutions(&self, institutions: Vec<pb::Institution>) {
        let mut client = InstitutionServiceClient::new(self.channel("operator"));
        let chunk =
            pb::UploadInstitutionsRequest { upload_id: request_id(1), chunk: 0, validate_only: false, institutions };
        let mut answers = client.upload_institutions(tokio_stream::iter([chunk])).await.expect("accepted").into_inner();
        let answer = answers.message().await.expect("answered").expect("one answer");
        assert_all_created(&answer.results);
    }

    /// Stops the service and reads a dataset's entries as analytics would.
    pub(crate) async fn journal(self, dataset: &'static str) -> Vec<JournalRecord> {
        let url = self.files.database(self.database, "health").expect("named");
        self.service.stop().await.expect("stops");
        let migrations = minsheng_health::DEFINITION.all_migrations();
        let clock = self.clock.clock();
        let store = tokio::task::spawn_blocking(move || Store::open(&StoreConfig::new(url), &migrations, clock))
            .await
            .expect("opened")
            .expect("opens");
        let now = store.now();
        let read = store.read_long(move |connection| {
            let mut entries = Vec::new();
            feed::read(connection, now, dataset, &Cursor::default(), 100, &mut |batch, _| {
                entries.extend(batch);
                true
            })?;
            Ok(entries)
        });
        read.await.expect("read")
    }
}

/// What a reader of a dataset sees of each record on a day: the assertions that hold on it and sum up to one.
pub(crate) fn rows_on<M: Message + Default>(entries: &[JournalRecord], day: i64) -> BTreeMap<String, M> {
    let mut sums: BTreeMap<(&str, i64), (i64, &[u8])> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.valid_from <= day && day < entry.valid_until && !entry.ended) {
        sums.entry((&entry.record, entry.assertion)).or_insert((0, &entry.payload)).0 += entry.diff;
    }
    let mut rows = BTreeMap::new();
    for ((record, _), (sum, payload)) in sums {
        assert!(sum == 0 || sum == 1, "{record} is asserted or it is not");
        if sum == 1 {
            let before = rows.insert(record.to_owned(), M::decode(payload).expect("a row"));
            assert!(before.is_none(), "{record} says one thing on a day");
        }
    }
    rows
}

/// The entries of a record's first writes.
pub(crate) fn writes_of(entries: &[JournalRecord], record: &str, writes: usize) -> Vec<JournalRecord> {
    let of_it: Vec<_> = entries.iter().filter(|entry| entry.record == record).cloned().collect();
    of_it.chunk_by(|one, next| one.recorded_at == next.recorded_at).take(writes).flatten().cloned().collect()
}

/// Signs and first days of a record's entries.
pub(crate) fn told(entries: &[JournalRecord], record: &str) -> Vec<(i64, i64)> {
    let of_it = entries.iter().filter(|entry| entry.record == record);
    of_it.map(|entry| (entry.diff, entry.valid_from)).collect()
}

pub(crate) fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day")
}

pub(crate) fn epoch(year: i32, month: u32, dd: u32) -> i64 {
    minsheng_kit::values::calendar::epoch_day(day(year, month, dd))
}

#[expect(clippy::unnecessary_wraps, reason = "the contract's dates are optional")]
pub(crate) fn date(year: i32, month: i32, day: i32) -> Option<common::Date> {
    Some(common::Date { year, month, day })
}

pub(crate) fn request_id(n: u128) -> String {
    format!("00000000-0000-4000-8000-{n:012x}")
}

pub(crate) fn institution(id: &str, area: &str, class: pb::InstitutionClass) -> pb::Institution {
    pb::Institution {
        name: format!("institutions/{id}"),
        area: area.to_owned(),
        title: format!("示例机构{id}"),
        institution_class: class.into(),
        public: true,
        operating_from: date(2015, 5, 1),
        ..pb::Institution::default()
    }
}

pub(crate) fn assert_all_created(results: &[common::ItemResult]) {
    for result in results {
        assert_eq!(result.outcome(), common::ItemOutcome::Created, "{result:?}");
    }
}

/// Outcomes and reasons, item by item.
pub(crate) fn outcomes(results: &[common::ItemResult]) -> Vec<(common::ItemOutcome, Vec<&str>)> {
    results
        .iter()
        .map(|result| {
            let reasons = result.violations.iter().map(|violation| violation.reason.as_str()).collect();
            (result.outcome(), reasons)
        })
        .collect()
}
