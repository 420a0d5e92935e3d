//! Which rule an identifier breaks. No variant carries the identifier: errors travel into logs, people do not.

use std::fmt;

/// Names the kind of identifier that was being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentifierKind {
    /// Resident identity number (公民身份号码), GB 11643.
    ResidentId,
    /// Unified social credit code (统一社会信用代码), GB 32100.
    Uscc,
    /// Organisation code (组织机构代码), GB 11714.
    OrganisationCode,
    /// Disability certificate number (残疾人证号), 残联发〔2017〕34号.
    DisabilityCertificate,
    /// LOINC code of a test or an examination.
    Loinc,
}

impl IdentifierKind {
    /// Returns the Chinese name.
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::ResidentId => "公民身份号码",
            Self::Uscc => "统一社会信用代码",
            Self::OrganisationCode => "组织机构代码",
            Self::DisabilityCertificate => "残疾人证号",
            Self::Loinc => "LOINC编码",
        }
    }
}

impl fmt::Display for IdentifierKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ResidentId => "resident ID",
            Self::Uscc => "unified social credit code",
            Self::OrganisationCode => "organisation code",
            Self::DisabilityCertificate => "disability certificate number",
            Self::Loinc => "LOINC code",
        })
    }
}

/// Which rule a text breaks that was offered as an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// The text has the wrong number of characters.
    #[error("{kind} has {actual} characters, not {expected}")]
    Length {
        /// What was being read.
        kind: IdentifierKind,
        /// Characters that the rule asks for.
        expected: usize,
        /// Characters found.
        actual: usize,
    },
    /// A character does not belong to the alphabet of its position.
    #[error("{kind} has a character that is not allowed at position {position}")]
    Character {
        /// What was being read.
        kind: IdentifierKind,
        /// Position of the character, counted from 1.
        position: usize,
    },
    /// The check character does not follow from the others: a digit is wrong or two are swapped.
    #[error("{kind} has a wrong check character")]
    CheckCharacter {
        /// What was being read.
        kind: IdentifierKind,
    },
    /// Digits 7 to 14 are not a day of the calendar.
    #[error("resident ID has a birth date that is no day of the calendar")]
    BirthDate,
    /// The birth date lies after the day on which the identifier was read.
    #[error("resident ID has a birth date in the future")]
    BirthInFuture,
    /// The type digit of a disability certificate is not 1 to 7.
    #[error("disability certificate number has no disability type 1 to 7 at position 19")]
    DisabilityType,
    /// The level digit of a disability certificate is not 1 to 4.
    #[error("disability certificate number has no level 1 to 4 at position 20")]
    DisabilityLevel,
    /// What follows the twenty characters is not `B1` to `B9`.
    #[error("disability certificate number ends in something other than the re-issue marks B1 to B9")]
    Reissue,
    /// A synthetic identifier was asked for with a sequence above 999 or a year outside 1 to 9999.
    #[error("synthetic resident ID needs a sequence of 0 to 999 and a year of four digits")]
    Synthetic,
}

impl IdentifierError {
    /// Returns the stable reason, for error details and for tests.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Length { .. } => "IDENTIFIER_LENGTH",
            Self::Character { .. } => "IDENTIFIER_CHARACTER",
            Self::CheckCharacter { .. } => "IDENTIFIER_CHECK_CHARACTER",
            Self::BirthDate => "RESIDENT_ID_BIRTH_DATE",
            Self::BirthInFuture => "RESIDENT_ID_BIRTH_IN_FUTURE",
            Self::DisabilityType => "DISABILITY_CERTIFICATE_TYPE",
            Self::DisabilityLevel => "DISABILITY_CERTIFICATE_LEVEL",
            Self::Reissue => "DISABILITY_CERTIFICATE_REISSUE",
            Self::Synthetic => "RESIDENT_ID_SYNTHETIC",
        }
    }

    /// Returns the message in Chinese.
    pub fn message_zh(&self) -> String {
        match self {
            Self::Length { kind, expected, actual } => {
                format!("{}应为{expected}位，实际{actual}位", kind.name_zh())
            }
            Self::Character { kind, position } => {
                format!("{}第{position}位字符不合规定", kind.name_zh())
            }
            Self::CheckCharacter { kind } => format!("{}校验码不正确", kind.name_zh()),
            Self::BirthDate => "公民身份号码中的出生日期不存在".to_owned(),
            Self::BirthInFuture => "公民身份号码中的出生日期晚于当日".to_owned(),
            Self::DisabilityType => "残疾人证号第19位应为残疾类别1至7".to_owned(),
            Self::DisabilityLevel => "残疾人证号第20位应为残疾等级1至4".to_owned(),
            Self::Reissue => "残疾人证号补发标记应为B1至B9".to_owned(),
            Self::Synthetic => "虚构身份号码的顺序码应为0至999，年份应为四位".to_owned(),
        }
    }
}
