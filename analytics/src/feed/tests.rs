use std::collections::VecDeque;

use arrow::ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};
use arrow_flight::{FlightData, SchemaAsIpc};
use futures::stream;

use super::*;
use crate::testing::{batch, make_outdated, row};

const DATASET: &str = "community.service_points";

/// A feed that gives what a test put there, and notes from where it was read.
struct Scripted {
    datasets: Vec<String>,
    answers: VecDeque<Vec<Result<Piece, FeedError>>>,
    cursors: Vec<String>,
}

impl Scripted {
    fn of(answers: Vec<Vec<Result<Piece, FeedError>>>) -> Self {
        Self { datasets: vec![DATASET.to_owned()], answers: answers.into(), cursors: Vec::new() }
    }
}

impl Feed for Scripted {
    fn service(&self) -> &'static str {
        "community"
    }

    async fn datasets(&mut self) -> Result<Vec<String>, FeedError> {
        Ok(self.datasets.clone())
    }

    async fn changes(&mut self, _dataset: &str, cursor: &str) -> Result<Pieces, FeedError> {
        self.cursors.push(cursor.to_owned());
        Ok(stream::iter(self.answers.pop_front().unwrap_or_default()).boxed())
    }
}

fn rows(positions: std::ops::Range<i64>) -> RecordBatch {
    let of = |position: i64| (position, row(DATASET, &format!("service_points/{position}"), "540102", "2025-01-01"));
    batch(DATASET, &positions.map(of).collect::<Vec<_>>())
}

#[expect(clippy::unnecessary_wraps, reason = "as a stream gives it")]
fn piece(positions: std::ops::Range<i64>) -> Result<Piece, FeedError> {
    let last = positions.end - 1;
    let progress = Progress { cursor: format!("c{last}"), position: last, recorded_until: Some(last) };
    Ok(Piece { rows: Some(rows(positions)), progress: Some(progress) })
}

#[expect(clippy::unnecessary_wraps, reason = "as a stream gives it")]
fn end(position: i64) -> Result<Piece, FeedError> {
    let progress = Progress { cursor: format!("end{position}"), position, recorded_until: Some(position) };
    Ok(Piece { rows: None, progress: Some(progress) })
}

fn broken() -> Result<Piece, FeedError> {
    Err(FeedError::NotAFeed { service: "community".into(), what: "cut".into() })
}

fn lake() -> (tempfile::TempDir, SharedLake) {
    let directory = tempfile::tempdir().unwrap();
    let lake = Lake::open(directory.path()).unwrap();
    (directory, Arc::new(Mutex::new(lake)))
}

#[tokio::test]
async fn a_feed_goes_on_from_where_it_was_left() {
    let (_directory, lake) = lake();
    let mut feed = Scripted::of(vec![vec![piece(1..4), piece(4..6), end(5)], vec![piece(6..7), end(6)], vec![end(6)]]);
    let mut read = Vec::new();
    for _ in 0..3 {
        read.push(pull(&mut feed, &lake).await.unwrap().rows);
    }
    assert_eq!(read, [5, 1, 0]);
    assert_eq!(feed.cursors, ["", "end5", "end6"]);
    let lake = lake.lock().unwrap();
    assert_eq!((lake.rows(DATASET), lake.verify().unwrap()), (6, vec![]));
}

#[tokio::test]
async fn a_feed_that_is_cut_leaves_the_lake_as_it_was() {
    let (_directory, lake) = lake();
    let mut feed = Scripted::of(vec![vec![piece(1..4), broken()], vec![piece(1..4), end(3)]]);
    assert!(pull(&mut feed, &lake).await.is_err());
    assert_eq!(lake.lock().unwrap().rows(DATASET), 0);
    assert_eq!(pull(&mut feed, &lake).await.unwrap().rows, 3);
    assert_eq!(feed.cursors, ["", ""]);
}

#[tokio::test]
async fn a_feed_that_does_not_say_where_to_go_on_is_refused() {
    let (_directory, lake) = lake();
    let silent = Ok(Piece { rows: Some(rows(1..3)), progress: None });
    let error = pull(&mut Scripted::of(vec![vec![end(0), silent]]), &lake).await.unwrap_err();
    assert!(error.to_string().ends_with("ends without saying where to go on"), "{error}");
}

#[tokio::test]
async fn a_department_cannot_fill_another_department_s_dataset() {
    let (_directory, lake) = lake();
    let mut feed = Scripted::of(Vec::new());
    feed.datasets = vec!["health.institutions".to_owned()];
    let error = pull(&mut feed, &lake).await.unwrap_err();
    assert!(error.to_string().contains("`health.institutions` is not a dataset of this service"), "{error}");
}

fn message(batch: &RecordBatch, metadata: &str) -> FlightData {
    let mut dictionaries = DictionaryTracker::new(false);
    let (_, encoded) = IpcDataGenerator::default()
        .encode(batch, &mut dictionaries, &IpcWriteOptions::default(), &mut IpcWriteContext::default())
        .unwrap();
    FlightData::from(encoded).with_app_metadata(metadata.to_owned())
}

#[tokio::test]
async fn the_messages_of_a_flight_become_rows_and_the_place_to_go_on_from() {
    let some = rows(1..4);
    let none = some.slice(0, 0);
    let schema: FlightData = SchemaAsIpc::new(&some.schema(), &IpcWriteOptions::default()).into();
    let messages = vec![
        Ok(schema),
        Ok(message(&some, r#"{"cursor":"a","position":3,"recorded_until":70}"#)),
        Ok(message(&none, r#"{"cursor":"b","position":3,"recorded_until":90}"#)),
    ];
    let found: Vec<Piece> =
        flight::pieces("community".into(), stream::iter(messages)).map(Result::unwrap).collect().await;
    assert_eq!(found[1].rows.as_ref(), Some(&some));
    assert_eq!(found[2].progress, Some(Progress { cursor: "b".into(), position: 3, recorded_until: Some(90) }));
}

#[tokio::test]
async fn a_refusal_in_the_middle_of_a_flight_names_the_service() {
    let messages = vec![Err(tonic::Status::unavailable("gone"))];
    let found: Vec<_> = flight::pieces("health".into(), stream::iter(messages)).collect().await;
    assert_eq!(found[0].as_ref().unwrap_err().to_string(), "health does not give its records (Unavailable)");
}

fn replaced() -> Result<Piece, FeedError> {
    Err(FeedError::Replaced { service: "community".into() })
}

/// What a service says of a cursor that it cannot read.
async fn unreadable() -> Result<Piece, FeedError> {
    let messages = vec![Err(tonic::Status::invalid_argument("BAD_CURSOR"))];
    flight::pieces("community".into(), stream::iter(messages)).next().await.unwrap()
}

#[tokio::test]
async fn a_feed_that_does_not_go_on_is_read_again_from_its_beginning_and_the_former_rows_are_set_aside() {
    for (refusal, why) in
        [(replaced(), ResyncReason::JournalReplaced), (unreadable().await, ResyncReason::CursorRefused)]
    {
        let (directory, lake) = lake();
        let mut feed = Scripted::of(vec![
            vec![piece(1..8), end(7)],
            vec![refusal],
            vec![piece(1..4), end(3)],
            vec![piece(4..6), end(5)],
        ]);
        pull(&mut feed, &lake).await.unwrap();
        let before = Utc::now().timestamp_micros();
        let pulled = pull(&mut feed, &lake).await.unwrap();
        let resynced = pulled.resynced[DATASET].clone();
        assert_eq!((pulled.rows, resynced.why), (3, why));
        assert!(resynced.at >= before);
        assert_eq!(resynced.former_version, Some(0), "what was read before is still there");
        assert_eq!(std::fs::read_dir(directory.path().join(DATASET).join("2025-01")).unwrap().count(), 2);
        let next = pull(&mut feed, &lake).await.unwrap();
        assert_eq!((next.rows, next.resynced.len()), (2, 0), "from there it goes on as ever");
        assert_eq!(feed.cursors, ["", "end7", "", "end3"]);
        let lake = lake.lock().unwrap();
        assert_eq!((lake.rows(DATASET), lake.verify().unwrap()), (5, vec![]));
        assert_eq!(lake.sources()[DATASET].resynced, Some(resynced), "the lake goes on knowing it");
    }
}

#[tokio::test]
async fn a_feed_that_refuses_its_beginning_too_or_is_cut_again_leaves_the_former_rows_in_force() {
    let (_directory, shared) = lake();
    let mut feed = Scripted::of(vec![
        vec![piece(1..8), end(7)],
        vec![replaced()],
        vec![replaced()],
        vec![replaced()],
        vec![piece(1..4), broken()],
        vec![replaced()],
        vec![piece(1..3), end(2)],
    ]);
    pull(&mut feed, &shared).await.unwrap();
    for _ in 0..2 {
        pull(&mut feed, &shared).await.unwrap_err();
        assert_eq!(feed.cursors.len() % 2, 1, "once in a run: {:?}", feed.cursors);
        let lake = shared.lock().unwrap();
        assert_eq!((lake.rows(DATASET), lake.cursor(DATASET)), (7, "end7"));
        assert_eq!(lake.sources()[DATASET].version, Some(0));
    }
    assert_eq!(pull(&mut feed, &shared).await.unwrap().rows, 2);
    assert_eq!(shared.lock().unwrap().rows(DATASET), 2);
}

#[tokio::test]
async fn a_lake_of_a_former_layout_is_read_again_by_itself_whatever_the_service_says_of_its_cursor() {
    let (directory, shared) = lake();
    let mut feed = Scripted::of(vec![
        vec![piece(1..8), end(7)],
        vec![piece(1..4), broken()],
        vec![piece(1..4), end(3)],
        vec![piece(4..6), end(5)],
    ]);
    pull(&mut feed, &shared).await.unwrap();
    drop(shared);
    make_outdated(directory.path());

    let shared = Arc::new(Mutex::new(Lake::open(directory.path()).unwrap()));
    pull(&mut feed, &shared).await.unwrap_err();
    assert!(shared.lock().unwrap().is_outdated(DATASET), "a reading that is cut changes nothing");
    let pulled = pull(&mut feed, &shared).await.unwrap();
    let resynced = &pulled.resynced[DATASET];
    assert_eq!((pulled.rows, resynced.why), (3, ResyncReason::LakeReplaced));
    assert_eq!(resynced.former_version, None);
    let former = directory.path().join("former");
    assert!(former.join(DATASET).join("month=2025-01").is_dir(), "the former rows are kept");
    assert!(former.join("manifest.json").is_file());
    assert_eq!(pull(&mut feed, &shared).await.unwrap().rows, 2, "from there it goes on as ever");
    assert_eq!(feed.cursors, ["", "", "", "end3"]);
    let lake = shared.lock().unwrap();
    assert_eq!((lake.is_outdated(DATASET), lake.rows(DATASET), lake.verify().unwrap()), (false, 5, vec![]));
}
