//! Service points.

use chrono::NaiveDate;
use minsheng_kit::values::identifiers::ResidentId;
use minsheng_proto::{
    common::v1::{EndKind, ItemOutcome},
    community::v1 as pb,
};
use minsheng_testkit::databases;
use pb::{meal_price_service_client::MealPriceServiceClient, service_point_service_client::ServicePointServiceClient};
use prost::Message as _;
use tonic::Code;

use crate::support::{Community, create_point, date, meal_point, request_id, stored, verdicts};

#[tokio::test]
async fn an_upload_takes_the_good_points_and_says_what_is_wrong_with_the_others() {
    for database in databases() {
        let community = Community::start(database, None).await;
        let mut client = ServicePointServiceClient::new(community.channel.clone());
        let elsewhere = pb::ServicePoint {
            township_code: "542527202".to_owned(),
            village_code: String::new(),
            capacity: 0,
            ..meal_point("service_points/m2")
        };
        let oxygen = pb::ServicePoint {
            kind: pb::ServicePointKind::OxygenSite.into(),
            level: pb::AreaLevel::County.into(),
            site_code: "puma-yumco".to_owned(),
            capacity: 0,
            ..meal_point("service_points/o1")
        };
        let chunk = pb::UploadServicePointsRequest {
            upload_id: request_id(77),
            chunk: 0,
            validate_only: false,
            service_points: vec![meal_point("service_points/m1"), elsewhere, oxygen],
        };
        let mut answers = client.upload_service_points(tokio_stream::iter([chunk])).await.expect("begun").into_inner();
        let answer = answers.message().await.expect("answered").expect("one");
        let rejected = vec!["OUTSIDE_AREA".to_owned(), "REQUIRED".to_owned(), "REQUIRED_FOR_KIND".to_owned()];
        assert_eq!(
            verdicts(&answer.results),
            [(ItemOutcome::Created, vec![]), (ItemOutcome::Rejected, rejected), (ItemOutcome::Created, vec![])]
        );

        let rows: Vec<(i64, pb::ServicePointRow)> = community
            .journal("community.service_points")
            .into_iter()
            .map(|(_, from, row)| (from, pb::ServicePointRow::decode(row.as_slice()).expect("a row")))
            .collect();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].0, rows[0].1.unit_code.as_str()), (stored(2024, 3, 1), "540102002001"));
        assert_eq!((rows[1].1.unit_code.as_str(), rows[1].1.site_code.as_str()), ("540102", "puma-yumco"));
        community.stop().await;
    }
}

#[tokio::test]
async fn a_point_closes_and_keeps_its_kind_once_it_has_reported_activity() {
    for database in databases() {
        let community = Community::start(database, None).await;
        let mut client = ServicePointServiceClient::new(community.channel.clone());
        let point = create_point(&community.channel, 1, meal_point("service_points/m1")).await;
        let update =
            |n: u128, point: &pb::ServicePoint, change: pb::ServicePoint, path: &str| pb::UpdateServicePointRequest {
                request_id: request_id(n),
                service_point: Some(pb::ServicePoint { name: point.name.clone(), ..change }),
                etag: point.meta.as_ref().expect("meta").etag.clone(),
                update_mask: Some(prost_types::FieldMask { paths: vec![path.to_owned()] }),
                ..Default::default()
            };
        let nursery = || pb::ServicePoint { kind: pb::ServicePointKind::Nursery.into(), ..pb::ServicePoint::default() };
        // A slip in the kind can be corrected while nothing depends on it.
        let changed = client.update_service_point(update(2, &point, nursery(), "kind")).await.expect("corrected");
        let point = changed.into_inner().service_point.expect("in the answer");
        crate::activities::create(
            &community.channel,
            3,
            pb::PointActivity {
                kind: pb::ServicePointKind::Nursery.into(),
                ..crate::activities::august("service_points/m1")
            },
        )
        .await
        .expect("created");
        let meal =
            pb::ServicePoint { kind: pb::ServicePointKind::ElderMealPoint.into(), ..pb::ServicePoint::default() };
        let refused = client.update_service_point(update(4, &point, meal, "kind")).await.expect_err("in use");
        assert_eq!(refused.code(), Code::InvalidArgument);

        let closing = pb::ServicePoint { closed_on: date(2025, 9, 1), ..pb::ServicePoint::default() };
        let closed = client.update_service_point(update(5, &point, closing, "closed_on")).await.expect("closed");
        let closed = closed.into_inner().service_point.expect("in the answer");
        assert_eq!((closed.closed_on, closed.capacity), (date(2025, 9, 1), 24));
        community.stop().await;
    }
}

fn withdrawal(n: u128, point: &pb::ServicePoint) -> pb::EndServicePointRequest {
    pb::EndServicePointRequest {
        request_id: request_id(n),
        name: point.name.clone(),
        etag: point.meta.as_ref().expect("meta").etag.clone(),
        kind: EndKind::Withdrawn.into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_point_on_which_months_or_prices_rest_is_not_withdrawn_and_stays_a_meal_point() {
    for database in databases() {
        let community = Community::start(database, None).await;
        let mut client = ServicePointServiceClient::new(community.channel.clone());
        let point = create_point(&community.channel, 1, meal_point("service_points/m1")).await;
        let elder = ResidentId::synthetic(NaiveDate::from_ymd_opt(1950, 5, 6).expect("a day"), 1).expect("a person");
        let price = pb::MealPrice {
            area: "540102".to_owned(),
            resident_id: elder.expose().to_owned(),
            service_point: point.name.clone(),
            base_price_fen: 1500,
            applied_on: date(2025, 9, 8),
            ..pb::MealPrice::default()
        };
        let request =
            pb::CreateMealPriceRequest { request_id: request_id(2), meal_price: Some(price), effective_on: None };
        let mut prices = MealPriceServiceClient::new(community.channel.clone());
        let price = prices.create_meal_price(request).await.expect("created").into_inner().meal_price.expect("set");

        let refused = client.end_service_point(withdrawal(3, &point)).await.expect_err("a price is in force");
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert!(contains(refused.details(), b"RECORD_IN_USE") && contains(refused.details(), b"meal_prices name it"));
        let nursery = pb::UpdateServicePointRequest {
            request_id: request_id(4),
            service_point: Some(pb::ServicePoint {
                name: point.name.clone(),
                kind: pb::ServicePointKind::Nursery.into(),
                ..pb::ServicePoint::default()
            }),
            etag: point.meta.as_ref().expect("meta").etag.clone(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["kind".to_owned()] }),
            ..Default::default()
        };
        let refused = client.update_service_point(nursery).await.expect_err("a price is in force");
        assert!(contains(refused.details(), b"HAS_PRICES"));

        let end = pb::EndMealPriceRequest {
            request_id: request_id(5),
            name: price.name.clone(),
            etag: price.meta.expect("meta").etag,
            kind: EndKind::Ended.into(),
            ended_on: date(2025, 9, 10),
            ..Default::default()
        };
        prices.end_meal_price(end).await.expect("ended");
        crate::activities::create(&community.channel, 6, crate::activities::august("service_points/m1"))
            .await
            .expect("created");
        let refused = client.end_service_point(withdrawal(7, &point)).await.expect_err("a month is reported");
        assert!(contains(refused.details(), b"RECORD_IN_USE") && contains(refused.details(), b"point_activities"));
        let other = create_point(&community.channel, 8, meal_point("service_points/m2")).await;
        client.end_service_point(withdrawal(9, &other)).await.expect("nothing rests on it");
        community.stop().await;
    }
}

/// Points that are withdrawn while a month of theirs comes in: enough that some really meet.
const RACES: u128 = 60;

#[tokio::test]
async fn a_month_that_comes_in_while_its_point_is_withdrawn_is_refused_or_keeps_the_point() {
    for database in databases() {
        let community = Community::start(database, None).await;
        let mut points = Vec::new();
        for n in 0..RACES {
            points.push(create_point(&community.channel, n, meal_point(&format!("service_points/r{n}"))).await);
        }
        let races = points.into_iter().zip(0_u128..).map(|(point, n)| {
            let (mut client, channel) =
                (ServicePointServiceClient::new(community.channel.clone()), community.channel.clone());
            let month = crate::activities::august(&point.name);
            let withdrawn =
                tokio::spawn(async move { client.end_service_point(withdrawal(1000 + n, &point)).await.is_ok() });
            let reported =
                tokio::spawn(async move { crate::activities::create(&channel, 2000 + n, month).await.is_ok() });
            (withdrawn, reported)
        });
        let races: Vec<_> = races.collect();
        for (place, (withdrawn, reported)) in races.into_iter().enumerate() {
            let (withdrawn, reported) = (withdrawn.await.expect("finishes"), reported.await.expect("finishes"));
            assert!(withdrawn != reported, "r{place}: withdrawn {withdrawn}, reported {reported}");
        }
        community.stop().await;
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
