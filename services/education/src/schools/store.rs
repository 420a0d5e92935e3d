//! The schools that other registers' records name: found for a whole chunk at once, held while the records go in, and
//! not withdrawn while records name them.

use std::collections::HashMap;

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{
    error::{Error, Violations},
    on_each,
    register::{ROWS_PER_INSERT, Table as _, enum_number},
    store::AnyConnection,
};
use minsheng_proto::{common::v1::RecordState, education::v1 as pb};

use crate::schema::{SchoolRecord, aid_cases, funding_records, schools};

/// Collection of the register in resource names.
pub const COLLECTION: &str = "schools";

const WITHDRAWN: i64 = RecordState::Withdrawn as i64;

/// The schools that a chunk of records names.
#[derive(Debug)]
pub struct SchoolsNamed(HashMap<String, SchoolRecord>);

/// Finds the schools of these resource names, `schools/{id}`.
pub fn named<'a>(
    connection: &mut AnyConnection,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<SchoolsNamed, Error> {
    let ids = ids_of(names);
    let mut schools = HashMap::with_capacity(ids.len());
    for part in ids.chunks(ROWS_PER_INSERT) {
        schools.extend(SchoolRecord::find(connection, part)?.into_iter().map(|school| (school.id.clone(), school)));
    }
    Ok(SchoolsNamed(schools))
}

/// Holds the schools that records of this unit name, until it ends: a withdrawal waits for the records, or is seen here
/// and the unit is to be sent again. On SQLite there is nothing to do: one unit runs at a time.
pub fn hold<'a>(connection: &mut AnyConnection, names: impl IntoIterator<Item = &'a str>) -> Result<(), Error> {
    let AnyConnection::Postgres(connection) = connection else { return Ok(()) };
    for part in ids_of(names).chunks(ROWS_PER_INSERT) {
        let there = schools::table.filter(schools::id.eq_any(part)).order(schools::id).select(schools::state);
        let states: Vec<i64> = there.for_key_share().load(connection)?;
        if states.len() < part.len() || states.contains(&WITHDRAWN) {
            return Err(Error::Raced);
        }
    }
    Ok(())
}

/// Refuses to withdraw a school that records name which were not withdrawn themselves: they would speak of a school that
/// never was.
pub(super) fn check_unnamed(connection: &mut AnyConnection, id: &str) -> Result<(), Error> {
    let name = format!("{COLLECTION}/{id}");
    let funding = funding_records::table
        .filter(funding_records::school.eq(&name))
        .filter(funding_records::state.ne(WITHDRAWN))
        .select(funding_records::id)
        .limit(1);
    let cases = aid_cases::table
        .filter(aid_cases::school.eq(&name))
        .filter(aid_cases::state.ne(WITHDRAWN))
        .select(aid_cases::id)
        .limit(1);
    let mut naming: Vec<String> = on_each!(connection, c => funding.load(c))?;
    naming.append(&mut on_each!(connection, c => cases.load(c))?);
    let mut violations = Violations::new();
    violations.require(
        naming.is_empty(),
        "kind",
        "SCHOOL_IN_USE",
        "funding or cases name the school; withdraw those first, or end the school",
        "有经费或三包资格记录引用该校，请先撤回这些记录，或改为终止",
    );
    violations.into_result(()).map_err(Error::State)
}

impl SchoolsNamed {
    /// Gives a school by name, whatever its state.
    pub fn get(&self, name: &str) -> Option<&SchoolRecord> {
        id_of(name).and_then(|id| self.0.get(id))
    }

    /// Gives the school that a record of a county names, where it is there, not withdrawn and of that county; notes a
    /// violation of the field `school` otherwise.
    pub fn of_record(&self, name: &str, area: &str, violations: &mut Violations) -> Option<&SchoolRecord> {
        let school = self.get(name).filter(|school| school.state != WITHDRAWN);
        let Some(school) = school else {
            violations.add("school", "NO_SUCH_SCHOOL", "is not in the register of schools", "学校不在学校名册中");
            return None;
        };
        violations.require(
            school.area == area,
            "school",
            "SCHOOL_OF_ANOTHER_COUNTY",
            "lies in another county than the record",
            "学校所在县与记录不一致",
        );
        Some(school)
    }
}

impl SchoolRecord {
    /// Gives the stage.
    pub fn school_stage(&self) -> pb::SchoolStage {
        pb::SchoolStage::try_from(enum_number(self.stage)).unwrap_or_default()
    }

    /// Gives the altitude class.
    pub fn altitude(&self) -> pb::AltitudeClass {
        pb::AltitudeClass::try_from(enum_number(self.altitude_class)).unwrap_or_default()
    }

    /// Says whether it is public; one of which nothing is said is taken for it.
    pub fn is_public(&self) -> bool {
        self.ownership != pb::SchoolOwnership::Private as i64
    }

    /// Gives the first day on which it no longer teaches: it closed, or its record ended, whichever is earlier.
    pub fn closes_on(&self) -> Option<i64> {
        self.closed_on.into_iter().chain(self.ended_on).min()
    }

    /// Says whether it teaches on the first day of a period, or begins in it.
    pub fn in_service_between(&self, from: i64, to: i64) -> bool {
        self.opened_on.is_some_and(|opened| opened <= to) && self.closes_on().is_none_or(|closes| closes > from)
    }
}

/// Gives the ids of resource names, each once, in order.
fn ids_of<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut ids: Vec<String> = names.into_iter().filter_map(id_of).map(str::to_owned).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn id_of(name: &str) -> Option<&str> {
    name.strip_prefix(COLLECTION).and_then(|rest| rest.strip_prefix('/'))
}
