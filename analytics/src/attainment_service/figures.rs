//! A figure with its history, verdicts as they change, and runs that somebody starts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Timelike as _, Utc};
use minsheng_kit::error::Error;
use minsheng_proto::analytics::v1 as pb;
use minsheng_proto::common::v1 as common;

use super::{FILE_NAME, attainment, date, number, status_number, timestamp};
use crate::diff::status_changes;
use crate::model::{AttainmentDocument, PRIMARY_MEASURE, REGION};
use crate::schedule::{Outcome, Pending, RunBoard, RunLog, RunRecord, directory_of, newest_with, run_of};

/// The file of a report that holds the history.
const HISTORY: &str = "attainment.csv";
/// The record of runs, in the directory of the reports.
pub const RECORD: &str = "runs.jsonl";
/// What stands before the name of a run.
const COLLECTION: &str = "runs/";

/// A line of the history, as far as it is told.
#[derive(serde::Deserialize)]
struct HistoryLine {
    commitment: String,
    measure: String,
    area: String,
    month: String,
    numerator: Option<f64>,
    denominator: Option<f64>,
    value: Option<f64>,
}

/// Reads a figure and its history off the newest report. Blocks.
pub(super) fn figure(
    reports: &Path,
    document: &AttainmentDocument,
    asked: &pb::GetFigureRequest,
) -> Result<pb::GetFigureResponse, Error> {
    let area = if asked.area.is_empty() { REGION } else { &asked.area };
    let measure = if asked.measure.is_empty() { PRIMARY_MEASURE } else { &asked.measure };
    let entry = document.commitments.iter().find(|entry| entry.id == asked.commitment && entry.area == area);
    let missing = || Error::NotFound(format!("a figure of {} in {area}", asked.commitment));
    let entry = entry.ok_or_else(missing)?;
    let file = newest_with(reports, HISTORY).map_err(Error::internal)?.ok_or_else(missing)?;
    let mut history = Vec::new();
    for line in csv::Reader::from_path(file).map_err(Error::internal)?.deserialize() {
        let line: HistoryLine = line.map_err(Error::internal)?;
        if line.commitment != asked.commitment || line.measure != measure || line.area != area {
            continue;
        }
        let month = line
            .month
            .split_once('-')
            .and_then(|(year, month)| Some(common::YearMonth { year: year.parse().ok()?, month: month.parse().ok()? }));
        let HistoryLine { numerator, denominator, value, .. } = line;
        history.push(pb::MonthlyFigure { month, numerator, denominator, value });
    }
    if history.is_empty() && measure != PRIMARY_MEASURE {
        return Err(Error::NotFound(format!("a measure {measure} of {}", asked.commitment)));
    }
    Ok(pb::GetFigureResponse {
        on: Some(date(document.on)),
        as_of: Some(timestamp(document.as_of)),
        attainment: Some(attainment(entry)),
        history,
    })
}

/// A reader of verdicts, and the report that it was told of last.
pub(super) struct Watch {
    pub(super) reports: PathBuf,
    pub(super) asked: pb::WatchStatusesRequest,
    /// How often it is looked for a newer report.
    pub(super) every: Duration,
    pub(super) last: Option<(PathBuf, Arc<AttainmentDocument>)>,
}

impl Watch {
    /// Begins behind the run that the reader names, or behind nothing. Blocks.
    pub(super) fn begin(reports: PathBuf, asked: pb::WatchStatusesRequest, every: Duration) -> Result<Self, Error> {
        let mut watch = Self { reports, asked, every, last: None };
        if !watch.asked.after_run.is_empty() {
            let missing = || Error::NotFound(format!("the report of {}", watch.asked.after_run));
            let due_at = instant_of(&watch.asked.after_run).ok_or_else(missing)?;
            let file = watch.reports.join(directory_of(due_at)).join(FILE_NAME);
            let document = read(&file).map_err(|_| missing())?;
            watch.last = Some((file, document));
        }
        Ok(watch)
    }

    /// Waits for a newer report and says what it changed.
    pub(super) async fn next(mut self) -> Result<(pb::WatchStatusesResponse, Self), Error> {
        loop {
            let reports = self.reports.clone();
            let known = self.last.as_ref().map(|(file, _)| file.clone());
            let look = move || {
                let newest = newest_with(&reports, FILE_NAME).map_err(Error::internal)?;
                let newer = newest.filter(|file| known.as_ref().is_none_or(|known| known < file));
                newer.map(|file| Ok::<_, Error>((read(&file)?, file))).transpose()
            };
            if let Some((document, file)) = tokio::task::spawn_blocking(look).await.map_err(Error::internal)?? {
                let answer = self.changed(&file, &document);
                self.last = Some((file, document));
                return Ok((answer, self));
            }
            tokio::time::sleep(self.every).await;
        }
    }

    fn changed(&self, file: &Path, document: &AttainmentDocument) -> pb::WatchStatusesResponse {
        let wanted = |change: &crate::diff::StatusChange| {
            (self.asked.area.is_empty() || change.area == self.asked.area)
                && (self.asked.commitment.is_empty() || change.commitment == self.asked.commitment)
        };
        let since = self.last.as_ref().map(|(_, before)| status_changes(before, document)).unwrap_or_default();
        let code = |status: Option<crate::model::Status>| status.map_or(0, |status| status_number(status).into());
        let changes = since.into_iter().filter(wanted).map(|change| pb::StatusChange {
            commitment: change.commitment,
            area: change.area,
            before: code(change.before),
            after: code(change.after),
        });
        let run = file.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        pb::WatchStatusesResponse {
            run: format!("{COLLECTION}{}", run.unwrap_or_default()),
            on: Some(date(document.on)),
            as_of: Some(timestamp(document.as_of)),
            changes: changes.collect(),
        }
    }
}

fn read(file: &Path) -> Result<Arc<AttainmentDocument>, Error> {
    let bytes = std::fs::read(file).map_err(Error::internal)?;
    serde_json::from_slice(&bytes).map(Arc::new).map_err(Error::internal)
}

/// The instant of a run, by its name.
fn instant_of(name: &str) -> Option<DateTime<Utc>> {
    run_of(name.strip_prefix(COLLECTION)?).map(|due_at: NaiveDateTime| due_at.and_utc())
}

/// Asks for a run of this minute. Blocks.
pub(super) fn start(reports: &Path, board: &RunBoard, call: &str, now: DateTime<Utc>) -> Result<pb::Run, Error> {
    let minute = now.with_second(0).and_then(|now| now.with_nanosecond(0)).unwrap_or(now);
    let minute = board.instant_of(call, minute);
    if recorded(reports, minute)?.is_none() {
        board.ask(minute);
    }
    state(reports, board, &format!("{COLLECTION}{}", directory_of(minute)))
}

/// Says where a run stands. Blocks.
pub(super) fn state(reports: &Path, board: &RunBoard, name: &str) -> Result<pb::Run, Error> {
    let missing = || Error::NotFound(name.to_owned());
    let due_at = instant_of(name).ok_or_else(missing)?;
    let run = pb::Run { name: name.to_owned(), ..pb::Run::default() };
    // Looked for first among what is pending: a run is on record before it leaves there.
    let pending = board.pending(due_at);
    if let Some(pending) = pending {
        let state = match pending {
            Pending::Waiting => pb::RunState::Waiting,
            Pending::Running => pb::RunState::Running,
        };
        return Ok(pb::Run { state: state.into(), ..run });
    }
    let record = recorded(reports, due_at)?.ok_or_else(missing)?;
    let state = match record.outcome {
        Outcome::Done => pb::RunState::Done,
        Outcome::Incomplete => pb::RunState::Incomplete,
        Outcome::Failed | Outcome::Elsewhere => pb::RunState::Failed,
    };
    Ok(pb::Run {
        state: state.into(),
        begin_time: Some(timestamp(record.began_at)),
        end_time: Some(timestamp(record.ended_at)),
        detail: record.detail,
        version: record.version.unwrap_or_default(),
        ..run
    })
}

/// The last try of a run that is on record, by the minute of its instant.
fn recorded(reports: &Path, due_at: DateTime<Utc>) -> Result<Option<RunRecord>, Error> {
    let record = reports.join(RECORD);
    if !record.is_file() {
        return Ok(None);
    }
    let all = RunLog::read(&record).map_err(Error::internal)?;
    Ok(all.into_iter().rev().find(|one| directory_of(one.due_at) == directory_of(due_at)))
}

/// Pages of commitments, as the region's entries have them.
pub(super) fn commitment(entry: &crate::model::AttainmentEntry) -> pb::Commitment {
    pb::Commitment {
        commitment: entry.id.clone(),
        article: number(entry.article.into()),
        service: entry.service.clone(),
        title_zh: entry.title_zh.clone(),
        title_en: entry.title_en.clone(),
        unit: entry.unit.clone(),
        unit_zh: entry.unit_zh.clone(),
        target: entry.target,
        due: entry.due.map(date),
        status: status_number(entry.status).into(),
    }
}
