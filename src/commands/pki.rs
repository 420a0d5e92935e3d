//! `pki init`: the development authority and the departments' certificates.

use std::{path::Path, process::ExitCode};

use crate::{error::Error, lang::Lang, output, said, site};

pub(super) fn init(directory: &Path, departments: &[String], lang: Lang) -> Result<ExitCode, Error> {
    let issued = site::issue_certificates(directory, departments)?;
    let place = directory.display();
    for department in departments {
        if issued.contains(department) {
            output::line(said!(lang, "已签发 {department}", "issued {department}"));
        } else {
            output::line(said!(lang, "{department} 的证书仍然有效", "the certificate of {department} is still good"));
        }
    }
    output::line(said!(
        lang,
        "证书在 {place}；签发机构仅供开发，不可用于生产。",
        "The certificates are in {place}; the authority is for development, never for production."
    ));
    Ok(ExitCode::SUCCESS)
}
