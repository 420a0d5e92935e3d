//! A CSV or XLSX file as a table of texts, each row with its line in the file.

use std::path::Path;

use calamine::{Data, Reader as _};

use super::{TableError, cells::CellError};

/// From this number on a spreadsheet has lost digits: it keeps fifteen.
const TOO_LONG: f64 = 1e15;
/// What spreadsheets put where a formula has no result.
const ERROR_VALUES: [&str; 9] =
    ["#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#GETTING_DATA"];

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its line in the file, or row in the sheet, from 1.
    pub number: u64,
    /// Its cells.
    pub cells: Vec<String>,
    /// Cells that cannot be what somebody wrote, by place.
    pub faults: Vec<(usize, CellError)>,
}

/// A table as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The headers.
    pub headers: Vec<String>,
    /// The rows that are not empty and no notes.
    pub lines: Vec<Line>,
}

/// Rows before the header that begin with it are notes of a template; below the header every row is a record.
pub const NOTE: char = '#';

/// Reads a file by what its name ends with.
pub fn table(path: &Path) -> Result<Table, TableError> {
    let shown = path.display().to_string();
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    let lines = match ending.as_deref() {
        Some("csv" | "txt") => {
            let bytes = std::fs::read(path).map_err(|error| unreadable(&shown, error))?;
            csv_lines(&shown, &bytes)?
        }
        Some("xlsx" | "xlsm") => xlsx_lines(path, &shown)?,
        _ => return Err(TableError::Format(shown)),
    };
    let mut lines = lines
        .into_iter()
        .filter(|line| line.cells.iter().any(|cell| !cell.trim().is_empty()))
        .skip_while(|line| line.cells.first().is_some_and(|cell| cell.starts_with(NOTE)));
    let headers = lines.next().ok_or(TableError::Empty(shown))?.cells;
    Ok(Table { headers, lines: lines.collect() })
}

fn unreadable(path: &str, source: impl std::error::Error + Send + Sync + 'static) -> TableError {
    TableError::Unreadable { path: path.to_owned(), source: Box::new(source) }
}

fn csv_lines(path: &str, bytes: &[u8]) -> Result<Vec<Line>, TableError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| TableError::NotUtf8(path.to_owned()))?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(path, error))?;
        let number = record.position().map_or(0, |place| line_of(text, place));
        let cells: Vec<String> = record.iter().map(str::to_owned).collect();
        let faults = cells.iter().enumerate().filter_map(|(place, cell)| Some((place, error_value(cell)?))).collect();
        lines.push(Line { number, cells, faults });
    }
    Ok(lines)
}

/// Returns the line on which a record begins: the reader's place lies before the empty lines that it passes over.
fn line_of(text: &str, place: &csv::Position) -> u64 {
    let rest = usize::try_from(place.byte()).ok().and_then(|start| text.as_bytes().get(start..)).unwrap_or_default();
    let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n');
    place.line() + u64::try_from(empty.count()).unwrap_or_default()
}

fn xlsx_lines(path: &Path, shown: &str) -> Result<Vec<Line>, TableError> {
    let mut workbook: calamine::Xlsx<_> = calamine::open_workbook(path).map_err(|error| unreadable(shown, error))?;
    let Some(Ok(sheet)) = workbook.worksheet_range_at(0) else { return Err(TableError::Empty(shown.to_owned())) };
    let first = u64::from(sheet.start().map_or(0, |(row, _)| row)) + 1;
    let left = usize::try_from(sheet.start().map_or(0, |(_, column)| column)).unwrap_or_default();
    let lines = (first..).zip(sheet.rows()).map(|(number, row)| {
        let mut cells = vec![String::new(); left];
        cells.extend(row.iter().map(cell_text));
        let faults = (left..).zip(row).filter_map(|(place, cell)| Some((place, fault_of(cell)?))).collect();
        Line { number, cells, faults }
    });
    Ok(lines.collect())
}

/// The day of an instant, as a person writes it.
fn day_text(at: (u16, u8, u8, u8, u8, u8, u16)) -> String {
    format!("{:04}-{:02}-{:02}", at.0, at.1, at.2)
}

fn error_value(text: &str) -> Option<CellError> {
    ERROR_VALUES.contains(&text.trim()).then(|| CellError::ErrorValue(text.trim().to_owned()))
}

fn fault_of(cell: &Data) -> Option<CellError> {
    #[expect(clippy::cast_precision_loss, reason = "only the magnitude is looked at")]
    match cell {
        Data::Float(number) if number.abs() >= TOO_LONG => Some(CellError::LongNumber),
        Data::Int(number) if (*number as f64).abs() >= TOO_LONG => Some(CellError::LongNumber),
        Data::Error(_) => Some(CellError::ErrorValue(cell.to_string())),
        Data::String(text) => error_value(text),
        _ => None,
    }
}

fn cell_text(cell: &Data) -> String {
    match cell {
        Data::DateTime(at) => day_text(at.to_ymd_hms_milli()),
        Data::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => format!("{number:.0}"),
        Data::Bool(flag) => (if *flag { "是" } else { "否" }).to_owned(),
        Data::Empty => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        (directory, path)
    }

    #[test]
    fn a_byte_order_mark_notes_and_empty_rows_are_passed_over_and_lines_keep_their_numbers() {
        let (_kept, path) =
            written("a.csv", "\u{feff}# 说明\n名称,学段\n\n甲,小学\n\"乙\n丙\",初中\n丁,幼儿园\n".as_bytes());
        let table = table(&path).expect("read");
        assert_eq!(table.headers, ["名称", "学段"]);
        let numbers: Vec<_> = table.lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [4, 5, 7]);
    }

    #[test]
    fn a_file_that_is_not_utf_8_says_so() {
        let (_kept, path) = written("a.csv", &[0xc3, 0xfb, 0xb3, 0xc6]);
        assert!(matches!(table(&path), Err(TableError::NotUtf8(_))));
    }

    #[test]
    fn days_and_numbers_of_a_workbook_are_texts_as_people_write_them() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.xlsx");
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let sheet = workbook.add_worksheet();
        let day = rust_xlsxwriter::ExcelDateTime::from_ymd(2025, 9, 1).expect("a day");
        let format = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
        sheet.write_string(0, 0, "启用日期").expect("written");
        sheet.write_string(0, 1, "容量").expect("written");
        sheet.write_datetime_with_format(1, 0, &day, &format).expect("written");
        sheet.write_number(1, 1, 40.0).expect("written");
        workbook.save(&path).expect("saved");
        let table = table(&path).expect("read");
        let cells = vec!["2025-09-01".to_owned(), "40".to_owned()];
        assert_eq!(table.lines, [Line { number: 2, cells, faults: vec![] }]);
    }

    #[test]
    fn below_the_header_a_row_that_begins_with_a_hash_is_a_row_and_error_cells_are_faults() {
        let (_kept, path) = written("a.csv", "# 说明\n名称,容量\n#N/A,30\n#1 助餐点,40\n".as_bytes());
        let table = table(&path).expect("read");
        assert_eq!(table.lines.len(), 2, "{table:?}");
        assert_eq!(table.lines[0].faults, [(0, CellError::ErrorValue("#N/A".to_owned()))]);
        assert_eq!((table.lines[1].cells[0].as_str(), table.lines[1].faults.len()), ("#1 助餐点", 0));
    }

    #[test]
    fn a_number_that_a_workbook_could_not_keep_and_a_formula_without_result_are_faults() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.xlsx");
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let sheet = workbook.add_worksheet();
        for (place, header) in (0..).zip(["身份号码", "容量", "名称"]) {
            sheet.write_string(0, place, header).expect("written");
        }
        sheet.write_number(1, 0, 549_999_199_001_010_048.0).expect("written");
        sheet.write_number(1, 1, 999_999_999_999_999.0).expect("written");
        sheet.write_formula(1, 2, rust_xlsxwriter::Formula::new("=NA()").set_result("#N/A")).expect("written");
        workbook.save(&path).expect("saved");
        let table = table(&path).expect("read");
        let faults: Vec<_> = table.lines[0].faults.iter().map(|(place, _)| *place).collect();
        assert_eq!(faults, [0, 2], "{table:?}");
        assert_eq!(table.lines[0].cells[1], "999999999999999");
    }
}
