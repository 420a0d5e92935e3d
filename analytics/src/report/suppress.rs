//! Cells that could point to a person are withheld.
//!
//! Applies to measures that count persons. [`rule`] says which areas of a month; an area and month is withheld for all
//! measures of a commitment that count persons together, and for its other measures too (an amount paid, by a fixed rate)
//! where the commitment's own figure counts persons. What is withheld is withheld everywhere: value, numerator,
//! denominator, history, and every figure that was computed from them, such as a change over twelve months of which one
//! end is withheld. The verdict stays.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, Months, NaiveDate};

use crate::model::{Area, AttainmentDocument, AttainmentEntry, Commitment, PRIMARY_MEASURE, StatisticRow};
use rule::{Cell, Tree};

mod rule;

#[cfg(test)]
mod attack;
#[cfg(test)]
mod tests;

/// Counts of persons below this are withheld unless the operator says otherwise.
pub const DEFAULT_THRESHOLD: u32 = 10;

/// What of a commitment counts persons.
struct Persons<'a> {
    /// The measures whose counts are looked at.
    measures: Vec<&'a str>,
    /// The commitment's own figure is one of them, so that every other measure speaks of persons too.
    all: bool,
}

impl<'a> Persons<'a> {
    fn of(commitment: &'a Commitment) -> Option<Self> {
        let primary = commitment.person_based.then_some(PRIMARY_MEASURE);
        let others = commitment.secondary.iter().filter(|measure| measure.person_based);
        let measures: Vec<&str> = primary.into_iter().chain(others.map(|measure| measure.name.as_str())).collect();
        (!measures.is_empty()).then_some(Self { measures, all: commitment.person_based })
    }

    fn covers(&self, measure: &str) -> bool {
        self.all || self.measures.contains(&measure)
    }

    /// Enters the counts of a row at the place of its measure.
    fn enter(&self, cell: &mut Cell, row: &StatisticRow, percent: bool) {
        cell.counts.resize(self.measures.len() * 2, 0.0);
        cell.rests.resize(self.measures.len(), 0.0);
        let Some(place) = self.measures.iter().position(|measure| *measure == row.measure) else { return };
        let numerator = row.numerator.or(row.value.filter(|_| !percent));
        if let (Some(count), Some(into)) = (numerator, cell.counts.get_mut(place * 2)) {
            *into = count;
        }
        if let (Some(count), Some(into)) = (row.denominator, cell.counts.get_mut(place * 2 + 1)) {
            *into = count;
        }
        if let (Some((part, whole)), Some(into)) = (numerator.zip(row.denominator), cell.rests.get_mut(place)) {
            *into = (whole - part).max(0.0);
        }
    }
}

fn is_percent(commitment: &Commitment, measure: &str) -> bool {
    let own = commitment.secondary.iter().find(|secondary| secondary.name == measure);
    super::format::is_percent(own.map_or(&commitment.unit.en, |secondary| &secondary.unit.en))
}

/// Areas and months of a commitment.
type Places = BTreeSet<(String, NaiveDate)>;

/// The areas and months of a commitment that are withheld.
fn places(
    rows: &[&StatisticRow],
    commitment: &Commitment,
    persons: &Persons<'_>,
    tree: &Tree<'_>,
    below: u32,
) -> Places {
    let mut months: BTreeMap<NaiveDate, BTreeMap<&str, Cell>> = BTreeMap::new();
    for row in rows {
        if row.numerator.is_some() || row.denominator.is_some() || row.value.is_some() {
            let cell = months.entry(row.month).or_default().entry(&row.area).or_default();
            persons.enter(cell, row, is_percent(commitment, &row.measure));
        }
    }
    let of_month = |(month, cells): (NaiveDate, BTreeMap<&str, Cell>)| {
        rule::withheld(&cells, tree, below).into_iter().map(move |area| (area, month))
    };
    months.into_iter().flat_map(of_month).collect()
}

/// Withholds what could point to a person, in the document and in the rows of the history. Returns the number of rows
/// that were withheld.
pub fn apply(
    document: &mut AttainmentDocument,
    rows: &mut [StatisticRow],
    commitments: &[Commitment],
    areas: &[Area],
    threshold: u32,
) -> usize {
    let tree = Tree::new(areas);
    let mut by_commitment: BTreeMap<&str, Vec<&StatisticRow>> = BTreeMap::new();
    for row in rows.iter() {
        by_commitment.entry(&row.commitment).or_default().push(row);
    }
    let mut withheld: BTreeMap<&str, (Persons<'_>, Places)> = BTreeMap::new();
    for commitment in commitments {
        let (Some(persons), Some(rows)) = (Persons::of(commitment), by_commitment.get(commitment.id.as_str())) else {
            continue;
        };
        let places = places(rows, commitment, &persons, &tree, threshold);
        if !places.is_empty() {
            withheld.insert(&commitment.id, (persons, places));
        }
    }
    let declared: BTreeMap<&str, &Commitment> =
        commitments.iter().map(|commitment| (commitment.id.as_str(), commitment)).collect();
    for entry in &mut document.commitments {
        let own = withheld.get(entry.id.as_str()).filter(|(persons, _)| persons.all);
        if let (Some((_, places)), Some(rows)) = (own, by_commitment.get(entry.id.as_str())) {
            let series = Series::of(rows, entry, document.on);
            clear(
                entry,
                &series,
                places,
                declared.get(entry.id.as_str()).is_some_and(|known| known.baseline.is_some()),
            );
        }
    }
    let mut count = 0;
    for row in rows {
        let Some((persons, places)) = withheld.get(row.commitment.as_str()) else { continue };
        if persons.covers(&row.measure) && places.contains(&(row.area.clone(), row.month)) {
            (row.numerator, row.denominator, row.value) = (None, None, None);
            row.possible = None;
            count += 1;
        }
    }
    count
}

/// The months that an entry was computed from.
struct Series {
    /// Months with a value.
    values: Vec<NaiveDate>,
    /// The month that the entry's figures are taken from.
    newest: Option<NaiveDate>,
}

impl Series {
    fn of(rows: &[&StatisticRow], entry: &AttainmentEntry, on: NaiveDate) -> Self {
        let own = || {
            let in_area = rows.iter().filter(|row| row.measure == PRIMARY_MEASURE && row.area == entry.area);
            in_area.filter(|row| row.month <= on)
        };
        let says = |row: &&&StatisticRow| row.value.is_some() || row.numerator.is_some() || row.denominator.is_some();
        Self {
            values: own().filter(|row| row.value.is_some()).map(|row| row.month).collect(),
            newest: own().filter(says).map(|row| row.month).max(),
        }
    }
}

/// Clears what was computed from a month that is withheld.
fn clear(entry: &mut AttainmentEntry, series: &Series, places: &Places, declared_baseline: bool) {
    let hidden = |month: NaiveDate| places.contains(&(entry.area.clone(), month));
    let newest = series.newest.is_some_and(hidden);
    let last_value = series.values.iter().max().copied();
    let year_before = last_value.and_then(|month| month.checked_sub_months(Months::new(12)));
    let change = [last_value, year_before].into_iter().flatten().any(hidden);
    let first = entry.baseline.filter(|_| !declared_baseline).and_then(|baseline| baseline.on.with_day(1));
    let baseline = first.is_some_and(hidden);
    let history = series.values.iter().copied().any(hidden);
    if newest {
        entry.suppressed = true;
        (entry.numerator, entry.denominator, entry.value) = (None, None, None);
    }
    if newest || change {
        entry.change_12_months = None;
    }
    if newest || baseline {
        (entry.pace, entry.progress, entry.growth_ratio) = (None, None, None);
        (entry.baseline, entry.projected_progress) = (None, None);
    }
    // A forecast is computed from the whole history: with the other months known, it would give back the one that is not.
    if (newest || history) && entry.forecast.take().is_some() {
        entry.projected_progress = None;
    }
}
