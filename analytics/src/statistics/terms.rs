//! Measures as sums of terms: what one pass over a dataset's rows has to gather.
//!
//! An aggregate of a measure, such as `COUNT(*) FILTER (WHERE ..)`, becomes a term: which rows count on which days
//! ([`Span`]), and what each adds. What is left of the expression, such as a division by 100, is computed from the
//! terms' sums afterwards. A measure for which that cannot be done says why ([`Unfit`]), and is counted month by month.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use polars::prelude::{
    AggExpr, DataFrame, DataType, Expr, FunctionExpr, IntoLazy as _, LiteralValue, NamedFrom as _, Operator, Series,
    col, lit, when,
};
use sha2::{Digest, Sha256};

use super::Places;
use super::columns::{ENDED, ID, PLACE};
use super::parameters::{Segment, segments};
use super::spans::{Span, Unsolved, of_the_day};
use super::steps::{FIRST_DAY, LAST_DAY};
use crate::catalogue::{
    Areas, Count, Denominator, Entry, ExpressionError, columns_of, columns_used, compile, conjuncts, frame_type,
    is_additive,
};

/// Whatever changes what a term gathers from the same expressions has to change this.
const LAYOUT: &str = "1";

/// Why a measure is counted month by month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    /// It is about groups, partners or the latest of several rows.
    #[error("it looks at {0} on each day")]
    Joined(&'static str),
    /// Its conditions have no bounds.
    #[error(transparent)]
    Unsolved(#[from] Unsolved),
    /// An aggregate is none of those that can be summed up.
    #[error("`{0}` is no count, sum or distinct count")]
    Aggregate(String),
    /// What is summed up depends on the day, or is no whole number.
    #[error("`{0}` is not a whole number that the row says alone")]
    Weight(String),
    /// A conversion may fail on rows that do not count.
    #[error("`{0}` may fail on rows that do not count")]
    Conversion(String),
}

/// Names the term of all rows that count.
const ROWS: &str = "COUNT(*)";

/// What a term gathers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The sum of what rows add.
    Sum,
    /// The number of different keys.
    Distinct,
}

/// Rows that count on some days.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) span: Span,
    /// What a row adds, or the key by which it is distinct; none for 1.
    pub(super) says: Option<Expr>,
}

/// Something to be gathered from the rows of a dataset.
#[derive(Debug, Clone)]
pub(super) struct Term {
    pub(super) what: What,
    /// No row counts in two of them on the same day.
    pub(super) parts: Vec<Part>,
    /// Of all that decides what is gathered.
    pub(super) digest: String,
}

/// The terms of all measures, by dataset; one that several measures need stands there once.
#[derive(Debug, Default)]
pub(super) struct Terms {
    by_dataset: BTreeMap<String, Vec<Term>>,
    /// By their text: a list in an expression is equal to none but its own copies.
    compiled: BTreeMap<String, Expr>,
}

impl Terms {
    /// Returns the terms of a dataset.
    pub(super) fn of(&self, dataset: &str) -> &[Term] {
        self.by_dataset.get(dataset).map_or(&[], Vec::as_slice)
    }

    fn compile(&mut self, sql: &str) -> Result<Expr, ExpressionError> {
        if let Some(known) = self.compiled.get(sql) {
            return Ok(known.clone());
        }
        let expression = compile(sql)?;
        self.compiled.insert(sql.to_owned(), expression.clone());
        Ok(expression)
    }

    fn add(&mut self, dataset: &str, term: Term) -> usize {
        let terms = self.by_dataset.entry(dataset.to_owned()).or_default();
        terms.iter().position(|other| other.digest == term.digest).unwrap_or_else(|| {
            terms.push(term);
            terms.len() - 1
        })
    }
}

/// A number computed from the sums of terms, which it names `_term0` and on.
#[derive(Debug, Clone)]
pub(super) struct Formula {
    pub(super) terms: Vec<usize>,
    pub(super) expression: Expr,
}

/// A count as formulas over the terms of a dataset.
#[derive(Debug, Clone)]
pub(super) struct Solved {
    pub(super) dataset: String,
    /// How many rows count.
    pub(super) rows: usize,
    pub(super) numerator: Option<Formula>,
    pub(super) denominator: Option<Formula>,
    /// Counties add up to the areas above them.
    pub(super) adds_up: bool,
}

/// What stands in the place of a term in a formula.
pub(super) fn term_name(index: usize) -> String {
    format!("_term{index}")
}

/// Solves a count over a dataset; the inner error says why it is counted month by month.
pub(super) fn solve(
    entry: &Entry,
    count: &Count,
    dataset: &str,
    places: &Places<'_>,
    terms: &mut Terms,
) -> Result<Result<Solved, Unfit>, ExpressionError> {
    let joined = [
        (count.group.is_some(), "groups"),
        (count.latest.is_some(), "the latest rows"),
        (!count.restrictions.is_empty(), "partners"),
        (count.holds_below, "areas below"),
    ];
    if let Some((_, why)) = joined.into_iter().find(|(joined, _)| *joined) {
        return Ok(Err(Unfit::Joined(why)));
    }
    let condition = count.condition.as_deref();
    let conditions = condition.map(|sql| terms.compile(sql)).transpose()?.map(conjuncts).unwrap_or_default();
    let denominator = match &count.denominator {
        Some(Denominator::Expression(sql)) => Some(sql.as_str()),
        _ => None,
    };
    let mut aggregates = Vec::new();
    for sql in [count.numerator.as_deref(), denominator] {
        aggregates.push(sql.map(|sql| Ok::<_, ExpressionError>((sql, terms.compile(sql)?))).transpose()?);
    }
    let base = Base::of(count, places);
    let text = format!("{dataset} WHERE {condition:?} ended {} {}", count.ended_included, base.digest);
    let plan = Plan { entry, dataset, base, ended_included: count.ended_included, conditions, text };
    Ok(plan.solve(&aggregates, terms))
}

/// Which rows of a dataset take part whatever they say of themselves.
struct Base {
    conditions: Vec<Expr>,
    /// What the conditions say, in words: a list that stands in an expression is not shown whole.
    digest: String,
}

impl Base {
    fn of(count: &Count, places: &Places<'_>) -> Self {
        let mut base = Self { conditions: Vec::new(), digest: String::new() };
        if !places.scope.is_empty() {
            let codes: Vec<&str> = places.shown.iter().map(|area| area.code.as_str()).collect();
            let _ = write!(base.digest, "in {codes:?} ");
            let codes: Vec<i32> = codes.iter().filter_map(|code| code.parse().ok()).collect();
            base.conditions.push(among(PLACE, Series::new("codes".into(), codes)));
        }
        if let (Some(column), Some(Denominator::Divisions(levels))) = (&count.division_column, &count.denominator) {
            let codes: Vec<&str> = Areas::division_codes(levels).into_iter().collect();
            let _ = write!(base.digest, "{column} in {codes:?} ");
            base.conditions.push(among(column, Series::new("codes".into(), codes)));
        }
        base
    }
}

fn among(column: &str, values: Series) -> Expr {
    col(column).is_in(lit(values).implode(false), false)
}

struct Plan<'a> {
    entry: &'a Entry,
    dataset: &'a str,
    base: Base,
    ended_included: bool,
    conditions: Vec<Expr>,
    /// Which rows take part, in words.
    text: String,
}

impl Plan<'_> {
    /// Solves a numerator and a denominator, given as text and compiled.
    fn solve(&self, aggregates: &[Option<(&str, Expr)>], terms: &mut Terms) -> Result<Solved, Unfit> {
        let expressions = || aggregates.iter().flatten().map(|(_, expression)| expression);
        for expression in self.conditions.iter().chain(expressions()) {
            self.check_conversions(expression)?;
        }
        // Terms are added only once all of the measure is solved.
        let mut found = Vec::new();
        let mut formulas = Vec::new();
        for aggregate in aggregates {
            let Some((sql, expression)) = aggregate else {
                formulas.push(None);
                continue;
            };
            let mut own = Vec::new();
            let expression = self.split(sql, expression, &mut own)?;
            let first = found.len();
            formulas.push(Some(Formula { terms: (first..first + own.len()).collect(), expression }));
            found.extend(own);
        }
        let rows = self.term(ROWS, What::Sum, None, &[])?;
        let adds_up = expressions().all(is_additive);
        let rows = terms.add(self.dataset, rows);
        let indices: Vec<usize> = found.into_iter().map(|term| terms.add(self.dataset, term)).collect();
        for term in formulas.iter_mut().flatten().flat_map(|formula| &mut formula.terms) {
            *term = indices[*term];
        }
        let denominator = formulas.pop().flatten();
        let numerator = formulas.pop().flatten();
        Ok(Solved { dataset: self.dataset.to_owned(), rows, numerator, denominator, adds_up })
    }

    fn of_base(&self) -> impl Iterator<Item = Expr> {
        let not_ended = (!self.ended_included).then(|| col(ENDED).not());
        not_ended.into_iter().chain(self.base.conditions.iter().cloned())
    }

    /// A term over the rows for which the count's conditions hold and some more.
    ///
    /// `name` tells it from all others over the same rows.
    fn term(&self, name: &str, what: What, says: Option<&Expr>, more: &[Expr]) -> Result<Term, Unfit> {
        let all: Vec<&Expr> = self.conditions.iter().chain(more).collect();
        let used: BTreeSet<String> = all.iter().copied().chain(says).flat_map(columns_used).collect();
        let mut parts = Vec::new();
        let segments = segments(self.entry, &used);
        for (index, segment) in segments.iter().enumerate() {
            let mut span = Span::of_row();
            span.always.extend(self.of_base());
            span.extend(Span::of(all.iter().map(|part| in_force(part, segment)))?);
            if segments.len() > 1 {
                let until = segments.get(index + 1).map_or(LAST_DAY, |next| next.from);
                span.extend(Span::between(segment.from.max(FIRST_DAY), until));
            }
            let says = says.map(|says| in_force(says, segment));
            if let Some(says) = says.as_ref().filter(|_| what == What::Sum) {
                self.check_weight(says)?;
            }
            if says.as_ref().is_some_and(of_the_day) {
                return Err(Unfit::Weight(format!("{says:?}")));
            }
            parts.push(Part { span, says });
        }
        Ok(self.named(name, what, &segments, parts))
    }

    fn named(&self, name: &str, what: What, segments: &[Segment], parts: Vec<Part>) -> Term {
        let text = format!("{LAYOUT} {} {what:?} {name} {} {segments:?}", polars::VERSION, self.text);
        let digest = Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        });
        Term { what, parts, digest }
    }

    /// Puts terms in the place of an expression's aggregates.
    fn split(&self, sql: &str, expression: &Expr, found: &mut Vec<Term>) -> Result<Expr, Unfit> {
        let mut take = |what, says: Option<&Expr>, more: &[Expr]| -> Result<Expr, Unfit> {
            let name = format!("{sql} {}", found.len());
            let name = if says.is_none() && more.is_empty() { ROWS } else { name.as_str() };
            let term = self.term(name, what, says, more)?;
            found.push(term);
            Ok(col(term_name(found.len() - 1)))
        };
        match expression {
            Expr::Len => take(What::Sum, None, &[]),
            // A count of the rows for which a condition holds.
            Expr::Agg(AggExpr::Sum(input)) if self.is_condition(input) => {
                take(What::Sum, None, &[input.as_ref().clone()])
            }
            Expr::Agg(AggExpr::Sum(input)) => {
                let (says, more) = filtered(input);
                take(What::Sum, Some(says), &more)
            }
            Expr::Agg(AggExpr::Count { input, include_nulls: false }) => {
                let (says, mut more) = filtered(input);
                more.push(says.clone().is_not_null());
                take(What::Sum, None, &more)
            }
            // SUM of SQL: nothing, where there is nothing to add up.
            Expr::Ternary { truthy, falsy, .. } if is_null(falsy) => match truthy.as_ref() {
                Expr::Agg(AggExpr::Sum(input)) => {
                    let (says, mut more) = filtered(input);
                    let sum = take(What::Sum, Some(says), &more)?;
                    more.push(says.clone().is_not_null());
                    let number = take(What::Sum, None, &more)?;
                    Ok(when(number.gt(lit(0))).then(sum).otherwise(falsy.as_ref().clone()))
                }
                _ => Err(Unfit::Aggregate(format!("{expression:?}"))),
            },
            // COUNT(DISTINCT ..) of SQL: without the null that the engine counts as well.
            Expr::BinaryExpr { left, op: Operator::Minus, right } if counts_nulls(right) => match left.as_ref() {
                Expr::Agg(AggExpr::NUnique(input)) => {
                    let (says, mut more) = filtered(input);
                    more.push(says.clone().is_not_null());
                    take(What::Distinct, Some(says), &more)
                }
                _ => Err(Unfit::Aggregate(format!("{expression:?}"))),
            },
            Expr::BinaryExpr { left, op, right } => {
                let (left, right) = (self.split(sql, left, found)?, self.split(sql, right, found)?);
                Ok(Expr::BinaryExpr { left: left.into(), op: *op, right: right.into() })
            }
            Expr::Literal(_) => Ok(expression.clone()),
            other => Err(Unfit::Aggregate(format!("{other:?}"))),
        }
    }

    fn is_condition(&self, expression: &Expr) -> bool {
        self.type_of(expression) == Some(DataType::Boolean)
    }

    /// The type of what an expression gives for a row; none where it does not fit the row.
    fn type_of(&self, expression: &Expr) -> Option<DataType> {
        let columns = columns_of(self.dataset).unwrap_or_default();
        let own = columns.iter().map(|column| (column.name.as_str().into(), frame_type(column.kind)));
        let text = ["_record", "_area", ID].map(|name| (name.into(), DataType::String));
        let days = [super::columns::FROM, "on_day", "on_month"].map(|name| (name.into(), DataType::Date));
        let place = (PLACE.into(), DataType::Int32);
        let figures = self.entry.parameters.iter().map(|figure| (figure.name.as_str().into(), DataType::Int64));
        let schema = own.chain(text).chain(days).chain(figures).chain([place]).collect();
        let given = DataFrame::empty_with_schema(&schema).lazy().select([expression.clone()]).collect_schema().ok()?;
        given.iter_values().next().cloned()
    }

    fn check_weight(&self, says: &Expr) -> Result<(), Unfit> {
        let whole = self.type_of(says).is_some_and(|kind| kind.is_integer());
        if whole { Ok(()) } else { Err(Unfit::Weight(format!("{says:?}"))) }
    }

    /// Days become numbers without fail; a text may not.
    fn check_conversions(&self, expression: &Expr) -> Result<(), Unfit> {
        let fails = |node: &&Expr| match node {
            Expr::Cast { expr, .. } => {
                !matches!(self.type_of(expr), Some(DataType::Boolean | DataType::Date | DataType::Int64))
            }
            _ => false,
        };
        match expression.into_iter().find(fails) {
            Some(conversion) => Err(Unfit::Conversion(format!("{conversion:?}"))),
            None => Ok(()),
        }
    }
}

/// What is aggregated, and for which rows.
fn filtered(input: &Expr) -> (&Expr, Vec<Expr>) {
    match input {
        Expr::Filter { input, by } => (input, vec![by.as_ref().clone()]),
        other => (other, Vec::new()),
    }
}

fn is_null(expression: &Expr) -> bool {
    matches!(expression, Expr::Literal(value) if value.is_null())
}

/// Reports whether an expression asks whether there is a null.
fn counts_nulls(expression: &Expr) -> bool {
    let is_count = |side: &Expr| matches!(side, Expr::Function { function: FunctionExpr::NullCount, .. });
    matches!(expression, Expr::BinaryExpr { left, op: Operator::Gt, .. } if is_count(left))
}

/// Puts the figures that are in force in a segment of days in the place of their names.
fn in_force(expression: &Expr, segment: &Segment) -> Expr {
    let figure = |value: Option<i64>| match value {
        Some(value) => lit(value),
        None => lit(LiteralValue::untyped_null()).cast(DataType::Int64),
    };
    expression.clone().map_expr(|node| match &node {
        Expr::Column(name) => match segment.figures.get(name.as_str()) {
            Some(of_areas) => {
                let mut areas: BTreeMap<Option<i64>, Vec<i32>> = BTreeMap::new();
                for (area, value) in &of_areas.elsewhere {
                    areas.entry(*value).or_default().push(*area);
                }
                areas.into_iter().fold(figure(of_areas.region), |others, (value, areas)| {
                    let is_there = areas.into_iter().map(|area| col(PLACE).eq(lit(area))).reduce(Expr::or);
                    is_there.map_or(others.clone(), |is_there| when(is_there).then(figure(value)).otherwise(others))
                })
            }
            None => node,
        },
        _ => node,
    })
}
