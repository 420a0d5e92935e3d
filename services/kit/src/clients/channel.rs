//! The channel to one department.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use rustls_pki_types::ServerName;
use thiserror::Error;
use tokio::time::timeout_at;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower::{Layer, Service, ServiceExt, retry::Retry, service_fn};
use tracing::debug;

use super::connector::Connector;
use super::request::Idempotent;
use super::retry::{Retries, RetryBudget};
use crate::error::Error;
use crate::identity::Department;
use crate::pki::Credentials;
use crate::server::{Deadline, Limit, TIMEOUT_HEADER, bounded, format_timeout, parse_timeout};
use crate::telemetry::{CallMetrics, RpcFuture, RpcLayer, RpcService};

/// How much a stream, and a connection, may send before the reader has taken it up, in bytes.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

/// How calls on a channel are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelConfig {
    /// Time of a call whose request names none.
    pub default_deadline: Duration,
    /// Time for making a connection, the handshake included.
    pub connect: Duration,
    /// Silence after which the connection is probed.
    pub keepalive: Duration,
    /// Time in which a probe must be answered.
    pub keepalive_timeout: Duration,
    /// The name that the server's certificate must be good for, when it is not the endpoint's host.
    pub server_name: Option<String>,
}

impl Default for ChannelConfig {
    fn default() -> Self {
        Self {
            default_deadline: Duration::from_secs(5),
            connect: Duration::from_secs(3),
            keepalive: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            server_name: None,
        }
    }
}

/// A channel that cannot be built.
#[derive(Debug, Error)]
pub enum ChannelError {
    /// The endpoint is not an `https` address with a host.
    #[error("`{0}` is not of the form https://HOST:PORT")]
    Endpoint(String),
    /// The server's name is neither a DNS name nor an address.
    #[error("`{0}` is not the name of a server")]
    ServerName(String),
}

/// A channel to one department, over which generated clients are built. Cloning it is cheap and shares the connection.
#[derive(Debug, Clone)]
pub struct DepartmentChannel(RpcService<Sender>);

/// Sends calls, with deadline and retries.
#[derive(Debug, Clone)]
struct Sender {
    department: Department,
    channel: Channel,
    default_deadline: Duration,
    budget: RetryBudget,
}

impl DepartmentChannel {
    /// Prepares a channel to `department` at `endpoint`, as `https://localhost:7443`; the first call connects. Must be
    /// called within a runtime, which then drives the connection.
    pub fn connect_lazy(
        endpoint: &str,
        department: Department,
        credentials: Arc<Credentials>,
        config: &ChannelConfig,
    ) -> Result<Self, ChannelError> {
        Self::with_metrics(endpoint, department, credentials, config, CallMetrics::default())
    }

    /// Like [`DepartmentChannel::connect_lazy`], but records calls with these instruments instead of the process's own.
    pub fn with_metrics(
        endpoint: &str,
        department: Department,
        credentials: Arc<Credentials>,
        config: &ChannelConfig,
        metrics: CallMetrics,
    ) -> Result<Self, ChannelError> {
        let malformed = || ChannelError::Endpoint(endpoint.to_owned());
        let uri: Uri = endpoint.parse().map_err(|_| malformed())?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(malformed)?;
        if uri.scheme_str() != Some("https") || !matches!(uri.path(), "" | "/") {
            return Err(malformed());
        }
        let name = config.server_name.as_deref().unwrap_or(host).trim_start_matches('[').trim_end_matches(']');
        let server_name =
            ServerName::try_from(name.to_owned()).map_err(|_| ChannelError::ServerName(name.to_owned()))?;
        let connector = Connector { department: department.clone(), credentials, server_name, within: config.connect };
        let endpoint = Endpoint::from(uri)
            .http2_keep_alive_interval(config.keepalive)
            .keep_alive_timeout(config.keepalive_timeout)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        let sender = Sender {
            department: department.clone(),
            channel: Channel::new(connector, endpoint),
            default_deadline: config.default_deadline,
            budget: RetryBudget::default(),
        };
        Ok(Self(RpcLayer::client(metrics, department).layer(sender)))
    }
}

impl Sender {
    /// Finds the deadline of an outgoing call: what the request asks or the default, and never more than is left of
    /// the call being answered.
    fn deadline(&self, request: &Request<Body>) -> Deadline {
        let asked = request.headers().get(TIMEOUT_HEADER).and_then(|value| parse_timeout(value.as_bytes()));
        let own = Deadline::within(asked.unwrap_or(self.default_deadline));
        let given = request.extensions().get::<Deadline>().copied();
        [given, Deadline::current()].into_iter().flatten().fold(own, Ord::min)
    }

    async fn send(self, mut request: Request<Body>) -> Result<Response<Body>, Status> {
        let deadline = self.deadline(&request);
        let remaining = format_timeout(deadline.remaining());
        if let Ok(value) = HeaderValue::from_str(&remaining) {
            request.headers_mut().insert(TIMEOUT_HEADER, value);
        }
        let idempotent = request.extensions().get::<Idempotent>().is_some();
        let answered = timeout_at(deadline.instant(), async {
            if idempotent { self.send_with_retries(request, deadline).await } else { self.send_once(request).await }
        });
        let response = answered.await.unwrap_or_else(|_| Err(self.too_late()))?;
        let department = self.department;
        Ok(response.map(|body| {
            let body = body.map_err(move |_| failed(&department, "the connection was lost"));
            bounded(Body::new(body), Limit::At(deadline))
        }))
    }

    async fn send_once(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let mut channel = self.channel.clone();
        let ready = channel.ready().await.map_err(|error| self.unreachable(&error))?;
        ready.call(request).await.map_err(|error| self.unreachable(&error))
    }

    async fn send_with_retries(&self, request: Request<Body>, deadline: Deadline) -> Result<Response<Body>, Status> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts, Full::new(body.collect().await?.to_bytes()));
        let retries = Retries::of_call(&self.budget, deadline, self.department.clone());
        let send_once = service_fn(|request: Request<Full<Bytes>>| self.send_once(request.map(Body::new)));
        Retry::new(retries, send_once).oneshot(request).await
    }

    /// Returns what a failed connection means. The causes are logged here and not told: they may name hosts and files.
    fn unreachable(&self, error: &tonic::transport::Error) -> Status {
        let causes = causes(error);
        if causes.iter().any(|cause| cause.is::<tonic::TimeoutExpired>()) {
            return self.too_late();
        }
        let chain: Vec<_> = causes.iter().map(ToString::to_string).collect();
        debug!(department = %self.department, error = chain.join(": "), "cannot reach the department");
        failed(&self.department, "it cannot be reached")
    }

    fn too_late(&self) -> Status {
        Error::DepartmentTooLate { department: self.department.to_string() }.into()
    }
}

fn failed(department: &Department, what: &'static str) -> Status {
    Error::DepartmentUnreachable { department: department.to_string(), what }.into()
}

fn causes<'a>(error: &'a (dyn std::error::Error + 'static)) -> Vec<&'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source()).collect()
}

/// A call that is under way.
type Sending = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

impl Service<Request<Body>> for Sender {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Sending;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().send(request))
    }
}

impl Service<Request<Body>> for DepartmentChannel {
    type Response = Response<Body>;
    type Error = Status;
    type Future = RpcFuture<Sending>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.call(request)
    }
}
