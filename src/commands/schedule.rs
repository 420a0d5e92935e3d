//! `schedule`: a report at the times of a cron expression, one run at a time, missed runs made up; and, where it is given
//! an address, the newest of them served to machines.

use std::{path::PathBuf, process::ExitCode};

use minsheng_analytics::{
    schedule::{Ended, Outcome, RunLog, Schedule, ScheduleError, SystemClock, directory_of, keep},
    serve::{self, DEPARTMENT},
};
use minsheng_kit::{
    config::{EXIT_BAD_CONFIGURATION, ServiceConfig},
    server::stop_requested,
    telemetry,
};
use tokio::sync::watch;

use super::report::{self, Job, make};
use crate::{cli::ScheduleArgs, error::Error, lang::Lang, output, said, site::Endpoints};

/// The record of runs, in the directory of the reports.
const RECORD: &str = "runs.jsonl";

pub(super) async fn run(arguments: ScheduleArgs, lang: Lang) -> Result<ExitCode, Error> {
    let wrong = |error: ScheduleError| Error::Configuration(error.to_string());
    let schedule = Schedule::parse(&arguments.cron, &arguments.zone).map_err(wrong)?;
    let endpoints = Endpoints::from_environment()?;
    let served = match serve::configuration(variables()) {
        Ok(served) => served,
        Err(error) => {
            output::error(super::serve::faults(&error, lang));
            return Ok(ExitCode::from(EXIT_BAD_CONFIGURATION));
        }
    };
    std::fs::create_dir_all(&arguments.out).map_err(Error::file(&arguments.out))?;
    let record = arguments.out.join(RECORD);
    let mut log = RunLog::open(&record).map_err(wrong)?;

    // Dropped last: what was recorded until then is exported.
    let telemetry = served.as_ref().map(|config| telemetry::init(&config.telemetry));
    let _telemetry = telemetry.transpose().map_err(Error::internal)?;
    let server = match served {
        Some(config) => Some(prepare(config, arguments.out.clone(), lang).await?),
        None => None,
    };
    let (cron, zone, place) = (&arguments.cron, &arguments.zone, record.display());
    output::line(said!(
        lang,
        "按 {cron}（{zone}）运行，记录在 {place}",
        "Runs at {cron} ({zone}); on record in {place}"
    ));

    let (stopping, stopped) = watch::channel(false);
    let asked = stopping.clone();
    tokio::spawn(async move {
        stop_requested().await;
        asked.send_replace(true);
    });
    let serving = server.map(|server| tokio::spawn(server.serve(until(stopped.clone()))));
    let kept = keep(&schedule, &mut log, &SystemClock, until(stopped), |due_at| {
        let on = schedule.day_of(due_at);
        let out: PathBuf = arguments.out.join(directory_of(due_at));
        let job = Job { lake: arguments.lake.clone(), out, on, as_of: Some(due_at) };
        let endpoints = endpoints.clone();
        async move {
            match make(&job, Some(&endpoints), lang).await {
                Ok(made) => {
                    let (missing, resynced) = (report::missing(&made, lang), report::resynced(&made.resynced, lang));
                    // Who did not answer the report will not count its records either.
                    let differ = if made.unreached.is_empty() {
                        super::verify::differences(&job.lake, &endpoints, on, lang).await
                    } else {
                        Vec::new()
                    };
                    resynced.iter().chain(&missing).chain(&differ).for_each(output::error);
                    let page = made.files.html.display().to_string();
                    output::line(format!("{on} {page}"));
                    let outcome = if missing.is_empty() { Outcome::Done } else { Outcome::Incomplete };
                    let lines: Vec<String> =
                        std::iter::once(page).chain(resynced).chain(missing).chain(differ).collect();
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
    .await;
    // A schedule can also end because nothing is ever due again; nobody would renew what is served.
    stopping.send_replace(true);
    if let Some(serving) = serving {
        serving.await.map_err(Error::internal)?.map_err(not_served)?;
    }
    kept.map_err(wrong)?;
    Ok(ExitCode::SUCCESS)
}

async fn prepare(config: ServiceConfig, reports: PathBuf, lang: Lang) -> Result<serve::Ready, Error> {
    let server = serve::prepare(config, reports).await.map_err(not_served)?;
    let address = server.address().map_err(not_served)?;
    output::line(said!(
        lang,
        "在 {address} 提供最新报告的数据",
        "Serves the figures of the newest report at {address}"
    ));
    Ok(server)
}

fn not_served(error: minsheng_kit::error::Error) -> Error {
    Error::Service { department: DEPARTMENT.to_owned(), source: Box::new(error) }
}

/// The variables of this process that are text.
fn variables() -> std::collections::BTreeMap<String, String> {
    let named = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(named).collect()
}

/// Resolves once the process is to stop.
async fn until(mut stopped: watch::Receiver<bool>) {
    // An error says that nobody is left to ask for it: as good as asked.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
