//! Empty files to fill in: headers in both languages, notes on what belongs into each column.

use std::{
    fs::File,
    io::{ErrorKind, Write as _},
    path::Path,
};

use rust_xlsxwriter::{Format, Note, Workbook, XlsxError};

use super::{
    TableError,
    cells::{CellKind, values_of},
    columns::{Column, Columns},
    read::NOTE,
};
use crate::{lang::Lang, lang::Text, registers::Register, said};

/// Width of a column of the workbook, in characters.
const WIDTH: f64 = 22.0;
/// Lists of more values are not offered as a choice in a cell: workbooks allow 255 characters.
const LONGEST_CHOICE: usize = 255;
/// Rows for which choices are offered.
const ROWS: u32 = 5_000;

/// The spreadsheets' own number for the format of text, `@`.
const AS_TEXT: u8 = 49;

const TEXT: Text = Text { zh: "文本", en: "text" };
const BOOLEAN: Text = Text { zh: "是 或 否", en: "是 or 否 (yes or no)" };
const WHOLE: Text = Text { zh: "整数", en: "whole number" };
const NUMBER: Text = Text { zh: "数字", en: "number" };
const DATE: Text = Text { zh: "日期，如 2025-09-01", en: "day, as 2025-09-01" };
const MONTH: Text = Text { zh: "月份，如 2025-09", en: "month, as 2025-09" };
const REQUIRED: Text = Text { zh: "必填", en: "required" };
const OPTIONAL: Text = Text { zh: "选填", en: "optional" };

/// Writes an empty file, CSV or XLSX by its name; never over another.
pub fn write(path: &Path, register: &Register, columns: &Columns, lang: Lang) -> Result<(), TableError> {
    let shown = path.display().to_string();
    let unwritable =
        |source: Box<dyn std::error::Error + Send + Sync>| TableError::Unwritable { path: shown.clone(), source };
    let bytes = match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => csv_template(register, columns, lang).into_bytes(),
        Some("xlsx") => xlsx_template(register, columns, lang).map_err(|error| unwritable(Box::new(error)))?,
        _ => return Err(TableError::Format(shown)),
    };
    let mut file = File::create_new(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => TableError::Exists(shown.clone()),
        _ => unwritable(Box::new(error)),
    })?;
    file.write_all(&bytes).map_err(|error| unwritable(Box::new(error)))
}

/// Returns what belongs into a column.
pub fn note(column: &Column, lang: Lang) -> String {
    let kind = match CellKind::of(&column.field) {
        Some(CellKind::OneOf(list)) => {
            let values: Vec<String> = values_of(&list).into_iter().map(|(zh, en)| format!("{zh} {en}")).collect();
            values.join(" | ")
        }
        Some(kind) => lang.pick(text_of(&kind)).to_owned(),
        None => String::new(),
    };
    let need = lang.pick(if column.required { REQUIRED } else { OPTIONAL });
    format!("{need}; {kind}")
}

fn text_of(kind: &CellKind) -> Text {
    match kind {
        CellKind::Boolean => BOOLEAN,
        CellKind::Whole => WHOLE,
        CellKind::Number => NUMBER,
        CellKind::Date => DATE,
        CellKind::Month => MONTH,
        CellKind::Text | CellKind::OneOf(_) => TEXT,
    }
}

fn list_note(columns: &Columns, lang: Lang) -> Option<String> {
    columns.iter().any(|column| column.list.is_some()).then(|| {
        said!(
            lang,
            "每名成员一行；同一记录的各行编号相同、相邻，其余列只读第一行",
            "one row for each member; rows of one record carry the same name and follow one another, other columns are read from the first"
        )
    })
}

fn csv_template(register: &Register, columns: &Columns, lang: Lang) -> String {
    // The mark makes spreadsheets read the file as UTF-8.
    let mut text = String::from('\u{feff}');
    let mut line = |content: &str| {
        text.push(NOTE);
        text.push(' ');
        // A note is one cell, so that it stays one when a spreadsheet saves the file again.
        text.push_str(&content.replace([',', '"'], ";"));
        text.push_str("\r\n");
    };
    line(&format!("{} / {}", register.title_zh, register.collection));
    for column in columns.iter() {
        line(&format!("{}: {}", column.header(), note(column, lang)));
    }
    if let Some(content) = list_note(columns, lang) {
        line(&content);
    }
    let headers: Vec<String> = columns.iter().map(|column| format!("\"{}\"", column.header())).collect();
    text.push_str(&headers.join(","));
    text.push_str("\r\n");
    text
}

fn xlsx_template(register: &Register, columns: &Columns, lang: Lang) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name(&register.title_zh)?;
    let plain = Format::new().set_bold().set_text_wrap();
    let needed = plain.clone().set_background_color(0x00FF_F2CC);
    for (place, column) in (0_u16..).zip(columns.iter()) {
        let format = if column.required { &needed } else { &plain };
        sheet.write_string_with_format(0, place, column.header(), format)?;
        sheet.insert_note(0, place, &Note::new(note(column, lang)).add_author_prefix(false))?;
        sheet.set_column_width(place, WIDTH)?;
        if let Some(format) = number_format(column) {
            sheet.set_column_format(place, &Format::new().set_num_format_index(format))?;
        }
        offer_choices(sheet, place, column)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    let notes = workbook.add_worksheet();
    notes.set_name(if lang == Lang::Zh { "说明" } else { "Notes" })?;
    let mut row = 0;
    for column in columns.iter() {
        notes.write_string(row, 0, column.header())?;
        notes.write_string(row, 1, note(column, lang))?;
        row += 1;
    }
    if let Some(content) = list_note(columns, lang) {
        notes.write_string(row, 1, content)?;
    }
    notes.set_column_width(0, 2.0 * WIDTH)?;
    notes.set_column_width(1, 4.0 * WIDTH)?;
    workbook.save_to_buffer()
}

/// Returns the number format of a column's cells. Without that of text a spreadsheet takes an identity number for a
/// number and drops its last digits.
fn number_format(column: &Column) -> Option<u8> {
    (CellKind::of(&column.field) == Some(CellKind::Text)).then_some(AS_TEXT)
}

fn offer_choices(sheet: &mut rust_xlsxwriter::Worksheet, place: u16, column: &Column) -> Result<(), XlsxError> {
    let values: Vec<String> = match CellKind::of(&column.field) {
        Some(CellKind::OneOf(list)) => values_of(&list).into_iter().map(|(zh, _)| zh).collect(),
        Some(CellKind::Boolean) => vec!["是".to_owned(), "否".to_owned()],
        _ => return Ok(()),
    };
    if values.iter().map(|value| value.chars().count() + 1).sum::<usize>() > LONGEST_CHOICE {
        return Ok(());
    }
    let choice = rust_xlsxwriter::DataValidation::new().allow_list_strings(&values)?;
    sheet.add_data_validation(1, place, ROWS, place, &choice)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        import::{read, rows::Rows},
        registers,
    };

    #[test]
    fn a_template_of_every_register_is_read_back_with_all_its_columns_and_no_row() {
        let directory = tempfile::tempdir().expect("a directory");
        for register in registers::all() {
            let columns = Columns::of(register);
            for ending in ["csv", "xlsx"] {
                let path = directory.path().join(format!("{}.{ending}", register.collection));
                write(&path, register, &columns, Lang::Zh).expect("written");
                let table = read::table(&path).expect("read");
                assert_eq!(table.headers.len(), columns.iter().count(), "{}", register.collection);
                assert!(table.lines.is_empty(), "{}", register.collection);
                assert!(Rows::of(&table, register, &columns).is_ok(), "{}", register.collection);
            }
        }
    }

    #[test]
    fn columns_of_text_are_text_in_the_workbook_and_nothing_is_overwritten() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("enrolments.xlsx");
        let register = registers::find("enrolments").expect("a register");
        let columns = Columns::of(register);
        write(&path, register, &columns, Lang::Zh).expect("written");
        let format = |header: &str| number_format(columns.find(header).expect("a column"));
        assert_eq!(format("公民身份号码"), Some(AS_TEXT));
        assert_eq!(format("区划代码"), Some(AS_TEXT));
        assert_eq!(format("年缴费额(分)"), None);
        assert!(matches!(write(&path, register, &columns, Lang::Zh), Err(TableError::Exists(_))));
    }

    #[test]
    fn notes_list_the_values_and_say_what_is_required() {
        let columns = Columns::of(registers::find("schools").expect("a register"));
        let stage = note(columns.find("学段").expect("a column"), Lang::Zh);
        assert!(stage.starts_with("必填") && stage.contains("幼儿园 KINDERGARTEN"), "{stage}");
        let closed = note(columns.find("停办日期").expect("a column"), Lang::En);
        assert_eq!(closed, "optional; day, as 2025-09-01");
    }
}
