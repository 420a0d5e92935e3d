//! `verify`: the lake is whole.

use std::process::ExitCode;

use minsheng_analytics::lake::Lake;

use crate::{
    cli::VerifyArgs,
    error::Error,
    lang::Lang,
    output::{self, EXIT_FAILED},
    said,
};

pub(super) async fn run(arguments: VerifyArgs, lang: Lang) -> Result<ExitCode, Error> {
    let directory = arguments.data.join("lake");
    let findings = tokio::task::spawn_blocking(move || Lake::open_read_only(&directory)?.verify())
        .await
        .map_err(Error::internal)?
        .map_err(|error| Error::Analytics(Box::new(error)))?;
    for finding in &findings {
        output::error(format!("{finding:?}"));
    }
    if findings.is_empty() {
        output::line(said!(lang, "数据湖完好", "The lake is whole"));
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::from(EXIT_FAILED))
}
