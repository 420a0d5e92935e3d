//! What is recorded about calls, over real sockets, as an exporter sees it.

use std::time::Duration;

use futures::StreamExt;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{SpanKind, Status as SpanStatus};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, Metric, MetricData, ResourceMetrics, ScopeMetrics, SumDataPoint,
};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tonic::Request;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;

use super::attributes::{
    DURATION_BUCKETS, ERROR_TYPE, PEER_DEPARTMENT, RPC_CLIENT_CALL_DURATION, RPC_METHOD, RPC_RESPONSE_STATUS_CODE,
    RPC_SERVER_CALL_DURATION, RPC_SYSTEM_NAME, SERVER_STALLED_ANSWERS,
};
use super::start::span_layer;
use super::{CallMetrics, Side};
use crate::server::ServerConfig;
use crate::server::tests::echo::{Bench, ECHO, Echo, call, stream, within};

/// Collects what a process would export.
struct Recorder {
    spans: InMemorySpanExporter,
    metrics: InMemoryMetricExporter,
    meters: SdkMeterProvider,
    /// The subscriber of this thread, on which a test's runtime runs all its tasks.
    _subscriber: DefaultGuard,
}

impl Recorder {
    fn new() -> (Self, Bench) {
        let spans = InMemorySpanExporter::default();
        let traces = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
        let subscriber = tracing_subscriber::registry().with(span_layer(&traces));
        let metrics = InMemoryMetricExporter::default();
        let meters = SdkMeterProvider::builder().with_periodic_exporter(metrics.clone()).build();
        let bench = Bench { metrics: CallMetrics::new(&meters.meter("test")), ..Bench::new() };
        let subscriber = tracing::subscriber::set_default(subscriber);
        (Self { spans, metrics, meters, _subscriber: subscriber }, bench)
    }

    /// Waits until so many spans have ended: a server's may end a little after its caller has the answer.
    async fn spans(&self, count: usize) -> Vec<SpanData> {
        let ended = async {
            loop {
                let spans = self.spans.get_finished_spans().expect("spans");
                if spans.len() >= count {
                    return spans;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), ended).await.expect("the spans end")
    }

    /// Looks at a metric as it is exported now.
    fn metric<T>(&self, name: &str, look: impl FnOnce(&Metric) -> T) -> T {
        self.meters.force_flush().expect("flushed");
        let exported = self.metrics.get_finished_metrics().expect("metrics");
        let scopes = exported.iter().rev().flat_map(ResourceMetrics::scope_metrics);
        look(scopes.flat_map(ScopeMetrics::metrics).find(|metric| metric.name() == name).expect("the metric"))
    }
}

fn of_kind(spans: &[SpanData], kind: &SpanKind) -> SpanData {
    spans.iter().find(|span| span.span_kind == *kind).expect("a span of this kind").clone()
}

fn attribute<'a>(attributes: impl IntoIterator<Item = &'a KeyValue>, name: &str) -> Option<String> {
    let found = attributes.into_iter().find(|pair| pair.key.as_str() == name);
    found.map(|pair| match &pair.value {
        Value::String(text) => text.as_str().to_owned(),
        other => format!("{other:?}"),
    })
}

/// Calls a method and tells which outcome the server and the caller recorded.
async fn outcomes(method: &str, millis: u64, config: ServerConfig) -> (String, String) {
    let (recorder, bench) = Recorder::new();
    let running = bench.serve(config, Echo::default()).await;
    let channel = bench.channel("education", &running);
    if method == "RefuseLate" {
        let mut answers = stream(channel, method, Request::new(millis)).await.expect("begun");
        while answers.next().await.is_some_and(|answer| answer.is_ok()) {}
    } else {
        let _ = call(channel, method, Request::new(millis)).await;
    }
    let spans = recorder.spans(2).await;
    let code =
        |kind: SpanKind| attribute(&of_kind(&spans, &kind).attributes, RPC_RESPONSE_STATUS_CODE).expect("an outcome");
    (code(SpanKind::Server), code(SpanKind::Client))
}

fn config() -> ServerConfig {
    ServerConfig::default().without_notice()
}

#[tokio::test]
async fn a_call_is_one_trace_on_both_sides() {
    let (recorder, bench) = Recorder::new();
    let running = bench.serve(config(), Echo::default()).await;
    call(bench.channel("education", &running), "Left", Request::new(0)).await.expect("answered");
    let spans = recorder.spans(2).await;
    let (server, client) = (of_kind(&spans, &SpanKind::Server), of_kind(&spans, &SpanKind::Client));
    assert_eq!(server.span_context.trace_id(), client.span_context.trace_id());
    assert_eq!(server.parent_span_id, client.span_context.span_id());
    for span in [&server, &client] {
        assert_eq!(span.name, format!("{ECHO}/Left"));
        assert_eq!(attribute(&span.attributes, RPC_SYSTEM_NAME).as_deref(), Some("grpc"));
        assert_eq!(attribute(&span.attributes, RPC_METHOD), Some(format!("{ECHO}/Left")));
        assert_eq!(attribute(&span.attributes, RPC_RESPONSE_STATUS_CODE).as_deref(), Some("OK"));
        assert_eq!(attribute(&span.attributes, ERROR_TYPE), None);
    }
    assert_eq!(attribute(&server.attributes, PEER_DEPARTMENT).as_deref(), Some("education"));
    assert_eq!(attribute(&client.attributes, PEER_DEPARTMENT).as_deref(), Some("health"));
}

#[tokio::test]
async fn a_question_asked_while_answering_stays_in_the_same_trace() {
    let (recorder, bench) = Recorder::new();
    let second = bench.serve(config(), Echo::default()).await;
    let neighbour = Some(bench.channel("health", &second));
    let first = bench.serve(config(), Echo { neighbour, ..Echo::default() }).await;
    call(bench.channel("education", &first), "Ask", Request::new(0)).await.expect("answered");
    let spans = recorder.spans(4).await;
    let trace = spans[0].span_context.trace_id();
    assert!(spans.iter().all(|span| span.span_context.trace_id() == trace), "{spans:#?}");
    let by_id = |id| spans.iter().find(|span| span.span_context.span_id() == id);
    let last = spans.iter().find(|s| s.name.ends_with("/Left") && s.span_kind == SpanKind::Server).expect("the last");
    let mut names = vec![];
    let mut at = Some(last);
    while let Some(span) = at {
        names.push((span.name.rsplit('/').next().unwrap_or_default().to_owned(), span.span_kind.clone()));
        at = by_id(span.parent_span_id);
    }
    let expected =
        [("Left", SpanKind::Server), ("Left", SpanKind::Client), ("Ask", SpanKind::Server), ("Ask", SpanKind::Client)];
    assert_eq!(names, expected.map(|(name, kind)| (name.to_owned(), kind)));
}

#[tokio::test]
async fn an_error_in_the_headers_is_the_outcome() {
    assert_eq!(outcomes("Refuse", 0, config()).await, ("NOT_FOUND".to_owned(), "NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn an_error_in_the_trailers_is_the_outcome() {
    assert_eq!(outcomes("RefuseLate", 0, config()).await, ("DATA_LOSS".to_owned(), "DATA_LOSS".to_owned()));
}

#[tokio::test]
async fn a_call_cut_at_its_deadline_is_recorded_as_such() {
    let config = ServerConfig { longest_deadline: Duration::from_millis(100), ..config() };
    let both = "DEADLINE_EXCEEDED".to_owned();
    assert_eq!(outcomes("Sleep", 60_000, config).await, (both.clone(), both));
}

#[tokio::test]
async fn a_refused_call_is_recorded_too() {
    let config = ServerConfig { concurrent_calls: 0, ..config() };
    let both = "RESOURCE_EXHAUSTED".to_owned();
    assert_eq!(outcomes("Left", 0, config).await, (both.clone(), both));
}

#[tokio::test]
async fn a_callers_mistake_is_an_error_of_the_caller_alone() {
    let (recorder, bench) = Recorder::new();
    let running = bench.serve(config(), Echo::default()).await;
    call(bench.channel("education", &running), "Refuse", Request::new(0)).await.expect_err("refused");
    let spans = recorder.spans(2).await;
    let (server, client) = (of_kind(&spans, &SpanKind::Server), of_kind(&spans, &SpanKind::Client));
    assert_eq!(server.status, SpanStatus::Unset);
    assert_eq!(attribute(&server.attributes, ERROR_TYPE), None);
    assert_eq!(client.status, SpanStatus::error("NOT_FOUND"));
    assert_eq!(attribute(&client.attributes, ERROR_TYPE).as_deref(), Some("NOT_FOUND"));
}

#[tokio::test]
async fn whoever_goes_away_leaves_a_cancelled_call() {
    let (recorder, bench) = Recorder::new();
    let running = bench.serve(config(), Echo::default()).await;
    let request = within(5, Duration::from_secs(30));
    let mut ticks = stream(bench.channel("education", &running), "Tick", request).await.expect("begun");
    ticks.next().await.expect("a tick").expect("a number");
    drop(ticks);
    let spans = recorder.spans(2).await;
    for kind in [SpanKind::Server, SpanKind::Client] {
        let code = attribute(&of_kind(&spans, &kind).attributes, RPC_RESPONSE_STATUS_CODE);
        assert_eq!(code.as_deref(), Some("CANCELLED"), "{kind:?}");
    }
    // The same while the handler has not answered at all.
    let slow = tokio::spawn(call(bench.channel("education", &running), "Sleep", Request::new(60_000)));
    running.begun.notified().await;
    running.begun.notified().await;
    slow.abort();
    let spans = recorder.spans(4).await;
    for span in spans.iter().filter(|span| span.name.ends_with("/Sleep")) {
        let code = attribute(&span.attributes, RPC_RESPONSE_STATUS_CODE);
        assert_eq!(code.as_deref(), Some("CANCELLED"), "{:?}", span.span_kind);
    }
}

#[tokio::test]
async fn methods_that_a_server_does_not_have_are_recorded_under_one_name() {
    let (recorder, bench) = Recorder::new();
    let running = bench.serve(config(), Echo::default()).await;
    let mut client = tonic_health::pb::health_client::HealthClient::with_origin(
        bench.channel("education", &running),
        "https://localhost/minsheng.made.up.v1.Nothing".parse().expect("an address"),
    );
    client.check(tonic_health::pb::HealthCheckRequest::default()).await.expect_err("there is none");
    let server = of_kind(&recorder.spans(2).await, &SpanKind::Server);
    assert_eq!(attribute(&server.attributes, RPC_METHOD).as_deref(), Some("_OTHER"));
}

#[tokio::test]
async fn durations_are_histograms_in_seconds_with_the_outcome_as_attribute() {
    let (recorder, bench) = Recorder::new();
    let running = bench.serve(config(), Echo::default()).await;
    let channel = bench.channel("education", &running);
    call(channel.clone(), "Left", Request::new(0)).await.expect("answered");
    call(channel, "Refuse", Request::new(0)).await.expect_err("refused");
    recorder.spans(4).await;
    for (name, side) in [(RPC_SERVER_CALL_DURATION, Side::Server), (RPC_CLIENT_CALL_DURATION, Side::Client)] {
        let mut seen = recorder.metric(name, |metric| {
            assert_eq!(metric.unit(), "s");
            let AggregatedMetrics::F64(MetricData::Histogram(histogram)) = metric.data() else {
                panic!("not a histogram of f64: {metric:?}");
            };
            let said = histogram.data_points().map(|point| {
                assert_eq!(point.bounds().collect::<Vec<_>>(), DURATION_BUCKETS);
                assert_eq!(point.count(), 1);
                let own: Vec<_> = point.attributes().cloned().collect();
                (attribute(&own, RPC_METHOD), attribute(&own, RPC_RESPONSE_STATUS_CODE), attribute(&own, ERROR_TYPE))
            });
            said.collect::<Vec<_>>()
        });
        seen.sort();
        let error = (side == Side::Client).then(|| "NOT_FOUND".to_owned());
        let expected = [
            (Some(format!("{ECHO}/Left")), Some("OK".to_owned()), None),
            (Some(format!("{ECHO}/Refuse")), Some("NOT_FOUND".to_owned()), error),
        ];
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_counted_once() {
    let (recorder, bench) = Recorder::new();
    let config = ServerConfig { concurrent_calls: 1, stall: Duration::from_millis(100), ..config() };
    let running = bench.serve(config, Echo::default()).await;
    let mut poured =
        stream(bench.channel("education", &running), "Pour", within(0, Duration::from_mins(5))).await.expect("begun");
    poured.next().await.expect("a number").expect("no error");
    let (channel, served) = (bench.channel("education", &running), Duration::from_secs(10));
    let free = async { while call(channel.clone(), "Left", Request::new(0)).await.is_err() {} };
    tokio::time::timeout(served, free).await.expect("its place is free again");
    while poured.next().await.expect("no end without a status").is_ok() {}
    let counted = recorder.metric(SERVER_STALLED_ANSWERS, |metric| match metric.data() {
        AggregatedMetrics::U64(MetricData::Sum(sum)) => sum.data_points().map(SumDataPoint::value).sum::<u64>(),
        other => panic!("not a sum: {other:?}"),
    });
    assert_eq!(counted, 1);
}
