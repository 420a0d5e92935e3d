//! The register of institutions through its RPCs, on every database at hand.

use chrono::NaiveDate;
use minsheng_kit::testing::{TestClock, TestSite, databases};
use minsheng_proto::{common::v1 as common, health::v1 as pb};
use pb::institution_service_client::InstitutionServiceClient;
use tonic::Code;

fn institution(name: &str) -> pb::Institution {
    pb::Institution {
        name: name.to_owned(),
        area: "540102".to_owned(),
        title: "示例县人民医院".to_owned(),
        institution_class: pb::InstitutionClass::GeneralHospital.into(),
        public: true,
        level: 2,
        operating_from: Some(common::Date { year: 2015, month: 5, day: 1 }),
        ..pb::Institution::default()
    }
}

fn request_id(n: u128) -> String {
    format!("00000000-0000-4000-8000-{n:012x}")
}

#[tokio::test]
async fn an_institution_is_recorded_changed_listed_and_ended() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let clock = TestClock::on(NaiveDate::from_ymd_opt(2025, 9, 1).expect("a day"));
        let service = site.start(&minsheng_health::DEFINITION, database, &clock, &[]).await.expect("starts");
        let channel = site.channel("operator", &minsheng_health::DEFINITION, &service).expect("channel");
        let mut client = InstitutionServiceClient::new(channel);

        let create = pb::CreateInstitutionRequest {
            request_id: request_id(1),
            institution: Some(institution("institutions/h1")),
            effective_on: None,
        };
        let created = client.create_institution(create.clone()).await.expect("created").into_inner();
        let created = created.institution.expect("in the answer");
        assert_eq!(created.name, "institutions/h1");
        // The same request again gives the first answer; another body under the same id is refused.
        let again = client.create_institution(create.clone()).await.expect("repeated").into_inner();
        assert_eq!(again.institution.as_ref(), Some(&created));
        let mut other = create;
        other.institution.as_mut().expect("set").title = "另一所".to_owned();
        assert_eq!(client.create_institution(other).await.expect_err("reused").code(), Code::Aborted);

        let etag = created.meta.as_ref().expect("meta").etag.clone();
        let update = pb::UpdateInstitutionRequest {
            request_id: request_id(2),
            institution: Some(pb::Institution { name: created.name.clone(), level: 3, ..pb::Institution::default() }),
            etag: etag.clone(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["level".to_owned()] }),
            effective_on: Some(common::Date { year: 2025, month: 7, day: 1 }),
        };
        let updated = client.update_institution(update.clone()).await.expect("updated").into_inner();
        let updated = updated.institution.expect("in the answer");
        assert_eq!((updated.level, updated.title.as_str()), (3, "示例县人民医院"));
        let stale = pb::UpdateInstitutionRequest { request_id: request_id(3), ..update };
        assert_eq!(client.update_institution(stale).await.expect_err("stale").code(), Code::Aborted);

        let bad = pb::CreateInstitutionRequest {
            request_id: request_id(4),
            institution: Some(pb::Institution {
                area: "540000".to_owned(),
                operating_to: Some(common::Date { year: 2014, month: 2, day: 30 }),
                ..institution("institutions/h2")
            }),
            effective_on: None,
        };
        let refused = client.create_institution(bad).await.expect_err("refused");
        assert_eq!(refused.code(), Code::InvalidArgument);

        let list = pb::ListInstitutionsRequest { area: "540100".to_owned(), page_size: 1, page_token: String::new() };
        let page = client.list_institutions(list).await.expect("listed").into_inner();
        assert_eq!(page.institutions.len(), 1);
        assert!(page.next_page_token.is_empty());

        let end = pb::EndInstitutionRequest {
            request_id: request_id(5),
            name: created.name.clone(),
            etag: updated.meta.expect("meta").etag,
            kind: common::EndKind::Ended.into(),
            ended_on: Some(common::Date { year: 2025, month: 8, day: 1 }),
        };
        let ended = client.end_institution(end).await.expect("ended").into_inner().institution.expect("in the answer");
        assert_eq!(ended.meta.expect("meta").state, i32::from(common::RecordState::Ended));
        service.stop().await.expect("stops");
    }
}
