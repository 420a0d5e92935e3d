//! When to try again: a budget, and pauses that grow.
//!
//! The budget keeps a department that is down from being hit by several times its usual load: calls earn a tenth of a
//! retry each, so in the long run at most one call in ten is repeated.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What a retry costs, and what a call earns.
const COST: u32 = 10;
const EARNED: u32 = 1;
/// Most that is saved up: ten retries.
const MOST: u32 = 100;

/// Attempts at one call, the first included.
pub(super) const ATTEMPTS: u32 = 3;
/// Pause before the first retry; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// What is left for retries on one channel.
#[derive(Debug)]
pub(super) struct RetryBudget(AtomicU32);

impl Default for RetryBudget {
    fn default() -> Self {
        Self(AtomicU32::new(MOST))
    }
}

impl RetryBudget {
    /// Notes a call.
    pub(super) fn earn(&self) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |saved| Some((saved + EARNED).min(MOST)));
    }

    /// Withdraws a retry from the budget, if there is one.
    pub(super) fn spend(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |saved| saved.checked_sub(COST)).is_ok()
    }
}

/// Returns the pause before attempt `attempt` (1 is the first retry), between half and all of its length, so that many
/// callers do not come back together. `chance` is uniform in 0..1.
pub(super) fn pause(attempt: u32, chance: f64) -> Duration {
    let longest = FIRST_PAUSE * 2_u32.saturating_pow(attempt.saturating_sub(1).min(10));
    longest.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_used_up_and_earned_back_ten_calls_to_a_retry() {
        let budget = RetryBudget::default();
        for _ in 0..10 {
            assert!(budget.spend());
        }
        assert!(!budget.spend());
        for _ in 0..9 {
            budget.earn();
        }
        assert!(!budget.spend());
        budget.earn();
        assert!(budget.spend());
    }

    #[test]
    fn pauses_double_and_are_spread() {
        assert_eq!(pause(1, 0.0), Duration::from_millis(25));
        assert_eq!(pause(1, 1.0), Duration::from_millis(50));
        assert_eq!(pause(2, 1.0), Duration::from_millis(100));
    }
}
