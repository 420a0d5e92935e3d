//! The models: exponential smoothing, the average monthly change carried on, and "stays as it is" to compare with.

use augurs::ets::AutoETS;
use augurs::prelude::{Fit, Predict};

use super::LEVEL;
use super::distribution::{Z_80, student_90};
use crate::assessment::series::{Observation, months_between};
use crate::model::ForecastMethod;

/// Months that exponential smoothing needs to be worth its parameters.
const ETS_MONTHS: usize = 24;

/// Months that it needs in a back-test, where the last ones are held back.
const ETS_TRIAL_MONTHS: usize = 15;

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    /// Expected value.
    pub(super) value: f64,
    /// Lower end of the interval.
    pub(super) low: f64,
    /// Upper end of the interval.
    pub(super) high: f64,
}

/// The months ahead.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    /// One point per month, the first one month ahead.
    pub(super) points: Vec<Point>,
    /// Expected value and standard deviation of each month, before any bound.
    free: Vec<(f64, f64)>,
}

fn index(step: u32) -> Option<usize> {
    usize::try_from(step).ok()?.checked_sub(1)
}

impl Path {
    fn new(points: Vec<Point>, free: Vec<(f64, f64)>) -> Option<Self> {
        let finite =
            points.iter().all(|point| point.value.is_finite() && point.low.is_finite() && point.high.is_finite());
        finite.then_some(Self { points, free })
    }

    /// A path made by hand.
    #[cfg(test)]
    pub(super) fn of(points: Vec<Point>) -> Self {
        Self { points, free: Vec::new() }
    }

    /// The point so many months ahead.
    pub(super) fn at(&self, step: u32) -> Option<Point> {
        self.points.get(index(step)?).copied()
    }

    /// Expected value and standard deviation so many months ahead, before any bound.
    pub(super) fn unbounded_at(&self, step: u32) -> Option<(f64, f64)> {
        self.free.get(index(step)?).copied()
    }
}

/// Returns the best path that the months allow, and how it was made.
pub(super) fn best_path(observations: &[Observation], steps: u32) -> Option<(ForecastMethod, Path)> {
    if unbroken(observations).len() >= ETS_MONTHS
        && let Some(path) = smoothing(observations, steps)
    {
        return Some((ForecastMethod::Ets, path));
    }
    pace(observations, steps).map(|path| (ForecastMethod::LinearPace, path))
}

/// Returns the path of one method, for a back-test.
pub(super) fn path(method: ForecastMethod, observations: &[Observation], steps: u32) -> Option<Path> {
    match method {
        ForecastMethod::Ets => smoothing(observations, steps),
        ForecastMethod::LinearPace => pace(observations, steps),
    }
}

/// Months that a method needs in a back-test.
pub(super) fn fewest_months(method: ForecastMethod) -> usize {
    match method {
        ForecastMethod::Ets => ETS_TRIAL_MONTHS,
        ForecastMethod::LinearPace => 3,
    }
}

/// The months without a gap up to the newest: a figure of years before says nothing of how the months go.
fn unbroken(observations: &[Observation]) -> &[Observation] {
    let gap = observations.windows(2).rposition(|pair| months_between(pair[0].on, pair[1].on) != 1);
    &observations[gap.map_or(0, |before| before + 1)..]
}

/// Exponential smoothing with additive errors, its trend (none, straight, damped) chosen by the corrected Akaike
/// criterion. Other error kinds are left out because their intervals come from random draws.
///
/// The model's own interval takes its trend for certain, which makes years ahead look as sure as next month. The standard
/// error of the average monthly change is added, times the months ahead.
fn smoothing(observations: &[Observation], steps: u32) -> Option<Path> {
    let observations = unbroken(observations);
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
    let (points, free) = (1..=steps)
        .zip(ahead.point.iter().zip(intervals.lower.iter().zip(&intervals.upper)))
        .map(|(step, (value, (low, high)))| {
            let own = (high - low) / (2.0 * Z_80);
            let deviation = own.hypot(f64::from(step) * trend_error);
            (
                Point { value: *value, low: value - Z_80 * deviation, high: value + Z_80 * deviation },
                (*value, deviation),
            )
        })
        .unzip();
    Path::new(points, free)
}

/// The average monthly change carried on (a random walk with drift); its interval widens with the months ahead and with
/// the uncertainty of the drift itself, by Student's distribution.
fn pace(observations: &[Observation], steps: u32) -> Option<Path> {
    let (first, last) = (observations.first()?, observations.last()?);
    if observations.len() < 3 {
        return None;
    }
    let months = f64::from(months_between(first.on, last.on));
    let drift = (last.value - first.value) / months;
    let (variance, degrees) = scatter(observations, drift, 2);
    Some(walk(last.value, drift, variance, |ahead| ahead * (1.0 + ahead / months), student_90(degrees), steps))
}

/// "Stays as it is": what every forecast has to beat.
pub(super) fn naive(observations: &[Observation], steps: u32) -> Option<Path> {
    let last = observations.last()?;
    if observations.len() < 3 {
        return None;
    }
    let (variance, degrees) = scatter(observations, 0.0, 1);
    Some(walk(last.value, 0.0, variance, |ahead| ahead, student_90(degrees), steps))
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
    let (points, free) = (1..=steps)
        .map(|step| {
            let ahead = f64::from(step);
            let value = last + drift * ahead;
            let half = quantile * (variance * growth(ahead)).sqrt();
            (Point { value, low: value - half, high: value + half }, (value, half / Z_80))
        })
        .unzip();
    Path { points, free }
}
