//! Samples of social security.

use bytes::Bytes;
use chrono::NaiveDate;
use minsheng_proto::{common::v1 as common, social_security::v1 as pb};
use minsheng_testkit::sampler::{FIRST_DAY, Place, Question, Sample, Sampler};
use prost::Message as _;
use prost_reflect::Value;

use super::{bytes, choices, date, numbers, on, sample};

pub(super) const SAMPLERS: &[&dyn Sampler] = &[&Enrolments, &Households];

const DEPARTMENT: &str = "social-security";

struct Enrolments;

impl Enrolments {
    fn enrolment(place: &Place, name: &str) -> pb::Enrolment {
        pb::Enrolment {
            name: name.to_owned(),
            area: place.county.clone(),
            resident_id: place.person(1980, 0),
            scheme: pb::Scheme::ResidentMedical.into(),
            entry_kind: pb::EntryKind::ResidencePermit.into(),
            registration_area: "510104".to_owned(),
            applied_on: date(FIRST_DAY),
            decision: pb::EnrolmentDecision::Admitted.into(),
            decided_on: on(2025, 1, 7),
            covered_from: date(FIRST_DAY),
            premium_payer: pb::PremiumPayer::Self_.into(),
            yearly_contribution_fen: 40_000,
            ..pb::Enrolment::default()
        }
    }
}

impl Sampler for Enrolments {
    fn register(&self) -> &'static str {
        "enrolments"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        sample(vec![], &Self::enrolment(place, name))
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        let payers = choices([pb::PremiumPayer::Self_, pb::PremiumPayer::Government]);
        vec![("yearly_contribution_fen", numbers([40_000, 41_000, 42_000])), ("premium_payer", payers)]
    }

    fn questions(&self, place: &Place, name: &str, day: NaiveDate) -> Vec<Question> {
        let other = pb::Enrolment {
            applied_on: date(day),
            decided_on: date(day),
            covered_from: date(day),
            ..Self::enrolment(place, &format!("{name}.other"))
        };
        let request = pb::CheckCoverageRequest {
            context: Some(context(common::Purpose::MedicalSettlement)),
            resident_id: place.person(1980, 0),
            scheme: pb::Scheme::ResidentMedical.into(),
            on: date(day),
        };
        let asked = Question::Asks {
            caller: "health",
            department: DEPARTMENT,
            path: "/minsheng.socialsecurity.v1.QuestionService/CheckCoverage",
            request: bytes(&request),
            yes: |answer: Bytes| pb::CheckCoverageResponse::decode(answer).is_ok_and(|answer| answer.covered),
        };
        vec![asked, Question::KeyIsFree { item: bytes(&other) }]
    }
}

struct Households;

impl Sampler for Households {
    fn register(&self) -> &'static str {
        "assistance_households"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        let applicant = pb::HouseholdMember {
            resident_id: place.person(1970, 0),
            relation: pb::MemberRelation::Applicant.into(),
            ..pb::HouseholdMember::default()
        };
        let household = pb::AssistanceHousehold {
            name: name.to_owned(),
            area: place.county.clone(),
            residence_kind: pb::ResidenceKind::Urban.into(),
            members: vec![applicant],
            category: pb::AssistanceCategory::Dibao.into(),
            applied_on: on(2024, 12, 2),
            decided_on: on(2024, 12, 20),
            valid_from: date(FIRST_DAY),
            ..pb::AssistanceHousehold::default()
        };
        sample(vec![], &household)
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        let residence = choices([pb::ResidenceKind::Urban, pb::ResidenceKind::Rural]);
        vec![("net_monthly_income_fen", numbers([0, 20_000, 40_000])), ("residence_kind", residence)]
    }

    fn questions(&self, place: &Place, _: &str, day: NaiveDate) -> Vec<Question> {
        let request = pb::GetAssistanceCategoryRequest {
            context: Some(context(common::Purpose::ThreeGuarantees)),
            resident_id: place.person(1970, 0),
            on: date(day),
        };
        let asked = Question::Asks {
            caller: "education",
            department: DEPARTMENT,
            path: "/minsheng.socialsecurity.v1.QuestionService/GetAssistanceCategory",
            request: bytes(&request),
            yes: |answer: Bytes| {
                let answer = pb::GetAssistanceCategoryResponse::decode(answer);
                answer.is_ok_and(|answer| answer.category() == pb::AssistanceCategory::Dibao)
            },
        };
        vec![asked]
    }
}

/// Says for what a question is asked.
pub(super) fn context(purpose: common::Purpose) -> common::QuestionContext {
    common::QuestionContext { purpose: purpose.into(), case_number: "states".to_owned(), officer: "test".to_owned() }
}
