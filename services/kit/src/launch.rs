//! Runs a service: opens its store, puts it together, serves it until it is told to stop.
//!
//! The demo, the tests and each service's own process come through here.

use std::{future::Future, path::PathBuf, process::ExitCode, sync::Arc};

use minsheng_catalogue::Catalogue;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    access::AccessPolicies,
    assembly::{Assembled, Definition, Intervals, Parts, Upstreams},
    clients::{ChannelConfig, DepartmentChannel},
    config::{EXIT_BAD_CONFIGURATION, ServiceConfig},
    context::Context,
    error::Error,
    identity::Department,
    pki::Credentials,
    register,
    server::{Server, ServerConfig, reload_credentials, stop_requested},
    store::{Clock, Store, StoreConfig, system_clock},
    telemetry,
};

/// What a service needs to run.
pub struct Launch {
    /// Where its records are.
    pub store: StoreConfig,
    /// Directory of the department's secret.
    pub keys: PathBuf,
    /// Whether the database may be empty though the secret is there.
    pub new_database: bool,
    /// Certificate and key of the department.
    pub credentials: Arc<Credentials>,
    /// Access policies.
    pub access: Arc<AccessPolicies>,
    /// Departments that it may ask, with their addresses.
    pub upstreams: Vec<(Department, String)>,
    /// The operator's catalogue of commitments, for the life of the process; none for the one of the build.
    pub catalogue: Option<&'static Catalogue>,
    /// How often it does what it does by itself.
    pub intervals: Intervals,
    /// How it calls them.
    pub channel: ChannelConfig,
    /// Limits and times.
    pub server: ServerConfig,
    /// The clock; fixed in tests.
    pub clock: Clock,
}

impl Launch {
    /// Returns the usual launch out of the directories that hold keys and certificates.
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
            new_database: false,
            credentials: Credentials::load(pki, &department).map_err(Error::internal)?,
            access: Arc::new(AccessPolicies::embedded().map_err(Error::internal)?),
            upstreams: Vec::new(),
            catalogue: None,
            intervals: Intervals::default(),
            channel: ChannelConfig::default(),
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
            &launch.channel,
        )
        .map_err(Error::internal)?;
        upstreams = upstreams.with(department.as_str(), channel);
    }
    let (config, clock) = (launch.store, launch.clock);
    let store = tokio::task::spawn_blocking(move || Store::open(&config, &definition.all_migrations(), clock))
        .await
        .map_err(Error::internal)??;
    let keys = if launch.new_database {
        store.begin_with_keys(&launch.keys, definition.department).await?
    } else {
        store.open_keys(&launch.keys, definition.department).await?
    };
    let mut context = Context::new(definition.service, store, keys);
    context.catalogue = launch.catalogue;
    context.intervals = launch.intervals;
    crate::common::parameters::load(&context).await?;
    let mut assembled = (definition.assemble)(Parts { context: context.clone(), upstreams })?.finish();
    register::carry_over(&context, std::mem::take(&mut assembled.carry_over)).await?;
    crate::common::parameters::tell_journal(&context).await?;
    let server = Server::builder(launch.credentials, launch.access)
        .config(launch.server)
        .routes(std::mem::take(&mut assembled.routes))
        .descriptors(minsheng_proto::DESCRIPTOR_BYTES)
        .descriptors(minsheng_proto::FLIGHT_DESCRIPTOR_BYTES)
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

/// The `main` of a service's own process: configuration from environment and file, then serving until told to stop.
///
/// Exits 64 before any port is bound when the configuration is bad, 1 when the service cannot run.
pub fn main(definition: &'static Definition) -> ExitCode {
    main_with(definition, false)
}

/// As [`main`]; `new_database` lets an empty database begin though the department's secret is there.
pub fn main_with(definition: &'static Definition, new_database: bool) -> ExitCode {
    let Ok(department) = Department::new(definition.department) else { return ExitCode::FAILURE };
    let config = match ServiceConfig::load(&department) {
        Ok(config) => ServiceConfig { new_database: config.new_database || new_database, ..config },
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(EXIT_BAD_CONFIGURATION);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        let guard = match telemetry::init(&config.telemetry) {
            Ok(guard) => guard,
            Err(error) => {
                eprintln!("telemetry cannot start: {error}");
                return ExitCode::FAILURE;
            }
        };
        let ended = run(definition, config).await;
        if let Err(error) = &ended {
            tracing::error!(error = %Chain(error), "the service ended");
        }
        drop(guard);
        if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    })
}

/// An error with its sources, for the log.
struct Chain<'a>(&'a Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = std::error::Error::source(self.0);
        while let Some(inner) = source {
            write!(f, ": {inner}")?;
            source = inner.source();
        }
        Ok(())
    }
}

/// Runs a configured service until the process is told to stop.
pub async fn run(definition: &'static Definition, config: ServiceConfig) -> Result<(), Error> {
    let credentials = Credentials::load(&config.pki, &config.department).map_err(Error::internal)?;
    let access = match &config.policies {
        Some(directory) => AccessPolicies::from_dir(directory),
        None => AccessPolicies::embedded(),
    };
    let stop = CancellationToken::new();
    let reload = tokio::spawn(reload_credentials(Arc::clone(&credentials), config.intervals.credentials, stop.clone()));
    let launch = Launch {
        store: StoreConfig::new(config.database.as_str()),
        keys: config.keys,
        new_database: config.new_database,
        credentials,
        access: Arc::new(access.map_err(Error::internal)?),
        upstreams: config.upstreams.into_iter().collect(),
        catalogue: match &config.catalogue {
            // Lives as long as the process.
            Some(directory) => Some(Box::leak(Box::new(Catalogue::read(directory).map_err(Error::internal)?))),
            None => None,
        },
        intervals: config.intervals,
        channel: ChannelConfig { server_name: config.tls_server_name, ..ChannelConfig::default() },
        server: config.server,
        clock: system_clock(),
    };
    let ready = prepare(definition, launch).await?;
    let listener = TcpListener::bind(config.listen).await.map_err(Error::internal)?;
    tracing::info!(address = %config.listen, department = definition.department, "serving");
    let served = ready.serve(listener, stop_requested()).await;
    stop.cancel();
    let _ = reload.await;
    served
}
