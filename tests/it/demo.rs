//! The main job from an empty directory to the page, with few people: real services, real sockets, mutual TLS; and as
//! an operator starts it, by the command itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use minsheng::{
    commands::report::{Job, make},
    demo::{self, Loaded, province, public::Filing},
    lang::Lang,
    output::Progress,
    site::Site,
};
use minsheng_analytics::{
    catalogue::Catalogue,
    job::JobOutcome,
    lake::Lake,
    model::{PRIMARY_MEASURE, Status},
};
use minsheng_proto::{
    common::v1::{Confidence, Date, Parameter, SetParameterRequest, parameter_service_client::ParameterServiceClient},
    health::v1::{
        CountRecognisableItemsRequest, CreateRecognitionItemRequest, ItemCategory, ItemOrigin, RecognitionItem,
        question_service_client::QuestionServiceClient, recognition_item_service_client::RecognitionItemServiceClient,
    },
};

use crate::support;

/// People and cases, as a share of the demo's usual number.
const SCALE: f64 = 0.02;

async fn run(data: &Path, as_of: Option<DateTime<Utc>>) -> (Loaded, JobOutcome) {
    let site = Site::start(data).await.expect("the services start");
    let made = province::Province::new(1, SCALE);
    let loaded = demo::load_province(site.endpoints(), made, &Progress::hidden(), Lang::En).await.expect("loads");
    let job = Job { lake: data.join("lake"), out: data.join("report"), on: province::LAST_DAY, as_of };
    let outcome = make(&job, Some(site.endpoints()), Lang::En).await.expect("reports");
    site.stop().await.expect("the services stop");
    (loaded, outcome)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_province_goes_through_four_services_into_a_page_with_every_status_and_a_second_run_adds_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let (loaded, outcome) = run(directory.path(), None).await;
    assert_eq!(loaded.refused, 0, "{:?}", loaded.reasons);
    assert!(outcome.unreached.is_empty(), "{:?}", outcome.unreached);
    assert!(outcome.rows_read.values().sum::<u64>() > loaded.accepted);

    let statuses: BTreeSet<String> =
        outcome.document.region_entries().map(|entry| format!("{:?}", entry.status)).collect();
    for status in Status::ALL {
        assert!(statuses.contains(&format!("{status:?}")), "no commitment of the region is {status:?}: {statuses:?}");
    }
    // What is counted over two registers finds the records of the one in the other.
    for id in ["senior-public-funds", "three-guarantees", "mutual-recognition-items", "elder-meal-points"] {
        let counted = outcome.document.region_entries().find(|entry| entry.id == id).expect("an entry");
        assert!(counted.value.is_some_and(|value| value > 50.0), "{id}: {counted:?}");
    }

    let first = std::fs::read(&outcome.files.json).expect("written");
    let (again, outcome) = run(directory.path(), Some(outcome.document.as_of)).await;
    assert_eq!(again, loaded, "the first answers are given again");
    assert_eq!(outcome.rows_read.values().sum::<u64>(), 0, "{:?}", outcome.rows_read);
    assert_eq!(first, std::fs::read(&outcome.files.json).expect("written"));

    // Who asks the department itself hears the numbers that stand in the report.
    let site = Site::start(directory.path()).await.expect("the services start");
    let before = told_by_both(&site, &outcome).await;
    assert!(before.len() >= 82, "the region, its prefectures and counties, not {}", before.len());
    assert!(before["540100"].listed > 0, "the region's list holds in a prefecture");

    // And so it is when an operator files another threshold, and a prefecture adds an item of its own.
    file_threshold(&site, "540000", 5).await;
    file_threshold(&site, "540100", 1).await;
    add_item(&site, "540100").await;
    let job = Job {
        lake: directory.path().join("lake"),
        out: directory.path().join("again"),
        on: province::LAST_DAY,
        as_of: None,
    };
    let outcome = make(&job, Some(site.endpoints()), Lang::En).await.expect("reports");
    assert!(outcome.unreached.is_empty(), "{:?}", outcome.unreached);
    // The region's threshold cuts the value that holds until then: that one is retracted and asserted for fewer days.
    assert_eq!(outcome.rows_read["health"], 3 + 1 + 1, "the region's threshold, a prefecture's and an item");
    let after = told_by_both(&site, &outcome).await;
    assert!(after["540200"].items < before["540200"].items, "{:?} {:?}", before["540200"], after["540200"]);
    assert!(after["540100"].items > before["540100"].items, "{:?} {:?}", before["540100"], after["540100"]);
    for (area, more) in [("540000", 1), ("540100", 1), ("540102", 1), ("540200", 0), ("540202", 0)] {
        assert_eq!(after[area].listed, before[area].listed + more, "{area}");
    }
    site.stop().await.expect("the services stop");
}

/// Items of mutual recognition in an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Items {
    items: i64,
    listed: i64,
}

/// Sees to it that report and department say the same of each area, and gives it.
async fn told_by_both(site: &Site, outcome: &JobOutcome) -> BTreeMap<String, Items> {
    let channel = site.endpoints().channel("community", "health").expect("a channel");
    let mut department = QuestionServiceClient::new(channel);
    let month = province::LAST_DAY.format("%Y-%m").to_string();
    let mut listed = BTreeMap::new();
    let mut history = csv::Reader::from_path(&outcome.files.csv).expect("written");
    let columns = history.headers().expect("read").clone();
    for row in history.records() {
        let row = row.expect("read");
        let of = |name: &str| &row[columns.iter().position(|column| column == name).expect("a column")];
        if (of("commitment"), of("measure"), of("month")) == ("mutual-recognition-items", "listed", month.as_str()) {
            listed.insert(of("area").to_owned(), of("value").to_owned());
        }
    }
    let mut told = BTreeMap::new();
    for entry in outcome.document.commitments.iter().filter(|entry| entry.id == "mutual-recognition-items") {
        let question = CountRecognisableItemsRequest { area: entry.area.clone(), on: date(province::LAST_DAY) };
        let answer = department.count_recognisable_items(question).await.expect("answered").into_inner();
        let counted = entry.value.map(|value| format!("{value}"));
        assert_eq!(counted.unwrap_or_else(|| "0".to_owned()), answer.items.to_string(), "{}", entry.area);
        let list = listed.get(&entry.area).cloned().unwrap_or_else(|| "none".to_owned());
        assert_eq!(list, answer.listed_items.to_string(), "the list of {}", entry.area);
        told.insert(entry.area.clone(), Items { items: answer.items, listed: answer.listed_items });
    }
    told
}

#[expect(clippy::unnecessary_wraps, reason = "the fields are Options")]
fn date(day: NaiveDate) -> Option<Date> {
    Some(Date { year: day.year(), month: day.month().cast_signed(), day: day.day().cast_signed() })
}

/// Files at how many institutions an item is recognisable in an area, from the first day of the last month on.
async fn file_threshold(site: &Site, area: &str, value: i64) {
    let channel = site.endpoints().channel("operator", "health").expect("a channel");
    let parameter = Parameter {
        key: "recognition.minimum_institutions".to_owned(),
        area: area.to_owned(),
        value,
        unit: "count".to_owned(),
        effective_from: date(province::LAST_DAY.with_day(1).expect("a day")),
        effective_to: None,
        source: "a test".to_owned(),
        confidence: Confidence::Low.into(),
    };
    let request = SetParameterRequest { request_id: uuid::Uuid::new_v4().to_string(), parameter: Some(parameter) };
    ParameterServiceClient::new(channel).set_parameter(request).await.expect("filed");
}

/// Adds an item to the list of one area.
async fn add_item(site: &Site, area: &str) {
    let channel = site.endpoints().channel("health", "health").expect("a channel");
    let item = RecognitionItem {
        area: area.to_owned(),
        code: "OWN-1".to_owned(),
        title: "自增项目".to_owned(),
        category: ItemCategory::Test.into(),
        edition: "2026".to_owned(),
        origin: ItemOrigin::Constructed.into(),
        active_from: date(province::LAST_DAY.with_day(1).expect("a day")),
        window_days: 7,
        ..RecognitionItem::default()
    };
    let request = CreateRecognitionItemRequest {
        request_id: uuid::Uuid::new_v4().to_string(),
        recognition_item: Some(item),
        effective_on: None,
    };
    RecognitionItemServiceClient::new(channel).create_recognition_item(request).await.expect("created");
}

fn minsheng(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command(directory, arguments).output().expect("the command runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (status.code().expect("an exit code"), text(stdout), text(stderr))
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minsheng"));
    command.args(arguments).current_dir(directory).env_remove("MINSHENG_PKI_DIR");
    command
}

const PUBLIC: [&str; 7] = ["--lang", "en", "demo", "--profile", "public", "--on", "2026-06-30"];
/// Where published figures are kept unless another directory is named.
const PUBLIC_DATA: &str = "minsheng-data-public";

#[test]
fn the_public_profile_files_published_figures_alone_adds_nothing_again_and_mixes_with_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let (code, out, problems) = minsheng(path, &PUBLIC);
    assert_eq!(code, 0, "{problems}");
    let figures = u64::try_from(demo::public::figures().expect("they read").len()).expect("a number");
    assert!(out.contains(&format!("{figures} records loaded through the RPCs")), "{out}");
    assert!(out.contains("Published figures only"), "{out}");

    let report = path.join(PUBLIC_DATA).join("report");
    let json = std::fs::read(report.join("attainment.json")).expect("written");
    let document: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    let region: Vec<_> = document["commitments"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|entry| entry["area"] == "540000" && entry["kind"] != "secondary")
        .collect();
    let unknown = region.iter().filter(|entry| entry["status"] == "not_assessable").count();
    assert!(region.len() >= 92 && 2 * unknown > region.len(), "{unknown} of {} are not assessable", region.len());
    let page = std::fs::read_to_string(report.join("report.html")).expect("written");
    assert!(page.contains("仅含已公布的数字") && page.contains("Published figures only"), "the page does not say so");

    every_published_figure_is_in(&report.join("attainment.csv"));

    // No record but filings, and of those as many as there are figures; the departments tell their parameters beside
    // them.
    let lake = Lake::open_read_only(&path.join(PUBLIC_DATA).join("lake")).expect("a lake");
    let datasets = lake.sources().keys().filter(|dataset| !dataset.ends_with(".parameters"));
    let (filed, others): (Vec<_>, Vec<_>) =
        datasets.partition(|dataset| dataset.ends_with(".returns") || dataset.ends_with(".milestones"));
    // Each is asserted as it was filed, and again as it was approved, after the first was retracted.
    assert_eq!(filed.iter().map(|dataset| lake.rows(dataset)).sum::<u64>(), 3 * figures);
    assert_eq!(others.iter().map(|dataset| lake.rows(dataset)).sum::<u64>(), 0, "{others:?}");

    let (code, out, problems) = minsheng(path, &PUBLIC);
    assert_eq!(code, 0, "{problems}");
    assert!(out.contains("Nothing was added"), "{out}");
    // The instant of the report is another, the verdicts are not.
    let json = std::fs::read(report.join("attainment.json")).expect("written");
    let again: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(again["commitments"], document["commitments"]);

    // An invented province goes into no directory of published figures, nor the other way round.
    let (code, _, problems) = minsheng(path, &["--lang", "zh", "demo", "--data", PUBLIC_DATA, "--scale", "0.01"]);
    assert_eq!(code, 1);
    assert!(problems.contains("二者不可混合"), "{problems}");
    assert_eq!(json, std::fs::read(report.join("attainment.json")).expect("written"));
}

/// Sees to it that the history has each figure in its own month, however long ago that is; of a milestone, that it is
/// done.
fn every_published_figure_is_in(history: &Path) {
    let mut known: BTreeMap<[String; 4], f64> = BTreeMap::new();
    let mut history = csv::Reader::from_path(history).expect("written");
    let columns = history.headers().expect("read").clone();
    for row in history.records() {
        let row = row.expect("read");
        let of = |name: &str| row[columns.iter().position(|column| column == name).expect("a column")].to_owned();
        if let Ok(value) = of("value").parse() {
            known.insert(["commitment", "measure", "area", "month"].map(of), value);
        }
    }
    let catalogue = Catalogue::embedded().expect("the catalogue is sound");
    for figure in demo::public::figures().expect("they read") {
        let (measure, value) = match demo::public::place(&figure, &catalogue).expect("a place") {
            (_, Filing::Return(filed)) if !filed.measure.is_empty() => (filed.measure, figure.value),
            (_, Filing::Return(_)) => (PRIMARY_MEASURE.to_owned(), figure.value),
            (_, Filing::Milestone(_)) => (PRIMARY_MEASURE.to_owned(), 1.0),
        };
        let month = figure.on.format("%Y-%m").to_string();
        let found = known.get(&[figure.commitment.clone(), measure, figure.area.clone(), month]);
        assert!(found.is_some_and(|found| (found - value).abs() < 1e-6), "{figure:?}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_keeps_serving_answers_calls_lets_other_commands_in_and_stops_in_order() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let mut demo = command(path, &[&PUBLIC[..], &["--serve"]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    let mut lines = BufReader::new(demo.stdout.take().expect("piped")).lines().map(|line| line.expect("UTF-8"));
    assert!(lines.any(|line| line.contains("grpcurl")), "no line to try");

    // Another process finds the services, calls one, and reports beside them.
    let data = path.join(PUBLIC_DATA);
    let site = Site::open(&data).await.expect("the services are found");
    assert!(support::count(site.endpoints(), "health", "returns").await > 0);
    site.stop().await.expect("leaves them alone");
    let report = ["--lang", "en", "report", "--data", PUBLIC_DATA, "--out", "beside"];
    let (code, out, problems) = minsheng(path, &report);
    assert_eq!(code, 0, "{out}{problems}");
    assert!(out.contains("Published figures only"), "{out}");
    // A second demo would be a second owner of the files.
    let (code, _, problems) = minsheng(path, &PUBLIC);
    assert_eq!(code, 1);
    assert!(problems.contains("another process is using"), "{problems}");

    let stopped = Command::new("kill").args(["-TERM", &demo.id().to_string()]).status().expect("kill runs");
    assert!(stopped.success());
    assert!(demo.wait().expect("it ends").success());
    assert_eq!(lines.last().as_deref(), Some("The services have stopped"));
    assert!(!data.join("services.json").exists(), "the addresses are left behind");
}

#[test]
fn an_invented_province_says_so_wherever_its_lake_lies_and_keeps_to_its_seed_and_scale() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let (code, out, problems) = minsheng(path, &["--lang", "en", "demo", "--data", "d", "--scale", "0.01"]);
    assert_eq!(code, 0, "{problems}");
    assert!(out.contains("all records are invented"), "{out}");
    let page = std::fs::read_to_string(path.join("d/report/report.html")).expect("written");
    assert!(page.contains("全部记录均为虚构"), "the page does not say so");
    a_lake_elsewhere_gives_the_same_bytes(path);
    for other in [["--scale", "0.02"], ["--seed", "2"]] {
        let arguments = [&["--lang", "en", "demo", "--data", "d"][..], &other].concat();
        let (code, _, problems) = minsheng(path, &arguments);
        assert_eq!(code, 1, "{other:?}");
        assert!(problems.contains("must not mix"), "{problems}");
    }
}

/// Makes the report of a demo's directory once more, from a lake that is filled outside of it.
fn a_lake_elsewhere_gives_the_same_bytes(path: &Path) {
    let json = |out: &str| std::fs::read(path.join(out).join("attainment.json")).expect("written");
    let first = json("d/report");
    let document: serde_json::Value = serde_json::from_slice(&first).expect("JSON");
    let (on, as_of) = (document["on"].as_str().expect("a day"), document["as_of"].as_str().expect("a moment"));
    let report = ["report", "--data", "d", "--lake", "elsewhere/lake", "--out", "again", "--on", on, "--as-of", as_of];
    let (code, out, problems) = minsheng(path, &[&["--lang", "en"][..], &report].concat());
    assert_eq!(code, 0, "{out}{problems}");
    assert!(out.contains("all records are invented"), "{out}");
    assert!(json("again") == first, "the lake's place changed the report");
}
