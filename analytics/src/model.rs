//! The facts that the stages hand to each other: commitments, areas, statistics, sources, attainment.
//!
//! Plain data. Nothing here reads a file, a clock or a data frame, and nothing here decides anything: the statistics
//! produce [`StatisticRow`]s, the assessment turns them into an [`AttainmentDocument`], the report writes it down.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

mod attainment;
pub mod wire;

pub use attainment::{
    AttainmentDocument, AttainmentEntry, BackTest, Calibration, Forecast, ForecastMethod, Notice, Parts,
};

pub use minsheng_catalogue::{
    Area, Baseline, Basis, Bilingual, Clause, Commitment, Direction, DueBasis, Kind, Level, PRIMARY_MEASURE, REGION,
    SecondaryMeasure, SourceKind, StandardFigure, Window,
};

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
    /// What the value may be, where not all that it is about reported or was approved; none where it is what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub possible: Option<Box<Possible>>,
}

/// What a figure may be, from the worst to the best that areas and sources may be that did not report.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Possible {
    /// The least that it may be; none where nothing bounds it.
    #[serde(with = "wire::optional_number")]
    pub low: Option<f64>,
    /// The most that it may be; none where nothing bounds it.
    #[serde(with = "wire::optional_number")]
    pub high: Option<f64>,
    /// Filings are in the value that nobody but their filer has seen: they are shown, and count for no verdict.
    pub unapproved: bool,
}

/// How far one service's records are known to the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    /// The service.
    pub service: String,
    /// The last journal position that is in the lake.
    pub position: i64,
    /// The instant up to which its records are known, microseconds UTC, at most that of the report; none when it was
    /// never read.
    #[serde(with = "wire::optional_instant")]
    pub recorded_until: Option<i64>,
    /// Its records are known only to an instant before that of the report: later ones may still change the figures.
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
    /// Its records, or some of them, were read again from their beginning, in this run or before: what was known of
    /// them until then is set aside, and no figure of any instant is taken from it any more.
    pub resynced: Option<Resync>,
}

/// What became of the services in a run, by name; nothing is to be said of one that is not in it.
pub type Run = BTreeMap<String, SourceRun>;

impl SourceRun {
    /// Reports whether a report of an instant may differ from one of the same instant that was made before the
    /// service's records were read again.
    pub fn may_differ_from_before(&self, as_of: DateTime<Utc>) -> bool {
        self.resynced.as_ref().is_some_and(|read| as_of < read.at)
    }
}

/// That a service's records were read again from their beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resync {
    /// When, the last time.
    pub at: DateTime<Utc>,
    /// Why.
    pub why: ResyncReason,
}

/// Why a feed had to be read again from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResyncReason {
    /// The department's journal was restored from a backup or recreated.
    JournalReplaced,
    /// The department does not know the place to go on from: it is of another version, or was given under another key.
    CursorRefused,
    /// The lake was written by an earlier version, which kept it in another form.
    LakeReplaced,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// A later figure than the newest that is given: too few of the areas below have reported it.
    pub partial: Option<Box<StatisticRow>>,
    /// The day on which the last step was done that a milestone's target asks for.
    pub reached_on: Option<NaiveDate>,
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
    /// What is missing decides: too few areas have reported for the figure to be added up, or at its worst it gives
    /// another verdict than at its best.
    Incomplete,
    /// What was filed decides, and nobody but its filer has approved it.
    NotApproved,
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
    /// A parameter that it is counted by was told in a shape that this version does not know.
    ParameterUnusable,
}
