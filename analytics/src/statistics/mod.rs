//! The statistics: from the lake's rows to one long table of figures by commitment, measure, area and month.
//!
//! A figure counts what was true on a day as it was known at an instant; the same two give the same table for ever,
//! whatever files the lake keeps its rows in. Areas roll up from county to prefecture to region, and what cannot be
//! added up (a distinct count) is counted afresh at each level. No clock and no network here, and no verdicts.

mod below;
mod columns;
mod count;
mod filing;
mod frames;
mod kept;
mod lasting;
mod milestones;
mod netting;
mod parameters;
mod parts;
mod pass;
mod reference;
mod sources;
mod spans;
mod steps;
mod terms;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, Utc};
use polars::prelude::PolarsError;

use crate::catalogue::{Areas, Catalogue, Entry, Form, Measure, SERVICES};
use crate::lake::{Lake, LakeError};
use crate::model::{
    Area, Completeness, CompletenessRow, Level, PRIMARY_MEASURE, SourceKind, SourceState, StatisticRow,
};

pub use kept::follow_rewriting;
pub use reference::Reference;

/// The first month of every series that is counted; what was filed speaks for whatever month it names.
const FIRST_MONTH: (i32, u32) = (2024, 1);

/// Why figures could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum StatisticsError {
    /// The lake could not be read.
    #[error("the lake cannot be read")]
    Lake(#[from] LakeError),
    /// The engine refused a query.
    #[error("the figures of {what} cannot be computed")]
    Engine {
        /// The commitment and measure, or the dataset.
        what: String,
        /// What the engine says.
        #[source]
        source: Box<PolarsError>,
    },
    /// An expression does not compile, although the catalogue was checked.
    #[error("an expression of {what} does not compile")]
    Expression {
        /// The commitment and measure.
        what: String,
        /// What is wrong with it.
        #[source]
        source: crate::catalogue::ExpressionError,
    },
}

/// Which day, as known when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitemporalCutoff {
    /// The day that the figures are true for.
    pub on: NaiveDate,
    /// The instant up to which records are taken into account.
    pub as_of: DateTime<Utc>,
}

/// The figures of a catalogue.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Statistics {
    /// The long table, by the catalogue's order, measure, area and month.
    pub rows: Vec<StatisticRow>,
    /// How much of each commitment's figure reported, by the catalogue's order and area.
    pub completeness: Vec<CompletenessRow>,
    /// How far each service's records are known, by name.
    pub sources: Vec<SourceState>,
    /// Where each commitment's figure was taken from in fact: a register's commitment that nobody keeps records
    /// of yet is read from the returns, where there are any.
    pub taken_from: BTreeMap<String, (SourceKind, String)>,
    /// What the figures were computed by beside the records.
    pub reference: Reference,
    /// The commitments of which there is no figure because a parameter that they are counted by cannot be used, with its
    /// key.
    pub stopped: BTreeMap<String, String>,
}

/// A month of a series and the day that its value is true for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CountingDay {
    /// First day of the month.
    pub(crate) month: NaiveDate,
    /// Its last day, or the day of the report in its own month.
    pub(crate) day: NaiveDate,
}

/// What was counted in an area.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Cell {
    pub(crate) numerator: Option<f64>,
    pub(crate) denominator: Option<f64>,
    /// The figure itself, where only it is known.
    pub(crate) value: Option<f64>,
}

/// The cells of a measure by area and month.
pub(crate) type Cells = BTreeMap<(String, NaiveDate), Cell>;

/// Computes every measure of a catalogue.
pub fn compute(catalogue: &Catalogue, lake: &Lake, cutoff: &BitemporalCutoff) -> Result<Statistics, StatisticsError> {
    crate::engine::on_own_thread(|| compute_here(catalogue, lake, cutoff))
}

/// What a measure gave.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Figures {
    pub(crate) cells: Cells,
    /// The areas and months whose figure is not given, because too little of it was reported.
    pub(crate) withheld: BTreeSet<(String, NaiveDate)>,
}

impl Figures {
    /// Withholds the figures for which another measure, a share of those that reported, is below a floor.
    fn withhold(&mut self, reported: &Cells, measure: &Measure, floor: f64) {
        let short = |place: &(String, NaiveDate)| {
            let share = reported.get(place).map_or(Some(0.0), |cell| value(measure, cell));
            share.is_some_and(|share| share < floor)
        };
        let places: Vec<(String, NaiveDate)> = self.cells.keys().filter(|place| short(place)).cloned().collect();
        for place in places {
            self.cells.remove(&place);
            self.withheld.insert(place);
        }
    }
}

fn compute_here(catalogue: &Catalogue, lake: &Lake, cutoff: &BitemporalCutoff) -> Result<Statistics, StatisticsError> {
    if let Some(horizon) = lake.horizon().filter(|horizon| cutoff.as_of < *horizon) {
        return Err(LakeError::BeforeHorizon { as_of: cutoff.as_of, horizon }.into());
    }
    let areas = Areas::of_the_region();
    let counting_days = counting_days(cutoff.on);
    let beside = SERVICES.iter().flat_map(|service| {
        [
            (filing::dataset_of(service), &filing::COLUMNS[..]),
            (milestones::dataset_of(service), &milestones::COLUMNS[..]),
            (parameters::dataset_of(service), &parameters::COLUMNS[..]),
        ]
    });
    let mut frames = frames::Frames::new(lake, cutoff, beside);
    let told = parameters::Told::read(&mut frames, catalogue)?;
    let stopped = catalogue.entries.iter();
    let stopped = stopped.filter_map(|entry| Some((entry.commitment.id.clone(), told.stops(entry)?.to_owned())));
    let stopped: BTreeMap<String, String> = stopped.collect();
    let counted = catalogue.entries.iter().filter(|entry| !stopped.contains_key(&entry.commitment.id));
    let entries: Vec<Cow<'_, Entry>> = counted.map(|entry| told.beside(entry)).collect();
    let plan = count::CountPlan::of(&entries, &areas, &mut frames)?;
    let passes = plan.run(lake, cutoff)?;
    let sources = sources::read(lake, cutoff, &passes);
    let filings = filing::Filings::read(&mut frames, cutoff)?;
    let milestones = milestones::Milestones::read(&mut frames)?;
    let reference = Reference::of(catalogue, &areas, &counting_days, &sources, &told);
    let mut statistics = Statistics { sources: sources.states.clone(), reference, stopped, ..Statistics::default() };
    for entry in &entries {
        let reported = Places::of(entry, &areas);
        let mut of_measures = Vec::new();
        for measure in &entry.measures {
            let mut source = measure.source;
            let mut dataset = measure.dataset.clone();
            let known = sources.of(&dataset);
            let mut figures = match source {
                SourceKind::Register => plan
                    .count(entry, measure, &counting_days, &reported, known, &passes, &mut frames)?
                    .map(|cells| Figures { cells, ..Figures::default() }),
                SourceKind::Returns => None,
                SourceKind::Milestones => milestones
                    .cells(entry, measure, &until(&counting_days, known), &reported)
                    .map(|cells| Figures { cells, ..Figures::default() }),
            };
            if figures.is_none() && source != SourceKind::Milestones {
                figures = filings.figures(entry, measure, &reported);
                if figures.is_some() && source == SourceKind::Register {
                    dataset = filing::dataset_of(&entry.commitment.service);
                    source = SourceKind::Returns;
                }
            }
            of_measures.push((source, dataset, figures.unwrap_or_default()));
        }
        for (index, measure) in entry.measures.iter().enumerate() {
            let Some(by) = measure.complete_by.as_ref().filter(|_| of_measures[index].0 == SourceKind::Register) else {
                continue;
            };
            let Some(place) = entry.measures.iter().position(|other| other.name == *by) else { continue };
            let reported = of_measures[place].2.cells.clone();
            of_measures[index].2.withhold(&reported, &entry.measures[place], entry.complete_from);
        }
        for (measure, (source, dataset, figures)) in entry.measures.iter().zip(of_measures) {
            if measure.name == PRIMARY_MEASURE {
                let known = sources.of(&dataset);
                let until = sources.until(&entry.commitment.service);
                let reporting = Reporting { entry, source, places: &reported, known, until, filings: &filings };
                statistics.completeness.extend(reporting.rows(&figures, cutoff));
                statistics.taken_from.insert(entry.commitment.id.clone(), (source, dataset));
            }
            let rows = figures.cells.into_iter();
            statistics.rows.extend(rows.map(|((area, month), cell)| row(entry, measure, area, month, cell)));
        }
    }
    Ok(statistics)
}

/// Returns the counting days up to which a dataset is known; the last one speaks for the last day that is.
fn until(counting_days: &[CountingDay], known: &sources::Known) -> Vec<CountingDay> {
    let until = known.until.unwrap_or(NaiveDate::MIN);
    let known = counting_days.iter().filter(|counting_day| counting_day.month <= until);
    known.map(|counting_day| CountingDay { day: counting_day.day.min(until), ..*counting_day }).collect()
}

/// Returns the months up to a day.
fn counting_days(on: NaiveDate) -> Vec<CountingDay> {
    let (year, month) = FIRST_MONTH;
    let mut next = NaiveDate::from_ymd_opt(year, month, 1).unwrap_or_default();
    let mut all = Vec::new();
    while next <= on {
        all.push(CountingDay { month: next, day: month_end(next).min(on) });
        next = next + Months::new(1);
    }
    all
}

/// Returns the last day of a month.
pub(crate) fn month_end(day: NaiveDate) -> NaiveDate {
    let first = day.with_day(1).unwrap_or(day);
    first + Months::new(1) - Days::new(1)
}

fn row(entry: &Entry, measure: &Measure, area: String, month: NaiveDate, cell: Cell) -> StatisticRow {
    StatisticRow {
        commitment: entry.commitment.id.clone(),
        measure: measure.name.clone(),
        area,
        month,
        numerator: cell.numerator,
        denominator: cell.denominator,
        value: value(measure, &cell),
    }
}

/// Returns the value of a cell in the measure's unit; none for a share of nothing or without its denominator.
pub(crate) fn value(measure: &Measure, cell: &Cell) -> Option<f64> {
    let computed = match (measure.form, cell.numerator, cell.denominator) {
        (Form::Figure, Some(numerator), _) => Some(numerator * measure.scale),
        (_, Some(numerator), Some(denominator)) if denominator > 0.0 => Some(numerator * measure.scale / denominator),
        _ => None,
    };
    computed.or(cell.value)
}

/// The areas in which a commitment's figure exists.
pub(crate) struct Places<'a> {
    pub(crate) areas: &'a Areas,
    pub(crate) scope: &'a [String],
    /// The region, and the prefectures and counties of the scope down to the lowest level, by code.
    pub(crate) shown: Vec<&'a Area>,
    shown_codes: BTreeSet<&'a str>,
    lowest: Level,
}

impl<'a> Places<'a> {
    fn of(entry: &'a Entry, areas: &'a Areas) -> Self {
        let scope = entry.commitment.scope.as_slice();
        let lowest = entry.commitment.lowest_level;
        let applies = |area: &&Area| {
            area.level <= lowest && (area.level == Level::Region || crate::catalogue::in_scope(&area.code, scope))
        };
        let shown: Vec<&Area> = areas.all().iter().filter(applies).collect();
        let shown_codes = shown.iter().map(|area| area.code.as_str()).collect();
        Self { areas, scope, shown, shown_codes, lowest }
    }

    /// Reports whether the figure exists in an area.
    pub(crate) fn shows(&self, code: &str) -> bool {
        self.shown_codes.contains(code)
    }

    /// Returns the areas directly below one that lie in the scope, those in which the figure is not shown included.
    pub(crate) fn children(&self, code: &str) -> impl Iterator<Item = &'a Area> {
        let applies = |area: &&Area| {
            let toward = self.scope.iter().any(|scope| crate::catalogue::contains(&area.code, scope));
            toward || crate::catalogue::in_scope(&area.code, self.scope)
        };
        self.areas.all().iter().filter(move |area| area.parent.as_deref() == Some(code)).filter(applies)
    }

    /// Returns the areas of the lowest level in an area, or the one that it lies in.
    fn lowest_in(&self, code: &str) -> impl Iterator<Item = &'a str> {
        use crate::catalogue::contains;
        let lowest = self.shown.iter().filter(|area| area.level == self.lowest).map(|area| area.code.as_str());
        lowest.filter(move |area| contains(code, area) || contains(area, code))
    }
}

/// Says how much of a primary figure reported.
struct Reporting<'a> {
    entry: &'a Entry,
    source: SourceKind,
    places: &'a Places<'a>,
    /// What is known of the dataset that the figure was taken from.
    known: &'a sources::Known,
    /// The last day that the service's records speak for.
    until: Option<NaiveDate>,
    filings: &'a filing::Filings,
}

impl Reporting<'_> {
    fn rows(&self, figures: &Figures, cutoff: &BitemporalCutoff) -> Vec<CompletenessRow> {
        let rows = self.places.shown.iter().map(|area| {
            let range = (area.code.clone(), NaiveDate::MIN)..=(area.code.clone(), cutoff.on);
            let given = figures.cells.range(range.clone()).next_back().map(|((_, month), _)| *month);
            let withheld = figures.withheld.range(range).next_back().map(|(_, month)| *month);
            CompletenessRow {
                commitment: self.entry.commitment.id.clone(),
                area: area.code.clone(),
                completeness: self.of(&area.code, given.or(withheld), cutoff),
                known_on: self.until.filter(|_| self.source != SourceKind::Returns),
                last_record: self.known.newest.filter(|_| self.source == SourceKind::Register),
                partial: withheld > given,
            }
        });
        rows.collect()
    }

    fn of(&self, area: &str, month: Option<NaiveDate>, cutoff: &BitemporalCutoff) -> Completeness {
        let expected: Vec<&str> = self.places.lowest_in(area).collect();
        let Some(month) = month else {
            return Completeness { areas_reported: 0, areas_expected: size(expected.len()), oldest: None };
        };
        let end = month_end(month).min(cutoff.on);
        let known = self.until.map_or(end, |until| until.min(end));
        let (reported, oldest) = match self.source {
            SourceKind::Register => (expected.iter().filter(|code| self.known.covers(code)).count(), known),
            SourceKind::Returns => {
                let covered = self.filings.covered(self.entry, area, month, self.places);
                (expected.iter().filter(|code| covered.contains(**code)).count(), end)
            }
            // A milestone is one fact for all who live where it applies.
            SourceKind::Milestones => (expected.len(), known),
        };
        Completeness { areas_reported: size(reported), areas_expected: size(expected.len()), oldest: Some(oldest) }
    }
}

fn size(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
