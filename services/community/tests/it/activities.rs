//! Monthly activity.

use minsheng_kit::clients::DepartmentChannel;
use minsheng_proto::{
    common::v1::{Date, EndKind, ItemOutcome, RecordState, YearMonth},
    community::v1 as pb,
};
use minsheng_testkit::{databases, refused_fields};
use pb::{
    point_activity_service_client::PointActivityServiceClient, service_point_service_client::ServicePointServiceClient,
};
use prost::Message as _;
use tonic::Code;

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
            // What is refused for another reason keeps the month from nobody.
            pb::PointActivity { area: "540103".to_owned(), ..named("point_activities/x0", september("m1")) },
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
                rejected("NO_SUCH_RECORD"),
                rejected("NOT_THE_POINTS"),
                rejected("OTHER_COUNTY"),
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

/// Changes a point from a day on, or corrects it; returns it as it is then.
async fn change(
    channel: &DepartmentChannel,
    n: u128,
    point: pb::ServicePoint,
    paths: &[&str],
    effective_on: Option<Date>,
) -> Result<pb::ServicePoint, tonic::Status> {
    let request = pb::UpdateServicePointRequest {
        request_id: request_id(n),
        etag: point.meta.as_ref().expect("meta").etag.clone(),
        service_point: Some(point),
        update_mask: Some(prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() }),
        effective_on,
        ..Default::default()
    };
    let answer = ServicePointServiceClient::new(channel.clone()).update_service_point(request).await?;
    Ok(answer.into_inner().service_point.expect("in the answer"))
}

/// A month of 2025, with the last day on which somebody was served.
fn month(month: i32, last_served_on: i32) -> pb::PointActivity {
    pb::PointActivity {
        month: Some(YearMonth { year: 2025, month }),
        days_open: 1,
        last_served_on: date(2025, month, last_served_on),
        ..august("service_points/m1")
    }
}

fn reported(answer: Result<pb::PointActivity, tonic::Status>) -> Option<String> {
    answer.err().map(|refused| refused_fields(&refused).join(","))
}

#[tokio::test]
async fn a_point_that_closed_and_reopened_reports_the_months_of_both_times_and_none_between() {
    for database in databases() {
        let community = Community::start(database, None).await;
        let channel = &community.channel;
        let point = create_point(channel, 1, meal_point("service_points/m1")).await;
        let closed = pb::ServicePoint { closed_on: date(2025, 7, 10), ..point };
        let closed = change(channel, 2, closed, &["closed_on"], None).await.expect("closed");
        let open = pb::ServicePoint { opened_on: date(2025, 9, 1), closed_on: None, ..closed };
        change(channel, 3, open, &["opened_on", "closed_on"], date(2025, 9, 1)).await.expect("reopened");
        let nobody = |activity| pb::PointActivity {
            last_served_on: None,
            people_served: 0,
            services: 0,
            discounted_services: 0,
            ..activity
        };
        for (n, activity, refused) in [
            (4, month(5, 30), None),
            (5, month(7, 10), Some("point_activity.last_served_on")),
            (6, month(7, 9), None),
            (7, month(8, 30), Some("point_activity.last_served_on")),
            (8, nobody(month(8, 30)), Some("point_activity.month")),
            (9, month(9, 1), None),
            (10, nobody(month(6, 1)), None),
        ] {
            assert_eq!(reported(create(channel, n, activity).await).as_deref(), refused, "{n}");
        }
        community.stop().await;
    }
}

#[tokio::test]
async fn a_month_says_the_kind_that_its_point_had_in_it_and_keeps_it_there() {
    for database in databases() {
        let community = Community::start(database, None).await;
        let channel = &community.channel;
        let point = create_point(channel, 1, meal_point("service_points/m1")).await;
        create(channel, 2, month(8, 20)).await.expect("recorded");
        let nursery =
            |point: &pb::ServicePoint| pb::ServicePoint { kind: pb::ServicePointKind::Nursery.into(), ..point.clone() };
        // On the 20th it served meals.
        for (n, from) in [(3, None), (4, date(2025, 8, 20))] {
            let refused = change(channel, n, nursery(&point), &["kind"], from).await.expect_err("reported");
            assert_eq!(refused_fields(&refused), ["service_point.kind"]);
        }
        let changed = change(channel, 5, nursery(&point), &["kind"], date(2025, 8, 21)).await.expect("from then on");
        let as_nursery = |activity| pb::PointActivity { kind: pb::ServicePointKind::Nursery.into(), ..activity };
        for (n, activity, refused) in [
            (6, month(9, 9), Some("point_activity.kind")),
            (7, as_nursery(month(9, 9)), None),
            (8, as_nursery(month(7, 9)), Some("point_activity.kind")),
            (9, month(7, 9), None),
        ] {
            assert_eq!(reported(create(channel, n, activity).await).as_deref(), refused, "{n}");
        }
        // The change is not taken back any more.
        let back = pb::EndServicePointRequest {
            request_id: request_id(10),
            name: changed.name,
            etag: changed.meta.expect("meta").etag,
            kind: EndKind::TakenBack.into(),
            effective_on: date(2025, 8, 21),
            ..Default::default()
        };
        let refused = ServicePointServiceClient::new(channel.clone()).end_service_point(back).await;
        assert_eq!(refused.expect_err("September is reported").code(), Code::FailedPrecondition);
        community.stop().await;
    }
}

#[tokio::test]
async fn a_month_that_ended_is_reported_again_on_the_days_that_are_free() {
    for database in databases() {
        let community = Community::start(database, None).await;
        let channel = &community.channel;
        create_point(channel, 1, meal_point("service_points/m1")).await;
        let first = create(channel, 2, month(8, 20)).await.expect("recorded");
        let end = pb::EndPointActivityRequest {
            request_id: request_id(3),
            name: first.name,
            etag: first.meta.expect("meta").etag,
            kind: EndKind::Ended.into(),
            ended_on: date(2025, 9, 20),
            ..Default::default()
        };
        let mut client = PointActivityServiceClient::new(channel.clone());
        let ended = client.end_point_activity(end).await.expect("ended").into_inner().point_activity.expect("there");
        assert_eq!(ended.meta.expect("meta").state, i32::from(RecordState::Active), "until that day comes");
        let mut again = async |n, from| {
            let activity = pb::PointActivity { name: format!("point_activities/again{n}"), ..month(8, 21) };
            let request = pb::CreatePointActivityRequest {
                request_id: request_id(n),
                point_activity: Some(activity),
                effective_on: from,
            };
            client.create_point_activity(request).await.map(drop).map_err(|refused| refused_fields(&refused))
        };
        let held = Err(vec!["point_activity.month".to_owned()]);
        assert_eq!(again(4, None).await, held);
        assert_eq!(again(5, date(2025, 9, 19)).await, held);
        assert_eq!(again(6, date(2025, 9, 20)).await, Ok(()));
        community.stop().await;
    }
}
