//! A lake of an earlier version, which listed its files in `manifest.json`: kept, and of no account.
//!
//! Its rows cannot stand beside those of a table. So all of it is moved to `former/` when the lake is opened for work,
//! and each of its datasets is read again from its beginning; until that has happened for all datasets of a service,
//! the service counts as never read.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use super::LakeError;
use super::files::{self, failed, rename};
use crate::catalogue::columns_of;

const MANIFEST: &str = "manifest.json";
const FORMER: &str = "former";
/// The last version that had a manifest.
const LAST_VERSION: u32 = 2;

#[derive(Deserialize)]
struct Manifest {
    version: u32,
    sources: serde_json::Map<String, serde_json::Value>,
}

/// Returns the datasets of the earlier version's lake.
pub(super) fn datasets(directory: &Path) -> Result<BTreeSet<String>, LakeError> {
    for path in [directory.join(MANIFEST), directory.join(FORMER).join(MANIFEST)] {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(failed("read", &path)(error)),
        };
        let manifest: Manifest = match serde_json::from_slice(&bytes) {
            Ok(manifest) => manifest,
            Err(source) => return Err(LakeError::Log { path, source }),
        };
        if manifest.version > LAST_VERSION {
            return Err(LakeError::Version { path, version: manifest.version });
        }
        // Of one that no service gives any more nothing is missing.
        return Ok(manifest
            .sources
            .into_iter()
            .map(|(dataset, _)| dataset)
            .filter(|dataset| columns_of(dataset).is_some())
            .collect());
    }
    Ok(BTreeSet::new())
}

/// Moves the earlier version's lake out of the way; the manifest goes last, so that the next opening goes on after a
/// crash.
pub(super) fn set_aside(directory: &Path) -> Result<(), LakeError> {
    let manifest = directory.join(MANIFEST);
    if !manifest.is_file() {
        return Ok(());
    }
    // One that is not understood stays where it is.
    datasets(directory)?;
    let former = directory.join(FORMER);
    files::make_directory(&former)?;
    for (name, path, kind) in files::entries(directory)? {
        // The folder of a later reading had the reading's number behind the dataset's name.
        let dataset = name.rsplit_once('~').map_or(name.as_str(), |(dataset, _)| dataset);
        if kind.is_dir() && (name == "set-aside" || columns_of(dataset).is_some()) {
            rename(directory, &path, &former.join(&name))?;
        }
    }
    rename(directory, &manifest, &former.join(MANIFEST))
}
