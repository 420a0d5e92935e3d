//! Organisation codes (组织机构代码, GB 11714) and the unified social credit code (GB 32100) built around them.

use std::fmt;
use std::str::FromStr;

use super::{IdentifierError, IdentifierKind, ascii, text};

/// An organisation code: eight digits or capital letters and a check character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrganisationCode([u8; 9]);

impl OrganisationCode {
    /// Reads a code, written `D2143569X` or with the customary hyphen, `D2143569-X`.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        const KIND: IdentifierKind = IdentifierKind::OrganisationCode;
        let characters: [u8; 9] = match text.split_once('-') {
            Some((body, check)) if body.len() == 8 => ascii(KIND, &format!("{body}{check}"))?,
            _ => ascii(KIND, text)?,
        };
        for (index, character) in characters.iter().enumerate() {
            let allowed = if index < 8 {
                character.is_ascii_digit() || character.is_ascii_uppercase()
            } else {
                character.is_ascii_digit() || *character == b'X'
            };
            if !allowed {
                return Err(IdentifierError::Character { kind: KIND, position: index + 1 });
            }
        }
        if check(&characters) != characters[8] {
            return Err(IdentifierError::CheckCharacter { kind: KIND });
        }
        Ok(Self(characters))
    }

    /// Returns the nine characters without hyphen.
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }

    fn check(body: &[u8]) -> u8 {
        const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
        let value = |c: u8| u32::from(if c.is_ascii_digit() { c - b'0' } else { c - b'A' + 10 });
        let sum: u32 = body.iter().zip(WEIGHTS).map(|(c, weight)| value(*c) * weight).sum();
        b"0X987654321"[sum as usize % 11]
    }
}

fn check(characters: &[u8; 9]) -> u8 {
    OrganisationCode::check(&characters[..8])
}

/// Who registered an organisation, from the first two characters of its social credit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RegistrationKind {
    /// 机关, prefix 11.
    Organ,
    /// 事业单位, prefix 12: public hospitals and schools.
    PublicInstitution,
    /// 群众团体, prefix 13.
    MassBody,
    /// 社会团体, prefix 51.
    SocialGroup,
    /// 民办非企业单位, prefix 52: private kindergartens, homes for the elderly.
    PrivateNonEnterprise,
    /// 基金会, prefix 53.
    Foundation,
    /// 企业, prefix 91.
    Enterprise,
    /// 个体工商户, prefix 92.
    SelfEmployed,
    /// 农民专业合作社, prefix 93.
    FarmersCooperative,
    /// 农村集体经济组织, prefixes N1 to N3.
    CollectiveEconomy,
    /// Any other prefix of the standard.
    Other,
}

/// A unified social credit code (统一社会信用代码): authority, category, division, organisation code, check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uscc([u8; 18]);

impl Uscc {
    const ALPHABET: &'static [u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

    /// Reads a code of eighteen characters; letters are capitals and never I, O, S, V or Z.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        const KIND: IdentifierKind = IdentifierKind::Uscc;
        let characters: [u8; 18] = ascii(KIND, text)?;
        for (index, character) in characters.iter().enumerate() {
            let division = (2..8).contains(&index);
            if !Self::ALPHABET.contains(character) || (division && !character.is_ascii_digit()) {
                return Err(IdentifierError::Character { kind: KIND, position: index + 1 });
            }
        }
        if OrganisationCode::check(&characters[8..16]) != characters[16] {
            return Err(IdentifierError::CheckCharacter { kind: IdentifierKind::OrganisationCode });
        }
        if Self::check(&characters) != characters[17] {
            return Err(IdentifierError::CheckCharacter { kind: KIND });
        }
        Ok(Self(characters))
    }

    /// Returns the eighteen characters.
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }

    /// Returns the organisation code inside.
    pub fn organisation_code(&self) -> OrganisationCode {
        OrganisationCode(self.0[8..17].try_into().expect("nine characters"))
    }

    /// Returns the kind of registration that the first two characters stand for.
    pub fn registration(&self) -> RegistrationKind {
        match &self.0[..2] {
            b"11" => RegistrationKind::Organ,
            b"12" => RegistrationKind::PublicInstitution,
            b"13" => RegistrationKind::MassBody,
            b"51" => RegistrationKind::SocialGroup,
            b"52" => RegistrationKind::PrivateNonEnterprise,
            b"53" => RegistrationKind::Foundation,
            b"91" => RegistrationKind::Enterprise,
            b"92" => RegistrationKind::SelfEmployed,
            b"93" => RegistrationKind::FarmersCooperative,
            b"N1" | b"N2" | b"N3" => RegistrationKind::CollectiveEconomy,
            _ => RegistrationKind::Other,
        }
    }

    /// Makes the code of an invented organisation: division 549999 and the organisation code `DEM` + five digits.
    ///
    /// Numbers above 99,999 wrap round; `prefix` is one of the standard's two-character prefixes, such as `12`.
    pub fn synthetic(prefix: [u8; 2], number: u32) -> Result<Self, IdentifierError> {
        let mut code = [b'0'; 18];
        code[..2].copy_from_slice(&prefix);
        code[2..8].copy_from_slice(b"549999");
        code[8..16].copy_from_slice(format!("DEM{:05}", number % 100_000).as_bytes());
        code[16] = OrganisationCode::check(&code[8..16]);
        if prefix.iter().any(|c| !Self::ALPHABET.contains(c)) {
            return Err(IdentifierError::Character { kind: IdentifierKind::Uscc, position: 1 });
        }
        code[17] = Self::check(&code);
        Self::parse(text(&code))
    }

    fn check(characters: &[u8; 18]) -> u8 {
        let mut weight = 1;
        let mut sum = 0;
        for character in &characters[..17] {
            let value = Self::ALPHABET.iter().position(|c| c == character).expect("the caller checked the alphabet");
            sum += value * weight;
            weight = weight * 3 % 31;
        }
        Self::ALPHABET[(31 - sum % 31) % 31]
    }
}

macro_rules! text_form {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = IdentifierError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
    )*};
}

text_form!(OrganisationCode, Uscc);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_gb_11714_are_accepted_with_and_without_hyphen() {
        for code in ["192203821", "M000100Y4", "D2143569X"] {
            assert_eq!(OrganisationCode::parse(code).unwrap().as_str(), code);
        }
        assert_eq!("D2143569-X".parse::<OrganisationCode>().unwrap().as_str(), "D2143569X");
    }

    #[test]
    fn each_broken_rule_of_gb_11714_is_named() {
        for (code, reason) in [
            ("19220382", "IDENTIFIER_LENGTH"),
            ("D2143569--X", "IDENTIFIER_LENGTH"),
            ("d2143569X", "IDENTIFIER_CHARACTER"),
            ("D21-43569", "IDENTIFIER_CHARACTER"),
            ("192203820", "IDENTIFIER_CHECK_CHARACTER"),
            ("D2143569Y", "IDENTIFIER_CHARACTER"),
        ] {
            assert_eq!(OrganisationCode::parse(code).unwrap_err().reason(), reason, "{code}");
        }
    }

    #[test]
    fn the_examples_of_gb_32100_are_accepted() {
        for (code, organisation, registration) in [
            ("91350100M000100Y43", "M000100Y4", RegistrationKind::Enterprise),
            ("914403001922038216", "192203821", RegistrationKind::Enterprise),
            ("12549999DEM0000146", "DEM000014", RegistrationKind::PublicInstitution),
            ("52549999DEM000022W", "DEM000022", RegistrationKind::PrivateNonEnterprise),
            ("91549999DEM000030N", "DEM000030", RegistrationKind::Enterprise),
        ] {
            let code = Uscc::parse(code).unwrap();
            assert_eq!(code.organisation_code().as_str(), organisation);
            assert_eq!(OrganisationCode::parse(organisation).unwrap(), code.organisation_code());
            assert_eq!(code.registration(), registration);
        }
    }

    #[test]
    fn each_broken_rule_of_gb_32100_is_named() {
        for (code, reason) in [
            ("91350100M000100Y4", "IDENTIFIER_LENGTH"),
            ("91350100M00O100Y43", "IDENTIFIER_CHARACTER"),
            ("9135010AM000100Y43", "IDENTIFIER_CHARACTER"),
            ("91350100m000100Y43", "IDENTIFIER_CHARACTER"),
            ("91350100M000100Y44", "IDENTIFIER_CHECK_CHARACTER"),
            ("91350100M000101Y43", "IDENTIFIER_CHECK_CHARACTER"),
        ] {
            assert_eq!(Uscc::parse(code).unwrap_err().reason(), reason, "{code}");
        }
    }

    #[test]
    fn synthetic_codes_are_valid_and_recognisable() {
        assert_eq!(Uscc::synthetic(*b"12", 1).unwrap().as_str(), "12549999DEM0000146");
        for number in [0, 7, 99_999, 100_000] {
            assert!(Uscc::synthetic(*b"52", number).unwrap().as_str().starts_with("52549999DEM"));
        }
        assert!(Uscc::synthetic(*b"ZZ", 1).is_err());
    }
}
