//! Analytics: from the services' feeds to one page on every commitment.
//!
//! `feed -> lake -> statistics -> assessment -> report`, each stage a function of its input. [`model`] holds what
//! they hand to each other.

pub mod assessment;
pub mod attainment_service;
pub mod bench;
pub mod catalogue;
mod engine;
pub mod feed;
pub mod forecast;
pub mod job;
pub mod lake;
pub mod model;
pub mod reconcile;
mod reference;
pub mod report;
pub mod schedule;
pub mod serve;
pub mod sql;
pub mod statistics;

#[cfg(test)]
mod testing;
