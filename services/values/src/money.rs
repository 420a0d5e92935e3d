//! Amounts of money in fen (分), and shares per mille. Never a float, never a silent overflow.
//!
//! Whoever divides says how to round, because regulations differ: a county that rounds an allowance up to whole
//! yuan and one that drops the fen are both right under their own rules.

use std::fmt;
use std::str::FromStr;

/// Why an amount could not be computed or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The result lies outside what 64 bits of fen can hold.
    #[error("the amount is too large")]
    Overflow,
    /// A division by nothing was asked for.
    #[error("an amount cannot be divided by zero")]
    DivisionByZero,
    /// The text is not an amount in yuan with at most two decimals.
    #[error("not an amount in yuan with at most two decimals")]
    Syntax,
}

impl MoneyError {
    /// Returns the stable reason, for error details and for tests.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Overflow => "AMOUNT_TOO_LARGE",
            Self::DivisionByZero => "AMOUNT_DIVIDED_BY_ZERO",
            Self::Syntax => "AMOUNT_SYNTAX",
        }
    }

    /// Returns the message in Chinese.
    pub fn message_zh(self) -> &'static str {
        match self {
            Self::Overflow => "金额超出范围",
            Self::DivisionByZero => "金额不能除以零",
            Self::Syntax => "金额应以元为单位，最多两位小数",
        }
    }
}

/// What becomes of a fraction. The direction is towards or away from zero, so debts mirror credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// Drops the fraction (舍去).
    Down,
    /// Completes any fraction (进一).
    Up,
    /// Completes a half and more (四舍五入).
    HalfUp,
}

impl Rounding {
    /// Divides `dividend` by `divisor` (above zero) in this way.
    fn divide(self, dividend: i128, divisor: i128) -> i128 {
        let (quotient, rest) = (dividend / divisor, (dividend % divisor).abs());
        let away = match self {
            Self::Down => false,
            Self::Up => rest > 0,
            Self::HalfUp => rest * 2 >= divisor,
        };
        quotient + if away { dividend.signum() } else { 0 }
    }
}

/// An amount of money in fen, a hundredth of a yuan. May be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Fen(i64);

impl Fen {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Makes an amount of fen.
    pub const fn new(fen: i64) -> Self {
        Self(fen)
    }

    /// Makes an amount of whole yuan.
    pub fn from_yuan(yuan: i64) -> Result<Self, MoneyError> {
        yuan.checked_mul(100).map(Self).ok_or(MoneyError::Overflow)
    }

    /// Returns the amount in fen.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Adds.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.0.checked_add(other.0).map(Self).ok_or(MoneyError::Overflow)
    }

    /// Subtracts; the result may be negative.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.0.checked_sub(other.0).map(Self).ok_or(MoneyError::Overflow)
    }

    /// Multiplies the amount.
    pub fn times(self, count: i64) -> Result<Self, MoneyError> {
        self.0.checked_mul(count).map(Self).ok_or(MoneyError::Overflow)
    }

    /// Divides into `parts` equal parts and gives one of them.
    pub fn divide(self, parts: u32, rounding: Rounding) -> Result<Self, MoneyError> {
        if parts == 0 {
            return Err(MoneyError::DivisionByZero);
        }
        Self::narrow(rounding.divide(i128::from(self.0), i128::from(parts)))
    }

    /// Rounds to whole yuan.
    pub fn round_to_yuan(self, rounding: Rounding) -> Result<Self, MoneyError> {
        Self::narrow(rounding.divide(i128::from(self.0), 100) * 100)
    }

    /// Returns the amount, or nothing if it is negative: what an entitlement never falls below.
    #[must_use]
    pub fn or_zero_if_negative(self) -> Self {
        self.max(Self::ZERO)
    }

    /// Adds amounts up.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::ZERO, Self::plus)
    }

    fn narrow(fen: i128) -> Result<Self, MoneyError> {
        i64::try_from(fen).map(Self).map_err(|_| MoneyError::Overflow)
    }
}

/// Writes yuan with two decimals and grouped thousands: `1,234.56 元`.
impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fen = self.0.unsigned_abs();
        let yuan = (fen / 100).to_string();
        let mut text = String::from(if self.0 < 0 { "-" } else { "" });
        for (index, digit) in yuan.chars().enumerate() {
            if index > 0 && (yuan.len() - index).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&format!("{text}.{:02} 元", fen % 100))
    }
}

/// Reads yuan: `12`, `12.3`, `12.34`, `-0.05`, `1,234.56`, each with or without `元` behind.
///
/// A third decimal is an error, not rounded away. Commas are read only where they group thousands.
impl FromStr for Fen {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.strip_suffix('元').unwrap_or(text).trim();
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (yuan, decimals) = match text.split_once('.') {
            Some((yuan, decimals)) if matches!(decimals.len(), 1 | 2) => (yuan, format!("{decimals:0<2}")),
            Some(_) => return Err(MoneyError::Syntax),
            None => (text, "00".to_owned()),
        };
        let digits = ungroup(yuan)? + &decimals;
        if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(MoneyError::Syntax);
        }
        let fen: i128 = digits.parse().map_err(|_| MoneyError::Overflow)?;
        Self::narrow(if negative { -fen } else { fen })
    }
}

fn ungroup(yuan: &str) -> Result<String, MoneyError> {
    let mut groups = yuan.split(',');
    let first = groups.next().unwrap_or_default();
    let grouped = yuan.contains(',');
    if first.is_empty() || (grouped && first.len() > 3) || groups.any(|group| group.len() != 3) {
        return Err(MoneyError::Syntax);
    }
    Ok(yuan.replace(',', ""))
}

/// A share in thousandths: 300 is thirty percent, 1,500 is one and a half times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PerMille(u32);

impl PerMille {
    /// The whole.
    pub const WHOLE: Self = Self(1000);

    /// Makes a share of thousandths.
    pub const fn new(per_mille: u32) -> Self {
        Self(per_mille)
    }

    /// Returns the share in thousandths.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Returns this share of an amount.
    pub fn of(self, amount: Fen, rounding: Rounding) -> Result<Fen, MoneyError> {
        Fen::narrow(rounding.divide(i128::from(amount.0) * i128::from(self.0), 1000))
    }
}

impl fmt::Display for PerMille {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}‰", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_print_in_yuan_with_grouped_thousands() {
        for (fen, text) in [
            (0, "0.00 元"),
            (5, "0.05 元"),
            (-5, "-0.05 元"),
            (123_456, "1,234.56 元"),
            (-100_000_000, "-1,000,000.00 元"),
            (99_999, "999.99 元"),
            (i64::MIN, "-92,233,720,368,547,758.08 元"),
        ] {
            assert_eq!(Fen::new(fen).to_string(), text);
        }
    }

    #[test]
    fn amounts_read_as_people_write_them() {
        for (text, fen) in [
            ("12.34", 1_234),
            ("12", 1_200),
            ("12.3", 1_230),
            ("-0.05", -5),
            ("1,234.56", 123_456),
            ("5700元", 570_000),
        ] {
            assert_eq!(text.parse(), Ok(Fen::new(fen)), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_and_nothing_is_rounded_away() {
        for text in
            ["", "-", ".5", "1.", "1.234", "12,34", "1234,567", ",123", "1e3", "+5", "1.2.3", "１２", "--1", "1 2"]
        {
            assert_eq!(text.parse::<Fen>(), Err(MoneyError::Syntax), "{text}");
        }
        assert_eq!("92233720368547758.08".parse::<Fen>(), Err(MoneyError::Overflow));
        assert_eq!("9".repeat(60).parse::<Fen>(), Err(MoneyError::Overflow));
    }

    #[test]
    fn arithmetic_reports_overflow() {
        let most = Fen::new(i64::MAX);
        assert_eq!(most.plus(Fen::new(1)), Err(MoneyError::Overflow));
        assert_eq!(Fen::new(i64::MIN).minus(Fen::new(1)), Err(MoneyError::Overflow));
        assert_eq!(most.times(2), Err(MoneyError::Overflow));
        assert_eq!(Fen::from_yuan(i64::MAX), Err(MoneyError::Overflow));
        assert_eq!(PerMille::new(1001).of(most, Rounding::Down), Err(MoneyError::Overflow));
        assert_eq!(Fen::sum([most, Fen::new(1)]), Err(MoneyError::Overflow));
        assert_eq!(Fen::new(1).divide(0, Rounding::Up), Err(MoneyError::DivisionByZero));
    }

    #[test]
    fn fractions_go_where_the_rule_says() {
        for (fen, parts, down, up, half) in [(10, 3, 3, 4, 3), (11, 2, 5, 6, 6), (-11, 2, -5, -6, -6), (12, 3, 4, 4, 4)]
        {
            let divided = |rounding| Fen::new(fen).divide(parts, rounding).unwrap().get();
            assert_eq!((divided(Rounding::Down), divided(Rounding::Up), divided(Rounding::HalfUp)), (down, up, half));
        }
        assert_eq!(Fen::new(1_201).round_to_yuan(Rounding::Up), Ok(Fen::new(1_300)));
    }

    #[test]
    fn support_standards_follow_from_the_minimum_allowance_by_share() {
        let urban_year = Fen::from_yuan(910).unwrap().times(12).unwrap();
        let rural_year = Fen::from_yuan(5_060).unwrap();
        assert_eq!(PerMille::new(1_300).of(urban_year, Rounding::HalfUp), Fen::from_yuan(14_196));
        assert_eq!(PerMille::new(1_500).of(rural_year, Rounding::HalfUp), Fen::from_yuan(7_590));
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(fen: i64) {
            prop_assert_eq!(Fen::new(fen).to_string().parse(), Ok(Fen::new(fen)));
        }
    }
}
