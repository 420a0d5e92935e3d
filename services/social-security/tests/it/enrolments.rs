//! The register of enrolments through its RPCs, on every database at hand.

use crate::support::{asked, date, outcomes, person, reasons, request_id, start};
use diesel::RunQueryDsl as _;
use minsheng_proto::{
    common::v1::{Date, EndKind, ItemOutcome, Purpose},
    social_security::v1 as pb,
};
use minsheng_testkit::{TestDatabase, databases};
use pb::{enrolment_service_client::EnrolmentServiceClient, question_service_client::QuestionServiceClient};
use prost::Message as _;
use tonic::Code;

pub(crate) fn enrolment(name: &str, sequence: u16) -> pb::Enrolment {
    pb::Enrolment {
        name: if name.is_empty() { String::new() } else { format!("enrolments/{name}") },
        area: "540102".to_owned(),
        resident_id: person(sequence),
        scheme: pb::Scheme::ResidentMedical.into(),
        entry_kind: pb::EntryKind::ResidencePermit.into(),
        registration_area: "510104".to_owned(),
        applied_on: date(2025, 3, 3),
        decision: pb::EnrolmentDecision::Admitted.into(),
        decided_on: date(2025, 3, 7),
        covered_from: date(2025, 4, 1),
        covered_to: date(2025, 12, 31),
        premium_payer: pb::PremiumPayer::Self_.into(),
        yearly_contribution_fen: 40_000,
        ..pb::Enrolment::default()
    }
}

pub(crate) fn create(n: u128, enrolment: pb::Enrolment) -> pb::CreateEnrolmentRequest {
    pb::CreateEnrolmentRequest { request_id: request_id(n), enrolment: Some(enrolment), effective_on: None }
}

/// Asks for a change of one enrolment; the days are the caller's to say.
pub(crate) fn update(n: u128, etag: &str, enrolment: pb::Enrolment, paths: &[&str]) -> pb::UpdateEnrolmentRequest {
    pb::UpdateEnrolmentRequest {
        request_id: request_id(n),
        enrolment: Some(enrolment),
        etag: etag.to_owned(),
        update_mask: Some(prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() }),
        ..pb::UpdateEnrolmentRequest::default()
    }
}

fn chunk(upload: u128, chunk: i64, enrolments: Vec<pb::Enrolment>) -> pb::UploadEnrolmentsRequest {
    pb::UploadEnrolmentsRequest { upload_id: request_id(upload), chunk, validate_only: false, enrolments }
}

pub(crate) fn asking(sequence: u16, on: Option<Date>) -> pb::CheckCoverageRequest {
    pb::CheckCoverageRequest {
        context: asked(Purpose::MedicalSettlement, "bill-1"),
        resident_id: person(sequence),
        scheme: pb::Scheme::ResidentMedical.into(),
        on,
    }
}

#[tokio::test]
async fn an_enrolment_is_recorded_masked_and_told_to_analytics_under_a_pseudonym() {
    for database in databases() {
        let started = start(database).await;
        let mut client = EnrolmentServiceClient::new(started.channel("operator"));
        let created = client.create_enrolment(create(1, enrolment("e1", 1))).await.expect("created");
        let created = created.into_inner().enrolment.expect("in the answer");
        assert_eq!(created.resident_id, "549999********0012");
        let list = pb::ListEnrolmentsRequest { area: "540000".to_owned(), ..pb::ListEnrolmentsRequest::default() };
        let listed = client.list_enrolments(list).await.expect("listed").into_inner().enrolments;
        assert_eq!(listed, [created]);

        let told = started.journal().remove(0);
        assert_eq!((told.record.as_str(), told.diff), ("e1", 1));
        let payload = told.payload;
        let row = pb::EnrolmentRow::decode(payload.as_slice()).expect("a row");
        assert!(row.registered_elsewhere);
        assert_eq!(row.decision_working_days, Some(4));
        assert!(!row.person.is_empty() && !row.person.contains("549999"));
        assert!(!contains(&payload, person(1).as_bytes()));
        if database == TestDatabase::Sqlite {
            for file in std::fs::read_dir(started.site.path()).expect("the directory").flatten() {
                if file.file_type().is_ok_and(|kind| kind.is_file()) {
                    let bytes = std::fs::read(file.path()).expect("readable");
                    assert!(!contains(&bytes, person(1).as_bytes()), "{}", file.path().display());
                }
            }
        }
        started.service.stop().await.expect("stops");
    }
}

pub(crate) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn all_that_is_wrong_with_an_enrolment_is_said_at_once_and_without_the_person() {
    let started = start(TestDatabase::Sqlite).await;
    let mut client = EnrolmentServiceClient::new(started.channel("operator"));
    let bad = pb::Enrolment {
        resident_id: "549999199001010013".to_owned(),
        registration_area: "549999".to_owned(),
        decided_on: date(2025, 3, 1),
        refusal_reason: pb::RefusalReason::Incomplete.into(),
        scheme: pb::Scheme::Unemployment.into(),
        ..enrolment("e1", 1)
    };
    let status = client.create_enrolment(create(1, bad)).await.expect_err("refused");
    assert_eq!(status.code(), Code::InvalidArgument);
    for field in ["resident_id", "registration_area", "decided_on", "refusal_reason", "entry_kind"] {
        assert!(contains(status.details(), field.as_bytes()), "{field}");
    }
    assert!(!contains(status.details(), b"549999199001010013") && !status.message().contains("549999199001010013"));
    started.service.stop().await.expect("stops");
}

#[tokio::test]
async fn a_refusal_for_the_registered_residence_is_kept_and_shown() {
    for database in databases() {
        let started = start(database).await;
        let mut client = EnrolmentServiceClient::new(started.channel("social-security"));
        let refused = pb::Enrolment {
            decision: pb::EnrolmentDecision::Refused.into(),
            refusal_reason: pb::RefusalReason::HouseholdRegistration.into(),
            covered_from: None,
            covered_to: None,
            ..enrolment("e1", 1)
        };
        client.create_enrolment(create(1, refused)).await.expect("recorded");
        let row = pb::EnrolmentRow::decode(started.journal()[0].payload.as_slice()).expect("a row");
        assert_eq!(row.refusal_reason(), pb::RefusalReason::HouseholdRegistration);
        assert!(row.registered_elsewhere);
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_pending_application_is_decided_by_an_update_that_keeps_the_person() {
    for database in databases() {
        let started = start(database).await;
        let mut client = EnrolmentServiceClient::new(started.channel("operator"));
        let pending = pb::Enrolment {
            decision: pb::EnrolmentDecision::Pending.into(),
            decided_on: None,
            covered_from: None,
            covered_to: None,
            ..enrolment("e1", 1)
        };
        let created = client.create_enrolment(create(1, pending)).await.expect("created").into_inner();
        let etag = created.enrolment.and_then(|enrolment| enrolment.meta).expect("meta").etag;
        let paths = ["decision", "decided_on", "covered_from"].map(str::to_owned).to_vec();
        let update = pb::UpdateEnrolmentRequest {
            request_id: request_id(2),
            enrolment: Some(pb::Enrolment { covered_to: None, ..enrolment("e1", 1) }),
            etag,
            update_mask: Some(prost_types::FieldMask { paths }),
            effective_on: date(2025, 3, 7),
            ..pb::UpdateEnrolmentRequest::default()
        };
        let updated = client.update_enrolment(update).await.expect("updated").into_inner().enrolment.expect("set");
        assert_eq!(updated.decision(), pb::EnrolmentDecision::Admitted);
        assert_eq!(updated.resident_id, "549999********0012");

        let mut questions = QuestionServiceClient::new(started.channel("health"));
        let answer = questions.check_coverage(asking(1, date(2025, 8, 1))).await.expect("answered").into_inner();
        assert_eq!((answer.covered, answer.valid_until), (true, None));
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn coverage_is_answered_for_the_day_in_question_and_every_question_is_logged() {
    for database in databases() {
        let started = start(database).await;
        let mut client = EnrolmentServiceClient::new(started.channel("operator"));
        let created = client.create_enrolment(create(1, enrolment("e1", 1))).await.expect("created").into_inner();
        let mut questions = QuestionServiceClient::new(started.channel("health"));
        for (on, covered) in [
            (date(2025, 3, 31), false),
            (date(2025, 4, 1), true),
            (date(2025, 12, 31), true),
            (date(2026, 1, 1), false),
        ] {
            let answer = questions.check_coverage(asking(1, on)).await.expect("answered").into_inner();
            assert_eq!(answer.covered, covered, "{on:?}");
            assert_eq!(answer.valid_until, if covered { date(2025, 12, 31) } else { None });
        }
        // Another scheme, another person: no.
        let other =
            pb::CheckCoverageRequest { scheme: pb::Scheme::EmployeeMedical.into(), ..asking(1, date(2025, 5, 1)) };
        assert!(!questions.check_coverage(other).await.expect("answered").into_inner().covered);
        let stranger = questions.check_coverage(asking(2, date(2025, 5, 1))).await.expect("answered");
        assert!(!stranger.into_inner().covered);

        let end = pb::EndEnrolmentRequest {
            request_id: request_id(2),
            name: "enrolments/e1".to_owned(),
            etag: created.enrolment.and_then(|enrolment| enrolment.meta).expect("meta").etag,
            kind: EndKind::Ended.into(),
            ended_on: date(2025, 7, 1),
            effective_on: None,
        };
        client.end_enrolment(end).await.expect("ended");
        let answer = questions.check_coverage(asking(1, date(2025, 6, 30))).await.expect("answered").into_inner();
        assert_eq!((answer.covered, answer.valid_until), (true, date(2025, 6, 30)));
        let answer = questions.check_coverage(asking(1, date(2025, 7, 1))).await.expect("answered").into_inner();
        assert!(!answer.covered);

        let accesses = started.accesses();
        assert_eq!(accesses.len(), 8);
        let (department, purpose, case_number, method) = &accesses[0];
        assert_eq!((department.as_str(), case_number.as_str()), ("health", "bill-1"));
        assert_eq!(*purpose, i64::from(i32::from(Purpose::MedicalSettlement)));
        assert!(method.ends_with("QuestionService/CheckCoverage"), "{method}");

        // For another purpose, or as another department, there is no answer and nothing to log.
        let wrong =
            pb::CheckCoverageRequest { context: asked(Purpose::MealPrice, "meal-1"), ..asking(1, date(2025, 5, 1)) };
        assert_eq!(questions.check_coverage(wrong).await.expect_err("denied").code(), Code::PermissionDenied);
        let mut community = QuestionServiceClient::new(started.channel("community"));
        let denied = community.check_coverage(asking(1, date(2025, 5, 1))).await.expect_err("denied");
        assert_eq!(denied.code(), Code::PermissionDenied);
        assert_eq!(started.accesses().len(), 8);
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_person_has_one_cover_of_a_scheme_at_a_time() {
    for database in databases() {
        let started = start(database).await;
        let mut client = EnrolmentServiceClient::new(started.channel("operator"));
        client.create_enrolment(create(1, enrolment("e1", 1))).await.expect("created");
        let again = client.create_enrolment(create(2, enrolment("e2", 1))).await.expect_err("covered");
        assert_eq!(again.code(), Code::InvalidArgument);
        assert!(contains(again.details(), b"ALREADY_COVERED"));
        let later = pb::Enrolment { covered_from: date(2026, 1, 1), covered_to: None, ..enrolment("e3", 1) };
        client.create_enrolment(create(3, later)).await.expect("follows on");
        let pension = pb::Enrolment { scheme: pb::Scheme::ResidentPension.into(), ..enrolment("e4", 1) };
        client.create_enrolment(create(4, pension)).await.expect("another scheme");
        let get = pb::GetEnrolmentRequest { name: "enrolments/e1".to_owned(), on: None };
        let first = client.get_enrolment(get).await.expect("there").into_inner().enrolment.expect("set");
        let longer = pb::UpdateEnrolmentRequest {
            request_id: request_id(5),
            enrolment: Some(pb::Enrolment {
                name: first.name,
                covered_to: date(2026, 1, 1),
                ..pb::Enrolment::default()
            }),
            etag: first.meta.expect("meta").etag,
            update_mask: Some(prost_types::FieldMask { paths: vec!["covered_to".to_owned()] }),
            ..pb::UpdateEnrolmentRequest::default()
        };
        let refused = client.update_enrolment(longer).await.expect_err("reaches into the next cover");
        assert!(contains(refused.details(), b"ALREADY_COVERED"));
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_change_keeps_scheme_and_person_and_the_cover_of_the_days_before_it() {
    for database in databases() {
        let started = start(database).await;
        let mut client = EnrolmentServiceClient::new(started.channel("operator"));
        client.create_enrolment(create(1, enrolment("e1", 1))).await.expect("created");
        let change = |n: u128, change: pb::Enrolment, path: &str| {
            let request = update(n, "v1", change, &[path]);
            pb::UpdateEnrolmentRequest { effective_on: date(2025, 8, 1), ..request }
        };
        let pension = pb::Enrolment { scheme: pb::Scheme::ResidentPension.into(), ..enrolment("e1", 1) };
        for (request, field) in
            [(change(2, pension, "scheme"), "scheme"), (change(3, enrolment("e1", 2), "resident_id"), "resident_id")]
        {
            let refused = client.update_enrolment(request).await.expect_err("refused");
            assert_eq!(refused.code(), Code::InvalidArgument);
            assert!(contains(refused.details(), b"CANNOT_CHANGE"), "{field}");
            assert!(contains(refused.details(), field.as_bytes()), "{field}");
        }
        let begun = pb::Enrolment { covered_from: date(2025, 8, 1), ..enrolment("e1", 1) };
        client.update_enrolment(change(4, begun, "covered_from")).await.expect("the days before stay covered");
        let mut questions = QuestionServiceClient::new(started.channel("health"));
        for on in [date(2025, 5, 1), date(2025, 7, 31), date(2025, 8, 1)] {
            let answer = questions.check_coverage(asking(1, on)).await.expect("answered").into_inner();
            assert_eq!((answer.covered, answer.valid_until), (true, date(2025, 12, 31)), "{on:?}");
        }
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn of_two_covers_of_one_person_in_a_chunk_the_first_goes_in() {
    for database in databases() {
        let started = start(database).await;
        let mut client = EnrolmentServiceClient::new(started.channel("operator"));
        let bad = pb::Enrolment { decided_on: None, ..enrolment("u2", 2) };
        let upload = chunk(9, 0, vec![enrolment("u1", 1), bad, enrolment("u3", 3), enrolment("u4", 3)]);
        let answers = client.upload_enrolments(tokio_stream::iter(vec![upload])).await.expect("accepted");
        let answer = answers.into_inner().message().await.expect("answered").expect("an answer");
        assert_eq!(
            outcomes(&answer.results),
            [ItemOutcome::Created, ItemOutcome::Rejected, ItemOutcome::Created, ItemOutcome::Rejected]
        );
        assert_eq!(reasons(&answer.results[1]), ["REQUIRED_BY_DECISION"]);
        assert_eq!(reasons(&answer.results[3]), ["ALREADY_COVERED"]);
        assert_eq!(started.journal().len(), 2);
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn people_who_apply_twice_at_one_moment_are_covered_once() {
    for database in databases() {
        let started = start(database).await;
        let attempts = (0..8_u32).map(|n| {
            let mut client = EnrolmentServiceClient::new(started.channel("operator"));
            async move {
                // Two thousand people would meet in the same way; forty keep the test short.
                let people = (1..=40).map(|sequence| enrolment(&format!("c{n}-{sequence}"), sequence)).collect();
                let upload = chunk(100 + u128::from(n), 0, people);
                let answers = client.upload_enrolments(tokio_stream::iter(vec![upload])).await.expect("accepted");
                let answer = answers.into_inner().message().await.expect("answered").expect("an answer");
                outcomes(&answer.results).into_iter().filter(|outcome| *outcome == ItemOutcome::Created).count()
            }
        });
        let attempts: Vec<_> = attempts.map(tokio::spawn).collect();
        let mut created = 0;
        for attempt in attempts {
            created += attempt.await.expect("finishes");
        }
        assert_eq!(created, 40);
        let rows: i64 = diesel::QueryDsl::count(minsheng_social_security::schema::enrolments::table)
            .get_result(&mut started.store())
            .expect("readable");
        assert_eq!(rows, 40);
        started.service.stop().await.expect("stops");
    }
}
