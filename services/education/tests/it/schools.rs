//! The register of schools through its RPCs, on every database at hand.

use crate::support::{date, journal_of, request_id, school, start, stored};
use minsheng_kit::register::FOREVER;
use minsheng_proto::{
    common::v1::{self as shared, ItemOutcome},
    education::v1 as pb,
};
use minsheng_testkit::{TestSite, databases, refused_fields};
use pb::{SchoolStage, school_service_client::SchoolServiceClient};
use tonic::Code;

#[tokio::test]
async fn a_school_is_recorded_changed_listed_and_ended() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, channel) = start(&site, database).await;
        let mut client = SchoolServiceClient::new(channel);

        let create = pb::CreateSchoolRequest {
            request_id: request_id(1),
            school: Some(school("schools/s1", SchoolStage::Primary)),
            effective_on: None,
        };
        let created = client.create_school(create).await.expect("created").into_inner().school.expect("in the answer");
        let meta = created.meta.as_ref().expect("meta");
        assert_eq!(meta.effective_on, date(2010, 9, 1));

        let update = pb::UpdateSchoolRequest {
            request_id: request_id(2),
            school: Some(pb::School { name: created.name.clone(), pupils: 575, ..pb::School::default() }),
            etag: meta.etag.clone(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["pupils".to_owned()] }),
            effective_on: date(2026, 3, 1),
            ..Default::default()
        };
        let updated = client.update_school(update).await.expect("updated").into_inner().school.expect("in the answer");
        assert_eq!((updated.pupils, updated.places, updated.title.as_str()), (575, 600, "示例县第一学校"));

        let list = pb::ListSchoolsRequest { area: "540000".to_owned(), page_size: 10, ..Default::default() };
        let page = client.list_schools(list).await.expect("listed").into_inner();
        assert_eq!(page.schools, std::slice::from_ref(&updated));

        let end = pb::EndSchoolRequest {
            request_id: request_id(3),
            name: updated.name.clone(),
            etag: updated.meta.expect("meta").etag,
            kind: shared::EndKind::Ended.into(),
            ended_on: date(2026, 3, 15),
            ..Default::default()
        };
        let ended = client.end_school(end).await.expect("ended").into_inner().school.expect("in the answer");
        assert_eq!(ended.meta.expect("meta").state, i32::from(shared::RecordState::Ended));

        let rows = journal_of::<pb::SchoolRow>(&site, database, "education.schools");
        let (opened, grown, over) = (stored(2010, 9, 1), stored(2026, 3, 1), stored(2026, 3, 15));
        assert_eq!(
            rows.iter().map(|told| (told.diff, told.from, told.until, told.ended, told.row.pupils)).collect::<Vec<_>>(),
            [
                (1, opened, FOREVER, false, 540),
                (-1, opened, FOREVER, false, 540),
                (1, opened, grown, false, 540),
                (1, grown, FOREVER, false, 575),
                (-1, grown, FOREVER, false, 575),
                (1, grown, over, false, 575),
                (1, over, FOREVER, true, 575),
            ]
        );
        service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn all_that_is_wrong_with_a_school_is_said_at_once() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, channel) = start(&site, database).await;
        let bad = pb::School {
            border: true,
            nursery_places: 20,
            closed_on: date(2009, 1, 1),
            ..school("schools/s1", SchoolStage::Primary)
        };
        let request = pb::CreateSchoolRequest { request_id: request_id(1), school: Some(bad), effective_on: None };
        let refused = SchoolServiceClient::new(channel).create_school(request).await.expect_err("refused");
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(refused_fields(&refused), ["school.nursery_places", "school.closed_on", "school.border"]);
        service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_bad_school_does_not_hold_up_the_good_ones_and_a_cut_upload_resumes_without_doubles() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, channel) = start(&site, database).await;
        let mut client = SchoolServiceClient::new(channel);
        let chunk = |chunk, schools| pb::UploadSchoolsRequest {
            upload_id: request_id(9),
            chunk,
            validate_only: false,
            schools,
        };
        let first = chunk(
            0,
            vec![
                school("schools/s1", SchoolStage::Kindergarten),
                pb::School { nursery_children: 5, ..school("schools/s2", SchoolStage::Kindergarten) },
                // A prefecture keeps no schools.
                pb::School { area: "540600".to_owned(), ..school("schools/s3", SchoolStage::Junior) },
            ],
        );
        let second = chunk(1, vec![school("schools/s4", SchoolStage::Senior)]);
        let once = upload(&mut client, vec![first.clone()]).await;
        let outcomes: Vec<_> = once[0].results.iter().map(shared::ItemResult::outcome).collect();
        assert_eq!(outcomes, [ItemOutcome::Created, ItemOutcome::Rejected, ItemOutcome::Rejected]);
        // The connection was cut after the first chunk: both come again.
        let again = upload(&mut client, vec![first, second]).await;
        assert_eq!(again[0], once[0]);
        assert_eq!(again[1].results[0].outcome(), ItemOutcome::Created);
        assert_eq!(journal_of::<pb::SchoolRow>(&site, database, "education.schools").len(), 2);
        service.stop().await.expect("stops");
    }
}

async fn upload(
    client: &mut SchoolServiceClient<minsheng_kit::clients::DepartmentChannel>,
    chunks: Vec<pb::UploadSchoolsRequest>,
) -> Vec<pb::UploadSchoolsResponse> {
    let mut answers = client.upload_schools(tokio_stream::iter(chunks)).await.expect("begins").into_inner();
    let mut all = Vec::new();
    while let Some(answer) = answers.message().await.expect("answered") {
        all.push(answer);
    }
    all
}
