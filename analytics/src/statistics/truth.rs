//! The days on which each row of a dataset was the truth of its record.
//!
//! The rows are many and a record has few of them, so nothing is kept for each record: the hashes of the names are
//! sorted, which puts a record's rows side by side. Hashes only bring rows together; names decide. How the work is
//! divided among threads makes no difference to what comes out.

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::num::NonZero;
use std::thread::{available_parallelism, scope};

use polars::prelude::{
    BooleanChunked, ChunkCompareEq as _, ChunkCompareIneq as _, ChunkFillNullValue as _, Column, DataFrame, DataType,
    IdxSize, Int32Chunked, IntoSeries as _, NewChunkedArray as _, PlRandomState, PolarsResult, Series, StringChunked,
};

use super::frames::{ENDED, FROM, ID, PLACE, UNTIL, days, numbers, short_id};

/// With fewer rows than these for each, threads are not worth their while.
const ROWS_OF_A_WORKER: usize = 50_000;
/// The names' hashes are sorted in so many heaps, each small enough for a processor's cache.
const HEAPS: usize = 1 << HEAP_BITS;
const HEAP_BITS: u32 = 7;

/// Keeps what was known at a moment and adds to each row the days on which it was the truth.
///
/// A row is the truth of its record from its own day until the next row's: of two rows for the same day the later
/// position counts. What was recorded of a record before it was withdrawn was never true. Of the columns, those
/// stay that are wanted.
pub(super) fn truth(rows: DataFrame, as_of: i64, wanted: &BTreeSet<String>) -> PolarsResult<DataFrame> {
    let cores = available_parallelism().map_or(1, NonZero::get);
    let workers = cores.min(rows.height() / ROWS_OF_A_WORKER + 1);
    truth_by(workers, &PlRandomState::default(), rows, as_of, wanted)
}

fn truth_by(
    workers: usize,
    hasher: &(impl BuildHasher + Sync),
    mut rows: DataFrame,
    as_of: i64,
    wanted: &BTreeSet<String>,
) -> PolarsResult<DataFrame> {
    let height = rows.height();
    let changes = rows.column("_change")?.str()?;
    let ended = is_true(&changes.equal("ENDED"));
    let known = is_true(&numbers(&rows, "_recorded_at")?.lt_eq(as_of));
    let records = rows.column("_record")?.str()?.rechunk().into_owned();
    let position = numbers(&rows, "_position")?.fill_null_with_values(0)?.rechunk().into_owned();
    let valid = days(&rows, FROM)?.fill_null_with_values(0)?.rechunk().into_owned();
    let journal = Journal {
        withdrawn: is_true(&changes.equal("WITHDRAWN")),
        position: position.cont_slice()?,
        valid: valid.cont_slice()?,
        records: &records,
    };

    let heaped = in_parallel(workers, |worker| {
        let range = height * worker / workers..height * (worker + 1) / workers;
        hashes(journal.records, &known, range, hasher)
    });
    let found = in_parallel(workers, |worker| {
        let mut found = Found::default();
        for heap in (worker..HEAPS).step_by(workers) {
            let mut together: Vec<Hashed> = heaped.iter().flat_map(|heaps| &heaps[heap]).copied().collect();
            together.sort_unstable();
            journal.take(&together, &mut found);
        }
        found
    });
    drop(heaped);

    let mut keep = known;
    let (mut until, mut has_until) = (vec![0; height], vec![false; height]);
    for found in found {
        for row in found.never {
            keep[row as usize] = false;
        }
        for (row, day) in found.until {
            until[row as usize] = day;
            has_until[row as usize] = true;
        }
    }
    let until = Int32Chunked::from_vec_validity(UNTIL.into(), until, Some(has_until.into_iter().collect()));
    let mut added: Vec<Column> = vec![
        until.into_series().cast(&DataType::Date)?.into(),
        flags(ENDED, ended),
        places(rows.column("_area")?.str()?, workers)?,
    ];
    if wanted.contains(ID) {
        let ids: StringChunked = records.iter().map(|record| record.map(short_id)).collect();
        added.push(Series::from(ids.with_name(ID.into())).into());
    }
    let names = rows.get_column_names_owned().into_iter();
    rows = rows.select(names.filter(|name| name == FROM || wanted.contains(name.as_str())))?;
    for column in added {
        rows.with_column(column)?;
    }
    let mut kept = rows.filter(flags("keep", keep).bool()?)?;
    drop(rows);
    kept.rechunk_mut_par();
    Ok(kept)
}

fn is_true(flags: &BooleanChunked) -> Vec<bool> {
    flags.iter().map(|flag| flag == Some(true)).collect()
}

fn flags(name: &str, flags: Vec<bool>) -> Column {
    Series::from(BooleanChunked::from_iter_values(name.into(), flags.into_iter())).into()
}

/// Reads the codes of areas as numbers.
fn places(areas: &StringChunked, workers: usize) -> PolarsResult<Column> {
    let parts = in_parallel(workers, |worker| {
        let range = areas.len() * worker / workers..areas.len() * (worker + 1) / workers;
        let part = areas.slice(i64::try_from(range.start).unwrap_or(i64::MAX), range.len());
        part.iter().map(|area| area.and_then(|code| code.parse().ok())).collect::<Int32Chunked>()
    });
    let mut all = Int32Chunked::from_vec(PLACE.into(), Vec::new());
    for part in &parts {
        all.append(part)?;
    }
    Ok(Series::from(all).into())
}

/// A row by the hash of its record's name.
type Hashed = (u64, IdxSize);

/// Hashes the names of some rows, those that are known, into heaps.
fn hashes(
    records: &StringChunked,
    known: &[bool],
    range: std::ops::Range<usize>,
    hasher: &impl BuildHasher,
) -> Vec<Vec<Hashed>> {
    let mut heaps: Vec<Vec<Hashed>> = (0..HEAPS).map(|_| Vec::with_capacity(range.len() / HEAPS * 9 / 8)).collect();
    let part = records.slice(i64::try_from(range.start).unwrap_or(i64::MAX), range.len());
    let first = IdxSize::try_from(range.start).unwrap_or(IdxSize::MAX);
    for ((row, record), known) in (first..).zip(part.iter()).zip(&known[range]) {
        if *known {
            let hash = hasher.hash_one(record.unwrap_or_default());
            let heap = usize::try_from(hash >> (u64::BITS - HEAP_BITS)).unwrap_or_default();
            heaps[heap].push((hash, row));
        }
    }
    heaps
}

/// What the rows say, by their number.
struct Journal<'a> {
    records: &'a StringChunked,
    withdrawn: Vec<bool>,
    position: &'a [i64],
    valid: &'a [i32],
}

/// What was found about rows.
#[derive(Default)]
struct Found {
    /// Rows that were never the truth.
    never: Vec<IdxSize>,
    /// The first day on which a row no longer was.
    until: Vec<(IdxSize, i32)>,
}

impl Journal<'_> {
    fn name(&self, row: IdxSize) -> &str {
        self.records.get(row as usize).unwrap_or_default()
    }

    /// Takes rows in the order of their hashes.
    fn take(&self, hashed: &[Hashed], found: &mut Found) {
        let mut together = Vec::new();
        for alike in hashed.chunk_by(|one, next| one.0 == next.0) {
            if let [(_, only)] = alike {
                if self.withdrawn[*only as usize] {
                    found.never.push(*only);
                }
                continue;
            }
            together.clear();
            together.extend(alike.iter().map(|(_, row)| *row));
            let name = self.name(together[0]);
            if together[1..].iter().all(|row| self.name(*row) == name) {
                self.judge(&mut together, found);
                continue;
            }
            together.sort_unstable_by_key(|row| (self.name(*row), *row));
            for own in together.chunk_by(|one, next| self.name(*one) == self.name(*next)) {
                self.judge(&mut own.to_vec(), found);
            }
        }
    }

    /// Judges the rows of one record.
    fn judge(&self, own: &mut Vec<IdxSize>, found: &mut Found) {
        let position = |row: &IdxSize| self.position[*row as usize];
        let valid = |row: &IdxSize| self.valid[*row as usize];
        if let Some(withdrawn) = own.iter().filter(|row| self.withdrawn[**row as usize]).map(position).max() {
            found.never.extend(own.iter().filter(|row| position(row) <= withdrawn));
            own.retain(|row| position(row) > withdrawn);
        }
        own.sort_unstable_by_key(|row| (valid(row), position(row), *row));
        for pair in own.windows(2) {
            if valid(&pair[0]) < valid(&pair[1]) {
                found.until.push((pair[0], valid(&pair[1])));
            } else {
                found.never.push(pair[0]);
            }
        }
    }
}

/// Does work in so many threads and gives the results in their order.
fn in_parallel<T: Send>(workers: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if workers == 1 {
        return vec![work(0)];
    }
    scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        let joined = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use polars::prelude::{IntoColumn as _, NamedFrom as _};
    use proptest::prelude::*;

    use super::*;

    /// A row by record, change, own day and moment of recording; its position is its place.
    type Said = (u8, &'static str, i32, i64);

    const AS_OF: i64 = 30;

    /// Gives all names one of so many hashes.
    struct Few(u64);

    struct Sum(u64, u64);

    impl BuildHasher for Few {
        type Hasher = Sum;

        fn build_hasher(&self) -> Sum {
            Sum(self.0, 0)
        }
    }

    impl std::hash::Hasher for Sum {
        fn finish(&self) -> u64 {
            (self.1 % self.0) << (u64::BITS - 2)
        }

        fn write(&mut self, bytes: &[u8]) {
            self.1 += bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        }
    }

    fn frame(said: &[Said]) -> DataFrame {
        let texts = |of: &dyn Fn(&Said) -> String| said.iter().map(of).collect::<Vec<String>>();
        let positions: Vec<i64> = (0..).take(said.len()).collect();
        let valid: Vec<i32> = said.iter().map(|row| row.2).collect();
        let recorded: Vec<i64> = said.iter().map(|row| row.3).collect();
        let columns = vec![
            Series::new("_position".into(), positions).into_column(),
            Series::new("_record".into(), texts(&|row| format!("things/{}", row.0))).into_column(),
            Series::new("_change".into(), texts(&|row| row.1.to_owned())).into_column(),
            Series::new(FROM.into(), valid).cast(&DataType::Date).unwrap().into_column(),
            Series::new("_recorded_at".into(), recorded).into_column(),
            Series::new("_area".into(), texts(&|row| format!("54010{}", row.0))).into_column(),
        ];
        DataFrame::new(said.len(), columns).unwrap()
    }

    /// The truth by position, as a reader of the journal would find it: own day, last day, whether it ended, place.
    fn expected(said: &[Said]) -> BTreeMap<i64, (i32, Option<i32>, bool, i32)> {
        let mut all = BTreeMap::new();
        for record in 0..=u8::MAX {
            let known = (0_i64..).zip(said).filter(|(_, row)| row.0 == record && row.3 <= AS_OF);
            let known: Vec<(i64, &Said)> = known.collect();
            let withdrawn = known.iter().filter(|(_, row)| row.1 == "WITHDRAWN").map(|(position, _)| *position).max();
            let mut by_day = BTreeMap::new();
            for (position, row) in known.iter().filter(|(position, _)| Some(*position) > withdrawn) {
                by_day.insert(row.2, (*position, row.1));
            }
            let days: Vec<i32> = by_day.keys().copied().collect();
            for (index, (day, (position, change))) in by_day.iter().enumerate() {
                let place = 540_100 + i32::from(record);
                all.insert(*position, (*day, days.get(index + 1).copied(), *change == "ENDED", place));
            }
        }
        all
    }

    fn found(frame: &DataFrame) -> BTreeMap<i64, (i32, Option<i32>, bool, i32)> {
        let (positions, from) = (numbers(frame, "_position").unwrap(), days(frame, FROM).unwrap());
        let (until, places) = (days(frame, UNTIL).unwrap(), days(frame, PLACE).unwrap());
        let ended = frame.column(ENDED).unwrap().bool().unwrap();
        let row = |row| {
            let span = (from.get(row).unwrap(), until.get(row));
            (positions.get(row).unwrap(), (span.0, span.1, ended.get(row).unwrap(), places.get(row).unwrap()))
        };
        (0..frame.height()).map(row).collect()
    }

    proptest! {
        #[test]
        fn however_the_work_is_divided_and_whatever_the_hashes_the_truth_is_that_of_a_plain_reading(
            said in prop::collection::vec(
                (0_u8..9, prop::sample::select(vec!["CREATED", "CHANGED", "ENDED", "WITHDRAWN"]), 0..6, 0_i64..40),
                0..60,
            ),
            cut in 0_usize..60,
        ) {
            let wanted = BTreeSet::from(["_position".to_owned()]);
            let expected = expected(&said);
            let whole = frame(&said);
            let cut = cut.min(said.len());
            let (mut parts, second) = (frame(&said[..cut]), whole.slice(i64::try_from(cut).unwrap(), said.len()));
            parts.vstack_mut(&second).unwrap();
            prop_assert_eq!(found(&truth(parts.clone(), AS_OF, &wanted).unwrap()), expected.clone());
            for workers in [1, 2, 5] {
                for hashes in [1, 3] {
                    let truth = truth_by(workers, &Few(hashes), parts.clone(), AS_OF, &wanted).unwrap();
                    prop_assert_eq!(found(&truth), expected.clone());
                }
            }
        }
    }
}
