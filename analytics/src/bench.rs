//! A lake of many rows for measurements, and one figure of it, computed twice: by the statistics, and by a query that
//! somebody wrote by hand for this figure alone.
//!
//! The figure is the share of insurance applications decided on their merits, for every month, county and
//! prefecture: records that change, end or are withdrawn later, a condition that depends on the day.

mod province;

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Instant};

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use chrono::{DateTime, Months, NaiveDate, Utc};
use polars::prelude::{
    DataType, IntoLazy as _, LazyFrame, PlRefPath, PolarsError, PolarsResult, ScanArgsParquet, UnionArgs, col, concat,
    lit,
};

use crate::{
    catalogue::{Areas, Catalogue},
    lake::{Lake, Progress},
    model::{Level, REGION},
    statistics::{BitemporalCutoff, StatisticsError, compute, month_end},
};

#[cfg(test)]
pub(crate) use province::Values;
pub use province::{add_month, make_province};

const DATASET: &str = "social_security.enrolments";
const COMMITMENT: &str = "employment-place-enrolment";
const CONDITION: &str =
    "registered_elsewhere AND decision <> 'PENDING' AND (decided_on IS NULL OR decided_on <= on_day)";
/// Rows of one append, as a feed gives them.
const ROWS_AT_ONCE: u64 = 250_000;
/// The first day of the records, days since 1970-01-01: 2024-01-01.
const FIRST_DAY: i32 = 19_723;
/// Days of the records: to 2026-12-31.
const DAYS: u64 = 1_096;
/// The months that they lie in.
pub const MONTHS: u32 = 36;
const MICROS_OF_A_DAY: i64 = 86_400_000_000;

/// Numerator and denominator by area and month, where anything was counted.
pub type Figures = BTreeMap<(String, NaiveDate), (f64, f64)>;

/// An answer with what it cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The answer.
    pub figures: Figures,
    /// Time, in seconds.
    pub seconds: f64,
    /// The most memory that the process held meanwhile (`VmHWM`), in MiB; 0 where the system does not tell.
    pub peak_mebibytes: f64,
}

/// Fills a new lake with so many rows: of each seven, four create a record and three tell of a change of the first of
/// them, which is sometimes its end; one in seven hundred withdraws a record.
pub fn make_lake(directory: &Path, rows: u64) -> Result<(), StatisticsError> {
    let counties: Vec<String> = Areas::of_the_region()
        .all()
        .iter()
        .filter(|area| area.level == Level::County)
        .map(|area| area.code.clone())
        .collect();
    let mut lake = Lake::open(directory)?;
    let mut first = 0;
    while first < rows {
        let last = rows.min(first + ROWS_AT_ONCE);
        let batch = batch(first..last, rows, &counties);
        let position = i64::try_from(last).unwrap_or(i64::MAX);
        let progress =
            Progress { cursor: last.to_string(), position, recorded_until: Some(as_of().timestamp_micros()) };
        lake.append(DATASET, &[batch], progress)?;
        first = last;
    }
    Ok(())
}

/// Answers by the statistics, as a report does.
pub fn by_statistics(directory: &Path) -> Result<Measured, StatisticsError> {
    let lake = Lake::open_read_only(directory)?;
    let mut catalogue =
        Catalogue::embedded().map_err(|error| wrong(PolarsError::ComputeError(error.to_string().into())))?;
    catalogue.entries.retain(|entry| entry.commitment.id == COMMITMENT);
    for entry in &mut catalogue.entries {
        entry.measures.truncate(1);
        // What is measured stays the same, whatever becomes of the commitment's own definition.
        let count = entry.measures.iter_mut().filter_map(|measure| measure.count.as_mut());
        count.for_each(|count| count.condition = Some(CONDITION.to_owned()));
    }
    let cutoff = BitemporalCutoff { on: on(), as_of: as_of() };
    measured(|| {
        let statistics = compute(&catalogue, &lake, &cutoff)?;
        let counted = statistics.rows.into_iter().filter_map(|row| {
            let denominator = row.denominator.filter(|denominator| *denominator > 0.0)?;
            Some(((row.area, row.month), (row.numerator.unwrap_or_default(), denominator)))
        });
        Ok(counted.collect())
    })
}

/// Computes all commitments of a lake as a report does, up to the end of a month by its number, as known at the end of
/// another; returns how many cells that gave.
///
/// Where it `keeps`, it begins with what an earlier run kept, and keeps what it gathers.
pub fn attainment(
    directory: &Path,
    keeps: bool,
    months: u32,
    known_months: u32,
) -> Result<(usize, Cost), StatisticsError> {
    let lake = if keeps { Lake::open(directory)? } else { Lake::open_read_only(directory)? };
    let catalogue = Catalogue::shipped();
    let cutoff = BitemporalCutoff { on: end_of(months), as_of: after(end_of(known_months)) };
    forget_peak();
    let began = Instant::now();
    let statistics = compute(catalogue, &lake, &cutoff)?;
    let cost = Cost { seconds: began.elapsed().as_secs_f64(), peak_mebibytes: peak() };
    if keeps {
        lake.publish(crate::reference::tables(catalogue, &cutoff, &statistics.reference))?;
    }
    Ok((statistics.rows.len(), cost))
}

/// What an answer cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Time, in seconds.
    pub seconds: f64,
    /// The most memory that the process held meanwhile, in MiB.
    pub peak_mebibytes: f64,
}

/// Computes it by a query for this figure alone: what it counts adds up, those that have ended too, so that it sums `_diff`
/// and needs no record.
pub fn by_hand(directory: &Path) -> Result<Measured, StatisticsError> {
    let lake = Lake::open_read_only(directory)?;
    let files = lake.sources().get(DATASET).map_or(&[][..], |source| source.files.as_slice());
    let paths: Vec<_> = files.iter().map(|file| directory.join(&file.path)).collect();
    measured(|| crate::engine::on_own_thread(|| scan(&paths)).map_err(wrong))
}

fn scan(paths: &[std::path::PathBuf]) -> PolarsResult<Figures> {
    let scans = paths
        .iter()
        .map(|path| LazyFrame::scan_parquet(PlRefPath::try_from_path(path)?, ScanArgsParquet::default()))
        .collect::<PolarsResult<Vec<_>>>()?;
    let known = concat(scans, UnionArgs::default())?
        .filter(col("_recorded_at").cast(DataType::Int64).lt_eq(lit(as_of().timestamp_micros())));
    let base = known
        .filter(col("registered_elsewhere").and(col("decision").neq(lit("PENDING"))))
        .with_columns([
            col("_from").cast(DataType::Int32),
            col("_until").cast(DataType::Int32),
            col("decided_on").cast(DataType::Int32),
            col("decision")
                .eq(lit("REFUSED"))
                .and(col("refusal_reason").eq_missing(lit("HOUSEHOLD_REGISTRATION")))
                .not()
                .alias("on_its_merits"),
        ])
        .select(["_area", "_from", "_until", "_diff", "decided_on", "on_its_merits"].map(col))
        .collect()?;
    let mut figures = Figures::new();
    for number in 0..MONTHS {
        let month = first_month() + Months::new(number);
        let day = lit(month_end(month).min(on()).to_epoch_days());
        let counted = base
            .clone()
            .lazy()
            .filter(col("_from").lt_eq(day.clone()))
            .filter(col("_until").is_null().or(col("_until").gt(day.clone())))
            .filter(col("decided_on").is_null().or(col("decided_on").lt_eq(day)))
            .group_by([col("_area")])
            .agg([
                (col("_diff") * col("on_its_merits").cast(DataType::Int64))
                    .sum()
                    .cast(DataType::Float64)
                    .alias("numerator"),
                col("_diff").sum().cast(DataType::Float64).alias("denominator"),
            ])
            .filter(col("denominator").gt(lit(0)))
            .collect()?;
        let areas = counted.column("_area")?.str()?.clone();
        let (numerators, denominators) = (counted.column("numerator")?.f64()?, counted.column("denominator")?.f64()?);
        for ((area, numerator), denominator) in areas.iter().zip(numerators.iter()).zip(denominators.iter()) {
            let (Some(county), Some(numerator), Some(denominator)) = (area, numerator, denominator) else { continue };
            for area in [county.to_owned(), format!("{}00", &county[..4]), REGION.to_owned()] {
                let cell = figures.entry((area, month)).or_default();
                *cell = (cell.0 + numerator, cell.1 + denominator);
            }
        }
    }
    Ok(figures)
}

fn wrong(source: PolarsError) -> StatisticsError {
    StatisticsError::Engine { what: DATASET.to_owned(), source: Box::new(source) }
}

fn measured(work: impl FnOnce() -> Result<Figures, StatisticsError>) -> Result<Measured, StatisticsError> {
    forget_peak();
    let began = Instant::now();
    let figures = work()?;
    Ok(Measured { figures, seconds: began.elapsed().as_secs_f64(), peak_mebibytes: peak() })
}

/// Lets the system count the peak again from what is held now.
fn forget_peak() {
    // Where the system refuses, the peak is that of the whole process.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim_end().parse().unwrap_or_default();
    kibibytes / 1024.0
}

fn first_month() -> NaiveDate {
    NaiveDate::from_epoch_days(FIRST_DAY).unwrap_or_default()
}

/// The last day of the last month.
fn on() -> NaiveDate {
    end_of(MONTHS)
}

/// The last day of a month by its number, from 1.
fn end_of(month: u32) -> NaiveDate {
    month_end(first_month() + Months::new(month.saturating_sub(1)))
}

/// Behind all records.
fn as_of() -> DateTime<Utc> {
    after(on())
}

/// The end of the next day.
fn after(day: NaiveDate) -> DateTime<Utc> {
    let micros = (i64::from(day.to_epoch_days()) + 2) * MICROS_OF_A_DAY;
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

/// What a row says, all of it from its number.
struct Row {
    position: i64,
    record: String,
    assertion: i64,
    diff: i64,
    from: i32,
    until: Option<i32>,
    ended: bool,
    recorded_at: i64,
    area: usize,
    /// The first day that the row's own columns speak of, and what they say.
    applied_on: i32,
    dice: u64,
}

fn row(number: u64, of: u64, counties: usize) -> Row {
    // Of each seven rows the last three speak of the record that the first made, but where it is withdrawn.
    let (group, within) = (number / 7, number % 7);
    let withdrawn = group % 100 == 99;
    let speaks_of_first = if withdrawn { within == 4 } else { within >= 4 };
    let subject = if speaks_of_first { group * 7 } else { number };
    let day = |number: u64| i32::try_from(number * DAYS / of.max(1)).unwrap_or_default() + FIRST_DAY;
    let (first, changed) = (day(subject), day(subject) + 30);
    let (assertion, diff, from, until, says) = match within {
        4 => (1, -1, first, None, subject),
        5 if speaks_of_first => (2, 1, first, Some(changed), subject),
        6 if speaks_of_first => (3, 1, changed, None, number),
        _ => (1, 1, first, None, subject),
    };
    Row {
        position: i64::try_from(number + 1).unwrap_or(i64::MAX),
        record: record_of(subject),
        assertion,
        diff,
        from,
        until,
        ended: assertion == 3 && group % 10 == 9,
        recorded_at: i64::from(day(number)) * MICROS_OF_A_DAY + i64::try_from(number % 86_400).unwrap_or_default(),
        area: usize::try_from(mixed(subject) % u64::try_from(counties.max(1)).unwrap_or(1)).unwrap_or_default(),
        applied_on: from,
        dice: mixed(says),
    }
}

/// The name of a record, by the number of the row that made it.
fn record_of(subject: u64) -> String {
    format!("{:016x}{:016x}", mixed(subject ^ 0x5555), mixed(subject))
}

/// Spreads a number over all bits (the finaliser of `SplitMix64`).
fn mixed(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn batch(numbers: std::ops::Range<u64>, of: u64, counties: &[String]) -> RecordBatch {
    const SCHEMES: [&str; 4] = ["EMPLOYEE_PENSION", "RESIDENT_PENSION", "EMPLOYEE_MEDICAL", "RESIDENT_MEDICAL"];
    let rows: Vec<Row> = numbers.map(|number| row(number, of, counties.len())).collect();
    let text = |of: &dyn Fn(&Row) -> String| Arc::new(StringArray::from_iter_values(rows.iter().map(of))) as ArrayRef;
    let numbers =
        |of: &dyn Fn(&Row) -> i64| Arc::new(rows.iter().map(|row| Some(of(row))).collect::<Int64Array>()) as ArrayRef;
    let days = |of: &dyn Fn(&Row) -> Option<i32>| Arc::new(rows.iter().map(of).collect::<Date32Array>()) as ArrayRef;
    let decision =
        |row: &Row| ["ADMITTED", "ADMITTED", "ADMITTED", "ADMITTED", "REFUSED", "PENDING"][(row.dice % 6) as usize];
    let decided = |row: &Row| {
        (decision(row) != "PENDING")
            .then_some(row.applied_on + 5 + i32::try_from((row.dice >> 8) % 20).unwrap_or_default())
    };
    let reason = |row: &Row| {
        (decision(row) == "REFUSED").then_some(if row.dice & 64 == 0 {
            "HOUSEHOLD_REGISTRATION"
        } else {
            "ALREADY_ENROLLED"
        })
    };
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("_position", numbers(&|row| row.position), false),
        ("_record", text(&|row| row.record.clone()), false),
        ("_assertion", numbers(&|row| row.assertion), false),
        ("_diff", numbers(&|row| row.diff), false),
        ("_from", days(&|row| Some(row.from)), false),
        ("_until", days(&|row| row.until), true),
        ("_ended", Arc::new(rows.iter().map(|row| Some(row.ended)).collect::<BooleanArray>()), false),
        (
            "_recorded_at",
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.recorded_at))
                    .with_timezone("UTC"),
            ),
            false,
        ),
        ("_area", text(&|row| counties[row.area].clone()), false),
        ("person", text(&|row| row.record[..16].to_owned()), true),
        ("scheme", text(&|row| SCHEMES[(row.dice >> 16) as usize % SCHEMES.len()].to_owned()), true),
        ("entry_kind", text(&|_| "RESIDENCE_PERMIT".to_owned()), true),
        (
            "registered_elsewhere",
            Arc::new(rows.iter().map(|row| Some(row.dice & 128 == 0)).collect::<BooleanArray>()),
            true,
        ),
        ("decision", text(&|row| decision(row).to_owned()), true),
        ("refusal_reason", Arc::new(rows.iter().map(reason).collect::<StringArray>()), true),
        ("applied_on", days(&|row| Some(row.applied_on)), true),
        ("decided_on", days(&decided), true),
        ("covered_from", days(&|row| Some(row.applied_on)), true),
        ("covered_to", days(&|_| None), true),
        ("premium_payer", text(&|_| "SELF".to_owned()), true),
        ("yearly_contribution_fen", numbers(&|_| 40_000), true),
        ("decision_working_days", numbers(&|_| 5), true),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).expect("all columns have a value for each row")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statistics_and_the_query_by_hand_give_the_same_figures() {
        let directory = tempfile::tempdir().expect("a directory");
        make_lake(directory.path(), 5_000).expect("a lake");
        let ours = by_statistics(directory.path()).expect("figures").figures;
        let theirs = by_hand(directory.path()).expect("figures").figures;
        assert!(ours.len() > 500, "{}", ours.len());
        let region = ours.get(&(REGION.to_owned(), first_month() + Months::new(MONTHS - 1))).expect("the last month");
        assert!(region.0 < region.1 && region.1 > 1_000.0, "{region:?}");
        assert_eq!(ours, theirs);
    }
}
