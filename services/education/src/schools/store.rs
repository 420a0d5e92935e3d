//! The schools that other registers' records name, found for a whole chunk at once.

use std::collections::HashMap;

use minsheng_kit::{
    error::Error,
    register::{ACTIVE, FOREVER, Period, ROWS_PER_INSERT, Table as _, enum_number},
    store::AnyConnection,
};
use minsheng_proto::education::v1 as pb;

use crate::schema::SchoolRecord;

/// Collection of the register in resource names.
pub const COLLECTION: &str = "schools";

/// The schools that a chunk of records names, each with all its states.
#[derive(Debug)]
pub struct SchoolsNamed(HashMap<String, Vec<SchoolRecord>>);

/// Finds the schools of these resource names, `schools/{id}`.
pub fn named<'a>(
    connection: &mut AnyConnection,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<SchoolsNamed, Error> {
    let ids = ids_of(names);
    let mut schools: HashMap<String, Vec<SchoolRecord>> = HashMap::with_capacity(ids.len());
    for part in ids.chunks(ROWS_PER_INSERT) {
        for state in SchoolRecord::find(connection, part)? {
            schools.entry(state.id.clone()).or_default().push(state);
        }
    }
    Ok(SchoolsNamed(schools))
}

impl SchoolsNamed {
    /// Returns the state of a school that is in force on a day.
    pub fn on(&self, name: &str, day: i64) -> Option<&SchoolRecord> {
        self.in_force(name).find(|school| school.period().contains(day))
    }

    /// Returns the state by which a term is judged: the first one in which the school teaches on a day of the term, or
    /// else the first one that is in force on a day of it.
    pub fn in_term(&self, name: &str, term: Period) -> Option<&SchoolRecord> {
        let in_term = || self.in_force(name).filter(|school| school.period().overlaps(term));
        in_term().find(|school| school.teaches_in(term)).or_else(|| in_term().next())
    }

    /// Reports whether a school was in force on some day before another.
    pub fn was_there_before(&self, name: &str, day: i64) -> bool {
        self.in_force(name).any(|school| school.effective_on < day)
    }

    fn in_force(&self, name: &str) -> impl Iterator<Item = &SchoolRecord> {
        self.states(name).iter().filter(|school| school.state == ACTIVE)
    }

    fn states(&self, name: &str) -> &[SchoolRecord] {
        id_of(name).and_then(|id| self.0.get(id)).map_or(&[], Vec::as_slice)
    }
}

impl SchoolRecord {
    /// Returns the stage.
    pub fn school_stage(&self) -> pb::SchoolStage {
        pb::SchoolStage::try_from(enum_number(self.stage)).unwrap_or_default()
    }

    /// Returns the altitude class.
    pub fn altitude(&self) -> pb::AltitudeClass {
        pb::AltitudeClass::try_from(enum_number(self.altitude_class)).unwrap_or_default()
    }

    /// Reports whether it is public; one of which nothing is said is taken for it.
    pub fn is_public(&self) -> bool {
        self.ownership != pb::SchoolOwnership::Private as i64
    }

    /// Reports whether it teaches on a day of a period, by this state.
    pub fn teaches_in(&self, period: Period) -> bool {
        let open = self.opened_on.map(|from| Period { from, until: self.closed_on.unwrap_or(FOREVER) });
        open.and_then(|open| open.intersection(self.period())).is_some_and(|days| days.overlaps(period))
    }
}

/// Returns the ids of resource names, each once, in order.
fn ids_of<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut ids: Vec<String> = names.into_iter().filter_map(id_of).map(str::to_owned).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn id_of(name: &str) -> Option<&str> {
    name.strip_prefix(COLLECTION).and_then(|rest| rest.strip_prefix('/'))
}
