//! Drawings, as SVG text: a line for a row, a larger one with target and forecast for the details.
//!
//! Written by hand: a figure of a report needs a line, a target and an interval, in the page's own colours, that are the
//! same bytes on every run. Coordinates have one decimal.

use std::fmt::Write;

use chrono::NaiveDate;

use crate::assessment::series::{Observation, months_between};
use crate::model::Forecast;
use crate::report::format;

/// Where the values of a drawing lie.
struct Scale {
    first: NaiveDate,
    months: f64,
    low: f64,
    high: f64,
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Scale {
    fn x(&self, day: NaiveDate) -> f64 {
        self.left + f64::from(months_between(self.first, day)) / self.months * self.width
    }

    fn y(&self, value: f64) -> f64 {
        self.top + (self.high - value) / (self.high - self.low) * self.height
    }
}

/// The lowest and highest of some values with a little air; a flat line lies in the middle.
fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if !low.is_finite() || !high.is_finite() {
        return None;
    }
    let air =
        if high - low < f64::EPSILON * high.abs().max(1.0) { high.abs().max(1.0) * 0.5 } else { (high - low) * 0.06 };
    Some((low - air, high + air))
}

/// Round values to draw lines at: 1, 2 or 5 of a power of ten apart, three to six of them.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 4.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|unit| unit * power).find(|step| *step >= rough).unwrap_or(rough);
    let first = (low / step).ceil();
    (0..8_u8).map(|tick| (first + f64::from(tick)) * step).take_while(|value| *value <= high).collect()
}

/// The line through the months; a month without data breaks it.
fn path(observations: &[Observation], scale: &Scale) -> String {
    let mut out = String::new();
    let mut last: Option<NaiveDate> = None;
    for observation in observations {
        let joined = last.is_some_and(|last| months_between(last, observation.on) <= 1);
        let command = if joined { 'L' } else { 'M' };
        let _ = write!(out, "{command}{:.1} {:.1}", scale.x(observation.on), scale.y(observation.value));
        last = Some(observation.on);
    }
    out
}

/// Returns the small line of a row, none with fewer than two months.
pub(super) fn spark(observations: &[Observation], target: Option<f64>) -> Option<String> {
    let (first, last) = (observations.first()?, observations.last()?);
    if observations.len() < 2 {
        return None;
    }
    let values = observations.iter().map(|observation| observation.value).chain(target);
    let (low, high) = range(values)?;
    let months = f64::from(months_between(first.on, last.on).max(1));
    let scale = Scale { first: first.on, months, low, high, left: 2.0, top: 2.0, width: 112.0, height: 28.0 };
    let mut out = String::from(r#"<svg class="spark" viewBox="0 0 120 32" aria-hidden="true">"#);
    if let Some(target) = target {
        let y = scale.y(target);
        let _ = write!(out, r#"<path class="aim" d="M2 {y:.1}H114"/>"#);
    }
    let _ = write!(
        out,
        r#"<path class="line" d="{}"/><circle class="dot" cx="{:.1}" cy="{:.1}" r="2.4"/></svg>"#,
        path(observations, &scale),
        scale.x(last.on),
        scale.y(last.value)
    );
    Some(out)
}

/// What the larger drawing shows.
pub(super) struct Curve<'a> {
    /// The months that are known.
    pub(super) observations: &'a [Observation],
    /// The target line.
    pub(super) target: Option<f64>,
    /// The day it is due.
    pub(super) due: Option<NaiveDate>,
    /// Where it is heading.
    pub(super) forecast: Option<&'a Forecast>,
}

/// Returns the larger drawing, none with fewer than two months.
pub(super) fn curve(curve: &Curve<'_>) -> Option<String> {
    let (first, last) = (curve.observations.first()?, curve.observations.last()?);
    if curve.observations.len() < 2 {
        return None;
    }
    let forecast = curve.forecast;
    let values = curve
        .observations
        .iter()
        .map(|observation| observation.value)
        .chain(curve.target)
        .chain(forecast.iter().flat_map(|forecast| [forecast.low, forecast.high]).flatten());
    let (low, high) = range(values)?;
    // Further ahead than was tried there is nothing to draw.
    let forecast = forecast.and_then(|forecast| Some((forecast.on, forecast.value?, forecast.low?, forecast.high?)));
    let end = forecast.map_or(last.on, |(on, ..)| on.max(last.on));
    let months = f64::from(months_between(first.on, end).max(1));
    let scale = Scale { first: first.on, months, low, high, left: 52.0, top: 10.0, width: 440.0, height: 132.0 };
    let floor = scale.top + scale.height;
    let mut out = String::from(r#"<svg class="curve" viewBox="0 0 560 166" role="img">"#);
    for value in ticks(low, high) {
        let y = scale.y(value);
        let label = format::number(value, if (high - low) < 10.0 { 2 } else { 0 });
        let _ = write!(
            out,
            r#"<path class="grid" d="M52 {y:.1}H492"/><text x="46" y="{:.1}" class="end">{label}</text>"#,
            y + 3.5
        );
    }
    let mut month_label = |day: NaiveDate, class: &str| {
        let _ = write!(
            out,
            r#"<text x="{:.1}" y="{:.1}" class="{class}">{}</text>"#,
            scale.x(day),
            floor + 16.0,
            format::month(day)
        );
    };
    month_label(first.on, "start");
    if months_between(first.on, last.on) * 5 > months_between(first.on, end) {
        month_label(last.on, if end == last.on { "end" } else { "mid" });
    }
    if end != last.on && months_between(last.on, end) * 5 > months_between(first.on, end) {
        month_label(end, "end");
    }
    if let Some(due) = curve.due.filter(|due| *due >= first.on && *due <= end) {
        let x = scale.x(due);
        let _ = write!(out, r#"<path class="due" d="M{x:.1} {:.1}V{floor:.1}"/>"#, scale.top);
    }
    if let Some(target) = curve.target {
        let y = scale.y(target);
        let label = format::number(target, 1);
        let _ = write!(
            out,
            r#"<path class="aim" d="M52 {y:.1}H492"/><text x="497" y="{:.1}" class="start aimtext">{label}</text>"#,
            y + 3.5
        );
    }
    if let Some((on, value, low, high)) = forecast {
        let (x, y) = (scale.x(last.on), scale.y(last.value));
        let far = scale.x(on);
        let _ = write!(
            out,
            r#"<path class="cone" d="M{x:.1} {y:.1}L{far:.1} {:.1}V{:.1}Z"/><path class="ahead" d="M{x:.1} {y:.1}L{far:.1} {:.1}"/>"#,
            scale.y(high),
            scale.y(low),
            scale.y(value)
        );
    }
    let _ = write!(
        out,
        r#"<path class="line" d="{}"/><circle class="dot" cx="{:.1}" cy="{:.1}" r="3"/></svg>"#,
        path(curve.observations, &scale),
        scale.x(last.on),
        scale.y(last.value)
    );
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{Observation, spark, ticks};

    fn months(values: &[f64]) -> Vec<Observation> {
        let first: chrono::NaiveDate = "2025-01-31".parse().expect("a day");
        values
            .iter()
            .zip(0_u32..)
            .map(|(value, month)| Observation { on: first + chrono::Months::new(month), value: *value })
            .collect()
    }

    #[test]
    fn lines_are_drawn_at_round_values() {
        let round = |low, high| {
            ticks(low, high).iter().map(|value| crate::report::format::number(*value, 2)).collect::<Vec<_>>()
        };
        assert_eq!(round(71.0, 85.0), ["75", "80", "85"]);
        assert_eq!(round(-0.1, 1.1), ["0", "0.5", "1"]);
        assert_eq!(round(115.0, 180.0), ["120", "140", "160", "180"]);
    }

    #[test]
    fn one_month_draws_no_line() {
        assert_eq!(spark(&months(&[1.0]), None), None);
    }

    #[test]
    fn a_flat_series_lies_in_the_middle_and_divides_by_nothing() {
        let svg = spark(&months(&[0.0, 0.0, 0.0]), None).expect("a line");
        assert!(svg.contains("M2.0 16.0") && !svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn a_month_without_data_breaks_the_line() {
        let mut known = months(&[1.0, 2.0, 3.0, 4.0]);
        known.remove(1);
        let svg = spark(&known, None).expect("a line");
        assert_eq!(svg.matches('M').count(), 2, "{svg}");
    }
}
