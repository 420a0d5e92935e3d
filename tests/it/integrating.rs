//! The client of `docs/INTEGRATING.md`: made of the published contracts by stock tools, run against a service.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use minsheng_testkit::{TestDatabase, TestSite};

use crate::support::{Process, endpoints, environment, free_port, minsheng};

const PACKAGES: [&str; 4] = ["grpcio", "grpcio-tools", "grpcio-reflection", "googleapis-common-protos"];

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Returns a Python that has the packages, installed once and kept below the build's directory; none where there is no
/// Python, or no index to install from.
fn python() -> Option<PathBuf> {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("integrating-venv");
    let python = kept.join("bin/python");
    let imports = "import grpc, grpc_tools, grpc_reflection, google.rpc.error_details_pb2";
    let has = |python: &Path| {
        let tried = Command::new(python).args(["-c", imports]).output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    if has(&python) {
        return Some(python);
    }
    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&kept).output();
    if !made.is_ok_and(|made| made.status.success()) {
        eprintln!("SKIP: there is no python3 with venv here");
        return None;
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "20"];
    let installed = run(Command::new(&python).args(pip).args(PACKAGES));
    if installed.status.success() {
        return Some(python);
    }
    let said = text(&installed);
    // What pip says of an index that it cannot reach, or that is closed to it.
    let unreachable = ["ConnectionError", "NewConnectionError", "Could not find a version", "ProxyError", "timed out"];
    assert!(unreachable.iter().any(|words| said.contains(words)), "{said}");
    eprintln!("SKIP: pip reaches no index for {PACKAGES:?}");
    None
}

#[tokio::test]
async fn the_documented_client_is_made_from_the_contracts_and_does_what_it_shows() {
    let Some(python) = python() else { return };
    let site = TestSite::new().expect("certificates");
    let (code, ..) = minsheng(site.path(), &["contracts", "--out", "contracts"]);
    assert_eq!(code, 0);
    std::fs::create_dir(site.path().join("stubs")).expect("a directory");
    let compile = "python=$1; exec \"$python\" -m grpc_tools.protoc -I contracts --python_out=stubs \
                   --grpc_python_out=stubs $(find contracts -name '*.proto')";
    let compiled = run(Command::new("sh").args(["-c", compile, "sh"]).arg(&python).current_dir(site.path()));
    assert!(compiled.status.success(), "{}", text(&compiled));

    let port = free_port();
    let database = site.database(TestDatabase::Sqlite, "health").expect("a database");
    let mut service = Process::start("health", &environment(site.path(), &database, port));
    service.serving(&endpoints(site.path(), "health", port)).await;
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/integrating/client.py");
    let client = run(Command::new(&python)
        .arg(client)
        .arg(format!("localhost:{port}"))
        .arg(site.path().join("pki"))
        .env("PYTHONPATH", site.path().join("stubs"))
        .env("PYTHONIOENCODING", "utf-8"));
    let said = text(&client);
    assert!(client.status.success(), "{said}");
    for expected in [
        "arrow.flight.protocol.FlightService",
        "refused: institution.area CONTRACT_RULE must be 6 digits, not \"5401\" / 须为 6 个数字，现为 \"5401\"",
        "refused: institution.title CONTRACT_RULE is required / 必填",
        "created: once",
        "etag: ABORTED, now v2",
        "updated: 2 True",
        "resumed: the same",
        "listed: 13 of 13",
        "commitments of health",
        "filed: ITEM_OUTCOME_CREATED returns/",
    ] {
        assert!(said.contains(expected), "{expected} is not in:\n{said}");
    }
    service.stop("TERM");
}
