//! Who is calling: the department that a peer's certificate names.
//!
//! A certificate names its department by a SPIFFE identity in the URI of its subject alternative name. Nothing else
//! in the certificate, and nothing in a request's headers, ever decides who the caller is.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls_pki_types::CertificateDer;
use thiserror::Error;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The trust domain of every certificate of the suite.
pub const TRUST_DOMAIN: &str = "minsheng.internal";

/// Longest name of a department, in bytes.
const LONGEST_NAME: usize = 40;

/// An identity that is missing, malformed or of another trust domain.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdentityError {
    /// The name is not in kebab case.
    #[error(
        "`{0}` is not a department's name: 1 to 40 of a-z and 0-9 in words joined by single hyphens, a letter first"
    )]
    Name(String),
    /// The peer showed no certificate.
    #[error("the peer showed no certificate")]
    NoCertificate,
    /// The certificate cannot be read.
    #[error("the peer's certificate cannot be read: {0}")]
    Unreadable(String),
    /// The certificate has no SPIFFE identity, or more than one.
    #[error("the certificate must carry exactly one SPIFFE identity, it carries {0}")]
    Count(usize),
    /// The identity is of another trust domain, or does not name a department.
    #[error("`{0}` is not of the form spiffe://{TRUST_DOMAIN}/department/NAME")]
    Form(String),
}

/// A department of the government, or another party of the suite with a certificate of its own, as `social-security`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Department(Arc<str>);

impl Department {
    /// Reads a department's name in kebab case.
    pub fn new(name: &str) -> Result<Self, IdentityError> {
        let words_are_sound = name
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
        let letter_first = name.starts_with(|c: char| c.is_ascii_lowercase());
        if words_are_sound && letter_first && name.len() <= LONGEST_NAME {
            Ok(Self(name.into()))
        } else {
            Err(IdentityError::Name(name.to_owned()))
        }
    }

    /// Returns the name, as `social-security`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the SPIFFE identity, as `spiffe://minsheng.internal/department/social-security`.
    pub fn spiffe_id(&self) -> String {
        format!("spiffe://{TRUST_DOMAIN}/department/{}", self.0)
    }

    /// Reads a SPIFFE identity of this trust domain.
    pub fn from_spiffe_id(id: &str) -> Result<Self, IdentityError> {
        let form = || IdentityError::Form(id.to_owned());
        let path = id.strip_prefix("spiffe://").ok_or_else(form)?;
        let (domain, path) = path.split_once('/').ok_or_else(form)?;
        if domain != TRUST_DOMAIN {
            return Err(form());
        }
        let name = path.strip_prefix("department/").ok_or_else(form)?;
        Self::new(name).map_err(|_| form())
    }

    /// Reads the department that a certificate names.
    pub fn from_certificate(certificate: &CertificateDer<'_>) -> Result<Self, IdentityError> {
        let unreadable = |error: &dyn fmt::Display| IdentityError::Unreadable(error.to_string());
        let (_, parsed) = X509Certificate::from_der(certificate.as_ref()).map_err(|e| unreadable(&e))?;
        let names = parsed.subject_alternative_name().map_err(|e| unreadable(&e))?;
        let mut identities = Vec::new();
        for name in names.iter().flat_map(|san| &san.value.general_names) {
            if let GeneralName::URI(uri) = name
                && uri.starts_with("spiffe://")
            {
                identities.push(*uri);
            }
        }
        match identities.as_slice() {
            [id] => Self::from_spiffe_id(id),
            several => Err(IdentityError::Count(several.len())),
        }
    }
}

/// Returns how long a certificate is still good; nothing where it cannot be read or has run out.
pub(crate) fn time_left(certificate: &CertificateDer<'_>, now: SystemTime) -> Option<Duration> {
    let (_, parsed) = X509Certificate::from_der(certificate.as_ref()).ok()?;
    let until = u64::try_from(parsed.validity().not_after.timestamp()).ok()?;
    (SystemTime::UNIX_EPOCH + Duration::from_secs(until)).duration_since(now).ok()
}

impl fmt::Display for Department {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Department {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Department({})", self.0)
    }
}

impl FromStr for Department {
    type Err = IdentityError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

/// The authenticated party behind a request; the server puts it into the request's extensions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The department that the peer's certificate names.
    pub department: Department,
}

impl Caller {
    /// Reads the caller from the chain that the peer showed, whose first certificate is its own.
    pub fn from_peer_certificates(chain: &[CertificateDer<'_>]) -> Result<Self, IdentityError> {
        let own = chain.first().ok_or(IdentityError::NoCertificate)?;
        Ok(Self { department: Department::from_certificate(own)? })
    }

    /// Reads the caller of a request, which the server has put into its extensions.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<&Self, IdentityError> {
        request.extensions().get::<Self>().ok_or(IdentityError::NoCertificate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_department_is_named_in_kebab_case() {
        for name in ["health", "social-security", "district-2"] {
            assert_eq!(Department::new(name).map(|d| d.to_string()), Ok(name.to_owned()));
        }
        for name in ["", "Health", "social_security", "-health", "health-", "a--b", "2nd", "../health", "a b"] {
            assert_eq!(Department::new(name), Err(IdentityError::Name(name.to_owned())));
        }
        assert!(Department::new(&"a".repeat(41)).is_err());
    }

    #[test]
    fn an_identity_of_another_trust_domain_is_refused() {
        let own = Department::from_spiffe_id("spiffe://minsheng.internal/department/health");
        assert_eq!(own.map(|d| d.spiffe_id()), Ok("spiffe://minsheng.internal/department/health".to_owned()));
        for id in [
            "spiffe://elsewhere/department/health",
            "spiffe://minsheng.internal/officer/health",
            "spiffe://minsheng.internal/department/health/extra",
            "spiffe://minsheng.internal/department/",
            "https://minsheng.internal/department/health",
            "spiffe://minsheng.internal",
        ] {
            assert_eq!(Department::from_spiffe_id(id), Err(IdentityError::Form(id.to_owned())));
        }
    }
}
