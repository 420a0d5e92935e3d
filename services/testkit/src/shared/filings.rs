//! Returns and milestones.

use minsheng_kit::{
    assembly::Definition,
    catalogue::{Catalogue, Entry, Form},
    clients::DepartmentChannel,
};
use minsheng_proto::{
    common::v1::{self as common, ItemOutcome},
    returns::v1 as pb,
};
use pb::{ReturnState, milestone_service_client::MilestoneServiceClient, return_service_client::ReturnServiceClient};
use prost::Message as _;
use tonic::Code;

use super::{Site, date, refused, request_id, tampered};
use crate::{databases, refused_fields};

#[expect(clippy::unnecessary_wraps, reason = "the field is an Option")]
fn month(year: i32, month: i32) -> Option<common::YearMonth> {
    Some(common::YearMonth { year, month })
}

impl Site {
    /// Returns the service's first commitment whose primary measure has a form, and the unit; of all areas or of some.
    fn commitment(&self, form: Form, scoped: bool) -> Option<(&'static str, &'static str)> {
        let own = |entry: &&Entry| entry.commitment.service == self.definition.department;
        Catalogue::shipped().entries.iter().filter(own).find_map(|entry| {
            let fits = entry.commitment.scope.is_empty() != scoped && entry.primary().form == form;
            let fits = fits && entry.primary().known_whole.is_none();
            fits.then(|| (entry.commitment.id.as_str(), entry.primary().unit.en.as_str()))
        })
    }

    /// A share of a county in January 2026.
    fn share(&self, numerator: f64, denominator: f64) -> pb::Return {
        let (commitment, unit) = self.commitment(Form::Share, false).expect("every service has one");
        pb::Return {
            area: "540102".to_owned(),
            commitment: commitment.to_owned(),
            month: month(2026, 1),
            numerator: Some(numerator),
            denominator: Some(denominator),
            unit: unit.to_owned(),
            source: "monthly return".to_owned(),
            filed_by: FILER.to_owned(),
            ..pb::Return::default()
        }
    }

    /// A step that is planned.
    fn milestone(&self) -> pb::Milestone {
        let (commitment, _) = self.commitment(Form::Figure, false).expect("every service has one");
        pb::Milestone {
            area: "540000".to_owned(),
            commitment: commitment.to_owned(),
            subject: "first".to_owned(),
            title: "方案印发".to_owned(),
            milestone_state: pb::MilestoneState::Planned.into(),
            source: "plan".to_owned(),
            filed_by: FILER.to_owned(),
            ..pb::Milestone::default()
        }
    }
}

/// Who files, and who approves.
const FILER: &str = "0107";
const APPROVER: &str = "0231";

async fn submit(
    client: &mut ReturnServiceClient<DepartmentChannel>,
    n: u128,
    returns: Vec<pb::Return>,
) -> Vec<common::ItemResult> {
    let request = pb::SubmitReturnsRequest { request_id: request_id(n), returns };
    client.submit_returns(request).await.expect("answered").into_inner().results
}

fn outcomes(results: &[common::ItemResult]) -> Vec<ItemOutcome> {
    results.iter().map(common::ItemResult::outcome).collect()
}

fn faults(result: &common::ItemResult) -> Vec<(&str, &str)> {
    result.violations.iter().map(|violation| (violation.field.as_str(), violation.reason.as_str())).collect()
}

fn etag(filed: &pb::Return) -> String {
    filed.meta.clone().expect("meta").etag
}

/// A batch is answered figure by figure by the contract and by the commitment.
pub async fn a_batch_is_answered_figure_by_figure_by_the_contract_and_by_the_commitment(
    definition: &'static Definition,
) {
    for database in databases() {
        let site = Site::start(definition, database).await;
        let mut client = ReturnServiceClient::new(site.channel("operator"));
        let (count, unit) = site.commitment(Form::Figure, false).expect("every service has one");
        let figure = pb::Return {
            denominator: None,
            commitment: count.to_owned(),
            unit: unit.to_owned(),
            ..site.share(7.0, 0.0)
        };
        let elsewhere =
            Catalogue::shipped().entries.iter().find(|entry| entry.commitment.service != definition.department);
        let elsewhere = elsewhere.expect("one").commitment.id.clone();
        let mut batch = vec![
            site.share(40.0, 50.0),
            figure.clone(),
            pb::Return { month: month(2026, 2), unit: "furlongs".to_owned(), ..site.share(1.0, 2.0) },
            pb::Return { month: month(2026, 2), ..site.share(3.0, 2.0) },
            pb::Return { month: month(2026, 4), ..site.share(1.0, 2.0) },
            pb::Return { denominator: Some(2.0), month: month(2026, 2), ..figure },
            pb::Return { month: None, source: String::new(), numerator: Some(-1.0), ..site.share(1.0, 2.0) },
            pb::Return { month: month(2026, 2), measure: "no-such-measure".to_owned(), ..site.share(1.0, 2.0) },
            pb::Return { month: month(2026, 2), commitment: elsewhere, ..site.share(1.0, 2.0) },
        ];
        if let Some((scoped, unit)) = site.commitment(Form::Share, true) {
            // Applies to Lhasa alone, and this county lies in Shigatse.
            let area = "540202".to_owned();
            batch.push(pb::Return {
                commitment: scoped.to_owned(),
                unit: unit.to_owned(),
                area,
                ..site.share(1.0, 2.0)
            });
        }
        let results = submit(&mut client, 1, batch.clone()).await;
        let expected = [ItemOutcome::Created, ItemOutcome::Created].into_iter();
        let expected: Vec<_> = expected.chain(std::iter::repeat_n(ItemOutcome::Rejected, batch.len() - 2)).collect();
        assert_eq!(outcomes(&results), expected);
        for (index, fault) in [
            (2, ("unit", "WRONG_UNIT")),
            (3, ("numerator", "ABOVE_DENOMINATOR")),
            (4, ("month", "IN_FUTURE")),
            (5, ("denominator", "NOT_A_RATE")),
            (7, ("measure", "UNKNOWN_MEASURE")),
        ] {
            assert_eq!(faults(&results[index]), [fault]);
        }
        let broken: Vec<&str> = faults(&results[6]).into_iter().map(|(field, _)| field).collect();
        assert_eq!(broken, ["month", "numerator", "source"]);
        assert!(faults(&results[8]).contains(&("commitment", "OTHER_DEPARTMENT")), "{:?}", results[8]);
        if let Some(result) = results.get(9) {
            assert_eq!(faults(result), [("area", "OUT_OF_SCOPE")]);
        }
        assert_eq!(submit(&mut client, 1, batch.clone()).await, results, "the same request gets the first answer");
        let again = submit(&mut client, 2, batch[..2].to_vec()).await;
        assert_eq!(outcomes(&again), [ItemOutcome::Unchanged, ItemOutcome::Unchanged]);
        let corrected = submit(&mut client, 3, vec![site.share(41.0, 50.0)]).await;
        assert_eq!(
            faults(&corrected[0]),
            [("name", "RECORD_EXISTS")],
            "a figure in force is corrected, not filed over"
        );
        site.stop().await;
    }
}

/// A figure is corrected with its reason approved withdrawn and filed again and its history stays.
pub async fn a_figure_is_corrected_with_its_reason_approved_withdrawn_and_filed_again_and_its_history_stays(
    definition: &'static Definition,
) {
    for database in databases() {
        let site = Site::start(definition, database).await;
        let mut client = ReturnServiceClient::new(site.channel("operator"));
        let name = submit(&mut client, 1, vec![site.share(40.0, 50.0)]).await.remove(0).name;
        let approve = |n, etag: &str| pb::ApproveReturnRequest {
            request_id: request_id(n),
            name: name.clone(),
            etag: etag.to_owned(),
            officer: APPROVER.to_owned(),
        };
        let own = pb::ApproveReturnRequest { officer: FILER.to_owned(), ..approve(30, "v1") };
        refused(client.approve_return(own).await, Code::FailedPrecondition, "another officer approves");
        let approved = client.approve_return(approve(2, "v1")).await.expect("approved").into_inner().r#return;
        let approved = approved.expect("in the answer");
        assert_eq!((approved.return_state(), etag(&approved).as_str()), (ReturnState::Approved, "v2"));
        assert_eq!((approved.filed_by.as_str(), approved.approved_by.as_str()), (FILER, APPROVER));
        let again = submit(&mut client, 3, vec![site.share(40.0, 50.0)]).await;
        assert_eq!(outcomes(&again), [ItemOutcome::Unchanged], "the same figure, though it was approved");

        let correct = |n, numerator, etag: &str, reason: &str| pb::CorrectReturnRequest {
            request_id: request_id(n),
            r#return: Some(pb::Return { name: name.clone(), ..site.share(numerator, 50.0) }),
            etag: etag.to_owned(),
            reason: reason.to_owned(),
        };
        refused(client.correct_return(correct(4, 41.0, "v2", "")).await, Code::InvalidArgument, "reason");
        refused(client.correct_return(correct(5, 41.0, "v1", "typing error")).await, Code::Aborted, &name);
        refused(
            client.correct_return(correct(6, 51.0, "v2", "typing error")).await,
            Code::InvalidArgument,
            "return.numerator",
        );
        for (n, field, other) in [
            (20, "return.area", pb::Return { area: "540103".to_owned(), ..site.share(41.0, 50.0) }),
            (21, "return.month", pb::Return { month: month(2026, 2), ..site.share(41.0, 50.0) }),
            (22, "return.commitment", pb::Return { commitment: "other".to_owned(), ..site.share(41.0, 50.0) }),
            (23, "return.measure", pb::Return { measure: "other".to_owned(), ..site.share(41.0, 50.0) }),
        ] {
            let mut request = correct(n, 41.0, "v2", "typing error");
            request.r#return = Some(pb::Return { name: name.clone(), ..other });
            let status = client.correct_return(request).await.expect_err("filed for something else");
            assert_eq!(refused_fields(&status), [field]);
            refused(Err::<(), _>(status), Code::InvalidArgument, "cannot be changed");
        }
        let mut nobody = correct(24, 41.0, "v2", "typing error");
        nobody.r#return.as_mut().expect("set").filed_by = String::new();
        refused(client.correct_return(nobody).await, Code::InvalidArgument, "return.filed_by");
        let corrected = client.correct_return(correct(7, 41.0, "v2", "typing error")).await.expect("corrected");
        let corrected = corrected.into_inner().r#return.expect("in the answer");
        assert_eq!((corrected.numerator, corrected.return_state()), (Some(41.0), ReturnState::Submitted));
        assert_eq!((corrected.correction_reason.as_str(), corrected.approved_by.as_str()), ("typing error", ""));
        client.approve_return(approve(8, "v3")).await.expect("approved again");

        let withdraw = |n, etag: &str| pb::WithdrawReturnRequest {
            request_id: request_id(n),
            name: name.clone(),
            etag: etag.to_owned(),
        };
        let withdrawn = client.withdraw_return(withdraw(9, "v4")).await.expect("withdrawn").into_inner().r#return;
        let get = || pb::GetReturnRequest { name: name.clone(), on: None };
        let kept = client.get_return(get()).await.expect("there").into_inner().r#return;
        assert_eq!(kept, withdrawn);
        assert_eq!(kept.expect("in the answer").return_state(), ReturnState::Withdrawn);
        refused(client.approve_return(approve(10, "v5")).await, Code::FailedPrecondition, "withdrawn");

        let filed = submit(&mut client, 11, vec![site.share(42.0, 50.0)]).await;
        assert_eq!((outcomes(&filed), filed[0].name.as_str()), (vec![ItemOutcome::Created], name.as_str()));
        let now = client.get_return(get()).await.expect("there").into_inner().r#return.expect("in the answer");
        assert_eq!(
            (now.numerator, now.return_state(), etag(&now).as_str()),
            (Some(42.0), ReturnState::Submitted, "v6")
        );
        assert_eq!(now.correction_reason, "", "it was filed again");

        let history = history_of(&site, &name).await;
        let said: Vec<_> = history
            .iter()
            .map(|filed| (etag(filed), filed.numerator, filed.return_state(), filed.correction_reason.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                ("v5".to_owned(), Some(41.0), ReturnState::Withdrawn, "typing error"),
                ("v4".to_owned(), Some(41.0), ReturnState::Approved, "typing error"),
                ("v3".to_owned(), Some(41.0), ReturnState::Submitted, "typing error"),
                ("v2".to_owned(), Some(40.0), ReturnState::Approved, ""),
                ("v1".to_owned(), Some(40.0), ReturnState::Submitted, ""),
            ]
        );
        site.stop().await;
    }
}

/// A batch is approved in one unit of work and each figure is answered.
pub async fn a_batch_is_approved_in_one_unit_of_work_and_each_figure_is_answered(definition: &'static Definition) {
    for database in databases() {
        let site = Site::start(definition, database).await;
        let mut client = ReturnServiceClient::new(site.channel("operator"));
        let mut figures: Vec<pb::Return> = ["540102", "540103", "540121", "540122"]
            .map(|area| pb::Return { area: area.to_owned(), ..site.share(40.0, 50.0) })
            .into();
        APPROVER.clone_into(&mut figures[2].filed_by);
        let filed = submit(&mut client, 1, figures).await;
        let named =
            |place: usize, etag: &str| pb::ReturnApproval { name: filed[place].name.clone(), etag: etag.to_owned() };
        let batch = |n, approvals| pb::ApproveReturnsRequest {
            request_id: request_id(n),
            officer: APPROVER.to_owned(),
            approvals,
        };
        let unknown = pb::ReturnApproval { name: "returns/none".to_owned(), etag: "v1".to_owned() };
        let first = batch(2, vec![named(3, "v7"), named(0, "v1"), unknown, named(2, "v1"), named(1, "v1")]);
        let results = client.approve_returns(first.clone()).await.expect("answered").into_inner().results;
        let rejected = ItemOutcome::Rejected;
        assert_eq!(outcomes(&results), [rejected, ItemOutcome::Created, rejected, rejected, ItemOutcome::Created]);
        assert_eq!(faults(&results[0]), [("etag", "ETAG_MISMATCH")]);
        assert_eq!(faults(&results[2]), [("name", "NOT_FOUND")]);
        assert_eq!(faults(&results[3]), [("officer", "FILER_CANNOT_APPROVE")]);
        let again = client.approve_returns(first).await.expect("answered").into_inner().results;
        assert_eq!(again, results, "the same request gets the first answer");
        let second = batch(3, vec![named(0, "v2"), named(3, "v1")]);
        let second = client.approve_returns(second).await.expect("answered").into_inner().results;
        assert_eq!(outcomes(&second), [ItemOutcome::Unchanged, ItemOutcome::Created]);
        let get = |place: usize| pb::GetReturnRequest { name: filed[place].name.clone(), on: None };
        for (place, state) in [(0, ReturnState::Approved), (2, ReturnState::Submitted), (3, ReturnState::Approved)] {
            let found = client.get_return(get(place)).await.expect("there").into_inner().r#return;
            assert_eq!(found.expect("in the answer").return_state(), state);
        }
        refused(client.approve_returns(batch(4, Vec::new())).await, Code::InvalidArgument, "approvals");
        site.stop().await;
    }
}

/// Reads a return's history, the newest first, two contents a page.
async fn history_of(site: &Site, name: &str) -> Vec<pb::Return> {
    let mut records = site.records();
    let asked = |page_token: String| common::ListRevisionsRequest { name: name.to_owned(), page_size: 2, page_token };
    let mut found = Vec::new();
    let (mut token, mut pages) = (String::new(), 0);
    loop {
        let page = records.list_revisions(asked(token)).await.expect("listed").into_inner();
        assert!(page.revisions.len() <= 2);
        found.extend(page.revisions.into_iter().map(|revision| {
            assert_eq!(revision.department, "operator");
            pb::Return::decode(revision.resource.expect("a content").value.as_slice()).expect("a return")
        }));
        (token, pages) = (page.next_page_token, pages + 1);
        if token.is_empty() {
            assert_eq!(pages, 3);
            return found;
        }
        refused(records.list_revisions(asked(tampered(&token))).await, Code::InvalidArgument, "page_token");
        let other = common::ListRevisionsRequest { name: "returns/other".to_owned(), ..asked(token.clone()) };
        refused(records.list_revisions(other).await, Code::InvalidArgument, "page_token");
    }
}

/// A milestone is reached on its day and with its evidence.
pub async fn a_milestone_is_reached_on_its_day_and_with_its_evidence(definition: &'static Definition) {
    for database in databases() {
        let site = Site::start(definition, database).await;
        let mut client = MilestoneServiceClient::new(site.channel(definition.department));
        let request = pb::CreateMilestoneRequest {
            request_id: request_id(1),
            milestone: Some(site.milestone()),
            effective_on: date(2026, 1, 1),
        };
        let created = client.create_milestone(request).await.expect("created").into_inner();
        let created = created.milestone.expect("in the answer");
        let done = pb::Milestone { milestone_state: pb::MilestoneState::Done.into(), ..created };
        let evident =
            |happened_on| pb::Milestone {
                happened_on, evidence: "藏政办发〔2026〕1号".to_owned(), ..done.clone()
            };
        for (n, milestone, field) in [
            (2, pb::Milestone { happened_on: date(2026, 2, 1), ..done.clone() }, Some("milestone.evidence")),
            (3, evident(None), Some("milestone.happened_on")),
            (4, evident(date(2026, 2, 1)), None),
        ] {
            let update = pb::UpdateMilestoneRequest {
                request_id: request_id(n),
                milestone: Some(milestone),
                etag: "v1".to_owned(),
                effective_on: date(2026, 2, 1),
                ..pb::UpdateMilestoneRequest::default()
            };
            let refused = client.update_milestone(update).await.err().map(|status| refused_fields(&status));
            assert_eq!(refused, field.map(|field| vec![field.to_owned()]));
        }
        site.stop().await;
    }
}

/// What becomes of the approval when a milestone is ended withdrawn and recorded again.
pub async fn an_approval_outlasts_the_end_of_a_milestone_and_not_its_withdrawal(definition: &'static Definition) {
    use pb::FilingState::{Approved, Submitted, Withdrawn};
    for database in databases() {
        let site = Site::start(definition, database).await;
        let mut client = MilestoneServiceClient::new(site.channel(definition.department));
        let create = |n| pb::CreateMilestoneRequest {
            request_id: request_id(n),
            milestone: Some(pb::Milestone { filing_state: Approved.into(), ..site.milestone() }),
            effective_on: date(2026, 1, 1),
        };
        let created = client.create_milestone(create(1)).await.expect("created").into_inner().milestone;
        let created = created.expect("in the answer");
        assert_eq!(created.filing_state(), Submitted, "nobody approves by filing");
        let approve = pb::ApproveMilestoneRequest {
            request_id: request_id(2),
            name: created.name.clone(),
            etag: "v1".to_owned(),
            officer: APPROVER.to_owned(),
        };
        let own =
            pb::ApproveMilestoneRequest { officer: FILER.to_owned(), request_id: request_id(20), ..approve.clone() };
        refused(client.approve_milestone(own).await, Code::FailedPrecondition, "another officer approves");
        let approved = client.approve_milestone(approve).await.expect("approved").into_inner().milestone;
        assert_eq!(approved.expect("in the answer").filing_state(), Approved);
        for (n, etag, kind, ended_on, expected) in [
            (3, "v2", common::EndKind::Ended, date(2026, 3, 1), Approved),
            (4, "v3", common::EndKind::Withdrawn, None, Withdrawn),
        ] {
            let end = pb::EndMilestoneRequest {
                request_id: request_id(n),
                name: created.name.clone(),
                etag: etag.to_owned(),
                kind: kind.into(),
                ended_on,
                ..pb::EndMilestoneRequest::default()
            };
            let ended = client.end_milestone(end).await.expect("ended").into_inner().milestone;
            assert_eq!(ended.expect("in the answer").filing_state(), expected);
        }
        let again = client.create_milestone(create(5)).await.expect("recorded again").into_inner().milestone;
        assert_eq!(again.expect("in the answer").filing_state(), Submitted);
        site.stop().await;
    }
}

/// A batch and a chunk with a bad envelope are refused with all that is wrong in them.
pub async fn a_batch_and_a_chunk_with_a_bad_envelope_are_refused_with_all_that_is_wrong_in_them(
    definition: &'static Definition,
) {
    for database in databases() {
        let site = Site::start(definition, database).await;
        let mut client = ReturnServiceClient::new(site.channel("operator"));
        let bad = pb::Return { month: None, source: String::new(), ..site.share(1.0, 2.0) };
        let returns = vec![site.share(1.0, 2.0), bad];
        let batch = pb::SubmitReturnsRequest { request_id: "first".to_owned(), returns: returns.clone() };
        let refused = client.submit_returns(batch).await.expect_err("no request_id");
        assert_eq!(refused_fields(&refused), ["request_id", "returns[1].month", "returns[1].source"]);

        let chunk = pb::UploadReturnsRequest {
            upload_id: "first".to_owned(),
            chunk: -1,
            validate_only: false,
            returns: returns.clone(),
        };
        let mut answers = client.upload_returns(tokio_stream::iter([chunk])).await.expect("accepted").into_inner();
        let refused = answers.message().await.expect_err("no upload_id");
        assert_eq!(refused_fields(&refused), ["upload_id", "chunk", "returns[1].month", "returns[1].source"]);

        let empty = pb::SubmitReturnsRequest { request_id: request_id(1), returns: Vec::new() };
        assert_eq!(refused_fields(&client.submit_returns(empty).await.expect_err("no figure")), ["returns"]);
        // Nothing of either is there: with a good envelope the good figure is new.
        let results = submit(&mut client, 2, returns).await;
        assert_eq!(outcomes(&results), [ItemOutcome::Created, ItemOutcome::Rejected]);
        site.stop().await;
    }
}
