//! The benchmark's quick form: every comparison is there, with a figure on each side. What the figures are is for
//! `docs/PERFORMANCE.md`; here nothing is measured.

use std::process::Command;

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
