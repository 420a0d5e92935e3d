//! Puts a department's service together: its registers, and what every service has (returns, milestones, parameters,
//! history, accesses, the feed).

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc, time::Duration};

use minsheng_proto::Dataset;
use tokio_util::sync::CancellationToken;
use tonic::{
    body::Body,
    server::NamedService,
    service::{Routes, RoutesBuilder},
};
use tower::Service;

use crate::{
    clients::DepartmentChannel,
    common,
    context::Context,
    error::Error,
    journal::flight::JournalFlight,
    register::{CountInForce, Envelope, Register, RegisterService, Table},
    store::{KIT_MIGRATIONS, Migrations},
};

/// What a service is, before it runs.
pub struct Definition {
    /// The department, as in certificates: `social-security`.
    pub department: &'static str,
    /// The service in dataset names: `social_security`.
    pub service: &'static str,
    /// The migrations of its registers; the kit's run before.
    pub migrations: Migrations,
    /// Puts its registers together.
    pub assemble: fn(Parts) -> Result<Assembly, Error>,
}

/// How often a service does what it does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// Asks again for cases that wait for another department's evidence.
    pub settle: Duration,
    /// Looks for parameters that were filed at another replica.
    pub parameters: Duration,
    /// Reads certificates again from their files.
    pub credentials: Duration,
}

impl Default for Intervals {
    fn default() -> Self {
        Self { settle: Duration::from_secs(5), parameters: Duration::from_secs(5), credentials: Duration::from_mins(1) }
    }
}

/// What a service is put together from.
pub struct Parts {
    /// Store, keys, parameters, calendar.
    pub context: Context,
    /// The departments that it may ask, by name; absent ones are not configured.
    pub upstreams: Upstreams,
}

/// The channels to other departments.
#[derive(Clone, Default)]
pub struct Upstreams(BTreeMap<String, DepartmentChannel>);

impl Upstreams {
    /// Adds a department.
    #[must_use]
    pub fn with(mut self, department: &str, channel: DepartmentChannel) -> Self {
        self.0.insert(department.to_owned(), channel);
        self
    }

    /// Returns the channel to a department, or an error that names it.
    pub fn to(&self, department: &str) -> Result<DepartmentChannel, Error> {
        self.0
            .get(department)
            .cloned()
            .ok_or_else(|| Error::DepartmentUnavailable { department: department.to_owned() })
    }
}

impl Definition {
    /// Lists the migrations in the order in which they run.
    pub fn all_migrations(&self) -> [Migrations; 2] {
        [KIT_MIGRATIONS, self.migrations]
    }
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Carries over what an earlier version wrote into one register.
pub(crate) type CarryOver = Pin<Box<dyn Future<Output = Result<u64, Error>> + Send>>;

/// A service being put together.
pub struct Assembly {
    context: Context,
    routes: RoutesBuilder,
    names: Vec<String>,
    tasks: Vec<Box<dyn FnOnce(CancellationToken) -> Task + Send>>,
    carry_over: Vec<CarryOver>,
    counted: BTreeMap<&'static str, CountInForce>,
}

/// A service ready to be served.
pub struct Assembled {
    /// The gRPC services.
    pub routes: Routes,
    /// Their full names, for health.
    pub names: Vec<String>,
    /// What runs beside them until the token is cancelled.
    pub tasks: Vec<Box<dyn FnOnce(CancellationToken) -> Task + Send>>,
    /// What is to be done with each register before anything is served, where an earlier version wrote the database.
    pub(crate) carry_over: Vec<CarryOver>,
}

impl Assembly {
    /// Begins with what every service has.
    pub fn new(context: Context) -> Result<Self, Error> {
        let datasets = datasets_of(context.service);
        let flight = JournalFlight::new(context.store.clone(), Arc::clone(&context.keys), &datasets)?;
        let empty = Self {
            context,
            routes: RoutesBuilder::default(),
            names: vec![],
            tasks: vec![],
            carry_over: vec![],
            counted: BTreeMap::new(),
        };
        Ok(common::add(empty).serve(flight.into_service()))
    }

    /// Adds a gRPC service.
    #[must_use]
    pub fn serve<S>(mut self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = std::convert::Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME.to_owned());
        self.routes.add_service(service);
        self
    }

    /// Adds a register.
    #[must_use]
    pub fn register<S>(mut self, register: S) -> Self
    where
        S: RegisterService,
        S::Server: Service<http::Request<Body>, Response = http::Response<Body>, Error = std::convert::Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        <S::Server as Service<http::Request<Body>>>::Future: Send + 'static,
    {
        let engine = register.engine().clone();
        self.carry_over.push(Box::pin(async move { engine.carry_over().await }));
        let count: CountInForce = <<S::Register as Register>::Record as Table>::count;
        self.counted.insert(<S::Register as Envelope>::COLLECTION, count);
        self.serve(register.into_service())
    }

    /// Adds what is to be done again and again while the service runs, at one of its intervals.
    #[must_use]
    pub fn every<F, Fut>(mut self, interval: fn(&Intervals) -> Duration, work: F) -> Self
    where
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let interval = interval(&self.context.intervals);
        self.tasks.push(Box::new(move |stop| {
            Box::pin(async move {
                loop {
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(interval) => {}
                    }
                    if let Err(error) = work().await {
                        tracing::warn!(%error, "repeated work failed; it will be tried again");
                    }
                }
            })
        }));
        self
    }

    /// Returns the context.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Ends the assembly, once all registers are known.
    pub fn finish(mut self) -> Assembled {
        let counted = std::mem::take(&mut self.counted);
        self = common::add_records(self, counted);
        Assembled { routes: self.routes.routes(), names: self.names, tasks: self.tasks, carry_over: self.carry_over }
    }
}

/// Lists the datasets of a service: its own, and its returns, milestones and parameters under its name.
pub fn datasets_of(service: &str) -> Vec<Dataset> {
    let own = format!("{service}.");
    minsheng_proto::datasets()
        .into_iter()
        .filter_map(|dataset| {
            if dataset.name.starts_with(&own) {
                Some(dataset)
            } else if !dataset.name.contains('.') {
                Some(Dataset { name: format!("{own}{}", dataset.name), row: dataset.row })
            } else {
                None
            }
        })
        .collect()
}
