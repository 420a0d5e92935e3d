//! What a run keeps: the figures are the same with it and without, and it is used only where it fits.

use chrono::TimeZone as _;

use super::shared_sql::random_rows;
use super::*;
use crate::bench::Values;
use crate::catalogue::Figure;
use crate::lake::LakeError;
use crate::model::ResyncReason;
use crate::statistics::kept::Kept;
use crate::statistics::steps::FIRST_DAY;
use crate::testing::{READ_UNTIL, append, append_from};

const ON: &str = "2025-06-30";

fn catalogue() -> Catalogue {
    Catalogue::embedded().unwrap()
}

/// The catalogue of one commitment.
fn of_one() -> Catalogue {
    let mut catalogue = catalogue();
    catalogue.entries.retain(|entry| entry.commitment.id == COMMITMENT);
    catalogue
}

/// Random records of some services, in the order in which they were recorded.
fn random(seed: u64, services: &[&str]) -> Vec<Row> {
    let shipped = catalogue();
    let values = Values::of(&shipped);
    let mut rows = random_rows(seed, &values);
    rows.retain(|row| services.iter().any(|service| row.dataset.starts_with(service)));
    rows
}

#[test]
fn a_run_that_reads_only_what_is_new_gives_what_a_whole_run_gives() {
    let (rows, catalogue) = (random(3, &["social_security.", "community."]), catalogue());
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    let mut from = 0;
    for (part, (on, as_of)) in (1..).zip([
        ("2025-02-10", "2025-02-11"),
        ("2025-02-28", "2025-03-01"),
        // Of what is read by then, some was recorded later.
        ("2025-04-15", "2025-03-20"),
        ("2025-04-30", "2025-06-30"),
        ("2025-06-30", "2026-01-01"),
    ]) {
        let until = if part == 5 { rows.len() } else { rows.len() * part / 5 };
        append_from(&mut lake, &rows[from..until], 300, READ_UNTIL, i64::try_from(from).unwrap() + 1);
        from = until;
        let datasets: Vec<String> = lake.sources().keys().cloned().collect();
        if part == 3 {
            for dataset in &datasets {
                let rewritten = lake.compact(dataset, 2).unwrap();
                follow_rewriting(&lake, &rewritten).unwrap();
            }
        }
        let asked = cutoff(on, as_of);
        let by_kept = compute(&catalogue, &lake, &asked).unwrap();
        let fresh = tempfile::tempdir().unwrap();
        let mut whole = Lake::open(fresh.path()).unwrap();
        append(&mut whole, &rows[..until], usize::MAX);
        let by_whole = compute(&catalogue, &whole, &asked).unwrap();
        let wrong = by_kept.rows.iter().zip(&by_whole.rows).find(|(one, other)| one != other);
        assert_eq!(wrong, None, "{on} as of {as_of}");
        assert!(by_kept == by_whole, "{on} as of {as_of}");
        let kept = Kept::read(&lake).unwrap();
        assert_eq!(kept.as_of, asked.as_of.timestamp_micros());
    }
    // A past instant is computed as ever, and leaves what is kept alone.
    let asked = cutoff("2025-03-31", "2025-04-01");
    let fresh = tempfile::tempdir().unwrap();
    let mut whole = Lake::open(fresh.path()).unwrap();
    append(&mut whole, &rows, usize::MAX);
    let past = compute(&catalogue, &lake, &asked).unwrap();
    // How far the records go is told from all that was read.
    assert_eq!(past.rows, compute(&catalogue, &whole, &asked).unwrap().rows);
    assert_eq!(Kept::read(&lake).unwrap().as_of, cutoff(ON, "2026-01-01").as_of.timestamp_micros());
}

/// A lake whose kept numbers are all wrong, so that whoever uses them is found out.
fn poisoned(rows: &[Row]) -> (tempfile::TempDir, Lake, Statistics) {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    append(&mut lake, rows, 40);
    let figures = compute(&of_one(), &lake, &asked()).unwrap();
    let mut kept = Kept::read(&lake).unwrap();
    for of_dataset in kept.datasets.values_mut() {
        for steps in of_dataset.sums.values_mut().flat_map(|sums| &mut sums.0) {
            steps.add(540_102, FIRST_DAY, 1_000);
        }
    }
    kept.write(&lake).unwrap();
    (directory, lake, figures)
}

fn asked() -> BitemporalCutoff {
    cutoff(ON, "2025-12-31")
}

/// The figures of the measure that every change of the test is about.
fn of<'a>(figures: &'a Statistics, commitment: &str) -> Vec<&'a StatisticRow> {
    figures.rows.iter().filter(|row| row.commitment == commitment && row.measure == "primary").collect()
}

const COMMITMENT: &str = "age-friendly-institutions";

#[test]
fn what_is_kept_is_used_only_where_all_that_made_it_is_the_same() {
    let rows = random(4, &["health.institutions", "health.parameters"]);
    let (_directory, lake, figures) = poisoned(&rows);
    let wrong = compute(&of_one(), &lake, &asked()).unwrap();
    assert_ne!(of(&wrong, COMMITMENT), of(&figures, COMMITMENT), "what is kept is used");

    // Another expression.
    let mut changed = of_one();
    let entry = &mut changed.entries[0];
    for measure in &mut entry.measures {
        let count = measure.count.as_mut().unwrap();
        count.condition = count.condition.take().map(|sql| format!("{sql} AND age_friendly_to IS NOT NULL"));
    }
    same_as_whole("another expression", &changed, &rows, |_| {});

    // Another parameter.
    let mut changed = of_one();
    let entry = &mut changed.entries[0];
    entry.parameters[0].figure = Figure::Stated { value: 1, from: day("2024-03-01") };
    same_as_whole("another parameter", &changed, &rows, |_| {});

    // Other divisions.
    let mut changed = of_one();
    let entry = &mut changed.entries[0];
    entry.commitment.scope = vec!["540100".to_owned()];
    same_as_whole("other divisions", &changed, &rows, |_| {});

    // Another engine, or layout.
    same_as_whole("another layout", &of_one(), &rows, |lake| {
        let head = lake.kept_directory().join("kept.json");
        let text = std::fs::read_to_string(&head).unwrap().replace("\"layout\":", "\"layout\":9");
        std::fs::write(&head, text).unwrap();
    });

    // A file that was altered.
    same_as_whole("an altered file", &of_one(), &rows, |lake| {
        let file = std::fs::read_dir(lake.kept_directory()).unwrap();
        let file = file.map(|entry| entry.unwrap().path()).find(|path| path.extension().unwrap() == "parquet").unwrap();
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file, bytes).unwrap();
    });

    // Files of the table that are gone, without a word about where their rows stand now.
    same_as_whole("files that are gone", &of_one(), &rows, |lake| {
        assert!(!lake.compact("health.institutions", 2).unwrap().is_empty());
    });

    // A horizon.
    same_as_whole("a horizon", &of_one(), &rows, |lake| {
        lake.forget_before(chrono::Utc.with_ymd_and_hms(2025, 2, 1, 0, 0, 0).unwrap()).unwrap();
    });

    // Another reading of the feed.
    same_as_whole("another reading", &of_one(), &rows, |lake| {
        const DATASET: &str = "health.institutions";
        let own: Vec<Row> = rows.iter().filter(|row| row.dataset == DATASET).cloned().collect();
        lake.begin_resync(DATASET, ResyncReason::JournalReplaced, 1);
        append(lake, &own, usize::MAX);
        lake.finish_resync(DATASET).unwrap();
    });
}

/// Changes something, and compares what is computed of [`COMMITMENT`] with what is computed of the same rows again.
fn same_as_whole(changed: &str, catalogue: &Catalogue, rows: &[Row], change: impl FnOnce(&mut Lake)) {
    let (_directory, mut lake, _) = poisoned(rows);
    change(&mut lake);
    let found = compute(catalogue, &lake, &asked()).unwrap();
    let fresh = tempfile::tempdir().unwrap();
    let mut whole = Lake::open(fresh.path()).unwrap();
    append(&mut whole, rows, usize::MAX);
    let expected = compute(catalogue, &whole, &asked()).unwrap();
    assert!(!of(&expected, COMMITMENT).is_empty());
    let wrong = of(&found, COMMITMENT).into_iter().zip(of(&expected, COMMITMENT)).find(|(one, other)| one != other);
    assert_eq!(wrong, None, "{changed}");
    assert_eq!(of(&found, COMMITMENT).len(), of(&expected, COMMITMENT).len(), "{changed}");
}

#[test]
fn a_lake_that_is_open_for_reading_only_keeps_nothing() -> Result<(), LakeError> {
    let directory = tempfile::tempdir().unwrap();
    append(&mut Lake::open(directory.path())?, &random(5, &["health.institutions"]), usize::MAX);
    let lake = Lake::open_read_only(directory.path())?;
    compute(&of_one(), &lake, &asked()).unwrap();
    assert!(!lake.kept_directory().exists());
    Ok(())
}
