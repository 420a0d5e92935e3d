//! A department's service on loopback, for tests: certificates, store, fixed clock, clients, on either database.
//!
//! Real sockets, real mutual TLS, real databases; only the clock is made. Databases of PostgreSQL come from the
//! cluster that `MINSHENG_TEST_POSTGRES_URL` names (`tests/run` starts one), each test in a database of its own.

pub mod conformance;
pub mod sampler;
pub mod schema;
pub mod shared;
pub mod wire;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use diesel::{Connection as _, PgConnection, RunQueryDsl as _};
use minsheng_kit::{
    assembly::{Definition, Intervals},
    clients::{ChannelConfig, DepartmentChannel},
    error::Error,
    identity::Department,
    launch::{self, Launch},
    pki::{Authority, Credentials, Subject},
    register::{FOREVER, Head},
    server::ServerConfig,
    store::{Clock, JournalEntry},
    values::calendar::start_of_day_micros,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// The clock of a test: starts at an instant, goes on by a microsecond with every reading.
#[derive(Clone, Debug)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    /// Starts at noon of a day in Asia/Shanghai.
    pub fn on(day: chrono::NaiveDate) -> Self {
        let noon = start_of_day_micros(day) + 12 * 3_600_000_000;
        Self(Arc::new(AtomicI64::new(noon)))
    }

    /// Moves to noon of another day.
    pub fn set(&self, day: chrono::NaiveDate) {
        let noon = start_of_day_micros(day) + 12 * 3_600_000_000;
        self.0.store(noon, Ordering::SeqCst);
    }

    /// Returns the clock as a store reads it.
    pub fn clock(&self) -> Clock {
        let inner = Arc::clone(&self.0);
        Arc::new(move || inner.fetch_add(1, Ordering::SeqCst))
    }
}

/// Makes the entry that asserts a record's first state, open from 1970-01-01 on, for tests of what lies under
/// registers.
pub fn asserted(dataset: &str, record: &str, row: &impl prost::Message) -> JournalEntry {
    let head = Head { id: record.to_owned(), area: "540102".to_owned(), effective_until: FOREVER, ..Head::default() };
    JournalEntry::asserts(dataset, &head, &row.encode_to_vec())
}

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestDatabase {
    /// A file in the test's directory.
    Sqlite,
    /// A database of the test's own in the throw-away cluster.
    Postgres,
}

/// Certificates of all departments and a directory, shared by the services of one test.
pub struct TestSite {
    directory: tempfile::TempDir,
    databases: parking_lot::Mutex<Vec<String>>,
}

/// A service that a test started.
pub struct TestService {
    address: String,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<Result<(), Error>>,
}

/// How often services do by themselves what tests wait for.
const SOON: Duration = Duration::from_millis(50);

/// The departments that have a certificate in tests.
const DEPARTMENTS: [&str; 6] = ["social-security", "education", "health", "community", "analytics", "operator"];

impl TestSite {
    /// Makes the directory and the certificates.
    pub fn new() -> Result<Self, Error> {
        let directory = tempfile::tempdir().map_err(Error::internal)?;
        let authority = Authority::create_or_open(directory.path().join("pki")).map_err(Error::internal)?;
        for department in DEPARTMENTS {
            let department = Department::new(department).map_err(Error::internal)?;
            authority.issue(&department, &Subject::localhost()).map_err(Error::internal)?;
        }
        Ok(Self { directory, databases: parking_lot::Mutex::default() })
    }

    /// Returns the directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the URL of a database for a service: the same one when asked again within the site.
    pub fn database(&self, kind: TestDatabase, service: &str) -> Result<String, Error> {
        match kind {
            TestDatabase::Sqlite => {
                Ok(format!("sqlite:{}", self.directory.path().join(format!("{service}.db")).display()))
            }
            TestDatabase::Postgres => {
                let base = std::env::var("MINSHENG_TEST_POSTGRES_URL").map_err(|_| {
                    Error::internal("MINSHENG_TEST_POSTGRES_URL is not set; tests/run starts a cluster and sets it")
                })?;
                let site = self.directory.path().file_name().map(|name| name.to_string_lossy().to_lowercase());
                let site = site.unwrap_or_default().replace(|c: char| !c.is_ascii_alphanumeric(), "");
                let name = format!("t_{}_{site}", service.replace('-', "_"));
                let mut databases = self.databases.lock();
                if !databases.contains(&name) {
                    let mut connection = PgConnection::establish(&format!("{base}/postgres"))
                        .map_err(|error| Error::StoreUnavailable(Box::new(error)))?;
                    diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut connection)?;
                    databases.push(name.clone());
                }
                Ok(format!("{base}/{name}"))
            }
        }
    }

    /// Starts a service; `upstreams` are the departments that it may ask.
    pub async fn start(
        &self,
        definition: &'static Definition,
        kind: TestDatabase,
        clock: &TestClock,
        upstreams: &[(&str, &TestService)],
    ) -> Result<TestService, Error> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(Error::internal)?;
        let upstreams: Vec<_> =
            upstreams.iter().map(|(department, service)| (*department, service.address.clone())).collect();
        self.start_at(listener, definition, kind, clock, &upstreams).await
    }

    /// Starts a service on a listener; `upstreams` are departments with addresses at which nobody need listen yet.
    pub async fn start_at(
        &self,
        listener: TcpListener,
        definition: &'static Definition,
        kind: TestDatabase,
        clock: &TestClock,
        upstreams: &[(&str, String)],
    ) -> Result<TestService, Error> {
        let database = self.database(kind, definition.department)?;
        let mut launch = Launch::new(definition, database, self.path().join("keys"), &self.path().join("pki"))?;
        launch.clock = clock.clock();
        launch.server = ServerConfig::default().without_notice();
        // No test waits for what a service does by itself.
        launch.intervals = Intervals { settle: SOON, parameters: SOON, ..Intervals::default() };
        for (department, address) in upstreams {
            let department = Department::new(department).map_err(Error::internal)?;
            launch.upstreams.push((department, address.clone()));
        }
        let ready = launch::prepare(definition, launch).await?;
        let port = listener.local_addr().map_err(Error::internal)?.port();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(ready.serve(listener, async {
            let _ = stopped.await;
        }));
        Ok(TestService { address: format!("https://localhost:{port}"), stop: Some(stop), served })
    }

    /// Opens a channel to a service as a department.
    pub fn channel(
        &self,
        caller: &str,
        definition: &Definition,
        service: &TestService,
    ) -> Result<DepartmentChannel, Error> {
        let caller = Department::new(caller).map_err(Error::internal)?;
        let provider = Department::new(definition.department).map_err(Error::internal)?;
        let credentials = Credentials::load(self.path().join("pki"), &caller).map_err(Error::internal)?;
        DepartmentChannel::connect_lazy(&service.address, provider, credentials, &ChannelConfig::default())
            .map_err(Error::internal)
    }
}

impl TestService {
    /// Returns the address, `https://localhost:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Stops it and waits until its store is closed.
    pub async fn stop(mut self) -> Result<(), Error> {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        self.served.await.map_err(Error::internal)?
    }
}

impl Drop for TestSite {
    fn drop(&mut self) {
        let databases = std::mem::take(&mut *self.databases.lock());
        let Ok(base) = std::env::var("MINSHENG_TEST_POSTGRES_URL") else { return };
        if let (false, Ok(mut connection)) =
            (databases.is_empty(), PgConnection::establish(&format!("{base}/postgres")))
        {
            for name in databases {
                let _ =
                    diesel::sql_query(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).execute(&mut connection);
            }
        }
    }
}

/// The databases that a test should run on: SQLite always, PostgreSQL where a cluster is named.
pub fn databases() -> Vec<TestDatabase> {
    let mut databases = vec![TestDatabase::Sqlite];
    if std::env::var_os("MINSHENG_TEST_POSTGRES_URL").is_some() {
        databases.push(TestDatabase::Postgres);
    }
    databases
}

/// Returns the fields that a refusal names, in its order.
pub fn refused_fields(status: &tonic::Status) -> Vec<String> {
    let details = tonic_types::StatusExt::get_error_details(status);
    let violations = details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default();
    violations.iter().map(|found| found.field.clone()).collect()
}
