//! The records behind figures, found row by row, give the figures that the statistics computed over random records.

use std::collections::BTreeSet;

use super::shared_sql::random_rows;
use super::*;
use crate::bench::Values;
use crate::catalogue::Denominator;
use crate::explain::{Place, behind};
use crate::model::REGION;

#[test]
fn the_records_behind_a_figure_give_the_figure() {
    let catalogue = Catalogue::shipped();
    let values = Values::of(catalogue);
    let (mut compared, mut named) = (0, 0);
    let (mut spoken, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for (seed, on, as_of) in [(1, "2025-06-30", "2025-05-15"), (2, "2025-03-20", "2025-12-31")] {
        let (_directory, lake) = lake_of(&random_rows(seed, &values));
        let cutoff = cutoff(on, as_of);
        let found = compute(catalogue, &lake, &cutoff).unwrap();
        for entry in &catalogue.entries {
            for measure in entry.measures.iter().filter(|measure| measure.source == SourceKind::Register) {
                let Some(count) = &measure.count else { continue };
                let name = format!("{} {}", entry.commitment.id, measure.name);
                let own = found.rows.iter().filter(|row| row.commitment == entry.commitment.id);
                let own: Vec<&StatisticRow> = own.filter(|row| row.measure == measure.name).collect();
                // The newest month in which anything was counted, else the newest.
                let counts = |row: &&&StatisticRow| row.numerator.is_some_and(|numerator| numerator > 0.0);
                let month = own.iter().filter(counts).map(|row| row.month).max();
                let Some(month) = month.or_else(|| own.iter().map(|row| row.month).max()) else { continue };
                if !spoken.contains(&name) {
                    silent.insert(name.clone());
                }
                let day = month_end(month).min(found_until(&found, &measure.dataset)).min(cutoff.on);
                // The region, and the area where most is counted.
                let of_month = || own.iter().filter(|row| row.month == month);
                let most = of_month().max_by(|one, other| {
                    let number = |row: &StatisticRow| (row.area != REGION, row.numerator.unwrap_or_default());
                    number(one).partial_cmp(&number(other)).unwrap_or(std::cmp::Ordering::Equal)
                });
                for row in of_month().filter(|row| row.area == REGION).chain(most) {
                    let place = Place { on: day, as_of: cutoff.as_of, area: &row.area };
                    let told = behind(entry, measure, count, place, &lake, &found.reference).unwrap();
                    let is = |one: Option<f64>, other: Option<f64>| {
                        (one.unwrap_or_default() - other.unwrap_or_default()).abs() < 1e-6
                    };
                    assert!(is(told.numerator, row.numerator), "{name} {row:?}: {:?}", told.numerator);
                    if matches!(count.denominator, Some(Denominator::Expression(_))) {
                        assert!(is(told.denominator, row.denominator), "{name} {row:?}: {:?}", told.denominator);
                    }
                    let some = row.numerator.is_some_and(|numerator| numerator > 0.0);
                    assert!(!some || told.records.iter().any(|record| record.in_numerator), "{name} {row:?}");
                    compared += 1;
                    named += told.records.len();
                    if some {
                        silent.remove(&name);
                        spoken.insert(name.clone());
                    }
                }
            }
        }
    }
    assert!(compared > 150 && named > 500, "{compared} figures, {named} records");
    assert!(silent.len() <= 12, "nothing was counted for {silent:?}");
}

/// The last day that the records of a dataset's service speak for.
fn found_until(found: &Statistics, dataset: &str) -> NaiveDate {
    let service = crate::catalogue::service_of(dataset);
    let months = found.reference.months.iter().filter(|known| known.service == service);
    months.map(|known| known.day).max().unwrap_or(NaiveDate::MAX)
}
