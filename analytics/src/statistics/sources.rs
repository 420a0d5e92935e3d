//! How far each service's records are known, at the question's moment.
//!
//! Told from the records themselves, so that a rebuilt lake, or one that has grown since, tells the same.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use polars::prelude::{DataType, PolarsResult};

use super::frames::numbers;
use super::{Question, StatisticsError};
use crate::catalogue::SERVICES;
use crate::lake::{Lake, Schema};
use crate::model::SourceState;

/// What is known of one service.
#[derive(Default)]
pub(super) struct Source {
    /// The day of the newest record.
    pub(super) recorded_on: Option<NaiveDate>,
    position: i64,
    recorded_until: Option<i64>,
    /// Areas of which any record came.
    areas: BTreeSet<String>,
}

impl Source {
    /// Tells whether an area sent any record.
    pub(super) fn covers(&self, area: &str) -> bool {
        self.areas.range(area.to_owned()..).next().is_some_and(|sent| crate::catalogue::contains(area, sent))
    }
}

/// What is known of the services.
pub(super) struct Sources {
    pub(super) states: Vec<SourceState>,
    by_service: BTreeMap<String, Source>,
    nobody: Source,
}

impl Sources {
    /// Returns what is known of a service.
    pub(super) fn of(&self, service: &str) -> &Source {
        self.by_service.get(service).unwrap_or(&self.nobody)
    }
}

fn schema() -> Schema {
    vec![
        ("_position".into(), DataType::Int64),
        ("_recorded_at".into(), DataType::Int64),
        ("_area".into(), DataType::String),
    ]
}

/// Reads how far the lake goes.
pub(super) fn read(lake: &Lake, question: &Question) -> Result<Sources, StatisticsError> {
    let as_of = question.as_of.timestamp_micros();
    let mut by_service: BTreeMap<String, Source> =
        SERVICES.iter().map(|service| ((*service).to_owned(), Source::default())).collect();
    for (dataset, entry) in lake.sources() {
        let source = by_service.entry(entry.service.clone()).or_default();
        let frame = lake.read(dataset, &schema())?;
        take(source, &frame, as_of)
            .map_err(|error| StatisticsError::Engine { what: dataset.clone(), source: Box::new(error) })?;
    }
    let states = by_service.iter().map(|(service, source)| SourceState {
        service: service.clone(),
        position: source.position,
        recorded_until: source.recorded_until,
        unreached: None,
    });
    Ok(Sources { states: states.collect(), by_service, nobody: Source::default() })
}

fn take(source: &mut Source, frame: &polars::prelude::DataFrame, as_of: i64) -> PolarsResult<()> {
    let (positions, recorded) = (numbers(frame, "_position")?, numbers(frame, "_recorded_at")?);
    let areas = frame.column("_area")?.str()?;
    for ((position, moment), area) in positions.iter().zip(recorded.iter()).zip(areas.iter()) {
        let Some(moment) = moment.filter(|moment| *moment <= as_of) else { continue };
        source.position = source.position.max(position.unwrap_or_default());
        source.recorded_until = source.recorded_until.max(Some(moment));
        if let Some(area) = area
            && !source.areas.contains(area)
        {
            source.areas.insert(area.to_owned());
        }
    }
    source.recorded_on =
        source.recorded_until.and_then(DateTime::<Utc>::from_timestamp_micros).map(|moment| moment.date_naive());
    Ok(())
}

/// Returns the moment of the newest record of the lake.
pub(super) fn newest(lake: &Lake) -> Result<Option<DateTime<Utc>>, StatisticsError> {
    let mut newest = None;
    for dataset in lake.sources().keys() {
        let frame = lake.read(dataset, &vec![("_recorded_at".into(), DataType::Int64)])?;
        let recorded = numbers(&frame, "_recorded_at")
            .map_err(|error| StatisticsError::Engine { what: dataset.clone(), source: Box::new(error) })?;
        newest = newest.max(recorded.iter().flatten().max());
    }
    Ok(newest.and_then(DateTime::<Utc>::from_timestamp_micros))
}
