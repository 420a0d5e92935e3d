//! A file goes into a register through the command line as an operator uses it: dry run, all or nothing, the good
//! rows only, and again without effect.

use std::{
    fmt::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};
use minsheng::site;

use crate::support::{self, Process, endpoints, environment, free_port, minsheng};

const FILE: &str = "\u{feff}编号,名称,区划代码,类型,运营主体,服务层级,capacity,opened on\n\
p1,甲助餐点,540102,老年助餐点,政府,县级,30,2025-09-01\n\
p2,乙助餐点,549999,老年助餐点,政府,县级,30,2025-09-01\n\
p3,丙助餐点,540102,饭店,政府,县级,many,2025-02-30\n\
p4,丁托育园,540103,NURSERY,PRIVATE,county,25,2025/9/1\n";

#[test]
fn bad_rows_are_named_by_line_and_column_and_good_rows_go_in_once_or_none_do() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    std::fs::write(path.join("points.csv"), FILE).expect("written");
    let import = |extra: &[&str]| {
        let base = ["import", "service-points", "points.csv", "--data", "data", "--new"];
        minsheng(path, &[&base[..], extra].concat())
    };

    let (code, out, refused) = import(&["--dry-run", "--lang", "zh"]);
    assert_eq!(code, 3, "{refused}");
    assert!(out.contains("可载入 2 条，0 条此前已有，2 行有误"), "{out}");
    for expected in ["第 3 行，“区划代码”", "第 4 行，“类型”", "第 4 行，“capacity”", "第 4 行，“opened on”"]
    {
        assert!(refused.contains(expected), "{expected} is not in {refused}");
    }

    let (code, out, _) = import(&["--all-or-nothing", "--lang", "en"]);
    assert_eq!(code, 3);
    assert!(out.contains("none was loaded"), "{out}");

    for there in [0, 2] {
        let (code, out, _) = import(&["--lang", "en"]);
        assert_eq!(code, 3);
        assert!(out.contains(&format!("2 records of this file are in the register ({there} were there")), "{out}");
    }
    let (_, out, _) = import(&["--dry-run", "--lang", "en"]);
    assert!(out.contains("0 could be loaded, 2 are there already, 2 rows are wrong"), "{out}");
    let (code, out, problems) = minsheng(path, &["verify", "--data", "data", "--lang", "en"]);
    assert_eq!(code, 0, "{problems}");
    let counted = out.lines().find(|line| line.contains("service_points")).expect("counted");
    assert!(counted.contains(" 2 records"), "{counted}");

    // A record that is in the lake and no longer in its register.
    let url = path.join("data/community.db").display().to_string();
    let mut register = SqliteConnection::establish(&url).expect("opens");
    let gone = "DELETE FROM service_points WHERE id = (SELECT min(id) FROM service_points)";
    assert_eq!(diesel::sql_query(gone).execute(&mut register).expect("deleted"), 1);
    drop(register);
    let (code, out, problems) = minsheng(path, &["verify", "--data", "data", "--lang", "en"]);
    assert_eq!(code, 1, "{problems}");
    assert!(out.contains("1 in the register, 2 in the lake: they differ by 1"), "{out}");
    assert!(out.contains("registers and lake differ by 1"), "{out}");
}

#[test]
fn a_template_comes_in_both_forms_and_a_wrong_register_or_column_fails() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    for file in ["schools.csv", "schools.xlsx"] {
        let (code, _, error) = minsheng(path, &["import", "学校", file, "--template", "--lang", "zh"]);
        assert_eq!(code, 0, "{error}");
        let written = std::fs::read(path.join(file)).expect("written");
        let (code, _, error) = minsheng(path, &["import", "学校", file, "--template", "--lang", "zh"]);
        assert_eq!(code, 1);
        assert!(error.contains("模板不覆盖任何文件"), "{error}");
        assert_eq!(written, std::fs::read(path.join(file)).expect("kept"));
    }
    let (code, _, error) = minsheng(path, &["import", "churches", "x.csv", "--lang", "en"]);
    assert_eq!(code, 1);
    assert!(error.contains("there is no register churches"), "{error}");
    std::fs::write(path.join("bad.csv"), "编号,颜色\n1,red\n").expect("written");
    let (code, _, error) = minsheng(path, &["import", "schools", "bad.csv", "--data", "data", "--lang", "zh"]);
    assert_eq!(code, 1);
    assert!(error.contains("颜色"), "{error}");
    let (code, _, _) = minsheng(path, &["serve", "church"]);
    assert_eq!(code, 2);
    let (code, _, error) = minsheng(path, &["serve", "health"]);
    assert_eq!(code, 64, "{error}");
}

/// Imports a text into a register of the data directory, which is made where there is none, in English.
fn import(directory: &Path, register: &str, text: &str, extra: &[&str]) -> (i32, String, String) {
    let file = format!("{register}.csv");
    std::fs::write(directory.join(&file), text).expect("written");
    let base = ["--lang", "en", "import", register, &file, "--data", "data", "--new"];
    minsheng(directory, &[&base[..], extra].concat())
}

#[test]
fn a_row_that_was_refused_is_recorded_once_its_cause_is_gone() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let funding = "学校编号,区划代码,经费类别,年份,学期,学生数,拨付金额(分),拨付日期\nschools/s1,540102,普通高中公用经费,2025,秋季学期,100,5500000,2025-09-10\n";
    let (code, out, refused) = import(path, "funding_records", funding, &[]);
    assert_eq!(code, 3, "{out}{refused}");
    let school = "编号,学校名称,区划代码,学段,学位数,在校生数,类区,开办日期\ns1,甲中学,540102,普通高中,200,100,二类区,2010-09-01\n";
    let (code, out, problems) = import(path, "schools", school, &[]);
    assert_eq!(code, 0, "{out}{problems}");
    let (code, out, problems) = import(path, "funding_records", funding, &[]);
    assert_eq!(code, 0, "{problems}");
    assert!(out.contains("1 records of this file are in the register (0 were there"), "{out}");
}

#[test]
fn a_corrected_file_adds_what_was_wrong_and_repeats_no_row_without_a_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let file = |area: &str, capacity: &str| {
        format!(
            "名称,区划代码,类型,运营主体,服务层级,capacity,opened on\n甲助餐点,540102,老年助餐点,政府,县级,{capacity},2025-09-01\n乙助餐点,{area},老年助餐点,政府,县级,30,2025-09-01\n"
        )
    };
    let (code, out, _) = import(path, "service_points", &file("549999", "30"), &[]);
    assert_eq!(code, 3);
    assert!(out.contains("1 records of this file are in the register (0 were there"), "{out}");
    let (code, out, problems) = import(path, "service_points", &file("540103", "30"), &[]);
    assert_eq!(code, 0, "{problems}");
    assert!(out.contains("2 records of this file are in the register (1 were there"), "{out}");
    // A correction of a row that is there makes no twin of it; it is told which record that is.
    let (code, out, refused) = import(path, "service_points", &file("540103", "31"), &[]);
    assert_eq!(code, 3);
    assert!(out.contains("1 records of this file are in the register (1 were there"), "{out}");
    assert!(refused.contains("line 2") && refused.contains("(told by 区划代码, 类型, 名称)"), "{refused}");
    let (code, out, problems) = minsheng(path, &["verify", "--data", "data", "--lang", "en"]);
    assert_eq!(code, 0, "{problems}");
    let counted = out.lines().find(|line| line.contains("service_points")).expect("counted");
    assert!(counted.contains(" 2 records"), "{counted}");
}

#[test]
fn an_unquoted_thousand_and_a_cell_without_a_value_lose_no_row_unsaid() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = "名称,区划代码,类型,运营主体,服务层级,opened on,capacity\n甲,540102,老年助餐点,政府,县级,2025-09-01,1,200\n#N/A,540102,老年助餐点,政府,县级,2025-09-01,30\n";
    let (code, out, refused) = import(directory.path(), "service_points", text, &[]);
    assert_eq!(code, 3);
    assert!(out.contains("0 records") && out.contains("2 rows were refused"), "{out}");
    assert!(refused.contains("line 2: cell 8, \"200\"") && refused.contains("line 3, \"名称\""), "{refused}");
}

#[test]
fn more_refusals_than_a_screen_takes_are_in_a_file_beside_the_imported_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut text = "名称,类型\n".to_owned();
    for number in 0..250 {
        writeln!(text, "点{number},饭店").expect("a string");
    }
    let (code, out, refused) = import(directory.path(), "service_points", &text, &[]);
    assert_eq!(code, 3);
    assert!(out.contains("250 rows were refused"), "{out}");
    assert!(refused.contains("all 250 with their rows are in service_points.csv.refused.csv"), "{refused}");
    let all = std::fs::read_to_string(directory.path().join("service_points.csv.refused.csv")).expect("written");
    assert_eq!(all.lines().count(), 251);
    assert!(all.contains("\n251,类型,\"应为以下之一") && all.ends_with(",点249,饭店\n"));
}

#[test]
fn a_first_import_without_services_says_what_to_do() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    std::fs::write(path.join("a.csv"), FILE).expect("written");
    for command in [&["import", "service_points", "a.csv"][..], &["report"], &["verify"]] {
        let (code, _, error) = minsheng(path, &[command, &["--lang", "zh"]].concat());
        assert_eq!(code, 1);
        assert!(error.contains("--data minsheng-data") && error.contains("MINSHENG_PKI_DIR"), "{command:?}: {error}");
    }
    let (code, _, error) = minsheng(path, &["import", "service_points", "a.csv", "--lang", "fr"]);
    assert_eq!(code, 2);
    assert!(error.contains("fr"), "{error}");
}

/// Rows of a file that takes several units of work.
const MANY: u64 = 12_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_of_all_or_nothing_that_was_killed_is_completed_by_running_it_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    site::issue_certificates(&path.join("pki"), &["health", "operator"].map(str::to_owned)).expect("certificates");
    let port = free_port();
    let database = format!("sqlite:{}", path.join("health.db").display());
    let variables = environment(path, &database, port);
    let endpoints = endpoints(path, "health", port);
    let mut process = Process::start("health", &variables);
    process.serving(&endpoints).await;

    let mut text = "机构名称,区划代码,机构类别,公立,开业日期\n".to_owned();
    for number in 0..MANY {
        writeln!(text, "卫生院{number},540102,乡镇卫生院,是,2020-01-01").expect("a string");
    }
    std::fs::write(path.join("i.csv"), text).expect("written");
    let import = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_minsheng"));
        command
            .args(["--lang", "en", "import", "institutions", "i.csv", "--all-or-nothing"])
            .current_dir(path)
            .env("MINSHENG_PKI_DIR", path.join("pki"))
            .env("MINSHENG_UPSTREAM_HEALTH", format!("https://localhost:{port}"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    };
    let count = async || support::count(&endpoints, "health", "institutions").await;
    let running = import().spawn().expect("the command starts");
    // Killed as soon as something is there.
    while count().await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    process.kill();
    let ended = running.wait_with_output().expect("it ends");
    let (out, problems) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert_eq!(ended.status.code(), Some(1), "{out}{problems}");
    assert!(out.contains("Cut short") && out.contains("running again completes it"), "{out}{problems}");

    let mut process = Process::start("health", &variables);
    process.serving(&endpoints).await;
    let there = count().await;
    assert!(there > 0 && there < MANY, "{there}: nothing was cut");
    assert!(there.is_multiple_of(2000), "{there}: a unit of work is all or none");
    let again = import().output().expect("the command runs");
    let out = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success(), "{out}{}", String::from_utf8_lossy(&again.stderr));
    assert!(out.contains(&format!("{MANY} records of this file are in the register ({there} were there")), "{out}");
    assert_eq!(count().await, MANY);
}
