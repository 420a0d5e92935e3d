// Written by `just gen` from `proto/minsheng/health/v1/result_decision_service.proto`: change the contract instead.

//! 互认记录: the table `result_decisions` and its record.

use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::health::v1 as pb;

minsheng_kit::register_table! {
    /// One decision of a doctor on a result of another institution.
    result_decisions => ResultDecisionRecord {
        /// Number of the report that was shown.
        result_reference: Text = String,
        /// The item.
        item_code: Text = String,
        /// Institution that performed it.
        performing_institution: Text = String,
        /// Day on which it was performed.
        performed_on: BigInt = i64,
        /// Institution whose doctor decided.
        receiving_institution: Text = String,
        /// Day of the decision.
        decided_on: BigInt = i64,
        /// What was decided.
        decision: BigInt = i64,
        /// Why it was not used; required then.
        reason: BigInt = i64,
        /// Free text; required for OTHER_NECESSARY. No personal data.
        explanation: Text = String,
        /// Price of the order saved or repeated, in fen.
        price_fen: BigInt = i64,
        /// True when a certificate held on the day of the test, reaches the receiving institution, and the item's
        /// window had not passed on the day of the decision. Computed; output only.
        recognisable: Bool = bool,
    }
}

impl Declared for ResultDecisionRecord {
    type Resource = pb::ResultDecision;
    type Row = pb::ResultDecisionRow;

    const FIELDS: &'static [&'static str] = &[
        "result_reference",
        "item_code",
        "performing_institution",
        "performed_on",
        "receiving_institution",
        "decided_on",
        "decision",
        "reason",
        "explanation",
        "price_fen",
        "recognisable",
    ];

    fn read(resource: &pb::ResultDecision, head: Head, context: RuleContext<'_>, violations: &mut Violations) -> Self {
        Self {
            result_reference: resource.result_reference.clone(),
            item_code: resource.item_code.clone(),
            performing_institution: declared::reference_id(
                "performing_institution",
                "institutions",
                &resource.performing_institution,
                violations,
            ),
            performed_on: declared::required_day("performed_on", resource.performed_on.as_ref(), violations),
            receiving_institution: declared::reference_id(
                "receiving_institution",
                "institutions",
                &resource.receiving_institution,
                violations,
            ),
            decided_on: declared::not_after_today(
                "decided_on",
                declared::required_day("decided_on", resource.decided_on.as_ref(), violations),
                context,
                violations,
            ),
            decision: declared::enum_field::<pb::RecognitionDecision>("decision", resource.decision, violations) as i64,
            reason: i64::from(resource.reason),
            explanation: resource.explanation.clone(),
            price_fen: resource.price_fen,
            ..Self::with_head(head)
        }
    }

    fn resource(&self, _: RuleContext<'_>, _: bool) -> Result<pb::ResultDecision, Error> {
        Ok(pb::ResultDecision {
            result_reference: self.result_reference.clone(),
            item_code: self.item_code.clone(),
            performing_institution: declared::reference("institutions", &self.performing_institution),
            performed_on: declared::date(self.performed_on),
            receiving_institution: declared::reference("institutions", &self.receiving_institution),
            decided_on: declared::date(self.decided_on),
            decision: declared::enum_number(self.decision),
            reason: declared::enum_number(self.reason),
            explanation: self.explanation.clone(),
            price_fen: self.price_fen,
            recognisable: self.recognisable,
            ..pb::ResultDecision::default()
        })
    }

    fn row(&self) -> pb::ResultDecisionRow {
        pb::ResultDecisionRow {
            item_code: self.item_code.clone(),
            performing_institution: self.performing_institution.clone(),
            receiving_institution: self.receiving_institution.clone(),
            performed_on: declared::date(self.performed_on),
            decided_on: declared::date(self.decided_on),
            decision: declared::enum_number(self.decision),
            reason: declared::enum_number(self.reason),
            recognisable: self.recognisable,
            price_fen: self.price_fen,
        }
    }

    fn references(&self) -> Vec<declared::Named<'_>> {
        vec![
            declared::Named {
                field: "performing_institution",
                collection: "institutions",
                same_county: false,
                id: &self.performing_institution,
            },
            declared::Named {
                field: "receiving_institution",
                collection: "institutions",
                same_county: true,
                id: &self.receiving_institution,
            },
        ]
    }

    fn natural_id(_: &pb::ResultDecision, _: RuleContext<'_>) -> Option<String> {
        None
    }

    fn take_field(field: &str, from: &pb::ResultDecision, to: &mut pb::ResultDecision) -> bool {
        match field {
            "result_reference" => to.result_reference.clone_from(&from.result_reference),
            "item_code" => to.item_code.clone_from(&from.item_code),
            "performing_institution" => to.performing_institution.clone_from(&from.performing_institution),
            "performed_on" => to.performed_on = from.performed_on,
            "receiving_institution" => to.receiving_institution.clone_from(&from.receiving_institution),
            "decided_on" => to.decided_on = from.decided_on,
            "decision" => to.decision = from.decision,
            "reason" => to.reason = from.reason,
            "explanation" => to.explanation.clone_from(&from.explanation),
            "price_fen" => to.price_fen = from.price_fen,
            "recognisable" => to.recognisable = from.recognisable,
            _ => return false,
        }
        true
    }

    fn clear_decided(resource: &mut pb::ResultDecision) {
        resource.recognisable = false;
    }

    fn restore_decided(&mut self, resource: &pb::ResultDecision) {
        self.recognisable = resource.recognisable;
    }
}
