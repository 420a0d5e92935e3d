//! Cells that could point to a person are withheld.
//!
//! Applies to commitments that count persons, below the region. A cell is **small** when its numerator or its
//! denominator is above zero and below the threshold. Withholding a small cell alone is not enough: the total it belongs to
//! is published, and subtracting the others gives it back. So among the areas of one total
//!
//! 1. at least two cells are withheld, and together they hold at least the threshold: the smallest of the others is added
//!    until both are so (complementary suppression);
//! 2. where a total has no other cell to add, the total itself is withheld, and the rule is applied to it and its neighbours;
//! 3. a total that is withheld takes its smallest part with it, or the parts would give it back.
//!
//! Each measure and month is treated on its own. What is withheld is withheld everywhere: value, numerator, denominator,
//! history, and every figure that was reckoned from them. The verdict stays.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Area, AttainmentDocument, Commitment, Level, StatisticRow};

/// Counts of persons below this are withheld unless the operator says otherwise.
pub const DEFAULT_THRESHOLD: u32 = 10;

/// A cell that the rule may withhold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The numerator, or the count itself.
    pub numerator: f64,
    /// The denominator of a share.
    pub denominator: Option<f64>,
}

impl Cell {
    fn is_small(self, threshold: f64) -> bool {
        let small = |count: f64| count > 0.0 && count < threshold;
        small(self.numerator) || self.denominator.is_some_and(small)
    }
}

/// Says which cells of one published total are withheld, given those that have to be. The second answer is true when the
/// cells alone cannot protect each other, so that the total has to go as well.
pub fn withhold(cells: &[Cell], forced: &[bool], threshold: u32) -> (Vec<bool>, bool) {
    let threshold = f64::from(threshold);
    let mut withheld: Vec<bool> = cells
        .iter()
        .zip(forced.iter().chain(std::iter::repeat(&false)))
        .map(|(cell, forced)| *forced || cell.is_small(threshold))
        .collect();
    if !withheld.contains(&true) {
        return (withheld, false);
    }
    loop {
        let hidden = cells.iter().zip(&withheld).filter(|(_, withheld)| **withheld);
        let (count, sum) = hidden.fold((0, 0.0), |(count, sum), (cell, _)| (count + 1, sum + cell.numerator));
        if count >= 2 && sum >= threshold {
            return (withheld, false);
        }
        let next = (0..cells.len())
            .filter(|index| !withheld[*index] && cells[*index].numerator > 0.0)
            .min_by(|left, right| cells[*left].numerator.total_cmp(&cells[*right].numerator));
        match next {
            Some(index) => withheld[index] = true,
            None => return (withheld, true),
        }
    }
}

/// The cells to withhold of one measure and month, by area code.
fn of_one_month(cells: &BTreeMap<&str, Cell>, areas: &Tree<'_>, threshold: u32) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let mut forced_prefectures = BTreeSet::new();
    for prefecture in areas.prefectures() {
        let counties = present(cells, areas.children(prefecture));
        let (flags, total_too) = withhold(&figures(&counties), &[], threshold);
        out.extend(flagged(&counties, &flags));
        if total_too && cells.contains_key(prefecture) {
            forced_prefectures.insert(prefecture);
        }
    }
    let prefectures = present(cells, areas.prefectures());
    let forced: Vec<bool> = prefectures.iter().map(|(code, _)| forced_prefectures.contains(code)).collect();
    let (flags, _) = withhold(&figures(&prefectures), &forced, threshold);
    let hidden: Vec<String> = flagged(&prefectures, &flags).collect();
    for prefecture in &hidden {
        let counties = present(cells, areas.children(prefecture));
        if counties.iter().any(|(code, _)| out.contains(*code)) {
            continue;
        }
        let smallest = counties
            .iter()
            .filter(|(_, cell)| cell.numerator > 0.0)
            .min_by(|(_, left), (_, right)| left.numerator.total_cmp(&right.numerator));
        out.extend(smallest.map(|(code, _)| (*code).to_owned()));
    }
    out.extend(hidden);
    out
}

fn present<'a>(cells: &BTreeMap<&str, Cell>, codes: impl Iterator<Item = &'a str>) -> Vec<(&'a str, Cell)> {
    codes.filter_map(|code| Some((code, *cells.get(code)?))).collect()
}

fn figures(cells: &[(&str, Cell)]) -> Vec<Cell> {
    cells.iter().map(|(_, cell)| *cell).collect()
}

fn flagged(cells: &[(&str, Cell)], flags: &[bool]) -> impl Iterator<Item = String> {
    cells.iter().zip(flags).filter(|(_, flag)| **flag).map(|((code, _), _)| (*code).to_owned())
}

/// Which areas a total is made of.
struct Tree<'a>(&'a [Area]);

impl<'a> Tree<'a> {
    fn prefectures(&self) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(|area| area.level == Level::Prefecture).map(|area| area.code.as_str())
    }

    fn children<'b>(&self, parent: &'b str) -> impl Iterator<Item = &'a str> + use<'a, 'b> {
        self.0
            .iter()
            .filter(move |area| area.level == Level::County && area.parent.as_deref() == Some(parent))
            .map(|area| area.code.as_str())
    }
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
    let persons: BTreeSet<&str> = commitments
        .iter()
        .filter(|commitment| commitment.person_based)
        .map(|commitment| commitment.id.as_str())
        .collect();
    let areas = Tree(areas);
    let mut months: BTreeMap<_, BTreeMap<&str, Cell>> = BTreeMap::new();
    for row in rows.iter().filter(|row| persons.contains(row.commitment.as_str())) {
        if let Some(numerator) = row.numerator.or(row.value) {
            let cell = Cell { numerator, denominator: row.denominator };
            months.entry((&*row.commitment, &*row.measure, row.month)).or_default().insert(&row.area, cell);
        }
    }
    let withheld: BTreeSet<(String, String, chrono::NaiveDate, String)> = months
        .iter()
        .flat_map(|((commitment, measure, month), cells)| {
            of_one_month(cells, &areas, threshold)
                .into_iter()
                .map(|area| ((*commitment).to_owned(), (*measure).to_owned(), *month, area))
        })
        .collect();
    if withheld.is_empty() {
        return 0;
    }
    let mut newest: BTreeMap<(String, String), (chrono::NaiveDate, bool)> = BTreeMap::new();
    let mut count = 0;
    for row in rows.iter_mut().filter(|row| row.month <= document.on) {
        let key = (row.commitment.clone(), row.measure.clone(), row.month, row.area.clone());
        let hide = withheld.contains(&key);
        let said_something = row.value.is_some() || row.numerator.is_some();
        if row.measure == crate::model::PRIMARY_MEASURE && said_something {
            let last = newest.entry((key.0, key.3)).or_insert((row.month, hide));
            if row.month >= last.0 {
                *last = (row.month, hide);
            }
        }
        if hide {
            (row.numerator, row.denominator, row.value) = (None, None, None);
            count += 1;
        }
    }
    for entry in &mut document.commitments {
        if newest.get(&(entry.id.clone(), entry.area.clone())).is_some_and(|(_, hide)| *hide) {
            entry.suppressed = true;
            (entry.numerator, entry.denominator, entry.value) = (None, None, None);
            (entry.pace, entry.progress, entry.growth_ratio) = (None, None, None);
            (entry.projected_progress, entry.change_12_months, entry.forecast) = (None, None, None);
            entry.baseline = None;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::{Cell, Tree, of_one_month, withhold};
    use crate::report::fixture;

    fn counts(values: &[f64]) -> Vec<Cell> {
        values.iter().map(|numerator| Cell { numerator: *numerator, denominator: None }).collect()
    }

    #[test]
    fn nothing_small_and_nothing_is_withheld() {
        assert_eq!(withhold(&counts(&[10.0, 25.0, 0.0]), &[], 10), (vec![false, false, false], false));
    }

    #[test]
    fn a_small_cell_takes_the_smallest_other_with_it() {
        assert_eq!(withhold(&counts(&[3.0, 40.0, 25.0, 0.0]), &[], 10), (vec![true, false, true, false], false));
    }

    #[test]
    fn small_cells_that_together_stay_small_take_another_with_them() {
        assert_eq!(withhold(&counts(&[3.0, 2.0, 25.0, 90.0]), &[], 10), (vec![true, true, true, false], false));
        assert_eq!(withhold(&counts(&[6.0, 7.0, 25.0]), &[], 10), (vec![true, true, false], false));
    }

    #[test]
    fn a_total_of_one_small_cell_has_to_go_as_well() {
        assert_eq!(withhold(&counts(&[4.0, 0.0, 0.0]), &[], 10), (vec![true, false, false], true));
    }

    #[test]
    fn a_small_denominator_is_as_telling_as_a_small_count() {
        let cells = [
            Cell { numerator: 0.0, denominator: Some(4.0) },
            Cell { numerator: 30.0, denominator: Some(40.0) },
            Cell { numerator: 50.0, denominator: Some(60.0) },
        ];
        assert_eq!(withhold(&cells, &[], 10), (vec![true, true, false], false));
    }

    #[test]
    fn a_prefecture_with_one_small_county_takes_a_neighbour_and_one_of_its_counties_with_it() {
        let areas = fixture::areas();
        let counts = [
            ("540100", 190.0),
            ("540102", 100.0),
            ("540121", 30.0),
            ("540122", 60.0),
            ("540200", 4.0),
            ("540202", 4.0),
            ("540400", 300.0),
            ("540402", 300.0),
        ];
        let cells = counts.map(|(area, numerator)| (area, Cell { numerator, denominator: None })).into();
        let hidden = of_one_month(&cells, &Tree(&areas), 10);
        assert_eq!(hidden.iter().map(String::as_str).collect::<Vec<_>>(), ["540100", "540121", "540200", "540202"]);
    }
}
