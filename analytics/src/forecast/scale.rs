//! The scale on which a figure is forecast: a share on one that has no ends, so that it stays a share.

/// A scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    /// As it is.
    Plain,
    /// The log of the odds between two bounds. What lies within a margin of a bound has reached it: of 74 counties, 73.5
    /// are 74.
    Odds {
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
        /// Half of one case.
        margin: f64,
    },
}

impl Scale {
    /// Chooses the scale by the bounds of a figure, and by what one case more changes of it.
    pub(super) fn of(bounds: Option<(f64, f64)>, one_case: Option<f64>) -> Self {
        let Some((low, high)) = bounds.filter(|(low, high)| low < high && (high - low).is_finite()) else {
            return Self::Plain;
        };
        let whole = high - low;
        let one_case = one_case.filter(|case| *case > 0.0).unwrap_or(whole / 1000.0);
        Self::Odds { low, high, margin: (one_case / 2.0).clamp(whole * 1e-6, whole / 10.0) }
    }

    /// Brings a value onto the scale.
    pub(super) fn to(self, value: f64) -> f64 {
        match self {
            Self::Plain => value,
            Self::Odds { low, high, margin } => {
                let value = value.clamp(low + margin, high - margin);
                ((value - low) / (high - value)).ln()
            }
        }
    }

    /// The bounds within which something is to be told, and those that it has reached outside.
    pub(super) fn ends(self) -> Option<((f64, f64), (f64, f64))> {
        match self {
            Self::Plain => None,
            Self::Odds { low, high, margin } => Some(((low + margin, high - margin), (low, high))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scale;

    #[test]
    fn a_share_within_half_a_case_of_a_bound_is_at_it() {
        let counties = Scale::of(Some((0.0, 100.0)), Some(100.0 / 74.0));
        let ((low, high), ends) = counties.ends().expect("bounds");
        assert_eq!(ends, (0.0, 100.0));
        assert!(high > 7300.0 / 74.0 && low < 100.0 / 74.0, "73 of 74 are not all, and one is not none");
        assert!((counties.to(100.0) - counties.to(high)).abs() < 1e-12);
        assert!((counties.to(50.0)).abs() < 1e-12, "even odds");
        assert_eq!(Scale::of(None, None), Scale::Plain);
        assert_eq!(Scale::of(Some((0.0, f64::INFINITY)), None), Scale::Plain);
    }
}
