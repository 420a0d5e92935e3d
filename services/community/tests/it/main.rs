//! The community department's service through its RPCs, on every database at hand.
//!
//! One program for all tests of the crate: nextest runs each test as a process of its own anyway, and one is linked
//! much quicker than many.

mod activities;
mod filings;
mod housing;
mod meal_prices;
mod schema;
mod service_points;
mod social_security;
mod support;
