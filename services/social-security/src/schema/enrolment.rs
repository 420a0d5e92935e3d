// Written by `just gen` from `proto/minsheng/socialsecurity/v1/enrolment_service.proto`: change the contract instead.

//! 参保登记: the table `enrolments` and its record.

use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::social_security::v1 as pb;

minsheng_kit::register_table! {
    /// One enrolment of one person in one scheme, or an application for it.
    enrolments => EnrolmentRecord {
        /// Identity number, sealed.
        resident: Binary = Vec<u8>,
        /// Keyed blind index of the person.
        resident_index: Binary = Vec<u8>,
        /// Pseudonym of the person in the dataset.
        person: Text = String,
        /// The scheme.
        scheme: BigInt = i64,
        /// By what title.
        entry_kind: BigInt = i64,
        /// Division of the registered residence (six digits, old codes allowed).
        registration_area: Text = String,
        /// Day of the application.
        applied_on: BigInt = i64,
        /// What was decided.
        decision: BigInt = i64,
        /// Day of the decision; required unless pending.
        decided_on: Nullable<BigInt> = Option<i64>,
        /// Why it was refused; required when it was.
        refusal_reason: BigInt = i64,
        /// First day of cover; required when admitted.
        covered_from: Nullable<BigInt> = Option<i64>,
        /// Last day of cover; absent while it goes on.
        covered_to: Nullable<BigInt> = Option<i64>,
        /// Who pays.
        premium_payer: BigInt = i64,
        /// The person's contribution a year, in fen.
        yearly_contribution_fen: BigInt = i64,
        /// True when the registered residence lies in another county than the record.
        registered_elsewhere: Bool = bool,
    }
}

impl Declared for EnrolmentRecord {
    type Resource = pb::Enrolment;
    type Row = pb::EnrolmentRow;

    const FIELDS: &'static [&'static str] = &[
        "resident_id",
        "scheme",
        "entry_kind",
        "registration_area",
        "applied_on",
        "decision",
        "decided_on",
        "refusal_reason",
        "covered_from",
        "covered_to",
        "premium_payer",
        "yearly_contribution_fen",
    ];

    fn read(resource: &pb::Enrolment, head: Head, context: RuleContext<'_>, violations: &mut Violations) -> Self {
        let resident =
            declared::person("enrolments.resident", "resident_id", &resource.resident_id, context, violations);
        Self {
            resident: resident.sealed,
            resident_index: resident.index,
            person: resident.pseudonym,
            scheme: declared::enum_field::<pb::Scheme>("scheme", resource.scheme, violations) as i64,
            entry_kind: declared::enum_field::<pb::EntryKind>("entry_kind", resource.entry_kind, violations) as i64,
            registration_area: resource.registration_area.clone(),
            applied_on: declared::required_day("applied_on", resource.applied_on.as_ref(), violations),
            decision: declared::enum_field::<pb::EnrolmentDecision>("decision", resource.decision, violations) as i64,
            decided_on: declared::optional_day("decided_on", resource.decided_on.as_ref(), violations),
            refusal_reason: i64::from(resource.refusal_reason),
            covered_from: declared::optional_day("covered_from", resource.covered_from.as_ref(), violations),
            covered_to: declared::optional_day("covered_to", resource.covered_to.as_ref(), violations),
            premium_payer: i64::from(resource.premium_payer),
            yearly_contribution_fen: resource.yearly_contribution_fen,
            ..Self::with_head(head)
        }
    }

    fn resource(&self, context: RuleContext<'_>, reveal: bool) -> Result<pb::Enrolment, Error> {
        Ok(pb::Enrolment {
            resident_id: declared::shown_person("enrolments.resident", &self.resident, context, reveal)?,
            scheme: declared::enum_number(self.scheme),
            entry_kind: declared::enum_number(self.entry_kind),
            registration_area: self.registration_area.clone(),
            applied_on: declared::date(self.applied_on),
            decision: declared::enum_number(self.decision),
            decided_on: self.decided_on.and_then(declared::date),
            refusal_reason: declared::enum_number(self.refusal_reason),
            covered_from: self.covered_from.and_then(declared::date),
            covered_to: self.covered_to.and_then(declared::date),
            premium_payer: declared::enum_number(self.premium_payer),
            yearly_contribution_fen: self.yearly_contribution_fen,
            ..pb::Enrolment::default()
        })
    }

    fn row(&self) -> pb::EnrolmentRow {
        pb::EnrolmentRow {
            person: self.person.clone(),
            scheme: declared::enum_number(self.scheme),
            entry_kind: declared::enum_number(self.entry_kind),
            registered_elsewhere: self.registered_elsewhere,
            decision: declared::enum_number(self.decision),
            refusal_reason: declared::enum_number(self.refusal_reason),
            applied_on: declared::date(self.applied_on),
            decided_on: self.decided_on.and_then(declared::date),
            covered_from: self.covered_from.and_then(declared::date),
            covered_to: self.covered_to.and_then(declared::date),
            premium_payer: declared::enum_number(self.premium_payer),
            yearly_contribution_fen: self.yearly_contribution_fen,
            ..pb::EnrolmentRow::default()
        }
    }

    fn references(&self) -> Vec<declared::Named<'_>> {
        Vec::new()
    }

    fn natural_id(_: &pb::Enrolment, _: RuleContext<'_>) -> Option<String> {
        None
    }

    fn take_field(field: &str, from: &pb::Enrolment, to: &mut pb::Enrolment) -> bool {
        match field {
            "resident_id" => to.resident_id.clone_from(&from.resident_id),
            "scheme" => to.scheme = from.scheme,
            "entry_kind" => to.entry_kind = from.entry_kind,
            "registration_area" => to.registration_area.clone_from(&from.registration_area),
            "applied_on" => to.applied_on = from.applied_on,
            "decision" => to.decision = from.decision,
            "decided_on" => to.decided_on = from.decided_on,
            "refusal_reason" => to.refusal_reason = from.refusal_reason,
            "covered_from" => to.covered_from = from.covered_from,
            "covered_to" => to.covered_to = from.covered_to,
            "premium_payer" => to.premium_payer = from.premium_payer,
            "yearly_contribution_fen" => to.yearly_contribution_fen = from.yearly_contribution_fen,
            _ => return false,
        }
        true
    }

    fn clear_decided(_: &mut pb::Enrolment) {}

    fn restore_decided(&mut self, _: &pb::Enrolment) {}
}
