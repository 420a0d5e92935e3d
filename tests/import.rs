//! A file goes into a register through the command line as an operator uses it: dry run, all or nothing, the good
//! rows only, and again without effect.

use std::{
    path::Path,
    process::{Command, Output},
};

const FILE: &str = "\u{feff}编号,名称,区划代码,类型,运营主体,服务层级,capacity,opened on\n\
p1,甲助餐点,540102,老年助餐点,政府,县级,30,2025-09-01\n\
p2,乙助餐点,549999,老年助餐点,政府,县级,30,2025-09-01\n\
p3,丙助餐点,540102,饭店,政府,县级,many,2025-02-30\n\
p4,丁托育园,540103,NURSERY,PRIVATE,county,25,2025/9/1\n";

fn minsheng(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_minsheng"))
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("the command runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (status.code().expect("an exit code"), text(stdout), text(stderr))
}

#[test]
fn bad_rows_are_named_by_line_and_column_and_good_rows_go_in_once_or_none_do() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    std::fs::write(path.join("points.csv"), FILE).expect("written");
    let import = |extra: &[&str]| {
        let base = ["import", "service-points", "points.csv", "--data", "data"];
        minsheng(path, &[&base[..], extra].concat())
    };

    let (code, out, refused) = import(&["--dry-run", "--lang", "zh"]);
    assert_eq!(code, 3, "{refused}");
    assert!(out.contains("可载入 2 条,2 行有误"), "{out}");
    for expected in ["第 3 行,“区划代码”", "第 4 行,“类型”", "第 4 行,“capacity”", "第 4 行,“opened on”"]
    {
        assert!(refused.contains(expected), "{expected} is not in {refused}");
    }

    let (code, out, _) = import(&["--all-or-nothing", "--lang", "en"]);
    assert_eq!(code, 3);
    assert!(out.contains("none was loaded"), "{out}");

    for _ in 0..2 {
        let (code, out, _) = import(&["--lang", "en"]);
        assert_eq!(code, 3);
        assert!(out.contains("2 records of this file are in the register"), "{out}");
    }
    let (code, out, problems) = minsheng(path, &["verify", "--data", "data", "--lang", "en"]);
    assert_eq!(code, 0, "{problems}");
    let counted = out.lines().find(|line| line.contains("service_points")).expect("counted");
    assert!(counted.contains(" 2 records"), "{counted}");
}

#[test]
fn a_template_comes_in_both_forms_and_a_wrong_register_or_column_fails() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    for file in ["schools.csv", "schools.xlsx"] {
        let (code, _, error) = minsheng(path, &["import", "学校", file, "--template", "--lang", "zh"]);
        assert_eq!(code, 0, "{error}");
        assert!(path.join(file).exists());
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
