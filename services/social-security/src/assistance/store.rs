//! When each member of a household is in which category: written with the household's states, read by the questions and by
//! the rule that a person belongs to one assisted household at a time.

use diesel::{ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable, RunQueryDsl as _};
use minsheng_kit::{
    error::Error,
    insert_rows,
    keys::Keys,
    load_among, on_each,
    register::{Period, ROWS_PER_INSERT, Table as _},
    store::AnyConnection,
};
use minsheng_proto::social_security::v1 as pb;

use super::{
    rules::{category_period, member_indexes},
    sealed::opened,
};
use crate::schema::AssistanceHouseholdRecord;

diesel::table! {
    /// When a person is in which category, household by household: one row for each member and each state in force of the
    /// household. The register of households writes it; the questions and the rule of one household read it.
    assistance_members (household, number, resident_index) {
        /// Id of the household.
        household -> Text,
        /// Number of the household's state.
        number -> BigInt,
        /// Keyed blind index of the person.
        resident_index -> Binary,
        /// Number of the contract's `AssistanceCategory`.
        category -> BigInt,
        /// First day in the category by this state, days since 1970-01-01.
        valid_from -> BigInt,
        /// First day after it; the greatest number while it is open.
        valid_until -> BigInt,
    }
}

/// A row of the table of members.
#[derive(Debug, Insertable, Queryable)]
#[diesel(table_name = assistance_members, treat_none_as_default_value = false)]
pub(super) struct MemberRecord {
    /// Id of the household.
    pub(super) household: String,
    /// Number of the household's state.
    pub(super) number: i64,
    /// Keyed blind index of the person.
    pub(super) resident_index: Vec<u8>,
    /// Number of the contract's `AssistanceCategory`.
    pub(super) category: i64,
    /// First day in the category by this state.
    pub(super) valid_from: i64,
    /// First day after it.
    pub(super) valid_until: i64,
}

impl MemberRecord {
    /// Returns the days in the category.
    pub(super) fn period(&self) -> Period {
        Period { from: self.valid_from, until: self.valid_until }
    }
}

/// Reads in which households some people are, and when.
pub(super) fn members_of_people(connection: &mut AnyConnection, people: &[&[u8]]) -> Result<Vec<MemberRecord>, Error> {
    Ok(load_among!(connection, assistance_members::table, assistance_members::resident_index, people)?)
}

/// Reads the strongest category of a person on a day, with its last day.
pub(crate) fn strongest_category(
    connection: &mut AnyConnection,
    resident_index: &[u8],
    day: i64,
) -> Result<Option<(i64, Option<i64>)>, Error> {
    use assistance_members as members;
    // The contract numbers the categories from the strongest on.
    let strongest = members::table
        .filter(members::resident_index.eq(resident_index))
        .filter(members::valid_from.le(day))
        .filter(members::valid_until.gt(day))
        .order(members::category)
        .limit(1);
    let strongest: Option<MemberRecord> = on_each!(connection, c => strongest.first(c).optional())?;
    Ok(strongest.map(|member| (member.category, member.period().last_day())))
}

/// Writes the members of households, in the unit that wrote all states of these.
pub(super) fn write_members(
    connection: &mut AnyConnection,
    states: &[AssistanceHouseholdRecord],
    keys: &Keys,
) -> Result<(), Error> {
    // The first version of a household has no rows yet.
    for state in states.iter().filter(|state| state.number == 0 && state.version > 1) {
        let former = assistance_members::table.filter(assistance_members::household.eq(&state.id));
        on_each!(connection, c => diesel::delete(former).execute(c))?;
    }
    let mut rows: Vec<MemberRecord> = Vec::new();
    for state in states.iter().filter(|state| state.head().is_active()) {
        rows.extend(member_records(state, keys)?);
    }
    for part in rows.chunks(ROWS_PER_INSERT) {
        insert_rows!(connection, assistance_members::table, part)?;
    }
    Ok(())
}

/// Makes the rows of a state: each member in the household's category, but in dibao who gets it as a person.
fn member_records(household: &AssistanceHouseholdRecord, keys: &Keys) -> Result<Vec<MemberRecord>, Error> {
    let Some(period) = category_period(household) else { return Ok(Vec::new()) };
    let mut singles = Vec::new();
    if household.single_person_members > 0 {
        singles = opened(&household.members, keys, true)?.iter().map(|member| member.single_person_dibao).collect();
    }
    let row = |(place, index): (usize, &[u8])| MemberRecord {
        household: household.id.clone(),
        number: household.number,
        resident_index: index.to_vec(),
        category: if singles.get(place).copied().unwrap_or_default() {
            pb::AssistanceCategory::Dibao as i64
        } else {
            household.category
        },
        valid_from: period.from,
        valid_until: period.until,
    };
    Ok(member_indexes(household).enumerate().map(row).collect())
}

#[cfg(test)]
mod tests {
    use minsheng_kit::register::FOREVER;

    use super::*;

    #[test]
    fn a_category_holds_on_the_days_that_the_state_and_its_validity_share() {
        let state = AssistanceHouseholdRecord {
            effective_on: 100,
            effective_until: 200,
            category: pb::AssistanceCategory::Dibao as i64,
            valid_from: Some(100),
            ..AssistanceHouseholdRecord::default()
        };
        let open = AssistanceHouseholdRecord { effective_until: FOREVER, ..state.clone() };
        let none = pb::AssistanceCategory::None as i64;
        for (state, period) in [
            (state.clone(), Some((100, 200))),
            (
                AssistanceHouseholdRecord { valid_from: Some(50), valid_to: Some(149), ..state.clone() },
                Some((100, 150)),
            ),
            (
                AssistanceHouseholdRecord { valid_from: Some(120), valid_to: Some(300), ..state.clone() },
                Some((120, 200)),
            ),
            (AssistanceHouseholdRecord { valid_from: Some(200), ..state.clone() }, None),
            (AssistanceHouseholdRecord { category: none, ..state }, None),
            (open.clone(), Some((100, FOREVER))),
            (AssistanceHouseholdRecord { valid_to: Some(100), ..open }, Some((100, 101))),
        ] {
            let expected = period.map(|(from, until)| Period { from, until });
            assert_eq!(category_period(&state), expected, "{state:?}");
        }
    }
}
