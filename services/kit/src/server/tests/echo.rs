//! A service to try layers on, its client, and a bench that runs both over real sockets.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt};
use http::uri::PathAndQuery;
use http::{Request, Response};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::{Status, Streaming};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

use crate::access::AccessPolicies;
use crate::clients::{ChannelConfig, DepartmentChannel};
use crate::identity::{Caller, Department};
use crate::pki::{Authority, Credentials, Subject};
use crate::server::{Deadline, Server, ServerConfig, ServerError};
use crate::telemetry::CallMetrics;

pub(crate) const ECHO: &str = "minsheng.test.v1.EchoService";

/// Milliseconds, as a message.
pub(crate) type Millis = u64;

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

/// Methods: `Sleep` waits so long, `Tick` streams a number each interval, `Pour` as many as are taken, `Left` tells the time left, `Who` the caller,
/// `Refuse` fails at once, `RefuseLate` after one message, `Flaky` is unavailable so many times, `Ask` calls on.
#[derive(Clone, Default)]
pub(crate) struct Echo {
    /// Is told when a call of `Sleep` or `Tick` has begun.
    pub(crate) begun: Arc<Notify>,
    /// Calls of `Flaky` so far.
    pub(crate) flaky: Arc<AtomicU32>,
    /// Where `Ask` asks.
    pub(crate) neighbour: Option<DepartmentChannel>,
}

impl NamedService for Echo {
    const NAME: &'static str = ECHO;
}

impl Service<Request<Body>> for Echo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let echo = self.clone();
        Box::pin(async move {
            let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
            Ok(match method.as_str() {
                "Tick" | "Pour" | "RefuseLate" => {
                    let streaming = service_fn(move |request| std::future::ready(Ok(echo.stream(&method, request))));
                    tonic::server::Grpc::new(ProstCodec::<Millis, Millis>::default())
                        .server_streaming(streaming, request)
                        .await
                }
                "Who" => {
                    let who = service_fn(|request: tonic::Request<Millis>| async move {
                        let caller = Caller::of(&request).map_err(|e| Status::unauthenticated(e.to_string()))?;
                        Ok(tonic::Response::new(caller.department.to_string()))
                    });
                    tonic::server::Grpc::new(ProstCodec::<String, Millis>::default()).unary(who, request).await
                }
                _ => {
                    let unary = service_fn(move |request| echo.clone().unary(method.clone(), request));
                    tonic::server::Grpc::new(ProstCodec::<Millis, Millis>::default()).unary(unary, request).await
                }
            })
        })
    }
}

impl Echo {
    async fn unary(self, method: String, request: tonic::Request<Millis>) -> Result<tonic::Response<Millis>, Status> {
        let left = Deadline::of(&request).map_or(0, |d| u64::try_from(d.remaining().as_millis()).unwrap_or(u64::MAX));
        let millis = request.into_inner();
        match method.as_str() {
            "Sleep" => {
                self.begun.notify_one();
                tokio::time::sleep(Duration::from_millis(millis)).await;
                Ok(tonic::Response::new(millis))
            }
            "Left" => Ok(tonic::Response::new(left)),
            "Flaky" if u64::from(self.flaky.fetch_add(1, Ordering::SeqCst)) < millis => {
                Err(Status::unavailable("not yet"))
            }
            "Flaky" => Ok(tonic::Response::new(u64::from(self.flaky.load(Ordering::SeqCst)))),
            "Ask" => {
                let neighbour = self.neighbour.ok_or_else(|| Status::failed_precondition("no neighbour"))?;
                call(neighbour, "Left", tonic::Request::new(millis)).await.map(tonic::Response::new)
            }
            _ => Err(Status::not_found("refused")),
        }
    }

    fn stream(
        &self,
        method: &str,
        request: tonic::Request<Millis>,
    ) -> tonic::Response<BoxStream<'static, Result<Millis, Status>>> {
        let millis = request.into_inner();
        self.begun.notify_one();
        let stream = match method {
            "Tick" => stream::iter(0..)
                .then(move |n| async move {
                    tokio::time::sleep(Duration::from_millis(millis)).await;
                    Ok(n)
                })
                .boxed(),
            "Pour" => stream::iter(0..).map(Ok).boxed(),
            _ => stream::iter([Ok(millis), Err(Status::data_loss("refused late"))]).boxed(),
        };
        tonic::Response::new(stream)
    }
}

fn path(method: &str) -> PathAndQuery {
    PathAndQuery::try_from(format!("/{ECHO}/{method}")).expect("a path")
}

/// Calls a unary method.
pub(crate) async fn call(
    channel: DepartmentChannel,
    method: &str,
    request: tonic::Request<Millis>,
) -> Result<Millis, Status> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await?;
    let codec = ProstCodec::<Millis, Millis>::default();
    client.unary(request, path(method), codec).await.map(tonic::Response::into_inner)
}

/// Calls `Who`.
pub(crate) async fn who(channel: DepartmentChannel) -> Result<String, Status> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await?;
    let codec = ProstCodec::<Millis, String>::default();
    client.unary(tonic::Request::new(0), path("Who"), codec).await.map(tonic::Response::into_inner)
}

/// Calls a streaming method.
pub(crate) async fn stream(
    channel: DepartmentChannel,
    method: &str,
    request: tonic::Request<Millis>,
) -> Result<Streaming<Millis>, Status> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await?;
    let codec = ProstCodec::<Millis, Millis>::default();
    client.server_streaming(request, path(method), codec).await.map(tonic::Response::into_inner)
}

pub(crate) fn named(name: &str) -> Department {
    Department::new(name).expect("a sound name")
}

/// A request that has so long.
pub(crate) fn within(millis: Millis, time: Duration) -> tonic::Request<Millis> {
    let mut request = tonic::Request::new(millis);
    request.set_timeout(time);
    request
}

/// An authority with two departments, `health` that serves and `education` that calls.
pub(crate) struct Bench {
    pub(crate) pki: TempDir,
    /// With which servers and channels record calls.
    pub(crate) metrics: CallMetrics,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let pki = tempfile::tempdir().expect("a directory");
        let authority = Authority::create_or_open(pki.path()).expect("an authority");
        for name in ["health", "education", "stranger"] {
            authority.issue(&named(name), &Subject::localhost()).expect("issued");
        }
        Self { pki, metrics: CallMetrics::default() }
    }

    pub(crate) fn credentials(&self, name: &str) -> Arc<Credentials> {
        Credentials::load(self.pki.path(), &named(name)).expect("credentials")
    }

    /// Serves `echo` as the department `health`.
    pub(crate) async fn serve(&self, config: ServerConfig, echo: Echo) -> Running {
        let schema = include_str!("../../../../../deploy/policies/schema.cedarschema");
        let policy = r#"
            @id("probes") permit (principal, action, resource) when { resource in [
                Service::"grpc.health.v1.Health", Service::"grpc.reflection.v1.ServerReflection",
                Service::"grpc.reflection.v1alpha.ServerReflection"] };
            @id("echo") permit (principal, action == Action::"call",
                resource in Service::"minsheng.test.v1.EchoService")
                when { principal != Department::"stranger" };"#;
        let access = AccessPolicies::from_sources(schema, [("echo.cedar", policy)]).expect("policies");
        let begun = Arc::clone(&echo.begun);
        let server = Server::builder(self.credentials("health"), Arc::new(access))
            .config(config)
            .routes(Routes::new(echo))
            .service_names([ECHO])
            .metrics(self.metrics.clone())
            .build()
            .expect("a server");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.serve(listener, async {
            let _ = stopped.await;
        }));
        Running { port, stop: Some(stop), serving, begun }
    }

    /// A channel from `caller` to the server.
    pub(crate) fn channel(&self, caller: &str, running: &Running) -> DepartmentChannel {
        self.channel_to(caller, "health", running.port)
    }

    /// Connects as a department and does nothing after the handshake.
    pub(crate) async fn handshake(&self, caller: &str, port: u16) -> tokio_rustls::client::TlsStream<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("connected");
        let name = rustls_pki_types::ServerName::try_from("localhost").expect("a name");
        let connector = tokio_rustls::TlsConnector::from(self.credentials(caller).client_config());
        connector.connect(name, stream).await.expect("the handshake")
    }

    pub(crate) fn channel_to(&self, caller: &str, expected: &str, port: u16) -> DepartmentChannel {
        let endpoint = format!("https://localhost:{port}");
        let config = ChannelConfig::default();
        let (department, credentials) = (named(expected), self.credentials(caller));
        DepartmentChannel::with_metrics(&endpoint, department, credentials, &config, self.metrics.clone())
            .expect("a channel")
    }
}

/// A server that runs.
pub(crate) struct Running {
    pub(crate) port: u16,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) serving: JoinHandle<Result<(), ServerError>>,
    pub(crate) begun: Arc<Notify>,
}

impl Running {
    pub(crate) fn ask_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}
