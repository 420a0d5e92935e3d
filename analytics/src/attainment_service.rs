//! Answers how far each commitment has come, for machines: over the newest report of a schedule.
//!
//! The report's own file is the source, so this service says what the page says, nothing that was withheld there, and
//! nothing that it would have to compute itself.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use futures::stream;
use minsheng_kit::error::Error;
use minsheng_kit::keys::Keys;
use minsheng_kit::rpc::{AnswerStream, checked};
use minsheng_proto::analytics::v1 as pb;
use minsheng_proto::analytics::v1::attainment_service_server::{AttainmentService, AttainmentServiceServer};
use minsheng_proto::common::v1 as common;
use tonic::{Request, Response, Status as RpcStatus};

use crate::model::{AttainmentDocument, AttainmentEntry, Parts, REGION, Status};
use crate::schedule::{RunBoard, newest_with};

mod figures;

pub use figures::RECORD;
use figures::Watch;

/// The file of a report that this service reads.
const FILE_NAME: &str = "attainment.json";

/// Entries of a page when the caller asks for no number.
const PAGE_SIZE: usize = 100;

/// How often it is looked for a newer report while somebody watches.
const WATCH_EVERY: Duration = Duration::from_secs(2);

/// A report as it was read, and which file it was, its time and length then.
type Loaded = ((PathBuf, SystemTime, u64), Arc<AttainmentDocument>);

/// The service over a schedule's directory of reports.
pub struct AttainmentRpc {
    reports: PathBuf,
    keys: Arc<Keys>,
    loaded: Arc<Mutex<Option<Loaded>>>,
    board: RunBoard,
    watch_every: Duration,
}

impl AttainmentRpc {
    /// Serves the newest of the reports below a directory; page tokens are made with the keys, and runs are asked for on
    /// the schedule's board.
    pub fn new(reports: PathBuf, keys: Arc<Keys>, board: RunBoard) -> Self {
        Self { reports, keys, loaded: Arc::new(Mutex::new(None)), board, watch_every: WATCH_EVERY }
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
        let wanted = |entry: &&AttainmentEntry| {
            (request.area.is_empty() || entry.area == request.area)
                && (request.commitment.is_empty() || entry.id == request.commitment)
        };
        let found = document.commitments.iter().filter(wanted);
        let (found, next_page_token) = self.cut(&scope, found, request.page_size, &request.page_token)?;
        Ok(pb::ListAttainmentsResponse {
            on: Some(date(document.on)),
            as_of: Some(timestamp(document.as_of)),
            attainments: found.into_iter().map(attainment).collect(),
            next_page_token,
        })
    }

    /// Cuts a page out of a list, and makes the token of the next one.
    fn cut<T>(
        &self,
        scope: &str,
        all: impl Iterator<Item = T>,
        page_size: i32,
        page_token: &str,
    ) -> Result<(Vec<T>, String), Error> {
        let begin: usize = if page_token.is_empty() {
            0
        } else {
            self.keys.read_page_token(scope, page_token)?.parse().map_err(Error::internal)?
        };
        let size = usize::try_from(page_size).ok().filter(|size| *size > 0).unwrap_or(PAGE_SIZE);
        let mut found = all.skip(begin);
        let page: Vec<T> = found.by_ref().take(size).collect();
        let next = found.next().map(|_| self.keys.page_token(scope, &(begin + page.len()).to_string()));
        Ok((page, next.unwrap_or_default()))
    }

    /// Does what blocks, off the runtime's threads.
    async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
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

    async fn list_commitments(
        &self,
        request: Request<pb::ListCommitmentsRequest>,
    ) -> Result<Response<pb::ListCommitmentsResponse>, RpcStatus> {
        let asked = checked(request)?;
        let document = self.document(None).await?;
        let scope = format!("commitments/{}/{}", document.on, asked.article);
        let wanted = |entry: &&AttainmentEntry| asked.article == 0 || i32::from(entry.article) == asked.article;
        let found = document.region_entries().filter(wanted);
        let (found, next_page_token) = self.cut(&scope, found, asked.page_size, &asked.page_token)?;
        let commitments = found.into_iter().map(figures::commitment).collect();
        Ok(Response::new(pb::ListCommitmentsResponse { commitments, next_page_token }))
    }

    async fn get_figure(
        &self,
        request: Request<pb::GetFigureRequest>,
    ) -> Result<Response<pb::GetFigureResponse>, RpcStatus> {
        let asked = checked(request)?;
        let document = self.document(None).await?;
        let reports = self.reports.clone();
        Ok(Response::new(Self::blocking(move || figures::figure(&reports, &document, &asked)).await?))
    }

    type WatchStatusesStream = AnswerStream<pb::WatchStatusesResponse>;

    async fn watch_statuses(
        &self,
        request: Request<pb::WatchStatusesRequest>,
    ) -> Result<Response<Self::WatchStatusesStream>, RpcStatus> {
        let asked = checked(request)?;
        let (reports, every) = (self.reports.clone(), self.watch_every);
        let watch = Self::blocking(move || Watch::begin(reports, asked, every)).await?;
        let answers = stream::unfold(Some(watch), |watch| async {
            match watch?.next().await {
                Ok((answer, watch)) => Some((Ok(answer), Some(watch))),
                Err(error) => Some((Err(RpcStatus::from(error)), None)),
            }
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn start_run(
        &self,
        request: Request<pb::StartRunRequest>,
    ) -> Result<Response<pb::StartRunResponse>, RpcStatus> {
        let call = checked(request)?.request_id;
        let (reports, board) = (self.reports.clone(), self.board.clone());
        let run = Self::blocking(move || figures::start(&reports, &board, &call, Utc::now())).await?;
        Ok(Response::new(pb::StartRunResponse { run: Some(run) }))
    }

    async fn get_run(&self, request: Request<pb::GetRunRequest>) -> Result<Response<pb::GetRunResponse>, RpcStatus> {
        let asked = checked(request)?;
        let (reports, board) = (self.reports.clone(), self.board.clone());
        let run = Self::blocking(move || figures::state(&reports, &board, &asked.name)).await?;
        Ok(Response::new(pb::GetRunResponse { run: Some(run) }))
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
        parts: entry.parts.map(parts),
        unapproved: entry.unapproved,
    }
}

fn parts(parts: Parts) -> pb::AttainmentParts {
    let count = |areas: u32| i32::try_from(areas).unwrap_or(i32::MAX);
    pb::AttainmentParts {
        met: count(parts.met),
        on_track: count(parts.on_track),
        behind: count(parts.behind),
        missed: count(parts.missed),
        unknown: count(parts.unknown),
    }
}

fn date(day: NaiveDate) -> common::Date {
    common::Date { year: day.year(), month: number(day.month()), day: number(day.day()) }
}

fn timestamp(instant: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: instant.timestamp(),
        nanos: i32::try_from(instant.timestamp_subsec_nanos()).unwrap_or_default(),
    }
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
