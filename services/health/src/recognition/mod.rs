//! Mutual recognition of test and examination results (检查检验结果互认): the list, the certificates, the decisions.
//!
//! Three registers share one set of rules. The list (`items`) says what may be recognised, the certificates say who
//! passed external quality assessment for it and where that vouches, the decisions say what doctors did with results
//! of other institutions. A result is judged by the list, the certificates and the institution of the day on which it was
//! performed; only its age, by the window that the item has then, and the grades are a matter of the day of the visit. A
//! failed round takes the marks of earlier rounds away from its own first day on (`rounds`).
//!
//! Nothing here stands between a doctor and a decision: a recognisable result may be repeated with a reason, and a
//! result that is not recognisable may be used. Both are recorded as they were, with the mark that `recognisable`
//! gives, and no figure of a single doctor is kept.

mod certificates;
mod decisions;
mod evidence;
mod items;
mod questions;
mod rounds;
mod rules;
mod seed;
mod store;

pub use certificates::{QualityCertificateRpc, QualityCertificates};
pub use decisions::{ResultDecisionRpc, ResultDecisions};
pub use items::{RecognitionItemRpc, RecognitionItems};
pub use questions::RecognitionQuestions;
pub use rules::{
    CertifiedPeriod, HeldCertificate, ListedState, OperatingInstitution, Standing, Visit, check_decision, failed_on,
    fails_on, mark, reaches, recognisable_items, standing, window_passed,
};
pub use seed::seed_items;
