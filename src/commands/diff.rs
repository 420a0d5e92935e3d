//! `diff`: what is different between two reports, restatements apart from news, with the records that did it.

use std::{process::ExitCode, sync::Arc};

use minsheng_analytics::{
    diff::{
        Changed, Did, DiffError, Difference, FigureChange, Numbers, Published, StatusChange, diff, look_for_records,
    },
    findings::{Findings, FindingsRequest},
    job::JobError,
    lake::Lake,
    model::{Status, wire::number_text},
    report::lang as words,
};
use minsheng_catalogue::Catalogue;

use super::lake_of_day::{ask, directory_of};
use crate::{catalogue, cli::DiffArgs, error::Error, lang::Lang, output, said};

/// Why two reports could not be compared.
#[derive(Debug, thiserror::Error)]
enum CompareError {
    #[error("the figures cannot be computed")]
    Figures(#[from] JobError),
    #[error(transparent)]
    Diff(#[from] DiffError),
}

/// Runs the command.
pub(super) async fn run(arguments: DiffArgs, lang: Lang) -> Result<ExitCode, Error> {
    let DiffArgs { reports, from_on, from_as_of, of, most, json } = arguments;
    let catalogue = Arc::clone(catalogue::get()?);
    let broken = |error: DiffError| Error::Analytics(Box::new(error));
    let difference = if let [before, after] = reports.as_slice() {
        let (before, after) = (Published::read(before).map_err(broken)?, Published::read(after).map_err(broken)?);
        if Lake::must_exist(&directory_of(&of)).is_ok() {
            let work = move |lake: &Lake, request: &FindingsRequest| {
                let request = FindingsRequest { on: after.on, as_of: Some(after.as_of), ..request.clone() };
                let reference = Findings::of(&catalogue, lake, &request)?.reference;
                let mut difference = diff(&before, &after);
                look_for_records(&mut difference, &before, &after, &catalogue, lake, &reference)?;
                Ok::<_, CompareError>(difference)
            };
            ask(of, lang, work).await?
        } else {
            diff(&before, &after)
        }
    } else {
        let work = move |lake: &Lake, request: &FindingsRequest| {
            let earlier = FindingsRequest {
                on: from_on.unwrap_or(request.on),
                as_of: from_as_of.or(request.as_of),
                ..request.clone()
            };
            compare(&catalogue, lake, &earlier, request)
        };
        ask(of, lang, work).await?
    };
    if json {
        output::line(serde_json::to_string_pretty(&difference).map_err(Error::internal)?);
    } else {
        lines(&difference, most, lang).iter().for_each(output::line);
    }
    Ok(ExitCode::SUCCESS)
}

fn compare(
    catalogue: &Catalogue,
    lake: &Lake,
    earlier: &FindingsRequest,
    later: &FindingsRequest,
) -> Result<Difference, CompareError> {
    let was = Findings::of(catalogue, lake, earlier)?;
    let is = Findings::of(catalogue, lake, later)?;
    let (before, after) = (Published::of(&was), Published::of(&is));
    let mut difference = diff(&before, &after);
    look_for_records(&mut difference, &before, &after, catalogue, lake, &is.reference)?;
    Ok(difference)
}

/// Says a difference in a language, a line each.
fn lines(difference: &Difference, most: usize, lang: Lang) -> Vec<String> {
    let ((on, as_of), (later_on, later_as_of)) = (&difference.before, &difference.after);
    let mut all = vec![said!(
        lang,
        "{on}（记录截至 {as_of}）→ {later_on}（记录截至 {later_as_of}）",
        "{on} (records up to {as_of}) → {later_on} (records up to {later_as_of})"
    )];
    if difference.catalogue_changed {
        all.push(said!(
            lang,
            "目录版本不同：变化可能出自口径，不查找记录",
            "The catalogues differ: a change may be one of definition, and no records are looked for"
        ));
    }
    let count = difference.statuses.len();
    all.push(said!(lang, "结论改变：{count}", "Verdicts that changed: {count}"));
    all.extend(difference.statuses.iter().take(most).map(|change| verdict(change, lang)));
    all.extend(left(count, most, lang));
    let count = difference.restatements.len();
    all.push(said!(
        lang,
        "修订（同一月份、同一日期，因后来得知的记录而不同）：{count}",
        "Restated (the same day, another figure by what became known later): {count}"
    ));
    all.extend(difference.restatements.iter().take(most).flat_map(|change| figure(change, most, lang)));
    all.extend(left(count, most, lang));
    let count = difference.news.len();
    all.push(said!(lang, "新增（较晚日期带来的数字）：{count}", "News (figures of a later day): {count}"));
    all.extend(difference.news.iter().take(most).flat_map(|change| figure(change, most, lang)));
    all.extend(left(count, most, lang));
    all
}

fn left(count: usize, most: usize, lang: Lang) -> Option<String> {
    let left = count.checked_sub(most).filter(|left| *left > 0)?;
    Some(said!(lang, "  另有 {left} 项，见 --json 或 --most", "  and {left} more, by --json or --most"))
}

fn verdict(change: &StatusChange, lang: Lang) -> String {
    let told = |status: Option<Status>| {
        let words = status.map_or(("–", "–"), words::status);
        lang.of(words.0, words.1)
    };
    format!("  {} {}: {} → {}", change.commitment, change.area, told(change.before), told(change.after))
}

fn figure(change: &FigureChange, most: usize, lang: Lang) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), number_text);
    let told = |numbers: Option<Numbers>| match numbers {
        None => "–".to_owned(),
        Some(Numbers { numerator: None, denominator: None, value: None }) => {
            said!(lang, "已隐去或无", "withheld or none")
        }
        Some(Numbers { numerator, denominator: Some(whole), value }) => {
            format!("{} ({}/{})", number(value), number(numerator), number_text(whole))
        }
        Some(Numbers { numerator, denominator: None, value }) => number(value.or(numerator)),
    };
    let (commitment, measure, area, month) =
        (&change.commitment, &change.measure, &change.area, change.month.format("%Y-%m"));
    let mut all =
        vec![format!("  {commitment} {measure} {area} {month}: {} → {}", told(change.before), told(change.after))];
    match &change.records {
        Changed::Named { records } => {
            for one in records.iter().take(most) {
                let did = match one.did {
                    Did::Came => said!(lang, "新计入", "came"),
                    Did::Went => said!(lang, "不再计入", "went"),
                    Did::Changed => said!(lang, "已变更", "changed"),
                };
                all.push(format!("    {} {} {did}", one.record, one.area));
            }
            all.extend(left(records.len(), most, lang).map(|text| format!("  {text}")));
        }
        Changed::Persons => all.push(said!(lang, "    记录关于个人，不列出", "    its records are about persons")),
        Changed::Filed => all.push(said!(lang, "    由部门报送", "    it was filed")),
        Changed::NotLookedFor => {}
    }
    all
}
