// Written by `just gen` from the contracts.

//! The tables of the department's registers, and the records of their states.

mod milestone;
mod r#return;

pub use milestone::{MilestoneRecord, milestones};
pub use r#return::{ReturnRecord, returns};

diesel::allow_tables_to_appear_in_same_query!(milestones, returns);
