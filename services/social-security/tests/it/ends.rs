//! Ends of enrolments through their RPCs: what ended may end on another day, but not where another cover stands.

use crate::{
    enrolments::{self, enrolment},
    support::{date, request_id, start},
};
use minsheng_proto::{common::v1::EndKind, social_security::v1 as pb};
use minsheng_testkit::databases;
use pb::enrolment_service_client::EnrolmentServiceClient;
use tonic::Code;

fn create(n: u128, name: &str, from: u32) -> pb::CreateEnrolmentRequest {
    let enrolment = pb::Enrolment { covered_from: date(2025, from, 1), ..enrolment(name, 1) };
    enrolments::create(n, enrolment)
}

#[tokio::test]
async fn an_end_is_not_moved_into_the_days_of_another_cover() {
    for database in databases() {
        let started = start(database).await;
        let mut client = EnrolmentServiceClient::new(started.channel("operator"));
        client.create_enrolment(create(1, "e1", 4)).await.expect("created");
        let end = |n, etag: &str, month| pb::EndEnrolmentRequest {
            request_id: request_id(n),
            name: "enrolments/e1".to_owned(),
            etag: etag.to_owned(),
            kind: EndKind::Ended.into(),
            ended_on: date(2025, month, 1),
            effective_on: None,
        };
        client.end_enrolment(end(2, "v1", 6)).await.expect("ended");
        client.end_enrolment(end(3, "v2", 7)).await.expect("ended later");
        client.create_enrolment(create(4, "e2", 8)).await.expect("a second cover from August on");
        client.end_enrolment(end(5, "v3", 8)).await.expect("up to the second cover");
        let refused = client.end_enrolment(end(6, "v4", 9)).await.expect_err("overlaps");
        assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
        assert!(refused.message().contains("enrolment.covered_from"), "{}", refused.message());
        client.end_enrolment(end(7, "v4", 5)).await.expect("an earlier end takes nothing from anybody");
        started.service.stop().await.expect("stops");
    }
}
