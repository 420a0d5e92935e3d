//! The kit through small services of its own, on every database at hand.
//!
//! One program for all tests of the crate: nextest runs each test as a process of its own anyway, and one is linked
//! much quicker than many.

mod access_coverage;
mod callers;
mod contract_rules;
mod feed;
mod register;
mod replicas;
mod restore;
mod round_trips;
mod schema;
mod slow_reader;
mod statuses;
mod telemetry_export;
mod telemetry_export_grpc;
mod unit_of_work;
