//! What an analyst asks of a lake, by the command itself: explain, diff and what-if, over published figures and imported
//! records, in both languages.

use std::path::Path;

use serde_json::Value;

use crate::support::minsheng;

/// Hospitals of a county, of which one is certified.
const FILE: &str = "编号,机构名称,区划代码,机构类别,公立,开业日期\n\
h1,甲医院,540102,综合医院,是,2020-01-01\n\
h2,乙医院,540102,综合医院,是,2020-01-01\n";

const COMMITMENT: &str = "age-friendly-institutions";

fn json(directory: &Path, words: &[&str]) -> Value {
    let (code, out, problems) = minsheng(directory, &[words, &["--lang", "en", "--json"]].concat());
    assert_eq!(code, 0, "{words:?}: {problems}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

fn text(directory: &Path, lang: &str, words: &[&str]) -> String {
    let (code, out, problems) = minsheng(directory, &[words, &["--lang", lang]].concat());
    assert_eq!(code, 0, "{words:?}: {problems}");
    out
}

#[test]
fn a_figure_is_explained_compared_and_asked_what_if_by_the_command() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    std::fs::write(path.join("institutions.csv"), FILE).expect("written");
    let import = ["import", "institutions", "institutions.csv", "--data", "data", "--new"];
    let (code, out, problems) = minsheng(path, &import);
    assert_eq!(code, 0, "{out}{problems}");
    let report = |out: &str, on: &str| {
        let (code, said, problems) = minsheng(path, &["report", "--data", "data", "--out", out, "--on", on]);
        assert_eq!(code, 0, "{said}{problems}");
    };
    report("first", "2025-12-31");
    report("second", "2026-01-31");

    let asked = ["explain", COMMITMENT, "--area", "540102", "--on", "2025-12-31", "--data", "data"];
    let told = json(path, &asked);
    assert_eq!((&told["entry"]["numerator"], &told["entry"]["denominator"]), (&0.into(), &2.into()), "{told}");
    assert_eq!((&told["records"]["shown"], &told["records"]["total"]), (&"named".into(), &2.into()));
    assert_eq!(told["sources"][0]["service"], "health");
    let said = text(path, "zh", &asked);
    for words in ["怎样统计", "只计入分母", "变更日志第", "从未报送"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let said = text(path, "en", &asked);
    assert!(said.contains("in the denominator only") && said.contains("clinics_count = 0"), "{said}");

    let compared = json(path, &["diff", "first", "second", "--data", "data"]);
    assert_eq!(compared["restatements"], Value::Array(vec![]));
    let news = compared["news"].as_array().expect("a list").iter();
    let january = news.filter(|change| change["commitment"] == COMMITMENT && change["month"] == "2026-01");
    assert!(january.count() >= 3, "county, prefecture, region: {compared}");
    let of_days = ["diff", "--from-on", "2025-12-31", "--on", "2026-01-31", "--data", "data"];
    assert_eq!(json(path, &of_days)["news"], compared["news"], "two days of the lake are two reports");
    assert!(text(path, "zh", &of_days).contains("新增（较晚日期带来的数字）"));
    let (code, _, problems) = minsheng(path, &["diff", "first", "nowhere", "--lang", "en"]);
    assert_eq!(code, 1);
    assert!(problems.contains("nowhere/attainment.json"), "{problems}");

    let asked = ["what-if", COMMITMENT, "--target", "0", "--on", "2025-12-31", "--data", "data"];
    let consequences = json(path, &asked);
    let county = consequences["changed"].as_array().expect("a list").iter().find(|one| one["area"] == "540102");
    assert_eq!(county.expect("it would change")["after"]["status"], "met", "{consequences}");
    assert!(text(path, "en", &asked).contains("verdicts would change"));
    let (code, _, problems) = minsheng(path, &["what-if", COMMITMENT, "--parameter", "x", "--data", "data"]);
    assert_eq!(code, 2, "{problems}");
    let (code, _, problems) = minsheng(path, &["explain", "age-friendly", "--data", "data", "--lang", "en"]);
    assert_eq!(code, 1);
    assert!(problems.contains(COMMITMENT), "{problems}");
}
