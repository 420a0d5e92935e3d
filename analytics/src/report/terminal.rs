//! The scoreboard that a leader reads in a terminal.

use super::format::{self, display_width, fit, right};
use super::lang::{self, Lang};
use crate::model::{AttainmentDocument, AttainmentEntry, Parts, Reason, Run, Status};

/// At most so many commitments are listed by name; the page has the rest.
const MOST_LISTED: usize = 15;

/// Narrower terminals are written to as if they had so many columns.
const NARROWEST: usize = 60;

/// Returns the scoreboard as plain text, no line wider than `width` columns (60 at least), with what became of the
/// services in the run.
pub fn scoreboard(document: &AttainmentDocument, run: &Run, lang: Lang, width: usize) -> String {
    let width = width.max(NARROWEST);
    let entries: Vec<&AttainmentEntry> = document.region_entries().collect();
    let mut out = String::new();
    heading(&mut out, document, lang, width);
    counts(&mut out, &entries, lang, width);
    articles(&mut out, &entries, lang, width);
    attention(&mut out, &entries, lang, width);
    sources(&mut out, document, run, lang, width);
    out
}

fn line(out: &mut String, text: &str, width: usize) {
    let fitted = if display_width(text) > width { fit(text, width) } else { text.to_owned() };
    out.push_str(fitted.trim_end());
    out.push('\n');
}

fn rule(out: &mut String, width: usize) {
    line(out, &"─".repeat(width), width);
}

fn heading(out: &mut String, document: &AttainmentDocument, lang: Lang, width: usize) {
    rule(out, width);
    line(out, lang.pick("民生举措落实情况", "Livelihood commitments: how far they have come"), width);
    let as_of = format::instant(document.as_of);
    let when = match lang {
        Lang::Zh => format!("{}（记录截至 {as_of}）", document.on),
        Lang::En => format!("on {} (records up to {as_of})", document.on),
    };
    line(out, &when, width);
    if let Some(notice) = &document.notice {
        for text in format::wrap(lang.pick(&notice.zh, &notice.en), width - 2) {
            line(out, &format!("! {text}"), width);
        }
    }
    rule(out, width);
}

fn count(entries: &[&AttainmentEntry], status: Status) -> usize {
    entries.iter().filter(|entry| entry.status == status).count()
}

fn counts(out: &mut String, entries: &[&AttainmentEntry], lang: Lang, width: usize) {
    let label = |status| {
        let (zh, en) = lang::status(status);
        lang.pick(zh, en)
    };
    let columns = Status::ALL.iter().map(|status| display_width(label(*status))).max().unwrap_or(0);
    let room = width.saturating_sub(columns + 12).min(entries.len().max(1));
    for status in Status::ALL {
        let found = count(entries, status);
        let blocks = (found * room).div_ceil(entries.len().max(1));
        let text = format!(
            " {} {} {}  {}",
            fit(lang::status_sign(status), 3),
            fit(label(status), columns),
            right(&found.to_string(), 3),
            "█".repeat(blocks)
        );
        line(out, &text, width);
    }
    let total = match lang {
        Lang::Zh => format!("   全区共 {} 项", entries.len()),
        Lang::En => format!("   {} commitments of the region", entries.len()),
    };
    line(out, &total, width);
}

/// The columns of the table by article: signs of statuses that are never wider than one column.
fn articles(out: &mut String, entries: &[&AttainmentEntry], lang: Lang, width: usize) {
    rule(out, width);
    let cells = Status::ALL.len() * 4;
    let titles = width - cells - 1;
    let mut head = format!(" {}", fit(lang.pick("举措", "article"), titles));
    for status in Status::ALL {
        head.push_str(&right(lang::status_sign(status), 4));
    }
    line(out, &head, width);
    for article in 1..=10 {
        let own: Vec<&AttainmentEntry> = entries.iter().filter(|entry| entry.article == article).copied().collect();
        if own.is_empty() {
            continue;
        }
        let (zh, en) = lang::article(article);
        let title = match lang {
            Lang::Zh => format!("{} {zh}", fit(lang::article_numeral(article), 2)),
            Lang::En => format!("{article:>2} {en}"),
        };
        let mut text = format!(" {}", fit(&title, titles));
        for status in Status::ALL {
            let found = count(&own, status);
            text.push_str(&right(&if found == 0 { "·".to_owned() } else { found.to_string() }, 4));
        }
        line(out, &text, width);
    }
}

/// What a leader has to act on, the worst first.
fn attention(out: &mut String, entries: &[&AttainmentEntry], lang: Lang, width: usize) {
    let found = super::in_order_of_urgency(entries.iter().copied());
    if found.is_empty() {
        return;
    }
    rule(out, width);
    line(out, lang.pick(" 需要关注", " Needs attention"), width);
    let figures = 26.min(width / 3);
    for entry in found.iter().take(MOST_LISTED) {
        let (zh, en) = lang::status(entry.status);
        let title = match entry.parts.filter(|parts| parts.lagging() > 0) {
            Some(parts) => format!("{} [{}]", lang.pick(&entry.title_zh, &entry.title_en), lagging(&parts, lang)),
            None => lang.pick(&entry.title_zh, &entry.title_en).to_owned(),
        };
        let names = width.saturating_sub(figures + 19);
        let text = format!(
            " {} {} {} {}",
            lang::status_sign(entry.status),
            fit(lang.pick(zh, en), 14),
            fit(&title, names),
            right(&value_and_target(entry, lang), figures)
        );
        line(out, &text, width);
    }
    if found.len() > MOST_LISTED {
        let more = found.len() - MOST_LISTED;
        let text = match lang {
            Lang::Zh => format!("   另有 {more} 项，见报告页"),
            Lang::En => format!("   and {more} more, see the page"),
        };
        line(out, &text, width);
    }
}

/// How many of the areas below are behind, as `5/7`.
fn lagging(parts: &Parts, lang: Lang) -> String {
    let (lagging, total) = (parts.lagging(), parts.total());
    match lang {
        Lang::Zh => format!("{total} 地中 {lagging} 地落后"),
        Lang::En => format!("{lagging} of {total} areas behind"),
    }
}

fn value_and_target(entry: &AttainmentEntry, lang: Lang) -> String {
    let value = entry.value.map_or_else(|| "–".to_owned(), |value| format::figure(entry, value, Lang::En));
    let value = if format::is_percent(&entry.unit) {
        value
    } else {
        entry.value.map_or(value, |value| format::number(value, 1))
    };
    match entry.target {
        Some(target) => format!("{value} / {}", format::figure(entry, target, lang)),
        None => value,
    }
}

fn sources(out: &mut String, document: &AttainmentDocument, run: &Run, lang: Lang, width: usize) {
    rule(out, width);
    for source in &document.sources {
        let (zh, en) = lang::service(&source.service);
        let until = source.recorded_until.map_or_else(
            || lang.pick("从未读到", "never read").to_owned(),
            |until| {
                let days = format::age_in_days(until, document);
                match lang {
                    Lang::Zh => format!("记录至 {}（{days} 天前）", format::micros(until)),
                    Lang::En => format!("recorded until {} ({} ago)", format::micros(until), format::days(days)),
                }
            },
        );
        let became = run.get(&source.service);
        let reached = match became {
            Some(became) if became.unreached.is_some() => lang.pick("本次未能连通，", "NOT REACHED, "),
            Some(became) if became.not_asked => lang.pick("本次未询问，", "not asked, "),
            _ => "",
        };
        let text = format!(" {} #{} {reached}{until}", fit(lang.pick(zh, en), 16), source.position);
        line(out, &text, width);
        if let Some((zh, en)) = became.and_then(|became| lang::resynced(became, document.as_of)) {
            line(out, &format!("   {}", lang.pick(&zh, &en)), width);
        }
    }
    let silent = document.region_entries().filter(|entry| entry.reason == Some(Reason::NoData)).count();
    if silent > 0 {
        let text = match lang {
            Lang::Zh => format!(" 没有任何数据的举措：{silent} 项"),
            Lang::En => format!(" commitments that nobody reported on: {silent}"),
        };
        line(out, &text, width);
    }
    rule(out, width);
}

#[cfg(test)]
mod tests {
    use super::{Lang, scoreboard};
    use crate::report::fixture;
    use crate::report::format::display_width;

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let document = fixture::document();
        for lang in [Lang::Zh, Lang::En] {
            for width in [60, 80, 120] {
                for line in scoreboard(&document, &fixture::run(), lang, width).lines() {
                    assert!(display_width(line) <= width, "{} > {width}: {line}", display_width(line));
                }
            }
        }
    }

    #[test]
    fn a_leader_finds_what_is_missed_and_who_was_not_reached() {
        let text = scoreboard(&fixture::document(), &fixture::run(), Lang::Zh, 100);
        assert!(text.contains("逾期未达"), "{text}");
        assert!(text.contains("老年助餐服务点"), "{text}");
        assert!(text.contains("本次未能连通"), "{text}");
    }
}
