//! Runs a service: opens its store, puts it together, serves it until it is told to stop.
//!
//! The demo, the tests and each service's own process come through here.

use std::{future::Future, path::PathBuf, sync::Arc};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    access::AccessPolicies,
    assembly::{Assembled, Definition, Parts, Upstreams},
    clients::{ChannelConfig, DepartmentChannel},
    context::Context,
    error::Error,
    identity::Department,
    keys::Keys,
    pki::Credentials,
    server::{Server, ServerConfig},
    store::{Clock, Store, StoreConfig, system_clock},
};

/// What a service needs to run.
pub struct Launch {
    /// Where its records are.
    pub store: StoreConfig,
    /// Directory of the department's secret.
    pub keys: PathBuf,
    /// Certificate and key of the department.
    pub credentials: Arc<Credentials>,
    /// Access policies.
    pub access: Arc<AccessPolicies>,
    /// Departments that it may ask, with their addresses.
    pub upstreams: Vec<(Department, String)>,
    /// Limits and times.
    pub server: ServerConfig,
    /// The clock; fixed in tests.
    pub clock: Clock,
}

impl Launch {
    /// Gives the usual launch out of the directories that hold keys and certificates.
    pub fn new(
        definition: &Definition,
        database: impl Into<String>,
        keys: impl Into<PathBuf>,
        pki: &std::path::Path,
    ) -> Result<Self, Error> {
        let department = Department::new(definition.department).map_err(Error::internal)?;
        Ok(Self {
            store: StoreConfig::new(database),
            keys: keys.into(),
            credentials: Credentials::load(pki, &department).map_err(Error::internal)?,
            access: Arc::new(AccessPolicies::embedded().map_err(Error::internal)?),
            upstreams: Vec::new(),
            server: ServerConfig::default(),
            clock: system_clock(),
        })
    }
}

/// A service whose store is open and whose parts are together; nothing is served yet.
pub struct Ready {
    assembled: Assembled,
    server: Server,
}

/// Opens the store (blocking work on a thread that may block) and puts the service together.
pub async fn prepare(definition: &'static Definition, launch: Launch) -> Result<Ready, Error> {
    let mut upstreams = Upstreams::default();
    for (department, address) in launch.upstreams {
        let channel = DepartmentChannel::connect_lazy(
            &address,
            department.clone(),
            Arc::clone(&launch.credentials),
            &ChannelConfig::default(),
        )
        .map_err(Error::internal)?;
        upstreams = upstreams.with(department.as_str(), channel);
    }
    let (store, keys, clock) = (launch.store, launch.keys, launch.clock);
    let context = tokio::task::spawn_blocking(move || {
        let store = Store::open(&store, &definition.all_migrations(), clock)?;
        let keys = Keys::open_or_create(&keys, definition.department)?;
        let context = Context::new(definition.service, store, keys);
        context.load_parameters_blocking()?;
        Ok::<_, Error>(context)
    })
    .await
    .map_err(Error::internal)??;
    let mut assembled = (definition.assemble)(Parts { context, upstreams })?.finish();
    let server = Server::builder(launch.credentials, launch.access)
        .config(launch.server)
        .routes(std::mem::take(&mut assembled.routes))
        .descriptors(minsheng_proto::DESCRIPTOR_BYTES)
        .service_names(assembled.names.clone())
        .build()
        .map_err(Error::internal)?;
    Ok(Ready { assembled, server })
}

impl Ready {
    /// Serves until the shutdown resolves and the calls under way are done.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let stop = CancellationToken::new();
        let tasks: Vec<_> =
            self.assembled.tasks.into_iter().map(|task| tokio::spawn(task(stop.child_token()))).collect();
        let served = self.server.serve(listener, shutdown).await.map_err(Error::internal);
        stop.cancel();
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a repeated task panicked");
            }
        }
        served
    }
}
