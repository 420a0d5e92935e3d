//! What a forecast would have said in the past, against what came.

use super::models;
use crate::assessment::series::{Observation, months_between};
use crate::model::{BackTest, ForecastMethod};

/// Months ahead of a trial forecast.
const MONTHS_AHEAD: u32 = 3;

/// At most so many trials, the newest ones.
const MOST_TRIALS: usize = 12;

/// Fewer trials than this say nothing.
const FEWEST_TRIALS: usize = 4;

/// Tries the method from a rolling origin: from each month that is known, with only what was known then, three months
/// ahead. None where there are fewer than four trials.
pub fn back_test(observations: &[Observation], method: ForecastMethod) -> Option<BackTest> {
    let last_origin = observations.len().checked_sub(1)?;
    let first_origin = models::fewest_months(method).max(last_origin.saturating_sub(MOST_TRIALS + 2));
    let mut trials = Vec::new();
    for known in first_origin..=last_origin {
        let (past, future) = observations.split_at(known);
        let came = past.last().and_then(|origin| {
            future.iter().find(|later| months_between(origin.on, later.on) == MONTHS_AHEAD.cast_signed())
        });
        let Some(came) = came else { continue };
        let at = |path: Option<models::Path>| path.and_then(|path| path.at(MONTHS_AHEAD));
        let expected = at(models::path(method, past, MONTHS_AHEAD));
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
