//! The figures that departments judge by, as expressions use them: what their services told until the cutoff's instant,
//! and what the software ships with where they told nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use minsheng_values::{
    divisions::{AreaCode, Divisions},
    parameters::{Confidence, Parameter, Parameters, Unit},
};
use polars::prelude::{Column, DataFrame, NamedFrom as _, PolarsResult, Series};

use super::StatisticsError;
use super::columns::{ENDED, FROM, PLACE, UNTIL, day, days, numbers};
use super::frames::Frames;
use super::steps::FIRST_DAY;
use crate::catalogue::{Catalogue, DAY_COLUMNS, Entry, Figure, SERVICES};

/// The columns that are read of parameters.
pub(super) const COLUMNS: [&str; 6] = ["_record", "key", "unit", "value", "effective_to", "_area"];

/// What each service told, over what the software ships with.
#[derive(Default)]
pub(super) struct Told {
    /// Services that told nothing are left out.
    by_service: BTreeMap<&'static str, Arc<Parameters>>,
    /// What cannot be used, by service and key: it was told in a shape that this version does not know.
    unusable: BTreeSet<(&'static str, String)>,
}

impl Told {
    /// Reads what services told of the parameters that the catalogue names.
    pub(super) fn read(frames: &mut Frames<'_>, catalogue: &Catalogue) -> Result<Self, StatisticsError> {
        let mut all_told = Self::default();
        for service in SERVICES {
            let of_service = catalogue.entries.iter().filter(|entry| entry.commitment.service == service);
            let keys: BTreeSet<&str> = of_service.flat_map(Entry::keys).collect();
            if keys.is_empty() {
                continue;
            }
            let dataset = dataset_of(service);
            let rows = frames.take(&dataset)?;
            let told = told(&rows, &keys)
                .map_err(|source| StatisticsError::Engine { what: dataset, source: Box::new(source) })?;
            if told.is_empty() {
                continue;
            }
            let (all, unusable) = usable(&keys, told);
            for key in unusable {
                tracing::warn!(service, key, "a parameter as told is not the one that the catalogue knows");
                all_told.unusable.insert((service, key));
            }
            all_told.by_service.insert(service, Arc::new(all));
        }
        Ok(all_told)
    }

    /// Returns the parameter that stops an entry's figures, where one of those that they are counted by cannot be used.
    pub(super) fn stops<'a>(&self, entry: &'a Entry) -> Option<&'a str> {
        let unusable = |key: &&str| {
            let own = |(service, known): &(&str, String)| *service == entry.commitment.service && known == key;
            self.unusable.iter().any(own)
        };
        entry.keys().find(unusable)
    }

    /// Returns an entry with what its department judges by.
    pub(super) fn beside<'a>(&self, entry: &'a Entry) -> Cow<'a, Entry> {
        match self.by_service.get(entry.commitment.service.as_str()) {
            Some(told) => Cow::Owned(Entry { department: Arc::clone(told), ..entry.clone() }),
            None => Cow::Borrowed(entry),
        }
    }
}

/// Returns the dataset of a service's parameters.
pub(super) fn dataset_of(service: &str) -> String {
    format!("{}.parameters", service.replace('-', "_"))
}

/// A value that a service told.
struct Value {
    parameter: Parameter,
    /// It is a state of its key in its area, and so nothing else holds there on its days. Before services told what they
    /// ship with, each filed value was a record of its own; of all that hold on a day the one that started last counts.
    is_state: bool,
}

/// Returns the values of some keys; none in place of one that a later contract knows and this one does not.
fn told(rows: &DataFrame, keys: &BTreeSet<&str>) -> PolarsResult<Vec<(String, Option<Value>)>> {
    let text = |name| rows.column(name)?.str().cloned();
    let (records, names, units, areas) = (text("_record")?, text("key")?, text("unit")?, text("_area")?);
    let (values, last) = (numbers(rows, "value")?, days(rows, "effective_to")?);
    let (from, until) = (days(rows, FROM)?, days(rows, UNTIL)?);
    let ended = rows.column(ENDED)?.bool()?;
    let value = |row: usize, key: &str| {
        let last_by_state = until.get(row).map(|until| until - 1);
        let last = [last_by_state, last.get(row)].into_iter().flatten().min();
        let parameter = Parameter {
            key: key.to_owned(),
            area: AreaCode::parse(areas.get(row)?).ok()?,
            value: values.get(row)?,
            unit: Unit::parse(units.get(row)?)?,
            effective_from: day(from.get(row)?),
            effective_to: last.map(day),
            // No expression asks for these.
            source: String::new(),
            confidence: Confidence::Low,
            note: String::new(),
        };
        Some(Value { parameter, is_state: records.get(row)?.contains('/') })
    };
    let named = (0..rows.height()).filter_map(|row| Some((row, names.get(row).filter(|key| keys.contains(key))?)));
    let in_force = named.filter(|(row, _)| ended.get(*row) != Some(true));
    Ok(in_force.map(|(row, key)| (key.to_owned(), value(row, key))).collect())
}

/// Puts what was told in the place of what the software ships with, key by key; the keys are returned whose values do not
/// fit, of which nothing holds.
fn usable(keys: &BTreeSet<&str>, told: Vec<(String, Option<Value>)>) -> (Parameters, BTreeSet<String>) {
    let mut by_key: BTreeMap<String, Vec<Option<Value>>> = BTreeMap::new();
    for (key, value) in told {
        by_key.entry(key).or_default().push(value);
    }
    let (mut all, mut unusable) = (Parameters::default(), BTreeSet::new());
    for key in keys {
        let values: Option<Vec<Value>> = by_key.remove(*key).unwrap_or_default().into_iter().collect();
        let own = values.ok_or(()).and_then(|values| over_the_shipped(&BTreeSet::from([*key]), values).map_err(|_| ()));
        let own: Result<Vec<Parameter>, ()> = own.map(|own| own.iter().cloned().collect());
        if own.and_then(|own| all.extend(own).map_err(|_| ())).is_err() {
            unusable.insert((*key).to_owned());
        }
    }
    (all, unusable)
}

/// Puts what was told in the place of what the software ships with of some keys, on its days; the key of a value that
/// does not fit is the error.
fn over_the_shipped(keys: &BTreeSet<&str>, told: Vec<Value>) -> Result<Parameters, String> {
    let shipped = Parameters::get().iter().filter(|parameter| keys.contains(parameter.key.as_str()));
    let mut shipped: Vec<Parameter> = shipped.cloned().collect();
    for Value { parameter, is_state } in &told {
        if shipped.iter().any(|other| other.key == parameter.key && other.unit != parameter.unit) {
            return Err(parameter.key.clone());
        }
        if *is_state {
            shipped = shipped.into_iter().flat_map(|other| outside(other, parameter)).collect();
        }
    }
    let mut all = Parameters::default();
    for parameter in shipped.into_iter().chain(told.into_iter().map(|value| value.parameter)) {
        let key = parameter.key.clone();
        all.extend([parameter]).map_err(|_| key)?;
    }
    Ok(all)
}

/// Returns a parameter for its days before and behind those of a state of the same key and area.
fn outside(parameter: Parameter, state: &Parameter) -> Vec<Parameter> {
    if (&parameter.key, parameter.area) != (&state.key, state.area) {
        return vec![parameter];
    }
    let last_before = state.effective_from.pred_opt().unwrap_or(NaiveDate::MIN);
    let last_before = parameter.effective_to.map_or(last_before, |to| to.min(last_before));
    let before = (parameter.effective_from <= last_before)
        .then(|| Parameter { effective_to: Some(last_before), ..parameter.clone() });
    let behind = state.effective_to.and_then(|last| last.succ_opt()).and_then(|first| {
        let first = first.max(parameter.effective_from);
        let holds = parameter.effective_to.is_none_or(|to| first <= to);
        holds.then_some(Parameter { effective_from: first, ..parameter })
    });
    before.into_iter().chain(behind).collect()
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

/// The value of a figure by area: that of the region, and where others hold, by the area's code as a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OfAreas {
    pub(super) region: Option<i64>,
    pub(super) elsewhere: BTreeMap<i32, Option<i64>>,
}

/// Days on which some figures of an entry stay the same in every area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// The first of the days, as days since 1970-01-01; the next segment's is the first behind them.
    pub(super) from: i32,
    pub(super) figures: BTreeMap<String, OfAreas>,
}

/// Returns the segments of some figures of an entry, by their days; one where there are none of them.
pub(super) fn segments(entry: &Entry, names: &BTreeSet<String>) -> Vec<Segment> {
    let figures = entry.parameters.iter().filter(|parameter| names.contains(&parameter.name));
    let mut changes = BTreeSet::from([FIRST_DAY]);
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for parameter in figures {
        used.insert(&parameter.name);
        match &parameter.figure {
            Figure::Stated { from, .. } => changes.extend([from.to_epoch_days()]),
            Figure::OfDepartment(key) => {
                let filed = entry.department.iter().filter(|filed| filed.key == *key);
                changes.extend(filed.flat_map(|filed| {
                    let behind = filed.effective_to.map(|last| last.to_epoch_days() + 1);
                    [Some(filed.effective_from.to_epoch_days()), behind].into_iter().flatten()
                }));
            }
        }
    }
    let mut segments: Vec<Segment> = Vec::new();
    for from in changes.into_iter().filter(|change| *change >= FIRST_DAY) {
        let in_force = InForce::of(entry, day(from));
        let of_areas = |name: &str| {
            let region = in_force.region.get(name).copied();
            let there = in_force.elsewhere.iter().map(|(area, figures)| (*area, figures.get(name).copied()));
            OfAreas { region, elsewhere: there.filter(|(_, value)| *value != region).collect() }
        };
        let figures = used.iter().map(|name| ((*name).to_owned(), of_areas(name))).collect();
        if segments.last().is_none_or(|last| last.figures != figures) {
            segments.push(Segment { from, figures });
        }
    }
    segments
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::day;

    const KEY: &str = "dibao.urban_monthly_fen";

    fn value(value: i64, from: &str, last: Option<&str>, is_state: bool) -> Value {
        let parameter = Parameter {
            key: KEY.to_owned(),
            area: AreaCode::parse("540000").unwrap(),
            value,
            unit: Unit::Fen,
            effective_from: day(from),
            effective_to: last.map(day),
            source: String::new(),
            confidence: Confidence::Low,
            note: String::new(),
        };
        Value { parameter, is_state }
    }

    fn value_on(all: &Parameters, on: &str) -> i64 {
        all.value_on(KEY, AreaCode::parse("540000").unwrap(), day(on)).unwrap().value
    }

    #[test]
    fn a_told_state_holds_for_its_days_and_the_shipped_values_for_all_others() {
        let told = vec![value(1, "2023-06-01", Some("2024-06-30"), true), value(2, "2024-12-01", None, true)];
        let all = over_the_shipped(&BTreeSet::from([KEY]), told).unwrap();
        for on in ["2018-01-01", "2023-05-31", "2024-07-01", "2024-11-30"] {
            assert_eq!(value_on(&all, on), value_on(Parameters::get(), on), "{on}");
        }
        let on = |days: [&str; 3]| days.map(|on| value_on(&all, on));
        assert_eq!(on(["2023-06-01", "2024-01-01", "2024-06-30"]), [1; 3], "one shipped for 2024 does not cut it");
        assert_eq!(on(["2024-12-01", "2025-01-01", "2030-01-01"]), [2; 3]);
    }

    #[test]
    fn values_told_before_shipped_ones_were_hold_until_one_starts_later_or_they_end() {
        let told = vec![value(1, "2023-06-01", None, false), value(2, "2024-06-01", Some("2024-08-31"), false)];
        let all = over_the_shipped(&BTreeSet::from([KEY]), told).unwrap();
        for on in ["2023-05-31", "2024-01-01", "2024-05-31", "2024-09-01", "2025-01-01"] {
            assert_eq!(value_on(&all, on), value_on(Parameters::get(), on), "{on}");
        }
        let told = ["2023-06-01", "2023-12-31", "2024-06-01", "2024-08-31"].map(|on| value_on(&all, on));
        assert_eq!(told, [1, 1, 2, 2]);
    }

    #[test]
    fn a_value_that_does_not_fit_stops_its_own_key_and_no_other() {
        const OTHER: &str = "age_friendly.clinics_are_eligible";
        let mut wrong = value(1, "2000-01-01", None, true);
        wrong.parameter.unit = Unit::Count;
        for unreadable in [None, Some(wrong)] {
            let told = vec![(KEY.to_owned(), unreadable), (KEY.to_owned(), Some(value(2, "2024-12-01", None, true)))];
            let (all, unusable) = usable(&BTreeSet::from([KEY, OTHER]), told);
            assert_eq!(unusable, BTreeSet::from([KEY.to_owned()]));
            let on =
                |key| all.value_on(key, AreaCode::parse("540000").unwrap(), day("2025-06-30")).map(|one| one.value);
            assert!(on(KEY).is_err(), "nothing holds of it");
            assert_eq!(on(OTHER).unwrap(), 0);
        }
        let told = vec![(KEY.to_owned(), Some(value(2, "2024-12-01", None, true)))];
        let (all, unusable) = usable(&BTreeSet::from([KEY, OTHER]), told);
        assert_eq!((value_on(&all, "2025-06-30"), unusable.len()), (2, 0));
    }

    #[test]
    fn a_told_state_of_another_unit_is_refused_even_where_it_covers_all_shipped_values() {
        let mut count = value(1, "2000-01-01", None, true);
        count.parameter.unit = Unit::Count;
        assert_eq!(over_the_shipped(&BTreeSet::from([KEY]), vec![count]).unwrap_err(), KEY);
    }
}
