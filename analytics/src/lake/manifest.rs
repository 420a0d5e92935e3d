//! The list of the files that count, and how far each feed was read.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::LakeError;
use super::anew::ReadAnew;

/// Name of the manifest in the lake's directory.
pub(super) const FILE_NAME: &str = "manifest.json";

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_anew: Option<ReadAnew>,
    /// Where its feed goes on.
    pub cursor: String,
    /// The position that was reached.
    pub position: i64,
    /// The moment up to which it is complete, microseconds UTC.
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
            read_anew: None,
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
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|source| LakeError::Manifest { path, source }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self { version: 1, sources: BTreeMap::new() }),
            Err(source) => Err(LakeError::Io { doing: "read", path, source }),
        }
    }
}
