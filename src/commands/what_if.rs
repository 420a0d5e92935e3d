//! `what-if`: which verdicts another target, due date or parameter would change.

use std::{process::ExitCode, sync::Arc};

use minsheng_analytics::{
    catalogue::Areas,
    model::wire::number_text,
    report::lang as words,
    what_if::{Change, Consequences, Standing, what_if},
};

use super::lake_of_day::ask;
use crate::{catalogue, cli::WhatIfArgs, error::Error, lang::Lang, output, said};

/// Runs the command.
pub(super) async fn run(arguments: WhatIfArgs, lang: Lang) -> Result<ExitCode, Error> {
    let WhatIfArgs { commitment, target, due, parameter, of, json } = arguments;
    let change = Change { commitment, target, due, parameters: parameter.into_iter().collect() };
    let catalogue = Arc::clone(catalogue::get()?);
    let found = ask(of, lang, move |lake, request| what_if(&catalogue, lake, &change, request)).await?;
    if json {
        output::line(serde_json::to_string_pretty(&found).map_err(Error::internal)?);
    } else {
        lines(&found, lang).iter().for_each(output::line);
    }
    Ok(ExitCode::SUCCESS)
}

/// Says in a language what would follow, a line each.
fn lines(found: &Consequences, lang: Lang) -> Vec<String> {
    let Consequences { on, commitment, changed, unchanged, withheld } = found;
    let count = changed.len();
    let mut all = vec![said!(
        lang,
        "{commitment}，{on}：{count} 个区划的结论会改变，{unchanged} 个不变，{withheld} 个因数字已隐去而不说",
        "{commitment} on {on}: {count} verdicts would change, {unchanged} would not, {withheld} are not told because \
         their figures are withheld"
    )];
    let areas = Areas::of_the_region();
    let name =
        |code: &str| areas.get(code).map_or_else(String::new, |area| lang.of(&area.name_zh, &area.name_en).to_owned());
    for one in changed {
        let (area, name) = (&one.area, output::pad(&name(&one.area), 16));
        let (before, after) = (told(one.before, lang), told(one.after, lang));
        all.push(format!("  {area} {name} {before} → {after}"));
    }
    all
}

fn told(standing: Standing, lang: Lang) -> String {
    let pick = |words: (&'static str, &'static str)| lang.of(words.0, words.1);
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), number_text);
    let status = pick(words::status(standing.status));
    let reason = standing.reason.map_or_else(String::new, |reason| format!(" ({})", pick(words::reason(reason))));
    format!("{status}{reason} {} / {}", number(standing.value), number(standing.target))
}
