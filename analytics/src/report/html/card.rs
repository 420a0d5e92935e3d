//! One commitment of the region as a row of its article, with everything behind its figure.

use super::super::format;
use super::super::lang::{self, Lang};
use super::index::{Index, applies, mark};
use super::plot;
use super::view::{AreaRow, Bar, Beside, Card, Change, Fact, Words};
use crate::assessment::pace;
use crate::assessment::series::Series;
use crate::model::{AttainmentDocument, AttainmentEntry, Clause, Commitment, Direction, Kind, Reason, Status};

/// Returns a figure of the entry with its unit in both languages.
pub(super) fn figure(entry: &AttainmentEntry, value: Option<f64>) -> Option<Words> {
    value.map(|value| Words::new(format::figure(entry, value, Lang::Zh), format::figure(entry, value, Lang::En)))
}

/// Returns a difference of two figures with its unit.
pub(super) fn amount(entry: &AttainmentEntry, value: f64, lang: Lang) -> String {
    if format::is_percent(&entry.unit) {
        return format!("{}{}", format::number(value, 2), lang.pick(" 个百分点", " pp"));
    }
    let unit = lang.pick(&entry.unit_zh, &entry.unit);
    format!("{} {unit}", format::number(value, 1)).trim_end().to_owned()
}

/// Puts the row together.
pub(super) fn card(entry: &AttainmentEntry, index: &Index<'_>, document: &AttainmentDocument) -> Card {
    let commitment = index.commitments.get(entry.id.as_str()).copied();
    let series = Series::new(index.primary(&entry.id, &entry.area), document.on);
    let observations = series.observations();
    let aim = entry.target.filter(|_| entry.kind != Kind::Milestone);
    // A line that is 0 and then 1 says less than the day it was done.
    let drawn = if is_one_step(entry) { &[] } else { observations };
    Card {
        id: entry.id.clone(),
        mark: mark(entry.status),
        title: Words::new(&*entry.title_zh, &*entry.title_en),
        subtitle: subtitle(entry),
        reason: reason(entry),
        value: value(entry),
        target: target(entry),
        bar: bar(entry),
        pace: entry.pace.filter(|_| !is_one_step(entry)).map(format::pace),
        change: change(entry),
        spark: plot::spark(drawn, aim),
        curve: plot::curve(&plot::Curve {
            observations: drawn,
            target: aim,
            due: entry.due,
            forecast: entry.forecast.as_ref(),
        }),
        origin: origin(entry, index),
        facts: facts(entry, commitment, index, document),
        beside: commitment.map(|commitment| beside(commitment, entry, index)).unwrap_or_default(),
        areas: index
            .prefectures
            .iter()
            .filter_map(|area| index.entry(&entry.id, &area.code))
            .filter(|entry| applies(entry))
            .map(area_row)
            .collect(),
    }
}

/// Returns what a reader has to know beside the status: the reason for it, and whether all of the figure is approved.
fn reason(entry: &AttainmentEntry) -> Option<Words> {
    let words = entry.reason.map(lang::reason);
    let unapproved = entry.unapproved && entry.reason != Some(Reason::NotApproved);
    let unapproved = unapproved.then_some(("含未审核数", "holds figures not approved yet"));
    let all: Vec<lang::Words> = words.into_iter().chain(unapproved).collect();
    let joined =
        |pick: fn(&lang::Words) -> &'static str, comma: &str| all.iter().map(pick).collect::<Vec<_>>().join(comma);
    (!all.is_empty()).then(|| Words::new(joined(|words| words.0, "；"), joined(|words| words.1, "; ")))
}

/// Reports whether the entry is a milestone that is done or not, with nothing in between to count.
pub(super) fn is_one_step(entry: &AttainmentEntry) -> bool {
    entry.kind == Kind::Milestone && entry.target.is_none_or(|target| target <= 1.0)
}

/// A milestone of one step is done or not; a number would say less.
fn value(entry: &AttainmentEntry) -> Option<Words> {
    let one_step = is_one_step(entry) && entry.target.is_some();
    match entry.value {
        Some(value) if one_step && value >= 1.0 => Some(Words::new("已完成", "done")),
        Some(value) if one_step && value <= 0.0 => Some(Words::new("未完成", "not done")),
        value => figure(entry, value),
    }
}

fn target(entry: &AttainmentEntry) -> Option<Words> {
    figure(entry, entry.target.filter(|_| !is_one_step(entry)))
}

fn subtitle(entry: &AttainmentEntry) -> Words {
    let (basis_zh, basis_en) = lang::basis(entry.basis);
    let (source_zh, source_en) = lang::source(entry.source);
    let due = |prefix: &str, suffix: &str| entry.due.map(|due| format!(" · {prefix}{due}{suffix}")).unwrap_or_default();
    Words::new(
        format!("{basis_zh}{} · {source_zh}", due("", " 到期")),
        format!("{basis_en}{} · {source_en}", due("due ", "")),
    )
}

fn bar(entry: &AttainmentEntry) -> Option<Bar> {
    if is_one_step(entry) {
        return None;
    }
    let progress = entry.progress.or_else(|| (entry.status == Status::Met).then_some(1.0))?;
    let percent = |share: f64| format!("{:.1}", share.clamp(0.0, 1.0) * 100.0);
    let elapsed = entry
        .due
        .zip(entry.baseline)
        .zip(entry.value_on)
        .and_then(|((due, baseline), on)| pace::elapsed(baseline.on, on, due));
    Some(Bar { done: percent(progress), expected: elapsed.map(percent) })
}

fn change(entry: &AttainmentEntry) -> Option<Change> {
    let change = entry.change_12_months.filter(|_| !is_one_step(entry))?;
    let upward = matches!(entry.direction, Direction::AtLeast | Direction::Rising);
    let tone = if change.abs() < 1e-9 {
        "flat"
    } else if (change > 0.0) == upward {
        "better"
    } else {
        "worse"
    };
    let text = Words::new(format::change(entry, change, Lang::Zh), format::change(entry, change, Lang::En));
    Some(Change { text, tone })
}

fn plain(text: impl AsRef<str>) -> Words {
    Words::new(text.as_ref(), text.as_ref())
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format::number(value, 2))
}

/// Numerator, denominator, the source's position and how fresh it is: the line under every figure.
fn origin(entry: &AttainmentEntry, index: &Index<'_>) -> Words {
    let figures = |numerator: &str, denominator: &str| match (entry.numerator, entry.denominator) {
        (None, None) => String::new(),
        _ if is_one_step(entry) => String::new(),
        (up, None) => format!("{numerator} {} · ", number(up)),
        (up, down) => format!("{numerator} {} / {denominator} {} · ", number(up), number(down)),
    };
    let position = |word: &str| {
        let source = index.sources.get(entry.service.as_str());
        source.map(|source| format!(" · {word} #{}", source.position)).unwrap_or_default()
    };
    let fresh = |word: &str| entry.value_on.map(|on| format!(" · {word} {on}")).unwrap_or_default();
    let late = |word: &str| if index.is_unreached(&entry.service) { format!(" · {word}") } else { String::new() };
    Words::new(
        format!(
            "{}{}{}{}{}",
            figures("分子", "分母"),
            entry.dataset,
            position("位置"),
            fresh("数据日期"),
            late("部门未连通")
        ),
        format!(
            "{}{}{}{}{}",
            figures("numerator", "denominator"),
            entry.dataset,
            position("position"),
            fresh("true for"),
            late("department not reached")
        ),
    )
}

/// Where a commitment stands in the notice.
fn clause_of(article: u8, clause: Clause) -> Words {
    let Clause { item, promise } = clause;
    Words::new(
        format!("通知（{}）第 {item} 句第 {promise} 项", lang::article_numeral(article)),
        format!("notice, article {article}, sentence {item}, promise {promise}"),
    )
}

/// What was promised, by whom, and how it is measured.
fn facts_of_commitment(article: u8, commitment: &Commitment) -> Vec<Fact> {
    let mut out = Vec::new();
    let mut fact = |zh: &str, en: &str, text: Words| out.push(Fact { label: Words::new(zh, en), text });
    if !commitment.promise.zh.is_empty() {
        fact("承诺", "Promise", (&commitment.promise).into());
    }
    if let Some(clause) = commitment.clause {
        fact("出处", "Clause", clause_of(article, clause));
    }
    fact("统计口径", "Measure", (&commitment.measure).into());
    if let Some(waits_for) = &commitment.waits_for {
        fact("尚待", "Waits for", waits_for.into());
    }
    if let Some(window) = commitment.window {
        fact("统计区间", "Window", lang::window(window).into());
    }
    if let Some((due, basis)) = commitment.due.zip(commitment.due_basis) {
        let (zh, en) = lang::due_basis(basis);
        fact("期限", "Due", Words::new(format!("{due}（{zh}）"), format!("{due}, {en}")));
    }
    let names = |pick: fn((&str, &str)) -> String, comma: &str| {
        commitment.leads.iter().map(|lead| pick(lang::department(lead))).collect::<Vec<_>>().join(comma)
    };
    let zh = names(|(zh, _)| zh.to_owned(), "、");
    let en = names(|(_, en)| en.to_owned(), ", ");
    fact("责任单位", "Responsible", Words::new(zh, en));
    if let Some(standard) = &commitment.standard {
        let figure = |unit: &str| format!("{} {unit}", format::number(standard.value, 2));
        fact("标准", "Standard", Words::new(figure(&standard.unit.zh), figure(&standard.unit.en)));
    }
    out
}

fn facts(
    entry: &AttainmentEntry,
    commitment: Option<&Commitment>,
    index: &Index<'_>,
    document: &AttainmentDocument,
) -> Vec<Fact> {
    let mut out = commitment.map(|commitment| facts_of_commitment(entry.article, commitment)).unwrap_or_default();
    let mut fact = |zh: &str, en: &str, text: Words| out.push(Fact { label: Words::new(zh, en), text });
    if let Some(parts) = &entry.parts {
        let (zh, en) = lang::parts(parts);
        fact("所辖地区", "Areas below", Words::new(zh, en));
    }
    if entry.unapproved {
        let text = Words::new("含未经审核的报送数", "holds figures that nobody but their filer has approved");
        fact("审核", "Approval", text);
    }
    if entry.suppressed {
        let why = Words::new("人数过少，或可由其他数字推算", "too few persons, or others would give it away");
        fact("不公开", "Withheld", why);
    }
    if !is_one_step(entry) {
        fact("分子", "Numerator", plain(number(entry.numerator)));
        fact("分母", "Denominator", plain(number(entry.denominator)));
    }
    if let Some(baseline) = entry.baseline.filter(|_| !is_one_step(entry)) {
        let figure = figure(entry, Some(baseline.value)).unwrap_or_default();
        let text = |figure: &str| format!("{figure} · {}", baseline.on);
        fact("基期", "Baseline", Words::new(text(&figure.zh), text(&figure.en)));
    }
    if let Some(on) = entry.met_on {
        fact("达成日期", "Holds since", plain(on.to_string()));
    }
    if let Some(pace) = entry.pace.filter(|_| !is_one_step(entry)) {
        let rates = |growth: &str, projected: &str| {
            let ratio = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
            format!(
                "P {} · {growth} {} · {projected} {}",
                format::pace(pace),
                ratio(entry.growth_ratio),
                ratio(entry.projected_progress)
            )
        };
        fact(
            "进度",
            "Pace",
            Words::new(rates("增速比", "预计完成比 q"), rates("growth ratio", "projected progress q")),
        );
    }
    if let Some(forecast) = forecast(entry) {
        fact("预测", "Forecast", forecast);
    }
    if let Some(reported) = entry.completeness {
        let oldest = |word: &str| reported.oldest.map(|day| format!(" · {word} {day}")).unwrap_or_default();
        let share = format!("{} / {}", reported.areas_reported, reported.areas_expected);
        fact(
            "报送情况",
            "Reported",
            Words::new(format!("{share} 个地区{}", oldest("最旧")), format!("{share} areas{}", oldest("oldest"))),
        );
    }
    if let Some(source) = index.sources.get(entry.service.as_str()) {
        let name = lang::service(&entry.service);
        let until = source.recorded_until.map_or_else(|| "–".to_owned(), format::micros);
        let days = source.recorded_until.map(|until| format::age_in_days(until, document));
        let age = |text: fn(i64) -> String| days.map(text).unwrap_or_default();
        fact(
            "来源",
            "Source",
            Words::new(
                format!(
                    "{} {} · 位置 #{} · 记录至 {until}{}",
                    name.0,
                    entry.dataset,
                    source.position,
                    age(|days| format!("（{days} 天前）"))
                ),
                format!(
                    "{} {} · position #{} · recorded until {until}{}",
                    name.1,
                    entry.dataset,
                    source.position,
                    age(|days| format!(" ({} ago)", format::days(days)))
                ),
            ),
        );
    }
    out
}

fn forecast(entry: &AttainmentEntry) -> Option<Words> {
    let forecast = entry.forecast?;
    let sentence = |lang: Lang| {
        let figure = |value: f64| format::figure(entry, value, lang);
        let level = format::share(forecast.level);
        let interval = forecast.value.zip(forecast.low).zip(forecast.high);
        let figures = interval.map(|((value, low), high)| (figure(value), figure(low), figure(high)));
        let (on, ahead, tested) = (forecast.on, forecast.months_ahead, forecast.months_tested);
        let mut text = match (figures, lang) {
            (Some((value, low, high)), Lang::Zh) => format!("{on} 预计 {value}，{level} 区间 {low} 至 {high}"),
            (Some((value, low, high)), Lang::En) => {
                format!("{value} expected on {on}, {level} interval {low} to {high}")
            }
            (None, Lang::Zh) => {
                format!("{on} 距今 {ahead} 个月，历史数据只够检验 {tested} 个月的预测，不作数值和概率预测")
            }
            (None, Lang::En) => format!(
                "{on} is {ahead} months ahead; the history allows forecasts of {tested} to be tried, so no value and no probability"
            ),
        };
        if let Some(probability) = forecast.probability {
            let word = lang.pick("；届时达标概率 ", "; probability that the target holds then ");
            text.push_str(word);
            text.push_str(&format::probability(probability));
        }
        if let Some(on) = forecast.met_on {
            text.push_str(lang.pick("；预计达成 ", "; expected to be met "));
            text.push_str(&on.to_string());
        }
        if let Some(needed) = forecast.needed_per_month {
            text.push_str(lang.pick("；今后每月需 ", "; needed per month from now "));
            text.push_str(&amount(entry, needed, lang));
        }
        if forecast.needed_per_month.is_some() || forecast.value.is_none() {
            text.push_str(lang.pick("；近期每月 ", "; of late "));
            text.push_str(&format::change(entry, forecast.pace_per_month, lang));
        }
        let (zh, en) = lang::method(forecast.method);
        text.push_str(lang.pick("（", " ("));
        text.push_str(lang.pick(zh, en));
        text.push_str(lang.pick("）", ")"));
        text
    };
    Some(Words::new(sentence(Lang::Zh), sentence(Lang::En)))
}

fn beside(commitment: &Commitment, entry: &AttainmentEntry, index: &Index<'_>) -> Vec<Beside> {
    commitment
        .secondary
        .iter()
        .filter_map(|secondary| {
            let row = index.newest(&entry.id, &entry.area, &secondary.name)?;
            let value = |lang| {
                row.value.map_or_else(
                    || "–".to_owned(),
                    |value| format::with_unit(value, &secondary.unit.zh, &secondary.unit.en, lang),
                )
            };
            Some(Beside {
                title: (&secondary.title).into(),
                month: format::month(row.month),
                numerator: number(row.numerator),
                denominator: number(row.denominator),
                value: Words::new(value(Lang::Zh), value(Lang::En)),
            })
        })
        .collect()
}

fn area_row(entry: &AttainmentEntry) -> AreaRow {
    let withheld = || Words::new("※ 不公开", "※ withheld");
    let change = |lang| entry.change_12_months.map(|change| format::change(entry, change, lang)).unwrap_or_default();
    AreaRow {
        name: Words::new(&*entry.area_name_zh, &*entry.area_name_en),
        mark: mark(entry.status),
        reason: reason(entry),
        numerator: number(entry.numerator),
        denominator: number(entry.denominator),
        value: if entry.suppressed { withheld() } else { figure(entry, entry.value).unwrap_or_else(|| plain("–")) },
        change: Words::new(change(Lang::Zh), change(Lang::En)),
    }
}
