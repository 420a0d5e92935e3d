//! Runs of days on which something holds, and who holds what when: the ground of both registers' rule that a person
//! has one cover of a scheme, and belongs to one assisted household, at a time. Pure.

use std::{collections::HashMap, hash::Hash};

/// The days from the first to the last, both included; open when there is no last. Days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First day.
    pub from: i64,
    /// Last day; absent while it goes on.
    pub to: Option<i64>,
}

impl Span {
    /// Takes the days from the first to the last; nothing when the last lies before the first.
    pub fn new(from: i64, to: Option<i64>) -> Option<Self> {
        to.is_none_or(|to| to >= from).then_some(Self { from, to })
    }

    /// Keeps the days before the day on which a record ended; nothing when none is left.
    pub fn before(self, ended_on: Option<i64>) -> Option<Self> {
        let Some(ended_on) = ended_on else { return Some(self) };
        let last = ended_on.saturating_sub(1);
        Self::new(self.from, Some(self.to.map_or(last, |to| to.min(last))))
    }

    /// Says whether a day is among them.
    pub fn contains(self, day: i64) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }

    /// Says whether a day is among both.
    pub fn overlaps(self, other: Self) -> bool {
        self.from <= other.to.unwrap_or(i64::MAX) && other.from <= self.to.unwrap_or(i64::MAX)
    }
}

/// Which record holds a key on which days.
#[derive(Debug)]
pub struct Holders<K>(HashMap<K, Vec<(String, Span)>>);

impl<K> Default for Holders<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Holders<K> {
    /// Notes that a record holds a key on some days.
    pub fn add(&mut self, key: K, record: &str, span: Span) {
        self.0.entry(key).or_default().push((record.to_owned(), span));
    }

    /// Says whether another record holds the key on any of these days.
    pub fn held_by_another(&self, key: &K, record: &str, span: Span) -> bool {
        self.0.get(key).is_some_and(|held| held.iter().any(|(other, days)| other != record && days.overlaps(span)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: i64, to: Option<i64>) -> Span {
        Span::new(from, to).expect("in order")
    }

    #[test]
    fn spans_overlap_when_they_share_a_day() {
        for (one, other, shared) in [
            (span(1, Some(5)), span(5, Some(9)), true),
            (span(1, Some(5)), span(6, Some(9)), false),
            (span(1, None), span(100, None), true),
            (span(1, Some(99)), span(100, None), false),
            (span(3, Some(4)), span(1, Some(9)), true),
        ] {
            assert_eq!((one.overlaps(other), other.overlaps(one)), (shared, shared), "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_record_that_ended_holds_until_the_day_before() {
        assert_eq!(span(1, None).before(Some(5)), Some(span(1, Some(4))));
        assert_eq!(span(1, Some(3)).before(Some(5)), Some(span(1, Some(3))));
        assert_eq!(span(5, None).before(Some(5)), None);
        assert_eq!(span(5, None).before(None), Some(span(5, None)));
    }

    #[test]
    fn a_record_is_never_in_its_own_way() {
        let mut holders = Holders::default();
        holders.add("person", "a", span(1, Some(5)));
        assert!(!holders.held_by_another(&"person", "a", span(1, Some(5))));
        assert!(holders.held_by_another(&"person", "b", span(5, None)));
        assert!(!holders.held_by_another(&"person", "b", span(6, None)));
        assert!(!holders.held_by_another(&"somebody else", "b", span(5, None)));
    }
}
