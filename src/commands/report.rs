//! `report`: from the feeds to the files and the scoreboard.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use chrono::{DateTime, NaiveDate, Utc};
use minsheng_analytics::{
    assessment::Policy,
    job::{self, JobConfig, JobOutcome},
    lake::{Lake, Resync},
    model::{Notice, ResyncReason},
    report::{Options, lang::Lang as ReportLang, terminal},
};

use crate::{
    catalogue,
    cli::ReportArgs,
    demo::record::DemoRecord,
    error::Error,
    lang::{Lang, Text},
    output, said,
    site::{Endpoints, SERVICES, Site},
};

/// Columns of a terminal that does not say how many it has.
const USUAL_WIDTH: usize = 100;

/// What is to be reported, and where.
#[derive(Clone, Debug)]
pub struct Job {
    /// Directory of the lake.
    pub lake: PathBuf,
    /// Directory of the report.
    pub out: PathBuf,
    /// Day that the figures are true for.
    pub on: NaiveDate,
    /// Instant up to which records count.
    pub as_of: Option<DateTime<Utc>>,
}

/// Makes a report from the services' feeds, or without any from the lake as it is.
pub async fn make(job: &Job, endpoints: Option<&Endpoints>, lang: Lang) -> Result<JobOutcome, Error> {
    let mut sources = Vec::new();
    if let Some(endpoints) = endpoints {
        for definition in SERVICES {
            sources.push((definition.department.to_owned(), endpoints.channel("analytics", definition.department)?));
        }
    }
    let options = Options { lang: report_lang(lang), notice: notice(&job.lake, endpoints)?, ..Options::default() };
    let config = JobConfig {
        lake_dir: job.lake.clone(),
        out_dir: job.out.clone(),
        catalogue: Arc::clone(catalogue::get()?),
        on: job.on,
        as_of: job.as_of,
        options,
        policy: Policy::default(),
        signer: endpoints.map(|endpoints| endpoints.signer("analytics")).transpose()?,
        sources,
    };
    job::run(config).await.map_err(|error| Error::Analytics(Box::new(error)))
}

/// Finds what every reader must know of the records: a demo's directory says what was loaded there, and holds the
/// certificates of its services and, unless told otherwise, its lake. A lake elsewhere is told, and remembers it when
/// it is read by itself: the same records give the same bytes wherever their lake lies.
pub(super) fn notice(lake: &Path, endpoints: Option<&Endpoints>) -> Result<Option<Notice>, Error> {
    let services = endpoints.and_then(|endpoints| endpoints.pki.parent());
    for directory in services.into_iter().chain([lake]).chain(lake.parent()) {
        if let Some(record) = DemoRecord::read(directory)? {
            record.remember(lake)?;
            let Text { zh, en } = record.notice();
            return Ok(Some(Notice { zh: zh.to_owned(), en: en.to_owned() }));
        }
    }
    Ok(None)
}

/// Prints the scoreboard and where the files are.
pub fn print(outcome: &JobOutcome, lang: Lang) {
    let width = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).unwrap_or(USUAL_WIDTH);
    output::line(terminal::scoreboard(&outcome.document, &outcome.run, report_lang(lang), width));
    resynced(&outcome.resynced, lang).iter().for_each(output::error);
    missing(outcome, lang).iter().for_each(output::error);
    let files = &outcome.files;
    for path in [&files.html, &files.xlsx, &files.json, &files.csv, &files.parquet] {
        output::line(format!("  {}", path.display()));
    }
}

/// Returns in words which datasets had to be read again from their beginning, why, and where the former files are.
pub(super) fn resynced(datasets: &BTreeMap<String, Resync>, lang: Lang) -> Vec<String> {
    let told = datasets.iter().map(|(dataset, read)| {
        let why = match read.why {
            ResyncReason::JournalReplaced => {
                said!(lang, "部门变更日志已从备份恢复或重建", "the journal was restored from a backup or recreated")
            }
            ResyncReason::CursorRefused => {
                said!(lang, "部门不接受原读取位置", "the department did not accept the place to go on from")
            }
            ResyncReason::LakeReplaced => said!(lang, "数据湖原为旧版格式", "the lake was of an earlier version"),
        };
        let former = match read.former_version {
            Some(version) => {
                said!(lang, "原数据是该表的第 {version} 版", "the former rows are version {version} of its table")
            }
            None => said!(
                lang,
                "原数据移至数据湖目录下的 former",
                "the former files are in former, below the lake's directory"
            ),
        };
        said!(
            lang,
            "{dataset} 已从头重新读取：{why}；{former}。",
            "{dataset} was read again from its beginning: {why}; {former}."
        )
    });
    told.collect()
}

/// Returns in words which departments' records are not in the report, or not all: those that did not answer, and those
/// that are known only to an instant before the report's.
pub(super) fn missing(outcome: &JobOutcome, lang: Lang) -> Vec<String> {
    let unreached = outcome.unreached.iter().map(|(service, reason)| {
        said!(
            lang,
            "未能读取 {service}：{reason}；报告注明了其数据的日期。",
            "{service} could not be read: {reason}; the report says how old its data is."
        )
    });
    let incomplete = outcome.incomplete.iter().filter(|(service, _)| !outcome.unreached.contains_key(*service));
    let incomplete = incomplete.map(|(service, until)| {
        let until = until.map_or_else(|| "–".to_owned(), |until| until.to_rfc3339());
        said!(
            lang,
            "{service} 的记录只读到 {until}，早于报告的截止时刻；其后的记录可能改变数字。",
            "{service} is known only up to {until}, before the instant of the report; later records may change its figures."
        )
    });
    unreached.chain(incomplete).collect()
}

/// Runs the command.
pub(super) async fn run(arguments: ReportArgs, lang: Lang) -> Result<ExitCode, Error> {
    let lake = arguments.lake.clone().or_else(|| arguments.data.as_ref().map(|data| data.join("lake")));
    let job = Job {
        lake: lake.unwrap_or_else(|| PathBuf::from("lake")),
        out: arguments.out,
        on: arguments.on.unwrap_or_else(crate::clock::today),
        as_of: arguments.as_of,
    };
    let outcome = if let Some(data) = &arguments.data {
        let site = Site::open(data).await?;
        let outcome = make(&job, Some(site.endpoints()), lang).await;
        site.stop().await?;
        outcome?
    } else if arguments.offline {
        // A catalogue that does not hold is told of before.
        catalogue::get()?;
        Lake::must_exist(&job.lake).map_err(|error| Error::Analytics(Box::new(error)))?;
        make(&job, None, lang).await?
    } else {
        make(&job, Some(&Endpoints::from_environment()?), lang).await?
    };
    print(&outcome, lang);
    Ok(if outcome.unreached.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(output::EXIT_FAILED) })
}

pub(super) fn report_lang(lang: Lang) -> ReportLang {
    match lang {
        Lang::Zh => ReportLang::Zh,
        Lang::En => ReportLang::En,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Profile;

    #[tokio::test]
    async fn without_services_and_without_a_lake_there_is_no_report() {
        let directory = tempfile::tempdir().expect("a directory");
        let (lake, out) = (directory.path().join("tpyo"), directory.path().join("out"));
        let arguments = ReportArgs { on: None, as_of: None, out, lake: Some(lake), data: None, offline: true };
        let error = run(arguments, Lang::En).await.expect_err("there is no lake");
        assert!(error.message(Lang::En).contains("there is no lake in"), "{}", error.message(Lang::En));
        assert_eq!(std::fs::read_dir(directory.path()).expect("it reads").count(), 0, "nothing is made for it");
    }

    #[test]
    fn a_lake_remembers_what_its_records_are_wherever_it_lies() {
        let directory = tempfile::tempdir().expect("a directory");
        let (data, elsewhere) = (directory.path().join("data"), directory.path().join("elsewhere/lake"));
        assert_eq!(notice(&elsewhere, None).expect("read"), None);
        assert!(!elsewhere.exists(), "nothing is known, so nothing is noted");
        let province = DemoRecord { profile: Profile::Synthetic, seed: 1, scale: 1.0, generator: "a".to_owned() };
        province.claim(&data).expect("an empty directory");
        assert!(notice(&data.join("lake"), None).expect("read").is_some(), "a demo's own lake");

        // The services of a demo are known by the directory of their certificates, however they are reached.
        let endpoints = Endpoints { pki: data.join("pki"), addresses: BTreeMap::new() };
        let told = notice(&elsewhere, Some(&endpoints)).expect("read").expect("a notice");
        assert!(told.zh.contains("虚构") && told.en.contains("invented"), "{told:?}");
        let taken = directory.path().join("taken");
        std::fs::rename(&elsewhere, &taken).expect("taken away");
        assert_eq!(notice(&taken, None).expect("read"), Some(told.clone()));
        let others = Endpoints { pki: directory.path().join("others/pki"), addresses: BTreeMap::new() };
        assert_eq!(notice(&taken, Some(&others)).expect("read"), Some(told));
    }
}
