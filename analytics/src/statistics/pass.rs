//! One pass over a dataset's rows: all terms of all measures, and how far the rows go.
//!
//! Files are read one by one, checked, and forgotten again, so that memory does not grow with their number; as many at a
//! time as there are processors. The engine computes for each row whether, when and with what it counts; what is left is
//! to add up. Assertions add and retractions take away, so that neither has to be matched with the other.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use polars::prelude::{
    BooleanChunked, ChunkAgg as _, Column, DataFrame, DataType, Expr, Int64Chunked, IntoLazy as _,
    NewChunkedArray as _, PolarsResult, StringChunked, col, lit,
};
use serde::{Deserialize, Serialize};

use super::StatisticsError;
use super::columns::{ENDED, FROM, ID, PLACE, UNTIL, without_collection};
use super::spans::{Bound, Rounded};
use super::steps::{Gathered, Slot, Slots, Steps};
use super::terms::{Part, Term, What};
use crate::catalogue::{columns_of, columns_used, frame_type};
use crate::lake::{FileEntry, Lake, Schema};
use crate::model::{Level, REGION};

/// The levels that a distinct count is made for, one by one.
pub(super) const LEVELS: [Level; 3] = [Level::County, Level::Prefecture, Level::Region];

/// Keys are sorted in so many parts, by their first bits.
const BUCKETS: usize = 64;

/// What the rows of a term gave: for a distinct count by level, else for the areas as the rows name them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sums(pub(super) [Steps; 3]);

impl Sums {
    /// Adds what other rows gave.
    fn extend(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| own.extend(other));
    }

    fn take_away(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| own.take_away(other));
    }
}

/// How far rows go, in each area.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Reach {
    /// The first day that one spoke of, as days since 1970-01-01, by the area's code.
    pub(super) first_days: BTreeMap<i32, i32>,
    /// When the newest was recorded, microseconds UTC.
    pub(super) newest: Option<i64>,
    /// The greatest position.
    pub(super) position: i64,
}

impl Reach {
    pub(super) fn extend(&mut self, other: &Self) {
        for (area, first) in &other.first_days {
            let own = self.first_days.entry(*area).or_insert(*first);
            *own = (*own).min(*first);
        }
        self.newest = self.newest.max(other.newest);
        self.position = self.position.max(other.position);
    }
}

/// What the rows of a dataset gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Passed {
    /// By the terms' places.
    pub(super) sums: Vec<Sums>,
    pub(super) reach: Reach,
}

/// What is read, for which terms, and as known at which instant, microseconds UTC.
#[derive(Clone, Copy)]
pub(super) struct Pass<'a> {
    pub(super) lake: &'a Lake,
    pub(super) dataset: &'a str,
    pub(super) terms: &'a [&'a Term],
    pub(super) as_of: i64,
}

impl Passed {
    /// Adds what more files say to what was gathered from `before`.
    ///
    /// Sums add up. A key that the new files name is counted again from all its rows, those of the files before too.
    pub(super) fn advance(
        &mut self,
        pass: Pass<'_>,
        before: &[FileEntry],
        files: &[FileEntry],
    ) -> Result<(), StatisticsError> {
        self.sums.resize_with(pass.terms.len(), Sums::default);
        let (gathered, reach) = pass.gather(files, &vec![Only::All; pass.terms.len()])?;
        self.reach.extend(&reach);
        let touched = |more: &More| match more {
            More::Keys(keys) if !before.is_empty() => Only::Keys(keys.distinct_keys()),
            _ => Only::None,
        };
        let touched: Vec<Only> = gathered.iter().map(touched).collect();
        let former = if touched.iter().any(|only| matches!(only, Only::Keys(keys) if !keys.is_empty())) {
            pass.gather(before, &touched)?.0
        } else {
            Vec::new()
        };
        let mut former = former.into_iter();
        for (sums, more) in self.sums.iter_mut().zip(gathered) {
            let former = former.next();
            match (more, former) {
                (More::Sum(steps), _) => sums.0[0].extend(&steps),
                (More::Keys(mut keys), Some(More::Keys(former))) => {
                    sums.take_away(&former.clone().distinct());
                    keys.extend(former);
                    sums.extend(&keys.distinct());
                }
                (More::Keys(keys), _) => sums.extend(&keys.distinct()),
            }
        }
        Ok(())
    }
}

/// Of which keys the rows are gathered.
#[derive(Clone)]
enum Only {
    All,
    Keys(HashSet<u128>),
    /// The term is not asked for.
    None,
}

/// What all threads have gathered for a term.
enum More {
    Sum(Steps),
    Keys(Keys),
}

impl Pass<'_> {
    fn gather(self, files: &[FileEntry], only: &[Only]) -> Result<(Vec<More>, Reach), StatisticsError> {
        let Self { lake, dataset, terms, as_of } = self;
        let wrong = |source| StatisticsError::Engine { what: dataset.to_owned(), source: Box::new(source) };
        let questions = Questions::of(terms, only);
        let schema = questions.schema(dataset);
        let begin = || Reading { gathered: terms.iter().map(|term| Gather::of(term.what)).collect(), ..Reading::new() };
        let readings = lake.read_each(dataset, files, &schema, begin, |reading: &mut Reading, _, rows| {
            reading.take(rows, only, &questions, as_of).map_err(wrong)
        })?;
        let mut reach = Reach::default();
        let of = |term: &&Term| match term.what {
            What::Distinct => More::Keys(Keys::default()),
            What::Sum => More::Sum(Steps::default()),
        };
        let mut all: Vec<More> = terms.iter().map(of).collect();
        for reading in readings {
            reach.extend(&reading.reach);
            for (gathered, all) in reading.gathered.into_iter().zip(&mut all) {
                match (gathered, all) {
                    (Gather::Sum(gathered), More::Sum(steps)) => gathered.into_steps(reading.slots.codes(), steps),
                    (Gather::Keys(more), More::Keys(keys)) => keys.extend(more),
                    _ => {}
                }
            }
        }
        Ok((all, reach))
    }
}

/// What the engine is asked for each row: expressions that several terms share are asked once.
struct Questions {
    asked: Vec<Expr>,
    /// By term and part.
    parts: Vec<Vec<Asked>>,
}

/// The columns in which the answers to a part stand.
struct Asked {
    /// Whether the row counts at all.
    counts: Option<usize>,
    from: Vec<(usize, Rounded)>,
    until: Vec<(usize, Rounded)>,
    says: Option<usize>,
}

impl Questions {
    fn of(terms: &[&Term], only: &[Only]) -> Self {
        let mut asked: Vec<Expr> = Vec::new();
        let mut place = |expression: Expr| {
            asked.iter().position(|other| *other == expression).unwrap_or_else(|| {
                asked.push(expression);
                asked.len() - 1
            })
        };
        let mut parts = Vec::new();
        for (term, only) in terms.iter().zip(only) {
            let mut of_term = Vec::new();
            let parts_of_term = if matches!(only, Only::None) { &[] } else { term.parts.as_slice() };
            for Part { span, says } in parts_of_term {
                let all = span.always.iter().cloned().reduce(Expr::and);
                let mut bounds = |bounds: &[Bound]| {
                    let day = |bound: &Bound| (place(bound.day.clone().cast(DataType::Int32)), bound.rounded);
                    bounds.iter().map(day).collect::<Vec<_>>()
                };
                let (from, until) = (bounds(&span.from), bounds(&span.until));
                let counts = all.map(|all| place(all.fill_null(lit(false))));
                let says = says.as_ref().map(|says| {
                    place(says.clone().cast(if term.what == What::Distinct {
                        DataType::String
                    } else {
                        DataType::Int64
                    }))
                });
                of_term.push(Asked { counts, from, until, says });
            }
            parts.push(of_term);
        }
        Self { asked, parts }
    }

    /// The columns that are read.
    fn schema(&self, dataset: &str) -> Schema {
        let mut schema: Schema = vec![
            ("_position".into(), DataType::Int64),
            ("_recorded_at".into(), DataType::Int64),
            ("_diff".into(), DataType::Int64),
            ("_area".into(), DataType::String),
            (FROM.into(), DataType::Date),
        ];
        let used: std::collections::BTreeSet<String> = self.asked.iter().flat_map(columns_used).collect();
        let journal = [(UNTIL, DataType::Date), (ENDED, DataType::Boolean)];
        schema.extend(
            journal.into_iter().filter(|(name, _)| used.contains(*name)).map(|(name, kind)| (name.into(), kind)),
        );
        if used.contains("_record") || used.contains(ID) {
            schema.push(("_record".into(), DataType::String));
        }
        let own = columns_of(dataset).unwrap_or_default().iter().filter(|column| used.contains(&column.name));
        schema.extend(own.map(|column| (column.name.as_str().into(), frame_type(column.kind))));
        schema
    }

    fn uses(&self, column: &str) -> bool {
        self.asked.iter().any(|asked| columns_used(asked).contains(column))
    }

    /// Answers for each row; a column of its own for each question.
    fn answer(&self, mut rows: DataFrame, areas: &[Option<i32>]) -> PolarsResult<DataFrame> {
        if self.asked.is_empty() {
            return Ok(DataFrame::empty());
        }
        if self.uses(PLACE) {
            rows.with_column(Column::new(PLACE.into(), areas))?;
        }
        if self.uses(ID) {
            let ids = rows.column("_record")?.clone().with_name(ID.into());
            rows.with_column(ids)?;
            without_collection(&mut rows, ID)?;
        }
        let named = |(index, asked): (usize, &Expr)| asked.clone().alias(index.to_string());
        // A column of the rows beside them, so that an answer that is the same for all is repeated for each.
        let asked = self.asked.iter().enumerate().map(named).chain([col("_diff").alias("height")]);
        rows.lazy().select(asked.collect::<Vec<_>>()).collect()
    }
}

/// What one thread has gathered.
struct Reading {
    slots: Slots,
    gathered: Vec<Gather>,
    reach: Reach,
}

enum Gather {
    Sum(Gathered),
    Keys(Keys),
}

impl Gather {
    fn of(what: What) -> Self {
        match what {
            What::Distinct => Self::Keys(Keys::default()),
            What::Sum => Self::Sum(Gathered::default()),
        }
    }
}

impl Reading {
    fn new() -> Self {
        Self { slots: Slots::new(), gathered: Vec::new(), reach: Reach::default() }
    }

    fn take(&mut self, mut rows: DataFrame, only: &[Only], questions: &Questions, as_of: i64) -> PolarsResult<()> {
        let recorded = rows.column("_recorded_at")?.i64()?;
        if recorded.max().is_some_and(|newest| newest > as_of) {
            let known = recorded.iter().map(|instant| instant.is_some_and(|instant| instant <= as_of));
            let known: Vec<bool> = known.collect();
            rows = rows.filter(&BooleanChunked::from_iter_values("known".into(), known.into_iter()))?;
        }
        if rows.height() == 0 {
            return Ok(());
        }
        rows.rechunk_mut_par();
        let areas = codes(rows.column("_area")?.str()?);
        self.reach_of(&rows, &areas)?;
        let slots: Vec<Option<Slot>> = areas.iter().map(|code| code.map(|code| self.slots.of(code))).collect();
        let diffs: Vec<i64> = rows.column("_diff")?.i64()?.iter().map(Option::unwrap_or_default).collect();
        let answers = questions.answer(rows, &areas)?;
        let answers = Answers::of(&answers)?;
        for ((only, parts), gathered) in only.iter().zip(&questions.parts).zip(&mut self.gathered) {
            for asked in parts {
                match gathered {
                    Gather::Sum(gathered) => answers.sum(asked, &slots, &diffs, gathered),
                    Gather::Keys(keys) => answers.keys(asked, only, &slots, &diffs, keys),
                }
            }
        }
        Ok(())
    }

    fn reach_of(&mut self, rows: &DataFrame, areas: &[Option<i32>]) -> PolarsResult<()> {
        let (positions, recorded) = (rows.column("_position")?.i64()?, rows.column("_recorded_at")?.i64()?);
        self.reach.position = self.reach.position.max(positions.max().unwrap_or_default());
        self.reach.newest = self.reach.newest.max(recorded.max());
        let firsts = super::columns::days(rows, FROM)?;
        let mut last = None;
        for (area, first) in areas.iter().zip(firsts.iter()) {
            let Some((area, first)) = area.zip(first) else { continue };
            // Rows of an area often follow each other.
            if last.is_some_and(|(of, known)| of == area && known <= first) {
                continue;
            }
            let known = self.reach.first_days.entry(area).or_insert(first);
            *known = (*known).min(first);
            last = Some((area, *known));
        }
        Ok(())
    }
}

/// The codes of areas as numbers.
fn codes(areas: &StringChunked) -> Vec<Option<i32>> {
    areas.iter().map(|area| area.and_then(|area| area.parse().ok())).collect()
}

/// The engine's answers, as columns that are read row by row.
struct Answers {
    columns: Vec<Answer>,
}

enum Answer {
    Flags(BooleanChunked),
    Days(Vec<i32>, Vec<bool>),
    Numbers(Int64Chunked),
    Texts(StringChunked),
}

impl Answers {
    fn of(answers: &DataFrame) -> PolarsResult<Self> {
        let column = |column: &Column| {
            let column = column.rechunk();
            Ok(match column.dtype() {
                DataType::Boolean => Answer::Flags(column.bool()?.clone()),
                DataType::Int32 => {
                    let days = column.i32()?;
                    let known = days.iter().map(|day| day.is_some()).collect();
                    Answer::Days(days.iter().map(Option::unwrap_or_default).collect(), known)
                }
                DataType::Int64 => Answer::Numbers(column.i64()?.clone()),
                _ => Answer::Texts(column.str()?.clone()),
            })
        };
        Ok(Self { columns: answers.columns().iter().map(column).collect::<PolarsResult<_>>()? })
    }

    /// Returns the days on which a row counts, where it does: from the first until before the second.
    fn days(&self, asked: &Asked, row: usize) -> Option<(i32, i32)> {
        let bound = |(column, rounded): &(usize, Rounded)| match &self.columns[*column] {
            Answer::Days(days, known) => known[row].then(|| rounded.apply(days[row])),
            _ => None,
        };
        let (mut from, mut until) = (i32::MIN, i32::MAX);
        for day in &asked.from {
            from = from.max(bound(day)?);
        }
        for day in &asked.until {
            until = until.min(bound(day)?);
        }
        (from < until).then_some((from, until))
    }

    /// Calls for each row that counts, with its number.
    fn each(&self, asked: &Asked, rows: usize, mut call: impl FnMut(usize)) {
        match asked.counts.map(|column| &self.columns[column]) {
            Some(Answer::Flags(flags)) => {
                for (row, counts) in flags.iter().enumerate() {
                    if counts == Some(true) {
                        call(row);
                    }
                }
            }
            _ => (0..rows).for_each(call),
        }
    }

    fn sum(&self, asked: &Asked, slots: &[Option<Slot>], diffs: &[i64], gathered: &mut Gathered) {
        let says = asked.says.map(|column| &self.columns[column]);
        self.each(asked, slots.len(), |row| {
            let weight = match says {
                Some(Answer::Numbers(numbers)) => numbers.get(row).unwrap_or_default(),
                _ => 1,
            };
            let Some(area) = slots[row] else { return };
            let Some((from, until)) = self.days(asked, row) else { return };
            gathered.count(area, from, until, weight * diffs[row]);
        });
    }

    fn keys(&self, asked: &Asked, only: &Only, slots: &[Option<Slot>], diffs: &[i64], keys: &mut Keys) {
        let Some(Answer::Texts(texts)) = asked.says.map(|column| &self.columns[column]) else { return };
        self.each(asked, slots.len(), |row| {
            let Some((area, text)) = slots[row].zip(texts.get(row)) else { return };
            let Some((from, until)) = self.days(asked, row) else { return };
            let key = key_of(text);
            if matches!(only, Only::Keys(keys) if !keys.contains(&key)) {
                return;
            }
            keys.add(Keyed { key, from, until, area: area.code, diff: diffs[row] });
        });
    }
}

/// A key in 128 bits: of a hundred million keys two have the same with a probability below 1 in 10^22.
fn key_of(text: &str) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, text).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

/// A row that counts with a key.
#[derive(Debug, Clone, Copy)]
struct Keyed {
    key: u128,
    from: i32,
    until: i32,
    area: i32,
    diff: i64,
}

/// Rows by their keys' first bits.
#[derive(Debug, Clone, Default)]
struct Keys(Vec<Vec<Keyed>>);

impl Keys {
    fn distinct_keys(&self) -> HashSet<u128> {
        self.0.iter().flatten().map(|row| row.key).collect()
    }

    fn add(&mut self, row: Keyed) {
        if self.0.is_empty() {
            self.0.resize_with(BUCKETS, Vec::new);
        }
        let bucket = usize::try_from(row.key >> 122).unwrap_or_default();
        self.0[bucket].push(row);
    }

    fn extend(&mut self, other: Self) {
        if self.0.is_empty() {
            *self = other;
        } else {
            self.0.iter_mut().zip(other.0).for_each(|(own, mut other)| own.append(&mut other));
        }
    }

    /// Counts the keys that any row counts with, on each day, at each level.
    fn distinct(self) -> Sums {
        let mut slots = Slots::new();
        let mut gathered: [Gathered; 3] = Default::default();
        let mut steps: Vec<(i32, i32, i64)> = Vec::new();
        for mut bucket in self.0 {
            bucket.sort_unstable_by_key(|row| row.key);
            for of_key in bucket.chunk_by(|one, other| one.key == other.key) {
                for (level, gathered) in LEVELS.into_iter().zip(&mut gathered) {
                    steps.clear();
                    for row in of_key {
                        let Some(area) = area_at(level, row.area) else { continue };
                        steps.extend([(area, row.from, row.diff), (area, row.until, -row.diff)]);
                    }
                    steps.sort_unstable();
                    for of_area in steps.chunk_by(|one, other| one.0 == other.0) {
                        let slot = slots.of(of_area[0].0);
                        let mut rows = 0;
                        for of_day in of_area.chunk_by(|one, other| one.1 == other.1) {
                            let before = rows > 0;
                            rows += of_day.iter().map(|(.., by)| by).sum::<i64>();
                            gathered.add(slot, of_day[0].1, i64::from(rows > 0) - i64::from(before));
                        }
                    }
                }
            }
        }
        let mut sums = Sums::default();
        for (gathered, steps) in gathered.into_iter().zip(&mut sums.0) {
            gathered.into_steps(slots.codes(), steps);
        }
        sums
    }
}

/// Returns the area of a level in which another lies, or that itself is wider; none where nothing is counted for it.
pub(super) fn area_at(level: Level, area: i32) -> Option<i32> {
    let region: i32 = REGION.parse().unwrap_or_default();
    match level {
        Level::Region => Some(region),
        // A record of the whole region stands in no prefecture.
        Level::Prefecture if area == region => None,
        _ => Some(minsheng_values::divisions::AreaCode::number_at(area, level.into())),
    }
}
