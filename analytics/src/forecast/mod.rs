//! Where a monthly figure is heading: expected value, interval, probability of the target, pace needed from now on.
//!
//! With 24 unbroken months an exponential-smoothing model and the average monthly change are averaged; with fewer, the
//! change is carried on alone. Shares are forecast in points and by their odds ([`scale`]), averaged too, so that they stay
//! shares. Value, interval and probability come from one distribution ([`distribution`]). What is said is tried against the
//! months that are already known ([`back_test`]) beside "stays as it is"; **further ahead than that can be tried, half the
//! history at most, a forecast says how fast the figure moves and no more**: no value, no interval, no probability. The same
//! series gives the same numbers: only models whose intervals have a formula are used, none that draws random numbers.

use chrono::{Datelike as _, Months, NaiveDate};

use crate::assessment::pace;
use crate::assessment::series::{Observation, month_end, months_between};
use crate::model::{AttainmentDocument, BackTest, Calibration, Direction, Forecast};
use models::Outlook;
use scale::Scale;

pub mod back_test;
mod distribution;
mod models;
mod scale;

/// Nominal coverage of the intervals.
pub const LEVEL: f64 = 0.8;

/// Months of which the pace of late is told at most.
const NEAR: u32 = 12;

/// What is asked of a forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastRequest {
    /// The day the forecast is for.
    pub horizon: NaiveDate,
    /// It is due then; otherwise a nearer day will do where that is as far ahead as was tried.
    pub due: bool,
    /// The target; none for a trend.
    pub target: Option<f64>,
    /// Which way is better.
    pub direction: Direction,
    /// Lowest and highest possible value.
    pub bounds: Option<(f64, f64)>,
    /// The figure can only grow.
    pub cumulative: bool,
    /// What one case more changes of a share; none where that is not known.
    pub one_case: Option<f64>,
}

/// What can be said of a figure so many months ahead.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Said {
    value: f64,
    low: f64,
    high: f64,
    probability: Option<f64>,
}

impl ForecastRequest {
    fn scale(&self) -> Scale {
        Scale::of(self.bounds, self.one_case)
    }

    /// Reads off an outlook what can be said so many months ahead, given the value that is known last.
    fn said(&self, outlook: &Outlook, step: u32, last: f64) -> Option<Said> {
        let month = outlook.at(step)?;
        let floor = if self.cumulative { last } else { f64::NEG_INFINITY };
        let at = |share| month.quantile(share, self.direction).max(floor);
        let probability = |target: f64| {
            // What can only grow keeps a target that it has reached.
            let kept = self.cumulative && pace::at_least(last, target) && pace::holds(last, target, self.direction);
            if kept { 1.0 } else { month.probability(target, self.direction) }
        };
        Some(Said { value: at(0.5), low: at(0.1), high: at(0.9), probability: self.target.map(probability) })
    }
}

/// Returns how far ahead the months allow a forecast that was tried: half of them at most, and so far that four trials are
/// left.
fn tested_months(observations: &[Observation]) -> u32 {
    let known = models::unbroken(observations).len();
    u32::try_from((known / 2).min(known.saturating_sub(back_test::FEWEST_TRIALS + models::FEWEST_MONTHS - 1)))
        .unwrap_or(0)
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
    let months_tested = tested_months(observations);
    let (ahead, on) = if request.due || ahead <= months_tested || months_tested == 0 {
        (ahead, request.horizon)
    } else {
        (months_tested, month_end(last.on.checked_add_months(Months::new(months_tested))?))
    };
    let near = ahead.min(NEAR).min(months_tested.max(1));
    let outlook = models::outlook(observations, request.scale(), months_tested.max(near), false)?;
    let said = |step: u32| request.said(&outlook, step, latest.value);
    let then = said(ahead).filter(|_| ahead <= months_tested);
    let open = request.target.filter(|target| !pace::holds(latest.value, *target, request.direction));
    let reached = |target: f64| {
        let holds = |step: &u32| said(*step).is_some_and(|said| pace::holds(said.value, target, request.direction));
        (1..=months_tested).find(holds)
    };
    Some(Forecast {
        method: outlook.method,
        on,
        value: then.map(|then| then.value),
        low: then.map(|then| then.low),
        high: then.map(|then| then.high),
        level: LEVEL,
        probability: then.and_then(|then| then.probability),
        met_on: open.and_then(reached).and_then(|step| last.on.checked_add_months(Months::new(step))).map(month_end),
        pace_per_month: said(near)
            .filter(|near_said| !pace::same(near_said.value, last.value))
            .map_or(0.0, |near_said| (near_said.value - last.value) / f64::from(near)),
        needed_per_month: open.map(|target| (target - latest.value) / months_left(latest.on, on)),
        months_ahead: ahead,
        months_tested,
        back_test: then.filter(|_| with_back_test).and_then(|_| back_test::back_test(observations, request, ahead)),
    })
}

/// Returns the months from a day to the horizon's month, the part of the day's own month that is left among them.
fn months_left(from: NaiveDate, horizon: NaiveDate) -> f64 {
    let end = month_end(from);
    let left = f64::from(end.day() - from.day()) / f64::from(end.day());
    f64::from(months_between(from, horizon)) + left
}

/// Returns what the forecasts of a document were worth on the months that are known; none where none was tried.
pub fn calibration(document: &AttainmentDocument) -> Option<Calibration> {
    calibration_of(document.commitments.iter().filter_map(|entry| entry.forecast?.back_test))
}

fn calibration_of(tests: impl IntoIterator<Item = BackTest>) -> Option<Calibration> {
    let tests: Vec<BackTest> = tests.into_iter().collect();
    let forecasts: u32 = tests.iter().map(|test| test.forecasts).sum();
    if forecasts == 0 {
        return None;
    }
    let mean = |figure: &dyn Fn(&BackTest) -> f64| {
        tests.iter().map(|test| figure(test) * f64::from(test.forecasts)).sum::<f64>() / f64::from(forecasts)
    };
    let judged: Vec<_> =
        tests.iter().filter_map(|test| Some((test.brier?, test.held?, f64::from(test.forecasts)))).collect();
    let trials: f64 = judged.iter().map(|(.., forecasts)| forecasts).sum();
    let held = judged.iter().map(|(_, held, _)| f64::from(*held)).sum::<f64>() / trials;
    let brier = judged.iter().map(|(brier, _, forecasts)| brier * forecasts).sum::<f64>() / trials;
    Some(Calibration {
        figures: u32::try_from(tests.len()).unwrap_or(u32::MAX),
        forecasts,
        interval_coverage: mean(&|test| test.interval_coverage),
        naive_interval_coverage: mean(&|test| test.naive_interval_coverage),
        brier: (trials > 0.0).then_some(brier),
        base_rate_brier: (trials > 0.0).then_some(held * (1.0 - held)),
    })
}

#[cfg(test)]
mod tests {
    use chrono::{Months, NaiveDate};
    use proptest::prelude::*;

    use super::{ForecastRequest, calibration_of, forecast};
    use crate::assessment::series::{Observation, month_end};
    use crate::model::{BackTest, Direction, ForecastMethod};

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
            horizon: day(horizon),
            due: true,
            target: Some(target),
            direction: Direction::AtLeast,
            bounds: None,
            cumulative: false,
            one_case: None,
        }
    }

    /// A repeatable scatter between -1 and 1.
    fn scatter(step: u32) -> f64 {
        f64::from(step * 7919 % 17) / 8.0 - 1.0
    }

    #[test]
    fn a_steady_series_goes_on_as_it_went() {
        let known = months((0..14_u32).map(|step| 100.0 + 5.0 * f64::from(step)));
        let answer = forecast(&known, &request("2024-08-31", 190.0), true).expect("a forecast");
        assert_eq!((answer.method, answer.months_ahead, answer.months_tested), (ForecastMethod::LinearPace, 6, 7));
        assert!((answer.value.expect("a value") - 195.0).abs() < 1e-6);
        assert!((answer.needed_per_month.expect("needed") - 25.0 / 6.0).abs() < 1e-9);
        assert_eq!(answer.met_on, Some(day("2024-07-31")));
        assert!(answer.probability.expect("a probability") > 0.99);
        assert_eq!(answer.back_test.map(|test| test.months_ahead), Some(6), "tried as far ahead as it goes");
    }

    #[test]
    fn further_ahead_than_was_tried_there_is_a_pace_and_no_probability() {
        let known = months((0..27_u32).map(|step| 40.0 + 2.0 * f64::from(step) + scatter(step)));
        for (months_ahead, said) in [(1, true), (13, true), (14, false), (117, false)] {
            let horizon = month_end(known[26].on.checked_add_months(Months::new(months_ahead)).expect("a day"));
            let share = ForecastRequest { horizon, bounds: Some((0.0, 100.0)), ..request("2024-08-31", 100.0) };
            let answer = forecast(&known, &share, true).expect("a forecast");
            assert_eq!((answer.months_ahead, answer.months_tested), (months_ahead, 13));
            let figures = [answer.value, answer.low, answer.high, answer.probability];
            assert_eq!(figures.map(|figure| figure.is_some()), [said; 4], "{months_ahead} months ahead");
            assert!(answer.pace_per_month > 0.0, "{answer:?}");
        }
    }

    #[test]
    fn without_a_due_date_a_forecast_goes_as_far_as_was_tried_and_a_year_at_most() {
        let known = months((0..30_u32).map(|step| 40.0 + 1.5 * f64::from(step) + scatter(step)));
        for (months, ahead, on) in [(30, 12, "2026-06-30"), (20, 10, "2025-06-30"), (12, 6, "2024-06-30")] {
            let known = &known[..months];
            let horizon = known[months - 1].on.checked_add_months(Months::new(12)).expect("a day");
            let open = ForecastRequest { horizon: month_end(horizon), due: false, ..request("2025-12-31", 95.0) };
            let answer = forecast(known, &open, false).expect("a forecast");
            assert_eq!((answer.months_ahead, answer.on), (ahead, day(on)), "{months} months");
            assert!(answer.probability.is_some());
        }
    }

    #[test]
    fn two_years_of_months_are_enough_for_exponential_smoothing() {
        let known = months((0..30_u32).map(|step| 40.0 + 1.5 * f64::from(step) + scatter(step)));
        let answer = forecast(&known, &request("2025-12-31", 95.0), true).expect("a forecast");
        assert_eq!(answer.method, ForecastMethod::Average);
        let value = answer.value.expect("a value");
        assert!((value - 92.5).abs() < 4.0, "{answer:?}");
        assert!(answer.low.expect("low") < value && value < answer.high.expect("high"));
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
        let of = |observations: &[Observation]| forecast(observations, &request("2025-12-31", 95.0), false);
        assert_eq!(of(&with_it), of(&known));
    }

    #[test]
    fn a_month_that_is_not_over_is_no_whole_step() {
        let mut known = months((0..14_u32).map(|step| 100.0 + 5.0 * f64::from(step)));
        let whole = forecast(&known, &request("2024-08-31", 190.0), true).expect("a forecast");
        known.push(Observation { on: day("2024-03-06"), value: 166.0 });
        let partial = forecast(&known, &request("2024-08-31", 190.0), true).expect("a forecast");
        assert_eq!(partial.value, whole.value, "six days of March change no monthly pace");
        assert!((partial.pace_per_month - 5.0).abs() < 1e-6 && partial.met_on == whole.met_on);
        let needed = partial.needed_per_month.expect("needed");
        assert!((needed - 24.0 / (5.0 + 25.0 / 31.0)).abs() < 1e-9, "5 months and 25 of 31 days: {needed}");
        let this_month = forecast(&known, &request("2024-03-31", 190.0), false).expect("a forecast");
        assert!((this_month.value.expect("a value") - 170.0).abs() < 1e-6, "this month can still be forecast");
        let two_whole = &known[12..];
        assert_eq!(forecast(two_whole, &request("2024-08-31", 190.0), false), None, "two whole months are too few");
    }

    #[test]
    fn a_share_never_leaves_its_bounds() {
        let known = months((0..14_u32).map(|step| 70.0 + 2.0 * f64::from(step)));
        let capped = ForecastRequest { bounds: Some((0.0, 100.0)), ..request("2024-08-31", 100.0) };
        let answer = forecast(&known, &capped, false).expect("a forecast");
        let value = answer.value.expect("a value");
        // In points it would reach 108, in odds it does not reach 99: half of it lies on either side.
        assert!(value > 96.0 && value <= 100.0 && answer.high.expect("high") <= 100.0, "{answer:?}");
        let (low, probability) = (answer.low.expect("low"), answer.probability.expect("a probability"));
        assert!(low > 97.0 && low < 99.0 && (0.4..0.6).contains(&probability), "{answer:?}");
        // Of twenty-five cases, one is four percent: the last half of one is none.
        let of_few = ForecastRequest { one_case: Some(4.0), ..capped };
        let answer = forecast(&known, &of_few, false).expect("a forecast");
        assert!((answer.value.expect("a value") - 100.0).abs() < 1e-12, "{answer:?}");
        assert!(answer.probability.expect("a probability") > 0.5);
    }

    #[test]
    fn what_can_only_grow_is_never_expected_to_fall() {
        let known = months([5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 4.0, 3.0]);
        let growing = ForecastRequest { cumulative: true, ..request("2024-01-31", 10.0) };
        let answer = forecast(&known, &growing, false).expect("a forecast");
        assert!(answer.value.expect("a value") >= 3.0 && answer.low.expect("low") >= 3.0);
        let reached = ForecastRequest { target: Some(3.0), ..growing };
        let answer = forecast(&known, &reached, false).expect("a forecast");
        assert_eq!(answer.probability, Some(1.0), "what is done stays done");
    }

    #[test]
    fn a_falling_target_is_reached_from_above() {
        let known = months((0..14_u32).map(|step| 60.0 - 4.0 * f64::from(step)));
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
        assert!((answer.value.expect("a value") - 7.0).abs() < 1e-6, "{answer:?}");
        assert_eq!(answer.met_on, None);
        assert!(answer.probability.expect("a probability") < 0.01);
        let share = months((0..30_u32).map(|_| 80.0 / 3.0));
        let share_of = ForecastRequest { bounds: Some((0.0, 100.0)), ..request("2025-12-31", 95.0) };
        let pace = forecast(&share, &share_of, false).expect("a forecast").pace_per_month;
        assert_eq!(pace.to_bits(), 0.0_f64.to_bits(), "nothing moves, so nothing is computed to: {pace}");
    }

    #[test]
    fn a_calibration_counts_every_trial_once_and_scores_only_what_has_a_target() {
        let test = |forecasts: u32, coverage: f64, brier: Option<f64>, held: Option<u32>| BackTest {
            forecasts,
            months_ahead: 3,
            mean_absolute_error: 1.0,
            naive_mean_absolute_error: 2.0,
            interval_coverage: coverage,
            naive_interval_coverage: 0.5,
            brier,
            held,
        };
        let tests = [
            Some(test(12, 0.75, Some(0.1), Some(3))),
            Some(test(4, 1.0, Some(0.3), Some(1))),
            Some(test(8, 1.0, None, None)),
            None,
        ];
        let found = calibration_of(tests.into_iter().flatten()).expect("trials");
        assert_eq!((found.figures, found.forecasts), (3, 24));
        assert!((found.interval_coverage - 21.0 / 24.0).abs() < 1e-12, "{found:?}");
        assert!((found.brier.expect("a score") - 2.4 / 16.0).abs() < 1e-12, "{found:?}");
        assert!((found.base_rate_brier.expect("a score") - 0.25 * 0.75).abs() < 1e-12, "{found:?}");
        let trend = calibration_of([test(8, 1.0, None, None)]).expect("trials");
        assert_eq!((trend.brier, trend.base_rate_brier), (None, None), "a trend has no target to hold");
        assert_eq!(calibration_of([]), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn a_forecast_never_contradicts_itself(
            values in proptest::collection::vec(0.0..=100.0_f64, 7..32),
            target in 0.0..=100.0_f64,
            ahead in 1_u32..16,
            (share, cumulative, upward) in any::<(bool, bool, bool)>(),
        ) {
            let known = months(values);
            let horizon = month_end(known.last().expect("a month").on + Months::new(ahead));
            let asked = ForecastRequest {
                horizon,
                bounds: share.then_some((0.0, 100.0)),
                cumulative: cumulative && upward,
                direction: if upward { Direction::AtLeast } else { Direction::AtMost },
                one_case: Some(0.5),
                ..request("2025-12-31", target)
            };
            let answer = forecast(&known, &asked, true).expect("a forecast");
            let Some(value) = answer.value else {
                prop_assert!(answer.months_ahead > answer.months_tested && answer.probability.is_none());
                return Ok(());
            };
            prop_assert!(answer.months_ahead <= answer.months_tested && answer.months_tested as usize <= known.len() / 2);
            let (low, high) = (answer.low.expect("low"), answer.high.expect("high"));
            prop_assert!(low <= value && value <= high);
            prop_assert!(!share || (0.0..=100.0).contains(&low) && (0.0..=100.0).contains(&high));
            let probability = answer.probability.expect("a probability");
            // Half a case is a case, and the normal's approximation has its error.
            let beyond = |value: f64, slack: f64| if upward { value >= target + slack } else { value <= target - slack };
            if beyond(value, 0.5) { prop_assert!(probability >= 0.499, "{answer:?}"); }
            if !beyond(value, -0.5) { prop_assert!(probability <= 0.501, "{answer:?}"); }
            if beyond(low, 0.5) && beyond(high, 0.5) { prop_assert!(probability >= 0.899, "{answer:?}"); }
            if !beyond(low, -0.5) && !beyond(high, -0.5) { prop_assert!(probability <= 0.101, "{answer:?}"); }
            let test = answer.back_test.expect("it was tried");
            prop_assert_eq!(test.months_ahead, ahead);
            prop_assert!((0.0..=1.0).contains(&test.brier.expect("a score")));
        }
    }
}
