//! The register of assisted households through its RPCs, on every database at hand.

mod recognition;

use crate::support::{asked, date, outcomes, person, reasons, request_id, start};
use diesel::{QueryDsl as _, RunQueryDsl as _};
use minsheng_proto::{
    common::v1::{Date, EndKind, ItemOutcome, Purpose},
    social_security::v1 as pb,
};
use minsheng_social_security::assistance::assistance_members;
use minsheng_testkit::databases;
use pb::{
    AssistanceCategory as Category, assistance_household_service_client::AssistanceHouseholdServiceClient,
    question_service_client::QuestionServiceClient,
};
use prost::Message as _;
use tonic::Code;

pub(crate) fn household(name: &str, people: &[u16]) -> pb::AssistanceHousehold {
    let members = people.iter().enumerate().map(|(index, sequence)| pb::HouseholdMember {
        resident_id: person(*sequence),
        relation: if index == 0 { pb::MemberRelation::Applicant } else { pb::MemberRelation::Child }.into(),
        severe_disability: index == 1,
        ..pb::HouseholdMember::default()
    });
    pb::AssistanceHousehold {
        name: format!("assistance_households/{name}"),
        area: "540102".to_owned(),
        residence_kind: pb::ResidenceKind::Urban.into(),
        members: members.collect(),
        net_monthly_income_fen: 150_000,
        category: Category::Dibao.into(),
        applied_on: date(2025, 1, 6),
        decided_on: date(2025, 1, 20),
        valid_from: date(2025, 2, 1),
        ..pb::AssistanceHousehold::default()
    }
}

pub(crate) fn create(n: u128, household: pb::AssistanceHousehold) -> pb::CreateAssistanceHouseholdRequest {
    pb::CreateAssistanceHouseholdRequest {
        request_id: request_id(n),
        assistance_household: Some(household),
        effective_on: None,
    }
}

fn chunk(upload: u128, households: Vec<pb::AssistanceHousehold>) -> pb::UploadAssistanceHouseholdsRequest {
    pb::UploadAssistanceHouseholdsRequest {
        upload_id: request_id(upload),
        chunk: 0,
        validate_only: false,
        assistance_households: households,
    }
}

pub(crate) fn asking(sequence: u16, on: Option<Date>) -> pb::GetAssistanceCategoryRequest {
    pb::GetAssistanceCategoryRequest { context: asked(Purpose::MealPrice, "meal-1"), resident_id: person(sequence), on }
}

pub(crate) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn the_server_computes_the_amount_and_says_by_which_standard() {
    for database in databases() {
        let started = start(database).await;
        let mut client = AssistanceHouseholdServiceClient::new(started.channel("operator"));
        // What the caller says about money that the server computes is not taken.
        let asked = pb::AssistanceHousehold { monthly_amount_fen: 9_999_999, ..household("h1", &[1, 2, 3]) };
        let created = client.create_assistance_household(create(1, asked)).await.expect("created").into_inner();
        let created = created.assistance_household.expect("in the answer");
        assert_eq!((created.monthly_standard_fen, created.monthly_amount_fen), (93_000, 3 * 93_000 - 150_000));
        let masked: Vec<&str> = created.members.iter().map(|member| member.resident_id.as_str()).collect();
        assert!(masked.iter().all(|id| id.starts_with("549999********")), "{masked:?}");

        let payload = started.journal().remove(0).payload;
        assert!(!contains(&payload, b"549999"));
        let row = pb::AssistanceHouseholdRow::decode(payload.as_slice()).expect("a row");
        assert_eq!((row.members, row.severely_disabled_members, row.monthly_amount_fen), (3, 1, 130_000));
        // The exact amount, beside standard and members, would tell what the household earns.
        assert_eq!(row.decision_working_days, Some(10));
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_category_that_the_income_contradicts_is_refused() {
    for database in databases() {
        let started = start(database).await;
        let mut client = AssistanceHouseholdServiceClient::new(started.channel("social-security"));
        for (n, category, income, valid_to, expected) in [
            (1, Category::Dibao, 279_000, None, Some("INCOME_CONTRADICTS_CATEGORY")),
            (2, Category::Dibao, 278_999, None, None),
            (3, Category::Margin, 278_999, None, Some("INCOME_CONTRADICTS_CATEGORY")),
            (4, Category::Margin, 418_500, None, Some("INCOME_CONTRADICTS_CATEGORY")),
            (5, Category::Margin, 418_499, None, None),
            (6, Category::RigidExpenditure, 600_000, None, Some("VALID_TOO_LONG")),
            (7, Category::RigidExpenditure, 600_000, date(2026, 1, 31), None),
        ] {
            let three = [n * 10, n * 10 + 1, n * 10 + 2];
            let asked = pb::AssistanceHousehold {
                category: category.into(),
                net_monthly_income_fen: income,
                valid_to,
                ..household(&format!("h{n}"), &three)
            };
            let answer = client.create_assistance_household(create(u128::from(n), asked)).await;
            match (answer, expected) {
                (Ok(answer), None) => {
                    let paid = answer.into_inner().assistance_household.expect("set").monthly_amount_fen;
                    assert_eq!(paid > 0, category == Category::Dibao);
                }
                (Err(status), Some(reason)) => {
                    assert_eq!(status.code(), Code::InvalidArgument);
                    assert!(contains(status.details(), reason.as_bytes()), "{category:?}");
                }
                (answer, expected) => panic!("{category:?} {income}: {expected:?}, but {answer:?}"),
            }
        }
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn the_category_is_answered_for_each_member_and_day_also_after_it_changed() {
    for database in databases() {
        let started = start(database).await;
        let mut client = AssistanceHouseholdServiceClient::new(started.channel("operator"));
        let created = client.create_assistance_household(create(1, household("h1", &[1, 2]))).await.expect("created");
        let created = created.into_inner().assistance_household.expect("set");
        // From July on the household earns more, and the second member has moved out.
        let mut after = household("h1", &[1]);
        after.category = Category::Margin.into();
        after.net_monthly_income_fen = 120_000;
        after.decided_on = date(2025, 6, 20);
        after.valid_to = date(2026, 6, 30);
        let update = pb::UpdateAssistanceHouseholdRequest {
            request_id: request_id(2),
            assistance_household: Some(after),
            etag: created.meta.expect("meta").etag,
            update_mask: None,
            effective_on: date(2025, 7, 1),
            ..pb::UpdateAssistanceHouseholdRequest::default()
        };
        let updated = client.update_assistance_household(update).await.expect("updated").into_inner();
        let updated = updated.assistance_household.expect("set");
        assert_eq!(updated.monthly_amount_fen, 0);

        let mut questions = QuestionServiceClient::new(started.channel("community"));
        for (sequence, on, category, valid_until) in [
            (1, date(2025, 1, 31), Category::None, None),
            (1, date(2025, 2, 1), Category::Dibao, date(2025, 6, 30)),
            (2, date(2025, 6, 30), Category::Dibao, date(2025, 6, 30)),
            (1, date(2025, 7, 1), Category::Margin, date(2026, 6, 30)),
            (2, date(2025, 7, 1), Category::None, None),
            (1, date(2026, 7, 1), Category::None, None),
            (3, date(2025, 3, 1), Category::None, None),
        ] {
            let answer = questions.get_assistance_category(asking(sequence, on)).await.expect("answered").into_inner();
            assert_eq!((answer.category(), answer.valid_until), (category, valid_until), "{sequence} {on:?}");
        }
        assert_eq!(started.accesses().len(), 7);
        assert!(started.accesses()[0].3.ends_with("QuestionService/GetAssistanceCategory"));

        let end = pb::EndAssistanceHouseholdRequest {
            request_id: request_id(3),
            name: updated.name.clone(),
            etag: updated.meta.expect("meta").etag,
            kind: EndKind::Ended.into(),
            ended_on: date(2025, 9, 1),
            effective_on: None,
        };
        let ended = client.end_assistance_household(end).await.expect("ended").into_inner();
        let ended = ended.assistance_household.expect("set");
        for (on, category, valid_until) in [
            (date(2025, 6, 1), Category::Dibao, date(2025, 6, 30)),
            (date(2025, 8, 31), Category::Margin, date(2025, 8, 31)),
            (date(2025, 9, 1), Category::None, None),
        ] {
            let answer = questions.get_assistance_category(asking(1, on)).await.expect("answered").into_inner();
            assert_eq!((answer.category(), answer.valid_until), (category, valid_until), "{on:?}");
        }

        // Withdrawn, it never was.
        let withdraw = pb::EndAssistanceHouseholdRequest {
            request_id: request_id(4),
            name: ended.name.clone(),
            etag: ended.meta.expect("meta").etag,
            kind: EndKind::Withdrawn.into(),
            ended_on: None,
            effective_on: None,
        };
        client.end_assistance_household(withdraw).await.expect("withdrawn");
        let answer = questions.get_assistance_category(asking(1, date(2025, 6, 1))).await.expect("answered");
        assert_eq!(answer.into_inner().category(), Category::None);
        // The members are free for another household.
        client.create_assistance_household(create(5, household("h2", &[2, 1]))).await.expect("created");
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_person_belongs_to_one_household_at_a_time() {
    for database in databases() {
        let started = start(database).await;
        let mut client = AssistanceHouseholdServiceClient::new(started.channel("operator"));
        let until_june = pb::AssistanceHousehold { valid_to: date(2025, 6, 30), ..household("h1", &[1, 2]) };
        let tekun = pb::AssistanceHousehold {
            category: Category::Tekun.into(),
            net_monthly_income_fen: 0,
            ..household("h2", &[2])
        };
        let later = pb::AssistanceHousehold { valid_from: date(2025, 7, 1), ..tekun.clone() };
        let later = pb::AssistanceHousehold { name: "assistance_households/h3".to_owned(), ..later };
        let none =
            pb::AssistanceHousehold { category: Category::None.into(), valid_from: None, ..household("h4", &[1, 2]) };
        let upload = chunk(1, vec![until_june, tekun, later, none]);
        let answers = client.upload_assistance_households(tokio_stream::iter(vec![upload.clone()])).await;
        let answer = answers.expect("accepted").into_inner().message().await.expect("answered").expect("an answer");
        assert_eq!(
            outcomes(&answer.results),
            [ItemOutcome::Created, ItemOutcome::Rejected, ItemOutcome::Created, ItemOutcome::Created]
        );
        assert_eq!(reasons(&answer.results[1]), ["IN_ANOTHER_HOUSEHOLD"]);
        assert_eq!(answer.results[1].violations[0].field, "members[0].resident_id");
        // The chunk again: the same answer, nothing twice.
        let again = client.upload_assistance_households(tokio_stream::iter(vec![upload])).await.expect("accepted");
        assert_eq!(again.into_inner().message().await.expect("answered"), Some(answer));
        let members: i64 = assistance_members::table.count().get_result(&mut started.store()).expect("readable");
        assert_eq!(members, 3);
        started.service.stop().await.expect("stops");
    }
}

/// Enough that uploads at once are really under way at once: fewer pass without the rule's locks as well.
const FAMILIES: u16 = 150;

#[tokio::test]
async fn two_uploads_of_one_household_at_once_never_make_two_in_force() {
    for database in databases() {
        let started = start(database).await;
        let attempts = (0..8_u16).map(|n| {
            let mut client = AssistanceHouseholdServiceClient::new(started.channel("operator"));
            tokio::spawn(async move {
                // The same families under other names, in another order of members and of families.
                let mut families: Vec<_> = (0..FAMILIES)
                    .map(|family| {
                        let mut people = [family * 3 + 1, family * 3 + 2, family * 3 + 3];
                        people.rotate_left(usize::from(n % 3));
                        household(&format!("n{n}-{family}"), &people)
                    })
                    .collect();
                if n % 2 == 1 {
                    families.reverse();
                }
                let upload = chunk(100 + u128::from(n), families);
                let answers = client.upload_assistance_households(tokio_stream::iter(vec![upload])).await;
                let answers = answers.expect("accepted").into_inner().message().await;
                outcomes(&answers.expect("answered").expect("an answer").results)
            })
        });
        let attempts: Vec<_> = attempts.collect();
        let mut created = 0;
        for attempt in attempts {
            let outcomes = attempt.await.expect("finishes");
            created += outcomes.into_iter().filter(|outcome| *outcome == ItemOutcome::Created).count();
        }
        assert_eq!(created, usize::from(FAMILIES));
        let members: i64 = assistance_members::table.count().get_result(&mut started.store()).expect("readable");
        assert_eq!(members, 3 * i64::from(FAMILIES));
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn uploads_that_race_for_the_same_names_record_each_household_once() {
    for database in databases() {
        let started = start(database).await;
        let attempts = (0..6_u128).map(|n| {
            let mut client = AssistanceHouseholdServiceClient::new(started.channel("operator"));
            tokio::spawn(async move {
                let families = (0..10_u16).map(|family| {
                    let people = [family * 2 + 1, family * 2 + 2];
                    household(&format!("n{family}"), &people)
                });
                let families = families.collect();
                let upload = chunk(100 + n, families);
                loop {
                    let answers = client.upload_assistance_households(tokio_stream::iter(vec![upload.clone()])).await;
                    match answers.expect("accepted").into_inner().message().await {
                        Ok(answer) => return outcomes(&answer.expect("an answer").results),
                        // It lost the race and may try again; then it finds what the other recorded.
                        Err(status) => assert_eq!(status.code(), Code::Aborted, "{status:?}"),
                    }
                }
            })
        });
        let attempts: Vec<_> = attempts.collect();
        let mut all = Vec::new();
        for attempt in attempts {
            all.extend(attempt.await.expect("finishes"));
        }
        let created = all.iter().filter(|outcome| **outcome == ItemOutcome::Created).count();
        let unchanged = all.iter().filter(|outcome| **outcome == ItemOutcome::Unchanged).count();
        assert_eq!((created, unchanged), (10, 50));
        started.service.stop().await.expect("stops");
    }
}
