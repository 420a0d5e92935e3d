//! The services that are measured: health and social security, in this process, over mutual TLS on loopback.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use chrono::{Days, NaiveDate};
use diesel::{Connection as _, PgConnection, RunQueryDsl as _};
use minsheng_kit::{
    access::AccessPolicies,
    assembly::Definition,
    clients::DepartmentChannel,
    launch::{self, Launch},
    server::ServerConfig,
    values::identifiers::ResidentId,
};
use minsheng_proto::{common::v1 as common, health::v1 as health, social_security::v1 as social_security};
use prost::Message;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use uuid::Uuid;

use crate::{
    error::Error,
    registers,
    site::{DEPARTMENTS, Endpoints, issue_certificates},
    upload::{CHUNK, Uploader},
};

/// County of all that is measured: Chengguan, Lhasa.
pub(super) const AREA: &str = "540102";
/// Item of the list that the questions are about.
pub(super) const ITEM: &str = "LAB-K";
/// Institutions that the questions are about.
pub(super) const INSTITUTIONS: usize = 500;
/// People that the questions are about.
pub(super) const PEOPLE: usize = 2_000;

/// Where the records are.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A file.
    Sqlite,
    /// Databases of their own in a cluster.
    Postgres(String),
}

impl Place {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}

/// A service under way: how to stop it, and how it ended.
type Running = (oneshot::Sender<()>, JoinHandle<Result<(), minsheng_kit::error::Error>>);

/// The services of one measurement.
pub(super) struct Site {
    pub(super) place: Place,
    directory: PathBuf,
    endpoints: Endpoints,
    databases: RefCell<Vec<String>>,
    running: Vec<Running>,
}

impl Site {
    /// Starts them and records what the questions are about.
    pub(super) async fn start(directory: &Path, place: Place) -> Result<Self, Error> {
        let directory = directory.join(place.name());
        let pki = directory.join("pki");
        std::fs::create_dir_all(&directory).map_err(Error::file(&directory))?;
        issue_certificates(&pki, &DEPARTMENTS.map(str::to_owned))?;
        let endpoints = Endpoints { pki, addresses: [].into() };
        let mut site = Self { place, directory, endpoints, databases: RefCell::default(), running: vec![] };
        let access = Arc::new(AccessPolicies::embedded().map_err(Error::internal)?);
        for definition in [&minsheng_health::DEFINITION, &minsheng_social_security::DEFINITION] {
            site.serve(definition, &access).await?;
        }
        site.record().await?;
        Ok(site)
    }

    async fn serve(&mut self, definition: &'static Definition, access: &Arc<AccessPolicies>) -> Result<(), Error> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(Error::internal)?;
        let port = listener.local_addr().map_err(Error::internal)?.port();
        let department = definition.department;
        let failed = |error| Error::Service { department: department.to_owned(), source: Box::new(error) };
        let url = self.spare(department)?;
        let keys = self.directory.join("keys");
        let mut launch = Launch::new(definition, url, keys, &self.endpoints.pki).map_err(failed)?;
        launch.access = Arc::clone(access);
        launch.server = ServerConfig::default().without_notice();
        let ready = launch::prepare(definition, launch).await.map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(ready.serve(listener, async {
            let _ = stopped.await;
        }));
        self.endpoints.addresses.insert(department.to_owned(), format!("https://localhost:{port}"));
        self.running.push((stop, served));
        Ok(())
    }

    /// Makes an empty database of the place's kind and gives its URL.
    pub(super) fn spare(&self, name: &str) -> Result<String, Error> {
        if let Place::Postgres(cluster) = &self.place {
            let database = database_name(name);
            in_cluster(cluster, &format!("CREATE DATABASE {database}"))?;
            self.databases.borrow_mut().push(database);
        }
        Ok(self.url(name))
    }

    /// Returns the URL of a database that was made.
    pub(super) fn url(&self, name: &str) -> String {
        match &self.place {
            Place::Sqlite => format!("sqlite:{}", self.directory.join(format!("{name}.db")).display()),
            Place::Postgres(cluster) => format!("{cluster}/{}", database_name(name)),
        }
    }

    /// Opens a channel to a service as a department.
    pub(super) fn channel(&self, caller: &str, department: &str) -> Result<DepartmentChannel, Error> {
        self.endpoints.channel(caller, department)
    }

    /// Uploads records of one register in chunks; all of them must be new.
    pub(super) async fn upload(&self, department: &str, register: &str, records: Vec<Bytes>) -> Result<(), Error> {
        let channel = self.channel("operator", department)?;
        let uploader = Uploader::new(channel, registers::find(register)?, Uuid::new_v4());
        let number = records.len();
        let chunks: Vec<Vec<Bytes>> = records.chunks(CHUNK).map(<[Bytes]>::to_vec).collect();
        let mut created = 0;
        let sent = uploader.send(0, futures::stream::iter(chunks), |answer| {
            created += answer.results.iter().filter(|result| result.outcome() == common::ItemOutcome::Created).count();
        });
        sent.await.map_err(Error::internal)?;
        if created == number {
            Ok(())
        } else {
            Err(Error::internal(format!("{} of {number} {register} were refused", number - created)))
        }
    }

    /// Records what the questions are about.
    async fn record(&self) -> Result<(), Error> {
        let institutions = (0..INSTITUTIONS).map(|number| encoded(&institution(&format!("h{number}"))));
        self.upload("health", "institutions", institutions.collect()).await?;
        let items = minsheng_health::seed_items();
        self.upload("health", "recognition_items", items.iter().map(encoded).collect()).await?;
        let certificates = (0..INSTITUTIONS).map(|number| {
            encoded(&health::QualityCertificate {
                name: format!("quality_certificates/q{number}"),
                area: AREA.to_owned(),
                institution: format!("institutions/h{number}"),
                item_code: ITEM.to_owned(),
                scope: health::RecognitionScope::Region.into(),
                quality_body: "西藏自治区临床检验中心".to_owned(),
                round: "2025-1".to_owned(),
                passed: true,
                valid_from: Some(date(2025, 1, 1)),
                valid_to: Some(date(2025, 12, 31)),
                ..health::QualityCertificate::default()
            })
        });
        self.upload("health", "quality_certificates", certificates.collect()).await?;
        let enrolments = (0..PEOPLE).map(|number| {
            encoded(&social_security::Enrolment {
                name: format!("enrolments/e{number}"),
                area: AREA.to_owned(),
                resident_id: resident(number),
                scheme: social_security::Scheme::ResidentMedical.into(),
                entry_kind: social_security::EntryKind::ResidencePermit.into(),
                registration_area: "510104".to_owned(),
                applied_on: Some(date(2025, 3, 3)),
                decision: social_security::EnrolmentDecision::Admitted.into(),
                decided_on: Some(date(2025, 3, 7)),
                covered_from: Some(date(2025, 4, 1)),
                covered_to: Some(date(2025, 12, 31)),
                premium_payer: social_security::PremiumPayer::Self_.into(),
                yearly_contribution_fen: 40_000,
                ..social_security::Enrolment::default()
            })
        });
        self.upload("social-security", "enrolments", enrolments.collect()).await
    }

    /// Stops the services and removes what a cluster keeps.
    pub(super) async fn stop(self) -> Result<(), Error> {
        for (stop, served) in self.running {
            let _ = stop.send(());
            served.await.map_err(Error::internal)?.map_err(Error::internal)?;
        }
        if let Place::Postgres(cluster) = &self.place {
            for database in self.databases.take() {
                in_cluster(cluster, &format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"))?;
            }
        }
        Ok(())
    }
}

fn database_name(name: &str) -> String {
    format!("bench_{}_{}", std::process::id(), name.replace('-', "_"))
}

fn in_cluster(cluster: &str, statement: &str) -> Result<(), Error> {
    let mut connection = PgConnection::establish(&format!("{cluster}/postgres")).map_err(Error::internal)?;
    diesel::sql_query(statement).execute(&mut connection).map_err(Error::internal)?;
    Ok(())
}

/// Makes an institution that is named by its id.
pub(super) fn institution(id: &str) -> health::Institution {
    health::Institution {
        name: format!("institutions/{id}"),
        area: AREA.to_owned(),
        title: format!("演示卫生院{id}"),
        institution_class: health::InstitutionClass::TownshipHealthCentre.into(),
        public: true,
        operating_from: Some(date(2020, 1, 1)),
        ..health::Institution::default()
    }
}

/// Returns the identity number of an invented person, by number.
pub(super) fn resident(number: usize) -> String {
    let born = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap_or_default()
        + Days::new(u64::try_from(number / 500).unwrap_or_default());
    let sequence = u16::try_from(number % 500).unwrap_or_default();
    ResidentId::synthetic(born, sequence).map(|id| id.expose().to_owned()).unwrap_or_default()
}

pub(super) fn date(year: i32, month: i32, day: i32) -> common::Date {
    common::Date { year, month, day }
}

pub(super) fn encoded(message: &impl Message) -> Bytes {
    Bytes::from(message.encode_to_vec())
}
