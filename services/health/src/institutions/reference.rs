//! How other records name an institution, and what is the same for all of them.

use std::collections::{BTreeSet, HashMap};

use diesel::{ExpressionMethods as _, QueryDsl as _, Queryable, RunQueryDsl as _};
use minsheng_kit::{
    error::{Error, Violations},
    load_among,
    register::{ACTIVE, WITHDRAWN, enum_number},
    store::AnyConnection,
};

use minsheng_proto::health::v1::InstitutionClass;

use crate::schema::institutions;

/// What a state of an institution says of its days and its grade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Queryable)]
pub struct OperatingState {
    /// Number of the contract's `RecordState`.
    pub state: i64,
    /// First day of the state.
    pub effective_on: i64,
    /// First day on which it no longer holds.
    pub effective_until: i64,
    /// Grade, or 0.
    pub level: i64,
    /// First day in operation.
    pub operating_from: i64,
    /// Last day in operation.
    pub operating_to: Option<i64>,
}

impl OperatingState {
    /// Reports whether the state holds on a day and the institution was in operation.
    pub fn operates_on(&self, day: i64) -> bool {
        self.state == ACTIVE
            && self.effective_on <= day
            && day < self.effective_until
            && self.operating_from <= day
            && self.operating_to.is_none_or(|last| day <= last)
    }

    /// Returns the grade on a day, out of all states until then: one that has closed keeps its last.
    pub fn grade_on<'a>(states: impl IntoIterator<Item = &'a Self>, day: i64) -> i64 {
        let begun = states.into_iter().filter(|state| state.effective_on <= day);
        begun.max_by_key(|state| state.effective_on).map_or(0, |state| state.level)
    }
}

/// What a state of an institution says that the rules of other records ask.
#[derive(Clone, Debug, Default, PartialEq, Queryable)]
pub struct NamedInstitution {
    /// Id within the collection.
    pub id: String,
    /// County, six digits.
    pub area: String,
    /// Number of the contract's `InstitutionClass`.
    pub institution_class: i64,
    /// Its days and its grade.
    pub operating: OperatingState,
}

impl NamedInstitution {
    /// Returns the class.
    pub fn class(&self) -> InstitutionClass {
        InstitutionClass::try_from(enum_number(self.institution_class)).unwrap_or_default()
    }
}

/// The columns of an [`OperatingState`].
macro_rules! operating_state {
    () => {
        (
            $crate::schema::institutions::state,
            $crate::schema::institutions::effective_on,
            $crate::schema::institutions::effective_until,
            $crate::schema::institutions::level,
            $crate::schema::institutions::operating_from,
            $crate::schema::institutions::operating_to,
        )
    };
}
pub(crate) use operating_state;

/// The institutions that records name, each with its states in the order of days.
#[derive(Debug, Default)]
pub struct InstitutionReferences(HashMap<String, Vec<NamedInstitution>>);

impl FromIterator<NamedInstitution> for InstitutionReferences {
    fn from_iter<I: IntoIterator<Item = NamedInstitution>>(states: I) -> Self {
        let mut found: HashMap<String, Vec<NamedInstitution>> = HashMap::new();
        for state in states {
            found.entry(state.id.clone()).or_default().push(state);
        }
        for states in found.values_mut() {
            states.sort_by_key(|state| state.operating.effective_on);
        }
        Self(found)
    }
}

impl InstitutionReferences {
    /// Finds all states of institutions that were not withdrawn, with as few queries as the store allows.
    pub fn find<'a>(connection: &mut AnyConnection, ids: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let ids = Vec::from_iter(ids.into_iter().collect::<BTreeSet<_>>());
        let named = institutions::table.filter(institutions::state.ne(WITHDRAWN)).select((
            institutions::id,
            institutions::area,
            institutions::institution_class,
            operating_state!(),
        ));
        let found: Vec<NamedInstitution> = load_among!(connection, named, institutions::id, ids)?;
        Ok(found.into_iter().collect())
    }

    /// Requires that an institution that a question names exists, whatever its days.
    pub fn require(&self, field: &str, id: &str, violations: &mut Violations) {
        violations.require(
            self.0.contains_key(id),
            field,
            "UNKNOWN_INSTITUTION",
            "is not an institution of the register",
            "机构未登记",
        );
    }

    /// Returns the state of an institution on a day on which it was in operation.
    pub fn in_operation(&self, id: &str, day: i64) -> Option<&NamedInstitution> {
        self.0.get(id)?.iter().find(|state| state.operating.operates_on(day))
    }

    /// Reports whether one institution has a lower grade than another on a day; those without a grade stand below the first,
    /// and one that has closed keeps its last.
    pub fn is_lower(&self, one: &str, other: &str, day: i64) -> bool {
        let grade = |id: &str| {
            let states = self.0.get(id).into_iter().flatten();
            OperatingState::grade_on(states.map(|state| &state.operating), day)
        };
        grade(one) < grade(other)
    }
}

#[cfg(test)]
mod tests {
    use minsheng_kit::register::FOREVER;
    use minsheng_proto::common::v1::RecordState;

    use super::*;

    fn graded(id: &str, days: (i64, i64), state: RecordState, level: i64) -> NamedInstitution {
        NamedInstitution {
            id: id.to_owned(),
            operating: OperatingState {
                state: state as i64,
                effective_on: days.0,
                effective_until: days.1,
                level,
                ..OperatingState::default()
            },
            ..NamedInstitution::default()
        }
    }

    #[test]
    fn grades_are_those_of_the_day_and_an_institution_without_one_stands_below_the_first() {
        let references: InstitutionReferences = [
            graded("third", (0, FOREVER), RecordState::Active, 3),
            graded("first", (0, FOREVER), RecordState::Active, 1),
            graded("centre", (0, FOREVER), RecordState::Active, 0),
            graded("raised", (100, 200), RecordState::Active, 3),
            graded("raised", (0, 100), RecordState::Active, 1),
            graded("raised", (200, FOREVER), RecordState::Ended, 3),
        ]
        .into_iter()
        .collect();
        let lower = |one, other, day| references.is_lower(one, other, day);
        assert!(lower("first", "third", 10) && lower("centre", "first", 10));
        assert!(!lower("third", "first", 10) && !lower("third", "third", 10));
        assert!(lower("raised", "third", 99) && !lower("raised", "third", 100));
        assert!(!lower("raised", "third", 300), "closed, it keeps its last grade");
    }

    #[test]
    fn an_institution_is_in_operation_on_the_days_of_its_states_and_of_their_content() {
        let closes = |state: NamedInstitution, last| NamedInstitution {
            operating: OperatingState { operating_to: last, ..state.operating },
            ..state
        };
        let references: InstitutionReferences = [
            closes(graded("h", (10, 50), RecordState::Active, 1), None),
            closes(graded("h", (50, 90), RecordState::Active, 1), Some(70)),
            graded("h", (90, FOREVER), RecordState::Ended, 1),
        ]
        .into_iter()
        .collect();
        for (day, open) in [(9, false), (10, true), (49, true), (70, true), (71, false), (90, false)] {
            assert_eq!(references.in_operation("h", day).is_some(), open, "{day}");
        }
        assert_eq!(references.in_operation("nowhere", 10), None);
    }
}
