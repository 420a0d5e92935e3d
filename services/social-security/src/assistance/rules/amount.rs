//! Dibao arithmetic (低保金计算), in whole fen.
//!
//! The household's income is subtracted from the standard of all its members together. Income per head is never
//! computed: dividing and multiplying back pays a household a yuan too much or too little.

use chrono::NaiveDate;
use minsheng_kit::values::{
    divisions::{CountyCode, Divisions},
    money::{Fen, MoneyError, PerMille, Rounding},
    parameters::{ParameterError, Parameters},
};
use minsheng_proto::social_security::v1 as pb;

/// Months of a year, by which the yearly rural standard is divided.
const MONTHS: u32 = 12;

/// What becomes of fractions, by the county's rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundingRule {
    /// The direction.
    pub direction: Rounding,
    /// True when the household's amount is rounded to whole yuan; otherwise it is paid to the fen.
    pub to_yuan: bool,
}

impl RoundingRule {
    /// Reads the rule of a county on a day.
    pub fn on(parameters: &Parameters, county: CountyCode, day: NaiveDate) -> Result<Self, ParameterError> {
        let flag = |key| known(parameters.value_on(key, county, day).map(|parameter| parameter.value == 1));
        Ok(Self {
            direction: if flag("dibao.round_up")?.unwrap_or(true) { Rounding::Up } else { Rounding::Down },
            to_yuan: flag("dibao.round_to_yuan")?.unwrap_or(false),
        })
    }
}

/// Turns a figure that is known, but not for the day, into nothing.
pub(super) fn known<T>(value: Result<T, ParameterError>) -> Result<Option<T>, ParameterError> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(ParameterError::NotInForce { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Gives the dibao standard a month and member, for a county on a day: the urban one, or the rural one of the year
/// divided by twelve, with the addition of border counties.
///
/// It is settled in fen here, once, so that everybody who has it can recompute the amount.
pub fn monthly_standard(
    parameters: &Parameters,
    county: CountyCode,
    residence: pb::ResidenceKind,
    day: NaiveDate,
) -> Result<Fen, ParameterError> {
    let value = |key| parameters.value_on(key, county, day);
    let direction = RoundingRule::on(parameters, county, day)?.direction;
    let rural = residence == pb::ResidenceKind::Rural;
    let (key, parts) = if rural { ("dibao.rural_yearly_fen", MONTHS) } else { ("dibao.urban_monthly_fen", 1) };
    let too_large = |_| ParameterError::OutOfRange { key: key.to_owned() };
    let standard = value(key)?.as_fen()?;
    let addition = if Divisions::get().is_border(county) {
        known(value("dibao.border_addition_permille"))?
            .map_or(Ok(0), |share| share.as_per_mille().map(PerMille::get))?
    } else {
        0
    };
    // The addition of a yearly amount is taken before the division: one rounding, not two.
    let with_addition = PerMille::new(PerMille::WHOLE.get() + addition);
    if rural {
        let thousandths = standard.times(i64::from(with_addition.get())).map_err(too_large)?;
        thousandths.divide(parts * PerMille::WHOLE.get(), direction).map_err(too_large)
    } else {
        with_addition.of(standard, direction).map_err(too_large)
    }
}

/// What a household lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Means {
    /// Number of members.
    pub members: i64,
    /// Net income of all together, a month.
    pub monthly_income: Fen,
}

impl Means {
    /// Says whether the income per head lies below an amount a month.
    pub fn below(self, monthly: Fen) -> bool {
        self.below_multiple(monthly, PerMille::WHOLE)
    }

    /// Says whether the income per head lies below a multiple of an amount a month. Compares products, divides nothing.
    pub fn below_multiple(self, monthly: Fen, multiple: PerMille) -> bool {
        let income = i128::from(self.monthly_income.get()) * i128::from(PerMille::WHOLE.get());
        income < i128::from(monthly.get()) * i128::from(multiple.get()) * i128::from(self.members)
    }

    /// Says whether the income per head lies below an amount a year.
    pub fn below_yearly(self, yearly: Fen) -> bool {
        let income = i128::from(self.monthly_income.get()) * i128::from(MONTHS);
        income < i128::from(yearly.get()) * i128::from(self.members)
    }
}

/// Computes what dibao pays a household a month: the standard of all members less their income, never below nothing.
pub fn monthly_amount(standard: Fen, means: Means, rounding: RoundingRule) -> Result<Fen, MoneyError> {
    let amount = standard.times(means.members)?.minus(means.monthly_income)?.or_zero_if_negative();
    if rounding.to_yuan { amount.round_to_yuan(rounding.direction) } else { Ok(amount) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TO_THE_FEN: RoundingRule = RoundingRule { direction: Rounding::Up, to_yuan: false };

    fn yuan(yuan: i64) -> Fen {
        Fen::from_yuan(yuan).expect("small")
    }

    fn means(members: i64, monthly_income: Fen) -> Means {
        Means { members, monthly_income }
    }

    #[test]
    fn three_members_who_earn_1894_of_a_standard_of_632_get_2_yuan_and_not_3() {
        let up_to_yuan = RoundingRule { to_yuan: true, ..TO_THE_FEN };
        for rounding in [TO_THE_FEN, up_to_yuan] {
            assert_eq!(monthly_amount(yuan(632), means(3, yuan(1_894)), rounding), Ok(yuan(2)));
        }
    }

    #[test]
    fn the_amount_is_never_below_nothing_and_is_rounded_as_the_county_says() {
        let income = Fen::new(189_450);
        for (direction, to_yuan, fen) in [
            (Rounding::Up, false, 150),
            (Rounding::Down, false, 150),
            (Rounding::Up, true, 200),
            (Rounding::Down, true, 100),
        ] {
            let rounding = RoundingRule { direction, to_yuan };
            assert_eq!(monthly_amount(yuan(632), means(3, income), rounding), Ok(Fen::new(fen)), "{rounding:?}");
        }
        assert_eq!(monthly_amount(yuan(632), means(3, yuan(1_897)), TO_THE_FEN), Ok(Fen::ZERO));
    }

    #[test]
    fn income_per_head_is_compared_without_dividing() {
        let (standard, twice) = (Fen::new(63_233), PerMille::new(1_500));
        // 1,896.99 for three is 632.33 each: exactly the standard, so not below it.
        assert!(!means(3, Fen::new(189_699)).below(standard));
        assert!(means(3, Fen::new(189_698)).below(standard));
        assert!(means(2, Fen::new(189_698)).below_multiple(standard, twice));
        assert!(!means(2, Fen::new(189_699)).below_multiple(standard, twice));
        assert!(means(1, Fen::new(261_316)).below_yearly(Fen::new(3_135_800)));
        assert!(!means(1, Fen::new(261_317)).below_yearly(Fen::new(3_135_800)));
    }

    #[test]
    fn the_standard_follows_residence_county_and_day() {
        let standard = |county: &str, residence, year| {
            let county = CountyCode::parse(county).expect("a county");
            let day = NaiveDate::from_ymd_opt(year, 6, 1).expect("a day");
            monthly_standard(Parameters::get(), county, residence, day).map(Fen::get)
        };
        let (urban, rural) = (pb::ResidenceKind::Urban, pb::ResidenceKind::Rural);
        assert_eq!(standard("540102", urban, 2021), Ok(91_000));
        assert_eq!(standard("540102", urban, 2025), Ok(93_000));
        // 5,060 a year is 421.666… a month.
        assert_eq!(standard("540102", rural, 2021), Ok(42_167));
        // 定日 lies on the border: a tenth more, and 5,566 a year is 463.833… a month.
        assert_eq!(standard("540223", urban, 2021), Ok(100_100));
        assert_eq!(standard("540223", rural, 2021), Ok(46_384));
        // The addition is known from 2021 on.
        assert_eq!(standard("540223", urban, 2020), Ok(84_700));
        assert!(matches!(standard("540102", urban, 2010), Err(ParameterError::NotInForce { .. })));
    }
}
