//! Affordable housing.

use minsheng_kit::testing::databases;
use minsheng_proto::{
    common::v1::{Date, ItemOutcome},
    community::v1 as pb,
};
use pb::housing_project_service_client::HousingProjectServiceClient;
use prost::Message as _;
use tonic::Code;

use crate::support::{Community, date, request_id, stored, verdicts};

fn update(
    n: u128,
    project: &pb::HousingProject,
    change: pb::HousingProject,
    paths: &[&str],
    effective_on: Option<Date>,
) -> pb::UpdateHousingProjectRequest {
    pb::UpdateHousingProjectRequest {
        request_id: request_id(n),
        housing_project: Some(pb::HousingProject { name: project.name.clone(), ..change }),
        etag: project.meta.as_ref().expect("meta").etag.clone(),
        update_mask: Some(prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() }),
        effective_on,
    }
}

#[tokio::test]
async fn the_stages_of_a_project_are_its_history_and_never_run_backwards() {
    for database in databases() {
        let community = Community::start(database, None).await;
        let mut client = HousingProjectServiceClient::new(community.channel.clone());
        let planned = pb::HousingProject {
            name: "housing_projects/p1".to_owned(),
            area: "540102".to_owned(),
            title: "东城保障性租赁住房".to_owned(),
            kind: pb::HousingKind::AffordableRental.into(),
            plan_year: 2025,
            units_planned: 200,
            ..pb::HousingProject::default()
        };
        let request = pb::CreateHousingProjectRequest {
            request_id: request_id(1),
            housing_project: Some(planned),
            effective_on: date(2025, 1, 15),
        };
        let created = client.create_housing_project(request).await.expect("created").into_inner();
        let project = created.housing_project.expect("in the answer");

        // More than planned is taken: a plan is a floor.
        let started = pb::HousingProject { units_started: 220, ..pb::HousingProject::default() };
        let request = update(2, &project, started, &["units_started"], date(2025, 5, 1));
        let started = client.update_housing_project(request).await.expect("started").into_inner();
        let started = started.housing_project.expect("in the answer");
        assert_eq!((started.units_planned, started.units_started), (200, 220));

        let back = pb::HousingProject { units_started: 210, ..pb::HousingProject::default() };
        let later = update(3, &started, back.clone(), &["units_started"], date(2025, 7, 1));
        assert_eq!(client.update_housing_project(later).await.expect_err("backwards").code(), Code::InvalidArgument);
        let correction = update(4, &started, back, &["units_started"], None);
        let corrected = client.update_housing_project(correction).await.expect("corrected").into_inner();
        let corrected = corrected.housing_project.expect("in the answer");
        let let_too_many = pb::HousingProject { units_let: 1, ..pb::HousingProject::default() };
        let request = update(5, &corrected, let_too_many, &["units_let"], date(2025, 8, 1));
        assert_eq!(client.update_housing_project(request).await.expect_err("not built").code(), Code::InvalidArgument);

        let history: Vec<(i64, i64)> = community
            .journal("community.housing")
            .into_iter()
            .map(|(_, valid_on, row)| {
                let row = pb::HousingProjectRow::decode(row.as_slice()).expect("a row");
                (valid_on, row.units_started)
            })
            .collect();
        assert_eq!(history, [(stored(2025, 1, 15), 0), (stored(2025, 5, 1), 220), (stored(2025, 5, 1), 210)]);
        community.stop().await;
    }
}

#[tokio::test]
async fn numbers_that_are_uploaded_are_true_from_the_day_on_which_they_were_counted_and_not_from_the_plan_s_year() {
    for database in databases() {
        let community = Community::start(database, None).await;
        let mut client = HousingProjectServiceClient::new(community.channel.clone());
        let finished = |name: &str, counted_on| pb::HousingProject {
            name: format!("housing_projects/{name}"),
            area: "540102".to_owned(),
            title: "东城公租房".to_owned(),
            kind: pb::HousingKind::PublicRental.into(),
            plan_year: 2024,
            units_planned: 100,
            units_started: 100,
            units_completed: 100,
            counted_on,
            ..pb::HousingProject::default()
        };
        let projects = vec![finished("p1", date(2025, 2, 10)), finished("p2", None), finished("p3", date(2025, 9, 11))];
        let upload = |upload: u128, housing_projects: Vec<pb::HousingProject>| pb::UploadHousingProjectsRequest {
            upload_id: request_id(upload),
            chunk: 0,
            validate_only: false,
            housing_projects,
        };
        let sent = client.upload_housing_projects(tokio_stream::iter([upload(9, projects)])).await.expect("begun");
        let results = sent.into_inner().message().await.expect("answered").expect("one").results;
        assert_eq!(
            verdicts(&results),
            [
                (ItemOutcome::Created, vec![]),
                (ItemOutcome::Created, vec![]),
                (ItemOutcome::Rejected, vec!["IN_FUTURE".to_owned()])
            ]
        );
        let days: Vec<i64> =
            community.journal("community.housing").into_iter().map(|(_, valid_on, _)| valid_on).collect();
        assert_eq!(days, [stored(2025, 2, 10), stored(2025, 9, 10)]);

        // Further numbers with their own day, without one of the request.
        let get = pb::GetHousingProjectRequest { name: "housing_projects/p1".to_owned() };
        let project = client.get_housing_project(get).await.expect("read").into_inner().housing_project.expect("there");
        assert_eq!(project.counted_on, date(2025, 2, 10));
        let further =
            pb::HousingProject { units_let: 40, counted_on: date(2025, 6, 30), ..pb::HousingProject::default() };
        let request = update(2, &project, further, &["units_let", "counted_on"], None);
        let further = client.update_housing_project(request).await.expect("updated").into_inner();
        let further = further.housing_project.expect("in the answer");
        assert_eq!((further.counted_on, further.units_let), (date(2025, 6, 30), 40));
        assert_eq!(community.journal("community.housing").last().map(|told| told.1), Some(stored(2025, 6, 30)));

        // The same numbers again on another day are the same.
        community.clock.set(chrono::NaiveDate::from_ymd_opt(2025, 9, 12).expect("a day"));
        let again = upload(10, vec![finished("p2", None)]);
        let sent = client.upload_housing_projects(tokio_stream::iter([again])).await.expect("begun");
        let results = sent.into_inner().message().await.expect("answered").expect("one").results;
        assert_eq!(verdicts(&results), [(ItemOutcome::Unchanged, vec![])]);
        community.stop().await;
    }
}
