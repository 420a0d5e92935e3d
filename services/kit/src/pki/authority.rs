//! The development authority: one root, one certificate per department.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use thiserror::Error;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::identity::{Department, TRUST_DOMAIN};

/// File of the root certificate, in the authority's directory.
pub(super) const ROOT_CERTIFICATE: &str = "ca.pem";
/// File of the root's key, in the authority's directory.
const ROOT_KEY: &str = "ca-key.pem";
/// File of a department's certificate, in the department's directory.
pub(super) const CERTIFICATE: &str = "cert.pem";
/// File of a department's key, in the department's directory.
pub(super) const KEY: &str = "key.pem";

const DAY: Duration = Duration::from_hours(24);
/// How long a root is valid: ten years.
const ROOT_VALIDITY: Duration = Duration::from_hours(3_652 * 24);
/// How long a department's certificate is valid.
const VALIDITY: Duration = Duration::from_hours(397 * 24);
/// A certificate with less left than this is issued again.
const RENEWAL: Duration = Duration::from_hours(30 * 24);

/// A failure of the development authority.
#[derive(Debug, Error)]
pub enum AuthorityError {
    /// A file cannot be read or written.
    #[error("cannot {action} {path}")]
    File {
        /// What was tried, as `read`.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A certificate or key cannot be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// A file does not hold what its name promises.
    #[error("{path} holds no {wanted}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What was looked for, as `certificate`.
        wanted: &'static str,
    },
    /// The root has a certificate without its key, or a key without its certificate.
    #[error("{0} is missing while its counterpart exists; restore it, or remove both to begin a new authority")]
    HalfRoot(PathBuf),
    /// The root certificate has run out.
    #[error("{0} has run out; remove the directory to begin a new authority")]
    RootExpired(PathBuf),
}

/// The names for which a department's certificate is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// DNS names.
    pub dns_names: Vec<String>,
    /// IP addresses.
    pub addresses: Vec<IpAddr>,
}

impl Subject {
    /// Names this machine only: `localhost`, 127.0.0.1 and `::1`.
    pub fn localhost() -> Self {
        Self {
            dns_names: vec!["localhost".to_owned()],
            addresses: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        }
    }

    /// Adds a DNS name, as a compose file gives it to a container.
    #[must_use]
    pub fn with_dns_name(mut self, name: impl Into<String>) -> Self {
        self.dns_names.push(name.into());
        self
    }
}

/// A development authority whose root and certificates live in one directory.
#[derive(Debug)]
pub struct Authority {
    directory: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Opens the authority in `directory`, or begins a new one there.
    pub fn create_or_open(directory: impl Into<PathBuf>) -> Result<Self, AuthorityError> {
        let directory = directory.into();
        make_directory(&directory)?;
        let (certificate, key) = (directory.join(ROOT_CERTIFICATE), directory.join(ROOT_KEY));
        let issuer = match (certificate.exists(), key.exists()) {
            (true, true) => open_root(&certificate, &key)?,
            (false, false) => create_root(&certificate, &key)?,
            (true, false) => return Err(AuthorityError::HalfRoot(key)),
            (false, true) => return Err(AuthorityError::HalfRoot(certificate)),
        };
        Ok(Self { directory, issuer })
    }

    /// Returns the directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Issues a department's certificate and key, unless a sound one for these names is already there with more than
    /// 30 days left. Returns whether one was issued.
    pub fn issue(&self, department: &Department, subject: &Subject) -> Result<bool, AuthorityError> {
        self.issue_for(department, subject, VALIDITY)
    }

    /// As [`issue`](Self::issue), for a time of its own: for tests of what happens when it is over.
    pub(crate) fn issue_for(
        &self,
        department: &Department,
        subject: &Subject,
        validity: Duration,
    ) -> Result<bool, AuthorityError> {
        let directory = self.directory.join(department.as_str());
        make_directory(&directory)?;
        let (certificate, key) = (directory.join(CERTIFICATE), directory.join(KEY));
        if key.exists() && self.still_good(&certificate, department, subject)? {
            return Ok(false);
        }
        let now = SystemTime::now();
        let mut params = CertificateParams::new(subject.dns_names.clone())?;
        params.subject_alt_names.extend(subject.addresses.iter().copied().map(SanType::IpAddress));
        params.subject_alt_names.push(SanType::URI(department.spiffe_id().try_into()?));
        params.distinguished_name = named(department.as_str());
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        // A day earlier, so that a machine whose clock is behind accepts it.
        params.not_before = (now - DAY).into();
        params.not_after = (now + validity).into();
        let pair = KeyPair::generate()?;
        let issued = params.signed_by(&pair, &self.issuer)?;
        write_file(&key, &pair.serialize_pem(), 0o600)?;
        write_file(&certificate, &issued.pem(), 0o644)?;
        Ok(true)
    }

    /// Reports whether the certificate in a file is this root's, for this department and these names, and long enough.
    fn still_good(&self, path: &Path, department: &Department, subject: &Subject) -> Result<bool, AuthorityError> {
        if !path.exists() {
            return Ok(false);
        }
        let Ok(own) = read_certificate(path) else { return Ok(false) };
        let root = read_certificate(&self.directory.join(ROOT_CERTIFICATE))?;
        let (Ok((_, parsed)), Ok((_, root))) = (X509Certificate::from_der(&own), X509Certificate::from_der(&root))
        else {
            return Ok(false);
        };
        let names = names_of(&parsed);
        let covers = subject.dns_names.iter().all(|name| names.dns_names.contains(name))
            && subject.addresses.iter().all(|address| names.addresses.contains(address));
        Ok(covers
            && Department::from_certificate(&own).as_ref() == Ok(department)
            && parsed.verify_signature(Some(root.public_key())).is_ok()
            && expires_after(&parsed, RENEWAL))
    }
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, TRUST_DOMAIN);
    name.push(DnType::CommonName, common_name);
    name
}

fn root_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named("development authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn create_root(certificate: &Path, key: &Path) -> Result<Issuer<'static, KeyPair>, AuthorityError> {
    let now = SystemTime::now();
    let mut params = root_params();
    params.not_before = (now - DAY).into();
    params.not_after = (now + ROOT_VALIDITY).into();
    let pair = KeyPair::generate()?;
    let root = params.self_signed(&pair)?;
    write_file(key, &pair.serialize_pem(), 0o600)?;
    write_file(certificate, &root.pem(), 0o644)?;
    Ok(Issuer::new(params, pair))
}

fn open_root(certificate: &Path, key: &Path) -> Result<Issuer<'static, KeyPair>, AuthorityError> {
    let root = read_certificate(certificate)?;
    let content = || AuthorityError::Content { path: certificate.to_owned(), wanted: "certificate" };
    let (_, parsed) = X509Certificate::from_der(&root).map_err(|_| content())?;
    if !expires_after(&parsed, Duration::ZERO) {
        return Err(AuthorityError::RootExpired(certificate.to_owned()));
    }
    let pem = fs::read_to_string(key).map_err(|source| file_error("read", key, source))?;
    let pair = KeyPair::from_pem(&pem)?;
    // The issuer's name and key identifier follow from these alone, so the certificate need not be rebuilt.
    Ok(Issuer::new(root_params(), pair))
}

fn names_of(certificate: &X509Certificate<'_>) -> Subject {
    use x509_parser::extensions::GeneralName;
    let mut names = Subject { dns_names: Vec::new(), addresses: Vec::new() };
    let Ok(Some(san)) = certificate.subject_alternative_name() else { return names };
    for name in &san.value.general_names {
        match name {
            GeneralName::DNSName(name) => names.dns_names.push((*name).to_owned()),
            GeneralName::IPAddress(bytes) => {
                if let Ok(four) = <[u8; 4]>::try_from(*bytes) {
                    names.addresses.push(four.into());
                } else if let Ok(sixteen) = <[u8; 16]>::try_from(*bytes) {
                    names.addresses.push(sixteen.into());
                }
            }
            _ => {}
        }
    }
    names
}

fn expires_after(certificate: &X509Certificate<'_>, left: Duration) -> bool {
    let Ok(now) = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) else { return false };
    let until = certificate.validity().not_after.timestamp();
    u64::try_from(until).is_ok_and(|until| until > now.saturating_add(left).as_secs())
}

fn read_certificate(path: &Path) -> Result<CertificateDer<'static>, AuthorityError> {
    CertificateDer::from_pem_file(path)
        .map_err(|_| AuthorityError::Content { path: path.to_owned(), wanted: "certificate" })
}

fn file_error(action: &'static str, path: &Path, source: io::Error) -> AuthorityError {
    AuthorityError::File { action, path: path.to_owned(), source }
}

fn make_directory(path: &Path) -> Result<(), AuthorityError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| file_error("create", path, source))
}

/// Writes a file whole or not at all: a process that reads meanwhile sees the old content or the new.
fn write_file(path: &Path, content: &str, mode: u32) -> Result<(), AuthorityError> {
    let temporary = path.with_extension("new");
    let written = || -> io::Result<()> {
        if temporary.exists() {
            fs::remove_file(&temporary)?;
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    written().map_err(|source| file_error("write", path, source))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn health() -> Department {
        Department::new("health").expect("a sound name")
    }

    #[test]
    fn a_second_run_issues_nothing_and_changes_no_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = Authority::create_or_open(directory.path()).expect("an authority");
        assert!(authority.issue(&health(), &Subject::localhost()).expect("issued"));
        let files = ["ca.pem", "ca-key.pem", "health/cert.pem", "health/key.pem"];
        let read = || files.map(|f| fs::read(directory.path().join(f)).expect("a file"));
        let before = read();
        let again = Authority::create_or_open(directory.path()).expect("the same authority");
        assert!(!again.issue(&health(), &Subject::localhost()).expect("looked at"));
        assert_eq!(before, read());
    }

    #[test]
    fn a_certificate_that_lacks_a_name_is_issued_again_by_the_same_root() {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = Authority::create_or_open(directory.path()).expect("an authority");
        assert!(authority.issue(&health(), &Subject::localhost()).expect("issued"));
        let wider = Subject::localhost().with_dns_name("health");
        let again = Authority::create_or_open(directory.path()).expect("the same authority");
        assert!(again.issue(&health(), &wider).expect("issued again"));
        assert!(!again.issue(&health(), &wider).expect("kept"));
    }

    #[test]
    fn keys_are_readable_by_their_owner_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = Authority::create_or_open(directory.path()).expect("an authority");
        authority.issue(&health(), &Subject::localhost()).expect("issued");
        for key in ["ca-key.pem", "health/key.pem"] {
            let mode = fs::metadata(directory.path().join(key)).expect("a key").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{key}");
        }
    }

    #[test]
    fn an_issued_certificate_names_its_department() {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = Authority::create_or_open(directory.path()).expect("an authority");
        authority.issue(&health(), &Subject::localhost()).expect("issued");
        let certificate = read_certificate(&directory.path().join("health/cert.pem")).expect("a certificate");
        assert_eq!(Department::from_certificate(&certificate), Ok(health()));
    }

    #[test]
    fn half_a_root_is_an_error_and_not_a_new_authority() {
        let directory = tempfile::tempdir().expect("a directory");
        Authority::create_or_open(directory.path()).expect("an authority");
        fs::remove_file(directory.path().join("ca-key.pem")).expect("removed");
        let error = Authority::create_or_open(directory.path()).expect_err("no authority");
        assert!(matches!(error, AuthorityError::HalfRoot(path) if path.ends_with("ca-key.pem")));
    }
}
