//! Analytics: from the services' feeds to one page on every commitment.
//!
//! `feed -> lake -> statistics -> assessment -> report`, each stage a function of its input. [`model`] holds what
//! they hand to each other.

pub mod assessment;
pub mod catalogue;
pub mod forecast;
pub mod lake;
pub mod model;
pub mod statistics;

#[cfg(test)]
mod testing;
