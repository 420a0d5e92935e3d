//! What callers of other departments rely on, over real sockets.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tonic::{Code, Request};
use tonic_types::StatusExt;

use super::{ChannelConfig, DepartmentChannel, OutgoingRequest};
use crate::server::tests::echo::{Bench, Echo, call, named, who, within};
use crate::server::{Deadline, ServerConfig};

fn config() -> ServerConfig {
    ServerConfig::default().without_notice()
}

#[tokio::test]
async fn another_department_at_the_address_is_not_believed() {
    let bench = Bench::new();
    let running = bench.serve(config(), Echo::default()).await;
    // The certificate is good for the host, but it is health's.
    let error = who(bench.channel_to("education", "stranger", running.port)).await.expect_err("not believed");
    assert_eq!(error.code(), Code::Unavailable);
    let info = error.get_details_error_info().expect("an ErrorInfo");
    assert_eq!((info.reason.as_str(), info.metadata["department"].as_str()), ("DEPARTMENT_UNREACHABLE", "stranger"));
}

#[tokio::test]
async fn a_department_that_is_down_is_named_in_the_error() {
    let bench = Bench::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let error = who(bench.channel_to("education", "health", port)).await.expect_err("down");
    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(error.message(), "the department health does not answer: it cannot be reached");
}

#[tokio::test]
async fn a_department_that_never_answers_costs_the_deadline_and_no_more() {
    let bench = Bench::new();
    // Accepts nothing, so that the handshake hangs.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let begun = Instant::now();
    let channel = bench.channel_to("education", "health", port);
    let error = call(channel, "Left", within(0, Duration::from_millis(200))).await.expect_err("too late");
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert_eq!(error.get_details_error_info().expect("an ErrorInfo").reason, "DEPARTMENT_TOO_LATE");
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_call_has_five_seconds_unless_it_says_otherwise() {
    let bench = Bench::new();
    let running = bench.serve(config(), Echo::default()).await;
    let channel = bench.channel("education", &running);
    let left = call(channel.clone(), "Left", Request::new(0)).await.expect("answered");
    assert!((4_000..=5_000).contains(&left), "{left}");
    let left = call(channel, "Left", within(0, Duration::from_mins(1))).await.expect("answered");
    assert!((50_000..=60_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_call_made_while_answering_gets_what_is_left_of_the_callers_time() {
    let bench = Bench::new();
    let second = bench.serve(config(), Echo::default()).await;
    let neighbour = Some(bench.channel("health", &second));
    let first = bench.serve(config(), Echo { neighbour, ..Echo::default() }).await;
    let left = call(bench.channel("education", &first), "Ask", within(0, Duration::from_secs(2))).await;
    let left = left.expect("answered");
    assert!((1_000..=2_000).contains(&left), "the second server was given {left} ms");
}

#[tokio::test]
async fn a_given_deadline_bounds_work_that_was_spawned() {
    let bench = Bench::new();
    let running = bench.serve(config(), Echo::default()).await;
    let request = Request::new(0).until(Deadline::within(Duration::from_secs(1)));
    let left = call(bench.channel("education", &running), "Left", request).await.expect("answered");
    assert!(left <= 1_000, "{left}");
}

#[tokio::test]
async fn an_idempotent_call_is_repeated_while_the_department_is_unavailable() {
    let bench = Bench::new();
    let echo = Echo::default();
    let attempts = Arc::clone(&echo.flaky);
    let running = bench.serve(config(), echo).await;
    let channel = bench.channel("education", &running);
    let answer = call(channel.clone(), "Flaky", Request::new(2).idempotent()).await.expect("the third time");
    assert_eq!(answer, 3);

    attempts.store(0, Ordering::SeqCst);
    let error = call(channel.clone(), "Flaky", Request::new(3).idempotent()).await.expect_err("three times at most");
    assert_eq!((error.code(), error.message()), (Code::Unavailable, "not yet"));
    assert_eq!(attempts.load(Ordering::SeqCst), 3);

    attempts.store(0, Ordering::SeqCst);
    call(channel, "Flaky", Request::new(1)).await.expect_err("not repeated");
    assert_eq!(attempts.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn retries_stop_when_the_budget_is_used_up() {
    let bench = Bench::new();
    let echo = Echo::default();
    let attempts = Arc::clone(&echo.flaky);
    let running = bench.serve(config(), echo).await;
    let channel = bench.channel("education", &running);
    for _ in 0..20 {
        let _ = call(channel.clone(), "Flaky", Request::new(1_000_000).idempotent()).await;
    }
    // 20 calls, the 10 retries saved up, and the two that 20 calls earn.
    let attempts = attempts.load(Ordering::SeqCst);
    assert!((30..=32).contains(&attempts), "{attempts}");
}

#[tokio::test]
async fn an_endpoint_must_be_https() {
    let bench = Bench::new();
    for endpoint in ["http://localhost:1", "localhost:1", "https://", "https://localhost:1/path", ""] {
        let credentials = bench.credentials("education");
        let error = DepartmentChannel::connect_lazy(endpoint, named("health"), credentials, &ChannelConfig::default());
        assert!(error.is_err(), "{endpoint}");
    }
}
