//! What a household's record must satisfy, and what dibao pays. Pure.

mod amount;
mod category;
mod decision;
mod grounds;
mod persons;

pub use amount::{Means, Payment, RoundingRule, Standard, banded, monthly_amount};
pub use category::{Lines, Recognition, check_category, check_recognition};
pub(super) use decision::{category_period, check_memberships, decide, member_indexes};
pub use grounds::{Former, check_grade};
pub use persons::{amount_of_single_persons, check_members, check_single_persons};
