// Written by `just gen` from `proto/minsheng/returns/v1/milestone_service.proto`: change the contract instead.

//! 里程碑: the table `milestones` and its record.

use crate::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::returns::v1 as pb;

crate::register_table! {
    /// One step that a commitment names: a document issued, an application filed, a building opened.
    milestones => MilestoneRecord {
        /// The commitment, by its id in the catalogue.
        commitment: Text = String,
        /// What it is about, as `west-china-hospital`. The catalogue names those that fulfil a target.
        subject: Text = String,
        /// Name of the step.
        title: Text = String,
        /// How far it is.
        milestone_state: BigInt = i64,
        /// Day on which it was done, or came under way; required for those.
        happened_on: Nullable<BigInt> = Option<i64>,
        /// Number of the document, or where it can be seen; required when done.
        evidence: Text = String,
        /// Where this is known from.
        source: Text = String,
        /// How sure the reporter is.
        confidence: BigInt = i64,
        /// Where its filing stands; one that is changed needs a new approval. Output only.
        filing_state: BigInt = i64,
        /// The officer who files or changes it, by the department's own number, never by name. Required: a step without
        /// one is refused.
        filed_by: Text = String,
        /// The officer who approved it as it stands, another one than filed it. Output only.
        approved_by: Text = String,
    }
}

impl Declared for MilestoneRecord {
    type Resource = pb::Milestone;
    type Row = pb::MilestoneRow;

    const FIELDS: &'static [&'static str] = &[
        "commitment",
        "subject",
        "title",
        "milestone_state",
        "happened_on",
        "evidence",
        "source",
        "confidence",
        "filing_state",
        "filed_by",
        "approved_by",
    ];

    fn read(resource: &pb::Milestone, head: Head, context: RuleContext<'_>, violations: &mut Violations) -> Self {
        Self {
            commitment: resource.commitment.clone(),
            subject: resource.subject.clone(),
            title: resource.title.clone(),
            milestone_state: declared::enum_field::<pb::MilestoneState>(
                "milestone_state",
                resource.milestone_state,
                violations,
            ) as i64,
            happened_on: declared::not_after_today(
                "happened_on",
                declared::optional_day("happened_on", resource.happened_on.as_ref(), violations),
                context,
                violations,
            ),
            evidence: resource.evidence.clone(),
            source: resource.source.clone(),
            confidence: i64::from(resource.confidence),
            filed_by: resource.filed_by.clone(),
            ..Self::with_head(head)
        }
    }

    fn resource(&self, _: RuleContext<'_>, _: bool) -> Result<pb::Milestone, Error> {
        Ok(pb::Milestone {
            commitment: self.commitment.clone(),
            subject: self.subject.clone(),
            title: self.title.clone(),
            milestone_state: declared::enum_number(self.milestone_state),
            happened_on: self.happened_on.and_then(declared::date),
            evidence: self.evidence.clone(),
            source: self.source.clone(),
            confidence: declared::enum_number(self.confidence),
            filing_state: declared::enum_number(self.filing_state),
            filed_by: self.filed_by.clone(),
            approved_by: self.approved_by.clone(),
            ..pb::Milestone::default()
        })
    }

    fn row(&self) -> pb::MilestoneRow {
        pb::MilestoneRow {
            commitment: self.commitment.clone(),
            subject: self.subject.clone(),
            milestone_state: declared::enum_number(self.milestone_state),
            happened_on: self.happened_on.and_then(declared::date),
            evidence: self.evidence.clone(),
            confidence: declared::enum_number(self.confidence),
            source: self.source.clone(),
            filing_state: declared::enum_number(self.filing_state),
        }
    }

    fn references(&self) -> Vec<declared::Named<'_>> {
        Vec::new()
    }

    fn natural_id(resource: &pb::Milestone, _: RuleContext<'_>) -> Option<String> {
        Some(declared::natural_key(&[&resource.commitment, &resource.subject, &resource.area]))
    }

    fn take_field(field: &str, from: &pb::Milestone, to: &mut pb::Milestone) -> bool {
        match field {
            "commitment" => to.commitment.clone_from(&from.commitment),
            "subject" => to.subject.clone_from(&from.subject),
            "title" => to.title.clone_from(&from.title),
            "milestone_state" => to.milestone_state = from.milestone_state,
            "happened_on" => to.happened_on = from.happened_on,
            "evidence" => to.evidence.clone_from(&from.evidence),
            "source" => to.source.clone_from(&from.source),
            "confidence" => to.confidence = from.confidence,
            "filing_state" => to.filing_state = from.filing_state,
            "filed_by" => to.filed_by.clone_from(&from.filed_by),
            "approved_by" => to.approved_by.clone_from(&from.approved_by),
            _ => return false,
        }
        true
    }

    fn clear_decided(resource: &mut pb::Milestone) {
        resource.filing_state = 0;
        resource.approved_by = String::new();
    }

    fn restore_decided(&mut self, resource: &pb::Milestone) {
        self.filing_state = i64::from(resource.filing_state);
        self.approved_by.clone_from(&resource.approved_by);
    }
}
