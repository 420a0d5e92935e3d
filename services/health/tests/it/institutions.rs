//! The register of institutions through its RPCs, on every database at hand.

use chrono::NaiveDate;
use minsheng_proto::{common::v1 as common, health::v1 as pb};
use minsheng_testkit::{TestClock, TestSite, databases};
use pb::{
    age_friendly_assessment_service_client::AgeFriendlyAssessmentServiceClient,
    institution_service_client::InstitutionServiceClient, question_service_client::QuestionServiceClient,
    result_decision_service_client::ResultDecisionServiceClient,
};
use tonic::Code;

fn institution(name: &str) -> pb::Institution {
    pb::Institution {
        name: name.to_owned(),
        area: "540102".to_owned(),
        title: "示例县人民医院".to_owned(),
        institution_class: pb::InstitutionClass::GeneralHospital.into(),
        public: true,
        level: 2,
        operating_from: Some(common::Date { year: 2015, month: 5, day: 1 }),
        ..pb::Institution::default()
    }
}

fn request_id(n: u128) -> String {
    format!("00000000-0000-4000-8000-{n:012x}")
}

#[tokio::test]
async fn an_institution_is_recorded_changed_listed_and_ended() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let clock = TestClock::on(NaiveDate::from_ymd_opt(2025, 9, 1).expect("a day"));
        let service = site.start(&minsheng_health::DEFINITION, database, &clock, &[]).await.expect("starts");
        let channel = site.channel("operator", &minsheng_health::DEFINITION, &service).expect("channel");
        let mut client = InstitutionServiceClient::new(channel);

        let create = pb::CreateInstitutionRequest {
            request_id: request_id(1),
            institution: Some(institution("institutions/h1")),
            effective_on: None,
        };
        let created = client.create_institution(create.clone()).await.expect("created").into_inner();
        let created = created.institution.expect("in the answer");
        assert_eq!(created.name, "institutions/h1");
        // The same request again gives the first answer; another body under the same id is refused.
        let again = client.create_institution(create.clone()).await.expect("repeated").into_inner();
        assert_eq!(again.institution.as_ref(), Some(&created));
        let mut other = create;
        other.institution.as_mut().expect("set").title = "另一所".to_owned();
        assert_eq!(client.create_institution(other).await.expect_err("reused").code(), Code::Aborted);

        let etag = created.meta.as_ref().expect("meta").etag.clone();
        let update = pb::UpdateInstitutionRequest {
            request_id: request_id(2),
            institution: Some(pb::Institution { name: created.name.clone(), level: 3, ..pb::Institution::default() }),
            etag: etag.clone(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["level".to_owned()] }),
            effective_on: Some(common::Date { year: 2025, month: 7, day: 1 }),
            ..Default::default()
        };
        let updated = client.update_institution(update.clone()).await.expect("updated").into_inner();
        let updated = updated.institution.expect("in the answer");
        assert_eq!((updated.level, updated.title.as_str()), (3, "示例县人民医院"));
        let stale = pb::UpdateInstitutionRequest { request_id: request_id(3), ..update };
        assert_eq!(client.update_institution(stale).await.expect_err("stale").code(), Code::Aborted);

        let bad = pb::CreateInstitutionRequest {
            request_id: request_id(4),
            institution: Some(pb::Institution {
                area: "540000".to_owned(),
                operating_to: Some(common::Date { year: 2014, month: 2, day: 30 }),
                ..institution("institutions/h2")
            }),
            effective_on: None,
        };
        let refused = client.create_institution(bad).await.expect_err("refused");
        assert_eq!(refused.code(), Code::InvalidArgument);

        let list = pb::ListInstitutionsRequest { area: "540100".to_owned(), page_size: 1, ..Default::default() };
        let page = client.list_institutions(list).await.expect("listed").into_inner();
        assert_eq!(page.institutions.len(), 1);
        assert!(page.next_page_token.is_empty());

        let end = pb::EndInstitutionRequest {
            request_id: request_id(5),
            name: created.name.clone(),
            etag: updated.meta.expect("meta").etag,
            kind: common::EndKind::Ended.into(),
            ended_on: Some(common::Date { year: 2025, month: 8, day: 1 }),
            ..Default::default()
        };
        let ended = client.end_institution(end).await.expect("ended").into_inner().institution.expect("in the answer");
        assert_eq!(ended.meta.expect("meta").state, i32::from(common::RecordState::Ended));
        service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn an_institution_whose_id_is_as_long_as_ids_may_be_is_named_wherever_others_are() {
    use crate::support::{
        assert_all_created, date, institution,
        recognition::{LHASA_URBAN, certificate, decision, question, record_certificates, started},
    };
    for database in databases() {
        let site = started(database).await;
        let longest = "x".repeat(128);
        let name = format!("institutions/{longest}");
        let create = pb::CreateInstitutionRequest {
            request_id: request_id(1),
            institution: Some(institution(&longest, LHASA_URBAN, pb::InstitutionClass::GeneralHospital)),
            effective_on: None,
        };
        let mut institutions = InstitutionServiceClient::new(site.channel("operator"));
        institutions.create_institution(create).await.expect("created");

        let held = certificate(&longest, LHASA_URBAN, "LAB-K", pb::RecognitionScope::Region);
        assert_all_created(&record_certificates(&site, 10, vec![held]).await);
        let asked = pb::CheckRecognisableRequest {
            performing_institution: name.clone(),
            ..question(date(2025, 8, 31), date(2025, 9, 1), "xigaze")
        };
        let mut questions = QuestionServiceClient::new(site.channel("health"));
        assert!(questions.check_recognisable(asked).await.expect("answered").into_inner().recognisable);
        let request = pb::CreateResultDecisionRequest {
            request_id: request_id(2),
            result_decision: Some(pb::ResultDecision {
                performing_institution: name.clone(),
                ..decision("long", date(2025, 8, 31))
            }),
            effective_on: None,
        };
        let mut decisions = ResultDecisionServiceClient::new(site.channel("operator"));
        let decided = decisions.create_result_decision(request).await.expect("recorded").into_inner().result_decision;
        assert_eq!(decided.expect("in the answer").performing_institution, name);
        let request = pb::CreateAgeFriendlyAssessmentRequest {
            request_id: request_id(3),
            age_friendly_assessment: Some(pb::AgeFriendlyAssessment {
                area: LHASA_URBAN.to_owned(),
                institution: name.clone(),
                assessed_on: date(2025, 3, 1),
                culture_score: 70,
                management_score: 80,
                service_score: 90,
                environment_score: 75,
                mandatory_met: true,
                ..pb::AgeFriendlyAssessment::default()
            }),
            effective_on: None,
        };
        let mut assessments = AgeFriendlyAssessmentServiceClient::new(site.channel("operator"));
        let assessed = assessments.create_age_friendly_assessment(request).await.expect("recorded").into_inner();
        assert_eq!(assessed.age_friendly_assessment.expect("in the answer").institution, name);
        let there = institutions
            .get_institution(pb::GetInstitutionRequest { name, ..Default::default() })
            .await
            .expect("there")
            .into_inner();
        assert_eq!(
            there.institution.expect("in the answer").meta.expect("meta").etag,
            "v2",
            "its certificate is on it"
        );
        site.service.stop().await.expect("stops");
    }
}
