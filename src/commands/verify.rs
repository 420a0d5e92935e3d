//! `verify`: the lake is whole, and holds the records that the registers hold.
//!
//! Every register counts its records in force on a day, by county, and so does the lake, read up to where the register
//! counted. A difference is an error, whichever side is short, and stands in the metrics, too.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex},
};

use chrono::NaiveDate;
use minsheng_analytics::{
    feed::{FlightFeed, SharedLake},
    job,
    lake::{Finding, Lake, LakeError},
    reconcile::{self, Reconciliation},
    serve::DEPARTMENT,
};
use minsheng_kit::telemetry::{self, TelemetryConfig};

use crate::{
    cli::VerifyArgs,
    error::Error,
    lang::Lang,
    output::{self, EXIT_FAILED},
    registers, said,
    site::{Endpoints, SERVICES, Site},
};

/// Areas in which a register and the lake differ that are named, for each register.
const AREAS_NAMED: usize = 10;

/// The data directory that is looked at when nothing else is said and it is there.
const USUAL_DATA: &str = "minsheng-data";

/// Runs the command: on the services that the environment names, or on those of a data directory.
pub(super) async fn run(arguments: VerifyArgs, lang: Lang) -> Result<ExitCode, Error> {
    let data = match arguments.data {
        Some(data) => Some(data),
        None if Endpoints::in_environment() => None,
        None if Path::new(USUAL_DATA).is_dir() => Some(PathBuf::from(USUAL_DATA)),
        None => return Err(Error::NoServices),
    };
    let lake = arguments.lake.or_else(|| data.as_ref().map(|data| data.join("lake")));
    let lake = lake.unwrap_or_else(|| PathBuf::from("lake"));
    let on = arguments.on.unwrap_or_else(crate::clock::today);
    let variable = |name: &str| std::env::var(name).ok();
    let told = TelemetryConfig::from_environment(format!("minsheng-{DEPARTMENT}"), variable);
    let told = told.map_err(|error| Error::Configuration(error.to_string()))?;
    // Without a collector nothing is exported, and what is logged would stand between the lines.
    let telemetry = if told.export.metrics.is_some() {
        Some(telemetry::init(&told).map_err(Error::internal)?)
    } else {
        super::log_where_asked();
        None
    };
    let verified = match data {
        Some(data) => {
            let site = Site::open(&data).await?;
            let verified = verify(lake, site.endpoints(), on, lang).await;
            site.stop().await?;
            verified
        }
        None => verify(lake, &Endpoints::from_environment()?, on, lang).await,
    };
    if let Some(telemetry) = telemetry {
        telemetry.shutdown().await;
    }
    verified
}

async fn verify(directory: PathBuf, endpoints: &Endpoints, on: NaiveDate, lang: Lang) -> Result<ExitCode, Error> {
    let broken = |error: LakeError| Error::Analytics(Box::new(error));
    let opened = tokio::task::spawn_blocking(move || {
        let lake = Lake::open_as_it_is(&directory)?;
        let findings = lake.verify()?;
        Ok::<_, LakeError>((lake, findings))
    });
    let (lake, findings) = opened.await.map_err(Error::internal)?.map_err(broken)?;
    for finding in &findings {
        output::error(found(finding, lang));
    }
    if findings.is_empty() {
        output::line(said!(lang, "数据湖完好", "The lake is whole"));
    }
    let lake = Arc::new(Mutex::new(lake));
    let mut feeds = Vec::new();
    for definition in SERVICES {
        let channel = endpoints.channel(DEPARTMENT, definition.department)?;
        feeds.push(FlightFeed::new(definition.department, channel));
    }
    let collected = job::collect(feeds, &lake).await;
    super::report::resynced(&collected.resynced, lang).iter().for_each(output::error);
    for (service, reason) in &collected.unreached {
        output::error(said!(lang, "未能读取 {service}：{reason}", "{service} could not be read: {reason}"));
    }
    let reconciled = reconciled(&lake, endpoints, on).await?;
    for register in &reconciled {
        text(register, lang).iter().for_each(output::line);
    }
    let total: u64 = reconciled.iter().map(Reconciliation::difference).sum();
    output::line(said!(
        lang,
        "{on} 有效的记录：各台账与数据湖相差 {total} 条",
        "Records in force on {on}: registers and lake differ by {total}"
    ));
    let sound = findings.is_empty() && collected.unreached.is_empty() && total == 0;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FAILED) })
}

/// Compares lake and registers after a run of the schedule; returns in words what differs, or could not be compared.
pub(super) async fn differences(directory: &Path, endpoints: &Endpoints, on: NaiveDate, lang: Lang) -> Vec<String> {
    let directory = directory.to_owned();
    let opened = tokio::task::spawn_blocking(move || Lake::open(&directory)).await.map_err(Error::internal);
    let opened = opened.and_then(|lake| lake.map_err(|error| Error::Analytics(Box::new(error))));
    let lake: SharedLake = match opened {
        Ok(lake) => Arc::new(Mutex::new(lake)),
        Err(error) => return vec![error.message(lang)],
    };
    match reconciled(&lake, endpoints, on).await {
        Ok(all) => all.iter().filter(|one| one.difference() > 0).flat_map(|one| text(one, lang)).collect(),
        Err(error) => vec![error.message(lang)],
    }
}

/// Compares every register of every service with the lake.
async fn reconciled(lake: &SharedLake, endpoints: &Endpoints, on: NaiveDate) -> Result<Vec<Reconciliation>, Error> {
    let mut all = Vec::new();
    for definition in SERVICES {
        let channel = endpoints.channel(DEPARTMENT, definition.department)?;
        let found = reconcile::reconcile(definition.department, &channel, on, lake).await;
        all.extend(found.map_err(|error| Error::Analytics(Box::new(error)))?);
    }
    Ok(all)
}

fn found(finding: &Finding, lang: Lang) -> String {
    match finding {
        Finding::Missing(path) => {
            let path = path.display();
            said!(lang, "数据湖缺少文件 {path}", "the lake lacks the file {path}")
        }
        Finding::Altered(path) => {
            let path = path.display();
            said!(lang, "数据湖文件 {path} 已被改动", "the lake's file {path} was altered")
        }
        Finding::WrongRows(path) => {
            let path = path.display();
            said!(
                lang,
                "数据湖文件 {path} 的行数与清单不符",
                "the lake's file {path} holds other rows than its list says"
            )
        }
        Finding::Repeated { dataset, rows } => {
            said!(lang, "数据集 {dataset} 有 {rows} 行重复", "{rows} rows of the dataset {dataset} are there twice")
        }
        Finding::Unlisted(path) => {
            let path = path.display();
            said!(lang, "数据湖文件 {path} 不在清单中", "the lake's file {path} stands in no list")
        }
    }
}

/// Says of one register what was counted, and where the counts differ.
fn text(found: &Reconciliation, lang: Lang) -> Vec<String> {
    let title = registers::find(&found.collection).map_or("", |register| register.title_zh.as_str());
    let name = output::pad(lang.of(title, &found.collection), 26);
    let department = output::pad(&found.service, 16);
    let (there, lake) = found.totals();
    let differences = found.differences();
    if differences.is_empty() {
        return vec![said!(
            lang,
            "  {department} {name} {there:>8} 条，数据湖中同样多",
            "  {department} {name} {there:>8} records, as many in the lake"
        )];
    }
    let by = found.difference();
    let mut lines = vec![said!(
        lang,
        "  {department} {name} 台账 {there} 条，数据湖 {lake} 条：相差 {by} 条",
        "  {department} {name} {there} in the register, {lake} in the lake: they differ by {by}"
    )];
    for (area, (there, lake)) in differences.iter().take(AREAS_NAMED) {
        lines.push(said!(
            lang,
            "    {area}：台账 {there} 条，数据湖 {lake} 条",
            "    {area}: {there} in the register, {lake} in the lake"
        ));
    }
    let more = differences.len().saturating_sub(AREAS_NAMED);
    if more > 0 {
        lines.push(said!(lang, "    另有 {more} 个区划", "    and {more} more areas"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_said_with_both_numbers_and_its_areas() {
        let counts = |of: &[(&str, i64)]| of.iter().map(|(area, count)| ((*area).to_owned(), *count)).collect();
        let found = Reconciliation {
            service: "education".to_owned(),
            collection: "schools".to_owned(),
            dataset: "education.schools".to_owned(),
            register: counts(&[("540102", 2), ("540121", 1)]),
            lake: counts(&[("540102", 2)]),
        };
        let said = text(&found, Lang::En).join("\n");
        assert!(said.contains("3 in the register, 2 in the lake: they differ by 1"), "{said}");
        assert!(said.contains("540121: 1 in the register, 0 in the lake") && !said.contains("540102"), "{said}");
        let found = Reconciliation { lake: found.register.clone(), ..found };
        assert_eq!(text(&found, Lang::En).len(), 1);
    }
}
