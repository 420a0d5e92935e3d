//! Samples of health.

use bytes::Bytes;
use chrono::NaiveDate;
use minsheng_proto::{common::v1 as common, health::v1 as pb};
use minsheng_testkit::sampler::{FIRST_DAY, Needed, Place, Question, Sample, Sampler};
use prost::Message as _;
use prost_reflect::Value;

use super::{bytes, choices, date, need, numbers, on, sample, social_security::context, switch};

pub(super) const SAMPLERS: &[&dyn Sampler] =
    &[&Institutions, &Items, &Certificates, &Decisions, &Assessments, &Capabilities];

fn institution(place: &Place, name: &str) -> pb::Institution {
    pb::Institution {
        name: name.to_owned(),
        area: place.county.clone(),
        title: "演示医院".to_owned(),
        institution_class: pb::InstitutionClass::GeneralHospital.into(),
        operating_from: on(2015, 5, 1),
        ..pb::Institution::default()
    }
}

/// Returns a performing and a receiving institution.
fn two_institutions(place: &Place, owner: &str) -> Vec<Needed> {
    ["p", "r"].map(|role| need("institutions", &institution(place, &role_name(place, owner, role)))).into()
}

fn role_name(place: &Place, owner: &str, role: &str) -> String {
    place.name("institutions", &format!("{owner}-{role}"))
}

fn item(place: &Place, name: &str, code: &str) -> pb::RecognitionItem {
    pb::RecognitionItem {
        name: name.to_owned(),
        area: place.county.clone(),
        code: code.to_owned(),
        title: "演示项目".to_owned(),
        category: pb::ItemCategory::Test.into(),
        edition: "2025-states".to_owned(),
        origin: pb::ItemOrigin::Constructed.into(),
        active_from: date(FIRST_DAY),
        window_days: 30,
        ..pb::RecognitionItem::default()
    }
}

fn assessment(place: &Place, name: &str, institution: &str, assessed_on: NaiveDate) -> pb::AgeFriendlyAssessment {
    pb::AgeFriendlyAssessment {
        name: name.to_owned(),
        area: place.county.clone(),
        institution: institution.to_owned(),
        assessed_on: date(assessed_on),
        culture_score: 80,
        management_score: 80,
        service_score: 80,
        environment_score: 80,
        mandatory_met: true,
        ..pb::AgeFriendlyAssessment::default()
    }
}

/// Asks how a test of a day stands on that day.
fn recognisable(place: &Place, owner: &str, code: &str, day: NaiveDate, yes: fn(Bytes) -> bool) -> Question {
    let request = pb::CheckRecognisableRequest {
        context: Some(context(common::Purpose::ResultRecognition)),
        item_code: code.to_owned(),
        performing_institution: role_name(place, owner, "p"),
        performed_on: date(day),
        receiving_institution: role_name(place, owner, "r"),
        on: date(day),
    };
    Question::Asks {
        caller: "health",
        department: "health",
        path: "/minsheng.health.v1.QuestionService/CheckRecognisable",
        request: bytes(&request),
        yes,
    }
}

fn reason(answer: Bytes) -> pb::RecognisableReason {
    pb::CheckRecognisableResponse::decode(answer).unwrap_or_default().reason()
}

struct Institutions;

impl Sampler for Institutions {
    fn register(&self) -> &'static str {
        "institutions"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        let record = pb::Institution { operating_from: date(FIRST_DAY), ..institution(place, name) };
        sample(vec![], &record)
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        vec![("public", switch()), ("level", vec![Value::I32(0), Value::I32(1), Value::I32(2)])]
    }

    fn questions(&self, place: &Place, name: &str, day: NaiveDate) -> Vec<Question> {
        let asked = assessment(place, &place.name("age_friendly_assessments", "asked"), name, day);
        vec![Question::Takes { register: "age_friendly_assessments", item: bytes(&asked) }]
    }
}

struct Items;

impl Items {
    fn code(place: &Place) -> String {
        format!("ITEM-{}", place.number)
    }
}

impl Sampler for Items {
    fn register(&self) -> &'static str {
        "recognition_items"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        sample(two_institutions(place, "item"), &item(place, name, &Self::code(place)))
    }

    fn lies_in_a_county(&self) -> bool {
        false
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        let kinds = choices([pb::ItemCategory::Test, pb::ItemCategory::Ultrasound]);
        vec![("window_days", numbers([7, 30, 90])), ("category", kinds)]
    }

    fn questions(&self, place: &Place, _: &str, day: NaiveDate) -> Vec<Question> {
        // Nobody holds a certificate for it, which is asked for only where the item is in the list.
        let listed = |answer| reason(answer) == pb::RecognisableReason::NoCertificate;
        vec![recognisable(place, "item", &Self::code(place), day, listed)]
    }
}

struct Certificates;

impl Certificates {
    fn code(place: &Place) -> String {
        format!("CERT-{}", place.number)
    }
}

impl Sampler for Certificates {
    fn register(&self) -> &'static str {
        "quality_certificates"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        let mut needs = two_institutions(place, "certificate");
        let code = Self::code(place);
        needs.push(need("recognition_items", &item(place, &place.name("recognition_items", "certificate"), &code)));
        let certificate = pb::QualityCertificate {
            name: name.to_owned(),
            area: place.county.clone(),
            institution: role_name(place, "certificate", "p"),
            item_code: code,
            scope: pb::RecognitionScope::County.into(),
            quality_body: "演示质控中心".to_owned(),
            round: "2025-1".to_owned(),
            passed: true,
            valid_from: date(FIRST_DAY),
            valid_to: on(2027, 12, 31),
            ..pb::QualityCertificate::default()
        };
        sample(needs, &certificate)
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        use pb::RecognitionScope::{County, Nation, Prefecture, Region};
        vec![("scope", choices([Nation, Region, Prefecture, County]))]
    }

    fn questions(&self, place: &Place, _: &str, day: NaiveDate) -> Vec<Question> {
        let vouched = |answer| reason(answer) == pb::RecognisableReason::Recognisable;
        vec![recognisable(place, "certificate", &Self::code(place), day, vouched)]
    }
}

struct Decisions;

impl Sampler for Decisions {
    fn register(&self) -> &'static str {
        "result_decisions"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        let mut needs = two_institutions(place, "decision");
        let code = format!("DEC-{}", place.number);
        let listed = pb::RecognitionItem {
            active_from: on(2024, 1, 1),
            ..item(place, &place.name("recognition_items", "decision"), &code)
        };
        needs.push(need("recognition_items", &listed));
        let decision = pb::ResultDecision {
            name: name.to_owned(),
            area: place.county.clone(),
            result_reference: "R-1".to_owned(),
            item_code: code,
            performing_institution: role_name(place, "decision", "p"),
            performed_on: on(2024, 12, 30),
            receiving_institution: role_name(place, "decision", "r"),
            decided_on: date(FIRST_DAY),
            decision: pb::RecognitionDecision::NotRecognised.into(),
            reason: pb::ReexaminationReason::ConditionChanged.into(),
            ..pb::ResultDecision::default()
        };
        sample(needs, &decision)
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        use pb::ReexaminationReason::{ConditionChanged, Emergency, PatientRequest};
        vec![("price_fen", numbers([0, 1_000])), ("reason", choices([ConditionChanged, Emergency, PatientRequest]))]
    }
}

struct Assessments;

impl Sampler for Assessments {
    fn register(&self) -> &'static str {
        "age_friendly_assessments"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        let assessed = institution(place, &place.name("institutions", "assessed"));
        sample(vec![need("institutions", &assessed)], &assessment(place, name, &assessed.name, FIRST_DAY))
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        // Each pair gives another total.
        vec![("service_score", numbers([80, 90, 100])), ("environment_score", numbers([80, 84]))]
    }
}

struct Capabilities;

impl Sampler for Capabilities {
    fn register(&self) -> &'static str {
        "capabilities"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        let capability = pb::Capability {
            name: name.to_owned(),
            area: place.county.clone(),
            institution: role_name(place, "capability", "p"),
            kind: pb::CapabilityKind::Midwifery.into(),
            held_from: date(FIRST_DAY),
            evidence: "示例文件".to_owned(),
            ..pb::Capability::default()
        };
        sample(two_institutions(place, "capability"), &capability)
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        vec![("kind", choices([pb::CapabilityKind::Midwifery, pb::CapabilityKind::Telemedicine]))]
    }
}
