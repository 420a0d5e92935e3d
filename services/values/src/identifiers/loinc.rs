//! LOINC codes, under which tests and examinations are listed for mutual recognition.

use std::fmt;
use std::str::FromStr;

use super::{IdentifierError, IdentifierKind};

/// A LOINC code: one to seven digits, a hyphen, and a check digit (Luhn, mod 10).
///
/// Whether LOINC lists the code is not checked; the item catalogue says what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoincCode(u32);

impl LoincCode {
    /// Reads a code such as `2823-3`.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        const KIND: IdentifierKind = IdentifierKind::Loinc;
        let wrong = |index: usize| IdentifierError::Character { kind: KIND, position: index + 1 };
        let (digits, check) = text.split_once('-').ok_or(IdentifierError::Length {
            kind: KIND,
            expected: 9,
            actual: text.chars().count(),
        })?;
        if digits.is_empty() || digits.chars().count() > 7 || check.chars().count() != 1 {
            return Err(IdentifierError::Length { kind: KIND, expected: 9, actual: text.chars().count() });
        }
        if let Some(index) = text.chars().position(|c| !c.is_ascii_digit() && c != '-') {
            return Err(wrong(index));
        }
        if digits.starts_with('0') {
            return Err(wrong(0));
        }
        let number: u32 = digits.parse().map_err(|_| wrong(0))?;
        if check.as_bytes() != [b'0' + luhn(number)] {
            return Err(IdentifierError::CheckCharacter { kind: KIND });
        }
        Ok(Self(number))
    }

    /// Returns the numeric part, before the hyphen.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl FromStr for LoincCode {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for LoincCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0, luhn(self.0))
    }
}

/// Doubles every other digit from the right, adds the digits up, and gives what is missing to the next ten.
fn luhn(number: u32) -> u8 {
    let mut rest = number;
    let mut sum = 0;
    let mut double = true;
    while rest > 0 {
        let digit = (rest % 10) as u8 * if double { 2 } else { 1 };
        sum = (sum + digit / 10 + digit % 10) % 10;
        double = !double;
        rest /= 10;
    }
    (10 - sum) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATALOGUE: &str = "2823-3 2951-2 2075-0 2000-8 14879-1 2885-2 1751-7 14647-2 14927-8 14682-9 22664-7 \
        14933-6 14749-6 1742-6 1920-8 2324-2 14804-9 2532-0 2157-6 14646-4 22748-8 4548-4 1798-8 6768-6 13965-9 \
        5196-1 5195-3 16935-9 13955-0 16128-1 1834-1 2039-6 2857-1 3016-3 14930-2 14928-6 14920-3 14921-1 2465-3 \
        2472-9 2458-8 4485-9 4498-2 10334-1 6875-9 21198-7 6690-2 789-8 718-7 4544-3 777-3 5902-2 6301-6 3173-2 \
        14979-9 3255-7 14631-6 14629-0 2276-4";

    #[test]
    fn every_code_of_the_recognised_tests_has_a_right_check_digit() {
        for code in CATALOGUE.split_whitespace() {
            assert_eq!(LoincCode::parse(code).unwrap().to_string(), code);
        }
    }

    #[test]
    fn each_broken_rule_is_named() {
        for (code, reason) in [
            ("2823", "IDENTIFIER_LENGTH"),
            ("-3", "IDENTIFIER_LENGTH"),
            ("2823-33", "IDENTIFIER_LENGTH"),
            ("12345678-3", "IDENTIFIER_LENGTH"),
            ("28A3-3", "IDENTIFIER_CHARACTER"),
            ("02823-3", "IDENTIFIER_CHARACTER"),
            ("2823-4", "IDENTIFIER_CHECK_CHARACTER"),
            ("2832-3", "IDENTIFIER_CHECK_CHARACTER"),
        ] {
            assert_eq!(LoincCode::parse(code).unwrap_err().reason(), reason, "{code}");
        }
    }
}
