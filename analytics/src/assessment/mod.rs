//! How progress is judged: from the long table of statistics to a verdict on every commitment in every area.
//!
//! Functions of their input: no clock, no file, no network. [`rules`] decides, [`pace`] computes, [`series`] reads the
//! months; this file walks commitments and areas and says which target binds where:
//!
//! - a share or a standard binds every area on its own ([`Commitment::every_area`]);
//! - a number binds the region, and the areas that the plan gives a number of their own ([`Commitment::area_targets`]);
//!   elsewhere it is *trend only*, with [`Reason::NoTargetForArea`];
//! - outside a commitment's scope, and below the lowest level it exists at, an entry says so and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};

use crate::forecast;
use crate::model::{
    Area, AttainmentDocument, AttainmentEntry, Commitment, CompletenessRow, Direction, Forecast, Kind, Level,
    PRIMARY_MEASURE, Parts, Reason, SourceState, StatisticRow, Status,
};
use rules::{Facts, Verdict};
use series::Series;

pub mod pace;
pub mod rules;
pub mod series;

#[cfg(test)]
mod tests;

/// How strict the assessment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Months after which a figure no longer speaks for the day.
    pub max_age_months: i32,
    /// Months without any record after which a register no longer speaks for the day.
    pub max_silence_months: i32,
    /// The lowest level that gets a forecast.
    pub forecast_down_to: Level,
}

impl Default for Policy {
    fn default() -> Self {
        Self { max_age_months: 3, max_silence_months: 12, forecast_down_to: Level::Prefecture }
    }
}

/// Everything an assessment is made from.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The day the figures are true for.
    pub on: NaiveDate,
    /// The instant up to which records were taken into account.
    pub as_of: DateTime<Utc>,
    /// Edition or digest of the catalogue.
    pub catalogue: &'a str,
    /// The commitments, in the order of the catalogue.
    pub commitments: &'a [Commitment],
    /// The areas.
    pub areas: &'a [Area],
    /// The long table.
    pub rows: &'a [StatisticRow],
    /// How much of each figure reported.
    pub completeness: &'a [CompletenessRow],
    /// How far each service's records are known.
    pub sources: &'a [SourceState],
    /// How strict to be.
    pub policy: Policy,
}

/// Judges every commitment in every area.
pub fn assess(input: &Input<'_>) -> AttainmentDocument {
    let mut primary: BTreeMap<(&str, &str), Vec<&StatisticRow>> = BTreeMap::new();
    for row in input.rows.iter().filter(|row| row.measure == PRIMARY_MEASURE) {
        primary.entry((row.commitment.as_str(), row.area.as_str())).or_default().push(row);
    }
    let completeness: BTreeMap<(&str, &str), &CompletenessRow> =
        input.completeness.iter().map(|row| ((row.commitment.as_str(), row.area.as_str()), row)).collect();
    let mut areas: Vec<&Area> = input.areas.iter().collect();
    areas.sort_by(|left, right| left.code.cmp(&right.code));

    let mut commitments = Vec::with_capacity(input.commitments.len() * areas.len());
    for commitment in input.commitments {
        let scope = Scope::of(commitment, &areas);
        let first = commitments.len();
        for area in &areas {
            let key = (commitment.id.as_str(), area.code.as_str());
            let rows = primary.get(&key).map_or(&[][..], Vec::as_slice);
            let reported = completeness.get(&key).copied();
            commitments.push(entry(input, commitment, area, &scope, rows, reported));
        }
        add_parts(&mut commitments[first..], &areas);
    }
    let mut sources = input.sources.to_vec();
    sources.sort_by(|left, right| left.service.cmp(&right.service));
    AttainmentDocument {
        on: input.on,
        as_of: input.as_of,
        catalogue: input.catalogue.to_owned(),
        sources,
        commitments,
        calibration: None,
        notice: None,
    }
}

/// Says in each area's entry how the areas below stand that a target binds too: its prefectures, else its counties.
fn add_parts(entries: &mut [AttainmentEntry], areas: &[&Area]) {
    let parents: BTreeMap<&str, &str> =
        areas.iter().filter_map(|area| Some((area.code.as_str(), area.parent.as_deref()?))).collect();
    let inside = |area: &str, other: &str| {
        std::iter::successors(parents.get(other).copied(), |code| parents.get(code).copied()).any(|code| code == area)
    };
    let bound: Vec<(String, Level, Status)> = entries
        .iter()
        .filter(|entry| entry.target.is_some())
        .filter(|entry| !matches!(entry.reason, Some(Reason::OutOfScope | Reason::NotMeasuredAtLevel)))
        .map(|entry| (entry.area.clone(), entry.level, entry.status))
        .collect();
    for entry in entries {
        let below = || bound.iter().filter(|(area, _, _)| inside(&entry.area, area));
        let Some(level) = below().map(|(_, level, _)| *level).min() else { continue };
        entry.parts = Parts::of(level, below().filter(|(_, other, _)| *other == level).map(|(_, _, status)| *status));
    }
}

/// The areas a commitment applies to: those named, what lies below them and what they belong to.
struct Scope(Option<BTreeSet<String>>);

impl Scope {
    fn of(commitment: &Commitment, areas: &[&Area]) -> Self {
        if commitment.scope.is_empty() {
            return Self(None);
        }
        let parents: BTreeMap<&str, &str> =
            areas.iter().filter_map(|area| Some((area.code.as_str(), area.parent.as_deref()?))).collect();
        let upward = |code: &str| {
            let mut line = vec![code.to_owned()];
            let mut at = code;
            while let Some(parent) = parents.get(at).filter(|_| line.len() < 4) {
                line.push((*parent).to_owned());
                at = parent;
            }
            line
        };
        let mut inside: BTreeSet<String> = commitment.scope.iter().flat_map(|code| upward(code)).collect();
        for area in areas {
            if upward(&area.code).iter().any(|code| commitment.scope.contains(code)) {
                inside.insert(area.code.clone());
            }
        }
        Self(Some(inside))
    }

    fn holds(&self, area: &Area) -> bool {
        self.0.as_ref().is_none_or(|inside| inside.contains(&area.code))
    }
}

/// The target that binds the area, if one does.
fn target_of(commitment: &Commitment, area: &Area) -> Option<f64> {
    let own = commitment.area_targets.get(&area.code).copied();
    own.or_else(|| commitment.target.filter(|_| commitment.every_area || area.level == Level::Region))
}

fn facts_of(commitment: &Commitment, target: Option<f64>, policy: Policy, reported: Option<&CompletenessRow>) -> Facts {
    Facts {
        target,
        direction: commitment.direction,
        // A declared baseline is in the region's terms: for a share it serves every area, for a number only the region.
        baseline: commitment.baseline.filter(|_| target == commitment.target),
        start: commitment.start,
        due: commitment.due,
        standing: commitment.standing,
        milestone: commitment.kind == Kind::Milestone,
        cumulative: commitment.cumulative,
        bounds: commitment.bounds,
        max_age_months: policy.max_age_months,
        max_silence_months: policy.max_silence_months,
        known_on: reported.and_then(|row| row.known_on),
        last_record: reported.and_then(|row| row.last_record),
        partial: reported.is_some_and(|row| row.partial.is_some()),
        reached_on: reported.and_then(|row| row.reached_on),
    }
}

/// Returns the month that too few have reported, where what they did report is enough already: then nothing that is
/// missing can change the verdict.
fn enough_already<'a>(facts: &Facts, reported: Option<&'a CompletenessRow>) -> Option<&'a StatisticRow> {
    let row = reported?.partial.as_deref()?;
    let least = row.possible.as_ref().map_or(row.value, |possible| possible.low);
    let enough = least.zip(facts.target).is_some_and(|(least, target)| pace::holds(least, target, facts.direction));
    (enough && matches!(facts.direction, Direction::AtLeast | Direction::Rising)).then_some(row)
}

fn silent(reason: Reason) -> Verdict {
    Verdict {
        status: Status::NotAssessable,
        reason: Some(reason),
        pace: None,
        progress: None,
        growth_ratio: None,
        baseline: None,
        met_on: None,
    }
}

fn entry(
    input: &Input<'_>,
    commitment: &Commitment,
    area: &Area,
    scope: &Scope,
    rows: &[&StatisticRow],
    reported: Option<&CompletenessRow>,
) -> AttainmentEntry {
    let target = target_of(commitment, area);
    let facts = facts_of(commitment, target, input.policy, reported);
    let series = Series::new(rows.iter().copied().chain(enough_already(&facts, reported)), input.on);
    let verdict = if !scope.holds(area) {
        silent(Reason::OutOfScope)
    } else if area.level > commitment.lowest_level && series.newest_statement().is_none() {
        silent(Reason::NotMeasuredAtLevel)
    } else {
        let mut verdict = rules::judge(&facts, &series, input.on);
        if verdict.status == Status::TrendOnly && commitment.target.is_some() {
            verdict.reason = Some(Reason::NoTargetForArea);
        }
        verdict
    };
    let forecast = wanted_forecast(input, &facts, area, &series, &verdict);
    let projected_progress = projected_progress(&facts, &series, &verdict, forecast.as_ref());
    let spoken = series.newest_statement();
    let newest = series.observations().last();
    let current = spoken.filter(|row| row.value.is_some());
    AttainmentEntry {
        id: commitment.id.clone(),
        article: commitment.article,
        service: commitment.service.clone(),
        kind: commitment.kind,
        basis: commitment.basis,
        source: commitment.source,
        area: area.code.clone(),
        month: input.on.with_day(1).unwrap_or(input.on),
        numerator: spoken.and_then(|row| row.numerator),
        denominator: spoken.and_then(|row| row.denominator),
        value: current.and_then(|row| row.value),
        unit: commitment.unit.en.clone(),
        target,
        due: commitment.due,
        pace: verdict.pace,
        status: verdict.status,
        reason: verdict.reason,
        title_zh: commitment.title_zh.clone(),
        title_en: commitment.title_en.clone(),
        unit_zh: commitment.unit.zh.clone(),
        level: area.level,
        area_name_zh: area.name_zh.clone(),
        area_name_en: area.name_en.clone(),
        dataset: commitment.dataset.clone(),
        direction: commitment.direction,
        // The value speaks for the last day of its month, unless the department was not read up to then.
        value_on: current.and(newest).map(|newest| facts.known_on.map_or(newest.on, |known| known.min(newest.on))),
        baseline: verdict.baseline,
        progress: verdict.progress,
        growth_ratio: verdict.growth_ratio,
        projected_progress,
        met_on: verdict.met_on,
        change_12_months: series.change_12_months(),
        forecast,
        completeness: reported.map(|row| row.completeness),
        suppressed: false,
        unapproved: spoken.and_then(|row| row.possible.as_ref()).is_some_and(|possible| possible.unapproved),
        parts: None,
    }
}

/// A forecast to the due date where it is ahead, and for the region a year ahead where there is none; a back-test only where
/// a reader sees it, in the region's own row.
fn wanted_forecast(
    input: &Input<'_>,
    facts: &Facts,
    area: &Area,
    series: &Series<'_>,
    verdict: &Verdict,
) -> Option<Forecast> {
    let of_region = area.level == Level::Region;
    let goal_without_date = verdict.reason == Some(Reason::NoDueDate);
    let judged =
        goal_without_date || !matches!(verdict.status, Status::NotAssessable | Status::Missed | Status::MetLate);
    let horizon = match facts.due {
        Some(due) => Some(due).filter(|due| *due > input.on && area.level <= input.policy.forecast_down_to),
        None => input.on.checked_add_months(Months::new(12)).filter(|_| of_region),
    };
    if !judged || facts.milestone {
        return None;
    }
    let whole = facts.bounds.map(|(low, high)| high - low);
    let cases = series.newest_statement().and_then(|row| row.denominator).filter(|cases| *cases > 0.0);
    let request = forecast::ForecastRequest {
        horizon: horizon?,
        due: facts.due.is_some(),
        target: facts.target,
        direction: facts.direction,
        bounds: facts.bounds,
        cumulative: facts.cumulative,
        one_case: whole.zip(cases).map(|(whole, cases)| whole / cases),
    };
    forecast::forecast(series.observations(), &request, of_region)
}

fn projected_progress(
    facts: &Facts,
    series: &Series<'_>,
    verdict: &Verdict,
    forecast: Option<&Forecast>,
) -> Option<f64> {
    let (target, due, baseline) = (facts.target?, facts.due?, verdict.baseline?);
    let newest = series.observations().last()?;
    verdict.progress?;
    let projected = match forecast {
        // Further ahead than was tried, nothing is projected.
        Some(forecast) => forecast.value?,
        None => pace::straight_on(baseline, newest.value, newest.on, due, facts.bounds)?,
    };
    pace::progress(projected, baseline.value, target)
}
