//! Numbers, days and widths as people read them.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

use super::lang::Lang;
use crate::model::{AttainmentDocument, AttainmentEntry};

/// Days and hours that people read are those of the region's legal time, eight hours ahead of UTC.
const LEGAL_TIME: FixedOffset = FixedOffset::east_opt(8 * 3600).expect("eight hours are an offset");

/// Returns a number with thousands separators and at most `decimals` digits after the point, none where they are zero.
pub fn number(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((text.as_str(), ""));
    let mut grouped = String::with_capacity(text.len() + 4);
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let fraction = fraction.trim_end_matches('0');
    let zero = !text.chars().any(|digit| ('1'..='9').contains(&digit));
    let sign = if value < 0.0 && !zero { "−" } else { "" };
    if fraction.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}.{fraction}") }
}

/// Decimals that a value of this size deserves.
fn decimals(value: f64) -> usize {
    usize::from(value.fract() != 0.0 && value.abs() < 1000.0)
}

/// Reports whether a unit is a share in percent.
pub fn is_percent(unit: &str) -> bool {
    matches!(unit, "percent" | "%")
}

/// Reports whether the unit says nothing beside a number: a document issued is not "1 document" on a scoreboard.
fn is_silent(unit: &str) -> bool {
    unit.is_empty()
}

/// Returns a value with its unit: `97.3%`, `139 points`, `139 个`.
pub fn with_unit(value: f64, unit_zh: &str, unit_en: &str, lang: Lang) -> String {
    if is_percent(unit_en) {
        return percent(value);
    }
    let text = number(value, decimals(value));
    let unit = lang.pick(unit_zh, unit_en);
    if is_silent(unit) { text } else { format!("{text} {unit}") }
}

/// Returns a share in percent; what falls short of all of it never reads as 100%.
pub fn percent(value: f64) -> String {
    let shown = if (99.95..100.0).contains(&value) { 99.9 } else { value };
    format!("{}%", number(shown, 1))
}

/// Returns a pace, cut after two digits: 0.947 is at risk and must not read as the 0.95 that is on track.
pub fn pace(value: f64) -> String {
    format!("{:.2}", (value * 100.0 + 1e-7).floor() / 100.0)
}

/// Returns a figure of an entry with its unit.
pub fn figure(entry: &AttainmentEntry, value: f64, lang: Lang) -> String {
    with_unit(value, &entry.unit_zh, &entry.unit, lang)
}

/// Returns a change with its sign; shares change by percentage points.
pub fn change(entry: &AttainmentEntry, value: f64, lang: Lang) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    if is_percent(&entry.unit) {
        let points = lang.pick("个百分点", " pp");
        return format!("{sign}{}{points}", number(value, 1));
    }
    format!("{sign}{}", number(value, decimals(value)))
}

/// Returns a share of one as percent.
pub fn share(value: f64) -> String {
    format!("{}%", number(value * 100.0, 0))
}

/// Returns a probability as percent, never a certainty.
pub fn probability(value: f64) -> String {
    if value > 0.99 {
        ">99%".to_owned()
    } else if value < 0.01 {
        "<1%".to_owned()
    } else {
        share(value)
    }
}

/// Returns an instant to the minute, in the region's legal time.
pub fn instant(instant: DateTime<Utc>) -> String {
    instant.with_timezone(&LEGAL_TIME).format("%Y-%m-%d %H:%M UTC+8").to_string()
}

/// Returns microseconds UTC to the minute, in the region's legal time.
pub fn micros(micros: i64) -> String {
    DateTime::<Utc>::from_timestamp_micros(micros).map_or_else(|| "?".to_owned(), self::instant)
}

/// Returns the age of a source in calendar days: up to the report's day, or up to its cut-off where that is later.
///
/// Against the cut-off alone, a lake that nobody has fed for months would always look fresh: without a given cut-off it
/// is the lake's own newest record.
pub fn age_in_days(recorded_until: i64, document: &AttainmentDocument) -> i64 {
    let known = DateTime::<Utc>::from_timestamp_micros(recorded_until).map_or(document.on, legal_day);
    (document.on.max(legal_day(document.as_of)) - known).num_days().max(0)
}

/// Returns a number of days in English.
pub fn days(days: i64) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

/// Returns the day on which an instant falls in the region, eight hours ahead of UTC.
fn legal_day(instant: DateTime<Utc>) -> NaiveDate {
    instant.with_timezone(&LEGAL_TIME).date_naive()
}

/// Returns a month as `2025-06`.
pub fn month(day: NaiveDate) -> String {
    day.format("%Y-%m").to_string()
}

/// Returns the columns a text takes in a terminal: two for Chinese characters and full-width signs.
pub fn display_width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(character: char) -> usize {
    match u32::from(character) {
        0x0300..=0x036F | 0x200B..=0x200F => 0,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE4F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

/// Cuts a text to so many columns, with an ellipsis, and fills it up to them.
pub fn fit(text: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    let whole = display_width(text) <= columns;
    let room = if whole { columns } else { columns.saturating_sub(1) };
    for character in text.chars() {
        if used + char_width(character) > room {
            break;
        }
        used += char_width(character);
        out.push(character);
    }
    if !whole && columns > 0 {
        out.push('…');
        used += 1;
    }
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    out
}

/// Breaks a text into lines of at most so many columns: between words, or between Chinese characters.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut word = String::new();
    let mut take = |word: &mut String| {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && display_width(line.trim_end()) + display_width(word.trim_end()) > columns {
            lines.push(std::mem::take(word));
        } else {
            line.push_str(word);
            word.clear();
        }
    };
    for character in text.chars() {
        word.push(character);
        if character == ' ' || char_width(character) == 2 {
            take(&mut word);
        }
    }
    take(&mut word);
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Fills a text from the left up to so many columns.
pub fn right(text: &str, columns: usize) -> String {
    let fill = columns.saturating_sub(display_width(text));
    format!("{}{text}", " ".repeat(fill))
}

#[cfg(test)]
mod tests {
    use super::{Lang, age_in_days, display_width, fit, number, pace, probability, with_unit, wrap};

    #[test]
    fn numbers_read_like_numbers() {
        assert_eq!(number(3_543_500.0, 0), "3,543,500");
        assert_eq!(number(84.912, 1), "84.9");
        assert_eq!(number(85.0, 1), "85");
        assert_eq!(number(-1234.5, 1), "−1,234.5");
        assert_eq!(number(-0.01, 1), "0");
        assert_eq!(with_unit(97.25, "%", "percent", Lang::Zh), "97.2%");
        assert_eq!(with_unit(99.97, "%", "percent", Lang::Zh), "99.9%", "not all of it");
        assert_eq!(with_unit(100.0, "%", "percent", Lang::Zh), "100%");
        assert_eq!([0.947, 0.95, 0.6 - 1e-3, 1.0].map(pace), ["0.94", "0.95", "0.59", "1.00"]);
        assert_eq!(with_unit(139.0, "个", "points", Lang::En), "139 points");
        assert_eq!(probability(0.9999), ">99%");
    }

    #[test]
    fn a_lake_that_nobody_feeds_grows_old_by_the_day_of_the_report() {
        let mut document = crate::report::fixture::document();
        document.on = "2026-06-30".parse().unwrap();
        document.as_of = "2026-03-01T00:00:00Z".parse().unwrap();
        let newest = document.as_of.timestamp_micros();
        assert_eq!(age_in_days(newest, &document), 121, "against the cut-off alone it would be none");
        document.as_of = "2026-07-10T16:00:00Z".parse().unwrap();
        assert_eq!(age_in_days(newest, &document), 132, "the cut-off is the eleventh of July in the region");
        assert_eq!(age_in_days(document.as_of.timestamp_micros(), &document), 0);
    }

    #[test]
    fn a_long_text_is_broken_between_words_and_between_characters() {
        assert_eq!(wrap("invented records, not real ones", 17), ["invented records,", "not real ones"]);
        assert_eq!(wrap("虚构数据，并非真实", 10), ["虚构数据，", "并非真实"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn chinese_takes_two_columns() {
        assert_eq!(display_width("民生 x"), 6);
        assert_eq!(fit("老年助餐服务点", 9), "老年助餐…");
        assert_eq!(display_width(&fit("老年助餐服务点", 10)), 10);
        assert_eq!(fit("ab", 4), "ab  ");
    }
}
