//! Where a monthly figure is heading: expected value, interval, probability of the target, pace needed from now on.
//!
//! With 24 unbroken months an exponential-smoothing model is chosen automatically; with fewer, the average monthly change
//! is carried on. Both are tried against the months that are already known ([`back_test`]) beside "stays as it is", so
//! that a reader sees what the forecast is worth. The same series gives the same numbers: only models whose intervals
//! have a formula are used, none that draws random numbers.

use chrono::{Datelike as _, Months, NaiveDate};

use crate::assessment::pace;
use crate::assessment::series::{Observation, month_end, months_between};
use crate::model::{Direction, Forecast};
use models::Path;

pub mod back_test;
mod distribution;
mod models;

/// Nominal coverage of the intervals.
pub const LEVEL: f64 = 0.8;

/// Months after which the search for the day the target is met is given up.
const SEARCH_MONTHS: u32 = 120;

/// What is asked of a forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastRequest {
    /// The report's day.
    pub on: NaiveDate,
    /// The day the forecast is for.
    pub horizon: NaiveDate,
    /// The target; none for a trend.
    pub target: Option<f64>,
    /// Which way is better.
    pub direction: Direction,
    /// Lowest and highest possible value.
    pub bounds: Option<(f64, f64)>,
    /// The figure can only grow.
    pub cumulative: bool,
}

/// Answers the request from the months that are known; none with fewer than three whole months, or nothing ahead.
///
/// The month that the report is made in counts as where the figure stands now, not as a month's step.
pub fn forecast(observations: &[Observation], request: &ForecastRequest, with_back_test: bool) -> Option<Forecast> {
    let latest = *observations.last()?;
    // A month that is not over is no step of a monthly series: the models know whole months.
    let observations = &observations[..observations.len() - usize::from(latest.on != month_end(latest.on))];
    let last = *observations.last()?;
    let ahead = u32::try_from(months_between(last.on, request.horizon)).ok().filter(|months| *months > 0)?;
    let steps = ahead.max(if request.target.is_some() { SEARCH_MONTHS } else { 12 });
    let (method, path) = models::best_path(observations, steps)?;
    let path = possible(path, latest.value, request);
    let at = path.at(ahead)?;
    let near = ahead.min(12);
    let months = months_left(latest.on, request.horizon);
    let reaches = |target: f64| {
        (1..=steps).find(|step| path.at(*step).is_some_and(|point| pace::holds(point.value, target, request.direction)))
    };
    Some(Forecast {
        method,
        on: request.horizon,
        value: at.value,
        low: at.low,
        high: at.high,
        level: LEVEL,
        probability: request.target.map(|target| {
            // Without bounds: a share that is heading past 100 still has all its probability above 95.
            let free = path.unbounded_at(ahead).unwrap_or((at.value, 0.0));
            distribution::probability(free.0, free.1, target, request.direction)
        }),
        met_on: request
            .target
            .filter(|target| !pace::holds(latest.value, *target, request.direction))
            .and_then(reaches)
            .and_then(|step| last.on.checked_add_months(Months::new(step)))
            .map(month_end),
        pace_per_month: path.at(near).map_or(0.0, |point| (point.value - last.value) / f64::from(near)),
        needed_per_month: request
            .target
            .filter(|target| !pace::holds(latest.value, *target, request.direction))
            .map(|target| (target - latest.value) / months),
        back_test: if with_back_test { back_test::back_test(observations, method) } else { None },
    })
}

/// Returns the months from a day to the horizon's month, the part of the day's own month that is left among them.
fn months_left(from: NaiveDate, horizon: NaiveDate) -> f64 {
    let end = month_end(from);
    let left = f64::from(end.day() - from.day()) / f64::from(end.day());
    f64::from(months_between(from, horizon)) + left
}

/// Keeps a path within what is possible: inside its bounds, and never falling where it can only grow.
fn possible(mut path: Path, last: f64, request: &ForecastRequest) -> Path {
    let mut floor = if request.cumulative { last } else { f64::NEG_INFINITY };
    for point in &mut path.points {
        for value in [&mut point.value, &mut point.low, &mut point.high] {
            *value = pace::clip(value.max(if request.cumulative { last } else { f64::NEG_INFINITY }), request.bounds);
        }
        floor = floor.max(point.value);
        if request.cumulative {
            point.value = floor;
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use chrono::{Months, NaiveDate};

    use super::{ForecastRequest, forecast};
    use crate::assessment::series::{Observation, month_end};
    use crate::model::{Direction, ForecastMethod};

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn months(values: impl IntoIterator<Item = f64>) -> Vec<Observation> {
        let first = day("2023-01-01");
        values
            .into_iter()
            .zip(0..)
            .map(|(value, months)| Observation { on: month_end(first + Months::new(months)), value })
            .collect()
    }

    fn request(horizon: &str, target: f64) -> ForecastRequest {
        ForecastRequest {
            on: day("2025-06-30"),
            horizon: day(horizon),
            target: Some(target),
            direction: Direction::AtLeast,
            bounds: None,
            cumulative: false,
        }
    }

    /// A repeatable scatter between -1 and 1.
    fn scatter(step: u32) -> f64 {
        f64::from(step * 7919 % 17) / 8.0 - 1.0
    }

    #[test]
    fn a_steady_series_goes_on_as_it_went() {
        let known = months((0..10_u32).map(|step| 100.0 + 5.0 * f64::from(step)));
        let answer = forecast(&known, &request("2024-04-30", 170.0), true).expect("a forecast");
        assert_eq!(answer.method, ForecastMethod::LinearPace);
        assert!((answer.value - 175.0).abs() < 1e-9);
        assert!((answer.needed_per_month.expect("needed") - 25.0 / 6.0).abs() < 1e-9);
        assert_eq!(answer.met_on, Some(day("2024-03-31")));
        assert!(answer.probability.expect("a probability") > 0.99);
    }

    #[test]
    fn two_years_of_months_are_enough_for_exponential_smoothing() {
        let known = months((0..30_u32).map(|step| 40.0 + 1.5 * f64::from(step) + scatter(step)));
        let answer = forecast(&known, &request("2025-12-31", 95.0), true).expect("a forecast");
        assert_eq!(answer.method, ForecastMethod::Ets);
        assert!((answer.value - 92.5).abs() < 4.0, "{answer:?}");
        assert!(answer.low < answer.value && answer.value < answer.high);
        let trial = answer.back_test.expect("a back-test");
        assert!(trial.mean_absolute_error < trial.naive_mean_absolute_error, "{trial:?}");
        assert_eq!(
            forecast(&known, &request("2025-12-31", 95.0), true),
            Some(answer),
            "the same series, the same numbers"
        );
    }

    #[test]
    fn a_figure_of_years_before_takes_nothing_from_what_the_months_say() {
        let known = months((0..30_u32).map(|step| 40.0 + 1.5 * f64::from(step) + scatter(step)));
        let long_ago = Observation { on: day("2019-12-31"), value: 3.0 };
        let with_it: Vec<Observation> = std::iter::once(long_ago).chain(known.iter().copied()).collect();
        let of = |observations: &[Observation]| {
            let answer = forecast(observations, &request("2025-12-31", 95.0), false).expect("a forecast");
            (answer.method, answer.value, answer.low, answer.high)
        };
        assert_eq!(of(&with_it), of(&known));
    }

    #[test]
    fn a_month_that_is_not_over_is_no_whole_step() {
        let mut known = months((0..10_u32).map(|step| 100.0 + 5.0 * f64::from(step)));
        let whole = forecast(&known, &request("2024-04-30", 170.0), true).expect("a forecast");
        known.push(Observation { on: day("2023-11-06"), value: 146.0 });
        let partial = forecast(&known, &request("2024-04-30", 170.0), true).expect("a forecast");
        assert!((partial.value - whole.value).abs() < 1e-9, "six days of November change no monthly pace");
        assert!((partial.pace_per_month - 5.0).abs() < 1e-9 && partial.met_on == whole.met_on);
        assert!((partial.needed_per_month.expect("needed") - 24.0 / 5.8).abs() < 1e-9, "5 months and 24 of 30 days");
        let this_month = forecast(&known, &request("2023-11-30", 170.0), false).expect("a forecast");
        assert!((this_month.value - 150.0).abs() < 1e-9, "the month that is not over can still be forecast");
        let two_whole = &known[8..];
        assert_eq!(forecast(two_whole, &request("2024-04-30", 170.0), false), None, "two whole months are too few");
    }

    #[test]
    fn a_share_never_leaves_its_bounds() {
        let known = months((0..10_u32).map(|step| 80.0 + 2.0 * f64::from(step)));
        let capped = ForecastRequest { bounds: Some((0.0, 100.0)), ..request("2025-12-31", 100.0) };
        let answer = forecast(&known, &capped, false).expect("a forecast");
        assert!((answer.value - 100.0).abs() < 1e-9 && answer.high <= 100.0);
        assert!(answer.probability.expect("a probability") > 0.99);
    }

    #[test]
    fn what_can_only_grow_is_never_expected_to_fall() {
        let known = months([5.0, 5.0, 5.0, 4.0, 3.0]);
        let growing = ForecastRequest { cumulative: true, ..request("2025-12-31", 10.0) };
        let answer = forecast(&known, &growing, false).expect("a forecast");
        assert!(answer.value >= 3.0 && answer.low >= 3.0);
    }

    #[test]
    fn a_falling_target_is_reached_from_above() {
        let known = months((0..8_u32).map(|step| 60.0 - 4.0 * f64::from(step)));
        let falling = ForecastRequest { direction: Direction::Falling, ..request("2024-06-30", 0.0) };
        let answer = forecast(&known, &falling, false).expect("a forecast");
        assert_eq!(answer.met_on, Some(day("2024-04-30")));
        assert!(answer.needed_per_month.expect("needed") < 0.0);
    }

    #[test]
    fn two_months_or_a_day_that_is_past_give_no_forecast() {
        assert_eq!(forecast(&months([1.0, 2.0]), &request("2025-12-31", 5.0), true), None);
        assert_eq!(forecast(&months([1.0, 2.0, 3.0]), &request("2023-03-31", 5.0), true), None);
    }

    #[test]
    fn a_series_that_never_moves_is_expected_to_stay() {
        let known = months((0..30_u32).map(|_| 7.0));
        let answer = forecast(&known, &request("2025-12-31", 9.0), true).expect("a forecast");
        assert!((answer.value - 7.0).abs() < 1e-6, "{answer:?}");
        assert_eq!(answer.met_on, None);
        assert!(answer.probability.expect("a probability") < 0.01);
    }
}
