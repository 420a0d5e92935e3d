//! Social security: enrolments in the schemes and households on assistance.

use chrono::NaiveDate;
use minsheng_kit::values::divisions::{CountyCode, Divisions};
use minsheng_proto::social_security::v1 as pb;

use super::{Batch, Draw, LAST_DAY, Province, date, day_of, earlier, encoded, later, people, places};

/// People with a pension and a medical insurance, at scale 1: about one in 150 of the region's insured.
const INSURED: u32 = 24_000;
/// Households on assistance, at scale 1.
const HOUSEHOLDS: u32 = 11_000;
/// Applicants who work without an employer and enrolled for maternity.
const FLEXIBLE: u32 = 1_500;
/// Yearly contributions that a resident may choose, in fen; more of the higher ones as years go by.
const TIERS: [i64; 6] = [20_000, 30_000, 50_000, 100_000, 200_000, 300_000];
/// Households have people of their own, apart from those who are insured.
const FIRST_HOUSEHOLD_MEMBER: u64 = 1_000_000;
/// Dibao standard of 2021 a month and person, in fen; incomes are made around it, so that they lie on the right side
/// of every later standard too.
const URBAN_STANDARD: f64 = 91_000.0;
const RURAL_STANDARD: f64 = 42_167.0;

pub(super) fn batches(province: Province) -> Vec<Batch> {
    let insured = province.scaled(INSURED);
    let flexible = province.scaled(FLEXIBLE);
    let households = province.scaled(HOUSEHOLDS);
    let mut draw = province.draw("enrolments");
    let enrolments = (0..insured).flat_map(move |number| insured_person(province, &mut draw, number));
    let mut draw = province.draw("flexible");
    let maternity = (0..flexible).map(move |number| flexible_worker(province, &mut draw, number));
    let mut draw = province.draw("households");
    let households_made = (0..households).map(move |number| household(province, &mut draw, number));
    vec![
        Batch {
            register: "enrolments",
            expected: u64::from(insured * 2 + flexible),
            records: Box::new(enrolments.chain(maternity).map(|enrolment| encoded(&enrolment))),
        },
        Batch {
            register: "assistance_households",
            expected: u64::from(households),
            records: Box::new(households_made.map(|household| encoded(&household))),
        },
    ]
}

/// A pension and a medical insurance of one person.
fn insured_person(province: Province, draw: &mut Draw, number: u32) -> [pb::Enrolment; 2] {
    let county = places::home(draw);
    let employed = draw.chance(0.3);
    let elsewhere = draw.chance(0.08);
    let applied_on = draw.day(day_of(2021, 1, 4), earlier(LAST_DAY, 40));
    let schemes = if employed {
        [pb::Scheme::EmployeePension, pb::Scheme::EmployeeMedical]
    } else {
        [pb::Scheme::ResidentPension, pb::Scheme::ResidentMedical]
    };
    schemes.map(|scheme| {
        let entry_kind = match (elsewhere, employed) {
            (_, true) => pb::EntryKind::Employment,
            (true, false) => pb::EntryKind::ResidencePermit,
            (false, false) => pb::EntryKind::HouseholdRegistration,
        };
        let registered = if elsewhere { other_county(draw, county) } else { county };
        let mut enrolment = pb::Enrolment {
            name: province.name("enrolments", format_args!("{number}/{}", scheme as i32)),
            area: county.as_str().to_owned(),
            resident_id: people::resident_id(people::WORKING, u64::from(number)),
            scheme: scheme.into(),
            entry_kind: entry_kind.into(),
            registration_area: registered.as_str().to_owned(),
            applied_on: Some(date(applied_on)),
            yearly_contribution_fen: contribution(draw, scheme, applied_on),
            premium_payer: payer(draw, employed).into(),
            ..pb::Enrolment::default()
        };
        decide(draw, &mut enrolment, applied_on, elsewhere);
        enrolment
    })
}

fn flexible_worker(province: Province, draw: &mut Draw, number: u32) -> pb::Enrolment {
    let county = places::home(draw);
    let applied_on = draw.day(day_of(2025, 1, 6), earlier(LAST_DAY, 40));
    let mut enrolment = pb::Enrolment {
        name: province.name("enrolments", format_args!("flexible/{number}")),
        area: county.as_str().to_owned(),
        resident_id: people::resident_id(people::WORKING, 500_000 + u64::from(number)),
        scheme: pb::Scheme::Maternity.into(),
        entry_kind: pb::EntryKind::FlexibleEmployment.into(),
        registration_area: county.as_str().to_owned(),
        applied_on: Some(date(applied_on)),
        yearly_contribution_fen: 60_000,
        premium_payer: pb::PremiumPayer::Self_.into(),
        ..pb::Enrolment::default()
    };
    decide(draw, &mut enrolment, applied_on, false);
    enrolment
}

/// Decides an application. Until the notice of August 2025 some were refused because the person was registered
/// elsewhere; such refusals stay on record.
fn decide(draw: &mut Draw, enrolment: &mut pb::Enrolment, applied_on: NaiveDate, elsewhere: bool) {
    let decided_on = later(applied_on, draw.between(1, 20));
    let refused_for_registration = elsewhere && applied_on < day_of(2025, 8, 1) && draw.chance(0.05);
    let refusal = if refused_for_registration {
        Some(pb::RefusalReason::HouseholdRegistration)
    } else if draw.chance(0.015) {
        Some(*draw.pick(&[pb::RefusalReason::Incomplete, pb::RefusalReason::NotEligible]))
    } else {
        None
    };
    if let Some(reason) = refusal {
        enrolment.decision = pb::EnrolmentDecision::Refused.into();
        enrolment.refusal_reason = reason.into();
        enrolment.decided_on = Some(date(decided_on));
        enrolment.premium_payer = pb::PremiumPayer::Unspecified.into();
        enrolment.yearly_contribution_fen = 0;
    } else if applied_on > earlier(LAST_DAY, 70) && draw.chance(0.3) {
        enrolment.decision = pb::EnrolmentDecision::Pending.into();
    } else {
        enrolment.decision = pb::EnrolmentDecision::Admitted.into();
        enrolment.decided_on = Some(date(decided_on));
        enrolment.covered_from = Some(date(decided_on));
        if draw.chance(0.02) {
            enrolment.covered_to = Some(date(later(decided_on, draw.between(200, 900)).min(LAST_DAY)));
        }
    }
}

fn contribution(draw: &mut Draw, scheme: pb::Scheme, applied_on: NaiveDate) -> i64 {
    match scheme {
        pb::Scheme::ResidentPension => {
            let keen = draw.chance(0.2 + 0.08 * f64::from(chrono::Datelike::year(&applied_on) - 2021));
            if keen { *draw.pick(&TIERS[1..]) } else { TIERS[0] }
        }
        pb::Scheme::ResidentMedical => 40_000,
        pb::Scheme::EmployeePension => draw.between(480_000, 1_400_000),
        _ => draw.between(120_000, 350_000),
    }
}

fn payer(draw: &mut Draw, employed: bool) -> pb::PremiumPayer {
    if employed {
        pb::PremiumPayer::Employer
    } else if draw.chance(0.07) {
        pb::PremiumPayer::Government
    } else {
        pb::PremiumPayer::Self_
    }
}

fn other_county(draw: &mut Draw, county: CountyCode) -> CountyCode {
    let all = Divisions::get().counties();
    let found = *draw.pick(all);
    if found == county { all[usize::from(all[0] == county)] } else { found }
}

/// A household; its income lies where its category wants it.
fn household(province: Province, draw: &mut Draw, number: u32) -> pb::AssistanceHousehold {
    use pb::AssistanceCategory as Category;
    let county = places::home(draw);
    let urban = draw.chance(0.2);
    let category = draw.weighted(&[
        (Category::Dibao, 60),
        (Category::Tekun, 11),
        (Category::Margin, 18),
        (Category::RigidExpenditure, 9),
        (Category::None, 2),
    ]);
    let size = if category == Category::Tekun { 1 } else { draw.between(1, 5) };
    let border = if Divisions::get().is_border(county) { 1.1 } else { 1.0 };
    let standard = border * if urban { URBAN_STANDARD } else { RURAL_STANDARD };
    let heads = f64::from(i32::try_from(size).unwrap_or(1));
    let income = standard
        * heads
        * match category {
            Category::Tekun => draw.real(0.0, 0.4),
            Category::Dibao => draw.real(0.1, 0.9),
            Category::Margin => draw.real(1.1, 1.35),
            _ => draw.real(1.6, 2.4),
        };
    let applied_on = draw.day(day_of(2023, 1, 3), earlier(LAST_DAY, 45));
    let decided_on = later(applied_on, draw.between(8, 40));
    let valid_from = later(decided_on, 1);
    let valid_to = match category {
        Category::RigidExpenditure => Some(later(valid_from, 350)),
        Category::Margin => Some(later(valid_from, 720)),
        _ => None,
    };
    let known = category != Category::None;
    pb::AssistanceHousehold {
        name: province.name("assistance_households", number),
        area: county.as_str().to_owned(),
        residence_kind: if urban { pb::ResidenceKind::Urban } else { pb::ResidenceKind::Rural }.into(),
        members: members(draw, number, size),
        #[expect(clippy::cast_possible_truncation, reason = "an income in fen is small")]
        net_monthly_income_fen: income as i64,
        category: category.into(),
        applied_on: Some(date(applied_on)),
        decided_on: Some(date(decided_on)),
        valid_from: known.then(|| date(valid_from)),
        valid_to: valid_to.map(date),
        ..pb::AssistanceHousehold::default()
    }
}

fn members(draw: &mut Draw, household: u32, size: i64) -> Vec<pb::HouseholdMember> {
    let first = FIRST_HOUSEHOLD_MEMBER + u64::from(household) * 8;
    (0..size)
        .map(|place| {
            let number = first + place.unsigned_abs();
            let (ages, relation) = match place {
                0 => (people::WORKING, pb::MemberRelation::Applicant),
                1 => (people::WORKING, pb::MemberRelation::Spouse),
                2 => (people::PUPILS, pb::MemberRelation::Child),
                3 => (people::ADULTS, pb::MemberRelation::Child),
                _ => (people::ELDERS, pb::MemberRelation::Parent),
            };
            pb::HouseholdMember {
                resident_id: people::resident_id(ages, number),
                relation: relation.into(),
                severe_disability: draw.chance(0.06),
                ..pb::HouseholdMember::default()
            }
        })
        .collect()
}

/// Returns a child of a household of the register, for the cases that ask about it.
pub(super) fn household_child(household: u32) -> String {
    people::resident_id(people::PUPILS, FIRST_HOUSEHOLD_MEMBER + u64::from(household) * 8 + 2)
}

/// Returns an elder of a household of the register.
pub(super) fn household_elder(household: u32) -> String {
    people::resident_id(people::ELDERS, FIRST_HOUSEHOLD_MEMBER + u64::from(household) * 8 + 4)
}

/// Counts the households of the register.
pub(super) fn households(province: Province) -> u32 {
    province.scaled(HOUSEHOLDS)
}
