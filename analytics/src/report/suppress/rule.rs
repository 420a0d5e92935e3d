//! Which areas of one month are withheld. Pure: counts in, areas out.
//!
//! Every area has several counts of persons: numerators, denominators, and the rest between them (40 of 43 gives back 3).
//! An area is shown with all of them or with none, because parts give back their total. It is **small** when any count is
//! above zero and below the threshold. A small area alone is not enough: the total it belongs to is published, and
//! subtracting the others gives it back. So among the parts of one total
//!
//! 1. at least two are withheld, and together they hold at least the threshold of every count that is small in one of
//!    them: the smallest of the others is added until it is so;
//! 2. where there is nothing left to add, the total is withheld too, up to the region;
//! 3. a total that is withheld takes its smallest part with it, or its parts would give it back.
//!
//! One exception: that few persons of the whole region are *without* something points to nobody. Where only such a rest
//! is small, every prefecture where anybody is counted is withheld, and the region stays if those are two at least.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Area, Level};

/// The counts of persons of one area and month.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Cell {
    /// Numerators and denominators, each measure at the same place in every area.
    pub(super) counts: Vec<f64>,
    /// What lies between numerator and denominator.
    pub(super) rests: Vec<f64>,
}

/// One of the counts of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Count(usize),
    Rest(usize),
}

impl Cell {
    fn get(&self, kind: Kind) -> f64 {
        let (counts, place) = match kind {
            Kind::Count(place) => (&self.counts, place),
            Kind::Rest(place) => (&self.rests, place),
        };
        counts.get(place).copied().unwrap_or(0.0)
    }

    fn kinds(&self) -> impl Iterator<Item = Kind> + use<> {
        (0..self.counts.len()).map(Kind::Count).chain((0..self.rests.len()).map(Kind::Rest))
    }

    fn size(&self) -> f64 {
        self.counts.iter().sum()
    }

    fn is_small(&self, threshold: f64) -> bool {
        self.kinds().any(|kind| small(self.get(kind), threshold))
    }

    fn add(&mut self, other: &Self) {
        let sum = |into: &mut Vec<f64>, from: &[f64]| {
            into.resize(into.len().max(from.len()), 0.0);
            into.iter_mut().zip(from).for_each(|(into, from)| *into += from);
        };
        sum(&mut self.counts, &other.counts);
        sum(&mut self.rests, &other.rests);
    }
}

fn small(count: f64, threshold: f64) -> bool {
    count > 0.0 && count < threshold
}

/// Which areas a total is made of.
pub(super) struct Tree<'a> {
    prefectures: Vec<(&'a str, Vec<&'a str>)>,
    region: Option<&'a str>,
}

impl<'a> Tree<'a> {
    /// Reads the tree off the areas.
    pub(super) fn new(areas: &'a [Area]) -> Self {
        let of_level = |level| areas.iter().filter(move |area| area.level == level);
        let counties = |parent: &str| {
            let own = of_level(Level::County).filter(|area| area.parent.as_deref() == Some(parent));
            own.map(|area| area.code.as_str()).collect()
        };
        Self {
            prefectures: of_level(Level::Prefecture).map(|area| (area.code.as_str(), counties(&area.code))).collect(),
            region: of_level(Level::Region).map(|area| area.code.as_str()).next(),
        }
    }
}

/// The parts of one total.
struct Parts<'a> {
    cells: Vec<(&'a str, &'a Cell)>,
    threshold: f64,
    /// The total is the region's: a small rest alone does not make it go.
    of_the_region: bool,
}

impl<'a> Parts<'a> {
    fn inside<'b>(&'b self, hidden: &'b BTreeSet<String>) -> impl Iterator<Item = &'a Cell> + 'b {
        self.cells.iter().filter(|(code, _)| hidden.contains(*code)).map(|(_, cell)| *cell)
    }

    /// The areas in which anybody is counted.
    fn peopled(&self) -> impl Iterator<Item = &'a str> {
        self.cells.iter().filter(|(_, cell)| cell.size() > 0.0).map(|(code, _)| *code)
    }

    /// The smallest cell that is still shown, by a figure that has to be above zero.
    fn smallest(&self, hidden: &BTreeSet<String>, figure: impl Fn(&Cell) -> f64) -> Option<&'a str> {
        self.cells
            .iter()
            .filter(|(code, cell)| !hidden.contains(*code) && figure(cell) > 0.0)
            .min_by(|(_, left), (_, right)| figure(left).total_cmp(&figure(right)))
            .map(|(code, _)| *code)
    }

    /// A count that is small in a withheld cell and stays small over all of them.
    fn lacking(&self, hidden: &BTreeSet<String>) -> Option<Kind> {
        let kinds = self.cells.first().into_iter().flat_map(|(_, cell)| cell.kinds());
        let mut lacking: Vec<Kind> = kinds
            .filter(|kind| {
                let figures = || self.inside(hidden).map(|cell| cell.get(*kind));
                figures().any(|figure| small(figure, self.threshold)) && figures().sum::<f64>() < self.threshold
            })
            .collect();
        lacking.sort_by_key(|kind| matches!(kind, Kind::Rest(_)));
        lacking.into_iter().next()
    }

    /// Withholds until the cells protect each other; true when they cannot, so that the total has to go as well.
    fn settle(&self, hidden: &mut BTreeSet<String>) -> bool {
        loop {
            let count = self.inside(hidden).count();
            if count == 0 {
                return false;
            }
            let lacking = self.lacking(hidden);
            let next = match lacking {
                Some(kind) => self.smallest(hidden, |cell| cell.get(kind)),
                None if count >= 2 => return false,
                None => self.smallest(hidden, Cell::size),
            };
            match (next, lacking) {
                (Some(code), _) => {
                    hidden.insert(code.to_owned());
                }
                (None, Some(Kind::Rest(_))) if self.of_the_region && self.peopled().count() >= 2 => {
                    hidden.extend(self.peopled().map(str::to_owned));
                    return false;
                }
                (None, _) => return true,
            }
        }
    }
}

/// The areas to withhold, given the counts of one commitment and month by area code.
pub(super) fn withheld(cells: &BTreeMap<&str, Cell>, tree: &Tree<'_>, threshold: u32) -> BTreeSet<String> {
    let threshold = f64::from(threshold);
    // A prefecture whose counties alone have reported is known all the same: it is their sum.
    let mut cells = cells.clone();
    for (prefecture, counties) in &tree.prefectures {
        if !cells.contains_key(prefecture) && counties.iter().any(|county| cells.contains_key(county)) {
            let mut sum = Cell::default();
            counties.iter().filter_map(|county| cells.get(county)).for_each(|county| sum.add(county));
            cells.insert(prefecture, sum);
        }
    }
    let small = cells.iter().filter(|(code, cell)| Some(**code) != tree.region && cell.is_small(threshold));
    let mut hidden: BTreeSet<String> = small.map(|(code, _)| (*code).to_owned()).collect();
    if hidden.is_empty() {
        return hidden;
    }
    let parts = |codes: &[&'_ str], of_the_region| Parts {
        cells: cells.iter().filter(|(code, _)| codes.contains(code)).map(|(code, cell)| (*code, cell)).collect(),
        threshold,
        of_the_region,
    };
    for (prefecture, counties) in &tree.prefectures {
        if parts(counties, false).settle(&mut hidden) {
            hidden.insert((*prefecture).to_owned());
        }
    }
    let prefectures: Vec<&str> = tree.prefectures.iter().map(|(code, _)| *code).collect();
    if parts(&prefectures, true).settle(&mut hidden) {
        hidden.extend(tree.region.map(str::to_owned));
    }
    for (prefecture, counties) in &tree.prefectures {
        let counties = parts(counties, false);
        if hidden.contains(*prefecture) && counties.inside(&hidden).next().is_none() {
            hidden.extend(counties.smallest(&hidden, Cell::size).map(str::to_owned));
        }
    }
    hidden
}
