//! The rows of a run as another run reads them: JSON from `--json`, or the Markdown table from `--out`.
//!
//! Builds from before `--json` existed write Markdown only, and a table that somebody kept is Markdown too.

use serde::{Deserialize, Serialize};

use super::table::{Spread, Table, Unit};
use crate::{error::Error, lang::Lang};

/// Cells of a row of the Markdown table.
const CELLS: usize = 8;

/// The rows of one run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Results {
    /// Language of the rows' names.
    pub lang: Lang,
    /// In the table's order.
    pub rows: Vec<ResultRow>,
}

/// One row: the medians of its rounds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ResultRow {
    /// What was measured.
    pub name: RowName,
    /// Unit of `ours`.
    pub unit: Unit,
    /// The suite's measurement.
    pub ours: f64,
    /// Its ratio to the baseline.
    pub ratio: f64,
}

/// What a row measures; no two rows of a table have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowName {
    /// The database, or the rows of the lake.
    pub location: String,
    /// What is measured.
    pub what: String,
    /// Beside what.
    pub baseline: String,
}

/// Why a text is not the table of a run.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// It has neither the table nor its JSON form, or one without rows.
    NoTable,
    /// This line of the table, counted from 1, is not a row.
    Line(usize),
    /// Its JSON is not that of a table.
    Json(serde_json::Error),
}

#[derive(Deserialize, Serialize)]
struct JsonTable {
    lang: String,
    rows: Vec<JsonRow>,
}

#[derive(Deserialize, Serialize)]
struct JsonRow {
    location: String,
    what: String,
    baseline: String,
    unit: Unit,
    ours: Vec<f64>,
    bare: Vec<f64>,
}

/// Writes a table as JSON, on one line, with every round.
pub(super) fn json(table: &Table, lang: Lang) -> Result<String, Error> {
    serde_json::to_string(&json_table(table, lang)).map_err(Error::internal)
}

fn json_table(table: &Table, lang: Lang) -> JsonTable {
    let rows = table.rows.iter().map(|row| JsonRow {
        location: row.place.clone(),
        what: lang.pick(row.what).to_owned(),
        baseline: lang.pick(row.baseline).to_owned(),
        unit: row.unit,
        ours: row.ours.clone(),
        bare: row.bare.clone(),
    });
    let lang = match lang {
        Lang::Zh => "zh",
        Lang::En => "en",
    };
    JsonTable { lang: lang.to_owned(), rows: rows.collect() }
}

impl From<JsonTable> for Results {
    fn from(table: JsonTable) -> Self {
        let rows = table.rows.into_iter().map(|row| ResultRow {
            ratio: Spread::of_ratios(&row.ours, &row.bare).median,
            ours: Spread::of(row.ours).median,
            unit: row.unit,
            name: RowName { location: row.location, what: row.what, baseline: row.baseline },
        });
        Self { lang: if table.lang == "zh" { Lang::Zh } else { Lang::En }, rows: rows.collect() }
    }
}

impl Results {
    /// Returns the rows of a table, named in a language.
    pub(super) fn of(table: &Table, lang: Lang) -> Self {
        json_table(table, lang).into()
    }

    /// Reads what a run wrote, as JSON or Markdown.
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        let results = if text.trim_start().starts_with('{') {
            serde_json::from_str::<JsonTable>(text).map_err(Unreadable::Json)?.into()
        } else {
            Self::parse_markdown(text)?
        };
        if results.rows.is_empty() { Err(Unreadable::NoTable) } else { Ok(results) }
    }

    /// Reads the first table of a run in a Markdown text; what stands around it is skipped.
    fn parse_markdown(text: &str) -> Result<Self, Unreadable> {
        let mut lines = (1..).zip(text.lines());
        let head = lines.by_ref().find_map(|(_, line)| cells(line).filter(|cells| cells[0] == "#"));
        let head = head.ok_or(Unreadable::NoTable)?;
        let lang = if head[2].is_ascii() { Lang::En } else { Lang::Zh };
        let rows = lines
            .skip(1)
            .take_while(|(_, line)| line.starts_with('|'))
            .map(|(number, line)| markdown_row(line).ok_or(Unreadable::Line(number)));
        Ok(Self { lang, rows: rows.collect::<Result<_, _>>()? })
    }
}

fn cells(line: &str) -> Option<[&str; CELLS]> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
    cells.try_into().ok()
}

fn markdown_row(line: &str) -> Option<ResultRow> {
    let [_, location, what, ours, baseline, _, ratio, _] = cells(line)?;
    let (ours, unit) = parse_amount(ours)?;
    let ratio = ratio.strip_prefix("**")?.split_once("**")?.0.parse().ok()?;
    let name = RowName { location: location.to_owned(), what: what.to_owned(), baseline: baseline.to_owned() };
    Some(ResultRow { name, unit, ours, ratio })
}

fn parse_amount(text: &str) -> Option<(f64, Unit)> {
    let (number, unit) = [("/s", Unit::PerSecond), (" MiB", Unit::Mebibytes), (" s", Unit::Seconds)]
        .into_iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))?;
    Some((number.replace(',', "").parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bench::table::{Row, Target},
        lang::Text,
    };

    fn table() -> Table {
        let row = |unit, ours: &[f64], bare: &[f64]| Row {
            what: Text { zh: "写入(CreateInstitution)", en: "writes (CreateInstitution)" },
            baseline: Text { zh: "空调用", en: "an empty call" },
            place: "SQLite".to_owned(),
            unit,
            ours: ours.to_vec(),
            bare: bare.to_vec(),
            target: Target::AtLeast(0.4),
            bound: Text { zh: "磁盘", en: "the disk | and more" },
        };
        Table {
            rows: vec![
                row(Unit::PerSecond, &[8_030.0, 1_234_567.0, 7_000.0], &[16_060.0, 1.0, 28_000.0]),
                row(Unit::Seconds, &[2.43], &[4.86]),
                row(Unit::Mebibytes, &[2_617.0], &[2_617.0]),
            ],
        }
    }

    #[test]
    fn both_forms_read_back_as_the_medians_that_were_measured() {
        for lang in [Lang::En, Lang::Zh] {
            let expected = Results::of(&table(), lang);
            assert!((expected.rows[0].ours - 8_030.0).abs() < 1e-9);
            assert!((expected.rows[0].ratio - 0.5).abs() < 1e-9);
            let json = json(&table(), lang).expect("it is written");
            assert_eq!(Results::parse(&json).expect("it reads"), expected);
            let markdown = format!("# Performance\n\n| a | b |\n|---|---|\n\n{}", table().markdown(lang));
            assert_eq!(Results::parse(&markdown).expect("it reads"), expected);
        }
    }

    #[test]
    fn the_json_form_stays_as_other_builds_read_it() {
        let json = json(&Table { rows: table().rows[1..2].to_vec() }, Lang::En).expect("it is written");
        let expected = r#"{"lang":"en","rows":[{"location":"SQLite","what":"writes (CreateInstitution)","baseline":"an empty call","unit":"seconds","ours":[2.43],"bare":[4.86]}]}"#;
        assert_eq!(json, expected);
    }

    #[test]
    fn the_table_in_the_documentation_can_be_compared_with() {
        let results = Results::parse(include_str!("../../docs/PERFORMANCE.md")).expect("it reads");
        assert!(results.rows.len() > 10, "{results:?}");
        assert_eq!(results.lang, Lang::En);
        assert_eq!(results.rows[0].unit, Unit::PerSecond);
        assert!(results.rows.iter().any(|row| row.unit == Unit::Mebibytes));
    }

    #[test]
    fn a_text_that_is_not_a_table_is_refused_with_the_line_where_one_is_wrong() {
        assert!(matches!(Results::parse("nothing"), Err(Unreadable::NoTable)));
        assert!(matches!(Results::parse(r#"{"lang":"en","rows":[]}"#), Err(Unreadable::NoTable)));
        assert!(matches!(Results::parse(r#"{"rows":1}"#), Err(Unreadable::Json(_))));
        let wrong = table().markdown(Lang::En).replace("2.43 s", "2.43 h");
        assert!(matches!(Results::parse(&wrong), Err(Unreadable::Line(4))));
    }
}
