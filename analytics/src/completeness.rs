//! Who reported what: of each commitment, which areas gave the newest figure, which gave only older ones, which never any.
//!
//! Read off the long table alone, and so as protected as that is: a figure that is withheld was reported. An area is
//! expected to report a figure where the commitment applies to it, at the lowest level at which the figure exists.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, NaiveDate};
use serde::Serialize;

use crate::catalogue::{contains, in_scope};
use crate::model::{Area, Commitment, Level, PRIMARY_MEASURE, SourceKind, StatisticRow, wire};

/// How far an area reported a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reported {
    /// It gave the newest figure, or an area around it gave that for all that lies in it.
    InTime,
    /// It gave older figures, and not the newest.
    Late,
    /// It never gave any.
    Never,
}

/// Whether an area reported a commitment's figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AreaReported {
    /// The commitment's identifier.
    pub commitment: String,
    /// The service that keeps the records.
    pub service: String,
    /// Which records the figure is taken from.
    pub source: SourceKind,
    /// The dataset.
    pub dataset: String,
    /// GB/T 2260 code.
    pub area: String,
    /// How far it reported.
    pub reported: Reported,
    /// First day of the newest month that it gave.
    #[serde(with = "wire::optional_date")]
    pub newest: Option<NaiveDate>,
    /// Months between that and the newest that any area gave; none without one.
    pub months_late: Option<u32>,
}

/// Says of every commitment which of the areas that should have reported did. In the order of commitments and areas.
pub fn reported(commitments: &[Commitment], areas: &[Area], rows: &[StatisticRow]) -> Vec<AreaReported> {
    let mut months: BTreeMap<&str, BTreeMap<&str, BTreeSet<NaiveDate>>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.measure == PRIMARY_MEASURE) {
        months.entry(&row.commitment).or_default().entry(&row.area).or_default().insert(row.month);
    }
    let none = BTreeMap::new();
    let of = |commitment| {
        let given = Given { commitment, months: months.get(commitment.id.as_str()).unwrap_or(&none) };
        areas.iter().filter(|area| given.expects(area)).map(|area| given.of(&area.code)).collect::<Vec<_>>()
    };
    commitments.iter().flat_map(of).collect()
}

/// The months of a commitment that areas gave.
struct Given<'a> {
    commitment: &'a Commitment,
    months: &'a BTreeMap<&'a str, BTreeSet<NaiveDate>>,
}

impl Given<'_> {
    fn expects(&self, area: &Area) -> bool {
        let applies = area.level == Level::Region || in_scope(&area.code, &self.commitment.scope);
        area.level == self.commitment.lowest_level && applies
    }

    fn of(&self, area: &str) -> AreaReported {
        let due = self.months.values().filter_map(BTreeSet::last).max().copied();
        let newest = self.newest(area);
        let reported = match newest {
            None => Reported::Never,
            newest if newest == due => Reported::InTime,
            Some(_) => Reported::Late,
        };
        let number = |month: NaiveDate| month.year() * 12 + i32::try_from(month.month0()).unwrap_or_default();
        let late = due.zip(newest).map(|(due, newest)| number(due).abs_diff(number(newest)));
        AreaReported {
            commitment: self.commitment.id.clone(),
            service: self.commitment.service.clone(),
            source: self.commitment.source,
            dataset: self.commitment.dataset.clone(),
            area: area.to_owned(),
            reported,
            newest,
            months_late: late,
        }
    }

    /// The newest month that an area gave, or one around it for all that lies in it.
    ///
    /// A sum of those that reported is no word of those that did not: an area around speaks only for a month that none of
    /// the areas of the lowest level in it gave.
    fn newest(&self, area: &str) -> Option<NaiveDate> {
        let own = self.months.get(area).and_then(BTreeSet::last).copied();
        let around = self.months.iter().filter(|(code, _)| **code != area && contains(code, area));
        let spoken = around.flat_map(|(code, months)| months.iter().filter(|month| !self.below_gave(code, **month)));
        own.max(spoken.max().copied())
    }

    fn below_gave(&self, code: &str, month: NaiveDate) -> bool {
        let below = self.months.iter().filter(|(below, _)| **below != code && contains(code, below));
        below.into_iter().any(|(_, months)| months.contains(&month))
    }
}

/// How many commitments an area reported in time, late and never, from one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// In time.
    pub in_time: usize,
    /// Late.
    pub late: usize,
    /// Never.
    pub never: usize,
}

impl Tally {
    /// Returns the commitments that the area should have reported.
    pub fn expected(&self) -> usize {
        self.in_time + self.late + self.never
    }
}

/// Adds up by area and source: the service, and which of its records.
pub fn tally(reported: &[AreaReported]) -> BTreeMap<(&str, &str, SourceKind), Tally> {
    let mut all: BTreeMap<(&str, &str, SourceKind), Tally> = BTreeMap::new();
    for one in reported {
        let tally = all.entry((&one.area, &one.service, one.source)).or_default();
        match one.reported {
            Reported::InTime => tally.in_time += 1,
            Reported::Late => tally.late += 1,
            Reported::Never => tally.never += 1,
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Areas, Catalogue};
    use crate::testing::day;

    fn given(area: &str, month: &str) -> StatisticRow {
        StatisticRow {
            commitment: "purchased-services".to_owned(),
            measure: PRIMARY_MEASURE.to_owned(),
            area: area.to_owned(),
            month: day(month),
            numerator: None,
            denominator: None,
            value: None,
            possible: None,
        }
    }

    fn of(rows: &[StatisticRow]) -> BTreeMap<String, (Reported, Option<u32>)> {
        let all = Catalogue::shipped().commitments(day("2026-03-31"));
        let one: Vec<Commitment> = all.into_iter().filter(|one| one.id == "purchased-services").collect();
        let found = reported(&one, Areas::of_the_region().all(), rows);
        found.into_iter().map(|one| (one.area, (one.reported, one.months_late))).collect()
    }

    #[test]
    fn an_area_is_in_time_late_or_never_by_the_newest_month_that_any_gave() {
        // Lhasa's own figure stands for its counties; the region's of January is the sum of what came.
        let rows = [
            given("540000", "2026-01-01"),
            given("542500", "2026-01-01"),
            given("542521", "2026-01-01"),
            given("542522", "2025-11-01"),
        ];
        let found = of(&rows);
        assert_eq!(found["542521"], (Reported::InTime, Some(0)));
        assert_eq!(found["542522"], (Reported::Late, Some(2)));
        assert_eq!(found["540102"], (Reported::Never, None));
        let found = of(&[given("540100", "2026-01-01"), given("540000", "2026-01-01")]);
        assert_eq!(found["540102"], (Reported::InTime, Some(0)), "its prefecture spoke for it");
        assert_eq!(found["542521"].0, Reported::Never, "the region only added up");
        let found = of(&[given("540000", "2026-01-01")]);
        assert!(found.values().all(|one| one.0 == Reported::InTime), "the region spoke for all");
        assert!(of(&[]).values().all(|one| *one == (Reported::Never, None)));
    }

    #[test]
    fn areas_are_added_up_by_source() {
        let all = Catalogue::shipped().commitments(day("2026-03-31"));
        let found = reported(&all, Areas::of_the_region().all(), &[given("540102", "2026-01-01")]);
        let tally = tally(&found);
        let own = tally[&("540102", "community", SourceKind::Returns)];
        assert_eq!((own.in_time, own.late, own.never > 0), (1, 0, true), "{own:?}");
        let expected: usize = tally.values().map(Tally::expected).sum();
        assert_eq!(expected, found.len());
    }
}
