//! Cases for the three guarantees, with social security answering, silent, and back again.

use std::time::Duration;

use crate::support::{clock, date, journal_of, record_schools, request_id, school, social_security, stored};
use chrono::NaiveDate;
use minsheng_kit::{clients::DepartmentChannel, register::FOREVER, values::identifiers::ResidentId};
use minsheng_proto::{common::v1 as shared, education::v1 as pb, social_security::v1::AssistanceCategory};
use minsheng_testkit::{TestDatabase, TestService, TestSite, databases, refused_fields};
use pb::{
    AidHouseholdKind as Ground, AidOutcome as Outcome, AidStage, SchoolStage,
    aid_case_service_client::AidCaseServiceClient, school_service_client::SchoolServiceClient,
};
use tokio::net::TcpListener;
use tonic::Code;

/// A pupil whom the stand-in for social security finds on the minimum allowance.
fn poor(sequence: u16) -> String {
    resident(1, sequence)
}

/// A pupil whom it finds in no category.
fn well_off(sequence: u16) -> String {
    resident(2, sequence)
}

fn resident(day: u32, sequence: u16) -> String {
    let birth = NaiveDate::from_ymd_opt(2015, 5, day).expect("a day");
    ResidentId::synthetic(birth, sequence).expect("a number").expose().to_owned()
}

fn case(name: &str, resident_id: String, ground: Ground) -> pb::AidCase {
    pb::AidCase {
        name: format!("aid_cases/{name}"),
        area: "540102".to_owned(),
        resident_id,
        school: "schools/nine".to_owned(),
        stage: AidStage::Compulsory.into(),
        boarding: true,
        household_kind: ground.into(),
        term_year: 2026,
        applied_on: date(2026, 3, 2),
        ..pb::AidCase::default()
    }
}

fn create(n: u128, case: pb::AidCase) -> pb::CreateAidCaseRequest {
    pb::CreateAidCaseRequest { request_id: request_id(n), aid_case: Some(case), effective_on: None }
}

type Client = AidCaseServiceClient<DepartmentChannel>;

/// Starts education with an address at which social security may or may not answer.
async fn start(site: &TestSite, database: TestDatabase, social_security: String) -> (TestService, Client) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let upstreams = [("social-security", social_security)];
    let service =
        site.start_at(listener, &minsheng_education::DEFINITION, database, &clock(), &upstreams).await.expect("starts");
    let channel = site.channel("operator", &minsheng_education::DEFINITION, &service).expect("channel");
    record_schools(&channel, &[("schools/nine", SchoolStage::NineYear)]).await;
    (service, AidCaseServiceClient::new(channel))
}

async fn created(client: &mut Client, n: u128, case: pb::AidCase) -> pb::AidCase {
    client.create_aid_case(create(n, case)).await.expect("recorded").into_inner().aid_case.expect("in the answer")
}

async fn read(client: &mut Client, name: &str) -> pb::AidCase {
    let request = pb::GetAidCaseRequest { name: name.to_owned(), ..Default::default() };
    client.get_aid_case(request).await.expect("there").into_inner().aid_case.expect("in the answer")
}

/// Waits until the case is decided; the service settles by itself every few seconds.
async fn decided(client: &mut Client, name: &str) -> pb::AidCase {
    for _ in 0..300 {
        let case = read(client, name).await;
        if case.outcome() != Outcome::WaitingForEvidence {
            return case;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{name} still waits");
}

#[tokio::test]
async fn the_ground_decides_at_once_and_social_security_is_asked_only_where_it_must_be() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let provider = site.start(&social_security::DEFINITION, database, &clock(), &[]).await.expect("starts");
        let (service, mut client) = start(&site, database, provider.address().to_owned()).await;

        let herder = created(&mut client, 1, case("herder", poor(1), Ground::FarmerHerder)).await;
        assert_eq!((herder.outcome(), herder.decided_on), (Outcome::Eligible, date(2026, 3, 20)));
        let other = created(&mut client, 2, case("other", poor(2), Ground::Other)).await;
        assert_eq!(other.outcome(), Outcome::NotEligible);
        assert!(social_security::questions(&site, database).is_empty());

        let urban = case("urban", poor(3), Ground::UrbanHardship);
        let hardship = created(&mut client, 3, urban.clone()).await;
        assert_eq!(
            (hardship.outcome(), hardship.assistance_category(), hardship.decided_on),
            (Outcome::Eligible, AssistanceCategory::Dibao, date(2026, 3, 20))
        );
        let comfortable = created(&mut client, 4, case("comfortable", well_off(4), Ground::UrbanHardship)).await;
        assert_eq!(
            (comfortable.outcome(), comfortable.assistance_category()),
            (Outcome::NotEligible, AssistanceCategory::None)
        );
        let purpose = i64::from(i32::from(shared::Purpose::ThreeGuarantees));
        let asked = |case: &str| ("education".to_owned(), purpose, case.to_owned());
        assert_eq!(social_security::questions(&site, database), [asked("urban"), asked("comfortable")]);

        // A repeated call and a case that would be refused ask nobody.
        assert_eq!(created(&mut client, 3, urban.clone()).await, hardship);
        let second = pb::AidCase { name: "aid_cases/second".to_owned(), ..urban };
        assert_eq!(
            client.create_aid_case(create(5, second)).await.expect_err("one a year").code(),
            Code::InvalidArgument
        );
        assert_eq!(social_security::questions(&site, database).len(), 2);

        service.stop().await.expect("stops");
        provider.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn the_identity_is_masked_in_answers_and_absent_from_the_journal() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, mut client) = start(&site, database, "https://localhost:1".to_owned()).await;
        let number = poor(5);
        let recorded = created(&mut client, 1, case("herder", number.clone(), Ground::FarmerHerder)).await;
        assert_ne!(recorded.resident_id, number);
        assert!(recorded.resident_id.contains('*'), "{}", recorded.resident_id);

        let rows = journal_of::<pb::AidCaseRow>(&site, database, "education.aid");
        let [told] = rows.as_slice() else { panic!("one entry") };
        assert!(!told.payload.windows(number.len()).any(|window| window == number.as_bytes()));
        assert_eq!(told.row.person.len(), 22);
        service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn cases_wait_while_social_security_is_down_and_are_settled_once_it_is_back() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        // An address at which nobody listens yet.
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("bound");
        drop(listener);
        let (service, mut client) = start(&site, database, format!("https://localhost:{}", address.port())).await;

        let waiting = created(&mut client, 1, case("one", poor(6), Ground::UrbanHardship)).await;
        assert_eq!((waiting.outcome(), waiting.decided_on), (Outcome::WaitingForEvidence, None));
        // Uploads wait in any case; one that is withdrawn meanwhile is not asked about any more.
        let uploaded = pb::UploadAidCasesRequest {
            upload_id: request_id(2),
            chunk: 0,
            validate_only: false,
            aid_cases: vec![
                case("two", well_off(7), Ground::UrbanHardship),
                case("three", poor(8), Ground::FarmerHerder),
                case("four", poor(9), Ground::UrbanHardship),
            ],
        };
        upload(&mut client, uploaded.clone()).await;
        assert_eq!(read(&mut client, "aid_cases/three").await.outcome(), Outcome::Eligible);
        let withdraw = pb::EndAidCaseRequest {
            request_id: request_id(3),
            name: "aid_cases/four".to_owned(),
            etag: read(&mut client, "aid_cases/four").await.meta.expect("meta").etag,
            kind: shared::EndKind::Withdrawn.into(),
            ..Default::default()
        };
        client.end_aid_case(withdraw).await.expect("withdrawn");

        let listener = TcpListener::bind(address).await.expect("the port is free again");
        let provider =
            site.start_at(listener, &social_security::DEFINITION, database, &clock(), &[]).await.expect("starts");
        let one = decided(&mut client, "aid_cases/one").await;
        let meta = one.meta.clone().expect("meta");
        assert_eq!(
            (one.outcome(), one.assistance_category(), one.decided_on),
            (Outcome::Eligible, AssistanceCategory::Dibao, date(2026, 3, 20))
        );
        assert_eq!(
            (meta.etag.as_str(), meta.effective_on),
            ("v2", date(2026, 3, 2)),
            "waiting costs the pupil nothing"
        );
        assert_eq!(decided(&mut client, "aid_cases/two").await.outcome(), Outcome::NotEligible);
        assert_eq!(read(&mut client, "aid_cases/four").await.outcome(), Outcome::WaitingForEvidence);

        // The journal tells both, and of both that they hold from the application on.
        let one: Vec<_> = journal_of::<pb::AidCaseRow>(&site, database, "education.aid")
            .into_iter()
            .map(|told| (told.diff, told.from, told.row.outcome()))
            .filter(|(_, _, outcome)| *outcome != Outcome::NotEligible)
            .collect();
        let applied_on = stored(2026, 3, 2);
        assert_eq!(one.first(), Some(&(1, applied_on, Outcome::WaitingForEvidence)));
        assert!(one.contains(&(-1, applied_on, Outcome::WaitingForEvidence)));
        assert!(one.contains(&(1, applied_on, Outcome::Eligible)));
        let mut asked: Vec<_> =
            social_security::questions(&site, database).into_iter().map(|(_, _, case)| case).collect();
        asked.sort_unstable();
        // What was asked before the withdrawal may still arrive; nobody decides by it.
        asked.retain(|case| case != "four");
        assert_eq!(asked, ["one", "two"]);

        // The same items under another upload are the same, though they are decided now.
        let again = pb::UploadAidCasesRequest { upload_id: request_id(4), ..uploaded };
        let outcomes: Vec<_> =
            upload(&mut client, again).await.results[..2].iter().map(shared::ItemResult::outcome).collect();
        assert_eq!(outcomes, [shared::ItemOutcome::Unchanged; 2]);

        service.stop().await.expect("stops");
        provider.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_change_keeps_the_decision_unless_it_changes_what_was_decided_by() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let provider = site.start(&social_security::DEFINITION, database, &clock(), &[]).await.expect("starts");
        let (service, mut client) = start(&site, database, provider.address().to_owned()).await;
        let decided_case = created(&mut client, 1, case("one", poor(1), Ground::UrbanHardship)).await;
        let mut update = pb::UpdateAidCaseRequest {
            request_id: request_id(2),
            aid_case: Some(pb::AidCase { name: decided_case.name.clone(), ..pb::AidCase::default() }),
            etag: decided_case.meta.expect("meta").etag,
            update_mask: Some(prost_types::FieldMask { paths: vec!["boarding".to_owned()] }),
            ..Default::default()
        };
        let moved_out = client.update_aid_case(update.clone()).await.expect("updated").into_inner();
        let moved_out = moved_out.aid_case.expect("in the answer");
        assert_eq!((moved_out.boarding, moved_out.outcome()), (false, Outcome::Eligible));
        assert_eq!(moved_out.assistance_category(), AssistanceCategory::Dibao);

        update.request_id = request_id(3);
        update.etag = moved_out.meta.expect("meta").etag;
        update.update_mask = Some(prost_types::FieldMask { paths: vec!["household_kind".to_owned()] });
        update.aid_case.as_mut().expect("set").household_kind = Ground::Other.into();
        let other = client.update_aid_case(update).await.expect("updated").into_inner().aid_case.expect("there");
        assert_eq!(other.outcome(), Outcome::NotEligible);
        assert_eq!(other.assistance_category(), AssistanceCategory::Unspecified);
        service.stop().await.expect("stops");
        provider.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_case_needs_a_public_school_that_is_there_on_the_day_of_the_application() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, mut client) = start(&site, database, "https://localhost:1".to_owned()).await;
        let channel = site.channel("operator", &minsheng_education::DEFINITION, &service).expect("channel");
        let mut schools = SchoolServiceClient::new(channel);
        for (n, ownership) in [(1, pb::SchoolOwnership::Private), (2, pb::SchoolOwnership::Unspecified)] {
            let school =
                pb::School { ownership: ownership.into(), ..school(&format!("schools/s{n}"), SchoolStage::NineYear) };
            let request =
                pb::CreateSchoolRequest { request_id: request_id(n), school: Some(school), effective_on: None };
            schools.create_school(request).await.expect("recorded");
        }
        let end = pb::EndSchoolRequest {
            request_id: request_id(3),
            name: "schools/s2".to_owned(),
            etag: "v1".to_owned(),
            kind: shared::EndKind::Ended.into(),
            ended_on: date(2026, 3, 2),
            ..Default::default()
        };
        schools.end_school(end).await.expect("ended");
        let of = |name: &str, sequence, school: &str, day| pb::AidCase {
            school: school.to_owned(),
            applied_on: date(2026, 3, day),
            ..case(name, poor(sequence), Ground::FarmerHerder)
        };
        let chunk = pb::UploadAidCasesRequest {
            upload_id: request_id(4),
            chunk: 0,
            validate_only: false,
            aid_cases: vec![
                of("private", 1, "schools/s1", 1),
                of("before", 2, "schools/s2", 1),
                of("after", 3, "schools/s2", 2),
            ],
        };
        let answer = upload(&mut client, chunk).await;
        let reasons: Vec<_> =
            answer.results.iter().map(|result| result.violations.first().map(|found| found.reason.as_str())).collect();
        assert_eq!(reasons, [Some("NOT_A_PUBLIC_SCHOOL"), None, Some("SCHOOL_CLOSED")]);
        service.stop().await.expect("stops");
    }
}

async fn upload(client: &mut Client, chunk: pb::UploadAidCasesRequest) -> pb::UploadAidCasesResponse {
    let mut answers = client.upload_aid_cases(tokio_stream::iter([chunk])).await.expect("begins").into_inner();
    answers.message().await.expect("answered").expect("one chunk")
}

#[tokio::test]
async fn a_school_and_a_case_whose_ids_are_as_long_as_ids_may_be_are_named_in_records_and_questions() {
    use pb::{FundKind, Term, funding_record_service_client::FundingRecordServiceClient};
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let provider = site.start(&social_security::DEFINITION, database, &clock(), &[]).await.expect("starts");
        let (service, mut client) = start(&site, database, provider.address().to_owned()).await;
        let channel = site.channel("operator", &minsheng_education::DEFINITION, &service).expect("channel");
        let longest = "x".repeat(128);
        let name = format!("schools/{longest}");
        let request = pb::CreateSchoolRequest {
            request_id: request_id(1),
            school: Some(school(&name, SchoolStage::Senior)),
            effective_on: None,
        };
        SchoolServiceClient::new(channel.clone()).create_school(request).await.expect("recorded");

        let applied = pb::AidCase {
            school: name.clone(),
            stage: AidStage::Senior.into(),
            ..case(&longest, poor(1), Ground::UrbanHardship)
        };
        let hardship = created(&mut client, 2, applied).await;
        assert_eq!((hardship.outcome(), &hardship.school), (Outcome::Eligible, &name));
        let questions = social_security::questions(&site, database);
        assert_eq!(questions.iter().map(|(_, _, case)| case).collect::<Vec<_>>(), [&longest]);
        let funding = pb::FundingRecord {
            area: "540102".to_owned(),
            school: name.clone(),
            fund: FundKind::SeniorPublicFunds.into(),
            term_year: 2025,
            term: Term::Autumn.into(),
            students: 100,
            amount_fen: 5_500_000,
            paid_on: date(2025, 10, 1),
            ..pb::FundingRecord::default()
        };
        let request = pb::CreateFundingRecordRequest {
            request_id: request_id(3),
            funding_record: Some(funding),
            effective_on: None,
        };
        let funded = FundingRecordServiceClient::new(channel).create_funding_record(request).await.expect("recorded");
        assert_eq!(funded.into_inner().funding_record.expect("in the answer").school, name);
        service.stop().await.expect("stops");
        provider.stop().await.expect("stops");
    }
}

/// Ends a case.
async fn end(
    client: &mut Client,
    n: u128,
    case: &pb::AidCase,
    kind: shared::EndKind,
    ended_on: Option<shared::Date>,
) -> Result<pb::AidCase, tonic::Status> {
    let request = pb::EndAidCaseRequest {
        request_id: request_id(n),
        name: case.name.clone(),
        etag: case.meta.as_ref().expect("meta").etag.clone(),
        kind: kind.into(),
        ended_on,
        ..Default::default()
    };
    Ok(client.end_aid_case(request).await?.into_inner().aid_case.expect("in the answer"))
}

#[tokio::test]
async fn a_case_holds_its_place_until_the_day_on_which_it_ends_and_no_other_has_one_of_its_days() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, mut client) = start(&site, database, "https://localhost:1".to_owned()).await;
        let of = |name: &str, day| pb::AidCase {
            applied_on: date(2026, 3, day),
            ..case(name, poor(1), Ground::FarmerHerder)
        };
        let first = created(&mut client, 1, of("first", 2)).await;
        let kind = shared::EndKind::Ended;
        let first = end(&mut client, 2, &first, kind, date(2199, 1, 1)).await.expect("ends in the future");
        let meta = first.meta.clone().expect("meta");
        assert_eq!((meta.state, meta.ended_on), (i32::from(shared::RecordState::Active), date(2199, 1, 1)));
        let refused = client.create_aid_case(create(3, of("second", 18))).await.expect_err("held until then");
        assert_eq!(refused_fields(&refused), ["aid_case.resident_id"]);

        // It ended ten days ago: of the days before there is no second case.
        let first = end(&mut client, 4, &first, kind, date(2026, 3, 10)).await.expect("ends earlier");
        let refused = client.create_aid_case(create(5, of("second", 9))).await.expect_err("that day has a case");
        assert_eq!(refused_fields(&refused), ["aid_case.resident_id"]);
        created(&mut client, 6, of("second", 10)).await;
        let refused =
            end(&mut client, 7, &first, shared::EndKind::Lifted, None).await.expect_err("another has the days");
        assert_eq!(refused.code(), Code::FailedPrecondition);
        service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_case_that_waits_and_is_ended_is_decided_for_the_days_before() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("bound");
        drop(listener);
        let (service, mut client) = start(&site, database, format!("https://localhost:{}", address.port())).await;
        let waiting = created(&mut client, 1, case("one", poor(6), Ground::UrbanHardship)).await;
        end(&mut client, 2, &waiting, shared::EndKind::Ended, date(2026, 3, 10)).await.expect("ended");

        let listener = TcpListener::bind(address).await.expect("the port is free again");
        let provider =
            site.start_at(listener, &social_security::DEFINITION, database, &clock(), &[]).await.expect("starts");
        let ended = decided(&mut client, "aid_cases/one").await;
        let meta = ended.meta.clone().expect("meta");
        assert_eq!((ended.outcome(), ended.decided_on), (Outcome::Eligible, date(2026, 3, 20)));
        assert_eq!((meta.state, meta.ended_on), (i32::from(shared::RecordState::Ended), date(2026, 3, 10)));

        let mut stands: Vec<_> = Vec::new();
        for told in journal_of::<pb::AidCaseRow>(&site, database, "education.aid") {
            let entry = (told.from, told.until, told.ended, told.row.outcome());
            if told.diff == 1 {
                stands.push(entry);
            } else {
                stands.retain(|stands| *stands != entry);
            }
        }
        let (applied_on, ended_on) = (stored(2026, 3, 2), stored(2026, 3, 10));
        assert_eq!(
            stands,
            [(applied_on, ended_on, false, Outcome::Eligible), (ended_on, FOREVER, true, Outcome::Eligible)]
        );
        service.stop().await.expect("stops");
        provider.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_case_is_judged_by_what_its_school_was_on_the_day_of_the_application() {
    for database in databases() {
        let site = TestSite::new().expect("certificates");
        let (service, mut client) = start(&site, database, "https://localhost:1".to_owned()).await;
        let channel = site.channel("operator", &minsheng_education::DEFINITION, &service).expect("channel");
        let mut schools = SchoolServiceClient::new(channel);
        // It was private until the 9th of March and closes in the summer of 2027.
        let first = pb::School {
            ownership: pb::SchoolOwnership::Private.into(),
            ..school("schools/s1", SchoolStage::NineYear)
        };
        let request =
            pb::CreateSchoolRequest { request_id: request_id(1), school: Some(first.clone()), effective_on: None };
        schools.create_school(request).await.expect("recorded");
        let then = pb::School { ownership: pb::SchoolOwnership::Public.into(), ..first };
        let request = pb::UpdateSchoolRequest {
            request_id: request_id(2),
            etag: "v1".to_owned(),
            school: Some(then),
            update_mask: Some(prost_types::FieldMask { paths: vec!["ownership".to_owned()] }),
            effective_on: date(2026, 3, 10),
            ..Default::default()
        };
        schools.update_school(request).await.expect("changed");
        let request = pb::EndSchoolRequest {
            request_id: request_id(3),
            name: "schools/s1".to_owned(),
            etag: "v2".to_owned(),
            kind: shared::EndKind::Ended.into(),
            ended_on: date(2027, 7, 1),
            ..Default::default()
        };
        schools.end_school(request).await.expect("ended");
        let of = |name: &str, sequence, applied_on| pb::AidCase {
            school: "schools/s1".to_owned(),
            applied_on,
            ..case(name, poor(sequence), Ground::FarmerHerder)
        };
        let chunk = pb::UploadAidCasesRequest {
            upload_id: request_id(4),
            chunk: 0,
            validate_only: false,
            aid_cases: vec![
                of("private", 1, date(2026, 3, 9)),
                of("public", 2, date(2026, 3, 10)),
                of("early", 3, date(2010, 8, 31)),
            ],
        };
        let answer = upload(&mut client, chunk).await;
        let reasons: Vec<_> =
            answer.results.iter().map(|result| result.violations.first().map(|found| found.reason.as_str())).collect();
        assert_eq!(reasons, [Some("NOT_A_PUBLIC_SCHOOL"), None, Some("SCHOOL_NOT_OPENED")]);
        service.stop().await.expect("stops");
    }
}
