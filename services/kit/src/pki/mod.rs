//! Certificates: a development authority that issues them, the credentials that a process presents and trusts, and
//! signatures by their keys.
//!
//! The authority serves development, the tests and the demo. In production an operator's own authority puts files of
//! the same names into the same places: `ca.pem`, and `DEPARTMENT/cert.pem` with `DEPARTMENT/key.pem`.

mod authority;
mod credentials;
mod signature;

pub use authority::{Authority, AuthorityError, Subject};
pub use credentials::{Credentials, CredentialsError};
pub use signature::{Signature, SignatureError};
