//! What a run keeps of what it gathered, so that the next one reads only what is new.
//!
//! Differences by day do not depend on the day of a report, and a journal is only added to: what was gathered from some
//! files stays what it is. Kept are the terms' differences with the digest of what made them, the instant as of which
//! they were gathered, and the files that they cover, all of which were recorded by then. Whatever does not fit
//! (another digest, a file that is gone, a table that was read again) is gathered again; a file that was altered is not
//! used. Without any of it a run gives the same figures, only later.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Cursor, ErrorKind};
use std::path::PathBuf;

use polars::prelude::{Column, DataFrame, ParquetReader, PolarsResult, SerReader as _};
use serde::{Deserialize, Serialize};

use super::pass::{Reach, Sums};
use crate::lake::{FileEntry, Lake, LakeError, Rewritten, Table};

/// Whatever changes what is kept, or how it is gathered, has to change this.
const LAYOUT: u32 = 1;
/// Names what is kept, below [`Lake::kept_directory`].
const HEAD: &str = "kept.json";

/// What was gathered from some files of a dataset, all of whose rows were recorded by the instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct KeptDataset {
    pub(super) covers: Covers,
    /// By the terms' digests.
    pub(super) sums: BTreeMap<String, Sums>,
}

/// What was read of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Covers {
    /// The table, by its id, and its reading.
    table: (String, u32),
    horizon: Option<i64>,
    /// The files' checksums, by path.
    files: BTreeMap<String, String>,
    pub(super) reach: Reach,
}

impl Covers {
    pub(super) fn of(table: &Table, files: &[FileEntry], reach: Reach) -> Self {
        let files = files.iter().map(|file| (file.path.clone(), file.sha256.clone())).collect();
        Self { table: (table.id.clone(), table.reading), horizon: table.horizon, files, reach }
    }

    /// Splits a table's files into those that are covered and those that are new; none where what is covered is not in
    /// the table any more.
    pub(super) fn split(&self, table: &Table) -> Option<(Vec<FileEntry>, Vec<FileEntry>)> {
        let same = self.table == (table.id.clone(), table.reading) && self.horizon == table.horizon;
        let is_covered = |file: &FileEntry| self.files.get(&file.path).is_some_and(|sha256| *sha256 == file.sha256);
        let (covered, new): (Vec<_>, Vec<_>) = table.files.iter().cloned().partition(is_covered);
        (same && covered.len() == self.files.len()).then_some((covered, new))
    }
}

/// What a run kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The instant as of which it was gathered, microseconds UTC.
    pub(super) as_of: i64,
    pub(super) datasets: BTreeMap<String, KeptDataset>,
}

/// The file that names what is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    layout: u32,
    as_of: i64,
    /// The file of the differences, and its SHA-256.
    file: String,
    sha256: String,
    datasets: BTreeMap<String, Covers>,
}

impl Kept {
    /// Reads what an earlier run kept; none where there is nothing, or nothing that can be trusted.
    pub(super) fn read(lake: &Lake) -> Option<Self> {
        let head = read_head(lake)?;
        let bytes = fs::read(lake.kept_directory().join(&head.file)).ok()?;
        if crate::lake::digest(&bytes) != head.sha256 {
            tracing::warn!(file = head.file, "what was kept is not what was written, and is gathered anew");
            return None;
        }
        let decoded = decode(bytes).inspect_err(|error| {
            tracing::warn!(file = head.file, error = error as &dyn std::error::Error, "what was kept cannot be read");
        });
        let mut sums = decoded.ok()?;
        let with_sums = |(dataset, covers): (String, Covers)| {
            let sums = sums.remove(&dataset).unwrap_or_default();
            (dataset, KeptDataset { covers, sums })
        };
        Some(Self { as_of: head.as_of, datasets: head.datasets.into_iter().map(with_sums).collect() })
    }

    /// Writes what a run gathered in the place of what was there before.
    pub(super) fn write(self, lake: &Lake) -> Result<(), LakeError> {
        let directory = lake.kept_directory();
        let mut frame = encode(&self.datasets).map_err(crate::lake::frame_error("what is kept"))?;
        let bytes = crate::lake::to_parquet(&mut frame).map_err(crate::lake::frame_error("what is kept"))?;
        let sha256 = crate::lake::digest(&bytes);
        let file = format!("{}.parquet", &sha256[..16]);
        let datasets = self.datasets.into_iter().map(|(dataset, kept)| (dataset, kept.covers)).collect();
        crate::lake::replace(&directory.join(&file), &bytes)?;
        write_head(lake, &Head { layout: LAYOUT, as_of: self.as_of, file: file.clone(), sha256, datasets })?;
        for (name, path, _) in crate::lake::entries(&directory)? {
            if name != HEAD && name != file {
                crate::lake::remove(&path)?;
            }
        }
        Ok(())
    }
}

/// Follows a rewriting of a lake's files: what was gathered from those that count no longer holds for those that hold
/// their rows now.
pub fn follow_rewriting(lake: &Lake, rewritten: &[Rewritten]) -> Result<(), LakeError> {
    let Some(mut head) = read_head(lake) else { return Ok(()) };
    for Rewritten { dataset, dropped, added } in rewritten {
        let Some(covers) = head.datasets.get_mut(dataset) else { continue };
        let covered: BTreeSet<&String> = dropped.iter().filter(|path| covers.files.contains_key(*path)).collect();
        // Where only some of the rows are covered, the files that are gone are found missing, and all is gathered again.
        if covered.len() == dropped.len() {
            covers.files.retain(|path, _| !dropped.contains(path));
            covers.files.extend(added.iter().map(|file| (file.path.clone(), file.sha256.clone())));
        }
    }
    write_head(lake, &head)
}

fn head_path(lake: &Lake) -> PathBuf {
    lake.kept_directory().join(HEAD)
}

fn read_head(lake: &Lake) -> Option<Head> {
    let path = head_path(lake);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::warn!(path = %path.display(), error = &error as &dyn std::error::Error, "what was kept cannot be read");
            return None;
        }
    };
    match serde_json::from_slice(&text) {
        Ok(head) => Some(head).filter(|head: &Head| head.layout == LAYOUT),
        Err(error) => {
            tracing::warn!(path = %path.display(), error = &error as &dyn std::error::Error, "what was kept cannot be read");
            None
        }
    }
}

fn write_head(lake: &Lake, head: &Head) -> Result<(), LakeError> {
    let path = head_path(lake);
    let text = serde_json::to_vec(head).map_err(|source| LakeError::Log { path: path.clone(), source })?;
    crate::lake::replace(&path, &text)
}

/// All differences as one table.
fn encode(datasets: &BTreeMap<String, KeptDataset>) -> PolarsResult<DataFrame> {
    let (mut names, mut digests): (Vec<&str>, Vec<&str>) = Default::default();
    let (mut levels, mut areas, mut days, mut by): (Vec<i32>, Vec<i32>, Vec<i32>, Vec<i64>) = Default::default();
    for (dataset, kept) in datasets {
        for (digest, sums) in &kept.sums {
            for (level, steps) in (0..).zip(&sums.0) {
                for (area, day, step) in steps.iter() {
                    names.push(dataset);
                    digests.push(digest);
                    levels.push(level);
                    areas.push(area);
                    days.push(day);
                    by.push(step);
                }
            }
            // A term of which no row counts stands there too: it need not be gathered again.
            names.push(dataset);
            digests.push(digest);
            levels.push(0);
            areas.push(0);
            days.push(0);
            by.push(0);
        }
    }
    let columns = vec![
        Column::new("dataset".into(), names),
        Column::new("term".into(), digests),
        Column::new("level".into(), levels),
        Column::new("area".into(), areas),
        Column::new("day".into(), days),
        Column::new("by".into(), by),
    ];
    DataFrame::new(columns[0].len(), columns)
}

type ByTerm = BTreeMap<String, Sums>;

fn decode(bytes: Vec<u8>) -> PolarsResult<BTreeMap<String, ByTerm>> {
    let frame = ParquetReader::new(Cursor::new(bytes)).finish()?;
    let (names, digests) = (frame.column("dataset")?.str()?, frame.column("term")?.str()?);
    let number = |name: &str| frame.column(name)?.i32().cloned();
    let (levels, areas, days) = (number("level")?, number("area")?, number("day")?);
    let by = frame.column("by")?.i64()?;
    let mut datasets: BTreeMap<String, ByTerm> = BTreeMap::new();
    for row in 0..frame.height() {
        let Some((dataset, digest)) = names.get(row).zip(digests.get(row)) else { continue };
        let Some((level, area)) = levels.get(row).zip(areas.get(row)) else { continue };
        let Some((day, by)) = days.get(row).zip(by.get(row)) else { continue };
        if !datasets.contains_key(dataset) {
            datasets.insert(dataset.to_owned(), ByTerm::new());
        }
        let terms = datasets.entry(dataset.to_owned()).or_default();
        if !terms.contains_key(digest) {
            terms.insert(digest.to_owned(), Sums::default());
        }
        let level = usize::try_from(level).unwrap_or_default();
        if let Some(steps) = terms.get_mut(digest).and_then(|sums| sums.0.get_mut(level)) {
            steps.add(area, day, by);
        }
    }
    Ok(datasets)
}
