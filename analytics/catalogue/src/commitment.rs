//! What everybody knows of a commitment: its words, its target and its days; nothing of how it is measured.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::wire;

/// The measure of a commitment that its target speaks of; every other measure stands beside it.
pub const PRIMARY_MEASURE: &str = "primary";

/// The GB/T 2260 code of the whole region.
pub const REGION: &str = "540000";

/// What sort of figure a commitment is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A share of a named denominator, in percent.
    Rate,
    /// A number of things.
    Count,
    /// A sum of money.
    Amount,
    /// Something that is done or not done: value 1 or 0, or the number done of several.
    Milestone,
    /// A level that every provider has to reach: the value is the share of providers that do, in percent.
    Standard,
}

/// Where a commitment's target comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The notice gives the number or the date.
    Stated,
    /// The notice says "all" or "every": 100 percent of a named denominator.
    Implied,
    /// The notice gives a direction only; never an attainment percentage.
    Trend,
}

/// Which cases a standing duty is judged by, so that one breach neither vanishes among years nor condemns for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// Those since the notice was issued.
    SinceNotice,
    /// Those of the last twelve months.
    TwelveMonths,
    /// Those of the month.
    Month,
    /// The state on the day.
    Day,
}

/// Where a commitment stands in the notice, below its article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// The sentence of the article, counted from 1 behind its heading.
    pub item: u8,
    /// The ordinal of the promise in that sentence.
    pub promise: u8,
}

/// Where a due date comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DueBasis {
    /// The notice gives the day or the end of the year.
    Stated,
    /// Ours, from words such as "within the year".
    Inferred,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The value has to be the target or more.
    AtLeast,
    /// The value has to be the target or less.
    AtMost,
    /// More is better; a target, where there is one, reads as "at least".
    Rising,
    /// Less is better; a target, where there is one, reads as "at most".
    Falling,
}

/// Which records a commitment's figures are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Counted from a register's own records.
    Register,
    /// Filed by a department as a statistical return.
    Returns,
    /// Filed by a department as a milestone with its evidence.
    Milestones,
}

/// The level of an administrative area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The Autonomous Region.
    Region,
    /// A prefecture or prefecture-level city.
    Prefecture,
    /// A county or district.
    County,
}

/// An administrative area of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// GB/T 2260 code, six digits.
    pub code: String,
    /// Its level.
    pub level: Level,
    /// Code of the area it belongs to; none for the region.
    pub parent: Option<String>,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
}

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bilingual {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// A declared starting point of a commitment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The value then, in the commitment's unit.
    #[serde(with = "wire::number")]
    pub value: f64,
    /// The day it was true.
    #[serde(with = "wire::date")]
    pub on: NaiveDate,
}

/// The figure of a [`Kind::Standard`] commitment, such as 1,100 yuan per student and year.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StandardFigure {
    /// The level that every provider has to reach.
    #[serde(with = "wire::number")]
    pub value: f64,
    /// Its unit.
    pub unit: Bilingual,
}

/// What assessment and report know of one commitment; the catalogue holds more (its expressions).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts of a catalogue entry, each a line of its own there"
)]
pub struct Commitment {
    /// Stable identifier, such as `elder-meal-points`.
    pub id: String,
    /// The notice's article, 1 to 10.
    pub article: u8,
    /// The service that keeps the records, such as `community`.
    pub service: String,
    /// Departments the notice makes responsible.
    pub leads: Vec<String>,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// What sort of figure it is judged by.
    pub kind: Kind,
    /// Where its target comes from.
    pub basis: Basis,
    /// Which way is better.
    pub direction: Direction,
    /// The target in `unit`. For a standard this is 100 (percent of providers that reach `standard`); for a milestone
    /// the number of things to be done, usually 1.
    pub target: Option<f64>,
    /// Unit of target and value.
    pub unit: Bilingual,
    /// The figure of a standard, beside the share of providers that reach it.
    pub standard: Option<StandardFigure>,
    /// Declared starting point; without it the first month with data serves.
    pub baseline: Option<Baseline>,
    /// First day on which the commitment is in force.
    #[serde(with = "wire::optional_date")]
    pub start: Option<NaiveDate>,
    /// Last day on which the target must hold.
    #[serde(with = "wire::optional_date")]
    pub due: Option<NaiveDate>,
    /// Where the due date comes from; none without one.
    pub due_basis: Option<DueBasis>,
    /// Codes of the areas it applies to; empty for the whole region.
    pub scope: Vec<String>,
    /// Which records its figures are taken from.
    pub source: SourceKind,
    /// The dataset, such as `health.institutions`.
    pub dataset: String,
    /// The figure can only grow over time (things done, not things open).
    pub cumulative: bool,
    /// A target without a date that has to hold every day (all claims are paid in time), not a goal to be reached once.
    pub standing: bool,
    /// Which cases such a target is judged by.
    pub window: Option<Window>,
    /// The target binds every area on its own (a share does); otherwise it binds the region, or `area_targets`.
    pub every_area: bool,
    /// Targets of single areas by code, where the region's plan divides them.
    pub area_targets: BTreeMap<String, f64>,
    /// The lowest level at which the figure exists; a regional document has none in a county.
    pub lowest_level: Level,
    /// The lowest and highest possible value, such as 0 and 100 for a share.
    pub bounds: Option<(f64, f64)>,
    /// The primary figure counts persons, so that small counts are withheld.
    pub person_based: bool,
    /// Where it stands in the notice; none for one from elsewhere.
    pub clause: Option<Clause>,
    /// What is promised, in plain words.
    pub promise: Bilingual,
    /// What is counted, in the field's own terms.
    pub measure: Bilingual,
    /// What its figure waits for to be the one that the promise means; none where it is.
    pub waits_for: Option<Bilingual>,
    /// Measures beside the primary one: name and title.
    pub secondary: Vec<SecondaryMeasure>,
}

/// A measure that stands beside the primary one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondaryMeasure {
    /// Name, as in the statistics.
    pub name: String,
    /// What it is, in both languages.
    pub title: Bilingual,
    /// Its unit.
    pub unit: Bilingual,
    /// It counts persons, so that small counts are withheld.
    #[serde(default)]
    pub person_based: bool,
}
