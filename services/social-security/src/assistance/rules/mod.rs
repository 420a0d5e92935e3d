//! What a household's record must satisfy, and what dibao pays. Pure.

mod amount;
mod category;

pub use amount::{Means, RoundingRule, monthly_amount, monthly_standard};
pub use category::{Lines, Recognition, check_category, check_members, check_recognition};
