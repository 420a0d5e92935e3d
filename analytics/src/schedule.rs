//! When reports are made: cron expressions in a time zone, one run at a time, missed runs made up, each on record.
//!
//! The record is a file of JSON lines. Its first line says since when the schedule is kept. A run stands there once it
//! has ended, so one that a crash cut short, the very first included, counts as missed and is made up, and what was due
//! while nobody was there is made up in its order. A run that failed, or whose report lacks a department, stands there
//! as such and is tried again after each of [`TRIED_AGAIN_AFTER`], until the next one is due: that one reads the feeds
//! anyway.
//!
//! Several replicas may keep one record: who finds the lake in use by another says so and waits for its next turn, and
//! makes up then what the other did not bring to its end. Runs that somebody asks for ([`RunBoard`]) stand between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use croner::Cron;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::model::{AttainmentDocument, wire};

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

/// Returns the minute, UTC, at which a run was due, by the name of its report's directory.
pub fn run_of(directory: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(directory, DIRECTORY).ok()
}

/// Finds a file in the directory of the run that was due last, of those runs that have it; other directories beside
/// theirs, such as that of a report which an operator made, are passed over.
pub fn newest_with(reports: &Path, file: &str) -> std::io::Result<Option<PathBuf>> {
    Ok(runs_below(reports)?.into_iter().rev().map(|(_, run)| run.join(file)).find(|file| file.is_file()))
}

/// Removes the directories of all runs but the newest; returns those that are gone. Other directories are left alone.
pub fn forget_all_but(reports: &Path, newest: usize) -> std::io::Result<Vec<PathBuf>> {
    let runs = runs_below(reports)?;
    let old: Vec<PathBuf> = runs.into_iter().rev().skip(newest).map(|(_, run)| run).collect();
    for run in &old {
        std::fs::remove_dir_all(run)?;
    }
    Ok(old)
}

/// Lists the directories of runs, the one that was due first at the beginning.
fn runs_below(reports: &Path) -> std::io::Result<Vec<(NaiveDateTime, PathBuf)>> {
    let mut runs = Vec::new();
    for entry in std::fs::read_dir(reports)? {
        let name = entry?.file_name();
        let due_at = name.to_str().and_then(run_of);
        runs.extend(due_at.map(|due_at| (due_at, reports.join(name))));
    }
    runs.sort();
    Ok(runs)
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
    /// Another replica was at work on the lake. Stands on no record.
    Elsewhere,
}

/// What a report was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// The day that the figures are true for.
    #[serde(with = "wire::date")]
    pub on: NaiveDate,
    /// The instant up to which records were taken into account.
    #[serde(with = "wire::instant")]
    pub as_of: DateTime<Utc>,
    /// The catalogue's edition.
    pub catalogue: String,
    /// The last position of each service's journal that counts.
    pub positions: BTreeMap<String, i64>,
}

impl Inputs {
    /// Reads them off what a run found.
    pub fn of(document: &AttainmentDocument) -> Self {
        let positions = document.sources.iter().map(|source| (source.service.clone(), source.position));
        let (on, as_of, catalogue) = (document.on, document.as_of, document.catalogue.clone());
        Self { on, as_of, catalogue, positions: positions.collect() }
    }
}

/// What a run gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub outcome: Outcome,
    /// Where the report is and what it lacks, or why there is none.
    pub detail: String,
    /// What the report was made from; none where there is none.
    pub inputs: Option<Inputs>,
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
    /// Somebody asked for it; the schedule did not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asked: bool,
    /// How long it took, milliseconds.
    #[serde(default)]
    pub took_millis: i64,
    /// The version of the software that made it; none in records of a version that did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the report was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Inputs>,
}

/// The version of this software, as records of runs have it.
const VERSION: &str = env!("CARGO_PKG_VERSION");

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

/// Runs that somebody asks for, and the one that is under way.
#[derive(Debug, Clone, Default)]
pub struct RunBoard(Arc<(Mutex<Board>, Notify)>);

#[derive(Debug, Default)]
struct Board {
    asked: BTreeSet<DateTime<Utc>>,
    /// The runs that calls asked for, by the calls' own ids, the newest last.
    calls: VecDeque<(String, DateTime<Utc>)>,
    running: Option<DateTime<Utc>>,
}

/// So many calls are known by their ids.
const CALLS_KNOWN: usize = 1000;

/// Where a run stands that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// Its turn has not come.
    Waiting,
    /// It is under way.
    Running,
}

impl RunBoard {
    fn with<T>(&self, work: impl FnOnce(&mut Board) -> T) -> T {
        work(&mut self.0.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the instant of the run that a call asks for: its own, or that of the first call with its id.
    pub fn instant_of(&self, call: &str, due_at: DateTime<Utc>) -> DateTime<Utc> {
        self.with(|board| {
            if let Some((_, first)) = board.calls.iter().find(|(known, _)| known == call) {
                return *first;
            }
            board.calls.push_back((call.to_owned(), due_at));
            if board.calls.len() > CALLS_KNOWN {
                board.calls.pop_front();
            }
            due_at
        })
    }

    /// Asks for a run of an instant; asked for twice, it is made once.
    pub fn ask(&self, due_at: DateTime<Utc>) {
        self.with(|board| board.running != Some(due_at) && board.asked.insert(due_at));
        self.0.1.notify_one();
    }

    /// Says where a run stands; none for one that nobody asked for, or that has ended.
    pub fn pending(&self, due_at: DateTime<Utc>) -> Option<Pending> {
        self.with(|board| match board.running {
            Some(running) if running == due_at => Some(Pending::Running),
            _ => board.asked.contains(&due_at).then_some(Pending::Waiting),
        })
    }

    /// Takes the next run that was asked for.
    fn take(&self) -> Option<DateTime<Utc>> {
        self.with(|board| board.asked.first().copied())
    }

    /// Resolves once a run is asked for.
    async fn asked(&self) {
        while self.take().is_none() {
            self.0.1.notified().await;
        }
    }

    fn begin(&self, due_at: DateTime<Utc>) {
        self.with(|board| {
            board.asked.remove(&due_at);
            board.running = Some(due_at);
        });
    }

    fn end(&self) {
        self.with(|board| board.running = None);
    }
}

/// The record of runs, which several replicas may keep: each line is written under a lock, by whoever writes it.
#[derive(Debug)]
pub struct RunLog {
    path: PathBuf,
    file: File,
    /// The length of what was read.
    read: u64,
    kept_since: Option<DateTime<Utc>>,
    newest: Option<RunRecord>,
    /// The scheduled runs on record, by the instant at which they were due.
    known: BTreeSet<DateTime<Utc>>,
}

impl RunLog {
    /// Opens the record, or begins one.
    ///
    /// A last line that a crash cut short is taken off before another is written.
    pub fn open(path: &Path) -> Result<Self, ScheduleError> {
        let wrong = |source| ScheduleError::Record { path: path.to_owned(), source };
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(wrong)?;
        }
        let file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(wrong)?;
        let path = path.to_owned();
        let mut log = Self { path, file, read: 0, kept_since: None, newest: None, known: BTreeSet::new() };
        log.refresh()?;
        Ok(log)
    }

    /// Reads what others have written since the last time.
    fn refresh(&mut self) -> Result<(), ScheduleError> {
        let wrong = |source| ScheduleError::Record { path: self.path.clone(), source };
        self.file.seek(SeekFrom::Start(self.read)).map_err(wrong)?;
        let read = Read::from(&self.file).map_err(wrong)?;
        self.read += read.sound;
        self.kept_since = self.kept_since.or(read.kept_since);
        for record in read.records.into_iter().filter(|record| !record.asked) {
            self.known.insert(record.due_at);
            // Of several tries of one run the last counts.
            if self.newest_due().is_none_or(|newest| newest <= record.due_at) {
                self.newest = Some(record);
            }
        }
        Ok(())
    }

    /// Reads a record that another process may be keeping, the oldest run first.
    pub fn read(path: &Path) -> Result<Vec<RunRecord>, ScheduleError> {
        let wrong = |source| ScheduleError::Record { path: path.to_owned(), source };
        Read::from(&File::open(path).map_err(wrong)?).map(|read| read.records).map_err(wrong)
    }

    /// Returns the newest instant that a recorded run of the schedule was due at.
    pub fn newest_due(&self) -> Option<DateTime<Utc>> {
        self.newest.as_ref().map(|record| record.due_at)
    }

    /// Returns the instant after which runs are due that are not on record: that of the newest that is, else the one
    /// since which the schedule is kept, and that is noted as now where the record is new.
    fn due_after(&mut self, now: DateTime<Utc>) -> Result<DateTime<Utc>, ScheduleError> {
        self.refresh()?;
        if let Some(known) = self.newest_due().or(self.kept_since) {
            return Ok(known);
        }
        self.write(&Line::Beginning { kept_since: now })?;
        Ok(self.kept_since.unwrap_or(now))
    }

    /// Returns the newest run with the number of tries it had, where they gave no whole report and one more is left.
    fn unfinished(&self) -> Option<(DateTime<Utc>, u32)> {
        let newest = self.newest.as_ref()?;
        let left = newest.outcome != Outcome::Done && wait_after(newest.attempt).is_some();
        left.then_some((newest.due_at, newest.attempt))
    }

    /// Adds a run, durably.
    pub fn append(&mut self, record: &RunRecord) -> Result<(), ScheduleError> {
        self.write(&Line::Run(record.clone()))
    }

    fn write(&mut self, line: &Line) -> Result<(), ScheduleError> {
        let wrong = |path: &Path| {
            let path = path.to_owned();
            move |source| ScheduleError::Record { path, source }
        };
        let mut line = serde_json::to_vec(line).map_err(|error| wrong(&self.path)(error.into()))?;
        line.push(b'\n');
        self.file.lock().map_err(wrong(&self.path))?;
        // What is behind the last whole line was cut short: whoever writes holds the lock.
        let written = self.refresh().and_then(|()| {
            let write = self.file.set_len(self.read).and_then(|()| self.file.write_all(&line));
            write.and_then(|()| self.file.sync_data()).map_err(wrong(&self.path))
        });
        self.file.unlock().map_err(wrong(&self.path))?;
        written?;
        self.refresh()
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

/// Keeps a schedule until `stop`: each due run in turn, the missed ones first, then those that somebody asked for.
///
/// A run gets the instant it was due at and answers with what it gave. A run that takes longer than the time to the
/// next delays it. One that gave no whole report is tried again, until the next is due or no try is left. One that another
/// replica was at is left to it; where that does not bring it to its end, it is made up at the next turn. `stop` is
/// heeded between runs, never within one.
pub async fn keep<R>(
    schedule: &Schedule,
    log: &mut RunLog,
    clock: &impl Clock,
    board: &RunBoard,
    stop: impl Future<Output = ()>,
    mut run: impl FnMut(DateTime<Utc>) -> R,
) -> Result<(), ScheduleError>
where
    R: Future<Output = Ended>,
{
    let mut stop = std::pin::pin!(stop);
    let mut due_after = log.due_after(clock.now())?;
    let mut tried = log.unfinished();
    let mut elsewhere: BTreeSet<DateTime<Utc>> = BTreeSet::new();
    loop {
        let now = clock.now();
        log.refresh()?;
        let mut due: VecDeque<DateTime<Utc>> = schedule.due_between(due_after, now).into();
        if !due.is_empty() {
            let left = std::mem::take(&mut elsewhere).into_iter().rev();
            left.for_each(|due_at| due.push_front(due_at));
        }
        // Another replica may have made them.
        due.retain(|due_at| !log.known.contains(due_at));
        due_after = due_after.max(schedule.due_between(due_after, now).last().copied().unwrap_or(due_after));
        let asked = board.take().filter(|_| due.is_empty());
        // Without another run due or asked for, the last one is tried again once its time has come.
        let again = tried.take_if(|_| asked.is_none()).filter(|_| due.is_empty());
        if let Some((due_at, attempt)) = again {
            let next_try = now + wait_after(attempt).unwrap_or_default();
            let next_due = schedule.next_after(due_at.max(now));
            tokio::select! {
                () = stop.as_mut() => return Ok(()),
                () = clock.wait_until(next_due.map_or(next_try, |next| next.min(next_try))) => {}
                () = board.asked() => {
                    tried = again;
                    continue;
                }
            }
            if next_due.is_some_and(|next| next <= next_try) {
                continue;
            }
            log.refresh()?;
            // Another replica may have tried it meanwhile.
            if log.unfinished() != Some((due_at, attempt)) {
                tried = log.unfinished();
                continue;
            }
            due.push_back(due_at);
        }
        let mut attempt = again.map_or(1, |(_, attempt)| attempt + 1);
        due.extend(asked);
        for due_at in due {
            let began_at = clock.now();
            let made_up = asked.is_none() && schedule.next_after(due_at).is_some_and(|next| next <= began_at);
            board.begin(due_at);
            let Ended { outcome, detail, inputs } = run(due_at).await;
            let ended_at = clock.now();
            let record = RunRecord {
                due_at,
                began_at,
                ended_at,
                made_up,
                attempt,
                outcome,
                detail,
                asked: asked.is_some(),
                took_millis: (ended_at - began_at).num_milliseconds(),
                version: Some(VERSION.to_owned()),
                inputs,
            };
            match (outcome, asked) {
                (Outcome::Elsewhere, None) => {
                    elsewhere.insert(due_at);
                }
                // Whoever asked is told, and may ask again.
                (Outcome::Elsewhere, Some(_)) => log.append(&RunRecord { outcome: Outcome::Failed, ..record })?,
                _ => log.append(&record)?,
            }
            board.end();
            attempt = 1;
            tried = log.unfinished();
            if futures::poll!(stop.as_mut()).is_ready() {
                return Ok(());
            }
        }
        if asked.is_some() || tried.is_some() {
            continue;
        }
        let next = schedule.next_after(due_after.max(now));
        let Some(next) = next else {
            if board.take().is_some() {
                continue;
            }
            return Ok(());
        };
        tokio::select! {
            () = stop.as_mut() => return Ok(()),
            () = clock.wait_until(next) => {}
            () = board.asked() => {}
        }
    }
}

#[cfg(test)]
mod tests;
