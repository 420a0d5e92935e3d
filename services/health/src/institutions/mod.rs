//! Medical institutions (医疗机构): which are open on a day, and of what class.
//!
//! The denominators of the health commitments are counted here, so the register promises that a class and the days
//! of operation are there for every institution. The age-friendly certificate that an institution holds stands in
//! its states too, because the commitment's rate needs both for the same day; the assessments decide it, and the days of
//! the states follow.

mod mapping;
mod reference;
mod rules;
mod store;

pub use mapping::{InstitutionRpc, Institutions};
pub(crate) use reference::operating_state;
pub use reference::{InstitutionReferences, NamedInstitution, OperatingState};
pub use rules::{check_institution, is_age_friendly_class};
pub use store::institutions_locked;
