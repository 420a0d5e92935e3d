//! What a service's process is told, by environment variables and an optional file.
//!
//! The file is TOML and named by `MINSHENG_CONFIG`; a variable goes before the file's key. Everything is read and
//! checked before a port is bound or a directory touched, and every fault is reported at once, each with the variable,
//! or the file and line, that it stands in.
//!
//! | variable | key | meaning |
//! |---|---|---|
//! | `MINSHENG_LISTEN` | `listen` | address and port to serve on; 127.0.0.1:7443 if absent |
//! | `MINSHENG_DATABASE_URL` | `database_url` | `sqlite:PATH` or `postgres://…` |
//! | `MINSHENG_PKI_DIR` | `pki_dir` | directory of `ca.pem` and `DEPARTMENT/{cert,key}.pem` |
//! | `MINSHENG_KEYS_DIR` | `keys_dir` | directory of the department's secrets |
//! | `MINSHENG_POLICIES_DIR` | `policies_dir` | access policies instead of those of the build; optional |
//! | `MINSHENG_CATALOGUE_DIR` | `catalogue_dir` | the catalogue of commitments instead of that of the build; optional |
//! | `MINSHENG_TLS_SERVER_NAME` | `tls_server_name` | name that others' certificates are good for; else the host asked |
//! | `MINSHENG_UPSTREAM_SOCIAL_SECURITY`, … | `upstreams.social-security`, … | addresses of other departments |
//! | `MINSHENG_LIMIT_DRAIN`, … | `limits.drain`, … | see [`ServerConfig`]; times as `250ms`, `30s`, `15m`, `1h` |
//! | `MINSHENG_INTERVAL_SETTLE`, … | `intervals.settle`, … | see [`Intervals`] |
//! | `MINSHENG_LOG`, `MINSHENG_LOG_FORMAT` | `log.filter`, `log.format` | what is logged and how |
//! | `OTEL_EXPORTER_OTLP_ENDPOINT`, `…_PROTOCOL` | `telemetry.endpoint`, `telemetry.protocol` | the collector |

mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use minsheng_catalogue::Catalogue;
use thiserror::Error;

use crate::assembly::Intervals;
use crate::identity::Department;
use crate::server::ServerConfig;
use crate::telemetry::TelemetryConfig;
use settings::Settings;

/// The exit code of a process whose configuration cannot be used (`EX_USAGE` of BSD's sysexits).
pub const EXIT_BAD_CONFIGURATION: u8 = 64;

/// The variable that names the file.
const FILE: &str = "MINSHENG_CONFIG";
/// What the names of variables for upstreams begin with.
const UPSTREAM: &str = "MINSHENG_UPSTREAM_";

/// A configuration that cannot be used: everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct ConfigError {
    /// The faults, in the order of the settings.
    pub faults: Vec<Fault>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used")?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: the name of a variable, or a file and line.
    pub place: String,
    /// What.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// Where a service keeps its records. Printed without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Returns the address, its password included.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.split_once("://"), self.0.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, place))) => write!(f, "{scheme}://…@{place}"),
            _ => f.write_str(&self.0),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sqlite = text.strip_prefix("sqlite:").is_some_and(|path| !path.is_empty());
        let postgres =
            ["postgres://", "postgresql://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
        // The value is not repeated: it may hold a password.
        if sqlite || postgres { Ok(Self(text.to_owned())) } else { Err("must be sqlite:PATH or postgres://…") }
    }
}

/// What a department's service is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceConfig {
    /// The department whose service it is.
    pub department: Department,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where the records are.
    pub database: DatabaseUrl,
    /// Where the certificates are.
    pub pki: PathBuf,
    /// Where the department's secrets are.
    pub keys: PathBuf,
    /// Whether the database may be empty though the secrets are there.
    pub new_database: bool,
    /// Where the access policies are, if not those of the build.
    pub policies: Option<PathBuf>,
    /// Where the catalogue of commitments is, if not that of the build.
    pub catalogue: Option<PathBuf>,
    /// The name that other departments' certificates are good for, if not the host of their address.
    pub tls_server_name: Option<String>,
    /// The addresses of the departments that it may ask.
    pub upstreams: BTreeMap<Department, String>,
    /// Limits and times.
    pub server: ServerConfig,
    /// How often the service does what it does by itself.
    pub intervals: Intervals,
    /// Logs and export.
    pub telemetry: TelemetryConfig,
}

impl ServiceConfig {
    /// Reads the configuration of this process.
    pub fn load(department: &Department) -> Result<Self, ConfigError> {
        let named = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self::from_environment(department, std::env::vars_os().filter_map(named).collect())
    }

    /// Reads the configuration from these variables, and from the file that one of them may name.
    pub fn from_environment(department: &Department, variables: BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut settings = Settings::new(variables);
        if let Some(path) = settings.variable(FILE) {
            match fs::read_to_string(&path) {
                Ok(text) => settings.add_file(&path, &text),
                Err(error) => settings.fault(FILE, format!("cannot read {path}: {error}")),
            }
        }
        let listen = settings.read("MINSHENG_LISTEN", "listen", |text| {
            text.parse::<SocketAddr>().map_err(|_| format!("`{text}` is not an address and port such as 0.0.0.0:7443"))
        });
        let database = settings.require("MINSHENG_DATABASE_URL", "database_url", |text| {
            text.parse::<DatabaseUrl>().map_err(ToOwned::to_owned)
        });
        let pki = settings.require("MINSHENG_PKI_DIR", "pki_dir", |text| Ok(PathBuf::from(text)));
        let keys = settings.require("MINSHENG_KEYS_DIR", "keys_dir", |text| Ok(PathBuf::from(text)));
        let new_database = settings.read("MINSHENG_NEW_DATABASE", "new_database", |text| {
            text.parse::<bool>().map_err(|_| format!("`{text}` is neither true nor false"))
        });
        let policies = settings.read("MINSHENG_POLICIES_DIR", "policies_dir", |text| Ok(PathBuf::from(text)));
        let catalogue = settings.read("MINSHENG_CATALOGUE_DIR", "catalogue_dir", |text| {
            let directory = PathBuf::from(text);
            Catalogue::read(&directory).map(|_| directory).map_err(|error| error.to_string())
        });
        let tls_server_name = settings.read("MINSHENG_TLS_SERVER_NAME", "tls_server_name", |text| Ok(text.to_owned()));
        let upstreams = upstreams(&mut settings);
        let server = limits(&mut settings);
        let intervals = intervals(&mut settings);
        let telemetry = telemetry(&mut settings, department);
        let faults = settings.finish();
        match (database, pki, keys, telemetry) {
            (Some(database), Some(pki), Some(keys), Some(telemetry)) if faults.is_empty() => Ok(Self {
                department: department.clone(),
                listen: listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 7443).into()),
                database,
                pki,
                keys,
                new_database: new_database.unwrap_or_default(),
                policies,
                catalogue,
                tls_server_name,
                upstreams,
                server,
                intervals,
                telemetry,
            }),
            _ => Err(ConfigError { faults }),
        }
    }
}

fn upstreams(settings: &mut Settings) -> BTreeMap<Department, String> {
    let mut names: Vec<_> = settings
        .variables_with(UPSTREAM)
        .map(|name| name.to_ascii_lowercase().replace('_', "-"))
        .chain(settings.keys_with("upstreams.").map(ToOwned::to_owned))
        .collect();
    names.sort();
    names.dedup();
    let mut upstreams = BTreeMap::new();
    for name in names {
        let variable = format!("{UPSTREAM}{}", name.to_ascii_uppercase().replace('-', "_"));
        let read = settings.read(&variable, &format!("upstreams.{name}"), |text| {
            let department = Department::new(&name).map_err(|error| error.to_string())?;
            let https = text
                .parse::<http::Uri>()
                .is_ok_and(|uri| uri.scheme_str() == Some("https") && uri.host().is_some_and(|host| !host.is_empty()));
            if https {
                Ok((department, text.to_owned()))
            } else {
                Err(format!("`{text}` is not of the form https://HOST:PORT"))
            }
        });
        upstreams.extend(read);
    }
    upstreams
}

fn intervals(settings: &mut Settings) -> Intervals {
    let mut intervals = Intervals::default();
    for (name, interval) in [
        ("settle", &mut intervals.settle),
        ("parameters", &mut intervals.parameters),
        ("credentials", &mut intervals.credentials),
    ] {
        let variable = format!("MINSHENG_INTERVAL_{}", name.to_ascii_uppercase());
        let read = settings.read(&variable, &format!("intervals.{name}"), |text| {
            time(text).and_then(|time| if time.is_zero() { Err("must be above 0".to_owned()) } else { Ok(time) })
        });
        *interval = read.unwrap_or(*interval);
    }
    intervals
}

fn limits(settings: &mut Settings) -> ServerConfig {
    let mut limits = ServerConfig::default();
    macro_rules! limit {
        ($($field:ident: $parse:expr),* $(,)?) => {$(
            let name = stringify!($field);
            let variable = format!("MINSHENG_LIMIT_{}", name.to_ascii_uppercase());
            if let Some(value) = settings.read(&variable, &format!("limits.{name}"), $parse) {
                limits.$field = value;
            }
        )*};
    }
    limit! {
        concurrent_calls: positive,
        connections: positive,
        calls_per_caller: positive,
        streams_per_caller: positive,
        connections_per_caller: positive,
        questions_per_hour: whole,
        streams_per_connection: positive,
        header_bytes: positive,
        default_deadline: time,
        longest_deadline: time,
        stall: time,
        handshake: time,
        first_call: time,
        connection_age: time,
        connection_grace: time,
        keepalive: time,
        keepalive_timeout: time,
        notice: time,
        drain: time,
    }
    limits
}

fn telemetry(settings: &mut Settings, department: &Department) -> Option<TelemetryConfig> {
    // The file's keys take part as if they were the variables beside them.
    let keys = [
        ("MINSHENG_LOG", "log.filter"),
        ("MINSHENG_LOG_FORMAT", "log.format"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "telemetry.endpoint"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "telemetry.protocol"),
    ];
    let both = keys.map(|(variable, key)| (variable, settings.read(variable, key, |text| Ok(text.to_owned())), key));
    let lookup = |name: &str| match both.iter().find(|(variable, ..)| *variable == name) {
        Some((_, value, _)) => value.clone(),
        None => settings.variable(name),
    };
    match TelemetryConfig::from_environment(format!("minsheng-{department}"), lookup) {
        Ok(config) => Some(config),
        Err(error) => {
            let key = both.iter().find(|(variable, ..)| *variable == error.variable).map(|(.., key)| *key);
            let place = settings.place(error.variable, key.unwrap_or_default());
            settings.fault(place, format!("`{}` is not {}", error.value, error.wanted));
            None
        }
    }
}

fn whole(text: &str) -> Result<u32, String> {
    text.replace('_', "").parse().map_err(|_| format!("`{text}` is not a whole number"))
}

fn positive<T: FromStr + PartialEq + Default>(text: &str) -> Result<T, String> {
    let number = text.replace('_', "").parse::<T>().ok().filter(|number| *number != T::default());
    number.ok_or_else(|| format!("`{text}` is not a whole number above 0"))
}

/// Reads a time: a whole number and `ms`, `s`, `m` or `h`.
fn time(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let milliseconds = match &text[digits.len()..] {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let amount = digits.trim_end().parse::<u64>().ok();
    match (amount, milliseconds) {
        (Some(amount), Some(unit)) => Ok(Duration::from_millis(amount.saturating_mul(unit))),
        _ => Err(format!("`{text}` is not a time such as 250ms, 30s, 15m or 1h")),
    }
}
