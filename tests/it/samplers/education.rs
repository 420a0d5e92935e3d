//! Samples of education.

use chrono::NaiveDate;
use minsheng_proto::education::v1 as pb;
use minsheng_testkit::sampler::{FIRST_DAY, Place, Question, Sample, Sampler};
use prost_reflect::Value;

use super::{bytes, date, need, numbers, on, sample, switch};

pub(super) const SAMPLERS: &[&dyn Sampler] = &[&Schools, &Funding, &AidCases];

fn school(place: &Place, name: &str) -> pb::School {
    pb::School {
        name: name.to_owned(),
        area: place.county.clone(),
        title: "演示学校".to_owned(),
        stage: pb::SchoolStage::Primary.into(),
        rural: true,
        altitude_class: pb::AltitudeClass::Two.into(),
        border: place.border,
        places: 600,
        pupils: 500,
        opened_on: date(FIRST_DAY),
        ..pb::School::default()
    }
}

fn aid_case(place: &Place, name: &str, school: &str, applied_on: NaiveDate) -> pb::AidCase {
    pb::AidCase {
        name: name.to_owned(),
        area: place.county.clone(),
        resident_id: place.person(2015, 0),
        school: school.to_owned(),
        stage: pb::AidStage::Compulsory.into(),
        household_kind: pb::AidHouseholdKind::FarmerHerder.into(),
        term_year: 2025,
        applied_on: date(applied_on),
        ..pb::AidCase::default()
    }
}

struct Schools;

impl Sampler for Schools {
    fn register(&self) -> &'static str {
        "schools"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        sample(vec![], &school(place, name))
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        vec![("places", numbers([600, 700, 800])), ("meets_basic_conditions", switch())]
    }

    fn questions(&self, place: &Place, name: &str, day: NaiveDate) -> Vec<Question> {
        let case = aid_case(place, &place.name("aid_cases", "asked"), name, day);
        vec![Question::Takes { register: "aid_cases", item: bytes(&case) }]
    }
}

struct Funding;

impl Funding {
    fn record(place: &Place, name: &str, paid_on: NaiveDate) -> pb::FundingRecord {
        pb::FundingRecord {
            name: name.to_owned(),
            area: place.county.clone(),
            school: place.name("schools", "funded"),
            fund: pb::FundKind::ThreeGuarantees.into(),
            term_year: 2024,
            term: pb::Term::Autumn.into(),
            students: 100,
            amount_fen: 100 * 250_000,
            paid_on: date(paid_on),
            ..pb::FundingRecord::default()
        }
    }
}

impl Sampler for Funding {
    fn register(&self) -> &'static str {
        "funding_records"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        let school = pb::School { opened_on: on(2020, 9, 1), ..school(place, &place.name("schools", "funded")) };
        sample(vec![need("schools", &school)], &Self::record(place, name, FIRST_DAY))
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        vec![("students", numbers([100, 110])), ("amount_fen", numbers([25_000_000, 26_000_000, 20_000_000]))]
    }

    fn questions(&self, place: &Place, name: &str, day: NaiveDate) -> Vec<Question> {
        vec![Question::KeyIsFree { item: bytes(&Self::record(place, &format!("{name}.other"), day)) }]
    }
}

struct AidCases;

impl Sampler for AidCases {
    fn register(&self) -> &'static str {
        "aid_cases"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        let there = pb::School { opened_on: on(2020, 9, 1), ..school(place, &place.name("schools", "aided")) };
        sample(vec![need("schools", &there)], &aid_case(place, name, &there.name, FIRST_DAY))
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        vec![("boarding", switch())]
    }

    fn questions(&self, place: &Place, name: &str, day: NaiveDate) -> Vec<Question> {
        let other = aid_case(place, &format!("{name}.other"), &place.name("schools", "aided"), day);
        vec![Question::KeyIsFree { item: bytes(&other) }]
    }
}
