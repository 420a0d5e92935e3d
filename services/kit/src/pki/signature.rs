//! Signatures by a department's key: what it has written can be told from what somebody else wrote in its place.
//!
//! The key is that of the department's certificate, so no key has to be handed out beside it. Whoever holds the
//! authority's certificate can verify one, also after the signer's certificate has ended.

use std::path::Path;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustls::pki_types::UnixTime;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::authority::{CERTIFICATE, KEY, ROOT_CERTIFICATE};
use super::credentials::{CredentialsError, provider, read_chain, unreadable};
use crate::identity::Department;

/// What stands before everything that is signed, so that no other use of the key signs the same bytes.
const CONTEXT: &str = "minsheng signature 1";
/// The schemes that are used, the preferred one first.
const SCHEMES: [(SignatureScheme, &str); 4] = [
    (SignatureScheme::ECDSA_NISTP256_SHA256, "ecdsa-p256-sha256"),
    (SignatureScheme::ECDSA_NISTP384_SHA384, "ecdsa-p384-sha384"),
    (SignatureScheme::ED25519, "ed25519"),
    (SignatureScheme::RSA_PSS_SHA256, "rsa-pss-sha256"),
];

/// A signature with everything that is needed to verify it, but for the authority's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The department that signed.
    pub department: String,
    /// When, seconds UTC.
    pub signed_at: u64,
    /// How, as `ecdsa-p256-sha256`.
    pub scheme: String,
    /// The department's certificate and those above it, DER in Base64.
    pub certificates: Vec<String>,
    /// The signature in Base64.
    pub signature: String,
}

/// Why a signature does not hold.
#[derive(Debug, Error)]
pub enum SignatureError {
    /// A part of it cannot be read.
    #[error("the signature's {part} cannot be read")]
    Malformed {
        /// Which.
        part: &'static str,
    },
    /// Its certificate is of another department than it says.
    #[error("the signature's certificate does not name `{department}`")]
    Department {
        /// The department that it says.
        department: String,
    },
    /// Its certificate does not come from the authority, or did not hold when it was made.
    #[error("the signature's certificate is not to be trusted")]
    Certificate {
        /// Why.
        source: rustls::Error,
    },
    /// It is not of these bytes.
    #[error("the signature does not fit")]
    Wrong,
    /// The authority or the own key cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}

impl Signature {
    /// Signs bytes with the key of a department, as [`super::Authority`] lays it out under `directory`.
    pub fn make(directory: &Path, department: &Department, message: &[u8]) -> Result<Self, SignatureError> {
        let own = directory.join(department.as_str());
        let chain = read_chain(&own.join(CERTIFICATE))?;
        let key_path = own.join(KEY);
        let key = PrivateKeyDer::from_pem_file(&key_path).map_err(|error| unreadable(&key_path, &error))?;
        let tls = |source| CredentialsError::Tls { directory: own.clone(), source };
        let key = provider().key_provider.load_private_key(key).map_err(tls)?;
        let schemes = SCHEMES.map(|(scheme, _)| scheme);
        let unusable = || tls(rustls::Error::General("the key signs by none of the known schemes".to_owned()));
        let signer = key.choose_scheme(&schemes).ok_or_else(unusable)?;
        let name = SCHEMES.iter().find(|(scheme, _)| *scheme == signer.scheme()).map(|(_, name)| *name);
        let signed_at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let signature = signer.sign(&signed(department.as_str(), signed_at, message)).map_err(tls)?;
        Ok(Self {
            department: department.as_str().to_owned(),
            signed_at,
            scheme: name.ok_or_else(unusable)?.to_owned(),
            certificates: chain.iter().map(|certificate| BASE64.encode(certificate)).collect(),
            signature: BASE64.encode(signature),
        })
    }

    /// Verifies that the department that it names signed these bytes, with a certificate of the authority under
    /// `directory` that held then.
    pub fn verify(&self, directory: &Path, message: &[u8]) -> Result<(), SignatureError> {
        let malformed = |part| move || SignatureError::Malformed { part };
        let bytes = |text: &String| BASE64.decode(text).ok();
        let chain: Option<Vec<CertificateDer<'static>>> =
            self.certificates.iter().map(|text| bytes(text).map(CertificateDer::from)).collect();
        let chain = chain.ok_or_else(malformed("certificates"))?;
        let (own, above) = chain.split_first().ok_or_else(malformed("certificates"))?;
        if !Department::from_certificate(own).is_ok_and(|found| found.as_str() == self.department) {
            return Err(SignatureError::Department { department: self.department.clone() });
        }
        let mut roots = RootCertStore::empty();
        for root in read_chain(&directory.join(ROOT_CERTIFICATE))? {
            roots.add(root).map_err(|source| SignatureError::Certificate { source })?;
        }
        let provider = provider();
        let judge = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone()).build();
        let judge =
            judge.map_err(|source| CredentialsError::Authority { path: directory.join(ROOT_CERTIFICATE), source })?;
        let then = UnixTime::since_unix_epoch(Duration::from_secs(self.signed_at));
        judge.verify_client_cert(own, above, then).map_err(|source| SignatureError::Certificate { source })?;

        let scheme = SCHEMES.iter().find(|(_, name)| *name == self.scheme).map(|(scheme, _)| *scheme);
        let scheme = scheme.ok_or_else(malformed("scheme"))?;
        let (_, parsed) = X509Certificate::from_der(own).map_err(|_| malformed("certificates")())?;
        let key = &parsed.public_key().subject_public_key.data;
        let signature = bytes(&self.signature).ok_or_else(malformed("signature"))?;
        let message = signed(&self.department, self.signed_at, message);
        let known = provider.signature_verification_algorithms.mapping;
        let mut ways = known.iter().filter(|(known, _)| *known == scheme).flat_map(|(_, ways)| ways.iter());
        let fits = ways.any(|way| way.verify_signature(key, &message, &signature).is_ok());
        if fits { Ok(()) } else { Err(SignatureError::Wrong) }
    }
}

/// The bytes that are signed.
fn signed(department: &str, signed_at: u64, message: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{CONTEXT}\n{department}\n{signed_at}\n").into_bytes();
    bytes.extend_from_slice(message);
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::{Authority, Subject};
    use super::*;

    fn site(departments: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = Authority::create_or_open(directory.path()).expect("an authority");
        for name in departments {
            let department = Department::new(name).expect("a sound name");
            authority.issue(&department, &Subject::localhost()).expect("issued");
        }
        directory
    }

    #[test]
    fn a_signature_holds_for_its_bytes_its_department_and_its_authority_and_for_nothing_else() {
        let here = site(&["analytics", "health"]);
        let analytics = Department::new("analytics").expect("a sound name");
        let made = Signature::make(here.path(), &analytics, b"the report").expect("signed");
        made.verify(here.path(), b"the report").expect("it holds");
        let text = serde_json::to_string(&made).expect("JSON");
        assert_eq!(serde_json::from_str::<Signature>(&text).expect("read"), made);

        let wrong = made.verify(here.path(), b"another report").expect_err("other bytes");
        assert!(matches!(wrong, SignatureError::Wrong), "{wrong}");
        let later = Signature { signed_at: made.signed_at + 1, ..made.clone() };
        assert!(matches!(later.verify(here.path(), b"the report"), Err(SignatureError::Wrong)));
        let other = Signature { department: "health".to_owned(), ..made.clone() };
        assert!(matches!(other.verify(here.path(), b"the report"), Err(SignatureError::Department { .. })));
        let before = Signature { signed_at: 1_000_000_000, ..made.clone() };
        assert!(matches!(before.verify(here.path(), b"the report"), Err(SignatureError::Certificate { .. })));
        for broken in [
            Signature { certificates: Vec::new(), ..made.clone() },
            Signature { scheme: "md5".to_owned(), ..made.clone() },
            Signature { signature: "?".to_owned(), ..made.clone() },
        ] {
            assert!(matches!(broken.verify(here.path(), b"the report"), Err(SignatureError::Malformed { .. })));
        }
        let elsewhere = site(&["analytics"]);
        let error = made.verify(elsewhere.path(), b"the report").expect_err("another authority");
        assert!(matches!(error, SignatureError::Certificate { .. }), "{error}");
    }
}
