//! What a forecast would have said in the past, against what came.
//!
//! A trial sees the months up to its origin and none after it. Their figures are those known today: a month that was
//! corrected later is tried with the correction.

use super::models::{self, Outlook};
use super::{ForecastRequest, Said};
use crate::assessment::pace;
use crate::assessment::series::{Observation, months_between};
use crate::model::BackTest;

/// At most so many trials, the newest ones.
const MOST_TRIALS: usize = 12;

/// Fewer trials than this say nothing.
pub(super) const FEWEST_TRIALS: usize = 4;

/// One forecast of the past, the naive one, and what came.
struct Trial {
    said: Said,
    naive: Said,
    came: f64,
}

/// Tries the forecast from a rolling origin: from each month that is known, with only the months up to it, as far ahead as
/// the forecast goes. None where there are fewer than four trials.
pub fn back_test(observations: &[Observation], request: &ForecastRequest, months_ahead: u32) -> Option<BackTest> {
    try_model(observations, request, months_ahead, &|past, steps| models::outlook(past, request.scale(), steps, true))
}

/// Tries a model.
fn try_model(
    observations: &[Observation],
    request: &ForecastRequest,
    months_ahead: u32,
    model: &dyn Fn(&[Observation], u32) -> Option<Outlook>,
) -> Option<BackTest> {
    let mut trials: Vec<Trial> = Vec::new();
    for known in models::FEWEST_MONTHS..observations.len() {
        let (past, future) = observations.split_at(known);
        let Some(origin) = past.last() else { continue };
        let at = |later: &&Observation| months_between(origin.on, later.on) == months_ahead.cast_signed();
        let Some(came) = future.iter().find(at) else { continue };
        let said = |outlook: Option<Outlook>| request.said(&outlook?, months_ahead, origin.value);
        let models = (model(past, months_ahead), models::naive(past, request.scale(), months_ahead));
        if let (Some(said), Some(naive)) = (said(models.0), said(models.1)) {
            trials.push(Trial { said, naive, came: came.value });
        }
    }
    if trials.len() < FEWEST_TRIALS {
        return None;
    }
    let trials = &trials[trials.len().saturating_sub(MOST_TRIALS)..];
    let forecasts = u32::try_from(trials.len()).ok()?;
    let mean = |figure: &dyn Fn(&Trial) -> f64| trials.iter().map(figure).sum::<f64>() / f64::from(forecasts);
    let inside = |said: &Said, came: f64| f64::from(u8::from(said.low <= came && came <= said.high));
    let held = |trial: &Trial| request.target.map(|target| pace::holds(trial.came, target, request.direction));
    let missed = |trial: &Trial| Some((trial.said.probability? - f64::from(u8::from(held(trial)?))).powi(2));
    let missed: Option<Vec<f64>> = trials.iter().map(missed).collect();
    Some(BackTest {
        forecasts,
        months_ahead,
        mean_absolute_error: mean(&|trial| (trial.said.value - trial.came).abs()),
        naive_mean_absolute_error: mean(&|trial| (trial.naive.value - trial.came).abs()),
        interval_coverage: mean(&|trial| inside(&trial.said, trial.came)),
        naive_interval_coverage: mean(&|trial| inside(&trial.naive, trial.came)),
        brier: missed.map(|missed| missed.iter().sum::<f64>() / f64::from(forecasts)),
        held: request.target.map(|_| trials.iter().map(|trial| u32::from(held(trial) == Some(true))).sum()),
    })
}

#[cfg(test)]
mod tests {
    use chrono::{Months, NaiveDate};

    use super::{back_test, try_model};
    use crate::assessment::series::{Observation, month_end};
    use crate::forecast::models::Outlook;
    use crate::forecast::{ForecastRequest, LEVEL};
    use crate::model::{BackTest, Direction};

    fn months(values: impl IntoIterator<Item = f64>) -> Vec<Observation> {
        let first: NaiveDate = "2023-01-01".parse().expect("a day");
        let month = |(value, months)| Observation { on: month_end(first + Months::new(months)), value };
        values.into_iter().zip(0..).map(month).collect()
    }

    /// Months ahead of the trials here.
    const AHEAD: u32 = 3;

    fn trend() -> ForecastRequest {
        ForecastRequest {
            horizon: NaiveDate::default(),
            due: true,
            target: None,
            direction: Direction::AtLeast,
            bounds: None,
            cumulative: false,
            one_case: None,
        }
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
        let greatest = |seen: &[Observation], steps| {
            seen.iter().map(|at| at.value).reduce(f64::max).and_then(|value| Outlook::sure(value, steps))
        };
        let trial = try_model(&known, &trend(), AHEAD, &greatest).expect("trials");
        assert_eq!((trial.forecasts, trial.months_ahead), (12, AHEAD));
        assert!((trial.mean_absolute_error - 3.0).abs() < 1e-6, "{trial:?}");
        assert!(trial.interval_coverage < 1e-9, "{trial:?}");
        assert_eq!((trial.brier, trial.held), (None, None), "a trend has no target to hold");
    }

    #[test]
    fn months_after_a_break_fall_outside_the_interval() {
        // Twenty months on a straight line, then a jump: the trials of the last two months miss, the other ten do not.
        let known = months((0..22_u32).map(|step| f64::from(step) + if step >= 20 { 50.0 } else { 0.0 }));
        let trial = try_model(&known, &trend(), AHEAD, &Outlook::pace_alone).expect("trials");
        assert_eq!(trial.forecasts, 12);
        assert!((trial.interval_coverage - 10.0 / 12.0).abs() < 1e-9, "{trial:?}");
        assert!((trial.mean_absolute_error - 2.0 * 50.0 / 12.0).abs() < 1e-6, "{trial:?}");
        assert!((trial.naive_mean_absolute_error - (10.0 * 3.0 + 2.0 * 53.0) / 12.0).abs() < 1e-6, "{trial:?}");
    }

    #[test]
    fn whoever_is_sure_and_wrong_is_scored_one() {
        let known = months((0..22_u32).map(f64::from));
        let score = |says: f64, target: f64| {
            let asked = ForecastRequest { target: Some(target), ..trend() };
            let trial = try_model(&known, &asked, AHEAD, &|_, steps| Outlook::sure(says, steps)).expect("trials");
            (trial.brier.expect("a score").round(), trial.held)
        };
        assert_eq!(score(100.0, 50.0), (1.0, Some(0)), "it said that the target would hold, and it never did");
        assert_eq!(score(0.0, 50.0), (0.0, Some(0)));
        assert_eq!(score(100.0, 1.0), (0.0, Some(12)));
    }

    /// The share of 80 series with normal scatter whose values fell into the interval.
    fn coverage(length: usize, months_ahead: u32, series: impl Fn(u64) -> Vec<f64>) -> f64 {
        let of_seed = |seed| back_test(&months(series(seed).into_iter().take(length)), &trend(), months_ahead);
        let trials: Vec<BackTest> = (1..=80).filter_map(of_seed).collect();
        assert!(trials.len() > 60, "{}", trials.len());
        let all: f64 = trials.iter().map(|trial| f64::from(trial.forecasts)).sum();
        trials.iter().map(|trial| trial.interval_coverage * f64::from(trial.forecasts)).sum::<f64>() / all
    }

    #[test]
    fn four_of_five_values_of_a_series_with_normal_scatter_fall_into_the_interval() {
        let walk = |seed| {
            let steps = scatter(seed).take(40);
            steps.scan(100.0, |level, step| Some(std::mem::replace(level, *level + 2.0 + step))).collect()
        };
        for (length, months_ahead) in [(20, 3), (30, 6)] {
            let covered = coverage(length, months_ahead, walk);
            assert!((covered - LEVEL).abs() < 0.08, "{covered} of {length} months, {months_ahead} ahead");
        }
    }
}
