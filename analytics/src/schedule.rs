//! When reports are made: cron expressions in a time zone, one run at a time, missed runs made up, each on record.
//!
//! The record is a file of JSON lines. A run stands there once it has ended, so one that a crash cut short counts as
//! missed and is made up, and what was due while nobody was there is made up in its order.

use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use serde::{Deserialize, Serialize};

use crate::model::wire;

/// So many missed runs are made up at most, the newest; a report for each hour of a lost month helps nobody.
pub const MOST_MADE_UP: usize = 31;

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

    /// Returns the first moment after one at which a run is due; none where there is no such moment.
    pub fn next_after(&self, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = moment.with_timezone(&self.zone);
        self.cron.find_next_occurrence(&local, false).ok().map(|due| due.with_timezone(&Utc))
    }

    /// Returns the day in the schedule's zone.
    pub fn day_of(&self, moment: DateTime<Utc>) -> chrono::NaiveDate {
        moment.with_timezone(&self.zone).date_naive()
    }

    /// Returns what was due after one moment and until another, at most the newest [`MOST_MADE_UP`].
    pub fn due_between(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let mut due = std::collections::VecDeque::new();
        let mut next = self.next_after(after);
        while let Some(moment) = next.filter(|moment| *moment <= until) {
            due.push_back(moment);
            if due.len() > MOST_MADE_UP {
                due.pop_front();
            }
            next = self.next_after(moment);
        }
        due.into()
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There is a report.
    Done,
    /// There is none.
    Failed,
}

/// A run that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// When it was due.
    #[serde(with = "wire::moment")]
    pub due_at: DateTime<Utc>,
    /// When it began.
    #[serde(with = "wire::moment")]
    pub began_at: DateTime<Utc>,
    /// When it ended.
    #[serde(with = "wire::moment")]
    pub ended_at: DateTime<Utc>,
    /// It was made up: another run was due before it began.
    pub made_up: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// Where the report is, or why there is none.
    pub detail: String,
}

/// The record of runs. While it is open no other process may keep it.
#[derive(Debug)]
pub struct RunLog {
    path: PathBuf,
    file: File,
    newest_due: Option<DateTime<Utc>>,
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
        let (records, sound) = read_records(&file).map_err(wrong)?;
        file.set_len(sound).map_err(wrong)?;
        let newest_due = records.iter().map(|record| record.due_at).max();
        Ok(Self { path: path.to_owned(), file, newest_due })
    }

    /// Reads a record that another process may be keeping, the oldest run first.
    pub fn read(path: &Path) -> Result<Vec<RunRecord>, ScheduleError> {
        let wrong = |source| ScheduleError::Record { path: path.to_owned(), source };
        read_records(&File::open(path).map_err(wrong)?).map(|(records, _)| records).map_err(wrong)
    }

    /// Returns the newest moment that a recorded run was due at.
    pub fn newest_due(&self) -> Option<DateTime<Utc>> {
        self.newest_due
    }

    /// Adds a run, durably.
    pub fn append(&mut self, record: &RunRecord) -> Result<(), ScheduleError> {
        let wrong = |source| ScheduleError::Record { path: self.path.clone(), source };
        let mut line = serde_json::to_vec(record).map_err(|error| wrong(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).and_then(|()| self.file.sync_data()).map_err(wrong)?;
        self.newest_due = self.newest_due.max(Some(record.due_at));
        Ok(())
    }
}

/// Reads whole lines; returns the runs and the length of what reads.
fn read_records(file: &File) -> std::io::Result<(Vec<RunRecord>, u64)> {
    let mut reader = BufReader::new(file);
    let mut records = Vec::new();
    let mut sound = 0;
    let mut line = String::new();
    loop {
        line.clear();
        let length = reader.read_line(&mut line)?;
        let Some(whole) = line.strip_suffix('\n') else { return Ok((records, sound)) };
        records.push(serde_json::from_str(whole)?);
        sound += u64::try_from(length).unwrap_or_default();
    }
}

/// The time of day, and waiting for another.
pub trait Clock {
    /// Returns the moment.
    fn now(&self) -> DateTime<Utc>;

    /// Waits until a moment.
    fn wait_until(&self, moment: DateTime<Utc>) -> impl Future<Output = ()> + Send;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    async fn wait_until(&self, moment: DateTime<Utc>) {
        // In steps of a minute at most, so that a clock that was set is noticed.
        while let Ok(left) = (moment - Utc::now()).to_std() {
            tokio::time::sleep(left.min(std::time::Duration::from_mins(1))).await;
            if left.is_zero() {
                break;
            }
        }
    }
}

/// Keeps a schedule until `stop`: each due run in turn, the missed ones first.
///
/// A run gets the moment it was due at and answers with where the report is, or why there is none. A run that takes
/// longer than the time to the next delays it. `stop` is heeded between runs, never within one.
pub async fn keep<R>(
    schedule: &Schedule,
    log: &mut RunLog,
    clock: &impl Clock,
    stop: impl Future<Output = ()>,
    mut run: impl FnMut(DateTime<Utc>) -> R,
) -> Result<(), ScheduleError>
where
    R: Future<Output = Result<String, String>>,
{
    let mut stop = std::pin::pin!(stop);
    let mut done_until = log.newest_due().unwrap_or_else(|| clock.now());
    loop {
        let now = clock.now();
        for due_at in schedule.due_between(done_until, now) {
            done_until = due_at;
            let began_at = clock.now();
            let made_up = schedule.next_after(due_at).is_some_and(|next| next <= began_at);
            let (outcome, detail) = match run(due_at).await {
                Ok(detail) => (Outcome::Done, detail),
                Err(detail) => (Outcome::Failed, detail),
            };
            log.append(&RunRecord { due_at, began_at, ended_at: clock.now(), made_up, outcome, detail })?;
            if futures::poll!(stop.as_mut()).is_ready() {
                return Ok(());
            }
        }
        let Some(next) = schedule.next_after(done_until.max(now)) else { return Ok(()) };
        tokio::select! {
            () = stop.as_mut() => return Ok(()),
            () = clock.wait_until(next) => {}
        }
    }
}

#[cfg(test)]
mod tests;
