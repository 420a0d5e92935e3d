//! Cases for the three guarantees (教育三包资格): which pupils have food, lodging and study costs paid.
//!
//! A case of a child of farmers or herders is decided at once. For a child of an urban family in hardship social
//! security is asked, for this case and purpose only, in which category of assistance the household is. While social
//! security does not answer, the case is on record as waiting; the service settles it by itself afterwards.

mod evidence;
mod mapping;
mod rules;
mod store;

pub use evidence::EVIDENCE_FROM;
pub use mapping::{AidCaseRpc, AidCases};
pub use rules::{Decision, decide_at_once, decide_by_category, school_gives};
