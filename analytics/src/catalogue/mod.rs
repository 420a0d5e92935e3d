//! The catalogue of commitments as statistics use it: the data of `minsheng-catalogue`, and its expressions compiled.

mod expression;

#[cfg(test)]
mod tests;

use std::path::Path;

pub use minsheng_catalogue::{
    Areas, Catalogue, CatalogueError, Column, ColumnKind, Count, DAY_COLUMNS, Denominator, DivisionLevel, Empty, Entry,
    Figure, Form, Group, Measure, Parameter, Period, Problem, Restriction, SERVICES, Silent, Whole, columns_of,
    contains, dataset_names, in_scope, service_of,
};

pub use expression::{ExpressionError, columns_used, compile, conjuncts};
pub(crate) use expression::{frame_type, is_additive};

/// Reads the `*.toml` files of a directory and checks them, their expressions too.
pub fn read(directory: &Path) -> Result<Catalogue, CatalogueError> {
    crate::engine::on_own_thread(|| Catalogue::read_with(directory, &expression::check))
}

/// Reads and checks files given as name and text, their expressions too.
pub fn parse(files: &[(&str, &str)]) -> Result<Catalogue, CatalogueError> {
    crate::engine::on_own_thread(|| Catalogue::parse_with(files, &expression::check))
}
