//! The administrative divisions (行政区划): 7 prefectures, 74 counties, 701 townships, 5,576 villages.
//!
//! The table is that of the statistics bureau of 30 June 2023, compiled in. The bureau's pseudo-counties
//! 540171 to 540174 (development zones of Lhasa) are not divisions of GB/T 2260 and are not in it. Lhasa itself
//! reports 70 townships and 319 villages and communities at the end of 2024; the table will follow the bureau.
//!
//! The table holds names, kinds, seats and border counties. It does not hold altitudes or populations, because
//! no public list by county was found; a rule that needs the altitude class of a place takes it from its record.

mod codes;
mod history;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::Deserialize;

pub use codes::{AreaCode, AreaLevel, CountyCode, DivisionCode, DivisionError, TownshipCode, VillageCode, prefix_of};
use history::History;

/// Which kind of division a county is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CountyKind {
    /// 市辖区
    District,
    /// 县级市
    City,
    /// 县
    County,
}

/// Which kind of division a township is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TownshipKind {
    /// 街道
    Subdistrict,
    /// 镇
    Town,
    /// 乡
    Township,
}

/// What is known of a county besides its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountyProfile {
    /// District, city or county.
    pub kind: CountyKind,
    /// Whether the prefecture's administration sits here (地市驻地).
    pub prefecture_seat: bool,
    /// Whether the county is one of the 21 on the border (边境县); confidence medium to high.
    pub border: bool,
}

/// A township-level division.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Township {
    /// Its code of nine digits.
    pub code: TownshipCode,
    /// Its Chinese name.
    pub name_zh: String,
    /// Subdistrict, town or township.
    pub kind: TownshipKind,
}

/// A village or a neighbourhood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Village {
    /// Its code of twelve digits.
    pub code: VillageCode,
    /// Its Chinese name.
    pub name_zh: String,
}

/// How many divisions of each level an area has; an area counts itself at its own level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DivisionCounts {
    /// County-level divisions.
    pub counties: usize,
    /// Township-level divisions.
    pub townships: usize,
    /// Villages and neighbourhoods.
    pub villages: usize,
}

struct Names {
    zh: String,
    en: String,
}

/// The table of divisions. There is one, [`Divisions::get`].
pub struct Divisions {
    region: AreaCode,
    prefectures: Vec<AreaCode>,
    counties: Vec<CountyCode>,
    names: BTreeMap<AreaCode, Names>,
    profiles: BTreeMap<CountyCode, CountyProfile>,
    townships: Vec<Township>,
    villages: Vec<Village>,
    history: History,
}

static DIVISIONS: LazyLock<Divisions> =
    LazyLock::new(|| Divisions::load().expect("the compiled-in tables are well-formed, as a test shows"));

impl Divisions {
    /// Returns the table.
    pub fn get() -> &'static Self {
        &DIVISIONS
    }

    /// Returns the region, 540000.
    pub fn region(&self) -> AreaCode {
        self.region
    }

    /// Returns the prefectures by code.
    pub fn prefectures(&self) -> &[AreaCode] {
        &self.prefectures
    }

    /// Returns all counties by code.
    pub fn counties(&self) -> &[CountyCode] {
        &self.counties
    }

    /// Returns the counties of an area by code: all, those of a prefecture, or the county itself.
    pub fn counties_of(&self, area: AreaCode) -> &[CountyCode] {
        within(&self.counties, area, CountyCode::as_str)
    }

    /// Returns the prefecture of a county.
    pub fn prefecture_of(&self, county: CountyCode) -> AreaCode {
        county.prefecture()
    }

    /// Returns the area one level up; none for the region.
    pub fn parent_of(&self, area: AreaCode) -> Option<AreaCode> {
        match area.level() {
            AreaLevel::Region => None,
            AreaLevel::Prefecture => Some(self.region),
            AreaLevel::County => area.county().map(CountyCode::prefecture),
        }
    }

    /// Returns the areas one level down; none for a county.
    pub fn children_of(&self, area: AreaCode) -> Vec<AreaCode> {
        match area.level() {
            AreaLevel::Region => self.prefectures.clone(),
            AreaLevel::Prefecture => self.counties_of(area).iter().copied().map(AreaCode::from).collect(),
            AreaLevel::County => Vec::new(),
        }
    }

    /// Returns the region, the prefectures and the counties, each prefecture before its counties.
    pub fn areas(&self) -> impl Iterator<Item = AreaCode> + '_ {
        self.names.keys().copied()
    }

    /// Returns the Chinese name of an area.
    pub fn name_zh(&self, area: impl Into<AreaCode>) -> &str {
        &self.names_of(area.into()).zh
    }

    /// Returns the English name of an area.
    pub fn name_en(&self, area: impl Into<AreaCode>) -> &str {
        &self.names_of(area.into()).en
    }

    /// Reports whether the division `code` lies in `area` or is `area`.
    pub fn contains(&self, area: AreaCode, code: impl DivisionCode) -> bool {
        area.contains(code)
    }

    /// Returns what is known of a county.
    pub fn profile(&self, county: CountyCode) -> &CountyProfile {
        &self.profiles[&county]
    }

    /// Reports whether a county lies on the border (边境县).
    pub fn is_border(&self, county: CountyCode) -> bool {
        self.profile(county).border
    }

    /// Returns all townships by code.
    pub fn townships(&self) -> &[Township] {
        &self.townships
    }

    /// Returns the townships of an area by code.
    pub fn townships_of(&self, area: AreaCode) -> &[Township] {
        within(&self.townships, area, |township| township.code.as_str())
    }

    /// Returns a township by its code.
    pub fn township(&self, code: TownshipCode) -> Option<&Township> {
        let index = self.townships.binary_search_by_key(&code, |township| township.code).ok()?;
        self.townships.get(index)
    }

    /// Returns all villages and neighbourhoods by code.
    pub fn villages(&self) -> &[Village] {
        &self.villages
    }

    /// Returns the villages and neighbourhoods of an area by code.
    pub fn villages_of(&self, area: AreaCode) -> &[Village] {
        within(&self.villages, area, |village| village.code.as_str())
    }

    /// Returns a village or neighbourhood by its code.
    pub fn village(&self, code: VillageCode) -> Option<&Village> {
        let index = self.villages.binary_search_by_key(&code, |village| village.code).ok()?;
        self.villages.get(index)
    }

    /// Counts the divisions of an area, level by level: the denominators of "every county, township, village".
    pub fn counts(&self, area: AreaCode) -> DivisionCounts {
        DivisionCounts {
            counties: self.counties_of(area).len(),
            townships: self.townships_of(area).len(),
            villages: self.villages_of(area).len(),
        }
    }

    /// Returns the current codes of the place that `code` stood for on a day.
    ///
    /// A code that was used twice (542323 was 白朗 until 1983 and 江孜 from 1986) is read by the last list
    /// before the day that has it. A day before the first such list takes the first, because lists are up to two
    /// years apart and there was none before 1980. A place that was divided has several successors. `None` means
    /// that no list has the code, or that its place was dissolved among neighbours that the lists do not tell.
    pub fn resolve_historic(&self, code: &str, on: NaiveDate) -> Option<&[AreaCode]> {
        self.history.resolve(code, on)
    }

    fn names_of(&self, area: AreaCode) -> &Names {
        &self.names[&area]
    }

    fn has(&self, area: AreaCode) -> bool {
        self.names.contains_key(&area)
    }

    fn last_meaning(&self, code: &str) -> Option<&[AreaCode]> {
        self.history.resolve(code, NaiveDate::MAX)
    }

    fn load() -> Result<Self, LoadError> {
        let mut names = BTreeMap::new();
        for row in rows::<AreaRow>(include_str!("../../data/divisions.csv"))? {
            names.insert(AreaCode::unchecked(&row.code)?, Names { zh: row.name_zh, en: row.name_en_or_pinyin });
        }
        let of_level = |level| names.keys().copied().filter(move |area: &AreaCode| area.level() == level);
        let region = of_level(AreaLevel::Region).next().ok_or(LoadError::NoRegion)?;
        let prefectures = of_level(AreaLevel::Prefecture).collect();
        let counties: Vec<_> = names.keys().filter_map(|area| area.county()).collect();
        let mut profiles = BTreeMap::new();
        for row in rows::<ProfileRow>(include_str!("../../data/county-profile.csv"))? {
            let profile = CountyProfile {
                kind: row.kind,
                prefecture_seat: row.prefecture_seat == 1,
                border: row.border_county == 1,
            };
            profiles.insert(CountyCode::unchecked(&row.code)?, profile);
        }
        if !counties.iter().eq(profiles.keys()) {
            return Err(LoadError::Profiles);
        }
        let mut townships = Vec::new();
        for row in rows::<TownshipRow>(include_str!("../../data/townships.csv"))? {
            let code = TownshipCode::unchecked(&row.code)?;
            townships.push(Township { code, name_zh: row.name_zh, kind: row.kind });
        }
        townships.sort_by_key(|township| township.code);
        let mut villages = Vec::new();
        for row in rows::<VillageRow>(include_str!("../../data/villages.csv"))? {
            villages.push(Village { code: VillageCode::unchecked(&row.code)?, name_zh: row.name_zh });
        }
        villages.sort_by_key(|village| village.code);
        let history = History::load(names.iter().map(|(area, names)| (*area, names.zh.as_str())))?;
        Ok(Self { region, prefectures, counties, names, profiles, townships, villages, history })
    }
}

/// Returns the part of a list, sorted by code, whose codes lie in an area.
fn within<T>(sorted: &[T], area: AreaCode, code: impl Fn(&T) -> &str) -> &[T] {
    let prefix = area.prefix();
    let start = sorted.partition_point(|item| code(item) < prefix);
    let length = sorted[start..].partition_point(|item| code(item).starts_with(prefix));
    &sorted[start..start + length]
}

/// What is wrong with a compiled-in table; only a test ever sees it.
#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error("a row does not read")]
    Row(#[from] csv::Error),
    #[error("a code has the wrong form")]
    Code(#[from] DivisionError),
    #[error("no region is listed")]
    NoRegion,
    #[error("the profiles are not those of the counties")]
    Profiles,
}

fn rows<T: serde::de::DeserializeOwned>(text: &str) -> Result<Vec<T>, csv::Error> {
    csv::Reader::from_reader(text.as_bytes()).into_deserialize().collect()
}

#[derive(Deserialize)]
struct AreaRow {
    code: String,
    name_zh: String,
    name_en_or_pinyin: String,
}

#[derive(Deserialize)]
struct ProfileRow {
    code: String,
    #[serde(rename = "type")]
    kind: CountyKind,
    prefecture_seat: u8,
    border_county: u8,
}

#[derive(Deserialize)]
struct TownshipRow {
    code: String,
    name_zh: String,
    #[serde(rename = "type")]
    kind: TownshipKind,
}

#[derive(Deserialize)]
struct VillageRow {
    code: String,
    name_zh: String,
}

#[cfg(test)]
mod tests;
