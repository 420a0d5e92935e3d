//! What a collector receives from a process that has started telemetry and stopped it.

use std::collections::BTreeMap;
use std::sync::Arc;

use minsheng_kit::telemetry::{self, Export, ExportProtocol, TelemetryConfig};
use opentelemetry::trace::TraceContextExt;
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Bodies by path.
type Received = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// Accepts what is posted and answers that all is well.
async fn collect(stream: TcpStream, received: Received) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let path = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
        let mut length = 0;
        loop {
            let mut header = String::new();
            stream.read_line(&mut header).await?;
            if header.trim().is_empty() {
                break;
            }
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        received.lock().entry(path).or_default().extend(body);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
    }
}

fn holds(received: &Received, path: &str, text: &str) -> bool {
    let received = received.lock();
    received.get(path).is_some_and(|body| body.windows(text.len()).any(|window| window == text.as_bytes()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn traces_metrics_and_logs_arrive_before_the_process_ends() {
    let received = Received::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let collector = format!("http://{}", listener.local_addr().expect("an address"));
    let taking = Arc::clone(&received);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(collect(stream, Arc::clone(&taking)));
        }
    });
    let config = TelemetryConfig {
        export: Export {
            protocol: ExportProtocol::HttpProtobuf,
            traces: Some(format!("{collector}/v1/traces")),
            metrics: Some(format!("{collector}/v1/metrics")),
            logs: Some(format!("{collector}/v1/logs")),
        },
        ..TelemetryConfig::new("minsheng-exporting")
    };
    let guard = telemetry::init(&config).expect("started");
    assert!(telemetry::init(&TelemetryConfig::new("again")).is_err(), "once is enough");

    let trace = tracing::info_span!("a unit of work").in_scope(|| {
        tracing::info!("a line about it");
        // Chatter of what the export itself uses must not be exported: it would never end.
        tracing::error!(target: "hyper::client", "chatter");
        tracing::Span::current().context().span().span_context().trace_id()
    });
    let meter = opentelemetry::global::meter("test");
    meter.f64_histogram("a.duration").build().record(0.5, &[]);
    guard.shutdown().await;

    assert!(holds(&received, "/v1/traces", "a unit of work"));
    assert!(holds(&received, "/v1/traces", "minsheng-exporting"));
    assert!(holds(&received, "/v1/metrics", "a.duration"));
    assert!(holds(&received, "/v1/logs", "a line about it"));
    assert!(!holds(&received, "/v1/logs", "chatter"));
    let in_logs = received.lock()["/v1/logs"].windows(16).any(|window| window == trace.to_bytes());
    assert!(in_logs, "a log line carries the trace in which it was written");
}
