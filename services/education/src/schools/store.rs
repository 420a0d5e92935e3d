//! The schools that other registers' records name, found for a whole chunk at once.

use std::collections::HashMap;

use minsheng_kit::{
    error::{Error, Violations},
    register::{ROWS_PER_INSERT, Table as _},
    store::AnyConnection,
};
use minsheng_proto::{common::v1::RecordState, education::v1 as pb};

use crate::schema::SchoolRecord;

/// Collection of the register in resource names.
pub const COLLECTION: &str = "schools";

/// The schools that a chunk of records names.
#[derive(Debug)]
pub struct SchoolsNamed(HashMap<String, SchoolRecord>);

/// Finds the schools of these resource names, `schools/{id}`.
pub fn named<'a>(
    connection: &mut AnyConnection,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<SchoolsNamed, Error> {
    let mut ids: Vec<String> = names.into_iter().filter_map(id_of).map(str::to_owned).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut schools = HashMap::with_capacity(ids.len());
    for part in ids.chunks(ROWS_PER_INSERT) {
        schools.extend(SchoolRecord::find(connection, part)?.into_iter().map(|school| (school.id.clone(), school)));
    }
    Ok(SchoolsNamed(schools))
}

impl SchoolsNamed {
    /// Gives the school that a record of a county names, where it is there, not withdrawn and of that county; notes a
    /// violation of the field `school` otherwise.
    pub fn of_record(&self, name: &str, area: &str, violations: &mut Violations) -> Option<&SchoolRecord> {
        let school =
            id_of(name).and_then(|id| self.0.get(id)).filter(|school| school.state != RecordState::Withdrawn as i64);
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
        i32::try_from(self.stage).ok().and_then(|stage| pb::SchoolStage::try_from(stage).ok()).unwrap_or_default()
    }
}

fn id_of(name: &str) -> Option<&str> {
    name.strip_prefix(COLLECTION).and_then(|rest| rest.strip_prefix('/'))
}
