//! `completeness.csv`, `quality.csv` and `marks.csv`: who reported, how good each figure is, and what is odd about it.

use std::io::Write;

use super::{Report, ReportError, dictionary, format, source_code};
use crate::completeness::{AreaReported, Reported, reported};
use crate::model::wire::number_text;
use crate::quality::{Graded, Mark, grades, marks};

/// What is known of the quality of a report's figures, read off what the report says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quality {
    /// Who reported what.
    pub reported: Vec<AreaReported>,
    /// Figures that break a rule or are out of the usual.
    pub marks: Vec<Mark>,
    /// The grade of every figure.
    pub grades: Vec<Graded>,
}

impl Quality {
    /// Reads it off a report of which what is withheld is left out.
    pub fn of(report: &Report<'_>) -> Self {
        let reported = reported(report.commitments, report.areas, report.rows);
        let marks = marks(report.catalogue, report.rows);
        let grades = grades(report.document, &reported, &marks);
        Self { reported, marks, grades }
    }
}

/// Returns the word that files have for how far an area reported.
pub(super) fn reported_code(reported: Reported) -> &'static str {
    match reported {
        Reported::InTime => "in_time",
        Reported::Late => "late",
        Reported::Never => "never",
    }
}

fn flag(holds: bool) -> String {
    holds.to_string()
}

/// Writes who reported what, by commitment and area.
pub fn write_completeness(out: &mut dyn Write, quality: &Quality) -> Result<(), ReportError> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(dictionary::names("completeness.csv"))?;
    for one in &quality.reported {
        let newest = one.newest.map(format::month).unwrap_or_default();
        let late = one.months_late.map(|months| months.to_string()).unwrap_or_default();
        csv.write_record([
            &one.area,
            &one.service,
            source_code(one.source),
            &one.dataset,
            &one.commitment,
            reported_code(one.reported),
            &newest,
            &late,
        ])?;
    }
    csv.flush()?;
    Ok(())
}

/// Writes the grades, by commitment and area.
pub fn write_grades(out: &mut dyn Write, quality: &Quality) -> Result<(), ReportError> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(dictionary::names("quality.csv"))?;
    for Graded { commitment, area, evidence, grade } in &quality.grades {
        csv.write_record([
            commitment,
            area,
            grade.letter(),
            &number_text(evidence.reported),
            &evidence.months_old.to_string(),
            &flag(evidence.filed),
            &flag(evidence.source_incomplete),
            &flag(evidence.breaks_a_rule),
            &flag(evidence.unusual),
        ])?;
    }
    csv.flush()?;
    Ok(())
}

/// Writes the marks, by commitment, measure, area and month.
pub fn write_marks(out: &mut dyn Write, quality: &Quality) -> Result<(), ReportError> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(dictionary::names("marks.csv"))?;
    for mark in &quality.marks {
        csv.write_record([
            &mark.commitment,
            &mark.measure,
            &mark.area,
            &format::month(mark.month),
            mark.fault.code(),
            &flag(mark.fault.is_broken_rule()),
            &number_text(mark.found),
            &number_text(mark.against),
        ])?;
    }
    csv.flush()?;
    Ok(())
}
