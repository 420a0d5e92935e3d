//! Samples of what every department files in the same way; community stands for all.

use minsheng_catalogue::Catalogue;
use minsheng_proto::{common::v1 as common, returns::v1 as pb};
use minsheng_testkit::sampler::{FIRST_DAY, Place, Sample, Sampler};
use prost_reflect::Value;

use super::{date, sample, texts};

pub(super) const SAMPLERS: &[&dyn Sampler] = &[&Milestones, &Returns];

/// The department in which filings are sampled.
pub(super) const DEPARTMENT: &str = "community";

/// A commitment of that department, everywhere in the region.
const COMMITMENT: &str = "elder-meal-points";

struct Milestones;

impl Sampler for Milestones {
    fn register(&self) -> &'static str {
        "milestones"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        let milestone = pb::Milestone {
            name: name.to_owned(),
            area: place.county.clone(),
            commitment: COMMITMENT.to_owned(),
            subject: "rules-issued".to_owned(),
            title: "演示里程碑".to_owned(),
            milestone_state: pb::MilestoneState::Done.into(),
            happened_on: date(FIRST_DAY),
            evidence: "a".to_owned(),
            source: "a".to_owned(),
            filed_by: "0107".to_owned(),
            ..pb::Milestone::default()
        };
        sample(vec![], &milestone)
    }

    fn lies_in_a_county(&self) -> bool {
        false
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        vec![("evidence", texts(&["a", "b", "c"])), ("source", texts(&["a", "b"]))]
    }
}

struct Returns;

impl Sampler for Returns {
    fn register(&self) -> &'static str {
        "returns"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        let filed = pb::Return {
            name: name.to_owned(),
            area: place.county.clone(),
            commitment: COMMITMENT.to_owned(),
            month: Some(common::YearMonth { year: 2025, month: 1 }),
            value: Some(1.0),
            unit: Catalogue::shipped().entry(COMMITMENT).expect("an entry").primary().unit.en.clone(),
            source: "a".to_owned(),
            filed_by: "0107".to_owned(),
            ..pb::Return::default()
        };
        sample(vec![], &filed)
    }

    fn lies_in_a_county(&self) -> bool {
        false
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        vec![("value", [1.0, 2.0, 3.0].map(Value::F64).to_vec()), ("source", texts(&["a", "b"]))]
    }
}
