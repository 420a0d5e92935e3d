//! Age-friendly assessments through their RPCs, and what they change in the dataset of institutions.

use crate::support::{
    Site, assert_all_created, date, day, epoch, institution, outcomes, request_id, rows_on, told, writes_of,
};
use minsheng_proto::{common::v1 as common, health::v1 as pb};
use minsheng_testkit::databases;
use pb::{
    age_friendly_assessment_service_client::AgeFriendlyAssessmentServiceClient,
    institution_service_client::InstitutionServiceClient,
};
use tonic::Code;

const COUNTY: &str = "540102";

fn assessment(id: &str, institution: &str, assessed_on: Option<common::Date>) -> pb::AgeFriendlyAssessment {
    pb::AgeFriendlyAssessment {
        name: format!("age_friendly_assessments/{id}"),
        area: COUNTY.to_owned(),
        institution: format!("institutions/{institution}"),
        assessed_on,
        culture_score: 70,
        management_score: 80,
        service_score: 90,
        environment_score: 75,
        mandatory_met: true,
        ..pb::AgeFriendlyAssessment::default()
    }
}

type Client = AgeFriendlyAssessmentServiceClient<minsheng_kit::clients::DepartmentChannel>;

async fn create(
    client: &mut Client,
    n: u128,
    assessment: pb::AgeFriendlyAssessment,
) -> Result<pb::AgeFriendlyAssessment, tonic::Status> {
    let request = pb::CreateAgeFriendlyAssessmentRequest {
        request_id: request_id(n),
        age_friendly_assessment: Some(assessment),
        effective_on: None,
    };
    let answer = client.create_age_friendly_assessment(request).await?;
    Ok(answer.into_inner().age_friendly_assessment.expect("in the answer"))
}

async fn revoke(
    client: &mut Client,
    n: u128,
    recorded: &pb::AgeFriendlyAssessment,
    revoked_on: Option<common::Date>,
) -> pb::AgeFriendlyAssessment {
    let request = pb::UpdateAgeFriendlyAssessmentRequest {
        request_id: request_id(n),
        age_friendly_assessment: Some(pb::AgeFriendlyAssessment {
            name: recorded.name.clone(),
            revoked_on,
            ..pb::AgeFriendlyAssessment::default()
        }),
        etag: recorded.meta.as_ref().expect("meta").etag.clone(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["revoked_on".to_owned()] }),
        ..Default::default()
    };
    let answer = client.update_age_friendly_assessment(request).await.expect("updated");
    answer.into_inner().age_friendly_assessment.expect("in the answer")
}

async fn withdraw(client: &mut Client, n: u128, recorded: &pb::AgeFriendlyAssessment) {
    let request = pb::EndAgeFriendlyAssessmentRequest {
        request_id: request_id(n),
        name: recorded.name.clone(),
        etag: recorded.meta.as_ref().expect("meta").etag.clone(),
        kind: common::EndKind::Withdrawn.into(),
        ..Default::default()
    };
    client.end_age_friendly_assessment(request).await.expect("withdrawn");
}

/// The certificate in an institution's row on a day.
fn certificate(
    entries: &[minsheng_kit::journal::feed::JournalRecord],
    institution: &str,
    on: i64,
) -> (Option<common::Date>, Option<common::Date>) {
    let rows = rows_on::<pb::InstitutionRow>(entries, on);
    let row = rows.get(institution).expect("the institution has an entry");
    (row.age_friendly_from, row.age_friendly_to)
}

#[tokio::test]
async fn a_certificate_stands_in_the_institutions_row_from_the_day_of_the_assessment_until_it_is_revoked() {
    for database in databases() {
        let site = Site::start(database, day(2025, 9, 1)).await;
        site.record_institutions(vec![institution("h1", COUNTY, pb::InstitutionClass::GeneralHospital)]).await;
        let mut client = AgeFriendlyAssessmentServiceClient::new(site.channel("operator"));

        let created = create(&mut client, 10, assessment("a1", "h1", date(2025, 3, 1))).await.expect("created");
        assert!(created.passed);
        assert_eq!(created.total_score, 82);
        assert_eq!((created.certificate_from, created.certificate_to), (date(2025, 3, 1), date(2028, 2, 29)));

        // The institution has a new version, so that whoever saw the old one learns of the change.
        let mut institutions = InstitutionServiceClient::new(site.channel("operator"));
        let get = pb::GetInstitutionRequest { name: "institutions/h1".to_owned(), ..Default::default() };
        let meta = institutions.get_institution(get).await.expect("there").into_inner().institution;
        let meta = meta.expect("in the answer").meta.expect("meta");
        assert_eq!((meta.etag.as_str(), meta.effective_on), ("v2", date(2025, 3, 1)));
        // A later correction of the institution is seen by readers of the days after the certificate, and keeps it.
        let update = pb::UpdateInstitutionRequest {
            request_id: request_id(11),
            institution: Some(pb::Institution {
                name: "institutions/h1".to_owned(),
                level: 3,
                ..pb::Institution::default()
            }),
            etag: meta.etag,
            update_mask: Some(prost_types::FieldMask { paths: vec!["level".to_owned()] }),
            ..Default::default()
        };
        institutions.update_institution(update).await.expect("updated");

        let revoked = revoke(&mut client, 12, &created, date(2025, 8, 1)).await;
        assert_eq!(revoked.certificate_to, date(2025, 7, 31));

        let entries = site.journal("health.institutions").await;
        let (opened, certified) = (epoch(2015, 5, 1), epoch(2025, 3, 1));
        // Opened; divided on the day of the certificate; the grade and the revocation replace what stands since then.
        let replaced = [(-1, certified), (1, certified)];
        let told_so = [(1, opened), (-1, opened), (1, opened), (1, certified)];
        assert_eq!(told(&entries, "h1"), [&told_so[..], &replaced, &replaced].concat());
        assert_eq!(certificate(&entries, "h1", epoch(2025, 2, 28)), (None, None));
        for seen in [epoch(2025, 3, 1), epoch(2025, 8, 31)] {
            assert_eq!(certificate(&entries, "h1", seen), (date(2025, 3, 1), date(2025, 7, 31)));
            assert_eq!(rows_on::<pb::InstitutionRow>(&entries, seen)["h1"].level, 3);
        }
        // Before the revocation was recorded, the certificate ran its full term.
        let before = writes_of(&entries, "h1", 2);
        assert_eq!(certificate(&before, "h1", epoch(2025, 8, 31)), (date(2025, 3, 1), date(2028, 2, 29)));
    }
}

#[tokio::test]
async fn the_latest_certificate_wins_and_a_withdrawn_one_gives_way_to_the_one_before() {
    for database in databases() {
        let site = Site::start(database, day(2025, 9, 1)).await;
        site.record_institutions(vec![institution("h1", COUNTY, pb::InstitutionClass::TownshipHealthCentre)]).await;
        let mut client = AgeFriendlyAssessmentServiceClient::new(site.channel("operator"));
        // The later one is recorded first.
        let later = create(&mut client, 10, assessment("later", "h1", date(2025, 6, 1))).await.expect("created");
        let earlier = create(&mut client, 11, assessment("earlier", "h1", date(2023, 6, 1))).await.expect("created");
        // A failed check gives no certificate and takes none.
        let failed = pb::AgeFriendlyAssessment { mandatory_met: false, ..assessment("failed", "h1", date(2025, 8, 1)) };
        let failed = create(&mut client, 12, failed).await.expect("recorded");
        assert_eq!((failed.passed, failed.certificate_from), (false, None));
        withdraw(&mut client, 13, &later).await;
        withdraw(&mut client, 14, &earlier).await;

        let entries = site.journal("health.institutions").await;
        let (first, second) = ((date(2023, 6, 1), date(2026, 5, 31)), (date(2025, 6, 1), date(2028, 5, 31)));
        let at = |writes: usize, on| certificate(&writes_of(&entries, "h1", writes), "h1", on);
        // Opened; the later one; the earlier one, which leaves the later day as it was.
        assert_eq!(at(2, epoch(2025, 7, 1)), second);
        assert_eq!(at(3, epoch(2025, 7, 1)), second);
        assert_eq!(at(3, epoch(2025, 5, 31)), first);
        // The later one withdrawn, then the earlier one, on both days.
        assert_eq!(at(4, epoch(2025, 7, 1)), first);
        assert_eq!(at(5, epoch(2025, 7, 1)), (None, None));
        assert_eq!(at(5, epoch(2024, 1, 1)), (None, None));
        // What is left is one state again, since the opening.
        assert_eq!(told(&entries, "h1").len(), 13);
        assert_eq!(told(&entries, "h1").last(), Some(&(1, epoch(2015, 5, 1))));
    }
}

#[tokio::test]
async fn an_upload_is_judged_item_by_item_and_a_resumed_one_records_nothing_twice() {
    use common::ItemOutcome::{Created, Rejected};
    for database in databases() {
        let site = Site::start(database, day(2025, 9, 1)).await;
        let mut institutions: Vec<_> = (0..1200)
            .map(|n| institution(&format!("t{n}"), COUNTY, pb::InstitutionClass::TownshipHealthCentre))
            .collect();
        institutions.push(institution("clinic", COUNTY, pb::InstitutionClass::Clinic));
        institutions.push(institution("other", "540121", pb::InstitutionClass::GeneralHospital));
        site.record_institutions(institutions).await;
        let mut client = AgeFriendlyAssessmentServiceClient::new(site.channel("operator"));

        let many = (0..1200).map(|n| assessment(&format!("a{n}"), &format!("t{n}"), date(2025, 3, 1))).collect();
        let bad = vec![
            assessment("b0", "clinic", date(2025, 3, 1)),
            assessment("b1", "nowhere", date(2025, 3, 1)),
            assessment("b2", "other", date(2025, 3, 1)),
            assessment("b3", "t1", date(2014, 3, 1)),
            assessment("b4", "t2", date(2025, 10, 1)),
            pb::AgeFriendlyAssessment { revoked_on: date(2025, 2, 1), ..assessment("b5", "t3", date(2025, 3, 1)) },
            pb::AgeFriendlyAssessment { culture_score: 101, ..assessment("b6", "t4", date(2025, 3, 1)) },
            assessment("good", "t5", date(2025, 4, 1)),
        ];
        let chunk = |number, age_friendly_assessments| pb::UploadAgeFriendlyAssessmentsRequest {
            upload_id: request_id(20),
            chunk: number,
            validate_only: false,
            age_friendly_assessments,
        };
        let chunks = [chunk(0, many), chunk(1, bad)];
        // The connection is cut after the first answer.
        let mut answers = client
            .upload_age_friendly_assessments(tokio_stream::iter(chunks.clone()))
            .await
            .expect("accepted")
            .into_inner();
        let first = answers.message().await.expect("answered").expect("an answer");
        drop(answers);
        assert_eq!(first.results.len(), 1200);
        assert_all_created(&first.results);
        let mut answers =
            client.upload_age_friendly_assessments(tokio_stream::iter(chunks)).await.expect("accepted").into_inner();
        let again = answers.message().await.expect("answered").expect("an answer");
        assert_eq!(again, first);
        let second = answers.message().await.expect("answered").expect("an answer");
        assert_eq!(
            outcomes(&second.results),
            [
                (Rejected, vec!["CLASS_NOT_ASSESSED"]),
                (Rejected, vec!["NO_SUCH_RECORD"]),
                (Rejected, vec!["OTHER_COUNTY"]),
                (Rejected, vec!["PARAMETER_NOT_IN_FORCE"]),
                (Rejected, vec!["IN_FUTURE"]),
                (Rejected, vec!["BEFORE_CERTIFICATE"]),
                (Rejected, vec!["CONTRACT_RULE"]),
                (Created, vec![]),
            ]
        );

        let entries = site.journal("health.institutions").await;
        let certified = rows_on::<pb::InstitutionRow>(&entries, epoch(2025, 9, 1));
        let certified = certified.values().filter(|row| row.age_friendly_from.is_some()).count();
        assert_eq!(certified, 1200);
        // One entry for each institution; three for each first certificate: retracted, until its day, from its day on. The
        // second one of t5 divides what the first one left.
        assert_eq!(entries.len(), 1202 + 3 * (1200 + 1));
    }
}

#[tokio::test]
async fn an_assessment_cannot_move_to_another_institution() {
    for database in databases() {
        let site = Site::start(database, day(2025, 9, 1)).await;
        site.record_institutions(vec![
            institution("h1", COUNTY, pb::InstitutionClass::GeneralHospital),
            institution("h2", COUNTY, pb::InstitutionClass::GeneralHospital),
        ])
        .await;
        let mut client = AgeFriendlyAssessmentServiceClient::new(site.channel("operator"));
        let created = create(&mut client, 10, assessment("a1", "h1", date(2025, 3, 1))).await.expect("created");
        let request = pb::UpdateAgeFriendlyAssessmentRequest {
            request_id: request_id(11),
            age_friendly_assessment: Some(assessment("a1", "h2", date(2025, 3, 1))),
            etag: created.meta.as_ref().expect("meta").etag.clone(),
            ..Default::default()
        };
        let refused = client.update_age_friendly_assessment(request).await.expect_err("refused");
        assert_eq!(refused.code(), Code::InvalidArgument);
        let list = pb::ListAgeFriendlyAssessmentsRequest { area: COUNTY.to_owned(), ..Default::default() };
        let page = client.list_age_friendly_assessments(list).await.expect("listed").into_inner();
        assert_eq!(page.age_friendly_assessments, [created]);
        site.service.stop().await.expect("stops");
    }
}
