//! One run: feeds into the lake, the lake into statistics, statistics into verdicts, verdicts into a report.
//!
//! The only place that puts the stages together. A department that does not answer does not stop the run: the report
//! names it, with the age of what is known of it. Reading and writing happen off the async runtime.
//!
//! Feeds are read side by side and their datasets one after the other, while departments go on recording. So a report
//! takes into account only what was recorded up to an instant that every feed was read to; asked for a later one, it
//! says of which departments more may come.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use futures::future::join_all;
use minsheng_kit::clients::DepartmentChannel;

use crate::assessment::{self, Policy};
use crate::catalogue::{Areas, Catalogue};
use crate::feed::{Feed, FlightFeed, Pulled, SharedLake, pull};
use crate::lake::{Lake, LakeError, Resync};
use crate::model::{AttainmentDocument, Commitment, Reason, Run, SourceRun, SourceState};
use crate::reference;
use crate::report::{self, Files, Options, Report, ReportError};
use crate::signed::{self, SignedError, Signer};
use crate::statistics::{self, BitemporalCutoff, Statistics, StatisticsError};

/// What a run needs.
#[derive(Debug, Clone)]
pub struct JobConfig {
    /// Where the lake is, or is to be.
    pub lake_dir: PathBuf,
    /// Where the report goes.
    pub out_dir: PathBuf,
    /// The commitments.
    pub catalogue: Arc<Catalogue>,
    /// The day that the figures are true for.
    pub on: NaiveDate,
    /// The instant up to which records are taken into account; none for the latest up to which all departments that
    /// answer are completely known.
    pub as_of: Option<DateTime<Utc>>,
    /// How the report is written.
    pub options: Options,
    /// How strict the assessment is.
    pub policy: Policy,
    /// Whose key signs the lake and the report; none for neither.
    pub signer: Option<Signer>,
    /// The services by name, such as `health`, with a channel to each. Without any, the lake speaks as it is.
    pub sources: Vec<(String, DepartmentChannel)>,
}

/// What a run gave.
#[derive(Debug, Clone)]
pub struct JobOutcome {
    /// The verdicts as they were written: what could point to a person is withheld.
    pub document: AttainmentDocument,
    /// The commitments with the sources that their figures were taken from.
    pub commitments: Vec<Commitment>,
    /// The files of the report.
    pub files: Files,
    /// What became of the services, by name.
    pub run: Run,
    /// Rows that each service gave in this run.
    pub rows_read: BTreeMap<String, u64>,
    /// The services that did not answer, and why.
    pub unreached: BTreeMap<String, String>,
    /// The datasets that had to be read again from their beginning in this run, and why.
    pub resynced: BTreeMap<String, Resync>,
    /// The services whose records are not completely known up to the report's instant, with the instant to which they
    /// are; none for one of which nothing is known.
    pub incomplete: BTreeMap<String, Option<DateTime<Utc>>>,
}

/// Why a run gave no report.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The lake could not be opened or written.
    #[error("the lake cannot be used")]
    Lake(#[from] LakeError),
    /// The figures could not be computed.
    #[error("the figures cannot be computed")]
    Statistics(#[from] StatisticsError),
    /// The report could not be written.
    #[error("the report cannot be written")]
    Report(#[from] ReportError),
    /// The lake or the report could not be signed.
    #[error("the report cannot be signed")]
    Signed(#[from] SignedError),
    /// The work was stopped.
    #[error("the run was stopped")]
    Stopped,
}

/// What became of the feeds of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Rows that each service gave.
    pub rows_read: BTreeMap<String, u64>,
    /// The services that did not answer, and why.
    pub unreached: BTreeMap<String, String>,
    /// The datasets that had to be read again from their beginning, and why.
    pub resynced: BTreeMap<String, Resync>,
}

/// Runs the job.
pub async fn run(config: JobConfig) -> Result<JobOutcome, JobError> {
    let directory = config.lake_dir.clone();
    let lake = tokio::task::spawn_blocking(move || Lake::open(&directory)).await.map_err(|_| JobError::Stopped)??;
    let lake: SharedLake = Arc::new(Mutex::new(lake));
    let feeds = config.sources.iter().map(|(service, channel)| FlightFeed::new(service, channel.clone())).collect();
    let collected = collect(feeds, &lake).await;
    let work = move || {
        let mut lake = lake.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = compute_report(&config, &lake, collected)?;
        // The report stands, whatever becomes of this.
        let tidied = lake.maintain(Utc::now()).and_then(|rewritten| statistics::follow_rewriting(&lake, &rewritten));
        if let Err(error) = tidied {
            tracing::warn!(error = &error as &dyn std::error::Error, "the lake's files are not tidied up");
        }
        if let Some(signer) = &config.signer {
            signed::sign_lake(&lake, signer)?;
            signed::sign_report(&config.out_dir, signer)?;
        }
        Ok(outcome)
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| JobError::Stopped)?
}

/// Reads all feeds into the lake, side by side.
pub async fn collect<F: Feed>(feeds: Vec<F>, lake: &SharedLake) -> Collected {
    let readings = feeds.into_iter().map(|mut feed| async move {
        let read = pull(&mut feed, lake).await;
        (feed.service().to_owned(), read)
    });
    let mut collected = Collected::default();
    for (service, read) in join_all(readings).await {
        match read {
            Ok(Pulled { rows, resynced }) => {
                tracing::info!(service, rows, "records read");
                collected.resynced.extend(resynced);
                collected.rows_read.insert(service, rows);
            }
            Err(error) => {
                tracing::warn!(service, error = &error as &dyn std::error::Error, "records not read");
                collected.unreached.insert(service, error.to_string());
            }
        }
    }
    collected
}

/// Makes the report out of what the lake holds. Blocks.
pub fn compute_report(config: &JobConfig, lake: &Lake, collected: Collected) -> Result<JobOutcome, JobError> {
    // An empty lake knows nothing at any instant; the beginning of the day is as good as another and always the same.
    let as_of = config
        .as_of
        .or_else(|| complete_until(lake, &collected))
        .unwrap_or_else(|| config.on.and_time(NaiveTime::MIN).and_utc());
    let cutoff = BitemporalCutoff { on: config.on, as_of };
    let Judged { figures, commitments, document } = judge(&config.catalogue, lake, &cutoff, config.policy)?;
    lake.publish(reference::tables(&config.catalogue, &cutoff, &figures.reference))?;
    let run: Run = figures.sources.iter().map(|source| became_of(&source.service, lake, &collected)).collect();
    let areas = Areas::of_the_region();
    let (areas, rows) = (areas.all(), figures.rows.as_slice());
    let report =
        Report { document: &document, commitments: &commitments, catalogue: &config.catalogue, areas, rows, run: &run };
    let (files, document) = report::write(&config.out_dir, &report, &config.options)?;
    let incomplete = figures.sources.iter().filter(|source| source.incomplete);
    let until = |source: &SourceState| source.recorded_until.and_then(DateTime::from_timestamp_micros);
    let incomplete = incomplete.map(|source| (source.service.clone(), until(source))).collect();
    let Collected { rows_read, unreached, resynced } = collected;
    Ok(JobOutcome { document, commitments, files, run, rows_read, unreached, resynced, incomplete })
}

/// What a lake says of a catalogue's commitments on a day. Nothing is withheld yet.
pub(crate) struct Judged {
    /// The figures.
    pub(crate) figures: Statistics,
    /// The commitments, each with the source that its figure was taken from.
    pub(crate) commitments: Vec<Commitment>,
    /// The verdicts.
    pub(crate) document: AttainmentDocument,
}

/// Computes and judges what a lake holds. Blocks.
pub(crate) fn judge(
    catalogue: &Catalogue,
    lake: &Lake,
    cutoff: &BitemporalCutoff,
    policy: Policy,
) -> Result<Judged, StatisticsError> {
    let figures = statistics::compute(catalogue, lake, cutoff)?;
    let commitments = commitments(catalogue, &figures, cutoff.on);
    let areas = Areas::of_the_region();
    let mut document = assessment::assess(&assessment::Input {
        on: cutoff.on,
        as_of: cutoff.as_of,
        catalogue: &catalogue.edition,
        commitments: &commitments,
        areas: areas.all(),
        rows: &figures.rows,
        completeness: &figures.completeness,
        sources: &figures.sources,
        policy,
    });
    for entry in document.commitments.iter_mut().filter(|entry| figures.stopped.contains_key(&entry.id)) {
        if entry.reason == Some(Reason::NoData) {
            entry.reason = Some(Reason::ParameterUnusable);
        }
    }
    Ok(Judged { figures, commitments, document })
}

/// Says what became of a service: told beside the figures, and no part of them.
fn became_of(service: &str, lake: &Lake, collected: &Collected) -> (String, SourceRun) {
    let unreached = collected.unreached.get(service).cloned();
    let not_asked = unreached.is_none() && !collected.rows_read.contains_key(service);
    if not_asked {
        tracing::info!(service, "not asked; what the lake holds of it counts");
    }
    (service.to_owned(), SourceRun { unreached, not_asked, resynced: lake.resynced(service) })
}

/// The latest instant up to which all departments that answered are completely known; where none was asked, all that
/// the lake knows of.
pub(crate) fn complete_until(lake: &Lake, collected: &Collected) -> Option<DateTime<Utc>> {
    let services = lake.sources().values().map(|source| source.service.as_str());
    let answered = |service: &&str| collected.rows_read.is_empty() || collected.rows_read.contains_key(*service);
    let until = services.filter(answered).filter_map(|service| lake.complete_until(service)).min();
    until.and_then(DateTime::from_timestamp_micros)
}

/// The commitments of a day, each with the source that its figure was taken from in fact.
fn commitments(catalogue: &Catalogue, figures: &Statistics, on: NaiveDate) -> Vec<Commitment> {
    let mut commitments = catalogue.commitments(on);
    for commitment in &mut commitments {
        if let Some((source, dataset)) = figures.taken_from.get(&commitment.id) {
            commitment.source = *source;
            commitment.dataset.clone_from(dataset);
        }
    }
    commitments
}

#[cfg(test)]
mod tests;
