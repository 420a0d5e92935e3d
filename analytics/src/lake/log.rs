//! The log of a table: which files count, and how far the feed was read.
//!
//! A table is a Delta table of reader version 1 and writer version 2, so that other engines read it as it is. A commit
//! is one file of JSON lines, `_delta_log/<version>.json`: written beside the log, made durable, and linked into it,
//! which fails where another writer was faster. Every commit of the feed repeats the table's metadata, because the
//! cursor stands there, in `configuration`: it is a text, and `txn` holds numbers alone. Now and then what all commits
//! say together is written as `<first>.<last>.compacted.json`, so that opening a lake takes no longer with the years.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::files::{self, failed};
use super::resync::Resync;
use super::{LakeError, Step, checkpoint};
use crate::model::ResyncReason;

/// Below a table's directory.
pub(super) const LOG: &str = "_delta_log";
/// A commit that is not linked into the log yet, below a table's directory.
pub(super) const UNLINKED: &str = "commit.tmp";
/// The versions of the protocol that are written: no feature that a reader could lack.
const READER_VERSION: u32 = 1;
const WRITER_VERSION: u32 = 2;
/// After so many commits, what all of them say is written as one file.
const SUMMED_UP_EVERY: u64 = 50;
/// Names the newest checkpoint, below a log.
const LAST_CHECKPOINT: &str = "_last_checkpoint";
/// The tag of a file's checksum.
const CHECKSUM: &str = "sha256";
/// The tag of a file that counts no longer and whose rows stand nowhere else, which stays.
const STAYS: &str = "stays";
/// The tag of the instant at which a file's newest row was recorded, microseconds UTC.
const NEWEST: &str = "newest";

/// One line of a commit: one of these.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Action {
    #[serde(skip_serializing_if = "Option::is_none")]
    commit_info: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<Protocol>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta_data: Option<MetaData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remove: Option<Remove>,
    #[serde(skip_serializing_if = "Option::is_none")]
    add: Option<Add>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Protocol {
    min_reader_version: u32,
    min_writer_version: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetaData {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    format: Value,
    schema_string: String,
    partition_columns: Vec<String>,
    #[serde(default)]
    configuration: BTreeMap<String, String>,
    #[serde(default)]
    created_time: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Add {
    path: String,
    partition_values: BTreeMap<String, String>,
    size: u64,
    modification_time: i64,
    data_change: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stats: Option<String>,
    #[serde(default)]
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Remove {
    path: String,
    #[serde(default)]
    deletion_timestamp: Option<i64>,
    data_change: bool,
    #[serde(default)]
    extended_file_metadata: bool,
    #[serde(default)]
    partition_values: Option<BTreeMap<String, String>>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Fields {
    #[serde(rename = "type")]
    kind: String,
    fields: Vec<Field>,
}

/// A column of a table, as its schema names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Field {
    pub(super) name: String,
    /// `string`, `long`, `double`, `boolean`, `date`, `timestamp`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) nullable: bool,
    pub(super) metadata: BTreeMap<String, Value>,
}

impl Field {
    /// Returns a column that files may lack.
    pub(super) fn new(name: &str, kind: &str) -> Self {
        Self { name: name.to_owned(), kind: kind.to_owned(), nullable: true, metadata: BTreeMap::new() }
    }

    /// Adds what the column means, for whoever reads the table.
    pub(super) fn meaning(mut self, text: &str) -> Self {
        self.metadata.insert("comment".to_owned(), text.into());
        self
    }
}

/// One file of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Its path below the lake's directory.
    pub path: String,
    /// Number of rows.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal digits; empty for a file that another writer added.
    pub sha256: String,
    /// When it was written, milliseconds UTC.
    pub written_at: i64,
    /// The least and the greatest position of its rows, where they have one.
    pub positions: Option<(i64, i64)>,
    /// When its newest row was recorded, microseconds UTC; none where nobody said.
    pub newest: Option<i64>,
}

/// A file that counts no longer, and is still there for readers of an earlier version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Removed {
    pub(super) path: String,
    bytes: u64,
    /// When, milliseconds UTC.
    pub(super) at: i64,
    /// Its rows stand in no other file: the feed was read again.
    pub(super) rows_gone: bool,
    /// The table holds other rows without it.
    data_change: bool,
}

/// What the lake holds of one dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The service that keeps it.
    pub service: String,
    /// The version of its last commit; none before the first one.
    pub version: Option<u64>,
    /// How often it was read from its beginning, this reading included.
    pub reading: u32,
    /// That it was not for the first time, and why.
    pub resynced: Option<Resync>,
    /// Where its feed goes on.
    pub cursor: String,
    /// The position that was reached.
    pub position: i64,
    /// The instant up to which it is complete, microseconds UTC.
    pub recorded_until: Option<i64>,
    /// The instant up to which rows that cancel out may be gone, microseconds UTC.
    pub horizon: Option<i64>,
    /// Its files in the order in which they were written.
    pub files: Vec<FileEntry>,
    /// What it is about, for whoever reads it.
    pub(super) about: Option<String>,
    pub(super) fields: Vec<Field>,
    pub(super) removed: Vec<Removed>,
    /// What tells it from another table of its name.
    pub id: String,
    pub(super) created_at: i64,
}

/// What a commit changes.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// What was done, as `WRITE`.
    pub(super) operation: &'static str,
    /// When, milliseconds UTC.
    pub(super) at: i64,
    /// Files whose rows are new to the table.
    pub(super) added: Vec<FileEntry>,
    /// Paths of files whose rows are gone from the table.
    pub(super) dropped: Vec<String>,
    /// What becomes of the rows of the dropped files.
    pub(super) rows: Rows,
}

/// What a commit does with the rows of the files that it drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Rows {
    /// They stand in no other file, which therefore stays for readers of earlier versions.
    #[default]
    Superseded,
    /// The same rows stand in the added files.
    Rewritten,
    /// Some stand in the added files, the others are to be forgotten.
    Forgotten,
}

impl Table {
    /// Returns a table before its first commit.
    pub(super) fn new(service: String, fields: Vec<Field>) -> Self {
        Self {
            service,
            version: None,
            reading: 1,
            resynced: None,
            cursor: String::new(),
            position: 0,
            recorded_until: None,
            horizon: None,
            files: Vec::new(),
            about: None,
            fields,
            removed: Vec::new(),
            id: String::new(),
            created_at: 0,
        }
    }

    /// Reads a table; none where the directory has no log.
    pub(super) fn read(directory: &Path, name: &str, service: String) -> Result<Option<Self>, LakeError> {
        let log = directory.join(name).join(LOG);
        let (mut commits, mut compacted) = (BTreeSet::new(), None);
        match fs::read_dir(&log) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &log)(error)),
            Ok(entries) => {
                for entry in entries {
                    let entry = entry.map_err(failed("read", &log))?.file_name();
                    let stem = entry.to_str().and_then(|name| name.strip_suffix(".json")).unwrap_or_default();
                    match stem.strip_suffix(".compacted").and_then(|range| range.split_once('.')) {
                        Some((first, last)) if first.parse() == Ok(0_u64) => {
                            compacted = compacted.max(last.parse().ok());
                        }
                        Some(_) => {}
                        None => commits.extend(stem.parse::<u64>()),
                    }
                }
            }
        }
        let Some(last) = commits.last().copied() else { return Ok(None) };
        let mut table = Self::new(service, Vec::new());
        let first = match compacted.filter(|upto| *upto <= last) {
            Some(upto) => {
                table.replay(directory, name, &compacted_path(&log, upto))?;
                upto + 1
            }
            None => 0,
        };
        for version in first..=last {
            if !commits.contains(&version) {
                return Err(LakeError::Gap { path: log, version });
            }
            table.replay(directory, name, &commit_path(&log, version))?;
        }
        table.version = Some(last);
        Ok(Some(table))
    }

    fn replay(&mut self, directory: &Path, name: &str, path: &Path) -> Result<(), LakeError> {
        let text = fs::read_to_string(path).map_err(failed("read", path))?;
        let wrong = |source| LakeError::Log { path: path.to_owned(), source };
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let action: Action = serde_json::from_str(line).map_err(wrong)?;
            if let Some(Protocol { min_reader_version: reader, min_writer_version: writer }) = action.protocol
                && (reader > READER_VERSION || writer > WRITER_VERSION)
            {
                let version = if reader > READER_VERSION { reader } else { writer };
                return Err(LakeError::Version { path: directory.join(name), version });
            }
            if let Some(metadata) = action.meta_data {
                self.take(metadata).map_err(wrong)?;
            }
            if let Some(remove) = action.remove {
                let path = format!("{name}/{}", remove.path);
                self.files.retain(|file| file.path != path);
                self.removed.push(Removed {
                    path,
                    bytes: remove.size.unwrap_or_default(),
                    at: remove.deletion_timestamp.unwrap_or_default(),
                    rows_gone: remove.tags.map_or(remove.data_change, |tags| tags.contains_key(STAYS)),
                    data_change: remove.data_change,
                });
            }
            if let Some(add) = action.add {
                let file = entry(name, add);
                // The newest action for a path counts: what is listed again is not to be removed.
                self.removed.retain(|removed| removed.path != file.path);
                self.files.retain(|other| other.path != file.path);
                self.files.push(file);
            }
        }
        Ok(())
    }

    fn take(&mut self, metadata: MetaData) -> Result<(), serde_json::Error> {
        let fields: Fields = serde_json::from_str(&metadata.schema_string)?;
        self.fields = fields.fields;
        (self.id, self.about) = (metadata.id, metadata.description);
        self.created_at = metadata.created_time.unwrap_or_default();
        let configuration = metadata.configuration;
        let text = |key: &str| configuration.get(&format!("minsheng.{key}"));
        let number = |key: &str| text(key).and_then(|text| text.parse::<i64>().ok());
        self.cursor = text("cursor").cloned().unwrap_or_default();
        self.position = number("position").unwrap_or_default();
        self.recorded_until = number("recordedUntil");
        self.horizon = number("horizon");
        self.reading = number("reading").and_then(|reading| reading.try_into().ok()).unwrap_or(1);
        let why = text("resyncedWhy").map(|why| serde_json::from_value(Value::from(why.as_str()))).transpose()?;
        self.resynced = number("resyncedAt").zip(why).map(|(at, why): (i64, ResyncReason)| Resync {
            at,
            why,
            former_version: number("formerVersion").and_then(|version| version.try_into().ok()),
        });
        Ok(())
    }

    fn metadata(&self) -> MetaData {
        let fields = Fields { kind: "struct".to_owned(), fields: self.fields.clone() };
        let mut configuration = BTreeMap::new();
        let mut set = |key: &str, value: Option<String>| {
            configuration.extend(value.map(|value| (format!("minsheng.{key}"), value)));
        };
        set("cursor", Some(self.cursor.clone()));
        set("position", Some(self.position.to_string()));
        set("recordedUntil", self.recorded_until.map(|until| until.to_string()));
        set("horizon", self.horizon.map(|horizon| horizon.to_string()));
        set("reading", Some(self.reading.to_string()));
        if let Some(resynced) = &self.resynced {
            set("resyncedAt", Some(resynced.at.to_string()));
            set("resyncedWhy", serde_json::to_value(resynced.why).ok().and_then(|why| Some(why.as_str()?.to_owned())));
            set("formerVersion", resynced.former_version.map(|version| version.to_string()));
        }
        MetaData {
            id: self.id.clone(),
            description: self.about.clone(),
            format: json!({"provider": "parquet", "options": {}}),
            schema_string: serde_json::to_string(&fields).unwrap_or_default(),
            partition_columns: Vec::new(),
            configuration,
            created_time: Some(self.created_at),
        }
    }

    /// Commits a change of the table below a directory; the table is the one that counts from then on.
    pub(super) fn commit(
        mut self,
        directory: &Path,
        name: &str,
        change: Change,
        at: &mut impl FnMut(Step) -> Result<(), LakeError>,
    ) -> Result<Self, LakeError> {
        let version = self.version.map_or(0, |version| version + 1);
        let engine = concat!("minsheng/", env!("CARGO_PKG_VERSION"));
        let info = json!({"timestamp": change.at, "operation": change.operation, "engineInfo": engine});
        let mut actions = vec![Action { commit_info: Some(info), ..Action::default() }];
        if version == 0 {
            self.id = uuid::Uuid::new_v4().to_string();
            self.created_at = change.at;
            actions.push(protocol());
        }
        actions.push(Action { meta_data: Some(self.metadata()), ..Action::default() });
        for path in &change.dropped {
            let Some(index) = self.files.iter().position(|file| file.path == *path) else { continue };
            let file = self.files.remove(index);
            let removed = Removed {
                path: file.path,
                bytes: file.bytes,
                at: change.at,
                rows_gone: change.rows == Rows::Superseded,
                data_change: change.rows != Rows::Rewritten,
            };
            actions.push(remove(name, &removed));
            self.removed.push(removed);
        }
        actions.extend(change.added.iter().map(|file| add(name, file, change.rows != Rows::Rewritten)));
        self.files.extend(change.added);
        let folder = directory.join(name);
        let log = folder.join(LOG);
        if version == 0 {
            files::make_directory(&log)?;
        }
        let path = commit_path(&log, version);
        link(&folder, &path, &lines(&path, &actions)?, at)?;
        files::sync_directory(&log)?;
        if version == 0 {
            files::sync_directories(&folder, directory)?;
        }
        self.version = Some(version);
        at(Step::Committed)?;
        if version > 0 && version.is_multiple_of(SUMMED_UP_EVERY) {
            // The commit counts, whatever becomes of this.
            if let Err(error) = self.sum_up(&folder, name, version) {
                tracing::warn!(table = name, error = &error as &dyn std::error::Error, "log not summed up");
            }
        }
        Ok(self)
    }

    /// Writes what all commits up to a version say together, for ourselves and, as a checkpoint, for others: whoever
    /// reads the log may take it in their place.
    fn sum_up(&self, folder: &Path, name: &str, version: u64) -> Result<(), LakeError> {
        let mut actions = vec![protocol(), Action { meta_data: Some(self.metadata()), ..Action::default() }];
        actions.extend(self.removed.iter().map(|removed| remove(name, removed)));
        actions.extend(self.files.iter().map(|file| add(name, file, false)));
        let log = folder.join(LOG);
        let (path, checkpoint) = (compacted_path(&log, version), checkpoint_path(&log, version));
        let values: Result<Vec<Value>, _> = actions.iter().map(serde_json::to_value).collect();
        let values = values.map_err(|source| LakeError::Log { path: checkpoint.clone(), source })?;
        let last = json!({"version": version, "size": actions.len()}).to_string();
        link_if_new(folder, &path, &lines(&path, &actions)?)?;
        link_if_new(folder, &checkpoint, &checkpoint::encode(&values))?;
        // Only a hint: it may be of an earlier checkpoint, and is replaced.
        let (hint, written) = (log.join(LAST_CHECKPOINT), folder.join(UNLINKED));
        fs::write(&written, last).map_err(failed("write", &written))?;
        fs::rename(&written, &hint).map_err(failed("replace", &hint))?;
        files::sync_directory(&log)?;
        // The one before stays, for who is reading it.
        if let Some(old) = version.checked_sub(2 * SUMMED_UP_EVERY) {
            for path in [compacted_path(&log, old), checkpoint_path(&log, old)] {
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed("remove", &path)(error)),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Returns a digest of what counts in the table.
    pub(super) fn digest(&self) -> String {
        let mut text = format!(
            "{:?} {} {:?} {} {:?} {:?}\n",
            self.version, self.reading, self.cursor, self.position, self.recorded_until, self.horizon
        );
        for file in &self.files {
            let _ = writeln!(text, "{} {} {}", file.path, file.rows, file.sha256);
        }
        files::digest(text.as_bytes())
    }

    /// Removes commits from before an instant that the newest but one checkpoint says as well; returns how many.
    ///
    /// Their versions cannot be read any more. Those of a table that was read again stay: the version before is named.
    pub(super) fn clean_log(&self, directory: &Path, name: &str, before: SystemTime) -> Result<usize, LakeError> {
        let log = directory.join(name).join(LOG);
        let last = self.version.map_or(0, |version| version / SUMMED_UP_EVERY * SUMMED_UP_EVERY);
        let Some(upto) = last.checked_sub(SUMMED_UP_EVERY).filter(|_| self.resynced.is_none()) else { return Ok(0) };
        if ![last, upto].iter().all(|at| compacted_path(&log, *at).exists() && checkpoint_path(&log, *at).exists()) {
            return Ok(0);
        }
        let mut removed = 0;
        for (entry, path, _) in files::entries(&log)? {
            let version = entry.strip_suffix(".json").and_then(|stem| stem.parse::<u64>().ok());
            if version.is_none_or(|version| version > upto) {
                continue;
            }
            let written = fs::metadata(&path).and_then(|metadata| metadata.modified());
            if written.map_err(failed("read", &path))? < before {
                files::remove(&path)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Returns the paths of the files that count or still are there for earlier versions, below the lake's directory.
    pub(super) fn known_paths(&self) -> impl Iterator<Item = &str> {
        let files = self.files.iter().map(|file| file.path.as_str());
        files.chain(self.removed.iter().map(|removed| removed.path.as_str()))
    }
}

fn commit_path(log: &Path, version: u64) -> PathBuf {
    log.join(format!("{version:020}.json"))
}

fn compacted_path(log: &Path, version: u64) -> PathBuf {
    log.join(format!("{:020}.{version:020}.compacted.json", 0))
}

fn checkpoint_path(log: &Path, version: u64) -> PathBuf {
    log.join(format!("{version:020}.checkpoint.parquet"))
}

fn protocol() -> Action {
    let protocol = Protocol { min_reader_version: READER_VERSION, min_writer_version: WRITER_VERSION };
    Action { protocol: Some(protocol), ..Action::default() }
}

fn below<'a>(name: &str, path: &'a str) -> &'a str {
    path.strip_prefix(name).and_then(|path| path.strip_prefix('/')).unwrap_or(path)
}

fn add(name: &str, file: &FileEntry, data_change: bool) -> Action {
    let mut stats = json!({"numRecords": file.rows});
    if let Some((least, greatest)) = file.positions {
        stats["minValues"] = json!({"_position": least});
        stats["maxValues"] = json!({"_position": greatest});
    }
    let newest = file.newest.map(|newest| (NEWEST.to_owned(), newest.to_string()));
    let tags = [(CHECKSUM.to_owned(), file.sha256.clone())].into_iter().chain(newest);
    let add = Add {
        path: below(name, &file.path).to_owned(),
        partition_values: BTreeMap::new(),
        size: file.bytes,
        modification_time: file.written_at,
        data_change,
        stats: Some(stats.to_string()),
        tags: Some(tags.collect()),
    };
    Action { add: Some(add), ..Action::default() }
}

fn entry(name: &str, add: Add) -> FileEntry {
    let stats: Value = add.stats.as_deref().and_then(|stats| serde_json::from_str(stats).ok()).unwrap_or_default();
    let position = |bound: &str| stats[bound]["_position"].as_i64();
    let mut tags = add.tags.unwrap_or_default();
    FileEntry {
        path: format!("{name}/{}", add.path),
        rows: stats["numRecords"].as_u64().unwrap_or_default(),
        bytes: add.size,
        sha256: tags.remove(CHECKSUM).unwrap_or_default(),
        written_at: add.modification_time,
        positions: position("minValues").zip(position("maxValues")),
        newest: tags.get(NEWEST).and_then(|newest| newest.parse().ok()),
    }
}

fn remove(name: &str, removed: &Removed) -> Action {
    let remove = Remove {
        path: below(name, &removed.path).to_owned(),
        deletion_timestamp: Some(removed.at),
        data_change: removed.data_change,
        extended_file_metadata: true,
        partition_values: Some(BTreeMap::new()),
        size: Some(removed.bytes),
        tags: Some(removed.rows_gone.then(|| (STAYS.to_owned(), String::new())).into_iter().collect()),
    };
    Action { remove: Some(remove), ..Action::default() }
}

/// Actions as lines of JSON.
fn lines(path: &Path, actions: &[Action]) -> Result<Vec<u8>, LakeError> {
    let mut text = Vec::new();
    for action in actions {
        serde_json::to_writer(&mut text, action).map_err(|source| LakeError::Log { path: path.to_owned(), source })?;
        text.push(b'\n');
    }
    Ok(text)
}

/// Writes a file of the log, where another process has not written the same.
fn link_if_new(folder: &Path, path: &Path, bytes: &[u8]) -> Result<(), LakeError> {
    match link(folder, path, bytes, &mut |_| Ok(())) {
        Err(LakeError::Conflict { .. }) => Ok(()),
        other => other,
    }
}

/// Writes a file of the log durably beside it and links it in; fails where there is one of that name.
fn link(
    folder: &Path,
    path: &Path,
    bytes: &[u8],
    at: &mut impl FnMut(Step) -> Result<(), LakeError>,
) -> Result<(), LakeError> {
    let unlinked = folder.join(UNLINKED);
    // One that a crash left is linked perhaps, and must not be written to.
    match fs::remove_file(&unlinked) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed("remove", &unlinked)(error)),
        _ => {}
    }
    let mut file = File::create_new(&unlinked).map_err(failed("write", &unlinked))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed("write", &unlinked))?;
    drop(file);
    at(Step::CommitWritten)?;
    let linked = fs::hard_link(&unlinked, path);
    files::remove(&unlinked)?;
    linked.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => LakeError::Conflict { path: path.to_owned() },
        _ => failed("write", path)(error),
    })
}
