//! Reads the tables of parameters: one TOML table a key, one line a value.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use super::{AreaCode, Confidence, Divisions, Meaning, Parameter, ParameterError, Parameters, Unit, check_entry};

/// Reads the compiled-in tables.
pub(super) fn compiled_in() -> Result<Parameters, ParameterError> {
    read([
        include_str!("../../data/parameters/social-security.toml"),
        include_str!("../../data/parameters/assistance.toml"),
        include_str!("../../data/parameters/education.toml"),
        include_str!("../../data/parameters/recognition.toml"),
        include_str!("../../data/parameters/health.toml"),
        include_str!("../../data/parameters/community.toml"),
    ])
}

/// Reads tables into one set and checks it.
pub(super) fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Parameters, ParameterError> {
    let mut parameters = Parameters::default();
    for text in texts {
        let table: Table = toml::from_str(text).map_err(|error| ParameterError::Table(error.to_string()))?;
        for (key, series) in table.parameter {
            take(&mut parameters, key, series)?;
        }
        for unknown in table.unknown {
            if parameters.unknown.insert(unknown.key.clone(), unknown.note).is_some() {
                return Err(ParameterError::Table(format!("{} is listed twice", unknown.key)));
            }
        }
    }
    match parameters.unknown.keys().find(|key| parameters.entries.contains_key(*key)) {
        Some(key) => Err(ParameterError::Table(format!("{key} is listed as unknown and has a value"))),
        None => parameters.check_series().map(|()| parameters),
    }
}

fn take(parameters: &mut Parameters, key: String, series: Series) -> Result<(), ParameterError> {
    let mut areas = BTreeMap::<AreaCode, Vec<Parameter>>::new();
    for line in series.values {
        let entry = Parameter {
            key: key.clone(),
            area: line.area.unwrap_or_else(|| Divisions::get().region()),
            value: line.value,
            unit: series.unit,
            effective_from: day(line.from)?,
            effective_to: line.to.map(day).transpose()?,
            source: line.source,
            confidence: line.confidence,
            note: line.note,
        };
        check_entry(&entry)?;
        let entries = areas.entry(entry.area).or_default();
        match entries.last() {
            Some(last) if last.effective_from >= entry.effective_from => {
                let (area, day) = (entry.area, entry.effective_from);
                return Err(ParameterError::Overlap { key, area, day });
            }
            _ => entries.push(entry),
        }
    }
    parameters.meanings.insert(key.clone(), Meaning { en: series.en, zh: series.zh });
    match parameters.entries.insert(key.clone(), areas) {
        Some(_) => Err(ParameterError::Table(format!("{key} is listed twice"))),
        None => Ok(()),
    }
}

fn day(written: toml::value::Datetime) -> Result<NaiveDate, ParameterError> {
    day_of_toml(written).ok_or_else(|| ParameterError::Table(format!("{written} is no day")))
}

/// Returns the day of a TOML date that has no time with it.
pub(crate) fn day_of_toml(written: toml::value::Datetime) -> Option<NaiveDate> {
    let date = written.date.filter(|_| written.time.is_none())?;
    NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    parameter: BTreeMap<String, Series>,
    #[serde(default)]
    unknown: Vec<Unknown>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Series {
    en: String,
    zh: String,
    unit: Unit,
    values: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    from: toml::value::Datetime,
    to: Option<toml::value::Datetime>,
    area: Option<AreaCode>,
    value: i64,
    confidence: Confidence,
    source: String,
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unknown {
    key: String,
    note: String,
}
