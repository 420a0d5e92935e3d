//! The shape of a catalogue file, with the place of everything in it.
//!
//! Only reads; [`super::check`] decides what is right.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{Basis, Clause, Direction, DueBasis, Empty, Form, Kind, Level, Period, Problem, SourceKind, Window};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    commitment: Vec<Spanned<RawCommitment>>,
}

/// `[[commitment]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCommitment {
    pub(super) id: Spanned<String>,
    pub(super) article: Spanned<u8>,
    pub(super) service: Spanned<String>,
    pub(super) leads: Vec<String>,
    pub(super) title_zh: String,
    pub(super) title_en: String,
    pub(super) kind: Kind,
    pub(super) basis: Spanned<Basis>,
    pub(super) direction: Direction,
    pub(super) target: Option<f64>,
    pub(super) unit: String,
    pub(super) unit_zh: String,
    pub(super) start: Option<Spanned<String>>,
    pub(super) due: Option<Spanned<String>>,
    pub(super) due_basis: Option<Spanned<DueBasis>>,
    pub(super) clause: Option<Clause>,
    #[serde(default)]
    pub(super) promise_zh: String,
    #[serde(default)]
    pub(super) promise_en: String,
    pub(super) waits_for_zh: Option<String>,
    pub(super) waits_for_en: Option<String>,
    #[serde(default)]
    pub(super) scope: Vec<Spanned<String>>,
    pub(super) source: Spanned<SourceKind>,
    #[serde(default)]
    pub(super) person_based: bool,
    #[serde(default)]
    pub(super) cumulative: bool,
    pub(super) standing: Option<Spanned<bool>>,
    pub(super) window: Option<Spanned<Window>>,
    pub(super) every_area: Option<bool>,
    pub(super) lowest_level: Option<Level>,
    pub(super) bounds: Option<[f64; 2]>,
    pub(super) complete_from: Option<Spanned<f64>>,
    pub(super) baseline: Option<RawBaseline>,
    #[serde(default)]
    pub(super) area_targets: BTreeMap<String, Spanned<f64>>,
    #[serde(default)]
    pub(super) standards: Vec<RawStandard>,
    #[serde(default)]
    pub(super) parameters: Vec<RawParameter>,
    pub(super) text_zh: String,
    pub(super) text_en: String,
    #[serde(default)]
    pub(super) measures: Vec<Spanned<RawMeasure>>,
}

/// `baseline = { value, on, confidence, note }`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBaseline {
    pub(super) value: f64,
    pub(super) on: Spanned<String>,
    #[serde(rename = "confidence")]
    pub(super) _confidence: RawConfidence,
    #[serde(rename = "note")]
    pub(super) _note: String,
}

/// How sure the figure is; every declared figure has to say so.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawConfidence {
    High,
    Medium,
    Low,
}

/// `standards = [{ value, unit, unit_zh, from, note }]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStandard {
    pub(super) value: f64,
    pub(super) unit: String,
    pub(super) unit_zh: String,
    pub(super) from: Spanned<String>,
    #[serde(rename = "note")]
    pub(super) _note: String,
}

/// `parameters = [{ name, value, from, confidence, note }]`, or `{ name, key }` for one of the services' own
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawParameter {
    pub(super) name: Spanned<String>,
    pub(super) key: Option<Spanned<String>>,
    pub(super) value: Option<i64>,
    pub(super) from: Option<Spanned<String>>,
    pub(super) confidence: Option<RawConfidence>,
    pub(super) note: Option<String>,
}

/// `[[commitment.measures]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMeasure {
    pub(super) name: Spanned<String>,
    pub(super) title_zh: Option<String>,
    pub(super) title_en: Option<String>,
    pub(super) unit: Option<String>,
    pub(super) unit_zh: Option<String>,
    pub(super) form: Form,
    pub(super) figure: Option<String>,
    #[serde(default)]
    pub(super) person_based: bool,
    #[serde(default, rename = "cumulative")]
    pub(super) _cumulative: bool,
    pub(super) dataset: Spanned<String>,
    #[serde(rename = "where")]
    pub(super) condition: Option<Spanned<String>>,
    pub(super) ended: Option<RawEnded>,
    pub(super) latest: Option<Spanned<String>>,
    pub(super) latest_of: Option<Spanned<String>>,
    pub(super) period: Option<Period>,
    #[serde(default)]
    pub(super) empty: Empty,
    pub(super) rolls_up: Option<bool>,
    pub(super) complete_by: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) subjects: Vec<String>,
    #[serde(default)]
    pub(super) least_of: Vec<Spanned<String>>,
    pub(super) silent: Option<Spanned<RawSilent>>,
    pub(super) silent_divisions: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    pub(super) restrict: Vec<Spanned<RawRestriction>>,
    pub(super) group_by: Option<Spanned<String>>,
    pub(super) having: Option<Spanned<String>>,
    pub(super) numerator: Option<Spanned<String>>,
    pub(super) denominator: Option<Spanned<String>>,
    pub(super) denominator_from: Option<Spanned<RawWhole>>,
    pub(super) division_column: Option<Spanned<String>>,
    pub(super) denominator_divisions: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    pub(super) holds_below: bool,
    pub(super) scale: Option<f64>,
}

/// What bounds the figure of an area that did not report.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawSilent {
    Denominator,
    Divisions,
    Plan,
}

/// Whether rows of records that have ended take part.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawEnded {
    Included,
    Excluded,
}

/// `restrict = [{ column, dataset, key, where, ended, without, covering }]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRestriction {
    pub(super) column: String,
    pub(super) dataset: String,
    pub(super) key: String,
    #[serde(rename = "where")]
    pub(super) condition: Option<String>,
    pub(super) ended: Option<RawEnded>,
    #[serde(default)]
    pub(super) without: bool,
    #[serde(default)]
    pub(super) covering: bool,
}

/// `denominator_from = { dataset, where, count }`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWhole {
    pub(super) dataset: String,
    #[serde(rename = "where")]
    pub(super) condition: Option<String>,
    pub(super) count: String,
}

/// A file, to turn places in its text into lines.
pub(super) struct Source {
    name: String,
    line_starts: Vec<usize>,
}

impl Source {
    pub(super) fn new(name: &str, text: &str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(place, _)| place + 1);
        Self { name: name.to_owned(), line_starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// Says what is wrong at a place of the text.
    pub(super) fn problem(&self, place: usize, message: impl Into<String>) -> Problem {
        let line = self.line_starts.partition_point(|start| *start <= place).max(1);
        Problem { file: self.name.clone(), line, message: message.into() }
    }
}

/// Reads a file; what does not read at all is one problem.
pub(super) fn parse(name: &str, text: &str) -> Result<Vec<Spanned<RawCommitment>>, Problem> {
    toml::from_str::<File>(text).map(|file| file.commitment).map_err(|error| {
        let place = error.span().map_or(0, |span| span.start);
        Source::new(name, text).problem(place, error.message())
    })
}
