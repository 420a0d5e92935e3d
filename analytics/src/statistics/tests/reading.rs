//! How often the lake is read.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use tracing::field::{Field, Visit};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

use super::*;

/// Counts how often each dataset was read.
#[derive(Clone, Default)]
struct Reads(Arc<Mutex<BTreeMap<String, usize>>>);

impl Visit for Reads {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "dataset" {
            *self.0.lock().unwrap().entry(value.to_owned()).or_default() += 1;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl<S: tracing::Subscriber> Layer<S> for Reads {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().contains("lake") {
            event.record(&mut self.clone());
        }
    }
}

#[test]
fn each_dataset_is_passed_once_and_read_once_more_at_most_whoever_asks_for_it() {
    let filed = |dataset: &str, id: &str| row(dataset, id, "540102", "2025-01-31");
    let rows = [
        institution("a", "540102", "GENERAL_HOSPITAL"),
        place("b", "540102", "ELDER_MEAL_POINT"),
        place("c", "540102", "FITNESS_FACILITY"),
        filed("health.returns", "returns/d").with("commitment", "three-day-registration"),
        filed("community.returns", "returns/e").with("commitment", "purchased-services"),
        filed("community.milestones", "milestones/f").with("commitment", "purchased-services"),
        filed("health.parameters", "parameters/g"),
    ];
    let (_directory, lake) = lake_of(&rows);
    let reads = Reads::default();
    // On this thread, to which the subscriber belongs.
    tracing::subscriber::with_default(tracing_subscriber::registry().with(reads.clone()), || {
        compute_here(&Catalogue::embedded().unwrap(), &lake, &cutoff("2025-05-15", "2025-12-31")).unwrap()
    });
    let reads = reads.0.lock().unwrap().clone();
    for dataset in rows.iter().map(|row| &row.dataset) {
        assert!(reads.contains_key(dataset), "{dataset}: {reads:?}");
    }
    // What is counted from it has all been solved.
    assert_eq!(reads.get("health.institutions"), Some(&1), "{reads:?}");
    assert!(reads.values().all(|times| *times <= 2), "{reads:?}");
}
