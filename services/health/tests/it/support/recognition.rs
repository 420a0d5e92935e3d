//! Hospitals, certificates, decisions and questions for the tests of mutual recognition.

use minsheng_proto::{common::v1 as common, health::v1 as pb};
use pb::{
    quality_certificate_service_client::QualityCertificateServiceClient,
    recognition_item_service_client::RecognitionItemServiceClient,
};

use super::{Site, assert_all_created, date, day, institution, request_id};

pub(crate) const LHASA_URBAN: &str = "540102";
pub(crate) const LHASA_RURAL: &str = "540121";
pub(crate) const XIGAZE: &str = "540202";

/// Hospitals in two counties of Lhasa and in Xigazê, and the constructed list.
pub(crate) async fn started(database: minsheng_testkit::TestDatabase) -> Site {
    let site = Site::start(database, day(2025, 9, 1)).await;
    let hospital = |id, area| institution(id, area, pb::InstitutionClass::GeneralHospital);
    site.record_institutions(vec![
        hospital("urban", LHASA_URBAN),
        hospital("rural", LHASA_RURAL),
        hospital("xigaze", XIGAZE),
    ])
    .await;
    let mut items = RecognitionItemServiceClient::new(site.channel("operator"));
    let chunk = pb::UploadRecognitionItemsRequest {
        upload_id: request_id(2),
        chunk: 0,
        validate_only: false,
        recognition_items: minsheng_health::seed_items(),
    };
    let mut answers = items.upload_recognition_items(tokio_stream::iter([chunk])).await.expect("accepted").into_inner();
    assert_all_created(&answers.message().await.expect("answered").expect("an answer").results);
    site
}

pub(crate) fn certificate(
    institution: &str,
    area: &str,
    item: &str,
    scope: pb::RecognitionScope,
) -> pb::QualityCertificate {
    pb::QualityCertificate {
        area: area.to_owned(),
        institution: format!("institutions/{institution}"),
        item_code: item.to_owned(),
        scope: scope.into(),
        quality_body: "示例临床检验中心".to_owned(),
        round: "2025-1".to_owned(),
        passed: true,
        valid_from: date(2025, 3, 1),
        valid_to: date(2025, 8, 31),
        ..pb::QualityCertificate::default()
    }
}

pub(crate) async fn record_certificates(
    site: &Site,
    n: u128,
    quality_certificates: Vec<pb::QualityCertificate>,
) -> Vec<common::ItemResult> {
    let mut client = QualityCertificateServiceClient::new(site.channel("operator"));
    let chunk = pb::UploadQualityCertificatesRequest {
        upload_id: request_id(n),
        chunk: 0,
        validate_only: false,
        quality_certificates,
    };
    let mut answers =
        client.upload_quality_certificates(tokio_stream::iter([chunk])).await.expect("accepted").into_inner();
    answers.message().await.expect("answered").expect("an answer").results
}

pub(crate) fn decision(id: &str, performed_on: Option<common::Date>) -> pb::ResultDecision {
    pb::ResultDecision {
        name: format!("result_decisions/{id}"),
        area: XIGAZE.to_owned(),
        result_reference: format!("R-{id}"),
        item_code: "LAB-K".to_owned(),
        performing_institution: "institutions/urban".to_owned(),
        performed_on,
        receiving_institution: "institutions/xigaze".to_owned(),
        decided_on: date(2025, 9, 1),
        decision: pb::RecognitionDecision::Recognised.into(),
        price_fen: 500,
        ..pb::ResultDecision::default()
    }
}

pub(crate) fn question(
    performed_on: Option<common::Date>,
    on: Option<common::Date>,
    to: &str,
) -> pb::CheckRecognisableRequest {
    pb::CheckRecognisableRequest {
        context: Some(common::QuestionContext {
            purpose: common::Purpose::ResultRecognition.into(),
            case_number: "V-1".to_owned(),
            officer: "D-7".to_owned(),
        }),
        item_code: "LAB-K".to_owned(),
        performing_institution: "institutions/urban".to_owned(),
        performed_on,
        receiving_institution: format!("institutions/{to}"),
        on,
    }
}
