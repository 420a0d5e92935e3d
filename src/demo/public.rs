//! The published figures, filed as a department would file them: no record is invented.
//!
//! `public-figures.csv` holds each figure with its day, its source and how sure we are of it. A figure is filed for the
//! measure that bears its name in the catalogue; one without such a measure is named in the output, never dropped.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::NaiveDate;
use minsheng_analytics::{
    catalogue::{Catalogue, Measure},
    model::{PRIMARY_MEASURE, SourceKind},
};
use minsheng_proto::{common::v1 as common, returns::v1 as pb};
use prost::Message as _;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Loaded,
    load::{approve, load_batch},
    province::{Approvals, Batch, date, milestones, returns, year_month},
};
use crate::{
    error::Error,
    lang::Lang,
    output::{self, Progress},
    said,
    site::Site,
};

/// Under it the ids of the uploads are made.
const NAMESPACE: Uuid = Uuid::from_u128(0x6d69_6e73_6865_6e67_2d70_7562_6c69_6301);

/// A published figure.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Figure {
    /// The commitment, by its id in the catalogue.
    pub commitment: String,
    /// What was published, in words.
    pub measure: String,
    /// GB/T 2260.
    pub area: String,
    /// The day that it is true for.
    pub on: NaiveDate,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// `high`, `medium` or `low`.
    pub confidence: String,
    /// Where it was published.
    pub source: String,
}

/// Why a figure cannot be filed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// No measure of the commitment bears its name.
    NoMeasure,
    /// The measure is counted in another unit.
    OtherUnit,
}

/// A figure as it is filed.
#[derive(Clone, Debug, PartialEq)]
pub enum Filing {
    /// As a return.
    Return(pb::Return),
    /// As a milestone.
    Milestone(pb::Milestone),
}

/// Reads the figures.
pub fn figures() -> Result<Vec<Figure>, csv::Error> {
    csv::Reader::from_reader(include_str!("public-figures.csv").as_bytes()).deserialize().collect()
}

/// Finds the place of a figure: the department that takes it, and what is filed.
pub fn place(figure: &Figure, catalogue: &Catalogue) -> Result<(String, Filing), NoPlace> {
    let entry = catalogue.entry(&figure.commitment).ok_or(NoPlace::NoMeasure)?;
    let named = |measure: &&Measure| measure.figure.as_deref() == Some(figure.measure.as_str());
    let measure = entry.measures.iter().find(named).ok_or(NoPlace::NoMeasure)?;
    let confidence = match figure.confidence.as_str() {
        "high" => common::Confidence::High,
        "medium" => common::Confidence::Medium,
        _ => common::Confidence::Low,
    };
    let filing = if measure.source == SourceKind::Milestones {
        Filing::Milestone(pb::Milestone {
            area: figure.area.clone(),
            commitment: figure.commitment.clone(),
            subject: measure.subjects.first().cloned().unwrap_or_else(|| figure.measure.replace(' ', "-")),
            title: entry.commitment.title_zh.clone(),
            milestone_state: pb::MilestoneState::Done.into(),
            happened_on: Some(date(figure.on)),
            evidence: figure.source.clone(),
            source: figure.source.clone(),
            confidence: confidence.into(),
            filed_by: returns::FILER.to_owned(),
            ..pb::Milestone::default()
        })
    } else if same_kind_of_unit(&measure.unit.en, &figure.unit) {
        Filing::Return(pb::Return {
            area: figure.area.clone(),
            commitment: figure.commitment.clone(),
            measure: if measure.name == PRIMARY_MEASURE { String::new() } else { measure.name.clone() },
            month: Some(year_month(figure.on)),
            value: Some(figure.value),
            unit: measure.unit.en.clone(),
            source: figure.source.clone(),
            confidence: confidence.into(),
            filed_by: returns::FILER.to_owned(),
            ..pb::Return::default()
        })
    } else {
        return Err(NoPlace::OtherUnit);
    };
    Ok((entry.commitment.service.clone(), filing))
}

/// The catalogue says which figure is which measure and may call its unit by another word (venues, facilities); a
/// share, money or a measure of area must be the same in both.
fn same_kind_of_unit(ours: &str, theirs: &str) -> bool {
    let exact = |unit: &str| unit.contains("percent") || unit.contains("yuan") || unit.contains("square");
    ours == theirs || !(exact(ours) || exact(theirs))
}

/// The records that are filed, by department and register, and what is approved of them, which is all.
#[derive(Default)]
pub(super) struct Filings {
    pub(super) records: BTreeMap<(String, &'static str), Vec<Bytes>>,
    approvals: BTreeMap<String, Approvals>,
}

/// Finds the place of every figure, and says which has none.
pub(super) fn filings(lang: Lang) -> Result<Filings, Error> {
    let catalogue = crate::catalogue::get()?;
    let mut filed = Filings::default();
    for figure in figures().map_err(Error::internal)? {
        match place(&figure, catalogue) {
            Ok((department, filing)) => {
                let approvals = filed.approvals.entry(department.clone()).or_default();
                approvals.officer = returns::APPROVER;
                let (register, bytes) = match filing {
                    Filing::Return(figure) => {
                        approvals.returns.push(returns::name_of(&figure));
                        ("returns", figure.encode_to_vec())
                    }
                    Filing::Milestone(step) => {
                        approvals.milestones.push(milestones::name_of(&step));
                        ("milestones", step.encode_to_vec())
                    }
                };
                filed.records.entry((department, register)).or_default().push(Bytes::from(bytes));
            }
            Err(why) => output::line(unplaced(&figure, why, lang)),
        }
    }
    Ok(filed)
}

/// Files all figures.
pub(super) async fn file(site: &Site, filings: Filings, lang: Lang) -> Result<Loaded, Error> {
    let Filings { records, approvals } = filings;
    let number: usize = records.values().map(Vec::len).sum();
    output::line(said!(lang, "填报已公布的数字 {number} 项", "{number} published figures are filed"));
    let mut loaded = Loaded::default();
    for ((department, register), records) in records {
        let channel = site.endpoints().channel("operator", &department)?;
        let upload_id = Uuid::new_v5(&NAMESPACE, format!("{department}/{register}").as_bytes());
        let expected = u64::try_from(records.len()).unwrap_or_default();
        let batch = Batch { register, expected, records: Box::new(records.into_iter()) };
        loaded.merge(load_batch(&channel, upload_id, batch, &Progress::default(), lang).await?);
    }
    for (department, approvals) in approvals {
        let channel = site.endpoints().channel("operator", &department)?;
        loaded.changed += approve(&channel, &department, approvals, &Progress::default(), lang).await?;
    }
    Ok(loaded)
}

fn unplaced(figure: &Figure, why: NoPlace, lang: Lang) -> String {
    let Figure { commitment, measure, value, unit, .. } = figure;
    match why {
        NoPlace::NoMeasure => said!(
            lang,
            "  未填报：{commitment} 的“{measure}”（{value} {unit}）在目录中没有对应指标",
            "  not filed: \"{measure}\" of {commitment} ({value} {unit}) has no measure in the catalogue"
        ),
        NoPlace::OtherUnit => said!(
            lang,
            "  未填报：{commitment} 的“{measure}”（{value} {unit}）与目录的单位不同",
            "  not filed: \"{measure}\" of {commitment} ({value} {unit}) is in another unit than the catalogue's"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_figure_has_a_place_of_its_own() {
        let catalogue = Catalogue::embedded().expect("the catalogue is sound");
        let figures = figures().expect("the file reads");
        assert_eq!(figures.len(), 39);
        let mut places = std::collections::BTreeSet::new();
        for figure in &figures {
            match place(figure, &catalogue) {
                Ok((_, Filing::Return(filed))) => {
                    let month = filed.month.expect("set");
                    let place = (filed.commitment, filed.measure, filed.area, month.year, month.month);
                    assert!(places.insert(place), "{figure:?} stands where another does");
                }
                Ok((_, Filing::Milestone(filed))) => assert_eq!(filed.milestone_state(), pb::MilestoneState::Done),
                Err(why) => panic!("{figure:?}: {why:?}"),
            }
        }
    }

    #[test]
    fn a_figure_without_a_measure_is_named_and_not_dropped() {
        let catalogue = Catalogue::embedded().expect("the catalogue is sound");
        let figure = Figure { measure: "something else".to_owned(), ..figures().expect("reads")[0].clone() };
        assert_eq!(place(&figure, &catalogue), Err(NoPlace::NoMeasure));
        assert!(unplaced(&figure, NoPlace::NoMeasure, Lang::En).contains("something else"));
    }
}
