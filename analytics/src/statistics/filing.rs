//! Figures that departments file: statistical returns, month by month.
//!
//! What an area files for itself counts before the sum of the areas below it. A figure without its numerator and
//! denominator speaks for its own area only, because shares cannot be added up, and so does one that the catalogue says
//! does not add up, such as a median. A sum is given only where enough of the counties below are in it
//! ([`Entry::complete_from`]): a month for which one county in seventy filed is not the region's.
//!
//! A figure counts for a verdict once another person than its filer has approved it. Until then it is shown, and what it
//! may be ([`Possible`]) treats its area like one that did not report. What a register or the division table knows of the
//! whole of a share goes before what is filed of it.
//!
//! Every month that was filed is part of the history, those before registers' series begin included: a figure of 2021
//! is too old to speak for today, and it is what is known.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use polars::prelude::PolarsResult;

use super::columns::{ENDED, FROM, UNTIL, day, days, numbers};
use super::frames::Frames;
use super::{BitemporalCutoff, Cell, Figures, Places, StatisticsError, month_end};
use crate::catalogue::{Entry, Form, Measure, SERVICES, Silent};
use crate::model::{Level, PRIMARY_MEASURE, Possible, REGION};

/// The columns that are read of returns.
pub(super) const COLUMNS: [&str; 9] =
    ["commitment", "measure", "month_from", "numerator", "denominator", "value", "return_state", "_area", "_position"];

/// Returns the dataset of a service's returns.
pub(super) fn dataset_of(service: &str) -> String {
    format!("{}.returns", service.replace('-', "_"))
}

/// Names a measure of a commitment.
type Subject = (String, String);

/// A figure that was filed, and the position that counts.
#[derive(Clone, Copy)]
struct FiledCell {
    position: i64,
    cell: Cell,
    /// Another person than the filer has approved it.
    approved: bool,
}

/// What was filed by area and month.
type Filed = BTreeMap<(String, NaiveDate), FiledCell>;

/// What a register or the division table knows of the whole of a share, by area and month.
pub(super) type Wholes = BTreeMap<(String, NaiveDate), f64>;

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
            let this = FiledCell { position, cell, approved: states.get(row) == Some("APPROVED") };
            let newest = filed.entry((area.to_owned(), month)).or_insert(this);
            if newest.position <= position {
                *newest = this;
            }
        }
        Ok(())
    }

    fn of(&self, entry: &Entry, measure: &str) -> Option<&Filed> {
        self.by_subject.get(&(entry.commitment.id.clone(), measure.to_owned()))
    }

    /// Returns the figures of a measure in every month that was filed; none where nothing was.
    ///
    /// `wholes` is what is known better than by who files of what a share is a share of.
    pub(super) fn figures(
        &self,
        entry: &Entry,
        measure: &Measure,
        places: &Places<'_>,
        wholes: &Wholes,
    ) -> Option<Figures> {
        let filed = self.of(entry, &measure.name)?;
        let rules = Rules { filed, entry, measure, places, wholes };
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
    entry: &'a Entry,
    measure: &'a Measure,
    places: &'a Places<'a>,
    wholes: &'a Wholes,
}

/// The figure of an area, and how many of its counties are in it.
#[derive(Default)]
struct RolledUp {
    cell: Option<Cell>,
    counties_in: u32,
    counties: u32,
    /// The part of it that was approved.
    sure: Cell,
    /// What did not report or was not approved.
    open: Open,
    unapproved: bool,
}

/// What is open in a figure, and how much it may be at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Open {
    any: bool,
    /// In the unit of the numerator, or of the denominator where there is one; none where nothing bounds it.
    most: Option<f64>,
}

impl Default for Open {
    fn default() -> Self {
        Self { any: false, most: Some(0.0) }
    }
}

impl Open {
    /// Something that did not report, with its bound.
    pub(super) fn some(most: Option<f64>) -> Self {
        Self { any: true, most }
    }

    fn and(self, other: Self) -> Self {
        Self { any: self.any || other.any, most: self.most.zip(other.most).map(|(one, other)| one + other) }
    }

    /// Returns what a figure may be whose sure part is `sure`; none where nothing is open.
    ///
    /// `whole` is the denominator where it is known whoever reports; else the sure part's and what is open.
    pub(super) fn possible(
        self,
        measure: &Measure,
        sure: Cell,
        whole: Option<f64>,
        unapproved: bool,
    ) -> Option<Possible> {
        if !self.any {
            return None;
        }
        let part = sure.numerator.unwrap_or_default();
        let (low, high) = match measure.form {
            Form::Figure => (Some(part * measure.scale), self.most.map(|most| (part + most) * measure.scale)),
            Form::Ratio => (None, None),
            Form::Share => {
                let whole = whole.or_else(|| Some(sure.denominator.unwrap_or_default() + self.most?));
                let share = |part: f64| whole.filter(|whole| *whole > 0.0).map(|whole| part * measure.scale / whole);
                (share(part), self.most.and_then(|most| share(part + most)))
            }
        };
        Some(Possible { low, high, unapproved })
    }
}

impl Rules<'_> {
    /// Fills in the figures of an area and those below it; returns the area's own, whether it is given or not.
    fn roll_up(&self, area: &str, month: NaiveDate, figures: &mut Figures) -> RolledUp {
        let mut sum = RolledUp::default();
        for child in self.places.children(area) {
            let below = self.roll_up(&child.code, month, figures);
            sum.counties += below.counties;
            sum.open = sum.open.and(below.open);
            let parts = below.cell.filter(|cell| self.measure.rolls_up && cell.numerator.is_some());
            let Some(cell) = parts else {
                // A share without its parts is its own area's and says nothing of a wider one.
                if below.cell.is_some() {
                    sum.open = sum.open.and(Open::some(self.most(&child.code, month)));
                }
                continue;
            };
            sum.counties_in += below.counties_in;
            sum.unapproved |= below.unapproved;
            add(sum.cell.get_or_insert_default(), cell);
            add(&mut sum.sure, below.sure);
        }
        if self.places.areas.get(area).is_some_and(|area| area.level == Level::County) {
            sum.counties = 1;
        }
        let place = (area.to_owned(), month);
        if let Some(own) = self.filed.get(&place) {
            sum.cell = Some(self.in_parts(own.cell));
            sum.counties_in = sum.counties;
            sum.unapproved = !own.approved;
            (sum.sure, sum.open) = if own.approved {
                (self.in_parts(own.cell), Open::default())
            } else {
                (Cell::default(), Open::some(self.most(area, month)))
            };
        } else if sum.counties_in == 0 && (sum.counties == 1 || self.most(area, month).is_some()) {
            sum.open = if self.expected() { Open::some(self.most(area, month)) } else { Open::default() };
        }
        if let Some(mut cell) = sum.cell
            && self.places.shows(area)
        {
            let whole = self.wholes.get(&place).copied();
            if cell.numerator.is_some() {
                cell.denominator = whole.or(cell.denominator);
            }
            let possible = sum.open.possible(self.measure, sum.sure, whole, sum.unapproved);
            figures.possible.extend(possible.map(|possible| (place.clone(), possible)));
            if f64::from(sum.counties_in) * 100.0 >= self.entry.complete_from * f64::from(sum.counties) {
                figures.cells.insert(place, cell);
            } else {
                figures.withheld.insert(place, cell);
            }
        }
        sum
    }

    /// A count that was filed as its value adds up like any other.
    fn in_parts(&self, cell: Cell) -> Cell {
        match cell {
            Cell { numerator: None, value: Some(value), .. } if self.measure.form == Form::Figure => {
                Cell { numerator: Some(value / self.measure.scale), denominator: None, value: None }
            }
            cell => cell,
        }
    }

    /// Reports whether an area that files nothing leaves something open; elsewhere it has none of the things.
    fn expected(&self) -> bool {
        self.entry.complete_from > 0.0
    }

    /// Returns what an area has at most that did not report.
    fn most(&self, area: &str, month: NaiveDate) -> Option<f64> {
        if let Some(whole) = self.wholes.get(&(area.to_owned(), month)) {
            return Some(*whole);
        }
        match self.measure.silent.as_ref()? {
            Silent::Denominator => {
                let key = |month| (area.to_owned(), month);
                let before = self.filed.range(key(NaiveDate::MIN)..=key(month)).next_back();
                let filed = before.or_else(|| self.filed.range(key(month)..=key(NaiveDate::MAX)).next());
                filed.and_then(|(_, filed)| filed.cell.denominator)
            }
            other => super::bound(other, self.entry, self.measure, self.places, area),
        }
    }
}

/// Adds a cell's parts to another's.
fn add(sum: &mut Cell, cell: Cell) {
    let plus = |one: Option<f64>, other: Option<f64>| match (one, other) {
        (Some(one), Some(other)) => Some(one + other),
        (one, other) => one.or(other),
    };
    sum.numerator = plus(sum.numerator, cell.numerator);
    sum.denominator = plus(sum.denominator, cell.denominator);
}
