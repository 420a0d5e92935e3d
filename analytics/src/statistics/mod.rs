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

use crate::catalogue::{Areas, Catalogue, Denominator, Empty, Entry, Form, Measure, SERVICES, Silent};
use crate::lake::{Lake, LakeError};
use crate::model::{
    Area, Completeness, CompletenessRow, Level, PRIMARY_MEASURE, Possible, SourceKind, SourceState, StatisticRow,
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
    /// The figures that are not given, because too little of them was reported.
    pub(crate) withheld: Cells,
    /// What a figure may be, given or not, where something did not report or was not approved.
    pub(crate) possible: BTreeMap<(String, NaiveDate), Possible>,
    /// The day on which the last step was done that a milestone's target asks for, by area.
    pub(crate) reached_on: BTreeMap<String, NaiveDate>,
}

impl From<Cells> for Figures {
    fn from(cells: Cells) -> Self {
        Self { cells, ..Self::default() }
    }
}

impl Figures {
    /// Bounds the figures by what another measure, a share of those that reported, says of those that did not; withholds
    /// those for which it is below a floor.
    fn withhold(&mut self, reported: &Cells, by: &Measure, measure: &Measure, floor: f64) {
        let places: Vec<(String, NaiveDate)> = self.cells.keys().cloned().collect();
        for place in places {
            let of = reported.get(&place);
            let silent = of.and_then(|cell| Some(cell.denominator? - cell.numerator?)).filter(|silent| *silent > 0.0);
            if let Some((silent, cell)) = silent.zip(self.cells.get(&place)) {
                let possible = filing::Open::some(Some(silent)).possible(measure, *cell, None, false);
                self.possible.extend(possible.map(|possible| (place.clone(), possible)));
            }
            let share = of.map_or(Some(0.0), |cell| value(by, cell));
            if share.is_some_and(|share| share < floor)
                && let Some(cell) = self.cells.remove(&place)
            {
                self.withheld.insert(place, cell);
            }
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
                SourceKind::Register => {
                    let counted = plan.count(entry, measure, &counting_days, &reported, known, &passes, &mut frames)?;
                    // A register that is kept speaks, were it only to say nothing: no return stands in for it.
                    counted.or_else(|| known.is_kept().then(Cells::new)).map(|cells| {
                        let possible = left_open(entry, measure, &cells, &reported, known);
                        Figures { possible, ..cells.into() }
                    })
                }
                SourceKind::Returns => None,
                SourceKind::Milestones => milestones.figures(entry, measure, &until(&counting_days, known), &reported),
            };
            if figures.is_none() && source != SourceKind::Milestones {
                let counted = match count::known_whole(measure) {
                    Some(whole) => {
                        let known = sources.of(&whole.dataset);
                        plan.count(entry, &whole, &counting_days, &reported, known, &passes, &mut frames)?
                    }
                    None => None,
                };
                let wholes = wholes(measure, &counting_days, &reported, counted.unwrap_or_default());
                figures = filings.figures(entry, measure, &reported, &wholes);
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
            of_measures[index].2.withhold(&reported, &entry.measures[place], measure, entry.complete_from);
        }
        for (index, measure) in entry.measures.iter().enumerate() {
            if !measure.least_of.is_empty() && of_measures[index].0 == SourceKind::Register {
                let least = least(entry, measure, &of_measures);
                of_measures[index].2.cells = least;
            }
        }
        for (measure, (source, dataset, figures)) in entry.measures.iter().zip(of_measures) {
            if measure.name == PRIMARY_MEASURE {
                let known = sources.of(&dataset);
                let until = sources.until(&entry.commitment.service);
                let reporting = Reporting { entry, source, places: &reported, known, until, filings: &filings };
                statistics.completeness.extend(reporting.rows(&figures, cutoff));
                statistics.taken_from.insert(entry.commitment.id.clone(), (source, dataset));
            }
            let Figures { cells, possible, .. } = figures;
            let rows = cells.into_iter();
            statistics.rows.extend(rows.map(|(place, cell)| row(entry, measure, &place, cell, possible.get(&place))));
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

/// Returns in each area and month the cell of the measure whose value is the least; where two are alike, of the first.
fn least(entry: &Entry, measure: &Measure, of_measures: &[(SourceKind, String, Figures)]) -> Cells {
    let mut least: BTreeMap<&(String, NaiveDate), (f64, Cell)> = BTreeMap::new();
    for name in &measure.least_of {
        let Some(place) = entry.measures.iter().position(|other| other.name == *name) else { continue };
        for (key, cell) in &of_measures[place].2.cells {
            let Some(value) = value(&entry.measures[place], cell) else { continue };
            let so_far = least.entry(key).or_insert((value, *cell));
            if value < so_far.0 {
                *so_far = (value, *cell);
            }
        }
    }
    least.into_iter().map(|(key, (_, cell))| (key.clone(), cell)).collect()
}

/// Returns what is known of the whole of a filed share, from a register that is kept or from the division table.
fn wholes(measure: &Measure, counting_days: &[CountingDay], places: &Places<'_>, counted: Cells) -> filing::Wholes {
    let Some(Denominator::Divisions(levels)) = &measure.known_whole else {
        return counted.into_iter().filter_map(|(place, cell)| Some((place, cell.numerator?))).collect();
    };
    let of = |area: &Area| places.areas.count_divisions(&area.code, levels, places.scope);
    let all = places.areas.all().iter().map(|area| (area.code.as_str(), number(of(area))));
    let months = || counting_days.iter().map(|counting_day| counting_day.month);
    all.flat_map(|(area, whole)| months().map(move |month| ((area.to_owned(), month), whole))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "there are some thousands of divisions")]
fn number(divisions: usize) -> f64 {
    divisions as f64
}

/// Returns the most that an area may have that did not report, in the unit of the numerator; none where nothing bounds
/// it. What it filed before is known to who reads the filings.
fn bound(silent: &Silent, entry: &Entry, measure: &Measure, places: &Places<'_>, area: &str) -> Option<f64> {
    match silent {
        Silent::Denominator => None,
        Silent::Divisions(levels) => Some(number(places.areas.count_divisions(area, levels, places.scope))),
        Silent::Plan => entry.commitment.area_targets.get(area).map(|target| target / measure.scale),
    }
}

/// Says what a register's primary figure may be in each area of which some county never sent a record.
fn left_open(
    entry: &Entry,
    measure: &Measure,
    cells: &Cells,
    places: &Places<'_>,
    known: &sources::Known,
) -> BTreeMap<(String, NaiveDate), Possible> {
    let mut possible = BTreeMap::new();
    let Some(count) = measure.count.as_ref().filter(|_| measure.name == PRIMARY_MEASURE) else { return possible };
    if count.empty == Empty::Zero {
        return possible;
    }
    let by_divisions = match &count.denominator {
        Some(Denominator::Divisions(levels)) => Some(Silent::Divisions(levels.clone())),
        _ => None,
    };
    let silent_by = by_divisions.as_ref().or(measure.silent.as_ref());
    for area in &places.shown {
        let mut silent = places.lowest_in(&area.code).filter(|code| !known.covers(code)).peekable();
        if silent.peek().is_none() {
            continue;
        }
        let most = |code| bound(silent_by?, entry, measure, places, code);
        let open = filing::Open::some(silent.map(most).sum());
        let own = cells.range((area.code.clone(), NaiveDate::MIN)..=(area.code.clone(), NaiveDate::MAX));
        possible.extend(own.filter_map(|(place, cell)| {
            let whole = cell.denominator.filter(|_| by_divisions.is_some());
            Some((place.clone(), open.possible(measure, *cell, whole, false)?))
        }));
    }
    possible
}

fn row(
    entry: &Entry,
    measure: &Measure,
    (area, month): &(String, NaiveDate),
    cell: Cell,
    possible: Option<&Possible>,
) -> StatisticRow {
    StatisticRow {
        commitment: entry.commitment.id.clone(),
        measure: measure.name.clone(),
        area: area.clone(),
        month: *month,
        numerator: cell.numerator,
        denominator: cell.denominator,
        value: value(measure, &cell),
        possible: possible.map(|possible| Box::new(*possible)),
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
            let later = figures.withheld.range(range).next_back();
            let withheld = later.map(|((_, month), _)| *month);
            let partial = later.filter(|((_, month), _)| Some(*month) > given).map(|(place, cell)| {
                Box::new(row(self.entry, self.entry.primary(), place, *cell, figures.possible.get(place)))
            });
            CompletenessRow {
                commitment: self.entry.commitment.id.clone(),
                area: area.code.clone(),
                completeness: self.of(&area.code, given.or(withheld), cutoff),
                known_on: self.until.filter(|_| self.source != SourceKind::Returns),
                last_record: self.known.newest.filter(|_| self.source == SourceKind::Register),
                partial,
                reached_on: figures.reached_on.get(&area.code).copied(),
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
