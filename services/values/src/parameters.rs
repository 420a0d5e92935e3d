//! Dated parameters: every figure that a rule compares with, and since when it holds.
//!
//! No rule has a figure in its code. Standards change from year to year and from place to place, so a rule asks
//! [`Parameters::value_on`] for the figure of its area on its day, and shows which entry it used. Each entry says
//! where the figure comes from and how sure we are:
//!
//! - `high`: published for the region or the nation, or a law's own text, or computed from such figures;
//! - `medium`: published elsewhere, or known with some doubt, or published with the year only;
//! - `low`: a starting value chosen by design, or carried on from a year whose successor is unknown.
//!
//! A figure that nobody has found is listed as unknown with a note, and asking for it is an error that repeats the
//! note. A service that learns a figure files it and [extends](Parameters::extend) the set.
//!
//! Keys read `topic.name_unit`. Where a source gives only the year, the entry holds from 1 January of that year,
//! and a note says so where the first day may well lie later; a rule or starting value whose day does not matter holds
//! from the day its regulation came into force, or from 2021-01-01, the start of the plan period.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::Deserialize;

use super::calendar::WorkingDays;
use super::divisions::{AreaCode, Divisions};
use super::money::{Fen, PerMille};

/// Edition of the compiled-in set: greater by one with every change of it, as a test makes sure. A service tells its
/// journal what it ships with, and a replica of an older version must not tell its own over a newer one's.
pub const EDITION: i64 = 1;

mod table;

pub(super) use table::day_of_toml;

/// How sure we are of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A starting value, or carried on without a source for its day.
    Low,
    /// Known with some doubt.
    Medium,
    /// Published, or the law's text.
    High,
}

/// What a parameter's value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 分
    Fen,
    /// 天
    Days,
    /// 月
    Months,
    /// 年 (of age, of study)
    Years,
    /// 工作日
    WorkingDays,
    /// 千分比
    #[serde(rename = "permille")]
    PerMille,
    /// 百分比
    Percent,
    /// 个
    Count,
    /// 分值
    Score,
    /// 米
    Metres,
    /// 分钟
    Minutes,
    /// Hundredths of whatever the key names, for ratios with decimals such as 4.2 teachers per 100 pupils.
    Hundredths,
    /// 0 or 1, a rule's switch.
    Flag,
}

impl Unit {
    /// Every unit with its name in data and contracts.
    const NAMES: [(Self, &'static str); 13] = [
        (Self::Fen, "fen"),
        (Self::Days, "days"),
        (Self::Months, "months"),
        (Self::Years, "years"),
        (Self::WorkingDays, "working_days"),
        (Self::PerMille, "permille"),
        (Self::Percent, "percent"),
        (Self::Count, "count"),
        (Self::Score, "score"),
        (Self::Metres, "metres"),
        (Self::Minutes, "minutes"),
        (Self::Hundredths, "hundredths"),
        (Self::Flag, "flag"),
    ];

    /// Returns the unit's name in data and contracts.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(unit, _)| *unit == self).map_or("", |(_, name)| name)
    }

    /// Finds the unit of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(unit, _)| *unit)
    }

    /// Returns the ending that the keys of this unit have, as in `three_guarantees.standard_fen`.
    ///
    /// Counts and switches have none: their keys name what is counted or switched.
    fn suffix(self) -> &'static str {
        match self {
            Self::Fen => "_fen",
            Self::Days => "_days",
            Self::Months => "_months",
            Self::Years => "_years",
            Self::WorkingDays => "_working_days",
            Self::PerMille => "_permille",
            Self::Percent => "_percent",
            Self::Count | Self::Flag => "",
            Self::Score => "_score",
            Self::Metres => "_metres",
            Self::Minutes => "_minutes",
            Self::Hundredths => "_hundredths",
        }
    }
}

/// One figure, for one area, since one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// What it is, `topic.name_unit`.
    pub key: String,
    /// Where it holds: the region, a prefecture or a county.
    pub area: AreaCode,
    /// The figure, in `unit`.
    pub value: i64,
    /// What the figure counts.
    pub unit: Unit,
    /// The first day on which it holds.
    pub effective_from: NaiveDate,
    /// The last day on which it holds; none while it holds until a later entry takes over.
    pub effective_to: Option<NaiveDate>,
    /// Where the figure comes from.
    pub source: String,
    /// How sure we are of it.
    pub confidence: Confidence,
    /// What a reader of a judgement should know of it; empty if nothing.
    pub note: String,
}

impl Parameter {
    /// Returns the figure as an amount of money; an error if it is none.
    pub fn as_fen(&self) -> Result<Fen, ParameterError> {
        self.counted_in(Unit::Fen).map(Fen::new)
    }

    /// Returns the figure as a share or a multiple; an error if it is none.
    pub fn as_per_mille(&self) -> Result<PerMille, ParameterError> {
        self.small(Unit::PerMille).map(PerMille::new)
    }

    /// Returns the figure as working days; an error if it counts something else.
    pub fn as_working_days(&self) -> Result<WorkingDays, ParameterError> {
        self.small(Unit::WorkingDays).map(WorkingDays)
    }

    /// Returns the figure as months; an error if it counts something else.
    pub fn as_months(&self) -> Result<u32, ParameterError> {
        self.small(Unit::Months)
    }

    /// Returns the figure as days of the calendar; an error if it counts something else.
    pub fn as_days(&self) -> Result<u32, ParameterError> {
        self.small(Unit::Days)
    }

    /// Returns the figure as years; an error if it counts something else.
    pub fn as_years(&self) -> Result<u32, ParameterError> {
        self.small(Unit::Years)
    }

    fn counted_in(&self, unit: Unit) -> Result<i64, ParameterError> {
        if self.unit == unit {
            Ok(self.value)
        } else {
            Err(ParameterError::UnitMismatch { key: self.key.clone(), unit })
        }
    }

    fn small(&self, unit: Unit) -> Result<u32, ParameterError> {
        u32::try_from(self.counted_in(unit)?).map_err(|_| ParameterError::OutOfRange { key: self.key.clone() })
    }

    fn holds_on(&self, day: NaiveDate) -> bool {
        self.effective_from <= day && self.effective_to.is_none_or(|last| day <= last)
    }
}

/// What a key stands for, in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// Why a parameter has no value, or why a set of parameters is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// The figure is needed and nobody has found it.
    #[error("the parameter {key} is not known: {note}")]
    NotKnown {
        /// The key asked for.
        key: String,
        /// What is missing and what would fill it.
        note: String,
    },
    /// The figure is known, but not for this day.
    #[error("the parameter {key} has no value for {area} on {day}")]
    NotInForce {
        /// The key asked for.
        key: String,
        /// The area asked for.
        area: AreaCode,
        /// The day asked for.
        day: NaiveDate,
    },
    /// No parameter has this key: the rule that asks and the table disagree.
    #[error("no parameter is called {key}")]
    NoSuchKey {
        /// The key asked for.
        key: String,
    },
    /// Two entries of one key and area claim the same day.
    #[error("the parameter {key} has two values for {area} on {day}")]
    Overlap {
        /// The key in question.
        key: String,
        /// The area in question.
        area: AreaCode,
        /// The first day that both claim.
        day: NaiveDate,
    },
    /// Between two entries of one key and area lies a day that none claims.
    #[error("the parameter {key} has no value for {area} from {day} until the next entry")]
    Gap {
        /// The key in question.
        key: String,
        /// The area in question.
        area: AreaCode,
        /// The first day without a value.
        day: NaiveDate,
    },
    /// An entry ends before it starts.
    #[error("the parameter {key} ends before it starts on {day}")]
    EndBeforeStart {
        /// The key in question.
        key: String,
        /// The day it starts on.
        day: NaiveDate,
    },
    /// The figure is below zero, or larger than its unit allows.
    #[error("the value of the parameter {key} is out of range")]
    OutOfRange {
        /// The key in question.
        key: String,
    },
    /// An entry has another unit than its key has elsewhere, or than its key says.
    #[error("the parameter {key} is not counted in {unit:?}")]
    UnitMismatch {
        /// The key in question.
        key: String,
        /// The unit offered.
        unit: Unit,
    },
    /// The table does not read.
    #[error("the table of parameters does not read: {0}")]
    Table(String),
}

impl ParameterError {
    /// Returns the stable reason, for error details and for tests.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotKnown { .. } => "PARAMETER_NOT_KNOWN",
            Self::NotInForce { .. } => "PARAMETER_NOT_IN_FORCE",
            Self::NoSuchKey { .. } => "PARAMETER_NO_SUCH_KEY",
            Self::Overlap { .. } => "PARAMETER_OVERLAP",
            Self::Gap { .. } => "PARAMETER_GAP",
            Self::EndBeforeStart { .. } => "PARAMETER_END_BEFORE_START",
            Self::OutOfRange { .. } => "PARAMETER_OUT_OF_RANGE",
            Self::UnitMismatch { .. } => "PARAMETER_UNIT_MISMATCH",
            Self::Table(_) => "PARAMETER_TABLE",
        }
    }

    /// Returns the message in Chinese.
    pub fn message_zh(&self) -> String {
        match self {
            Self::NotKnown { key, .. } => format!("参数{key}尚无公开数值"),
            Self::NotInForce { key, area, day } => format!("参数{key}在{area}于{day}没有有效数值"),
            Self::NoSuchKey { key } => format!("没有名为{key}的参数"),
            Self::Overlap { key, area, day } => format!("参数{key}在{area}于{day}有两个数值"),
            Self::Gap { key, area, day } => format!("参数{key}在{area}自{day}起没有数值"),
            Self::EndBeforeStart { key, day } => format!("参数{key}自{day}起，但终止日更早"),
            Self::OutOfRange { key } => format!("参数{key}的数值超出范围"),
            Self::UnitMismatch { key, .. } => format!("参数{key}的单位不一致"),
            Self::Table(text) => format!("参数表无法读取：{text}"),
        }
    }
}

/// A value with days on which it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldParameter<'a> {
    /// The value.
    pub parameter: &'a Parameter,
    /// First of the days.
    pub from: NaiveDate,
    /// First day behind them; none while it holds.
    pub until: Option<NaiveDate>,
}

/// Finds which of the entries of a key and area holds on which days: of several the one that started last.
fn held(entries: &[Parameter]) -> Vec<HeldParameter<'_>> {
    let behind = |entry: &Parameter| entry.effective_to.and_then(|last| last.succ_opt());
    let days: std::collections::BTreeSet<NaiveDate> =
        entries.iter().flat_map(|entry| [Some(entry.effective_from), behind(entry)]).flatten().collect();
    let days: Vec<NaiveDate> = days.into_iter().collect();
    let mut found: Vec<HeldParameter<'_>> = Vec::new();
    for (index, from) in days.iter().enumerate() {
        let until = days.get(index + 1).copied();
        let Some(parameter) = entries.iter().rfind(|entry| entry.holds_on(*from)) else { continue };
        match found.last_mut().filter(|last| std::ptr::eq(last.parameter, parameter) && last.until == Some(*from)) {
            Some(last) => last.until = until,
            None => found.push(HeldParameter { parameter, from: *from, until }),
        }
    }
    found
}

/// A set of parameters. The compiled-in one is [`Parameters::get`]; a service clones and extends it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Per key and area, ordered by `effective_from`.
    entries: BTreeMap<String, BTreeMap<AreaCode, Vec<Parameter>>>,
    meanings: BTreeMap<String, Meaning>,
    unknown: BTreeMap<String, String>,
}

static PARAMETERS: LazyLock<Parameters> =
    LazyLock::new(|| table::compiled_in().expect("the compiled-in tables are well-formed, as a test shows"));

impl Parameters {
    /// Returns the compiled-in set.
    pub fn get() -> &'static Self {
        &PARAMETERS
    }

    /// Reads a table and refuses it if values of one key and area overlap or leave days out between them.
    pub fn from_toml(text: &str) -> Result<Self, ParameterError> {
        table::read([text])
    }

    /// Returns the entry that holds for an area on a day.
    ///
    /// The county's own value goes before its prefecture's, and that before the region's. Where several entries of
    /// one area hold, the one that started last does.
    pub fn value_on(&self, key: &str, area: impl Into<AreaCode>, day: NaiveDate) -> Result<&Parameter, ParameterError> {
        let asked = area.into();
        let Some(areas) = self.entries.get(key) else {
            return Err(match self.unknown.get(key) {
                Some(note) => ParameterError::NotKnown { key: key.to_owned(), note: note.clone() },
                None => ParameterError::NoSuchKey { key: key.to_owned() },
            });
        };
        let mut next = Some(asked);
        while let Some(area) = next {
            let found = areas.get(&area).and_then(|entries| entries.iter().rfind(|entry| entry.holds_on(day)));
            if let Some(found) = found {
                return Ok(found);
            }
            next = Divisions::get().parent_of(area);
        }
        Err(ParameterError::NotInForce { key: key.to_owned(), area: asked, day })
    }

    /// Adds further entries, such as those a department has filed.
    ///
    /// An entry with the key, area and first day of one that is there replaces it; any other is added, and wins
    /// while it holds over those that started before. Nothing is taken if one entry is refused.
    pub fn extend(&mut self, more: impl IntoIterator<Item = Parameter>) -> Result<(), ParameterError> {
        let mut extended = self.entries.clone();
        for entry in more {
            check_entry(&entry)?;
            let areas = extended.entry(entry.key.clone()).or_default();
            if areas.values().flatten().any(|other| other.unit != entry.unit) {
                return Err(ParameterError::UnitMismatch { key: entry.key, unit: entry.unit });
            }
            let entries = areas.entry(entry.area).or_default();
            match entries.binary_search_by_key(&entry.effective_from, |other| other.effective_from) {
                Ok(index) => entries[index] = entry,
                Err(index) => entries.insert(index, entry),
            }
        }
        self.entries = extended;
        Ok(())
    }

    /// Returns all entries by key, area and first day.
    pub fn iter(&self) -> impl Iterator<Item = &Parameter> {
        self.entries.values().flat_map(BTreeMap::values).flatten()
    }

    /// Returns the values of each key and area with the days on which each of them holds: from one on, up to another
    /// that no longer belongs to them, or open. They lie side by side, in the order of days; where none holds there is
    /// a hole.
    pub fn series(&self) -> impl Iterator<Item = Vec<HeldParameter<'_>>> {
        self.entries.values().flat_map(BTreeMap::values).map(|entries| held(entries))
    }

    /// Returns the values of one key and area as [`series`](Self::series) does.
    pub fn series_of(&self, key: &str, area: AreaCode) -> Vec<HeldParameter<'_>> {
        self.entries.get(key).and_then(|areas| areas.get(&area)).map(|entries| held(entries)).unwrap_or_default()
    }

    /// Returns what a key stands for.
    pub fn meaning(&self, key: &str) -> Option<&Meaning> {
        self.meanings.get(key)
    }

    /// Returns the keys that nobody has found a value for, each with its note.
    pub fn unknown(&self) -> impl Iterator<Item = (&str, &str)> {
        let known = &self.entries;
        let without_value = self.unknown.iter().filter(|(key, _)| !known.contains_key(*key));
        without_value.map(|(key, note)| (key.as_str(), note.as_str()))
    }

    /// Refuses a set whose entries of one key and area overlap or leave days out between them.
    fn check_series(&self) -> Result<(), ParameterError> {
        for entries in self.entries.values().flat_map(BTreeMap::values) {
            for pair in entries.windows(2) {
                let (Some(last), later) = (pair[0].effective_to, &pair[1]) else {
                    continue;
                };
                let (key, area) = (later.key.clone(), later.area);
                if last >= later.effective_from {
                    return Err(ParameterError::Overlap { key, area, day: later.effective_from });
                }
                match last.succ_opt() {
                    Some(day) if day < later.effective_from => {
                        return Err(ParameterError::Gap { key, area, day });
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} ({}, from {})", self.key, self.value, self.area, self.effective_from)
    }
}

fn check_entry(entry: &Parameter) -> Result<(), ParameterError> {
    if entry.effective_to.is_some_and(|last| last < entry.effective_from) {
        return Err(ParameterError::EndBeforeStart { key: entry.key.clone(), day: entry.effective_from });
    }
    if entry.value < 0 {
        return Err(ParameterError::OutOfRange { key: entry.key.clone() });
    }
    if !entry.key.ends_with(entry.unit.suffix()) {
        return Err(ParameterError::UnitMismatch { key: entry.key.clone(), unit: entry.unit });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
