//! Identifiers with check digits (证件号码与编码).
//!
//! Each is a newtype whose only way in is `parse`, so a value of the type is a well-formed identifier. What is
//! checked is form, alphabet, embedded dates and check characters. What is *not* checked is existence: no
//! registry is asked, and the division inside a resident ID is not compared with today's divisions, since a
//! resident keeps the code of the time of birth or first issue for life.
//!
//! Types that identify a person ([`ResidentId`], [`DisabilityCertificateNumber`]) print themselves redacted and
//! wipe their text when dropped; `expose` is the one way to the full text and is meant for the sealing store.

mod disability;
mod error;
mod loinc;
mod organisation;
mod resident;

pub use disability::{DisabilityCertificateNumber, DisabilityLevel, DisabilityType};
pub use error::{IdentifierError, IdentifierKind};
pub use loinc::LoincCode;
pub use organisation::{OrganisationCode, RegistrationKind, Uscc};
pub use resident::{ResidentId, Sex};

/// Reads exactly `N` printable ASCII characters, or says which rule the text breaks.
fn ascii<const N: usize>(kind: IdentifierKind, text: &str) -> Result<[u8; N], IdentifierError> {
    if let Some(index) = text.chars().position(|c| !c.is_ascii_graphic()) {
        return Err(IdentifierError::Character { kind, position: index + 1 });
    }
    text.as_bytes().try_into().map_err(|_| IdentifierError::Length { kind, expected: N, actual: text.len() })
}

/// Reads characters that a constructor has already checked to be ASCII.
fn text(ascii: &[u8]) -> &str {
    std::str::from_utf8(ascii).expect("the constructor admits ASCII only")
}
