//! What a month ahead can bring: the average of normal distributions, and the quantiles and probabilities of it.
//!
//! Interval, expected value and probability are all read off one distribution, so that they cannot contradict each other:
//! the target holds with 50 percent or more exactly where the median satisfies it, and with 90 or more where the whole
//! 80 percent interval does.

use super::scale::Scale;
use crate::model::Direction;

/// The normal quantile that leaves 10 percent on either side (an 80 percent interval).
pub(super) const Z_80: f64 = 1.281_551_565_544_600_4;

/// Returns the probability of a standard normal value below `z` (Abramowitz and Stegun 26.2.17, error below 1e-7).
fn normal_below(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let tail = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
        * t
        * (0.319_381_530 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    if z >= 0.0 { 1.0 - tail } else { tail }
}

/// Returns the 90 percent quantile of Student's distribution (Wallace's approximation, turned round).
pub(super) fn student_90(degrees: f64) -> f64 {
    let z = Z_80 * (8.0 * degrees + 3.0) / (8.0 * degrees + 1.0);
    (degrees * ((z * z / degrees).exp() - 1.0)).sqrt()
}

/// A normal distribution: mean and standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Normal {
    /// Mean.
    pub(super) mean: f64,
    /// Standard deviation.
    pub(super) deviation: f64,
}

/// Several normal distributions, each on its scale and as likely as the others.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mixture {
    parts: Vec<(Scale, Normal)>,
    /// The scale that keeps the figure within its bounds.
    bounded: Scale,
}

impl Mixture {
    /// Averages distributions; none of them never scatters, only by very little.
    pub(super) fn of(bounded: Scale, parts: impl IntoIterator<Item = (Scale, Normal)>) -> Self {
        let scattering = |(scale, part): (Scale, Normal)| {
            (scale, Normal { deviation: part.deviation.max(1e-9 * part.mean.abs().max(1.0)), ..part })
        };
        Self { parts: parts.into_iter().map(scattering).collect(), bounded }
    }

    fn below(&self, value: f64) -> f64 {
        let parts =
            || self.parts.iter().map(|(scale, part)| normal_below((scale.to(value) - part.mean) / part.deviation));
        parts().sum::<f64>() / parts().map(|_| 1.0).sum::<f64>()
    }

    /// A value that is as good as at a bound is told from the bound by nobody.
    fn within(&self, value: f64) -> f64 {
        self.bounded.ends().map_or(value, |((low, high), _)| value.clamp(low, high))
    }

    /// Returns the probability that a value satisfies the target, 0 to 1.
    pub(super) fn probability(&self, target: f64, direction: Direction) -> f64 {
        // What was computed to be the target is the target.
        let tolerance = 1e-6 * target.abs().max(1.0);
        match direction {
            Direction::AtLeast | Direction::Rising => 1.0 - self.below(self.within(target) - tolerance),
            Direction::AtMost | Direction::Falling => self.below(self.within(target) + tolerance),
        }
    }

    /// Returns the value below which a share of all lies: where several would do, the one nearest to the good.
    pub(super) fn quantile(&self, share: f64, direction: Direction) -> f64 {
        let ends = self.bounded.ends();
        let around = || {
            self.parts.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, part)| {
                (low.min(part.mean - 12.0 * part.deviation), high.max(part.mean + 12.0 * part.deviation))
            })
        };
        let (mut low, mut high) = ends.map_or_else(around, |(within, _)| within);
        let upward = matches!(direction, Direction::AtLeast | Direction::Rising);
        let is_below = |value: f64| {
            let below = self.below(value);
            below < share || (upward && below <= share)
        };
        if let Some((_, (least, most))) = ends {
            let tolerance = 1e-6 * high.abs().max(1.0);
            if is_below(high - tolerance) {
                return most;
            }
            if !is_below(low + tolerance) {
                return least;
            }
        }
        for _ in 0..100 {
            let middle = f64::midpoint(low, high);
            if is_below(middle) { low = middle } else { high = middle }
        }
        f64::midpoint(low, high)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Mixture, Normal, normal_below, student_90};
    use crate::forecast::scale::Scale;
    use crate::model::Direction;

    #[test]
    fn probabilities_agree_with_the_tables() {
        for (z, expected) in [(0.0, 0.5), (1.0, 0.841_344_7), (-1.96, 0.024_997_9), (3.0, 0.998_650_1)] {
            assert!((normal_below(z) - expected).abs() < 1e-6, "{z}");
        }
        for (degrees, expected) in [(2.0, 1.886), (5.0, 1.476), (10.0, 1.372), (30.0, 1.310)] {
            assert!((student_90(degrees) - expected).abs() < 0.02, "{degrees}: {}", student_90(degrees));
        }
    }

    fn plain(parts: impl IntoIterator<Item = Normal>) -> Mixture {
        Mixture::of(Scale::Plain, parts.into_iter().map(|part| (Scale::Plain, part)))
    }

    fn sure(value: f64) -> Mixture {
        plain([Normal { mean: value, deviation: 0.0 }])
    }

    #[test]
    fn without_scatter_a_target_is_certain_or_impossible() {
        assert!((sure(10.0).probability(10.0, Direction::AtLeast) - 1.0).abs() < 1e-12);
        assert!(sure(9.0).probability(10.0, Direction::AtLeast) < 1e-12);
        assert!((sure(9.0).probability(10.0, Direction::AtMost) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_mixture_lies_between_its_parts_and_scatters_more() {
        let near = Normal { mean: 0.0, deviation: 1.0 };
        let far = Normal { mean: 4.0, deviation: 1.0 };
        let both = plain([near, far]);
        let median = both.quantile(0.5, Direction::AtLeast);
        assert!((median - 2.0).abs() < 1e-6, "{median}");
        let width = |of: &Mixture| of.quantile(0.9, Direction::AtLeast) - of.quantile(0.1, Direction::AtLeast);
        assert!((width(&plain([near])) - 2.0 * super::Z_80).abs() < 1e-6);
        assert!(width(&both) > width(&plain([near])) + 2.0);
    }

    proptest! {
        #[test]
        fn probability_and_interval_never_contradict_each_other(
            parts in proptest::collection::vec((0.0..100.0_f64, 0.0..20.0_f64, any::<bool>()), 1..5),
            target in 0.0..=100.0_f64,
            (share, upward) in any::<(bool, bool)>(),
        ) {
            let odds = Scale::of(Some((0.0, 100.0)), Some(1.0));
            let part = |(mean, deviation, in_odds): (f64, f64, bool)| {
                let scale = if share && in_odds { odds } else { Scale::Plain };
                (scale, Normal { mean: scale.to(mean), deviation: if share && in_odds { deviation / 10.0 } else { deviation } })
            };
            let mixture = Mixture::of(if share { odds } else { Scale::Plain }, parts.into_iter().map(part));
            let direction = if upward { Direction::AtLeast } else { Direction::AtMost };
            let probability = mixture.probability(target, direction);
            let at = |share| mixture.quantile(share, direction);
            // Within half a case of a bound, it is the bound.
            let of_target = if share && target > 99.5 { 100.0 } else if share && target < 0.5 { 0.0 } else { target };
            let beyond = |value: f64| if upward { value >= of_target } else { value <= of_target };
            prop_assert!(at(0.1) <= at(0.5) && at(0.5) <= at(0.9));
            prop_assert!(!share || (0.0..=100.0).contains(&at(0.1)) && (0.0..=100.0).contains(&at(0.9)));
            // Within the error of the normal's approximation.
            let error = 1e-3;
            if beyond(at(0.5)) { prop_assert!(probability >= 0.5 - error) } else { prop_assert!(probability <= 0.5 + error) }
            if beyond(at(0.1)) && beyond(at(0.9)) { prop_assert!(probability >= 0.9 - error) }
            if !beyond(at(0.1)) && !beyond(at(0.9)) { prop_assert!(probability <= 0.1 + error) }
        }
    }
}
