//! Capabilities (机构服务能力): what an institution can do, or takes part in, from a day on.

mod mapping;
mod rules;

pub use mapping::{Capabilities, CapabilityRpc};
