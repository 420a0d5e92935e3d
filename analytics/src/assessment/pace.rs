//! The arithmetic of progress: linear pace, growth-rate ratio, projected progress, and when two numbers are the same.

use chrono::NaiveDate;

use crate::model::{Baseline, Direction};

/// At least this share of the needed pace is on track.
pub const ON_TRACK: f64 = 0.95;

/// At least this share of the needed pace is at risk; less is off track.
pub const AT_RISK: f64 = 0.60;

/// Numbers closer than this, relative to their size, are the same.
///
/// Wide enough for sums that were added up in another order (errors near 1e-15 per addition), and far too narrow to
/// forgive one missing case: one in a hundred million persons is 1e-8.
const RELATIVE_TOLERANCE: f64 = 1e-9;

fn tolerance(left: f64, right: f64) -> f64 {
    RELATIVE_TOLERANCE * left.abs().max(right.abs()).max(1.0)
}

/// Reports whether `left` is `right` or more, up to the tolerance.
pub fn at_least(left: f64, right: f64) -> bool {
    left >= right - tolerance(left, right)
}

/// Reports whether the two are the same, up to the tolerance.
pub fn same(left: f64, right: f64) -> bool {
    (left - right).abs() <= tolerance(left, right)
}

/// Reports whether the target holds at a value; with a rising or falling direction a target reads as a bound.
pub fn holds(value: f64, target: f64, direction: Direction) -> bool {
    match direction {
        Direction::AtLeast | Direction::Rising => at_least(value, target),
        Direction::AtMost | Direction::Falling => at_least(target, value),
    }
}

/// Returns the share of the way from baseline to target that is done, (v - b) / (T - b).
///
/// Zero and negative baselines and targets, falling figures and values of opposite sign need no special case, because
/// only differences enter. None when there is no way to go.
pub fn progress(value: f64, baseline: f64, target: f64) -> Option<f64> {
    (!same(baseline, target)).then(|| (value - baseline) / (target - baseline))
}

/// Returns the share of the time from `from` to `due` that is over on `on`, at most 1; none when there is no time.
///
/// After the due date the whole way was due, so the share stays 1.
pub fn elapsed(from: NaiveDate, on: NaiveDate, due: NaiveDate) -> Option<f64> {
    let whole = days(from, due);
    let gone = days(from, on);
    (whole > 0.0 && gone > 0.0).then(|| (gone / whole).min(1.0))
}

/// Returns actual over required compound annual growth, as statistical offices report it.
///
/// None where growth rates say nothing: less than a year of data, a zero, values of opposite sign, no growth required.
pub fn growth_ratio(baseline: Baseline, value: f64, on: NaiveDate, target: f64, due: NaiveDate) -> Option<f64> {
    let years_gone = days(baseline.on, on) / 365.25;
    let years_whole = days(baseline.on, due) / 365.25;
    if days(baseline.on, on) < 365.0 || years_whole <= 0.0 {
        return None;
    }
    let growth = |to: f64, years: f64| {
        let ratio = to / baseline.value;
        (ratio.is_finite() && ratio > 0.0).then(|| ratio.powf(1.0 / years) - 1.0)
    };
    let actual = growth(value, years_gone)?;
    let required = growth(target, years_whole)?;
    (!same(required, 0.0)).then(|| actual / required)
}

/// Returns the value on the due date if the way from the baseline goes on as it went, within the bounds.
pub fn straight_on(
    baseline: Baseline,
    value: f64,
    on: NaiveDate,
    due: NaiveDate,
    bounds: Option<(f64, f64)>,
) -> Option<f64> {
    let gone = days(baseline.on, on);
    (gone > 0.0).then(|| {
        let slope = (value - baseline.value) / gone;
        clip(baseline.value + slope * days(baseline.on, due).max(gone), bounds)
    })
}

/// Returns the value within the bounds.
pub fn clip(value: f64, bounds: Option<(f64, f64)>) -> f64 {
    bounds.map_or(value, |(low, high)| value.max(low).min(high))
}

#[expect(clippy::cast_precision_loss, reason = "days of a calendar are far below 2^53")]
fn days(from: NaiveDate, to: NaiveDate) -> f64 {
    (to - from).num_days() as f64
}
