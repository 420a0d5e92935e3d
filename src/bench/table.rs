//! The table: what was measured, beside what, and what bounds it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::lang::{Lang, Text};

/// What a ratio should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// At least so much.
    AtLeast(f64),
    /// At most so much.
    AtMost(f64),
    /// Measured without a target.
    None,
}

/// In what a measurement is given.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// More is better.
    PerSecond,
    /// Less is better.
    Seconds,
    /// Less is better.
    Mebibytes,
}

impl Unit {
    /// Reports whether a greater measurement is the better one.
    pub fn more_is_better(self) -> bool {
        self == Self::PerSecond
    }
}

/// One comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What is measured.
    pub what: Text,
    /// Beside what.
    pub baseline: Text,
    /// Where: the database, or the lake.
    pub place: String,
    /// Unit of the two.
    pub unit: Unit,
    /// The suite's measurements.
    pub ours: Vec<f64>,
    /// The baseline's, turn by turn.
    pub bare: Vec<f64>,
    /// What their quotient should be.
    pub target: Target,
    /// What bounds it.
    pub bound: Text,
}

/// Median, least and greatest of several measurements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Median.
    pub median: f64,
    /// Least.
    pub least: f64,
    /// Greatest.
    pub greatest: f64,
}

impl Spread {
    /// Orders the measurements; all zero for none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or_default();
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) && middle > 0 {
            f64::midpoint(at(middle - 1), at(middle))
        } else {
            at(middle)
        };
        Self { median, least: at(0), greatest: at(values.len().saturating_sub(1)) }
    }

    /// Divides ours by the baseline, turn by turn.
    pub fn of_ratios(ours: &[f64], bare: &[f64]) -> Self {
        Self::of(ours.iter().zip(bare).map(|(ours, bare)| ours / bare.max(f64::MIN_POSITIVE)))
    }
}

impl Row {
    /// Divides ours by the baseline, turn by turn.
    pub fn ratio(&self) -> Spread {
        Spread::of_ratios(&self.ours, &self.bare)
    }

    /// Reports whether the median reaches the target; none without one.
    pub fn reached(&self) -> Option<bool> {
        let ratio = self.ratio().median;
        match self.target {
            Target::AtLeast(least) => Some(ratio >= least),
            Target::AtMost(most) => Some(ratio <= most),
            Target::None => None,
        }
    }
}

/// All comparisons of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// In the order in which they were measured.
    pub rows: Vec<Row>,
}

impl Table {
    /// Adds a comparison.
    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Writes the table, then what bounds each figure.
    pub fn markdown(&self, lang: Lang) -> String {
        let mut text = String::from(lang.pick(HEAD));
        for (number, row) in (1..).zip(&self.rows) {
            let ratio = row.ratio();
            let target = match row.target {
                Target::AtLeast(least) => format!("≥ {least}"),
                Target::AtMost(most) => format!("≤ {most}"),
                Target::None => "–".to_owned(),
            };
            let mark = match row.reached() {
                Some(true) => " ✓",
                Some(false) => " ✗",
                None => "",
            };
            let _ = writeln!(
                text,
                "| {number} | {} | {} | {} | {} | {} | **{:.2}** ({:.2}–{:.2}) | {target}{mark} |",
                row.place,
                lang.pick(row.what),
                number_of(&row.ours, row.unit),
                lang.pick(row.baseline),
                number_of(&row.bare, row.unit),
                ratio.median,
                ratio.least,
                ratio.greatest,
            );
        }
        let _ = writeln!(text, "\n{}\n", lang.pick(BOUNDS));
        for (number, row) in (1..).zip(&self.rows) {
            let _ = writeln!(text, "{number}. {}", lang.pick(row.bound));
        }
        text
    }
}

const HEAD: Text = Text {
    zh: "| # | 何处 | 所测 | 本系统 | 对照 | 对照值 | 比值：中位数（最小–最大）| 目标 |\n|---|---|---|---|---|---|---|---|\n",
    en: "| # | where | what | ours | beside | baseline | ratio: median (least–greatest) | target |\n|---|---|---|---|---|---|---|---|\n",
};

const BOUNDS: Text = Text { zh: "受何限制：", en: "What bounds each:" };

/// Writes the median with its unit.
fn number_of(values: &[f64], unit: Unit) -> String {
    amount(Spread::of(values.iter().copied()).median, unit)
}

/// Writes a measurement with its unit.
pub(super) fn amount(value: f64, unit: Unit) -> String {
    match unit {
        Unit::PerSecond => format!("{}/s", grouped(value)),
        Unit::Seconds => format!("{value:.2} s"),
        Unit::Mebibytes => format!("{} MiB", grouped(value)),
    }
}

/// Writes a whole number with its thousands apart.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ours: &[f64], bare: &[f64], target: Target) -> Row {
        Row {
            what: Text { zh: "提问", en: "a question" },
            baseline: Text { zh: "空调用", en: "an empty call" },
            place: "SQLite".to_owned(),
            unit: Unit::PerSecond,
            ours: ours.to_vec(),
            bare: bare.to_vec(),
            target,
            bound: Text { zh: "线程", en: "threads" },
        }
    }

    #[test]
    fn the_ratio_is_that_of_each_turn_and_not_of_the_medians() {
        let ratio = row(&[1.0, 8.0, 3.0], &[2.0, 4.0, 3.0], Target::None).ratio();
        assert_eq!(ratio, Spread { median: 1.0, least: 0.5, greatest: 2.0 });
    }

    #[test]
    fn an_even_number_of_turns_has_its_median_between_the_two_in_the_middle() {
        assert!((Spread::of([4.0, 1.0, 2.0, 3.0]).median - 2.5).abs() < 1e-9);
    }

    #[test]
    fn the_table_says_which_targets_are_reached() {
        let mut table = Table::default();
        table.add(row(&[14_000.0], &[20_000.0], Target::AtLeast(0.6)));
        table.add(row(&[1.0], &[20_000.0], Target::AtLeast(0.6)));
        table.add(row(&[1.6], &[1.0], Target::AtMost(1.5)));
        let text = table.markdown(Lang::En);
        assert!(
            text.contains(
                "| 1 | SQLite | a question | 14,000/s | an empty call | 20,000/s | **0.70** (0.70–0.70) | ≥ 0.6 ✓ |"
            ),
            "{text}"
        );
        assert_eq!(text.matches('✗').count(), 2, "{text}");
        assert!(text.contains("1. threads"), "{text}");
        assert!(table.markdown(Lang::Zh).contains("空调用"));
    }
}
