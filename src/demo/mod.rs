//! The demo: one command from an empty directory to the page.
//!
//! It starts the four services on SQLite with mutual TLS, loads them through their public RPCs like any other caller,
//! runs analytics over their feeds, and prints the scoreboard.

mod load;
pub mod province;
pub mod public;
pub mod record;

use std::{path::PathBuf, process::ExitCode, time::Instant};

use crate::{
    cli::{DemoArgs, Profile},
    clock,
    commands::report,
    error::Error,
    lang::Lang,
    output::{self, Progress},
    said,
    site::{SERVICES, Site},
};
pub use load::{Loaded, province as load_province};
use province::Province;
use record::DemoRecord;

/// Where an invented province is kept, and where published figures are: the two never share a directory.
const SYNTHETIC_DATA: &str = "minsheng-data";
const PUBLIC_DATA: &str = "minsheng-data-public";

/// Runs the demo.
pub async fn run(arguments: DemoArgs, lang: Lang) -> Result<ExitCode, Error> {
    let began = Instant::now();
    let data = arguments.data.unwrap_or_else(|| {
        PathBuf::from(match arguments.profile {
            Profile::Synthetic => SYNTHETIC_DATA,
            Profile::Public => PUBLIC_DATA,
        })
    });
    let directory = data.display();
    output::line(said!(lang, "数据目录 {directory}", "Data directory {directory}"));
    let province = Province::new(arguments.seed, arguments.scale);
    let filings = match arguments.profile {
        Profile::Synthetic => None,
        Profile::Public => Some(public::filings(lang)?),
    };
    let record = match &filings {
        None => {
            let made = tokio::task::spawn_blocking(move || DemoRecord::synthetic(arguments.seed, arguments.scale));
            made.await.map_err(Error::internal)?
        }
        Some(filings) => DemoRecord::public(filings.records.values().flatten().map(AsRef::as_ref)),
    };
    record.claim(&data)?;
    let mut site = Site::start(&data).await?;
    for definition in SERVICES {
        let address = site.endpoints().addresses.get(definition.department).map_or("", String::as_str);
        let name = output::pad(definition.department, 16);
        output::line(said!(lang, "  服务 {name} {address}", "  service {name} {address}"));
    }
    let (loaded, on) = match filings {
        None => {
            let loaded = load::province(site.endpoints(), province, &Progress::default(), lang).await?;
            (loaded, arguments.on.unwrap_or(province::LAST_DAY))
        }
        Some(filings) => {
            let loaded = public::file(&site, filings, lang).await?;
            (loaded, arguments.on.unwrap_or_else(clock::today))
        }
    };
    report_load(&loaded, lang);
    let loading = began.elapsed();
    let job = report::Job { lake: data.join("lake"), out: data.join("report"), on, as_of: None };
    let outcome = report::make(&job, Some(site.endpoints()), lang).await?;
    let added: u64 = outcome.rows_read.values().sum();
    let seconds = format!("{:.1}", began.elapsed().as_secs_f64());
    let of_it = format!("{:.1}", loading.as_secs_f64());
    if added == 0 {
        output::line(said!(
            lang,
            "没有新增任何内容：这些数据此前已经载入。",
            "Nothing was added: all of it had been loaded before."
        ));
    } else {
        output::line(said!(lang, "流水新增 {added} 条。", "{added} entries are new in the journals."));
    }
    report::print(&outcome, lang);
    output::line(said!(lang, "用时 {seconds} 秒（其中载入 {of_it} 秒）", "{seconds} s ({of_it} s of it loading)"));
    if arguments.serve {
        site.announce()?;
        invite(&site, lang);
        minsheng_kit::server::stop_requested().await;
        output::line(said!(lang, "正在停止服务", "Stopping the services"));
    }
    site.stop().await?;
    if arguments.serve {
        output::line(said!(lang, "服务已停止", "The services have stopped"));
    }
    Ok(output::code_for_refused(loaded.refused))
}

fn report_load(loaded: &Loaded, lang: Lang) {
    let Loaded { accepted, changed, refused, .. } = *loaded;
    output::line(said!(
        lang,
        "经 RPC 载入 {accepted} 条记录，变更 {changed} 次，拒绝 {refused} 条。",
        "{accepted} records loaded through the RPCs, {changed} changes, {refused} refused."
    ));
    for reason in &loaded.reasons {
        output::error(reason.text(lang));
    }
}

/// Prints a line that asks a running service with a stock client.
fn invite(site: &Site, lang: Lang) {
    let pki = site.endpoints().pki.display().to_string();
    let address = site.endpoints().addresses.get("community").map_or("", String::as_str);
    let address = address.trim_start_matches("https://");
    output::line(said!(
        lang,
        "服务继续运行；按 Ctrl-C 停止。可以试试：",
        "The services keep running; Ctrl-C stops them. Try:"
    ));
    output::line(format!(
        "  grpcurl -cacert {pki}/ca.pem -cert {pki}/operator/cert.pem -key {pki}/operator/key.pem \\\n    -d '{{\"area\":\"540100\",\"page_size\":3}}' {address} \\\n    minsheng.community.v1.ServicePointService/ListServicePoints"
    ));
}
