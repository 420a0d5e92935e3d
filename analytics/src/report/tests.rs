//! The report of a small province: the same bytes twice, and the files as they were agreed on.

use std::path::PathBuf;

use calamine::{Reader, Xlsx, open_workbook};

use super::{Files, Lang, Options, Report, fixture, write};
use crate::model::{AttainmentDocument, Status};

fn written() -> (tempfile::TempDir, Files) {
    let dir = tempfile::tempdir().expect("a directory");
    let (document, commitments, areas, rows) =
        (fixture::document(), fixture::commitments(), fixture::areas(), fixture::rows());
    let report = Report { document: &document, commitments: &commitments, areas: &areas, rows: &rows };
    let files = write(dir.path(), &report, Options { lang: Lang::Zh, ..Options::default() }).expect("a report");
    (dir, files)
}

fn text(path: &PathBuf) -> String {
    std::fs::read_to_string(path).expect("a text file")
}

/// Compares with the golden file, or replaces it when `MINSHENG_ACCEPT` is set.
fn golden(name: &str, found: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/report/golden").join(name);
    if std::env::var_os("MINSHENG_ACCEPT").is_some() {
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(&path, found).expect("a golden file");
    }
    let expected = text(&path);
    let differing = expected.lines().zip(found.lines()).position(|(left, right)| left != right);
    assert!(
        expected == found,
        "{name} differs from its golden file from line {:?}; look at it, then accept with MINSHENG_ACCEPT=1",
        differing.map(|line| line + 1)
    );
}

#[test]
fn the_figures_for_machines_are_as_agreed() {
    let (_dir, files) = written();
    golden("attainment.json", &text(&files.json));
}

#[test]
fn the_page_is_as_agreed() {
    let (_dir, files) = written();
    golden("report.html", &text(&files.html));
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    let ((_one, first), (_two, second)) = (written(), written());
    for (left, right) in [
        (&first.json, &second.json),
        (&first.csv, &second.csv),
        (&first.parquet, &second.parquet),
        (&first.xlsx, &second.xlsx),
        (&first.html, &second.html),
    ] {
        let bytes = |path: &PathBuf| std::fs::read(path).expect("a file");
        assert!(bytes(left) == bytes(right), "{} differs", left.display());
    }
}

#[test]
fn the_json_reads_back_and_every_status_occurs_in_it() {
    let (_dir, files) = written();
    let document: AttainmentDocument = serde_json::from_str(&text(&files.json)).expect("a document");
    assert_eq!(document.commitments.len(), fixture::commitments().len() * fixture::areas().len());
    for status in Status::ALL {
        assert!(document.commitments.iter().any(|entry| entry.status == status), "{status:?} does not occur");
    }
}

#[test]
fn the_fields_of_an_entry_come_in_the_order_agreed() {
    let (_dir, files) = written();
    let json = text(&files.json);
    let entry = json.lines().find(|line| line.starts_with("{\"id\"")).expect("an entry");
    let agreed = [
        "id",
        "article",
        "service",
        "kind",
        "basis",
        "source",
        "area",
        "month",
        "numerator",
        "denominator",
        "value",
        "unit",
        "target",
        "due",
        "pace",
        "status",
        "reason",
    ];
    let places: Vec<_> = agreed.iter().map(|field| entry.find(&format!("\"{field}\":")).expect("a field")).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn the_csv_and_the_parquet_file_hold_the_same_history() {
    use polars::prelude::{ParquetReader, SerReader};
    let (_dir, files) = written();
    let csv = text(&files.csv);
    let frame = ParquetReader::new(std::fs::File::open(&files.parquet).expect("a file")).finish().expect("a frame");
    assert_eq!(csv.lines().count() - 1, frame.height());
    assert!(csv.starts_with("commitment,article,service,source,measure,area,month,numerator,denominator,value,unit\n"));
    assert!(csv.contains("\nelder-meal-points,8,community,register,primary,540000,2026-06,"), "months as YYYY-MM");
}

#[test]
fn the_workbook_has_its_sheets_and_a_row_per_commitment() {
    let (_dir, files) = written();
    let mut book: Xlsx<_> = open_workbook(&files.xlsx).expect("a workbook");
    assert_eq!(
        book.sheet_names(),
        [
            "总览 Scoreboard",
            "分条 By article",
            "分地市 By prefecture",
            "分县区 By county",
            "历史 History",
            "来源 Sources"
        ]
    );
    let sheet = book.worksheet_range("分条 By article").expect("a sheet");
    assert_eq!(sheet.height(), fixture::commitments().len() + 1);
}

#[test]
fn the_page_needs_no_network_and_no_script() {
    let (_dir, files) = written();
    let page = text(&files.html);
    for foreign in ["http://", "https://", "<script", "<link", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("本次未能连通"), "the department that was not reached is named");
    assert_eq!(page.matches("<section id=\"article-").count(), 10);
}

#[test]
fn counts_that_could_point_to_a_person_are_in_no_file() {
    let (_dir, files) = written();
    let document: AttainmentDocument = serde_json::from_str(&text(&files.json)).expect("a document");
    let small = document
        .commitments
        .iter()
        .find(|entry| entry.id == "needy-pension-premiums-paid" && entry.area == "540121")
        .expect("an entry");
    assert!(small.suppressed && small.value.is_none() && small.numerator.is_none() && small.pace.is_none());
    let row = "needy-pension-premiums-paid,2,social-security,returns,primary,540121,2026-06,,,,percent";
    assert!(text(&files.csv).contains(row));
    let complement = document
        .commitments
        .iter()
        .filter(|entry| entry.id == small.id && entry.area.starts_with("5401") && entry.suppressed)
        .count();
    assert_eq!(complement, 2, "the smallest other county goes with it");
}
