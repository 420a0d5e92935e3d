//! How configurations are read and refused.

use std::io::Write as _;

use super::*;

fn health() -> Department {
    Department::new("health").expect("a sound name")
}

const SOUND: [(&str, &str); 3] = [
    ("MINSHENG_DATABASE_URL", "sqlite:/data/health.sqlite"),
    ("MINSHENG_PKI_DIR", "/data/pki"),
    ("MINSHENG_KEYS_DIR", "/data/keys"),
];

fn read(variables: &[(&str, &str)]) -> Result<ServiceConfig, ConfigError> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    ServiceConfig::from_environment(&health(), variables)
}

fn faults(variables: &[(&str, &str)]) -> Vec<String> {
    let error = read(&[&SOUND, variables].concat()).expect_err("faults");
    error.faults.iter().map(ToString::to_string).collect()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("written");
    file
}

#[test]
fn three_settings_are_needed_and_the_rest_has_defaults() {
    let config = read(&SOUND).expect("sound");
    assert_eq!(config.listen.to_string(), "127.0.0.1:7443");
    assert_eq!(config.server, ServerConfig::default());
    assert_eq!(config.telemetry, TelemetryConfig::new("minsheng-health"));
    assert!(config.upstreams.is_empty());
    let error = read(&[]).expect_err("nothing is set");
    let places: Vec<_> = error.faults.iter().map(|fault| fault.place.as_str()).collect();
    assert_eq!(places, ["MINSHENG_DATABASE_URL", "MINSHENG_PKI_DIR", "MINSHENG_KEYS_DIR"]);
}

#[test]
fn a_catalogue_of_the_operator_s_own_is_checked_with_file_and_line_before_anything_starts() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("a path");
    let own = [("MINSHENG_CATALOGUE_DIR", path)];
    let empty = faults(&own);
    assert!(empty[0].starts_with("MINSHENG_CATALOGUE_DIR: there is no *.toml file in "), "{empty:?}");
    let entry = concat!(
        "[[commitment]]\nid = \"own\"\narticle = 3\nservice = \"health\"\nleads = []\ntitle_zh = \"甲\"\n",
        "title_en = \"A\"\nkind = \"count\"\nbasis = \"trend\"\ndirection = \"rising\"\nunit = \"points\"\nunit_zh = \"个\"\n",
        "source = \"returns\"\ntext_zh = \"甲\"\ntext_en = \"A\"\n\n",
        "[[commitment.measures]]\nname = \"primary\"\nform = \"figure\"\ndataset = \"health.returns\"\n",
    );
    fs::write(directory.path().join("own.toml"), entry).expect("written");
    let config = read(&[&SOUND[..], &own].concat()).expect("sound");
    assert_eq!(config.catalogue.as_deref(), Some(directory.path()));
    fs::write(directory.path().join("own.toml"), entry.replace("article = 3", "article = 13")).expect("written");
    let wrong = faults(&own);
    assert!(wrong[0].contains("own.toml:3: the notice has articles 1 to 10"), "{wrong:?}");
}

#[test]
fn upstreams_limits_and_telemetry_are_read_from_variables() {
    let own = [
        ("MINSHENG_LISTEN", "0.0.0.0:9000"),
        ("MINSHENG_UPSTREAM_SOCIAL_SECURITY", "https://social-security:7443"),
        ("MINSHENG_LIMIT_CONCURRENT_CALLS", "2_000"),
        ("MINSHENG_LIMIT_DRAIN", "1500ms"),
        ("MINSHENG_INTERVAL_SETTLE", "50ms"),
        ("MINSHENG_LIMIT_LONGEST_DEADLINE", "1h"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"),
        ("MINSHENG_POLICIES_DIR", ""),
    ];
    let config = read(&[&SOUND[..], &own].concat()).expect("sound");
    assert_eq!(config.listen.port(), 9000);
    let upstreams: Vec<_> = config.upstreams.iter().map(|(d, a)| (d.as_str(), a.as_str())).collect();
    assert_eq!(upstreams, [("social-security", "https://social-security:7443")]);
    assert_eq!(config.intervals, Intervals { settle: Duration::from_millis(50), ..Intervals::default() });
    assert_eq!(faults(&[("MINSHENG_INTERVAL_PARAMETERS", "0s")]), ["MINSHENG_INTERVAL_PARAMETERS: must be above 0"]);
    assert_eq!(config.server.concurrent_calls, 2_000);
    assert_eq!(config.server.drain, Duration::from_millis(1_500));
    assert_eq!(config.server.longest_deadline, Duration::from_hours(1));
    assert_eq!(config.telemetry.export.traces.as_deref(), Some("http://collector:4317"));
    assert_eq!(config.policies, None);
}

#[test]
fn a_variable_goes_before_the_file() {
    let file = file(
        "listen = '127.0.0.1:1'\ndatabase_url = 'postgres://u:secret@db/health'\npki_dir = '/pki'\nkeys_dir = '/keys'\n\
         [upstreams]\nsocial-security = 'https://s:1'\n[limits]\nconcurrent_calls = 7\nnotice = '0s'\n\
         [log]\nformat = 'json'\n",
    );
    let path = file.path().display().to_string();
    let config = read(&[("MINSHENG_CONFIG", &path), ("MINSHENG_LISTEN", "127.0.0.1:2")]).expect("sound");
    assert_eq!(config.listen.port(), 2);
    assert_eq!(config.database.as_str(), "postgres://u:secret@db/health");
    assert_eq!((config.server.concurrent_calls, config.server.notice), (7, Duration::ZERO));
    assert_eq!(config.upstreams.len(), 1);
    assert_eq!(config.telemetry.log_format, crate::telemetry::LogFormat::Json);
    assert!(!format!("{config:?}").contains("secret"));
}

#[test]
fn every_fault_is_named_by_its_variable() {
    let all = faults(&[
        ("MINSHENG_LISTEN", "everywhere"),
        ("MINSHENG_UPSTREAM_HEALTH", "http://plain:1"),
        ("MINSHENG_LIMIT_DRAIN", "soon"),
        ("MINSHENG_LIMIT_CONNECTIONS", "0"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "smoke"),
    ]);
    assert_eq!(
        all,
        [
            "MINSHENG_LISTEN: `everywhere` is not an address and port such as 0.0.0.0:7443",
            "MINSHENG_UPSTREAM_HEALTH: `http://plain:1` is not of the form https://HOST:PORT",
            "MINSHENG_LIMIT_CONNECTIONS: `0` is not a whole number above 0",
            "MINSHENG_LIMIT_DRAIN: `soon` is not a time such as 250ms, 30s, 15m or 1h",
            "OTEL_EXPORTER_OTLP_PROTOCOL: `smoke` is not `grpc` or `http/protobuf`",
        ]
    );
    let error = read(&[("MINSHENG_DATABASE_URL", "mysql://u:secret@db/x")]).expect_err("not a database of ours");
    assert_eq!(error.faults[0].to_string(), "MINSHENG_DATABASE_URL: must be sqlite:PATH or postgres://…");
}

#[test]
fn every_fault_of_a_file_is_named_by_its_line() {
    let file = file("listen = 'x'\n\n[limits]\ndrain = 5\nnonsense = 1\nnotice = true\n[log]\nformat = 'xml'\n");
    let path = file.path().display().to_string();
    let mut all = faults(&[("MINSHENG_CONFIG", &path)]);
    all.sort();
    let expected = [
        "1: `x` is not an address and port such as 0.0.0.0:7443",
        "4: `5` is not a time such as 250ms, 30s, 15m or 1h",
        "5: there is no setting `limits.nonsense`",
        "6: limits.notice is a boolean; only strings, whole numbers and tables are read",
        "8: `xml` is not `text` or `json`",
    ];
    assert_eq!(all, expected.map(|fault| format!("{path}:{fault}")));
}

#[test]
fn a_file_that_is_no_toml_or_not_there_is_named() {
    let broken = file("listen = '127.0.0.1:1'\npki_dir = \n");
    let path = broken.path().display().to_string();
    let all = faults(&[("MINSHENG_CONFIG", &path)]);
    assert!(all[0].starts_with(&format!("{path}:2: ")), "{all:?}");
    let all = faults(&[("MINSHENG_CONFIG", "/nowhere/config.toml")]);
    assert!(all[0].starts_with("MINSHENG_CONFIG: cannot read /nowhere/config.toml"), "{all:?}");
}
