//! Enrolments (参保登记): who is covered by which insurance scheme and when, and what became of each application.
//!
//! A refusal is recorded whatever its reason. The commitment that nobody is refused for living elsewhere than
//! registered is judged from this register, so a refusal that breaks it must be visible, never blocked.
//!
//! The register decides nothing about money: [`critical_illness`] and [`waiting`] hold the department's rules on the
//! raised ceiling and on waiting periods, for whoever settles a bill.

mod mapping;
mod rules;
mod store;

pub use mapping::{EnrolmentRpc, Enrolments};
pub use rules::{
    Application, check_application, check_change, critical_illness, is_open_to, is_registered_elsewhere, waiting,
};
pub(crate) use store::cover_of_person;
