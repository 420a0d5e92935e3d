//! Schools and kindergartens (学校): places, pupils, conditions, and nursery classes of kindergartens.
//!
//! The register promises the other registers that a school which they name is there, in their county and of a stage
//! ([`named`]).

mod rpc;
mod rules;
mod store;

pub use rpc::{SchoolRpc, Schools};
pub use rules::{NurseryFigures, check_days, check_nursery, check_pupils};
pub use store::{COLLECTION, SchoolsNamed, named};
