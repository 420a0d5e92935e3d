//! Keys that one record holds at a time: who holds them on which days, in the store and within a chunk.
//!
//! A rule that uses them locks the keys first ([`lock_keys`](crate::store::lock_keys)) and then looks up who holds them:
//! no constraint of a table says on both databases that periods do not overlap.

use std::{collections::HashMap, hash::Hash};

use super::states::Period;
use crate::error::Violations;

/// What is said where another record holds the key on some of the same days.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Field that the fault is reported under.
    pub field: &'static str,
    /// The rule, in upper snake case.
    pub reason: &'static str,
    /// In English.
    pub description: &'static str,
    /// In Chinese.
    pub description_zh: &'static str,
}

/// Which record holds which key on which days. For a register's
/// [`validate_against_store`](super::Register::validate_against_store), where a natural key is not the id.
#[derive(Clone, Debug)]
pub struct Holders<Key>(HashMap<Key, Vec<(String, Period)>>);

impl<Key: Eq + Hash> FromIterator<(Key, String, Period)> for Holders<Key> {
    /// Begins with what the store holds: keys with the ids of their records and their days.
    fn from_iter<I: IntoIterator<Item = (Key, String, Period)>>(there: I) -> Self {
        let mut holders = Self(HashMap::new());
        for (key, id, period) in there {
            holders.hold(key, &id, period);
        }
        holders
    }
}

impl<Key: Eq + Hash> Holders<Key> {
    /// Requires that no other record holds the key on any of these days. A record without any fault holds it from now on
    /// and keeps the later ones of its chunk out; so this is the last of a record's checks.
    pub fn claim(&mut self, key: Key, id: &str, period: Period, held: Held, violations: &mut Violations) {
        let free = !self.held_by_another(&key, id, period);
        violations.require(free, held.field, held.reason, held.description, held.description_zh);
        if violations.is_empty() {
            self.hold(key, id, period);
        }
    }

    /// Notes that a record holds the key on these days.
    pub fn hold(&mut self, key: Key, id: &str, period: Period) {
        self.0.entry(key).or_default().push((id.to_owned(), period));
    }

    /// Reports whether another record holds the key on some of these days.
    pub fn held_by_another(&self, key: &Key, id: &str, period: Period) -> bool {
        let holders = self.0.get(key).into_iter().flatten();
        holders.into_iter().any(|(holder, held)| holder != id && held.overlaps(period))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: Held =
        Held { field: "term", reason: "TERM_RECORDED", description: "is recorded", description_zh: "已登记" };

    fn days(from: i64, until: i64) -> Period {
        Period { from, until }
    }

    fn claims(holders: &mut Holders<i64>, key: i64, id: &str, period: Period, mut violations: Violations) -> bool {
        holders.claim(key, id, period, HELD, &mut violations);
        violations.is_empty()
    }

    #[test]
    fn a_key_is_held_by_one_record_a_day_in_the_store_and_in_the_chunk() {
        let mut holders: Holders<i64> = [(1, "there".to_owned(), days(10, 20))].into_iter().collect();
        assert!(!claims(&mut holders, 1, "new", days(19, 30), Violations::new()));
        assert!(!claims(&mut holders, 1, "new", days(0, 11), Violations::new()));
        assert!(claims(&mut holders, 1, "there", days(19, 30), Violations::new()), "its own record is changed");
        assert!(claims(&mut holders, 1, "before", days(0, 10), Violations::new()), "the last day is free");
        assert!(claims(&mut holders, 2, "new", days(10, 20), Violations::new()));
        assert!(!claims(&mut holders, 2, "later", days(15, 16), Violations::new()));
    }

    #[test]
    fn a_faulty_record_keeps_nobody_out() {
        let mut holders: Holders<i64> = Holders::from_iter([]);
        let mut faulty = Violations::new();
        faulty.add("amount_fen", "TOO_LARGE", "exceeds what can be kept", "金额过大");
        assert!(!claims(&mut holders, 1, "faulty", days(0, 1), faulty));
        assert!(claims(&mut holders, 1, "good", days(0, 1), Violations::new()));
    }
}
