//! Files into registers: CSV and XLSX, headers in Chinese or English, through the public RPCs like everyone else.
//!
//! The columns of a register are the fields of its resource that carry a Chinese label, so that a new register can be
//! imported with one line in [`identity`]. Every row is judged by itself; a refused one is reported with line, column
//! and reason.
//! Registers whose records hold lists take one row for each member: rows of the same record follow one another and
//! carry the same name.

pub mod cells;
pub mod columns;
mod declared;
pub mod identity;
pub mod read;
mod report;
pub mod rows;
pub mod send;
pub mod template;
mod units;

use std::process::ExitCode;

use uuid::Uuid;

use crate::{
    cli::ImportArgs,
    error::Error,
    lang::Lang,
    output::{self, Progress},
    registers, said,
    site::{Endpoints, Site},
};
use columns::Columns;

/// Why a file is no table of the register.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It is neither CSV nor XLSX by its name.
    #[error("{0} is neither .csv nor .xlsx")]
    Format(String),
    /// It cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It is not UTF-8.
    #[error("{0} is not UTF-8")]
    NotUtf8(String),
    /// It has no header.
    #[error("{0} has no header")]
    Empty(String),
    /// A header names no column of the register.
    #[error("the register has no column {0}")]
    UnknownColumn(String),
    /// Two headers name the same column.
    #[error("the column {0} stands twice")]
    Twice(String),
    /// A template would overwrite a file.
    #[error("{0} exists")]
    Exists(String),
    /// A template cannot be written.
    #[error("{path} cannot be written")]
    Unwritable {
        /// Which file.
        path: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl TableError {
    /// Renders it in a language.
    pub fn message(&self, lang: Lang) -> String {
        match self {
            Self::Format(path) => {
                said!(lang, "{path} 既不是 .csv 也不是 .xlsx", "{path} is neither .csv nor .xlsx")
            }
            Self::Unreadable { path, source } => {
                said!(lang, "无法读取 {path}：{source}", "cannot read {path}: {source}")
            }
            Self::NotUtf8(path) => said!(
                lang,
                "{path} 不是 UTF-8 编码；请另存为 UTF-8 的 CSV，或 XLSX",
                "{path} is not UTF-8; save it as CSV in UTF-8, or as XLSX"
            ),
            Self::Empty(path) => said!(lang, "{path} 没有表头", "{path} has no header"),
            Self::UnknownColumn(name) => {
                said!(lang, "台账没有“{name}”这一列", "the register has no column \"{name}\"")
            }
            Self::Twice(name) => said!(lang, "“{name}”一列出现两次", "the column \"{name}\" stands twice"),
            Self::Exists(path) => {
                said!(lang, "{path} 已存在，模板不覆盖任何文件", "{path} exists; a template overwrites no file")
            }
            Self::Unwritable { path, source } => {
                said!(lang, "无法写入 {path}：{source}", "cannot write {path}: {source}")
            }
        }
    }
}

/// Runs the command.
pub(crate) async fn run(arguments: ImportArgs, lang: Lang) -> Result<ExitCode, Error> {
    let register = registers::find(&arguments.register)?;
    let columns = Columns::of(register);
    if arguments.template {
        template::write(&arguments.file, register, &columns, lang)?;
        let place = arguments.file.display();
        output::line(said!(lang, "模板已写入 {place}", "The template is in {place}"));
        return Ok(ExitCode::SUCCESS);
    }
    let table = read::table(&arguments.file)?;
    let rows = rows::Rows::of(&table, register, &columns)?;
    let (dry_run, all_or_nothing) = (arguments.dry_run, arguments.all_or_nothing);
    let plan = send::Plan { register, run: Uuid::new_v4(), dry_run, all_or_nothing };
    let (outcome, done) = match &arguments.data {
        Some(data) => {
            let site = match Site::open(data).await {
                Err(Error::NoData(directory)) if arguments.new => Site::start(&directory).await?,
                opened => opened?,
            };
            let sent = send(&plan, rows, site.endpoints(), lang).await;
            site.stop().await?;
            sent?
        }
        None => send(&plan, rows, &Endpoints::from_environment()?, lang).await?,
    };
    report::print(&outcome, &plan, &table, &arguments.file, done.is_ok(), lang)?;
    done?;
    Ok(output::code_for_refused(outcome.refused_rows()))
}

async fn send(
    plan: &send::Plan,
    mut rows: rows::Rows,
    endpoints: &Endpoints,
    lang: Lang,
) -> Result<(send::Outcome, Result<(), Error>), Error> {
    rows.name(plan.register, &identity::Namer::new(plan.register, &endpoints.pki)?);
    Ok(send::rows(plan, &rows, endpoints, &Progress::default(), lang).await)
}
