//! `explain`: what stands behind a figure, for the terminal or as JSON.

use std::{process::ExitCode, sync::Arc};

use minsheng_analytics::{
    explain::{Asked, Explanation, Matters, Records, explain},
    model::wire::{instant_text, number_text},
    report::{format, lang as words},
};

use super::lake_of_day::ask;
use crate::{catalogue, cli::ExplainArgs, error::Error, lang::Lang, output, said};

/// Areas without a figure that are named.
const AREAS_NAMED: usize = 8;

/// Runs the command.
pub(super) async fn run(arguments: ExplainArgs, lang: Lang) -> Result<ExitCode, Error> {
    let ExplainArgs { commitment, area, of, records, json } = arguments;
    let catalogue = Arc::clone(catalogue::get()?);
    let explained = ask(of, lang, move |lake, request| {
        explain(&catalogue, lake, Asked { commitment: &commitment, area: &area, records }, request)
    });
    let explained = explained.await?;
    if json {
        output::line(serde_json::to_string_pretty(&explained).map_err(Error::internal)?);
    } else {
        lines(&explained, lang).iter().for_each(output::line);
    }
    Ok(ExitCode::SUCCESS)
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), number_text)
}

/// Says an explanation in a language, a line each.
fn lines(explained: &Explanation, lang: Lang) -> Vec<String> {
    let entry = &explained.entry;
    let (title, area) = (lang.of(&entry.title_zh, &entry.title_en), lang.of(&entry.area_name_zh, &entry.area_name_en));
    let (article, id, code, on) = (entry.article, &entry.id, &entry.area, explained.on);
    let as_of = format::instant(explained.as_of);
    let leads: Vec<&str> =
        explained.leads.iter().map(|lead| words::department(lead)).map(|(zh, en)| lang.of(zh, en)).collect();
    let (leads, text) = (leads.join(lang.of("、", ", ")), lang.of(&explained.text.zh, &explained.text.en));
    let basis = pick(words::basis(entry.basis), lang);
    let mut all = vec![
        said!(
            lang,
            "{title}（{id}，通知第 {article} 条，{basis}）",
            "{title} ({id}, article {article} of the notice, {basis})"
        ),
        said!(lang, "  统计口径：{text}", "  counted: {text}"),
        said!(lang, "  责任部门：{leads}", "  responsible: {leads}"),
        said!(lang, "{area}（{code}），{on}，记录截至 {as_of}", "{area} ({code}) on {on}, records up to {as_of}"),
    ];
    all.extend(verdict(explained, lang));
    for one in &explained.beside {
        let (measure, month, value) = (&one.measure, one.month.format("%Y-%m"), figure(one.value));
        let (part, whole) = (figure(one.numerator), figure(one.denominator));
        all.push(format!("  {measure} {month}: {value} ({part} / {whole})"));
    }
    all.push(said!(lang, "怎样统计", "How it is counted"));
    for one in &explained.definitions {
        let (measure, title) = (&one.measure, lang.of(&one.title.zh, &one.title.en));
        let (unit, dataset) = (lang.of(&one.unit.zh, &one.unit.en), &one.dataset);
        let source = pick(words::source(one.source), lang);
        all.push(said!(
            lang,
            "  {measure}（{unit}）{title}：{dataset}，{source}",
            "  {measure} ({unit}) {title}: {dataset}, {source}"
        ));
        all.extend(one.expressions.iter().map(|(what, sql)| format!("    {what}: {sql}")));
    }
    if !explained.parameters.is_empty() {
        all.push(said!(lang, "当日有效的参数", "Parameters in force"));
    }
    for one in &explained.parameters {
        let (name, value, from) = (&one.name, one.value, one.from);
        let key = one.key.as_deref().unwrap_or(lang.of("目录自定", "stated by the catalogue"));
        let until = one.until.map_or_else(String::new, |until| until.to_string());
        all.push(format!("  {name} = {value}  {key}  {from} – {until}"));
    }
    all.extend(records(&explained.records, lang));
    all.push(said!(lang, "来源", "Sources"));
    for source in &explained.sources {
        let (service, position) = (pick(words::service(&source.service), lang), source.position);
        let until = source.recorded_until.and_then(instant_text).unwrap_or_else(|| "–".to_owned());
        all.push(said!(
            lang,
            "  {service}：变更日志第 {position} 条，读到 {until}",
            "  {service}: position {position} of its journal, read to {until}"
        ));
    }
    all.extend(missing(explained, lang));
    all
}

fn pick(words: (&str, &str), lang: Lang) -> String {
    lang.of(words.0, words.1).to_owned()
}

fn verdict(explained: &Explanation, lang: Lang) -> Vec<String> {
    let entry = &explained.entry;
    let status = pick(words::status(entry.status), lang);
    let reason = entry.reason.map_or_else(String::new, |reason| {
        let reason = pick(words::reason(reason), lang);
        said!(lang, "：{reason}", ": {reason}")
    });
    let unit = lang.of(&entry.unit_zh, &entry.unit);
    let value = match entry.value {
        _ if entry.suppressed => said!(lang, "已隐去：可能指向个人", "withheld: it could point to a person"),
        Some(value) => format!("{} {unit}", number_text(value)),
        None => said!(lang, "无", "none"),
    };
    let (part, whole) = (figure(entry.numerator), figure(entry.denominator));
    let value_on = entry.value_on.map_or_else(|| "–".to_owned(), |day| day.to_string());
    let mut all = vec![
        said!(lang, "  结论：{status}{reason}", "  verdict: {status}{reason}"),
        said!(
            lang,
            "  数值：{value}（{value_on}），分子 {part}，分母 {whole}",
            "  figure: {value} (on {value_on}), numerator {part}, denominator {whole}"
        ),
    ];
    if let Some(target) = entry.target {
        let (target, due) = (number_text(target), entry.due.map_or_else(|| "–".to_owned(), |due| due.to_string()));
        let pace = figure(entry.pace);
        all.push(said!(
            lang,
            "  目标：{target} {unit}，期限 {due}，进度 P {pace}",
            "  target: {target} {unit} by {due}, pace P {pace}"
        ));
    }
    all
}

fn records(records: &Records, lang: Lang) -> Vec<String> {
    match records {
        Records::Persons => vec![said!(
            lang,
            "背后的记录：关于个人，不列出",
            "The records behind it are about persons and are not named"
        )],
        Records::Withheld => {
            vec![said!(
                lang,
                "背后的记录：数字已隐去，不列出",
                "The figure is withheld, and so are the records behind it"
            )]
        }
        Records::NoFigure => {
            vec![said!(lang, "没有数字，也就没有背后的记录", "There is no figure, and no record behind it")]
        }
        Records::Named { total, first } => {
            let shown = first.len();
            let mut all = vec![said!(
                lang,
                "背后的记录：{total} 条，前 {shown} 条",
                "Records behind it: {total}, the first {shown}"
            )];
            for one in first {
                let role = match (one.in_numerator, one.in_denominator) {
                    (true, _) => said!(lang, "计入分子", "in the numerator"),
                    (false, true) => said!(lang, "只计入分母", "in the denominator only"),
                    (false, false) => said!(lang, "参与，不计数", "takes part, adds nothing"),
                };
                let (record, area, from, position) = (&one.record, &one.area, one.from, one.position);
                let until = one.until.map_or_else(String::new, |until| until.to_string());
                all.push(format!("  {record}  {area}  {from} – {until}  #{position}  {role}"));
            }
            all
        }
    }
}

fn missing(explained: &Explanation, lang: Lang) -> Vec<String> {
    let missing = &explained.missing;
    let named = |areas: Vec<String>| {
        let more = areas.len().saturating_sub(AREAS_NAMED);
        let mut text = areas.into_iter().take(AREAS_NAMED).collect::<Vec<_>>().join(lang.of("、", ", "));
        if more > 0 {
            text.push_str(&said!(lang, " 等，另 {more} 个", " and {more} more"));
        }
        text
    };
    let (expected, late, never) = (missing.areas_expected, missing.late.len(), missing.never.len());
    let mut all = vec![said!(
        lang,
        "缺什么：应报 {expected} 个区划，迟报 {late} 个，从未报送 {never} 个",
        "What is missing: of {expected} areas {late} are late and {never} never reported"
    )];
    if late > 0 {
        let areas = missing.late.iter().map(|(area, newest)| {
            newest.map_or_else(|| area.clone(), |month| format!("{area} ({})", month.format("%Y-%m")))
        });
        let areas = named(areas.collect());
        all.push(said!(lang, "  迟报：{areas}", "  late: {areas}"));
    }
    if never > 0 {
        let areas = named(missing.never.iter().cloned().collect());
        all.push(said!(lang, "  从未报送：{areas}", "  never: {areas}"));
    }
    for service in &missing.incomplete_sources {
        let service = pick(words::service(service), lang);
        all.push(said!(
            lang,
            "  {service}的记录未读到截止时刻",
            "  records of {service} are not known up to the instant of the figure"
        ));
    }
    all.push(match missing.matters {
        Matters::NothingMissing => said!(lang, "  没有缺漏", "  nothing is missing"),
        Matters::No => said!(lang, "  不影响结论", "  it does not change the verdict"),
        Matters::Yes => said!(lang, "  因此不能下结论", "  because of it there is no verdict"),
    });
    all
}
