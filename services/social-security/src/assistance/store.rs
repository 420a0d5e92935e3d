//! When each member of a household was in which category: written with the household, read by the questions and by
//! the rule that a person belongs to one assisted household at a time.

use diesel::{ExpressionMethods as _, Insertable, QueryDsl as _, Queryable, RunQueryDsl as _};
use minsheng_kit::{error::Error, keys::Keys, load_among, on_each, register::ROWS_PER_INSERT, store::AnyConnection};
use minsheng_proto::{common::v1 as common, social_security::v1 as pb};

use super::{
    days::{category_span, first_day},
    sealed::opened,
};
use crate::{
    schema::{AssistanceHouseholdRecord, assistance_members},
    spans::Span,
};

/// Bytes of a blind index.
pub(super) const INDEX_BYTES: usize = 32;

/// A row of the table of members.
#[derive(Debug, Insertable, Queryable)]
#[diesel(table_name = assistance_members)]
pub(super) struct MemberRecord {
    /// Id of the household.
    pub(super) household: String,
    /// First day of the household's content.
    pub(super) effective_on: i64,
    /// Keyed blind index of the person.
    pub(super) resident_index: Vec<u8>,
    /// Number of the contract's `AssistanceCategory`.
    pub(super) category: i64,
    /// First day in the category by this content.
    pub(super) valid_from: i64,
    /// Last day.
    pub(super) valid_to: Option<i64>,
}

/// Gives the blind indexes of a household's members, in their order.
pub(super) fn member_indexes(record: &AssistanceHouseholdRecord) -> impl Iterator<Item = &[u8]> {
    record.member_indexes.chunks(INDEX_BYTES)
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
    let members = members_of_people(connection, &[resident_index])?;
    let in_force =
        members.into_iter().filter(|member| Span { from: member.valid_from, to: member.valid_to }.contains(day));
    // The contract numbers the categories from the strongest on.
    Ok(in_force.min_by_key(|member| member.category).map(|member| (member.category, member.valid_to)))
}

/// Writes the members of households, in the unit that wrote the households.
///
/// A household that is new gets its rows. One that changed from a day on keeps its rows up to the day before; one that
/// was corrected, ended or withdrawn gets its rows anew.
pub(super) fn members_written(
    connection: &mut AnyConnection,
    households: &[AssistanceHouseholdRecord],
    keys: &Keys,
) -> Result<(), Error> {
    for household in households.iter().filter(|household| household.version > 1) {
        members_cut(connection, household)?;
    }
    let mut rows: Vec<MemberRecord> = Vec::new();
    for household in households {
        rows.extend(member_records(household, keys)?);
    }
    for part in rows.chunks(ROWS_PER_INSERT) {
        on_each!(connection, c => diesel::insert_into(assistance_members::table).values(part).execute(c))?;
    }
    Ok(())
}

/// Makes the rows of a household's present content: each member in the household's category, but in dibao who gets it as a
/// person.
fn member_records(household: &AssistanceHouseholdRecord, keys: &Keys) -> Result<Vec<MemberRecord>, Error> {
    let Some(span) = category_span(household) else { return Ok(Vec::new()) };
    let mut singles = Vec::new();
    if household.single_person_members > 0 {
        singles = opened(&household.members, keys, true)?.iter().map(|member| member.single_person_dibao).collect();
    }
    let row = |(place, index): (usize, &[u8])| MemberRecord {
        household: household.id.clone(),
        effective_on: household.effective_on,
        resident_index: index.to_vec(),
        category: if singles.get(place).copied().unwrap_or_default() {
            pb::AssistanceCategory::Dibao as i64
        } else {
            household.category
        },
        valid_from: span.from,
        valid_to: span.to,
    };
    Ok(member_indexes(household).enumerate().map(row).collect())
}

/// Says whether a former content of a household puts somebody in a category on no day before one: taking the days from
/// there on would leave nothing of it.
pub(super) fn leaves_no_former_content(
    connection: &mut AnyConnection,
    household: &AssistanceHouseholdRecord,
) -> Result<bool, Error> {
    use assistance_members as members;
    let taken = members::table
        .filter(members::household.eq(&household.id))
        .filter(members::effective_on.lt(household.effective_on))
        .filter(members::valid_from.ge(first_day(household)))
        .select(members::valid_from)
        .limit(1);
    let taken: Vec<i64> = on_each!(connection, c => taken.load(c))?;
    Ok(!taken.is_empty())
}

/// Removes what earlier contents say of the days from the present content's first day on.
fn members_cut(connection: &mut AnyConnection, household: &AssistanceHouseholdRecord) -> Result<(), Error> {
    use assistance_members as members;
    // A household that was withdrawn never had a category on any day.
    let withdrawn = household.state == common::RecordState::Withdrawn as i64;
    let first_day = if withdrawn { i64::MIN } else { first_day(household) };
    diesel::delete(
        members::table.filter(members::household.eq(&household.id)).filter(members::valid_from.ge(first_day)),
    )
    .execute(connection)?;
    diesel::update(
        members::table
            .filter(members::household.eq(&household.id))
            .filter(members::valid_to.is_null())
            .filter(members::valid_from.lt(first_day)),
    )
    .set(members::valid_to.eq(first_day.saturating_sub(1)))
    .execute(connection)?;
    diesel::update(members::table.filter(members::household.eq(&household.id)).filter(members::valid_to.ge(first_day)))
        .set(members::valid_to.eq(first_day.saturating_sub(1)))
        .execute(connection)?;
    Ok(())
}
