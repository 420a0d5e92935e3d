//! How other records name an institution, and what is the same for all of them.

use std::collections::{BTreeSet, HashMap};

use diesel::{ExpressionMethods as _, QueryDsl as _, Queryable, RunQueryDsl as _};
use minsheng_kit::{
    error::{Error, Violations},
    load_among,
    store::AnyConnection,
};
use minsheng_proto::common::v1 as common;

use crate::schema::institutions;

/// Collection of institutions in references, with its slash.
const PREFIX: &str = "institutions/";
/// Longest id that the contract lets an institution have.
const LONGEST_ID: usize = 128;

/// Reads a reference, `institutions/{id}` or the id alone, as the id.
pub fn institution_id(field: &str, reference: &str, violations: &mut Violations) -> String {
    let id = reference.strip_prefix(PREFIX).unwrap_or(reference);
    let well_formed = !id.is_empty()
        && id.len() <= LONGEST_ID
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    violations.require(
        well_formed,
        field,
        "NOT_AN_INSTITUTION",
        "must name an institution as institutions/{id}",
        "机构编号须为 institutions/{id}",
    );
    id.to_owned()
}

/// Writes a reference.
pub fn institution_name(id: &str) -> String {
    format!("{PREFIX}{id}")
}

/// What the rules of other records ask of an institution that they name.
#[derive(Clone, Debug, Default, PartialEq, Queryable)]
pub struct NamedInstitution {
    /// Id within the collection.
    pub id: String,
    /// County, six digits.
    pub area: String,
    /// Number of the contract's `RecordState`.
    pub state: i64,
    /// First day on which the record is no longer true.
    pub ended_on: Option<i64>,
    /// Number of the contract's `InstitutionClass`.
    pub institution_class: i64,
    /// Grade, or 0.
    pub level: i64,
    /// First day in operation.
    pub operating_from: i64,
    /// Last day in operation.
    pub operating_to: Option<i64>,
}

/// The institutions that a chunk of records names, as they stand.
#[derive(Debug)]
pub struct InstitutionReferences(HashMap<String, NamedInstitution>);

impl InstitutionReferences {
    /// Finds them with as few queries as the store allows.
    pub fn find<'a>(connection: &mut AnyConnection, ids: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let ids = Vec::from_iter(ids.into_iter().collect::<BTreeSet<_>>());
        let named = institutions::table.select((
            institutions::id,
            institutions::area,
            institutions::state,
            institutions::ended_on,
            institutions::institution_class,
            institutions::level,
            institutions::operating_from,
            institutions::operating_to,
        ));
        let found: Vec<NamedInstitution> = load_among!(connection, named, institutions::id, ids)?;
        Ok(Self(found.into_iter().map(|institution| (institution.id.clone(), institution)).collect()))
    }

    /// Gives an institution that exists and was not withdrawn; notes a violation otherwise.
    pub fn existing(&self, field: &str, id: &str, violations: &mut Violations) -> Option<&NamedInstitution> {
        let found = self.0.get(id).filter(|record| record.state != common::RecordState::Withdrawn as i64);
        violations.require(
            found.is_some(),
            field,
            "UNKNOWN_INSTITUTION",
            "is not an institution of the register",
            "机构未登记",
        );
        found
    }

    /// As [`existing`](Self::existing), for a record that must lie in the institution's own county.
    pub fn existing_in(
        &self,
        field: &str,
        id: &str,
        area: &str,
        violations: &mut Violations,
    ) -> Option<&NamedInstitution> {
        let found = self.existing(field, id, violations);
        violations.require(
            found.is_none_or(|record| record.area == area),
            "area",
            "NOT_THE_INSTITUTIONS_COUNTY",
            "is not the county of the institution",
            "区划与机构所在县不一致",
        );
        found
    }

    /// Says whether one institution has a lower grade than another; those without a grade stand below the first.
    pub fn is_lower(&self, one: &str, other: &str) -> bool {
        let level = |id: &str| self.0.get(id).map_or(0, |record| record.level);
        level(one) < level(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_institution_is_named_by_its_resource_name_or_its_id() {
        let mut violations = Violations::new();
        assert_eq!(institution_id("institution", "institutions/h-1", &mut violations), "h-1");
        assert_eq!(institution_id("institution", "h-1", &mut violations), "h-1");
        let longest = "x".repeat(LONGEST_ID);
        assert_eq!(institution_id("institution", &institution_name(&longest), &mut violations), longest);
        assert!(violations.is_empty());
        let too_long = "x".repeat(LONGEST_ID + 1);
        for wrong in ["institutions/", "schools/1", "h 1", &too_long] {
            institution_id("institution", wrong, &mut violations);
        }
        assert_eq!(violations.iter().filter(|violation| violation.reason == "NOT_AN_INSTITUTION").count(), 4);
    }

    #[test]
    fn an_institution_without_a_grade_stands_below_the_first() {
        let graded = |id: &str, level| NamedInstitution { id: id.to_owned(), level, ..NamedInstitution::default() };
        let all = [graded("third", 3), graded("first", 1), graded("centre", 0)];
        let references = InstitutionReferences(all.into_iter().map(|record| (record.id.clone(), record)).collect());
        assert!(references.is_lower("first", "third") && references.is_lower("centre", "first"));
        assert!(!references.is_lower("third", "first") && !references.is_lower("third", "third"));
    }
}
