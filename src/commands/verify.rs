//! `verify`: the lake is whole, and every register holds as many records as the lake.
//!
//! Every register is counted through its list and compared with the different records that the lake has of it, which
//! came out of the journal's feed. A difference after the feed was read is an error, whichever side is short.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use minsheng_analytics::{
    feed::FlightFeed,
    job,
    lake::{Finding, Lake, LakeError},
};

use crate::{
    cli::VerifyArgs,
    error::Error,
    lang::Lang,
    output::{self, EXIT_FAILED},
    registers::{self, Register},
    said,
    site::{Endpoints, SERVICES, Site},
    upload,
};

/// The area of all records.
const REGION: &str = "540000";

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
    match data {
        Some(data) => {
            let site = Site::open(&data).await?;
            let verified = verify(lake, site.endpoints(), lang).await;
            site.stop().await?;
            verified
        }
        None => verify(lake, &Endpoints::from_environment()?, lang).await,
    }
}

async fn verify(directory: PathBuf, endpoints: &Endpoints, lang: Lang) -> Result<ExitCode, Error> {
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
        let channel = endpoints.channel("analytics", definition.department)?;
        feeds.push(FlightFeed::new(definition.department, channel));
    }
    let collected = job::collect(feeds, &lake).await;
    super::report::resynced(&collected.resynced, lang).iter().for_each(output::error);
    for (service, reason) in &collected.unreached {
        output::error(said!(lang, "未能读取 {service}：{reason}", "{service} could not be read: {reason}"));
    }
    let mut differences = 0;
    for register in registers::all() {
        for department in registers::departments(register) {
            let found = compare(endpoints, register, department, &lake).await?;
            differences += u32::from(!found.agrees());
            output::line(found.text(register, department, lang));
        }
    }
    let sound = findings.is_empty() && collected.unreached.is_empty() && differences == 0;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FAILED) })
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

/// Records of one register, counted twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counted {
    register: u64,
    lake: u64,
}

impl Counted {
    fn agrees(self) -> bool {
        self.register == self.lake
    }

    fn text(self, register: &Register, department: &str, lang: Lang) -> String {
        let name = output::pad(lang.of(&register.title_zh, &register.collection), 26);
        let department = output::pad(department, 16);
        let Self { register: there, lake } = self;
        if self.agrees() {
            said!(
                lang,
                "  {department} {name} {there:>8} 条，数据湖中同样多",
                "  {department} {name} {there:>8} records, as many in the lake"
            )
        } else {
            said!(
                lang,
                "  {department} {name} 台账 {there} 条，数据湖 {lake} 条：数目不一致",
                "  {department} {name} {there} in the register, {lake} in the lake: they differ"
            )
        }
    }
}

async fn compare(
    endpoints: &Endpoints,
    register: &'static Register,
    department: &str,
    lake: &Arc<Mutex<Lake>>,
) -> Result<Counted, Error> {
    let channel = endpoints.channel("operator", department)?;
    let there = upload::count(channel, register, REGION).await.map_err(|status| Error::Refused {
        department: department.to_owned(),
        method: register.method("List"),
        status: Box::new(status),
    })?;
    let dataset = register.dataset(department);
    let lake = Arc::clone(lake);
    let counted =
        tokio::task::spawn_blocking(move || lake.lock().unwrap_or_else(PoisonError::into_inner).records(&dataset));
    let lake = counted.await.map_err(Error::internal)?.map_err(|error| Error::Analytics(Box::new(error)))?;
    Ok(Counted { register: there, lake })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_said_with_both_numbers() {
        let register = registers::find("schools").expect("a register");
        let text = Counted { register: 3, lake: 2 }.text(register, "education", Lang::En);
        assert!(text.contains("3 in the register, 2 in the lake"), "{text}");
        assert!(Counted { register: 3, lake: 3 }.agrees());
    }
}
