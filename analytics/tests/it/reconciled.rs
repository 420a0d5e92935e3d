//! The lake holds what a department's registers hold, and a row that was lost on the way is found.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use chrono::NaiveDate;
use futures::StreamExt as _;
use minsheng_analytics::{
    feed::{Feed, FeedError, FlightFeed, Pieces, Pulled, SharedLake, pull},
    lake::Lake,
    reconcile::{Reconciliation, compare, count},
};
use minsheng_proto::register_of_collection;
use minsheng_testkit::databases;

use crate::restored::{DATASET, DEFINITION, Probe};

/// The county of all returns.
const COUNTY: &str = "540102";

/// A feed that loses the first row of a dataset's first reading.
struct Lossy(FlightFeed);

impl Feed for Lossy {
    fn service(&self) -> &str {
        self.0.service()
    }

    async fn datasets(&mut self) -> Result<Vec<String>, FeedError> {
        self.0.datasets().await
    }

    async fn changes(&mut self, dataset: &str, cursor: &str) -> Result<Pieces, FeedError> {
        let mut lost = dataset != DATASET;
        let pieces = self.0.changes(dataset, cursor).await?;
        Ok(pieces
            .map(move |piece| {
                let mut piece = piece?;
                if let Some(rows) = piece.rows.as_mut().filter(|rows| !lost && rows.num_rows() > 0) {
                    *rows = rows.slice(1, rows.num_rows() - 1);
                    lost = true;
                }
                Ok(piece)
            })
            .boxed())
    }
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 20).expect("a day")
}

fn open(directory: &Path) -> SharedLake {
    Arc::new(Mutex::new(Lake::open(directory).expect("a lake")))
}

/// Compares the department's returns with a lake.
async fn returns(probe: &Probe, lake: &SharedLake, on: NaiveDate) -> Reconciliation {
    let service = probe.service.as_ref().expect("runs");
    let channel = probe.site.channel("analytics", &DEFINITION, service).expect("a channel");
    let register = register_of_collection("returns").expect("declared");
    compare("health", register, &channel, on, lake).await.expect("compared")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_lost_on_its_way_to_the_lake_is_found_with_its_county() {
    for database in databases() {
        let probe = Probe::start(database).await;
        for month in 1..=3 {
            probe.file(month).await;
        }
        let sound = open(&probe.site.path().join("sound"));
        let found = returns(&probe, &sound, today()).await;
        assert_eq!((found.totals(), found.difference()), ((3, 3), 0), "{database:?}: {found:?}");
        let january = NaiveDate::from_ymd_opt(2026, 1, 31).expect("a day");
        assert_eq!(returns(&probe, &sound, january).await.totals(), (1, 1), "{database:?}: of that day");

        let service = probe.service.as_ref().expect("runs");
        let channel = probe.site.channel("analytics", &DEFINITION, service).expect("a channel");
        let lossy = open(&probe.site.path().join("lossy"));
        pull(&mut Lossy(FlightFeed::new("health", channel)), &lossy).await.expect("read");
        let found = returns(&probe, &lossy, today()).await;
        assert_eq!(found.differences(), [(COUNTY, (3, 2))].into(), "{database:?}");
        assert_eq!(found.difference(), 1, "{database:?}");
        let findings = lossy.lock().expect("nobody failed").verify().expect("verified");
        assert!(findings.is_empty(), "its files are sound: nothing else would find it");
        probe.service.expect("runs").stop().await.expect("stops");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_after_a_register_counted_is_not_read_before_both_are_compared() {
    for database in databases() {
        let probe = Probe::start(database).await;
        probe.file(1).await;
        let service = probe.service.as_ref().expect("runs");
        let channel = probe.site.channel("analytics", &DEFINITION, service).expect("a channel");
        let counted = probe.count_returns(today()).await;
        assert_eq!(counted.counts.iter().map(|count| count.records).sum::<i64>(), 1);
        probe.file(2).await;

        let lake = open(&probe.site.path().join("lake"));
        let mut feed = FlightFeed::new("health", channel.clone()).only_until(DATASET, &counted.cursor);
        pull(&mut feed, &lake).await.expect("read");
        let in_lake = || count(&lake.lock().expect("nobody failed"), DATASET, today()).expect("counted");
        assert_eq!(in_lake(), [(COUNTY.to_owned(), 1)].into(), "{database:?}");
        pull(&mut FlightFeed::new("health", channel), &lake).await.expect("goes on");
        assert_eq!(in_lake(), [(COUNTY.to_owned(), 2)].into(), "{database:?}: nothing is missed");

        // A lake that is ahead does not go back.
        let again = pull(&mut feed, &lake).await.expect("nothing is left to read");
        assert_eq!((again, in_lake().values().sum::<i64>()), (Pulled::default(), 2), "{database:?}");
        probe.service.expect("runs").stop().await.expect("stops");
    }
}
