//! One connection, from the handshake to its end.
//!
//! The suite has its own few lines here instead of tonic's transport server, for four reasons: tonic cuts a connection
//! that has outlived its age and grace without ever asking it to close; its timer answers `CANCELLED` where the deadline
//! layer must answer; the peer's certificate is read once per connection and not once per call; and what still runs
//! when the time for draining is over can be cut.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::time::{Duration, SystemTime};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::transport::server::Connected;
use tower::{Service, ServiceExt};
use tracing::{debug, warn};

use super::{ServerConfig, callers::Callers};
use crate::{
    identity::{Caller, time_left},
    telemetry::CallMetrics,
};

/// How much a stream, and a connection, may send before the reader has taken it up, in bytes.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

/// The two ends of a connection's life, the first asked for, the second ordered.
#[derive(Debug, Clone, Default)]
pub(super) struct Ends {
    /// No new calls; running ones finish.
    pub(super) closing: CancellationToken,
    /// Cut now.
    pub(super) cut: CancellationToken,
}

/// Serves one accepted connection until it ends.
pub(super) async fn serve<S>(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Arc<rustls::ServerConfig>,
    service: S,
    config: &ServerConfig,
    ends: Ends,
    (callers, metrics): (&Callers, &CallMetrics),
) where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%peer, %error, "cannot switch off Nagle's algorithm");
    }
    let stream = tokio::select! {
        () = ends.closing.cancelled() => return,
        accepted = timeout(config.handshake, TlsAcceptor::from(tls).accept(stream)) => match accepted {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                debug!(%peer, %error, "the TLS handshake failed");
                return;
            }
            Err(_) => {
                debug!(%peer, "the TLS handshake took too long");
                return;
            }
        },
    };
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let caller = match Caller::from_peer_certificates(chain) {
        Ok(caller) => caller,
        Err(error) => {
            warn!(%peer, %error, "a peer with a trusted certificate has no usable identity");
            return;
        }
    };
    // A resumed session carries the certificate of the first one, which TLS does not check again.
    let Some(good_for) = chain.first().and_then(|own| time_left(own, SystemTime::now())) else {
        warn!(%peer, caller = %caller.department, "a connection is refused: its certificate has run out");
        return;
    };
    let places = callers.of(&caller.department);
    let _place = match places.connection() {
        Ok(place) => place,
        Err(limit) => {
            metrics.limited(limit.name());
            warn!(%peer, caller = %caller.department, "a connection is closed: its caller has as many as one may have");
            return;
        }
    };
    let connect_info = stream.connect_info();
    let called = Arc::new(AtomicBool::new(false));
    let calls = Arc::clone(&called);
    let service = service_fn(move |request: Request<Incoming>| {
        calls.store(true, Ordering::Relaxed);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Arc::clone(&places));
        request.extensions_mut().insert(caller.clone());
        request.extensions_mut().insert(connect_info.clone());
        service.clone().oneshot(request)
    });

    let builder = builder(config);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // Whoever has no good certificate any more makes no further call on a connection that is open.
    let mut age = pin!(sleep(config.connection_age.min(good_for)));
    let mut first_call = pin!(sleep(config.first_call));
    let mut closing = false;
    let mut grace = pin!(sleep(Duration::MAX));
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    debug!(%peer, %error, "the connection failed");
                }
                return;
            }
            () = ends.closing.cancelled(), if !closing => {
                closing = true;
                connection.as_mut().graceful_shutdown();
            }
            () = age.as_mut(), if !closing => {
                closing = true;
                grace.set(sleep(config.connection_grace));
                connection.as_mut().graceful_shutdown();
            }
            () = first_call.as_mut(), if !called.load(Ordering::Relaxed) => {
                // The call may have come since this was waited for.
                if called.load(Ordering::Relaxed) {
                    continue;
                }
                metrics.limited("silence");
                debug!(%peer, "the connection is cut: no call was begun");
                return;
            }
            () = grace.as_mut() => {
                debug!(%peer, "the connection is cut: its grace is over");
                return;
            }
            () = ends.cut.cancelled() => {
                debug!(%peer, "the connection is cut: the server stops");
                return;
            }
        }
    }
}

fn builder(config: &ServerConfig) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http2()
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(config.streams_per_connection)
        .max_header_list_size(config.header_bytes)
        .keep_alive_interval(config.keepalive)
        .keep_alive_timeout(config.keepalive_timeout);
    // With a timer, a peer that never finishes its headers is cut after hyper's default of 30 seconds.
    builder.http1().timer(TokioTimer::new());
    builder
}

/// Waits for `future`, at most so long; reports whether it ended.
pub(super) async fn ends_within(time: Duration, future: impl Future<Output = ()>) -> bool {
    timeout(time, future).await.is_ok()
}
