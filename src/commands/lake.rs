//! `lake`: what the lake holds, and what an operator does to it.

use std::{path::Path, process::ExitCode};

use chrono::{DateTime, Utc};
use minsheng_analytics::{
    lake::{Lake, LakeError},
    statistics::follow_rewriting,
};

use crate::{cli::LakeArgs, error::Error, lang::Lang, output, said};

/// Small files of a month from which one is made when it is asked for.
const FILES_FROM: usize = 2;

/// Runs the command.
pub(super) async fn run(arguments: LakeArgs, lang: Lang) -> Result<ExitCode, Error> {
    let LakeArgs { lake, compact, forget_before } = arguments;
    let work = move || keep(&lake, compact, forget_before, lang);
    let lines = tokio::task::spawn_blocking(work).await.map_err(Error::internal)?;
    lines.map_err(|error| Error::Analytics(Box::new(error)))?.iter().for_each(output::line);
    Ok(ExitCode::SUCCESS)
}

/// Does what is asked for and says what the lake holds then.
fn keep(
    directory: &Path,
    compact: bool,
    forget_before: Option<DateTime<Utc>>,
    lang: Lang,
) -> Result<Vec<String>, LakeError> {
    Lake::must_exist(directory)?;
    let mut lake = Lake::open(directory)?;
    let mut lines = Vec::new();
    if let Some(horizon) = forget_before {
        let gone = lake.forget_before(horizon)?;
        lines.push(said!(
            lang,
            "{horizon} 之前已更正的 {gone} 行不再保留；此前的时刻不能再查",
            "{gone} rows that were corrected before {horizon} are gone; no earlier instant can be asked for"
        ));
    }
    if compact {
        let datasets: Vec<String> = lake.sources().keys().cloned().collect();
        for dataset in datasets {
            let rewritten = lake.compact(&dataset, FILES_FROM)?;
            follow_rewriting(&lake, &rewritten)?;
        }
    }
    for (dataset, table) in lake.sources() {
        let (rows, files) = (lake.rows(dataset), table.files.len());
        let version = table.version.unwrap_or_default();
        let until = table.recorded_until.and_then(DateTime::from_timestamp_micros);
        let until = until.map_or_else(|| "–".to_owned(), |until| until.to_rfc3339());
        let name = output::pad(dataset, 36);
        lines.push(said!(
            lang,
            "  {name} {rows:>10} 行 {files:>6} 个文件，第 {version} 版，记录读到 {until}",
            "  {name} {rows:>10} rows {files:>6} files, version {version}, known to {until}"
        ));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_without_a_lake_is_told() {
        let directory = tempfile::tempdir().expect("a directory");
        let error = keep(directory.path(), true, None, Lang::En).expect_err("there is none");
        assert!(matches!(error, LakeError::NotALake { .. }), "{error}");
    }
}
