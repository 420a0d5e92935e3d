//! `bench statistics`: all commitments that are counted from registers, over lakes of many rows.
//!
//! Each measurement is a process of its own, so that its most memory is its own, and reads a lake that was written
//! before. Beside it stands `DuckDB` with the shipped views over the same lake, where a Python has it.

use std::{
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
};

use clap::Args;
use minsheng_analytics::{
    bench::{self, MONTHS},
    catalogue::Catalogue,
};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::Directory;
use crate::{error::Error, lang::Lang, output, said};

/// Computes the views in `DuckDB`.
const SCRIPT: &str = include_str!("attainment.py");
/// Says whether a Python has what the script needs.
const IMPORTS: &str = "import duckdb, duckdb_extension_delta";

/// Options of `bench statistics`.
#[derive(Clone, Debug, Args)]
pub struct StatisticsArgs {
    /// Rows of a lake; once for each
    #[arg(long, value_name = "ROWS", default_values_t = [1_000_000, 10_000_000])]
    pub rows: Vec<u64>,
    /// Measurements of each kind; the median counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// A Python with duckdb and duckdb-extension-delta
    #[arg(long, value_name = "PYTHON", default_value = "python3")]
    pub python: PathBuf,
    /// Directory for the lakes; made, and removed at the end
    #[arg(long, default_value = "minsheng-bench")]
    pub data: PathBuf,
    /// Write the table into this file too, as Markdown
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Measure this lake once, and print what it cost as JSON
    #[arg(long, hide = true)]
    pub lake: Option<PathBuf>,
    /// Keep what is gathered, and begin with what was kept
    #[arg(long, hide = true, requires = "lake")]
    pub keep: bool,
    /// The last month, by its number
    #[arg(long, hide = true, default_value_t = MONTHS)]
    pub months: u32,
    /// The month at whose end it is known
    #[arg(long, hide = true, default_value_t = MONTHS)]
    pub known: u32,
}

/// What an answer cost, as a process prints it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Cost {
    cells: usize,
    seconds: f64,
    peak_mebibytes: f64,
}

/// Measures, and prints a table.
pub(super) async fn run(arguments: StatisticsArgs, lang: Lang) -> Result<ExitCode, Error> {
    if let Some(lake) = &arguments.lake {
        let StatisticsArgs { keep, months, known, .. } = arguments;
        let (cells, cost) =
            tokio::task::block_in_place(|| bench::attainment(lake, keep, months, known)).map_err(failed)?;
        let cost = Cost { cells, seconds: cost.seconds, peak_mebibytes: cost.peak_mebibytes };
        output::line(&serde_json::to_string(&cost).map_err(|error| Error::internal(error.to_string()))?);
        return Ok(ExitCode::SUCCESS);
    }
    let directory = Directory::make(&arguments.data)?;
    let has_duckdb = python(&arguments.python, &["-c", IMPORTS]).await.is_ok();
    if !has_duckdb {
        output::error(said!(
            lang,
            "此 Python 没有 duckdb，只测本程序",
            "this Python has no duckdb: ours alone is measured"
        ));
    }
    let mut text = said!(
        lang,
        "| 行数 | 测的是 | 秒（中位） | 与全部重算之比 | 内存峰值 MiB | 格数 |\n|---|---|---|---|---|---|\n",
        "| rows | what | seconds (median) | beside a whole run | most memory, MiB | cells |\n|---|---|---|---|---|---|\n"
    );
    for rows in &arguments.rows {
        output::error(said!(lang, "{rows} 行……", "{rows} rows ..."));
        for line in of_lake(&directory.0, *rows, &arguments, has_duckdb, lang).await? {
            text.push_str(&line);
            text.push('\n');
        }
    }
    output::line(&text);
    if let Some(path) = &arguments.out {
        std::fs::write(path, &text).map_err(Error::file(path))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Measures one lake: a line for each kind of run.
async fn of_lake(
    directory: &Path,
    rows: u64,
    arguments: &StatisticsArgs,
    has_duckdb: bool,
    lang: Lang,
) -> Result<Vec<String>, Error> {
    let lake = directory.join(format!("lake-{rows}"));
    tokio::task::block_in_place(|| bench::make_province(&lake, rows)).map_err(failed)?;
    let mut lines = Vec::new();
    let mut add = |what: String, costs: &[Cost], whole: f64| {
        let seconds = median(costs.iter().map(|cost| cost.seconds));
        let peak = costs.iter().map(|cost| cost.peak_mebibytes).fold(0.0, f64::max);
        let cells = costs.first().map_or(0, |cost| cost.cells);
        let ratio = seconds / if whole > 0.0 { whole } else { seconds };
        lines.push(format!("| {rows} | {what} | {seconds:.2} | {ratio:.3} | {peak:.0} | {cells} |"));
        seconds
    };
    let (first, more) = (MONTHS.to_string(), (MONTHS + 1).to_string());
    let mut wholes = Vec::new();
    for _ in 0..arguments.rounds {
        wholes.push(ours(&lake, &[]).await?);
    }
    let whole = add(said!(lang, "全部重算", "a whole run"), &wholes, 0.0);
    // Publishes the reference tables too, which the views need.
    let kept = ours(&lake, &["--keep"]).await?;
    add(said!(lang, "全部重算并留存", "a whole run that keeps what it gathered"), &[kept], whole);
    if has_duckdb {
        let script = directory.join("attainment.py");
        std::fs::write(&script, SCRIPT).map_err(Error::file(&script))?;
        let views = directory.join("attainment.sql");
        let sql = minsheng_analytics::sql::views(Catalogue::shipped());
        std::fs::write(&views, sql).map_err(Error::file(&views))?;
        let mut costs = Vec::new();
        for _ in 0..arguments.rounds {
            let said = python(&arguments.python, &[path(&script)?, path(&lake)?, path(&views)?]).await?;
            costs.push(cost(&said)?);
        }
        add(said!(lang, "DuckDB，随附的视图", "DuckDB, the shipped views"), &costs, whole);
    }
    let past = ours(&lake, &["--known", &(MONTHS / 2).to_string()]).await?;
    add(said!(lang, "过去的时刻", "a past instant"), &[past], whole);
    let again = ours(&lake, &["--keep"]).await?;
    add(said!(lang, "没有新行", "nothing new"), &[again], whole);
    tokio::task::block_in_place(|| bench::add_month(&lake, rows, u64::from(MONTHS))).map_err(failed)?;
    let month = ours(&lake, &["--keep", "--months", &more, "--known", &more]).await?;
    add(said!(lang, "再加一个月，第 {first} 月之后", "one more month, behind the {first}th"), &[month], whole);
    std::fs::remove_dir_all(&lake).map_err(Error::file(&lake))?;
    Ok(lines)
}

/// Measures a run of this program.
async fn ours(lake: &Path, more: &[&str]) -> Result<Cost, Error> {
    let program = std::env::current_exe().map_err(Error::file(Path::new("minsheng")))?;
    let mut command = Command::new(program);
    command.args(["bench", "statistics", "--lake"]).arg(lake).args(more);
    cost(&said_by(command).await?)
}

async fn python(program: &Path, arguments: &[&str]) -> Result<String, Error> {
    let mut command = Command::new(program);
    command.args(arguments);
    said_by(command).await
}

/// Returns what a program prints; one that fails is an error.
async fn said_by(mut command: Command) -> Result<String, Error> {
    let program = format!("{:?}", command.as_std());
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.map_err(|error| Error::internal(format!("{program} cannot be started: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::internal(format!("{program} failed: {}", said.lines().last().unwrap_or_default())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn cost(said: &str) -> Result<Cost, Error> {
    let line = said.lines().last().unwrap_or_default();
    serde_json::from_str(line).map_err(|error| Error::internal(format!("not a measurement: {line}: {error}")))
}

fn path(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| Error::internal(format!("{} is not UTF-8", path.display())))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn failed(error: minsheng_analytics::statistics::StatisticsError) -> Error {
    Error::Analytics(Box::new(error))
}
