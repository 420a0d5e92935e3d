//! The server of every process of the suite.
//!
//! It takes a listener, so that a test or the demo can bind port 0 and know the address before anything runs. It serves
//! mutual TLS only, adds health, reflection and gRPC-Web, and puts the same layers round every method, from the outside
//! in: gRPC-Web, telemetry, deadline, admission, contract, access.
//!
//! It stops in this order: health turns `NOT_SERVING`, callers get time to notice, the listener closes, running calls
//! drain until a deadline, what is left is cut. Flushing telemetry comes after, when [`Server::serve`] has returned.

mod admission;
mod callers;
mod config;
mod connection;
mod contract;
mod deadline;
mod stall;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::HashSet;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tonic::service::{Routes, RoutesBuilder};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tonic_web::GrpcWebLayer;
use tower::ServiceBuilder;
use tracing::{info, warn};

use crate::access::{AccessLayer, AccessPolicies};
use crate::pki::Credentials;
use crate::telemetry::{CallMetrics, RpcLayer};
use admission::AdmissionLayer;
use callers::Callers;
use connection::Ends;
use contract::{ContractLayer, Served};
use deadline::DeadlineLayer;

pub use config::ServerConfig;
pub use deadline::Deadline;
pub(crate) use deadline::{Limit, TIMEOUT_HEADER, bounded, format_timeout, parse_timeout};

/// Pause after an error of `accept`, such as too many open files, which would otherwise repeat without end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A server that cannot be built or run.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The descriptors for reflection cannot be used.
    #[error("the contract's descriptors cannot be used")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The listener has no address.
    #[error("the listener has no address")]
    Listener(#[source] io::Error),
}

/// What a process serves, before it serves.
#[derive(Debug)]
pub struct Server {
    config: ServerConfig,
    credentials: Arc<Credentials>,
    access: Arc<AccessPolicies>,
    routes: Routes,
    names: Vec<String>,
    /// Paths of streaming methods.
    streaming: HashSet<String>,
    served: Served,
    health: HealthReporter,
    metrics: Option<CallMetrics>,
}

/// Collects the parts of a [`Server`].
#[derive(Debug)]
pub struct ServerParts {
    config: ServerConfig,
    credentials: Arc<Credentials>,
    access: Arc<AccessPolicies>,
    routes: RoutesBuilder,
    descriptors: Vec<&'static [u8]>,
    names: Vec<String>,
    metrics: Option<CallMetrics>,
}

impl Server {
    /// Begins a server that presents these credentials and asks these policies.
    pub fn builder(credentials: Arc<Credentials>, access: Arc<AccessPolicies>) -> ServerParts {
        ServerParts {
            config: ServerConfig::default(),
            credentials,
            access,
            routes: Routes::builder(),
            descriptors: Vec::new(),
            names: Vec::new(),
            metrics: None,
        }
    }

    /// Returns a handle with which a service can say that it cannot serve for now, as when its database is gone.
    pub fn health(&self) -> HealthReporter {
        self.health.clone()
    }

    /// Serves connections of the listener until `shutdown` resolves and running calls are drained.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), ServerError> {
        let address = listener.local_addr().map_err(ServerError::Listener)?;
        let Self { config, credentials, access, routes, names, streaming, served, health, metrics } = self;
        let ends = Ends::default();
        let metrics = metrics.unwrap_or_default();
        let streaming = Arc::new(streaming);
        let admission =
            AdmissionLayer::new(config.concurrent_calls, config.stall, Arc::clone(&streaming), metrics.clone());
        let _watch = AbortOnDropHandle::new(tokio::spawn(admission.watch()));
        let callers = Arc::new(Callers::new(&config));
        let services = names.iter().map(String::as_str).chain(OWN_SERVICES);
        let service = ServiceBuilder::new()
            .layer(GrpcWebLayer::new())
            .layer(RpcLayer::server(metrics.clone(), services))
            .layer(DeadlineLayer::new(&config, streaming, ends.closing.clone()))
            .layer(admission)
            .layer(ContractLayer::new(served))
            .layer(AccessLayer::new(access, credentials.department().clone()))
            .service(routes.prepare());
        let department = credentials.department();
        report(&health, &names, ServingStatus::Serving).await;
        info!(%address, %department, "serving");

        let connections = TaskTracker::new();
        let open = Arc::new(Semaphore::new(config.connections.min(Semaphore::MAX_PERMITS)));
        let config = Arc::new(config);
        let mut stop = pin!(async {
            shutdown.await;
            info!(%department, "stopping: health says NOT_SERVING");
            report(&health, &names, ServingStatus::NotServing).await;
            sleep(config.notice).await;
        });
        loop {
            let accepted = tokio::select! {
                () = stop.as_mut() => break,
                accepted = accept(&listener, &open) => accepted,
            };
            let (stream, peer, place) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let (tls, service) = (credentials.server_config(), service.clone());
            let (config, ends) = (Arc::clone(&config), ends.clone());
            let (callers, metrics) = (Arc::clone(&callers), metrics.clone());
            connections.spawn(async move {
                connection::serve(stream, peer, tls, service, &config, ends, (&callers, &metrics)).await;
                drop(place);
            });
        }
        drop(listener);
        ends.closing.cancel();
        connections.close();
        if !connection::ends_within(config.drain, connections.wait()).await {
            warn!(left = connections.len(), "cutting connections whose calls have not ended in time");
            ends.cut.cancel();
            connections.wait().await;
        }
        info!(%department, "stopped");
        Ok(())
    }
}

impl ServerParts {
    /// Replaces the default limits.
    #[must_use]
    pub fn config(mut self, config: ServerConfig) -> Self {
        self.config = config;
        self
    }

    /// Serves these routes.
    #[must_use]
    pub fn routes(mut self, routes: Routes) -> Self {
        self.routes = RoutesBuilder::from(routes);
        self
    }

    /// Shows the services of an encoded `FileDescriptorSet` in reflection; may be called several times.
    #[must_use]
    pub fn descriptors(mut self, encoded: &'static [u8]) -> Self {
        self.descriptors.push(encoded);
        self
    }

    /// Names the services, as `minsheng.health.v1.InstitutionService`, that health reports and reflection lists; a call of
    /// one that is not named is answered `UNIMPLEMENTED`.
    #[must_use]
    pub fn service_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.names.extend(names.into_iter().map(Into::into));
        self
    }

    /// Records calls with these instruments instead of the process's own.
    #[must_use]
    pub fn metrics(mut self, metrics: CallMetrics) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// Puts the parts together.
    pub fn build(mut self) -> Result<Server, ServerError> {
        let (health, health_service) = tonic_health::server::health_reporter();
        let services: Vec<&str> = self.names.iter().map(String::as_str).chain(OWN_SERVICES).collect();
        let mut served = Served::new(services.iter().copied());
        // Health has no descriptors of ours; its watch is a stream like others.
        let mut streaming = HashSet::from([deadline::UNBOUNDED.to_owned()]);
        let undecodable = tonic_reflection::server::Error::from;
        for encoded in self.descriptors.iter().copied().chain(OWN_DESCRIPTORS) {
            served.describe(encoded).map_err(undecodable)?;
        }
        for encoded in &self.descriptors {
            streaming.extend(deadline::streaming_methods(encoded).map_err(undecodable)?);
        }
        // Both versions tell the same: newer clients ask the first, older ones the second.
        let reflection = || {
            let mut reflection = tonic_reflection::server::Builder::configure();
            for encoded in self.descriptors.iter().copied().chain(OWN_DESCRIPTORS) {
                reflection = reflection.register_encoded_file_descriptor_set(encoded);
            }
            services.iter().fold(reflection, |reflection, name| reflection.with_service_name(*name))
        };
        let (newer, older) = (reflection().build_v1()?, reflection().build_v1alpha()?);
        self.routes.add_service(health_service);
        self.routes.add_service(newer);
        self.routes.add_service(older);
        let Self { config, credentials, access, routes, names, metrics, .. } = self;
        Ok(Server { config, credentials, access, routes: routes.routes(), names, streaming, served, health, metrics })
    }
}

/// The health service's name.
pub(crate) const HEALTH: &str = "grpc.health.v1.Health";
/// The reflection service's name.
pub(crate) const REFLECTION: &str = "grpc.reflection.v1.ServerReflection";
/// The name that older clients ask by.
const REFLECTION_ALPHA: &str = "grpc.reflection.v1alpha.ServerReflection";
/// What every server has of its own.
const OWN_SERVICES: [&str; 3] = [HEALTH, REFLECTION, REFLECTION_ALPHA];
/// Their descriptors.
const OWN_DESCRIPTORS: [&[u8]; 3] = [
    tonic_health::pb::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
];

/// Reports one status for the server as a whole, whose name is empty, and for each service.
async fn report(health: &HealthReporter, names: &[String], status: ServingStatus) {
    health.set_service_status("", status).await;
    for name in names {
        health.set_service_status(name.as_str(), status).await;
    }
}

type Accepted = (TcpStream, std::net::SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// Accepts the next connection once there is a place for it.
async fn accept(listener: &TcpListener, open: &Arc<Semaphore>) -> io::Result<Accepted> {
    let place = Arc::clone(open).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

/// Resolves when the process is asked to stop, by SIGTERM or by Ctrl-C.
pub async fn stop_requested() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupted = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = interrupted => {}
            _ = terminate.recv() => {}
        },
        Err(error) => {
            warn!(%error, "cannot listen for SIGTERM");
            let _ = interrupted.await;
        }
    }
}

/// Loads renewed certificates from the disk, every `interval`, until `stop` is cancelled.
pub async fn reload_credentials(credentials: Arc<Credentials>, interval: Duration, stop: CancellationToken) {
    while stop.run_until_cancelled(sleep(interval)).await.is_some() {
        match credentials.reload() {
            Ok(true) => info!(department = %credentials.department(), "took up a renewed certificate"),
            Ok(false) => {}
            Err(error) => warn!(%error, "cannot take up the certificate on disk; the one in use stays"),
        }
    }
}
