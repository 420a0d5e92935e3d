//! Files that are there after a crash, or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File, FileType, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use chrono::Utc;
use polars::prelude::DataFrame;
use sha2::{Digest, Sha256};

use super::log::{FileEntry, Table, UNLINKED};
use super::{LakeError, Step, frames};
use crate::catalogue::columns_of;

const LOCK_NAME: &str = "lock";

pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> LakeError {
    let path = path.to_owned();
    move |source| LakeError::Io { doing, path, source }
}

/// Makes a directory and those above it.
pub(super) fn make_directory(path: &Path) -> Result<(), LakeError> {
    fs::create_dir_all(path).map_err(failed("make", path))
}

/// Acquires the lake's lock for as long as the file stays open.
pub(super) fn lock(directory: &Path) -> Result<File, LakeError> {
    let path = directory.join(LOCK_NAME);
    let file = File::create(&path).map_err(failed("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LakeError::InUse { path: directory.to_owned() }),
        Err(TryLockError::Error(source)) => Err(LakeError::Io { doing: "lock", path, source }),
    }
}

/// Removes a file.
pub(crate) fn remove(path: &Path) -> Result<(), LakeError> {
    fs::remove_file(path).map_err(failed("remove", path))
}

/// Where a file of rows goes.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The lake's directory.
    pub(super) directory: &'a Path,
    /// The dataset.
    pub(super) dataset: &'a str,
    /// The version of the table that is to list it: no other file has its name.
    pub(super) version: u64,
    /// The month in which its rows were recorded, `YYYY-MM`.
    pub(super) month: &'a str,
}

/// Writes rows into a file, durably; it counts once the table lists it.
pub(super) fn write_rows(
    place: Place<'_>,
    rows: &mut DataFrame,
    at: &mut impl FnMut(Step) -> Result<(), LakeError>,
) -> Result<FileEntry, LakeError> {
    let Place { directory, dataset, version, month } = place;
    let (first, last) = frames::position_range(dataset, rows)?;
    let newest = frames::newest(dataset, rows)?;
    let path = format!("{dataset}/{month}/{version:06}-{first:012}-{last:012}.parquet");
    let bytes = frames::encode(dataset, rows)?;
    let file = write(directory, path, &bytes, rows.height())?;
    at(Step::RowsWritten)?;
    Ok(FileEntry { positions: Some((first, last)), newest, ..file })
}

/// Writes a file below the lake's directory, durably.
pub(super) fn write(directory: &Path, path: String, bytes: &[u8], rows: usize) -> Result<FileEntry, LakeError> {
    let whole = directory.join(&path);
    let folder = whole.parent().unwrap_or(directory);
    make_directory(folder)?;
    let mut file = File::create(&whole).map_err(failed("write", &whole))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed("write", &whole))?;
    sync_directories(folder, directory)?;
    Ok(FileEntry {
        path,
        rows: u64::try_from(rows).unwrap_or(u64::MAX),
        bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        sha256: digest(bytes),
        written_at: Utc::now().timestamp_millis(),
        positions: None,
        newest: None,
    })
}

/// Writes a file in the place of one of its name, durably; the directory is made where there is none.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), LakeError> {
    let folder = path.parent().unwrap_or(path);
    make_directory(folder)?;
    let written = path.with_extension("tmp");
    let mut file = File::create(&written).map_err(failed("write", &written))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed("write", &written))?;
    fs::rename(&written, path).map_err(failed("replace", path))?;
    sync_directory(folder)
}

/// Renames a folder below the lake's directory, durably.
pub(super) fn rename(directory: &Path, from: &Path, to: &Path) -> Result<(), LakeError> {
    fs::rename(from, to).map_err(failed("rename", from))?;
    sync_directories(to.parent().unwrap_or(directory), directory)
}

/// Makes names durable from a folder up to the lake's directory.
pub(super) fn sync_directories(folder: &Path, top: &Path) -> Result<(), LakeError> {
    for step in folder.ancestors() {
        sync_directory(step)?;
        if step == top {
            break;
        }
    }
    Ok(())
}

pub(super) fn sync_directory(path: &Path) -> Result<(), LakeError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(failed("write", path))
}

/// Returns the SHA-256 of some bytes in hexadecimal digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// Reads a file that the lake lists; none where there is no file, an error where it is not the one that was written.
pub(super) fn read_checked(directory: &Path, file: &FileEntry) -> Result<Option<Vec<u8>>, LakeError> {
    let path = directory.join(&file.path);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed("read", &path)(source)),
    };
    if digest(&bytes) == file.sha256 { Ok(Some(bytes)) } else { Err(LakeError::Altered { path }) }
}

/// Returns the files of rows that no table knows, and commits that were never finished.
///
/// Only what the lake itself could have written is looked at: `<dataset>/YYYY-MM/<version>-<first>-<last>.parquet`, and
/// the commit that waits beside a log. Anything else in the directory belongs to somebody else, and what a symbolic
/// link points to is not in the lake.
pub(super) fn unlisted(directory: &Path, tables: &BTreeMap<String, Table>) -> Result<Vec<PathBuf>, LakeError> {
    let known: BTreeSet<PathBuf> =
        tables.values().flat_map(Table::known_paths).map(|path| directory.join(path)).collect();
    let mut found = Vec::new();
    let folders = entries(directory)?.into_iter().filter(|(name, _, kind)| kind.is_dir() && columns_of(name).is_some());
    for (_, folder, _) in folders {
        for (name, path, kind) in entries(&folder)? {
            if kind.is_file() && name == UNLINKED {
                found.push(path);
            } else if kind.is_dir() && is_month(&name) {
                let files = entries(&path)?.into_iter().filter(|(name, _, kind)| kind.is_file() && is_ours(name));
                found.extend(files.map(|(_, path, _)| path).filter(|path| !known.contains(path)));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Lists a folder by name, path and kind; a symbolic link is of its own kind, whatever it points to.
pub(crate) fn entries(folder: &Path) -> Result<Vec<(String, PathBuf, FileType)>, LakeError> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed("read", folder))? {
        let entry = entry.map_err(failed("read", folder))?;
        let kind = entry.file_type().map_err(failed("read", folder))?;
        if let Ok(name) = entry.file_name().into_string() {
            all.push((name, entry.path(), kind));
        }
    }
    Ok(all)
}

/// Reports whether a folder is named as one of a month, `YYYY-MM`.
fn is_month(name: &str) -> bool {
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    name.split_once('-').is_some_and(|(year, month)| digits(year, 4) && digits(month, 2))
}

/// Reports whether a file is named by a version and two positions.
fn is_ours(name: &str) -> bool {
    let number = |text: &str, least| text.len() >= least && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = name.strip_suffix(".parquet").unwrap_or_default().splitn(3, '-');
    let mut next = |least| parts.next().is_some_and(|part| number(part, least));
    next(6) && next(12) && next(12)
}
