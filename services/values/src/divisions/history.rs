//! What the codes of the past stand for today.
//!
//! Resident IDs and old papers carry codes of 1980 to 2023. Most places kept their name when their code changed,
//! so a former code leads to the current division of the same name and level; the few that were renamed, divided
//! or rejoined are listed one by one in `division-successions.csv`. Where neither tells, nothing is guessed.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

use super::{AreaCode, AreaLevel, LoadError, rows};

/// One meaning of a code, from the first list that gives it.
struct Meaning {
    /// Year × 100 + month of that list.
    first_seen: i32,
    successors: Vec<AreaCode>,
}

/// The meanings of every code that was ever listed, oldest first.
pub(super) struct History(BTreeMap<String, Vec<Meaning>>);

impl History {
    pub(super) fn resolve(&self, code: &str, on: NaiveDate) -> Option<&[AreaCode]> {
        let meanings = self.0.get(code)?;
        let month = on.year().saturating_mul(100).saturating_add(on.month().cast_signed());
        let meaning = meanings.iter().rfind(|meaning| meaning.first_seen <= month).or(meanings.first())?;
        (!meaning.successors.is_empty()).then_some(&meaning.successors)
    }

    pub(super) fn load<'a>(current: impl Iterator<Item = (AreaCode, &'a str)>) -> Result<Self, LoadError> {
        let current: Vec<_> = current.collect();
        let successions: Vec<Succession> = rows(include_str!("../../data/division-successions.csv"))?;
        let mut history = BTreeMap::<String, Vec<Meaning>>::new();
        for row in rows::<Listed>(include_str!("../../data/division-code-history.csv"))? {
            let mut successors = Vec::new();
            for succession in successions.iter().filter(|s| s.code == row.code && s.name_zh == row.name_zh) {
                successors.push(AreaCode::unchecked(&succession.successor_code)?);
            }
            if successors.is_empty() {
                successors = same_name(&row, &current)?;
            }
            let meaning = Meaning { first_seen: row.first_seen_ym, successors };
            history.entry(row.code).or_default().push(meaning);
        }
        for meanings in history.values_mut() {
            meanings.sort_by_key(|meaning| meaning.first_seen);
        }
        Ok(Self(history))
    }
}

/// Finds the current division of the same level whose name differs at most in its kind (县, 区, 市, 地区).
fn same_name(row: &Listed, current: &[(AreaCode, &str)]) -> Result<Vec<AreaCode>, LoadError> {
    let level = AreaCode::unchecked(&row.code)?.level();
    let wanted = stem(&row.name_zh, level);
    let found: Vec<_> = current
        .iter()
        .filter(|(area, name)| area.level() == level && stem(name, level) == wanted)
        .map(|(area, _)| *area)
        .collect();
    Ok(if found.len() == 1 { found } else { Vec::new() })
}

fn stem(name: &str, level: AreaLevel) -> &str {
    let kinds: &[&str] = match level {
        AreaLevel::Region => &["自治区"],
        AreaLevel::Prefecture => &["地区", "市"],
        AreaLevel::County => &["县", "区", "市"],
    };
    kinds.iter().find_map(|kind| name.strip_suffix(kind)).unwrap_or(name)
}

#[derive(Deserialize)]
struct Listed {
    code: String,
    name_zh: String,
    first_seen_ym: i32,
}

#[derive(Deserialize)]
struct Succession {
    code: String,
    name_zh: String,
    successor_code: String,
}
