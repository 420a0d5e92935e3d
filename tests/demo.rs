//! The main job from an empty directory to the page, with few people: real services, real sockets, mutual TLS.

use std::{collections::BTreeSet, path::Path};

use chrono::{DateTime, Utc};
use minsheng::{
    commands::report::{Job, make},
    demo::{self, Loaded, province},
    lang::Lang,
    output::Progress,
    site::Site,
};
use minsheng_analytics::{job::JobOutcome, model::Status};

/// People and cases, as a share of the demo's usual number.
const SCALE: f64 = 0.02;

async fn run(data: &Path, as_of: Option<DateTime<Utc>>) -> (Loaded, JobOutcome) {
    let site = Site::start(data).await.expect("the services start");
    let made = province::Province::new(1, SCALE);
    let loaded = demo::load_province(site.endpoints(), made, &Progress::hidden(), Lang::En).await.expect("loads");
    let job = Job { lake: data.join("lake"), out: data.join("report"), on: province::LAST_DAY, as_of };
    let outcome = make(&job, Some(site.endpoints()), Lang::En).await.expect("reports");
    site.stop().await.expect("the services stop");
    (loaded, outcome)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_province_goes_through_four_services_into_a_page_with_every_status_and_a_second_run_adds_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let (loaded, outcome) = run(directory.path(), None).await;
    assert_eq!(loaded.refused, 0, "{:?}", loaded.reasons);
    assert!(outcome.unreached.is_empty(), "{:?}", outcome.unreached);
    assert!(outcome.rows_read.values().sum::<u64>() > loaded.accepted);

    let statuses: BTreeSet<String> =
        outcome.document.region_entries().map(|entry| format!("{:?}", entry.status)).collect();
    for status in Status::ALL {
        assert!(statuses.contains(&format!("{status:?}")), "no commitment of the region is {status:?}: {statuses:?}");
    }

    let first = std::fs::read(&outcome.files.json).expect("written");
    let (again, outcome) = run(directory.path(), Some(outcome.document.as_of)).await;
    assert_eq!(again, loaded, "the first answers are given again");
    assert_eq!(outcome.rows_read.values().sum::<u64>(), 0, "{:?}", outcome.rows_read);
    assert_eq!(first, std::fs::read(&outcome.files.json).expect("written"));
}
