//! The benchmark's quick form: every comparison is there, with a figure on each side. What the figures are is for
//! `docs/PERFORMANCE.md`; here nothing is measured.

use std::{os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use crate::support::minsheng;

#[test]
fn the_quick_form_fills_every_row_of_the_table_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().expect("a directory");
    let (data, out) = (directory.path().join("data"), directory.path().join("table.md"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_minsheng"));
    command.args(["--lang", "en", "bench", "--quick", "--data"]).arg(&data).arg("--out").arg(&out);
    let mut places = vec!["SQLite"];
    if let Ok(cluster) = std::env::var("MINSHENG_TEST_POSTGRES_URL") {
        command.args(["--postgres", &cluster]);
        places.push("PostgreSQL");
    }
    let output = command.output().expect("the binary starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = std::fs::read_to_string(&out).expect("written");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| #")).collect();
    for place in &places {
        for what in ["CheckRecognisable", "CheckCoverage", "CreateInstitution", "UploadInstitutions", "DoGet"] {
            let found = rows.iter().filter(|row| row.contains(&format!("| {place} |")) && row.contains(what)).count();
            // Beside the empty call both over connections of their own and over one; then beside another baseline.
            let rows = match what {
                "CreateInstitution" => 3,
                "CheckRecognisable" if *place == "PostgreSQL" => 3,
                "CheckRecognisable" => 2,
                _ => 1,
            };
            assert_eq!(found, rows, "{place} {what}\n{table}");
        }
    }
    assert_eq!(rows.iter().filter(|row| row.contains("| 20000 rows |")).count(), 2, "{table}");
    assert_eq!(rows.len(), 8 * places.len() + (places.len() - 1) + 2, "{table}");
    for row in rows {
        assert!(!row.contains("| 0/s") && !row.contains("NaN") && !row.contains("inf"), "{row}");
    }
    assert!(!data.exists(), "what was measured was left behind");
}

/// Rows of the lake in the short form and in the full one.
const LAKE: (u64, u64) = (50_000, 10_000_000);

#[test]
fn statistics_over_a_large_lake_count_what_a_query_by_hand_counts() {
    let rows = if std::env::var_os("MINSHENG_SOAK").is_some() { LAKE.1 } else { LAKE.0 };
    let directory = tempfile::tempdir().expect("a directory");
    let (data, out) = (directory.path().join("data"), directory.path().join("table.md"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_minsheng"));
    command.args(["--lang", "en", "bench", "--only", "lake", "--rows", &rows.to_string(), "--data"]);
    // The run itself fails where the two count differently.
    let output = command.arg(&data).arg("--out").arg(&out).output().expect("the binary starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = std::fs::read_to_string(&out).expect("written");
    assert_eq!(table.lines().filter(|line| line.contains(&format!("| {rows} rows |"))).count(), 2, "{table}");
}

/// Compares this build with another one, or with a table, in the quick form of the writes; returns what it wrote.
fn compare_writes(directory: &Path, with: &str) -> String {
    let arguments = ["--lang", "en", "bench", "--only", "writes", "--quick", "--out", "changes.md", "--compare", with];
    let (code, printed, errors) = minsheng(directory, &arguments);
    assert_eq!(code, 0, "{errors}");
    let written = std::fs::read_to_string(directory.join("changes.md")).expect("written");
    assert_eq!(written.trim_end(), printed.trim_end());
    assert_eq!(written.lines().filter(|line| line.contains("CreateInstitution")).count(), 3, "{written}");
    assert!(!written.contains("Only in"), "{written}");
    assert!(!directory.join("minsheng-bench").exists(), "what was measured was left behind");
    written
}

#[test]
fn a_build_is_compared_in_turns_with_another_one_and_with_a_table() {
    let directory = tempfile::tempdir().expect("a directory");
    let directory = directory.path();
    let changes = compare_writes(directory, env!("CARGO_BIN_EXE_minsheng"));
    assert!(changes.contains("each turn measures every row once"), "{changes}");
    assert!(changes.contains("beyond old against old: "), "{changes}");

    // A build from before --json refuses it as clap does, and writes its table into a file. The rows of this one are
    // worded in another way, so they are matched in their order.
    std::fs::write(directory.join("table.md"), EARLIER).expect("written");
    let before = directory.join("before");
    std::fs::write(&before, BEFORE).expect("written");
    std::fs::set_permissions(&before, std::fs::Permissions::from_mode(0o755)).expect("made executable");
    let changes = compare_writes(directory, "before");
    assert!(changes.contains("each turn is a full run"), "{changes}");
    assert!(changes.contains("| 8,030/s (0.46) |") && changes.contains("| +0.0 % (+0.0 to +0.0) |"), "{changes}");

    let changes = compare_writes(directory, "table.md");
    assert!(changes.starts_with("Not measured side by side"), "{changes}");
    assert!(changes.contains("| 8,030/s (0.46) |") && !changes.contains("Rows that lose"), "{changes}");
}

const EARLIER: &str = "\
| # | where | what | ours | beside | baseline | ratio: median (least–greatest) | target |
|---|---|---|---|---|---|---|---|
| 1 | SQLite | writes (CreateInstitution) | 8,030/s | an empty call | 16,419/s | **0.46** (0.35–0.63) | ≥ 0.4 ✓ |
| 2 | SQLite | writes over one connection (CreateInstitution) | 10,173/s | an empty call | 29,702/s | **0.35** (0.29–0.45) | – |
| 3 | SQLite | writes (CreateInstitution) | 7,593/s | commits | 11,248/s | **0.67** (0.62–0.70) | ≥ 5 ✗ |

What bounds each:
";

const BEFORE: &str = r#"#!/bin/sh
case "$*" in *--json*) exit 2 ;; esac
while [ $# -gt 0 ]; do
    [ "$1" = --out ] && cp table.md "$2"
    shift
done
"#;

#[test]
fn what_cannot_be_compared_with_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("notes.md"), "nothing measured").expect("written");
    for (with, expected) in [
        ("nowhere", "nowhere"),
        ("notes.md", "cannot compare with notes.md: it has no table of results"),
        (".", "."),
        ("/bin/true", "gave no results of bench"),
        ("/bin/false", "/bin/false failed"),
    ] {
        let (code, _, errors) = minsheng(directory.path(), &["--lang", "en", "bench", "--compare", with]);
        assert_eq!(code, 1, "{with}: {errors}");
        assert!(errors.contains(expected), "{with}: {errors}");
    }
}
