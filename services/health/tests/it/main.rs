//! The health department's service through its RPCs, on every database at hand.
//!
//! One program for all tests of the crate: nextest runs each test as a process of its own anyway, and one is linked
//! much quicker than many.

mod age_friendly;
mod filings;
mod institutions;
mod process;
mod recognition;
mod recognition_rounds;
mod schema;
mod states;
mod support;
