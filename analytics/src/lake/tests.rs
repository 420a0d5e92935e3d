use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, StringArray, TimestampMicrosecondArray};
use polars::prelude::DataType;

use super::*;
use crate::model::ResyncReason;
use crate::testing::make_outdated;

const DATASET: &str = "community.service_points";
const DAY_MICROS: i64 = 86_400_000_000;

/// Rows at positions, each recorded ten days after the one before, from 1 January 2025 on.
fn batch(positions: std::ops::Range<i64>) -> RecordBatch {
    let all: Vec<i64> = positions.collect();
    let text = |texts: Vec<String>| Arc::new(StringArray::from(texts)) as ArrayRef;
    let recorded = all.iter().map(|position| 1_735_689_600_000_000 + position * 10 * DAY_MICROS);
    RecordBatch::try_from_iter([
        ("_position", Arc::new(Int64Array::from(all.clone())) as ArrayRef),
        ("_record", text(all.iter().map(|position| format!("service_points/p{position}")).collect())),
        ("_assertion", Arc::new(Int64Array::from(vec![1; all.len()])) as ArrayRef),
        ("_diff", Arc::new(Int64Array::from(vec![1; all.len()])) as ArrayRef),
        ("_from", Arc::new(Date32Array::from(vec![20_000; all.len()])) as ArrayRef),
        ("_until", Arc::new(Date32Array::from(vec![None; all.len()])) as ArrayRef),
        ("_ended", Arc::new(BooleanArray::from(vec![false; all.len()])) as ArrayRef),
        (
            "_recorded_at",
            Arc::new(TimestampMicrosecondArray::from_iter_values(recorded).with_timezone("UTC")) as ArrayRef,
        ),
        ("_area", text(all.iter().map(|_| "540102".to_owned()).collect())),
    ])
    .unwrap()
}

fn progress(position: i64) -> Progress {
    Progress { cursor: format!("c{position}"), position, recorded_until: Some(position * 10) }
}

fn positions(lake: &Lake) -> Vec<i64> {
    let frame = lake.read(DATASET, &vec![("_position".into(), DataType::Int64)]).unwrap();
    let mut all: Vec<i64> = frame.column("_position").unwrap().i64().unwrap().iter().flatten().collect();
    all.sort_unstable();
    all
}

#[test]
fn rows_are_filed_by_the_month_in_which_they_were_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    assert_eq!(lake.append(DATASET, &[batch(1..4), batch(4..8)], progress(7)).unwrap(), 7);
    let files: Vec<&str> = lake.sources()[DATASET].files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        files,
        [
            "community.service_points/month=2025-01/000000000001-000000000003.parquet",
            "community.service_points/month=2025-02/000000000004-000000000005.parquet",
            "community.service_points/month=2025-03/000000000006-000000000007.parquet",
        ]
    );
    assert_eq!(lake.cursor(DATASET), "c7");
    assert_eq!(lake.sources()[DATASET].service, "community");
    assert_eq!(lake.verify().unwrap(), []);
}

#[test]
fn a_crash_between_any_two_steps_misses_nothing_and_repeats_nothing() {
    // Two months, so that an append of four rows passes: file, name, file, name, manifest, manifest.
    for crash_at in 0..6 {
        let directory = tempfile::tempdir().unwrap();
        {
            let mut lake = Lake::open(directory.path()).unwrap();
            lake.append(DATASET, &[batch(0..2)], progress(1)).unwrap();
            let mut step = 0;
            let crashed = lake.append_with(DATASET, &[batch(2..6)], progress(5), |_| {
                step += 1;
                if step > crash_at { Err(LakeError::BrokenOff) } else { Ok(()) }
            });
            assert!(matches!(crashed, Err(LakeError::BrokenOff)), "step {crash_at}");
        }
        let mut lake = Lake::open(directory.path()).unwrap();
        let after: i64 = if crash_at == 5 { 6 } else { 2 };
        assert_eq!(lake.cursor(DATASET), format!("c{}", after - 1), "step {crash_at}");
        assert_eq!(lake.verify().unwrap(), [], "step {crash_at}: opening clears what the crash left");
        // The service has recorded more in the meantime; the feed goes on at the cursor.
        lake.append(DATASET, &[batch(after..9)], progress(8)).unwrap();
        assert_eq!(positions(&lake), (0..9).collect::<Vec<_>>(), "step {crash_at}");
        assert_eq!(lake.verify().unwrap(), []);
    }
}

#[test]
fn a_damaged_a_missing_and_an_unlisted_file_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    lake.append(DATASET, &[batch(1..8)], progress(7)).unwrap();
    let path = |index: usize| directory.path().join(&lake.sources()[DATASET].files[index].path);
    let (january, february, march) = (path(0), path(1), path(2));
    let mut bytes = std::fs::read(&january).unwrap();
    bytes[10] ^= 1;
    std::fs::write(&january, bytes).unwrap();
    let copy = march.with_file_name("000000000007-000000000009.parquet");
    std::fs::copy(&march, &copy).unwrap();
    std::fs::remove_file(&february).unwrap();
    let found = [Finding::Altered(january), Finding::Missing(february), Finding::Unlisted(copy.clone())];
    assert_eq!(lake.verify().unwrap(), found);
    drop(lake);
    let lake = Lake::open_as_it_is(directory.path()).unwrap();
    assert_eq!(lake.verify().unwrap(), found, "opened as it is, nothing is cleared away before it is reported");
    drop(lake);
    drop(Lake::open(directory.path()).unwrap());
    assert!(!copy.exists(), "opened for work, what a crash left is cleared away");
}

#[test]
fn opening_a_lake_leaves_alone_what_the_lake_did_not_write() {
    let place = tempfile::tempdir().unwrap();
    let (directory, elsewhere) = (place.path().join("lake"), place.path().join("elsewhere"));
    let mut lake = Lake::open(&directory).unwrap();
    lake.append(DATASET, &[batch(1..8)], progress(7)).unwrap();
    drop(lake);
    let month = directory.join(DATASET).join("month=2025-01");
    let kept = [
        directory.join("000000000001-000000000002.parquet"),
        directory.join("notes.tmp"),
        directory.join("papers/month=2025-01/000000000001-000000000002.parquet"),
        month.join("mine.parquet"),
        month.join("1-2.parquet"),
        month.join("sub/000000000001-000000000002.parquet"),
        directory.join(DATASET).join("month=backup/000000000001-000000000002.parquet"),
        elsewhere.join("month=2025-01/000000000001-000000000002.parquet"),
    ];
    for path in &kept {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "somebody's").unwrap();
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&elsewhere, directory.join("community.housing")).unwrap();
        std::os::unix::fs::symlink(elsewhere.join("month=2025-01"), directory.join(DATASET).join("month=2024-12"))
            .unwrap();
    }
    let left = month.join("000000000020-000000000021.parquet.tmp");
    std::fs::write(&left, "half a file").unwrap();
    let lake = Lake::open(&directory).unwrap();
    assert!(kept.iter().all(|path| path.exists()), "{kept:?}");
    assert!(!left.exists(), "what the lake itself left half done goes");
    assert_eq!(lake.verify().unwrap(), []);
}

#[test]
fn a_feed_without_news_moves_only_the_cursor() {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    assert_eq!(lake.append(DATASET, &[], progress(3)).unwrap(), 0);
    assert_eq!((lake.cursor(DATASET), lake.rows(DATASET)), ("c3", 0));
    assert_eq!(positions(&lake), Vec::<i64>::new());
}

#[test]
fn a_column_that_older_files_lack_is_null_there() {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    lake.append(DATASET, &[batch(1..3)], progress(2)).unwrap();
    let schema = vec![("_position".into(), DataType::Int64), ("capacity".into(), DataType::Int64)];
    let frame = lake.read(DATASET, &schema).unwrap();
    assert_eq!(frame.column("capacity").unwrap().null_count(), 2);
}

#[test]
fn two_runs_cannot_write_one_lake() {
    let directory = tempfile::tempdir().unwrap();
    let lake = Lake::open(directory.path()).unwrap();
    assert!(matches!(Lake::open(directory.path()), Err(LakeError::InUse { .. })));
    assert!(Lake::open_read_only(directory.path()).is_ok());
    drop(lake);
    assert!(Lake::open(directory.path()).is_ok());
}

#[test]
fn a_batch_without_the_columns_of_a_journal_row_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    let batch = batch(1..3);
    let columns = batch.num_columns();
    for (missing, field) in batch.schema().fields().iter().enumerate() {
        let others: Vec<usize> = (0..columns).filter(|column| *column != missing).collect();
        let error = lake.append(DATASET, &[batch.project(&others).unwrap()], progress(2)).unwrap_err();
        assert_eq!(error.to_string(), format!("a batch of community.service_points has no column {}", field.name()));
    }
    assert_eq!(lake.rows(DATASET), 0);
}

#[test]
fn a_crash_while_a_dataset_is_read_again_leaves_the_former_or_the_new_rows_and_removes_neither() {
    // Not finished, then: manifest written, manifest replaced and not yet set aside, all done.
    for crash_at in 0..4 {
        let directory = tempfile::tempdir().unwrap();
        let mut lake = Lake::open(directory.path()).unwrap();
        lake.append(DATASET, &[batch(1..8)], progress(7)).unwrap();
        lake.begin_resync(DATASET, ResyncReason::JournalReplaced, 1_764_000_000_000_000);
        lake.append(DATASET, &[batch(1..3)], progress(2)).unwrap();
        lake.append(DATASET, &[batch(3..4)], progress(3)).unwrap();
        assert_eq!((positions(&lake), lake.cursor(DATASET)), ((1..8).collect(), "c7"), "until all of it is there");
        if crash_at > 0 {
            let mut step = 0;
            let finished = lake.finish_resync_with(DATASET, |_| {
                step += 1;
                if step == crash_at { Err(LakeError::BrokenOff) } else { Ok(()) }
            });
            assert_eq!(finished.is_err(), crash_at < 3, "step {crash_at}");
        }
        drop(lake);
        let expected = if crash_at < 2 { 1..8 } else { 1..4 };
        let as_it_is = Lake::open_read_only(directory.path()).unwrap();
        assert_eq!(positions(&as_it_is), expected.clone().collect::<Vec<_>>(), "step {crash_at}");
        let mut lake = Lake::open(directory.path()).unwrap();
        assert_eq!(positions(&lake), expected.collect::<Vec<_>>(), "step {crash_at}");
        assert_eq!(lake.verify().unwrap(), [], "step {crash_at}");
        let aside = directory.path().join("set-aside/community.service_points-1-20251124T160000Z-journal-replaced");
        let former = aside.join("month=2025-01/000000000001-000000000003.parquet");
        assert_eq!(former.is_file(), crash_at >= 2, "step {crash_at}");
        // A second time: the next folder, another place.
        lake.begin_resync(DATASET, ResyncReason::CursorRefused, 1_764_000_000_000_000);
        lake.append(DATASET, &[batch(1..2)], progress(1)).unwrap();
        lake.finish_resync(DATASET).unwrap();
        assert_eq!((positions(&lake), lake.verify().unwrap()), (vec![1], vec![]));
        assert_eq!(former.is_file(), crash_at >= 2, "what was set aside stays");
    }
}

#[test]
fn rows_of_a_former_layout_count_for_nothing_until_all_of_their_service_is_read_again() {
    const OTHER: &str = "community.housing";
    const OF_ANOTHER: &str = "health.institutions";
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    for dataset in [DATASET, OTHER, OF_ANOTHER] {
        lake.append(dataset, &[batch(1..8)], progress(7)).unwrap();
    }
    drop(lake);
    make_outdated(directory.path());

    let read =
        |lake: &Lake, dataset| lake.read(dataset, &vec![("_position".into(), DataType::Int64)]).unwrap().height();
    let mut lake = Lake::open(directory.path()).unwrap();
    assert_eq!([DATASET, OTHER, OF_ANOTHER].map(|dataset| read(&lake, dataset)), [0; 3]);
    assert_eq!(["community", "health"].map(|service| lake.complete_until(service)), [None; 2]);
    assert_eq!((lake.rows(DATASET), lake.verify().unwrap()), (7, vec![]), "they are kept");
    let error = lake.append(DATASET, &[batch(8..9)], progress(8)).unwrap_err();
    assert!(matches!(error, LakeError::Outdated { .. }), "{error}");

    let resync = |lake: &mut Lake, dataset| {
        lake.begin_resync(dataset, ResyncReason::JournalReplaced, 1_764_000_000_000_000);
        lake.append(dataset, &[batch(1..3)], progress(2)).unwrap();
        lake.finish_resync(dataset).unwrap().unwrap();
    };
    resync(&mut lake, DATASET);
    drop(lake);
    let mut lake = Lake::open(directory.path()).unwrap();
    assert!(!lake.is_outdated(DATASET) && lake.is_outdated(OTHER), "the lake goes on knowing it");
    assert_eq!((read(&lake, DATASET), lake.complete_until("community")), (0, None), "a part of a service is not known");
    resync(&mut lake, OTHER);
    assert_eq!([DATASET, OTHER, OF_ANOTHER].map(|dataset| read(&lake, dataset)), [2, 2, 0]);
    assert_eq!(["community", "health"].map(|service| lake.complete_until(service)), [Some(20), None]);
    assert_eq!(lake.verify().unwrap(), []);
}

#[test]
fn a_lake_of_a_later_version_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(Lake::open(directory.path()).unwrap());
    std::fs::write(directory.path().join("manifest.json"), r#"{"version": 3, "sources": {}}"#).unwrap();
    let error = Lake::open(directory.path()).unwrap_err();
    assert!(matches!(error, LakeError::Version { version: 3, .. }), "{error}");
}
