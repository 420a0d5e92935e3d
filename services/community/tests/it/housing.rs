//! Affordable housing.

use minsheng_proto::{
    common::v1::{Date, EndKind, ItemOutcome},
    community::v1 as pb,
};
use minsheng_testkit::databases;
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
        ..Default::default()
    }
}

/// Lists what the journal told: asserted or retracted, the first day, the homes started.
fn history(community: &Community) -> Vec<(i64, i64, i64)> {
    let started = |row: Vec<u8>| pb::HousingProjectRow::decode(row.as_slice()).expect("a row").units_started;
    community.journal("community.housing").into_iter().map(|(diff, from, row)| (diff, from, started(row))).collect()
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

        let (planned, begun) = (stored(2025, 1, 15), stored(2025, 5, 1));
        let expected =
            [(1, planned, 0), (-1, planned, 0), (1, planned, 0), (1, begun, 220), (-1, begun, 220), (1, begun, 210)];
        assert_eq!(history(&community), expected);
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
        let days: Vec<i64> = community.journal("community.housing").into_iter().map(|(_, from, _)| from).collect();
        assert_eq!(days, [stored(2025, 2, 10), stored(2025, 9, 10)]);

        // Further numbers with their own day, without one of the request.
        let get = pb::GetHousingProjectRequest { name: "housing_projects/p1".to_owned(), ..Default::default() };
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

#[tokio::test]
async fn what_is_told_later_of_a_day_between_others_fits_the_states_before_and_after() {
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
            counted_on: date(2025, 2, 1),
            ..pb::HousingProject::default()
        };
        let request = pb::CreateHousingProjectRequest {
            request_id: request_id(1),
            housing_project: Some(planned),
            effective_on: None,
        };
        let created = client.create_housing_project(request).await.expect("created").into_inner();
        let mut project = created.housing_project.expect("in the answer");
        let started = |units_started| pb::HousingProject { units_started, ..pb::HousingProject::default() };
        // Of a day that lies ahead nothing was counted; a change between two others holds until the later one.
        for (n, units_started, from, counted_on) in [
            (2, 90, date(2025, 6, 1), date(2025, 6, 1)),
            (3, 150, date(2025, 12, 1), None),
            (4, 40, date(2025, 4, 1), date(2025, 4, 1)),
        ] {
            let request = update(n, &project, started(units_started), &["units_started"], from);
            let changed = client.update_housing_project(request).await.expect("changed").into_inner();
            project = changed.housing_project.expect("in the answer");
            assert_eq!((project.units_started, project.counted_on), (units_started, counted_on));
        }
        let mut on = async |day| {
            let get = pb::GetHousingProjectRequest { name: "housing_projects/p1".to_owned(), on: day };
            let project = client.get_housing_project(get).await.expect("read").into_inner().housing_project;
            project.expect("there").units_started
        };
        assert_eq!((on(date(2025, 3, 31)).await, on(date(2025, 4, 1)).await), (0, 40));
        assert_eq!((on(None).await, on(date(2025, 12, 1)).await), (90, 150));

        // More than the state after it, and less than the one before it.
        for (n, units_started) in [(5, 91), (6, -1)] {
            let request = pb::UpdateHousingProjectRequest {
                correct_on: date(2025, 4, 1),
                ..update(n, &project, started(units_started), &["units_started"], None)
            };
            let refused = client.update_housing_project(request).await.expect_err("backwards");
            assert_eq!(refused.code(), Code::InvalidArgument);
        }
        // It was counted earlier than was said, and the project is given up later on.
        let counted = pb::HousingProject { counted_on: date(2025, 3, 15), ..pb::HousingProject::default() };
        let request = pb::UpdateHousingProjectRequest {
            correct_on: date(2025, 4, 1),
            ..update(7, &project, counted, &["counted_on"], None)
        };
        let corrected = client.update_housing_project(request).await.expect("corrected").into_inner();
        let corrected = corrected.housing_project.expect("in the answer");
        assert_eq!((corrected.units_started, corrected.counted_on), (40, date(2025, 3, 15)));
        let end = pb::EndHousingProjectRequest {
            request_id: request_id(8),
            name: corrected.name,
            etag: corrected.meta.expect("meta").etag,
            kind: EndKind::Ended.into(),
            ended_on: date(2025, 9, 1),
            ..Default::default()
        };
        let ended = client.end_housing_project(end).await.expect("ended").into_inner().housing_project;
        let ended = ended.expect("in the answer");
        assert_eq!((ended.units_started, ended.counted_on), (90, date(2025, 6, 1)));

        // The first three months, then each state with the days that are left of it.
        let days: Vec<(i64, i64)> = net(history(&community));
        let expected =
            [(stored(2025, 2, 1), 0), (stored(2025, 3, 15), 40), (stored(2025, 6, 1), 90), (stored(2025, 9, 1), 90)];
        assert_eq!(days, expected);
        community.stop().await;
    }
}

/// Returns what is asserted and not retracted, by its first day.
fn net(history: Vec<(i64, i64, i64)>) -> Vec<(i64, i64)> {
    let mut stands = std::collections::BTreeMap::new();
    for (diff, from, started) in history {
        *stands.entry((from, started)).or_insert(0) += diff;
    }
    stands.into_iter().filter(|(_, count)| *count > 0).map(|(told, _)| told).collect()
}
