//! Returns (统计报表) and milestones (里程碑): the two registers that every service has.
//!
//! They carry the commitments that are reported rather than counted from records. What may be filed for a commitment
//! follows from the catalogue, the same that analytics judges by: its unit, its form, its areas.

mod milestones;
mod returns;
mod rules;
pub mod schema;

pub use milestones::{MilestoneRpc, Milestones};
pub use returns::{ReturnRpc, Returns};
