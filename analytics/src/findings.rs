//! What a report of a lake would say, without one being written: for whoever explains it, compares it, or asks what if.
//!
//! The figures are those of a report of the same day and instant, protected in the same way. Nothing is changed.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use crate::assessment::Policy;
use crate::catalogue::{Areas, Catalogue};
use crate::job::{Collected, JobError, Judged, complete_until, judge};
use crate::lake::Lake;
use crate::model::{AttainmentDocument, AttainmentEntry, Commitment, Run, StatisticRow};
use crate::report::{self, Options, Report};
use crate::statistics::{BitemporalCutoff, Reference};

/// Which day, as known when, and how it is told.
#[derive(Debug, Clone, Default)]
pub struct FindingsRequest {
    /// The day that the figures are true for.
    pub on: NaiveDate,
    /// The instant up to which records are taken into account; none for all that is completely known.
    pub as_of: Option<DateTime<Utc>>,
    /// How a report would be written.
    pub options: Options,
    /// How strict the assessment is.
    pub policy: Policy,
}

/// What a report would say.
#[derive(Debug, Clone)]
pub struct Findings {
    /// The verdicts, with what is withheld left out.
    pub document: AttainmentDocument,
    /// The history of every measure, with what is withheld left out.
    pub rows: Vec<StatisticRow>,
    /// The commitments, each with the source that its figure was taken from.
    pub commitments: Vec<Commitment>,
    /// What the figures were computed by beside the records.
    pub reference: Reference,
}

impl Findings {
    /// Computes what a report of a lake would say. Blocks.
    pub fn of(catalogue: &Catalogue, lake: &Lake, request: &FindingsRequest) -> Result<Self, JobError> {
        let as_of = request.as_of.or_else(|| complete_until(lake, &Collected::default()));
        let as_of = as_of.unwrap_or_else(|| request.on.and_time(NaiveTime::MIN).and_utc());
        let cutoff = BitemporalCutoff { on: request.on, as_of };
        let Judged { figures, commitments, document } = judge(catalogue, lake, &cutoff, request.policy)?;
        let areas = Areas::of_the_region();
        let (areas, rows, run) = (areas.all(), figures.rows.as_slice(), Run::new());
        let report = Report { document: &document, commitments: &commitments, catalogue, areas, rows, run: &run };
        let (document, rows) = report::protect(&report, &request.options);
        Ok(Self { document, rows, commitments, reference: figures.reference })
    }

    /// Finds the entry of a commitment in an area.
    pub fn entry(&self, commitment: &str, area: &str) -> Option<&AttainmentEntry> {
        self.document.commitments.iter().find(|entry| entry.id == commitment && entry.area == area)
    }
}
