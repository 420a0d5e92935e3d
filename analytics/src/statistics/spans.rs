//! The days on which a row counts, as two bounds: conditions on the day, solved for it.
//!
//! A condition such as `opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day)` says from which day and up to
//! which day a row counts. Solved once for each row, it need not be asked again for each month. What cannot be solved,
//! such as two conditions on the day of which one is enough, is an [`Unsolved`] with its reason.

use chrono::{Datelike as _, Months};

use polars::prelude::{
    BooleanFunction, DataType, DataTypeExpr, Expr, FunctionExpr, LiteralValue, Operator, TemporalFunction, col, lit,
    when,
};
use polars::time::Duration;

use super::columns::{FROM, UNTIL};
use crate::catalogue::{DAY_COLUMNS, columns_used, conjuncts};

/// Why a condition has no bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unsolved {
    /// A part depends on the day in a way that is none of those known.
    #[error("`{0}` is not a comparison of the day with what the row says")]
    Form(String),
    /// Alternatives depend on the day.
    #[error("more than one alternative of `{0}` depends on the day")]
    Alternatives(String),
}

/// How a bound lies to a day that a row names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Rounded {
    /// It is the day.
    Exact,
    /// It is the first beginning of a month that is not before the day.
    ToMonth,
    /// It is the first beginning of a month behind the day.
    BehindMonth,
}

impl Rounded {
    /// Returns the bound for a day, both as days since 1970-01-01.
    pub(super) fn apply(self, day: i32) -> i32 {
        if self == Self::Exact || !(super::steps::FIRST_DAY..super::steps::LAST_DAY).contains(&day) {
            // Months before all that are counted need no rounding, nor do those behind them.
            return day;
        }
        let first = super::columns::day(day).with_day(1).unwrap_or_default();
        let next = first + Months::new(1);
        let bound = if self == Self::ToMonth && first.to_epoch_days() == day { first } else { next };
        bound.to_epoch_days()
    }
}

/// A day from which, or before which, a row counts: an expression that gives a date as `Int32`. Null means never.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bound {
    pub(super) day: Expr,
    pub(super) rounded: Rounded,
}

/// On which days a row counts: on those from the last of some days and before the first of others, if a condition holds
/// whatever the day.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Span {
    pub(super) always: Vec<Expr>,
    pub(super) from: Vec<Bound>,
    pub(super) until: Vec<Bound>,
}

impl Span {
    /// Solves conditions that all have to hold.
    pub(super) fn of(conditions: impl IntoIterator<Item = Expr>) -> Result<Self, Unsolved> {
        let mut all = Self::default();
        for part in conditions.into_iter().flat_map(conjuncts) {
            all.extend(solve(part, true)?);
        }
        Ok(all)
    }

    /// The days of a row as its journal tells them.
    pub(super) fn of_row() -> Self {
        let exact = |day| vec![Bound { day, rounded: Rounded::Exact }];
        let never_ends = when(col(UNTIL).is_null()).then(lit(i32::MAX)).otherwise(col(UNTIL).cast(DataType::Int32));
        Self { always: Vec::new(), from: exact(col(FROM).cast(DataType::Int32)), until: exact(never_ends) }
    }

    /// The days from one up to another, both as days since 1970-01-01.
    pub(super) fn between(from: i32, until: i32) -> Self {
        let exact = |day: i32| vec![Bound { day: lit(day), rounded: Rounded::Exact }];
        Self { always: Vec::new(), from: exact(from), until: exact(until) }
    }

    /// Keeps the days that lie in another span too.
    pub(super) fn extend(&mut self, other: Self) {
        self.always.extend(other.always);
        self.from.extend(other.from);
        self.until.extend(other.until);
    }

    /// The same days, and all days for rows for which a condition holds.
    fn or_where(self, condition: &Expr) -> Self {
        let open = |bounds: Vec<Bound>, open: i32| {
            let bounds = bounds.into_iter();
            let open =
                |bound: Bound| Bound { day: when(condition.clone()).then(lit(open)).otherwise(bound.day), ..bound };
            bounds.map(open).collect()
        };
        let own = self.always.into_iter().reduce(Expr::and);
        Self {
            always: own.map(|own| condition.clone().or(own)).into_iter().collect(),
            from: open(self.from, i32::MIN),
            until: open(self.until, i32::MAX),
        }
    }
}

/// Reports whether an expression depends on the day.
pub(super) fn of_the_day(expression: &Expr) -> bool {
    columns_used(expression).iter().any(|name| DAY_COLUMNS.contains(&name.as_str()))
}

/// Solves one condition, or its opposite. As in SQL, what is unknown does not hold, nor does its opposite.
fn solve(condition: Expr, holds: bool) -> Result<Span, Unsolved> {
    if !of_the_day(&condition) {
        let condition = if holds { condition } else { condition.not() };
        return Ok(Span { always: vec![condition], ..Span::default() });
    }
    match condition {
        // A condition in parentheses.
        Expr::Cast { expr, dtype: DataTypeExpr::Literal(DataType::Boolean), .. } | Expr::Alias(expr, _) => {
            solve(expr.as_ref().clone(), holds)
        }
        Expr::Function { mut input, function: FunctionExpr::Boolean(BooleanFunction::Not) } if input.len() == 1 => {
            solve(input.remove(0), !holds)
        }
        Expr::BinaryExpr {
            left,
            op: op @ (Operator::And | Operator::LogicalAnd | Operator::Or | Operator::LogicalOr),
            right,
        } => {
            let all = matches!(op, Operator::And | Operator::LogicalAnd) == holds;
            let (left, right) = (left.as_ref().clone(), right.as_ref().clone());
            if all {
                let mut both = solve(left, holds)?;
                both.extend(solve(right, holds)?);
                return Ok(both);
            }
            match (of_the_day(&left), of_the_day(&right)) {
                (true, true) => Err(Unsolved::Alternatives(left.or(right).to_string())),
                (true, false) => alternative(left, right, holds),
                _ => alternative(right, left, holds),
            }
        }
        Expr::BinaryExpr { ref left, op, ref right } => {
            let form = || Unsolved::Form(condition.to_string());
            let swapped = || op.swap_operands().ok_or_else(form);
            let (day, op, other) = if of_the_day(left) { (left, op, right) } else { (right, swapped()?, left) };
            let (months, offset) = day_of(day).ok_or_else(form)?;
            if of_the_day(other) {
                return Err(form());
            }
            let op = if holds { op } else { opposite(op).ok_or_else(form)? };
            compared(op, &(number_of(other) - offset), months).ok_or_else(form)
        }
        other => Err(Unsolved::Form(other.to_string())),
    }
}

/// Solves alternatives of which one says the same on every day.
fn alternative(of_day: Expr, constant: Expr, holds: bool) -> Result<Span, Unsolved> {
    let constant = if holds { constant } else { constant.not() };
    Ok(solve(of_day, holds)?.or_where(&constant.fill_null(lit(false))))
}

/// A day as the number that it is compared by: the catalogue's expressions cast days to numbers in places.
fn number_of(expression: &Expr) -> Expr {
    expression.clone().cast(DataType::Int32)
}

/// Reads `on_day`, `on_month`, and either with days added or taken away: whether it is the month, and what is added.
fn day_of(expression: &Expr) -> Option<(bool, Expr)> {
    match expression {
        Expr::Column(name) => {
            let month = name == DAY_COLUMNS[1];
            (month || name == DAY_COLUMNS[0]).then_some((month, lit(0)))
        }
        Expr::Cast { expr, .. } => day_of(expr),
        Expr::BinaryExpr { left, op: op @ (Operator::Plus | Operator::Minus), right } if !of_the_day(right) => {
            let (month, offset) = day_of(left)?;
            let more = number_of(right);
            Some((month, if *op == Operator::Plus { offset + more } else { offset - more }))
        }
        Expr::Function { input, function: FunctionExpr::TemporalExpr(TemporalFunction::OffsetBy) } => {
            let [day, Expr::Literal(by)] = input.as_slice() else { return None };
            let (month, offset) = day_of(day)?;
            Some((month, offset + lit(days_in(by)?)))
        }
        _ => None,
    }
}

/// The days of an interval that is a whole number of them.
fn days_in(interval: &LiteralValue) -> Option<i32> {
    let text = interval.extract_str()?;
    let interval = Duration::parse(text);
    let days = i32::try_from(interval.weeks() * 7 + interval.days()).ok()?;
    let whole = interval.months() == 0 && interval.nanoseconds() == 0;
    whole.then_some(if interval.negative() { -days } else { days })
}

fn opposite(op: Operator) -> Option<Operator> {
    Some(match op {
        Operator::Lt => Operator::GtEq,
        Operator::LtEq => Operator::Gt,
        Operator::Gt => Operator::LtEq,
        Operator::GtEq => Operator::Lt,
        _ => return None,
    })
}

/// The days, or months, for which the comparison with a day holds.
fn compared(op: Operator, with: &Expr, months: bool) -> Option<Span> {
    let bound = |behind: bool| {
        vec![match (months, behind) {
            (false, false) => Bound { day: with.clone(), rounded: Rounded::Exact },
            (false, true) => Bound { day: with.clone() + lit(1), rounded: Rounded::Exact },
            (true, false) => Bound { day: with.clone(), rounded: Rounded::ToMonth },
            (true, true) => Bound { day: with.clone(), rounded: Rounded::BehindMonth },
        }]
    };
    let (from, until) = match op {
        Operator::GtEq => (bound(false), Vec::new()),
        Operator::Gt => (bound(true), Vec::new()),
        Operator::LtEq => (Vec::new(), bound(true)),
        Operator::Lt => (Vec::new(), bound(false)),
        Operator::Eq => (bound(false), bound(true)),
        _ => return None,
    };
    Some(Span { always: Vec::new(), from, until })
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use polars::prelude::{Column, DataFrame, IntoLazy as _};

    use super::*;
    use crate::catalogue::compile;
    use crate::statistics::columns::{day, days};

    const FIRST: i32 = crate::statistics::steps::FIRST_DAY;

    fn rows() -> DataFrame {
        let some = |text: &[Option<&str>]| -> Vec<Option<i32>> {
            let number = |day: &str| day.parse::<NaiveDate>().unwrap().to_epoch_days();
            text.iter().map(|day| day.map(number)).collect()
        };
        let dates = |name: &str, of: &[Option<&str>]| Column::new(name.into(), some(of)).cast(&DataType::Date).unwrap();
        let columns = vec![
            dates("opened", &[Some("2024-03-05"), Some("2024-02-01"), Some("2023-01-31"), None, Some("2024-04-30")]),
            dates("closed", &[Some("2024-06-30"), None, Some("2024-02-01"), Some("2024-05-01"), Some("2024-04-30")]),
            Column::new("kind".into(), [Some("A"), Some("B"), None, Some("A"), None]),
            Column::new("window".into(), [Some(30_i64), Some(0), Some(400), Some(5), None]),
        ];
        DataFrame::new(5, columns).unwrap()
    }

    /// What holds on a day, by the engine itself.
    fn asked(condition: &Expr, on: NaiveDate) -> Vec<bool> {
        use chrono::Datelike as _;
        let first = on.with_day(1).unwrap();
        let date = |day: NaiveDate, name: &str| lit(day).cast(DataType::Date).alias(name);
        let known = rows().lazy().with_columns([date(on, "on_day"), date(first, "on_month")]);
        let said = known.select([condition.clone().alias("said")]).collect().unwrap();
        said.column("said").unwrap().bool().unwrap().iter().map(|said| said == Some(true)).collect()
    }

    fn solved(span: &Span, on: NaiveDate) -> Vec<bool> {
        let on = on.to_epoch_days();
        let mut said = vec![true; 5];
        let mut narrow = |column: &Expr, holds: &dyn Fn(Option<i32>) -> bool| {
            let column = rows().lazy().select([column.clone().cast(DataType::Int32).alias("said")]).collect().unwrap();
            let column = days(&column, "said").unwrap();
            let values: Vec<Option<i32>> =
                (0..5).map(|row| column.get(if column.len() == 1 { 0 } else { row })).collect();
            for (said, value) in said.iter_mut().zip(values) {
                *said &= holds(value);
            }
        };
        span.always.iter().for_each(|part| narrow(part, &|value| value == Some(1)));
        for bound in &span.from {
            narrow(&bound.day, &|value| value.is_some_and(|value| bound.rounded.apply(value) <= on));
        }
        for bound in &span.until {
            narrow(&bound.day, &|value| value.is_some_and(|value| on < bound.rounded.apply(value)));
        }
        said
    }

    #[test]
    fn a_solved_condition_says_on_every_day_what_the_engine_says() {
        for sql in [
            "opened <= on_day AND (closed IS NULL OR closed > on_day)",
            "opened < on_day AND (closed IS NULL OR closed >= on_day)",
            "opened < on_month AND (closed >= on_month OR kind = 'A')",
            "opened = on_day",
            "opened <= on_month",
            "opened > on_month",
            "opened = on_month",
            "on_day >= opened AND NOT (closed <= on_day)",
            "NOT (opened > on_day OR kind = 'A')",
            "NOT (kind = 'A' AND closed > on_day)",
            "opened <= on_day AND opened > on_day - INTERVAL '60 days'",
            "CAST(opened AS INTEGER) > CAST(on_day AS INTEGER) - \"window\" AND opened <= on_day",
            "(kind IS NULL OR kind <> 'A' OR (opened <= on_day AND kind = 'A')) AND closed > on_month",
        ] {
            let condition = compile(sql).unwrap();
            let span = Span::of([condition.clone()]).unwrap();
            // Every day of the months in which anything changes, and then some.
            for number in (FIRST..FIRST + 70).chain((FIRST + 70..FIRST + 200).step_by(5)) {
                assert_eq!(solved(&span, day(number)), asked(&condition, day(number)), "{sql} on {}", day(number));
            }
        }
    }

    #[test]
    fn what_has_no_bounds_says_so() {
        for sql in [
            "opened <= on_day OR closed > on_day",
            "opened <> on_day",
            "on_day - INTERVAL '1 month' < opened",
            "CASE WHEN opened <= on_day THEN true ELSE false END",
        ] {
            assert!(Span::of([compile(sql).unwrap()]).is_err(), "{sql}");
        }
    }
}
