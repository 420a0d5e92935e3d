//! The certificate a process presents, the authority it trusts, and how both are exchanged while it runs.
//!
//! Everybody shows a certificate: there is no configuration in which a peer stays anonymous.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;
use rustls::crypto::CryptoProvider;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

use super::authority::{CERTIFICATE, KEY, ROOT_CERTIFICATE};
use crate::identity::{Department, IdentityError};

/// Credentials that cannot be used.
#[derive(Debug, Error)]
pub enum CredentialsError {
    /// A file cannot be read as what it should be.
    #[error("cannot read {path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The certificate names no department, or another one.
    #[error("{path} does not name the department `{wanted}`")]
    Department {
        /// The certificate's file.
        path: PathBuf,
        /// The department that it should name.
        wanted: Department,
        /// Why its own name cannot be read, unless it names another department.
        source: Option<IdentityError>,
    },
    /// The key, the certificate and the authority do not go together.
    #[error("{directory} holds a certificate, a key and an authority that cannot be used together")]
    Tls {
        /// The department's directory.
        directory: PathBuf,
        /// What the TLS library says.
        source: rustls::Error,
    },
    /// The authority's certificate cannot be used to judge callers.
    #[error("{path} cannot be used to judge callers")]
    Authority {
        /// The authority's certificate.
        path: PathBuf,
        /// What the TLS library says.
        source: VerifierBuilderError,
    },
}

/// One department's certificate, its key and the authority it trusts, read from a directory.
///
/// Connections made after [`Credentials::reload`] use what the files hold then; older connections live on.
#[derive(Debug)]
pub struct Credentials {
    directory: PathBuf,
    department: Department,
    current: RwLock<Current>,
}

#[derive(Debug, Clone)]
struct Current {
    certificate: CertificateDer<'static>,
    authority: Vec<CertificateDer<'static>>,
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

impl Credentials {
    /// Reads the files under `directory`, as [`super::Authority`] lays them out.
    pub fn load(directory: impl Into<PathBuf>, department: &Department) -> Result<Arc<Self>, CredentialsError> {
        let directory = directory.into();
        let current = RwLock::new(Current::load(&directory, department)?);
        Ok(Arc::new(Self { directory, department: department.clone(), current }))
    }

    /// Returns the department whose credentials these are.
    pub fn department(&self) -> &Department {
        &self.department
    }

    /// Reads the files again, for connections made from now on, and tells whether they held anything new. When they
    /// cannot be used, everything stays as it is.
    pub fn reload(&self) -> Result<bool, CredentialsError> {
        let fresh = Current::load(&self.directory, &self.department)?;
        let mut current = self.current.write();
        let changed = fresh.certificate != current.certificate || fresh.authority != current.authority;
        if changed {
            *current = fresh;
        }
        Ok(changed)
    }

    /// Returns the configuration for the next connection that is accepted.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().server)
    }

    /// Returns the configuration for the next connection that is made.
    pub fn client_config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.current.read().client)
    }
}

impl Current {
    fn load(directory: &Path, department: &Department) -> Result<Self, CredentialsError> {
        let own = directory.join(department.as_str());
        let tls = |source| CredentialsError::Tls { directory: own.clone(), source };
        let root_path = directory.join(ROOT_CERTIFICATE);
        let authority = read_chain(&root_path)?;
        let mut roots = RootCertStore::empty();
        for root in &authority {
            roots.add(root.clone()).map_err(tls)?;
        }
        let roots = Arc::new(roots);

        let certificate_path = own.join(CERTIFICATE);
        let chain = read_chain(&certificate_path)?;
        let named = |source| CredentialsError::Department {
            path: certificate_path.clone(),
            wanted: department.clone(),
            source,
        };
        if Department::from_certificate(&chain[0]).map_err(|e| named(Some(e)))? != *department {
            return Err(named(None));
        }
        let key_path = own.join(KEY);
        let key = PrivateKeyDer::from_pem_file(&key_path).map_err(|e| unreadable(&key_path, &e))?;

        let provider = provider();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
            .build()
            .map_err(|source| CredentialsError::Authority { path: root_path, source })?;
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(tls)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(tls)?;
        // HTTP/1.1 is for gRPC-Web.
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];

        let mut client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(tls)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain.clone(), key)
            .map_err(tls)?;
        client.alpn_protocols = vec![b"h2".to_vec()];

        let certificate = chain[0].clone();
        Ok(Self { certificate, authority, server: Arc::new(server), client: Arc::new(client) })
    }
}

/// Names the cryptography in use, so that no other crate's choice of a process-wide default can change it.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Reads the certificates of a file, at least one.
pub(super) fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CredentialsError> {
    let certificates = CertificateDer::pem_file_iter(path).map_err(|e| unreadable(path, &e))?;
    let certificates: Result<Vec<_>, _> = certificates.collect();
    let certificates = certificates.map_err(|e| unreadable(path, &e))?;
    if certificates.is_empty() {
        return Err(CredentialsError::File { path: path.to_owned(), reason: "it holds no certificate".to_owned() });
    }
    Ok(certificates)
}

pub(super) fn unreadable(path: &Path, error: &rustls_pki_types::pem::Error) -> CredentialsError {
    CredentialsError::File { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::super::{Authority, Subject};
    use super::*;

    fn health() -> Department {
        Department::new("health").expect("a sound name")
    }

    #[test]
    fn reloading_takes_up_a_renewed_certificate_and_keeps_the_old_one_when_the_new_is_broken() {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = Authority::create_or_open(directory.path()).expect("an authority");
        authority.issue(&health(), &Subject::localhost()).expect("issued");
        let credentials = Credentials::load(directory.path(), &health()).expect("credentials");
        assert!(!credentials.reload().expect("unchanged"));
        let before = credentials.server_config();

        authority.issue(&health(), &Subject::localhost().with_dns_name("health")).expect("issued again");
        assert!(credentials.reload().expect("changed"));
        let renewed = credentials.server_config();
        assert!(!Arc::ptr_eq(&before, &renewed));

        std::fs::write(directory.path().join("health/cert.pem"), "not a certificate").expect("written");
        assert!(matches!(credentials.reload(), Err(CredentialsError::File { .. })));
        assert!(Arc::ptr_eq(&renewed, &credentials.server_config()));
    }

    #[test]
    fn a_certificate_of_another_department_is_refused_at_the_start() {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = Authority::create_or_open(directory.path()).expect("an authority");
        authority.issue(&health(), &Subject::localhost()).expect("issued");
        std::fs::rename(directory.path().join("health"), directory.path().join("education")).expect("renamed");
        let education = Department::new("education").expect("a sound name");
        let error = Credentials::load(directory.path(), &education).expect_err("refused");
        assert!(matches!(error, CredentialsError::Department { source: None, .. }), "{error}");
    }
}
