//! Appropriations and payments to schools (经费): what a school was given for a term, and whether it reaches the standard.
//!
//! Standards are sums for a student and a year, and schools are paid by the term, so a term's amount is brought to a
//! year before the two are compared. A record is judged by the standard in force on the first day of its own term,
//! wherever that day lies: a payment for autumn 2024 that is recorded in 2026 is judged by the standard of 2024.
//! Of the three guarantees the nutrition part is judged apart, by its own standard and its own students.

mod mapping;
mod rules;
mod store;

pub use mapping::{FundingRecordRpc, FundingRecords};
pub use rules::{
    Given, Judgement, Kind, NoVerdict, SchoolInTerm, TERMS_PER_YEAR, TermDays, Verdict, check_nutrition, check_school,
    judge, standard_of, term_days, verdict,
};
