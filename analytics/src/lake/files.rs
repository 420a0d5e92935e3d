//! Files that are there after a crash, or not at all.

use std::fmt::Write as _;
use std::fs::{self, File, FileType, TryLockError};
use std::io::{BufReader, ErrorKind, Read, Write as _};
use std::path::{Path, PathBuf};

use polars::prelude::DataFrame;
use sha2::{Digest, Sha256};

use super::manifest::{FILE_NAME, FileEntry, Manifest};
use super::resync::reading_of;
use super::{LakeError, Step, frames};
use crate::catalogue::columns_of;

const LOCK_NAME: &str = "lock";
const TEMPORARY: &str = "tmp";

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> LakeError {
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
pub(super) fn remove(path: &Path) -> Result<(), LakeError> {
    fs::remove_file(path).map_err(failed("remove", path))
}

/// Writes rows into a file of their dataset and month, durably.
pub(super) fn write_rows(
    directory: &Path,
    dataset: &str,
    folder: &str,
    month: &str,
    rows: &mut DataFrame,
    at: &mut impl FnMut(Step) -> Result<(), LakeError>,
) -> Result<FileEntry, LakeError> {
    let (first, last) = frames::position_range(dataset, rows)?;
    let relative = format!("{folder}/month={month}");
    let folder = directory.join(&relative);
    make_directory(&folder)?;
    let name = format!("{first:012}-{last:012}.parquet");
    let temporary = folder.join(format!("{name}.{TEMPORARY}"));
    let file = File::create(&temporary).map_err(failed("write", &temporary))?;
    frames::write(dataset, &file, rows)?;
    file.sync_all().map_err(failed("write", &temporary))?;
    drop(file);
    at(Step::RowsWritten)?;
    let path = folder.join(&name);
    fs::rename(&temporary, &path).map_err(failed("name", &path))?;
    sync_directories(&folder, directory)?;
    at(Step::RowsNamed)?;
    let bytes = fs::metadata(&path).map_err(failed("read", &path))?.len();
    let sha256 = digest(&path)?.unwrap_or_default();
    Ok(FileEntry {
        path: format!("{relative}/{name}"),
        rows: u64::try_from(rows.height()).unwrap_or(u64::MAX),
        bytes,
        sha256,
    })
}

/// Puts another manifest in the place of the present one.
pub(super) fn replace_manifest(
    directory: &Path,
    manifest: &Manifest,
    at: &mut impl FnMut(Step) -> Result<(), LakeError>,
) -> Result<(), LakeError> {
    let path = directory.join(FILE_NAME);
    let temporary = directory.join(format!("{FILE_NAME}.{TEMPORARY}"));
    let bytes =
        serde_json::to_vec_pretty(manifest).map_err(|source| LakeError::Manifest { path: path.clone(), source })?;
    let mut file = File::create(&temporary).map_err(failed("write", &temporary))?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed("write", &temporary))?;
    drop(file);
    at(Step::ManifestWritten)?;
    fs::rename(&temporary, &path).map_err(failed("replace", &path))?;
    sync_directory(directory)
}

/// Renames a folder below the lake's directory, durably.
pub(super) fn rename(directory: &Path, from: &Path, to: &Path) -> Result<(), LakeError> {
    fs::rename(from, to).map_err(failed("rename", from))?;
    sync_directories(to.parent().unwrap_or(directory), directory)
}

/// Makes names durable from a folder up to the lake's directory.
fn sync_directories(folder: &Path, top: &Path) -> Result<(), LakeError> {
    for step in folder.ancestors() {
        sync_directory(step)?;
        if step == top {
            break;
        }
    }
    Ok(())
}

fn sync_directory(path: &Path) -> Result<(), LakeError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(failed("write", path))
}

/// Returns the SHA-256 of a file in hexadecimal digits; none where there is no file.
pub(super) fn digest(path: &Path) -> Result<Option<String>, LakeError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed("read", path)(source)),
    };
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = reader.read(&mut buffer).map_err(failed("read", path))?;
        if read == 0 {
            break;
        }
        digest.update(&buffer[..read]);
    }
    let digits = digest.finalize().iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    Ok(Some(digits))
}

/// Returns the files of rows that the manifest does not list, and files that were never finished.
///
/// Only what the lake itself could have written is looked at: `<dataset>/month=YYYY-MM/<first>-<last>.parquet`, the
/// same in the folder of a later reading and with `.tmp`, and the manifest's own temporary file. Anything else in the
/// directory belongs to somebody else, and what a symbolic link points to is not in the lake.
pub(super) fn unlisted(directory: &Path, manifest: &Manifest) -> Result<Vec<PathBuf>, LakeError> {
    let listed: std::collections::BTreeSet<PathBuf> =
        manifest.sources.values().flat_map(|source| &source.files).map(|file| directory.join(&file.path)).collect();
    // What a former reading left is set aside and not removed.
    let is_dataset = |name: &str| {
        let (dataset, reading) = reading_of(name);
        let source = manifest.sources.get(dataset);
        source.map_or(columns_of(dataset).is_some(), |source| reading >= source.reading)
    };
    let mut found = Vec::new();
    for (name, path, kind) in entries(directory)? {
        if kind.is_file() && name == format!("{FILE_NAME}.{TEMPORARY}") {
            found.push(path);
        } else if kind.is_dir() && is_dataset(&name) {
            for (_, month, _) in entries(&path)?.into_iter().filter(|(name, _, kind)| kind.is_dir() && is_month(name)) {
                let files = entries(&month)?.into_iter().filter(|(name, _, kind)| kind.is_file() && is_ours(name));
                found.extend(files.map(|(_, path, _)| path).filter(|path| !listed.contains(path)));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Lists a folder by name, path and kind; a symbolic link is of its own kind, whatever it points to.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf, FileType)>, LakeError> {
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

/// Reports whether a folder is named as one of a month, `month=YYYY-MM`.
fn is_month(name: &str) -> bool {
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let month = name.strip_prefix("month=").and_then(|month| month.split_once('-'));
    month.is_some_and(|(year, month)| digits(year, 4) && digits(month, 2))
}

/// Reports whether a file is named by two positions, finished or not.
fn is_ours(name: &str) -> bool {
    let name = name.strip_suffix(TEMPORARY).and_then(|name| name.strip_suffix('.')).unwrap_or(name);
    let position = |text: &str| text.len() >= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let range = name.strip_suffix(".parquet").and_then(|range| range.split_once('-'));
    range.is_some_and(|(first, last)| position(first) && position(last))
}
