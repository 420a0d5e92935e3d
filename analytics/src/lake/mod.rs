//! The lake: every journal row that was ever read, one Delta table for each dataset, which any engine reads.
//!
//! `<dataset>/_delta_log` says which files count and from where the feed goes on, in one step for each append, so that
//! a crash at any instant leaves either the state before an append or the state after it: a file that no table lists
//! was never there. `<dataset>/YYYY-MM/<version>-<first>-<last>.parquet` holds rows recorded in a month; the name
//! carries the version that listed it first, and the least and the greatest position in it. The log keeps each file's
//! checksum, and no file is read that is not the one that was written. The lake judges nothing and asks nobody.
//!
//! A feed that cannot go on is read again from its beginning; its former rows are then the table's version before
//! ([`Resync`]). A lake of an earlier version of this software is kept and read again by itself (`former`); until that
//! has happened for all datasets of a service, the service counts as never read.
//!
//! One process writes at a time; [`Lake::open`] takes a lock for that, and another writer's commit is never
//! overwritten.

mod checkpoint;
mod files;
mod former;
mod frames;
mod log;
mod maintain;
mod published;
mod resync;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use polars::prelude::{DataFrame, PolarsError};

use crate::catalogue::{columns_of, service_of};
use crate::model;

use frames::fields_of;
use log::{Change, Field};

pub(crate) use files::{digest, entries, remove, replace};
pub use frames::{Schema, SchemaColumn};
pub(crate) use frames::{frame_error, to_parquet};
pub use log::{FileEntry, Table};
pub use maintain::Rewritten;
pub(crate) use published::Published;
pub use resync::Resync;

/// Why the lake could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The file system refused.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A line of a log is not one.
    #[error("{path} does not read")]
    Log {
        /// The file.
        path: PathBuf,
        /// Where it fails.
        #[source]
        source: serde_json::Error,
    },
    /// A table, or a lake's manifest, is of a layout that this version does not know.
    #[error("{path} is of version {version}, which a later version of this software, or another one, wrote")]
    Version {
        /// The table, or the file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// A log lacks a commit between others.
    #[error("the log {path} lacks version {version}")]
    Gap {
        /// The log.
        path: PathBuf,
        /// The first version that is not there.
        version: u64,
    },
    /// Another writer has made a commit of this version.
    #[error("another writer was faster: {path} is there already")]
    Conflict {
        /// The commit.
        path: PathBuf,
    },
    /// A file is not the one that was written.
    #[error("{path} is not the file that was written: its checksum does not fit / {path} 校验和不符，文件已被改动")]
    Altered {
        /// The file.
        path: PathBuf,
    },
    /// There is no lake.
    #[error("there is no lake in {path} / {path} 中没有数据湖")]
    NotALake {
        /// The directory.
        path: PathBuf,
    },
    /// A column is of another type than in the table.
    #[error("the column {column} of {dataset} is of another type than before")]
    ColumnChanged {
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
    },
    /// What was known at an instant is not in the lake any more.
    #[error("{as_of} lies before {horizon}, up to which the lake has forgotten what was corrected since")]
    BeforeHorizon {
        /// What was asked for.
        as_of: DateTime<Utc>,
        /// The first instant that can be asked for.
        horizon: DateTime<Utc>,
    },
    /// Rows of the present layout cannot stand beside those of a former one.
    #[error("the rows of {dataset} are of a former layout; its feed has to be read again first")]
    Outdated {
        /// The dataset.
        dataset: String,
    },
    /// Rows could not be turned into columns or back.
    #[error("rows of {dataset} do not fit the lake")]
    Frame {
        /// The dataset.
        dataset: String,
        /// What the engine says.
        #[source]
        source: Box<PolarsError>,
    },
    /// A batch could not be taken over.
    #[error("a batch of {dataset} cannot be taken over")]
    Batch {
        /// The dataset.
        dataset: String,
        /// What the codec says.
        #[source]
        source: Box<arrow::error::ArrowError>,
    },
    /// A batch lacks a column that every journal row has.
    #[error("a batch of {dataset} has no column {column}")]
    MissingColumn {
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
    },
    /// Somebody else writes the lake.
    #[error("the lake {path} is in use by another run")]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// What a horizon would forget is not known completely yet.
    #[error("{dataset} is not read up to {horizon} yet")]
    HorizonAhead {
        /// The dataset.
        dataset: String,
        /// The horizon.
        horizon: DateTime<Utc>,
    },
    /// A test broke the work off.
    #[error("broken off")]
    BrokenOff,
}

/// Holds what the statistics keep, below a lake's directory.
const KEPT: &str = "statistics";

/// How far a feed was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// Where to go on, as the service said; nobody else reads it.
    pub cursor: String,
    /// The position that belongs to it.
    pub position: i64,
    /// The instant up to which the service's journal is complete in it, microseconds UTC.
    pub recorded_until: Option<i64>,
}

/// A step of an append behind which a crash makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The rows are in a file.
    RowsWritten,
    /// The commit is in a file beside the log.
    CommitWritten,
    /// The commit counts.
    Committed,
}

/// What a check of the lake found wrong; nothing for a sound lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A file that a table lists is not there.
    Missing(PathBuf),
    /// A file is not the one that was written.
    Altered(PathBuf),
    /// A file holds other rows than its table says.
    WrongRows(PathBuf),
    /// A position stands in the lake twice.
    Repeated {
        /// The dataset.
        dataset: String,
        /// How many rows too many.
        rows: u64,
    },
    /// A file that nobody lists; harmless, left by a crash.
    Unlisted(PathBuf),
}

/// A lake that is open for reading and appending.
#[derive(Debug)]
pub struct Lake {
    directory: PathBuf,
    tables: BTreeMap<String, Table>,
    /// The datasets of an earlier version's lake.
    former: BTreeSet<String>,
    /// What is being read again, by dataset, with the files of it; it does not count yet.
    resyncs: BTreeMap<String, (Table, Vec<FileEntry>)>,
    lock: Option<fs::File>,
}

impl Lake {
    /// Opens a lake for reading and appending, and makes the directory where there is none.
    ///
    /// What a crash left behind is removed; a file that the lake cannot have written is left alone.
    pub fn open(directory: &Path) -> Result<Self, LakeError> {
        let lake = Self::open_as_it_is(directory)?;
        for path in files::unlisted(directory, &lake.tables)? {
            files::remove(&path)?;
        }
        Ok(lake)
    }

    /// Opens a lake for reading and appending, and removes nothing: what a crash left behind can still be found.
    pub fn open_as_it_is(directory: &Path) -> Result<Self, LakeError> {
        files::make_directory(directory)?;
        let lock = files::lock(directory)?;
        former::set_aside(directory)?;
        Ok(Self { lock: Some(lock), ..Self::open_read_only(directory)? })
    }

    /// Opens a lake for reading only; others may append meanwhile and are not seen.
    pub fn open_read_only(directory: &Path) -> Result<Self, LakeError> {
        let mut tables = BTreeMap::new();
        if directory.is_dir() {
            for (name, _, kind) in files::entries(directory)? {
                if kind.is_dir() && columns_of(&name).is_some() {
                    let table = Table::read(directory, &name, service_of(&name))?;
                    tables.extend(table.map(|table| (name, table)));
                }
            }
        }
        let former = former::datasets(directory)?;
        Ok(Self { directory: directory.to_owned(), tables, former, resyncs: BTreeMap::new(), lock: None })
    }

    /// Fails where there is no lake, so that nobody mistakes a wrong directory for an empty one.
    pub fn must_exist(directory: &Path) -> Result<(), LakeError> {
        let there = Self::open_read_only(directory)?;
        if there.tables.is_empty() && there.former.is_empty() {
            return Err(LakeError::NotALake { path: directory.to_owned() });
        }
        Ok(())
    }

    /// Returns what the lake holds, by dataset.
    pub fn sources(&self) -> &BTreeMap<String, Table> {
        &self.tables
    }

    /// Returns where the feed of a dataset goes on; empty at its beginning.
    pub fn cursor(&self, dataset: &str) -> &str {
        self.tables.get(dataset).map_or("", |table| table.cursor.as_str())
    }

    /// Reports whether an earlier version read the rows of a dataset, and this one has not read them again.
    pub fn is_outdated(&self, dataset: &str) -> bool {
        self.former.contains(dataset) && !self.tables.contains_key(dataset)
    }

    /// Reports whether a service counts: of one with rows of an earlier version nothing does.
    fn counts(&self, service: &str) -> bool {
        !self.former.iter().any(|dataset| service_of(dataset) == service && self.is_outdated(dataset))
    }

    /// Returns the instant up to which all records of a service are in the lake, microseconds UTC.
    ///
    /// Its datasets are read one after the other, so it is the earliest of theirs. None for a service that was never
    /// read, or never said.
    pub fn complete_until(&self, service: &str) -> Option<i64> {
        let own = self.tables.values().filter(|table| table.service == service && self.counts(service));
        own.filter_map(|table| table.recorded_until).min()
    }

    /// Returns when the records of a service, or some of them, were read again from their beginning for the last time.
    pub fn resynced(&self, service: &str) -> Option<model::Resync> {
        let own = self.tables.values().filter(|table| table.service == service);
        let last = own.filter_map(|table| table.resynced.as_ref()).max_by_key(|read| read.at)?;
        Some(model::Resync { at: DateTime::from_timestamp_micros(last.at)?, why: last.why })
    }

    /// Returns the number of rows of a dataset.
    pub fn rows(&self, dataset: &str) -> u64 {
        self.files(dataset).iter().map(|file| file.rows).sum()
    }

    fn files(&self, dataset: &str) -> &[FileEntry] {
        self.tables.get(dataset).map_or(&[][..], |table| table.files.as_slice())
    }

    /// Appends what a feed gave and remembers how far it was read; returns the number of rows.
    ///
    /// Either all of it counts or, after an error or a crash, none of it.
    pub fn append(&mut self, dataset: &str, batches: &[RecordBatch], progress: Progress) -> Result<u64, LakeError> {
        self.append_with(dataset, batches, progress, |_| Ok(()))
    }

    /// Appends, telling each step; a step that answers with an error stands for a crash at that step.
    pub(crate) fn append_with(
        &mut self,
        dataset: &str,
        batches: &[RecordBatch],
        progress: Progress,
        mut at: impl FnMut(Step) -> Result<(), LakeError>,
    ) -> Result<u64, LakeError> {
        let waiting = self.resyncs.get(dataset).map(|(table, _)| table.clone());
        let again = waiting.is_some();
        if !again && self.is_outdated(dataset) {
            return Err(LakeError::Outdated { dataset: dataset.to_owned() });
        }
        let mut table = waiting
            .or_else(|| self.tables.get(dataset).cloned())
            .unwrap_or_else(|| Table::new(service_of(dataset), Vec::new()));
        add_fields(&mut table.fields, fields_of(dataset));
        let mut added = Vec::new();
        if let Some(frame) = frames::from_batches(dataset, batches)? {
            take_columns(dataset, &mut table.fields, &frame)?;
            let version = table.version.map_or(0, |version| version + 1);
            for (month, mut part) in frames::by_month(dataset, &frame)? {
                let place = files::Place { directory: &self.directory, dataset, version, month: &month };
                added.push(files::write_rows(place, &mut part, &mut at)?);
            }
        }
        let rows = added.iter().map(|file| file.rows).sum();
        table.cursor = progress.cursor;
        table.position = table.position.max(progress.position);
        table.recorded_until = table.recorded_until.max(progress.recorded_until);
        if again {
            let (_, mut files) = self.resyncs.remove(dataset).unwrap_or_else(|| (table.clone(), Vec::new()));
            files.extend(added);
            self.resyncs.insert(dataset.to_owned(), (table, files));
            return Ok(rows);
        }
        let now = Utc::now().timestamp_millis();
        let change = Change { operation: "WRITE", at: now, added, ..Change::default() };
        let table = table.commit(&self.directory, dataset, change, &mut at)?;
        self.tables.insert(dataset.to_owned(), table);
        Ok(rows)
    }

    /// Reads the rows of a dataset, only the columns of `schema`; a column that older files lack is null there.
    ///
    /// The order of the rows means nothing. Without any file, and for a service that does not count, the frame has the
    /// columns and no rows. A file that is not the one that was written is an error.
    pub fn read(&self, dataset: &str, schema: &Schema) -> Result<DataFrame, LakeError> {
        let files = self.counted_files(dataset);
        let rows = frames::read(&self.directory, dataset, files, schema)?;
        tracing::debug!(dataset, files = files.len(), rows = rows.height(), "dataset read");
        Ok(rows)
    }

    /// Reads files of a dataset one by one, as many at a time as there are processors; `begin` makes what a thread
    /// gathers, and `take` adds a file's rows to it.
    ///
    /// Otherwise as [`Lake::read`].
    pub(crate) fn read_each<S: Send, E: From<LakeError> + Send>(
        &self,
        dataset: &str,
        files: &[FileEntry],
        schema: &Schema,
        begin: impl Fn() -> S + Sync,
        take: impl Fn(&mut S, &FileEntry, DataFrame) -> Result<(), E> + Sync,
    ) -> Result<Vec<S>, E> {
        if !files.is_empty() {
            tracing::debug!(dataset, files = files.len(), "dataset passed");
        }
        frames::read_each(&self.directory, dataset, files, schema, begin, take)
    }

    /// Returns the directory of the lake.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns a digest of what counts in each table, the reference tables too, by name: its version, how far its feed
    /// was read, and its files with their checksums.
    pub fn heads(&self) -> Result<BTreeMap<String, String>, LakeError> {
        let published = published::tables(&self.directory)?;
        let all = self.tables.iter().chain(&published);
        Ok(all.map(|(name, table)| (name.clone(), table.digest())).collect())
    }

    /// Returns where the statistics keep what they gathered, which is there or not.
    pub(crate) fn kept_directory(&self) -> PathBuf {
        self.directory.join(KEPT)
    }

    /// Reports whether the lake is open for appending, by nobody else.
    pub(crate) fn is_open_for_appending(&self) -> bool {
        self.lock.is_some()
    }

    /// Returns the files of a dataset that count; none of a service that does not.
    pub(crate) fn counted_files(&self, dataset: &str) -> &[FileEntry] {
        if self.counts(&service_of(dataset)) { self.files(dataset) } else { &[] }
    }

    /// Counts the records of a dataset that were ever heard of, whatever became of them.
    pub fn records(&self, dataset: &str) -> Result<u64, LakeError> {
        frames::records(&self.directory, dataset, self.files(dataset))
    }

    /// Compares every file with its table, those of the reference tables too, and every position with every other.
    pub fn verify(&self) -> Result<Vec<Finding>, LakeError> {
        let mut findings = Vec::new();
        for (dataset, table) in &self.tables {
            let mut sound = Vec::new();
            for file in &table.files {
                let Some(bytes) = self.sound_bytes(file, &mut findings)? else { continue };
                let positions = frames::positions(dataset, bytes)?;
                if u64::try_from(positions.len()).unwrap_or(u64::MAX) != file.rows {
                    findings.push(Finding::WrongRows(self.directory.join(&file.path)));
                }
                sound.extend(positions);
            }
            let all = sound.len();
            sound.sort_unstable();
            sound.dedup();
            if sound.len() < all {
                let rows = u64::try_from(all - sound.len()).unwrap_or(u64::MAX);
                findings.push(Finding::Repeated { dataset: dataset.clone(), rows });
            }
        }
        for table in published::tables(&self.directory)?.values() {
            for file in &table.files {
                self.sound_bytes(file, &mut findings)?;
            }
        }
        findings.extend(files::unlisted(&self.directory, &self.tables)?.into_iter().map(Finding::Unlisted));
        Ok(findings)
    }

    /// Returns the bytes of a file that is the one that was written; adds to the findings where it is not.
    fn sound_bytes(&self, file: &FileEntry, findings: &mut Vec<Finding>) -> Result<Option<Vec<u8>>, LakeError> {
        match files::read_checked(&self.directory, file) {
            Ok(None) => findings.push(Finding::Missing(self.directory.join(&file.path))),
            Err(LakeError::Altered { path }) => findings.push(Finding::Altered(path)),
            Err(other) => return Err(other),
            Ok(Some(bytes)) => return Ok(Some(bytes)),
        }
        Ok(None)
    }
}

/// Adds columns that a table has not yet.
fn add_fields(fields: &mut Vec<Field>, more: Vec<Field>) {
    for field in more {
        if !fields.iter().any(|other| other.name == field.name) {
            fields.push(field);
        }
    }
}

/// Adds the columns of rows to those of their table; one that has become of another type is refused, because files
/// written before could not be read beside it.
fn take_columns(dataset: &str, fields: &mut Vec<Field>, rows: &DataFrame) -> Result<(), LakeError> {
    for (name, kind) in frames::kinds(rows) {
        let known = fields.iter().find(|field| field.name == name);
        match (known, kind) {
            (Some(known), Some(kind)) if known.kind == kind => {}
            (None, Some(kind)) => fields.push(Field::new(name, kind)),
            _ => return Err(LakeError::ColumnChanged { dataset: dataset.to_owned(), column: name.to_owned() }),
        }
    }
    Ok(())
}
