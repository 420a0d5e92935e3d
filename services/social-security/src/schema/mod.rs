// Written by `just gen` from the contracts.

//! The tables of the department's registers, and the records of their states.

mod assistance_household;
mod enrolment;

pub use assistance_household::{AssistanceHouseholdRecord, assistance_households};
pub use enrolment::{EnrolmentRecord, enrolments};

diesel::allow_tables_to_appear_in_same_query!(assistance_households, enrolments);
