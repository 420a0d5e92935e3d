//! `schedule`: a report at the times of a cron expression, one run at a time, missed runs made up; and, where it is given
//! an address, the newest of them served to machines.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use chrono::{DateTime, Utc};
use minsheng_analytics::{
    attainment_service::RECORD,
    diff::status_changes,
    job::{JobError, JobOutcome},
    lake::LakeError,
    model::AttainmentDocument,
    schedule::{
        Ended, Inputs, Outcome, RunBoard, RunLog, Schedule, ScheduleError, SystemClock, directory_of, forget_all_but,
        keep, newest_with,
    },
    serve::{self, DEPARTMENT},
    webhook::{Told, Webhook},
};
use minsheng_kit::{
    config::{EXIT_BAD_CONFIGURATION, ServiceConfig},
    server::stop_requested,
    telemetry,
};
use tokio::sync::watch;

use super::report::{self, Job, make};
use crate::{cli::ScheduleArgs, error::Error, lang::Lang, output, said, site::Endpoints};

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
    let webhook = arguments.webhook.as_deref().map(Webhook::new).transpose();
    let webhook = webhook.map_err(|error| Error::Configuration(error.to_string()))?;
    let record = arguments.out.join(RECORD);
    let mut log = RunLog::open(&record).map_err(wrong)?;

    let board = RunBoard::default();
    // Dropped last: what was recorded until then is exported.
    let telemetry = served.as_ref().map(|config| telemetry::init(&config.telemetry));
    let _telemetry = telemetry.transpose().map_err(Error::internal)?;
    let server = match served {
        Some(config) => Some(prepare(config, arguments.out.clone(), board.clone(), lang).await?),
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
    let kept = keep(&schedule, &mut log, &SystemClock, &board, until(stopped), |due_at| {
        let on = schedule.day_of(due_at);
        let out: PathBuf = arguments.out.join(directory_of(due_at));
        let job = Job { lake: arguments.lake.clone(), out, on, as_of: Some(due_at) };
        let (endpoints, webhook, keep) = (endpoints.clone(), webhook.clone(), arguments.keep);
        async move { one(&job, due_at, &endpoints, webhook.as_ref(), keep, lang).await }
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

/// Makes one report, tells what it changed, and forgets the oldest.
async fn one(
    job: &Job,
    due_at: DateTime<Utc>,
    endpoints: &Endpoints,
    webhook: Option<&Webhook>,
    kept: Option<usize>,
    lang: Lang,
) -> Ended {
    let reports = job.out.parent().unwrap_or(Path::new("."));
    let before = previous(reports, &job.out);
    let made = match make(job, Some(endpoints), lang).await {
        Ok(made) => made,
        Err(error) if is_elsewhere(&error) => {
            let detail = said!(
                lang,
                "另一副本正在使用数据湖；等下一次",
                "another replica is at work on the lake; waits for its next turn"
            );
            output::line(&detail);
            return Ended { outcome: Outcome::Elsewhere, detail, inputs: None };
        }
        Err(error) => {
            let detail = error.message(lang);
            output::error(&detail);
            return Ended { outcome: Outcome::Failed, detail, inputs: None };
        }
    };
    let (missing, resynced) = (report::missing(&made, lang), report::resynced(&made.resynced, lang));
    // Who did not answer the report will not count its records either.
    let differ = if made.unreached.is_empty() {
        super::verify::differences(&job.lake, endpoints, job.on, lang).await
    } else {
        Vec::new()
    };
    let untold = match (webhook, before) {
        (Some(webhook), Some(before)) => tell(webhook, due_at, &before, &made, lang).await,
        _ => None,
    };
    let unforgotten = kept
        .and_then(|kept| forget_all_but(reports, kept).err())
        .map(|error| said!(lang, "未能删除旧报告：{error}", "old reports could not be removed: {error}"));
    let problems: Vec<String> =
        resynced.into_iter().chain(missing.iter().cloned()).chain(differ).chain(untold).chain(unforgotten).collect();
    problems.iter().for_each(output::error);
    let page = made.files.html.display().to_string();
    output::line(format!("{} {page}", job.on));
    let outcome = if missing.is_empty() { Outcome::Done } else { Outcome::Incomplete };
    let lines: Vec<String> = std::iter::once(page).chain(problems).collect();
    Ended { outcome, detail: lines.join("; "), inputs: Some(Inputs::of(&made.document)) }
}

/// Returns the newest report that is there but for a run's own, which may be made again.
fn previous(reports: &Path, own: &Path) -> Option<AttainmentDocument> {
    let file = newest_with(reports, "attainment.json").ok()??;
    let bytes = std::fs::read(&file).ok().filter(|_| file.parent() != Some(own))?;
    serde_json::from_slice(&bytes).ok()
}

fn is_elsewhere(error: &Error) -> bool {
    let Error::Analytics(source) = error else { return false };
    matches!(source.downcast_ref::<JobError>(), Some(JobError::Lake(LakeError::InUse { .. })))
}

/// Reports to an address which verdicts changed, and prints what went wrong.
async fn tell(
    webhook: &Webhook,
    due_at: DateTime<Utc>,
    before: &AttainmentDocument,
    made: &JobOutcome,
    lang: Lang,
) -> Option<String> {
    let changes = status_changes(before, &made.document);
    if changes.is_empty() {
        return None;
    }
    let run = directory_of(due_at);
    let error = webhook.tell(&Told::of(&run, &made.document, &changes)).await.err()?;
    Some(said!(lang, "未能通知结论的改变：{error}", "changed verdicts could not be told: {error}"))
}

async fn prepare(config: ServiceConfig, reports: PathBuf, board: RunBoard, lang: Lang) -> Result<serve::Ready, Error> {
    let server = serve::prepare(config, reports, board).await.map_err(not_served)?;
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
