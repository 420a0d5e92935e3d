//! Members of assisted households: in which category each one is on which day, as rows of their own kept it and keep it.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Binary, Text},
};

use super::fixture::Database;

/// Days of a member in a category: the first one, and the first one after them.
#[derive(Clone, Debug, QueryableByName)]
pub(super) struct Member {
    #[diesel(sql_type = Text)]
    household: String,
    #[diesel(sql_type = Binary)]
    resident_index: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    category: i64,
    #[diesel(sql_type = BigInt)]
    valid_from: i64,
    #[diesel(sql_type = BigInt)]
    valid_until: i64,
}

/// Reads the rows of the previous version; none where the service keeps no households.
pub(super) fn before(database: &mut Database) -> Vec<Member> {
    if database.columns("assistance_members").is_empty() {
        return Vec::new();
    }
    database.load(
        "SELECT household, resident_index, category, valid_from, coalesce(valid_to, 9223372036854775806) + 1 AS valid_until \
         FROM assistance_members",
    )
}

/// Sees to it that every member is on every day in the category of that day.
pub(super) fn are_the_same(before: &[Member], database: &mut Database) {
    if before.is_empty() {
        return;
    }
    let now: Vec<Member> =
        database.load("SELECT household, resident_index, category, valid_from, valid_until FROM assistance_members");
    let days: BTreeSet<i64> = before
        .iter()
        .flat_map(|member| [member.valid_from - 1, member.valid_from, member.valid_until - 1, member.valid_until])
        .collect();
    for day in days {
        assert_eq!(on(&now, day), on(before, day), "day {day}");
    }
}

/// Lists who is in which category on a day, by household and member.
fn on(members: &[Member], day: i64) -> BTreeMap<(&str, &[u8]), Vec<i64>> {
    let mut found: BTreeMap<(&str, &[u8]), Vec<i64>> = BTreeMap::new();
    for member in members.iter().filter(|member| member.valid_from <= day && day < member.valid_until) {
        found.entry((&member.household, &member.resident_index)).or_default().push(member.category);
    }
    found
}
