//! What if a target, a due date or a parameter were another: which verdicts would change. No data is touched.
//!
//! The catalogue is changed in memory and judged beside itself. What is asked may not become a way around protection: a
//! target that is moved step by step tells a figure, and a parameter that is moved tells persons apart. So nothing is said
//! of a figure that is withheld, and no parameter of a measure that counts persons can be changed.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use crate::catalogue::{Catalogue, Entry, Figure, Parameter};
use crate::explain::{ExplainError, entry_of, may_be_named};
use crate::findings::{Findings, FindingsRequest};
use crate::job::JobError;
use crate::lake::Lake;
use crate::model::{AttainmentEntry, Reason, Status, wire};

/// The day from which a changed parameter holds: before every record.
const ALWAYS: NaiveDate = NaiveDate::from_ymd_opt(1949, 10, 1).expect("a day");

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum WhatIfError {
    /// The catalogue has no such commitment.
    #[error(transparent)]
    Unknown(#[from] ExplainError),
    /// The commitment has no such parameter.
    #[error("{commitment} has no parameter {name}; it has: {known} / {commitment} 没有参数 {name}；可用：{known}")]
    UnknownParameter {
        /// The commitment.
        commitment: String,
        /// What was asked for.
        name: String,
        /// What there is, separated by commas.
        known: String,
    },
    /// A parameter of a measure that counts persons.
    #[error(
        "the parameters of {commitment} are not changed here: it counts persons, and the difference would tell of few / \
         {commitment} 统计个人，改变参数所得的差别可能指向少数人，不予计算"
    )]
    Persons {
        /// The commitment.
        commitment: String,
    },
    /// The commitment has no target that could be another.
    #[error("{commitment} has no target: the notice gives a direction only / {commitment} 没有目标值：通知只给出方向")]
    NoTarget {
        /// The commitment.
        commitment: String,
    },
    /// Nothing was changed.
    #[error("nothing is changed: give a target, a due date or a parameter / 没有改变：请给出目标、期限或参数")]
    NothingChanged,
    /// The figures could not be computed.
    #[error("the figures cannot be computed")]
    Figures(#[from] JobError),
}

/// What is changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Change {
    /// The commitment.
    pub commitment: String,
    /// Another target of the region, or of every area where it binds each.
    pub target: Option<f64>,
    /// Another last day on which the target must hold.
    pub due: Option<NaiveDate>,
    /// Other figures of its expressions, by name.
    pub parameters: BTreeMap<String, i64>,
}

/// How an area stands.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Standing {
    /// The verdict.
    pub status: Status,
    /// Why there is none, or what to know beside it.
    pub reason: Option<Reason>,
    /// The value.
    #[serde(with = "wire::optional_number")]
    pub value: Option<f64>,
    /// The target that binds the area.
    #[serde(with = "wire::optional_number")]
    pub target: Option<f64>,
    /// Progress over elapsed time, P.
    #[serde(with = "wire::optional_number")]
    pub pace: Option<f64>,
}

impl Standing {
    fn of(entry: &AttainmentEntry) -> Self {
        let AttainmentEntry { status, reason, value, target, pace, .. } = entry;
        Self { status: *status, reason: *reason, value: *value, target: *target, pace: *pace }
    }
}

/// A verdict that would be another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Consequence {
    /// GB/T 2260 code.
    pub area: String,
    /// How it stands.
    pub before: Standing,
    /// How it would stand.
    pub after: Standing,
}

/// What would follow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Consequences {
    /// The day that the figures are true for.
    #[serde(with = "wire::date")]
    pub on: NaiveDate,
    /// The commitment.
    pub commitment: String,
    /// The verdicts that would be others, by area.
    pub changed: Vec<Consequence>,
    /// Areas whose verdict would stay.
    pub unchanged: usize,
    /// Areas of which nothing is said, because their figure is withheld.
    pub withheld: usize,
}

/// Says what would follow from a change. Blocks.
pub fn what_if(
    catalogue: &Catalogue,
    lake: &Lake,
    change: &Change,
    request: &FindingsRequest,
) -> Result<Consequences, WhatIfError> {
    let changed = changed(catalogue, change)?;
    let before = Findings::of(catalogue, lake, request)?;
    let after = Findings::of(&changed, lake, request)?;
    let mut consequences = Consequences {
        on: request.on,
        commitment: change.commitment.clone(),
        changed: Vec::new(),
        unchanged: 0,
        withheld: 0,
    };
    for entry in before.document.commitments.iter().filter(|entry| entry.id == change.commitment) {
        let Some(other) = after.entry(&entry.id, &entry.area) else { continue };
        if entry.suppressed || other.suppressed {
            consequences.withheld += 1;
        } else if (entry.status, entry.reason) == (other.status, other.reason) {
            consequences.unchanged += 1;
        } else {
            let (area, before, after) = (entry.area.clone(), Standing::of(entry), Standing::of(other));
            consequences.changed.push(Consequence { area, before, after });
        }
    }
    Ok(consequences)
}

/// Returns a catalogue in which one commitment is another.
fn changed(catalogue: &Catalogue, change: &Change) -> Result<Catalogue, WhatIfError> {
    let commitment = &change.commitment;
    let entry = entry_of(catalogue, commitment)?;
    if change.target.is_none() && change.due.is_none() && change.parameters.is_empty() {
        return Err(WhatIfError::NothingChanged);
    }
    if change.target.is_some() && entry.commitment.target.is_none() {
        return Err(WhatIfError::NoTarget { commitment: commitment.clone() });
    }
    if !change.parameters.is_empty() && !entry.measures.iter().all(may_be_named) {
        return Err(WhatIfError::Persons { commitment: commitment.clone() });
    }
    let mut other = entry.clone();
    other.commitment.target = change.target.or(other.commitment.target);
    other.commitment.due = change.due.or(other.commitment.due);
    for (name, value) in &change.parameters {
        put_parameter(&mut other, name, *value)?;
    }
    let mut entries = catalogue.entries.clone();
    entries.iter_mut().filter(|entry| entry.commitment.id == *commitment).for_each(|entry| *entry = other.clone());
    Ok(Catalogue { entries, edition: catalogue.edition.clone() })
}

fn put_parameter(entry: &mut Entry, name: &str, value: i64) -> Result<(), WhatIfError> {
    if !entry.parameters.iter().any(|parameter| parameter.name == name) {
        let mut known: Vec<&str> = entry.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        known.dedup();
        let known = if known.is_empty() { "–".to_owned() } else { known.join(", ") };
        let (commitment, name) = (entry.commitment.id.clone(), name.to_owned());
        return Err(WhatIfError::UnknownParameter { commitment, name, known });
    }
    entry.parameters.retain(|parameter| parameter.name != name);
    entry.parameters.push(Parameter { name: name.to_owned(), figure: Figure::Stated { value, from: ALWAYS } });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Row, day, lake_of, row};

    /// Ten hospitals of which six have a certificate, and ten clinics without one.
    fn rows() -> Vec<Row> {
        let one = |id: usize, class: &str| {
            row("health.institutions", &format!("institutions/{id}"), "540102", "2025-01-01")
                .with("institution_class", class)
                .with("operating_from", "2020-01-01")
        };
        let hospital = |id| one(id, "GENERAL_HOSPITAL");
        let certified = |id| hospital(id).with("age_friendly_from", "2025-06-01").with("age_friendly_to", "2028-05-31");
        (0..6).map(certified).chain((6..10).map(hospital)).chain((10..20).map(|id| one(id, "CLINIC"))).collect()
    }

    fn change() -> Change {
        Change { commitment: "age-friendly-institutions".to_owned(), ..Change::default() }
    }

    fn asked(change: &Change) -> Result<Consequences, WhatIfError> {
        let (_directory, lake) = lake_of(&rows());
        let request = FindingsRequest { on: day("2025-12-31"), ..FindingsRequest::default() };
        what_if(Catalogue::shipped(), &lake, change, &request)
    }

    fn of_county(consequences: &Consequences) -> (Status, Status, Option<f64>) {
        let found = consequences.changed.iter().find(|one| one.area == "540102");
        let found = found.unwrap_or_else(|| panic!("{consequences:#?}"));
        (found.before.status, found.after.status, found.after.value)
    }

    #[test]
    fn another_target_due_date_or_parameter_gives_other_verdicts() {
        let lower = Change { target: Some(60.0), ..change() };
        let (before, after, value) = of_county(&asked(&lower).unwrap());
        assert_eq!((after, value), (Status::Met, Some(60.0)));
        assert_ne!(before, Status::Met);
        let with_clinics = [("clinics_count".to_owned(), 1)].into();
        let lower = Change { target: Some(30.0), parameters: with_clinics, ..change() };
        assert_eq!(of_county(&asked(&lower).unwrap()).2, Some(30.0), "the clinics count now");
        let later = Change { due: Some(day("2030-12-31")), ..change() };
        assert_ne!(of_county(&asked(&later).unwrap()).1, before);
        let same = Change { target: Some(85.0), ..change() };
        let consequences = asked(&same).unwrap();
        assert!(consequences.changed.is_empty() && consequences.unchanged > 70, "{consequences:#?}");
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        let parameters: BTreeMap<String, i64> = [("nothing".to_owned(), 1)].into();
        let unknown = Change { parameters: parameters.clone(), ..change() };
        let error = asked(&unknown).unwrap_err();
        assert!(error.to_string().contains("it has: clinics_count"), "{error}");
        assert!(matches!(asked(&change()), Err(WhatIfError::NothingChanged)));
        let catalogue = Catalogue::shipped();
        let persons = catalogue.entries.iter().find(|entry| {
            entry.commitment.person_based && entry.primary().count.is_some() && !entry.parameters.is_empty()
        });
        let commitment = persons.expect("one counts persons by a parameter").commitment.id.clone();
        let error = asked(&Change { commitment, parameters, ..Change::default() }).unwrap_err();
        assert!(matches!(error, WhatIfError::Persons { .. }), "{error}");
        let nobody = Change { commitment: "meal-points".to_owned(), due: Some(day("2030-12-31")), ..Change::default() };
        assert!(asked(&nobody).unwrap_err().to_string().contains("the nearest: "), "and says which are like it");
        let trend = catalogue.entries.iter().find(|entry| entry.commitment.target.is_none()).expect("a direction only");
        let commitment = trend.commitment.id.clone();
        let error = asked(&Change { commitment, target: Some(1.0), ..Change::default() }).unwrap_err();
        assert!(matches!(error, WhatIfError::NoTarget { .. }), "{error}");
    }
}
