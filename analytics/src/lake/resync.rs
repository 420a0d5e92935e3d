//! A feed that does not go on from where the lake left it is read again from its beginning, beside what is there.
//!
//! The rows read again lie in a folder of their own, and the manifest speaks of them in one step once the whole feed is
//! there: until then the former ones count, and after a crash too. The former ones are then set aside, never removed:
//! their folder gets a name under `set-aside/` that says when and why.
//!
//! Rows of a former layout, whose journals did not assert and retract yet, are kept until then and count for nothing.

use std::fs;
use std::path::Path;

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use super::files::{self, rename};
use super::manifest::SourceEntry;
use super::{Lake, LakeError, Manifest, Step};
use crate::model::ResyncReason;

/// Below the lake's directory: what no longer counts.
const SET_ASIDE: &str = "set-aside";

/// That a dataset was read again from its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resync {
    /// When that began, microseconds UTC.
    pub at: i64,
    /// Why.
    pub why: ResyncReason,
    /// Where the former files are, below the lake's directory.
    pub set_aside: String,
}

/// Names the folder of a dataset's rows: the dataset, and from its second reading on the number of the reading.
pub(super) fn folder(dataset: &str, reading: u32) -> String {
    if reading <= 1 { dataset.to_owned() } else { format!("{dataset}~{reading}") }
}

/// Returns the dataset and which of its readings a folder is.
pub(super) fn reading_of(folder: &str) -> (&str, u32) {
    let later = folder.rsplit_once('~').and_then(|(dataset, reading)| Some((dataset, reading.parse().ok()?)));
    later.unwrap_or((folder, 1))
}

/// Names the folder to which the former files go.
fn aside(dataset: &str, reading: u32, at: i64, why: ResyncReason) -> String {
    let when = DateTime::from_timestamp_micros(at).unwrap_or_default().format("%Y%m%dT%H%M%SZ");
    let why = match why {
        ResyncReason::JournalReplaced => "journal-replaced",
        ResyncReason::CursorRefused => "cursor-refused",
    };
    format!("{SET_ASIDE}/{dataset}-{reading}-{when}-{why}")
}

impl Lake {
    /// Begins to read a dataset again: what is appended from now on waits beside what is there.
    pub fn begin_resync(&mut self, dataset: &str, why: ResyncReason, at: i64) {
        let Some(former) = self.manifest.sources.get(dataset) else { return };
        let resynced = Resync { at, why, set_aside: aside(dataset, former.reading, at, why) };
        let entry = SourceEntry {
            reading: former.reading + 1,
            resynced: Some(resynced),
            ..SourceEntry::new(former.service.clone())
        };
        self.resyncs.insert(dataset.to_owned(), entry);
    }

    /// Lets what was read again count, and sets aside what counted before.
    pub fn finish_resync(&mut self, dataset: &str) -> Result<Option<Resync>, LakeError> {
        self.finish_resync_with(dataset, |_| Ok(()))
    }

    /// Finishes, telling each step; a step that answers with an error stands for a crash at that step.
    pub(crate) fn finish_resync_with(
        &mut self,
        dataset: &str,
        mut at: impl FnMut(Step) -> Result<(), LakeError>,
    ) -> Result<Option<Resync>, LakeError> {
        let Some(entry) = self.resyncs.remove(dataset) else { return Ok(None) };
        let told = entry.resynced.clone();
        let mut next = self.manifest.clone();
        next.sources.insert(dataset.to_owned(), entry);
        files::replace_manifest(&self.directory, &next, &mut at)?;
        self.manifest = next;
        at(Step::ManifestReplaced)?;
        set_aside(&self.directory, &self.manifest)?;
        Ok(told)
    }

    /// Abandons reading a dataset again: what was there still counts.
    pub fn abandon_resync(&mut self, dataset: &str) {
        self.resyncs.remove(dataset);
    }
}

/// Sets aside the files that counted before the last reading of each dataset, where a crash has not let that happen.
pub(super) fn set_aside(directory: &Path, manifest: &Manifest) -> Result<(), LakeError> {
    for (dataset, source) in &manifest.sources {
        let Some(resynced) = &source.resynced else { continue };
        let former = directory.join(folder(dataset, source.reading - 1));
        let aside = directory.join(&resynced.set_aside);
        // Whatever has that name already stays there.
        if former.is_dir() && fs::symlink_metadata(&aside).is_err() {
            files::make_directory(&directory.join(SET_ASIDE))?;
            rename(directory, &former, &aside)?;
        }
    }
    Ok(())
}
