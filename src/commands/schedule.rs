//! `schedule`: a report at the times of a cron expression, one run at a time, missed runs made up.

use std::{path::PathBuf, process::ExitCode};

use minsheng_analytics::schedule::{Ended, Outcome, RunLog, Schedule, ScheduleError, SystemClock, keep};

use super::report::{self, Job, make};
use crate::{cli::ScheduleArgs, error::Error, lang::Lang, output, said, site::Endpoints};

/// The record of runs, in the directory of the reports.
const RECORD: &str = "runs.jsonl";

pub(super) async fn run(arguments: ScheduleArgs, lang: Lang) -> Result<ExitCode, Error> {
    let wrong = |error: ScheduleError| Error::Configuration(error.to_string());
    let schedule = Schedule::parse(&arguments.cron, &arguments.zone).map_err(wrong)?;
    let endpoints = Endpoints::from_environment()?;
    std::fs::create_dir_all(&arguments.out).map_err(Error::file(&arguments.out))?;
    let record = arguments.out.join(RECORD);
    let mut log = RunLog::open(&record).map_err(wrong)?;
    let (cron, zone, place) = (&arguments.cron, &arguments.zone, record.display());
    output::line(said!(lang, "按 {cron}({zone})运行,记录在 {place}", "Runs at {cron} ({zone}); on record in {place}"));
    let stop = minsheng_kit::server::stop_requested();
    keep(&schedule, &mut log, &SystemClock, stop, |due_at| {
        let on = schedule.day_of(due_at);
        let out: PathBuf = arguments.out.join(due_at.format("%Y-%m-%dT%H%M").to_string());
        let job = Job { lake: arguments.lake.clone(), out, on, as_of: Some(due_at) };
        let endpoints = endpoints.clone();
        async move {
            match make(&job, Some(&endpoints), lang).await {
                Ok(made) => {
                    let (missing, anew) = (report::missing(&made, lang), report::read_anew(&made.read_anew, lang));
                    anew.iter().chain(&missing).for_each(output::error);
                    let page = made.files.html.display().to_string();
                    output::line(format!("{on} {page}"));
                    let outcome = if missing.is_empty() { Outcome::Done } else { Outcome::Incomplete };
                    let lines: Vec<String> = std::iter::once(page).chain(anew).chain(missing).collect();
                    Ended { outcome, detail: lines.join("; ") }
                }
                Err(error) => {
                    let detail = error.message(lang);
                    output::error(&detail);
                    Ended { outcome: Outcome::Failed, detail }
                }
            }
        }
    })
    .await
    .map_err(wrong)?;
    Ok(ExitCode::SUCCESS)
}
