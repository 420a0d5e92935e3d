//! What a forecast would have said in the past, against what came.
//!
//! A trial sees the months up to its origin and none after it. Their figures are those known today: a month that was
//! corrected later is tried with the correction.

use super::models;
use crate::assessment::series::{Observation, months_between};
use crate::model::{BackTest, ForecastMethod};

/// Months ahead of a trial forecast.
const MONTHS_AHEAD: u32 = 3;

/// At most so many trials, the newest ones.
const MOST_TRIALS: usize = 12;

/// Fewer trials than this say nothing.
const FEWEST_TRIALS: usize = 4;

/// Tries the method from a rolling origin: from each month that is known, with only the months up to it, three months
/// ahead. None where there are fewer than four trials.
pub fn back_test(observations: &[Observation], method: ForecastMethod) -> Option<BackTest> {
    let model = |past: &[Observation], steps| models::path(method, past, steps);
    try_model(observations, models::fewest_months(method), &model)
}

/// Tries a model that needs so many months.
fn try_model(
    observations: &[Observation],
    fewest_months: usize,
    model: &dyn Fn(&[Observation], u32) -> Option<models::Path>,
) -> Option<BackTest> {
    let last_origin = observations.len().checked_sub(1)?;
    let first_origin = fewest_months.max(last_origin.saturating_sub(MOST_TRIALS + 2));
    let mut trials = Vec::new();
    for known in first_origin..=last_origin {
        let (past, future) = observations.split_at(known);
        let came = past.last().and_then(|origin| {
            future.iter().find(|later| months_between(origin.on, later.on) == MONTHS_AHEAD.cast_signed())
        });
        let Some(came) = came else { continue };
        let at = |path: Option<models::Path>| path.and_then(|path| path.at(MONTHS_AHEAD));
        let expected = at(model(past, MONTHS_AHEAD));
        let naive = at(models::naive(past, MONTHS_AHEAD));
        if let Some((expected, naive)) = expected.zip(naive) {
            trials.push((expected, naive, came.value));
        }
    }
    if trials.len() < FEWEST_TRIALS {
        return None;
    }
    let trials = &trials[trials.len().saturating_sub(MOST_TRIALS)..];
    let forecasts = u32::try_from(trials.len()).ok()?;
    let mean = |figures: &mut dyn Iterator<Item = f64>| figures.sum::<f64>() / f64::from(forecasts);
    let inside = |point: models::Point, value: f64| f64::from(u8::from(point.low <= value && value <= point.high));
    Some(BackTest {
        forecasts,
        months_ahead: MONTHS_AHEAD,
        mean_absolute_error: mean(&mut trials.iter().map(|(expected, _, came)| (expected.value - came).abs())),
        naive_mean_absolute_error: mean(&mut trials.iter().map(|(_, naive, came)| (naive.value - came).abs())),
        interval_coverage: mean(&mut trials.iter().map(|(expected, _, came)| inside(*expected, *came))),
        naive_interval_coverage: mean(&mut trials.iter().map(|(_, naive, came)| inside(*naive, *came))),
    })
}

#[cfg(test)]
mod tests {
    use chrono::{Months, NaiveDate};

    use super::{MONTHS_AHEAD, back_test, try_model};
    use crate::assessment::series::{Observation, month_end};
    use crate::forecast::LEVEL;
    use crate::forecast::models::{Path, Point};
    use crate::model::{BackTest, ForecastMethod};

    fn months(values: impl IntoIterator<Item = f64>) -> Vec<Observation> {
        let first: NaiveDate = "2023-01-01".parse().expect("a day");
        let month = |(value, months)| Observation { on: month_end(first + Months::new(months)), value };
        values.into_iter().zip(0..).map(month).collect()
    }

    fn path_to(value: f64) -> Path {
        Path::of((0..MONTHS_AHEAD).map(|_| Point { value, low: value, high: value }).collect())
    }

    /// Numbers that scatter like a normal distribution, the same on every run.
    fn scatter(seed: u64) -> impl Iterator<Item = f64> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut uniform = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 33).expect("31 bits")) / f64::from(1_u32 << 31)
        };
        std::iter::from_fn(move || {
            let (radius, angle) = ((-2.0 * (1.0 - uniform()).ln()).sqrt(), uniform() * std::f64::consts::TAU);
            Some(radius * angle.cos())
        })
    }

    #[test]
    fn a_model_that_looks_for_the_future_finds_none() {
        // Each month is one more than the last, and the model answers with the greatest it can find. Three months ahead it
        // is wrong by three; every month beyond its origin that it could see would make that less.
        let known = months((0..30_u32).map(f64::from));
        let greatest = |seen: &[Observation], _| seen.iter().map(|at| at.value).reduce(f64::max).map(path_to);
        let trial = try_model(&known, 3, &greatest).expect("trials");
        assert_eq!((trial.forecasts, trial.months_ahead), (12, MONTHS_AHEAD));
        assert!((trial.mean_absolute_error - 3.0).abs() < 1e-9, "{trial:?}");
        assert!(trial.interval_coverage < 1e-9, "{trial:?}");
    }

    #[test]
    fn months_after_a_break_fall_outside_the_interval() {
        // Twenty months on a straight line, then a jump: the trials of the last two months miss, the other ten do not.
        let known = months((0..22_u32).map(|step| f64::from(step) + if step >= 20 { 50.0 } else { 0.0 }));
        let trial = back_test(&known, ForecastMethod::LinearPace).expect("trials");
        assert_eq!(trial.forecasts, 12);
        assert!((trial.interval_coverage - 10.0 / 12.0).abs() < 1e-9, "{trial:?}");
        assert!((trial.mean_absolute_error - 2.0 * 50.0 / 12.0).abs() < 1e-9, "{trial:?}");
        assert!((trial.naive_mean_absolute_error - (10.0 * 3.0 + 2.0 * 53.0) / 12.0).abs() < 1e-9, "{trial:?}");
    }

    /// The share of 200 series with normal scatter whose values fell into the interval.
    fn coverage(method: ForecastMethod, length: usize, series: impl Fn(u64) -> Vec<f64>) -> f64 {
        let trials: Vec<BackTest> =
            (1..=200).filter_map(|seed| back_test(&months(series(seed).into_iter().take(length)), method)).collect();
        assert!(trials.len() > 150, "{}", trials.len());
        let all: f64 = trials.iter().map(|trial| f64::from(trial.forecasts)).sum();
        trials.iter().map(|trial| trial.interval_coverage * f64::from(trial.forecasts)).sum::<f64>() / all
    }

    #[test]
    fn four_of_five_values_of_a_series_with_normal_scatter_fall_into_the_interval() {
        let walk = |seed| {
            let steps = scatter(seed).take(40);
            steps.scan(100.0, |level, step| Some(std::mem::replace(level, *level + 2.0 + step))).collect()
        };
        let pace = coverage(ForecastMethod::LinearPace, 24, walk);
        assert!((pace - LEVEL).abs() < 0.05, "{pace}");
        let smoothing = coverage(ForecastMethod::Ets, 36, walk);
        assert!((smoothing - LEVEL).abs() < 0.08, "{smoothing}");
    }
}
