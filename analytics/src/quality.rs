//! How good a figure is: rules that it breaks, values that are out of the usual, and one grade.
//!
//! Pure, and read off what a report may say, so a mark tells nothing that is withheld. A mark is a question to the
//! department, not a correction: no figure is changed.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};
use serde::Serialize;

use crate::catalogue::{Catalogue, Entry, Form};
use crate::completeness::{AreaReported, Reported};
use crate::model::{AttainmentDocument, AttainmentEntry, PRIMARY_MEASURE, SourceKind, StatisticRow, wire};

/// A change is out of the usual from so many times the usual one on.
pub const JUMP: f64 = 10.0;
/// Changes that must be known before one can be out of the usual.
pub const CHANGES_KNOWN: usize = 6;
/// How much of a unit is no change at all: what rounding leaves.
const NOTHING: f64 = 1e-9;

/// What is wrong or unusual about a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A part of a whole is more than the whole.
    AboveDenominator,
    /// A count, a sum or a share is below zero.
    BelowZero,
    /// The value lies outside what the commitment's figure can be.
    OutOfBounds,
    /// A figure that can only grow has fallen.
    Fallen,
    /// The change against the month before is many times the usual one.
    Jump,
}

impl Fault {
    /// Every fault, those that break a rule first.
    pub const ALL: [Self; 5] = [Self::AboveDenominator, Self::BelowZero, Self::OutOfBounds, Self::Fallen, Self::Jump];

    /// Returns its name, as files have it.
    pub fn code(self) -> &'static str {
        match self {
            Self::AboveDenominator => "above_denominator",
            Self::BelowZero => "below_zero",
            Self::OutOfBounds => "out_of_bounds",
            Self::Fallen => "fallen",
            Self::Jump => "jump",
        }
    }

    /// Reports whether a rule is broken; otherwise the figure is only unusual.
    pub fn is_broken_rule(self) -> bool {
        self != Self::Jump
    }
}

/// A figure that is marked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mark {
    /// The commitment's identifier.
    pub commitment: String,
    /// The measure.
    pub measure: String,
    /// GB/T 2260 code.
    pub area: String,
    /// First day of the month.
    #[serde(with = "wire::month")]
    pub month: NaiveDate,
    /// What is wrong or unusual.
    pub fault: Fault,
    /// The figure: the value, or the numerator where that is at fault.
    #[serde(with = "wire::number")]
    pub found: f64,
    /// What it is held against: the denominator, the bound, the value of the month before.
    #[serde(with = "wire::number")]
    pub against: f64,
}

/// The figures of an area by month.
type Months<'a> = BTreeMap<NaiveDate, &'a StatisticRow>;

/// Marks the figures of a catalogue's measures, in the order of commitments, measures, areas and months.
pub fn marks(catalogue: &Catalogue, rows: &[StatisticRow]) -> Vec<Mark> {
    let mut series: BTreeMap<(&str, &str), BTreeMap<&str, Months<'_>>> = BTreeMap::new();
    for row in rows {
        let of_measure = series.entry((&row.commitment, &row.measure)).or_default();
        of_measure.entry(&row.area).or_default().insert(row.month, row);
    }
    let mut marks = Vec::new();
    for entry in &catalogue.entries {
        for measure in &entry.measures {
            let rules = Rules::of(entry, &measure.name, measure.form);
            let own = series.get(&(entry.commitment.id.as_str(), measure.name.as_str()));
            for months in own.into_iter().flat_map(BTreeMap::values) {
                marks.extend(rules.marks(months));
            }
        }
    }
    marks
}

/// What holds for the figures of a measure.
struct Rules {
    /// A part of a whole.
    is_share: bool,
    bounds: Option<(f64, f64)>,
    grows_only: bool,
}

impl Rules {
    fn of(entry: &Entry, measure: &str, form: Form) -> Self {
        let own = measure == PRIMARY_MEASURE;
        Self {
            is_share: form == Form::Share,
            bounds: entry.commitment.bounds.filter(|_| own),
            grows_only: own && entry.commitment.cumulative,
        }
    }

    fn marks(&self, months: &Months<'_>) -> Vec<Mark> {
        let mut marks = Vec::new();
        let mut before: Option<f64> = None;
        let mut changes: Vec<f64> = Vec::new();
        for row in months.values() {
            let mut mark = |fault, found, against| {
                let (commitment, measure) = (row.commitment.clone(), row.measure.clone());
                marks.push(Mark {
                    commitment,
                    measure,
                    area: row.area.clone(),
                    month: row.month,
                    fault,
                    found,
                    against,
                });
            };
            if let (true, Some(part), Some(whole)) = (self.is_share, row.numerator, row.denominator)
                && part > whole + NOTHING
            {
                mark(Fault::AboveDenominator, part, whole);
            }
            let lowest = [row.numerator, row.denominator, row.value].into_iter().flatten().reduce(f64::min);
            if let Some(below) =
                lowest.filter(|lowest| *lowest < -NOTHING && self.bounds.is_none_or(|(low, _)| low >= 0.0))
            {
                mark(Fault::BelowZero, below, 0.0);
            }
            // A month without a value says nothing of a change.
            let Some(value) = row.value else {
                before = None;
                continue;
            };
            match self.bounds {
                Some((low, _)) if value < low - NOTHING && low > 0.0 => mark(Fault::OutOfBounds, value, low),
                Some((_, high)) if value > high + NOTHING => mark(Fault::OutOfBounds, value, high),
                _ => {}
            }
            if let Some(before) = before {
                let change = value - before;
                if self.grows_only && change < -NOTHING {
                    mark(Fault::Fallen, value, before);
                }
                if usual(&changes).is_some_and(|usual| change.abs() >= JUMP * usual) {
                    mark(Fault::Jump, value, before);
                }
                changes.push(change.abs());
            }
            before = Some(value);
        }
        marks
    }
}

/// Returns the usual change: the median of those that were any; none where too few changes are known, or most were none.
fn usual(changes: &[f64]) -> Option<f64> {
    if changes.len() < CHANGES_KNOWN {
        return None;
    }
    let mut any: Vec<f64> = changes.iter().copied().filter(|change| *change > NOTHING).collect();
    if any.len() * 2 < changes.len() {
        return None;
    }
    any.sort_by(f64::total_cmp);
    any.get(any.len() / 2).copied()
}

/// How far a figure can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Grade {
    /// All that should be in it is, it is of this month or the last, and nothing about it is marked.
    A,
    /// Nine tenths are in it and it is at most three months old; or all is well but it was filed, not counted.
    B,
    /// Half is in it, or it is older, or it is out of the usual.
    C,
    /// Less is in it, or it breaks a rule.
    D,
}

impl Grade {
    /// Returns its letter.
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
        }
    }
}

/// What a grade follows from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a figure")]
pub struct Evidence {
    /// Share of what should have reported that did, 0 to 1.
    pub reported: f64,
    /// Months between the report's and the figure's.
    pub months_old: u32,
    /// It was filed, not counted from records.
    pub filed: bool,
    /// A service whose records are in it is known only to an instant before that of the report.
    pub source_incomplete: bool,
    /// It, or a figure of its last twelve months, breaks a rule.
    pub breaks_a_rule: bool,
    /// It, or a figure of its last twelve months, is out of the usual.
    pub unusual: bool,
}

/// Grades a figure: the worst that anything about it deserves.
pub fn grade(evidence: Evidence) -> Grade {
    let complete = match evidence.reported {
        share if share >= 1.0 => Grade::A,
        share if share >= 0.9 => Grade::B,
        share if share >= 0.5 => Grade::C,
        _ => Grade::D,
    };
    let age = match evidence.months_old {
        0 | 1 => Grade::A,
        2 | 3 => Grade::B,
        _ => Grade::C,
    };
    let at_worst = |holds: bool, grade: Grade| if holds { grade } else { Grade::A };
    [
        complete,
        age,
        at_worst(evidence.filed, Grade::B),
        at_worst(evidence.source_incomplete, Grade::B),
        at_worst(evidence.unusual, Grade::C),
        at_worst(evidence.breaks_a_rule, Grade::D),
    ]
    .into_iter()
    .max()
    .unwrap_or(Grade::D)
}

/// The grade of an entry of the report.
#[derive(Debug, Clone, PartialEq)]
pub struct Graded {
    /// The commitment's identifier.
    pub commitment: String,
    /// GB/T 2260 code.
    pub area: String,
    /// What the grade follows from.
    pub evidence: Evidence,
    /// The grade.
    pub grade: Grade,
}

/// Grades every entry that has a figure, withheld ones included, in the order of the document.
pub fn grades(document: &AttainmentDocument, reported: &[AreaReported], marks: &[Mark]) -> Vec<Graded> {
    let mut of_commitment: BTreeMap<&str, Vec<&AreaReported>> = BTreeMap::new();
    for one in reported {
        of_commitment.entry(&one.commitment).or_default().push(one);
    }
    let mut marked: BTreeMap<(&str, &str), Vec<&Mark>> = BTreeMap::new();
    for mark in marks.iter().filter(|mark| mark.measure == PRIMARY_MEASURE) {
        marked.entry((&mark.commitment, &mark.area)).or_default().push(mark);
    }
    let incomplete = |service: &str| document.sources.iter().any(|one| one.service == service && one.incomplete);
    let graded = |entry: &AttainmentEntry| {
        let value_on = entry.value_on.or_else(|| entry.suppressed.then_some(document.on))?;
        let own = of_commitment.get(entry.id.as_str()).map_or(&[][..], Vec::as_slice);
        let age = months_between(value_on, document.on);
        let recent = marked.get(&(entry.id.as_str(), entry.area.as_str())).map_or(&[][..], Vec::as_slice);
        let recent = || recent.iter().filter(|mark| months_between(mark.month, document.on) < 12);
        let evidence = Evidence {
            reported: share_reported(own, entry),
            months_old: age,
            filed: entry.source != SourceKind::Register,
            source_incomplete: incomplete(&entry.service),
            breaks_a_rule: recent().any(|mark| mark.fault.is_broken_rule()),
            unusual: recent().any(|mark| !mark.fault.is_broken_rule()),
        };
        let (commitment, area) = (entry.id.clone(), entry.area.clone());
        Some(Graded { commitment, area, evidence, grade: grade(evidence) })
    };
    document.commitments.iter().filter_map(graded).collect()
}

/// Returns the share of the areas in an entry's that reported in time.
fn share_reported(own: &[&AreaReported], entry: &AttainmentEntry) -> f64 {
    let inside = own.iter().filter(|one| {
        crate::catalogue::contains(&entry.area, &one.area) || crate::catalogue::contains(&one.area, &entry.area)
    });
    let (mut expected, mut came) = (0_u32, 0_u32);
    for one in inside {
        expected += 1;
        came += u32::from(one.reported == Reported::InTime);
    }
    if expected == 0 { 1.0 } else { f64::from(came) / f64::from(expected) }
}

fn months_between(from: NaiveDate, until: NaiveDate) -> u32 {
    let number = |day: NaiveDate| day.year() * 12 + i32::try_from(day.month0()).unwrap_or_default();
    u32::try_from(number(until) - number(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::day;

    /// Numerator, denominator, value.
    type Numbers = (Option<f64>, Option<f64>, Option<f64>);

    /// A case: the rules, the months' numbers, the months and faults that are found.
    type Case<'a> = (&'a Rules, Vec<Numbers>, Vec<(u32, Fault)>);

    /// The values of months, the months and faults that are found.
    type Jumps<'a> = (&'a [f64], &'a [(u32, Fault)]);

    fn series(values: &[Numbers]) -> Vec<StatisticRow> {
        let row = |(month, (numerator, denominator, value)): (u32, &Numbers)| StatisticRow {
            commitment: "c".to_owned(),
            measure: PRIMARY_MEASURE.to_owned(),
            area: "540000".to_owned(),
            month: day("2024-01-01") + chrono::Months::new(month),
            numerator: *numerator,
            denominator: *denominator,
            value: *value,
            possible: None,
        };
        (0..).zip(values).map(row).collect()
    }

    fn found(rules: &Rules, values: &[Numbers]) -> Vec<(u32, Fault)> {
        let rows = series(values);
        let months = rows.iter().map(|row| (row.month, row)).collect();
        rules.marks(&months).iter().map(|mark| (months_between(day("2024-01-01"), mark.month), mark.fault)).collect()
    }

    #[test]
    fn broken_rules_are_found_and_sound_figures_are_not_marked() {
        let share = Rules { is_share: true, bounds: Some((0.0, 100.0)), grows_only: false };
        let count = Rules { is_share: false, bounds: None, grows_only: true };
        let figure = |value| (Some(value), None, Some(value));
        let cases: [Case<'_>; 8] = [
            (&share, vec![(Some(3.0), Some(4.0), Some(75.0)), (Some(4.0), Some(4.0), Some(100.0))], vec![]),
            (
                &share,
                vec![(Some(5.0), Some(4.0), Some(125.0))],
                vec![(0, Fault::AboveDenominator), (0, Fault::OutOfBounds)],
            ),
            (&share, vec![(Some(-1.0), Some(4.0), Some(-25.0))], vec![(0, Fault::BelowZero)]),
            (&share, vec![(Some(0.0), Some(0.0), None)], vec![]),
            (&count, vec![figure(5.0), figure(4.0), figure(4.0)], vec![(1, Fault::Fallen)]),
            // A month that is withheld or missing is no month to compare with.
            (&count, vec![figure(5.0), (None, None, None), figure(4.0)], vec![]),
            (&Rules { bounds: Some((-10.0, 10.0)), ..share }, vec![(None, None, Some(-5.0))], vec![]),
            (
                &Rules { bounds: Some((1.0, 10.0)), ..share },
                vec![(None, None, Some(0.5))],
                vec![(0, Fault::OutOfBounds)],
            ),
        ];
        for (rules, values, expected) in cases {
            assert_eq!(found(rules, &values), expected, "{values:?}");
        }
    }

    #[test]
    fn a_change_of_many_times_the_usual_is_a_jump_once_changes_are_known() {
        let rules = Rules { is_share: false, bounds: None, grows_only: false };
        let figures =
            |values: &[f64]| values.iter().map(|value| (Some(*value), None, Some(*value))).collect::<Vec<_>>();
        let cases: [Jumps<'_>; 5] = [
            (&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 17.0], &[(7, Fault::Jump)]),
            (&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 16.9], &[]),
            // Too few changes are known.
            (&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 100.0], &[]),
            // A figure that mostly stays as it is has no usual change.
            (&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 50.0], &[]),
            (&[9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 103.0, 3.0], &[(7, Fault::Jump), (8, Fault::Jump)]),
        ];
        for (values, expected) in cases {
            assert_eq!(found(&rules, &figures(values)), expected, "{values:?}");
        }
    }

    #[test]
    fn a_grade_is_the_worst_that_anything_deserves() {
        let sound = Evidence {
            reported: 1.0,
            months_old: 0,
            filed: false,
            source_incomplete: false,
            breaks_a_rule: false,
            unusual: false,
        };
        let cases = [
            (sound, Grade::A),
            (Evidence { months_old: 1, ..sound }, Grade::A),
            (Evidence { months_old: 2, ..sound }, Grade::B),
            (Evidence { months_old: 4, ..sound }, Grade::C),
            (Evidence { reported: 0.99, ..sound }, Grade::B),
            (Evidence { reported: 0.89, ..sound }, Grade::C),
            (Evidence { reported: 0.49, ..sound }, Grade::D),
            (Evidence { filed: true, ..sound }, Grade::B),
            (Evidence { source_incomplete: true, ..sound }, Grade::B),
            (Evidence { unusual: true, ..sound }, Grade::C),
            (Evidence { breaks_a_rule: true, ..sound }, Grade::D),
            (Evidence { filed: true, unusual: true, reported: 0.95, ..sound }, Grade::C),
        ];
        for (evidence, expected) in cases {
            assert_eq!(grade(evidence), expected, "{evidence:?}");
        }
    }
}
