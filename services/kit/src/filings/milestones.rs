//! The contract's `MilestoneService`: a document issued, an application filed, a building opened.

use chrono::NaiveDate;
use minsheng_catalogue::Catalogue;
use minsheng_proto::{common::v1 as common, returns::v1 as pb};

use super::{
    rules::{check_approval, check_officer, check_scope, check_step, commitment_of},
    schema::MilestoneRecord,
};
use crate::{
    context::Context,
    error::{Error, Violations},
    register::{Declared as _, Head, Register, RuleContext, day, enum_number},
    rpc,
    values::divisions::AreaCode,
};

/// The register of milestones of one service.
#[derive(Clone, Copy, Debug)]
pub struct Milestones {
    /// The service in dataset names, as `social_security`.
    pub service: &'static str,
    /// The operator's catalogue; none for the one that the software ships with.
    pub catalogue: Option<&'static Catalogue>,
}

impl Milestones {
    /// Returns the register of a service.
    pub fn of(context: &Context) -> Self {
        Self { service: context.service, catalogue: context.catalogue }
    }
}

impl Register for Milestones {
    type Record = MilestoneRecord;
    type Row = pb::MilestoneRow;

    fn kept_by(&self) -> &'static str {
        self.service
    }

    fn keeps_area(&self, _: AreaCode) -> bool {
        true
    }

    fn validate(
        &self,
        milestone: &pb::Milestone,
        head: Head,
        _: Option<&MilestoneRecord>,
        context: RuleContext<'_>,
    ) -> Result<MilestoneRecord, Violations> {
        let mut violations = Violations::new();
        let catalogue = Catalogue::in_use(self.catalogue);
        let department = self.service.replace('_', "-");
        if let Some(entry) = commitment_of(catalogue, &milestone.commitment, &department, &mut violations)
            && let Ok(area) = AreaCode::parse(&head.area)
        {
            check_scope(entry, area, &mut violations);
        }
        let mut record = MilestoneRecord::read(milestone, head, context, &mut violations);
        check_step(milestone.milestone_state(), record.happened_on, &milestone.evidence, &mut violations);
        if !context.carried_over {
            check_officer(&milestone.filed_by, &mut violations);
        }
        // One that is changed is filed again and needs a new approval.
        record.filing_state = pb::FilingState::Submitted as i64;
        violations.into_result(record)
    }

    fn encode(&self, record: &MilestoneRecord, context: RuleContext<'_>, reveal: bool) -> Result<pb::Milestone, Error> {
        Ok(pb::Milestone { filing_state: state_of(record).into(), ..record.resource(context, reveal)? })
    }

    fn row(&self, record: &MilestoneRecord, _: RuleContext<'_>) -> pb::MilestoneRow {
        pb::MilestoneRow { filing_state: state_of(record).into(), ..record.row() }
    }

    fn effective_on(&self, milestone: &pb::Milestone, today: NaiveDate) -> NaiveDate {
        milestone.happened_on.as_ref().and_then(day).unwrap_or(today)
    }

    /// Who changes a step is its filer from then on.
    fn take_always(&self, sent: &pb::Milestone, merged: &mut pb::Milestone) {
        merged.filed_by.clone_from(&sent.filed_by);
    }

    /// Where its filing stands was not a part of what an earlier version kept.
    fn restore(&self, _: &mut MilestoneRecord, _: &pb::Milestone, _: &pb::MilestoneRow) {}

    /// One step of one commitment in one area.
    fn natural_id(&self, milestone: &pb::Milestone, _: RuleContext<'_>) -> Option<String> {
        Some(format!("{}.{}.{}", milestone.commitment, milestone.subject, milestone.area))
    }
}

/// Returns where a milestone's filing stands, for the answer and for the feed.
fn state_of(record: &MilestoneRecord) -> pb::FilingState {
    if record.state == common::RecordState::Withdrawn as i64 {
        return pb::FilingState::Withdrawn;
    }
    pb::FilingState::try_from(enum_number(record.filing_state)).unwrap_or_default()
}

crate::register_api! {
    package: minsheng_proto::returns::v1,
    register: Milestones,
    resource: Milestone as milestone,
    plural: Milestones as milestones,
    create: create,
    beside: {
        async fn approve_milestone(
            &self,
            request: tonic::Request<pb::ApproveMilestoneRequest>,
        ) -> Result<tonic::Response<pb::ApproveMilestoneResponse>, tonic::Status> {
            let (key, message) = rpc::repeatable(Self::SERVICE, "ApproveMilestone", request, |m| &m.request_id)?;
            let pb::ApproveMilestoneRequest { name, etag, officer, .. } = message;
            let approved = self
                .engine
                .transition(key, &name, &etag, move |record, _| {
                    check_approval(&record.filed_by, &officer).map_err(Error::State)?;
                    let (filing_state, approved_by) = (pb::FilingState::Approved as i64, officer.clone());
                    Ok(MilestoneRecord { filing_state, approved_by, ..record.clone() })
                })
                .await?;
            Ok(tonic::Response::new(pb::ApproveMilestoneResponse { milestone: Some(approved) }))
        }
    },
}
