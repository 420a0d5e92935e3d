use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, StringArray, TimestampMicrosecondArray};
use chrono::TimeDelta;
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
            "community.service_points/2025-01/000000-000000000001-000000000003.parquet",
            "community.service_points/2025-02/000000-000000000004-000000000005.parquet",
            "community.service_points/2025-03/000000-000000000006-000000000007.parquet",
        ]
    );
    assert_eq!(lake.cursor(DATASET), "c7");
    assert_eq!(lake.sources()[DATASET].service, "community");
    assert_eq!(lake.verify().unwrap(), []);
}

#[test]
fn a_crash_between_any_two_steps_misses_nothing_and_repeats_nothing() {
    // Two months, so that an append of four rows passes: file, file, commit written, commit linked.
    for crash_at in 0..4 {
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
        let after: i64 = if crash_at == 3 { 6 } else { 2 };
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
    let copy = march.with_file_name("000001-000000000007-000000000009.parquet");
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
    const NAME: &str = "000001-000000000001-000000000002.parquet";
    let place = tempfile::tempdir().unwrap();
    let (directory, elsewhere) = (place.path().join("lake"), place.path().join("elsewhere"));
    let mut lake = Lake::open(&directory).unwrap();
    lake.append(DATASET, &[batch(1..8)], progress(7)).unwrap();
    drop(lake);
    let month = directory.join(DATASET).join("2025-01");
    let kept = [
        directory.join(NAME),
        directory.join("notes.tmp"),
        directory.join("papers/2025-01").join(NAME),
        month.join("mine.parquet"),
        month.join("1-1-2.parquet"),
        month.join("sub").join(NAME),
        directory.join(DATASET).join("backup").join(NAME),
        elsewhere.join("2025-01").join(NAME),
    ];
    for path in &kept {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "somebody's").unwrap();
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&elsewhere, directory.join("community.housing")).unwrap();
        std::os::unix::fs::symlink(elsewhere.join("2025-01"), directory.join(DATASET).join("2024-12")).unwrap();
    }
    let left = [month.join(NAME), directory.join(DATASET).join("commit.tmp")];
    for path in &left {
        std::fs::write(path, "half a file").unwrap();
    }
    let lake = Lake::open(&directory).unwrap();
    assert!(kept.iter().all(|path| path.exists()), "{kept:?}");
    assert!(!left.iter().any(|path| path.exists()), "what the lake itself left half done goes");
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
    // Not finished, then: commit written, commit linked, all done.
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
        let former = directory.path().join(DATASET).join("2025-01/000000-000000000001-000000000003.parquet");
        assert!(former.is_file(), "step {crash_at}");
        // A second time: what was read before stays too.
        lake.begin_resync(DATASET, ResyncReason::CursorRefused, 1_764_000_000_000_000);
        lake.append(DATASET, &[batch(1..2)], progress(1)).unwrap();
        lake.finish_resync(DATASET).unwrap();
        lake.vacuum(DATASET, Utc::now() + TimeDelta::days(1)).unwrap();
        assert_eq!((positions(&lake), lake.verify().unwrap()), (vec![1], vec![]));
        drop(lake);
        drop(Lake::open(directory.path()).unwrap());
        assert!(former.is_file(), "no row is ever removed that stands in no other file");
    }
}

#[test]
fn rows_of_an_earlier_version_count_for_nothing_until_all_of_their_service_is_read_again() {
    const OTHER: &str = "community.housing";
    const OF_ANOTHER: &str = "health.institutions";
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    for dataset in [DATASET, OTHER, OF_ANOTHER] {
        lake.append(dataset, &[batch(1..8)], progress(7)).unwrap();
    }
    drop(lake);
    make_outdated(directory.path());
    // What that version had set aside, and the folder of a second reading.
    std::fs::create_dir_all(directory.path().join("set-aside/community.housing-1")).unwrap();
    std::fs::create_dir_all(directory.path().join("community.housing~2/month=2025-01")).unwrap();

    let read =
        |lake: &Lake, dataset| lake.read(dataset, &vec![("_position".into(), DataType::Int64)]).unwrap().height();
    let mut lake = Lake::open(directory.path()).unwrap();
    assert_eq!([DATASET, OTHER, OF_ANOTHER].map(|dataset| read(&lake, dataset)), [0; 3]);
    assert_eq!(["community", "health"].map(|service| lake.complete_until(service)), [None; 2]);
    assert_eq!((lake.rows(DATASET), lake.verify().unwrap()), (0, vec![]));
    let kept = ["manifest.json", "health.institutions/month=2025-01", "set-aside/community.housing-1"];
    let kept = kept.into_iter().chain(["community.housing~2/month=2025-01"]);
    assert!(kept.map(|path| directory.path().join("former").join(path)).all(|path| path.exists()), "all of it is kept");
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
    let mut lake = Lake::open(directory.path()).unwrap();
    lake.append(DATASET, &[batch(1..3)], progress(2)).unwrap();
    drop(lake);
    let commit = directory.path().join(DATASET).join("_delta_log/00000000000000000001.json");
    std::fs::write(&commit, r#"{"protocol": {"minReaderVersion": 3, "minWriterVersion": 7}}"#).unwrap();
    let error = Lake::open(directory.path()).unwrap_err();
    assert!(matches!(error, LakeError::Version { version: 3, .. }), "{error}");

    std::fs::remove_file(commit).unwrap();
    std::fs::write(directory.path().join("manifest.json"), r#"{"version": 3, "sources": {}}"#).unwrap();
    let error = Lake::open_read_only(directory.path()).unwrap_err();
    assert!(matches!(error, LakeError::Version { version: 3, .. }), "{error}");
    let error = Lake::open(directory.path()).unwrap_err();
    assert!(matches!(error, LakeError::Version { version: 3, .. }), "{error}");
    assert!(directory.path().join("manifest.json").is_file(), "it stays where it is");
}

#[test]
fn a_table_that_asks_more_of_a_writer_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    lake.append(DATASET, &[batch(1..3)], progress(2)).unwrap();
    drop(lake);
    let commit = directory.path().join(DATASET).join("_delta_log/00000000000000000001.json");
    std::fs::write(&commit, r#"{"protocol": {"minReaderVersion": 1, "minWriterVersion": 4}}"#).unwrap();
    let error = Lake::open(directory.path()).unwrap_err();
    assert!(matches!(error, LakeError::Version { version: 4, .. }), "{error}");
}

#[test]
fn a_commit_of_another_writer_is_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    lake.append(DATASET, &[batch(1..3)], progress(2)).unwrap();
    let other = directory.path().join(DATASET).join("_delta_log/00000000000000000001.json");
    std::fs::write(&other, r#"{"commitInfo": {"operation": "theirs"}}"#).unwrap();
    let error = lake.append(DATASET, &[batch(3..4)], progress(3)).unwrap_err();
    assert!(matches!(error, LakeError::Conflict { .. }), "{error}");
    assert!(std::fs::read_to_string(&other).unwrap().contains("theirs"));
    drop(lake);
    let mut lake = Lake::open(directory.path()).unwrap();
    assert_eq!((positions(&lake), lake.cursor(DATASET)), (vec![1, 2], "c2"));
    lake.append(DATASET, &[batch(3..4)], progress(3)).unwrap();
    assert_eq!((positions(&lake), lake.verify().unwrap()), (vec![1, 2, 3], vec![]));
}

#[test]
fn a_log_without_one_of_its_commits_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    for position in 1..4 {
        lake.append(DATASET, &[batch(position..position + 1)], progress(position)).unwrap();
    }
    drop(lake);
    std::fs::remove_file(directory.path().join(DATASET).join("_delta_log/00000000000000000001.json")).unwrap();
    let error = Lake::open(directory.path()).unwrap_err();
    assert!(matches!(error, LakeError::Gap { version: 1, .. }), "{error}");
}

#[test]
fn a_new_column_is_one_of_the_table_and_null_in_older_files() {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    lake.append(DATASET, &[batch(1..3)], progress(2)).unwrap();
    let with = |values: ArrayRef| {
        let rows = batch(3..5);
        let columns = rows.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        let all = columns.iter().zip(rows.columns()).map(|(name, column)| (name.as_str(), Arc::clone(column)));
        RecordBatch::try_from_iter(all.chain([("of_a_later_contract", values)])).unwrap()
    };
    lake.append(DATASET, &[with(Arc::new(Int64Array::from(vec![7, 8])))], progress(4)).unwrap();
    drop(lake);
    let mut lake = Lake::open(directory.path()).unwrap();
    let last = lake.sources()[DATASET].fields.last().unwrap();
    assert_eq!((last.name.as_str(), last.kind.as_str()), ("of_a_later_contract", "long"));
    let frame = lake.read(DATASET, &vec![("of_a_later_contract".into(), DataType::Int64)]).unwrap();
    assert_eq!((frame.height(), frame.column("of_a_later_contract").unwrap().null_count()), (4, 2));
    let error = lake.append(DATASET, &[with(Arc::new(StringArray::from(vec!["7", "8"])))], progress(4)).unwrap_err();
    assert!(matches!(error, LakeError::ColumnChanged { .. }), "{error}");
}

#[test]
fn a_file_that_was_altered_is_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    lake.append(DATASET, &[batch(1..3)], progress(2)).unwrap();
    let file = directory.path().join(&lake.sources()[DATASET].files[0].path);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.push(0);
    std::fs::write(&file, bytes).unwrap();
    let schema = vec![("_position".into(), DataType::Int64)];
    assert!(matches!(lake.read(DATASET, &schema), Err(LakeError::Altered { .. })));
    assert!(matches!(lake.records(DATASET), Err(LakeError::Altered { .. })));
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(lake.read(DATASET, &schema), Err(LakeError::Io { .. })));
}

#[test]
fn a_long_log_is_read_from_what_its_commits_say_together() {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    for position in 0..170 {
        lake.append(DATASET, &[batch(position..position + 1)], progress(position)).unwrap();
        if position == 60 {
            lake.begin_resync(DATASET, ResyncReason::JournalReplaced, 1_764_000_000_000_000);
            lake.append(DATASET, &[batch(0..61)], progress(60)).unwrap();
            lake.finish_resync(DATASET).unwrap();
        }
    }
    let sources = lake.sources().clone();
    drop(lake);
    let log = directory.path().join(DATASET).join("_delta_log");
    // Up to there no commit is asked for.
    let summed_up = [50, 100, 150].map(|version| log.join(format!("{:020}.{version:020}.compacted.json", 0)).is_file());
    assert_eq!(summed_up, [false, true, true], "the last two stay");
    std::fs::remove_file(log.join(format!("{:020}.json", 42))).unwrap();
    let lake = Lake::open(directory.path()).unwrap();
    assert_eq!(positions(&lake), (0..170).collect::<Vec<_>>());
    assert_eq!(lake.sources(), &sources);
}

/// Rows with everything that a table holds, in order of positions.
fn all_rows(lake: &Lake) -> Vec<String> {
    let schema = ["_position", "_assertion", "_diff", "_from", "_recorded_at"]
        .map(|name| (name.to_owned(), DataType::Int64))
        .into_iter()
        .chain(["_record", "_area"].map(|name| (name.to_owned(), DataType::String)));
    let frame = lake.read(DATASET, &schema.collect()).unwrap();
    let frame = frame.sort(["_position"], polars::prelude::SortMultipleOptions::default()).unwrap();
    (0..frame.height()).map(|row| format!("{:?}", frame.get(row))).collect()
}

#[test]
fn compaction_drops_nothing_and_vacuum_removes_what_was_rewritten_after_its_time() {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    for position in 0..9 {
        lake.append(DATASET, &[batch(position..position + 1)], progress(position)).unwrap();
    }
    let (before, cursor) = (all_rows(&lake), lake.cursor(DATASET).to_owned());
    let dropped = |lake: &mut Lake| -> usize {
        lake.compact(DATASET, 3).unwrap().iter().map(|rewritten| rewritten.dropped.len()).sum()
    };
    assert_eq!(dropped(&mut lake), 9 - 2, "January has four files, February two, March three");
    assert_eq!((lake.sources()[DATASET].files.len(), dropped(&mut lake)), (4, 0));
    assert_eq!((all_rows(&lake), lake.cursor(DATASET), lake.verify().unwrap()), (before.clone(), &*cursor, vec![]));
    let old = directory.path().join(DATASET).join("2025-01/000000-000000000000-000000000000.parquet");
    drop(lake);
    let mut lake = Lake::open(directory.path()).unwrap();
    assert!(old.is_file(), "who reads an earlier version finds its files");
    assert_eq!(lake.vacuum(DATASET, Utc::now() - TimeDelta::days(30)).unwrap(), 0);
    assert_eq!(lake.vacuum(DATASET, Utc::now() + TimeDelta::seconds(1)).unwrap(), 7);
    assert!(!old.is_file());
    assert_eq!((all_rows(&lake), lake.verify().unwrap()), (before, vec![]));
}

#[test]
fn old_commits_that_two_checkpoints_say_as_well_are_removed() {
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    for position in 0..120 {
        lake.append(DATASET, &[batch(position..position + 1)], progress(position)).unwrap();
    }
    let commits = |directory: &Path| {
        let log = std::fs::read_dir(directory.join(DATASET).join("_delta_log")).unwrap();
        let names = log.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.strip_suffix(".json").is_some_and(|stem| stem.parse::<u64>().is_ok())).count()
    };
    let before = all_rows(&lake);
    lake.maintain(Utc::now()).unwrap();
    assert_eq!(commits(directory.path()), 120, "none is old");
    lake.maintain(Utc::now() + TimeDelta::days(31)).unwrap();
    assert_eq!(commits(directory.path()), 120 - 51, "up to version 50");
    drop(lake);
    let mut lake = Lake::open(directory.path()).unwrap();
    assert_eq!((all_rows(&lake), lake.verify().unwrap()), (before.clone(), vec![]));
    lake.append(DATASET, &[batch(120..121)], progress(120)).unwrap();
    assert_eq!(all_rows(&lake).len(), before.len() + 1);
}

#[test]
fn behind_a_horizon_what_cancels_out_goes_and_all_that_is_told_of_later_instants_stays() {
    // What is told of a record: position, assertion, diff, from, instant of recording in days.
    type Row = (i64, &'static str, i64, i64, i32, i64);
    let told: [Row; 10] = [
        (1, "a", 1, 1, 100, 1),
        (2, "a", 1, -1, 100, 2),
        (3, "a", 2, 1, 110, 2),
        (4, "a", 2, -1, 110, 3),
        (5, "a", 3, 1, 120, 3),
        (6, "b", 1, 1, 50, 3),
        (7, "b", 1, -1, 50, 4),
        (8, "a", 3, -1, 120, 6),
        (9, "a", 4, 1, 130, 6),
        (10, "c", 1, 1, 200, 6),
    ];
    let rows = |told: &[Row]| {
        let numbers = |of: fn(&Row) -> i64| Arc::new(told.iter().map(|row| Some(of(row))).collect::<Int64Array>());
        let instants = told.iter().map(|row| row.5 * DAY_MICROS);
        RecordBatch::try_from_iter_with_nullable([
            ("_position", numbers(|row| row.0) as ArrayRef, false),
            ("_record", Arc::new(StringArray::from_iter_values(told.iter().map(|row| row.1))) as ArrayRef, false),
            ("_assertion", numbers(|row| row.2) as ArrayRef, false),
            ("_diff", numbers(|row| row.3) as ArrayRef, false),
            ("_from", Arc::new(told.iter().map(|row| Some(row.4)).collect::<Date32Array>()) as ArrayRef, false),
            ("_until", Arc::new(Date32Array::from(vec![None; told.len()])) as ArrayRef, true),
            ("_ended", Arc::new(BooleanArray::from(vec![false; told.len()])) as ArrayRef, false),
            (
                "_recorded_at",
                Arc::new(TimestampMicrosecondArray::from_iter_values(instants).with_timezone("UTC")) as ArrayRef,
                false,
            ),
            ("_area", Arc::new(StringArray::from(vec!["540102"; told.len()])) as ArrayRef, false),
        ])
        .unwrap()
    };
    let directory = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(directory.path()).unwrap();
    let until = |day: i64| Progress { recorded_until: Some(day * DAY_MICROS), ..progress(10) };
    lake.append(DATASET, &[rows(&told[..5])], until(3)).unwrap();
    let horizon = DateTime::from_timestamp_micros(5 * DAY_MICROS).unwrap();
    let error = lake.forget_before(horizon).unwrap_err();
    assert!(matches!(error, LakeError::HorizonAhead { .. }), "{error}");
    lake.append(DATASET, &[rows(&told[5..])], until(6)).unwrap();
    assert_eq!(lake.horizon(), None);
    assert_eq!(lake.forget_before(horizon).unwrap(), 4);
    // What holds at the horizon stays, so does the record that was withdrawn, which has the first day besides.
    assert_eq!((positions(&lake), lake.verify().unwrap()), (vec![5, 6, 7, 8, 9, 10], vec![]));
    assert_eq!((lake.records(DATASET).unwrap(), lake.horizon(), lake.cursor(DATASET)), (3, Some(horizon), "c10"));
    assert_eq!(lake.forget_before(horizon - TimeDelta::days(1)).unwrap(), 0, "it never comes earlier");
    drop(lake);
    assert_eq!(Lake::open(directory.path()).unwrap().horizon(), Some(horizon));
}

#[test]
#[ignore = "a measurement: run by hand, as cargo nextest run --run-ignored only commit_costs --no-capture"]
fn what_a_commit_costs_beside_the_manifest_that_was() {
    // The manifest listed the files of all datasets, and was written whole for each append.
    for files in [20_u32, 500, 5_000] {
        let directory = tempfile::tempdir().unwrap();
        let mut lake = Lake::open(directory.path()).unwrap();
        lake.append(DATASET, &[batch(0..3)], progress(2)).unwrap();
        let entry = lake.sources()[DATASET].files[0].clone();
        let listed: Vec<_> = (0..files)
            .map(|number| {
                let path = format!("{DATASET}/month=2025-01/{number:012}-{number:012}.parquet");
                serde_json::json!({"path": path, "rows": 3, "bytes": entry.bytes, "sha256": entry.sha256})
            })
            .collect();
        let manifest = serde_json::json!({"version": 2, "sources": {DATASET: {"service": "community", "cursor": "c",
            "position": 1, "recorded_until": 1, "files": listed}}});
        let mut table = lake.sources()[DATASET].clone();
        table.files = vec![entry; files as usize];
        lake.tables.insert(DATASET.to_owned(), table);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let milliseconds = |began: std::time::Instant| began.elapsed().as_secs_f64() * 1e3;
        for turn in 0..200 {
            let began = std::time::Instant::now();
            lake.append(DATASET, &[], progress(turn)).unwrap();
            ours.push(milliseconds(began));
            let began = std::time::Instant::now();
            let temporary = directory.path().join("manifest.json.tmp");
            let bytes = serde_json::to_vec_pretty(&manifest).unwrap();
            let mut file = std::fs::File::create(&temporary).unwrap();
            std::io::Write::write_all(&mut file, &bytes).and_then(|()| file.sync_all()).unwrap();
            std::fs::rename(&temporary, directory.path().join("manifest.json")).unwrap();
            std::fs::File::open(directory.path()).and_then(|directory| directory.sync_all()).unwrap();
            theirs.push(milliseconds(began));
        }
        let mean = |times: &[f64]| times.iter().sum::<f64>() / 200.0;
        let middle = |times: &mut Vec<f64>| {
            times.sort_by(f64::total_cmp);
            times[100]
        };
        let means = (mean(&ours), mean(&theirs));
        let (ours, theirs) = (middle(&mut ours), middle(&mut theirs));
        eprintln!(
            "{files} files: commit {ours:.3} ms, manifest {theirs:.3} ms, ratio {:.2}; means {means:?}, ratio {:.2}",
            ours / theirs,
            means.0 / means.1
        );
    }
}
