//! The resident identity number (公民身份号码) of GB 11643.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use zeroize::Zeroize;

use super::{IdentifierError, IdentifierKind, ascii, text};

const KIND: IdentifierKind = IdentifierKind::ResidentId;
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK: [u8; 11] = *b"10X98765432";
/// The division of invented people: no place has it, so no real person is ever hit.
const SYNTHETIC_DIVISION: &str = "549999";

/// The sex that a resident ID records: odd sequences male, even female (GB/T 2261.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sex {
    /// 男
    Male,
    /// 女
    Female,
}

/// A resident identity number: six digits of division, eight of birth date, three of sequence, one check.
///
/// Prints as `549999********0012`; [`expose`](Self::expose) gives the full text. The division is that of birth
/// or first issue. It is never compared with today's divisions, and nobody's residence follows from it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResidentId([u8; 18]);

impl ResidentId {
    /// Reads an identity number as a person wrote it, on the day `today`.
    ///
    /// The check character is an upper-case `X`; spaces and lower case are for the caller to tidy.
    pub fn parse(text: &str, today: NaiveDate) -> Result<Self, IdentifierError> {
        let id = Self::parse_stored(text)?;
        if id.birth_date() > today {
            return Err(IdentifierError::BirthInFuture);
        }
        Ok(id)
    }

    /// Reads an identity number that was accepted before, so that no day is needed to judge the birth date.
    pub fn parse_stored(text: &str) -> Result<Self, IdentifierError> {
        let characters: [u8; 18] = ascii(KIND, text)?;
        for (index, character) in characters.iter().enumerate() {
            if !(character.is_ascii_digit() || index == 17 && *character == b'X') {
                return Err(IdentifierError::Character { kind: KIND, position: index + 1 });
            }
        }
        if birth(&characters).is_none() {
            return Err(IdentifierError::BirthDate);
        }
        if check(&characters) != characters[17] {
            return Err(IdentifierError::CheckCharacter { kind: KIND });
        }
        Ok(Self(characters))
    }

    /// Makes the identity number of an invented person: division 549999, a right check digit.
    ///
    /// `sequence` is 0 to 999; odd makes a man, even a woman.
    pub fn synthetic(birth: NaiveDate, sequence: u16) -> Result<Self, IdentifierError> {
        if sequence > 999 || !(1..=9999).contains(&birth.year()) {
            return Err(IdentifierError::Synthetic);
        }
        let written = format!("{SYNTHETIC_DIVISION}{}{sequence:03}0", birth.format("%Y%m%d"));
        let mut characters: [u8; 18] = ascii(KIND, &written)?;
        characters[17] = check(&characters);
        Ok(Self(characters))
    }

    /// Reports whether the number belongs to an invented person.
    pub fn is_synthetic(&self) -> bool {
        text(&self.0).starts_with(SYNTHETIC_DIVISION)
    }

    /// Returns the full text, for the sealed column and for nothing that is printed.
    pub fn expose(&self) -> &str {
        text(&self.0)
    }

    /// Returns the birth date.
    pub fn birth_date(&self) -> NaiveDate {
        birth(&self.0).expect("the constructor checked the birth date")
    }

    /// Returns the sex.
    pub fn sex(&self) -> Sex {
        if self.0[16] % 2 == 1 { Sex::Male } else { Sex::Female }
    }

    /// Returns the age in full years on a day; a person born on 29 February is a year older on 1 March.
    ///
    /// Before the birth date the age is 0.
    pub fn age_on(&self, day: NaiveDate) -> u32 {
        day.years_since(self.birth_date()).unwrap_or(0)
    }
}

impl Drop for ResidentId {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Display for ResidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}********{}", text(&self.0[..6]), text(&self.0[14..]))
    }
}

impl fmt::Debug for ResidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResidentId({self})")
    }
}

fn birth(characters: &[u8; 18]) -> Option<NaiveDate> {
    let number = |range: std::ops::Range<usize>| text(&characters[range]).parse::<u32>().ok();
    let year = i32::try_from(number(6..10)?).ok().filter(|year| *year > 0)?;
    NaiveDate::from_ymd_opt(year, number(10..12)?, number(12..14)?)
}

fn check(characters: &[u8; 18]) -> u8 {
    let sum: u32 = characters.iter().zip(WEIGHTS).map(|(c, weight)| u32::from(c - b'0') * weight).sum();
    CHECK[sum as usize % 11]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn today() -> NaiveDate {
        day("2025-11-30")
    }

    #[test]
    fn the_standards_own_examples_and_the_synthetic_people_are_accepted() {
        for (number, birth, sex) in [
            ("11010519491231002X", "1949-12-31", Sex::Female),
            ("440524188001010014", "1880-01-01", Sex::Male),
            ("549999199001010012", "1990-01-01", Sex::Male),
            ("549999195506151234", "1955-06-15", Sex::Male),
            ("54999920180901004X", "2018-09-01", Sex::Female),
        ] {
            let id = ResidentId::parse(number, today()).unwrap();
            assert_eq!(id.expose(), number);
            assert_eq!(id.birth_date(), day(birth));
            assert_eq!(id.sex(), sex);
        }
    }

    #[test]
    fn each_broken_rule_is_named() {
        for (number, reason) in [
            ("", "IDENTIFIER_LENGTH"),
            ("54999919900101001", "IDENTIFIER_LENGTH"),
            ("5499991990010100122", "IDENTIFIER_LENGTH"),
            ("54999919900101001 ", "IDENTIFIER_CHARACTER"),
            ("５49999199001010012", "IDENTIFIER_CHARACTER"),
            ("54999920180901004x", "IDENTIFIER_CHARACTER"),
            ("5499991990X1010012", "IDENTIFIER_CHARACTER"),
            ("549999199002300012", "RESIDENT_ID_BIRTH_DATE"),
            ("549999000001010012", "RESIDENT_ID_BIRTH_DATE"),
            ("549999199001010013", "IDENTIFIER_CHECK_CHARACTER"),
            ("549999199001010102", "IDENTIFIER_CHECK_CHARACTER"),
        ] {
            assert_eq!(ResidentId::parse(number, today()).unwrap_err().reason(), reason, "{number}");
        }
    }

    #[test]
    fn a_person_is_not_born_after_the_day_of_reading() {
        let born = ResidentId::synthetic(day("2025-12-01"), 1).unwrap();
        assert_eq!(ResidentId::parse(born.expose(), today()), Err(IdentifierError::BirthInFuture));
        assert_eq!(ResidentId::parse(born.expose(), day("2025-12-01")), Ok(born));
    }

    #[test]
    fn a_code_of_a_former_division_is_no_reason_to_reject_a_person() {
        let mut characters: [u8; 18] = *b"542128198512250010";
        characters[17] = check(&characters);
        assert!(ResidentId::parse(text(&characters), today()).is_ok());
    }

    #[test]
    fn synthetic_numbers_carry_the_fictitious_division_and_a_right_check_digit() {
        assert_eq!(ResidentId::synthetic(day("1990-01-01"), 1).unwrap().expose(), "549999199001010012");
        assert_eq!(ResidentId::synthetic(day("2018-09-01"), 4).unwrap().expose(), "54999920180901004X");
        assert_eq!(ResidentId::synthetic(day("1990-01-01"), 1000), Err(IdentifierError::Synthetic));
    }

    #[test]
    fn printing_never_shows_the_birth_date() {
        let id = ResidentId::parse("549999199001010012", today()).unwrap();
        assert_eq!(id.to_string(), "549999********0012");
        assert_eq!(format!("{id:?}"), "ResidentId(549999********0012)");
    }

    #[test]
    fn age_counts_full_years() {
        let id = ResidentId::synthetic(day("1964-02-29"), 1).unwrap();
        for (on, age) in
            [("2024-02-28", 59), ("2024-02-29", 60), ("2025-02-28", 60), ("2025-03-01", 61), ("1960-01-01", 0)]
        {
            assert_eq!(id.age_on(day(on)), age, "{on}");
        }
    }
}
