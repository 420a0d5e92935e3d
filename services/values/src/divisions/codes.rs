//! The codes of divisions: six digits for areas (GB/T 2260), nine for townships, twelve for villages.
//!
//! A code of these types is one of the table's; a code of the past does not parse, and the error names its
//! successors so that an importer can say what to write instead.

use std::fmt;
use std::str::FromStr;

use super::Divisions;

/// How far down an area lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AreaLevel {
    /// 自治区
    Region,
    /// 地级市、地区
    Prefecture,
    /// 市辖区、县级市、县
    County,
}

/// Why a text is not the code of a division.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DivisionError {
    /// The text does not have the digits of such a code.
    #[error("a division code of this level has {digits} digits")]
    Form {
        /// Digits that the level has.
        digits: usize,
    },
    /// No list of divisions knows the code.
    #[error("no division has the code {code}")]
    Unknown {
        /// The code as read.
        code: String,
    },
    /// The code was in use once; the current ones are named where the history tells them.
    #[error("the division code {code} is no longer in use; current: {}", joined(.successors))]
    Retired {
        /// The code as read.
        code: String,
        /// The current codes of the same place.
        successors: Vec<AreaCode>,
    },
    /// The code belongs to an area of another level.
    #[error("the division {code} is not a county-level division")]
    NotACounty {
        /// The code as read.
        code: AreaCode,
    },
}

impl DivisionError {
    /// Returns the stable reason, for error details and for tests.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Form { .. } => "DIVISION_CODE_FORM",
            Self::Unknown { .. } => "DIVISION_CODE_UNKNOWN",
            Self::Retired { .. } => "DIVISION_CODE_RETIRED",
            Self::NotACounty { .. } => "DIVISION_NOT_A_COUNTY",
        }
    }

    /// Returns the message in Chinese.
    pub fn message_zh(&self) -> String {
        match self {
            Self::Form { digits } => format!("行政区划代码应为{digits}位数字"),
            Self::Unknown { code } => format!("行政区划代码{code}不存在"),
            Self::Retired { code, successors } => {
                format!("行政区划代码{code}已停用，现行代码：{}", joined(successors))
            }
            Self::NotACounty { code } => format!("行政区划{code}不是县级区划"),
        }
    }
}

fn joined(codes: &[AreaCode]) -> String {
    codes.iter().map(AreaCode::as_str).collect::<Vec<_>>().join(", ")
}

mod sealed {
    pub trait Sealed {}
}

/// A code of any level of division. Implemented by the code types of this module only.
pub trait DivisionCode: sealed::Sealed + Copy {
    /// Returns the digits.
    fn digits(&self) -> &str;
}

macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $digits:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; $digits]);

        impl $name {
            /// Reads the digits without asking the table, for building the table itself.
            pub(super) fn unchecked(text: &str) -> Result<Self, DivisionError> {
                let digits: [u8; $digits] =
                    text.as_bytes().try_into().map_err(|_| DivisionError::Form { digits: $digits })?;
                if digits.iter().all(u8::is_ascii_digit) {
                    Ok(Self(digits))
                } else {
                    Err(DivisionError::Form { digits: $digits })
                }
            }

            /// Returns the digits.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).expect("the constructor admits digits only")
            }
        }

        impl sealed::Sealed for $name {}

        impl DivisionCode for $name {
            fn digits(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = DivisionError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = DivisionError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> Self {
                code.as_str().to_owned()
            }
        }
    };
}

code!(
    /// The region, a prefecture or a county: six digits of GB/T 2260, one of the current table.
    AreaCode, 6
);
code!(
    /// A county-level division (县级区划): one of the 74 of the current table.
    CountyCode, 6
);
code!(
    /// A township-level division (乡级区划): nine digits, one of the current table.
    TownshipCode, 9
);
code!(
    /// A village or neighbourhood (村、社区): twelve digits, one of the current table.
    VillageCode, 12
);

impl AreaCode {
    /// Reads a current code of any of the three levels.
    pub fn parse(text: &str) -> Result<Self, DivisionError> {
        let code = Self::unchecked(text)?;
        let divisions = Divisions::get();
        if divisions.has(code) {
            return Ok(code);
        }
        match divisions.last_meaning(text) {
            Some(successors) => Err(DivisionError::Retired { code: text.to_owned(), successors: successors.to_vec() }),
            None => Err(DivisionError::Unknown { code: text.to_owned() }),
        }
    }

    /// Returns the level, which the digits themselves tell.
    pub fn level(self) -> AreaLevel {
        match &self.0[2..] {
            b"0000" => AreaLevel::Region,
            [_, _, b'0', b'0'] => AreaLevel::Prefecture,
            _ => AreaLevel::County,
        }
    }

    /// Returns the county, if the area is one.
    pub fn county(self) -> Option<CountyCode> {
        (self.level() == AreaLevel::County).then_some(CountyCode(self.0))
    }

    /// Reports whether the division `code` lies in this area or is this area.
    pub fn contains(self, code: impl DivisionCode) -> bool {
        code.digits().starts_with(self.prefix())
    }

    /// Returns the lowest and the highest code that an area inside this one can have, for a range of the store.
    pub fn range(self) -> (String, String) {
        let highest = format!("{:9<6}", self.prefix());
        (self.as_str().to_owned(), highest)
    }

    /// Returns the area of a level that this one lies in, or the area itself where it is no smaller; as a number, as
    /// columns of numbers hold it.
    pub fn number_at(number: i32, level: AreaLevel) -> i32 {
        let below = match level {
            AreaLevel::County => 1,
            AreaLevel::Prefecture => 100,
            AreaLevel::Region => 10_000,
        };
        number / below * below
    }

    /// Returns the level of a code that is given as a number.
    pub fn level_of_number(number: i32) -> AreaLevel {
        match number {
            region if region % 10_000 == 0 => AreaLevel::Region,
            prefecture if prefecture % 100 == 0 => AreaLevel::Prefecture,
            _ => AreaLevel::County,
        }
    }

    /// Returns the digits that all divisions of the area begin with.
    pub(super) fn prefix(&self) -> &str {
        prefix_of(self.as_str())
    }
}

/// Returns the digits that all divisions of an area begin with, by its six digits, which need not be of the table.
pub fn prefix_of(code: &str) -> &str {
    code.strip_suffix("0000").or_else(|| code.strip_suffix("00")).unwrap_or(code)
}

impl CountyCode {
    /// Reads a current code of a county-level division.
    pub fn parse(text: &str) -> Result<Self, DivisionError> {
        Self::try_from(AreaCode::parse(text)?)
    }

    /// Returns the county as an area.
    pub fn area(self) -> AreaCode {
        AreaCode(self.0)
    }

    /// Returns the prefecture.
    pub fn prefecture(self) -> AreaCode {
        let mut digits = self.0;
        digits[4..].fill(b'0');
        AreaCode(digits)
    }
}

impl From<CountyCode> for AreaCode {
    fn from(county: CountyCode) -> Self {
        county.area()
    }
}

impl TryFrom<AreaCode> for CountyCode {
    type Error = DivisionError;

    fn try_from(code: AreaCode) -> Result<Self, Self::Error> {
        code.county().ok_or(DivisionError::NotACounty { code })
    }
}

impl TownshipCode {
    /// Reads a current code of a township-level division.
    pub fn parse(text: &str) -> Result<Self, DivisionError> {
        let code = Self::unchecked(text)?;
        match Divisions::get().township(code) {
            Some(_) => Ok(code),
            None => Err(DivisionError::Unknown { code: text.to_owned() }),
        }
    }

    /// Returns the county.
    pub fn county(self) -> CountyCode {
        CountyCode(self.0[..6].try_into().expect("six digits"))
    }
}

impl VillageCode {
    /// Reads a current code of a village or neighbourhood.
    pub fn parse(text: &str) -> Result<Self, DivisionError> {
        let code = Self::unchecked(text)?;
        match Divisions::get().village(code) {
            Some(_) => Ok(code),
            None => Err(DivisionError::Unknown { code: text.to_owned() }),
        }
    }

    /// Returns the township.
    pub fn township(self) -> TownshipCode {
        TownshipCode(self.0[..9].try_into().expect("nine digits"))
    }

    /// Returns the county.
    pub fn county(self) -> CountyCode {
        self.township().county()
    }
}
