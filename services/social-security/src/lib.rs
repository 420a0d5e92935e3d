//! The social-security department's service (社会保障): enrolments in the insurance schemes, households on social
//! assistance, and the questions that other departments ask about both.
//!
//! | register | folder | dataset |
//! |---|---|---|
//! | enrolments (参保登记) | [`enrolments`] | `social_security.enrolments` |
//! | assisted households (社会救助家庭) | [`assistance`] | `social_security.assistance` |

pub mod assistance;
mod duration;
pub mod enrolments;
mod questions;
pub mod schema;

use minsheng_kit::{
    assembly::{Assembly, Definition, Parts},
    error::Error,
};

pub use questions::Questions;

/// The service, for its own process, the demo and the tests.
pub static DEFINITION: Definition = Definition {
    department: "social-security",
    service: "social_security",
    migrations: minsheng_kit::migrations!(),
    assemble,
};

fn assemble(parts: Parts) -> Result<Assembly, Error> {
    let context = parts.context;
    Ok(Assembly::new(context.clone())?
        .register(enrolments::EnrolmentRpc::new(enrolments::Enrolments, context.clone()))
        .register(assistance::AssistanceHouseholdRpc::new(assistance::AssistanceHouseholds, context.clone()))
        .serve(Questions::new(context).into_service()))
}
