//! The signature of a lake's heads and of a report's files: who wrote them, and that nobody changed them since.
//!
//! Beside what is signed lies [`NAME`]: a digest for each table or file, and a signature over all of them by the key of
//! whoever ran the job. A table's digest is of what its log says: its version, how far the feed was read, and the files
//! that count with their checksums. The files themselves are compared with those checksums whenever they are read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use minsheng_kit::identity::Department;
use minsheng_kit::pki::{Signature, SignatureError};
use serde::{Deserialize, Serialize};

use crate::lake::{self, Lake, LakeError};

/// The file of a signature.
pub const NAME: &str = "signature.json";

/// Whose key signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The directory of certificates and keys.
    pub pki: PathBuf,
    /// The department, whose folder there holds its key.
    pub department: Department,
}

/// What the digests are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A lake's tables.
    Lake,
    /// A report's files.
    Report,
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Statement {
    of: Kind,
    /// SHA-256 in hexadecimal digits, by name.
    digests: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Signed {
    statement: Statement,
    signature: Signature,
}

/// Why something could not be signed, or its signature not be checked.
#[derive(Debug, thiserror::Error)]
pub enum SignedError {
    /// The lake could not be read, or a file not be written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// A file could not be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// It is not what was written.
    #[error("{path} is not a signature")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The signature does not hold, or none could be made.
    #[error("{path}")]
    Signature {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<SignatureError>,
    },
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What it is.
    pub of: Kind,
    /// Who signed.
    pub department: String,
    /// When.
    pub signed_at: DateTime<Utc>,
    /// How many tables or files are as they were signed.
    pub same: usize,
    /// Those that are not, those that are gone, and those that nobody signed.
    pub different: Vec<String>,
}

/// Signs the heads of a lake's tables.
pub fn sign_lake(lake: &Lake, signer: &Signer) -> Result<(), SignedError> {
    sign(lake.directory(), Statement { of: Kind::Lake, digests: lake.heads()? }, signer)
}

/// Signs the files of a report's directory.
pub fn sign_report(directory: &Path, signer: &Signer) -> Result<(), SignedError> {
    sign(directory, Statement { of: Kind::Report, digests: digests(directory)? }, signer)
}

/// Compares a lake or a report with its signature, which has to come from the authority whose certificate is in `pki`.
pub fn check(directory: &Path, pki: &Path) -> Result<Checked, SignedError> {
    let path = directory.join(NAME);
    let text = std::fs::read(&path).map_err(|source| SignedError::Unreadable { path: path.clone(), source })?;
    let malformed = |source| SignedError::Malformed { path: path.clone(), source };
    let Signed { statement, signature } = serde_json::from_slice(&text).map_err(malformed)?;
    let message = serde_json::to_vec(&statement).map_err(malformed)?;
    signature
        .verify(pki, &message)
        .map_err(|source| SignedError::Signature { path: path.clone(), source: Box::new(source) })?;
    let found = match statement.of {
        Kind::Lake => Lake::open_read_only(directory)?.heads()?,
        Kind::Report => digests(directory)?,
    };
    let names = statement.digests.keys().chain(found.keys().filter(|name| !statement.digests.contains_key(*name)));
    let (same, different): (Vec<&String>, Vec<&String>) =
        names.partition(|name| statement.digests.get(*name) == found.get(*name));
    let signed_at = i64::try_from(signature.signed_at).ok().and_then(|at| DateTime::from_timestamp(at, 0));
    Ok(Checked {
        of: statement.of,
        department: signature.department,
        signed_at: signed_at.unwrap_or_default(),
        same: same.len(),
        different: different.into_iter().cloned().collect(),
    })
}

fn sign(directory: &Path, statement: Statement, signer: &Signer) -> Result<(), SignedError> {
    let path = directory.join(NAME);
    let malformed = |source| SignedError::Malformed { path: path.clone(), source };
    let message = serde_json::to_vec(&statement).map_err(malformed)?;
    let signature = Signature::make(&signer.pki, &signer.department, &message)
        .map_err(|source| SignedError::Signature { path: path.clone(), source: Box::new(source) })?;
    let text = serde_json::to_vec_pretty(&Signed { statement, signature }).map_err(malformed)?;
    Ok(lake::replace(&path, &text)?)
}

/// The digests of a directory's own files; drafts and the signature are none of them.
fn digests(directory: &Path) -> Result<BTreeMap<String, String>, SignedError> {
    let mut digests = BTreeMap::new();
    for (name, path, kind) in lake::entries(directory)? {
        if kind.is_file() && name != NAME && !name.starts_with('.') {
            let bytes =
                std::fs::read(&path).map_err(|source| SignedError::Unreadable { path: path.clone(), source })?;
            digests.insert(name, lake::digest(&bytes));
        }
    }
    Ok(digests)
}

#[cfg(test)]
mod tests {
    use minsheng_kit::pki::{Authority, Subject};

    use super::*;
    use crate::testing::{append, row};

    fn signer() -> (tempfile::TempDir, Signer) {
        let pki = tempfile::tempdir().unwrap();
        let department = Department::new("analytics").unwrap();
        Authority::create_or_open(pki.path()).unwrap().issue(&department, &Subject::localhost()).unwrap();
        let signer = Signer { pki: pki.path().to_owned(), department };
        (pki, signer)
    }

    #[test]
    fn a_report_whose_file_was_changed_added_or_removed_is_told_from_the_one_that_was_signed() {
        let (pki, signer) = signer();
        let report = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(report.path().join(name), text).unwrap();
        write("attainment.json", "{}");
        write("report.html", "<html>");
        sign_report(report.path(), &signer).unwrap();
        let checked = check(report.path(), pki.path()).unwrap();
        assert_eq!((checked.of, &*checked.department, checked.same), (Kind::Report, "analytics", 2));
        assert!(checked.different.is_empty());
        write("report.html", "<html>!");
        write("another.csv", "");
        std::fs::remove_file(report.path().join("attainment.json")).unwrap();
        let checked = check(report.path(), pki.path()).unwrap();
        assert_eq!(checked.different, ["attainment.json", "report.html", "another.csv"]);

        // What says that it was so from the beginning is not signed.
        let path = report.path().join(NAME);
        let text = std::fs::read_to_string(&path).unwrap().replace("attainment.json", "attainment.xml");
        std::fs::write(&path, text).unwrap();
        assert!(matches!(check(report.path(), pki.path()), Err(SignedError::Signature { .. })));
    }

    #[test]
    fn a_table_to_which_somebody_else_added_a_commit_is_told() {
        let (pki, signer) = signer();
        let directory = tempfile::tempdir().unwrap();
        let mut lake = Lake::open(directory.path()).unwrap();
        let of = |id: &str| row("health.institutions", id, "540102", "2025-01-01");
        append(&mut lake, &[of("a"), row("education.schools", "b", "540102", "2025-01-01")], 1);
        sign_lake(&lake, &signer).unwrap();
        let checked = check(directory.path(), pki.path()).unwrap();
        assert_eq!((checked.of, checked.same, checked.different.len()), (Kind::Lake, 2, 0));
        append(&mut lake, &[of("c")], 1);
        let checked = check(directory.path(), pki.path()).unwrap();
        assert_eq!((checked.same, checked.different), (1, vec!["health.institutions".to_owned()]));
    }
}
