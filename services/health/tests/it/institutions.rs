//! The register of institutions through its RPCs, on every database at hand.

use crate::support::{
    assert_all_created, date, institution,
    recognition::{LHASA_URBAN, certificate, decision, question, record_certificates, started},
    request_id,
};
use minsheng_proto::health::v1 as pb;
use minsheng_testkit::databases;
use pb::{
    age_friendly_assessment_service_client::AgeFriendlyAssessmentServiceClient,
    institution_service_client::InstitutionServiceClient, question_service_client::QuestionServiceClient,
    result_decision_service_client::ResultDecisionServiceClient,
};

#[tokio::test]
async fn an_institution_whose_id_is_as_long_as_ids_may_be_is_named_wherever_others_are() {
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
