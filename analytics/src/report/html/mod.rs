//! `report.html`: one file without scripts or network, in both languages, for the screen and for A4.
//!
//! The language switch is two radio buttons and a style sheet. What the page says is put together in `view`; the
//! template only lays it out.

use askama::Template;

use super::{Options, Report, ReportError};

mod build;
mod card;
mod index;
mod plot;
mod view;

/// Returns the page.
pub fn page(report: &Report<'_>, options: &Options) -> Result<String, ReportError> {
    Ok(build::page(report, options).render()?)
}
