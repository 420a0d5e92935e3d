//! The parts of expressions for which the day makes no difference.
//!
//! A row is read once for each month in which it is true. What an expression says of the row alone, such as
//! a comparison of texts, is computed once and stands in a column from then on; only the rest waits for the day.

use polars::prelude::{AggExpr, BooleanFunction, DataType, DataTypeExpr, Expr, FunctionExpr, col};

/// Parts that were taken out of expressions, each with its column's name.
pub(super) struct Parts<'a> {
    /// Columns that are not the row's own, or not yet when the parts are computed.
    later: &'a [&'a str],
    taken: Vec<(String, Expr)>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(later: &'a [&'a str]) -> Self {
        Self { later, taken: Vec::new() }
    }

    /// The parts, each under the name of its column.
    pub(super) fn columns(&self) -> impl Iterator<Item = Expr> {
        self.taken.iter().map(|(name, part)| part.clone().alias(name.as_str()))
    }

    /// Splits an expression into its parts; it gives the same with their columns.
    pub(super) fn take_from(&mut self, expression: Expr) -> Expr {
        if self.can_be_taken(&expression) {
            return self.column_of(expression);
        }
        match expression {
            Expr::BinaryExpr { left, op, right } => {
                let (left, right) = (self.take_from(left.as_ref().clone()), self.take_from(right.as_ref().clone()));
                Expr::BinaryExpr { left: left.into(), op, right: right.into() }
            }
            Expr::Ternary { predicate, truthy, falsy } => {
                let [predicate, truthy, falsy] =
                    [predicate, truthy, falsy].map(|part| self.take_from(part.as_ref().clone()).into());
                Expr::Ternary { predicate, truthy, falsy }
            }
            Expr::Filter { input, by } => {
                let [input, by] = [input, by].map(|part| self.take_from(part.as_ref().clone()).into());
                Expr::Filter { input, by }
            }
            Expr::Agg(AggExpr::Sum(input)) => Expr::Agg(AggExpr::Sum(self.take_from(input.as_ref().clone()).into())),
            Expr::Agg(AggExpr::NUnique(input)) => {
                Expr::Agg(AggExpr::NUnique(self.take_from(input.as_ref().clone()).into()))
            }
            Expr::Agg(AggExpr::Count { input, include_nulls }) => {
                Expr::Agg(AggExpr::Count { input: self.take_from(input.as_ref().clone()).into(), include_nulls })
            }
            Expr::Function {
                input,
                function: function @ (FunctionExpr::NullCount | FunctionExpr::Boolean(BooleanFunction::Not)),
            } => Expr::Function { input: input.into_iter().map(|part| self.take_from(part)).collect(), function },
            other => other,
        }
    }

    fn column_of(&mut self, part: Expr) -> Expr {
        let known = self.taken.iter().find(|(_, taken)| *taken == part).map(|(name, _)| name.clone());
        let name = known.unwrap_or_else(|| {
            let name = format!("_part{}", self.taken.len());
            self.taken.push((name.clone(), part));
            name
        });
        col(name.as_str())
    }

    /// Reports whether an expression says something of the row alone, row by row, that is not there already.
    fn can_be_taken(&self, expression: &Expr) -> bool {
        let trivial = match expression {
            Expr::Column(_) => true,
            Expr::Function { input, function: FunctionExpr::Boolean(_) } => matches!(&input[..], [Expr::Column(_)]),
            _ => false,
        };
        let mut own_columns = false;
        let row_by_row = expression.into_iter().all(|node| match node {
            Expr::Column(name) => {
                own_columns = true;
                !self.later.contains(&name.as_str())
            }
            Expr::Literal(_) | Expr::BinaryExpr { .. } | Expr::Ternary { .. } => true,
            // A condition in parentheses is one of these; another cast may fail, and a row that never counts may not.
            Expr::Cast { dtype, .. } => *dtype == DataTypeExpr::Literal(DataType::Boolean),
            Expr::Function { function, .. } => row_by_row(function),
            // A list of values, as in `IN (..)`.
            Expr::Agg(AggExpr::Implode { input, .. }) => matches!(input.as_ref(), Expr::Literal(_)),
            _ => false,
        });
        !trivial && row_by_row && own_columns
    }
}

fn row_by_row(function: &FunctionExpr) -> bool {
    use BooleanFunction::{IsIn, IsNotNull, IsNull, Not};
    matches!(function, FunctionExpr::Coalesce | FunctionExpr::Boolean(IsIn { .. } | IsNotNull | IsNull | Not))
}

#[cfg(test)]
mod tests {
    use polars::prelude::{Column, DataFrame, IntoLazy as _, lit};

    use super::*;
    use crate::catalogue::{columns_used, compile};

    fn rows() -> DataFrame {
        let columns = vec![
            Column::new("state".into(), [Some("A"), Some("B"), None, Some("B"), Some("C"), None]),
            Column::new("from".into(), [Some(1), Some(5), Some(3), None, Some(9), Some(2)]),
            Column::new("fen".into(), [Some(10_i64), None, Some(30), Some(40), Some(50), Some(60)]),
            Column::new("day".into(), [4; 6]),
        ];
        DataFrame::new(6, columns).unwrap()
    }

    #[test]
    fn what_the_row_says_alone_is_taken_out_and_the_expression_gives_the_same() {
        let cases = [
            ("COUNT(*) FILTER (WHERE NOT (state = 'B' AND COALESCE(state, '') = 'B'))", &["_part0"][..]),
            ("COUNT(*) FILTER (WHERE state <> 'B' AND (from IS NULL OR from <= day))", &["_part0", "day", "from"]),
            ("COUNT(DISTINCT state) FILTER (WHERE fen * 2 > 50 OR from > day)", &["_part0", "day", "from", "state"]),
            ("COUNT(DISTINCT state)", &["state"]),
            ("SUM(fen * 3 - 1) / 100.0", &["_part0"]),
            ("SUM(fen * day)", &["day", "fen"]),
            ("COUNT(*) FILTER (WHERE state IN ('A', 'B'))", &["_part0"]),
            ("COUNT(*) FILTER (WHERE CAST(fen AS TEXT) = '10' AND day > 3)", &["day", "fen"]),
            ("SUM(CASE WHEN state = 'A' THEN fen ELSE day END)", &["_part0", "day", "fen"]),
        ];
        for (sql, left) in cases {
            let whole = compile(&sql.replace("from", "\"from\"")).unwrap();
            let mut parts = Parts::new(&["day"]);
            let rest = parts.take_from(whole.clone());
            assert_eq!(columns_used(&rest).iter().map(String::as_str).collect::<Vec<_>>(), left, "{sql}");
            let with_parts = rows().lazy().with_columns(parts.columns().collect::<Vec<_>>());
            let by = |rows: polars::prelude::LazyFrame, expression: Expr| {
                let of_each = rows.group_by([lit(1)]).agg([expression.cast(DataType::Float64).alias("result")]);
                of_each.collect().unwrap().column("result").unwrap().f64().unwrap().get(0)
            };
            assert_eq!(by(with_parts, rest), by(rows().lazy(), whole), "{sql}");
        }
    }

    #[test]
    fn the_same_part_is_computed_once() {
        let mut parts = Parts::new(&["day"]);
        let one = parts.take_from(compile("SUM(fen * 2)").unwrap());
        let other = parts.take_from(compile("SUM(fen * 2) + SUM(fen * day)").unwrap());
        assert_eq!(parts.columns().count(), 1);
        assert_eq!((columns_used(&one).len(), columns_used(&other).len()), (1, 3));
    }
}
