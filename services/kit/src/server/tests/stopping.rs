//! How a server, or one of its connections, ends.

use std::time::{Duration, Instant};

use futures::StreamExt;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::super::ServerConfig;
use super::config;
use super::echo::{Bench, Echo, call, stream, who, within};

#[tokio::test]
async fn a_stopping_server_says_so_first_then_finishes_its_calls_then_refuses_new_ones() {
    let bench = Bench::new();
    let notice = Duration::from_millis(400);
    let mut running = bench.serve(ServerConfig { notice, ..ServerConfig::default() }, Echo::default()).await;
    let channel = bench.channel("education", &running);
    let mut watch =
        HealthClient::new(channel.clone()).watch(HealthCheckRequest::default()).await.expect("watching").into_inner();
    let status = watch.message().await.expect("no error").expect("a status").status();
    assert_eq!(status, ServingStatus::Serving);
    let slow = tokio::spawn(call(channel.clone(), "Sleep", within(1_000, Duration::from_secs(30))));
    running.begun.notified().await;

    running.ask_to_stop();
    let status = watch.message().await.expect("no error").expect("a status").status();
    assert_eq!(status, ServingStatus::NotServing);
    // During the notice calls are still answered, on new connections too.
    who(bench.channel("education", &running)).await.expect("still answered");

    assert_eq!(slow.await.expect("joined").expect("drained"), 1_000);
    // A watch would never end by itself: it must not hold up the drain.
    running.serving.await.expect("joined").expect("stopped");
    let error = who(bench.channel("education", &running_port(running.port))).await.expect_err("gone");
    assert_eq!(error.code(), Code::Unavailable);
}

fn running_port(port: u16) -> super::echo::Running {
    super::echo::Running { port, stop: None, serving: tokio::spawn(async { Ok(()) }), begun: std::sync::Arc::default() }
}

#[tokio::test]
async fn what_has_not_ended_when_the_drain_is_over_is_cut() {
    let bench = Bench::new();
    let drain = Duration::from_millis(200);
    let mut running = bench.serve(ServerConfig { drain, ..config() }, Echo::default()).await;
    let slow = call(bench.channel("education", &running), "Sleep", within(60_000, Duration::from_mins(1)));
    let slow = tokio::spawn(slow);
    running.begun.notified().await;
    let asked = Instant::now();
    running.ask_to_stop();
    running.serving.await.expect("joined").expect("stopped");
    assert!(asked.elapsed() >= drain && asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!(slow.await.expect("joined").expect_err("cut").code(), Code::Unavailable);
}

#[tokio::test]
async fn an_old_connection_is_asked_to_close_and_its_calls_may_finish() {
    let bench = Bench::new();
    let age = Duration::from_millis(150);
    let config = ServerConfig { connection_age: age, connection_grace: Duration::from_secs(20), ..config() };
    let running = bench.serve(config, Echo::default()).await;
    let channel = bench.channel("education", &running);
    let answer = call(channel.clone(), "Sleep", within(500, Duration::from_secs(10))).await;
    assert_eq!(answer.expect("finished after the age"), 500);
    // The same channel goes on, over a new connection.
    who(channel).await.expect("answered");
}

#[tokio::test]
async fn a_connection_beyond_its_grace_is_cut() {
    let bench = Bench::new();
    let (age, grace) = (Duration::from_millis(100), Duration::from_millis(100));
    let config = ServerConfig { connection_age: age, connection_grace: grace, ..config() };
    let running = bench.serve(config, Echo::default()).await;
    let request = within(10, Duration::from_mins(1));
    let mut ticks = stream(bench.channel("education", &running), "Tick", request).await.expect("begun");
    let error = loop {
        match ticks.next().await.expect("no end without a status") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::Unavailable, "{error}");
}
