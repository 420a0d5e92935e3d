//! The education department's service through its RPCs, on every database at hand.
//!
//! One program for all tests of the crate: nextest runs each test as a process of its own anyway, and one is linked
//! much quicker than many.

mod aid;
mod filings;
mod funding;
mod schema;
mod schools;
mod support;
