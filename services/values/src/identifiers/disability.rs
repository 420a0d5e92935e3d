//! The number of a disability certificate (残疾人证号), 残联发〔2017〕34号.

use std::fmt;

use chrono::NaiveDate;

use super::{IdentifierError, IdentifierKind, ResidentId};

const KIND: IdentifierKind = IdentifierKind::DisabilityCertificate;

/// The types of disability (残疾类别), GB/T 26341.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DisabilityType {
    /// 视力, 1.
    Visual,
    /// 听力, 2.
    Hearing,
    /// 言语, 3.
    Speech,
    /// 肢体, 4.
    Limb,
    /// 智力, 5.
    Intellectual,
    /// 精神, 6.
    Mental,
    /// 多重, 7.
    Multiple,
}

/// The level of disability (残疾等级): 1 is the most severe, 4 the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DisabilityLevel(u8);

impl DisabilityLevel {
    /// Makes a level of 1 to 4.
    pub fn new(level: u8) -> Result<Self, IdentifierError> {
        if (1..=4).contains(&level) { Ok(Self(level)) } else { Err(IdentifierError::DisabilityLevel) }
    }

    /// Returns the level, 1 to 4.
    pub fn get(self) -> u8 {
        self.0
    }

    /// Reports whether the level counts as severe (重度): 1 or 2.
    pub fn is_severe(self) -> bool {
        self.0 <= 2
    }
}

/// A certificate's number: resident ID, type digit, level digit, and `B1`, `B2` … after a re-issue.
///
/// Twenty characters, or twenty-two with the re-issue mark. It contains the resident ID and is redacted like it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DisabilityCertificateNumber {
    holder: ResidentId,
    disability: DisabilityType,
    level: DisabilityLevel,
    reissue: u8,
}

impl DisabilityCertificateNumber {
    /// Reads a number as it stands on the certificate, on the day `today`.
    pub fn parse(text: &str, today: NaiveDate) -> Result<Self, IdentifierError> {
        let number = Self::parse_stored(text)?;
        if number.holder.birth_date() > today {
            return Err(IdentifierError::BirthInFuture);
        }
        Ok(number)
    }

    /// Reads a number that was accepted before, so that no day is needed to judge the birth date.
    pub fn parse_stored(text: &str) -> Result<Self, IdentifierError> {
        if let Some(index) = text.chars().position(|c| !c.is_ascii_graphic()) {
            return Err(IdentifierError::Character { kind: KIND, position: index + 1 });
        }
        let bytes = text.as_bytes();
        if bytes.len() != 20 && bytes.len() != 22 {
            return Err(IdentifierError::Length { kind: KIND, expected: 20, actual: bytes.len() });
        }
        let holder = ResidentId::parse_stored(&text[..18])?;
        let disability = match bytes[18] {
            b'1' => DisabilityType::Visual,
            b'2' => DisabilityType::Hearing,
            b'3' => DisabilityType::Speech,
            b'4' => DisabilityType::Limb,
            b'5' => DisabilityType::Intellectual,
            b'6' => DisabilityType::Mental,
            b'7' => DisabilityType::Multiple,
            _ => return Err(IdentifierError::DisabilityType),
        };
        let level = DisabilityLevel::new(bytes[19].wrapping_sub(b'0'))?;
        let reissue = match &bytes[20..] {
            [] => 0,
            [b'B', count @ b'1'..=b'9'] => count - b'0',
            _ => return Err(IdentifierError::Reissue),
        };
        Ok(Self { holder, disability, level, reissue })
    }

    /// Returns the holder's resident ID.
    pub fn holder(&self) -> &ResidentId {
        &self.holder
    }

    /// Returns the type of disability.
    pub fn disability_type(&self) -> DisabilityType {
        self.disability
    }

    /// Returns the level of disability.
    pub fn level(&self) -> DisabilityLevel {
        self.level
    }

    /// Returns how often the certificate has been issued again: 0, or 1 for `B1` and so on.
    pub fn reissue(&self) -> u8 {
        self.reissue
    }

    /// Returns the full text, for the sealed column and for nothing that is printed.
    pub fn expose(&self) -> String {
        format!("{}{}", self.holder.expose(), self.tail())
    }

    fn tail(&self) -> String {
        let digits = format!("{}{}", self.disability as u8 + 1, self.level.0);
        if self.reissue == 0 { digits } else { format!("{digits}B{}", self.reissue) }
    }
}

impl fmt::Display for DisabilityCertificateNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.holder, self.tail())
    }
}

impl fmt::Debug for DisabilityCertificateNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DisabilityCertificateNumber({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2025, 11, 30).unwrap()
    }

    #[test]
    fn a_number_tells_type_level_and_reissue() {
        for (number, disability, level, reissue, severe) in [
            ("54999919900101001211", DisabilityType::Visual, 1, 0, true),
            ("54999919900101001254", DisabilityType::Intellectual, 4, 0, false),
            ("54999919550615123462B1", DisabilityType::Mental, 2, 1, true),
            ("54999920180901004X73B2", DisabilityType::Multiple, 3, 2, false),
        ] {
            let read = DisabilityCertificateNumber::parse(number, today()).unwrap();
            assert_eq!(read.expose(), number);
            assert_eq!(read.disability_type(), disability);
            assert_eq!(read.level().get(), level);
            assert_eq!(read.level().is_severe(), severe);
            assert_eq!(read.reissue(), reissue);
        }
    }

    #[test]
    fn each_broken_rule_is_named() {
        for (number, reason) in [
            ("5499991990010100121", "IDENTIFIER_LENGTH"),
            ("54999919900101001211B", "IDENTIFIER_LENGTH"),
            ("54999919900101001311", "IDENTIFIER_CHECK_CHARACTER"),
            ("54999919900101001201", "DISABILITY_CERTIFICATE_TYPE"),
            ("54999919900101001281", "DISABILITY_CERTIFICATE_TYPE"),
            ("54999919900101001210", "DISABILITY_CERTIFICATE_LEVEL"),
            ("54999919900101001215", "DISABILITY_CERTIFICATE_LEVEL"),
            ("54999919900101001211B0", "DISABILITY_CERTIFICATE_REISSUE"),
            ("54999919900101001211A1", "DISABILITY_CERTIFICATE_REISSUE"),
            ("5499991990010100121残", "IDENTIFIER_CHARACTER"),
        ] {
            let error = DisabilityCertificateNumber::parse(number, today()).unwrap_err();
            assert_eq!(error.reason(), reason, "{number}");
        }
    }

    #[test]
    fn printing_never_shows_the_holders_birth_date() {
        let number = DisabilityCertificateNumber::parse("54999919900101001242B1", today()).unwrap();
        assert_eq!(number.to_string(), "549999********001242B1");
        assert!(!format!("{number:?}").contains("1990"));
    }
}
