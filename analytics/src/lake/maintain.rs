//! What keeps a lake quick over the years: many small files become one, files that count no longer go, and behind a
//! horizon that an operator sets what was corrected is forgotten.
//!
//! Compaction sorts and drops nothing: every figure of every instant stays what it was. A file that counts no longer
//! stays for [`KEPT_FOR`], for those who read the table as it was; one whose rows stand in no other file stays for
//! ever.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;

use chrono::{DateTime, TimeDelta, Utc};
use polars::prelude::{BooleanChunked, DataFrame, DataType, NewChunkedArray as _, PolarsResult, SortMultipleOptions};

use super::files::{self, failed};
use super::log::{Change, FileEntry, Rows, Table};
use super::{Lake, LakeError, Schema, frames};

/// How long a file is there that counts no longer and whose rows stand in another.
pub(crate) const KEPT_FOR: TimeDelta = TimeDelta::days(30);
/// So many small files of a month become one.
const FILES_FROM: usize = 32;
/// A file of fewer rows is small.
const SMALL: u64 = 250_000;
/// So many rows are put into one file at most, unless one alone has more.
const ROWS_OF_A_FILE: u64 = 1_000_000;
/// Rows that speak of the same record lie side by side, those of an area too.
const ORDER: [&str; 3] = ["_area", "_record", "_position"];

/// Files of a dataset that hold the rows of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The dataset.
    pub dataset: String,
    /// The paths of those that count no longer.
    pub dropped: Vec<String>,
    /// Those that hold their rows.
    pub added: Vec<FileEntry>,
}

impl Lake {
    /// Makes one file of many small ones, and removes those that have counted no longer for [`KEPT_FOR`], and the
    /// commits before them.
    ///
    /// Returns what was rewritten.
    pub fn maintain(&mut self, now: DateTime<Utc>) -> Result<Vec<Rewritten>, LakeError> {
        let datasets: Vec<String> = self.tables.keys().cloned().collect();
        let mut rewritten = Vec::new();
        for dataset in datasets {
            rewritten.extend(self.compact(&dataset, FILES_FROM)?);
            self.vacuum(&dataset, now - KEPT_FOR)?;
            self.tables[&dataset].clean_log(&self.directory, &dataset, (now - KEPT_FOR).into())?;
        }
        Ok(rewritten)
    }

    /// Makes one file of the small ones of each month that has so many; returns which, one by one.
    pub fn compact(&mut self, dataset: &str, files_from: usize) -> Result<Vec<Rewritten>, LakeError> {
        let Some(table) = self.tables.get(dataset).cloned() else { return Ok(Vec::new()) };
        let mut rewritten = Vec::new();
        let mut by_month: BTreeMap<&str, Vec<&FileEntry>> = BTreeMap::new();
        for file in table.files.iter().filter(|file| file.rows < SMALL) {
            by_month.entry(month_of(file)).or_default().push(file);
        }
        let mut change = Change { operation: "OPTIMIZE", rows: Rows::Rewritten, ..Change::default() };
        for (month, files) in by_month.into_iter().filter(|(_, files)| files.len() >= files_from.max(2)) {
            let mut group: Vec<FileEntry> = Vec::new();
            for (index, file) in files.iter().enumerate() {
                group.push((*file).clone());
                let next = files.get(index + 1).map(|file| file.rows);
                let rows: u64 = group.iter().map(|file| file.rows).sum();
                if next.is_some_and(|next| rows + next <= ROWS_OF_A_FILE) {
                    continue;
                }
                let group = std::mem::take(&mut group);
                if group.len() > 1 {
                    let rows = self.all_columns(dataset, &table, &group)?;
                    let added = self.rewrite(dataset, &table, month, &rows)?;
                    let dropped: Vec<String> = group.into_iter().map(|file| file.path).collect();
                    change.added.push(added.clone());
                    change.dropped.extend(dropped.iter().cloned());
                    rewritten.push(Rewritten { dataset: dataset.to_owned(), dropped, added: vec![added] });
                }
            }
        }
        if !rewritten.is_empty() {
            self.commit(dataset, table, change)?;
        }
        Ok(rewritten)
    }

    /// Removes the files of a dataset that count no longer since before an instant and whose rows stand in another;
    /// returns how many.
    pub fn vacuum(&mut self, dataset: &str, before: DateTime<Utc>) -> Result<usize, LakeError> {
        let Some(table) = self.tables.get_mut(dataset) else { return Ok(0) };
        let before = before.timestamp_millis();
        let mut removed = 0;
        // What another writer listed outside the table is none of ours.
        let inside = |path: &str| path.split('/').all(|part| part != "..");
        for file in table.removed.extract_if(.., |file| file.at < before && !file.rows_gone && inside(&file.path)) {
            let path = self.directory.join(&file.path);
            match fs::remove_file(&path) {
                Ok(()) => removed += 1,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(failed("remove", &path)(error)),
            }
        }
        Ok(removed)
    }

    /// Forgets what was corrected up to an instant: assertions that were retracted by then, with their retractions, are
    /// in no file any more, and no earlier instant can be asked for. Returns the number of rows that are gone.
    ///
    /// A pair stays where it alone tells of a record, or of how far an area's rows go.
    pub fn forget_before(&mut self, horizon: DateTime<Utc>) -> Result<u64, LakeError> {
        let ahead = |table: &Table| table.recorded_until.is_none_or(|until| until < horizon.timestamp_micros());
        if let Some((dataset, _)) = self.tables.iter().find(|(_, table)| ahead(table)) {
            return Err(LakeError::HorizonAhead { dataset: dataset.clone(), horizon });
        }
        let horizon = horizon.timestamp_micros();
        let datasets: Vec<String> = self.tables.keys().cloned().collect();
        let mut gone = 0;
        for dataset in datasets {
            let table = self.tables[&dataset].clone();
            if table.horizon.is_some_and(|former| former >= horizon) {
                continue;
            }
            let cancelled = self.cancelled(&dataset, &table, horizon)?;
            let mut change = Change { operation: "FORGET", rows: Rows::Forgotten, ..Change::default() };
            for file in &table.files {
                let rows = self.all_columns(&dataset, &table, std::slice::from_ref(file))?;
                let positions = positions(&rows).map_err(frames::frame_error(&dataset))?;
                let mask: Vec<bool> = positions.iter().map(|position| !cancelled.contains(position)).collect();
                let dropped = mask.iter().filter(|stays| !**stays).count();
                if dropped == 0 {
                    continue;
                }
                gone += u64::try_from(dropped).unwrap_or(u64::MAX);
                let mask = BooleanChunked::from_iter_values("mask".into(), mask.into_iter());
                let rows = rows.filter(&mask).map_err(frames::frame_error(&dataset))?;
                if rows.height() > 0 {
                    change.added.push(self.rewrite(&dataset, &table, month_of(file), &rows)?);
                }
                change.dropped.push(file.path.clone());
            }
            self.commit(&dataset, Table { horizon: Some(horizon), ..table }, change)?;
        }
        Ok(gone)
    }

    /// Returns the first instant that can be asked for; none where every one can.
    pub fn horizon(&self) -> Option<DateTime<Utc>> {
        let horizon = self.tables.values().filter_map(|table| table.horizon).max();
        horizon.and_then(DateTime::from_timestamp_micros)
    }

    /// Returns the positions of the rows that cancel out up to an instant and tell of nothing else.
    fn cancelled(&self, dataset: &str, table: &Table, horizon: i64) -> Result<HashSet<i64>, LakeError> {
        let schema: Schema = ["_position", "_assertion", "_diff", "_recorded_at", "_from"]
            .map(|name| (name.to_owned(), DataType::Int64))
            .into_iter()
            .chain(["_record", "_area"].map(|name| (name.to_owned(), DataType::String)))
            .collect();
        let rows = frames::read(&self.directory, dataset, &table.files, &schema)?;
        cancelled(&rows, horizon).map_err(frames::frame_error(dataset))
    }

    fn all_columns(&self, dataset: &str, table: &Table, files: &[FileEntry]) -> Result<DataFrame, LakeError> {
        let schema: Schema =
            table.fields.iter().map(|field| (field.name.clone(), frames::frame_type(&field.kind))).collect();
        frames::read(&self.directory, dataset, files, &schema)
    }

    /// Writes rows as one file of a month, in the order of [`ORDER`].
    fn rewrite(&self, dataset: &str, table: &Table, month: &str, rows: &DataFrame) -> Result<FileEntry, LakeError> {
        let mut rows = rows.sort(ORDER, SortMultipleOptions::default()).map_err(frames::frame_error(dataset))?;
        let version = table.version.map_or(0, |version| version + 1);
        let place = files::Place { directory: &self.directory, dataset, version, month };
        files::write_rows(place, &mut rows, &mut |_| Ok(()))
    }

    fn commit(&mut self, dataset: &str, table: Table, mut change: Change) -> Result<(), LakeError> {
        change.at = Utc::now().timestamp_millis();
        let table = table.commit(&self.directory, dataset, change, &mut |_| Ok(()))?;
        self.tables.insert(dataset.to_owned(), table);
        Ok(())
    }
}

/// The month of a file, by its folder.
fn month_of(file: &FileEntry) -> &str {
    file.path.rsplit('/').nth(1).unwrap_or_default()
}

fn positions(rows: &DataFrame) -> PolarsResult<Vec<i64>> {
    Ok(rows.column("_position")?.i64()?.iter().map(Option::unwrap_or_default).collect())
}

/// A row, as far as it decides what stays.
struct Told<'a> {
    position: i64,
    record: &'a str,
    assertion: i64,
    retracts: bool,
    recorded_at: i64,
    from: i64,
    area: &'a str,
}

fn cancelled(rows: &DataFrame, horizon: i64) -> PolarsResult<HashSet<i64>> {
    let number = |name: &str| PolarsResult::Ok(rows.column(name)?.i64()?.clone());
    let (position, assertion, diff) = (number("_position")?, number("_assertion")?, number("_diff")?);
    let (recorded_at, from) = (number("_recorded_at")?, number("_from")?);
    let (records, areas) = (rows.column("_record")?.str()?, rows.column("_area")?.str()?);
    let told = |row: usize| Told {
        position: position.get(row).unwrap_or_default(),
        record: records.get(row).unwrap_or_default(),
        assertion: assertion.get(row).unwrap_or_default(),
        retracts: diff.get(row).is_some_and(|diff| diff < 0),
        recorded_at: recorded_at.get(row).unwrap_or_default(),
        from: from.get(row).unwrap_or(i64::MAX),
        area: areas.get(row).unwrap_or_default(),
    };
    let (known, later): (Vec<Told<'_>>, Vec<Told<'_>>) =
        (0..rows.height()).map(told).partition(|row| row.recorded_at <= horizon);
    let retracted: HashSet<(&str, i64)> =
        known.iter().filter(|row| row.retracts).map(|row| (row.record, row.assertion)).collect();
    let cancels = |row: &Told<'_>| retracted.contains(&(row.record, row.assertion));

    // What says how far an area's rows go: its first day, its newest row, its last position.
    let mut staying: HashSet<(&str, i64)> = HashSet::new();
    let keys: [fn(&Told<'_>) -> i64; 3] = [|row| -row.from, |row| row.recorded_at, |row| row.position];
    for key in keys {
        let mut extremes: HashMap<&str, &Told<'_>> = HashMap::new();
        for row in &known {
            let extreme = extremes.entry(row.area).or_insert(row);
            // Of two that say the same, one that stays anyway does.
            if (key(extreme), !cancels(extreme)) < (key(row), !cancels(row)) {
                *extreme = row;
            }
        }
        staying.extend(extremes.into_values().map(|row| (row.record, row.assertion)));
    }
    // What alone tells that there was a record.
    let mut last: HashMap<&str, Option<i64>> = HashMap::new();
    for row in &known {
        let last = last.entry(row.record).or_insert(Some(i64::MIN));
        *last = last.filter(|_| cancels(row)).map(|assertion| assertion.max(row.assertion));
    }
    last.extend(later.iter().map(|row| (row.record, None)));
    staying.extend(last.into_iter().filter_map(|(record, assertion)| Some((record, assertion?))));
    let gone = known.iter().filter(|row| cancels(row) && !staying.contains(&(row.record, row.assertion)));
    Ok(gone.map(|row| row.position).collect())
}
