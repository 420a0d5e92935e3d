//! Households on social assistance (社会救助家庭): members, category, and what dibao pays them.
//!
//! The amount is never taken from a form: the server computes it from the standard in force, in fen, and says which
//! standard that was. Dibao pays the difference, or a fixed sum where the county pays by grade; in a fade-out it runs on
//! as it was. Beside the households, the register keeps when each member is in which category, state by state, so that
//! the question "in which category is this person on that day" is one lookup.
//!
//! Not kept here: the assets of a household, and the papers of its necessary spending. A recognition that rests on them is
//! taken as the county decided it; only what the record itself can contradict is refused.

mod mapping;
mod rules;
mod sealed;
mod store;

pub use mapping::{AssistanceHouseholdRpc, AssistanceHouseholds};
pub use rules::{
    Former, Lines, Means, Payment, Recognition, RoundingRule, Standard, amount_of_single_persons, banded,
    check_category, check_grade, check_members, check_recognition, check_single_persons, monthly_amount,
};
pub use store::assistance_members;
pub(crate) use store::strongest_category;
