//! A department's database comes back from a backup: the next report reads its records again by itself, keeps what it
//! had read before, and says so.

use std::{path::Path, sync::Arc};

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use diesel::{Connection as _, PgConnection, RunQueryDsl as _};
use minsheng_analytics::{
    assessment::Policy,
    catalogue::{Catalogue, Form},
    job::{self, JobConfig, JobOutcome},
    lake::Lake,
    model::ResyncReason,
    report::Options,
};
use minsheng_kit::{
    assembly::{Assembly, Definition},
    store::Migrations,
};
use minsheng_proto::{
    common::v1::{self as common, record_service_client::RecordServiceClient},
    returns::v1::{self as pb, return_service_client::ReturnServiceClient},
};
use minsheng_testkit::{TestClock, TestDatabase, TestService, TestSite, databases};

pub(crate) const DATASET: &str = "health.returns";
/// What the software ships with is told in it.
const PARAMETERS: &str = "health.parameters";

pub(crate) static DEFINITION: Definition = Definition {
    department: "health",
    service: "health",
    migrations: Migrations::NONE,
    assemble: |parts| Assembly::new(parts.context),
};

/// The department's service, which can be stopped, backed up and restored, and the lake that is read from it.
pub(crate) struct Probe {
    pub(crate) site: TestSite,
    database: TestDatabase,
    clock: TestClock,
    pub(crate) service: Option<TestService>,
    reports: u32,
}

impl Probe {
    pub(crate) async fn start(database: TestDatabase) -> Self {
        let clock = TestClock::on(NaiveDate::from_ymd_opt(2026, 3, 20).expect("a day"));
        let site = TestSite::new().expect("a directory");
        let mut probe = Self { site, database, clock, service: None, reports: 0 };
        probe.go_on().await;
        probe
    }

    async fn go_on(&mut self) {
        self.service = Some(self.site.start(&DEFINITION, self.database, &self.clock, &[]).await.expect("starts"));
    }

    async fn stop(&mut self) {
        self.service.take().expect("runs").stop().await.expect("stops");
    }

    fn lake(&self) -> std::path::PathBuf {
        self.site.path().join("lake")
    }

    /// Files a share for a month of 2026.
    pub(crate) async fn file(&self, month: i32) {
        let service = self.service.as_ref().expect("runs");
        let mut client =
            ReturnServiceClient::new(self.site.channel("operator", &DEFINITION, service).expect("channel"));
        let share = Catalogue::shipped().entries.iter().find(|entry| {
            let commitment = &entry.commitment;
            commitment.service == "health" && commitment.scope.is_empty() && entry.primary().form == Form::Share
        });
        let share = share.expect("health has one");
        let filed = pb::Return {
            area: "540102".to_owned(),
            commitment: share.commitment.id.clone(),
            month: Some(common::YearMonth { year: 2026, month }),
            numerator: Some(1.0),
            denominator: Some(2.0),
            unit: share.primary().unit.en.clone(),
            source: "monthly return".to_owned(),
            filed_by: "0107".to_owned(),
            ..pb::Return::default()
        };
        let request_id = format!("00000000-0000-4000-8000-{month:012x}");
        let batch = pb::SubmitReturnsRequest { request_id, returns: vec![filed] };
        let results = client.submit_returns(batch).await.expect("answered").into_inner().results;
        assert_eq!(results[0].outcome(), common::ItemOutcome::Created, "{results:?}");
    }

    /// Asks how many returns are in force on a day.
    pub(crate) async fn count_returns(&self, on: NaiveDate) -> common::CountRecordsResponse {
        let service = self.service.as_ref().expect("runs");
        let channel = self.site.channel("operator", &DEFINITION, service).expect("channel");
        let number = |part: u32| i32::try_from(part).expect("a part of a day");
        let on = common::Date { year: on.year(), month: number(on.month()), day: number(on.day()) };
        let asked =
            common::CountRecordsRequest { collection: "returns".to_owned(), area: "540000".to_owned(), on: Some(on) };
        RecordServiceClient::new(channel).count_records(asked).await.expect("counted").into_inner()
    }

    /// Makes a report.
    async fn report(&mut self, as_of: Option<DateTime<Utc>>) -> JobOutcome {
        self.reports += 1;
        let service = self.service.as_ref().expect("runs");
        let channel = self.site.channel("analytics", &DEFINITION, service).expect("a channel");
        let config = JobConfig {
            lake_dir: self.lake(),
            out_dir: self.site.path().join(format!("report-{}", self.reports)),
            catalogue: Arc::new(Catalogue::embedded().expect("sound")),
            on: NaiveDate::from_ymd_opt(2026, 3, 20).expect("a day"),
            as_of,
            options: Options::default(),
            policy: Policy::default(),
            signer: None,
            sources: vec![("health".to_owned(), channel)],
        };
        let outcome = job::run(config).await.expect("a report");
        assert_eq!(outcome.unreached.len(), 0, "{:?}", outcome.unreached);
        outcome
    }

    fn rows(&self, dataset: &str) -> u64 {
        Lake::open_read_only(&self.lake()).expect("a lake").rows(dataset)
    }

    /// Does to the database of the stopped service what its administrator would.
    fn administer(&self, sqlite: impl Fn(&Path, &Path), postgres: impl Fn(&str, &str) -> Vec<String>) {
        let url = self.site.database(self.database, "health").expect("named");
        match self.database {
            TestDatabase::Sqlite => {
                sqlite(Path::new(url.trim_start_matches("sqlite:")), &self.site.path().join("backup.db"));
            }
            TestDatabase::Postgres => {
                let (cluster, name) = url.rsplit_once('/').expect("a URL");
                let mut connection = PgConnection::establish(&format!("{cluster}/postgres")).expect("connects");
                for statement in postgres(name, &format!("{name}_backup")) {
                    diesel::sql_query(statement).execute(&mut connection).expect("done");
                }
            }
        }
    }

    fn back_up(&self) {
        self.administer(
            |file, backup| assert!(std::fs::copy(file, backup).is_ok()),
            |name, backup| vec![format!("CREATE DATABASE {backup} TEMPLATE {name}")],
        );
    }

    fn restore(&self) {
        self.administer(
            |file, backup| assert!(std::fs::copy(backup, file).is_ok()),
            |name, backup| {
                vec![format!("DROP DATABASE {name} WITH (FORCE)"), format!("ALTER DATABASE {backup} RENAME TO {name}")]
            },
        );
    }
}

fn page(outcome: &JobOutcome) -> String {
    std::fs::read_to_string(&outcome.files.html).expect("a page")
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_the_report_reads_the_records_again_and_says_that_earlier_reports_may_differ() {
    for database in databases() {
        let mut probe = Probe::start(database).await;
        probe.file(1).await;
        probe.report(None).await;
        probe.stop().await;
        probe.back_up();
        probe.go_on().await;
        probe.file(2).await;
        probe.file(3).await;
        let before = probe.report(None).await;
        assert_eq!((before.rows_read["health"], probe.rows(DATASET), &before.run["health"].resynced), (2, 3, &None));
        probe.stop().await;
        probe.restore();
        probe.go_on().await;
        // One of the two that were lost is filed again.
        probe.file(3).await;

        let began = Utc::now();
        let after = probe.report(None).await;
        let read = &after.resynced[DATASET];
        let told = probe.rows(PARAMETERS);
        assert!(told > 0 && after.resynced[PARAMETERS].why == ResyncReason::JournalReplaced, "{database:?}");
        assert_eq!(
            (after.rows_read["health"], probe.rows(DATASET), read.why),
            (2 + told, 2, ResyncReason::JournalReplaced),
            "{database:?}"
        );
        let former = read.former_version.expect("there was a table");
        let commit = format!("{DATASET}/_delta_log/{former:020}.json");
        assert!(probe.lake().join(&commit).is_file(), "{commit}: what was read before is still there");
        let told = after.run["health"].resynced.clone().expect("it is said");
        assert!(told.why == ResyncReason::JournalReplaced && told.at.timestamp() >= began.timestamp());

        let past = probe.report(Some(before.document.as_of)).await;
        assert_eq!(past.resynced.len(), 0, "once is enough");
        assert_eq!(past.run["health"].resynced, Some(told), "the lake goes on knowing it");
        assert!(past.run["health"].may_differ_from_before(past.document.as_of));
        let page = page(&past);
        assert!(page.contains("reports of this moment that were made before may differ"), "{database:?}");
        assert!(page.contains("此前就同一时刻所出的报告可能与本报告不同"), "{database:?}");
        let sound = Lake::open_read_only(&probe.lake()).expect("a lake").verify().expect("verified");
        assert_eq!(sound, [], "{database:?}");
        probe.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_whose_places_are_of_another_make_is_read_again() {
    for database in databases() {
        let mut probe = Probe::start(database).await;
        probe.file(1).await;
        probe.report(None).await;
        let commit = probe.lake().join(DATASET).join("_delta_log").join(format!("{:020}.json", 0));
        let text = std::fs::read_to_string(&commit).expect("a commit");
        let cursor = Lake::open_read_only(&probe.lake()).expect("a lake").cursor(DATASET).to_owned();
        // As places looked before they were sealed.
        std::fs::write(&commit, text.replace(&cursor, "eyJmcm9tIjoiMSJ9")).expect("written");

        let after = probe.report(None).await;
        assert_eq!(
            (after.resynced.len(), after.resynced[DATASET].why),
            (1, ResyncReason::CursorRefused),
            "{database:?}"
        );
        assert_eq!(probe.rows(DATASET), 1, "{database:?}");
        assert!(page(&after).contains("it did not accept the place to go on from"), "{database:?}");
        probe.stop().await;
    }
}
