//! `signature`: whether a lake or a report is what somebody signed.

use std::{path::Path, process::ExitCode};

use minsheng_analytics::signed::{self, Checked, Kind};

use crate::{
    cli::SignatureArgs,
    error::Error,
    lang::Lang,
    output::{self, EXIT_FAILED},
    said,
};

/// Runs the command.
pub(super) fn run(arguments: &SignatureArgs, lang: Lang) -> Result<ExitCode, Error> {
    let checked = signed::check(&arguments.directory, &arguments.pki);
    let checked = checked.map_err(|error| Error::Analytics(Box::new(error)))?;
    for name in &checked.different {
        output::error(said!(lang, "{name} 与签名时不同", "{name} is not as it was signed"));
    }
    output::line(told(&arguments.directory, &checked, lang));
    Ok(if checked.different.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FAILED) })
}

fn told(directory: &Path, checked: &Checked, lang: Lang) -> String {
    let (directory, department) = (directory.display(), &checked.department);
    let (same, at) = (checked.same, checked.signed_at.to_rfc3339());
    match checked.of {
        Kind::Lake => said!(
            lang,
            "{directory}：由 {department} 于 {at} 签名，{same} 张表与签名一致",
            "{directory}: signed by {department} at {at}; {same} tables are as they were signed"
        ),
        Kind::Report => said!(
            lang,
            "{directory}：由 {department} 于 {at} 签名，{same} 个文件与签名一致",
            "{directory}: signed by {department} at {at}; {same} files are as they were signed"
        ),
    }
}
