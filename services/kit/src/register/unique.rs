//! Keys of which there is one record each: who holds them, in the store and within a chunk.

use std::{collections::HashMap, hash::Hash};

use crate::error::Violations;

/// What is said where another record holds the key.
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

/// Which record holds which key. For a register's [`check`](super::Register::check), where a natural key is not the id.
#[derive(Clone, Debug)]
pub struct Holders<Key>(HashMap<Key, String>);

impl<Key: Eq + Hash> FromIterator<(Key, String)> for Holders<Key> {
    /// Begins with what the store holds: keys with the ids of their records.
    fn from_iter<I: IntoIterator<Item = (Key, String)>>(there: I) -> Self {
        Self(there.into_iter().collect())
    }
}

impl<Key: Eq + Hash> Holders<Key> {
    /// Requires that no other record holds the key. A record without any fault holds it from now on and keeps the later
    /// ones of its chunk out; so this is the last of a record's checks.
    pub fn claim(&mut self, key: Key, id: &str, held: Held, violations: &mut Violations) {
        let free = self.0.get(&key).is_none_or(|holder| holder == id);
        violations.require(free, held.field, held.reason, held.description, held.description_zh);
        if violations.is_empty() {
            self.0.insert(key, id.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: Held =
        Held { field: "term", reason: "TERM_RECORDED", description: "is recorded", description_zh: "已登记" };

    fn claims(holders: &mut Holders<i64>, key: i64, id: &str, mut violations: Violations) -> bool {
        holders.claim(key, id, HELD, &mut violations);
        violations.is_empty()
    }

    #[test]
    fn a_key_is_held_by_one_record_in_the_store_and_in_the_chunk() {
        let mut holders: Holders<i64> = [(1, "there".to_owned())].into_iter().collect();
        assert!(!claims(&mut holders, 1, "new", Violations::new()));
        assert!(claims(&mut holders, 1, "there", Violations::new()), "its own record is changed");
        assert!(claims(&mut holders, 2, "new", Violations::new()));
        assert!(!claims(&mut holders, 2, "later", Violations::new()));
    }

    #[test]
    fn a_faulty_record_keeps_nobody_out() {
        let mut holders: Holders<i64> = Holders::from_iter([]);
        let mut faulty = Violations::new();
        faulty.add("amount_fen", "TOO_LARGE", "exceeds what can be kept", "金额过大");
        assert!(!claims(&mut holders, 1, "faulty", faulty));
        assert!(claims(&mut holders, 1, "good", Violations::new()));
    }
}
