//! What the page's template is filled with. Every text is there in both languages.

use askama::Template;

use crate::model::Bilingual;

/// A text that the reader sees in the language chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(
    source = r#"<span class="zh" lang="zh">{{ zh }}</span><span class="en" lang="en">{{ en }}</span>"#,
    ext = "html"
)]
pub(super) struct Words {
    pub(super) zh: String,
    pub(super) en: String,
}

impl Words {
    pub(super) fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

impl From<(&str, &str)> for Words {
    fn from((zh, en): (&str, &str)) -> Self {
        Self::new(zh, en)
    }
}

impl From<(String, String)> for Words {
    fn from((zh, en): (String, String)) -> Self {
        Self { zh, en }
    }
}

impl From<&Bilingual> for Words {
    fn from(text: &Bilingual) -> Self {
        Self::new(&*text.zh, &*text.en)
    }
}

/// A status as it is shown: style, sign, word.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) code: &'static str,
    pub(super) sign: &'static str,
    pub(super) label: Words,
}

/// How many commitments have a status, and their share of the whole in percent.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    pub(super) mark: Mark,
    pub(super) count: usize,
    pub(super) share: String,
}

/// One commitment of the region.
#[derive(Debug)]
pub(super) struct Card {
    pub(super) id: String,
    pub(super) mark: Mark,
    pub(super) title: Words,
    pub(super) subtitle: Words,
    pub(super) reason: Option<Words>,
    pub(super) value: Option<Words>,
    pub(super) target: Option<Words>,
    pub(super) bar: Option<Bar>,
    pub(super) pace: Option<String>,
    pub(super) change: Option<Change>,
    pub(super) spark: Option<String>,
    pub(super) curve: Option<String>,
    pub(super) origin: Words,
    pub(super) facts: Vec<Fact>,
    pub(super) beside: Vec<Beside>,
    pub(super) areas: Vec<AreaRow>,
}

/// The share of the way that is done, and the share of the time that is over, in percent of the bar.
#[derive(Debug)]
pub(super) struct Bar {
    pub(super) done: String,
    pub(super) expected: Option<String>,
}

/// The change over twelve months and whether it is for the better.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) text: Words,
    pub(super) tone: &'static str,
}

/// A line of a commitment's details.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) label: Words,
    pub(super) text: Words,
}

/// A measure that stands beside the primary one.
#[derive(Debug)]
pub(super) struct Beside {
    pub(super) title: Words,
    pub(super) month: String,
    pub(super) numerator: String,
    pub(super) denominator: String,
    pub(super) value: Words,
}

/// A commitment in a prefecture.
#[derive(Debug)]
pub(super) struct AreaRow {
    pub(super) name: Words,
    pub(super) mark: Mark,
    pub(super) reason: Option<Words>,
    pub(super) numerator: String,
    pub(super) denominator: String,
    pub(super) value: Words,
    pub(super) change: Words,
}

/// An article of the notice.
#[derive(Debug)]
pub(super) struct Article {
    pub(super) number: u8,
    pub(super) numeral: &'static str,
    pub(super) title: Words,
    pub(super) total: usize,
    pub(super) tallies: Vec<Tally>,
    pub(super) cards: Vec<Card>,
}

/// A line of the list of what needs attention.
#[derive(Debug)]
pub(super) struct Urgent {
    pub(super) id: String,
    pub(super) mark: Mark,
    pub(super) title: Words,
    pub(super) value: Option<Words>,
    pub(super) target: Option<Words>,
    pub(super) note: Words,
}

/// The scoreboard of a prefecture.
#[derive(Debug)]
pub(super) struct AreaScore {
    pub(super) name: Words,
    pub(super) tallies: Vec<Tally>,
}

/// A row of the prefecture table.
#[derive(Debug)]
pub(super) struct MatrixRow {
    pub(super) id: String,
    pub(super) title: Words,
    pub(super) cells: Vec<MatrixCell>,
}

/// A cell of the prefecture table; `hint` holds numerator and denominator.
#[derive(Debug)]
pub(super) struct MatrixCell {
    pub(super) code: &'static str,
    pub(super) sign: &'static str,
    pub(super) text: String,
    pub(super) hint: String,
}

/// A back-test in the table of forecasts.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) title: Words,
    pub(super) method: Words,
    pub(super) forecasts: u32,
    pub(super) months: u32,
    pub(super) error: String,
    pub(super) naive_error: String,
    pub(super) coverage: String,
    pub(super) naive_coverage: String,
    pub(super) level: String,
}

/// How far a service's records are known.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: Words,
    pub(super) position: String,
    pub(super) until: Words,
    pub(super) age: Words,
    /// How it answered.
    pub(super) reached: Words,
    /// Why it did not.
    pub(super) unreached: Option<String>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "report.html")]
pub(super) struct Page {
    pub(super) lang: &'static str,
    pub(super) on: String,
    pub(super) as_of: String,
    pub(super) catalogue: String,
    /// What every reader must know first.
    pub(super) notice: Option<Words>,
    /// The same at the head of every printed page, in Chinese and English.
    pub(super) heads: Option<(String, String)>,
    pub(super) headline: Words,
    pub(super) total: usize,
    pub(super) tallies: Vec<Tally>,
    pub(super) unreached: Vec<Source>,
    /// The run asked no service at all.
    pub(super) not_asked: bool,
    pub(super) urgent: Vec<Urgent>,
    pub(super) articles: Vec<Article>,
    pub(super) area_names: Vec<Words>,
    pub(super) area_scores: Vec<AreaScore>,
    pub(super) matrix: Vec<MatrixRow>,
    pub(super) trials: Vec<Trial>,
    /// What the forecasts are worth together.
    pub(super) calibration: Option<Words>,
    /// How many commitments have a probability, and why the others have none.
    pub(super) probabilities: Words,
    pub(super) sources: Vec<Source>,
    pub(super) withheld: usize,
    pub(super) suppress_below: u32,
}
