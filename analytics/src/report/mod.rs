//! The report: one page, one workbook, and the figures for machines.
//!
//! The only place that knows HTML and spreadsheets. It decides nothing and computes no figure: what it writes is what
//! the assessment found, less the cells that could point to a person ([`suppress`]). No clock and no network inside:
//! the instant that stands in a file is the document's own, so the same document gives the same bytes.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};

use crate::catalogue::Catalogue;
use crate::forecast;
use crate::model::{
    Area, AttainmentDocument, AttainmentEntry, Commitment, Notice, Run, SourceKind, StatisticRow, Status,
};
pub use lang::Lang;
use quality::Quality;

pub mod dictionary;
pub mod format;
pub mod history;
pub mod html;
pub mod json;
pub mod lang;
pub mod quality;
pub mod sdmx;
pub mod suppress;
pub mod terminal;
pub mod xlsx;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The directory or a file in it.
    #[error("could not write {path}")]
    Directory {
        /// What could not be written.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Writing into an open file.
    #[error("could not write the report")]
    Io(#[from] std::io::Error),
    /// A figure that JSON cannot hold.
    #[error("could not write the report as JSON")]
    Json(#[from] serde_json::Error),
    /// The history as CSV.
    #[error("could not write the history as CSV")]
    Csv(#[from] csv::Error),
    /// The history as Parquet.
    #[error("could not write the history as Parquet")]
    Parquet(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The workbook.
    #[error("could not write the workbook")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// The page.
    #[error("could not write the page")]
    Page(#[from] askama::Error),
}

/// What a report is made from.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The verdicts.
    pub document: &'a AttainmentDocument,
    /// The commitments, in the order of the catalogue.
    pub commitments: &'a [Commitment],
    /// How they are measured.
    pub catalogue: &'a Catalogue,
    /// The areas.
    pub areas: &'a [Area],
    /// The long table: the history of every measure.
    pub rows: &'a [StatisticRow],
    /// What became of the services in the run; the page says it, and no other file.
    pub run: &'a Run,
}

/// How a report is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The language the page opens in; it holds both.
    pub lang: Lang,
    /// Counts of persons below this are withheld; 0 withholds nothing.
    pub suppress_below: u32,
    /// What stands above every form of the report: the page, the workbook, the JSON and the scoreboard.
    pub notice: Option<Notice>,
}

impl Default for Options {
    fn default() -> Self {
        Self { lang: Lang::Zh, suppress_below: suppress::DEFAULT_THRESHOLD, notice: None }
    }
}

/// Where the report was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// Every commitment and area, for machines.
    pub json: PathBuf,
    /// The monthly history.
    pub csv: PathBuf,
    /// The monthly history, in columns.
    pub parquet: PathBuf,
    /// The monthly history as SDMX-CSV.
    pub sdmx_csv: PathBuf,
    /// The monthly history as SDMX-JSON.
    pub sdmx_json: PathBuf,
    /// Who reported what.
    pub completeness: PathBuf,
    /// The grade of every figure.
    pub quality: PathBuf,
    /// Figures that break a rule or are out of the usual.
    pub marks: PathBuf,
    /// What every column of the files for machines means.
    pub dictionary: PathBuf,
    /// The workbook.
    pub xlsx: PathBuf,
    /// The page.
    pub html: PathBuf,
}

/// Writes the files into the directory, each replaced as a whole; returns the document as it is written, with
/// what is withheld left out.
pub fn write(dir: &Path, report: &Report<'_>, options: &Options) -> Result<(Files, AttainmentDocument), ReportError> {
    let (document, rows) = protect(report, options);
    let safe = Report { document: &document, rows: &rows, ..*report };

    let quality = Quality::of(&safe);

    std::fs::create_dir_all(dir).map_err(|source| ReportError::Directory { path: dir.to_owned(), source })?;
    let files = Files {
        json: replace(dir, "attainment.json", |out| json::write(out, safe.document))?,
        csv: replace(dir, "attainment.csv", |out| history::write_csv(out, &safe))?,
        parquet: replace(dir, "attainment.parquet", |out| history::write_parquet(out, &safe))?,
        sdmx_csv: replace(dir, "attainment.sdmx.csv", |out| sdmx::write_csv(out, &safe))?,
        sdmx_json: replace(dir, "attainment.sdmx.json", |out| sdmx::write_json(out, &safe))?,
        completeness: replace(dir, "completeness.csv", |out| quality::write_completeness(out, &quality))?,
        quality: replace(dir, "quality.csv", |out| quality::write_grades(out, &quality))?,
        marks: replace(dir, "marks.csv", |out| quality::write_marks(out, &quality))?,
        dictionary: replace(dir, "dictionary.csv", |out| dictionary::write(out))?,
        xlsx: replace(dir, "report.xlsx", |out| Ok(out.write_all(&xlsx::workbook(&safe, &quality)?)?))?,
        html: replace(dir, "report.html", |out| Ok(out.write_all(html::page(&safe, options)?.as_bytes())?))?,
    };
    Ok((files, document))
}

/// Returns the document and the rows as they may be read, with what is withheld left out.
pub fn protect(report: &Report<'_>, options: &Options) -> (AttainmentDocument, Vec<StatisticRow>) {
    let mut document = report.document.clone();
    document.notice = options.notice.clone().or(document.notice);
    let mut rows = report.rows.to_vec();
    suppress::apply(&mut document, &mut rows, report.commitments, report.areas, options.suppress_below);
    document.calibration = forecast::calibration(&document);
    (document, rows)
}

/// Writes a file beside its place and moves it there, so that a reader never sees half of one.
fn replace(
    dir: &Path,
    name: &str,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), ReportError>,
) -> Result<PathBuf, ReportError> {
    let path = dir.join(name);
    let draft = dir.join(format!(".{name}.part"));
    let wrong = |source| ReportError::Directory { path: path.clone(), source };
    let mut out = BufWriter::new(File::create(&draft).map_err(wrong)?);
    fill(&mut out)?;
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all().map_err(wrong)?;
    std::fs::rename(&draft, &path).map_err(wrong)?;
    Ok(path)
}

/// Returns the entries that somebody has to act on, the worst first; behind them those of which only areas below are.
fn in_order_of_urgency<'a>(entries: impl Iterator<Item = &'a AttainmentEntry>) -> Vec<&'a AttainmentEntry> {
    let urgency = |status| match status {
        Status::Missed => 0,
        Status::OffTrack => 1,
        Status::AtRisk => 2,
        _ => 3,
    };
    let mut urgent: Vec<&AttainmentEntry> = entries.filter(|entry| entry.needs_attention()).collect();
    urgent.sort_by_key(|entry| urgency(entry.status));
    urgent
}

/// An instant as RFC 3339.
fn instant_text(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The name of a source of figures as machines use it.
fn source_code(source: SourceKind) -> &'static str {
    match source {
        SourceKind::Register => "register",
        SourceKind::Returns => "returns",
        SourceKind::Milestones => "milestones",
    }
}
