//! The list of the files that count, and how far each feed was read.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::LakeError;
use super::resync::Resync;

/// Name of the manifest in the lake's directory.
pub(super) const FILE_NAME: &str = "manifest.json";
/// The layout that is written. Rows of the first are of journals that did not assert and retract.
const VERSION: u32 = 2;

/// What the lake holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this layout.
    pub version: u32,
    /// What it holds of each dataset.
    pub sources: BTreeMap<String, SourceEntry>,
}

/// What the lake holds of one dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceEntry {
    /// The service that keeps it.
    pub service: String,
    /// How often it was read from its beginning, this reading included.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub reading: u32,
    /// That it was not for the first time, and why.
    #[serde(default, rename = "read_anew", skip_serializing_if = "Option::is_none")]
    pub resynced: Option<Resync>,
    /// Its rows are of a former layout: they count for nothing until it is read again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outdated: bool,
    /// Where its feed goes on.
    pub cursor: String,
    /// The position that was reached.
    pub position: i64,
    /// The instant up to which it is complete, microseconds UTC.
    pub recorded_until: Option<i64>,
    /// Its files in the order in which they were written.
    pub files: Vec<FileEntry>,
}

/// One file of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its path below the lake's directory.
    pub path: String,
    /// Number of rows.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
}

impl SourceEntry {
    pub(super) fn new(service: String) -> Self {
        Self {
            service,
            reading: first(),
            resynced: None,
            outdated: false,
            cursor: String::new(),
            position: 0,
            recorded_until: None,
            files: Vec::new(),
        }
    }
}

fn first() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_first(reading: &u32) -> bool {
    *reading == first()
}

impl Manifest {
    /// Reads the manifest of a lake; a lake without one is empty.
    pub(super) fn read(directory: &Path) -> Result<Self, LakeError> {
        let path = directory.join(FILE_NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self { version: VERSION, sources: BTreeMap::new() });
            }
            Err(source) => return Err(LakeError::Io { doing: "read", path, source }),
        };
        let mut manifest: Self = match serde_json::from_slice(&bytes) {
            Ok(manifest) => manifest,
            Err(source) => return Err(LakeError::Manifest { path, source }),
        };
        match manifest.version {
            VERSION => {}
            1 => {
                manifest.version = VERSION;
                manifest.sources.values_mut().for_each(|source| source.outdated = true);
            }
            version => return Err(LakeError::Version { path, version }),
        }
        Ok(manifest)
    }
}
