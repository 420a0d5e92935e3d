//! The figures that departments judge by, as expressions use them: those that the software ships with and those that
//! operators filed, as they were known at the question's moment.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use minsheng_kit::values::{
    divisions::{AreaCode, Divisions},
    parameters::{Confidence, Parameter, Parameters, Unit},
};
use polars::prelude::{Column, DataFrame, DataType, NamedFrom as _, PolarsResult, Series};

use super::frames::{FROM, Frames, PLACE, day, days, numbers};
use super::{Question, StatisticsError};
use crate::catalogue::{Catalogue, DAY_COLUMNS, Entry, SERVICES};
use crate::lake::Schema;

/// What was filed at each service, beside what the software ships with; services without a filing are left out.
pub(super) struct Filed(BTreeMap<&'static str, Arc<Parameters>>);

impl Filed {
    /// Reads what was filed of the parameters that the catalogue names.
    pub(super) fn read(
        frames: &mut Frames<'_>,
        catalogue: &Catalogue,
        question: &Question,
    ) -> Result<Self, StatisticsError> {
        let mut filed = BTreeMap::new();
        for service in SERVICES {
            let of_service = catalogue.entries.iter().filter(|entry| entry.commitment.service == service);
            let keys: BTreeSet<&str> = of_service.flat_map(Entry::keys).collect();
            if keys.is_empty() {
                continue;
            }
            let dataset = dataset_of(service);
            let rows = frames.take_parameters(&dataset)?;
            let rows = Rows::of(&rows)
                .map_err(|source| StatisticsError::Engine { what: dataset, source: Box::new(source) })?;
            let known = rows.known(question.as_of.timestamp_micros(), &keys);
            if known.is_empty() {
                continue;
            }
            let mut all = Parameters::get().clone();
            for row in known {
                let key = rows.key(row).to_owned();
                let wrong = || StatisticsError::Parameter { service: service.to_owned(), key: key.clone() };
                let parameter = rows.parameter(row).ok_or_else(wrong)?;
                all.extend([parameter]).map_err(|_| wrong())?;
            }
            filed.insert(service, Arc::new(all));
        }
        Ok(Self(filed))
    }

    /// Returns an entry with what its department judges by.
    pub(super) fn beside<'a>(&self, entry: &'a Entry) -> Cow<'a, Entry> {
        match self.0.get(entry.commitment.service.as_str()) {
            Some(filed) => Cow::Owned(Entry { department: Arc::clone(filed), ..entry.clone() }),
            None => Cow::Borrowed(entry),
        }
    }
}

/// Returns the dataset of a service's parameters.
pub(super) fn dataset_of(service: &str) -> String {
    format!("{}.parameters", service.replace('-', "_"))
}

/// The columns that are read of it, with those from which is told how far it goes.
pub(super) fn schema() -> Schema {
    let text = ["key", "unit", "_area"].map(|name| (name.to_owned(), DataType::String));
    let number = ["value", "_position", "_recorded_at"].map(|name| (name.to_owned(), DataType::Int64));
    let day = ["effective_from", "effective_to", FROM].map(|name| (name.to_owned(), DataType::Date));
    text.into_iter().chain(number).chain(day).collect()
}

/// Rows of a dataset of parameters.
struct Rows {
    texts: [Vec<String>; 3],
    numbers: [Vec<i64>; 3],
    days: [Vec<Option<NaiveDate>>; 2],
}

impl Rows {
    fn of(rows: &DataFrame) -> PolarsResult<Self> {
        let text = |name: &str| -> PolarsResult<Vec<String>> {
            Ok(rows.column(name)?.str()?.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
        };
        let number = |name: &str| -> PolarsResult<Vec<i64>> {
            Ok(numbers(rows, name)?.iter().map(Option::unwrap_or_default).collect())
        };
        let dates = |name: &str| -> PolarsResult<Vec<Option<NaiveDate>>> {
            Ok(days(rows, name)?.iter().map(|number| number.map(day)).collect())
        };
        Ok(Self {
            texts: [text("key")?, text("unit")?, text("_area")?],
            numbers: [number("value")?, number("_position")?, number("_recorded_at")?],
            days: [dates("effective_from")?, dates("effective_to")?],
        })
    }

    fn key(&self, row: usize) -> &str {
        &self.texts[0][row]
    }

    /// The rows of some keys that were known at a moment, in the order in which they were filed: a later one corrects.
    fn known(&self, as_of: i64, keys: &BTreeSet<&str>) -> Vec<usize> {
        let [_, positions, recorded] = &self.numbers;
        let known = (0..positions.len()).filter(|row| recorded[*row] <= as_of && keys.contains(self.key(*row)));
        let mut known: Vec<usize> = known.collect();
        known.sort_by_key(|row| positions[*row]);
        known
    }

    /// None where a later contract has what this one does not know.
    fn parameter(&self, row: usize) -> Option<Parameter> {
        Some(Parameter {
            key: self.key(row).to_owned(),
            area: AreaCode::parse(&self.texts[2][row]).ok()?,
            value: self.numbers[0][row],
            unit: Unit::parse(&self.texts[1][row])?,
            effective_from: self.days[0][row]?,
            effective_to: self.days[1][row],
            // No expression asks for these.
            source: String::new(),
            confidence: Confidence::Low,
            note: String::new(),
        })
    }
}

/// The figures of an entry's expressions that are in force on a day, by area.
pub(super) struct InForce<'a> {
    region: BTreeMap<&'a str, i64>,
    /// Where they are not those of the region, by the area's code as a number.
    elsewhere: BTreeMap<i32, BTreeMap<&'a str, i64>>,
}

impl<'a> InForce<'a> {
    pub(super) fn of(entry: &'a Entry, on: NaiveDate) -> Self {
        let divisions = Divisions::get();
        let region = entry.parameters_in(divisions.region(), on);
        let mut elsewhere = BTreeMap::new();
        if entry.keys().next().is_some() {
            for area in divisions.areas() {
                let there = entry.parameters_in(area, on);
                if let Some(code) = area.as_str().parse().ok().filter(|_| there != region) {
                    elsewhere.insert(code, there);
                }
            }
        }
        Self { region, elsewhere }
    }

    fn in_area(&self, name: &str, place: Option<i32>) -> Option<i64> {
        let there = place.and_then(|place| self.elsewhere.get(&place)).unwrap_or(&self.region);
        there.get(name).copied()
    }

    /// Adds a figure for each row, by its place; null where none is in force.
    pub(super) fn fill(&self, name: &str, places: impl Iterator<Item = Option<i32>>, values: &mut Vec<Option<i64>>) {
        let region = self.in_area(name, None);
        if self.elsewhere.is_empty() {
            values.extend(places.map(|_| region));
        } else {
            values.extend(places.map(|place| self.in_area(name, place)));
        }
    }
}

/// Puts the figures of the areas that rows are counted for in place of those of the rows' own areas, among some columns.
pub(super) fn of_counted(
    mut rows: DataFrame,
    entry: &Entry,
    columns: &BTreeSet<String>,
    counted: impl Fn(i32) -> i32,
) -> PolarsResult<DataFrame> {
    let names: BTreeSet<&str> = entry.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| columns.contains(*name)).collect();
    if names.is_empty() {
        return Ok(rows);
    }
    let (on_days, places) = (days(&rows, DAY_COLUMNS[0])?, rows.column(PLACE)?.i32()?.clone());
    let mut in_force: BTreeMap<i32, InForce<'_>> = BTreeMap::new();
    for number in on_days.iter().flatten() {
        in_force.entry(number).or_insert_with(|| InForce::of(entry, day(number)));
    }
    if in_force.values().all(|figures| figures.elsewhere.is_empty()) {
        return Ok(rows);
    }
    for name in names {
        let of =
            |(number, place): (Option<i32>, Option<i32>)| in_force.get(&number?)?.in_area(name, place.map(&counted));
        let values: Vec<Option<i64>> = on_days.iter().zip(places.iter()).map(of).collect();
        rows.with_column(Column::from(Series::new(name.into(), values)))?;
    }
    Ok(rows)
}
