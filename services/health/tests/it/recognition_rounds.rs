//! Later rounds, additions to the list and withdrawals beside records: what becomes of the marks of mutual recognition.

use crate::support::{
    Site, assert_all_created, date, epoch, institution,
    recognition::{LHASA_RURAL, LHASA_URBAN, XIGAZE, certificate, decision, question, record_certificates, started},
    request_id, rows_on,
};
use minsheng_proto::{common::v1 as common, health::v1 as pb};
use minsheng_testkit::databases;
use pb::{
    institution_service_client::InstitutionServiceClient,
    quality_certificate_service_client::QualityCertificateServiceClient,
    question_service_client::QuestionServiceClient, recognition_item_service_client::RecognitionItemServiceClient,
    result_decision_service_client::ResultDecisionServiceClient,
};
use tonic::Code;

/// The reason that the question gives for a potassium test of a day at the urban hospital, seen from another on that day.
async fn reason_at(site: &Site, performed_on: Option<common::Date>, to: &str) -> pb::RecognisableReason {
    let mut questions = QuestionServiceClient::new(site.channel("health"));
    questions
        .check_recognisable(question(performed_on, performed_on, to))
        .await
        .expect("answered")
        .into_inner()
        .reason()
}

async fn counted(site: &Site, area: &str, on: Option<common::Date>) -> i64 {
    let mut questions = QuestionServiceClient::new(site.channel("community"));
    let asked = pb::CountRecognisableItemsRequest { area: area.to_owned(), on };
    questions.count_recognisable_items(asked).await.expect("answered").into_inner().items
}

/// A round of the urban hospital for one item.
fn round(
    round: &str,
    passed: bool,
    valid_from: Option<common::Date>,
    valid_to: Option<common::Date>,
) -> pb::QualityCertificate {
    let held = certificate("urban", LHASA_URBAN, "LAB-K", pb::RecognitionScope::Region);
    pb::QualityCertificate { round: round.to_owned(), passed, valid_from, valid_to, ..held }
}

#[tokio::test]
async fn a_later_failed_round_takes_the_mark_away_from_its_own_day_until_it_is_withdrawn() {
    use pb::{RecognisableReason as Reason, RecognitionScope as Scope};
    for database in databases() {
        let site = started(database).await;
        let first = round("2025-1", true, date(2025, 1, 1), date(2025, 12, 31));
        let rural = certificate("rural", LHASA_RURAL, "LAB-K", Scope::Region);
        assert_all_created(&record_certificates(&site, 10, vec![first.clone(), rural]).await);
        assert_eq!(reason_at(&site, date(2025, 7, 1), "xigaze").await, Reason::Recognisable);
        assert_eq!(counted(&site, "540100", date(2025, 7, 1)).await, 1);

        // Round 2 is failed in July; round 3, in August, is passed.
        let failed =
            record_certificates(&site, 11, vec![round("2025-2", false, date(2025, 7, 1), date(2025, 7, 31))]).await;
        assert_all_created(&failed);
        for (on, reason) in [
            (date(2025, 6, 30), Reason::Recognisable),
            (date(2025, 7, 1), Reason::NoCertificate),
            (date(2025, 7, 31), Reason::NoCertificate),
            // What was taken away does not come back with the end of the failed round.
            (date(2025, 8, 10), Reason::NoCertificate),
        ] {
            assert_eq!(reason_at(&site, on, "xigaze").await, reason, "{on:?}");
            let items = i64::from(reason == Reason::Recognisable);
            assert_eq!(counted(&site, "540100", on).await, items, "{on:?}");
        }
        let third = round("2025-3", true, date(2025, 8, 11), date(2026, 8, 10));
        assert_all_created(&record_certificates(&site, 12, vec![third]).await);
        assert_eq!(reason_at(&site, date(2025, 8, 11), "xigaze").await, Reason::Recognisable);

        // The certificate says so, as a new version; sent again it is the same, whatever was found since.
        let mut certificates = QualityCertificateServiceClient::new(site.channel("operator"));
        let get = pb::GetQualityCertificateRequest {
            name: "quality_certificates/urban.2025-1.LAB-K".to_owned(),
            ..Default::default()
        };
        let held = certificates.get_quality_certificate(get.clone()).await.expect("there").into_inner();
        let held = held.quality_certificate.expect("in the answer");
        assert_eq!((held.failed_on, held.valid_to), (date(2025, 7, 1), date(2025, 12, 31)));
        assert_eq!(held.meta.expect("meta").etag, "v2");
        let again = record_certificates(&site, 13, vec![first]).await;
        assert_eq!(again[0].outcome(), common::ItemOutcome::Unchanged);

        let withdraw = pb::EndQualityCertificateRequest {
            request_id: request_id(14),
            name: failed[0].name.clone(),
            etag: "v1".to_owned(),
            kind: common::EndKind::Withdrawn.into(),
            ..Default::default()
        };
        certificates.end_quality_certificate(withdraw).await.expect("withdrawn");
        assert_eq!(reason_at(&site, date(2025, 7, 1), "xigaze").await, Reason::Recognisable);
        let held = certificates.get_quality_certificate(get).await.expect("there").into_inner();
        assert_eq!(held.quality_certificate.expect("in the answer").failed_on, None);

        // Analytics saw the same: cut while the failed round stood, whole before and after.
        let entries = site.journal("health.quality_certificates").await;
        let last_days: Vec<_> = entries
            .iter()
            .filter(|entry| entry.record == "urban.2025-1.LAB-K")
            .map(|entry| {
                let row: pb::QualityCertificateRow = prost::Message::decode(entry.payload.as_slice()).expect("a row");
                (entry.diff, entry.valid_from, row.valid_to)
            })
            .collect();
        let (begun, whole, cut) = (epoch(2025, 1, 1), date(2025, 12, 31), date(2025, 6, 30));
        assert_eq!(
            last_days,
            [(1, begun, whole), (-1, begun, whole), (1, begun, cut), (-1, begun, cut), (1, begun, whole)]
        );
    }
}

#[tokio::test]
async fn rounds_of_one_chunk_and_rounds_recorded_late_are_cut_as_well() {
    use pb::RecognisableReason as Reason;
    for database in databases() {
        let site = started(database).await;
        let failed = round("2025-2", false, date(2025, 7, 1), date(2025, 7, 31));
        let first = round("2025-1", true, date(2025, 1, 1), date(2025, 12, 31));
        let results = record_certificates(&site, 10, vec![first, failed]).await;
        assert_all_created(&results);
        assert_eq!(reason_at(&site, date(2025, 7, 1), "rural").await, Reason::NoCertificate);
        let late = round("late", true, date(2025, 5, 1), date(2026, 4, 30));
        assert_all_created(&record_certificates(&site, 11, vec![late]).await);
        assert_eq!(reason_at(&site, date(2025, 7, 1), "rural").await, Reason::NoCertificate);
        let entries = site.journal("health.quality_certificates").await;
        // Each was known to be cut when it was recorded: one entry each.
        assert_eq!(entries.len(), 3);
        let rows = rows_on::<pb::QualityCertificateRow>(&entries, epoch(2025, 9, 1));
        for record in ["urban.2025-1.LAB-K", "urban.late.LAB-K"] {
            assert_eq!(rows[record].valid_to, date(2025, 6, 30), "{record}");
        }
    }
}

#[tokio::test]
async fn an_item_that_a_prefecture_added_is_in_the_list_of_its_own_institutions() {
    use pb::{RecognisableReason as Reason, RecognitionScope as Scope};
    for database in databases() {
        let site = started(database).await;
        let mut items = RecognitionItemServiceClient::new(site.channel("operator"));
        let added = pb::RecognitionItem {
            name: String::new(),
            area: "540100".to_owned(),
            code: "LAB-X".to_owned(),
            edition: "LHASA-1".to_owned(),
            loinc: String::new(),
            ..minsheng_health::seed_items().remove(0)
        };
        let request = pb::CreateRecognitionItemRequest {
            request_id: request_id(10),
            recognition_item: Some(added),
            effective_on: None,
        };
        items.create_recognition_item(request).await.expect("recorded");
        let held = [("urban", LHASA_URBAN), ("rural", LHASA_RURAL), ("xigaze", XIGAZE)];
        let held = held.map(|(id, area)| certificate(id, area, "LAB-X", Scope::Region)).to_vec();
        assert_all_created(&record_certificates(&site, 11, held).await);
        let mut questions = QuestionServiceClient::new(site.channel("health"));
        let august = date(2025, 8, 1);
        for (to, reason) in [("rural", Reason::Recognisable), ("xigaze", Reason::ItemNotListed)] {
            let asked = pb::CheckRecognisableRequest { item_code: "LAB-X".to_owned(), ..question(august, august, to) };
            assert_eq!(
                questions.check_recognisable(asked).await.expect("answered").into_inner().reason(),
                reason,
                "{to}"
            );
        }
        let seeded = i64::try_from(minsheng_health::seed_items().len()).expect("small");
        for (area, items, listed) in [("540100", 1, seeded + 1), ("540200", 0, seeded), ("540000", 1, seeded + 1)] {
            let asked = pb::CountRecognisableItemsRequest { area: area.to_owned(), on: august };
            let answer = questions.count_recognisable_items(asked).await.expect("answered").into_inner();
            assert_eq!((answer.items, answer.listed_items), (items, listed), "{area}");
        }
        site.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_decision_is_marked_as_the_question_answers_on_its_day() {
    for database in databases() {
        let site = started(database).await;
        let held = vec![certificate("urban", LHASA_URBAN, "LAB-K", pb::RecognitionScope::Region)];
        assert_all_created(&record_certificates(&site, 10, held).await);
        let mut decisions = ResultDecisionServiceClient::new(site.channel("operator"));
        // Potassium is reused for seven days; all are decided on 1 September.
        for (n, performed_on, recognisable) in [(11, date(2025, 8, 25), true), (12, date(2025, 8, 24), false)] {
            let request = pb::CreateResultDecisionRequest {
                request_id: request_id(n),
                result_decision: Some(decision(&format!("d{n}"), performed_on)),
                effective_on: None,
            };
            let recorded = decisions.create_result_decision(request).await.expect("recorded").into_inner();
            assert_eq!(recorded.result_decision.expect("in the answer").recognisable, recognisable, "{performed_on:?}");
            let mut questions = QuestionServiceClient::new(site.channel("health"));
            let asked = question(performed_on, date(2025, 9, 1), "xigaze");
            let answer = questions.check_recognisable(asked).await.expect("answered").into_inner();
            assert_eq!(answer.recognisable, recognisable, "{performed_on:?}");
        }
        site.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn an_institution_is_withdrawn_only_when_no_record_names_it() {
    for database in databases() {
        let site = started(database).await;
        let held = vec![certificate("urban", LHASA_URBAN, "LAB-K", pb::RecognitionScope::Region)];
        assert_all_created(&record_certificates(&site, 10, held).await);
        let mut institutions = InstitutionServiceClient::new(site.channel("operator"));
        for (n, name, code) in [(11, "urban", Some(Code::FailedPrecondition)), (12, "rural", None)] {
            let withdraw = withdrawal(n, name);
            let answer = institutions.end_institution(withdraw).await;
            assert_eq!(answer.err().map(|status| status.code()), code, "{name}");
        }
        site.service.stop().await.expect("stops");
    }
}

fn withdrawal(n: u128, institution: &str) -> pb::EndInstitutionRequest {
    pb::EndInstitutionRequest {
        request_id: request_id(n),
        name: format!("institutions/{institution}"),
        etag: "v1".to_owned(),
        kind: common::EndKind::Withdrawn.into(),
        ..Default::default()
    }
}

/// On PostgreSQL two units run at once: whichever comes first, no record stands that names a withdrawn institution.
#[tokio::test]
async fn a_withdrawal_beside_a_certificate_leaves_no_record_of_an_institution_that_never_was() {
    for database in databases() {
        let site = started(database).await;
        for round in 0..20_u128 {
            let id = format!("r{round}");
            let mut institutions = InstitutionServiceClient::new(site.channel("operator"));
            let request = pb::CreateInstitutionRequest {
                request_id: request_id(100 + round),
                institution: Some(institution(&id, LHASA_URBAN, pb::InstitutionClass::GeneralHospital)),
                effective_on: None,
            };
            institutions.create_institution(request).await.expect("recorded");
            let mut certificates = QualityCertificateServiceClient::new(site.channel("operator"));
            let held = certificate(&id, LHASA_URBAN, "LAB-K", pb::RecognitionScope::Region);
            let create = pb::CreateQualityCertificateRequest {
                request_id: request_id(300 + round),
                quality_certificate: Some(held),
                effective_on: None,
            };
            let (withdrawn, recorded) = tokio::join!(
                institutions.end_institution(withdrawal(200 + round, &id)),
                certificates.create_quality_certificate(create)
            );
            assert_ne!(withdrawn.is_ok(), recorded.is_ok(), "{withdrawn:?} {recorded:?}");
        }
        site.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_round_named_in_chinese_that_is_sent_again_is_the_same_record() {
    for database in databases() {
        let site = started(database).await;
        let held = || round("2025年第一批", true, date(2025, 1, 1), date(2025, 12, 31));
        assert_all_created(&record_certificates(&site, 10, vec![held()]).await);
        // As another upload, which is what loading the same file again is.
        let again = record_certificates(&site, 11, vec![held()]).await;
        let outcomes: Vec<_> = again.iter().map(common::ItemResult::outcome).collect();
        assert_eq!(outcomes, [common::ItemOutcome::Unchanged], "{again:?}");
        assert_eq!(site.journal("health.quality_certificates").await.len(), 1);
    }
}
