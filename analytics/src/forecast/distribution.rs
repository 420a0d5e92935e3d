//! Normal and Student probabilities, as far as intervals need them.

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

/// Returns the probability that a normal value with this mean and deviation satisfies the target, 0 to 1.
pub(super) fn probability(mean: f64, deviation: f64, target: f64, direction: Direction) -> f64 {
    let distance = match direction {
        Direction::AtLeast | Direction::Rising => mean - target,
        Direction::AtMost | Direction::Falling => target - mean,
    };
    if deviation <= f64::EPSILON * target.abs().max(1.0) {
        return if distance >= -1e-9 * target.abs().max(1.0) { 1.0 } else { 0.0 };
    }
    normal_below(distance / deviation)
}

#[cfg(test)]
mod tests {
    use super::{normal_below, probability, student_90};
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

    #[test]
    fn without_scatter_a_target_is_certain_or_impossible() {
        assert!((probability(10.0, 0.0, 10.0, Direction::AtLeast) - 1.0).abs() < 1e-12);
        assert!(probability(9.0, 0.0, 10.0, Direction::AtLeast) < 1e-12);
        assert!((probability(9.0, 0.0, 10.0, Direction::AtMost) - 1.0).abs() < 1e-12);
    }
}
