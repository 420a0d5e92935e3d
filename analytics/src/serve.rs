//! Serves [`AttainmentRpc`] beside a schedule: the newest report, for machines.
//!
//! As every process of the suite: mutual TLS, health, reflection, deadlines, access policies, and a stop in order. It
//! keeps no records, so it has no database, and what it answers was computed and written by somebody else.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use minsheng_kit::access::AccessPolicies;
use minsheng_kit::config::{ConfigError, ServiceConfig};
use minsheng_kit::error::Error;
use minsheng_kit::identity::Department;
use minsheng_kit::keys::Keys;
use minsheng_kit::pki::Credentials;
use minsheng_kit::server::{Server, reload_credentials};
use minsheng_proto::analytics::v1::attainment_service_server::AttainmentServiceServer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService as _;
use tonic::service::Routes;

use crate::attainment_service::AttainmentRpc;
use crate::schedule::RunBoard;

/// The department whose certificate and keys the process has.
pub const DEPARTMENT: &str = "analytics";

/// The variables of which one must be there for anything to be served; see [`minsheng_kit::config`].
const ASKED_BY: [&str; 2] = ["MINSHENG_LISTEN", "MINSHENG_CONFIG"];

/// The variable that a department's service cannot do without, and this one has no use for.
const DATABASE: &str = "MINSHENG_DATABASE_URL";

/// Reads what the server is told, by the variables and the file of a department's service; none where neither an address
/// nor a file is given: then nothing is served.
pub fn configuration(mut variables: BTreeMap<String, String>) -> Result<Option<ServiceConfig>, ConfigError> {
    let given = |name: &&str| variables.get(*name).is_some_and(|value| !value.trim().is_empty());
    if !ASKED_BY.iter().any(given) {
        return Ok(None);
    }
    // Nobody opens it.
    variables.insert(DATABASE.to_owned(), "sqlite:none".to_owned());
    let department = Department::new(DEPARTMENT).expect("it is one of the names that certificates have");
    ServiceConfig::from_environment(&department, variables).map(Some)
}

/// A server that has its listener; nothing is served yet.
pub struct Ready {
    server: Server,
    listener: TcpListener,
    credentials: Arc<Credentials>,
    credentials_interval: Duration,
}

/// Puts the server over a schedule's directory of reports together, and binds its port.
///
/// Runs that are asked for are put on the schedule's board.
pub async fn prepare(config: ServiceConfig, reports: PathBuf, board: RunBoard) -> Result<Ready, Error> {
    let (listen, credentials_interval) = (config.listen, config.intervals.credentials);
    // Certificates, keys and policies are files.
    let built = tokio::task::spawn_blocking(move || build(config, reports, board)).await.map_err(Error::internal)?;
    let (server, credentials) = built?;
    let listener = TcpListener::bind(listen).await.map_err(Error::internal)?;
    Ok(Ready { server, listener, credentials, credentials_interval })
}

fn build(config: ServiceConfig, reports: PathBuf, board: RunBoard) -> Result<(Server, Arc<Credentials>), Error> {
    let credentials = Credentials::load(&config.pki, &config.department).map_err(Error::internal)?;
    let access = match &config.policies {
        Some(directory) => AccessPolicies::from_dir(directory),
        None => AccessPolicies::embedded(),
    };
    let keys = Keys::open_or_create(&config.keys, config.department.as_str())?;
    let service = AttainmentRpc::new(reports, Arc::new(keys), board).into_service();
    let server = Server::builder(Arc::clone(&credentials), Arc::new(access.map_err(Error::internal)?))
        .config(config.server)
        .routes(Routes::new(service))
        .descriptors(minsheng_proto::DESCRIPTOR_BYTES)
        .service_names([AttainmentServiceServer::<AttainmentRpc>::NAME])
        .build()
        .map_err(Error::internal)?;
    Ok((server, credentials))
}

impl Ready {
    /// Returns the address that it listens on.
    pub fn address(&self) -> Result<SocketAddr, Error> {
        self.listener.local_addr().map_err(Error::internal)
    }

    /// Serves until the shutdown resolves and the calls under way are done.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let stop = CancellationToken::new();
        let reload = tokio::spawn(reload_credentials(self.credentials, self.credentials_interval, stop.clone()));
        let served = self.server.serve(self.listener, shutdown).await.map_err(Error::internal);
        stop.cancel();
        let _ = reload.await;
        served
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<ServiceConfig>, ConfigError> {
        configuration(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn nothing_is_served_where_no_address_is_given() {
        assert_eq!(read(&[("MINSHENG_PKI_DIR", "pki"), ("MINSHENG_LISTEN", " ")]), Ok(None));
    }

    #[test]
    fn it_is_told_what_a_departments_service_is_told_but_for_the_database() {
        let told = read(&[
            ("MINSHENG_LISTEN", "0.0.0.0:7443"),
            ("MINSHENG_PKI_DIR", "pki"),
            ("MINSHENG_KEYS_DIR", "keys"),
            ("MINSHENG_LIMIT_DRAIN", "1s"),
        ]);
        let config = told.unwrap().unwrap();
        assert_eq!((config.listen.port(), config.server.drain), (7443, Duration::from_secs(1)));
        assert_eq!(config.department.as_str(), DEPARTMENT);
        let faults = read(&[("MINSHENG_LISTEN", "7443")]).unwrap_err().faults;
        let places: Vec<_> = faults.iter().map(|fault| fault.place.as_str()).collect();
        assert_eq!(places, ["MINSHENG_LISTEN", "MINSHENG_PKI_DIR", "MINSHENG_KEYS_DIR"]);
    }
}
