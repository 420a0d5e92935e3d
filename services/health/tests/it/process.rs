//! The department's own binary, as a process of its own.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use minsheng_kit::{
    clients::{ChannelConfig, DepartmentChannel},
    identity::Department,
    pki::Credentials,
};
use minsheng_proto::health::v1 as pb;
use minsheng_testkit::TestSite;
use pb::institution_service_client::InstitutionServiceClient;

/// How long the process may take until it answers.
const START: Duration = Duration::from_mins(1);

/// Killed when it goes out of scope.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_binary_serves_its_registers_by_its_environment_and_stops_when_told() {
    let site = TestSite::new().expect("certificates");
    let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr()).expect("a port").port();
    let binary = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_minsheng-health"));
        command.env_clear().stdin(Stdio::null()).stderr(Stdio::null());
        command
    };
    // Without a configuration it binds no port.
    assert_eq!(binary().status().expect("it starts").code(), Some(64));

    let child = binary()
        .env("MINSHENG_LISTEN", format!("127.0.0.1:{port}"))
        .env("MINSHENG_DATABASE_URL", format!("sqlite:{}", site.path().join("process.db").display()))
        .env("MINSHENG_PKI_DIR", site.path().join("pki"))
        .env("MINSHENG_KEYS_DIR", site.path().join("process-keys"))
        .env("MINSHENG_LIMIT_NOTICE", "1ms")
        .env("MINSHENG_LOG", "error")
        .spawn()
        .expect("it starts");
    let mut process = Process(child);

    let department = |name: &str| Department::new(name).expect("a department");
    let credentials = Credentials::load(site.path().join("pki"), &department("operator")).expect("a certificate");
    let address = format!("https://localhost:{port}");
    let channel =
        DepartmentChannel::connect_lazy(&address, department("health"), credentials, &ChannelConfig::default())
            .expect("a channel");
    let mut client = InstitutionServiceClient::new(channel);
    let began = Instant::now();
    let question = pb::ListInstitutionsRequest { area: "540000".to_owned(), ..Default::default() };
    let page = loop {
        assert_eq!(process.0.try_wait().expect("a child can be asked"), None, "it ended before it served");
        match client.list_institutions(question.clone()).await {
            Ok(page) => break page.into_inner(),
            Err(status) => assert!(began.elapsed() < START, "it does not serve: {status}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(page.institutions.is_empty());

    let told = Command::new("kill").args(["-TERM", &process.0.id().to_string()]).status().expect("kill runs");
    assert!(told.success());
    assert!(process.0.wait().expect("it ends").success());
}
