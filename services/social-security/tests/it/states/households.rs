//! States of assisted households: in which category a person is on a day, and in which household.

use minsheng_proto::{
    common::v1::{Date, EndKind},
    social_security::v1 as pb,
};
use minsheng_testkit::databases;
use pb::{
    AssistanceCategory as Category, assistance_household_service_client::AssistanceHouseholdServiceClient,
    question_service_client::QuestionServiceClient,
};
use tonic::Code;

use crate::{
    assistance::{asking, contains, create, household},
    support::{Started, date, day, request_id, start},
};

const NAME: &str = "assistance_households/h1";

fn update(
    n: u128,
    etag: &str,
    change: pb::AssistanceHousehold,
    paths: &[&str],
) -> pb::UpdateAssistanceHouseholdRequest {
    pb::UpdateAssistanceHouseholdRequest {
        request_id: request_id(n),
        assistance_household: Some(pb::AssistanceHousehold { name: NAME.to_owned(), ..change }),
        etag: etag.to_owned(),
        update_mask: Some(prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() }),
        ..pb::UpdateAssistanceHouseholdRequest::default()
    }
}

fn end(n: u128, etag: &str, kind: EndKind, on: Option<Date>) -> pb::EndAssistanceHouseholdRequest {
    let (ended_on, effective_on) = if kind == EndKind::TakenBack { (None, on) } else { (on, None) };
    pb::EndAssistanceHouseholdRequest {
        request_id: request_id(n),
        name: NAME.to_owned(),
        etag: etag.to_owned(),
        kind: kind.into(),
        ended_on,
        effective_on,
    }
}

/// A household on the margin from a day on.
fn margin(from: Option<Date>) -> pb::AssistanceHousehold {
    pb::AssistanceHousehold {
        category: Category::Margin.into(),
        net_monthly_income_fen: 200_000,
        valid_from: from,
        ..pb::AssistanceHousehold::default()
    }
}

const TO_MARGIN: [&str; 3] = ["category", "net_monthly_income_fen", "valid_from"];

/// Asks for the category of a person on some days, and requires of the journal that it says the same of the household
/// `h1`, where the person is a member of no other.
async fn check_categories(started: &Started, person: u16, days: &[((i32, u32, u32), Category)]) {
    let mut questions = QuestionServiceClient::new(started.channel("community"));
    for ((year, month, of_month), category) in days {
        let on = date(*year, *month, *of_month);
        let answer = questions.get_assistance_category(asking(person, on)).await.expect("answered").into_inner();
        assert_eq!(answer.category(), *category, "{person} {on:?}");
        let key = |date: &Date| (date.year, date.month, date.day);
        let asked = on.as_ref().map(key);
        let told = started.told::<pb::AssistanceHouseholdRow>("h1", day(*year, *month, *of_month)).filter(|row| {
            row.valid_from.as_ref().is_some_and(|from| Some(key(from)) <= asked)
                && row.valid_to.as_ref().is_none_or(|to| Some(key(to)) >= asked)
        });
        let told = told.map_or(Category::None, |row| row.category());
        assert_eq!(told, *category, "the journal on {on:?}");
    }
}

#[tokio::test]
async fn who_moves_out_from_a_day_to_come_belongs_to_the_household_until_then() {
    for database in databases() {
        let started = start(database).await;
        let mut client = AssistanceHouseholdServiceClient::new(started.channel("operator"));
        client.create_assistance_household(create(1, household("h1", &[1, 2]))).await.expect("created");
        let alone = pb::AssistanceHousehold { net_monthly_income_fen: 50_000, ..household("h1", &[1]) };
        let request = update(2, "v1", alone, &["members", "net_monthly_income_fen"]);
        let request = pb::UpdateAssistanceHouseholdRequest { effective_on: date(2025, 12, 1), ..request };
        client.update_assistance_household(request).await.expect("planned");

        let of_her_own =
            |from| pb::AssistanceHousehold { valid_from: from, net_monthly_income_fen: 0, ..household("h2", &[2]) };
        let early = client.create_assistance_household(create(3, of_her_own(date(2025, 11, 30)))).await;
        let early = early.expect_err("still a member");
        assert!(contains(early.details(), b"IN_ANOTHER_HOUSEHOLD"), "{early:?}");
        client.create_assistance_household(create(4, of_her_own(date(2025, 12, 1)))).await.expect("free from then on");
        let mut questions = QuestionServiceClient::new(started.channel("community"));
        for (on, valid_until) in [(date(2025, 9, 1), date(2025, 11, 30)), (date(2025, 12, 1), None)] {
            let answer = questions.get_assistance_category(asking(2, on)).await.expect("answered").into_inner();
            assert_eq!((answer.category(), answer.valid_until), (Category::Dibao, valid_until));
        }
        // She does not come back while she is in the other household, by whatever way.
        let back = update(5, "v2", household("h1", &[1, 2]), &["members"]);
        let back = pb::UpdateAssistanceHouseholdRequest { correct_on: date(2025, 12, 1), ..back };
        let refused = client.update_assistance_household(back).await.expect_err("in the other household");
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(contains(refused.details(), b"members[1].resident_id"), "{refused:?}");
        let request = end(6, "v2", EndKind::TakenBack, date(2025, 12, 1));
        let refused = client.end_assistance_household(request).await.expect_err("in the other household");
        assert_eq!(refused.code(), Code::FailedPrecondition);
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn each_state_of_a_household_has_its_own_days_category_and_amount() {
    for database in databases() {
        let started = start(database).await;
        let mut client = AssistanceHouseholdServiceClient::new(started.channel("operator"));
        client.create_assistance_household(create(1, household("h1", &[1, 2]))).await.expect("created");
        let request = update(2, "v1", margin(date(2025, 12, 1)), &TO_MARGIN);
        let request = pb::UpdateAssistanceHouseholdRequest { effective_on: date(2025, 12, 1), ..request };
        client.update_assistance_household(request).await.expect("planned");
        // Poorer from May on: what is planned stays.
        let poorer = pb::AssistanceHousehold { net_monthly_income_fen: 100_000, ..pb::AssistanceHousehold::default() };
        let request = update(3, "v2", poorer, &["net_monthly_income_fen"]);
        let request = pb::UpdateAssistanceHouseholdRequest { effective_on: date(2025, 5, 1), ..request };
        client.update_assistance_household(request).await.expect("changed before it");
        // In the spring they had been poorer still.
        let poorest = pb::AssistanceHousehold { net_monthly_income_fen: 0, ..pb::AssistanceHousehold::default() };
        let request = update(4, "v3", poorest, &["net_monthly_income_fen"]);
        let request = pb::UpdateAssistanceHouseholdRequest { correct_on: date(2025, 4, 30), ..request };
        client.update_assistance_household(request).await.expect("corrected");
        for (on, amount) in [
            (None, 2 * 93_000 - 100_000),
            (date(2025, 4, 30), 2 * 93_000),
            (date(2025, 5, 1), 2 * 93_000 - 100_000),
            (date(2025, 12, 1), 0),
        ] {
            let get = pb::GetAssistanceHouseholdRequest { name: NAME.to_owned(), on };
            let there = client.get_assistance_household(get).await.expect("there").into_inner();
            assert_eq!(there.assistance_household.expect("set").monthly_amount_fen, amount, "{on:?}");
        }
        let days = [
            ((2025, 1, 31), Category::None),
            ((2025, 2, 1), Category::Dibao),
            ((2025, 9, 1), Category::Dibao),
            ((2025, 11, 30), Category::Dibao),
            ((2025, 12, 1), Category::Margin),
        ];
        check_categories(&started, 2, &days).await;
        client.end_assistance_household(end(5, "v4", EndKind::TakenBack, date(2025, 12, 1))).await.expect("taken back");
        check_categories(&started, 2, &[((2025, 12, 1), Category::Dibao)]).await;
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_household_that_ended_and_is_resumed_is_in_no_category_between() {
    for database in databases() {
        let started = start(database).await;
        let mut client = AssistanceHouseholdServiceClient::new(started.channel("operator"));
        client.create_assistance_household(create(1, household("h1", &[1, 2]))).await.expect("created");
        client.end_assistance_household(end(2, "v1", EndKind::Ended, date(2025, 5, 1))).await.expect("ended");
        let fading = |n, month| {
            let faded = pb::AssistanceHousehold {
                ground: pb::RecognitionGround::FadeOut.into(),
                valid_to: date(2026, 1, 31),
                ..margin(date(2025, month, 1))
            };
            let request = update(n, "v2", faded, &["ground", "net_monthly_income_fen", "valid_from", "valid_to"]);
            pb::UpdateAssistanceHouseholdRequest { effective_on: date(2025, month, 1), resume: true, ..request }
        };
        // Nobody is on dibao in the gap, so none fades out after it.
        let refused = client.update_assistance_household(fading(3, 6)).await.expect_err("not on dibao until then");
        assert!(contains(refused.details(), b"FADE_OUT_FOLLOWS_DIBAO"), "{refused:?}");
        let request = update(4, "v2", margin(date(2025, 6, 1)), &TO_MARGIN);
        let request = pb::UpdateAssistanceHouseholdRequest { effective_on: date(2025, 6, 1), resume: true, ..request };
        client.update_assistance_household(request).await.expect("resumed");
        let days = [
            ((2025, 4, 30), Category::Dibao),
            ((2025, 5, 1), Category::None),
            ((2025, 5, 31), Category::None),
            ((2025, 6, 1), Category::Margin),
            ((2025, 12, 1), Category::Margin),
        ];
        check_categories(&started, 1, &days).await;
        client.end_assistance_household(end(5, "v3", EndKind::Withdrawn, None)).await.expect("withdrawn");
        check_categories(&started, 1, &[((2025, 4, 30), Category::None), ((2025, 6, 1), Category::None)]).await;
        client.create_assistance_household(create(6, household("h1", &[1, 2]))).await.expect("created again");
        check_categories(&started, 1, &[((2025, 1, 31), Category::None), ((2025, 5, 31), Category::Dibao)]).await;
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn dibao_fades_out_from_the_day_on_which_the_record_had_ended() {
    for database in databases() {
        let started = start(database).await;
        let mut client = AssistanceHouseholdServiceClient::new(started.channel("operator"));
        client.create_assistance_household(create(1, household("h1", &[1, 2]))).await.expect("created");
        client.end_assistance_household(end(2, "v1", EndKind::Ended, date(2025, 7, 1))).await.expect("ended");
        let faded = pb::AssistanceHousehold {
            ground: pb::RecognitionGround::FadeOut.into(),
            valid_to: date(2026, 6, 30),
            ..margin(date(2025, 7, 1))
        };
        let request = update(3, "v2", faded, &["ground", "net_monthly_income_fen", "valid_from", "valid_to"]);
        let request = pb::UpdateAssistanceHouseholdRequest { effective_on: date(2025, 7, 1), resume: true, ..request };
        let fading = client.update_assistance_household(request).await.expect("follows dibao").into_inner();
        assert_eq!(fading.assistance_household.expect("set").monthly_amount_fen, 2 * 93_000 - 150_000);
        let days = [((2025, 6, 30), Category::Dibao), ((2026, 6, 30), Category::Dibao), ((2026, 7, 1), Category::None)];
        check_categories(&started, 1, &days).await;
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_first_day_is_corrected_to_an_earlier_one_again_and_again() {
    for database in databases() {
        let started = start(database).await;
        let mut client = AssistanceHouseholdServiceClient::new(started.channel("operator"));
        let none =
            pb::AssistanceHousehold { category: Category::None.into(), valid_from: None, ..household("h1", &[1, 2]) };
        client.create_assistance_household(create(1, none)).await.expect("created");
        // From the decision on 20 January on in none; then found to be on dibao, from one day and from another.
        for (n, first, before) in
            [(2, (2025, 1, 10), (2025, 1, 9)), (3, (2025, 2, 1), (2025, 1, 31)), (4, (2025, 1, 8), (2025, 1, 7))]
        {
            let dibao = pb::AssistanceHousehold {
                category: Category::Dibao.into(),
                valid_from: date(first.0, first.1, first.2),
                ..pb::AssistanceHousehold::default()
            };
            let request = update(n, &format!("v{}", n - 1), dibao, &["category", "valid_from"]);
            client.update_assistance_household(request).await.expect("corrected");
            check_categories(&started, 1, &[(before, Category::None), (first, Category::Dibao)]).await;
        }
        // A change that carries the category on is not moved by correcting the category's first day.
        let poorer = pb::AssistanceHousehold { net_monthly_income_fen: 0, ..pb::AssistanceHousehold::default() };
        let request = update(5, "v4", poorer, &["net_monthly_income_fen"]);
        let request = pb::UpdateAssistanceHouseholdRequest { effective_on: date(2025, 7, 1), ..request };
        client.update_assistance_household(request).await.expect("changed");
        let earlier = pb::AssistanceHousehold { valid_from: date(2025, 1, 6), ..pb::AssistanceHousehold::default() };
        client.update_assistance_household(update(6, "v5", earlier, &["valid_from"])).await.expect("corrected");
        let days = [((2025, 1, 7), Category::None), ((2025, 6, 30), Category::Dibao), ((2025, 7, 1), Category::Dibao)];
        check_categories(&started, 1, &days).await;
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_change_from_the_first_day_of_a_state_takes_no_day_from_the_one_before() {
    for database in databases() {
        let started = start(database).await;
        let mut client = AssistanceHouseholdServiceClient::new(started.channel("operator"));
        client.create_assistance_household(create(1, household("h1", &[1, 2]))).await.expect("created");
        // A change says from which day on; what its content names as the first day of the category moves nothing.
        for (n, etag, valid_from) in [(2, "v1", date(2025, 7, 1)), (3, "v2", date(2025, 6, 1))] {
            let request = update(n, etag, margin(valid_from), &TO_MARGIN);
            let request = pb::UpdateAssistanceHouseholdRequest { effective_on: date(2025, 7, 1), ..request };
            client.update_assistance_household(request).await.expect("changed");
        }
        let days = [
            ((2025, 5, 31), Category::Dibao),
            ((2025, 6, 1), Category::Dibao),
            ((2025, 6, 30), Category::Dibao),
            ((2025, 7, 1), Category::Margin),
        ];
        check_categories(&started, 1, &days).await;
        started.service.stop().await.expect("stops");
    }
}
