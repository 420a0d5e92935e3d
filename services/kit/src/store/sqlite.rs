//! SQLite: one writer thread that commits many waiting units together, and several readers.
//!
//! Each unit runs in a savepoint of its own, so that one that fails takes no other with it. A unit is answered only
//! after the commit that holds it has returned with `synchronous=FULL`. The file is locked for this process, so
//! that there is one writer and the order of positions is the order of commits.

use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender};
use diesel::{
    Connection as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection,
    connection::SimpleConnection as _,
};
use diesel_migrations::MigrationHarness as _;
use parking_lot::Mutex;
use tokio::{runtime::Handle, sync::oneshot};

use super::{
    AnyConnection, Migrations, StoreConfig, backend::check_unique_versions, schema::journal, watermark::Watermark,
};
use crate::error::Error;

/// Settings of each connection to an SQLite file; the benchmark's bare connection has the same.
///
/// Temporary storage is in memory: what a savepoint may have to put back is some pages of 4 KiB for each unit, and went
/// through a file otherwise.
pub const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; \
                                   PRAGMA synchronous = FULL; PRAGMA cache_size = -16384; \
                                   PRAGMA wal_autocheckpoint = 8000; PRAGMA temp_store = MEMORY;";

/// Most units that one commit holds: bounds how long the first one waits for the last.
const GROUP_LIMIT: usize = 256;

/// Units that a group may have whatever time they take: a disk that is very fast is no reason for commits of one.
const LEAST_GROUP: usize = 8;

/// Runs a unit on the writer's connection and gives back how to answer its caller once the commit is known.
type Work = Box<dyn FnOnce(&mut AnyConnection, i64) -> Done + Send>;

struct Job {
    work: Work,
    /// The caller's runtime.
    caller: Option<Handle>,
}

/// Answers a caller; told what was wrong with the commit, if anything was.
type Answer = Box<dyn FnOnce(Option<&str>) + Send>;

struct Done {
    recorded_at: Option<i64>,
    answer: Answer,
}

/// The answers of a group whose commit is known. They are given when this is dropped, wherever that is.
struct Answers {
    done: Vec<Done>,
    fault: Option<String>,
}

impl Answers {
    /// Sends them on the callers' runtime, if it is there: each one wakes a task, and the writer has the next group to
    /// write.
    fn give(self, callers: Option<&Handle>) {
        if let Some(callers) = callers {
            callers.spawn(async move { drop(self) });
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        for finished in self.done.drain(..) {
            (finished.answer)(self.fault.as_deref());
        }
    }
}

pub(super) struct SqliteBackend {
    writer: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    readers: Mutex<Vec<AnyConnection>>,
    watermark: Arc<Watermark>,
    path: PathBuf,
    connections: usize,
    _lock: File,
}

impl SqliteBackend {
    pub(super) fn open(path: PathBuf, config: &StoreConfig, migrations: &[Migrations]) -> Result<Self, Error> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(Error::internal)?;
        }
        let lock = File::create(path.with_extension("lock")).map_err(Error::internal)?;
        lock.try_lock().map_err(|error| Error::StoreUnavailable(Box::new(std::io::Error::from(error))))?;
        let mut connection = connect(&path)?;
        check_unique_versions::<diesel::sqlite::Sqlite>(migrations)?;
        for part in migrations {
            connection.run_pending_migrations(*part).map_err(Error::Internal)?;
        }
        // Instants grow with positions: the last entry has the latest one.
        let last = journal::table.order(journal::position.desc()).select(journal::recorded_at);
        let floor = last.first(&mut connection).optional()?.unwrap_or(0);
        let watermark = Arc::new(Watermark::default());
        let (writer, jobs) = crossbeam_channel::bounded::<Job>(GROUP_LIMIT * 4);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn({
                let (path, watermark) = (path.clone(), Arc::clone(&watermark));
                move || write_groups(AnyConnection::Sqlite(connection), &path, &jobs, &watermark, floor)
            })
            .map_err(Error::internal)?;
        Ok(Self {
            writer: Some(writer),
            thread: Some(thread),
            readers: Mutex::new(Vec::new()),
            watermark,
            path,
            connections: config.connections as usize,
            _lock: lock,
        })
    }

    pub(super) fn settle(&self, now: i64) -> i64 {
        self.watermark.settle(now)
    }

    pub(super) fn read<T, F>(&self, f: F) -> Result<T, Error>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, Error>,
    {
        self.on_reader(|connection| Ok(control::snapshot(connection, f)?))?
    }

    /// Reads by one statement, which is a snapshot by itself.
    pub(super) fn read_one<T, F>(&self, f: F) -> Result<T, Error>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, Error>,
    {
        self.on_reader(|connection| Ok(f(connection)))?
    }

    /// Lends a connection for reading; one on which this fails is not used again.
    fn on_reader<T>(&self, f: impl FnOnce(&mut AnyConnection) -> Result<T, Error>) -> Result<T, Error> {
        // The guard is a temporary of this statement: the lock is not held while reading.
        let pooled = self.readers.lock().pop();
        let mut connection = match pooled {
            Some(connection) => connection,
            None => AnyConnection::Sqlite(connect(&self.path)?),
        };
        let result = f(&mut connection)?;
        let mut readers = self.readers.lock();
        if readers.len() < self.connections {
            readers.push(connection);
        }
        Ok(result)
    }

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection, i64) -> Result<(T, i64), Error> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let span = tracing::Span::current();
        let work = Box::new(move |connection: &mut AnyConnection, floor| {
            if answer.is_closed() {
                // Its caller went away while it waited, by a deadline or a lost connection: nobody would hear of the write.
                return Done { recorded_at: None, answer: Box::new(|_| ()) };
            }
            let result = span.in_scope(|| {
                control::unit(connection, |connection| {
                    catch_unwind(AssertUnwindSafe(|| work(connection, floor)))
                        .unwrap_or_else(|_| Err(Error::internal("a unit of work panicked")))
                })
            });
            let (recorded_at, result) = match result {
                Ok((value, now)) => (Some(now), Ok(value)),
                Err(error) => (None, Err(error)),
            };
            Done {
                recorded_at,
                answer: Box::new(move |fault| {
                    let result = match (result, fault) {
                        (Ok(_), Some(fault)) => Err(Error::StoreUnavailable(fault.to_owned().into())),
                        (result, _) => result,
                    };
                    // A caller that went away needs no answer.
                    let _ = answer.send(result);
                }),
            }
        });
        let job = Job { work, caller: Handle::try_current().ok() };
        let stopped = || Error::StoreUnavailable("the store is stopping".into());
        let writer = self.writer.as_ref().ok_or_else(stopped)?;
        if let Err(error) = writer.try_send(job) {
            // The queue is full: wait for a place on a thread that may block.
            let (writer, job) = (writer.clone(), error.into_inner());
            tokio::task::spawn_blocking(move || writer.send(job).is_ok())
                .await
                .map_err(Error::internal)?
                .then_some(())
                .ok_or_else(stopped)?;
        }
        answered.await.map_err(|_| stopped())?
    }
}

impl Drop for SqliteBackend {
    fn drop(&mut self) {
        drop(self.writer.take());
        if let Some(thread) = self.thread.take()
            // A unit's closure may hold the last handle of the store: then this is the writer, and it ends by itself.
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

fn connect(path: &Path) -> Result<SqliteConnection, Error> {
    let unavailable = |error: Box<dyn std::error::Error + Send + Sync>| Error::StoreUnavailable(error);
    let mut connection =
        SqliteConnection::establish(&path.to_string_lossy()).map_err(|error| unavailable(Box::new(error)))?;
    connection.batch_execute(SQLITE_SETTINGS).map_err(|error| unavailable(Box::new(error)))?;
    Ok(connection)
}

/// Receives units as they come and commits together all that wait.
///
/// A fault of the disk may end the transaction behind the connection's back, and the connection is of no use then: the
/// group fails as a whole and the next one gets a new connection.
///
/// `floor` is the instant of the newest entry: instants grow strictly, so that "everything up to an instant" is settled
/// once an entry of that instant can be read, even when the machine's clock goes back.
fn write_groups(
    mut connection: AnyConnection,
    path: &Path,
    jobs: &Receiver<Job>,
    watermark: &Watermark,
    mut floor: i64,
) {
    let mut pace = Pace::default();
    let mut broken = false;
    while let Ok(first) = jobs.recv() {
        if broken {
            match connect(path) {
                Ok(fresh) => connection = AnyConnection::Sqlite(fresh),
                Err(error) => {
                    // Its caller hears that the store does not take it: the unit goes with the sender of its answer.
                    tracing::error!(%error, "the database cannot be opened again");
                    continue;
                }
            }
        }
        floor = watermark.begin(floor);
        let mut group = Group::begin(pace);
        let mut done = Vec::new();
        let callers = first.caller.clone();
        let committed = connection.transaction(|connection| {
            let mut next = Some(first);
            while let Some(job) = next {
                let finished = (job.work)(connection, floor + 1);
                floor = floor.max(finished.recorded_at.unwrap_or(0));
                let failed = finished.recorded_at.is_none();
                done.push(finished);
                // What ran now would begin a transaction of its own, and be committed while its caller hears a fault.
                if failed && transaction_is_gone(connection) {
                    return Err(diesel::result::Error::NotInTransaction);
                }
                next = group.next(jobs, done.len());
            }
            group.complete();
            Ok::<_, diesel::result::Error>(())
        });
        watermark.end();
        broken = committed.is_err();
        pace = group.committed(done.len());
        let fault = committed.err().map(|error| error.to_string());
        if let Some(fault) = &fault {
            tracing::error!(error = %fault, units = done.len(), "commit failed");
        }
        Answers { done, fault }.give(callers.as_ref());
    }
}

/// Reports whether the group's transaction has ended by itself, as it does when the disk is full or does not answer.
fn transaction_is_gone(connection: &mut AnyConnection) -> bool {
    // Within a transaction another one cannot begin.
    connection.batch_execute("BEGIN").is_ok()
}

/// Time that the units of a group may take for the time of a commit.
///
/// More would hardly make the commit's share smaller, and all that time the callers of the group do nothing: answered
/// sooner, they are at work on their next calls while the next group is written.
const WORK_PER_COMMIT: u32 = 2;

/// What the groups so far say about the next one.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    /// Units of the last group.
    units: usize,
    /// Time of a commit, the later ones weighing more.
    commit: Duration,
}

/// A group that is being gathered: it ends with what waits, with the time for its units, or at its limit.
///
/// The callers of a group that was just answered are about to come back. A commit for the first of them alone would
/// make the others wait for a second one; so a group of less than half the size of the last waits for more, at most as
/// long as a commit takes. Where callers come one at a time, nobody waits.
#[derive(Debug)]
struct Group {
    pace: Pace,
    began: Instant,
    waited: Duration,
    complete: Option<Instant>,
}

impl Group {
    fn begin(pace: Pace) -> Self {
        Self { pace, began: Instant::now(), waited: Duration::ZERO, complete: None }
    }

    /// Returns the next unit, if the group is to have one more.
    fn next(&mut self, jobs: &Receiver<Job>, gathered: usize) -> Option<Job> {
        let worked = self.began.elapsed().saturating_sub(self.waited);
        if gathered >= GROUP_LIMIT || gathered >= LEAST_GROUP && worked > self.pace.commit * WORK_PER_COMMIT {
            return None;
        }
        let there = jobs.try_recv().ok();
        if there.is_some() || gathered >= self.pace.units / 2 {
            return there;
        }
        let began = Instant::now();
        let job = jobs.recv_timeout(self.pace.commit.saturating_sub(self.waited)).ok();
        self.waited += began.elapsed();
        job
    }

    /// Notes that the commit begins.
    fn complete(&mut self) {
        self.complete = Some(Instant::now());
    }

    /// Returns the pace after the group's commit.
    fn committed(&self, units: usize) -> Pace {
        let commit = self.complete.map_or(self.pace.commit, |complete| complete.elapsed());
        let commit = if self.pace.units == 0 { commit } else { (self.pace.commit * 3 + commit) / 4 };
        Pace { units, commit }
    }
}

mod control;
pub(super) use control::attempt;
#[cfg(test)]
mod tests;
