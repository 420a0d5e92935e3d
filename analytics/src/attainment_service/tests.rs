use std::collections::BTreeSet;

use chrono::NaiveTime;

use super::*;
use crate::assessment::{self, Input, Policy};
use crate::catalogue::{Areas, Catalogue};
use crate::testing::day;

fn service(directory: &Path) -> AttainmentRpc {
    AttainmentRpc::new(directory.to_owned(), Arc::new(Keys::derive(&[7; 32], "analytics")))
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
