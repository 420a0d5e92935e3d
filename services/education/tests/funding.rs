//! The register of appropriations and payments through its RPCs, on every database at hand.

mod common;

use common::{date, journal_of, record_schools, request_id, start};
use minsheng_kit::testing::{TestSite, databases};
use minsheng_proto::{common::v1 as shared, education::v1 as pb};
use pb::{FundKind, SchoolStage, Term, funding_record_service_client::FundingRecordServiceClient};
use tonic::Code;

fn funding(school: &str, fund: FundKind, year: i32, term: Term, amount_fen: i64) -> pb::FundingRecord {
    pb::FundingRecord {
        area: "540102".to_owned(),
        school: school.to_owned(),
        fund: fund.into(),
        term_year: year,
        term: term.into(),
        students: 100,
        amount_fen,
        paid_on: date(year, if term == Term::Spring { 4 } else { 10 }, 1),
        ..pb::FundingRecord::default()
    }
}

fn create(n: u128, record: pb::FundingRecord) -> pb::CreateFundingRecordRequest {
    pb::CreateFundingRecordRequest { request_id: request_id(n), funding_record: Some(record), effective_on: None }
}

fn fields(status: &tonic::Status) -> Vec<String> {
    let details = tonic_types::StatusExt::get_error_details(status);
    let violations = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    violations.into_iter().map(|violation| violation.field).collect()
}

#[tokio::test]
async fn a_term_that_is_recorded_late_is_judged_by_its_own_standard() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, channel) = start(&site, database).await;
        record_schools(&channel, &[("schools/senior", SchoolStage::Senior), ("schools/nine", SchoolStage::NineYear)])
            .await;
        let mut client = FundingRecordServiceClient::new(channel);
        // All in March 2026: 500 yuan for the term reached the standard of autumn 2024, not that of spring 2025.
        let senior = |year, term| funding("schools/senior", FundKind::SeniorPublicFunds, year, term, 5_000_000);
        let guaranteed = pb::FundingRecord {
            nutrition_fen: 2_400_000,
            nutrition_students: 50,
            ..funding("schools/nine", FundKind::ThreeGuarantees, 2025, Term::Autumn, 28_500_000)
        };
        for (n, record) in [senior(2024, Term::Autumn), senior(2025, Term::Spring), guaranteed].into_iter().enumerate()
        {
            client.create_funding_record(create(n as u128, record)).await.expect("recorded");
        }
        let rows: Vec<_> = journal_of::<pb::FundingRecordRow>(&site, database, "education.funding")
            .into_iter()
            .map(|(_, _, row, _)| {
                (row.standard_fen, row.meets_standard, row.shortfall_fen, row.nutrition_meets_standard)
            })
            .collect();
        assert_eq!(
            rows,
            [
                (100_000, true, 0, None),
                (110_000, false, 500_000, None),
                // 5,700 yuan a year are reached; of the nutrition money 500 yuan for the term are due and 480 were paid.
                (570_000, true, 0, Some(false)),
            ]
        );
        service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_school_has_one_record_of_a_fund_and_term_until_it_is_withdrawn() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, channel) = start(&site, database).await;
        record_schools(&channel, &[("schools/senior", SchoolStage::Senior)]).await;
        let mut client = FundingRecordServiceClient::new(channel);
        let record = funding("schools/senior", FundKind::SeniorPublicFunds, 2025, Term::Spring, 5_500_000);
        let first = client.create_funding_record(create(1, record.clone())).await.expect("recorded").into_inner();
        let first = first.funding_record.expect("in the answer");
        assert_eq!(first.name, "funding_records/senior.1.2025.1");

        // Without a name it is the same record, with another name another one of the same term: both are refused.
        let second = pb::FundingRecord { amount_fen: 1, ..record.clone() };
        let refused = client.create_funding_record(create(2, second.clone())).await.expect_err("refused");
        assert_eq!(refused.code(), Code::AlreadyExists);
        let renamed = pb::FundingRecord { name: "funding_records/again".to_owned(), ..second };
        let refused = client.create_funding_record(create(3, renamed.clone())).await.expect_err("refused");
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["term".to_owned()]));

        let withdraw = pb::EndFundingRecordRequest {
            request_id: request_id(4),
            name: first.name,
            etag: first.meta.expect("meta").etag,
            kind: shared::EndKind::Withdrawn.into(),
            ended_on: None,
        };
        client.end_funding_record(withdraw).await.expect("withdrawn");
        client.create_funding_record(create(5, renamed)).await.expect("recorded in its place");
        service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_file_with_wrong_schools_goes_in_where_it_is_right() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, channel) = start(&site, database).await;
        record_schools(
            &channel,
            &[("schools/senior", SchoolStage::Senior), ("schools/kinder", SchoolStage::Kindergarten)],
        )
        .await;
        let mut client = FundingRecordServiceClient::new(channel);
        let right = funding("schools/senior", FundKind::SeniorPublicFunds, 2025, Term::Spring, 5_500_000);
        let chunk = pb::UploadFundingRecordsRequest {
            upload_id: request_id(7),
            chunk: 0,
            validate_only: false,
            funding_records: vec![
                right.clone(),
                pb::FundingRecord { name: "funding_records/twice".to_owned(), ..right.clone() },
                funding("schools/nowhere", FundKind::ThreeGuarantees, 2025, Term::Spring, 1),
                funding("schools/kinder", FundKind::SeniorPublicFunds, 2025, Term::Spring, 1),
                pb::FundingRecord {
                    nutrition_students: 5,
                    ..funding("schools/kinder", FundKind::ThreeGuarantees, 2025, Term::Spring, 1)
                },
                funding("schools/senior", FundKind::SeniorPublicFunds, 2018, Term::Spring, 1),
                pb::FundingRecord { paid_on: date(2026, 3, 21), ..right },
            ],
        };
        let mut answers =
            client.upload_funding_records(tokio_stream::iter([chunk])).await.expect("begins").into_inner();
        let answer = answers.message().await.expect("answered").expect("one chunk");
        let reasons: Vec<_> = answer
            .results
            .iter()
            .map(|result| result.violations.first().map(|violation| violation.reason.as_str()))
            .collect();
        assert_eq!(
            reasons,
            [
                None,
                Some("TERM_RECORDED"),
                Some("NO_SUCH_SCHOOL"),
                Some("NOT_A_SENIOR_SCHOOL"),
                Some("NOT_IN_NUTRITION_SCHEME"),
                Some("PARAMETER_NOT_IN_FORCE"),
                Some("IN_FUTURE")
            ]
        );
        service.stop().await.expect("stops");
    }
}
