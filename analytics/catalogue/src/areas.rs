//! The areas of the report and what lies in them, from the division table.

use std::collections::BTreeSet;

use minsheng_values::divisions::{AreaCode, AreaLevel, CountyCode, Divisions, prefix_of};

use crate::{Area, Level};

/// A level of the division table that a denominator may count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DivisionLevel {
    /// Prefectures and prefecture-level cities.
    Prefecture,
    /// Counties, districts and county-level cities.
    County,
    /// Townships, towns and subdistricts.
    Township,
    /// Villages and neighbourhoods.
    Village,
}

impl DivisionLevel {
    /// Reads the name that catalogue files use.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "prefecture" => Some(Self::Prefecture),
            "county" => Some(Self::County),
            "township" => Some(Self::Township),
            "village" => Some(Self::Village),
            _ => None,
        }
    }
}

/// The region, its prefectures and counties, in the order of their codes.
#[derive(Debug, Clone)]
pub struct Areas {
    all: Vec<Area>,
}

impl Areas {
    /// Returns the areas of the division table.
    pub fn of_the_region() -> Self {
        let divisions = Divisions::get();
        let mut all: Vec<Area> = divisions
            .areas()
            .map(|code| Area {
                code: code.as_str().to_owned(),
                level: code.level().into(),
                parent: divisions.parent_of(code).map(|parent| parent.as_str().to_owned()),
                name_zh: divisions.name_zh(code).to_owned(),
                name_en: divisions.name_en(code).to_owned(),
            })
            .collect();
        all.sort_by(|a, b| a.code.cmp(&b.code));
        Self { all }
    }

    /// Returns all areas by code.
    pub fn all(&self) -> &[Area] {
        &self.all
    }

    /// Returns an area by its code.
    pub fn get(&self, code: &str) -> Option<&Area> {
        self.all.binary_search_by(|area| area.code.as_str().cmp(code)).ok().map(|index| &self.all[index])
    }

    /// Returns the areas directly below one, by code.
    pub fn children<'a>(&'a self, code: &'a str) -> impl Iterator<Item = &'a Area> {
        self.all.iter().filter(move |area| area.parent.as_deref() == Some(code))
    }

    /// Returns the areas of a level that lie in an area (or are it), by code.
    pub fn within<'a>(&'a self, code: &'a str, level: Level) -> impl Iterator<Item = &'a Area> {
        self.all.iter().filter(move |area| area.level == level && contains(code, &area.code))
    }

    /// Counts divisions of some levels in an area, as far as they lie in the scope (empty for everywhere).
    pub fn count_divisions(&self, area: &str, levels: &[DivisionLevel], scope: &[String]) -> usize {
        let divisions = Divisions::get();
        let prefectures = self.within(area, Level::Prefecture).filter(|prefecture| in_scope(&prefecture.code, scope));
        let prefectures = if levels.contains(&DivisionLevel::Prefecture) { prefectures.count() } else { 0 };
        let counties = self.within(area, Level::County).filter(|county| in_scope(&county.code, scope));
        let below: usize = counties
            .filter_map(|county| AreaCode::parse(&county.code).ok())
            .map(|county| {
                let counts = divisions.counts(county);
                levels
                    .iter()
                    .map(|level| match level {
                        DivisionLevel::Prefecture => 0,
                        DivisionLevel::County => counts.counties,
                        DivisionLevel::Township => counts.townships,
                        DivisionLevel::Village => counts.villages,
                    })
                    .sum::<usize>()
            })
            .sum();
        prefectures + below
    }

    /// Returns the codes of all divisions of some levels.
    pub fn division_codes(levels: &[DivisionLevel]) -> BTreeSet<&'static str> {
        let divisions = Divisions::get();
        let mut codes = BTreeSet::new();
        for level in levels {
            match level {
                DivisionLevel::Prefecture => codes.extend(divisions.prefectures().iter().map(AreaCode::as_str)),
                DivisionLevel::County => codes.extend(divisions.counties().iter().map(CountyCode::as_str)),
                DivisionLevel::Township => {
                    codes.extend(divisions.townships().iter().map(|township| township.code.as_str()));
                }
                DivisionLevel::Village => {
                    codes.extend(divisions.villages().iter().map(|village| village.code.as_str()));
                }
            }
        }
        codes
    }
}

impl From<AreaLevel> for Level {
    fn from(level: AreaLevel) -> Self {
        match level {
            AreaLevel::Region => Self::Region,
            AreaLevel::Prefecture => Self::Prefecture,
            AreaLevel::County => Self::County,
        }
    }
}

impl From<Level> for AreaLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Region => Self::Region,
            Level::Prefecture => Self::Prefecture,
            Level::County => Self::County,
        }
    }
}

/// Reports whether a division lies in an area or is it, by code.
pub fn contains(area: &str, code: &str) -> bool {
    code.starts_with(prefix_of(area))
}

/// Reports whether an area lies in a scope; an empty scope is the whole region.
pub fn in_scope(code: &str, scope: &[String]) -> bool {
    scope.is_empty() || scope.iter().any(|area| contains(area, code))
}
