//! The register of schools through its RPCs, on every database at hand.

use crate::support::{date, request_id, school, start};
use minsheng_proto::education::v1 as pb;
use minsheng_testkit::{TestSite, databases, refused_fields};
use pb::{SchoolStage, school_service_client::SchoolServiceClient};
use tonic::Code;

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
