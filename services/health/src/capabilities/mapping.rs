//! The contract's `CapabilityService` over the register.

use chrono::NaiveDate;
use minsheng_kit::{
    error::Violations,
    register::{Declared as _, Head, Register, RuleContext, day},
};
use minsheng_proto::health::v1 as pb;

use super::rules::check_capability;
use crate::schema::CapabilityRecord;

/// The register of capabilities.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities;

impl Register for Capabilities {
    type Record = CapabilityRecord;
    type Row = pb::CapabilityRow;

    fn validate(
        &self,
        capability: &pb::Capability,
        head: Head,
        _: Option<&CapabilityRecord>,
        context: RuleContext<'_>,
    ) -> Result<CapabilityRecord, Violations> {
        let mut violations = Violations::new();
        let record = CapabilityRecord::read(capability, head, context, &mut violations);
        check_capability(&record, &mut violations);
        violations.into_result(record)
    }

    fn effective_on(&self, capability: &pb::Capability, today: NaiveDate) -> NaiveDate {
        capability.held_from.as_ref().and_then(day).unwrap_or(today)
    }
}

minsheng_kit::register_api! {
    package: minsheng_proto::health::v1,
    register: Capabilities,
    resource: Capability as capability,
    plural: Capabilities as capabilities,
}
