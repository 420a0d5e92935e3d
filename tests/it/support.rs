//! The command as a process of its own: one that runs to its end, and one that serves, for tests that ask it and kill
//! it.
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    net::TcpListener,
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use chrono::Datelike as _;
use minsheng::site::Endpoints;
use minsheng_kit::clients::OutgoingRequest as _;
use minsheng_proto::common::v1::{CountRecordsRequest, Date, record_service_client::RecordServiceClient};
use tonic::Request;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

/// How long a process may take until it serves.
const START: Duration = Duration::from_mins(1);
/// Time between two checks of its health.
const LOOK: Duration = Duration::from_millis(20);

/// Runs the command in a directory, and gives its exit code and what it printed and said of errors.
pub(crate) fn minsheng(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_minsheng"))
        .args(arguments)
        .current_dir(directory)
        .env_remove("MINSHENG_PKI_DIR")
        .output()
        .expect("the command runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (status.code().expect("an exit code"), text(stdout), text(stderr))
}

/// A running `minsheng serve DEPARTMENT`, or another command that serves, killed when it goes out of scope.
pub(crate) struct Process {
    department: String,
    child: Child,
}

impl Process {
    /// Starts it with these variables and no others but the search path.
    pub(crate) fn start(department: &str, environment: &BTreeMap<String, String>) -> Self {
        Self::run(department, &["serve", department], environment)
    }

    /// Starts a command that serves for a department.
    pub(crate) fn run(department: &str, words: &[impl AsRef<OsStr>], environment: &BTreeMap<String, String>) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_minsheng"))
            .args(words)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(environment)
            .stdin(Stdio::null())
            .spawn()
            .expect("the binary starts");
        Self { department: department.to_owned(), child }
    }

    /// Waits until it says that it serves; fails as soon as the process has ended.
    pub(crate) async fn serving(&mut self, endpoints: &Endpoints) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                panic!("{} ended with {status} before it served", self.department);
            }
            let channel = endpoints.channel("operator", &self.department).expect("a channel");
            let question = Request::new(HealthCheckRequest::default()).idempotent();
            match HealthClient::new(channel).check(question).await {
                Ok(answer) if answer.get_ref().status() == ServingStatus::Serving => return,
                answer => assert!(began.elapsed() < START, "{} does not serve: {answer:?}", self.department),
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Asks it to end by a signal, such as `TERM`, and waits until it has.
    pub(crate) fn stop(&mut self, signal: &str) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().expect("kill runs").success());
        self.child.wait().expect("a child can be waited for")
    }

    /// Ends it as `kill -9` does: nothing of it runs any more afterwards.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("the process is ours");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Finds a port that nobody uses.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the system has a port");
    listener.local_addr().expect("bound").port()
}

/// Returns the variables of a service that keeps everything below one directory.
pub(crate) fn environment(directory: &Path, database: &str, port: u16) -> BTreeMap<String, String> {
    [
        ("MINSHENG_LISTEN", format!("127.0.0.1:{port}")),
        ("MINSHENG_DATABASE_URL", database.to_owned()),
        ("MINSHENG_PKI_DIR", directory.join("pki").display().to_string()),
        ("MINSHENG_KEYS_DIR", directory.join("keys").display().to_string()),
        ("MINSHENG_LOG", "error".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// Returns the address of one service.
pub(crate) fn endpoints(directory: &Path, department: &str, port: u16) -> Endpoints {
    let address = format!("https://localhost:{port}");
    Endpoints { pki: directory.join("pki"), addresses: [(department.to_owned(), address)].into() }
}

/// Asks a service, as its operator, how many records of a register are in force today.
pub(crate) async fn count(endpoints: &Endpoints, department: &str, collection: &str) -> u64 {
    let today = minsheng::clock::today();
    let number = |part: u32| i32::try_from(part).expect("a part of a day");
    let on = Date { year: today.year(), month: number(today.month()), day: number(today.day()) };
    let (collection, area) = (collection.to_owned(), "540000".to_owned());
    let request = Request::new(CountRecordsRequest { collection, area, on: Some(on) }).idempotent();
    let channel = endpoints.channel("operator", department).expect("a channel");
    let counted = RecordServiceClient::new(channel).count_records(request).await.expect("answered").into_inner();
    counted.counts.iter().map(|count| u64::try_from(count.records).expect("not below zero")).sum()
}
