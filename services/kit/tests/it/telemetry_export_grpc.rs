//! The same over gRPC, the collector's usual door, and what a collector that is away costs.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use minsheng_kit::telemetry::{self, Export, TelemetryConfig};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

/// A collector of traces that looks at nothing but the call.
#[derive(Clone, Default)]
struct Collector {
    called: Arc<AtomicBool>,
}

impl NamedService for Collector {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
}

impl Service<http::Request<Body>> for Collector {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        self.called.store(true, Ordering::SeqCst);
        Box::pin(async move {
            let taken = service_fn(|_: tonic::Request<()>| async { Ok(tonic::Response::new(())) });
            Ok(tonic::server::Grpc::new(ProstCodec::<(), ()>::default()).unary(taken, request).await)
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn traces_arrive_by_grpc_and_a_collector_that_is_away_does_not_hold_up_the_end() {
    let collector = Collector::default();
    let called = Arc::clone(&collector.called);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let there = format!("http://{}", listener.local_addr().expect("an address"));
    let serving = tonic::transport::Server::builder().add_service(collector);
    tokio::spawn(serving.serve_with_incoming(TcpListenerStream::new(listener)));
    let away = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nobody = format!("http://{}", away.local_addr().expect("an address"));
    drop(away);

    let export = Export { traces: Some(there), metrics: Some(nobody), ..Export::default() };
    let guard = telemetry::init(&TelemetryConfig { export, ..TelemetryConfig::new("minsheng-exporting") });
    let guard = guard.expect("started");
    tracing::info_span!("a unit of work").in_scope(|| {});
    opentelemetry::global::meter("test").u64_counter("a.counter").build().add(1, &[]);
    let begun = Instant::now();
    guard.shutdown().await;
    assert!(called.load(Ordering::SeqCst));
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}
