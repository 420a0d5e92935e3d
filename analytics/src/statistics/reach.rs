//! How far a dataset's rows go, in each area.

use polars::prelude::{DataFrame, DataType, IntoLazy as _, PolarsResult, col, lit};

use super::columns::FROM;
use crate::lake::Schema;

/// Returns the columns from which that is known.
pub(super) fn schema() -> Schema {
    vec![
        ("_position".into(), DataType::Int64),
        ("_recorded_at".into(), DataType::Int64),
        (FROM.into(), DataType::Date),
        ("_area".into(), DataType::String),
    ]
}

/// Groups a dataset's rows by area: they are too many to be read one by one.
pub(super) fn by_area(rows: DataFrame, as_of: i64) -> PolarsResult<DataFrame> {
    rows.lazy()
        .filter(col("_recorded_at").lt_eq(lit(as_of)))
        .group_by([col("_area")])
        .agg([col(FROM).min(), col("_recorded_at").max(), col("_position").max()])
        .collect()
}
