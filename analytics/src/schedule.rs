//! When reports are made: cron expressions in a time zone, one run at a time, missed runs made up, each on record.
//!
//! The record is a file of JSON lines. Its first line says since when the schedule is kept. A run stands there once it
//! has ended, so one that a crash cut short, the very first included, counts as missed and is made up, and what was due
//! while nobody was there is made up in its order. A run that failed, or whose report lacks a department, stands there
//! as such and is tried again after each of [`TRIED_AGAIN_AFTER`], until the next one is due: that one reads the feeds
//! anyway.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use croner::Cron;
use serde::{Deserialize, Serialize};

use crate::model::wire;

/// So many missed runs are made up at most, the newest; a report for each hour of a lost month helps nobody.
pub const MOST_MADE_UP: usize = 31;

/// How long after a try that gave no whole report the next one begins.
pub const TRIED_AGAIN_AFTER: [TimeDelta; 3] = [TimeDelta::minutes(1), TimeDelta::minutes(10), TimeDelta::minutes(60)];

/// The name of the directory of a run's report: the instant, UTC, at which the run was due. Names are in the order of
/// time.
const DIRECTORY: &str = "%Y-%m-%dT%H%M";

/// Names the directory of the report of a run, by the instant at which it was due.
pub fn directory_of(due_at: DateTime<Utc>) -> String {
    due_at.format(DIRECTORY).to_string()
}

/// Finds a file in the directory of the run that was due last, of those runs that have it; other directories beside
/// theirs, such as that of a report which an operator made, are passed over.
pub fn newest_with(reports: &Path, file: &str) -> std::io::Result<Option<PathBuf>> {
    let mut runs = Vec::new();
    for entry in std::fs::read_dir(reports)? {
        let name = entry?.file_name();
        let due_at = name.to_str().and_then(|name| NaiveDateTime::parse_from_str(name, DIRECTORY).ok());
        runs.extend(due_at.map(|due_at| (due_at, name)));
    }
    runs.sort();
    Ok(runs.into_iter().rev().map(|(_, name)| reports.join(name).join(file)).find(|file| file.is_file()))
}

/// Why a schedule cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// It is not a cron expression.
    #[error("`{expression}` is not a cron expression: {reason}")]
    Expression {
        /// What was given.
        expression: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such time zone.
    #[error("`{0}` is not a time zone")]
    Zone(String),
    /// The record of runs cannot be read or written.
    #[error("the record of runs {path} cannot be used")]
    Record {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Another process keeps the same record.
    #[error("another process keeps the record of runs {0}")]
    InUse(PathBuf),
}

/// A cron expression in a time zone.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Cron,
    zone: Tz,
}

impl Schedule {
    /// Reads an expression such as `0 6 * * *` and a zone such as `Asia/Shanghai`.
    pub fn parse(expression: &str, zone: &str) -> Result<Self, ScheduleError> {
        let cron = Cron::from_str(expression).map_err(|error| ScheduleError::Expression {
            expression: expression.to_owned(),
            reason: error.to_string(),
        })?;
        let zone = zone.parse().map_err(|_| ScheduleError::Zone(zone.to_owned()))?;
        Ok(Self { cron, zone })
    }

    /// Returns the first instant after one at which a run is due; none where there is no such instant.
    pub fn next_after(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = instant.with_timezone(&self.zone);
        self.cron.find_next_occurrence(&local, false).ok().map(|due| due.with_timezone(&Utc))
    }

    /// Returns the day in the schedule's zone.
    pub fn day_of(&self, instant: DateTime<Utc>) -> chrono::NaiveDate {
        instant.with_timezone(&self.zone).date_naive()
    }

    /// Returns what was due after one instant and until another, at most the newest [`MOST_MADE_UP`].
    pub fn due_between(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let mut due = VecDeque::new();
        let mut next = self.next_after(after);
        while let Some(instant) = next.filter(|instant| *instant <= until) {
            due.push_back(instant);
            if due.len() > MOST_MADE_UP {
                due.pop_front();
            }
            next = self.next_after(instant);
        }
        due.into()
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There is a report, and every department's records are in it.
    Done,
    /// There is a report, but the records of some department are not, or not all.
    Incomplete,
    /// There is none.
    Failed,
}

/// What a run gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub outcome: Outcome,
    /// Where the report is and what it lacks, or why there is none.
    pub detail: String,
}

/// A run that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// When it was due.
    #[serde(with = "wire::instant")]
    pub due_at: DateTime<Utc>,
    /// When it began.
    #[serde(with = "wire::instant")]
    pub began_at: DateTime<Utc>,
    /// When it ended.
    #[serde(with = "wire::instant")]
    pub ended_at: DateTime<Utc>,
    /// It was made up: another run was due before it began.
    pub made_up: bool,
    /// Which try it was, from 1.
    #[serde(default = "first_try")]
    pub attempt: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Where the report is and what it lacks, or why there is none.
    pub detail: String,
}

fn first_try() -> u32 {
    1
}

/// A line of the record.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    /// A run that has ended.
    Run(RunRecord),
    /// The beginning of the record.
    Beginning {
        /// Since when the schedule is kept.
        #[serde(with = "wire::instant")]
        kept_since: DateTime<Utc>,
    },
}

/// The record of runs. While it is open no other process may keep it.
#[derive(Debug)]
pub struct RunLog {
    path: PathBuf,
    file: File,
    kept_since: Option<DateTime<Utc>>,
    newest: Option<RunRecord>,
}

impl RunLog {
    /// Opens the record, or begins one.
    ///
    /// A last line that a crash cut short is taken off.
    pub fn open(path: &Path) -> Result<Self, ScheduleError> {
        let wrong = |source| ScheduleError::Record { path: path.to_owned(), source };
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(wrong)?;
        }
        let file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(wrong)?;
        file.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => ScheduleError::InUse(path.to_owned()),
            std::fs::TryLockError::Error(source) => wrong(source),
        })?;
        let read = Read::from(&file).map_err(wrong)?;
        file.set_len(read.sound).map_err(wrong)?;
        // Of several tries of one run the last counts.
        let newest = read.records.into_iter().max_by_key(|record| record.due_at);
        Ok(Self { path: path.to_owned(), file, kept_since: read.kept_since, newest })
    }

    /// Reads a record that another process may be keeping, the oldest run first.
    pub fn read(path: &Path) -> Result<Vec<RunRecord>, ScheduleError> {
        let wrong = |source| ScheduleError::Record { path: path.to_owned(), source };
        Read::from(&File::open(path).map_err(wrong)?).map(|read| read.records).map_err(wrong)
    }

    /// Returns the newest instant that a recorded run was due at.
    pub fn newest_due(&self) -> Option<DateTime<Utc>> {
        self.newest.as_ref().map(|record| record.due_at)
    }

    /// Returns the instant after which runs are due that are not on record: that of the newest that is, else the one
    /// since which the schedule is kept, and that is noted as now where the record is new.
    fn due_after(&mut self, now: DateTime<Utc>) -> Result<DateTime<Utc>, ScheduleError> {
        if let Some(known) = self.newest_due().or(self.kept_since) {
            return Ok(known);
        }
        self.write(&Line::Beginning { kept_since: now })?;
        self.kept_since = Some(now);
        Ok(now)
    }

    /// Returns the newest run with the number of tries it had, where they gave no whole report and one more is left.
    fn unfinished(&self) -> Option<(DateTime<Utc>, u32)> {
        let newest = self.newest.as_ref()?;
        let left = newest.outcome != Outcome::Done && wait_after(newest.attempt).is_some();
        left.then_some((newest.due_at, newest.attempt))
    }

    /// Adds a run, durably.
    pub fn append(&mut self, record: &RunRecord) -> Result<(), ScheduleError> {
        self.write(&Line::Run(record.clone()))?;
        if self.newest_due().is_none_or(|newest| newest <= record.due_at) {
            self.newest = Some(record.clone());
        }
        Ok(())
    }

    fn write(&mut self, line: &Line) -> Result<(), ScheduleError> {
        let wrong = |source| ScheduleError::Record { path: self.path.clone(), source };
        let mut line = serde_json::to_vec(line).map_err(|error| wrong(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).and_then(|()| self.file.sync_data()).map_err(wrong)
    }
}

/// How long to wait after a try that gave no whole report; none when it was the last.
fn wait_after(attempt: u32) -> Option<TimeDelta> {
    usize::try_from(attempt).ok()?.checked_sub(1).and_then(|index| TRIED_AGAIN_AFTER.get(index)).copied()
}

/// What a record holds.
#[derive(Default)]
struct Read {
    kept_since: Option<DateTime<Utc>>,
    records: Vec<RunRecord>,
    /// The length of what reads.
    sound: u64,
}

impl Read {
    /// Reads whole lines.
    fn from(file: &File) -> std::io::Result<Self> {
        let mut reader = BufReader::new(file);
        let mut read = Self::default();
        let mut line = String::new();
        loop {
            line.clear();
            let length = reader.read_line(&mut line)?;
            let Some(whole) = line.strip_suffix('\n') else { return Ok(read) };
            match serde_json::from_str(whole)? {
                Line::Run(record) => read.records.push(record),
                Line::Beginning { kept_since } => read.kept_since = read.kept_since.or(Some(kept_since)),
            }
            read.sound += u64::try_from(length).unwrap_or_default();
        }
    }
}

/// The time of day, and waiting for another.
pub trait Clock {
    /// Returns the instant.
    fn now(&self) -> DateTime<Utc>;

    /// Waits until an instant.
    fn wait_until(&self, instant: DateTime<Utc>) -> impl Future<Output = ()> + Send;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    async fn wait_until(&self, instant: DateTime<Utc>) {
        // In steps of a minute at most, so that a clock that was set is noticed.
        while let Ok(left) = (instant - Utc::now()).to_std() {
            tokio::time::sleep(left.min(std::time::Duration::from_mins(1))).await;
            if left.is_zero() {
                break;
            }
        }
    }
}

/// Keeps a schedule until `stop`: each due run in turn, the missed ones first.
///
/// A run gets the instant it was due at and answers with what it gave. A run that takes longer than the time to the
/// next delays it. One that gave no whole report is tried again, until the next is due or no try is left. `stop` is
/// heeded between runs, never within one.
pub async fn keep<R>(
    schedule: &Schedule,
    log: &mut RunLog,
    clock: &impl Clock,
    stop: impl Future<Output = ()>,
    mut run: impl FnMut(DateTime<Utc>) -> R,
) -> Result<(), ScheduleError>
where
    R: Future<Output = Ended>,
{
    let mut stop = std::pin::pin!(stop);
    let mut due_after = log.due_after(clock.now())?;
    let mut tried = log.unfinished();
    loop {
        let now = clock.now();
        let mut due: VecDeque<DateTime<Utc>> = schedule.due_between(due_after, now).into();
        // Without another run due, the last one is tried again once its time has come.
        let again = tried.take().filter(|_| due.is_empty());
        if let Some((due_at, attempt)) = again {
            let next_try = now + wait_after(attempt).unwrap_or_default();
            let next_due = schedule.next_after(due_at.max(now));
            tokio::select! {
                () = stop.as_mut() => return Ok(()),
                () = clock.wait_until(next_due.map_or(next_try, |next| next.min(next_try))) => {}
            }
            if next_due.is_some_and(|next| next <= next_try) {
                continue;
            }
            due.push_back(due_at);
        }
        let mut attempt = again.map_or(1, |(_, attempt)| attempt + 1);
        for due_at in due {
            due_after = due_after.max(due_at);
            let began_at = clock.now();
            let made_up = schedule.next_after(due_at).is_some_and(|next| next <= began_at);
            let Ended { outcome, detail } = run(due_at).await;
            log.append(&RunRecord { due_at, began_at, ended_at: clock.now(), made_up, attempt, outcome, detail })?;
            attempt = 1;
            tried = log.unfinished();
            if futures::poll!(stop.as_mut()).is_ready() {
                return Ok(());
            }
        }
        if tried.is_some() {
            continue;
        }
        let Some(next) = schedule.next_after(due_after.max(now)) else { return Ok(()) };
        tokio::select! {
            () = stop.as_mut() => return Ok(()),
            () = clock.wait_until(next) => {}
        }
    }
}

#[cfg(test)]
mod tests;
