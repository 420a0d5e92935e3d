//! `bench`: what the suite costs over a baseline, as ratios that one run measures side by side.
//!
//! Seconds differ between machines, ratios hardly; so each figure stands beside a baseline that does the same work with
//! less around it, in the same process, in turns. Nothing here judges: a ratio beyond its target is printed as it is.
//!
//! | module | what it is |
//! |---|---|
//! | [`table`] | rows, spreads, and the table as Markdown |
//! | [`measure`] | so many callers at once; two things in turns |
//! | [`site`] | the services that are measured, with what they are asked about |
//! | [`bare`] | the baselines that a database does by itself |
//! | [`calls`] | questions and durable writes |
//! | [`bulk`] | uploads and the feed |
//! | [`lake`] | statistics over many rows |
//! | [`statistics`] | all commitments over lakes of many rows, beside another engine |
//! | [`results`] | a run's rows as another run reads them |
//! | [`compare`] | two builds in turns, or this one beside an earlier table |
//! | [`change`] | what changed between them, as Markdown |

mod bare;
mod bulk;
mod calls;
mod change;
pub mod compare;
mod lake;
mod measure;
mod results;
mod site;
pub mod statistics;
pub mod table;
mod words;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Subcommand, ValueEnum};

use crate::{error::Error, lang::Lang, output, said};
use statistics::StatisticsArgs;
use table::Table;

/// Rows of the lake in the quick form.
const QUICK_ROWS: u64 = 20_000;

/// Options of `bench`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BenchArgs {
    /// What else can be measured
    #[command(subcommand)]
    pub command: Option<BenchCommand>,
    /// Write the table into this file too, as Markdown
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Rows of the lake
    #[arg(long, default_value_t = 10_000_000)]
    pub rows: u64,
    /// Measure on PostgreSQL too: postgres://USER@HOST:PORT of a cluster in which databases may be made
    #[arg(long, value_name = "URL")]
    pub postgres: Option<String>,
    /// Directory for what is measured; made, and removed at the end
    #[arg(long, default_value = "minsheng-bench")]
    pub data: PathBuf,
    /// Measure only this
    #[arg(long, value_name = "PART")]
    pub only: Vec<Part>,
    /// Only briefly for each measurement: shows that all of it runs, and measures nothing
    #[arg(long)]
    pub quick: bool,
    /// Rounds of each measurement; with --compare, rounds of turns
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: Option<u32>,
    /// Print what changed since another build: an executable of it, run in turns with this one; or a table that an
    /// earlier run wrote
    #[arg(long, value_name = "FILE|BINARY")]
    pub compare: Option<PathBuf>,
    /// Print the rows as JSON, as --compare reads them
    #[arg(long, hide = true, conflicts_with = "compare")]
    pub json: bool,
}

/// What is measured by itself.
#[derive(Clone, Debug, Subcommand)]
pub enum BenchCommand {
    /// All commitments that are counted from registers, over lakes of many rows
    Statistics(StatisticsArgs),
}

/// A part of what is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Questions at many callers
    Questions,
    /// Durable writes at many callers
    Writes,
    /// Uploads and the feed
    Bulk,
    /// Statistics over many rows
    Lake,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Extent {
    /// Turns of each pair.
    rounds: usize,
    /// Length of a measurement by time.
    window: Duration,
    /// Callers at the same time.
    callers: usize,
    /// Rows of one upload.
    upload: usize,
    /// Rows that the feed gives at least.
    feed: usize,
    /// Turns of the statistics, and rows of their lake.
    lake: (usize, u64),
}

impl Extent {
    fn of(arguments: &BenchArgs) -> Self {
        let rounds = |usual: usize| arguments.rounds.and_then(|rounds| rounds.try_into().ok()).unwrap_or(usual);
        if arguments.quick {
            let (rounds, window) = (rounds(1), Duration::from_millis(100));
            return Self { rounds, window, callers: 64, upload: 2_000, feed: 5_000, lake: (rounds, QUICK_ROWS) };
        }
        Self {
            rounds: rounds(7),
            window: Duration::from_millis(1_500),
            callers: 64,
            upload: 20_000,
            feed: 200_000,
            lake: (rounds(3), arguments.rows),
        }
    }
}

/// Runs all measurements, or those of two builds in turns, and prints the table.
pub async fn run(arguments: BenchArgs, lang: Lang) -> Result<ExitCode, Error> {
    if let Some(BenchCommand::Statistics(arguments)) = arguments.command {
        return statistics::run(arguments, lang).await;
    }
    let text = if let Some(with) = &arguments.compare {
        compare::run(&arguments, with, lang).await?
    } else {
        let table = measure_all(&arguments, lang).await?;
        if arguments.json { results::json(&table, lang)? } else { table.markdown(lang) }
    };
    output::line(&text);
    if let Some(path) = &arguments.out {
        std::fs::write(path, &text).map_err(Error::file(path))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Measures all parts that were asked for.
async fn measure_all(arguments: &BenchArgs, lang: Lang) -> Result<Table, Error> {
    let directory = Directory::make(&arguments.data)?;
    let extent = Extent::of(arguments);
    let mut table = Table::default();
    let wants = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    let mut places = vec![site::Place::Sqlite];
    places.extend(arguments.postgres.clone().map(site::Place::Postgres));
    for place in places {
        if !wants(Part::Questions) && !wants(Part::Writes) && !wants(Part::Bulk) {
            continue;
        }
        let name = place.name();
        let site = site::Site::start(&directory.0, place).await?;
        if wants(Part::Questions) {
            output::error(said!(lang, "{name}：提问……", "{name}: questions ..."));
            calls::questions(&site, extent, &mut table).await?;
        }
        if wants(Part::Writes) {
            output::error(said!(lang, "{name}：写入……", "{name}: writes ..."));
            calls::writes(&site, extent, &mut table).await?;
        }
        if wants(Part::Bulk) {
            output::error(said!(lang, "{name}：批量上报与数据流……", "{name}: uploads and the feed ..."));
            bulk::measure(&site, extent, &mut table).await?;
        }
        site.stop().await?;
    }
    if wants(Part::Lake) {
        let rows = extent.lake.1;
        output::error(said!(lang, "数据湖统计，{rows} 行……", "statistics over a lake of {rows} rows ..."));
        lake::measure(&directory.0, extent, &mut table).await?;
    }
    Ok(table)
}

/// A directory that is removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn make(path: &std::path::Path) -> Result<Self, Error> {
        // An existing one may hold what somebody wants to keep.
        std::fs::create_dir(path).map_err(Error::file(path))?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
