//! States of enrolments: which cover holds on a day, and who holds the days of a person.

use minsheng_proto::{
    common::v1::{Date, EndKind, RecordState},
    social_security::v1 as pb,
};
use minsheng_testkit::databases;
use pb::{enrolment_service_client::EnrolmentServiceClient, question_service_client::QuestionServiceClient};
use tonic::{Code, Status};

use crate::{
    enrolments::{asking, contains, create, enrolment, update},
    support::{Started, date, day, request_id, start},
};

fn end(n: u128, etag: &str, kind: EndKind, on: Option<Date>) -> pb::EndEnrolmentRequest {
    let (ended_on, effective_on) = if kind == EndKind::TakenBack { (None, on) } else { (on, None) };
    pb::EndEnrolmentRequest {
        request_id: request_id(n),
        name: "enrolments/e1".to_owned(),
        etag: etag.to_owned(),
        kind: kind.into(),
        ended_on,
        effective_on,
    }
}

/// An enrolment of the same person, covered from one day to another.
fn covering(name: &str, from: Option<Date>, to: Option<Date>) -> pb::Enrolment {
    pb::Enrolment { covered_from: from, covered_to: to, ..enrolment(name, 1) }
}

/// A day, and the last day of cover that is answered for it; nothing where it is not covered.
type Answer = ((i32, u32, u32), Option<Date>);

/// Asks for the cover of some days, and requires of the journal that it says the same of the enrolments named.
async fn check_covered(started: &Started, records: &[&str], days: &[Answer]) {
    let mut questions = QuestionServiceClient::new(started.channel("health"));
    for ((year, month, of_month), until) in days {
        let on = date(*year, *month, *of_month);
        let answer = questions.check_coverage(asking(1, on)).await.expect("answered").into_inner();
        assert_eq!((answer.covered, &answer.valid_until), (until.is_some(), until), "{on:?}");
        let key = |date: &Date| (date.year, date.month, date.day);
        let asked = on.as_ref().map(key);
        let told =
            records.iter().filter_map(|name| started.told::<pb::EnrolmentRow>(name, day(*year, *month, *of_month)));
        let covers = told.filter(|row| {
            row.decision() == pb::EnrolmentDecision::Admitted
                && row.covered_from.as_ref().map(key) <= asked
                && row.covered_to.as_ref().is_none_or(|to| Some(key(to)) >= asked)
        });
        assert_eq!(covers.count(), usize::from(until.is_some()), "the journal on {on:?}");
    }
}

fn refused(status: &Status, code: Code) {
    assert_eq!(status.code(), code, "{status:?}");
    assert!(contains(status.details(), b"ALREADY_COVERED") || status.message().contains("covered_from"), "{status:?}");
}

#[tokio::test]
async fn a_planned_change_is_not_yet_true_and_an_earlier_one_leaves_it() {
    for database in databases() {
        let started = start(database).await;
        let mut client = EnrolmentServiceClient::new(started.channel("operator"));
        client.create_enrolment(create(1, enrolment("e1", 1))).await.expect("created");
        // From December on the government pays, until June.
        let december = pb::Enrolment {
            premium_payer: pb::PremiumPayer::Government.into(),
            covered_to: date(2026, 6, 30),
            ..enrolment("e1", 1)
        };
        let request = update(2, "v1", december, &["premium_payer", "covered_to"]);
        let request = pb::UpdateEnrolmentRequest { effective_on: date(2025, 12, 1), ..request };
        client.update_enrolment(request).await.expect("planned");
        // In the autumn she is not covered.
        let autumn = pb::Enrolment { covered_to: date(2025, 9, 30), ..enrolment("e1", 1) };
        let request = update(3, "v2", autumn, &["covered_to"]);
        let request = pb::UpdateEnrolmentRequest { effective_on: date(2025, 8, 1), ..request };
        client.update_enrolment(request).await.expect("changed before it");
        for (on, payer, covered_to) in [
            (None, pb::PremiumPayer::Self_, date(2025, 9, 30)),
            (date(2025, 7, 31), pb::PremiumPayer::Self_, date(2025, 12, 31)),
            (date(2025, 12, 1), pb::PremiumPayer::Government, date(2026, 6, 30)),
        ] {
            let get = pb::GetEnrolmentRequest { name: "enrolments/e1".to_owned(), on };
            let there = client.get_enrolment(get).await.expect("there").into_inner().enrolment.expect("set");
            assert_eq!((there.premium_payer(), there.covered_to), (payer, covered_to), "{on:?}");
        }
        let days = [
            ((2025, 3, 31), None),
            ((2025, 7, 31), date(2025, 9, 30)),
            ((2025, 9, 30), date(2025, 9, 30)),
            ((2025, 10, 1), None),
            ((2025, 11, 30), None),
            ((2025, 12, 1), date(2026, 6, 30)),
            ((2026, 7, 1), None),
        ];
        check_covered(&started, &["e1"], &days).await;
        // The gap is another cover's, and taking the change back takes December from nobody.
        let filling = covering("e2", date(2025, 10, 1), date(2025, 11, 30));
        client.create_enrolment(create(4, filling)).await.expect("the days between are free");
        let longer = covering("e3", date(2025, 12, 1), date(2025, 12, 1));
        refused(&client.create_enrolment(create(5, longer)).await.expect_err("covered"), Code::InvalidArgument);
        client.end_enrolment(end(6, "v3", EndKind::TakenBack, date(2025, 12, 1))).await.expect("taken back");
        let days = [((2025, 9, 30), date(2025, 9, 30)), ((2025, 10, 1), date(2025, 11, 30)), ((2025, 12, 1), None)];
        check_covered(&started, &["e1", "e2"], &days).await;
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_cover_refused_from_a_day_on_was_one_until_then() {
    for database in databases() {
        let started = start(database).await;
        let mut client = EnrolmentServiceClient::new(started.channel("operator"));
        client.create_enrolment(create(1, enrolment("e1", 1))).await.expect("created");
        let lost = pb::Enrolment {
            decision: pb::EnrolmentDecision::Refused.into(),
            refusal_reason: pb::RefusalReason::NotEligible.into(),
            ..covering("e1", None, None)
        };
        let request = update(2, "v1", lost, &["decision", "refusal_reason", "covered_from", "covered_to"]);
        let request = pb::UpdateEnrolmentRequest { effective_on: date(2025, 10, 1), ..request };
        client.update_enrolment(request).await.expect("changed");
        let early = covering("e2", date(2025, 9, 30), None);
        refused(&client.create_enrolment(create(3, early)).await.expect_err("covered"), Code::InvalidArgument);
        client.create_enrolment(create(4, covering("e2", date(2025, 10, 1), None))).await.expect("follows on");
        let mut questions = QuestionServiceClient::new(started.channel("health"));
        let open = questions.check_coverage(asking(1, date(2025, 10, 1))).await.expect("answered").into_inner();
        assert_eq!((open.covered, open.valid_until), (true, None));
        let days = [((2025, 4, 1), date(2025, 9, 30)), ((2025, 9, 30), date(2025, 9, 30))];
        check_covered(&started, &["e1", "e2"], &days).await;
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn an_end_to_come_holds_the_cover_until_its_day_and_is_not_lifted_into_another() {
    for database in databases() {
        let started = start(database).await;
        let mut client = EnrolmentServiceClient::new(started.channel("operator"));
        client.create_enrolment(create(1, enrolment("e1", 1))).await.expect("created");
        let ended = client.end_enrolment(end(2, "v1", EndKind::Ended, date(2025, 11, 1))).await.expect("planned");
        let meta = ended.into_inner().enrolment.and_then(|enrolment| enrolment.meta).expect("meta");
        assert_eq!((meta.state(), meta.ended_on), (RecordState::Active, date(2025, 11, 1)));
        let early = covering("e2", date(2025, 10, 31), None);
        refused(&client.create_enrolment(create(3, early)).await.expect_err("covered"), Code::InvalidArgument);
        let next = covering("e2", date(2025, 11, 1), date(2025, 12, 31));
        client.create_enrolment(create(4, next)).await.expect("free from the end on");
        let lifted = client.end_enrolment(end(5, "v2", EndKind::Lifted, None)).await;
        refused(&lifted.expect_err("the second cover stands there"), Code::FailedPrecondition);
        let days = [
            ((2025, 10, 31), date(2025, 10, 31)),
            ((2025, 11, 1), date(2025, 12, 31)),
            ((2025, 12, 31), date(2025, 12, 31)),
            ((2026, 1, 1), None),
        ];
        check_covered(&started, &["e1", "e2"], &days).await;
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn an_enrolment_resumed_after_a_gap_covers_the_days_around_it_only() {
    for database in databases() {
        let started = start(database).await;
        let mut client = EnrolmentServiceClient::new(started.channel("operator"));
        client.create_enrolment(create(1, enrolment("e1", 1))).await.expect("created");
        client.end_enrolment(end(2, "v1", EndKind::Ended, date(2025, 5, 1))).await.expect("ended");
        let between = covering("e2", date(2025, 6, 1), date(2025, 7, 31));
        client.create_enrolment(create(3, between)).await.expect("the days after the end are free");
        let resumed = |n, month| {
            let request = update(n, "v2", enrolment("e1", 1), &["yearly_contribution_fen"]);
            pb::UpdateEnrolmentRequest { effective_on: date(2025, month, 1), resume: true, ..request }
        };
        let early = client.update_enrolment(resumed(4, 7)).await.expect_err("the other cover holds July");
        refused(&early, Code::InvalidArgument);
        client.update_enrolment(resumed(5, 8)).await.expect("resumed");
        let days = [
            ((2025, 4, 30), date(2025, 4, 30)),
            ((2025, 5, 1), None),
            ((2025, 6, 1), date(2025, 7, 31)),
            ((2025, 8, 1), date(2025, 12, 31)),
        ];
        check_covered(&started, &["e1", "e2"], &days).await;
        started.service.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn a_cover_corrected_to_begin_before_the_application_is_answered_and_told() {
    for database in databases() {
        let started = start(database).await;
        let mut client = EnrolmentServiceClient::new(started.channel("operator"));
        client.create_enrolment(create(1, enrolment("e1", 1))).await.expect("created");
        // Applied for on 3 March; a newborn is covered from the birth on.
        let birth = covering("e1", date(2025, 2, 10), None);
        client.update_enrolment(update(2, "v1", birth, &["covered_from"])).await.expect("corrected");
        let days = [((2025, 2, 9), None), ((2025, 2, 10), date(2025, 12, 31)), ((2025, 3, 3), date(2025, 12, 31))];
        check_covered(&started, &["e1"], &days).await;
        // Withdrawn, it never was; recorded again, it is what is recorded.
        client.end_enrolment(end(3, "v2", EndKind::Withdrawn, None)).await.expect("withdrawn");
        check_covered(&started, &["e1"], &[((2025, 2, 10), None), ((2025, 9, 1), None)]).await;
        client.create_enrolment(create(4, enrolment("e1", 1))).await.expect("created again");
        check_covered(&started, &["e1"], &[((2025, 2, 10), None), ((2025, 9, 1), date(2025, 12, 31))]).await;
        started.service.stop().await.expect("stops");
    }
}
