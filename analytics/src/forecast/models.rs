//! The models: exponential smoothing, the average monthly change carried on, and "stays as it is" to compare with.

use augurs::ets::AutoETS;
use augurs::prelude::{Fit, Predict};

use super::LEVEL;
use super::distribution::{Mixture, Normal, Z_80, student_90};
use super::scale::Scale;
use crate::assessment::series::{Observation, months_between};
use crate::model::ForecastMethod;

/// Months that exponential smoothing needs to be worth its parameters.
const ETS_MONTHS: usize = 24;

/// Months that it needs in a back-test, where the last ones are held back.
const ETS_TRIAL_MONTHS: usize = 15;

/// Months that any model needs.
pub(super) const FEWEST_MONTHS: usize = 3;

/// What one model says of the months ahead, the first one month ahead.
type Path = Vec<Normal>;

/// What the models say together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outlook {
    /// How it was made.
    pub(super) method: ForecastMethod,
    months: Vec<Mixture>,
}

impl Outlook {
    fn of(method: ForecastMethod, bounded: Scale, paths: &[(Scale, Path)]) -> Option<Self> {
        let finite =
            |(_, path): &(Scale, Path)| path.iter().all(|month| month.mean.is_finite() && month.deviation.is_finite());
        let steps = paths.iter().map(|(_, path)| path.len()).min()?;
        let of_month = |step: usize| Mixture::of(bounded, paths.iter().map(|(scale, path)| (*scale, path[step])));
        paths.iter().all(finite).then(|| Self { method, months: (0..steps).map(of_month).collect() })
    }

    /// An outlook that is sure of one value.
    #[cfg(test)]
    pub(super) fn sure(value: f64, steps: u32) -> Option<Self> {
        let path = (0..steps).map(|_| Normal { mean: value, deviation: 0.0 }).collect();
        Self::of(ForecastMethod::LinearPace, Scale::Plain, &[(Scale::Plain, path)])
    }

    /// The pace alone, however many months are known.
    #[cfg(test)]
    pub(super) fn pace_alone(observations: &[Observation], steps: u32) -> Option<Self> {
        Self::of(ForecastMethod::LinearPace, Scale::Plain, &[(Scale::Plain, pace(observations, steps)?)])
    }

    /// Returns what can be so many months ahead.
    pub(super) fn at(&self, step: u32) -> Option<&Mixture> {
        self.months.get(usize::try_from(step).ok()?.checked_sub(1)?)
    }
}

/// Returns what the months allow to be said: with two unbroken years smoothing and pace, else the pace alone; of a share
/// both in points and in odds. All are as likely as each other, because none is right for every figure. In a back-test
/// fewer months do.
pub(super) fn outlook(observations: &[Observation], bounded: Scale, steps: u32, trial: bool) -> Option<Outlook> {
    let enough = if trial { ETS_TRIAL_MONTHS } else { ETS_MONTHS };
    let of_late = unbroken(observations);
    let smoothed = of_late.len() >= enough;
    let observations = if smoothed { of_late } else { observations };
    let mut paths = Vec::new();
    let mut method = ForecastMethod::LinearPace;
    for scale in scales(bounded) {
        let scaled = scaled(observations, scale);
        paths.push((scale, pace(&scaled, steps)?));
        if let Some(path) = smoothed.then(|| smoothing(&scaled, steps)).flatten() {
            method = ForecastMethod::Average;
            paths.push((scale, path));
        }
    }
    Outlook::of(method, bounded, &paths)
}

/// The scales on which a figure is carried on: as it is, and for a share the odds beside it.
fn scales(bounded: Scale) -> Vec<Scale> {
    if bounded == Scale::Plain { vec![Scale::Plain] } else { vec![Scale::Plain, bounded] }
}

fn scaled(observations: &[Observation], scale: Scale) -> Vec<Observation> {
    observations.iter().map(|seen| Observation { value: scale.to(seen.value), ..*seen }).collect()
}

/// The months without a gap up to the newest: a figure of years before says nothing of how the months go.
pub(super) fn unbroken(observations: &[Observation]) -> &[Observation] {
    let gap = observations.windows(2).rposition(|pair| months_between(pair[0].on, pair[1].on) != 1);
    &observations[gap.map_or(0, |before| before + 1)..]
}

/// Exponential smoothing with additive errors, its trend (none, straight, damped) chosen by the corrected Akaike
/// criterion. Other error kinds are left out because their intervals come from random draws.
///
/// The model's own interval takes its trend for certain, which makes years ahead look as sure as next month. The standard
/// error of the average monthly change is added, times the months ahead.
fn smoothing(observations: &[Observation], steps: u32) -> Option<Path> {
    let moves = observations.windows(2).any(|pair| (pair[0].value - pair[1].value).abs() > f64::EPSILON);
    if !moves || observations.len() < ETS_TRIAL_MONTHS {
        return None;
    }
    let values: Vec<f64> = observations.iter().map(|observation| observation.value).collect();
    let fitted = AutoETS::new(1, "AZN").ok()?.fit(&values).ok()?;
    let ahead = fitted.predict(usize::try_from(steps).ok()?, LEVEL).ok()?;
    let intervals = ahead.intervals?;
    let (first, last) = (observations.first()?, observations.last()?);
    let months = f64::from(months_between(first.on, last.on));
    let (variance, _) = scatter(observations, (last.value - first.value) / months, 2);
    let trend_error = (variance / months).sqrt();
    let month = |(step, (mean, (low, high))): (u32, (&f64, (&f64, &f64)))| {
        let own = (high - low) / (2.0 * Z_80);
        Normal { mean: *mean, deviation: own.hypot(f64::from(step) * trend_error) }
    };
    let points = ahead.point.iter().zip(intervals.lower.iter().zip(&intervals.upper));
    Some((1..=steps).zip(points).map(month).collect())
}

/// The average monthly change carried on (a random walk with drift); it scatters more with the months ahead and with the
/// uncertainty of the drift itself, by Student's distribution.
fn pace(observations: &[Observation], steps: u32) -> Option<Path> {
    let (first, last) = (observations.first()?, observations.last()?);
    if observations.len() < FEWEST_MONTHS {
        return None;
    }
    let months = f64::from(months_between(first.on, last.on));
    let drift = (last.value - first.value) / months;
    let (variance, degrees) = scatter(observations, drift, 2);
    Some(walk(last.value, drift, variance, |ahead| ahead * (1.0 + ahead / months), student_90(degrees), steps))
}

/// "Stays as it is": what every forecast has to beat.
pub(super) fn naive(observations: &[Observation], bounded: Scale, steps: u32) -> Option<Outlook> {
    let last = observations.last()?;
    if observations.len() < FEWEST_MONTHS {
        return None;
    }
    let (variance, degrees) = scatter(observations, 0.0, 1);
    let path = walk(last.value, 0.0, variance, |ahead| ahead, student_90(degrees), steps);
    Outlook::of(ForecastMethod::LinearPace, bounded, &[(Scale::Plain, path)])
}

/// Variance of one month's change about the drift, and its degrees of freedom; a gap of several months counts as many.
fn scatter(observations: &[Observation], drift: f64, parameters: u32) -> (f64, f64) {
    let squares: f64 = observations
        .windows(2)
        .map(|pair| {
            let gap = f64::from(months_between(pair[0].on, pair[1].on).max(1));
            (pair[1].value - pair[0].value - gap * drift).powi(2) / gap
        })
        .sum();
    let count = u32::try_from(observations.len()).unwrap_or(u32::MAX);
    let degrees = f64::from(count.saturating_sub(parameters).max(1));
    (squares / degrees, degrees)
}

fn walk(last: f64, drift: f64, variance: f64, growth: impl Fn(f64) -> f64, quantile: f64, steps: u32) -> Path {
    let month = |step: u32| {
        let ahead = f64::from(step);
        let half = quantile * (variance * growth(ahead)).sqrt();
        Normal { mean: last + drift * ahead, deviation: half / Z_80 }
    };
    (1..=steps).map(month).collect()
}
