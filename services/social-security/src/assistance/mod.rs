//! Households on social assistance (社会救助家庭): members, category, and what dibao pays them.
//!
//! The amount is never taken from a form: the server computes it from the standard in force, in fen, and says which
//! standard that was. Beside the households, the register keeps when each member was in which category, so that
//! the question "in which category is this person on that day" is answered for the past as well.
//!
//! Not kept here: the assets and the necessary spending of a household. A recognition that rests on them is taken as
//! the county decided it; only what the record itself can contradict is refused.

mod rpc;
mod rules;
mod store;

pub use rpc::{AssistanceHouseholdRpc, AssistanceHouseholds};
pub use rules::{
    Lines, Means, Recognition, RoundingRule, check_category, check_members, check_recognition, monthly_amount,
    monthly_standard,
};
pub(crate) use store::strongest_category;
