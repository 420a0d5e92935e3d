//! Monthly activity.

use minsheng_kit::{clients::DepartmentChannel, testing::databases};
use minsheng_proto::{
    common::v1::{ItemOutcome, YearMonth},
    community::v1 as pb,
};
use pb::point_activity_service_client::PointActivityServiceClient;
use prost::Message as _;

use crate::support::{Community, create_point, date, meal_point, request_id, stored, verdicts};

/// August 2025 of a point.
pub(crate) fn august(service_point: &str) -> pb::PointActivity {
    pb::PointActivity {
        area: "540102".to_owned(),
        service_point: service_point.to_owned(),
        kind: pb::ServicePointKind::ElderMealPoint.into(),
        month: Some(YearMonth { year: 2025, month: 8 }),
        days_open: 26,
        last_served_on: date(2025, 8, 30),
        people_served: 31,
        services: 640,
        discounted_services: 210,
        revenue_fen: 512_300,
        ..pb::PointActivity::default()
    }
}

pub(crate) async fn create(
    channel: &DepartmentChannel,
    n: u128,
    activity: pb::PointActivity,
) -> Result<pb::PointActivity, tonic::Status> {
    let request = pb::CreatePointActivityRequest {
        request_id: request_id(n),
        point_activity: Some(activity),
        effective_on: None,
    };
    let answer = PointActivityServiceClient::new(channel.clone()).create_point_activity(request).await?;
    Ok(answer.into_inner().point_activity.expect("in the answer"))
}

#[tokio::test]
async fn a_month_is_kept_once_for_a_point_that_exists_and_is_of_its_kind() {
    for database in databases() {
        let community = Community::start(database, None).await;
        create_point(&community.channel, 1, meal_point("service_points/m1")).await;
        let created = create(&community.channel, 2, august("service_points/m1")).await.expect("created");
        assert_eq!(created.name, "point_activities/m1.2025-08");
        assert_eq!(created.month, Some(YearMonth { year: 2025, month: 8 }));

        let september = |service_point: &str| pb::PointActivity {
            month: Some(YearMonth { year: 2025, month: 9 }),
            days_open: 8,
            last_served_on: date(2025, 9, 9),
            ..august(service_point)
        };
        let named = |name: &str, activity: pb::PointActivity| pb::PointActivity { name: name.to_owned(), ..activity };
        let nursery = pb::PointActivity {
            kind: pb::ServicePointKind::Nursery.into(),
            ..named("point_activities/x1", september("m1"))
        };
        let items = vec![
            august("service_points/m1"),
            named("point_activities/other", august("service_points/m1")),
            august("service_points/nowhere"),
            nursery,
            named("point_activities/x2", september("m1")),
            named("point_activities/x3", september("service_points/m1")),
        ];
        let chunk = pb::UploadPointActivitiesRequest {
            upload_id: request_id(9),
            chunk: 0,
            validate_only: false,
            point_activities: items,
        };
        let mut client = PointActivityServiceClient::new(community.channel.clone());
        let mut answers =
            client.upload_point_activities(tokio_stream::iter([chunk])).await.expect("begun").into_inner();
        let answer = answers.message().await.expect("answered").expect("one");
        let rejected = |reason: &str| (ItemOutcome::Rejected, vec![reason.to_owned()]);
        assert_eq!(
            verdicts(&answer.results),
            [
                (ItemOutcome::Unchanged, vec![]),
                rejected("MONTH_REPORTED"),
                rejected("NO_SUCH_POINT"),
                rejected("NOT_THE_POINTS"),
                (ItemOutcome::Created, vec![]),
                rejected("MONTH_REPORTED"),
            ]
        );
        let journal = community.journal("community.point_activities");
        assert_eq!(journal.len(), 2);
        let row = pb::PointActivityRow::decode(journal[0].2.as_slice()).expect("a row");
        assert_eq!((journal[0].1, row.service_point.as_str()), (stored(2025, 8, 1), "m1"));
        assert_eq!((row.month_from, row.last_served_on), (date(2025, 8, 1), date(2025, 8, 30)));
        community.stop().await;
    }
}
