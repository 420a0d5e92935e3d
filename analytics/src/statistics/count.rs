//! Measures that are counted from a register's rows.

use std::borrow::Cow;
use std::collections::btree_map::Entry as Occupancy;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::NaiveDate;
use minsheng_values::divisions::AreaCode;
use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Expr, Int64Chunked, IntoLazy as _, JoinArgs, JoinType, LazyFrame,
    NamedFrom as _, NewChunkedArray as _, PlSmallStr, PolarsError, PolarsResult, Series, col, len, lit,
};

use super::below::spread;
use super::columns::{ENDED, FROM, ID, PLACE, UNTIL, day, named, without_collection};
use super::frames::Frames;
use super::kept::{Covers, Kept, KeptDataset};
use super::lasting::{Lasting, MONTH};
use super::parameters::of_counted;
use super::parts::Parts;
use super::pass::{LEVELS, Pass, Passed, Sums, area_at};
use super::sources::Known;
use super::terms::{self, Formula, Solved, Term, Terms, Unfit, What, term_name};
use super::{BitemporalCutoff, Cell, Cells, CountingDay, Places, StatisticsError};
use crate::catalogue::{
    Areas, Count, DAY_COLUMNS, Denominator, DivisionLevel, Empty, Entry, ExpressionError, Measure, Period, Whole,
    columns_used, compile, conjuncts, is_additive,
};
use crate::lake::{FileEntry, Lake, Table};
use crate::model::{Level, REGION, SourceKind};

/// So many rows are read in one query at most, unless one month alone has more.
const ROWS_AT_ONCE: usize = 2_000_000;

const KEY: &str = "_key";
const GROUP: &str = "_group";
const NUMERATOR: &str = "_numerator";
const DENOMINATOR: &str = "_denominator";

/// Numbers by area and month.
type Numbers = BTreeMap<(i32, i32), f64>;

/// How the measures of a catalogue are counted: by terms in one pass, or month by month.
pub(super) struct CountPlan {
    terms: Terms,
    /// By commitment and measure: the count, and the whole that another dataset counts.
    solved: BTreeMap<(String, String), [Option<Solved>; 2]>,
}

impl CountPlan {
    /// Solves what can be solved; the rest is wanted from `frames`, and the log says why.
    pub(super) fn of(
        entries: &[Cow<'_, Entry>],
        areas: &Areas,
        frames: &mut Frames<'_>,
    ) -> Result<Self, StatisticsError> {
        let mut plan = Self { terms: Terms::default(), solved: BTreeMap::new() };
        for entry in entries {
            let places = Places::of(entry, areas);
            let counted = entry.measures.iter().filter(|measure| measure.source == SourceKind::Register);
            let wholes = entry.measures.iter().filter_map(known_whole).map(Cow::Owned);
            for measure in counted.map(Cow::Borrowed).chain(wholes) {
                let Some(count) = &measure.count else { continue };
                let what = named(entry, &measure);
                let bad = |source: ExpressionError| StatisticsError::Expression { what: what.clone(), source };
                let mut solve = |count: &Count, dataset: &str| -> Result<Option<Solved>, StatisticsError> {
                    let solved = terms::solve(entry, count, dataset, &places, &mut plan.terms).map_err(bad)?;
                    let by_month = |why: &Unfit| {
                        tracing::info!(measure = what, why = why.to_string(), "counted month by month");
                    };
                    Ok(solved.inspect_err(by_month).ok())
                };
                let own = solve(count, &measure.dataset)?;
                let whole = match &count.denominator {
                    Some(Denominator::Other(other)) => solve(&whole_of(other), &other.dataset)?,
                    _ => None,
                };
                let has_whole = matches!(count.denominator, Some(Denominator::Other(_)));
                if own.is_none() || (has_whole && whole.is_none()) {
                    frames.want(&measure);
                }
                plan.solved.insert((entry.commitment.id.clone(), measure.name.clone()), [own, whole]);
            }
        }
        Ok(plan)
    }

    /// Passes over all datasets of a lake, one after the other: over what is new since an earlier run kept what it
    /// gathered, and keeps what this one does.
    pub(super) fn run(
        &self,
        lake: &Lake,
        cutoff: &BitemporalCutoff,
    ) -> Result<BTreeMap<String, Passed>, StatisticsError> {
        let as_of = cutoff.as_of.timestamp_micros();
        let mut kept = Kept::read(lake).unwrap_or_default();
        let of_the_past = as_of < kept.as_of;
        let mut keeping = Kept { as_of, ..Kept::default() };
        let mut passes = BTreeMap::new();
        for (dataset, table) in lake.sources() {
            let terms: Vec<&Term> = self.terms.of(dataset).iter().collect();
            let former = kept.datasets.remove(dataset).filter(|_| !of_the_past);
            let pass = Pass { lake, dataset, terms: &terms, as_of };
            let (passed, of_dataset) = pass_over(pass, table, former)?;
            keeping.datasets.insert(dataset.clone(), of_dataset);
            passes.insert(dataset.clone(), passed);
        }
        if !of_the_past && lake.is_open_for_appending() {
            // Only time is lost without.
            if let Err(error) = keeping.write(lake) {
                tracing::warn!(error = &error as &dyn std::error::Error, "what was gathered is not kept");
            }
        }
        Ok(passes)
    }

    /// Counts a measure on each counting day, from the first of which the register spoke; none where nobody keeps it.
    #[expect(clippy::too_many_arguments, reason = "what was planned, what was read, and what is asked")]
    pub(super) fn count(
        &self,
        entry: &Entry,
        measure: &Measure,
        counting_days: &[CountingDay],
        places: &Places<'_>,
        known: &Known,
        passes: &BTreeMap<String, Passed>,
        frames: &mut Frames<'_>,
    ) -> Result<Option<Cells>, StatisticsError> {
        let Some(count) = &measure.count else { return Ok(None) };
        // From the first day of which any record spoke: a register that is kept says 0 where no row fits.
        let Some(first) = known.first_day(REGION).map(day) else { return Ok(None) };
        let mut counting_days = super::until(counting_days, known);
        counting_days.retain(|counting_day| first <= counting_day.day);
        if count.period == Some(Period::Month) {
            counting_days.retain(|counting_day| counting_day.day == super::month_end(counting_day.month));
        }
        let what = named(entry, measure);
        let none = [None, None];
        let key = (entry.commitment.id.clone(), measure.name.clone());
        let [own, of_whole] = self.solved.get(&key).unwrap_or(&none);
        let mut counted = |solved: &Option<Solved>, count: &Count, dataset: &str| match solved {
            Some(solved) => self.by_terms(solved, &counting_days, passes, &what),
            None => Counted::of(entry, count, dataset, &what, &counting_days, places, frames),
        };
        let own = counted(own, count, &measure.dataset)?;
        let denominators = match &count.denominator {
            Some(Denominator::Other(other)) => counted(of_whole, &whole_of(other), &other.dataset)?.numerators,
            _ => own.denominators.clone(),
        };
        let cells = own.cells(count, places, known, &denominators);
        Ok((!cells.is_empty()).then_some(cells))
    }

    fn by_terms(
        &self,
        solved: &Solved,
        counting_days: &[CountingDay],
        passes: &BTreeMap<String, Passed>,
        what: &str,
    ) -> Result<Counted, StatisticsError> {
        let Some(passed) = passes.get(&solved.dataset) else { return Ok(Counted::nothing(counting_days)) };
        let read = Read { terms: self.terms.of(&solved.dataset), sums: &passed.sums };
        let counted = read.counted(solved, counting_days);
        counted.map_err(|source| StatisticsError::Engine { what: what.to_owned(), source: Box::new(source) })
    }
}

/// Passes over a dataset's files that are new since something was kept; returns all that they say, and what to keep.
fn pass_over(
    pass: Pass<'_>,
    table: &Table,
    former: Option<KeptDataset>,
) -> Result<(Passed, KeptDataset), StatisticsError> {
    let counted = pass.lake.counted_files(pass.dataset);
    let split = former.and_then(|former| Some((former.covers.split(table)?, former))).filter(|_| !counted.is_empty());
    let (mut covered, new, mut passed) = match split {
        Some(((covered, new), mut former)) => {
            let mut passed = Passed { sums: Vec::new(), reach: former.covers.reach };
            let sums: Vec<Option<Sums>> = pass.terms.iter().map(|term| former.sums.remove(&term.digest)).collect();
            let missing: Vec<&Term> =
                pass.terms.iter().zip(&sums).filter(|(_, sums)| sums.is_none()).map(|(term, _)| *term).collect();
            let mut gathered = Passed::default();
            if !missing.is_empty() {
                gathered.advance(Pass { terms: &missing, ..pass }, &[], &covered)?;
            }
            let mut gathered = gathered.sums.into_iter();
            passed.sums = sums.into_iter().map(|sums| sums.or_else(|| gathered.next()).unwrap_or_default()).collect();
            (covered, new, passed)
        }
        None => (Vec::new(), counted.to_vec(), Passed::default()),
    };
    // What was recorded later, in part at least, is not kept: it would be taken for known.
    let (new, later): (Vec<FileEntry>, Vec<FileEntry>) =
        new.into_iter().partition(|file| file.newest.is_some_and(|newest| newest <= pass.as_of));
    tracing::debug!(dataset = pass.dataset, covered = covered.len(), new = new.len(), later = later.len(), "passing");
    passed.advance(pass, &covered, &new)?;
    covered.extend(new);
    let digests = pass.terms.iter().map(|term| term.digest.clone());
    let kept = KeptDataset {
        covers: Covers::of(table, &covered, passed.reach.clone()),
        sums: digests.zip(passed.sums.iter().cloned()).collect(),
    };
    passed.advance(pass, &covered, &later)?;
    Ok((passed, kept))
}

/// Returns the measure that counts the whole of a filed share from a register, where one knows it.
pub(super) fn known_whole(measure: &Measure) -> Option<Measure> {
    let Some(Denominator::Other(whole)) = &measure.known_whole else { return None };
    Some(Measure { dataset: whole.dataset.clone(), count: Some(whole_of(whole)), ..measure.clone() })
}

/// The count of a whole.
fn whole_of(whole: &Whole) -> Count {
    Count { condition: whole.condition.clone(), numerator: Some(whole.count.clone()), ..Count::default() }
}

/// The terms of a dataset with what its rows gave.
struct Read<'a> {
    terms: &'a [Term],
    sums: &'a [Sums],
}

impl Read<'_> {
    fn counted(&self, solved: &Solved, counting_days: &[CountingDay]) -> PolarsResult<Counted> {
        let Counted { mut numerators, mut denominators, counting_days } = Counted::nothing(counting_days);
        if solved.adds_up {
            let (mut parts, mut wholes) = (Numbers::new(), Numbers::new());
            self.numbers(solved, Level::County, &counting_days, &mut parts, &mut wholes)?;
            add_upwards(parts, &mut numerators);
            add_upwards(wholes, &mut denominators);
        } else {
            for level in LEVELS {
                self.numbers(solved, level, &counting_days, &mut numerators, &mut denominators)?;
            }
        }
        Ok(Counted { counting_days, numerators, denominators })
    }

    /// Computes numerators and denominators at a level, where any row counts.
    fn numbers(
        &self,
        solved: &Solved,
        level: Level,
        counting_days: &[CountingDay],
        numerators: &mut Numbers,
        denominators: &mut Numbers,
    ) -> PolarsResult<()> {
        let days: Vec<i32> = counting_days.iter().map(|counting_day| counting_day.day.to_epoch_days()).collect();
        let mut keys = Vec::new();
        let mut picked = Vec::new();
        for (area, rows) in self.at(solved.rows, level, &days) {
            for (index, (counting_day, rows)) in counting_days.iter().zip(rows).enumerate() {
                if rows > 0 {
                    keys.push((area, month_number(counting_day.month)));
                    picked.push((area, index));
                }
            }
        }
        for (formula, numbers) in [(&solved.numerator, numerators), (&solved.denominator, denominators)] {
            let results = match formula {
                Some(formula) => self.results(formula, level, &days, &picked)?,
                None => vec![0.0; keys.len()],
            };
            numbers.extend(keys.iter().copied().zip(results));
        }
        Ok(())
    }

    /// Computes a formula for some areas and days.
    fn results(
        &self,
        formula: &Formula,
        level: Level,
        days: &[i32],
        picked: &[(i32, usize)],
    ) -> PolarsResult<Vec<f64>> {
        let column = |(index, term): (usize, &usize)| {
            let by_area = self.at(*term, level, days);
            let number = |(area, day): &(i32, usize)| by_area.get(area).map_or(0, |numbers| numbers[*day]);
            Column::new(term_name(index).into(), picked.iter().map(number).collect::<Vec<i64>>())
        };
        let mut columns: Vec<Column> = formula.terms.iter().enumerate().map(column).collect();
        // A formula without terms is the same everywhere.
        columns.push(Column::new(KEY.into(), vec![0_i64; picked.len()]));
        let frame = DataFrame::new(picked.len(), columns)?.lazy();
        let result = formula.expression.clone().cast(DataType::Float64).alias(NUMERATOR);
        let frame = frame.select([col(KEY), result]).collect()?;
        Ok(frame.column(NUMERATOR)?.f64()?.iter().map(Option::unwrap_or_default).collect())
    }

    /// Returns the sum of a term on some days, by the areas of a level; an area wider than the level is there too.
    fn at(&self, term: usize, level: Level, days: &[i32]) -> BTreeMap<i32, Vec<i64>> {
        let sums = &self.sums[term].0;
        let place = LEVELS.iter().position(|other| *other == level).unwrap_or_default();
        let distinct = self.terms[term].what == What::Distinct;
        let steps = if distinct { &sums[place] } else { &sums[0] };
        let mut at = BTreeMap::new();
        for area in steps.areas() {
            let Some(above) = (if distinct { Some(area) } else { area_at(level, area) }) else { continue };
            let own = steps.on(area, days);
            match at.entry(above) {
                Occupancy::Vacant(vacant) => {
                    vacant.insert(own);
                }
                Occupancy::Occupied(mut sum) => sum.get_mut().iter_mut().zip(own).for_each(|(sum, own)| *sum += own),
            }
        }
        at
    }
}

/// Adds the numbers of areas to those of the areas above them.
fn add_upwards(counties: Numbers, numbers: &mut Numbers) {
    for ((place, month), number) in counties {
        let mut above = vec![place, place_at(Level::Prefecture, place), region()];
        above.dedup();
        for area in above {
            *numbers.entry((area, month)).or_default() += number;
        }
    }
}

/// What was counted by area and month, before it is laid out.
struct Counted {
    counting_days: Vec<CountingDay>,
    numerators: Numbers,
    denominators: Numbers,
}

impl Counted {
    fn nothing(counting_days: &[CountingDay]) -> Self {
        Self { counting_days: counting_days.to_vec(), numerators: Numbers::new(), denominators: Numbers::new() }
    }

    fn of(
        entry: &Entry,
        count: &Count,
        dataset: &str,
        what: &str,
        counting_days: &[CountingDay],
        places: &Places<'_>,
        frames: &mut Frames<'_>,
    ) -> Result<Self, StatisticsError> {
        let wrong = |source: PolarsError| StatisticsError::Engine { what: what.to_owned(), source: Box::new(source) };
        let bad = |source: ExpressionError| StatisticsError::Expression { what: what.to_owned(), source };
        let plan = Plan::of(entry, count).map_err(bad)?;
        let base = plan.base(frames.get(dataset)?, places).map_err(wrong)?;
        let mut partners = Vec::new();
        for restriction in &plan.restrictions {
            partners.push(plan.partner(restriction, frames.get(&restriction.dataset)?).map_err(wrong)?);
        }
        let Self { mut numerators, mut denominators, counting_days } = Self::nothing(counting_days);
        let at_once = (ROWS_AT_ONCE / base.height().max(1)).max(1);
        for some in counting_days.chunks(at_once) {
            let rows = plan.rows_at(&base, &partners, some).map_err(wrong)?;
            plan.numbers(&rows, &mut numerators, &mut denominators).map_err(wrong)?;
        }
        Ok(Self { counting_days, numerators, denominators })
    }

    /// Turns numbers into cells. An area that never sent a record of the dataset counts nothing only where the
    /// catalogue says that it would: otherwise nobody knows.
    fn cells(&self, count: &Count, places: &Places<'_>, known: &Known, denominators: &Numbers) -> Cells {
        let mut cells = Cells::new();
        for area in &places.shown {
            let code: i32 = area.code.parse().unwrap_or_default();
            let divisions = match &count.denominator {
                Some(Denominator::Divisions(levels)) => {
                    Some(places.areas.count_divisions(&area.code, levels, places.scope))
                }
                _ => None,
            };
            let first =
                if count.holds_below { known.first_day_around(&area.code) } else { known.first_day(&area.code) };
            let first = first.unwrap_or(i32::MAX);
            for counting_day in &self.counting_days {
                let key = (code, month_number(counting_day.month));
                let (part, whole) = (self.numerators.get(&key), denominators.get(&key));
                let speaks = match count.empty {
                    Empty::Zero => true,
                    Empty::ZeroWhereKnown => first <= counting_day.day.to_epoch_days(),
                    Empty::Unknown => part.is_some() || whole.is_some(),
                };
                if !speaks {
                    continue;
                }
                #[expect(clippy::cast_precision_loss, reason = "there are some thousands of divisions")]
                let denominator = match (&count.denominator, divisions) {
                    (None, _) => None,
                    (_, Some(divisions)) => Some(divisions as f64),
                    (Some(_), None) => Some(whole.copied().unwrap_or_default()),
                };
                let cell = Cell { numerator: Some(part.copied().unwrap_or_default()), denominator, value: None };
                cells.insert((area.code.clone(), counting_day.month), cell);
            }
        }
        cells
    }
}

/// The part of a condition that holds for a row always, and the part that depends on the day.
struct Conditions {
    always: Vec<Expr>,
    on_day: Vec<Expr>,
    ended_included: bool,
}

impl Conditions {
    fn of(sql: Option<&str>, ended_included: bool, dated: &[&str]) -> Result<Self, ExpressionError> {
        let all = sql.map(compile).transpose()?.map(conjuncts).unwrap_or_default();
        let depends = |part: &Expr| {
            columns_used(part).iter().any(|name| DAY_COLUMNS.contains(&name.as_str()) || dated.contains(&name.as_str()))
        };
        let (on_day, always) = all.into_iter().partition(depends);
        Ok(Self { always, on_day, ended_included })
    }

    /// Keeps the rows for which the day-independent part holds.
    fn apply(&self, mut rows: LazyFrame) -> LazyFrame {
        if !self.ended_included {
            rows = rows.filter(col(ENDED).not());
        }
        self.always.iter().fold(rows, |rows, part| rows.filter(part.clone()))
    }

    /// Keeps the rows for which the rest holds, once they know their day.
    fn apply_on_day(&self, rows: LazyFrame) -> LazyFrame {
        self.on_day.iter().fold(rows, |rows, part| rows.filter(part.clone()))
    }

    fn columns_on_day(&self) -> impl Iterator<Item = String> {
        self.on_day.iter().flat_map(columns_used)
    }
}

struct PlannedRestriction {
    column: String,
    dataset: String,
    key: String,
    conditions: Conditions,
    kind: JoinType,
    covering: bool,
}

/// A measure whose expressions are compiled.
struct Plan<'a> {
    entry: &'a Entry,
    count: &'a Count,
    conditions: Conditions,
    numerator: Option<Expr>,
    denominator: Option<Expr>,
    divisions: Option<&'a [DivisionLevel]>,
    having: Option<(&'a str, Expr)>,
    restrictions: Vec<PlannedRestriction>,
    /// What is computed once for each row, whatever the day.
    parts: Vec<Expr>,
}

impl<'a> Plan<'a> {
    fn of(entry: &'a Entry, count: &'a Count) -> Result<Self, ExpressionError> {
        let dated: Vec<&str> = entry.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        // What a column named in a restriction says is shortened when the parts are computed already.
        let shortened = count.restrictions.iter().filter(|restriction| restriction.key == ID);
        let later: Vec<&str> =
            from_the_day(entry).chain(shortened.map(|restriction| restriction.column.as_str())).collect();
        let mut parts = Parts::new(&later);
        let mut compile = |sql: &String| crate::catalogue::compile(sql).map(|whole| parts.take_from(whole));
        let numerator = count.numerator.as_ref().map(&mut compile).transpose()?;
        let (denominator, divisions) = match &count.denominator {
            Some(Denominator::Expression(sql)) => (Some(compile(sql)?), None),
            Some(Denominator::Divisions(levels)) => (None, Some(levels.as_slice())),
            Some(Denominator::Other(_)) | None => (None, None),
        };
        let having = match &count.group {
            Some(group) => Some((group.column.as_str(), compile(&group.having)?)),
            None => None,
        };
        let mut restrictions = Vec::new();
        for restriction in &count.restrictions {
            let condition = restriction.condition.as_deref();
            restrictions.push(PlannedRestriction {
                column: restriction.column.clone(),
                dataset: restriction.dataset.clone(),
                key: restriction.key.clone(),
                conditions: Conditions::of(condition, restriction.ended_included, &dated)?,
                kind: if restriction.without { JoinType::Anti } else { JoinType::Semi },
                covering: restriction.covering,
            });
        }
        let mut conditions = Conditions::of(count.condition.as_deref(), count.ended_included, &dated)?;
        conditions.on_day = conditions.on_day.into_iter().map(|part| parts.take_from(part)).collect();
        let parts = parts.columns().collect();
        Ok(Self { entry, count, conditions, numerator, denominator, divisions, having, restrictions, parts })
    }

    /// The rows that may take part on some day, with the columns that are needed.
    fn base(&self, rows: &DataFrame, places: &Places<'_>) -> PolarsResult<Lasting> {
        let mut base = self.conditions.apply(rows.clone().lazy());
        if !places.scope.is_empty() {
            let codes: Vec<i32> = places.shown.iter().filter_map(|area| area.code.parse().ok()).collect();
            base = semi_join(base, PLACE, Series::new(KEY.into(), codes))?;
        }
        if let (Some(column), Some(levels)) = (&self.count.division_column, self.divisions) {
            let codes: Vec<&str> = Areas::division_codes(levels).into_iter().collect();
            base = semi_join(base, column, Series::new(KEY.into(), codes))?;
        }
        let mut wanted: BTreeSet<String> = self.conditions.columns_on_day().collect();
        for expression in [&self.numerator, &self.denominator].into_iter().flatten() {
            wanted.extend(columns_used(expression));
        }
        if let Some((column, having)) = &self.having {
            wanted.insert((*column).to_owned());
            wanted.extend(columns_used(having));
        }
        wanted.extend(self.count.latest.clone());
        wanted.extend(self.count.latest_of.clone());
        wanted.extend(self.restrictions.iter().map(|restriction| restriction.column.clone()));
        wanted.extend([PLACE, FROM, UNTIL].map(str::to_owned));
        let parts: Vec<PlSmallStr> =
            self.parts.iter().filter_map(|part| part.clone().meta().output_name().ok()).collect();
        let own = wanted.iter().filter(|name| !from_the_day(self.entry).any(|later| later == *name));
        let own = own.filter(|name| parts.iter().all(|part| part != name.as_str())).map(|name| col(name.as_str()));
        let mut base = base.select(own.chain(self.parts.iter().cloned()).collect::<Vec<Expr>>()).collect()?;
        for restriction in self.restrictions.iter().filter(|restriction| restriction.key == ID) {
            without_collection(&mut base, &restriction.column)?;
        }
        Lasting::of(&base)
    }

    /// The rows that a restriction looks for, with the columns that are needed.
    fn partner(&self, restriction: &PlannedRestriction, rows: &DataFrame) -> PolarsResult<Lasting> {
        let mut wanted: BTreeSet<String> = restriction.conditions.columns_on_day().collect();
        wanted.retain(|name| !from_the_day(self.entry).any(|later| later == name));
        wanted.extend([&restriction.key, PLACE, FROM, UNTIL].map(str::to_owned));
        let wanted: Vec<Expr> = wanted.iter().map(|name| col(name.as_str())).collect();
        let mut rows = restriction.conditions.apply(rows.clone().lazy()).select(wanted).collect()?;
        if restriction.column == ID {
            without_collection(&mut rows, &restriction.key)?;
        }
        Lasting::of(&rows)
    }

    /// Returns the rows that take part on some counting days, each with its month.
    fn rows_at(&self, base: &Lasting, partners: &[Lasting], counting_days: &[CountingDay]) -> PolarsResult<DataFrame> {
        let mut rows = self.conditions.apply_on_day(base.at(counting_days, self.entry)?.lazy());
        for (restriction, partner) in self.restrictions.iter().zip(partners) {
            let other = partner.at(counting_days, self.entry)?.lazy();
            let other = restriction.conditions.apply_on_day(other).select([
                col(restriction.key.as_str()).alias(KEY),
                col(MONTH),
                col(PLACE),
            ]);
            if restriction.covering {
                let with = restriction.kind == JoinType::Semi;
                rows = covered(&rows.collect()?, &restriction.column, &other.collect()?, with)?.lazy();
                continue;
            }
            let (own, key) = (col(restriction.column.as_str()), col(KEY));
            rows = rows.join(other, [own, col(MONTH)], [key, col(MONTH)], JoinArgs::new(restriction.kind.clone()));
        }
        let rows = rows.collect()?;
        match &self.count.latest {
            Some(latest) => latest_of_each_month(&rows, latest, self.count.latest_of.as_deref()),
            None => Ok(rows),
        }
    }

    fn numbers(&self, rows: &DataFrame, numerators: &mut Numbers, denominators: &mut Numbers) -> PolarsResult<()> {
        let rows_of = |level| {
            if self.count.holds_below { keyed(&spread(rows, level)?, level) } else { keyed(rows, level) }
        };
        let wanted = [self.numerator.as_ref(), self.denominator.as_ref()];
        aggregate(&rows_of, !self.count.holds_below, wanted, numerators, denominators)?;
        if let Some((column, having)) = &self.having {
            for level in LEVELS {
                let counted_for = |place| place_at(level, place);
                let groups = of_counted(rows_of(level)?, self.entry, &columns_used(having), counted_for)?
                    .lazy()
                    .group_by([col(KEY), col(*column).alias(GROUP)])
                    .agg([having.clone().alias(NUMERATOR)])
                    .filter(col(NUMERATOR).and(col(GROUP).is_not_null()))
                    .group_by([col(KEY)])
                    .agg([len().alias(NUMERATOR), lit(0).first().alias(DENOMINATOR)]);
                collect(groups, level, numerators, &mut Numbers::new())?;
            }
        }
        Ok(())
    }
}

/// The columns that are not a row's own but the day's.
fn from_the_day(entry: &Entry) -> impl Iterator<Item = &str> {
    DAY_COLUMNS.into_iter().chain(entry.parameters.iter().map(|parameter| parameter.name.as_str()))
}

/// Keeps the rows whose value is the greatest of their month, or among those of their month that agree in a column.
fn latest_of_each_month(rows: &DataFrame, column: &str, of: Option<&str>) -> PolarsResult<DataFrame> {
    let months = rows.column(MONTH)?.i32()?;
    let values = rows.column(column)?.cast(&DataType::Int64)?;
    let values = values.i64()?;
    let groups = of.map(|of| rows.column(of)?.cast(&DataType::String)).transpose()?;
    let groups = groups.as_ref().map(Column::str).transpose()?;
    let group = |row: usize| groups.and_then(|groups| groups.get(row));
    let mut greatest: BTreeMap<(Option<i32>, Option<&str>), Option<i64>> = BTreeMap::new();
    for (row, (month, value)) in months.iter().zip(values.iter()).enumerate() {
        let newest = greatest.entry((month, group(row))).or_default();
        *newest = value.max(*newest);
    }
    let newest = |(row, (month, value)): (usize, (Option<i32>, Option<i64>))| {
        value.is_some() && greatest[&(month, group(row))] == value
    };
    let mask: Vec<bool> = months.iter().zip(values.iter()).enumerate().map(newest).collect();
    rows.filter(&BooleanChunked::from_iter_values("latest".into(), mask.into_iter()))
}

/// Keeps the rows with a partner of their key and month whose area is theirs or contains it, or those without one.
fn covered(rows: &DataFrame, column: &str, partners: &DataFrame, with: bool) -> PolarsResult<DataFrame> {
    let (months, places) = (partners.column(MONTH)?.i32()?, partners.column(PLACE)?.i32()?);
    let keys = partners.column(KEY)?.str()?.iter();
    let known: HashSet<_> =
        keys.zip(places.iter()).zip(months.iter()).map(|((key, place), month)| (key, place, month)).collect();
    let (months, places) = (rows.column(MONTH)?.i32()?, rows.column(PLACE)?.i32()?);
    let keys = rows.column(column)?.str()?.iter();
    let mask = keys.zip(places.iter()).zip(months.iter()).map(|((key, place), month)| {
        let around = |level: &Level| known.contains(&(key, place.map(|place| place_at(*level, place)), month));
        (key.is_some() && LEVELS.iter().any(around)) == with
    });
    let mask: Vec<bool> = mask.collect();
    rows.filter(&BooleanChunked::from_iter_values("covered".into(), mask.into_iter()))
}

/// One key for an area and a month, which groups faster than two.
fn key_of(place: i32, month: i32) -> i64 {
    i64::from(month) * 1_000_000 + i64::from(place)
}

fn place_at(level: Level, place: i32) -> i32 {
    AreaCode::number_at(place, level.into())
}

fn region() -> i32 {
    REGION.parse().unwrap_or_default()
}

/// Adds the key of each row's area at a level and its month.
fn keyed(rows: &DataFrame, level: Level) -> PolarsResult<DataFrame> {
    let (months, places) = (rows.column(MONTH)?.i32()?.rechunk(), rows.column(PLACE)?.i32()?.rechunk());
    let region = region();
    let key = |place, month| key_of(if level == Level::Region { region } else { place_at(level, place) }, month);
    let keys: Int64Chunked = if let (Ok(months), Ok(places)) = (months.cont_slice(), places.cont_slice()) {
        let keys = months.iter().zip(places).map(|(month, place)| key(*place, *month));
        Int64Chunked::from_vec(KEY.into(), keys.collect())
    } else {
        let keys = months.iter().zip(places.iter()).map(|(month, place)| Some(key(place?, month?)));
        keys.collect::<Int64Chunked>().with_name(KEY.into())
    };
    let mut keyed = rows.clone();
    keyed.with_column(Series::from(keys).into())?;
    Ok(keyed)
}

/// Adds the results of aggregates for each area and month: summed upwards where parts add up, else counted afresh.
fn aggregate(
    rows_of: &impl Fn(Level) -> PolarsResult<DataFrame>,
    adds_up: bool,
    [numerator, denominator]: [Option<&Expr>; 2],
    numerators: &mut Numbers,
    denominators: &mut Numbers,
) -> PolarsResult<()> {
    if numerator.is_none() && denominator.is_none() {
        return Ok(());
    }
    let nothing = lit(0).first();
    let wanted = [(numerator, NUMERATOR), (denominator, DENOMINATOR)];
    let results: Vec<Expr> =
        wanted.iter().map(|(expression, name)| expression.unwrap_or(&nothing).clone().alias(*name)).collect();
    let query = |level| PolarsResult::Ok(rows_of(level)?.lazy().group_by([col(KEY)]).agg(results.clone()));
    if !adds_up || !wanted.iter().filter_map(|(expression, _)| *expression).all(is_additive) {
        for level in LEVELS {
            collect(query(level)?, level, numerators, denominators)?;
        }
        return Ok(());
    }
    let (mut parts, mut wholes) = (Numbers::new(), Numbers::new());
    collect(query(Level::County)?, Level::County, &mut parts, &mut wholes)?;
    add_upwards(parts, numerators);
    add_upwards(wholes, denominators);
    Ok(())
}

/// Runs a query whose rows are key, numerator and denominator, and keeps the results of the level's own areas.
fn collect(query: LazyFrame, level: Level, numerators: &mut Numbers, denominators: &mut Numbers) -> PolarsResult<()> {
    let number = |name: &str| col(name).cast(DataType::Float64);
    let result = query.select([col(KEY), number(NUMERATOR), number(DENOMINATOR)]).collect()?;
    let keys = result.column(KEY)?.i64()?;
    for (name, numbers) in [(NUMERATOR, numerators), (DENOMINATOR, denominators)] {
        for (key, number) in keys.iter().zip(result.column(name)?.f64()?.iter()) {
            let Some(key) = key else { continue };
            let split = i32::try_from(key % 1_000_000).ok().zip(i32::try_from(key / 1_000_000).ok());
            let Some((place, month)) = split else { continue };
            // A record of the whole region stands in no prefecture, nor does one of a prefecture stand in a county.
            if level != Level::Prefecture || place != region() {
                numbers.insert((place, month), number.unwrap_or_default());
            }
        }
    }
    Ok(())
}

fn semi_join(rows: LazyFrame, column: &str, keys: Series) -> PolarsResult<LazyFrame> {
    let keys = DataFrame::new(keys.len(), vec![keys.into()])?;
    Ok(rows.semi_join(keys.lazy(), col(column), col(KEY)))
}

fn month_number(month: NaiveDate) -> i32 {
    month.to_epoch_days()
}
