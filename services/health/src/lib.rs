//! The health department's service: institutions, their age-friendly certificates, and the mutual recognition of
//! test and examination results.
//!
//! | register | folder | dataset |
//! |---|---|---|
//! | medical institutions | [`institutions`] | `health.institutions` |

pub mod institutions;
pub mod schema;

use minsheng_kit::{
    assembly::{Assembly, Definition, Parts},
    error::Error,
};

/// The service, for its own process, the demo and the tests.
pub static DEFINITION: Definition = Definition {
    department: "health",
    service: "health",
    migrations: minsheng_kit::migrations!("migrations/sqlite", "migrations/postgres"),
    assemble,
};

fn assemble(parts: Parts) -> Result<Assembly, Error> {
    let context = parts.context;
    Ok(Assembly::new(context.clone())?
        .serve(institutions::InstitutionRpc::new(institutions::Institutions, context).into_service()))
}
