//! Explains a figure down to the records behind it: what was promised, how it is counted, by which parameters, from which
//! sources, what is missing, and whether that matters.
//!
//! It says nothing that a report of the same day would withhold, and never names a record of a dataset that is about
//! persons, or one that is counted by persons. Nothing is decided here: verdicts are the assessment's.

mod records;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::catalogue::{Areas, Catalogue, Count, Denominator, Entry, Form, Measure};
use crate::completeness::{AreaReported, Reported, reported};
use crate::findings::{Findings, FindingsRequest};
use crate::job::JobError;
use crate::lake::Lake;
use crate::model::{
    AttainmentEntry, Bilingual, PRIMARY_MEASURE, Reason, SourceKind, SourceState, StatisticRow, Status, wire,
};
use crate::persons::is_about_persons;
use crate::statistics::Reference;

pub use records::{Behind, Place, RecordBehind, RecordsError, behind};

/// Why a figure could not be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The catalogue has no such commitment.
    #[error("the catalogue has no commitment {id}; the nearest: {near}")]
    UnknownCommitment {
        /// What was asked for.
        id: String,
        /// Commitments whose names are like it, separated by commas.
        near: String,
    },
    /// There is no such area.
    #[error("{0} is no area of the report: the region, a prefecture or a county, six digits (GB/T 2260)")]
    UnknownArea(String),
    /// The figures could not be computed.
    #[error("the figures cannot be computed")]
    Figures(#[from] JobError),
    /// The records could not be found.
    #[error("the records cannot be found")]
    Records(#[from] RecordsError),
}

/// How a measure is counted, in the catalogue's own words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Definition {
    /// Name of the measure.
    pub measure: String,
    /// What it is.
    pub title: Bilingual,
    /// Its unit.
    pub unit: Bilingual,
    /// Where its figures come from.
    pub source: SourceKind,
    /// The dataset.
    pub dataset: String,
    /// The SQL expressions that count it, by what each decides; empty for what is filed.
    pub expressions: Vec<(&'static str, String)>,
}

/// A figure that the expressions use, as it is in force.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParameterInForce {
    /// Its name in the expressions.
    pub name: String,
    /// The department's key; none for a figure that the catalogue states itself.
    pub key: Option<String>,
    /// The figure, in its own unit.
    pub value: i64,
    /// First day on which it holds.
    #[serde(with = "wire::date")]
    pub from: NaiveDate,
    /// First day on which it no longer does.
    #[serde(with = "wire::optional_date")]
    pub until: Option<NaiveDate>,
}

/// A figure beside the commitment's own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Beside {
    /// Name of the measure.
    pub measure: String,
    /// First day of the newest month that it is known for.
    #[serde(with = "wire::month")]
    pub month: NaiveDate,
    /// Numerator.
    #[serde(with = "wire::optional_number")]
    pub numerator: Option<f64>,
    /// Denominator.
    #[serde(with = "wire::optional_number")]
    pub denominator: Option<f64>,
    /// The value.
    #[serde(with = "wire::optional_number")]
    pub value: Option<f64>,
}

/// The records behind a figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "shown", rename_all = "snake_case")]
pub enum Records {
    /// They may be named.
    Named {
        /// How many take part.
        total: usize,
        /// The first of them, by name.
        first: Vec<RecordBehind>,
    },
    /// They are persons, or counted by persons.
    Persons,
    /// The figure is withheld, and so is what it is made of.
    Withheld,
    /// There is no figure.
    NoFigure,
}

/// Whether what is missing decides about the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Matters {
    /// Nothing is missing.
    NothingMissing,
    /// The verdict is the same whatever they would have reported.
    No,
    /// There is no verdict because of it.
    Yes,
}

/// What is missing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Missing {
    /// Areas that should have reported.
    pub areas_expected: usize,
    /// Areas that gave older figures only, with the newest month of each.
    pub late: BTreeMap<String, Option<NaiveDate>>,
    /// Areas that never gave any.
    pub never: BTreeSet<String>,
    /// Services whose records are known only to an instant before that of the report.
    pub incomplete_sources: BTreeSet<String>,
    /// Whether it decides.
    pub matters: Matters,
}

/// Everything that stands behind a figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The day that it is true for.
    #[serde(with = "wire::date")]
    pub on: NaiveDate,
    /// The instant up to which records were taken into account.
    #[serde(with = "wire::instant")]
    pub as_of: DateTime<Utc>,
    /// The catalogue's edition.
    pub catalogue: String,
    /// The departments that the notice makes responsible.
    pub leads: Vec<String>,
    /// What is measured, in the field's own terms.
    pub text: Bilingual,
    /// The figure and its verdict, as the report has it.
    pub entry: AttainmentEntry,
    /// How it is counted, and the measures beside it.
    pub definitions: Vec<Definition>,
    /// The figures that the expressions use, in force in the area on the day.
    pub parameters: Vec<ParameterInForce>,
    /// The newest figures of the measures beside it.
    pub beside: Vec<Beside>,
    /// The records behind it.
    pub records: Records,
    /// How far the services' records are known that it is made from.
    pub sources: Vec<SourceState>,
    /// What is missing.
    pub missing: Missing,
}

/// What is to be explained.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The commitment.
    pub commitment: &'a str,
    /// The area, GB/T 2260.
    pub area: &'a str,
    /// How many records are named at most.
    pub records: usize,
}

/// Explains a commitment's figure in an area. Blocks.
pub fn explain(
    catalogue: &Catalogue,
    lake: &Lake,
    asked: Asked<'_>,
    request: &FindingsRequest,
) -> Result<Explanation, ExplainError> {
    let entry = entry_of(catalogue, asked.commitment)?;
    let areas = Areas::of_the_region();
    if areas.get(asked.area).is_none() {
        return Err(ExplainError::UnknownArea(asked.area.to_owned()));
    }
    let findings = Findings::of(catalogue, lake, request)?;
    let unknown = || ExplainError::UnknownArea(asked.area.to_owned());
    let figure = findings.entry(asked.commitment, asked.area).ok_or_else(unknown)?.clone();
    let own: Vec<&StatisticRow> =
        findings.rows.iter().filter(|row| row.commitment == asked.commitment && row.area == asked.area).collect();
    let records = records(entry, &figure, lake, asked, &findings)?;
    let datasets: BTreeSet<String> = datasets_of(entry, &figure).map(crate::catalogue::service_of).collect();
    let sources = findings.document.sources.iter().filter(|source| datasets.contains(&source.service));
    let sources: Vec<SourceState> = sources.cloned().collect();
    let commitments: Vec<_> =
        findings.commitments.iter().filter(|commitment| commitment.id == asked.commitment).cloned().collect();
    let reported = reported(&commitments, areas.all(), &findings.rows);
    let missing = missing(&figure, &reported, &sources);
    let day = figure.value_on.unwrap_or(findings.document.on);
    Ok(Explanation {
        on: findings.document.on,
        as_of: findings.document.as_of,
        catalogue: findings.document.catalogue.clone(),
        leads: entry.commitment.leads.clone(),
        text: entry.commitment.measure.clone(),
        definitions: entry.measures.iter().map(definition).collect(),
        parameters: parameters(&findings.reference, &entry.commitment.id, asked.area, day),
        beside: beside(&own, findings.document.on),
        entry: figure,
        records,
        sources,
        missing,
    })
}

/// Finds a commitment, or says which are like it.
pub(crate) fn entry_of<'a>(catalogue: &'a Catalogue, id: &str) -> Result<&'a Entry, ExplainError> {
    catalogue.entry(id).ok_or_else(|| {
        let words: Vec<&str> = id.split('-').filter(|word| word.len() > 2).collect();
        let all = catalogue.entries.iter().map(|entry| entry.commitment.id.as_str());
        let near: Vec<&str> = all.filter(|known| words.iter().any(|word| known.contains(word))).take(5).collect();
        ExplainError::UnknownCommitment { id: id.to_owned(), near: near.join(", ") }
    })
}

/// The datasets that a figure is made from: that of its measure, and those that its rows are held against.
fn datasets_of<'a>(entry: &'a Entry, figure: &'a AttainmentEntry) -> impl Iterator<Item = &'a str> {
    let count = entry.primary().count.as_ref().filter(|_| figure.source == SourceKind::Register);
    std::iter::once(figure.dataset.as_str()).chain(count.into_iter().flat_map(datasets_beside))
}

fn datasets_beside(count: &Count) -> impl Iterator<Item = &str> {
    let whole = match &count.denominator {
        Some(Denominator::Other(whole)) => Some(whole.dataset.as_str()),
        _ => None,
    };
    count.restrictions.iter().map(|restriction| restriction.dataset.as_str()).chain(whole)
}

/// Reports whether records behind a measure may be named: none of a dataset that is about persons, and none where the
/// measure counts persons, so that a record's share of it would be theirs.
pub(crate) fn may_be_named(measure: &Measure) -> bool {
    let beside = measure.count.as_ref().into_iter().flat_map(datasets_beside);
    let mut datasets = std::iter::once(measure.dataset.as_str()).chain(beside);
    !measure.person_based && !datasets.any(is_about_persons)
}

fn records(
    entry: &Entry,
    figure: &AttainmentEntry,
    lake: &Lake,
    asked: Asked<'_>,
    findings: &Findings,
) -> Result<Records, RecordsError> {
    let measure = entry.primary();
    if figure.suppressed {
        return Ok(Records::Withheld);
    }
    if !may_be_named(measure) {
        return Ok(Records::Persons);
    }
    let (Some(on), as_of) = (figure.value_on, findings.document.as_of) else { return Ok(Records::NoFigure) };
    let place = Place { on, as_of, area: asked.area };
    let all = if let (Some(count), SourceKind::Register) = (&measure.count, figure.source) {
        behind(entry, measure, count, place, lake, &findings.reference)?.records
    } else {
        let place = Place { on: findings.document.on, ..place };
        records::filed(entry, &figure.dataset, place, on, lake)?
    };
    let total = all.len();
    // Those that count first, so that few say the most.
    let mut first = all;
    first.sort_by_key(|record| (!record.in_numerator, !record.in_denominator));
    first.truncate(asked.records);
    Ok(Records::Named { total, first })
}

fn definition(measure: &Measure) -> Definition {
    Definition {
        measure: measure.name.clone(),
        title: measure.title.clone(),
        unit: measure.unit.clone(),
        source: measure.source,
        dataset: measure.dataset.clone(),
        expressions: measure.count.as_ref().map(|count| expressions(count, measure.form)).unwrap_or_default(),
    }
}

/// The expressions of a count, by what each decides.
fn expressions(count: &Count, form: Form) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    let mut add = |what, sql: Option<String>| all.extend(sql.map(|sql| (what, sql)));
    add("rows", count.condition.clone());
    for restriction in &count.restrictions {
        let with = if restriction.without { "without" } else { "with" };
        let condition = restriction.condition.as_ref().map_or_else(String::new, |sql| format!(" WHERE {sql}"));
        let (column, key, dataset) = (&restriction.column, &restriction.key, &restriction.dataset);
        add("partners", Some(format!("{with} {column} = {dataset}.{key}{condition}")));
    }
    add(
        "latest",
        count.latest.as_ref().map(|latest| match &count.latest_of {
            Some(of) => format!("greatest {latest} of each {of}"),
            None => format!("greatest {latest}"),
        }),
    );
    add("groups", count.group.as_ref().map(|group| format!("GROUP BY {} HAVING {}", group.column, group.having)));
    add("numerator", count.numerator.clone());
    add(
        "denominator",
        match &count.denominator {
            Some(Denominator::Expression(sql)) => Some(sql.clone()),
            Some(Denominator::Divisions(levels)) => Some(format!("divisions: {levels:?}")),
            Some(Denominator::Other(whole)) => {
                let condition = whole.condition.as_ref().map_or_else(String::new, |sql| format!(" WHERE {sql}"));
                Some(format!("{} FROM {}{condition}", whole.count, whole.dataset))
            }
            None => None,
        },
    );
    if form == Form::Share {
        add("value", Some("numerator / denominator, percent".to_owned()));
    }
    all
}

fn parameters(reference: &Reference, commitment: &str, area: &str, on: NaiveDate) -> Vec<ParameterInForce> {
    let in_force = reference.of_commitment(commitment, area, on).into_iter().map(|one| ParameterInForce {
        name: one.name.clone(),
        key: one.key.clone(),
        value: one.value,
        from: one.from,
        until: one.until,
    });
    in_force.collect()
}

/// The newest figure of each measure beside the commitment's own.
fn beside(rows: &[&StatisticRow], on: NaiveDate) -> Vec<Beside> {
    let mut newest: BTreeMap<&str, &StatisticRow> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.measure != PRIMARY_MEASURE && row.month <= on) {
        let known = newest.entry(&row.measure).or_insert(row);
        if known.month <= row.month {
            *known = row;
        }
    }
    let beside = |row: &&StatisticRow| Beside {
        measure: row.measure.clone(),
        month: row.month,
        numerator: row.numerator,
        denominator: row.denominator,
        value: row.value,
    };
    newest.values().map(beside).collect()
}

fn missing(figure: &AttainmentEntry, reported: &[AreaReported], sources: &[SourceState]) -> Missing {
    let inside = reported.iter().filter(|one| {
        crate::catalogue::contains(&figure.area, &one.area) || crate::catalogue::contains(&one.area, &figure.area)
    });
    let inside: Vec<&AreaReported> = inside.collect();
    let late = inside.iter().filter(|one| one.reported == Reported::Late);
    let never = inside.iter().filter(|one| one.reported == Reported::Never);
    let mut missing = Missing {
        areas_expected: inside.len(),
        late: late.map(|one| (one.area.clone(), one.newest)).collect(),
        never: never.map(|one| one.area.clone()).collect(),
        incomplete_sources: sources.iter().filter(|one| one.incomplete).map(|one| one.service.clone()).collect(),
        matters: Matters::NothingMissing,
    };
    let lacks = !missing.late.is_empty() || !missing.never.is_empty() || !missing.incomplete_sources.is_empty();
    missing.matters = match figure.status {
        _ if !lacks => Matters::NothingMissing,
        Status::NotAssessable if figure.reason.is_some_and(for_lack_of_data) => Matters::Yes,
        _ => Matters::No,
    };
    missing
}

/// Reports whether a reason says that something was not reported.
fn for_lack_of_data(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::NoData
            | Reason::Incomplete
            | Reason::SourceTooOld
            | Reason::MissingDenominator
            | Reason::OnePoint
            | Reason::NoBaseline
            | Reason::NoDataOnDueDate
    )
}
