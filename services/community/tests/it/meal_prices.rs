//! Meal prices: asked, waiting, settled.

use std::time::Duration;

use chrono::NaiveDate;
use minsheng_kit::{clients::DepartmentChannel, values::identifiers::ResidentId};
use minsheng_proto::{
    common::v1::{Date, EndKind, ItemOutcome, Purpose, RecordState},
    community::v1 as pb,
    social_security::v1::AssistanceCategory,
};
use minsheng_testkit::{databases, refused_fields};
use pb::{meal_price_service_client::MealPriceServiceClient, service_point_service_client::ServicePointServiceClient};
use prost::Message as _;
use tokio::net::TcpListener;
use tonic::Code;

use crate::{
    activities,
    social_security::{Answers, SocialSecurity},
    support::{Community, create_point, date, meal_point, request_id, stored, verdicts},
};

fn born(year: i32, sequence: u16) -> String {
    let birth = NaiveDate::from_ymd_opt(year, 5, 6).expect("a day");
    ResidentId::synthetic(birth, sequence).expect("a person").expose().to_owned()
}

fn price(resident_id: &str) -> pb::MealPrice {
    pb::MealPrice {
        area: "540102".to_owned(),
        resident_id: resident_id.to_owned(),
        service_point: "service_points/m1".to_owned(),
        base_price_fen: 1501,
        applied_on: date(2025, 9, 8),
        ..pb::MealPrice::default()
    }
}

async fn create(channel: &DepartmentChannel, n: u128, price: pb::MealPrice) -> Result<pb::MealPrice, tonic::Status> {
    let request = pb::CreateMealPriceRequest { request_id: request_id(n), meal_price: Some(price), effective_on: None };
    let answer = MealPriceServiceClient::new(channel.clone()).create_meal_price(request).await?;
    Ok(answer.into_inner().meal_price.expect("in the answer"))
}

/// Reads until the price is set; the service asks by itself.
async fn settled(channel: &DepartmentChannel, name: &str) -> pb::MealPrice {
    let mut client = MealPriceServiceClient::new(channel.clone());
    let waiting = async {
        loop {
            let request = pb::GetMealPriceRequest { name: name.to_owned(), ..Default::default() };
            let price = client.get_meal_price(request).await.expect("read").into_inner().meal_price.expect("there");
            if price.outcome() == pb::PriceOutcome::Set {
                return price;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("settled in time")
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = format!("https://localhost:{}", listener.local_addr().expect("bound").port());
    (listener, address)
}

#[tokio::test]
async fn a_price_is_reduced_by_the_category_that_social_security_names() {
    for database in databases() {
        let (listener, address) = listener().await;
        let community = Community::start(database, Some(&address)).await;
        let answers = Answers::default();
        let (poor, other) = (born(1950, 1), born(1951, 2));
        answers.categories.lock().expect("lock").insert(poor.clone(), AssistanceCategory::Dibao);
        let social_security = SocialSecurity::serve(community.site.path(), listener, answers.clone());
        create_point(&community.channel, 1, meal_point("service_points/m1")).await;

        let set = create(&community.channel, 2, price(&poor)).await.expect("created");
        assert_eq!((set.outcome(), set.price_fen), (pb::PriceOutcome::Set, 750));
        assert_eq!(set.assistance_category(), AssistanceCategory::Dibao);
        assert_eq!(set.decided_on, date(2025, 9, 10));
        assert_eq!(set.resident_id, format!("549999********{}", &poor[14..]));
        let full = create(&community.channel, 3, price(&other)).await.expect("created");
        assert_eq!((full.outcome(), full.price_fen), (pb::PriceOutcome::Set, 1501));

        let list = pb::ListMealPricesRequest { area: "540100".to_owned(), page_size: 10, ..Default::default() };
        let listed = MealPriceServiceClient::new(community.channel.clone()).list_meal_prices(list).await;
        let listed = listed.expect("listed").into_inner().meal_prices;
        assert_eq!(listed.len(), 2);
        assert!(listed.iter().all(|price| price.resident_id.contains("********")));

        // A repetition and a refusal ask nobody.
        assert_eq!(create(&community.channel, 2, price(&poor)).await.expect("repeated"), set);
        let young = create(&community.channel, 4, price(&born(1980, 3))).await.expect_err("not an elder");
        assert_eq!(young.code(), Code::InvalidArgument);
        let second = pb::MealPrice { applied_on: date(2025, 9, 9), ..price(&poor) };
        assert_eq!(
            create(&community.channel, 5, second).await.expect_err("one is in force").code(),
            Code::InvalidArgument
        );
        let asked = answers.asked.lock().expect("lock").clone();
        let context = asked[0].context.as_ref().expect("context");
        assert_eq!(asked.len(), 2);
        assert_eq!((context.purpose(), asked[0].on), (Purpose::MealPrice, date(2025, 9, 8)));
        assert_eq!(format!("meal_prices/{}", context.case_number), set.name);

        let journal = community.journal("community.meal_prices");
        let rows: Vec<_> = journal
            .iter()
            .map(|(_, _, row)| pb::MealPriceRow::decode(row.as_slice()).expect("a row"))
            .map(|row| (row.reduced, row.base_price_fen, row.price_fen, row.service_point))
            .collect();
        // The price beside the full one would tell the category.
        assert_eq!(rows, [(true, 1501, 0, "m1".to_owned()), (false, 1501, 0, "m1".to_owned())]);
        for (_, _, payload) in &journal {
            assert!(!payload.windows(poor.len()).any(|part| part == poor.as_bytes()));
            // Nor the birth date within.
            assert!(!payload.windows(8).any(|part| part == &poor.as_bytes()[6..14]));
        }
        community.stop().await;
        social_security.stop().await;
    }
}

#[tokio::test]
async fn while_social_security_is_down_the_full_price_holds_and_is_settled_by_itself_later() {
    for database in databases() {
        let (reserved, address) = listener().await;
        let port = reserved.local_addr().expect("bound").port();
        drop(reserved);
        let community = Community::start(database, Some(&address)).await;
        create_point(&community.channel, 1, meal_point("service_points/m1")).await;
        let (first, second) = (born(1950, 1), born(1951, 2));

        let waiting = create(&community.channel, 2, price(&first)).await.expect("recorded");
        assert_eq!((waiting.outcome(), waiting.price_fen), (pb::PriceOutcome::WaitingForEvidence, 1501));
        assert_eq!((waiting.assistance_category(), waiting.decided_on), (AssistanceCategory::Unspecified, None));
        let chunk = pb::UploadMealPricesRequest {
            upload_id: request_id(9),
            chunk: 0,
            validate_only: false,
            meal_prices: vec![price(&second), pb::MealPrice { service_point: "m2".to_owned(), ..price(&second) }],
        };
        let mut client = MealPriceServiceClient::new(community.channel.clone());
        let mut answers = client.upload_meal_prices(tokio_stream::iter([chunk])).await.expect("begun").into_inner();
        let uploaded = answers.message().await.expect("answered").expect("one").results;
        assert_eq!(
            verdicts(&uploaded),
            [(ItemOutcome::Created, vec![]), (ItemOutcome::Rejected, vec!["NO_SUCH_RECORD".to_owned()])]
        );

        let answers = Answers::default();
        answers.categories.lock().expect("lock").insert(first.clone(), AssistanceCategory::Tekun);
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the same port");
        let social_security = SocialSecurity::serve(community.site.path(), listener, answers.clone());
        let set = settled(&community.channel, &waiting.name).await;
        assert_eq!((set.price_fen, set.decided_on), (0, date(2025, 9, 10)));
        assert_eq!(settled(&community.channel, &uploaded[0].name).await.price_fen, 1501);
        // Two days after the application, and true from it on: the outage costs the elder nothing.
        let told: Vec<(i64, i64)> =
            community.journal("community.meal_prices").into_iter().map(|(diff, from, _)| (diff, from)).collect();
        let applied_on = stored(2025, 9, 8);
        assert_eq!(told, [1, 1, -1, 1, -1, 1].map(|diff| (diff, applied_on)));

        // Sent again, the same application is the same, whatever was decided since.
        let again = pb::UploadMealPricesRequest {
            upload_id: request_id(10),
            chunk: 0,
            validate_only: false,
            meal_prices: vec![price(&first)],
        };
        let mut answers = client.upload_meal_prices(tokio_stream::iter([again])).await.expect("begun").into_inner();
        let results = answers.message().await.expect("answered").expect("one").results;
        assert_eq!(verdicts(&results), [(ItemOutcome::Unchanged, vec![])]);
        community.stop().await;
        social_security.stop().await;
    }
}

#[tokio::test]
async fn a_question_that_decides_nothing_is_not_asked_again_at_once_and_holds_up_nobody() {
    for database in databases() {
        let (listener, address) = listener().await;
        let community = Community::start(database, Some(&address)).await;
        let answers = Answers::default();
        let (unclear, other) = (born(1950, 1), born(1951, 2));
        // An answer without a category: it decides nothing.
        answers.categories.lock().expect("lock").insert(unclear.clone(), AssistanceCategory::Unspecified);
        let social_security = SocialSecurity::serve(community.site.path(), listener, answers.clone());
        create_point(&community.channel, 1, meal_point("service_points/m1")).await;
        let upload = |n: u128, person: &str| pb::UploadMealPricesRequest {
            upload_id: request_id(n),
            chunk: 0,
            validate_only: false,
            meal_prices: vec![price(person)],
        };
        let asked_about = |person: &str| {
            answers.asked.lock().expect("lock").iter().filter(|question| question.resident_id == person).count()
        };
        let mut client = MealPriceServiceClient::new(community.channel.clone());
        let mut send = async |n: u128, person: &str| {
            let sent = client.upload_meal_prices(tokio_stream::iter([upload(n, person)])).await.expect("begun");
            sent.into_inner().message().await.expect("answered").expect("one").results[0].name.clone()
        };
        let waiting = send(9, &unclear).await;
        let asked = async {
            while asked_about(&unclear) == 0 {
                answers.arrived.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), asked).await.expect("asked in time");
        // A later round asks about the other, and would ask about both.
        let name = send(10, &other).await;
        assert_eq!(settled(&community.channel, &name).await.price_fen, 1501);
        assert_eq!((asked_about(&unclear), asked_about(&other)), (1, 1));

        // When its time has come it is asked about again.
        answers.categories.lock().expect("lock").insert(unclear.clone(), AssistanceCategory::Dibao);
        community.clock.set(NaiveDate::from_ymd_opt(2025, 9, 11).expect("a day"));
        assert_eq!(settled(&community.channel, &waiting).await.price_fen, 750);
        assert_eq!(asked_about(&unclear), 2);
        community.stop().await;
        social_security.stop().await;
    }
}

#[tokio::test]
async fn another_full_price_keeps_the_category_and_another_day_asks_again() {
    for database in databases() {
        let (listener, address) = listener().await;
        let community = Community::start(database, Some(&address)).await;
        let answers = Answers::default();
        let poor = born(1950, 1);
        answers.categories.lock().expect("lock").insert(poor.clone(), AssistanceCategory::Margin);
        let social_security = SocialSecurity::serve(community.site.path(), listener, answers.clone());
        create_point(&community.channel, 1, meal_point("service_points/m1")).await;
        let set = create(&community.channel, 2, price(&poor)).await.expect("created");
        assert_eq!(set.price_fen, 1050);

        let update = |n: u128, price: &pb::MealPrice, change: pb::MealPrice, path: &str| pb::UpdateMealPriceRequest {
            request_id: request_id(n),
            meal_price: Some(pb::MealPrice { name: price.name.clone(), ..change }),
            etag: price.meta.as_ref().expect("meta").etag.clone(),
            update_mask: Some(prost_types::FieldMask { paths: vec![path.to_owned()] }),
            ..Default::default()
        };
        let mut client = MealPriceServiceClient::new(community.channel.clone());
        let dearer = pb::MealPrice { base_price_fen: 2000, ..pb::MealPrice::default() };
        let dearer = client.update_meal_price(update(3, &set, dearer, "base_price_fen")).await.expect("updated");
        let dearer = dearer.into_inner().meal_price.expect("in the answer");
        assert_eq!((dearer.price_fen, dearer.outcome()), (1400, pb::PriceOutcome::Set));
        assert_eq!(answers.asked.lock().expect("lock").len(), 1);

        answers.categories.lock().expect("lock").clear();
        community.clock.set(NaiveDate::from_ymd_opt(2025, 9, 20).expect("a day"));
        let reviewed = pb::MealPrice { applied_on: date(2025, 9, 20), ..pb::MealPrice::default() };
        let reviewed = client.update_meal_price(update(4, &dearer, reviewed, "applied_on")).await.expect("updated");
        let reviewed = reviewed.into_inner().meal_price.expect("in the answer");
        assert_eq!((reviewed.price_fen, reviewed.outcome()), (2000, pb::PriceOutcome::WaitingForEvidence));
        let set = settled(&community.channel, &reviewed.name).await;
        assert_eq!((set.price_fen, set.decided_on), (2000, date(2025, 9, 20)));
        assert_eq!(set.assistance_category(), AssistanceCategory::None);
        community.stop().await;
        social_security.stop().await;
    }
}

#[tokio::test]
async fn a_point_and_a_price_whose_ids_are_as_long_as_ids_may_be_are_named_in_records_and_questions() {
    for database in databases() {
        let (listener, address) = listener().await;
        let community = Community::start(database, Some(&address)).await;
        let answers = Answers::default();
        let social_security = SocialSecurity::serve(community.site.path(), listener, answers.clone());
        let longest = "x".repeat(128);
        let name = format!("service_points/{longest}");
        create_point(&community.channel, 1, meal_point(&name)).await;

        let priced = pb::MealPrice {
            name: format!("meal_prices/{longest}"),
            service_point: name.clone(),
            ..price(&born(1950, 1))
        };
        let set = create(&community.channel, 2, priced).await.expect("created");
        assert_eq!((set.outcome(), &set.service_point), (pb::PriceOutcome::Set, &name));
        let asked = answers.asked.lock().expect("lock").clone();
        assert_eq!(asked[0].context.as_ref().expect("context").case_number, longest);
        let month = activities::create(&community.channel, 3, activities::august(&name)).await.expect("created");
        assert_eq!(month.service_point, name);
        community.stop().await;
        social_security.stop().await;
    }
}

/// Ends a price.
async fn end(
    channel: &DepartmentChannel,
    n: u128,
    price: &pb::MealPrice,
    kind: EndKind,
    ended_on: Option<Date>,
) -> Result<pb::MealPrice, tonic::Status> {
    let request = pb::EndMealPriceRequest {
        request_id: request_id(n),
        name: price.name.clone(),
        etag: price.meta.as_ref().expect("meta").etag.clone(),
        kind: kind.into(),
        ended_on,
        ..Default::default()
    };
    let answer = MealPriceServiceClient::new(channel.clone()).end_meal_price(request).await?;
    Ok(answer.into_inner().meal_price.expect("in the answer"))
}

#[tokio::test]
async fn a_price_holds_its_place_until_the_day_on_which_it_ends_and_no_other_has_one_of_its_days() {
    for database in databases() {
        let community = Community::start(database, None).await;
        let channel = &community.channel;
        create_point(channel, 1, meal_point("service_points/m1")).await;
        let elder = born(1950, 1);
        let of = |day| pb::MealPrice { applied_on: date(2025, 9, day), ..price(&elder) };
        let first = create(channel, 2, of(1)).await.expect("created");
        let first = end(channel, 3, &first, EndKind::Ended, date(2199, 1, 1)).await.expect("ends in the future");
        let meta = first.meta.clone().expect("meta");
        assert_eq!((meta.state, meta.ended_on), (i32::from(RecordState::Active), date(2199, 1, 1)));
        let refused = create(channel, 4, of(9)).await.expect_err("held until then");
        assert_eq!(refused_fields(&refused), ["meal_price.resident_id"]);

        // It ended five days ago: of the days before there is no second price.
        let first = end(channel, 5, &first, EndKind::Ended, date(2025, 9, 5)).await.expect("ends earlier");
        let refused = create(channel, 6, of(4)).await.expect_err("that day has a price");
        assert_eq!(refused_fields(&refused), ["meal_price.resident_id"]);
        create(channel, 7, of(5)).await.expect("the first day that is free");
        let refused = end(channel, 8, &first, EndKind::Lifted, None).await.expect_err("another has these days");
        assert_eq!(refused.code(), Code::FailedPrecondition);
        community.stop().await;
    }
}

#[tokio::test]
async fn a_price_that_waits_and_is_ended_is_decided_for_the_days_before() {
    for database in databases() {
        let (reserved, address) = listener().await;
        let port = reserved.local_addr().expect("bound").port();
        drop(reserved);
        let community = Community::start(database, Some(&address)).await;
        create_point(&community.channel, 1, meal_point("service_points/m1")).await;
        let elder = born(1950, 1);
        let waiting = create(&community.channel, 2, price(&elder)).await.expect("recorded");
        end(&community.channel, 3, &waiting, EndKind::Ended, date(2025, 9, 10)).await.expect("ended");

        let answers = Answers::default();
        answers.categories.lock().expect("lock").insert(elder, AssistanceCategory::Dibao);
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the same port");
        let social_security = SocialSecurity::serve(community.site.path(), listener, answers.clone());
        let set = settled(&community.channel, &waiting.name).await;
        let meta = set.meta.expect("meta");
        assert_eq!((set.price_fen, meta.ended_on, meta.effective_on), (750, date(2025, 9, 10), date(2025, 9, 8)));
        let request = pb::GetMealPriceRequest { name: waiting.name, on: date(2025, 9, 9) };
        let before = MealPriceServiceClient::new(community.channel.clone()).get_meal_price(request).await;
        let before = before.expect("in force").into_inner().meal_price.expect("in the answer");
        assert_eq!((before.price_fen, before.outcome()), (750, pb::PriceOutcome::Set));
        community.stop().await;
        social_security.stop().await;
    }
}

#[tokio::test]
async fn a_point_changes_its_kind_on_days_without_prices_and_prices_need_the_kind_of_their_day() {
    for database in databases() {
        let community = Community::start(database, None).await;
        let channel = &community.channel;
        let point = create_point(channel, 1, meal_point("service_points/m1")).await;
        let first = create(channel, 2, pb::MealPrice { applied_on: date(2025, 9, 1), ..price(&born(1950, 1)) }).await;
        end(channel, 3, &first.expect("created"), EndKind::Ended, date(2025, 9, 6)).await.expect("ended");
        let nursery = |n, day| pb::UpdateServicePointRequest {
            request_id: request_id(n),
            service_point: Some(pb::ServicePoint {
                name: point.name.clone(),
                kind: pb::ServicePointKind::Nursery.into(),
                ..pb::ServicePoint::default()
            }),
            etag: point.meta.as_ref().expect("meta").etag.clone(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["kind".to_owned()] }),
            effective_on: date(2025, 9, day),
            ..Default::default()
        };
        let mut points = ServicePointServiceClient::new(channel.clone());
        let refused = points.update_service_point(nursery(4, 5)).await.expect_err("a price is in force");
        assert_eq!(refused_fields(&refused), ["service_point.kind"]);
        points.update_service_point(nursery(5, 6)).await.expect("none is any more");

        let of = |day| pb::MealPrice { applied_on: date(2025, 9, day), ..price(&born(1951, 2)) };
        let refused = create(channel, 6, of(6)).await.expect_err("a nursery");
        assert_eq!(refused_fields(&refused), ["meal_price.service_point"]);
        create(channel, 7, of(5)).await.expect("still a meal point");
        community.stop().await;
    }
}
