//! Compares two reports: which figures and verdicts changed, and which records changed them.
//!
//! **Restatements** are figures of the same month and day that became others because more is known: a late correction, a
//! withdrawal, a return that came afterwards. **News** is what a later day brought. Only published figures are compared, so
//! nothing is said that the two reports do not say; and records are named only of datasets that are not about persons.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::catalogue::{Catalogue, contains};
use crate::explain::{Place, RecordBehind, RecordsError, behind, may_be_named};
use crate::findings::Findings;
use crate::lake::Lake;
use crate::model::{AttainmentDocument, REGION, SourceKind, StatisticRow, Status, wire};
use crate::statistics::{Reference, month_end};

/// Why reports could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// A file of a report cannot be read.
    #[error(
        "{path} cannot be read: it is no report, or one of another version / {path} 无法读取：不是报告，或为其他版本"
    )]
    NotAReport {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The records could not be found.
    #[error("the records cannot be found")]
    Records(#[from] RecordsError),
}

/// Names a figure: commitment, measure, area, month.
type Key = (String, String, String, NaiveDate);

/// The numbers of a figure: numerator, denominator, value.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Numbers {
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

impl Numbers {
    /// Returns the numbers as files have them, so that one read from a file compares with one that was computed.
    fn of(row: &StatisticRow) -> Self {
        let settle = |number: Option<f64>| number.map(wire::settle);
        Self { numerator: settle(row.numerator), denominator: settle(row.denominator), value: settle(row.value) }
    }
}

/// A report as it was published.
#[derive(Debug, Clone)]
pub struct Published {
    /// The day that it is true for.
    pub on: NaiveDate,
    /// The instant up to which records were taken into account.
    pub as_of: DateTime<Utc>,
    /// The catalogue's edition.
    pub catalogue: String,
    statuses: Statuses,
    figures: BTreeMap<Key, Numbers>,
}

impl Published {
    /// Reads the files of a report.
    pub fn read(directory: &Path) -> Result<Self, DiffError> {
        let json = directory.join("attainment.json");
        let wrong = |path: &Path| {
            let path = path.to_owned();
            move |source: Box<dyn std::error::Error + Send + Sync>| DiffError::NotAReport { path, source }
        };
        let text = std::fs::read(&json).map_err(|error| wrong(&json)(error.into()))?;
        let document: AttainmentDocument = serde_json::from_slice(&text).map_err(|error| wrong(&json)(error.into()))?;
        let csv = directory.join("attainment.csv");
        let rows = read_history(&csv).map_err(wrong(&csv))?;
        Ok(Self::new(&document, rows))
    }

    /// Takes what a report would say.
    pub fn of(findings: &Findings) -> Self {
        let key = |row: &StatisticRow| (row.commitment.clone(), row.measure.clone(), row.area.clone(), row.month);
        let figures = findings.rows.iter().map(|row| (key(row), Numbers::of(row))).collect();
        Self::new(&findings.document, figures)
    }

    fn new(document: &AttainmentDocument, figures: BTreeMap<Key, Numbers>) -> Self {
        let statuses = statuses(document);
        let (on, as_of, catalogue) = (document.on, document.as_of, document.catalogue.clone());
        Self { on, as_of, catalogue, statuses, figures }
    }
}

/// A line of `attainment.csv`, as far as it is compared.
#[derive(serde::Deserialize)]
struct HistoryLine {
    commitment: String,
    measure: String,
    area: String,
    month: String,
    numerator: Option<f64>,
    denominator: Option<f64>,
    value: Option<f64>,
}

fn read_history(path: &Path) -> Result<BTreeMap<Key, Numbers>, Box<dyn std::error::Error + Send + Sync>> {
    let mut figures = BTreeMap::new();
    for line in csv::Reader::from_path(path)?.deserialize() {
        let HistoryLine { commitment, measure, area, month, numerator, denominator, value } = line?;
        let month = format!("{month}-01").parse()?;
        figures.insert((commitment, measure, area, month), Numbers { numerator, denominator, value });
    }
    Ok(figures)
}

/// A verdict that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusChange {
    /// The commitment's identifier.
    pub commitment: String,
    /// GB/T 2260 code.
    pub area: String,
    /// What it was; none where the earlier report has no such entry.
    pub before: Option<Status>,
    /// What it is; none where the later report has no such entry.
    pub after: Option<Status>,
}

/// What a record did to a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// It counts now and did not before.
    Came,
    /// It counted before and does not now.
    Went,
    /// It counts in another way: in the numerator now, or no longer.
    Changed,
}

/// A record that changed a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordChange {
    /// Its name in the dataset.
    pub record: String,
    /// The area it lies in.
    pub area: String,
    /// What it did.
    pub did: Did,
}

/// The records that changed a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "shown", rename_all = "snake_case")]
pub enum Changed {
    /// They are named.
    Named {
        /// By name.
        records: Vec<RecordChange>,
    },
    /// They are persons, or counted by persons.
    Persons,
    /// The figure was filed: one number took another's place.
    Filed,
    /// Nobody looked: no lake was at hand, or another catalogue counted one of the figures.
    NotLookedFor,
}

/// A figure that changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FigureChange {
    /// The commitment's identifier.
    pub commitment: String,
    /// The measure.
    pub measure: String,
    /// GB/T 2260 code.
    pub area: String,
    /// First day of the month.
    #[serde(with = "wire::month")]
    pub month: NaiveDate,
    /// What it was; none where the earlier report has none. Its numbers are none where they were withheld.
    pub before: Option<Numbers>,
    /// What it is.
    pub after: Option<Numbers>,
    /// The records that changed it.
    pub records: Changed,
}

/// What is different between two reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The day and the instant of the earlier report.
    pub before: (String, String),
    /// The day and the instant of the later one.
    pub after: (String, String),
    /// They were counted by other catalogues, so that a change may be one of definition.
    pub catalogue_changed: bool,
    /// The verdicts that changed, by commitment and area.
    pub statuses: Vec<StatusChange>,
    /// Figures of the same month and day that became others.
    pub restatements: Vec<FigureChange>,
    /// Figures that a later day brought.
    pub news: Vec<FigureChange>,
}

/// Compares two reports, the earlier one first.
pub fn diff(before: &Published, after: &Published) -> Difference {
    let mut difference = Difference {
        before: told(before),
        after: told(after),
        catalogue_changed: before.catalogue != after.catalogue,
        statuses: Vec::new(),
        restatements: Vec::new(),
        news: Vec::new(),
    };
    difference.statuses = changed(&before.statuses, &after.statuses);
    let keys: BTreeSet<&Key> = before.figures.keys().chain(after.figures.keys()).collect();
    for key in keys {
        let (was, is) = (before.figures.get(key).copied(), after.figures.get(key).copied());
        if was == is {
            continue;
        }
        let (commitment, measure, area, month) = key.clone();
        let records = Changed::NotLookedFor;
        let change = FigureChange { commitment, measure, area, month, before: was, after: is, records };
        if is_restated(month, before.on, after.on) {
            difference.restatements.push(change);
        } else {
            difference.news.push(change);
        }
    }
    difference
}

/// Returns the verdicts that changed between two reports, by commitment and area.
pub fn status_changes(before: &AttainmentDocument, after: &AttainmentDocument) -> Vec<StatusChange> {
    changed(&statuses(before), &statuses(after))
}

/// Verdicts by commitment and area.
type Statuses = BTreeMap<(String, String), Status>;

fn statuses(document: &AttainmentDocument) -> Statuses {
    let entries = document.commitments.iter();
    entries.map(|entry| ((entry.id.clone(), entry.area.clone()), entry.status)).collect()
}

fn changed(before: &Statuses, after: &Statuses) -> Vec<StatusChange> {
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let change = |key: &(String, String)| {
        let (was, is) = (before.get(key).copied(), after.get(key).copied());
        let (commitment, area) = key.clone();
        (was != is).then_some(StatusChange { commitment, area, before: was, after: is })
    };
    keys.into_iter().filter_map(change).collect()
}

fn told(report: &Published) -> (String, String) {
    (report.on.to_string(), wire::instant_text(report.as_of.timestamp_micros()).unwrap_or_default())
}

/// Reports whether both reports speak of the same day of a month: then only what is known made its figure another.
fn is_restated(month: NaiveDate, before: NaiveDate, after: NaiveDate) -> bool {
    let day = |on: NaiveDate| month_end(month).min(on);
    month <= before && month <= after && day(before) == day(after)
}

/// Looks for the records that changed figures. Blocks.
///
/// Of a measure, what took part is found once for each day and instant, and each area takes from it what lies in it.
pub fn look_for_records(
    difference: &mut Difference,
    before: &Published,
    after: &Published,
    catalogue: &Catalogue,
    lake: &Lake,
    reference: &Reference,
) -> Result<(), DiffError> {
    if difference.catalogue_changed || catalogue.edition != after.catalogue {
        return Ok(());
    }
    let newest_before: BTreeMap<(&str, &str), NaiveDate> = newest(before);
    let mut found: BTreeMap<(String, String, NaiveDate), Vec<RecordChange>> = BTreeMap::new();
    for change in difference.restatements.iter_mut().chain(&mut difference.news) {
        let Some(entry) = catalogue.entry(&change.commitment) else { continue };
        let Some(measure) = entry.measures.iter().find(|measure| measure.name == change.measure) else { continue };
        let Some(count) = measure.count.as_ref().filter(|_| measure.source == SourceKind::Register) else {
            change.records = if may_be_named(measure) { Changed::Filed } else { Changed::Persons };
            continue;
        };
        if !may_be_named(measure) {
            change.records = Changed::Persons;
            continue;
        }
        let key = (change.commitment.clone(), change.measure.clone(), change.month);
        if !found.contains_key(&key) {
            let at = |on, as_of| behind(entry, measure, count, Place { on, as_of, area: REGION }, lake, reference);
            // News is held against the newest month that the earlier report has.
            let since = newest_before.get(&(change.commitment.as_str(), change.measure.as_str()));
            let since = since.copied().unwrap_or(before.on).min(change.month);
            let was = at(month_end(since).min(before.on), before.as_of)?;
            let is = at(month_end(change.month).min(after.on), after.as_of)?;
            found.insert(key.clone(), changes(&was.records, &is.records));
        }
        let inside = |record: &&RecordChange| {
            contains(&change.area, &record.area) || count.holds_below && contains(&record.area, &change.area)
        };
        let records = found.get(&key).into_iter().flatten().filter(inside).cloned().collect();
        change.records = Changed::Named { records };
    }
    Ok(())
}

/// The newest month that a report has of each measure.
fn newest(report: &Published) -> BTreeMap<(&str, &str), NaiveDate> {
    let mut newest: BTreeMap<(&str, &str), NaiveDate> = BTreeMap::new();
    for (commitment, measure, _, month) in report.figures.keys().filter(|(.., month)| *month <= report.on) {
        let known = newest.entry((commitment, measure)).or_insert(*month);
        *known = (*known).max(*month);
    }
    newest
}

/// Says which records took part in one and not in the other, or took part in another way.
fn changes(was: &[RecordBehind], is: &[RecordBehind]) -> Vec<RecordChange> {
    let by_name = |all: &[RecordBehind]| -> BTreeMap<String, RecordBehind> {
        all.iter().map(|one| (one.record.clone(), one.clone())).collect()
    };
    let (was, is) = (by_name(was), by_name(is));
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let change = |name: &&String| {
        let (before, after) = (was.get(*name), is.get(*name));
        let did = match (before, after) {
            (None, Some(_)) => Did::Came,
            (Some(_), None) => Did::Went,
            // Another state of the record: its content may add another amount.
            (Some(one), Some(other)) if one.position != other.position => Did::Changed,
            (Some(one), Some(other))
                if (one.in_numerator, one.in_denominator) != (other.in_numerator, other.in_denominator) =>
            {
                Did::Changed
            }
            _ => return None,
        };
        let area = after.or(before).map(|one| one.area.clone()).unwrap_or_default();
        Some(RecordChange { record: (*name).clone(), area, did })
    };
    names.iter().filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::findings::FindingsRequest;
    use crate::testing::{Row, day, lake_of, row};

    const COMMITMENT: &str = "age-friendly-institutions";

    fn hospital(id: &str, recorded: &str) -> Row {
        row("health.institutions", &format!("institutions/{id}"), "540102", "2025-01-01")
            .recorded(recorded)
            .with("institution_class", "GENERAL_HOSPITAL")
            .with("operating_from", "2020-01-01")
    }

    fn certified(row: Row) -> Row {
        row.with("age_friendly_from", "2025-06-01").with("age_friendly_to", "2028-05-31")
    }

    /// Three hospitals, of which one has a certificate; in January another one's turns up, and a fourth hospital.
    fn rows() -> Vec<Row> {
        let second = hospital("i2", "2025-01-10");
        let mut rows = vec![
            certified(hospital("i1", "2025-01-10")),
            second.clone(),
            hospital("i3", "2025-01-10"),
            second.retracted("2026-01-20"),
            Row { assertion: 2, ..certified(second).recorded("2026-01-20") },
        ];
        rows.push(certified(hospital("i4", "2026-01-20")));
        rows
    }

    fn findings(lake: &Lake, on: &str, as_of: &str) -> Findings {
        let as_of = Some(day(as_of).and_time(chrono::NaiveTime::MIN).and_utc());
        let request = FindingsRequest { on: day(on), as_of, ..FindingsRequest::default() };
        Findings::of(Catalogue::shipped(), lake, &request).unwrap()
    }

    fn compared(lake: &Lake, before: (&str, &str), after: (&str, &str)) -> Difference {
        let (was, is) = (findings(lake, before.0, before.1), findings(lake, after.0, after.1));
        let (before, after) = (Published::of(&was), Published::of(&is));
        let mut difference = diff(&before, &after);
        look_for_records(&mut difference, &before, &after, Catalogue::shipped(), lake, &is.reference).unwrap();
        difference
    }

    fn of<'a>(changes: &'a [FigureChange], measure: &str, area: &str, month: &str) -> &'a FigureChange {
        let named = |change: &&FigureChange| {
            (change.commitment.as_str(), change.measure.as_str()) == (COMMITMENT, measure)
                && (change.area.as_str(), change.month) == (area, day(month))
        };
        changes.iter().find(named).unwrap_or_else(|| panic!("{measure} {area} {month} in {changes:#?}"))
    }

    fn numbers(numerator: f64, denominator: f64) -> Numbers {
        let value = Some(wire::settle(100.0 * numerator / denominator));
        Numbers { numerator: Some(numerator), denominator: Some(denominator), value }
    }

    #[test]
    fn a_late_record_restates_the_months_it_is_true_for_and_is_named() {
        let (_directory, lake) = lake_of(&rows());
        let difference = compared(&lake, ("2025-12-31", "2026-01-10"), ("2025-12-31", "2026-02-10"));
        assert!(difference.news.is_empty() && !difference.catalogue_changed, "{difference:#?}");
        for area in ["540000", "540100", "540102"] {
            let change = of(&difference.restatements, "primary", area, "2025-12-01");
            assert_eq!((change.before, change.after), (Some(numbers(1.0, 3.0)), Some(numbers(3.0, 4.0))));
            let named = |record: &str, did| RecordChange {
                record: format!("institutions/{record}"),
                area: "540102".to_owned(),
                did,
            };
            let records = vec![named("i2", Did::Changed), named("i4", Did::Came)];
            assert_eq!(change.records, Changed::Named { records });
        }
        // Before June there was no certificate: only the fourth hospital is new.
        let earlier = of(&difference.restatements, "primary", "540000", "2025-03-01");
        assert_eq!((earlier.before, earlier.after), (Some(numbers(0.0, 3.0)), Some(numbers(0.0, 4.0))));
        let same = compared(&lake, ("2025-12-31", "2026-01-10"), ("2025-12-31", "2026-01-15"));
        assert_eq!((same.statuses, same.restatements, same.news), (vec![], vec![], vec![]));
    }

    #[test]
    fn a_new_month_is_news_and_verdicts_are_compared() {
        let (_directory, lake) = lake_of(&rows());
        let difference = compared(&lake, ("2025-12-31", "2026-02-10"), ("2026-01-31", "2026-02-10"));
        assert!(difference.restatements.is_empty(), "{:#?}", difference.restatements);
        let change = of(&difference.news, "primary", "540102", "2026-01-01");
        assert_eq!((change.before, change.after), (None, Some(numbers(3.0, 4.0))));
        assert_eq!(change.records, Changed::Named { records: vec![] }, "the same hospitals as in December");
        let difference = compared(&lake, ("2025-05-31", "2026-02-10"), ("2025-12-31", "2026-02-10"));
        let changed = difference.statuses.iter().any(|change| change.commitment == COMMITMENT);
        assert!(changed, "{:#?}", difference.statuses);
    }

    #[test]
    fn a_report_that_is_read_from_its_files_compares_as_it_was_computed() {
        let (directory, lake) = lake_of(&rows());
        let config = crate::job::JobConfig {
            lake_dir: directory.path().to_owned(),
            out_dir: directory.path().join("out"),
            catalogue: Catalogue::shipped().clone(),
            on: day("2025-12-31"),
            as_of: Some(day("2026-01-10").and_time(chrono::NaiveTime::MIN).and_utc()),
            options: crate::report::Options::default(),
            policy: crate::assessment::Policy::default(),
            signer: None,
            sources: Vec::new(),
        };
        crate::job::compute_report(&config, &lake, crate::job::Collected::default()).unwrap();
        let (read, computed) =
            (Published::read(&config.out_dir).unwrap(), Published::of(&findings(&lake, "2025-12-31", "2026-01-10")));
        let difference = diff(&read, &computed);
        assert_eq!((difference.statuses, difference.restatements, difference.news), (vec![], vec![], vec![]));
        let error = Published::read(directory.path()).unwrap_err();
        assert!(error.to_string().contains("attainment.json"), "{error}");
    }

    #[test]
    fn the_same_day_is_restated_and_a_later_one_is_news() {
        let cases = [
            ("2026-02-01", "2026-03-31", "2026-04-30", true),
            ("2026-03-01", "2026-03-31", "2026-04-30", true),
            ("2026-03-01", "2026-03-15", "2026-03-31", false),
            ("2026-03-01", "2026-03-15", "2026-03-15", true),
            ("2026-04-01", "2026-03-31", "2026-04-30", false),
        ];
        for (month, before, after, restated) in cases {
            assert_eq!(is_restated(day(month), day(before), day(after)), restated, "{month} {before} {after}");
        }
    }
}
