//! `attainment.json`: one line per entry, so that two runs can be compared line by line.

use std::io::Write;

use super::ReportError;
use crate::model::AttainmentDocument;

/// Writes the document; the same document gives the same bytes.
pub fn write(out: &mut dyn Write, document: &AttainmentDocument) -> Result<(), ReportError> {
    writeln!(out, "{{\"on\":\"{}\",", document.on)?;
    writeln!(out, "\"as_of\":{},", serde_json::to_string(&super::instant_text(document.as_of))?)?;
    writeln!(out, "\"catalogue\":{},", serde_json::to_string(&document.catalogue)?)?;
    write!(out, "\"sources\":[")?;
    list(out, &document.sources)?;
    write!(out, "],\n\"commitments\":[")?;
    list(out, &document.commitments)?;
    write!(out, "]")?;
    if let Some(calibration) = &document.calibration {
        write!(out, ",\n\"calibration\":{}", serde_json::to_string(calibration)?)?;
    }
    if let Some(notice) = &document.notice {
        write!(out, ",\n\"notice\":{}", serde_json::to_string(notice)?)?;
    }
    writeln!(out, "}}")?;
    Ok(())
}

fn list<T: serde::Serialize>(out: &mut dyn Write, items: &[T]) -> Result<(), ReportError> {
    for (position, item) in items.iter().enumerate() {
        writeln!(out, "{}", if position == 0 { "" } else { "," })?;
        write!(out, "{}", serde_json::to_string(item)?)?;
    }
    Ok(())
}
