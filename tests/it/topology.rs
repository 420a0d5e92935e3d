//! The topology of `docker-compose.yml` as processes of their own: each gets exactly the environment and the command
//! that stand in the file, but for hosts, ports, directories and databases; then the demo's load runs against it on
//! PostgreSQL, and a report is made as an operator makes it there. The same load on SQLite gives the same report but
//! for the sources' positions and times.
//!
//! Needs `MINSHENG_TEST_POSTGRES_URL`; says so and passes without it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use crate::support::{Process, free_port};
use chrono::DateTime;
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, sql_types::BigInt};
use minsheng::{
    commands::report::{Job, make},
    demo::{self, province::Province},
    lang::Lang,
    output::Progress,
    site::{Endpoints, Site},
};
use minsheng_analytics::catalogue::Catalogue;
use minsheng_proto::analytics::v1::{GetScoreboardRequest, attainment_service_client::AttainmentServiceClient};
use minsheng_testkit::{TestDatabase, TestSite};

/// The departments' services.
const SERVICES: [&str; 4] = ["social-security", "education", "health", "community"];
/// The process that makes the reports, and serves the newest.
const ANALYTICS: &str = "analytics";
/// How much of the demo is loaded.
const SCALE: f64 = 0.02;

/// A service of the file: its command and its environment.
#[derive(Debug, Default, PartialEq)]
struct Service {
    command: Vec<String>,
    health: Vec<String>,
    environment: BTreeMap<String, String>,
}

/// Reads what this test needs of the file, and refuses what it would misread: entries of `environment` must be
/// `NAME: "value"`, commands must be lists of quoted words on one line.
fn services(text: &str) -> BTreeMap<String, Service> {
    let mut found: BTreeMap<String, Service> = BTreeMap::new();
    let (mut section, mut service, mut key) = (String::new(), String::new(), String::new());
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')) {
        let depth = line.len() - line.trim_start().len();
        let content = line.trim();
        match depth {
            0 => section = String::from(content.trim_end_matches(':')),
            2 if section == "services" => {
                service = String::from(content.strip_suffix(':').unwrap_or_else(|| panic!("not a service: {line}")));
                found.insert(service.clone(), Service::default());
            }
            4 if section == "services" => {
                let (name, value) = content.split_once(':').unwrap_or_else(|| panic!("not a key: {line}"));
                key = String::from(name);
                assert!(key != "environment" || value.is_empty(), "the environment must be a block: {line}");
                assert!(
                    key != "env_file" && key != "extends" && !value.trim().starts_with('*'),
                    "cannot be read: {line}"
                );
                if key == "command" {
                    found.get_mut(&service).expect("a service").command =
                        serde_json::from_str(value).expect("quoted words");
                }
            }
            6 if section == "services" && key == "healthcheck" => {
                if let Some(words) = content.strip_prefix("test: ") {
                    found.get_mut(&service).expect("a service").health =
                        serde_json::from_str(words).expect("quoted words");
                }
            }
            _ if section == "services" && key == "environment" => {
                let entry = content.split_once(": ").filter(|(name, _)| depth == 6 && !name.contains(' '));
                let (name, value) = entry.unwrap_or_else(|| panic!("not a variable: {line}"));
                let value: String = serde_json::from_str(value).unwrap_or_else(|_| panic!("not quoted: {line}"));
                let twice = found.get_mut(&service).expect("a service").environment.insert(name.to_owned(), value);
                assert_eq!(twice, None, "{line}");
            }
            _ => {}
        }
    }
    found
}

#[test]
fn the_file_is_read_as_it_stands() {
    let text = "services:\n  a:\n    image: x\n    command: [\"serve\", \"a\"]\n    environment:\n      ONE: \"1: 2\"\n    healthcheck:\n      test: [\"CMD\", \"b\"]\n    volumes:\n      - a:/b\nvolumes:\n  a:\n";
    let found = services(text);
    let environment = [("ONE".to_owned(), "1: 2".to_owned())].into();
    let command = ["serve", "a"].map(str::to_owned).to_vec();
    let health = ["CMD", "b"].map(str::to_owned).to_vec();
    assert_eq!(found, [("a".to_owned(), Service { command, health, environment })].into());
}

/// What stands in the place of containers: ports instead of hosts, a directory instead of volumes.
struct Ground {
    site: TestSite,
    ports: BTreeMap<&'static str, u16>,
}

impl Ground {
    fn directory(&self) -> PathBuf {
        self.site.path().join("containers")
    }

    /// Puts hosts, ports, directories and databases of this machine into a value of the file.
    fn put(&self, service: &str, name: &str, value: &str) -> String {
        if name == "MINSHENG_LISTEN" {
            assert_eq!(value, "0.0.0.0:7443");
            return format!("127.0.0.1:{}", self.ports[service]);
        }
        if name == "MINSHENG_DATABASE_URL" {
            let database = service.replace('-', "_");
            assert!(
                value.starts_with("postgres://") && value.ends_with(&format!("@postgres:5432/{database}")),
                "{value}"
            );
            return self.database(service);
        }
        if name.starts_with("MINSHENG_UPSTREAM_") {
            let host = value.strip_prefix("https://").and_then(|rest| rest.strip_suffix(":7443"));
            let host = host.unwrap_or_else(|| panic!("{name}: {value}"));
            return format!("https://localhost:{}", self.ports[host]);
        }
        self.path(service, value)
    }

    /// Puts directories of this machine into a word: the certificates are shared, all else is the service's own.
    fn path(&self, service: &str, word: &str) -> String {
        match word.strip_prefix("/var/lib/minsheng/") {
            Some("pki") => self.directory().join("pki").display().to_string(),
            Some(rest) => self.directory().join(service).join(rest).display().to_string(),
            None => word.to_owned(),
        }
    }

    fn environment(&self, service: &str, of: &Service) -> BTreeMap<String, String> {
        of.environment.iter().map(|(name, value)| (name.clone(), self.put(service, name, value))).collect()
    }

    fn database(&self, service: &str) -> String {
        self.site.database(TestDatabase::Postgres, service).expect("a database")
    }

    /// Runs a service's own health check, as the file has it: the binary asks over mutual TLS.
    fn healthy(&self, service: &str, of: &Service) -> bool {
        assert_eq!(of.health[..3], ["CMD", "minsheng", "health"], "{service}");
        self.run(service, of, &of.health[2..]).ended().success()
    }

    /// Starts the schedule as if it had been kept since a day ago: one report was missed meanwhile, and is made up.
    fn schedule(&self, of: &Service) -> Process {
        let began = (chrono::Utc::now() - chrono::TimeDelta::days(1)).to_rfc3339();
        let reports = self.path(ANALYTICS, "/var/lib/minsheng/reports");
        std::fs::create_dir_all(&reports).expect("a directory");
        let record = Path::new(&reports).join("runs.jsonl");
        std::fs::write(record, format!("{{\"kept_since\":\"{began}\"}}\n")).expect("written");
        let words: Vec<_> = of.command.iter().map(|word| self.path(ANALYTICS, word)).collect();
        Process::run(ANALYTICS, &words, &self.environment(ANALYTICS, of))
    }

    /// Starts the binary with the environment of a service and nothing else but the search path.
    fn run(&self, service: &str, of: &Service, words: &[String]) -> Running {
        let child = Command::new(env!("CARGO_BIN_EXE_minsheng"))
            .args(words)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.environment(service, of))
            .current_dir(self.directory())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary starts");
        Running(child)
    }
}

/// Asks the schedule's process, as a department does, and counts the commitments of its newest report.
async fn served(endpoints: &Endpoints) -> usize {
    let channel = endpoints.channel("community", ANALYTICS).expect("a channel");
    let board = AttainmentServiceClient::new(channel).get_scoreboard(GetScoreboardRequest::default()).await;
    let counted: i32 = board.expect("answered").into_inner().counts.iter().map(|count| count.commitments).sum();
    usize::try_from(counted).expect("a count")
}

/// A process that is killed when it goes out of scope.
struct Running(Child);

impl Running {
    fn ended(mut self) -> ExitStatus {
        self.0.wait().expect("a child can be waited for")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(QueryableByName)]
struct Rows {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// Counts the records of a register, of which each may have several states.
fn records_in(url: &str, table: &str) -> usize {
    let mut connection = PgConnection::establish(url).expect("the database");
    let counted: Rows = diesel::sql_query(format!("SELECT count(DISTINCT id) AS rows FROM {table}"))
        .get_result(&mut connection)
        .expect("counted");
    usize::try_from(counted.rows).expect("a count")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_services_of_the_compose_file_run_as_processes_and_take_the_demos_load_on_postgresql() {
    if std::env::var_os("MINSHENG_TEST_POSTGRES_URL").is_none() {
        eprintln!("skipped: MINSHENG_TEST_POSTGRES_URL is not set; tests/run starts a cluster and sets it");
        return;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docker-compose.yml");
    let file = services(&std::fs::read_to_string(file).expect("the compose file"));
    let ports = SERVICES.into_iter().chain([ANALYTICS]).map(|service| (service, free_port())).collect();
    let ground = Ground { site: TestSite::new().expect("a directory"), ports };
    std::fs::create_dir_all(ground.directory().join("analytics")).expect("a directory");

    // Certificates first, as the file's own command makes them.
    let pki = &file["pki"];
    let words: Vec<_> = pki.command.iter().map(|word| ground.path("pki", word)).collect();
    assert!(ground.run("pki", pki, &words).ended().success(), "no certificates");

    let addresses = ground.ports.iter().map(|(name, port)| ((*name).to_owned(), format!("https://localhost:{port}")));
    let endpoints = Endpoints { pki: ground.directory().join("pki"), addresses: addresses.collect() };
    let mut processes = Vec::new();
    for service in SERVICES {
        assert_eq!(file[service].command, ["serve", service]);
        assert!(!ground.healthy(service, &file[service]), "{service} is not there yet");
        processes.push(Process::start(service, &ground.environment(service, &file[service])));
    }
    for process in &mut processes {
        process.serving(&endpoints).await;
    }
    let healthy = SERVICES.into_iter().all(|service| ground.healthy(service, &file[service]));
    assert!(healthy, "all serve, and a health check says no");
    let analytics = &file[ANALYTICS];
    let mut schedule = ground.schedule(analytics);
    schedule.serving(&endpoints).await;
    assert!(ground.healthy(ANALYTICS, analytics), "it serves, and a health check says no");

    let province = Province::new(1, SCALE);
    let load = async || demo::load_province(&endpoints, province, &Progress::hidden(), Lang::En).await.expect("loaded");
    let loaded = load().await;
    assert_eq!((loaded.refused, &loaded.reasons), (0, &vec![]));
    let mut sent = 0;
    for lane in province.lanes() {
        let url = ground.database(lane.department);
        let mut expected: BTreeMap<&str, usize> = BTreeMap::new();
        for batch in lane.batches.into_iter().chain(lane.filings) {
            *expected.entry(batch.register).or_default() += batch.records.count();
        }
        for cases in &lane.cases {
            *expected.entry(cases.register).or_default() += cases.creations.len();
        }
        for (register, records) in expected {
            assert_eq!(records_in(&url, register), records, "{} {register}", lane.department);
            sent += u64::try_from(records).expect("a count");
        }
    }
    assert_eq!(loaded.accepted, sent);

    // The same province on SQLite, and its report of the same day and instant.
    let embedded = ground.site.path().join("embedded");
    let on_sqlite = Site::start(&embedded).await.expect("the services start");
    let loaded_there = demo::load_province(on_sqlite.endpoints(), province, &Progress::hidden(), Lang::En).await;
    assert_eq!(loaded_there.expect("loaded"), loaded);
    let as_of = DateTime::from_timestamp_micros(chrono::Utc::now().timestamp_micros()).expect("a moment");
    let job = Job {
        lake: embedded.join("lake"),
        out: embedded.join("report"),
        on: demo::province::LAST_DAY,
        as_of: Some(as_of),
    };
    make(&job, Some(on_sqlite.endpoints()), Lang::En).await.expect("reports");
    on_sqlite.stop().await.expect("the services stop");

    // An operator's report, in the analytics container.
    let (on, as_of) = (demo::province::LAST_DAY.to_string(), as_of.to_rfc3339());
    let report = |out: &str| {
        let words = ["report", "--on", &on, "--as-of", &as_of, "--lake", "made/lake", "--out", out];
        let status = ground.run(ANALYTICS, analytics, &words.map(str::to_owned)).ended();
        assert!(status.success(), "the report ended with {status}");
    };
    report("made/report");
    let made = ground.directory().join("made");
    for file in ["attainment.csv", "attainment.parquet"] {
        let (ours, theirs) = (made.join("report").join(file), job.out.join(file));
        let [ours, theirs] = [ours, theirs].map(|path| std::fs::read(path).expect("written"));
        assert!(ours == theirs, "{file} from PostgreSQL differs from that from SQLite");
    }
    let [page, there] = [made.join("report"), job.out].map(|out| {
        let mut page: serde_json::Value =
            serde_json::from_slice(&std::fs::read(out.join("attainment.json")).expect("written")).expect("JSON");
        // Positions and times of the sources are the databases' own.
        let sources = page["sources"].take();
        assert_eq!(sources.as_array().map(Vec::len), Some(SERVICES.len()));
        page
    });
    assert_eq!(page, there, "PostgreSQL on the left, SQLite on the right");
    let entries = page["commitments"].as_array().expect("a list").iter();
    let commitments: std::collections::BTreeSet<_> = entries.filter_map(|entry| entry["id"].as_str()).collect();
    assert_eq!(commitments.len(), Catalogue::embedded().expect("sound").entries.len());
    let rows = || {
        let lake = minsheng_analytics::lake::Lake::open_read_only(&made.join("lake")).expect("a lake");
        lake.sources().keys().map(|dataset| lake.rows(dataset)).sum::<u64>()
    };
    let told = rows();
    assert!(told >= loaded.accepted, "{told} entries of {} records", loaded.accepted);

    // Loaded again, nothing is added anywhere.
    assert_eq!(load().await.accepted, loaded.accepted);
    report("made/again");
    assert_eq!(rows(), told);

    // The operator's check there: registers, journals and lake agree, read from the services that the environment
    // names.
    let words = ["verify", "--lake", "made/lake"].map(str::to_owned);
    assert!(ground.run(ANALYTICS, analytics, &words).ended().success(), "registers and lake differ");

    // By now the report that was missed is there, and who may ask for it gets it; then the schedule stops as asked.
    assert_eq!(served(&endpoints).await, commitments.len());
    assert!(schedule.stop("INT").success());
}
