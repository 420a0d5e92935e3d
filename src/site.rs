//! Where the services are: those of a data directory, started in this process, or those that run elsewhere.
//!
//! Either way they are asked over mutual TLS, as an operator or as analytics.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
};

use minsheng_analytics::signed::Signer;
use minsheng_kit::{
    access::AccessPolicies,
    assembly::Definition,
    clients::{ChannelConfig, DepartmentChannel},
    identity::Department,
    launch::{self, Launch},
    pki::{Authority, Credentials, Subject},
    server::ServerConfig,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{error::Error, lang::Lang, said};

/// The four services.
pub static SERVICES: [&Definition; 4] = [
    &minsheng_social_security::DEFINITION,
    &minsheng_education::DEFINITION,
    &minsheng_health::DEFINITION,
    &minsheng_community::DEFINITION,
];

/// Who has a certificate in a data directory: the four, analytics, and the operator who loads files.
pub const DEPARTMENTS: [&str; 6] = ["social-security", "education", "health", "community", "analytics", "operator"];

/// Finds a service by its department.
pub fn service(department: &str) -> Option<&'static Definition> {
    SERVICES.into_iter().find(|definition| definition.department == department)
}

/// Returns the message that there is no such service, with those there are.
pub fn unknown_service(name: &str, lang: Lang) -> String {
    let known = SERVICES.map(|definition| definition.department).join(", ");
    said!(lang, "没有服务 {name}；可用：{known}", "there is no service {name}; there are: {known}")
}

/// Addresses of services, and the certificates with which they are asked.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Directory of the certificates.
    pub pki: PathBuf,
    /// `https://HOST:PORT` by department.
    pub addresses: BTreeMap<String, String>,
}

impl Endpoints {
    /// Reports whether the environment names any.
    pub fn in_environment() -> bool {
        std::env::var_os("MINSHENG_PKI_DIR").is_some()
    }

    /// Reads them from the environment: `MINSHENG_PKI_DIR` and `MINSHENG_UPSTREAM_<DEPARTMENT>`.
    pub fn from_environment() -> Result<Self, Error> {
        let pki = std::env::var_os("MINSHENG_PKI_DIR").map(PathBuf::from).ok_or(Error::NoServices)?;
        let addresses = SERVICES
            .into_iter()
            .filter_map(|definition| {
                let name = definition.department.to_uppercase().replace('-', "_");
                let address = std::env::var(format!("MINSHENG_UPSTREAM_{name}")).ok()?;
                Some((definition.department.to_owned(), address))
            })
            .collect();
        Ok(Self { pki, addresses })
    }

    /// Returns the key by which a department signs what it writes.
    pub fn signer(&self, department: &str) -> Result<Signer, Error> {
        Ok(Signer { pki: self.pki.clone(), department: Department::new(department).map_err(certificates)? })
    }

    /// Opens a channel to a department's service, as `caller`.
    pub fn channel(&self, caller: &str, department: &str) -> Result<DepartmentChannel, Error> {
        let address = self.addresses.get(department).ok_or_else(|| Error::NoAddress(department.to_owned()))?;
        let caller = Department::new(caller).map_err(certificates)?;
        let provider = Department::new(department).map_err(certificates)?;
        let credentials = Credentials::load(&self.pki, &caller).map_err(certificates)?;
        DepartmentChannel::connect_lazy(address, provider, credentials, &ChannelConfig::default())
            .map_err(|error| Error::Service { department: department.to_owned(), source: Box::new(error) })
    }
}

fn certificates(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Certificates(Box::new(error))
}

/// Makes a development authority and a certificate for each department; returns those that were issued now.
pub fn issue_certificates(directory: &Path, departments: &[String]) -> Result<Vec<String>, Error> {
    let authority = Authority::create_or_open(directory).map_err(certificates)?;
    let mut issued = Vec::new();
    for name in departments {
        let department = Department::new(name).map_err(certificates)?;
        let subject = Subject::localhost().with_dns_name(name);
        if authority.issue(&department, &subject).map_err(certificates)? {
            issued.push(name.clone());
        }
    }
    Ok(issued)
}

/// A service that runs in this process.
struct Running {
    department: &'static str,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), minsheng_kit::error::Error>>,
}

/// Where services that are kept running say their addresses, in the data directory.
const ADDRESSES: &str = "services.json";

/// What is in every data directory before any record is.
const AUTHORITY: &str = "pki/ca.pem";

/// The four services of a data directory, running in this process on ports that the system gave, or in another one that
/// keeps them running.
pub struct Site {
    directory: PathBuf,
    endpoints: Endpoints,
    running: Vec<Running>,
    announced: bool,
}

/// Reports whether a process has the records of a directory open: each SQLite file has a lock beside it.
fn in_use(directory: &Path) -> bool {
    SERVICES.iter().any(|definition| {
        File::open(directory.join(format!("{}.lock", definition.department)))
            .is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
    })
}

/// Reports whether a service has kept records in a directory.
pub fn holds_records(directory: &Path) -> bool {
    SERVICES.iter().any(|definition| directory.join(format!("{}.db", definition.department)).exists())
}

impl Site {
    /// Uses the services that another process keeps running on the directory, as `demo --serve` does; otherwise starts
    /// them. A directory in which nothing was ever begun is refused: its name is sooner mistyped than meant, and four
    /// empty registers would agree with an empty lake.
    pub async fn open(directory: &Path) -> Result<Self, Error> {
        let announced = fs::read(directory.join(ADDRESSES)).ok();
        match announced.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            Some(addresses) if in_use(directory) => {
                let endpoints = Endpoints { pki: directory.join("pki"), addresses };
                Ok(Self { directory: directory.to_owned(), endpoints, running: Vec::new(), announced: false })
            }
            _ if directory.join(AUTHORITY).exists() || holds_records(directory) => Self::start(directory).await,
            _ => Err(Error::NoData(directory.to_owned())),
        }
    }

    /// Starts them; what is missing in the directory is made.
    pub async fn start(directory: &Path) -> Result<Self, Error> {
        if in_use(directory) {
            return Err(Error::InUse(directory.to_owned()));
        }
        let pki = directory.join("pki");
        fs::create_dir_all(directory).map_err(Error::file(directory))?;
        issue_certificates(&pki, &DEPARTMENTS.map(str::to_owned))?;
        let failed = |department: &'static str| {
            move |error: minsheng_kit::error::Error| Error::Service {
                department: department.to_owned(),
                source: Box::new(error),
            }
        };
        let access = Arc::new(AccessPolicies::embedded().map_err(certificates)?);
        let catalogue = crate::catalogue::own()?;
        let mut listeners = Vec::new();
        let mut addresses = BTreeMap::new();
        for definition in SERVICES {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(Error::internal)?;
            let port = listener.local_addr().map_err(Error::internal)?.port();
            addresses.insert(definition.department.to_owned(), format!("https://localhost:{port}"));
            listeners.push((definition, listener));
        }
        let mut running = Vec::new();
        for (definition, listener) in listeners {
            let name = definition.department;
            let database = format!("sqlite:{}", directory.join(format!("{name}.db")).display());
            let mut launch = Launch::new(definition, database, directory.join("keys"), &pki).map_err(failed(name))?;
            launch.access = Arc::clone(&access);
            launch.catalogue = catalogue;
            launch.server = ServerConfig::default().without_notice();
            for (department, address) in addresses.iter().filter(|(department, _)| *department != name) {
                launch.upstreams.push((Department::new(department).map_err(certificates)?, address.clone()));
            }
            let ready = launch::prepare(definition, launch).await.map_err(failed(name))?;
            let (stop, stopped) = oneshot::channel();
            let served = tokio::spawn(ready.serve(listener, async {
                let _ = stopped.await;
            }));
            running.push(Running { department: name, stop, served });
        }
        let endpoints = Endpoints { pki, addresses };
        Ok(Self { directory: directory.to_owned(), endpoints, running, announced: false })
    }

    /// Lets other commands find the services while they run.
    pub fn announce(&mut self) -> Result<(), Error> {
        let path = self.directory.join(ADDRESSES);
        let text = serde_json::to_string_pretty(&self.endpoints.addresses).map_err(Error::internal)?;
        fs::write(&path, text + "\n").map_err(Error::file(path))?;
        self.announced = true;
        Ok(())
    }

    /// Returns the data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the addresses.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Stops all services that this process started, in order, and waits until their stores are closed.
    pub async fn stop(self) -> Result<(), Error> {
        if self.announced {
            let path = self.directory.join(ADDRESSES);
            fs::remove_file(&path).map_err(Error::file(path))?;
        }
        for service in self.running {
            let _ = service.stop.send(());
            let failed = |source| Error::Service { department: service.department.to_owned(), source };
            match service.served.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(failed(Box::new(error))),
                Err(error) => return Err(failed(Box::new(error))),
            }
        }
        Ok(())
    }
}
