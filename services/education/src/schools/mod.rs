//! Schools and kindergartens (学校): places, pupils, conditions, and nursery classes of kindergartens.
//!
//! The register promises the other registers that a school which they name is there, in their county and of a stage
//! ([`named`]), that it stays so while their records go in ([`hold`]), and that it is not withdrawn under them.

mod mapping;
mod rules;
mod store;

pub use mapping::{SchoolRpc, Schools};
pub use rules::{NurseryFigures, check_days, check_nursery, check_pupils};
pub use store::{COLLECTION, SchoolsNamed, named};
