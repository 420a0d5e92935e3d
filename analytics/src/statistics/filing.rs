//! Figures that departments file: statistical returns, month by month.
//!
//! What an area files for itself counts before the sum of the areas below it. A figure without its numerator and
//! denominator speaks for its own area only, because shares cannot be added up, and so does one that the catalogue says
//! does not add up, such as a median. A sum is given only where enough of the counties below are in it
//! ([`Entry::complete_from`]): a month for which one county in seventy filed is not the region's.
//!
//! Every month that was filed is part of the history, those before registers' series begin included: a figure of 2021
//! is too old to speak for today, and it is what is known.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use polars::prelude::PolarsResult;

use super::columns::{ENDED, FROM, UNTIL, day, days, numbers};
use super::frames::Frames;
use super::{BitemporalCutoff, Cell, Figures, Places, StatisticsError, month_end};
use crate::catalogue::{Entry, Measure, SERVICES};
use crate::model::{Level, PRIMARY_MEASURE, REGION};

/// The columns that are read of returns.
pub(super) const COLUMNS: [&str; 9] =
    ["commitment", "measure", "month_from", "numerator", "denominator", "value", "return_state", "_area", "_position"];

/// Returns the dataset of a service's returns.
pub(super) fn dataset_of(service: &str) -> String {
    format!("{}.returns", service.replace('-', "_"))
}

/// Names a measure of a commitment.
type Subject = (String, String);

/// What was filed by area and month, with the position that counts.
type Filed = BTreeMap<(String, NaiveDate), (i64, Cell)>;

/// Everything that was filed and stands.
pub(super) struct Filings {
    by_subject: BTreeMap<Subject, Filed>,
}

impl Filings {
    /// Reads the returns of all services as they stood at the cutoff's instant, for months that have ended.
    pub(super) fn read(frames: &mut Frames<'_>, cutoff: &BitemporalCutoff) -> Result<Self, StatisticsError> {
        let mut filings = Self { by_subject: BTreeMap::new() };
        for service in SERVICES {
            let dataset = dataset_of(service);
            let frame = frames.take(&dataset)?;
            filings
                .take(&frame, cutoff.on)
                .map_err(|source| StatisticsError::Engine { what: dataset, source: Box::new(source) })?;
        }
        Ok(filings)
    }

    fn take(&mut self, frame: &polars::prelude::DataFrame, on: NaiveDate) -> PolarsResult<()> {
        let text = |name| frame.column(name)?.str().cloned();
        let number = |name| frame.column(name)?.f64().cloned();
        let (commitments, measures, states, areas) =
            (text("commitment")?, text("measure")?, text("return_state")?, text("_area")?);
        let (numerators, denominators, values) = (number("numerator")?, number("denominator")?, number("value")?);
        let (months, from, positions) = (days(frame, "month_from")?, days(frame, FROM)?, numbers(frame, "_position")?);
        let until = days(frame, UNTIL)?;
        let ended = frame.column(ENDED)?.bool()?.clone();
        let today = on.to_epoch_days();
        for row in 0..frame.height() {
            let stands = matches!(states.get(row), Some("SUBMITTED" | "APPROVED")) && ended.get(row) != Some(true);
            let true_then =
                from.get(row).is_some_and(|from| from <= today) && until.get(row).is_none_or(|until| until > today);
            let (Some(month), Some(commitment), Some(area)) = (months.get(row), commitments.get(row), areas.get(row))
            else {
                continue;
            };
            let month = day(month);
            if !stands || !true_then || month_end(month) > on {
                continue;
            }
            let measure = match measures.get(row) {
                None | Some("") => PRIMARY_MEASURE,
                Some(name) => name,
            };
            let cell =
                Cell { numerator: numerators.get(row), denominator: denominators.get(row), value: values.get(row) };
            let position = positions.get(row).unwrap_or_default();
            let filed = self.by_subject.entry((commitment.to_owned(), measure.to_owned())).or_default();
            let newest = filed.entry((area.to_owned(), month)).or_insert((position, cell));
            if newest.0 <= position {
                *newest = (position, cell);
            }
        }
        Ok(())
    }

    fn of(&self, entry: &Entry, measure: &str) -> Option<&Filed> {
        self.by_subject.get(&(entry.commitment.id.clone(), measure.to_owned()))
    }

    /// Returns the figures of a measure in every month that was filed; none where nothing was.
    pub(super) fn figures(&self, entry: &Entry, measure: &Measure, places: &Places<'_>) -> Option<Figures> {
        let filed = self.of(entry, &measure.name)?;
        let rules = Rules { filed, places, rolls_up: measure.rolls_up, complete_from: entry.complete_from };
        let mut figures = Figures::default();
        let months: BTreeSet<NaiveDate> = filed.keys().map(|(_, month)| *month).collect();
        for month in months {
            rules.roll_up(REGION, month, &mut figures);
        }
        (!figures.cells.is_empty() || !figures.withheld.is_empty()).then_some(figures)
    }

    /// Returns the areas of the lowest level that a primary figure of an area and month covers.
    pub(super) fn covered<'a>(
        &self,
        entry: &Entry,
        area: &str,
        month: NaiveDate,
        places: &Places<'a>,
    ) -> BTreeSet<&'a str> {
        let Some(filed) = self.of(entry, PRIMARY_MEASURE) else { return BTreeSet::new() };
        if filed.contains_key(&(area.to_owned(), month)) {
            return places.lowest_in(area).collect();
        }
        places.children(area).flat_map(|child| self.covered(entry, &child.code, month, places)).collect()
    }
}

/// How the filings of a measure are added up.
struct Rules<'a> {
    filed: &'a Filed,
    places: &'a Places<'a>,
    rolls_up: bool,
    complete_from: f64,
}

/// The figure of an area, and how many of its counties are in it.
#[derive(Default)]
struct RolledUp {
    cell: Option<Cell>,
    counties_in: u32,
    counties: u32,
}

impl Rules<'_> {
    /// Fills in the figures of an area and those below it; returns the area's own, whether it is given or not.
    fn roll_up(&self, area: &str, month: NaiveDate, figures: &mut Figures) -> RolledUp {
        let mut sum = RolledUp::default();
        for child in self.places.children(area) {
            let below = self.roll_up(&child.code, month, figures);
            sum.counties += below.counties;
            let Some(cell) = below.cell.filter(|cell| self.rolls_up && cell.numerator.is_some()) else { continue };
            sum.counties_in += below.counties_in;
            let whole = sum.cell.get_or_insert_default();
            whole.numerator = plus(whole.numerator, cell.numerator);
            whole.denominator = plus(whole.denominator, cell.denominator);
        }
        if self.places.areas.get(area).is_some_and(|area| area.level == Level::County) {
            sum.counties = 1;
        }
        let place = (area.to_owned(), month);
        if let Some((_, own)) = self.filed.get(&place) {
            sum.cell = Some(*own);
            sum.counties_in = sum.counties;
        }
        if let Some(cell) = sum.cell
            && self.places.shows(area)
        {
            if f64::from(sum.counties_in) * 100.0 >= self.complete_from * f64::from(sum.counties) {
                figures.cells.insert(place, cell);
            } else {
                figures.withheld.insert(place);
            }
        }
        sum
    }
}

fn plus(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one + other),
        (one, other) => one.or(other),
    }
}
