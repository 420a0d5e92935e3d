//! The facts that the stages hand to each other: commitments, areas, statistics, sources, attainment.
//!
//! Plain data. Nothing here reads a file, a clock or a data frame, and nothing here decides anything: the statistics
//! produce [`StatisticRow`]s, the assessment turns them into an [`AttainmentDocument`], the report writes it down.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

mod attainment;
pub mod wire;

pub use attainment::{AttainmentDocument, AttainmentEntry, BackTest, Forecast, ForecastMethod, Notice};

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
    /// What is counted, in the field's own terms.
    pub measure: Bilingual,
    /// Measures beside the primary one: name and title.
    pub secondary: Vec<SecondaryMeasure>,
}

/// A measure that stands beside the primary one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondaryMeasure {
    /// Name, as in [`StatisticRow::measure`].
    pub name: String,
    /// What it is, in both languages.
    pub title: Bilingual,
    /// Its unit.
    pub unit: Bilingual,
    /// It counts persons, so that small counts are withheld.
    #[serde(default)]
    pub person_based: bool,
}

/// One cell of the long table: a measure of a commitment in an area and a month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatisticRow {
    /// The commitment's identifier.
    pub commitment: String,
    /// [`PRIMARY_MEASURE`] or the name of a secondary measure.
    pub measure: String,
    /// GB/T 2260 code.
    pub area: String,
    /// First day of the month; the value is the one of the month's last day, or of the report's day in its own month.
    #[serde(with = "wire::date")]
    pub month: NaiveDate,
    /// Numerator, where the measure is a share; otherwise the count or sum itself.
    #[serde(with = "wire::optional_number")]
    pub numerator: Option<f64>,
    /// Denominator, where the measure is a share.
    #[serde(with = "wire::optional_number")]
    pub denominator: Option<f64>,
    /// The value in the measure's unit (shares in percent).
    #[serde(with = "wire::optional_number")]
    pub value: Option<f64>,
}

/// How far one service's records are known to the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    /// The service.
    pub service: String,
    /// The last journal position that is in the lake.
    pub position: i64,
    /// The moment up to which its records are known, microseconds UTC, at most that of the report; none when it was
    /// never read.
    #[serde(with = "wire::optional_moment")]
    pub recorded_until: Option<i64>,
    /// Its records are known only to a moment before that of the report: later ones may still change the figures.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
}

/// What became of one service in a run: for people, on the page, in the terminal and in the log.
///
/// No part of what a report found: the same records give the same files for machines, whoever was asked for them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceRun {
    /// Why the service could not be reached; none when it was, or was not asked.
    pub unreached: Option<String>,
    /// The run did not ask the service: what the lake already held was all that it read.
    pub not_asked: bool,
    /// Its records, or some of them, were read again from their beginning, in this run or before: what was known of them
    /// until then is set aside, and no figure of any moment is taken from it any more.
    pub read_anew: Option<ReadAnew>,
}

/// What became of the services in a run, by name; nothing is to be said of one that is not in it.
pub type Run = BTreeMap<String, SourceRun>;

impl SourceRun {
    /// Tells whether a report of a moment may differ from one of the same moment that was made before the service's
    /// records were read again.
    pub fn may_differ_from_before(&self, as_of: DateTime<Utc>) -> bool {
        self.read_anew.as_ref().is_some_and(|read| as_of < read.at)
    }
}

/// That a service's records were read again from their beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadAnew {
    /// When, the last time.
    pub at: DateTime<Utc>,
    /// Why.
    pub why: WhyAnew,
}

/// Why a feed had to be read again from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyAnew {
    /// The department's journal was restored from a backup or made anew.
    JournalReplaced,
    /// The department does not know the place to go on from: it is of another version, or was given under another key.
    CursorRefused,
}

/// How much of what should have reported did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completeness {
    /// Areas below (or the area itself) with data for the month.
    pub areas_reported: u32,
    /// Areas that should have data.
    pub areas_expected: u32,
    /// The oldest of the days that the figure's parts are true for; none without data.
    #[serde(with = "wire::optional_date")]
    pub oldest: Option<NaiveDate>,
}

/// The completeness of one commitment's figure in one area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletenessRow {
    /// The commitment's identifier.
    pub commitment: String,
    /// GB/T 2260 code.
    pub area: String,
    /// How much of it reported.
    pub completeness: Completeness,
    /// The last day that the department's records speak for; none where the figure itself says what it is for.
    pub known_on: Option<NaiveDate>,
    /// The day on which the newest record of the figure's register was recorded; none for what is filed.
    pub last_record: Option<NaiveDate>,
    /// There is a later figure than the newest that is given, but too few of the areas below have reported it.
    pub partial: bool,
}

/// The verdict on a commitment in an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The target holds, and held on its due date.
    Met,
    /// At least 95 percent of the pace that is needed.
    OnTrack,
    /// At least 60 percent of the pace that is needed.
    AtRisk,
    /// Less than that, or moving away.
    OffTrack,
    /// The due date has passed and the target did not hold on it.
    Missed,
    /// Missed, and reached later; the entry's `met_on` says when.
    MetLate,
    /// The commitment has no number here: level and direction only.
    TrendOnly,
    /// Nothing can be said; the entry's `reason` says why.
    NotAssessable,
}

impl Status {
    /// Every status in the order of a scoreboard.
    pub const ALL: [Self; 8] = [
        Self::Met,
        Self::OnTrack,
        Self::AtRisk,
        Self::OffTrack,
        Self::Missed,
        Self::MetLate,
        Self::TrendOnly,
        Self::NotAssessable,
    ];
}

/// Why a figure could not be judged, or what a reader must know beside the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nobody reported anything.
    NoData,
    /// No starting point is declared and none can be read from the data.
    NoBaseline,
    /// The starting point is the target itself and the target no longer holds.
    BaselineEqualsTarget,
    /// A share without its denominator.
    MissingDenominator,
    /// A share of nothing: there was no case in the period.
    ZeroDenominator,
    /// One point of data and no declared starting point: no pace.
    OnePoint,
    /// The newest data are too old to speak for the day.
    SourceTooOld,
    /// Too few of the areas below have reported for the figure to be added up.
    Incomplete,
    /// A goal without a date: the share reached is given, a pace does not exist.
    NoDueDate,
    /// A milestone that is neither done nor due, and has no stages.
    NotDueYet,
    /// The commitment is not in force on the day.
    NotStarted,
    /// No record of the due date itself.
    NoDataOnDueDate,
    /// The target held on the due date and has been lost since.
    LostAfterDue,
    /// The starting point was beyond the target, and the value has left it.
    LostSinceBaseline,
    /// The target is the region's; this area has no share of it.
    NoTargetForArea,
    /// The figure does not exist at this level.
    NotMeasuredAtLevel,
    /// The commitment does not apply to this area.
    OutOfScope,
}
