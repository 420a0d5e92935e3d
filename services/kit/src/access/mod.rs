//! Who may call what, and ask for which purpose: Cedar policies, default deny.
//!
//! Two questions are put to the policies. `call`: may this department call this method at all? The layer asks it for
//! every call before the handler sees anything. `ask`: may it have the answer for this purpose? Handlers of questions
//! ask it once they have read the request, through [`Access::authorise_question`], and get a [`QuestionGrant`] without
//! which no access can be audited.
//!
//! The policies are data under `deploy/policies`. Those of the build are compiled in; an operator may load others.

mod layer;
mod policies;
#[cfg(test)]
mod tests;

pub use layer::{Access, AccessLayer};
pub use policies::{AccessDenied, AccessPolicies, AccessPolicyError, QuestionGrant};
