//! The health department's service: institutions, their age-friendly certificates, and the mutual recognition of
//! test and examination results.
//!
//! | register | folder | dataset |
//! |---|---|---|
//! | medical institutions | [`institutions`] | `health.institutions` |
//! | age-friendly assessments | [`age_friendly`] | `health.age_friendly`, and the certificates in `health.institutions` |
//! | capabilities of institutions | [`capabilities`] | `health.capabilities` |
//! | items of the list | [`recognition`] | `health.recognition_items` |
//! | quality certificates | [`recognition`] | `health.quality_certificates` |
//! | decisions on results | [`recognition`] | `health.result_decisions` |
//!
//! [`recognition`] also answers the department's questions: whether a result is recognisable, how many items are.

pub mod age_friendly;
pub mod capabilities;
pub mod institutions;
pub mod recognition;
pub mod schema;

use minsheng_kit::{
    assembly::{Assembly, Definition, Parts},
    error::Error,
};

pub use recognition::seed_items;

/// The service, for its own process, the demo and the tests.
pub static DEFINITION: Definition =
    Definition { department: "health", service: "health", migrations: minsheng_kit::migrations!(), assemble };

fn assemble(parts: Parts) -> Result<Assembly, Error> {
    use age_friendly::{AgeFriendlyAssessmentRpc, AgeFriendlyAssessments};
    use capabilities::{Capabilities, CapabilityRpc};
    use institutions::{InstitutionRpc, Institutions};
    use recognition::{
        QualityCertificateRpc, QualityCertificates, RecognitionItemRpc, RecognitionItems, RecognitionQuestions,
        ResultDecisionRpc, ResultDecisions,
    };
    let context = parts.context;
    Ok(Assembly::new(context.clone())?
        .register(InstitutionRpc::new(Institutions, context.clone()))
        .register(AgeFriendlyAssessmentRpc::new(AgeFriendlyAssessments, context.clone()))
        .register(CapabilityRpc::new(Capabilities, context.clone()))
        .register(RecognitionItemRpc::new(RecognitionItems, context.clone()))
        .register(QualityCertificateRpc::new(QualityCertificates, context.clone()))
        .register(ResultDecisionRpc::new(ResultDecisions, context.clone()))
        .serve(RecognitionQuestions::new(context).into_service()))
}
