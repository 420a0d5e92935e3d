//! Education: schools, what they were given by term, and pupils' cases for the three guarantees.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use minsheng_kit::values::divisions::{CountyCode, Divisions};
use minsheng_proto::education::v1 as pb;
use pb::SchoolStage as Stage;

use super::{Batch, Changes, Draw, LAST_DAY, Province, date, day_of, encoded, later, places, social_security};
use crate::upload::Update;

/// Schools by stage: 3,618 together (handbook 7.6).
const SCHOOLS: [(Stage, &str, u32, i64); 8] = [
    (Stage::Kindergarten, "幼儿园", 2_577, 110),
    (Stage::Primary, "小学", 825, 420),
    (Stage::Junior, "初级中学", 105, 1_150),
    (Stage::NineYear, "九年一贯制学校", 48, 900),
    (Stage::Senior, "高级中学", 41, 1_850),
    (Stage::Vocational, "职业技术学校", 13, 1_900),
    (Stage::Special, "特殊教育学校", 7, 150),
    (Stage::Dedicated, "专门学校", 2, 80),
];
/// Terms with their first days, and the share of schools whose money reached the standard: the raises of 2025 and 2026
/// were late in some.
const TERMS: [(i32, pb::Term, NaiveDate, f64); 5] = [
    (2024, pb::Term::Spring, day_of(2024, 3, 1), 0.95),
    (2024, pb::Term::Autumn, day_of(2024, 9, 1), 0.985),
    (2025, pb::Term::Spring, day_of(2025, 3, 1), 0.93),
    (2025, pb::Term::Autumn, day_of(2025, 9, 1), 0.9),
    (2026, pb::Term::Spring, day_of(2026, 3, 1), 0.965),
];
/// Standards of the terms a student and year, in yuan: three guarantees without nutrition, then public funds.
const GUARANTEES: [i64; 5] = [4_620, 4_620, 4_620, 4_700, 4_940];
const PUBLIC_FUNDS: [i64; 5] = [1_000, 1_000, 1_100, 1_100, 1_100];
/// Beside it for the nutrition scheme a pupil and term, in fen.
const NUTRITION_FEN: i64 = 50_000;
/// Share of senior schools that reach the public funds in the last terms.
const SENIOR_SHARE: f64 = 0.83;
/// Of so many kindergartens in towns one is private: it has neither public funds nor the three guarantees.
const PRIVATE_ONE_OF: u32 = 6;
/// Pupils' cases, at scale 1.
const CASES: u32 = 8_000;
/// Cases of urban families in hardship, which ask social security, at scale 1.
const HARDSHIP: u32 = 400;

#[derive(Clone, Copy, Debug)]
struct School {
    number: u32,
    stage: Stage,
    title: &'static str,
    county: CountyCode,
    rural: bool,
    private: bool,
    places: i64,
    pupils: i64,
    opened_on: NaiveDate,
    closed_on: Option<NaiveDate>,
}

impl School {
    fn teaches_on(&self, day: NaiveDate) -> bool {
        self.closed_on.is_none_or(|closed| day < closed)
    }
}

pub(super) fn batches(province: Province) -> Vec<Batch> {
    let all = schools(province);
    let count = |number: usize| u64::try_from(number).unwrap_or_default();
    let mut draw = province.draw("schools");
    let records: Vec<_> = all.iter().map(|school| encoded(&record(province, &mut draw, school))).collect();
    let mut draw = province.draw("funding");
    let funded: Vec<School> = all
        .iter()
        .copied()
        .filter(|school| matches!(school.stage, Stage::Primary | Stage::Junior | Stage::NineYear | Stage::Senior))
        .chain(all.iter().copied().filter(|school| school.stage == Stage::Kindergarten && school.rural))
        .collect();
    let expected = count(funded.len() * TERMS.len());
    let funding = funded.into_iter().flat_map(move |school| {
        let terms = (0..TERMS.len()).filter(|term| school.teaches_on(TERMS[*term].2));
        terms.flat_map(|term| payments(province, &mut draw, &school, term)).collect::<Vec<_>>()
    });
    let cases = province.scaled(CASES);
    let mut draw = province.draw("aid");
    let open = open_to_pupils(all);
    let aid = (0..cases).map(move |number| encoded(&aid_case(province, &mut draw, number, false, &open)));
    vec![
        Batch { register: "schools", expected: count(records.len()), records: Box::new(records.into_iter()) },
        Batch { register: "funding_records", expected, records: Box::new(funding.map(|made| encoded(&made))) },
        Batch { register: "aid_cases", expected: u64::from(cases), records: Box::new(aid) },
    ]
}

/// Cases for which social security is asked.
pub(super) fn cases(province: Province) -> Vec<Changes> {
    let mut draw = province.draw("hardship");
    let open = open_to_pupils(schools(province));
    let creations = (0..province.scaled(HARDSHIP))
        .map(|number| {
            let case = aid_case(province, &mut draw, number, true, &open);
            province.creation(&case, &case.name, case.applied_on)
        })
        .collect();
    vec![Changes { register: "aid_cases", creations, updates: vec![], ends: vec![] }]
}

fn open_to_pupils(all: Vec<School>) -> Vec<School> {
    let open = |school: &School| aid_stage(school.stage).is_some() && school.closed_on.is_none() && !school.private;
    all.into_iter().filter(open).collect()
}

/// The school year brings new numbers of places and pupils to some schools.
pub(super) fn changes(province: Province) -> Vec<Changes> {
    let mut draw = province.draw("school-changes");
    let mut updates: Vec<Update> = Vec::new();
    for school in schools(province) {
        let grows = matches!(school.stage, Stage::Junior | Stage::Senior | Stage::NineYear) || draw.chance(0.03);
        if !grows {
            continue;
        }
        let name = province.name("schools", school.number);
        let mut places = school.places;
        // The last is planned: on the report's day it lies ahead.
        for (version, year) in [(1, 2024), (2, 2025), (3, 2026)] {
            places += draw.between(0, school.places / 20);
            let changed = pb::School {
                name: name.clone(),
                places,
                pupils: places * draw.between(82, 97) / 100,
                ..pb::School::default()
            };
            let on = day_of(year, 9, 1);
            updates.push(province.update(&changed, &name, version, &["places", "pupils"], on));
        }
    }
    vec![Changes { register: "schools", creations: vec![], updates, ends: vec![] }]
}

fn schools(province: Province) -> Vec<School> {
    let mut draw = province.draw("school-list");
    let mut all = Vec::new();
    for (stage, title, total, size) in SCHOOLS {
        for (county, number) in places::spread(total) {
            for _ in 0..number {
                let rural = matches!(stage, Stage::Kindergarten | Stage::Primary) && draw.chance(0.8);
                let size = if rural { size * 6 / 10 } else { size };
                let places = draw.between(size * 6 / 10, size * 14 / 10).max(20);
                let number = u32::try_from(all.len()).unwrap_or_default();
                all.push(School {
                    number,
                    stage,
                    title,
                    county,
                    rural,
                    private: stage == Stage::Kindergarten && !rural && number % PRIVATE_ONE_OF == 0,
                    places,
                    pupils: places * draw.between(70, 99) / 100,
                    opened_on: draw.day(day_of(1965, 9, 1), day_of(2023, 9, 1)),
                    closed_on: (rural && draw.chance(0.01)).then(|| draw.day(day_of(2024, 7, 1), day_of(2025, 8, 31))),
                });
            }
        }
    }
    all
}

/// The schools that admit pupils by the rules of sunshine enrolment, by county: when each opened and closed.
pub(super) fn admitting(province: Province) -> BTreeMap<String, Vec<(NaiveDate, Option<NaiveDate>)>> {
    let mut admitting: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let stages = [Stage::Primary, Stage::Junior, Stage::NineYear, Stage::Senior];
    for school in schools(province).into_iter().filter(|school| stages.contains(&school.stage)) {
        admitting.entry(school.county.as_str().to_owned()).or_default().push((school.opened_on, school.closed_on));
    }
    admitting
}

fn record(province: Province, draw: &mut Draw, school: &School) -> pb::School {
    let divisions = Divisions::get();
    let altitude = match places::prefecture_number(school.county) {
        0 | 3 => pb::AltitudeClass::Two,
        5 | 6 => pb::AltitudeClass::Four,
        _ => pb::AltitudeClass::Three,
    };
    let kindergarten = school.stage == Stage::Kindergarten;
    let nursery_classes = if kindergarten && draw.chance(0.18) { draw.between(1, 2) } else { 0 };
    let nursery_places = nursery_classes * 15;
    pb::School {
        name: province.name("schools", school.number),
        area: school.county.as_str().to_owned(),
        title: format!("演示·{}第{}{}", divisions.name_zh(school.county), school.number + 1, school.title),
        stage: school.stage.into(),
        rural: school.rural,
        altitude_class: altitude.into(),
        border: divisions.is_border(school.county),
        places: school.places,
        pupils: school.pupils,
        large_classes: if draw.chance(0.08) { draw.between(1, 4) } else { 0 },
        meets_basic_conditions: draw.chance(0.88),
        nursery_classes,
        nursery_places,
        nursery_children: nursery_places * draw.between(40, 95) / 100,
        opened_on: Some(date(school.opened_on)),
        closed_on: school.closed_on.map(date),
        ownership: if school.private { pb::SchoolOwnership::Private } else { pb::SchoolOwnership::Public }.into(),
        ..pb::School::default()
    }
}

/// The payments of one school for one term.
fn payments(province: Province, draw: &mut Draw, school: &School, term: usize) -> Vec<pb::FundingRecord> {
    let (year, name, first_day, share) = TERMS[term];
    let paid_on = later(first_day, draw.between(2, 28)).min(LAST_DAY);
    let make = |fund: pb::FundKind, students: i64, each_year: i64, nutrition_students: i64| pb::FundingRecord {
        name: province
            .name("funding_records", format_args!("{}/{}/{year}/{}", school.number, fund as i32, name as i32)),
        area: school.county.as_str().to_owned(),
        school: province.name("schools", school.number),
        fund: fund.into(),
        term_year: year,
        term: name.into(),
        students,
        // Half of the year's amount, in fen, and the nutrition part.
        amount_fen: students * each_year * 50 + nutrition_students * NUTRITION_FEN,
        nutrition_fen: nutrition_students * NUTRITION_FEN,
        nutrition_students,
        paid_on: Some(date(paid_on)),
        ..pb::FundingRecord::default()
    };
    let amount = |draw: &mut Draw, standard: i64, share: f64| {
        if draw.chance(share) { standard + draw.between(0, 60) } else { standard - draw.between(20, 260) }
    };
    let mut made = Vec::new();
    if school.stage == Stage::Senior {
        let share = if term < 2 { 0.98 } else { SENIOR_SHARE };
        let each = amount(draw, PUBLIC_FUNDS[term], share);
        made.push(make(pb::FundKind::SeniorPublicFunds, school.pupils.max(1), each, 0));
    }
    let eligible = (school.pupils * draw.between(60, 95) / 100).max(1);
    let in_scheme = school.rural && school.stage == Stage::Primary;
    let each = amount(draw, GUARANTEES[term], share);
    made.push(make(pb::FundKind::ThreeGuarantees, eligible, each, if in_scheme { eligible } else { 0 }));
    made
}

fn aid_stage(stage: Stage) -> Option<pb::AidStage> {
    match stage {
        Stage::Kindergarten => Some(pb::AidStage::Kindergarten),
        Stage::Primary | Stage::Junior | Stage::NineYear => Some(pb::AidStage::Compulsory),
        Stage::Senior => Some(pb::AidStage::Senior),
        _ => None,
    }
}

fn aid_case(province: Province, draw: &mut Draw, number: u32, hardship: bool, schools: &[School]) -> pb::AidCase {
    let school = *draw.pick(schools);
    let (household_kind, resident_id) = if hardship {
        let household = number % social_security::households(province);
        (pb::AidHouseholdKind::UrbanHardship, social_security::household_child(household))
    } else {
        let kind = if draw.chance(0.93) { pb::AidHouseholdKind::FarmerHerder } else { pb::AidHouseholdKind::Other };
        (kind, super::people::resident_id(super::people::PUPILS, u64::from(number)))
    };
    let year = if draw.chance(0.5) { 2024 } else { 2025 };
    pb::AidCase {
        name: province.name("aid_cases", format_args!("{hardship}/{number}")),
        area: school.county.as_str().to_owned(),
        resident_id,
        school: province.name("schools", school.number),
        stage: aid_stage(school.stage).unwrap_or(pb::AidStage::Compulsory).into(),
        boarding: draw.chance(0.6),
        household_kind: household_kind.into(),
        term_year: year,
        applied_on: Some(date(draw.day(day_of(year, 8, 20), day_of(year, 9, 30)))),
        ..pb::AidCase::default()
    }
}
