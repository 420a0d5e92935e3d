//! What figures are computed by beside the records: months, how far services are known, where records came from first,
//! and the parameters in force. Published, so that others compute the same figures without our code.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use minsheng_values::divisions::{AreaCode, Divisions};

use super::parameters::Told;
use super::sources::Sources;
use super::{CountingDay, month_end};
use crate::catalogue::{Areas, Catalogue, Entry, Figure, SERVICES, service_of};

/// The day from which something holds that always did.
const ALWAYS: NaiveDate = NaiveDate::from_ymd_opt(1949, 10, 1).expect("a day");

/// What the figures of one cut-off were computed by.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reference {
    pub(crate) months: Vec<KnownMonth>,
    pub(crate) first_days: Vec<FirstDay>,
    pub(crate) parameters: Vec<InForce>,
}

/// A month of which a service's records speak.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KnownMonth {
    pub(crate) service: &'static str,
    pub(crate) month: NaiveDate,
    /// The day for which the month's figures are true: its last, or the last that is known.
    pub(crate) day: NaiveDate,
    pub(crate) whole: bool,
}

/// The first day of which records of an area spoke.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FirstDay {
    pub(crate) dataset: String,
    pub(crate) area: String,
    /// Of a record of the area.
    pub(crate) inside: Option<NaiveDate>,
    /// Of a record of the area or of one around it.
    pub(crate) around: Option<NaiveDate>,
}

/// A figure that a commitment's expressions use, in an area and for some days.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InForce {
    pub(crate) commitment: String,
    pub(crate) name: String,
    /// The department's key; none for a figure that the catalogue states itself.
    pub(crate) key: Option<String>,
    pub(crate) area: String,
    pub(crate) from: NaiveDate,
    pub(crate) until: Option<NaiveDate>,
    pub(crate) value: i64,
}

impl Reference {
    /// Returns a figure of a commitment's expressions as it is in force on a day, by area.
    pub(crate) fn in_force(&self, commitment: &str, name: &str, on: NaiveDate) -> BTreeMap<&str, i64> {
        let held = |one: &&InForce| one.from <= on && one.until.is_none_or(|until| on < until);
        let own = self.parameters.iter().filter(|one| one.commitment == commitment && one.name == name).filter(held);
        own.map(|one| (one.area.as_str(), one.value)).collect()
    }

    /// Returns the figures of a commitment's expressions as they are in force in an area on a day, by name.
    pub(crate) fn of_commitment(&self, commitment: &str, area: &str, on: NaiveDate) -> Vec<&InForce> {
        let own = self.parameters.iter().filter(|one| one.commitment == commitment && one.area == area);
        own.filter(|one| one.from <= on && one.until.is_none_or(|until| on < until)).collect()
    }

    pub(super) fn of(
        catalogue: &Catalogue,
        areas: &Areas,
        counting_days: &[CountingDay],
        sources: &Sources,
        told: &Told,
    ) -> Self {
        let mut reference = Self::default();
        for service in SERVICES {
            let Some(until) = sources.until(service) else { continue };
            for counting_day in counting_days.iter().filter(|counting_day| counting_day.month <= until) {
                let day = counting_day.day.min(until);
                let whole = day == month_end(counting_day.month);
                reference.months.push(KnownMonth { service, month: counting_day.month, day, whole });
            }
        }
        for (dataset, known) in sources.datasets().filter(|(dataset, _)| sources.until(&service_of(dataset)).is_some())
        {
            for area in areas.all() {
                let day = |number: Option<i32>| number.map(super::columns::day);
                let (inside, around) = (day(known.first_day(&area.code)), day(known.first_day_around(&area.code)));
                if around.is_some() {
                    let (dataset, area) = (dataset.to_owned(), area.code.clone());
                    reference.first_days.push(FirstDay { dataset, area, inside, around });
                }
            }
        }
        for entry in catalogue.entries.iter().filter(|entry| told.stops(entry).is_none()) {
            reference.parameters.extend(in_force(&told.beside(entry)));
        }
        reference
    }
}

/// Returns an entry's figures in every area, each for the days on which it holds.
fn in_force(entry: &Entry) -> Vec<InForce> {
    let mut all = Vec::new();
    if entry.parameters.is_empty() {
        return all;
    }
    // The days on which anything may change.
    let mut days = BTreeSet::from([ALWAYS]);
    days.extend(entry.parameters.iter().filter_map(|parameter| match &parameter.figure {
        Figure::Stated { from, .. } => Some(*from),
        Figure::OfDepartment(_) => None,
    }));
    let keys: BTreeSet<&str> = entry.keys().collect();
    for parameter in entry.department.iter().filter(|parameter| keys.contains(parameter.key.as_str())) {
        days.insert(parameter.effective_from.max(ALWAYS));
        days.extend(parameter.effective_to.map(|last| last + Days::new(1)));
    }
    for area in Divisions::get().areas() {
        all.extend(in_area(entry, area, &days));
    }
    all
}

fn in_area(entry: &Entry, area: AreaCode, days: &BTreeSet<NaiveDate>) -> Vec<InForce> {
    let mut all: Vec<InForce> = Vec::new();
    for day in days {
        let figures = entry.parameters_in(area, *day);
        for open in all.iter_mut().filter(|open| open.until.is_none()) {
            if figures.get(open.name.as_str()) != Some(&open.value) {
                open.until = Some(*day);
            }
        }
        for (name, value) in figures {
            if all.iter().any(|open| open.until.is_none() && open.name == name) {
                continue;
            }
            let key = entry.parameters.iter().find_map(|parameter| match &parameter.figure {
                Figure::OfDepartment(key) if parameter.name == name => Some(key.clone()),
                _ => None,
            });
            let (commitment, area) = (entry.commitment.id.clone(), area.as_str().to_owned());
            all.push(InForce { commitment, name: name.to_owned(), key, area, from: *day, until: None, value });
        }
    }
    all
}
