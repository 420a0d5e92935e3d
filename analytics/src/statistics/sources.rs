//! How far each service's records are known, at the cutoff's instant.
//!
//! A service is known up to the instant to which its whole feed was read, never beyond the cutoff's; what the records
//! themselves say is told from those known then. So a lake that was rebuilt, or has grown since, tells the same.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, NaiveDate};

use super::BitemporalCutoff;
use super::pass::{Passed, Reach};
use crate::catalogue::{SERVICES, contains};
use crate::lake::Lake;
use crate::model::{REGION, SourceState};

/// Days are those of the region's legal time, eight hours ahead of UTC.
const LEGAL_TIME: FixedOffset = FixedOffset::east_opt(8 * 3600).expect("eight hours are an offset");

/// What is known of one service.
#[derive(Default)]
struct Source {
    position: i64,
    known_until: Option<i64>,
}

/// What is known of one dataset.
#[derive(Default)]
pub(super) struct Known {
    /// The last day that the service's records speak for; none when it was never read.
    pub(super) until: Option<NaiveDate>,
    /// The day on which the newest record was recorded.
    pub(super) newest: Option<NaiveDate>,
    /// Areas of which any record ever came, with the first day that one spoke of, as days since 1970-01-01.
    first: BTreeMap<String, i32>,
    newest_micros: Option<i64>,
}

impl Known {
    fn of(reach: &Reach) -> Self {
        let first = reach.first_days.iter().map(|(area, first)| (area.to_string(), *first)).collect();
        Self { until: None, newest: reach.newest.and_then(day_of), first, newest_micros: reach.newest }
    }

    /// Reports whether anybody keeps the register: any record of it was ever read.
    pub(super) fn is_kept(&self) -> bool {
        !self.first.is_empty()
    }

    /// Reports whether an area sent any record.
    pub(super) fn covers(&self, area: &str) -> bool {
        self.first_day(area).is_some()
    }

    /// Returns the first day that a record of an area spoke of, as days since 1970-01-01.
    pub(super) fn first_day(&self, area: &str) -> Option<i32> {
        if area == REGION {
            return self.first.values().min().copied();
        }
        let from_here = self.first.range(area.to_owned()..);
        from_here.take_while(|(sent, _)| contains(area, sent)).map(|(_, first)| *first).min()
    }

    /// Returns the first day that a record of an area, or of one around it, spoke of.
    pub(super) fn first_day_around(&self, area: &str) -> Option<i32> {
        let around = self.first.iter().filter(|(sent, _)| contains(sent, area)).map(|(_, first)| *first);
        around.chain(self.first_day(area)).min()
    }
}

/// What is known of the services.
pub(super) struct Sources {
    pub(super) states: Vec<SourceState>,
    by_dataset: BTreeMap<String, Known>,
    until: BTreeMap<String, NaiveDate>,
    nothing: Known,
}

impl Sources {
    /// Returns what is known of a dataset.
    pub(super) fn of(&self, dataset: &str) -> &Known {
        self.by_dataset.get(dataset).unwrap_or(&self.nothing)
    }

    /// Returns what is known of each dataset that was ever read, by name.
    pub(super) fn datasets(&self) -> impl Iterator<Item = (&str, &Known)> {
        self.by_dataset.iter().map(|(dataset, known)| (dataset.as_str(), known))
    }

    /// Returns the last day that a service's records speak for.
    pub(super) fn until(&self, service: &str) -> Option<NaiveDate> {
        self.until.get(service).copied()
    }
}

fn day_of(micros: i64) -> Option<NaiveDate> {
    DateTime::from_timestamp_micros(micros).map(|instant| instant.with_timezone(&LEGAL_TIME).date_naive())
}

/// Reads how far the lake goes.
pub(super) fn read(lake: &Lake, cutoff: &BitemporalCutoff, passes: &BTreeMap<String, Passed>) -> Sources {
    let as_of = cutoff.as_of.timestamp_micros();
    let mut by_service: BTreeMap<String, Source> =
        SERVICES.iter().map(|service| ((*service).to_owned(), Source::default())).collect();
    let mut by_dataset = BTreeMap::new();
    for (dataset, entry) in lake.sources() {
        let source = by_service.entry(entry.service.clone()).or_default();
        let known = passes.get(dataset).map_or_else(Known::default, |passed| Known::of(&passed.reach));
        source.position = source.position.max(passes.get(dataset).map_or(0, |passed| passed.reach.position));
        // A feed that never said how far it goes is known up to its newest record.
        source.known_until = source.known_until.max(known.newest_micros);
        by_dataset.insert(dataset.clone(), known);
    }
    let (mut states, mut until) = (Vec::new(), BTreeMap::new());
    for (service, source) in &by_service {
        let complete_until = lake.complete_until(service).or(source.known_until);
        let recorded_until = complete_until.map(|until| until.min(as_of));
        states.push(SourceState {
            service: service.clone(),
            position: source.position,
            recorded_until,
            incomplete: complete_until.is_none_or(|until| until < as_of),
        });
        until.extend(recorded_until.and_then(day_of).map(|day| (service.clone(), day)));
    }
    for (dataset, known) in &mut by_dataset {
        known.until = until.get(&crate::catalogue::service_of(dataset)).copied();
    }
    Sources { states, by_dataset, until, nothing: Known::default() }
}
