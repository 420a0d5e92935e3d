//! Puts the page together: scoreboard, what needs attention, articles, prefectures, back-tests, sources.

use super::super::lang::{self, Lang};
use super::super::{Options, Report, format, in_order_of_urgency};
use super::card;
use super::index::{Index, applies, mark};
use super::view::{AreaScore, Article, MatrixCell, MatrixRow, Page, Source, Tally, Trial, Urgent, Words};
use crate::forecast::LEVEL;
use crate::model::{AttainmentDocument, AttainmentEntry, Calibration, Kind, SourceRun, SourceState, Status};

fn tallies<'a>(entries: &(impl Iterator<Item = &'a AttainmentEntry> + Clone)) -> Vec<Tally> {
    let total = entries.clone().count().max(1);
    Status::ALL
        .iter()
        .map(|status| {
            let count = entries.clone().filter(|entry| entry.status == *status).count();
            let per_mille = count * 1000 / total;
            Tally { mark: mark(*status), count, share: format!("{}.{}", per_mille / 10, per_mille % 10) }
        })
        .collect()
}

/// Puts the page together.
pub(super) fn page(report: &Report<'_>, options: &Options) -> Page {
    let index = Index::new(report);
    let document = report.document;
    let region: Vec<&AttainmentEntry> = document.region_entries().collect();
    let view = |source: &SourceState| source_view(source, report.run.get(&source.service), document);
    let asked = |source: &SourceState| report.run.get(&source.service).is_none_or(|became| !became.not_asked);
    Page {
        lang: options.lang.code(),
        on: document.on.to_string(),
        as_of: format::instant(document.as_of),
        catalogue: document.catalogue.clone(),
        notice: document.notice.as_ref().map(|notice| Words::new(&*notice.zh, &*notice.en)),
        heads: document.notice.as_ref().map(|notice| (in_style(&notice.zh), in_style(&notice.en))),
        headline: headline(&region),
        total: region.len(),
        tallies: tallies(&region.iter().copied()),
        unreached: document.sources.iter().filter(|source| index.is_unreached(&source.service)).map(view).collect(),
        not_asked: !document.sources.is_empty() && !document.sources.iter().any(asked),
        urgent: urgent(&region),
        articles: articles(&region, &index, document),
        area_names: index.prefectures.iter().map(|area| Words::new(&*area.name_zh, &*area.name_en)).collect(),
        area_scores: area_scores(document, &index),
        matrix: region.iter().map(|entry| matrix_row(entry, &index)).collect(),
        trials: region.iter().filter_map(|entry| trial(entry)).collect(),
        calibration: document.calibration.as_ref().map(calibration),
        probabilities: probabilities(&region),
        sources: document.sources.iter().map(view).collect(),
        withheld: document.commitments.iter().filter(|entry| entry.suppressed).count(),
        suppress_below: options.suppress_below,
    }
}

/// A text as the content of a style rule, where nothing can be escaped for certain: without what could end it.
fn in_style(text: &str) -> String {
    text.chars()
        .filter(|letter| !matches!(letter, '"' | '\\' | '<' | '>' | '&' | '\'') && !letter.is_control())
        .collect()
}

/// The sentence that a leader reads first.
fn headline(region: &[&AttainmentEntry]) -> Words {
    let count = |status| region.iter().filter(|entry| entry.status == status).count();
    let (met, late) = (count(Status::Met) + count(Status::MetLate), count(Status::MetLate));
    let behind = count(Status::AtRisk) + count(Status::OffTrack);
    let unknown = count(Status::NotAssessable);
    // The tiles below count the late ones apart, so the sentence says how many of the met they are.
    let of_them = |zh: bool| match (late, zh) {
        (0, _) => String::new(),
        (_, true) => format!("（其中 {late} 项为逾期达成）"),
        (_, false) => format!(" ({late} of them late)"),
    };
    Words::new(
        format!(
            "{} 项举措中，{met} 项已达成{}，{} 项进展正常，{behind} 项落后于进度，{} 项逾期未达；{} 项只有方向、没有指标，{unknown} 项目前无法评定。",
            region.len(),
            of_them(true),
            count(Status::OnTrack),
            count(Status::Missed),
            count(Status::TrendOnly),
        ),
        format!(
            "Of {} commitments: {met} met{}, {} on track, {behind} behind the pace, {} past their date and not met; {} with a direction but no number, {unknown} not assessable for now.",
            region.len(),
            of_them(false),
            count(Status::OnTrack),
            count(Status::Missed),
            count(Status::TrendOnly),
        ),
    )
}

fn urgent(region: &[&AttainmentEntry]) -> Vec<Urgent> {
    in_order_of_urgency(region.iter().copied())
        .into_iter()
        .map(|entry| Urgent {
            id: entry.id.clone(),
            mark: mark(entry.status),
            title: Words::new(&*entry.title_zh, &*entry.title_en),
            value: if entry.suppressed { Some(Words::new("※", "※")) } else { card::figure(entry, entry.value) },
            target: card::figure(entry, entry.target),
            note: note(entry),
        })
        .collect()
}

/// What is lacking, in a few words: of the area itself, and in those below.
fn note(entry: &AttainmentEntry) -> Words {
    let own = lacks(entry).then(|| lacking(entry));
    let parts = entry.parts.filter(|parts| parts.lagging() > 0).map(|parts| lang::parts(&parts).into());
    let all: Vec<Words> = own.into_iter().chain(parts).collect();
    let joined = |pick: fn(&Words) -> &str, comma: &str| all.iter().map(pick).collect::<Vec<_>>().join(comma);
    Words::new(joined(|words| &words.zh, "；"), joined(|words| &words.en, "; "))
}

/// Reports whether the area's own figure is behind.
fn lacks(entry: &AttainmentEntry) -> bool {
    matches!(entry.status, Status::Missed | Status::OffTrack | Status::AtRisk)
}

fn lacking(entry: &AttainmentEntry) -> Words {
    let gap = entry.value.zip(entry.target).map(|(value, target)| (target - value).abs());
    let lacking = |lang| gap.map(|gap| card::amount(entry, gap, lang)).unwrap_or_default();
    match (entry.due, entry.status) {
        (Some(due), Status::Missed) => Words::new(
            format!("{due} 到期，差 {}", lacking(Lang::Zh)),
            format!("was due {due}, short by {}", lacking(Lang::En)),
        ),
        (Some(due), _) => {
            let needed = |lang| {
                let per_month = entry.forecast.and_then(|forecast| forecast.needed_per_month)?;
                Some(card::amount(entry, per_month, lang))
            };
            match (needed(Lang::Zh), needed(Lang::En)) {
                (Some(zh), Some(en)) => {
                    Words::new(format!("{due} 到期，每月还需 {zh}"), format!("due {due}, needs {en} a month from now"))
                }
                _ => Words::new(
                    format!("{due} 到期，差 {}", lacking(Lang::Zh)),
                    format!("due {due}, short by {}", lacking(Lang::En)),
                ),
            }
        }
        (None, _) => Words::new(
            format!("应持续达到，差 {}", lacking(Lang::Zh)),
            format!("must hold every day, short by {}", lacking(Lang::En)),
        ),
    }
}

fn articles(region: &[&AttainmentEntry], index: &Index<'_>, document: &AttainmentDocument) -> Vec<Article> {
    (1..=10_u8)
        .filter_map(|number| {
            let own = region.iter().copied().filter(move |entry| entry.article == number);
            let total = own.clone().count();
            (total > 0).then(|| Article {
                number,
                numeral: lang::article_numeral(number),
                title: lang::article(number).into(),
                total,
                tallies: tallies(&own).into_iter().filter(|tally| tally.count > 0).collect(),
                cards: own.map(|entry| card::card(entry, index, document)).collect(),
            })
        })
        .collect()
}

fn area_scores(document: &AttainmentDocument, index: &Index<'_>) -> Vec<AreaScore> {
    index
        .prefectures
        .iter()
        .map(|area| AreaScore {
            name: Words::new(&*area.name_zh, &*area.name_en),
            tallies: tallies(&document.commitments.iter().filter(|entry| entry.area == area.code && applies(entry))),
        })
        .collect()
}

fn matrix_row(entry: &AttainmentEntry, index: &Index<'_>) -> MatrixRow {
    let areas =
        std::iter::once(Some(entry)).chain(index.prefectures.iter().map(|area| index.entry(&entry.id, &area.code)));
    MatrixRow {
        id: entry.id.clone(),
        title: Words::new(&*entry.title_zh, &*entry.title_en),
        cells: areas.map(matrix_cell).collect(),
    }
}

fn matrix_cell(entry: Option<&AttainmentEntry>) -> MatrixCell {
    let Some(entry) = entry.filter(|entry| applies(entry)) else {
        return MatrixCell { code: "none", sign: "", text: String::new(), hint: String::new() };
    };
    let text = match entry.value {
        _ if entry.suppressed => "※".to_owned(),
        // Done or not done: the sign says it, a 1 or 0 would ask what of.
        _ if card::is_one_step(entry) => String::new(),
        Some(value) if format::is_percent(&entry.unit) => format::percent(value),
        Some(value) => format::number(value, 1),
        None => "–".to_owned(),
    };
    let hint = match (entry.numerator, entry.denominator) {
        (Some(numerator), Some(denominator)) => {
            format!("{} / {}", format::number(numerator, 2), format::number(denominator, 2))
        }
        _ => String::new(),
    };
    MatrixCell { code: lang::status_code(entry.status), sign: lang::status_sign(entry.status), text, hint }
}

/// What the forecasts are worth together, in a sentence.
fn calibration(tried: &Calibration) -> Words {
    let (figures, forecasts) = (tried.figures, tried.forecasts);
    let (covered, naive) = (format::share(tried.interval_coverage), format::share(tried.naive_interval_coverage));
    let level = format::share(LEVEL);
    let scores = tried.brier.zip(tried.base_rate_brier);
    let scores = scores.map(|(own, base)| (format!("{own:.3}"), format!("{base:.3}")));
    let brier = |text: fn(&str, &str) -> String| scores.as_ref().map(|(own, base)| text(own, base)).unwrap_or_default();
    let zh = brier(|own, base| format!("概率的 Brier 分数为 {own}，只用总体达标率作预测为 {base}，越小越好。"));
    let en = brier(|own, base| {
        format!(
            " The probabilities' Brier score is {own}; whoever always says the base rate gets {base}; less is better."
        )
    });
    Words::new(
        format!("{figures} 个指标共 {forecasts} 次检验：{level} 区间实际覆盖 {covered}（维持现状为 {naive}）。{zh}"),
        format!(
            "{forecasts} trials of {figures} figures: the {level} intervals held {covered} of the values (\"stays as it is\": {naive}).{en}"
        ),
    )
}

/// How many commitments have a probability, and why the others have none.
fn probabilities(region: &[&AttainmentEntry]) -> Words {
    let given =
        region.iter().filter(|entry| entry.forecast.is_some_and(|forecast| forecast.probability.is_some())).count();
    let why = |entry: &AttainmentEntry| match (entry.forecast, entry.status) {
        (Some(forecast), _) if forecast.probability.is_some() => None,
        _ if entry.target.is_none() => Some(("没有指标", "no number to reach")),
        (Some(_), _) => Some(("期限超出历史数据可检验的范围", "further ahead than the history allows to be tried")),
        _ if entry.kind == Kind::Milestone => Some(("节点类，做到或未做到", "a milestone, done or not")),
        _ if entry.suppressed => Some(("不公开", "withheld")),
        _ if entry.due.is_some_and(|due| due <= entry.month) => Some(("已到期", "its date has passed")),
        (None, Status::NotAssessable) => Some(("无法评定", "not assessable")),
        (None, _) => {
            Some(("数据不足三个整月，或历史月份不公开", "fewer than three whole months, or months of it are withheld"))
        }
    };
    let mut reasons: Vec<((&str, &str), usize)> = Vec::new();
    for reason in region.iter().filter_map(|entry| why(entry)) {
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => reasons.push((reason, 1)),
        }
    }
    reasons.sort_by(|(left_reason, left), (right_reason, right)| right.cmp(left).then(left_reason.cmp(right_reason)));
    let list = |pick: fn((&'static str, &'static str)) -> &'static str, comma: &str| {
        reasons.iter().map(|(reason, count)| format!("{} {count}", pick(*reason))).collect::<Vec<_>>().join(comma)
    };
    let all = region.len();
    Words::new(
        format!("{all} 项中 {given} 项给出概率；其余：{}。", list(|(zh, _)| zh, "，")),
        format!("{given} of {all} commitments have a probability; the others: {}.", list(|(_, en)| en, ", ")),
    )
}

fn trial(entry: &AttainmentEntry) -> Option<Trial> {
    let forecast = entry.forecast?;
    let test = forecast.back_test?;
    Some(Trial {
        title: Words::new(&*entry.title_zh, &*entry.title_en),
        method: lang::method(forecast.method).into(),
        forecasts: test.forecasts,
        months: test.months_ahead,
        error: format::number(test.mean_absolute_error, 2),
        naive_error: format::number(test.naive_mean_absolute_error, 2),
        coverage: format::share(test.interval_coverage),
        naive_coverage: format::share(test.naive_interval_coverage),
        level: format::share(forecast.level),
    })
}

fn source_view(source: &SourceState, became: Option<&SourceRun>, document: &AttainmentDocument) -> Source {
    let became = became.cloned().unwrap_or_default();
    let (until, age) = match source.recorded_until {
        None => (Words::new("从未读到", "never read"), Words::default()),
        Some(until) => {
            let text = format::micros(until);
            let days = format::age_in_days(until, document);
            let more = |words: &str| if source.incomplete { format!("{text}{words}") } else { text.clone() };
            let until = Words::new(more("，之后的记录可能未全"), more(", later records may be missing"));
            (until, Words::new(format!("{days} 天"), format::days(days)))
        }
    };
    Source {
        name: lang::service(&source.service).into(),
        position: source.position.to_string(),
        until,
        age,
        reached: {
            let (zh, en) = lang::reached(&became, document.as_of);
            Words::new(zh, en)
        },
        unreached: became.unreached,
    }
}
