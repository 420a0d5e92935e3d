//! Service points.

use minsheng_kit::testing::databases;
use minsheng_proto::{common::v1::ItemOutcome, community::v1 as pb};
use pb::service_point_service_client::ServicePointServiceClient;
use prost::Message as _;
use tonic::Code;

use crate::support::{Community, create_point, date, meal_point, request_id, stored, verdicts};

fn chunk(number: i64, service_points: Vec<pb::ServicePoint>) -> pb::UploadServicePointsRequest {
    pb::UploadServicePointsRequest { upload_id: request_id(77), chunk: number, validate_only: false, service_points }
}

async fn upload(
    client: &mut ServicePointServiceClient<minsheng_kit::clients::DepartmentChannel>,
    chunks: Vec<pb::UploadServicePointsRequest>,
) -> Vec<pb::UploadServicePointsResponse> {
    let mut answers = client.upload_service_points(tokio_stream::iter(chunks)).await.expect("begun").into_inner();
    let mut all = Vec::new();
    while let Some(answer) = answers.message().await.expect("answered") {
        all.push(answer);
    }
    all
}

#[tokio::test]
async fn an_upload_takes_the_good_points_and_says_what_is_wrong_with_the_others_once() {
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
        let first = chunk(0, vec![meal_point("service_points/m1"), elsewhere]);
        let answers = upload(&mut client, vec![first.clone()]).await;
        let rejected = vec!["OUTSIDE_AREA".to_owned(), "REQUIRED".to_owned(), "REQUIRED_FOR_KIND".to_owned()];
        assert_eq!(verdicts(&answers[0].results), [(ItemOutcome::Created, vec![]), (ItemOutcome::Rejected, rejected)]);
        // The connection was cut before the second chunk: both are sent under the same upload_id.
        let resumed = upload(&mut client, vec![first, chunk(1, vec![oxygen])]).await;
        assert_eq!(resumed[0], answers[0]);
        assert_eq!(verdicts(&resumed[1].results), [(ItemOutcome::Created, vec![])]);

        let rows: Vec<(i64, pb::ServicePointRow)> = community
            .journal("community.service_points")
            .into_iter()
            .map(|(_, valid_on, row)| (valid_on, pb::ServicePointRow::decode(row.as_slice()).expect("a row")))
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
                effective_on: None,
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
