use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::Mutex;

use super::*;

fn instant(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// A clock that jumps to whatever is waited for.
struct Jumping(Mutex<DateTime<Utc>>);

impl Jumping {
    fn at(text: &str) -> Self {
        Self(Mutex::new(instant(text)))
    }
}

impl Clock for Jumping {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }

    async fn wait_until(&self, instant: DateTime<Utc>) {
        *self.0.lock().unwrap() = instant;
        tokio::task::yield_now().await;
    }
}

#[test]
fn the_newest_report_is_that_of_the_run_that_was_due_last_and_has_one() {
    let directory = tempfile::tempdir().unwrap();
    let reports = directory.path();
    let newest = || newest_with(reports, "a.json").unwrap();
    assert_eq!(newest(), None);
    for name in ["2026-06-30T2200", "2026-07-01T2200", "now", "2026-07-09"] {
        std::fs::create_dir(reports.join(name)).unwrap();
        std::fs::write(reports.join(name).join("a.json"), "{}").unwrap();
    }
    let due_at = instant("2026-07-02T06:00:00+08:00");
    assert_eq!(newest(), Some(reports.join(directory_of(due_at)).join("a.json")));
    // A run that gave none, or has not yet.
    std::fs::create_dir(reports.join("2026-07-02T2200")).unwrap();
    assert_eq!(newest(), Some(reports.join("2026-07-01T2200").join("a.json")));
}

fn daily() -> Schedule {
    Schedule::parse("0 6 * * *", "Asia/Shanghai").unwrap()
}

fn ended(outcome: Outcome, detail: &str) -> Ended {
    Ended { outcome, detail: detail.to_owned(), inputs: None }
}

/// Keeps a schedule while runs end as told, one after the other; returns when each was due, which try it was, and when it
/// began.
async fn keep_with(
    schedule: &Schedule,
    path: &Path,
    clock: &Jumping,
    outcomes: &[Outcome],
) -> Vec<(DateTime<Utc>, u32, DateTime<Utc>)> {
    let mut log = RunLog::open(path).unwrap();
    let before = RunLog::read(path).unwrap().len();
    let number = Cell::new(0);
    let enough = futures::future::poll_fn(|_| {
        if number.get() >= outcomes.len() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    });
    let run = |_| {
        let outcome = outcomes[number.replace(number.get() + 1)];
        async move { ended(outcome, "told so") }
    };
    keep(schedule, &mut log, clock, &RunBoard::default(), enough, run).await.unwrap();
    let records = RunLog::read(path).unwrap().split_off(before);
    assert_eq!(records.iter().map(|record| record.outcome).collect::<Vec<_>>(), outcomes);
    records.into_iter().map(|record| (record.due_at, record.attempt, record.began_at)).collect()
}

/// Keeps a schedule for some runs, each taking some hours, and returns when they were due.
async fn keep_for(runs: usize, log: &mut RunLog, clock: &Jumping, hours: i64) -> Vec<DateTime<Utc>> {
    let due = RefCell::new(Vec::new());
    let running = Cell::new(false);
    let enough = futures::future::poll_fn(|_| {
        if due.borrow().len() >= runs { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    });
    keep(&daily(), log, clock, &RunBoard::default(), enough, |due_at| {
        let (due, running) = (&due, &running);
        async move {
            assert!(!running.replace(true), "two runs at a time");
            *clock.0.lock().unwrap() += chrono::TimeDelta::hours(hours);
            tokio::task::yield_now().await;
            due.borrow_mut().push(due_at);
            running.set(false);
            if hours > 0 { ended(Outcome::Done, "out") } else { ended(Outcome::Failed, "no report") }
        }
    })
    .await
    .unwrap();
    due.into_inner()
}

#[test]
fn a_schedule_speaks_the_time_of_its_zone() {
    let next = daily().next_after(instant("2025-08-05T00:00:00Z")).unwrap();
    assert_eq!(next, instant("2025-08-05T22:00:00Z"), "six in the morning at Lhasa's legal time");
    assert_eq!(daily().day_of(next).to_string(), "2025-08-06");
    assert!(matches!(Schedule::parse("every day", "Asia/Shanghai"), Err(ScheduleError::Expression { .. })));
    assert!(matches!(Schedule::parse("0 6 * * *", "Asia/Lhassa"), Err(ScheduleError::Zone(_))));
}

#[tokio::test]
async fn runs_follow_each_other_and_stand_on_record() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("runs.jsonl");
    let mut log = RunLog::open(&path).unwrap();
    let clock = Jumping::at("2025-08-05T00:00:00Z");
    let due = keep_for(2, &mut log, &clock, 1).await;
    assert_eq!(due, [instant("2025-08-05T22:00:00Z"), instant("2025-08-06T22:00:00Z")]);
    let records = RunLog::read(&path).unwrap();
    assert_eq!(records.iter().map(|record| record.due_at).collect::<Vec<_>>(), due);
    assert!(records.iter().all(|record| !record.made_up && record.outcome == Outcome::Done && record.detail == "out"));
    assert_eq!(records[0].ended_at, instant("2025-08-05T23:00:00Z"));
}

#[tokio::test]
async fn what_was_missed_is_made_up_in_its_order() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("runs.jsonl");
    let mut log = RunLog::open(&path).unwrap();
    keep_for(1, &mut log, &Jumping::at("2025-08-05T00:00:00Z"), 1).await;
    drop(log);
    let mut log = RunLog::open(&path).unwrap();
    let due = keep_for(4, &mut log, &Jumping::at("2025-08-08T23:00:00Z"), 1).await;
    let expected =
        ["2025-08-06", "2025-08-07", "2025-08-08", "2025-08-09"].map(|day| instant(&format!("{day}T22:00:00Z")));
    assert_eq!(due, expected);
    let made_up: Vec<bool> = RunLog::read(&path).unwrap().iter().map(|record| record.made_up).collect();
    assert_eq!(made_up, [false, true, true, false, false]);
}

#[tokio::test]
async fn a_run_that_takes_longer_than_a_day_delays_the_next_and_loses_none() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = RunLog::open(&directory.path().join("runs.jsonl")).unwrap();
    let due = keep_for(3, &mut log, &Jumping::at("2025-08-05T00:00:00Z"), 30).await;
    let expected = ["2025-08-05", "2025-08-06", "2025-08-07"].map(|day| instant(&format!("{day}T22:00:00Z")));
    assert_eq!(due, expected);
}

#[tokio::test]
async fn a_run_that_fails_is_on_record_with_its_reason() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("runs.jsonl");
    let mut log = RunLog::open(&path).unwrap();
    keep_for(1, &mut log, &Jumping::at("2025-08-05T00:00:00Z"), 0).await;
    let record = &RunLog::read(&path).unwrap()[0];
    assert_eq!((record.outcome, record.detail.as_str()), (Outcome::Failed, "no report"));
}

#[test]
fn after_a_long_absence_only_the_newest_runs_are_made_up() {
    let due = daily().due_between(instant("2025-01-01T00:00:00Z"), instant("2025-12-31T00:00:00Z"));
    assert_eq!(due.len(), MOST_MADE_UP);
    assert_eq!(due.last(), Some(&instant("2025-12-30T22:00:00Z")));
}

#[tokio::test]
async fn a_line_that_a_crash_cut_short_is_taken_off_and_its_run_made_up() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("runs.jsonl");
    let mut log = RunLog::open(&path).unwrap();
    keep_for(2, &mut log, &Jumping::at("2025-08-05T00:00:00Z"), 1).await;
    drop(log);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
    let mut log = RunLog::open(&path).unwrap();
    assert_eq!(log.newest_due(), Some(instant("2025-08-05T22:00:00Z")));
    let due = keep_for(1, &mut log, &Jumping::at("2025-08-07T00:00:00Z"), 1).await;
    assert_eq!(due, [instant("2025-08-06T22:00:00Z")]);
    assert_eq!(RunLog::read(&path).unwrap().len(), 2);
}

#[tokio::test]
async fn of_two_replicas_one_makes_a_run_and_the_other_makes_up_what_was_not_brought_to_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("runs.jsonl");
    let mut ours = RunLog::open(&path).unwrap();
    let mut theirs = RunLog::open(&path).unwrap();
    let (clock, made) = (Jumping::at("2026-06-01T00:00:00Z"), RefCell::new(Vec::new()));
    let first = instant("2026-06-01T22:00:00Z");
    let enough = futures::future::poll_fn(|_| {
        if made.borrow().len() >= 4 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    });
    keep(&daily(), &mut ours, &clock, &RunBoard::default(), enough, |due_at| {
        made.borrow_mut().push(due_at);
        let turn = made.borrow().len();
        if turn == 2 {
            // The other replica brings the second run to its end, and this one finds the lake in use.
            let record = RunRecord {
                due_at,
                began_at: due_at,
                ended_at: due_at,
                made_up: false,
                attempt: 1,
                outcome: Outcome::Done,
                detail: String::new(),
                asked: false,
                took_millis: 0,
                version: None,
                inputs: None,
            };
            theirs.append(&record).unwrap();
        }
        // The first run the other one begins, too, and never ends.
        async move { ended(if turn <= 2 { Outcome::Elsewhere } else { Outcome::Done }, "") }
    })
    .await
    .unwrap();
    let days = |days: [i64; 4]| days.map(|day| first + TimeDelta::days(day)).to_vec();
    assert_eq!(made.into_inner(), days([0, 0, 1, 2]), "the first one is made up at the next turn");
    let mut on_record: Vec<_> = RunLog::read(&path).unwrap().iter().map(|record| record.due_at).collect();
    on_record.sort_unstable();
    on_record.dedup();
    assert_eq!(on_record.len(), 3);
}

#[tokio::test]
async fn a_run_that_is_asked_for_is_made_once_between_those_of_the_schedule_and_counts_as_none_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("runs.jsonl");
    let mut log = RunLog::open(&path).unwrap();
    let (clock, made, board) = (Jumping::at("2026-06-01T00:00:00Z"), RefCell::new(Vec::new()), RunBoard::default());
    let asked = instant("2026-06-01T12:34:00Z");
    board.ask(asked);
    board.ask(asked);
    assert_eq!(board.pending(asked), Some(Pending::Waiting));
    let enough = futures::future::poll_fn(|_| {
        if made.borrow().len() >= 2 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    });
    keep(&daily(), &mut log, &clock, &board, enough, |due_at| {
        assert_eq!(board.pending(due_at), Some(Pending::Running));
        made.borrow_mut().push(due_at);
        let inputs = Inputs {
            on: crate::testing::day("2026-06-01"),
            as_of: due_at,
            catalogue: "c".to_owned(),
            positions: [("health".to_owned(), 7)].into(),
        };
        async move { Ended { inputs: Some(inputs), ..ended(Outcome::Done, "out") } }
    })
    .await
    .unwrap();
    assert_eq!(made.into_inner(), [asked, instant("2026-06-01T22:00:00Z")]);
    assert_eq!(board.pending(asked), None);
    let records = RunLog::read(&path).unwrap();
    let told: Vec<_> = records.iter().map(|record| (record.asked, record.version.is_some())).collect();
    assert_eq!(told, [(true, true), (false, true)]);
    assert_eq!(records[0].inputs.as_ref().unwrap().positions["health"], 7);
    assert_eq!(RunLog::open(&path).unwrap().newest_due(), Some(instant("2026-06-01T22:00:00Z")));
}

#[test]
fn only_the_newest_reports_are_kept_and_other_directories_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["2026-06-01T2200", "2026-06-02T2200", "2026-06-03T2200", "2026-06-04T2200", "by-hand"] {
        std::fs::create_dir(directory.path().join(name)).unwrap();
        std::fs::write(directory.path().join(name).join("a.json"), "{}").unwrap();
    }
    let gone = forget_all_but(directory.path(), 3).unwrap();
    assert_eq!(gone, [directory.path().join("2026-06-01T2200")]);
    let left = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!((left, forget_all_but(directory.path(), 3).unwrap().len()), (4, 0));
}

#[tokio::test]
async fn the_very_first_run_is_made_up_when_it_was_cut_short() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("runs.jsonl");
    let begun = Cell::new(false);
    {
        let mut log = RunLog::open(&path).unwrap();
        let clock = Jumping::at("2025-08-05T00:00:00Z");
        let cut = futures::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            if begun.get() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        });
        let (schedule, board) = (daily(), RunBoard::default());
        let kept = keep(&schedule, &mut log, &clock, &board, std::future::pending(), |_| {
            begun.set(true);
            std::future::pending::<Ended>()
        });
        tokio::select! {
            _ = kept => panic!("the run never ends"),
            () = cut => {}
        }
    }
    assert_eq!(RunLog::read(&path).unwrap(), []);
    let mut log = RunLog::open(&path).unwrap();
    let due = keep_for(1, &mut log, &Jumping::at("2025-08-06T01:00:00Z"), 1).await;
    assert_eq!(due, [instant("2025-08-05T22:00:00Z")]);
}

#[tokio::test]
async fn a_run_without_a_whole_report_says_so_and_is_tried_again_until_it_has_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("runs.jsonl");
    let outcomes = [Outcome::Incomplete, Outcome::Failed, Outcome::Done, Outcome::Done];
    let tries = keep_with(&daily(), &path, &Jumping::at("2025-08-05T00:00:00Z"), &outcomes).await;
    let first = instant("2025-08-05T22:00:00Z");
    let second = instant("2025-08-06T22:00:00Z");
    let expected = [
        (first, 1, first),
        (first, 2, instant("2025-08-05T22:01:00Z")),
        (first, 3, instant("2025-08-05T22:11:00Z")),
        (second, 1, second),
    ];
    assert_eq!(tries, expected);
}

#[tokio::test]
async fn a_run_is_tried_again_so_often_and_not_beyond_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("daily.jsonl");
    let start = "2025-08-05T00:00:00Z";
    let tries = keep_with(&daily(), &path, &Jumping::at(start), &[Outcome::Failed; 5]).await;
    let tries: Vec<_> = tries.into_iter().map(|(due_at, attempt, _)| (due_at, attempt)).collect();
    let (first, second) = (instant("2025-08-05T22:00:00Z"), instant("2025-08-06T22:00:00Z"));
    assert_eq!(tries, [(first, 1), (first, 2), (first, 3), (first, 4), (second, 1)]);

    let path = directory.path().join("often.jsonl");
    let often = Schedule::parse("*/30 * * * *", "Asia/Shanghai").unwrap();
    let tries = keep_with(&often, &path, &Jumping::at(start), &[Outcome::Incomplete; 4]).await;
    let began: Vec<_> = tries.into_iter().map(|(_, attempt, began_at)| (attempt, began_at)).collect();
    let at = |time: &str| instant(&format!("2025-08-05T{time}:00Z"));
    assert_eq!(began, [(1, at("00:30")), (2, at("00:31")), (3, at("00:41")), (1, at("01:00"))]);
}

#[tokio::test]
async fn trying_again_goes_on_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("runs.jsonl");
    keep_with(&daily(), &path, &Jumping::at("2025-08-05T00:00:00Z"), &[Outcome::Failed]).await;
    let tries = keep_with(&daily(), &path, &Jumping::at("2025-08-05T23:00:00Z"), &[Outcome::Done]).await;
    assert_eq!(tries, [(instant("2025-08-05T22:00:00Z"), 2, instant("2025-08-05T23:01:00Z"))]);
}
