//! Returns (统计报表) and milestones (里程碑): the two registers that every service has.
//!
//! They carry the commitments that are reported rather than counted from records. What may be filed for a commitment
//! follows from the catalogue: its unit, its form, its areas. The catalogue's data lies with analytics; [`catalogue`]
//! reads of it what a filing is checked against, and nothing here depends on that crate.

pub mod catalogue;
mod milestones;
mod returns;
mod rules;
pub mod schema;

pub use milestones::{MilestoneRpc, Milestones};
pub use returns::{ReturnRpc, Returns};
