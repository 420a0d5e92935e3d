//! What the previous version's journal said on a day, as known at an instant, and what the journal says that took its place.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Binary, Bool, Text},
};

use super::fixture::Database;

const CHANGE_ENDED: i64 = 3;
const CHANGE_WITHDRAWN: i64 = 4;

/// Journals' entries by dataset and record, in the order of positions.
pub(super) type By<Entry> = BTreeMap<(String, String), Vec<Entry>>;

/// An entry of the previous version's journal.
#[derive(Clone, Debug, QueryableByName)]
pub(super) struct Before {
    #[diesel(sql_type = BigInt)]
    pub(super) position: i64,
    #[diesel(sql_type = Text)]
    dataset: String,
    #[diesel(sql_type = Text)]
    record: String,
    #[diesel(sql_type = BigInt)]
    pub(super) change: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) valid_on: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) recorded_at: i64,
    #[diesel(sql_type = Text)]
    area: String,
    #[diesel(sql_type = Binary)]
    pub(super) payload: Vec<u8>,
}

/// An entry of this version's journal.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub(super) struct Told {
    #[diesel(sql_type = Text)]
    dataset: String,
    #[diesel(sql_type = Text)]
    record: String,
    #[diesel(sql_type = BigInt)]
    pub(super) assertion: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) diff: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) valid_from: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) valid_until: i64,
    #[diesel(sql_type = Bool)]
    pub(super) ended: bool,
    #[diesel(sql_type = BigInt)]
    pub(super) recorded_at: i64,
    #[diesel(sql_type = Text)]
    pub(super) area: String,
    #[diesel(sql_type = Binary)]
    pub(super) payload: Vec<u8>,
}

/// What is said of a record on a day: its area and row, and whether it has ended.
pub(super) type Said = (String, Vec<u8>, bool);

pub(super) fn before(database: &mut Database) -> By<Before> {
    let all: Vec<Before> = database.load(
        "SELECT position, dataset, record, change, valid_on, recorded_at, area, payload FROM journal ORDER BY position",
    );
    let mut by: By<Before> = By::new();
    for entry in all {
        by.entry((entry.dataset.clone(), entry.record.clone())).or_default().push(entry);
    }
    by
}

pub(super) fn told(database: &mut Database) -> By<Told> {
    let all: Vec<Told> = database.load(
        "SELECT dataset, record, assertion, diff, valid_from, valid_until, ended, recorded_at, area, payload FROM journal \
         ORDER BY position",
    );
    let mut by: By<Told> = By::new();
    for entry in all {
        by.entry((entry.dataset.clone(), entry.record.clone())).or_default().push(entry);
    }
    by
}

/// What the previous version's rule says: of the entries for the day or an earlier one the latest day counts, of that the
/// last position, and what stands before a withdrawal counts for nothing.
pub(super) fn overridden(entries: &[Before], instant: i64, day: i64) -> Option<Said> {
    let known = || entries.iter().filter(|entry| entry.recorded_at <= instant);
    let withdrawn = known().filter(|entry| entry.change == CHANGE_WITHDRAWN).map(|entry| entry.position).max();
    known()
        .filter(|entry| Some(entry.position) > withdrawn && entry.valid_on <= day)
        .max_by_key(|entry| (entry.valid_on, entry.position))
        .map(|entry| (entry.area.clone(), entry.payload.clone(), entry.change == CHANGE_ENDED))
}

/// What the sum of signs says; each with its sum, without those of nothing.
pub(super) fn summed(entries: &[Told], instant: i64, day: i64) -> Vec<(Said, i64)> {
    let mut sums: BTreeMap<Said, i64> = BTreeMap::new();
    let known = entries.iter().filter(|entry| entry.recorded_at <= instant);
    for entry in known.filter(|entry| entry.valid_from <= day && day < entry.valid_until) {
        *sums.entry((entry.area.clone(), entry.payload.clone(), entry.ended)).or_default() += entry.diff;
    }
    sums.into_iter().filter(|(_, sum)| *sum != 0).collect()
}

/// Lists the days around those of which the previous version's journal told.
pub(super) fn days(entries: &[Before]) -> BTreeSet<i64> {
    entries.iter().flat_map(|entry| entry.valid_on - 1..=entry.valid_on + 1).collect()
}

/// Returns what is asserted and not retracted, in the order of days.
pub(super) fn standing(entries: &[Told]) -> Vec<&Told> {
    let mut standing: BTreeMap<i64, &Told> = BTreeMap::new();
    for entry in entries {
        if entry.diff == 1 {
            assert!(standing.insert(entry.assertion, entry).is_none(), "asserted twice: {entry:?}");
        } else {
            let asserted = standing.remove(&entry.assertion).expect("what is retracted stands");
            let retracted = Told { diff: 1, recorded_at: asserted.recorded_at, ..entry.clone() };
            assert_eq!(&retracted, asserted, "a retraction repeats its assertion");
        }
    }
    let mut standing: Vec<&Told> = standing.into_values().collect();
    standing.sort_by_key(|entry| entry.valid_from);
    standing
}
