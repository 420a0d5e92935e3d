//! The register of appropriations and payments through its RPCs, on every database at hand.

use crate::support::{date, journal_of, record_schools, request_id, school, start};
use minsheng_kit::clients::DepartmentChannel;
use minsheng_proto::{common::v1 as shared, education::v1 as pb};
use minsheng_testkit::{TestSite, databases, refused_fields};
use pb::{
    FundKind, SchoolStage, Term, funding_record_service_client::FundingRecordServiceClient,
    school_service_client::SchoolServiceClient,
};
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
        let all = journal_of::<pb::FundingRecordRow>(&site, database, "education.funding");
        let rows: Vec<_> = all
            .iter()
            .map(|told| &told.row)
            .map(|row| (row.standard_fen, row.meets_standard, row.shortfall_fen, row.nutrition_meets_standard))
            .collect();
        let guaranteed = &all[2].row;
        assert_eq!((guaranteed.per_student_year_fen, guaranteed.base_per_student_year_fen), (570_000, 522_000));
        assert_eq!(guaranteed.nutrition_students, 50);
        assert_eq!((guaranteed.nutrition_standard_fen, guaranteed.nutrition_shortfall_fen), (Some(100_000), 100_000));
        assert_eq!(
            rows,
            [
                (100_000, true, 0, None),
                (110_000, false, 500_000, None),
                // 4,700 yuan a year are reached; of the nutrition money 500 yuan for the term are due and 480 were paid.
                (470_000, true, 0, Some(false)),
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
        assert_eq!(
            (refused.code(), refused_fields(&refused)),
            (Code::InvalidArgument, vec!["funding_record.term".to_owned()])
        );

        let withdraw = pb::EndFundingRecordRequest {
            request_id: request_id(4),
            name: first.name,
            etag: first.meta.expect("meta").etag,
            kind: shared::EndKind::Withdrawn.into(),
            ..Default::default()
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
                Some("NO_SUCH_RECORD"),
                Some("NOT_A_SENIOR_SCHOOL"),
                Some("NOT_IN_NUTRITION_SCHEME"),
                Some("PARAMETER_NOT_IN_FORCE"),
                Some("IN_FUTURE")
            ]
        );
        service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_kindergarten_that_was_paid_in_full_is_missing_nothing_and_terms_before_2024_are_judged() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, channel) = start(&site, database).await;
        record_schools(&channel, &[("schools/kinder", SchoolStage::Kindergarten)]).await;
        let mut client = FundingRecordServiceClient::new(channel);
        // Yuan for the term and child: half of 4,700, 4,620, 4,200 and 3,720.
        let terms = [
            (2025, Term::Autumn, 23_500_000),
            (2023, Term::Spring, 23_100_000),
            (2021, Term::Spring, 21_000_000),
            (2018, Term::Spring, 18_600_000),
        ];
        for (n, (year, term, fen)) in (0..).zip(terms) {
            let paid = funding("schools/kinder", FundKind::ThreeGuarantees, year, term, fen);
            client.create_funding_record(create(n, paid)).await.expect("recorded");
        }
        let rows = journal_of::<pb::FundingRecordRow>(&site, database, "education.funding");
        let judged: Vec<_> =
            rows.iter().map(|told| (told.row.standard_fen, told.row.meets_standard, told.row.shortfall_fen)).collect();
        assert_eq!(judged, [470_000, 462_000, 420_000, 372_000].map(|standard| (standard, true, 0)));
        service.stop().await.expect("stops");
    }
}

/// Ends or withdraws the school.
async fn end_school(
    channel: &DepartmentChannel,
    n: u128,
    kind: shared::EndKind,
    ended_on: Option<shared::Date>,
) -> Result<pb::School, tonic::Status> {
    let mut client = SchoolServiceClient::new(channel.clone());
    let get = pb::GetSchoolRequest { name: "schools/senior".to_owned(), ..Default::default() };
    let school = client.get_school(get).await?.into_inner().school.expect("in the answer");
    let request = pb::EndSchoolRequest {
        request_id: request_id(n),
        name: school.name,
        etag: school.meta.expect("meta").etag,
        kind: kind.into(),
        ended_on,
        ..Default::default()
    };
    Ok(client.end_school(request).await?.into_inner().school.expect("in the answer"))
}

#[tokio::test]
async fn a_school_whose_record_ended_before_the_term_gets_no_money_for_it() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, channel) = start(&site, database).await;
        record_schools(&channel, &[("schools/senior", SchoolStage::Senior)]).await;
        end_school(&channel, 1, shared::EndKind::Ended, date(2025, 9, 1)).await.expect("ended");
        let mut client = FundingRecordServiceClient::new(channel);
        let of = |year, term| funding("schools/senior", FundKind::SeniorPublicFunds, year, term, 5_500_000);
        // The term that it was still there for, and the one that begins on the day on which it no longer is.
        client.create_funding_record(create(2, of(2025, Term::Spring))).await.expect("recorded");
        let refused = client.create_funding_record(create(3, of(2025, Term::Autumn))).await.expect_err("refused");
        assert_eq!(
            (refused.code(), refused_fields(&refused)),
            (Code::InvalidArgument, vec!["funding_record.school".to_owned()])
        );
        service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_private_school_gets_no_public_money() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, channel) = start(&site, database).await;
        let mut schools = SchoolServiceClient::new(channel.clone());
        for (n, ownership) in [(1, pb::SchoolOwnership::Private), (2, pb::SchoolOwnership::Public)] {
            let school =
                pb::School { ownership: ownership.into(), ..school(&format!("schools/s{n}"), SchoolStage::Senior) };
            let request =
                pb::CreateSchoolRequest { request_id: request_id(n), school: Some(school), effective_on: None };
            let recorded = schools.create_school(request).await.expect("recorded").into_inner();
            assert_eq!(recorded.school.expect("in the answer").ownership(), ownership);
        }
        let mut client = FundingRecordServiceClient::new(channel);
        for (n, fund) in [(3, FundKind::SeniorPublicFunds), (4, FundKind::ThreeGuarantees)] {
            let private = funding("schools/s1", fund, 2025, Term::Spring, 5_500_000);
            let refused = client.create_funding_record(create(n, private)).await.expect_err("refused");
            assert_eq!(refused_fields(&refused), ["funding_record.school"]);
            let public = funding("schools/s2", fund, 2025, Term::Spring, 5_500_000);
            client.create_funding_record(create(n + 10, public)).await.expect("recorded");
        }
        service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_school_is_withdrawn_only_when_no_record_names_it() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, channel) = start(&site, database).await;
        record_schools(&channel, &[("schools/senior", SchoolStage::Senior)]).await;
        let mut client = FundingRecordServiceClient::new(channel.clone());
        let paid = funding("schools/senior", FundKind::SeniorPublicFunds, 2025, Term::Spring, 5_500_000);
        let paid = client.create_funding_record(create(1, paid)).await.expect("recorded").into_inner();
        let paid = paid.funding_record.expect("in the answer");
        let refused = end_school(&channel, 2, shared::EndKind::Withdrawn, None).await.expect_err("in use");
        assert_eq!(refused.code(), Code::FailedPrecondition);

        let withdraw = pb::EndFundingRecordRequest {
            request_id: request_id(3),
            name: paid.name,
            etag: paid.meta.expect("meta").etag,
            kind: shared::EndKind::Withdrawn.into(),
            ..Default::default()
        };
        client.end_funding_record(withdraw).await.expect("withdrawn");
        end_school(&channel, 4, shared::EndKind::Withdrawn, None).await.expect("withdrawn");
        service.stop().await.expect("stops");
    }
}

/// On PostgreSQL two units run at once: whichever comes first, no record stands that names a withdrawn school.
#[tokio::test]
async fn a_withdrawal_beside_a_payment_leaves_no_record_of_a_school_that_never_was() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, channel) = start(&site, database).await;
        for round in 0..20_u128 {
            let name = format!("schools/r{round}");
            let mut schools = SchoolServiceClient::new(channel.clone());
            let request = pb::CreateSchoolRequest {
                request_id: request_id(100 + round),
                school: Some(school(&name, SchoolStage::Senior)),
                effective_on: None,
            };
            let made = schools.create_school(request).await.expect("recorded").into_inner().school.expect("there");
            let withdraw = pb::EndSchoolRequest {
                request_id: request_id(200 + round),
                name: name.clone(),
                etag: made.meta.expect("meta").etag,
                kind: shared::EndKind::Withdrawn.into(),
                ..Default::default()
            };
            let paid = funding(&name, FundKind::SeniorPublicFunds, 2025, Term::Spring, 5_500_000);
            let mut client = FundingRecordServiceClient::new(channel.clone());
            let (withdrawn, recorded) =
                tokio::join!(schools.end_school(withdraw), client.create_funding_record(create(300 + round, paid)));
            assert_ne!(withdrawn.is_ok(), recorded.is_ok(), "{withdrawn:?} {recorded:?}");
        }
        service.stop().await.expect("stops");
    }
}

/// Records a school and changes it from a day on.
async fn changed_school(
    channel: &DepartmentChannel,
    first: pb::School,
    paths: &[&str],
    then: pb::School,
    from: shared::Date,
) {
    let mut client = SchoolServiceClient::new(channel.clone());
    let request = pb::CreateSchoolRequest { request_id: request_id(1000), school: Some(first), effective_on: None };
    let made = client.create_school(request).await.expect("recorded").into_inner().school.expect("in the answer");
    let request = pb::UpdateSchoolRequest {
        request_id: request_id(1001),
        etag: made.meta.expect("meta").etag,
        school: Some(then),
        update_mask: Some(prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() }),
        effective_on: Some(from),
        ..Default::default()
    };
    client.update_school(request).await.expect("changed");
}

#[tokio::test]
async fn a_school_that_becomes_private_in_300_days_gets_the_money_of_this_spring() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, channel) = start(&site, database).await;
        let public = school("schools/senior", SchoolStage::Senior);
        let private = pb::School { ownership: pb::SchoolOwnership::Private.into(), ..public.clone() };
        let from = shared::Date { year: 2027, month: 1, day: 14 };
        changed_school(&channel, public, &["ownership"], private, from).await;
        let mut client = FundingRecordServiceClient::new(channel);
        let of = |year, term, paid_on| pb::FundingRecord {
            paid_on,
            ..funding("schools/senior", FundKind::SeniorPublicFunds, year, term, 5_500_000)
        };
        // Both terms begin before the day, the one after them does not.
        for (n, year, term) in [(1, 2026, Term::Spring), (2, 2026, Term::Autumn)] {
            client.create_funding_record(create(n, of(year, term, date(2026, 3, 10)))).await.expect("recorded");
        }
        let refused = client.create_funding_record(create(3, of(2027, Term::Spring, date(2026, 3, 10)))).await;
        assert_eq!(refused_fields(&refused.expect_err("private by then")), ["funding_record.school"]);
        service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_school_that_closed_and_reopened_gets_the_money_of_the_terms_in_which_it_taught() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, channel) = start(&site, database).await;
        let closed = pb::School { closed_on: date(2024, 7, 10), ..school("schools/senior", SchoolStage::Senior) };
        let open = pb::School { opened_on: date(2025, 5, 6), closed_on: None, ..closed.clone() };
        let from = shared::Date { year: 2025, month: 5, day: 6 };
        changed_school(&channel, closed, &["opened_on", "closed_on"], open, from).await;
        let mut client = FundingRecordServiceClient::new(channel);
        let terms = [
            (2024, Term::Spring, true),
            (2024, Term::Autumn, false),
            // It reopened in the term.
            (2025, Term::Spring, true),
            (2025, Term::Autumn, true),
        ];
        for (n, (year, term, taught)) in (1..).zip(terms) {
            let paid = funding("schools/senior", FundKind::SeniorPublicFunds, year, term, 5_500_000);
            let recorded = client.create_funding_record(create(n, paid)).await;
            assert_eq!(recorded.is_ok(), taught, "{year} {term:?} {recorded:?}");
        }
        service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_school_is_judged_for_a_term_by_what_it_was_when_the_term_began() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, channel) = start(&site, database).await;
        let rural = school("schools/nine", SchoolStage::NineYear);
        let town = pb::School { rural: false, ..rural.clone() };
        let from = shared::Date { year: 2025, month: 9, day: 1 };
        changed_school(&channel, rural, &["rural"], town, from).await;
        let mut client = FundingRecordServiceClient::new(channel);
        let fed = |year, term| pb::FundingRecord {
            nutrition_fen: 2_400_000,
            nutrition_students: 50,
            ..funding("schools/nine", FundKind::ThreeGuarantees, year, term, 28_500_000)
        };
        client.create_funding_record(create(1, fed(2025, Term::Spring))).await.expect("in the village then");
        let refused = client.create_funding_record(create(2, fed(2025, Term::Autumn))).await.expect_err("in town");
        assert_eq!(refused_fields(&refused), ["funding_record.nutrition_students"]);
        service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_record_that_ends_holds_its_term_until_then() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, channel) = start(&site, database).await;
        record_schools(&channel, &[("schools/senior", SchoolStage::Senior)]).await;
        let mut client = FundingRecordServiceClient::new(channel);
        let record = funding("schools/senior", FundKind::SeniorPublicFunds, 2025, Term::Spring, 5_500_000);
        let first = client.create_funding_record(create(1, record.clone())).await.expect("recorded").into_inner();
        let first = first.funding_record.expect("in the answer");
        let end = pb::EndFundingRecordRequest {
            request_id: request_id(2),
            name: first.name,
            etag: first.meta.expect("meta").etag,
            kind: shared::EndKind::Ended.into(),
            ended_on: date(2026, 6, 1),
            ..Default::default()
        };
        client.end_funding_record(end).await.expect("ended");
        for (n, from, free) in [(3, None, false), (4, date(2026, 5, 31), false), (5, date(2026, 6, 1), true)] {
            let again = pb::FundingRecord { name: "funding_records/again".to_owned(), ..record.clone() };
            let request = pb::CreateFundingRecordRequest { effective_on: from, ..create(n, again) };
            let recorded = client.create_funding_record(request).await;
            assert_eq!(recorded.is_ok(), free, "{from:?} {recorded:?}");
        }
        service.stop().await.expect("stops");
    }
}
