//! Answers how far each commitment has come, for machines: over the newest report of a schedule.
//!
//! The report's own file is the source, so this service says what the page says, nothing that was withheld there, and
//! nothing that it would have to compute itself.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use chrono::{Datelike as _, NaiveDate};
use minsheng_kit::error::Error;
use minsheng_kit::keys::Keys;
use minsheng_kit::rpc::checked;
use minsheng_proto::analytics::v1 as pb;
use minsheng_proto::analytics::v1::attainment_service_server::{AttainmentService, AttainmentServiceServer};
use minsheng_proto::common::v1 as common;
use tonic::{Request, Response, Status as RpcStatus};

use crate::model::{AttainmentDocument, AttainmentEntry, REGION, Status};
use crate::schedule::newest_with;

/// The file of a report that this service reads.
const FILE_NAME: &str = "attainment.json";

/// Entries of a page when the caller asks for no number.
const PAGE_SIZE: usize = 100;

/// A report as it was read, and which file it was, its time and length then.
type Loaded = ((PathBuf, SystemTime, u64), Arc<AttainmentDocument>);

/// The service over a schedule's directory of reports.
pub struct AttainmentRpc {
    reports: PathBuf,
    keys: Arc<Keys>,
    loaded: Arc<Mutex<Option<Loaded>>>,
}

impl AttainmentRpc {
    /// Serves the newest of the reports below a directory; page tokens are made with the keys.
    pub fn new(reports: PathBuf, keys: Arc<Keys>) -> Self {
        Self { reports, keys, loaded: Arc::new(Mutex::new(None)) }
    }

    /// Makes the tonic service.
    pub fn into_service(self) -> AttainmentServiceServer<Self> {
        AttainmentServiceServer::new(self)
    }

    /// Returns the newest report, if it is the one for the day that was asked for.
    async fn document(&self, on: Option<common::Date>) -> Result<Arc<AttainmentDocument>, Error> {
        let (reports, loaded) = (self.reports.clone(), Arc::clone(&self.loaded));
        let document =
            tokio::task::spawn_blocking(move || load(&reports, &loaded)).await.map_err(Error::internal)??;
        if let Some(on) = on {
            let asked = u32::try_from(on.month).ok().zip(u32::try_from(on.day).ok());
            let asked = asked.and_then(|(month, day)| NaiveDate::from_ymd_opt(on.year, month, day));
            if asked != Some(document.on) {
                return Err(Error::NotFound(format!("a report on {:04}-{:02}-{:02}", on.year, on.month, on.day)));
            }
        }
        Ok(document)
    }

    fn page(
        &self,
        document: &AttainmentDocument,
        request: &pb::ListAttainmentsRequest,
    ) -> Result<pb::ListAttainmentsResponse, Error> {
        let scope = format!("attainments/{}/{}/{}", document.on, request.area, request.commitment);
        let begin: usize = if request.page_token.is_empty() {
            0
        } else {
            self.keys.read_page_token(&scope, &request.page_token)?.parse().map_err(Error::internal)?
        };
        let size = usize::try_from(request.page_size).ok().filter(|size| *size > 0).unwrap_or(PAGE_SIZE);
        let wanted = |entry: &&AttainmentEntry| {
            (request.area.is_empty() || entry.area == request.area)
                && (request.commitment.is_empty() || entry.id == request.commitment)
        };
        let mut found = document.commitments.iter().filter(wanted).skip(begin);
        let attainments: Vec<pb::Attainment> = found.by_ref().take(size).map(attainment).collect();
        let next_page_token = match found.next() {
            Some(_) => self.keys.page_token(&scope, &(begin + attainments.len()).to_string()),
            None => String::new(),
        };
        let as_of = prost_types::Timestamp {
            seconds: document.as_of.timestamp(),
            nanos: i32::try_from(document.as_of.timestamp_subsec_nanos()).unwrap_or_default(),
        };
        Ok(pb::ListAttainmentsResponse {
            on: Some(date(document.on)),
            as_of: Some(as_of),
            attainments,
            next_page_token,
        })
    }
}

/// Reads the report when there is a newer one, or its file has changed.
fn load(reports: &Path, loaded: &Mutex<Option<Loaded>>) -> Result<Arc<AttainmentDocument>, Error> {
    let missing = || Error::NotFound("a report".to_owned());
    let file = newest_with(reports, FILE_NAME).map_err(Error::internal)?.ok_or_else(missing)?;
    let metadata = std::fs::metadata(&file).map_err(|_| missing())?;
    let written = metadata.modified().map_err(Error::internal)?;
    let mut kept = loaded.lock().unwrap_or_else(PoisonError::into_inner);
    let found = (file, written, metadata.len());
    if let Some((_, document)) = kept.as_ref().filter(|(known, _)| *known == found) {
        return Ok(Arc::clone(document));
    }
    let bytes = std::fs::read(&found.0).map_err(|_| missing())?;
    let document: Arc<AttainmentDocument> = Arc::new(serde_json::from_slice(&bytes).map_err(Error::internal)?);
    *kept = Some((found, Arc::clone(&document)));
    Ok(document)
}

#[tonic::async_trait]
impl AttainmentService for AttainmentRpc {
    async fn list_attainments(
        &self,
        request: Request<pb::ListAttainmentsRequest>,
    ) -> Result<Response<pb::ListAttainmentsResponse>, RpcStatus> {
        let message = checked(request)?;
        let document = self.document(message.on).await?;
        Ok(Response::new(self.page(&document, &message)?))
    }

    async fn get_scoreboard(
        &self,
        request: Request<pb::GetScoreboardRequest>,
    ) -> Result<Response<pb::GetScoreboardResponse>, RpcStatus> {
        let message = checked(request)?;
        let document = self.document(message.on).await?;
        let area = if message.area.is_empty() { REGION } else { &message.area };
        let counts = Status::ALL.iter().map(|status| {
            let entries = document.commitments.iter().filter(|entry| entry.area == area && entry.status == *status);
            pb::StatusCount {
                status: status_number(*status).into(),
                commitments: i32::try_from(entries.count()).unwrap_or(i32::MAX),
            }
        });
        let counts = counts.collect();
        Ok(Response::new(pb::GetScoreboardResponse { on: Some(date(document.on)), counts }))
    }
}

fn attainment(entry: &AttainmentEntry) -> pb::Attainment {
    let month = common::YearMonth { year: entry.month.year(), month: number(entry.month.month()) };
    let reason = entry.reason.and_then(|reason| serde_json::to_value(reason).ok());
    pb::Attainment {
        commitment: entry.id.clone(),
        area: entry.area.clone(),
        month: Some(month),
        numerator: entry.numerator,
        denominator: entry.denominator,
        value: entry.value,
        unit: entry.unit.clone(),
        target: entry.target,
        due: entry.due.map(date),
        pace: entry.pace,
        status: status_number(entry.status).into(),
        reason: reason.and_then(|reason| reason.as_str().map(str::to_owned)).unwrap_or_default(),
    }
}

fn date(day: NaiveDate) -> common::Date {
    common::Date { year: day.year(), month: number(day.month()), day: number(day.day()) }
}

fn number(part: u32) -> i32 {
    i32::try_from(part).unwrap_or_default()
}

fn status_number(status: Status) -> pb::AttainmentStatus {
    match status {
        Status::Met => pb::AttainmentStatus::Met,
        Status::OnTrack => pb::AttainmentStatus::OnTrack,
        Status::AtRisk => pb::AttainmentStatus::AtRisk,
        Status::OffTrack => pb::AttainmentStatus::OffTrack,
        Status::Missed => pb::AttainmentStatus::Missed,
        Status::MetLate => pb::AttainmentStatus::MetLate,
        Status::TrendOnly => pb::AttainmentStatus::TrendOnly,
        Status::NotAssessable => pb::AttainmentStatus::NotAssessable,
    }
}

#[cfg(test)]
mod tests;
