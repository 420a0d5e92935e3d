//! What a lake says of a day, for the commands that ask it and change nothing.

use std::path::PathBuf;

use minsheng_analytics::{
    findings::FindingsRequest,
    lake::{Lake, LakeError},
    report::Options,
};

use super::report::{notice, report_lang};
use crate::{cli::LakeOfDayArgs, error::Error, lang::Lang};

/// Returns the directory of the lake that the options name.
pub(super) fn directory_of(of: &LakeOfDayArgs) -> PathBuf {
    let own = of.lake.clone().or_else(|| of.data.as_ref().map(|data| data.join("lake")));
    own.unwrap_or_else(|| PathBuf::from("lake"))
}

/// Runs work over the lake that the options name, off the runtime's threads.
pub(super) async fn ask<T: Send + 'static, E>(
    of: LakeOfDayArgs,
    lang: Lang,
    work: impl FnOnce(&Lake, &FindingsRequest) -> Result<T, E> + Send + 'static,
) -> Result<T, Error>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let broken = |error: LakeError| Error::Analytics(Box::new(error));
    let directory = directory_of(&of);
    Lake::must_exist(&directory).map_err(broken)?;
    let options = Options { lang: report_lang(lang), notice: notice(&directory, None)?, ..Options::default() };
    let on = of.on.unwrap_or_else(crate::clock::today);
    let request = FindingsRequest { on, as_of: of.as_of, options, ..FindingsRequest::default() };
    let asked = tokio::task::spawn_blocking(move || {
        let lake = Lake::open_read_only(&directory).map_err(broken)?;
        work(&lake, &request).map_err(|error| Error::Analytics(Box::new(error)))
    });
    asked.await.map_err(Error::internal)?
}
