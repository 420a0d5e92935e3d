//! The lake: every journal row that was ever read, append-only, in Parquet files that a manifest lists.
//!
//! `<dataset>/month=YYYY-MM/<first>-<last>.parquet` holds rows recorded in a month; the name carries the least and
//! the greatest position in it. `manifest.json` says which files count and from where each feed goes on, and is
//! replaced in one step. So a crash at any instant leaves either the state before an append or the state after it:
//! a file that the manifest does not list was never there. The lake judges nothing and asks nobody.
//!
//! A feed that cannot go on is read again from its beginning; its former rows are then set aside ([`Resync`]), in
//! one step like all others. So is one whose rows are of a former layout; until that has happened for all datasets of
//! its service, the service counts as never read.
//!
//! One process writes at a time; [`Lake::open`] takes a lock for that.

mod files;
mod frames;
mod manifest;
mod resync;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use chrono::DateTime;
use polars::prelude::{DataFrame, PolarsError};

use crate::catalogue::service_of;
use crate::model;

pub use frames::{Schema, SchemaColumn};
pub use manifest::{FileEntry, Manifest, SourceEntry};
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
    /// The manifest is not one.
    #[error("the manifest {path} does not read")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Where it fails.
        #[source]
        source: serde_json::Error,
    },
    /// The manifest is of a layout that this version does not know.
    #[error("the manifest {path} is of version {version}, which a later version of this software wrote")]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
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
    /// A test broke the work off.
    #[error("broken off")]
    BrokenOff,
}

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
    /// The rows are in a temporary file.
    RowsWritten,
    /// The file has its name.
    RowsNamed,
    /// The new manifest is in a temporary file.
    ManifestWritten,
    /// The new manifest counts.
    ManifestReplaced,
}

/// What a check of the lake found wrong; nothing for a sound lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A file that the manifest lists is not there.
    Missing(PathBuf),
    /// A file is not the one that was written.
    Altered(PathBuf),
    /// A file holds other rows than the manifest says.
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
    manifest: Manifest,
    /// What is being read again, by dataset; it does not count yet.
    resyncs: BTreeMap<String, SourceEntry>,
    _lock: Option<fs::File>,
}

impl Lake {
    /// Opens a lake for reading and appending, and makes the directory where there is none.
    ///
    /// What a crash left behind is removed, and what it kept from being set aside is; a file that the lake cannot have
    /// written is left alone.
    pub fn open(directory: &Path) -> Result<Self, LakeError> {
        let lake = Self::open_as_it_is(directory)?;
        resync::set_aside(directory, &lake.manifest)?;
        for path in files::unlisted(directory, &lake.manifest)? {
            files::remove(&path)?;
        }
        Ok(lake)
    }

    /// Opens a lake for reading and appending, and removes nothing: what a crash left behind can still be found.
    pub fn open_as_it_is(directory: &Path) -> Result<Self, LakeError> {
        files::make_directory(directory)?;
        let lock = files::lock(directory)?;
        let manifest = Manifest::read(directory)?;
        Ok(Self { directory: directory.to_owned(), manifest, resyncs: BTreeMap::new(), _lock: Some(lock) })
    }

    /// Opens a lake for reading only; others may append meanwhile and are not seen.
    pub fn open_read_only(directory: &Path) -> Result<Self, LakeError> {
        let manifest = Manifest::read(directory)?;
        Ok(Self { directory: directory.to_owned(), manifest, resyncs: BTreeMap::new(), _lock: None })
    }

    /// Returns what the lake holds, by dataset.
    pub fn sources(&self) -> &BTreeMap<String, SourceEntry> {
        &self.manifest.sources
    }

    /// Returns where the feed of a dataset goes on; empty at its beginning.
    pub fn cursor(&self, dataset: &str) -> &str {
        self.manifest.sources.get(dataset).map_or("", |source| source.cursor.as_str())
    }

    /// Reports whether the rows of a dataset are of a former layout.
    pub fn is_outdated(&self, dataset: &str) -> bool {
        self.manifest.sources.get(dataset).is_some_and(|source| source.outdated)
    }

    /// Reports whether a service counts: of one with rows of a former layout nothing does.
    fn counts(&self, service: &str) -> bool {
        !self.manifest.sources.values().any(|source| source.service == service && source.outdated)
    }

    /// Returns the instant up to which all records of a service are in the lake, microseconds UTC.
    ///
    /// Its datasets are read one after the other, so it is the earliest of theirs. None for a service that was never
    /// read, or never said.
    pub fn complete_until(&self, service: &str) -> Option<i64> {
        let own = self.manifest.sources.values().filter(|source| source.service == service && self.counts(service));
        own.filter_map(|source| source.recorded_until).min()
    }

    /// Returns when the records of a service, or some of them, were read again from their beginning for the last time.
    pub fn resynced(&self, service: &str) -> Option<model::Resync> {
        let own = self.manifest.sources.values().filter(|source| source.service == service);
        let last = own.filter_map(|source| source.resynced.as_ref()).max_by_key(|read| read.at)?;
        Some(model::Resync { at: DateTime::from_timestamp_micros(last.at)?, why: last.why })
    }

    /// Returns the number of rows of a dataset.
    pub fn rows(&self, dataset: &str) -> u64 {
        self.manifest.sources.get(dataset).map_or(0, |source| source.files.iter().map(|file| file.rows).sum())
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
        let waiting = self.resyncs.get(dataset).cloned();
        let again = waiting.is_some();
        if !again && self.is_outdated(dataset) {
            return Err(LakeError::Outdated { dataset: dataset.to_owned() });
        }
        let mut next = self.manifest.clone();
        next.sources.extend(waiting.map(|entry| (dataset.to_owned(), entry)));
        let source = next.sources.entry(dataset.to_owned()).or_insert_with(|| SourceEntry::new(service_of(dataset)));
        let mut rows = 0;
        if let Some(frame) = frames::from_batches(dataset, batches)? {
            for (month, mut part) in frames::by_month(dataset, &frame)? {
                let folder = resync::folder(dataset, source.reading);
                let file = files::write_rows(&self.directory, dataset, &folder, &month, &mut part, &mut at)?;
                rows += file.rows;
                source.files.push(file);
            }
        }
        source.cursor = progress.cursor;
        source.position = source.position.max(progress.position);
        source.recorded_until = source.recorded_until.max(progress.recorded_until);
        if again {
            self.resyncs.extend(next.sources.remove_entry(dataset));
            return Ok(rows);
        }
        files::replace_manifest(&self.directory, &next, &mut at)?;
        self.manifest = next;
        at(Step::ManifestReplaced)?;
        Ok(rows)
    }

    /// Reads the rows of a dataset, only the columns of `schema`; a column that older files lack is null there.
    ///
    /// The order of the rows means nothing. Without any file, and for a service that does not count, the frame has the
    /// columns and no rows.
    pub fn read(&self, dataset: &str, schema: &Schema) -> Result<DataFrame, LakeError> {
        let source = self.manifest.sources.get(dataset).filter(|source| self.counts(&source.service));
        let entries = source.map_or(&[][..], |source| source.files.as_slice());
        let paths: Vec<PathBuf> = entries.iter().map(|file| self.directory.join(&file.path)).collect();
        let rows = frames::read(dataset, &paths, schema)?;
        tracing::debug!(dataset, files = paths.len(), rows = rows.height(), "dataset read");
        Ok(rows)
    }

    /// Counts the records of a dataset that were ever heard of, whatever became of them.
    pub fn records(&self, dataset: &str) -> Result<u64, LakeError> {
        let entries = self.manifest.sources.get(dataset).map_or(&[][..], |source| source.files.as_slice());
        let paths: Vec<PathBuf> = entries.iter().map(|file| self.directory.join(&file.path)).collect();
        frames::records(dataset, &paths)
    }

    /// Compares every file with the manifest and every position with every other.
    pub fn verify(&self) -> Result<Vec<Finding>, LakeError> {
        let mut findings = Vec::new();
        for (dataset, source) in &self.manifest.sources {
            let mut sound = Vec::new();
            for entry in &source.files {
                let path = self.directory.join(&entry.path);
                match files::digest(&path)? {
                    None => findings.push(Finding::Missing(path)),
                    Some(digest) if digest != entry.sha256 => findings.push(Finding::Altered(path)),
                    Some(_) => {
                        let positions = frames::positions(dataset, std::slice::from_ref(&path))?;
                        if u64::try_from(positions.len()).unwrap_or(u64::MAX) != entry.rows {
                            findings.push(Finding::WrongRows(path));
                        }
                        sound.extend(positions);
                    }
                }
            }
            let all = sound.len();
            sound.sort_unstable();
            sound.dedup();
            if sound.len() < all {
                let rows = u64::try_from(all - sound.len()).unwrap_or(u64::MAX);
                findings.push(Finding::Repeated { dataset: dataset.clone(), rows });
            }
        }
        findings.extend(files::unlisted(&self.directory, &self.manifest)?.into_iter().map(Finding::Unlisted));
        Ok(findings)
    }
}
