//! The report of a small province: the same bytes twice, and the files as they were agreed on.

use std::path::{Path, PathBuf};

use calamine::{Reader, Xlsx, open_workbook};

use super::{Files, Lang, Options, Report, fixture, write};
use crate::catalogue::Catalogue;
use crate::model::{AttainmentDocument, Notice, Resync, ResyncReason, Run, SourceRun, StatisticRow, Status};

fn written() -> (tempfile::TempDir, Files) {
    written_with(&Options { lang: Lang::Zh, ..Options::default() })
}

fn written_with(options: &Options) -> (tempfile::TempDir, Files) {
    let dir = tempfile::tempdir().expect("a directory");
    let files = write_run(dir.path(), &fixture::run(), options);
    (dir, files)
}

/// Writes the small province's report of a run.
fn write_run(dir: &Path, run: &Run, options: &Options) -> Files {
    let (document, commitments, areas, rows) =
        (fixture::document(), fixture::commitments(), fixture::areas(), fixture::rows());
    let report = Report {
        document: &document,
        commitments: &commitments,
        catalogue: Catalogue::shipped(),
        areas: &areas,
        rows: &rows,
        run,
    };
    write(dir, &report, options).expect("a report").0
}

/// The bytes of the files for machines, and of the workbook.
fn without_the_page(files: &Files) -> [Vec<u8>; 4] {
    [&files.json, &files.csv, &files.parquet, &files.xlsx].map(|file| std::fs::read(file).expect("written"))
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
        (&first.sdmx_csv, &second.sdmx_csv),
        (&first.sdmx_json, &second.sdmx_json),
        (&first.completeness, &second.completeness),
        (&first.quality, &second.quality),
        (&first.marks, &second.marks),
        (&first.dictionary, &second.dictionary),
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
            "来源 Sources",
            "口径 Definitions",
            "完整性 Completeness",
            "异常 Marks",
            "图表 Charts"
        ]
    );
    let sheet = book.worksheet_range("分条 By article").expect("a sheet");
    assert_eq!(sheet.height(), fixture::commitments().len() + 1);
    let commitments = fixture::commitments();
    let measures: usize = commitments.iter().map(|commitment| 1 + commitment.secondary.len()).sum();
    assert_eq!(book.worksheet_range("口径 Definitions").expect("a sheet").height(), measures + 1);
    let titles = book.defined_names().iter().filter(|(name, _)| name.contains("Print_Titles")).count();
    assert_eq!(titles, book.sheet_names().len() - 1, "the heads stand on every printed page but the charts'");
    // Names of parts stand in the archive as they are.
    let bytes = std::fs::read(&files.xlsx).expect("a workbook");
    let holds = |part: &str| bytes.windows(part.len()).any(|window| window == part.as_bytes());
    assert!(
        holds("xl/charts/chart1.xml") && holds("xl/charts/chart2.xml"),
        "the scoreboard's chart and those of figures"
    );
}

#[test]
fn a_notice_stands_in_every_form_that_people_read() {
    let notice = Notice { zh: "合成数据，并非真实".into(), en: "Invented \"records\" & nothing else".into() };
    let options = Options { notice: Some(notice.clone()), ..Options::default() };
    let (_dir, files) = written_with(&options);
    let document: AttainmentDocument = serde_json::from_str(&text(&files.json)).expect("a document");
    assert_eq!(document.notice.as_ref(), Some(&notice));
    let page = text(&files.html);
    assert!(page.contains(r#"<p class="notice" role="note"><span class="zh" lang="zh">合成数据，并非真实"#));
    assert!(
        page.contains(r#"content: "合成数据，并非真实 · Invented records  nothing else""#),
        "printed on every page"
    );
    for (lang, words) in [(Lang::Zh, &notice.zh), (Lang::En, &notice.en)] {
        assert!(super::terminal::scoreboard(&document, &Run::new(), lang, 100).contains(&format!("! {words}")));
    }
    let mut book: Xlsx<_> = open_workbook(&files.xlsx).expect("a workbook");
    let sheet = book.worksheet_range("总览 Scoreboard").expect("a sheet");
    let said = sheet.get_value((3, 0)).map(ToString::to_string);
    assert_eq!(said.as_deref(), Some("合成数据，并非真实 Invented \"records\" & nothing else"));
    let (_dir, files) = written();
    assert!(!text(&files.html).contains("class=\"notice\"") && !text(&files.json).contains("notice"));
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
fn the_fields_of_an_entry_begin_with_those_agreed_in_their_order() {
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
    assert_eq!(keys(entry).get(..agreed.len()).expect("as many"), agreed);
    let source = json.lines().find(|line| line.starts_with("{\"service\"")).expect("a source");
    assert_eq!(keys(source).get(..3).expect("as many"), ["service", "position", "recorded_until"]);
    let places: Vec<_> = ["on", "as_of", "catalogue", "sources", "commitments"]
        .iter()
        .map(|key| json.find(&format!("\"{key}\":")).expect("a key"))
        .collect();
    assert!(places.is_sorted() && places[0] == 1, "{places:?}");
}

/// The keys of an object that is written on one line, in their order; those of objects inside it left out.
fn keys(line: &str) -> Vec<String> {
    let (mut keys, mut depth, mut in_text, mut word) = (Vec::new(), 0, false, String::new());
    for letter in line.chars() {
        match (letter, in_text) {
            ('"', _) => in_text = !in_text,
            (_, true) => word.push(letter),
            ('{' | '[', _) => depth += 1,
            ('}' | ']', _) => depth -= 1,
            (':', _) if depth == 1 => keys.push(std::mem::take(&mut word)),
            _ => {}
        }
        if matches!((letter, in_text), ('"', true)) {
            word.clear();
        }
    }
    keys
}

#[test]
fn every_key_of_an_entry_is_explained() {
    let (_dir, files) = written();
    let explained = include_str!("../../../docs/ATTAINMENT.md");
    let document: serde_json::Value = serde_json::from_str(&text(&files.json)).expect("a document");
    let mut missing = std::collections::BTreeSet::new();
    let mut look = |value: &serde_json::Value| {
        for key in value.as_object().into_iter().flatten().map(|(key, _)| key) {
            if !explained.contains(&format!("`{key}`")) {
                missing.insert(key.clone());
            }
        }
    };
    look(&document);
    for source in document["sources"].as_array().expect("sources") {
        look(source);
    }
    for entry in document["commitments"].as_array().expect("entries") {
        [entry, &entry["forecast"], &entry["forecast"]["back_test"], &entry["baseline"], &entry["completeness"]]
            .into_iter()
            .for_each(&mut look);
    }
    assert!(missing.is_empty(), "not in docs/ATTAINMENT.md: {missing:?}");
}

#[test]
fn a_whole_number_is_written_without_a_fraction_wherever_it_stands() {
    let (_dir, files) = written();
    let json = text(&files.json);
    assert!(json.contains("\"baseline\":{\"value\":52,"), "a declared baseline");
    let bare = |end: &str| json.find(end).map(|at| json[at.saturating_sub(60)..at + 2].to_owned());
    assert_eq!([".0,", ".0}"].map(bare), [None, None]);
}

#[test]
fn the_csv_and_the_parquet_file_hold_the_same_history() {
    use polars::prelude::{AnyValue, ParquetReader, SerReader};
    let (_dir, files) = written();
    let mut csv = csv::Reader::from_path(&files.csv).expect("a file");
    let frame = ParquetReader::new(std::fs::File::open(&files.parquet).expect("a file")).finish().expect("a frame");
    let heads: Vec<&str> = frame.get_column_names().iter().map(|name| name.as_str()).collect();
    assert_eq!(csv.headers().expect("heads").iter().collect::<Vec<_>>(), heads);
    let lines: Vec<csv::StringRecord> = csv.records().collect::<Result<_, _>>().expect("lines");
    assert_eq!(lines.len(), frame.height());
    for (place, head) in heads.iter().enumerate() {
        let column = frame.column(head).expect("a column");
        for (row, line) in lines.iter().enumerate() {
            let in_csv = line.get(place).expect("a field");
            let in_parquet = match column.get(row).expect("a value") {
                AnyValue::Null => String::new(),
                AnyValue::String(text) => text.to_owned(),
                AnyValue::Int32(number) => number.to_string(),
                AnyValue::Float64(number) => crate::model::wire::number_text(number),
                day @ AnyValue::Date(_) => day.to_string().chars().take(7).collect(),
                other => panic!("{head} holds {other:?}"),
            };
            assert_eq!(in_csv, in_parquet, "{head} of line {}", row + 2);
        }
    }
    let months: Vec<_> = lines.iter().filter_map(|line| line.get(6)).collect();
    assert!(months.contains(&"2026-06"), "months as YYYY-MM");
}

#[test]
fn records_that_were_read_again_are_named_on_page_and_terminal_and_what_that_means_for_earlier_moments() {
    let (_dir, usual) = written();
    for (days, differs) in [(-1, false), (1, true)] {
        let dir = tempfile::tempdir().expect("a directory");
        let document = fixture::document();
        let at = document.as_of + chrono::TimeDelta::days(days);
        let resynced = Some(Resync { at, why: ResyncReason::JournalReplaced });
        let run: Run = [("education".to_owned(), SourceRun { resynced, ..SourceRun::default() })].into();
        let files = write_run(dir.path(), &run, &Options::default());
        assert!(without_the_page(&files) == without_the_page(&usual), "what became of a service is no finding");
        let scoreboard = super::terminal::scoreboard(&document, &run, Lang::En, 200);
        for form in [&text(&files.html), &scoreboard] {
            assert!(form.contains("its journal was restored or recreated"), "{form}");
            assert_eq!(form.contains("made before may differ"), differs, "{form}");
        }
    }
}

#[test]
fn a_run_that_asked_nobody_says_so_on_page_and_terminal_and_writes_the_same_figures() {
    let dir = tempfile::tempdir().expect("a directory");
    let not_asked = || SourceRun { not_asked: true, ..SourceRun::default() };
    let run: Run = fixture::run().into_keys().map(|service| (service, not_asked())).collect();
    let files = write_run(dir.path(), &run, &Options::default());
    let page = text(&files.html);
    for (words, times) in
        [("未询问（离线运行）", 4), ("not asked (run without services)", 4), ("已连通", 0), (">reached<", 0)]
    {
        assert_eq!(page.matches(words).count(), times, "{words}");
    }
    assert!(page.contains("没有询问任何部门") && page.contains("This run asked no department"));
    for (lang, words) in [(Lang::Zh, "本次未询问"), (Lang::En, "not asked")] {
        assert_eq!(super::terminal::scoreboard(&fixture::document(), &run, lang, 100).matches(words).count(), 4);
    }
    let (_dir, asked) = written();
    assert!(without_the_page(&files) == without_the_page(&asked), "whoever is asked, the figures are the same");
    assert!(!text(&asked.html).contains("未询问"));
    assert_eq!(text(&asked.html).matches(">reached<").count(), 3, "three answered, one did not");
}

/// Figures of persons that stand nowhere else: primes, each once.
fn telling_rows() -> Vec<StatisticRow> {
    let figures = [
        ("540102", 4_561.0, 7_919.0),
        ("540121", 2_003.0, 3_001.0),
        ("540122", 40.0, 43.0),
        ("540202", 4.0, 8.0),
        ("540402", 5_653.0, 9_173.0),
    ];
    let mut sums: std::collections::BTreeMap<String, (f64, f64)> = std::collections::BTreeMap::new();
    for (county, part, whole) in figures {
        for area in [county.to_owned(), format!("{}00", &county[..4]), "540000".to_owned()] {
            let sum = sums.entry(area).or_default();
            *sum = (sum.0 + part, sum.1 + whole);
        }
    }
    let row = |(area, (part, whole)): (String, (f64, f64))| StatisticRow {
        commitment: "hpv-vaccination".into(),
        measure: crate::model::PRIMARY_MEASURE.into(),
        area,
        month: "2026-06-01".parse().expect("a day"),
        numerator: Some(part),
        denominator: Some(whole),
        value: Some(part / whole * 100.0),
        possible: None,
    };
    sums.into_iter().map(row).collect()
}

#[test]
fn no_figure_that_is_withheld_is_in_any_file() {
    use polars::prelude::{ParquetReader, SerReader};
    let mut commitments = fixture::commitments();
    commitments.retain(|commitment| commitment.id == "hpv-vaccination");
    commitments[0].person_based = true;
    let (areas, mut rows) = (fixture::areas(), telling_rows());
    let earlier: Vec<_> =
        rows.iter().map(|row| StatisticRow { month: "2025-06-01".parse().expect("a day"), ..row.clone() }).collect();
    rows.extend(earlier);
    let document = fixture::assessed(&commitments, &areas, &rows);
    let run = Run::new();
    let report = Report {
        document: &document,
        commitments: &commitments,
        catalogue: Catalogue::shipped(),
        areas: &areas,
        rows: &rows,
        run: &run,
    };
    let dir = tempfile::tempdir().expect("a directory");
    let (files, _) = write(dir.path(), &report, &Options::default()).expect("a report");

    // 540202 is small, and what 540122 lacks; with them go the smaller neighbours, of counties and of prefectures.
    let withheld = ["540121", "540122", "540200", "540202", "540400", "540402"];
    let found: AttainmentDocument = serde_json::from_str(&text(&files.json)).expect("a document");
    for entry in &found.commitments {
        let hidden = withheld.contains(&entry.area.as_str());
        assert_eq!((entry.suppressed, entry.value.is_none()), (hidden, hidden), "{}", entry.area);
        assert!(!hidden || (entry.numerator.is_none() && entry.denominator.is_none() && entry.pace.is_none()));
        assert!(!hidden || (entry.change_12_months.is_none() && entry.baseline.is_none() && entry.forecast.is_none()));
    }
    let frame = ParquetReader::new(std::fs::File::open(&files.parquet).expect("a file")).finish().expect("a frame");
    let mut csv = csv::Reader::from_path(&files.csv).expect("a file");
    for (at, line) in csv.records().map(|line| line.expect("a line")).enumerate() {
        let hidden = withheld.contains(&&line[5]);
        for (place, head) in [(7, "numerator"), (8, "denominator"), (9, "value")] {
            assert_eq!(line[place].is_empty(), hidden, "{line:?}");
            assert_eq!(frame.column(head).expect("a column").get(at).expect("a value").is_null(), hidden, "{line:?}");
        }
    }
    for line in csv::Reader::from_path(&files.sdmx_csv).expect("a file").records().map(|line| line.expect("a line")) {
        let hidden = withheld.contains(&&line[5]);
        assert_eq!((line[7].is_empty(), &line[8]), (hidden, if hidden { "Q" } else { "A" }), "{line:?}");
    }
    let figures: Vec<f64> = rows
        .iter()
        .filter(|row| withheld.contains(&row.area.as_str()))
        .flat_map(|row| [row.numerator, row.denominator, row.value])
        .flatten()
        .collect();
    let mut book: Xlsx<_> = open_workbook(&files.xlsx).expect("a workbook");
    for (name, sheet) in book.worksheets() {
        // Small numbers occur as articles, counts of commitments and ages; the columns of figures hold none of them.
        for (row, cells) in sheet.rows().enumerate().skip(1) {
            for number in cells.iter().filter_map(calamine::DataType::get_float).filter(|number| *number > 100.0) {
                assert!(!figures.iter().any(|figure| (figure - number).abs() < 1e-6), "{number} in {name}, row {row}");
            }
            let area = cells.iter().find_map(|cell| withheld.iter().find(|code| cell == *code));
            let figures = match (name.as_str(), area) {
                ("分地市 By prefecture", Some(_)) => &cells[9..14],
                ("分县区 By county", Some(_)) => &cells[6..11],
                ("历史 History", Some(area)) => panic!("{area} is in the history"),
                _ => continue,
            };
            let numbers: Vec<_> = figures.iter().filter_map(calamine::DataType::get_float).collect();
            assert_eq!(numbers, [100.0], "the target alone, in {name}, row {row}");
        }
    }
    for file in [&files.sdmx_json, &files.marks, &files.quality] {
        for figure in figures.iter().filter(|figure| **figure > 100.0) {
            let told = crate::model::wire::number_text(*figure);
            assert!(!text(file).contains(&told), "{told} is in {}", file.display());
        }
    }
    let page = text(&files.html);
    for figure in figures.iter().filter(|figure| **figure > 100.0) {
        assert!(!page.contains(&super::format::number(*figure, 0)), "{figure} is on the page");
    }
    assert!(page.contains("6,604 / 10,963"), "what is not withheld is there");
    for figure in ["4 / 8", ">50%<", "40 / 43", ">93%<"] {
        assert!(!page.contains(figure), "{figure} is on the page");
    }
}

/// Python with the reader of SDMX that statistical offices use.
const SDMX_READER: crate::testing::PythonWith =
    crate::testing::PythonWith { name: "sdmx-venv", packages: &["sdmx1"], imports: "import sdmx" };

#[test]
fn what_is_written_as_sdmx_is_read_by_the_usual_reader_and_both_forms_say_the_same() {
    let Some(python) = SDMX_READER.python() else { return };
    let (_dir, files) = written();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_sdmx.py");
    let output = std::process::Command::new(python).arg(script).args([&files.sdmx_csv, &files.sdmx_json]).output();
    let output = output.expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(said["csv"], said["json"]);
    let observations = said["csv"].as_array().expect("a list");
    assert_eq!(observations.len(), fixture::rows().len());
    let value = |key: [&str; 4]| {
        let found = observations.iter().find(|one| (0..4).all(|place| one[place] == key[place]));
        found.unwrap_or_else(|| panic!("{key:?} is not there"))[4].clone()
    };
    for row in fixture::rows().iter().filter(|row| row.value.is_some()).take(50) {
        let month = super::format::month(row.month);
        let written = row.value.map(crate::model::wire::settle);
        assert_eq!(value([&row.commitment, &row.measure, &row.area, &month]).as_f64(), written, "{row:?}");
    }
}

/// The keys of a JSON value down to its leaves, lists as `[]`.
fn paths(value: &serde_json::Value, at: &str, found: &mut std::collections::BTreeSet<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, inner) in fields {
                let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                paths(inner, &path, found);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| paths(item, &format!("{at}[]"), found)),
        _ => {
            found.insert(at.to_owned());
        }
    }
}

#[test]
fn every_column_of_every_file_is_in_the_dictionary_and_none_is_left_over() {
    use std::collections::{BTreeMap, BTreeSet};

    use polars::prelude::{ParquetReader, SerReader};

    let notice = Notice { zh: "合成数据".into(), en: "Invented".into() };
    let (dir, files) = written_with(&Options { notice: Some(notice), ..Options::default() });
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in csv::Reader::from_path(&files.dictionary).expect("a file").records().map(|line| line.expect("a line")) {
        assert!(line.iter().all(|field| !field.is_empty()), "{line:?}");
        told.entry(line[0].to_owned()).or_default().insert(line[1].to_owned());
    }
    let mut there: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in std::fs::read_dir(dir.path()).expect("a directory").map(|entry| entry.expect("an entry")) {
        let (name, path) = (entry.file_name().into_string().expect("UTF-8"), entry.path());
        let is = |kind: &str| path.extension().is_some_and(|extension| extension == kind);
        let columns: BTreeSet<String> = if is("csv") {
            let mut csv = csv::Reader::from_path(&path).expect("a file");
            csv.headers().expect("heads").iter().map(str::to_owned).collect()
        } else if is("parquet") {
            let frame = ParquetReader::new(std::fs::File::open(&path).expect("a file")).finish().expect("a frame");
            frame.get_column_names().iter().map(ToString::to_string).collect()
        } else if name == "attainment.sdmx.json" {
            let message: serde_json::Value = serde_json::from_str(&text(&path)).expect("a message");
            let structure = &message["data"]["structures"][0];
            let parts =
                ["dimensions", "measures", "attributes"].map(|part| structure[part].as_object().expect("parts"));
            let components =
                parts.into_iter().flat_map(|part| part.values()).flat_map(|list| list.as_array().expect("a list"));
            components.map(|component| component["id"].as_str().expect("an id").to_owned()).collect()
        } else if is("json") {
            let mut found = BTreeSet::new();
            paths(&serde_json::from_str(&text(&path)).expect("JSON"), "", &mut found);
            // An object that is absent here stands as null; its keys are told where it is there.
            found.retain(|path| {
                ![
                    "commitments[].forecast",
                    "commitments[].forecast.back_test",
                    "commitments[].baseline",
                    "commitments[].completeness",
                    "commitments[].parts",
                ]
                .contains(&path.as_str())
            });
            found
        } else {
            continue;
        };
        there.insert(name, columns);
    }
    // No source of the small province is incomplete, and only then does it say so.
    told.get_mut("attainment.json").expect("told").remove("sources[].incomplete");
    assert_eq!(there, told);
}
