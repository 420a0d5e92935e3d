//! Figures that departments file: statistical returns, month by month.
//!
//! What an area files for itself counts before the sum of the areas below it. A figure without its numerator and
//! denominator speaks for its own area only, because shares cannot be added up.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use polars::prelude::PolarsResult;

use super::frames::{FROM, day, days, numbers, truth_of};
use super::{Cell, Cells, Moment, Places, Question, StatisticsError, month_end};
use crate::catalogue::{Entry, Measure, SERVICES};
use crate::lake::Lake;
use crate::model::{PRIMARY_MEASURE, REGION};

const COLUMNS: [&str; 7] = ["commitment", "measure", "month_from", "numerator", "denominator", "value", "return_state"];

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
    /// Reads the returns of all services as they stood at the question's moment, for months that have ended.
    pub(super) fn read(lake: &Lake, question: &Question) -> Result<Self, StatisticsError> {
        let mut filings = Self { by_subject: BTreeMap::new() };
        for service in SERVICES {
            let dataset = dataset_of(service);
            let frame = truth_of(lake, &dataset, &COLUMNS, false, question)?;
            filings
                .take(&frame, question.on)
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
        let until = days(frame, super::frames::UNTIL)?;
        let today = on.to_epoch_days();
        for row in 0..frame.height() {
            let stands = matches!(states.get(row), Some("SUBMITTED" | "APPROVED"));
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

    /// Returns the cells of a measure; none where nothing was filed.
    pub(super) fn cells(
        &self,
        entry: &Entry,
        measure: &Measure,
        moments: &[Moment],
        places: &Places<'_>,
    ) -> Option<Cells> {
        let filed = self.of(entry, &measure.name)?;
        let mut cells = Cells::new();
        for moment in moments {
            roll_up(REGION, moment.month, filed, places, &mut cells);
        }
        (!cells.is_empty()).then_some(cells)
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

/// Fills in the cells of an area and those below it; returns the area's own.
fn roll_up(area: &str, month: NaiveDate, filed: &Filed, places: &Places<'_>, cells: &mut Cells) -> Option<Cell> {
    let mut sum: Option<Cell> = None;
    for child in places.children(area) {
        if let Some(below) = roll_up(&child.code, month, filed, places, cells)
            && below.numerator.is_some()
        {
            let sum = sum.get_or_insert_default();
            sum.numerator = plus(sum.numerator, below.numerator);
            sum.denominator = plus(sum.denominator, below.denominator);
        }
    }
    let cell = filed.get(&(area.to_owned(), month)).map(|(_, cell)| *cell).or(sum)?;
    if places.shows(area) {
        cells.insert((area.to_owned(), month), cell);
    }
    Some(cell)
}

fn plus(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one + other),
        (one, other) => one.or(other),
    }
}
