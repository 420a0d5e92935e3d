//! Affordable housing projects (保障性住房): the homes of a year's plan, by stage.
//!
//! The stages of one project over time are its record's history: each update with the day from which the new numbers
//! are true. A number that was wrong is corrected without a day; a stage never runs backwards.

mod mapping;
mod rules;

pub use mapping::{HousingProjectRpc, HousingProjects};
pub use rules::{Counted, Stages, check_progress, check_stages};
