//! Analytics: from the services' feeds to one page on every commitment.
//!
//! `feed -> lake -> statistics -> assessment -> report`, each stage a function of its input. [`model`] holds what
//! they hand to each other.

pub mod assessment;
pub mod attainment_service;
pub mod bench;
pub mod catalogue;
pub mod completeness;
pub mod diff;
mod engine;
pub mod explain;
pub mod feed;
pub mod findings;
pub mod forecast;
pub mod job;
pub mod lake;
pub mod model;
pub mod persons;
pub mod quality;
pub mod reconcile;
mod reference;
pub mod report;
pub mod schedule;
pub mod serve;
pub mod signed;
pub mod sql;
pub mod statistics;
pub mod webhook;
pub mod what_if;

#[cfg(test)]
mod testing;
