//! What the page's parts look up: entries and rows by commitment and area, and a status as it is shown.

use std::collections::BTreeMap;

use super::super::Report;
use super::super::lang;
use super::view::Mark;
use crate::model::{
    Area, AttainmentEntry, Commitment, Level, PRIMARY_MEASURE, Reason, Run, SourceState, StatisticRow, Status,
};

/// The report's entries and rows by commitment and area.
pub(super) struct Index<'a> {
    pub(super) commitments: BTreeMap<&'a str, &'a Commitment>,
    pub(super) sources: BTreeMap<&'a str, &'a SourceState>,
    run: &'a Run,
    pub(super) prefectures: Vec<&'a Area>,
    entries: BTreeMap<(&'a str, &'a str), &'a AttainmentEntry>,
    rows: BTreeMap<(&'a str, &'a str), Vec<&'a StatisticRow>>,
}

impl<'a> Index<'a> {
    pub(super) fn new(report: &Report<'a>) -> Self {
        let mut rows: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for row in report.rows {
            rows.entry((row.commitment.as_str(), row.area.as_str())).or_default().push(row);
        }
        let mut prefectures: Vec<&Area> = report.areas.iter().filter(|area| area.level == Level::Prefecture).collect();
        prefectures.sort_by(|left, right| left.code.cmp(&right.code));
        Self {
            commitments: report.commitments.iter().map(|commitment| (commitment.id.as_str(), commitment)).collect(),
            sources: report.document.sources.iter().map(|source| (source.service.as_str(), source)).collect(),
            run: report.run,
            prefectures,
            entries: report
                .document
                .commitments
                .iter()
                .map(|entry| ((entry.id.as_str(), entry.area.as_str()), entry))
                .collect(),
            rows,
        }
    }

    /// Reports whether a service was asked in the run and did not answer.
    pub(super) fn is_unreached(&self, service: &str) -> bool {
        self.run.get(service).is_some_and(|became| became.unreached.is_some())
    }

    /// The entry of a commitment in an area.
    pub(super) fn entry(&self, commitment: &str, area: &str) -> Option<&'a AttainmentEntry> {
        self.entries.get(&(commitment, area)).copied()
    }

    /// The rows of a commitment's primary measure in an area.
    pub(super) fn primary(&self, commitment: &str, area: &str) -> impl Iterator<Item = &'a StatisticRow> {
        self.of(commitment, area, |measure| measure == PRIMARY_MEASURE)
    }

    /// The newest row of a secondary measure in an area that says anything.
    pub(super) fn newest(&self, commitment: &str, area: &str, measure: &str) -> Option<&'a StatisticRow> {
        self.of(commitment, area, |name| name == measure)
            .filter(|row| row.value.is_some() || row.numerator.is_some())
            .max_by_key(|row| row.month)
    }

    fn of(
        &self,
        commitment: &str,
        area: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = &'a StatisticRow> {
        let rows = self.rows.get(&(commitment, area)).cloned().unwrap_or_default();
        rows.into_iter().filter(move |row| wanted(&row.measure))
    }
}

/// Returns a status as it is shown.
pub(super) fn mark(status: Status) -> Mark {
    Mark { code: lang::status_code(status), sign: lang::status_sign(status), label: lang::status(status).into() }
}

/// Reports whether a commitment says anything about an area.
pub(super) fn applies(entry: &AttainmentEntry) -> bool {
    !matches!(entry.reason, Some(Reason::OutOfScope | Reason::NotMeasuredAtLevel))
}
