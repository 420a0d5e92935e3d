//! Age-friendly assessments (老年友善医疗机构): what the on-site check found, and the certificate that follows.
//!
//! `rules` scores an assessment by the dated parameters, `timeline` works out which certificate an institution holds
//! on which day, `store` writes that into the institution's own row and entries: the rate of the commitment is
//! counted from one dataset, `health.institutions`. Nothing here decides which institutions the rate divides by.

mod rpc;
mod rules;
mod store;
mod timeline;

pub use rpc::{AgeFriendlyAssessmentRpc, AgeFriendlyAssessments};
pub use rules::{Outcome, Scores, Standard, last_certificate_day, score};
pub use timeline::{CertificatePeriod, InstitutionEntry, certificate_on, entries_rewritten};
