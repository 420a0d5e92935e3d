//! Steps that are done or not done: documents issued, applications filed, buildings opened.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::PolarsResult;

use super::columns::{ENDED, FROM, UNTIL, days};
use super::frames::Frames;
use super::{Cell, Cells, CountingDay, Places, StatisticsError};
use crate::catalogue::{Entry, Form, Measure, SERVICES, contains};

/// The columns that are read of milestones.
pub(super) const COLUMNS: [&str; 5] = ["commitment", "subject", "milestone_state", "happened_on", "_area"];

/// Returns the dataset of a service's milestones.
pub(super) fn dataset_of(service: &str) -> String {
    format!("{}.milestones", service.replace('-', "_"))
}

/// What was true of a step on some days, as days since 1970-01-01.
struct Step {
    subject: String,
    area: String,
    done_on: Option<i32>,
    from: i32,
    until: Option<i32>,
}

/// The steps of all commitments.
pub(super) struct Milestones {
    by_commitment: BTreeMap<String, Vec<Step>>,
}

impl Milestones {
    /// Reads the milestones of all services as they were known at the cutoff's instant.
    pub(super) fn read(frames: &mut Frames<'_>) -> Result<Self, StatisticsError> {
        let mut milestones = Self { by_commitment: BTreeMap::new() };
        for service in SERVICES {
            let dataset = dataset_of(service);
            let frame = frames.take(&dataset)?;
            milestones
                .take(&frame)
                .map_err(|source| StatisticsError::Engine { what: dataset, source: Box::new(source) })?;
        }
        Ok(milestones)
    }

    fn take(&mut self, frame: &polars::prelude::DataFrame) -> PolarsResult<()> {
        let text = |name| frame.column(name)?.str().cloned();
        let (commitments, subjects, states, areas) =
            (text("commitment")?, text("subject")?, text("milestone_state")?, text("_area")?);
        let (happened, from, until) = (days(frame, "happened_on")?, days(frame, FROM)?, days(frame, UNTIL)?);
        let ended = frame.column(ENDED)?.bool()?.clone();
        for row in 0..frame.height() {
            let (Some(commitment), Some(area)) = (commitments.get(row), areas.get(row)) else { continue };
            if ended.get(row) == Some(true) {
                continue;
            }
            self.by_commitment.entry(commitment.to_owned()).or_default().push(Step {
                subject: subjects.get(row).unwrap_or_default().to_owned(),
                area: area.to_owned(),
                done_on: (states.get(row) == Some("DONE")).then(|| happened.get(row)).flatten(),
                from: from.get(row).unwrap_or_default(),
                until: until.get(row),
            });
        }
        Ok(())
    }

    /// Returns the number of steps done (for a share, out of those known), or 1 for a single one, from the first month with a record; none without one.
    ///
    /// Only the measure's deciding subjects count, where it names any. Otherwise a commitment with one thing to do is
    /// done when any of its subjects is: later documents repeat the first.
    pub(super) fn cells(
        &self,
        entry: &Entry,
        measure: &Measure,
        counting_days: &[CountingDay],
        places: &Places<'_>,
    ) -> Option<Cells> {
        let steps = self.by_commitment.get(&entry.commitment.id)?;
        let single = entry.commitment.target.is_some_and(|target| target <= 1.0);
        let mut cells = Cells::new();
        for area in &places.shown {
            let decides = |step: &&Step| measure.subjects.is_empty() || measure.subjects.contains(&step.subject);
            let own: Vec<&Step> =
                steps.iter().filter(decides).filter(|step| contains(&area.code, &step.area)).collect();
            for counting_day in counting_days {
                let today = counting_day.day.to_epoch_days();
                let known =
                    own.iter().filter(|step| step.from <= today && step.until.is_none_or(|until| until > today));
                let known: Vec<&&Step> = known.collect();
                if known.is_empty() {
                    continue;
                }
                let done = known.iter().filter(|step| step.done_on.is_some_and(|done_on| done_on <= today));
                let subjects: BTreeSet<&str> = done.map(|step| step.subject.as_str()).collect();
                let count = if single { subjects.len().min(1) } else { subjects.len() };
                let all: BTreeSet<&str> = known.iter().map(|step| step.subject.as_str()).collect();
                #[expect(clippy::cast_precision_loss, reason = "there are a handful of subjects")]
                let cell = Cell {
                    numerator: Some(count as f64),
                    denominator: (measure.form != Form::Figure).then_some(all.len() as f64),
                    value: None,
                };
                cells.insert((area.code.clone(), counting_day.month), cell);
            }
        }
        (!cells.is_empty()).then_some(cells)
    }
}
