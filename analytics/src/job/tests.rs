use std::path::Path;

use futures::StreamExt as _;
use futures::stream;

use super::*;
use crate::feed::{FeedError, Piece, Pieces};
use crate::lake::Progress;
use crate::model::{Reason, SourceKind, Status};
use crate::testing::{Row, append, append_until, batch, day, make_outdated, micros, row};

fn config(directory: &Path, lake: &str, out: &str) -> JobConfig {
    JobConfig {
        lake_dir: directory.join(lake),
        out_dir: directory.join(out),
        catalogue: Arc::new(Catalogue::embedded().unwrap()),
        on: day("2025-12-31"),
        as_of: None,
        options: Options::default(),
        policy: Policy::default(),
        signer: None,
        sources: Vec::new(),
    }
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for id in 0..20_i64 {
        let home = row("health.institutions", &format!("institutions/{id}"), "540102", "2025-03-01")
            .with("institution_class", "GENERAL_HOSPITAL")
            .with("operating_from", "2020-01-01");
        let certified = home.clone().with("age_friendly_from", "2025-06-01").with("age_friendly_to", "2028-05-31");
        rows.push(if id < 18 { certified } else { home });
    }
    rows.push(filed("returns/1", "540000", "2025-11-01"));
    rows
}

/// A share filed for a month, recorded on its last day.
fn filed(record: &str, area: &str, month: &str) -> Row {
    row("community.returns", record, area, &crate::statistics::month_end(day(month)).to_string())
        .with("commitment", "purchased-services")
        .with("month_from", month)
        .with("numerator", 3.0)
        .with("denominator", 4.0)
        .with("return_state", "SUBMITTED")
}

/// The bytes of the files for machines.
fn bytes(outcome: &JobOutcome) -> [Vec<u8>; 3] {
    [&outcome.files.json, &outcome.files.csv, &outcome.files.parquet].map(|file| std::fs::read(file).unwrap())
}

#[tokio::test]
async fn a_rebuilt_lake_gives_the_same_bytes_and_so_does_one_that_has_grown() {
    let directory = tempfile::tempdir().unwrap();
    let rows = rows();
    append_until(&mut Lake::open(&directory.path().join("one")).unwrap(), &rows, usize::MAX, "2025-12-10");
    let first = run(config(directory.path(), "one", "first")).await.unwrap();
    assert_eq!(first.document.as_of, day("2025-12-10").and_time(NaiveTime::MIN).and_utc());
    let entry = first.document.region_entries().find(|entry| entry.id == "age-friendly-institutions").unwrap();
    // Most counties never sent an institution, and nothing bounds what they have.
    let found = (entry.value, entry.status, entry.reason);
    assert_eq!(found, (Some(90.0), Status::NotAssessable, Some(Reason::Incomplete)));

    let mut grown = rows.clone();
    let later = row("health.institutions", "institutions/later", "540102", "2025-05-01").recorded("2025-12-20");
    grown.push(later.with("institution_class", "GENERAL_HOSPITAL").with("operating_from", "2020-01-01"));
    append_until(&mut Lake::open(&directory.path().join("two")).unwrap(), &grown, 3, "2025-12-31");
    let as_of = Some(first.document.as_of);
    let second = run(JobConfig { as_of, ..config(directory.path(), "two", "second") }).await.unwrap();
    assert!(bytes(&first) == bytes(&second));
}

#[tokio::test]
async fn the_same_lake_gives_the_same_bytes_whether_departments_were_asked_did_not_answer_or_were_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), "lake", "offline");
    let mut lake = Lake::open(&config.lake_dir).unwrap();
    append_until(&mut lake, &rows(), usize::MAX, "2025-12-31");
    let as_of = Some(day("2025-12-30").and_time(NaiveTime::MIN).and_utc());
    let offline = compute_report(&JobConfig { as_of, ..config.clone() }, &lake, Collected::default()).unwrap();
    assert!(offline.run.values().all(|became| became.not_asked));
    let asked = Collected {
        rows_read: BTreeMap::from([("community".to_owned(), 0), ("education".to_owned(), 0)]),
        unreached: BTreeMap::from([("health".to_owned(), "gone".to_owned())]),
        ..Collected::default()
    };
    let out_dir = directory.path().join("asked");
    let asked = compute_report(&JobConfig { out_dir, as_of, ..config.clone() }, &lake, asked).unwrap();
    assert_eq!(asked.run["health"].unreached.as_deref(), Some("gone"));
    assert!(bytes(&offline) == bytes(&asked));

    // Read again from its beginning, the same records are in the lake once more.
    let returns = [filed("returns/1", "540000", "2025-11-01")];
    lake.begin_resync("community.returns", crate::model::ResyncReason::CursorRefused, micros("2025-12-31"));
    let progress = Progress { cursor: "21".to_owned(), position: 21, recorded_until: Some(micros("2025-12-31")) };
    lake.append("community.returns", &[batch("community.returns", &[(21, returns[0].clone())])], progress).unwrap();
    lake.finish_resync("community.returns").unwrap().expect("it was begun");
    let out_dir = directory.path().join("again");
    let again = compute_report(&JobConfig { out_dir, as_of, ..config }, &lake, Collected::default()).unwrap();
    assert!(again.run["community"].resynced.is_some());
    assert!(bytes(&offline) == bytes(&again));
    let page = |outcome: &JobOutcome| std::fs::read_to_string(&outcome.files.html).unwrap();
    assert!(page(&again).contains("it did not accept the place to go on from") && page(&asked).contains("not reached"));
}

/// A community department that goes on recording while its datasets are read, one after the other.
struct Live {
    /// All that it will have recorded, each row on its day.
    rows: Vec<Row>,
    /// The days on which the readings of its datasets begin, in their order.
    days: std::collections::VecDeque<&'static str>,
}

impl Feed for Live {
    fn service(&self) -> &'static str {
        "community"
    }

    async fn datasets(&mut self) -> Result<Vec<String>, FeedError> {
        Ok(vec!["community.returns".to_owned(), "community.service_points".to_owned()])
    }

    async fn changes(&mut self, dataset: &str, cursor: &str) -> Result<Pieces, FeedError> {
        let today = self.days.pop_front().expect("a day for each reading");
        let behind: i64 = cursor.parse().unwrap_or_default();
        let recorded: Vec<(i64, Row)> = (1..)
            .zip(&self.rows)
            .filter(|(position, row)| row.dataset == dataset && *position > behind && row.recorded_on < day(today))
            .map(|(position, row)| (position, row.clone()))
            .collect();
        let position = recorded.last().map_or(behind, |(position, _)| *position);
        let progress = Progress { cursor: position.to_string(), position, recorded_until: Some(micros(today)) };
        let rows = (!recorded.is_empty()).then(|| batch(dataset, &recorded));
        Ok(stream::iter([Ok(Piece { rows, progress: Some(progress) })]).boxed())
    }
}

/// What the department records: a return between the readings of its two datasets, and a place before the second.
fn recorded_meanwhile() -> Vec<Row> {
    let home = |id: &str, on: &str| {
        row("community.service_points", &format!("service_points/{id}"), "540102", on)
            .with("kind", "DISABLED_HOME")
            .with("opened_on", on)
    };
    vec![
        home("1", "2025-10-01"),
        filed("returns/1", "540000", "2025-10-01"),
        filed("returns/2", "540000", "2025-11-01"),
        home("2", "2025-12-02"),
        home("3", "2025-12-20"),
    ]
}

/// Reads a live department into a lake, its datasets on some days, and makes the report.
async fn run_live(config: &JobConfig, days: &[&'static str]) -> JobOutcome {
    let lake: SharedLake = Arc::new(Mutex::new(Lake::open(&config.lake_dir).unwrap()));
    let live = Live { rows: recorded_meanwhile(), days: days.iter().copied().collect() };
    let collected = collect(vec![live], &lake).await;
    assert_eq!(collected.unreached, BTreeMap::new());
    compute_report(config, &lake.lock().unwrap(), collected).unwrap()
}

#[tokio::test]
async fn what_is_recorded_while_feeds_are_read_is_in_no_report_before_all_of_it_is() {
    let directory = tempfile::tempdir().unwrap();
    // The November return comes on 30 November: after the returns were read, before the places are.
    let first = run_live(&config(directory.path(), "one", "first"), &["2025-11-15", "2025-12-05"]).await;
    assert_eq!(first.document.as_of, day("2025-11-15").and_time(NaiveTime::MIN).and_utc());
    assert_eq!(first.incomplete.keys().collect::<Vec<_>>(), ["education", "health", "social-security"]);

    let as_of = Some(first.document.as_of);
    let again = JobConfig { as_of, ..config(directory.path(), "one", "again") };
    let again = run_live(&again, &["2025-12-24", "2025-12-25"]).await;
    assert!(bytes(&first) == bytes(&again), "the same lake, read further");
    let rebuilt = JobConfig { as_of, ..config(directory.path(), "two", "rebuilt") };
    let rebuilt = run_live(&rebuilt, &["2025-12-26", "2025-12-27"]).await;
    assert!(bytes(&first) == bytes(&rebuilt), "a lake that was rebuilt");
}

#[tokio::test]
async fn a_report_of_a_later_moment_than_a_feed_was_read_to_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let later = day("2025-12-04").and_time(NaiveTime::MIN).and_utc();
    let config = JobConfig { as_of: Some(later), ..config(directory.path(), "lake", "out") };
    let outcome = run_live(&config, &["2025-11-15", "2025-12-05"]).await;
    let community = outcome.document.sources.iter().find(|source| source.service == "community").unwrap();
    assert!(community.incomplete);
    assert_eq!(community.recorded_until, Some(micros("2025-11-15")));
    let read_to = outcome.incomplete["community"].map(|instant| instant.timestamp_micros());
    assert_eq!(read_to, Some(micros("2025-11-15")));
}

#[tokio::test]
async fn a_department_unreached_for_months_shows_its_age_and_its_commitments_are_not_assessable() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), "lake", "out");
    let mut lake = Lake::open(&config.lake_dir).unwrap();
    append_until(&mut lake, &rows()[..20], usize::MAX, "2025-07-10");
    append_until(&mut lake, &rows()[20..], usize::MAX, "2025-12-30");
    let unreached = BTreeMap::from([("health".to_owned(), "gone".to_owned())]);
    let collected =
        Collected { rows_read: BTreeMap::from([("community".to_owned(), 1)]), unreached, ..Collected::default() };
    let outcome = compute_report(&config, &lake, collected).unwrap();
    assert_eq!(outcome.document.as_of, day("2025-12-30").and_time(NaiveTime::MIN).and_utc());
    let health = outcome.document.sources.iter().find(|source| source.service == "health").unwrap();
    assert_eq!((health.recorded_until, health.incomplete), (Some(micros("2025-07-10")), true));
    let entry = outcome.document.region_entries().find(|entry| entry.id == "age-friendly-institutions").unwrap();
    assert_eq!((entry.status, entry.reason), (Status::NotAssessable, Some(Reason::SourceTooOld)));
    assert_eq!((entry.value, entry.value_on), (Some(90.0), Some(day("2025-07-10"))));
}

#[tokio::test]
async fn a_register_in_which_nothing_was_recorded_for_more_than_a_year_is_too_old() {
    let directory = tempfile::tempdir().unwrap();
    let config = JobConfig { on: day("2026-04-30"), ..config(directory.path(), "lake", "out") };
    append(&mut Lake::open(&config.lake_dir).unwrap(), &rows(), usize::MAX);
    let outcome = run(config).await.unwrap();
    let entry = outcome.document.region_entries().find(|entry| entry.id == "age-friendly-institutions").unwrap();
    assert_eq!((entry.status, entry.reason), (Status::NotAssessable, Some(Reason::SourceTooOld)));
}

#[tokio::test]
async fn a_figure_of_years_ago_is_in_the_report_and_too_old_to_judge_by() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), "lake", "out");
    append(&mut Lake::open(&config.lake_dir).unwrap(), &[filed("returns/1", "540000", "2022-12-01")], usize::MAX);
    let outcome = run(config).await.unwrap();
    let entry = outcome.document.region_entries().find(|entry| entry.id == "purchased-services").unwrap();
    assert_eq!((entry.status, entry.reason), (Status::NotAssessable, Some(Reason::SourceTooOld)));
    assert_eq!((entry.value, entry.value_on), (Some(75.0), Some(day("2022-12-31"))));
    let history = std::fs::read_to_string(&outcome.files.csv).unwrap();
    assert!(
        history.contains("purchased-services,3,community,returns,primary,540000,2022-12,3,4,75,percent"),
        "{history}"
    );
}

#[tokio::test]
async fn a_department_that_does_not_answer_is_named_and_its_last_records_still_count() {
    struct Silent;
    impl Feed for Silent {
        fn service(&self) -> &'static str {
            "health"
        }
        async fn datasets(&mut self) -> Result<Vec<String>, crate::feed::FeedError> {
            let status = tonic::Status::unavailable("gone");
            Err(crate::feed::FeedError::Refused {
                service: "health".into(),
                code: status.code(),
                source: status.into(),
            })
        }
        async fn changes(&mut self, _: &str, _: &str) -> Result<crate::feed::Pieces, crate::feed::FeedError> {
            unreachable!("it named no dataset")
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), "lake", "out");
    let mut lake = Lake::open(&config.lake_dir).unwrap();
    append(&mut lake, &rows(), usize::MAX);
    let lake: SharedLake = Arc::new(Mutex::new(lake));
    let collected = collect(vec![Silent], &lake).await;
    let outcome = compute_report(&config, &lake.lock().unwrap(), collected).unwrap();
    assert_eq!(outcome.run["health"].unreached.as_deref(), Some("health does not give its records (Unavailable)"));
    let health = outcome.document.sources.iter().find(|source| source.service == "health").unwrap();
    assert_eq!(health.position, 20);
    assert!(
        outcome.document.region_entries().any(|entry| entry.id == "age-friendly-institutions" && entry.value.is_some())
    );
}

#[tokio::test]
async fn without_any_record_every_commitment_is_there_and_says_that_nothing_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), "lake", "out");
    let commitments = config.catalogue.entries.len();
    let outcome = run(config).await.unwrap();
    let region: Vec<_> = outcome.document.region_entries().collect();
    assert_eq!(region.len(), commitments);
    assert!(region.iter().all(|entry| entry.value.is_none()));
    let meal = outcome.commitments.iter().find(|commitment| commitment.id == "elder-meal-points").unwrap();
    assert_eq!(meal.source, SourceKind::Register);
}

#[tokio::test]
async fn a_file_that_is_not_the_one_that_was_written_is_in_no_report() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), "lake", "out");
    let mut lake = Lake::open(&config.lake_dir).unwrap();
    append(&mut lake, &rows(), usize::MAX);
    let file = config.lake_dir.join(&lake.sources()["health.institutions"].files[0].path);
    drop(lake);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let error = run(config).await.unwrap_err();
    assert!(matches!(error, JobError::Statistics(StatisticsError::Lake(LakeError::Altered { .. }))), "{error}");
}

#[tokio::test]
async fn a_commitment_beyond_the_notice_is_one_more_entry_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let files = directory.path().join("catalogue");
    std::fs::create_dir(&files).unwrap();
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue/data")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), files.join(file.file_name())).unwrap();
    }
    let own = std::fs::read_to_string(files.join("article-03.toml")).unwrap();
    let begin = own.find("[[commitment]]\nid = \"purchased-services\"").unwrap();
    let entry = &own[begin..own[begin + 1..].find("\n[[commitment]]\n").map_or(own.len(), |end| begin + 1 + end)];
    std::fs::write(files.join("next-year.toml"), entry.replace("purchased-services", "next-years")).unwrap();

    let notice = Catalogue::embedded().unwrap().entries.len();
    let catalogue = Arc::new(crate::catalogue::read(&files).unwrap());
    let config = JobConfig { catalogue, ..config(directory.path(), "lake", "out") };
    let filed = filed("returns/1", "540000", "2025-11-01").with("commitment", "next-years");
    append(&mut Lake::open(&config.lake_dir).unwrap(), &[filed], usize::MAX);
    let outcome = run(config).await.unwrap();
    assert_eq!(outcome.document.region_entries().count(), notice + 1);
    let entry = outcome.document.region_entries().find(|entry| entry.id == "next-years").unwrap();
    assert_eq!((entry.status, entry.value), (Status::TrendOnly, Some(75.0)));
}

#[tokio::test]
async fn a_department_whose_rows_are_of_a_former_layout_is_not_known_until_it_is_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), "lake", "out");
    append(&mut Lake::open(&config.lake_dir).unwrap(), &rows(), usize::MAX);
    make_outdated(&config.lake_dir);

    let outcome = run(config.clone()).await.unwrap();
    assert_eq!(outcome.incomplete["health"], None);
    assert!(outcome.document.region_entries().all(|entry| entry.value.is_none()));

    let as_of = Some(day("2025-12-04").and_time(NaiveTime::MIN).and_utc());
    let outcome = run_live(&JobConfig { as_of, ..config }, &["2025-12-05", "2025-12-05"]).await;
    let value = |id: &str| outcome.document.region_entries().find(|entry| entry.id == id).unwrap().value;
    assert_eq!((value("purchased-services"), value("age-friendly-institutions")), (Some(75.0), None));
    assert!(outcome.run["community"].resynced.is_some() && outcome.run["health"].resynced.is_none());
}
