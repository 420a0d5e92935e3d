use std::collections::BTreeSet;

use chrono::NaiveTime;

use super::*;
use crate::assessment::{self, Input, Policy};
use crate::catalogue::{Areas, Catalogue};
use crate::testing::day;

fn service(directory: &Path) -> AttainmentRpc {
    let keys = Arc::new(Keys::derive(&[7; 32], "analytics"));
    let service = AttainmentRpc::new(directory.to_owned(), keys, RunBoard::default());
    AttainmentRpc { watch_every: Duration::from_millis(5), ..service }
}

/// How many commitments there are.
fn commitments() -> usize {
    Catalogue::embedded().unwrap().entries.len()
}

/// Writes the report of a lake that knows nothing, as a run of that day does.
fn write(directory: &Path, on: &str) {
    let areas = Areas::of_the_region();
    let commitments = Catalogue::embedded().unwrap().commitments(day(on));
    let document = assessment::assess(&Input {
        on: day(on),
        as_of: day(on).and_time(NaiveTime::MIN).and_utc(),
        catalogue: "test",
        commitments: &commitments,
        areas: areas.all(),
        rows: &[],
        completeness: &[],
        sources: &[],
        policy: Policy::default(),
    });
    let run = directory.join(crate::schedule::directory_of(document.as_of));
    std::fs::create_dir_all(&run).unwrap();
    std::fs::write(run.join(FILE_NAME), serde_json::to_vec(&document).unwrap()).unwrap();
}

fn list(area: &str, page_token: &str) -> Request<pb::ListAttainmentsRequest> {
    let message = pb::ListAttainmentsRequest {
        area: area.to_owned(),
        page_size: 50,
        page_token: page_token.to_owned(),
        ..Default::default()
    };
    Request::new(message)
}

#[tokio::test]
async fn pages_give_every_commitment_of_an_area_once() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "2025-12-31");
    let service = service(directory.path());
    let first = service.list_attainments(list("540100", "")).await.unwrap().into_inner();
    assert_eq!((first.attainments.len(), first.on), (50, Some(date(day("2025-12-31")))));
    let (mut entries, mut token) = (first.attainments.clone(), first.next_page_token.clone());
    while !token.is_empty() {
        let page = service.list_attainments(list("540100", &token)).await.unwrap().into_inner();
        entries.extend(page.attainments);
        token = page.next_page_token;
    }
    let ids: BTreeSet<_> = entries.iter().map(|entry| &entry.commitment).collect();
    assert_eq!((entries.len(), ids.len()), (commitments(), commitments()));
    let moved = service.list_attainments(list("540200", &first.next_page_token)).await.unwrap_err();
    assert_eq!(moved.code(), tonic::Code::InvalidArgument, "a token is good for its own list only");
}

#[tokio::test]
async fn the_scoreboard_counts_every_status_and_follows_the_newest_report() {
    let directory = tempfile::tempdir().unwrap();
    let service = service(directory.path());
    let ask = |on: Option<&str>| {
        Request::new(pb::GetScoreboardRequest { on: on.map(|on| date(day(on))), area: String::new() })
    };
    assert_eq!(service.get_scoreboard(ask(None)).await.unwrap_err().code(), tonic::Code::NotFound);
    write(directory.path(), "2025-12-31");
    let board = service.get_scoreboard(ask(Some("2025-12-31"))).await.unwrap().into_inner();
    assert_eq!(board.counts.len(), Status::ALL.len());
    let counted: i32 = board.counts.iter().map(|count| count.commitments).sum();
    assert_eq!(usize::try_from(counted), Ok(commitments()));
    write(directory.path(), "2026-01-31");
    assert_eq!(service.get_scoreboard(ask(Some("2025-12-31"))).await.unwrap_err().code(), tonic::Code::NotFound);
    let board = service.get_scoreboard(ask(None)).await.unwrap().into_inner();
    assert_eq!(board.on, Some(date(day("2026-01-31"))));
}

#[tokio::test]
async fn a_request_that_breaks_the_contract_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let refused = service(directory.path()).list_attainments(list("Lhasa", "")).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
}

/// Replaces the status of an entry in a written report.
fn put_status(directory: &Path, on: &str, commitment: &str, status: &str) {
    let run = directory.join(crate::schedule::directory_of(day(on).and_time(NaiveTime::MIN).and_utc()));
    let file = run.join(FILE_NAME);
    let mut document: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let entries = document["commitments"].as_array_mut().unwrap().iter_mut();
    let entry = entries.into_iter().find(|entry| entry["id"] == commitment && entry["area"] == REGION).unwrap();
    entry["status"] = status.into();
    std::fs::write(file, serde_json::to_vec(&document).unwrap()).unwrap();
}

#[tokio::test]
async fn commitments_are_listed_and_a_figure_comes_with_its_history() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "2025-12-31");
    let history = "commitment,measure,area,month,numerator,denominator,value\n\
                   elder-meal-points,primary,540000,2025-11,139,,139\n\
                   elder-meal-points,primary,540000,2025-12,,,\n\
                   elder-meal-points,primary,540100,2025-12,1,,1\n\
                   elder-meal-points,seats,540000,2025-12,5939,,5939\n";
    let run =
        directory.path().join(crate::schedule::directory_of(day("2025-12-31").and_time(NaiveTime::MIN).and_utc()));
    std::fs::write(run.join("attainment.csv"), history).unwrap();
    let service = service(directory.path());
    let asked =
        |article, page_token: String| Request::new(pb::ListCommitmentsRequest { article, page_size: 60, page_token });
    let first = service.list_commitments(asked(0, String::new())).await.unwrap().into_inner();
    let second = service.list_commitments(asked(0, first.next_page_token.clone())).await.unwrap().into_inner();
    assert_eq!(first.commitments.len() + second.commitments.len(), commitments());
    let of_article = service.list_commitments(asked(7, String::new())).await.unwrap().into_inner().commitments;
    assert!(!of_article.is_empty() && of_article.iter().all(|one| one.article == 7));

    let figure = |commitment: &str, measure: &str| {
        let (commitment, measure) = (commitment.to_owned(), measure.to_owned());
        service.get_figure(Request::new(pb::GetFigureRequest { commitment, measure, area: String::new() }))
    };
    let told = figure("elder-meal-points", "").await.unwrap().into_inner();
    let values: Vec<Option<f64>> = told.history.iter().map(|one| one.value).collect();
    assert_eq!(values, [Some(139.0), None], "a month that is withheld has no number");
    assert_eq!(told.history[0].month, Some(common::YearMonth { year: 2025, month: 11 }));
    assert_eq!(told.attainment.unwrap().area, REGION);
    assert_eq!(figure("elder-meal-points", "seats").await.unwrap().into_inner().history.len(), 1);
    for (commitment, measure) in [("nothing", ""), ("elder-meal-points", "nothing")] {
        assert_eq!(figure(commitment, measure).await.unwrap_err().code(), tonic::Code::NotFound);
    }
}

#[tokio::test]
async fn a_watcher_is_told_what_newer_reports_change_and_one_who_was_away_misses_nothing() {
    use futures::StreamExt as _;
    let directory = tempfile::tempdir().unwrap();
    let service = service(directory.path());
    let watch = |after_run: &str| {
        let after_run = after_run.to_owned();
        service.watch_statuses(Request::new(pb::WatchStatusesRequest { after_run, ..Default::default() }))
    };
    let mut answers = watch("").await.unwrap().into_inner();
    write(directory.path(), "2025-12-31");
    let first = answers.next().await.unwrap().unwrap();
    assert_eq!((first.run.as_str(), first.changes.len()), ("runs/2025-12-31T0000", 0));
    // A report appears whole, as a run writes it.
    let elsewhere = tempfile::tempdir().unwrap();
    write(elsewhere.path(), "2026-01-31");
    put_status(elsewhere.path(), "2026-01-31", "elder-meal-points", "met");
    let run = "2026-01-31T0000";
    std::fs::rename(elsewhere.path().join(run), directory.path().join(run)).unwrap();
    let second = answers.next().await.unwrap().unwrap();
    assert_eq!(second.run, format!("runs/{run}"));
    let change = second.changes.iter().find(|one| one.commitment == "elder-meal-points" && one.area == REGION);
    assert_eq!(change.unwrap().after(), pb::AttainmentStatus::Met);

    let again = watch(&first.run).await.unwrap().into_inner().next().await.unwrap().unwrap();
    assert_eq!(again, second);
    let gone = watch("runs/2020-01-01T0000").await.err().unwrap();
    assert_eq!(gone.code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn a_run_that_is_started_waits_for_its_turn_and_is_the_same_within_a_minute() {
    let directory = tempfile::tempdir().unwrap();
    let (board, reports) = (RunBoard::default(), directory.path());
    let now = day("2026-03-31").and_hms_opt(12, 34, 56).unwrap().and_utc();
    let start =
        |call: &str, seconds| figures::start(reports, &board, call, now + chrono::TimeDelta::seconds(seconds)).unwrap();
    let run = start("one", 0);
    assert_eq!((run.name.as_str(), run.state()), ("runs/2026-03-31T1234", pb::RunState::Waiting));
    assert_eq!(start("other", 3), run, "it would be the same");
    assert_eq!(start("one", 600), run, "a repeated call gets what it asked for first");
    assert_eq!(start("third", 600).name, "runs/2026-03-31T1244");
    let service = service(reports);
    let unknown = service.get_run(Request::new(pb::GetRunRequest { name: "runs/2020-01-01T0000".to_owned() })).await;
    assert_eq!(unknown.unwrap_err().code(), tonic::Code::NotFound);
    let wrong = service.get_run(Request::new(pb::GetRunRequest { name: "runs/now".to_owned() })).await;
    assert_eq!(wrong.unwrap_err().code(), tonic::Code::InvalidArgument);
    let started = service
        .start_run(Request::new(pb::StartRunRequest { request_id: "0198a1b2-0000-7000-8000-000000000001".to_owned() }))
        .await
        .unwrap()
        .into_inner()
        .run
        .unwrap();
    assert_eq!(started.state(), pb::RunState::Waiting);
}
