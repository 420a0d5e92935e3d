//! What a recognition rests on, what it pays, and on which days it holds.

use minsheng_kit::values::calendar::epoch_day;
use minsheng_proto::{
    common::v1::{Confidence, Date, Parameter, SetParameterRequest, parameter_service_client::ParameterServiceClient},
    social_security::v1 as pb,
};
use minsheng_testkit::databases;
use pb::{
    AssistanceCategory as Category, assistance_household_service_client::AssistanceHouseholdServiceClient,
    question_service_client::QuestionServiceClient,
};
use prost::Message as _;

use crate::{
    assistance::{asking, contains, create, household},
    support::{date, day, request_id, start},
};

fn update(
    n: u128,
    household: &pb::AssistanceHousehold,
    change: pb::AssistanceHousehold,
    paths: &[&str],
    effective_on: Option<Date>,
) -> pb::UpdateAssistanceHouseholdRequest {
    pb::UpdateAssistanceHouseholdRequest {
        request_id: request_id(n),
        assistance_household: Some(pb::AssistanceHousehold { name: household.name.clone(), ..change }),
        etag: household.meta.as_ref().expect("meta").etag.clone(),
        update_mask: Some(prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() }),
        effective_on,
        ..pb::UpdateAssistanceHouseholdRequest::default()
    }
}

#[tokio::test]
async fn a_rural_household_is_paid_the_yearly_standard_of_all_members_divided_once() {
    for database in databases() {
        let started = start(database).await;
        let mut client = AssistanceHouseholdServiceClient::new(started.channel("operator"));
        let rural = pb::AssistanceHousehold {
            residence_kind: pb::ResidenceKind::Rural.into(),
            net_monthly_income_fen: 0,
            ..household("h1", &[1, 2, 3])
        };
        let created = client.create_assistance_household(create(1, rural)).await.expect("created").into_inner();
        let created = created.assistance_household.expect("in the answer");
        // 5,240 a year for each of three is 1,310 a month; 436.67 for each would make it 1,310.01.
        assert_eq!((created.yearly_standard_fen, created.monthly_standard_fen), (524_000, 43_667));
        assert_eq!(created.monthly_amount_fen, 131_000);
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_disabled_member_of_a_margin_household_is_on_dibao_as_a_person_and_the_others_on_the_margin() {
    for database in databases() {
        let started = start(database).await;
        let mut client = AssistanceHouseholdServiceClient::new(started.channel("operator"));
        let mut margin = household("h1", &[1, 2]);
        margin.category = Category::Margin.into();
        margin.net_monthly_income_fen = 200_000;
        margin.members[1].single_person_dibao = true;
        margin.members[1].own_monthly_income_fen = 10_000;
        let created = client.create_assistance_household(create(1, margin.clone())).await.expect("created");
        let created = created.into_inner().assistance_household.expect("in the answer");
        assert_eq!(created.monthly_amount_fen, 93_000 - 10_000);

        let mut questions = QuestionServiceClient::new(started.channel("community"));
        for (sequence, category) in [(1, Category::Margin), (2, Category::Dibao)] {
            let asked = asking(sequence, date(2025, 3, 1));
            let answer = questions.get_assistance_category(asked).await.expect("answered").into_inner();
            assert_eq!(answer.category(), category, "{sequence}");
        }
        // Who is neither disabled nor ill does not.
        let mut healthy = pb::AssistanceHousehold { name: "assistance_households/h2".to_owned(), ..margin };
        healthy.members[0].single_person_dibao = true;
        let refused = client.create_assistance_household(create(2, healthy)).await.expect_err("refused");
        assert!(contains(refused.details(), b"NEITHER_DISABLED_NOR_ILL"));
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn dibao_runs_on_as_it_was_in_a_fade_out_and_the_answer_says_until_when() {
    for database in databases() {
        let started = start(database).await;
        let mut client = AssistanceHouseholdServiceClient::new(started.channel("operator"));
        let faded = pb::AssistanceHousehold {
            ground: pb::RecognitionGround::FadeOut.into(),
            net_monthly_income_fen: 200_000,
            valid_from: date(2025, 7, 1),
            valid_to: date(2026, 6, 30),
            ..pb::AssistanceHousehold::default()
        };
        // It is the change of a household on dibao, not the beginning of a record.
        let at_once = pb::AssistanceHousehold { category: Category::Dibao.into(), ..household("h0", &[8, 9]) };
        let at_once = pb::AssistanceHousehold { ground: faded.ground, valid_to: date(2026, 1, 31), ..at_once };
        let refused = client.create_assistance_household(create(1, at_once)).await.expect_err("refused");
        assert!(contains(refused.details(), b"FADE_OUT_FOLLOWS_DIBAO"));

        let created = client.create_assistance_household(create(2, household("h1", &[1, 2]))).await.expect("created");
        let created = created.into_inner().assistance_household.expect("set");
        assert_eq!(created.monthly_amount_fen, 2 * 93_000 - 150_000);
        let paths = ["ground", "net_monthly_income_fen", "valid_from", "valid_to"];
        let too_long = pb::AssistanceHousehold { valid_to: date(2026, 7, 1), ..faded.clone() };
        let request = update(3, &created, too_long, &paths, date(2025, 7, 1));
        let refused = client.update_assistance_household(request).await.expect_err("refused");
        assert!(contains(refused.details(), b"VALID_TOO_LONG"));
        let request = update(4, &created, faded, &paths, date(2025, 7, 1));
        let fading = client.update_assistance_household(request).await.expect("updated").into_inner();
        let fading = fading.assistance_household.expect("set");
        assert_eq!((fading.category(), fading.monthly_amount_fen), (Category::Dibao, created.monthly_amount_fen));

        let mut questions = QuestionServiceClient::new(started.channel("community"));
        for (on, category, valid_until) in [
            (date(2025, 6, 30), Category::Dibao, date(2025, 6, 30)),
            (date(2025, 7, 1), Category::Dibao, date(2026, 6, 30)),
            (date(2026, 7, 1), Category::None, None),
        ] {
            let answer = questions.get_assistance_category(asking(2, on)).await.expect("answered").into_inner();
            assert_eq!((answer.category(), answer.valid_until), (category, valid_until), "{on:?}");
        }
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_county_that_pays_by_grade_pays_the_sum_of_the_grade_of_that_day() {
    for database in databases() {
        let started = start(database).await;
        let mut client = AssistanceHouseholdServiceClient::new(started.channel("operator"));
        let graded = |name: &str, people: &[u16]| pb::AssistanceHousehold {
            grade: pb::DibaoGrade::B.into(),
            ..household(name, people)
        };
        let refused = client.create_assistance_household(create(1, graded("h1", &[1, 2]))).await.expect_err("refused");
        assert!(contains(refused.details(), b"GRADE_NOT_PAID"));

        let file = |n: u128, key: &str, unit: &str, value: i64| SetParameterRequest {
            request_id: request_id(n),
            parameter: Some(Parameter {
                key: key.to_owned(),
                area: "540102".to_owned(),
                value,
                unit: unit.to_owned(),
                effective_from: date(2025, 1, 1),
                source: "the county's notice".to_owned(),
                confidence: Confidence::High.into(),
                ..Parameter::default()
            }),
        };
        let mut parameters = ParameterServiceClient::new(started.channel("operator"));
        for request in
            [file(11, "dibao.graded_urban", "flag", 1), file(12, "dibao.grade_b_urban_monthly_fen", "fen", 50_000)]
        {
            parameters.set_parameter(request).await.expect("filed");
        }
        let created = client.create_assistance_household(create(2, graded("h1", &[1, 2]))).await.expect("created");
        assert_eq!(created.into_inner().assistance_household.expect("set").monthly_amount_fen, 100_000);
        let refused = client.create_assistance_household(create(3, household("h2", &[3]))).await.expect_err("refused");
        assert!(contains(refused.details(), b"GRADE_REQUIRED"));
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_first_day_corrected_to_an_earlier_one_is_answered_and_told_to_the_dataset() {
    for database in databases() {
        let started = start(database).await;
        let mut client = AssistanceHouseholdServiceClient::new(started.channel("operator"));
        let mut questions = QuestionServiceClient::new(started.channel("community"));
        let created = client.create_assistance_household(create(1, household("h1", &[1, 2]))).await.expect("created");
        let created = created.into_inner().assistance_household.expect("set");
        let earlier = pb::AssistanceHousehold { valid_from: date(2025, 1, 6), ..pb::AssistanceHousehold::default() };
        let request = update(2, &created, earlier, &["valid_from"], None);
        let corrected = client.update_assistance_household(request).await.expect("corrected").into_inner();
        let corrected = corrected.assistance_household.expect("set");
        for (on, category) in [
            (date(2025, 1, 5), Category::None),
            (date(2025, 1, 6), Category::Dibao),
            (date(2025, 3, 1), Category::Dibao),
        ] {
            let answer = questions.get_assistance_category(asking(1, on)).await.expect("answered").into_inner();
            assert_eq!(answer.category(), category, "{on:?}");
        }
        let poorer = pb::AssistanceHousehold { net_monthly_income_fen: 0, ..pb::AssistanceHousehold::default() };
        let request = update(3, &corrected, poorer, &["net_monthly_income_fen"], None);
        let again = client.update_assistance_household(request).await.expect("corrected").into_inner();
        let again = again.assistance_household.expect("set");
        // What is corrected is retracted and asserted from its first day on.
        let told: Vec<(i64, i64, i64)> = started
            .journal()
            .into_iter()
            .map(|told| {
                let row = pb::AssistanceHouseholdRow::decode(told.payload.as_slice()).expect("a row");
                (told.diff, told.from, row.monthly_amount_fen)
            })
            .collect();
        let (january, february) = (epoch_day(day(2025, 1, 6)), epoch_day(day(2025, 2, 1)));
        assert_eq!(
            told,
            [
                (1, february, 40_000),
                (-1, february, 40_000),
                (1, january, 40_000),
                (-1, january, 40_000),
                (1, january, 190_000)
            ]
        );

        // From July on on the margin; that this began before the dibao did is no correction of it alone.
        let margin = pb::AssistanceHousehold {
            category: Category::Margin.into(),
            net_monthly_income_fen: 200_000,
            valid_from: date(2025, 7, 1),
            ..pb::AssistanceHousehold::default()
        };
        let paths = ["category", "net_monthly_income_fen", "valid_from"];
        let request = update(4, &again, margin, &paths, date(2025, 7, 1));
        let margin = client.update_assistance_household(request).await.expect("updated").into_inner();
        let margin = margin.assistance_household.expect("set");
        let before_all = pb::AssistanceHousehold { valid_from: date(2025, 1, 6), ..pb::AssistanceHousehold::default() };
        let request = update(5, &margin, before_all, &["valid_from"], None);
        let refused = client.update_assistance_household(request).await.expect_err("refused");
        assert!(contains(refused.details(), b"BEFORE_FORMER_CONTENT"));
        let in_june = pb::AssistanceHousehold { valid_from: date(2025, 6, 1), ..pb::AssistanceHousehold::default() };
        let request = update(6, &margin, in_june, &["valid_from"], None);
        client.update_assistance_household(request).await.expect("corrected");
        for (on, category) in [(date(2025, 5, 31), Category::Dibao), (date(2025, 6, 1), Category::Margin)] {
            let answer = questions.get_assistance_category(asking(1, on)).await.expect("answered").into_inner();
            assert_eq!(answer.category(), category, "{on:?}");
        }
        started.service.stop().await.expect("stops");
    }
}
