// Written by `just gen` from `proto/minsheng/health/v1/capability_service.proto`: change the contract instead.

//! 机构服务能力: the table `capabilities` and its record.

use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::health::v1 as pb;

minsheng_kit::register_table! {
    /// What one institution can do, or takes part in, from a day on.
    capabilities => CapabilityRecord {
        /// The institution, `institutions/{id}`.
        institution: Text = String,
        /// Kind.
        kind: BigInt = i64,
        /// First day.
        held_from: BigInt = i64,
        /// Last day; absent while it goes on.
        held_to: Nullable<BigInt> = Option<i64>,
        /// Edition of the drug list; of that kind only.
        edition: Text = String,
        /// Number of the document, or where it can be seen.
        evidence: Text = String,
    }
}

impl Declared for CapabilityRecord {
    type Resource = pb::Capability;
    type Row = pb::CapabilityRow;

    const FIELDS: &'static [&'static str] = &["institution", "kind", "held_from", "held_to", "edition", "evidence"];

    fn read(resource: &pb::Capability, head: Head, _: RuleContext<'_>, violations: &mut Violations) -> Self {
        Self {
            institution: declared::reference_id("institution", "institutions", &resource.institution, violations),
            kind: declared::enum_field::<pb::CapabilityKind>("kind", resource.kind, violations) as i64,
            held_from: declared::required_day("held_from", resource.held_from.as_ref(), violations),
            held_to: declared::optional_day("held_to", resource.held_to.as_ref(), violations),
            edition: resource.edition.clone(),
            evidence: resource.evidence.clone(),
            ..Self::with_head(head)
        }
    }

    fn resource(&self, _: RuleContext<'_>, _: bool) -> Result<pb::Capability, Error> {
        Ok(pb::Capability {
            institution: declared::reference("institutions", &self.institution),
            kind: declared::enum_number(self.kind),
            held_from: declared::date(self.held_from),
            held_to: self.held_to.and_then(declared::date),
            edition: self.edition.clone(),
            evidence: self.evidence.clone(),
            ..pb::Capability::default()
        })
    }

    fn row(&self) -> pb::CapabilityRow {
        pb::CapabilityRow {
            institution: self.institution.clone(),
            kind: declared::enum_number(self.kind),
            held_from: declared::date(self.held_from),
            held_to: self.held_to.and_then(declared::date),
            edition: self.edition.clone(),
        }
    }

    fn references(&self) -> Vec<declared::Named<'_>> {
        vec![declared::Named {
            field: "institution",
            collection: "institutions",
            same_county: true,
            id: &self.institution,
        }]
    }

    fn natural_id(resource: &pb::Capability, _: RuleContext<'_>) -> Option<String> {
        Some(declared::natural_key(&[
            declared::id_within("institutions", &resource.institution),
            &resource.kind.to_string(),
            &declared::day_part(resource.held_from.as_ref()?)?,
        ]))
    }

    fn take_field(field: &str, from: &pb::Capability, to: &mut pb::Capability) -> bool {
        match field {
            "institution" => to.institution.clone_from(&from.institution),
            "kind" => to.kind = from.kind,
            "held_from" => to.held_from = from.held_from,
            "held_to" => to.held_to = from.held_to,
            "edition" => to.edition.clone_from(&from.edition),
            "evidence" => to.evidence.clone_from(&from.evidence),
            _ => return false,
        }
        true
    }

    fn clear_decided(_: &mut pb::Capability) {}

    fn restore_decided(&mut self, _: &pb::Capability) {}
}
