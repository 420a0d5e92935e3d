//! The verdicts: what `attainment.json` holds.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{Baseline, Basis, Completeness, Direction, Kind, Level, Reason, SourceKind, SourceState, Status, wire};

/// How a forecast was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForecastMethod {
    /// Exponential smoothing alone, as reports before November 2026 had it.
    Ets,
    /// The average monthly change carried on, with an interval from how the months scattered about it.
    LinearPace,
    /// Both, each as likely as the other.
    Average,
}

/// How well a forecasting method did on the months that are already known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BackTest {
    /// Number of forecasts that were compared with what came.
    pub forecasts: u32,
    /// Months ahead of each of them.
    pub months_ahead: u32,
    /// Mean absolute error, in the commitment's unit.
    #[serde(with = "wire::number")]
    pub mean_absolute_error: f64,
    /// Mean absolute error of "stays as it is".
    #[serde(with = "wire::number")]
    pub naive_mean_absolute_error: f64,
    /// Share of the values that fell into the interval, 0 to 1.
    #[serde(with = "wire::number")]
    pub interval_coverage: f64,
    /// Share of the values that fell into the naive forecast's interval, 0 to 1.
    #[serde(with = "wire::number")]
    pub naive_interval_coverage: f64,
    /// Mean squared difference between the probability and what came, 0 to 1; none without a target.
    #[serde(default, with = "wire::optional_number")]
    pub brier: Option<f64>,
    /// Of the forecasts, how many were for a month in which the target held; none without a target.
    #[serde(default)]
    pub held: Option<u32>,
}

/// What the forecasts of a report were worth together, on the months that are already known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Number of figures whose forecasts were tried.
    pub figures: u32,
    /// Number of forecasts that were compared with what came.
    pub forecasts: u32,
    /// Share of the values that fell into the interval, 0 to 1.
    #[serde(with = "wire::number")]
    pub interval_coverage: f64,
    /// Share of the values that fell into the interval of "stays as it is", 0 to 1.
    #[serde(with = "wire::number")]
    pub naive_interval_coverage: f64,
    /// Mean squared difference between the probability and what came; none without a target.
    #[serde(with = "wire::optional_number")]
    pub brier: Option<f64>,
    /// The same of whoever says for every target the share of them that held.
    #[serde(with = "wire::optional_number")]
    pub base_rate_brier: Option<f64>,
}

/// Where a figure is heading.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// How it was made.
    pub method: ForecastMethod,
    /// The day it is made for: the due date, or a year ahead where there is none.
    #[serde(with = "wire::date")]
    pub on: NaiveDate,
    /// The value expected then: as likely to be more as to be less; none further ahead than was tried.
    #[serde(with = "wire::optional_number")]
    pub value: Option<f64>,
    /// Lower end of the interval.
    #[serde(with = "wire::optional_number")]
    pub low: Option<f64>,
    /// Upper end of the interval.
    #[serde(with = "wire::optional_number")]
    pub high: Option<f64>,
    /// The interval's nominal coverage, 0 to 1.
    #[serde(with = "wire::number")]
    pub level: f64,
    /// Probability that the target holds then, 0 to 1; none without a target, or further ahead than was tried.
    #[serde(with = "wire::optional_number")]
    pub probability: Option<f64>,
    /// The day on which the expected value reaches the target, where it does no further ahead than was tried.
    #[serde(with = "wire::optional_date")]
    pub met_on: Option<NaiveDate>,
    /// Change per month that the forecast expects over the year ahead, or up to its day where that is nearer.
    #[serde(with = "wire::number")]
    pub pace_per_month: f64,
    /// Change per month that is needed from now on; none without target or date.
    #[serde(with = "wire::optional_number")]
    pub needed_per_month: Option<f64>,
    /// How the method did on the months that are known; none where they are too few.
    pub back_test: Option<BackTest>,
    /// Months from the last one known to the day.
    #[serde(default)]
    pub months_ahead: u32,
    /// Months ahead that the history allows to be tried: half of it at most.
    #[serde(default)]
    pub months_tested: u32,
}

/// One commitment in one area: an entry of `attainment.json`, in the order of its fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttainmentEntry {
    /// The commitment's identifier.
    pub id: String,
    /// The notice's article.
    pub article: u8,
    /// The service that keeps the records.
    pub service: String,
    /// What sort of figure it is judged by.
    pub kind: Kind,
    /// Where its target comes from.
    pub basis: Basis,
    /// Which records the figure is taken from.
    pub source: SourceKind,
    /// GB/T 2260 code.
    pub area: String,
    /// First day of the month the report is made in.
    #[serde(with = "wire::month")]
    pub month: NaiveDate,
    /// Numerator.
    #[serde(with = "wire::optional_number")]
    pub numerator: Option<f64>,
    /// Denominator.
    #[serde(with = "wire::optional_number")]
    pub denominator: Option<f64>,
    /// The value in `unit`.
    #[serde(with = "wire::optional_number")]
    pub value: Option<f64>,
    /// Unit of value and target, English.
    pub unit: String,
    /// The target that binds this area.
    #[serde(with = "wire::optional_number")]
    pub target: Option<f64>,
    /// Last day on which the target must hold.
    #[serde(with = "wire::optional_date")]
    pub due: Option<NaiveDate>,
    /// Progress over elapsed time, P.
    #[serde(with = "wire::optional_number")]
    pub pace: Option<f64>,
    /// The verdict.
    pub status: Status,
    /// Why there is no verdict, or what to know beside it.
    pub reason: Option<Reason>,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// Unit, Chinese.
    pub unit_zh: String,
    /// The area's level.
    pub level: Level,
    /// The area's Chinese name.
    pub area_name_zh: String,
    /// The area's English name.
    pub area_name_en: String,
    /// The dataset.
    pub dataset: String,
    /// Which way is better.
    pub direction: Direction,
    /// The day the value is true for.
    #[serde(with = "wire::optional_date")]
    pub value_on: Option<NaiveDate>,
    /// The starting point that P was computed from.
    pub baseline: Option<Baseline>,
    /// Share of the way from baseline to target that is done, (v - b) / (T - b).
    #[serde(with = "wire::optional_number")]
    pub progress: Option<f64>,
    /// Actual compound annual growth over the required one, for readers who compare with other systems.
    #[serde(with = "wire::optional_number")]
    pub growth_ratio: Option<f64>,
    /// (Projected value at due - b) / (T - b), q.
    #[serde(with = "wire::optional_number")]
    pub projected_progress: Option<f64>,
    /// Since when the target holds without a break.
    #[serde(with = "wire::optional_date")]
    pub met_on: Option<NaiveDate>,
    /// Change against the value twelve months before.
    #[serde(with = "wire::optional_number")]
    pub change_12_months: Option<f64>,
    /// Where the figure is heading.
    pub forecast: Option<Forecast>,
    /// How much of it reported.
    pub completeness: Option<Completeness>,
    /// The figure was withheld because it could point to a person.
    pub suppressed: bool,
    /// Filings are in the figure that nobody but their filer has approved.
    #[serde(default)]
    pub unapproved: bool,
    /// How the areas below stand that a target binds too; none where none is bound.
    #[serde(default)]
    pub parts: Option<Parts>,
}

/// How many of the areas below that a target binds too have come how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// Their level.
    pub level: Level,
    /// Met, late ones included.
    pub met: u32,
    /// On track.
    pub on_track: u32,
    /// At risk or off track.
    pub behind: u32,
    /// Missed.
    pub missed: u32,
    /// Not assessable.
    pub unknown: u32,
}

impl Parts {
    /// Counts the statuses of the areas of a level; none where there is no area.
    pub fn of(level: Level, statuses: impl IntoIterator<Item = Status>) -> Option<Self> {
        let mut parts = Self { level, met: 0, on_track: 0, behind: 0, missed: 0, unknown: 0 };
        for status in statuses {
            *match status {
                Status::Met | Status::MetLate => &mut parts.met,
                Status::OnTrack => &mut parts.on_track,
                Status::AtRisk | Status::OffTrack => &mut parts.behind,
                Status::Missed => &mut parts.missed,
                Status::TrendOnly | Status::NotAssessable => &mut parts.unknown,
            } += 1;
        }
        (parts.total() > 0).then_some(parts)
    }

    /// Returns how many areas there are.
    pub fn total(&self) -> u32 {
        self.met + self.on_track + self.behind + self.missed + self.unknown
    }

    /// Returns how many are behind the pace or past their date.
    pub fn lagging(&self) -> u32 {
        self.behind + self.missed
    }
}

impl AttainmentEntry {
    /// Reports whether somebody has to act: the figure is behind or missed, or that of an area below is.
    pub fn needs_attention(&self) -> bool {
        matches!(self.status, Status::Missed | Status::OffTrack | Status::AtRisk)
            || self.parts.is_some_and(|parts| parts.lagging() > 0)
    }
}

/// What every reader of a report must know before a figure is read, such as that the records are invented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// The whole result of a run: what `attainment.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttainmentDocument {
    /// The day the figures are true for.
    #[serde(with = "wire::date")]
    pub on: NaiveDate,
    /// The instant up to which records were taken into account.
    #[serde(with = "wire::instant")]
    pub as_of: DateTime<Utc>,
    /// Edition or digest of the catalogue.
    pub catalogue: String,
    /// How far each service's records are known.
    pub sources: Vec<SourceState>,
    /// One entry per commitment and area, in the order of the catalogue and of the areas' codes.
    pub commitments: Vec<AttainmentEntry>,
    /// What the forecasts were worth; none where none was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// What stands above every form of the report; none for real records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
}

impl AttainmentDocument {
    /// Returns the region's own entries, in the order of the catalogue.
    pub fn region_entries(&self) -> impl Iterator<Item = &AttainmentEntry> {
        self.commitments.iter().filter(|entry| entry.level == Level::Region)
    }
}
