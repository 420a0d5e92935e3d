//! Age-friendly assessments (老年友善医疗机构): what the on-site check found, and the certificate that follows.
//!
//! `rules` scores an assessment by the dated parameters, `timeline` computes which certificate an institution holds
//! on which day, `store` brings the institution's own states into line with it: the rate of the commitment is counted
//! from one dataset, `health.institutions`. Nothing here decides which institutions the rate divides by.

mod mapping;
mod rules;
mod store;
mod timeline;

pub use mapping::{AgeFriendlyAssessmentRpc, AgeFriendlyAssessments};
pub use rules::{Outcome, Scores, Standard, last_certificate_day, score};
pub use store::certificates_of;
pub use timeline::{CertificatePeriod, aligned, certificate_on};
