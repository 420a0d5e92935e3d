// Written by `just gen` from the contracts.

//! The tables of the department's registers, and the records of their states.

mod aid_case;
mod funding_record;
mod school;

pub use aid_case::{AidCaseRecord, aid_cases};
pub use funding_record::{FundingRecord, funding_records};
pub use school::{SchoolRecord, schools};

diesel::allow_tables_to_appear_in_same_query!(aid_cases, funding_records, schools);
