//! The list, the certificates, the decisions and the questions of mutual recognition, through their RPCs.

use crate::support::{
    assert_all_created, date, epoch, outcomes,
    recognition::{LHASA_RURAL, LHASA_URBAN, XIGAZE, certificate, decision, question, record_certificates, started},
    request_id, rows_on,
};
use minsheng_proto::{common::v1 as common, health::v1 as pb};
use minsheng_testkit::databases;
use pb::{
    quality_certificate_service_client::QualityCertificateServiceClient,
    question_service_client::QuestionServiceClient, recognition_item_service_client::RecognitionItemServiceClient,
    result_decision_service_client::ResultDecisionServiceClient,
};
use tonic::Code;

#[tokio::test]
async fn a_result_outside_the_certificate_period_is_not_recognised() {
    use pb::{RecognisableReason as Reason, RecognitionScope as Scope};
    for database in databases() {
        let site = started(database).await;
        let held = vec![certificate("urban", LHASA_URBAN, "LAB-K", Scope::Region)];
        assert_all_created(&record_certificates(&site, 10, held).await);
        let mut questions = QuestionServiceClient::new(site.channel("education"));
        // The certificate runs from March to August; the window of potassium is seven days. What counts is the day of
        // the test: on 3 September a test of 31 August is still vouched for.
        for (performed_on, on, reason, mark) in [
            (date(2025, 2, 28), date(2025, 3, 1), Reason::NoCertificate, ""),
            (date(2025, 3, 1), date(2025, 3, 1), Reason::Recognisable, "藏HR"),
            (date(2025, 8, 31), date(2025, 9, 3), Reason::Recognisable, "藏HR"),
            (date(2025, 9, 1), date(2025, 9, 3), Reason::NoCertificate, ""),
            (date(2025, 8, 1), date(2025, 8, 9), Reason::WindowPassed, "藏HR"),
            (date(2024, 12, 31), date(2025, 1, 1), Reason::ItemNotListed, ""),
        ] {
            let asked = question(performed_on, on, "xigaze");
            let answer = questions.check_recognisable(asked).await.expect("answered").into_inner();
            assert_eq!((answer.reason(), answer.mark.as_str()), (reason, mark), "{performed_on:?}");
            assert_eq!(answer.recognisable, reason == Reason::Recognisable);
        }
        // The same in the decisions, which are recorded whatever the mark says: the doctor decides.
        let mut decisions = ResultDecisionServiceClient::new(site.channel("operator"));
        for (id, performed_on, recognisable) in [("in", date(2025, 8, 31), true), ("out", date(2025, 9, 1), false)] {
            let request = pb::CreateResultDecisionRequest {
                request_id: request_id(if recognisable { 11 } else { 12 }),
                result_decision: Some(decision(id, performed_on)),
                effective_on: None,
            };
            let recorded = decisions.create_result_decision(request).await.expect("recorded").into_inner();
            let recorded = recorded.result_decision.expect("in the answer");
            assert_eq!(recorded.recognisable, recognisable);
            assert_eq!(recorded.decision(), pb::RecognitionDecision::Recognised);
        }
        let entries = site.journal("health.result_decisions").await;
        let rows = rows_on::<pb::ResultDecisionRow>(&entries, epoch(2025, 9, 1));
        assert_eq!((rows["in"].recognisable, rows["out"].recognisable), (true, false));
    }
}

#[tokio::test]
async fn a_certificate_reaches_as_far_as_its_scope_and_ends_when_it_is_ended() {
    use pb::{RecognisableReason as Reason, RecognitionScope as Scope};
    for database in databases() {
        let site = started(database).await;
        let held = vec![certificate("urban", LHASA_URBAN, "LAB-K", Scope::Prefecture)];
        let results = record_certificates(&site, 10, held).await;
        let name = results[0].name.clone();
        assert_eq!(name, "quality_certificates/urban.2025-1.LAB-K");
        let mut questions = QuestionServiceClient::new(site.channel("health"));
        let mut ask = async |performed_on, to: &str| {
            let asked = question(performed_on, date(2025, 9, 1), to);
            questions
                .check_recognisable(asked)
                .await
                .map(|answer| (answer.get_ref().reason(), answer.into_inner().mark))
        };
        let august = date(2025, 8, 31);
        assert_eq!(ask(august, "rural").await.expect("answered"), (Reason::Recognisable, "拉萨HR".to_owned()));
        assert_eq!(ask(august, "xigaze").await.expect("answered"), (Reason::OutOfScope, "拉萨HR".to_owned()));
        assert_eq!(ask(august, "nowhere").await.expect_err("unknown").code(), Code::InvalidArgument);
        assert_eq!(ask(date(2025, 9, 2), "rural").await.expect_err("later").code(), Code::InvalidArgument);

        // A later round was failed: the certificate ends, results of before keep it.
        let mut certificates = QualityCertificateServiceClient::new(site.channel("operator"));
        let end = pb::EndQualityCertificateRequest {
            request_id: request_id(11),
            name,
            etag: "v1".to_owned(),
            kind: common::EndKind::Ended.into(),
            ended_on: date(2025, 8, 28),
            ..Default::default()
        };
        certificates.end_quality_certificate(end).await.expect("ended");
        assert_eq!(ask(august, "rural").await.expect("answered").0, Reason::NoCertificate);
        assert_eq!(ask(date(2025, 8, 27), "rural").await.expect("answered").0, Reason::Recognisable);
        let entries = site.journal("health.quality_certificates").await;
        let on = |day| rows_on::<pb::QualityCertificateRow>(&entries, day);
        assert_eq!(on(epoch(2025, 8, 27))["urban.2025-1.LAB-K"].valid_to, date(2025, 8, 31));
        assert!(on(epoch(2025, 8, 28)).is_empty());
        assert_eq!(entries.last().map(|entry| (entry.diff, entry.ended)), Some((1, true)));
    }
}

#[tokio::test]
async fn a_list_row_alone_never_counts_and_two_institutions_of_the_area_do() {
    use pb::RecognitionScope as Scope;
    for database in databases() {
        let site = started(database).await;
        let failed =
            pb::QualityCertificate { passed: false, ..certificate("rural", LHASA_RURAL, "LAB-CL", Scope::Region) };
        let held = vec![
            certificate("urban", LHASA_URBAN, "LAB-K", Scope::Region),
            certificate("rural", LHASA_RURAL, "LAB-K", Scope::Region),
            certificate("urban", LHASA_URBAN, "LAB-NA", Scope::Region),
            certificate("xigaze", XIGAZE, "LAB-NA", Scope::Region),
            certificate("urban", LHASA_URBAN, "LAB-CL", Scope::Region),
            failed,
        ];
        assert_all_created(&record_certificates(&site, 10, held).await);
        let mut questions = QuestionServiceClient::new(site.channel("community"));
        for (area, on, items) in [
            ("540000", date(2025, 6, 1), 2),
            ("540100", date(2025, 6, 1), 1),
            ("540200", date(2025, 6, 1), 0),
            ("540000", date(2025, 9, 1), 0),
        ] {
            let asked = pb::CountRecognisableItemsRequest { area: area.to_owned(), on };
            let answer = questions.count_recognisable_items(asked).await.expect("answered").into_inner();
            let listed = i64::try_from(minsheng_health::seed_items().len()).expect("small");
            assert_eq!((answer.items, answer.listed_items), (items, listed), "{area} {on:?}");
        }
        site.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn an_upload_of_decisions_is_judged_item_by_item_and_its_marks_make_no_other_content() {
    use common::ItemOutcome::{Created, Rejected, Unchanged};
    use pb::{RecognitionScope as Scope, ReexaminationReason as Reason};
    for database in databases() {
        let site = started(database).await;
        let held = vec![certificate("urban", LHASA_URBAN, "LAB-K", Scope::Nation)];
        assert_all_created(&record_certificates(&site, 10, held).await);
        let mut client = ResultDecisionServiceClient::new(site.channel("operator"));
        let repeated = |id, reason: Reason, explanation: &str| pb::ResultDecision {
            decision: pb::RecognitionDecision::NotRecognised.into(),
            reason: reason.into(),
            explanation: explanation.to_owned(),
            ..decision(id, date(2025, 8, 31))
        };
        let items = vec![
            decision("d0", date(2025, 8, 31)),
            repeated("d1", Reason::ConditionChanged, ""),
            repeated("d2", Reason::Unspecified, ""),
            repeated("d3", Reason::OtherNecessary, ""),
            repeated("d4", Reason::OtherNecessary, "身份证549999199001010012"),
            pb::ResultDecision { item_code: "LAB-NONE".to_owned(), ..decision("d5", date(2025, 8, 31)) },
            pb::ResultDecision {
                receiving_institution: "institutions/urban".to_owned(),
                area: LHASA_URBAN.to_owned(),
                ..decision("d6", date(2025, 8, 31))
            },
            pb::ResultDecision { area: LHASA_URBAN.to_owned(), ..decision("d7", date(2025, 8, 31)) },
            pb::ResultDecision { price_fen: -1, ..decision("d8", date(2025, 8, 31)) },
            decision("d9", date(2025, 9, 2)),
        ];
        let chunk = pb::UploadResultDecisionsRequest {
            upload_id: request_id(20),
            chunk: 0,
            validate_only: false,
            result_decisions: items,
        };
        let mut upload = async |chunk: pb::UploadResultDecisionsRequest| {
            let answers = client.upload_result_decisions(tokio_stream::iter([chunk])).await.expect("accepted");
            answers.into_inner().message().await.expect("answered").expect("an answer")
        };
        let first = upload(chunk.clone()).await;
        assert_eq!(
            outcomes(&first.results),
            [
                (Created, vec![]),
                (Created, vec![]),
                (Rejected, vec!["REASON_REQUIRED"]),
                (Rejected, vec!["EXPLANATION_REQUIRED"]),
                (Rejected, vec!["PERSONAL_DATA"]),
                (Rejected, vec!["UNKNOWN_ITEM"]),
                (Rejected, vec!["OWN_RESULT"]),
                (Rejected, vec!["OTHER_COUNTY"]),
                (Rejected, vec!["CONTRACT_RULE"]),
                (Rejected, vec!["BEFORE_TEST"]),
            ]
        );
        // Sent again as another upload, what is there is the same, computed mark and all.
        let other = pb::UploadResultDecisionsRequest { upload_id: request_id(22), ..chunk };
        let other = upload(other).await;
        assert_eq!(other.results[0].outcome(), Unchanged);
        assert_eq!(site.journal("health.result_decisions").await.len(), 2);
    }
}

#[tokio::test]
async fn only_departments_with_the_purpose_may_ask() {
    let site = started(minsheng_testkit::TestDatabase::Sqlite).await;
    let mut asked = question(date(2025, 8, 31), date(2025, 9, 1), "xigaze");
    let mut operator = QuestionServiceClient::new(site.channel("operator"));
    let refused = operator.check_recognisable(asked.clone()).await.expect_err("not a department");
    assert_eq!(refused.code(), Code::PermissionDenied);
    asked.context.as_mut().expect("set").purpose = common::Purpose::MealPrice.into();
    let mut community = QuestionServiceClient::new(site.channel("community"));
    let refused = community.check_recognisable(asked).await.expect_err("another purpose");
    assert_eq!(refused.code(), Code::PermissionDenied);
    site.service.stop().await.expect("stops");
}

#[tokio::test]
async fn an_item_with_a_wrong_check_digit_is_refused_and_certificates_need_a_known_item() {
    use common::ItemOutcome::Rejected;
    for database in databases() {
        let site = started(database).await;
        let mut items = RecognitionItemServiceClient::new(site.channel("operator"));
        let seed = minsheng_health::seed_items().remove(0);
        let request = pb::CreateRecognitionItemRequest {
            request_id: request_id(10),
            recognition_item: Some(pb::RecognitionItem {
                name: String::new(),
                code: "LAB-X".to_owned(),
                loinc: "2823-4".to_owned(),
                ..seed
            }),
            effective_on: None,
        };
        let refused = items.create_recognition_item(request).await.expect_err("refused");
        assert_eq!(refused.code(), Code::InvalidArgument);
        let held = vec![
            certificate("urban", LHASA_URBAN, "LAB-X", pb::RecognitionScope::Region),
            certificate("rural", LHASA_URBAN, "LAB-K", pb::RecognitionScope::Region),
        ];
        let results = record_certificates(&site, 11, held).await;
        assert_eq!(outcomes(&results), [(Rejected, vec!["UNKNOWN_ITEM"]), (Rejected, vec!["OTHER_COUNTY"])]);
        site.service.stop().await.expect("stops");
    }
}
