//! Steps that are done or not done: documents issued, applications filed, buildings opened.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use polars::prelude::PolarsResult;

use super::columns::{ENDED, FROM, UNTIL, day, days};
use super::frames::Frames;
use super::{Cell, CountingDay, Figures, Places, StatisticsError, number, value};
use crate::catalogue::{Entry, Form, Measure, SERVICES, contains};
use crate::model::Possible;

/// The columns that are read of milestones.
pub(super) const COLUMNS: [&str; 6] =
    ["commitment", "subject", "milestone_state", "filing_state", "happened_on", "_area"];

/// Returns the dataset of a service's milestones.
pub(super) fn dataset_of(service: &str) -> String {
    format!("{}.milestones", service.replace('-', "_"))
}

/// What was true of a step on some days, as days since 1970-01-01.
struct Step {
    subject: String,
    area: String,
    done_on: Option<i32>,
    /// Another person than the filer has approved it.
    approved: bool,
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
        let filings = text("filing_state")?;
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
                approved: filings.get(row) == Some("APPROVED"),
                from: from.get(row).unwrap_or_default(),
                until: until.get(row),
            });
        }
        Ok(())
    }

    /// Returns the number of steps done (for a share, out of those known), or 1 for a single one, from the first month with
    /// a record; none without one.
    ///
    /// Only the measure's deciding subjects count, where it names any. What is filed as done and was not approved is
    /// shown, and may or may not be so.
    pub(super) fn figures(
        &self,
        entry: &Entry,
        measure: &Measure,
        counting_days: &[CountingDay],
        places: &Places<'_>,
    ) -> Option<Figures> {
        let steps = self.by_commitment.get(&entry.commitment.id)?;
        let most = entry.commitment.target.filter(|target| *target <= 1.0).map_or(usize::MAX, |_| 1);
        let mut figures = Figures::default();
        for area in &places.shown {
            let decides = |step: &&Step| measure.subjects.is_empty() || measure.subjects.contains(&step.subject);
            let own: Vec<&Step> =
                steps.iter().filter(decides).filter(|step| contains(&area.code, &step.area)).collect();
            for counting_day in counting_days {
                let today = counting_day.day.to_epoch_days();
                let stands = |step: &&&Step| step.from <= today && step.until.is_none_or(|until| until > today);
                let known: Vec<&Step> = own.iter().filter(stands).copied().collect();
                if known.is_empty() {
                    continue;
                }
                let done = done(&known, today, |_| true);
                let approved = self::done(&known, today, |step| step.approved);
                let all: BTreeSet<&str> = known.iter().map(|step| step.subject.as_str()).collect();
                let count = |done: &BTreeMap<&str, i32>| number(done.len().min(most));
                let cell = |done| Cell {
                    numerator: Some(count(done)),
                    denominator: (measure.form != Form::Figure).then_some(number(all.len())),
                    value: None,
                };
                let place = (area.code.clone(), counting_day.month);
                if count(&approved) < count(&done) {
                    let (low, high) = (value(measure, &cell(&approved)), value(measure, &cell(&done)));
                    figures.possible.insert(place.clone(), Possible { low, high, unapproved: true });
                }
                let reached = entry
                    .commitment
                    .target
                    .and_then(|target| reached_on(&approved, target).or_else(|| reached_on(&done, target)));
                match reached {
                    Some(reached) => figures.reached_on.insert(area.code.clone(), reached),
                    None => figures.reached_on.remove(&area.code),
                };
                figures.cells.insert(place, cell(&done));
            }
        }
        (!figures.cells.is_empty()).then_some(figures)
    }
}

/// Returns the subjects that are done by a day, each with the first day on which it was.
fn done<'a>(known: &[&'a Step], today: i32, counts: impl Fn(&Step) -> bool) -> BTreeMap<&'a str, i32> {
    let mut first = BTreeMap::new();
    for step in known.iter().filter(|step| counts(step)) {
        if let Some(done_on) = step.done_on.filter(|done_on| *done_on <= today) {
            let day = first.entry(step.subject.as_str()).or_insert(done_on);
            *day = done_on.min(*day);
        }
    }
    first
}

/// Returns the day on which as many subjects were done as the target asks for.
fn reached_on(done: &BTreeMap<&str, i32>, target: f64) -> Option<NaiveDate> {
    let mut days: Vec<i32> = done.values().copied().collect();
    days.sort_unstable();
    days.into_iter().zip(1..).find(|(_, subjects)| f64::from(*subjects) >= target).map(|(reached, _)| day(reached))
}
