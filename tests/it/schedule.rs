//! `schedule` as a process of its own: it serves the newest report to machines, over mutual TLS, until it is told to
//! stop.

use std::{collections::BTreeMap, ffi::OsString, path::Path, process::Command, time::Duration};

use chrono::{DateTime, Utc};
use minsheng::{
    commands::report::{Job, make},
    lang::Lang,
    site::{DEPARTMENTS, Endpoints, issue_certificates},
};
use minsheng_analytics::{catalogue::Catalogue, model::REGION, schedule::directory_of};
use minsheng_kit::clients::DepartmentChannel;
use minsheng_proto::{
    analytics::v1::{
        GetRunRequest, GetScoreboardRequest, ListAttainmentsRequest, ListAttainmentsResponse, Run, RunState,
        StartRunRequest, attainment_service_client::AttainmentServiceClient,
    },
    common::v1::Date,
};
use tonic::Code;

use crate::support::{Process, endpoints, environment, free_port};

/// A department with a certificate of the same authority that no policy knows.
const STRANGER: &str = "stranger";

/// Makes the report of a run that was due at an instant, without asking anybody.
async fn report(directory: &Path, due_at: &str) {
    let due_at: DateTime<Utc> = due_at.parse().expect("a moment");
    let out = directory.join("reports").join(directory_of(due_at));
    let job = Job { lake: directory.join("lake"), out, on: due_at.date_naive(), as_of: Some(due_at) };
    make(&job, None, Lang::En).await.expect("reports");
}

async fn list(endpoints: &Endpoints, caller: &str, page: &str) -> Result<ListAttainmentsResponse, Code> {
    let channel = endpoints.channel(caller, "analytics").expect("a channel");
    let request = ListAttainmentsRequest {
        area: REGION.to_owned(),
        page_size: 60,
        page_token: page.to_owned(),
        ..ListAttainmentsRequest::default()
    };
    let answer = AttainmentServiceClient::new(channel).list_attainments(request).await;
    answer.map(tonic::Response::into_inner).map_err(|status| status.code())
}

/// Asks for a run until it has ended.
async fn run_ended(client: &mut AttainmentServiceClient<DepartmentChannel>, name: &str) -> Run {
    loop {
        let asked = client.get_run(GetRunRequest { name: name.to_owned() }).await;
        let run = asked.expect("answered").into_inner().run.expect("a run");
        if !matches!(run.state(), RunState::Waiting | RunState::Running) {
            return run;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_serves_its_newest_report_to_whom_the_policy_lets_in_until_it_is_told_to_stop() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let known: Vec<String> = DEPARTMENTS.into_iter().chain([STRANGER]).map(str::to_owned).collect();
    issue_certificates(&path.join("pki"), &known).expect("certificates");
    let port = free_port();
    let mut variables = environment(path, "", port);
    variables.remove("MINSHENG_DATABASE_URL");
    let endpoints = endpoints(path, "analytics", port);
    let (reports, lake) = (path.join("reports"), path.join("lake"));
    let words = ["schedule", "--cron", "0 0 1 1 *", "--out"].map(OsString::from);
    let words = [&words[..], &[reports.into_os_string(), "--lake".into(), lake.into_os_string()]].concat();

    // A part of what the server needs: it says what is missing, and binds no port.
    let broken: BTreeMap<_, _> = variables.iter().filter(|(name, _)| *name != "MINSHENG_KEYS_DIR").collect();
    let ended = Command::new(env!("CARGO_BIN_EXE_minsheng")).args(&words).env_clear().envs(broken).output();
    let ended = ended.expect("the binary starts");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!((ended.status.code(), said.contains("MINSHENG_KEYS_DIR")), (Some(64), true), "{said}");

    let mut schedule = Process::run("analytics", &words, &variables);
    schedule.serving(&endpoints).await;
    assert_eq!(list(&endpoints, "health", "").await, Err(Code::NotFound), "no run was due yet");

    report(path, "2025-12-30T22:00:00Z").await;
    let first = list(&endpoints, "health", "").await.expect("answered");
    assert_eq!(first.on, Some(Date { year: 2025, month: 12, day: 30 }));
    let second = list(&endpoints, "health", &first.next_page_token).await.expect("answered");
    let commitments = Catalogue::embedded().expect("sound").entries.len();
    assert_eq!((first.attainments.len(), second.attainments.len()), (60, commitments - 60));
    assert_eq!(list(&endpoints, STRANGER, "").await, Err(Code::PermissionDenied));

    report(path, "2025-12-31T22:00:00Z").await;
    let channel = endpoints.channel("operator", "analytics").expect("a channel");
    let mut client = AttainmentServiceClient::new(channel);
    let board = client.get_scoreboard(GetScoreboardRequest::default()).await.expect("answered").into_inner();
    assert_eq!(board.on, Some(Date { year: 2025, month: 12, day: 31 }), "the newest, without a new start");
    let counted: i32 = board.counts.iter().map(|count| count.commitments).sum();
    assert_eq!(usize::try_from(counted), Ok(commitments));

    // A run that is started without any department at hand is made at once, and says why it gave no report.
    let request = || StartRunRequest { request_id: "0198a1b2-0000-7000-8000-000000000001".to_owned() };
    let stranger = endpoints.channel("health", "analytics").expect("a channel");
    let refused = AttainmentServiceClient::new(stranger).start_run(request()).await;
    assert_eq!(refused.expect_err("a department starts none").code(), Code::PermissionDenied);
    let started = client.start_run(request()).await.expect("answered").into_inner().run.expect("a run");
    let ended = run_ended(&mut client, &started.name).await;
    assert_eq!(ended.state(), RunState::Failed);
    assert!(ended.detail.contains("social-security") && !ended.version.is_empty(), "{ended:?}");

    assert!(schedule.stop("TERM").success());
    let answer = client.get_scoreboard(GetScoreboardRequest::default()).await;
    assert_eq!(answer.expect_err("it is gone").code(), Code::Unavailable);
}
