use std::path::Path;

use super::*;
use crate::model::{SourceKind, Status};
use crate::testing::{Row, append, day, row};

fn config(directory: &Path, lake: &str, out: &str) -> JobConfig {
    JobConfig {
        lake_dir: directory.join(lake),
        out_dir: directory.join(out),
        catalogue: Arc::new(Catalogue::embedded().unwrap()),
        on: day("2025-12-31"),
        as_of: None,
        options: Options::default(),
        policy: Policy::default(),
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
    rows.push(
        row("community.returns", "returns/1", "540000", "2025-11-30")
            .with("commitment", "purchased-services")
            .with("month_from", "2025-11-01")
            .with("numerator", 3.0)
            .with("denominator", 4.0)
            .with("return_state", "SUBMITTED"),
    );
    rows
}

#[tokio::test]
async fn a_rebuilt_lake_gives_the_same_bytes_and_so_does_one_that_has_grown() {
    let directory = tempfile::tempdir().unwrap();
    let rows = rows();
    append(&mut Lake::open(&directory.path().join("one")).unwrap(), &rows, usize::MAX);
    let first = run(config(directory.path(), "one", "first")).await.unwrap();
    assert_eq!(first.document.as_of, day("2025-11-30").and_time(NaiveTime::MIN).and_utc());
    let entry = first.document.region_entries().find(|entry| entry.id == "age-friendly-institutions").unwrap();
    assert_eq!((entry.value, entry.status), (Some(90.0), Status::Met));

    let mut grown = rows.clone();
    let later = row("health.institutions", "institutions/later", "540102", "2025-05-01").recorded("2025-12-20");
    grown.push(later.with("institution_class", "GENERAL_HOSPITAL").with("operating_from", "2020-01-01"));
    append(&mut Lake::open(&directory.path().join("two")).unwrap(), &grown, 3);
    let as_of = Some(first.document.as_of);
    let second = run(JobConfig { as_of, ..config(directory.path(), "two", "second") }).await.unwrap();
    for (one, two) in [
        (&first.files.json, &second.files.json),
        (&first.files.csv, &second.files.csv),
        (&first.files.parquet, &second.files.parquet),
    ] {
        assert!(std::fs::read(one).unwrap() == std::fs::read(two).unwrap(), "{}", one.display());
    }
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
    let outcome = reckon(&config, &lake.lock().unwrap(), collected).unwrap();
    let health = outcome.document.sources.iter().find(|source| source.service == "health").unwrap();
    assert_eq!(health.unreached.as_deref(), Some("health does not give its records (Unavailable)"));
    assert_eq!(health.position, 20);
    assert!(
        outcome.document.region_entries().any(|entry| entry.id == "age-friendly-institutions" && entry.value.is_some())
    );
}

#[tokio::test]
async fn without_any_record_every_commitment_is_there_and_says_that_nothing_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let outcome = run(config(directory.path(), "lake", "out")).await.unwrap();
    let region: Vec<_> = outcome.document.region_entries().collect();
    assert_eq!(region.len(), 92);
    assert!(region.iter().all(|entry| entry.value.is_none()));
    let meal = outcome.commitments.iter().find(|commitment| commitment.id == "elder-meal-points").unwrap();
    assert_eq!(meal.source, SourceKind::Register);
}
