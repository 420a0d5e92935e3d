// Written by `just gen` from the contracts.

//! The tables of the department's registers, and the records of their states.

mod age_friendly_assessment;
mod capability;
mod institution;
mod quality_certificate;
mod recognition_item;
mod result_decision;

pub use age_friendly_assessment::{AgeFriendlyAssessmentRecord, age_friendly_assessments};
pub use capability::{CapabilityRecord, capabilities};
pub use institution::{InstitutionRecord, institutions};
pub use quality_certificate::{QualityCertificateRecord, quality_certificates};
pub use recognition_item::{RecognitionItemRecord, recognition_items};
pub use result_decision::{ResultDecisionRecord, result_decisions};

diesel::allow_tables_to_appear_in_same_query!(
    age_friendly_assessments,
    capabilities,
    institutions,
    quality_certificates,
    recognition_items,
    result_decisions
);
