//! SQL expressions of the catalogue as expressions of the engine.
//!
//! Parses and checks expressions; never sees a row.

use std::collections::BTreeSet;

use minsheng_catalogue::{ColumnKind, DAY_COLUMNS, FROM_COLUMN, Scope, TEXT_COLUMNS, Wanted};
use polars::prelude::{AggExpr, Column as FrameColumn, DataFrame, DataType, Expr, IntoLazy as _, Operator, Schema};
use polars::sql::sql_expr;

/// What is wrong with an expression.
#[derive(Debug, thiserror::Error)]
pub enum ExpressionError {
    /// It is not SQL, or not SQL that the engine knows.
    #[error("does not parse: {0}")]
    Syntax(String),
    /// It names a column that the rows do not have.
    #[error("unknown column `{0}`")]
    UnknownColumn(String),
    /// Its parts do not fit together, or it gives another type than is needed.
    #[error("wrong type: {0}")]
    Type(String),
}

/// Parses an expression.
pub fn compile(sql: &str) -> Result<Expr, ExpressionError> {
    sql_expr(sql).map_err(|error| ExpressionError::Syntax(first_line(&error.to_string())))
}

/// Returns the columns that an expression reads.
pub fn columns_used(expression: &Expr) -> BTreeSet<String> {
    expression
        .into_iter()
        .filter_map(|node| match node {
            Expr::Column(name) => Some(name.to_string()),
            _ => None,
        })
        .collect()
}

/// Splits a condition at its outermost `AND`s.
pub fn conjuncts(condition: Expr) -> Vec<Expr> {
    match condition {
        Expr::BinaryExpr { left, op: Operator::And | Operator::LogicalAnd, right } => {
            let mut parts = conjuncts(left.as_ref().clone());
            parts.extend(conjuncts(right.as_ref().clone()));
            parts
        }
        other => vec![other],
    }
}

/// Reports whether the aggregate of a whole is the sum of the aggregates of its parts.
pub(crate) fn is_additive(aggregate: &Expr) -> bool {
    let is_number = |side: &Expr| matches!(side, Expr::Literal(_));
    match aggregate {
        Expr::Len | Expr::Agg(AggExpr::Sum(_) | AggExpr::Count { .. }) => true,
        Expr::Alias(inner, _) | Expr::Cast { expr: inner, .. } => is_additive(inner),
        Expr::BinaryExpr { left, op: Operator::Plus | Operator::Minus, right } => {
            is_additive(left) && is_additive(right)
        }
        Expr::BinaryExpr { left, op: Operator::Multiply | Operator::TrueDivide, right } => {
            is_additive(left) && is_number(right)
        }
        // SUM reads: the sum, or null where there is nothing to add up.
        Expr::Ternary { truthy, falsy, .. } => is_additive(truthy) && is_number(falsy),
        _ => false,
    }
}

/// Reports whether an expression folds rows; a list of values, as in `IN (..)`, does not.
fn aggregates(expression: &Expr) -> bool {
    expression.into_iter().any(|node| match node {
        Expr::Agg(AggExpr::Implode { .. }) => false,
        Expr::Agg(_) | Expr::Len => true,
        _ => false,
    })
}

/// The type that a column has in a data frame.
pub(crate) fn frame_type(kind: ColumnKind) -> DataType {
    match kind {
        ColumnKind::Text => DataType::String,
        ColumnKind::Integer => DataType::Int64,
        ColumnKind::Decimal => DataType::Float64,
        ColumnKind::Boolean => DataType::Boolean,
        ColumnKind::Day => DataType::Date,
    }
}

/// Returns the columns that expressions may use, with their types.
fn schema_of(scope: Scope<'_>) -> Schema {
    let own = scope.columns.iter().map(|column| (column.name.as_str().into(), frame_type(column.kind)));
    let text = TEXT_COLUMNS.into_iter().map(|name| (name.into(), DataType::String));
    let days = DAY_COLUMNS.into_iter().chain([FROM_COLUMN]).map(|name| (name.into(), DataType::Date));
    let figures = scope.parameters.iter().map(|name| ((*name).into(), DataType::Int64));
    own.chain(text).chain(days).chain(figures).collect()
}

/// Checks an expression against what it may name, for the catalogue.
pub(super) fn check(sql: &str, scope: Scope<'_>, wanted: Wanted) -> Result<(), String> {
    checked(sql, &schema_of(scope), wanted).map_err(|error| error.to_string())
}

/// Checks an expression by running it over no rows.
fn checked(sql: &str, scope: &Schema, wanted: Wanted) -> Result<(), ExpressionError> {
    let expression = compile(sql)?;
    if let Some(unknown) = columns_used(&expression).into_iter().find(|name| !scope.contains(name.as_str())) {
        return Err(ExpressionError::UnknownColumn(unknown));
    }
    let aggregating = aggregates(&expression);
    let given = if wanted == Wanted::Condition {
        if aggregating {
            return Err(ExpressionError::Type("an aggregate cannot stand in a condition on rows".into()));
        }
        run(scope, |frame| frame.select([expression.clone().alias("result")]))?
    } else {
        if !aggregating {
            return Err(ExpressionError::Type("an aggregate such as COUNT or SUM is needed".into()));
        }
        let grouped = |frame: polars::prelude::LazyFrame| {
            frame.group_by([polars::prelude::col("_area").alias("_group")]).agg([expression.clone().alias("result")])
        };
        run(scope, grouped)?
    };
    let fits = match wanted {
        Wanted::Condition | Wanted::GroupCondition => given == DataType::Boolean,
        Wanted::GroupNumber => given.is_primitive_numeric(),
    };
    let needed = if wanted == Wanted::GroupNumber { "a number" } else { "a condition" };
    if fits { Ok(()) } else { Err(ExpressionError::Type(format!("gives {given}, {needed} is needed"))) }
}

fn run(
    scope: &Schema,
    query: impl FnOnce(polars::prelude::LazyFrame) -> polars::prelude::LazyFrame,
) -> Result<DataType, ExpressionError> {
    let wrong = |error: polars::prelude::PolarsError| ExpressionError::Type(first_line(&error.to_string()));
    let columns = scope.iter().map(|(name, kind)| FrameColumn::new_empty(name.clone(), kind)).collect();
    let frame = DataFrame::new(0, columns).map_err(wrong)?;
    let result = query(frame.lazy()).collect().map_err(wrong)?;
    result.column("result").map(|column| column.dtype().clone()).map_err(wrong)
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
