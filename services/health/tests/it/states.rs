//! What is asked about a day is answered by the states of that day: list, certificates, institutions and assessments.

use crate::support::{
    Site, assert_all_created, date, day, epoch, institution,
    recognition::{LHASA_RURAL, LHASA_URBAN, certificate, decision, question, record_certificates, started},
    request_id, rows_on,
};
use minsheng_proto::{common::v1 as common, health::v1 as pb};
use minsheng_testkit::databases;
use pb::{
    RecognisableReason as Reason, RecognitionScope as Scope,
    age_friendly_assessment_service_client::AgeFriendlyAssessmentServiceClient,
    institution_service_client::InstitutionServiceClient,
    quality_certificate_service_client::QualityCertificateServiceClient,
    question_service_client::QuestionServiceClient, recognition_item_service_client::RecognitionItemServiceClient,
    result_decision_service_client::ResultDecisionServiceClient,
};
use prost_types::FieldMask;
use tonic::{Code, Status};

type Day = Option<common::Date>;

fn mask(field: &str) -> FieldMask {
    FieldMask { paths: vec![field.to_owned()] }
}

/// The reason for a potassium test of the urban hospital on a day, seen from another institution on a day.
async fn reason(site: &Site, performed_on: Day, on: Day, to: &str) -> Reason {
    let mut questions = QuestionServiceClient::new(site.channel("health"));
    let answer = questions.check_recognisable(question(performed_on, on, to)).await.expect("answered").into_inner();
    assert_eq!(answer.recognisable, answer.reason() == Reason::Recognisable);
    answer.reason()
}

/// Records a decision in Xigazê and returns its mark.
async fn decided(site: &Site, n: u128, performed_on: Day, decided_on: Day) -> bool {
    let mut decisions = ResultDecisionServiceClient::new(site.channel("operator"));
    let request = pb::CreateResultDecisionRequest {
        request_id: request_id(n),
        result_decision: Some(pb::ResultDecision { decided_on, ..decision(&format!("d{n}"), performed_on) }),
        effective_on: None,
    };
    let recorded = decisions.create_result_decision(request).await.expect("recorded").into_inner();
    recorded.result_decision.expect("in the answer").recognisable
}

async fn counted(site: &Site, on: Day) -> (i64, i64) {
    let mut questions = QuestionServiceClient::new(site.channel("community"));
    let asked = pb::CountRecognisableItemsRequest { area: "540100".to_owned(), on };
    let answer = questions.count_recognisable_items(asked).await.expect("answered").into_inner();
    (answer.items, answer.listed_items)
}

async fn set_window(site: &Site, n: u128, etag: &str, window_days: i64, effective_on: Day) {
    let mut items = RecognitionItemServiceClient::new(site.channel("operator"));
    let request = pb::UpdateRecognitionItemRequest {
        request_id: request_id(n),
        recognition_item: Some(pb::RecognitionItem {
            name: "recognition_items/2025-1.LAB-K".to_owned(),
            window_days,
            ..Default::default()
        }),
        etag: etag.to_owned(),
        update_mask: Some(mask("window_days")),
        effective_on,
        ..Default::default()
    };
    items.update_recognition_item(request).await.expect("updated");
}

async fn update_institution(
    site: &Site,
    n: u128,
    etag: &str,
    institution: pb::Institution,
    field: &str,
    effective_on: Day,
) -> pb::Institution {
    let mut institutions = InstitutionServiceClient::new(site.channel("operator"));
    let request = pb::UpdateInstitutionRequest {
        request_id: request_id(n),
        institution: Some(institution),
        etag: etag.to_owned(),
        update_mask: Some(mask(field)),
        effective_on,
        ..Default::default()
    };
    institutions.update_institution(request).await.expect("updated").into_inner().institution.expect("in the answer")
}

async fn end_institution(site: &Site, end: pb::EndInstitutionRequest) -> Result<pb::Institution, Status> {
    let mut institutions = InstitutionServiceClient::new(site.channel("operator"));
    Ok(institutions.end_institution(end).await?.into_inner().institution.expect("in the answer"))
}

fn etag(meta: Option<&common::RecordMeta>) -> String {
    meta.expect("meta").etag.clone()
}

#[tokio::test]
async fn the_window_is_that_of_the_day_of_the_visit() {
    for database in databases() {
        let site = started(database).await;
        let held = |id, area| pb::QualityCertificate {
            valid_from: date(2025, 1, 1),
            valid_to: date(2027, 12, 31),
            ..certificate(id, area, "LAB-K", Scope::Region)
        };
        let both = vec![held("urban", LHASA_URBAN), held("rural", LHASA_RURAL)];
        assert_all_created(&record_certificates(&site, 10, both).await);
        // Thirty days until August, seven from September on, none any more in 200 days.
        set_window(&site, 11, "v1", 30, None).await;
        set_window(&site, 12, "v2", 7, date(2025, 9, 1)).await;
        set_window(&site, 13, "v3", 0, date(2026, 3, 20)).await;
        for (n, performed_on, on, expected) in [
            (20, date(2025, 6, 1), date(2025, 6, 20), Reason::Recognisable),
            (21, date(2025, 6, 1), date(2025, 7, 2), Reason::WindowPassed),
            (22, date(2025, 8, 20), date(2025, 8, 31), Reason::Recognisable),
            (23, date(2025, 8, 20), date(2025, 9, 1), Reason::WindowPassed),
            (24, date(2025, 8, 25), date(2025, 9, 1), Reason::Recognisable),
            (25, date(2025, 9, 1), date(2025, 9, 1), Reason::Recognisable),
        ] {
            assert_eq!(reason(&site, performed_on, on, "xigaze").await, expected, "{performed_on:?} {on:?}");
            let marked = decided(&site, n, performed_on, on).await;
            assert_eq!(marked, expected == Reason::Recognisable, "{performed_on:?} {on:?}");
        }
        let (march, later) = (date(2026, 3, 19), date(2026, 3, 20));
        assert_eq!(reason(&site, march, march, "xigaze").await, Reason::Recognisable);
        assert_eq!(reason(&site, march, later, "xigaze").await, Reason::WindowPassed);
        let all = i64::try_from(minsheng_health::seed_items().len()).expect("small");
        assert_eq!(counted(&site, march).await, (1, all));
        assert_eq!(counted(&site, later).await, (0, all), "what is never reused does not count");
        site.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn an_item_that_left_the_list_is_judged_by_the_day_of_the_test() {
    for database in databases() {
        let site = started(database).await;
        let held = certificate("urban", LHASA_URBAN, "LAB-K", Scope::Region);
        assert_all_created(&record_certificates(&site, 10, vec![held]).await);
        let mut items = RecognitionItemServiceClient::new(site.channel("operator"));
        let end = |n, etag: &str, ended_on| pb::EndRecognitionItemRequest {
            request_id: request_id(n),
            name: "recognition_items/2025-1.LAB-K".to_owned(),
            etag: etag.to_owned(),
            kind: common::EndKind::Ended.into(),
            ended_on,
            ..Default::default()
        };
        // An end that lies ahead takes nothing away today.
        items.end_recognition_item(end(11, "v1", date(2199, 1, 1))).await.expect("ended");
        let august = date(2025, 8, 31);
        assert_eq!(reason(&site, august, date(2025, 9, 1), "xigaze").await, Reason::Recognisable);
        items.end_recognition_item(end(12, "v2", date(2025, 8, 29))).await.expect("moved");
        let seen = |performed_on, on| reason(&site, performed_on, on, "xigaze");
        assert_eq!(seen(august, date(2025, 9, 1)).await, Reason::ItemNotListed);
        assert_eq!(seen(date(2025, 8, 28), date(2025, 9, 4)).await, Reason::Recognisable);
        assert_eq!(seen(date(2025, 8, 28), date(2025, 9, 5)).await, Reason::WindowPassed);
        site.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_certificate_vouches_as_far_as_on_the_day_of_the_test() {
    for database in databases() {
        let site = started(database).await;
        let held = pb::QualityCertificate {
            valid_to: date(2026, 2, 28),
            ..certificate("urban", LHASA_URBAN, "LAB-K", Scope::County)
        };
        assert_all_created(&record_certificates(&site, 10, vec![held]).await);
        let mut certificates = QualityCertificateServiceClient::new(site.channel("operator"));
        let widen = pb::UpdateQualityCertificateRequest {
            request_id: request_id(11),
            quality_certificate: Some(pb::QualityCertificate {
                name: "quality_certificates/urban.2025-1.LAB-K".to_owned(),
                scope: Scope::Region.into(),
                ..Default::default()
            }),
            etag: "v1".to_owned(),
            update_mask: Some(mask("scope")),
            effective_on: date(2025, 9, 1),
            ..Default::default()
        };
        certificates.update_quality_certificate(widen).await.expect("widened");
        for (n, on, expected) in [
            (12, date(2025, 6, 1), Reason::OutOfScope),
            (13, date(2025, 8, 31), Reason::OutOfScope),
            (14, date(2025, 9, 1), Reason::Recognisable),
        ] {
            assert_eq!(reason(&site, on, on, "xigaze").await, expected, "{on:?}");
            assert_eq!(decided(&site, n, on, on).await, expected == Reason::Recognisable, "{on:?}");
        }
        let entries = site.journal("health.quality_certificates").await;
        for (on, scope) in [(epoch(2025, 8, 31), Scope::County), (epoch(2025, 9, 1), Scope::Region)] {
            assert_eq!(rows_on::<pb::QualityCertificateRow>(&entries, on)["urban.2025-1.LAB-K"].scope(), scope);
        }
    }
}

#[tokio::test]
async fn a_result_of_an_institution_that_was_closed_is_not_recognisable() {
    for database in databases() {
        let site = started(database).await;
        let held = |id, area| pb::QualityCertificate {
            valid_from: date(2025, 1, 1),
            valid_to: date(2025, 12, 31),
            ..certificate(id, area, "LAB-K", Scope::Region)
        };
        let both = vec![held("urban", LHASA_URBAN), held("rural", LHASA_RURAL)];
        assert_all_created(&record_certificates(&site, 10, both).await);
        let (march, june) = (date(2025, 3, 14), date(2025, 6, 1));
        assert_eq!(counted(&site, june).await.0, 1);

        // Its record ends in March.
        let end = |n, etag: &str, kind: common::EndKind, ended_on| pb::EndInstitutionRequest {
            request_id: request_id(n),
            name: "institutions/urban".to_owned(),
            etag: etag.to_owned(),
            kind: kind.into(),
            ended_on,
            ..Default::default()
        };
        let ended = end(11, "v1", common::EndKind::Ended, date(2025, 3, 15));
        end_institution(&site, ended).await.expect("ended");
        assert_eq!(reason(&site, june, june, "xigaze").await, Reason::InstitutionNotInOperation);
        assert!(!decided(&site, 12, june, june).await);
        assert_eq!(counted(&site, june).await.0, 0);
        // What it found before keeps its mark, also when it is seen after the end.
        assert_eq!(reason(&site, march, date(2025, 3, 20), "xigaze").await, Reason::Recognisable);
        assert!(decided(&site, 13, march, date(2025, 3, 20)).await);
        assert_eq!(counted(&site, march).await.0, 1);

        // The end is lifted; instead it closed on a day that its content names.
        end_institution(&site, end(14, "v2", common::EndKind::Lifted, None)).await.expect("lifted");
        assert_eq!(reason(&site, june, june, "xigaze").await, Reason::Recognisable);
        let closed = pb::Institution {
            name: "institutions/urban".to_owned(),
            operating_to: date(2025, 3, 14),
            ..Default::default()
        };
        update_institution(&site, 15, "v3", closed, "operating_to", None).await;
        assert_eq!(reason(&site, june, june, "xigaze").await, Reason::InstitutionNotInOperation);
        assert_eq!(reason(&site, march, date(2025, 3, 20), "xigaze").await, Reason::Recognisable);
        // Before an institution began nothing is recognised there either.
        let early = date(2015, 4, 30);
        assert_eq!(reason(&site, early, early, "xigaze").await, Reason::InstitutionNotInOperation);
        site.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_grade_of_later_days_changes_nothing_before_them() {
    use common::parameter_service_client::ParameterServiceClient;
    for database in databases() {
        let site = started(database).await;
        let held = pb::QualityCertificate {
            valid_to: date(2026, 12, 31),
            ..certificate("urban", LHASA_URBAN, "LAB-K", Scope::Region)
        };
        assert_all_created(&record_certificates(&site, 10, vec![held]).await);
        let mut parameters = ParameterServiceClient::new(site.channel("operator"));
        let upward_only = common::SetParameterRequest {
            request_id: request_id(11),
            parameter: Some(common::Parameter {
                key: "recognition.obliged_upward_only".to_owned(),
                area: "540000".to_owned(),
                value: 1,
                unit: "flag".to_owned(),
                effective_from: date(2025, 1, 1),
                effective_to: None,
                source: "a test".to_owned(),
                confidence: common::Confidence::Low.into(),
            }),
        };
        parameters.set_parameter(upward_only).await.expect("set");
        let raised = |level| pb::Institution { name: "institutions/xigaze".to_owned(), level, ..Default::default() };
        update_institution(&site, 12, "v1", raised(3), "level", date(2025, 9, 1)).await;
        let august = date(2025, 8, 31);
        assert_eq!(reason(&site, august, august, "xigaze").await, Reason::Recognisable);
        assert!(decided(&site, 13, august, august).await);
        // The day of the visit decides on the direction.
        assert_eq!(reason(&site, august, date(2025, 9, 1), "xigaze").await, Reason::LowerGrade);
        assert!(!decided(&site, 14, august, date(2025, 9, 1)).await);
        site.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_failed_round_that_is_changed_or_ended_takes_away_what_it_says_on_its_days() {
    let failed = || pb::QualityCertificate {
        round: "2025-2".to_owned(),
        passed: false,
        valid_from: date(2025, 7, 1),
        valid_to: date(2025, 7, 31),
        ..certificate("urban", LHASA_URBAN, "LAB-K", Scope::Region)
    };
    for database in databases() {
        let site = started(database).await;
        let first = certificate("urban", LHASA_URBAN, "LAB-K", Scope::Region);
        assert_all_created(&record_certificates(&site, 10, vec![first, failed()]).await);
        let (june, july, august) = (date(2025, 6, 30), date(2025, 7, 20), date(2025, 8, 10));
        let reasons = async || {
            let mut found = Vec::new();
            for on in [june, july, august] {
                found.push(reason(&site, on, on, "xigaze").await);
            }
            found
        };
        let away = [Reason::Recognisable, Reason::NoCertificate, Reason::NoCertificate];
        assert_eq!(reasons().await, away);
        let mut certificates = QualityCertificateServiceClient::new(site.channel("operator"));
        let name = "quality_certificates/urban.2025-2.LAB-K".to_owned();
        let end = |n, etag: &str, kind: common::EndKind, ended_on| pb::EndQualityCertificateRequest {
            request_id: request_id(n),
            name: name.clone(),
            etag: etag.to_owned(),
            kind: kind.into(),
            ended_on,
            ..Default::default()
        };
        // What was taken away does not come back with the end of the failed round, but a round that ended on its first
        // day was never failed.
        let ended = end(11, "v1", common::EndKind::Ended, date(2025, 7, 10));
        certificates.end_quality_certificate(ended).await.expect("ended");
        assert_eq!(reasons().await, away);
        let ended = end(12, "v2", common::EndKind::Ended, date(2025, 7, 1));
        certificates.end_quality_certificate(ended).await.expect("moved");
        assert_eq!(reasons().await, [Reason::Recognisable; 3]);
        certificates.end_quality_certificate(end(13, "v3", common::EndKind::Lifted, None)).await.expect("lifted");
        assert_eq!(reasons().await, away);
        // Found to be failed on 1 August only: until then it was passed.
        let update = |n, etag: &str, passed, effective_on| pb::UpdateQualityCertificateRequest {
            request_id: request_id(n),
            quality_certificate: Some(pb::QualityCertificate {
                name: name.clone(),
                passed,
                valid_to: date(2025, 12, 31),
                ..Default::default()
            }),
            etag: etag.to_owned(),
            update_mask: Some(FieldMask { paths: vec!["passed".to_owned(), "valid_to".to_owned()] }),
            effective_on,
            ..Default::default()
        };
        let passed = certificates.update_quality_certificate(update(14, "v4", true, None)).await.expect("corrected");
        let passed = passed.into_inner().quality_certificate.expect("in the answer");
        let failed = update(15, &etag(passed.meta.as_ref()), false, date(2025, 8, 1));
        let failed = certificates.update_quality_certificate(failed).await.expect("changed").into_inner();
        assert_eq!(etag(failed.quality_certificate.expect("in the answer").meta.as_ref()), "v6");
        assert_eq!(reasons().await, [Reason::Recognisable, Reason::Recognisable, Reason::NoCertificate]);
        let entries = site.journal("health.quality_certificates").await;
        let last = |on| rows_on::<pb::QualityCertificateRow>(&entries, on)["urban.2025-1.LAB-K"].valid_to;
        assert_eq!(last(epoch(2025, 7, 1)), date(2025, 7, 31));
    }
}

#[tokio::test]
async fn a_failed_round_that_is_refused_takes_nothing_away_from_its_chunk() {
    for database in databases() {
        let site = started(database).await;
        let held = || certificate("urban", LHASA_URBAN, "LAB-K", Scope::Region);
        let refused = pb::QualityCertificate {
            area: LHASA_RURAL.to_owned(),
            round: "2025-2".to_owned(),
            passed: false,
            valid_from: date(2025, 7, 1),
            ..held()
        };
        let results = record_certificates(&site, 10, vec![held(), refused]).await;
        let outcomes: Vec<_> = results.iter().map(common::ItemResult::outcome).collect();
        assert_eq!(outcomes, [common::ItemOutcome::Created, common::ItemOutcome::Rejected]);
        let july = date(2025, 7, 1);
        assert_eq!(reason(&site, july, july, "xigaze").await, Reason::Recognisable);
        let entries = site.journal("health.quality_certificates").await;
        let row = &rows_on::<pb::QualityCertificateRow>(&entries, epoch(2025, 7, 1))["urban.2025-1.LAB-K"];
        assert_eq!(row.valid_to, date(2025, 8, 31));
    }
}

/// A township centre's assessment of a day that is passed.
fn assessment(id: &str, assessed_on: Day) -> pb::CreateAgeFriendlyAssessmentRequest {
    pb::CreateAgeFriendlyAssessmentRequest {
        request_id: uuid_of(id),
        age_friendly_assessment: Some(pb::AgeFriendlyAssessment {
            name: format!("age_friendly_assessments/{id}"),
            area: LHASA_URBAN.to_owned(),
            institution: "institutions/h1".to_owned(),
            assessed_on,
            culture_score: 70,
            management_score: 80,
            service_score: 90,
            environment_score: 75,
            mandatory_met: true,
            ..Default::default()
        }),
        effective_on: None,
    }
}

fn uuid_of(id: &str) -> String {
    request_id(id.bytes().fold(1000, |number, byte| number * 256 + u128::from(byte)))
}

#[tokio::test]
async fn an_assessment_is_judged_by_the_class_of_its_own_day() {
    for database in databases() {
        let site = Site::start(database, day(2025, 9, 1)).await;
        site.record_institutions(vec![institution("h1", LHASA_URBAN, pb::InstitutionClass::Clinic)]).await;
        let becomes = |class: pb::InstitutionClass| pb::Institution {
            name: "institutions/h1".to_owned(),
            institution_class: class.into(),
            ..Default::default()
        };
        // A clinic becomes a centre in July, and a clinic again in 300 days.
        let (class, july, ahead) = ("institution_class", date(2025, 7, 1), date(2026, 6, 28));
        let centre = becomes(pb::InstitutionClass::CommunityHealthCentre);
        update_institution(&site, 10, "v1", centre, class, july).await;
        update_institution(&site, 11, "v2", becomes(pb::InstitutionClass::Clinic), class, ahead).await;
        let mut assessments = AgeFriendlyAssessmentServiceClient::new(site.channel("operator"));
        let refused = assessments.create_age_friendly_assessment(assessment("a", date(2025, 6, 30))).await;
        assert_eq!(refused.expect_err("a clinic").code(), Code::InvalidArgument);
        let passed = assessments.create_age_friendly_assessment(assessment("b", july)).await.expect("a centre");
        assert!(passed.into_inner().age_friendly_assessment.expect("in the answer").passed);
        site.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_certificate_follows_the_days_of_its_institution() {
    for database in databases() {
        let site = Site::start(database, day(2025, 9, 1)).await;
        let centre = institution("h1", LHASA_URBAN, pb::InstitutionClass::TownshipHealthCentre);
        site.record_institutions(vec![centre]).await;
        let mut assessments = AgeFriendlyAssessmentServiceClient::new(site.channel("operator"));
        let certified = date(2025, 3, 1);
        assessments.create_age_friendly_assessment(assessment("a", certified)).await.expect("recorded");
        assessments.create_age_friendly_assessment(assessment("b", date(2025, 8, 1))).await.expect("recorded");
        let kind = |n, etag: &str, kind: common::EndKind| pb::EndInstitutionRequest {
            request_id: request_id(n),
            name: "institutions/h1".to_owned(),
            etag: etag.to_owned(),
            kind: kind.into(),
            ..Default::default()
        };
        let named = |title: &str| pb::Institution {
            name: "institutions/h1".to_owned(),
            title: title.to_owned(),
            ..Default::default()
        };
        // A change from before the certificates; one from between them, taken back again; the first certificate's own day
        // cannot be taken back by the institution; an end before the second certificate, lifted again.
        update_institution(&site, 10, "v3", named("甲"), "title", date(2014, 1, 1)).await;
        let changed = update_institution(&site, 11, "v4", named("乙"), "title", date(2025, 5, 1)).await;
        let meta = changed.meta.expect("meta");
        assert_eq!((meta.effective_on, meta.effective_until), (date(2025, 5, 1), date(2025, 8, 1)));
        let back = pb::EndInstitutionRequest {
            effective_on: date(2025, 5, 1),
            ..kind(12, &meta.etag, common::EndKind::TakenBack)
        };
        let back = end_institution(&site, back).await.expect("taken back");
        let again = pb::EndInstitutionRequest {
            effective_on: certified,
            ..kind(13, &etag(back.meta.as_ref()), common::EndKind::TakenBack)
        };
        let again = end_institution(&site, again).await.expect("in line again");
        let ended = pb::EndInstitutionRequest {
            ended_on: date(2025, 6, 1),
            ..kind(14, &etag(again.meta.as_ref()), common::EndKind::Ended)
        };
        let ended = end_institution(&site, ended).await.expect("ended");
        let lifted = kind(15, &etag(ended.meta.as_ref()), common::EndKind::Lifted);
        let lifted = end_institution(&site, lifted).await.expect("lifted");
        assert_eq!(lifted.meta.expect("meta").effective_on, date(2025, 8, 1));

        let entries = site.journal("health.institutions").await;
        let first = (certified, date(2028, 2, 29));
        for (on, held) in [
            (epoch(2014, 6, 1), (None, None)),
            (epoch(2025, 2, 28), (None, None)),
            (epoch(2025, 3, 1), first),
            (epoch(2025, 5, 1), first),
            (epoch(2025, 7, 31), first),
            (epoch(2025, 8, 1), (date(2025, 8, 1), date(2028, 7, 31))),
        ] {
            let row = &rows_on::<pb::InstitutionRow>(&entries, on)["h1"];
            assert_eq!((row.age_friendly_from, row.age_friendly_to), held, "{on}");
        }
    }
}

#[tokio::test]
async fn an_assessment_that_ended_leaves_the_days_before_as_they_were() {
    for database in databases() {
        let site = Site::start(database, day(2025, 9, 1)).await;
        let centre = institution("h1", LHASA_URBAN, pb::InstitutionClass::TownshipHealthCentre);
        site.record_institutions(vec![centre]).await;
        let mut assessments = AgeFriendlyAssessmentServiceClient::new(site.channel("operator"));
        for (id, assessed_on) in [("a", date(2024, 3, 1)), ("b", date(2025, 3, 1))] {
            assessments.create_age_friendly_assessment(assessment(id, assessed_on)).await.expect("recorded");
        }
        let end = pb::EndAgeFriendlyAssessmentRequest {
            request_id: request_id(10),
            name: "age_friendly_assessments/b".to_owned(),
            etag: "v1".to_owned(),
            kind: common::EndKind::Ended.into(),
            ended_on: date(2025, 8, 1),
            ..Default::default()
        };
        assessments.end_age_friendly_assessment(end).await.expect("ended");
        let entries = site.journal("health.institutions").await;
        for (on, held) in [
            (epoch(2025, 2, 28), (date(2024, 3, 1), date(2027, 2, 28))),
            (epoch(2025, 7, 31), (date(2025, 3, 1), date(2028, 2, 29))),
            // The one before does not take its place.
            (epoch(2025, 8, 1), (date(2025, 3, 1), date(2025, 7, 31))),
        ] {
            let row = &rows_on::<pb::InstitutionRow>(&entries, on)["h1"];
            assert_eq!((row.age_friendly_from, row.age_friendly_to), held, "{on}");
        }
    }
}
