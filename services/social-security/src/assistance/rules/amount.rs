//! Dibao arithmetic (低保金计算), in whole fen.
//!
//! The standard of all members together is divided once, by the months for which it is set, after the household's
//! income is subtracted from it. Neither the income per head nor the standard of a member a month is computed on the
//! way: dividing and multiplying back pays a household a yuan too much or too little.

use chrono::NaiveDate;
use minsheng_kit::values::{
    divisions::{CountyCode, Divisions},
    money::{Fen, MoneyError, PerMille, Rounding},
    parameters::{ParameterError, Parameters},
};
use minsheng_proto::social_security::v1 as pb;

/// Months of a year, for which the rural standard is set.
const MONTHS: u32 = 12;

/// Fen of a yuan.
const FEN_OF_A_YUAN: u32 = 100;
/// Width of the bands in which the dataset tells amounts, in fen.
const BAND_FEN: u32 = 10_000;

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

/// Reports whether a rule's switch is on in a county on a day; off where nobody has filed it for the day.
pub(super) fn switched_on(
    parameters: &Parameters,
    key: &str,
    county: CountyCode,
    day: NaiveDate,
) -> Result<bool, ParameterError> {
    Ok(known(parameters.value_on(key, county, day))?.is_some_and(|parameter| parameter.value == 1))
}

/// The dibao standard of a county for one member, exact: in thousandths of a fen, for as many months as it is set for.
///
/// It stays whole until an amount is paid: 5,060 yuan a year are no whole number of fen a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standard {
    thousandths: i64,
    months: u32,
}

impl Standard {
    /// Reads the standard of a county on a day: the urban one a month, or the rural one a year, with the addition of
    /// border counties.
    pub fn on(
        parameters: &Parameters,
        county: CountyCode,
        residence: pb::ResidenceKind,
        day: NaiveDate,
    ) -> Result<Self, ParameterError> {
        let value = |key| parameters.value_on(key, county, day);
        let rural = residence == pb::ResidenceKind::Rural;
        let (key, months) = if rural { ("dibao.rural_yearly_fen", MONTHS) } else { ("dibao.urban_monthly_fen", 1) };
        let standard = value(key)?.as_fen()?;
        let addition = if Divisions::get().is_border(county) {
            known(value("dibao.border_addition_permille"))?
                .map_or(Ok(0), |share| share.as_per_mille().map(PerMille::get))?
        } else {
            0
        };
        let thousandths = standard.times(i64::from(PerMille::WHOLE.get() + addition));
        let thousandths = thousandths.map_err(|_| ParameterError::OutOfRange { key: key.to_owned() })?;
        Ok(Self { thousandths: thousandths.get(), months })
    }

    /// Makes it of a standard that is set for a month.
    pub fn of_month(monthly: Fen) -> Result<Self, MoneyError> {
        Ok(Self { thousandths: monthly.times(i64::from(PerMille::WHOLE.get()))?.get(), months: 1 })
    }

    /// Makes it of a standard that is set for a year.
    pub fn of_year(yearly: Fen) -> Result<Self, MoneyError> {
        Ok(Self { months: MONTHS, ..Self::of_month(yearly)? })
    }

    /// Returns the standard a month, to show it: a rural one may lie a fraction beside.
    pub fn monthly(self, rounding: Rounding) -> Result<Fen, MoneyError> {
        Fen::new(self.thousandths).divide(self.parts(), rounding)
    }

    /// Returns the standard a year, from which everybody can recompute an amount.
    pub fn yearly(self, rounding: Rounding) -> Result<Fen, MoneyError> {
        Fen::new(self.thousandths).times(i64::from(MONTHS))?.divide(self.parts(), rounding)
    }

    /// Returns the parts that make a fen a month.
    fn parts(self) -> u32 {
        PerMille::WHOLE.get() * self.months
    }
}

/// How a county pays dibao (社会救助法 18).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payment {
    /// What is missing between income and standard (补差).
    Difference,
    /// A fixed sum a month and member, by grade (分档).
    Sum(Fen),
}

impl Payment {
    /// Reports whether a county pays by grade on a day.
    pub fn is_graded(
        parameters: &Parameters,
        county: CountyCode,
        residence: pb::ResidenceKind,
        day: NaiveDate,
    ) -> Result<bool, ParameterError> {
        let rural = residence == pb::ResidenceKind::Rural;
        let key = if rural { "dibao.graded_rural" } else { "dibao.graded_urban" };
        switched_on(parameters, key, county, day)
    }

    /// Returns what a grade is paid in a county on a day; the difference where no grade is said.
    pub fn of_grade(
        parameters: &Parameters,
        county: CountyCode,
        residence: pb::ResidenceKind,
        grade: pb::DibaoGrade,
        day: NaiveDate,
    ) -> Result<Self, ParameterError> {
        let rural = residence == pb::ResidenceKind::Rural;
        let key = match (grade, rural) {
            (pb::DibaoGrade::Unspecified, _) => return Ok(Self::Difference),
            (pb::DibaoGrade::A, false) => "dibao.grade_a_urban_monthly_fen",
            (pb::DibaoGrade::B, false) => "dibao.grade_b_urban_monthly_fen",
            (pb::DibaoGrade::C, false) => "dibao.grade_c_urban_monthly_fen",
            (pb::DibaoGrade::A, true) => "dibao.grade_a_rural_monthly_fen",
            (pb::DibaoGrade::B, true) => "dibao.grade_b_rural_monthly_fen",
            (pb::DibaoGrade::C, true) => "dibao.grade_c_rural_monthly_fen",
        };
        parameters.value_on(key, county, day)?.as_fen().map(Self::Sum)
    }
}

/// What people live on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Means {
    /// Number of members.
    pub members: i64,
    /// Net income of all together, a month.
    pub monthly_income: Fen,
}

impl Means {
    /// Returns what is left after some spending a month, never below nothing.
    #[must_use]
    pub fn after(self, spending: Fen) -> Self {
        let left = Fen::new(self.monthly_income.get().saturating_sub(spending.get()));
        Self { monthly_income: left.or_zero_if_negative(), ..self }
    }

    /// Reports whether the income per head lies below the standard; exactly at the standard it does not.
    pub fn below(self, standard: Standard) -> bool {
        self.below_multiple(standard, PerMille::WHOLE)
    }

    /// Reports whether the income per head lies below a multiple of the standard. Compares products, divides nothing.
    pub fn below_multiple(self, standard: Standard, multiple: PerMille) -> bool {
        let whole = i128::from(PerMille::WHOLE.get());
        let income = i128::from(self.monthly_income.get()) * i128::from(standard.parts()) * whole;
        income < i128::from(standard.thousandths) * i128::from(multiple.get()) * i128::from(self.members)
    }

    /// Reports whether the income per head lies below an amount a year.
    pub fn below_yearly(self, yearly: Fen) -> bool {
        let income = i128::from(self.monthly_income.get()) * i128::from(MONTHS);
        income < i128::from(yearly.get()) * i128::from(self.members)
    }
}

/// Computes what dibao pays a month: the standard of all members less their income, never below nothing, rounded once;
/// or the sum of the grade for each member.
pub fn monthly_amount(
    standard: Standard,
    payment: Payment,
    means: Means,
    rounding: RoundingRule,
) -> Result<Fen, MoneyError> {
    let missing = match payment {
        Payment::Sum(sum) => return sum.times(means.members),
        Payment::Difference => {
            let income = means.monthly_income.times(i64::from(standard.parts()))?;
            Fen::new(standard.thousandths).times(means.members)?.minus(income)?.or_zero_if_negative()
        }
    };
    if rounding.to_yuan {
        missing.divide(standard.parts() * FEN_OF_A_YUAN, rounding.direction)?.times(i64::from(FEN_OF_A_YUAN))
    } else {
        missing.divide(standard.parts(), rounding.direction)
    }
}

/// Rounds an amount for the dataset: the exact one, beside the standard and the number of members, would tell the
/// income of a household.
pub fn banded(amount: Fen) -> Fen {
    let bands = amount.divide(BAND_FEN, Rounding::HalfUp).and_then(|bands| bands.times(i64::from(BAND_FEN)));
    bands.unwrap_or(Fen::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TO_THE_FEN: RoundingRule = RoundingRule { direction: Rounding::Up, to_yuan: false };
    const UP_TO_YUAN: RoundingRule = RoundingRule { to_yuan: true, ..TO_THE_FEN };

    fn yuan(yuan: i64) -> Fen {
        Fen::from_yuan(yuan).expect("small")
    }

    fn monthly(fen: i64) -> Standard {
        Standard::of_month(Fen::new(fen)).expect("small")
    }

    fn yearly(fen: i64) -> Standard {
        Standard::of_year(Fen::new(fen)).expect("small")
    }

    fn means(members: i64, monthly_income: Fen) -> Means {
        Means { members, monthly_income }
    }

    fn difference(standard: Standard, means: Means, rounding: RoundingRule) -> Result<Fen, MoneyError> {
        monthly_amount(standard, Payment::Difference, means, rounding)
    }

    #[test]
    fn three_members_who_earn_1894_of_a_standard_of_632_get_2_yuan_and_not_3() {
        for rounding in [TO_THE_FEN, UP_TO_YUAN] {
            assert_eq!(difference(monthly(63_200), means(3, yuan(1_894)), rounding), Ok(yuan(2)));
        }
    }

    #[test]
    fn three_members_of_a_standard_of_5060_a_year_get_1265_yuan_a_month_and_not_1266() {
        let nothing = means(3, Fen::ZERO);
        for rounding in [TO_THE_FEN, UP_TO_YUAN] {
            assert_eq!(difference(yearly(506_000), nothing, rounding), Ok(yuan(1_265)), "{rounding:?}");
        }
        // One member: 421.666…, rounded once, at the end.
        for (direction, to_yuan, fen) in [
            (Rounding::Up, false, 42_167),
            (Rounding::Down, false, 42_166),
            (Rounding::Up, true, 42_200),
            (Rounding::Down, true, 42_100),
        ] {
            let rounding = RoundingRule { direction, to_yuan };
            assert_eq!(difference(yearly(506_000), means(1, Fen::ZERO), rounding), Ok(Fen::new(fen)), "{rounding:?}");
        }
        // 421.666… less 421.665: a fraction of a fen is left, and completed to one.
        assert_eq!(difference(yearly(506_000), means(2, Fen::new(84_333)), TO_THE_FEN), Ok(Fen::new(1)));
        assert_eq!(difference(yearly(506_000), means(2, Fen::new(84_334)), TO_THE_FEN), Ok(Fen::ZERO));
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
            assert_eq!(difference(monthly(63_200), means(3, income), rounding), Ok(Fen::new(fen)), "{rounding:?}");
        }
        assert_eq!(difference(monthly(63_200), means(3, yuan(1_897)), TO_THE_FEN), Ok(Fen::ZERO));
        let beyond = difference(monthly(63_200), means(1, Fen::new(i64::MAX)), TO_THE_FEN);
        assert_eq!(beyond, Err(MoneyError::Overflow));
    }

    #[test]
    fn a_graded_county_pays_each_member_the_sum_of_the_grade_whatever_the_household_earns() {
        let paid = |members, income| {
            monthly_amount(monthly(93_000), Payment::Sum(yuan(500)), means(members, income), UP_TO_YUAN)
        };
        assert_eq!(paid(3, Fen::ZERO), Ok(yuan(1_500)));
        assert_eq!(paid(3, Fen::new(278_999)), Ok(yuan(1_500)));
    }

    #[test]
    fn income_per_head_is_compared_without_dividing_and_at_the_standard_is_not_below_it() {
        let (standard, twice) = (monthly(63_233), PerMille::new(1_500));
        // 1,896.99 for three is 632.33 each: exactly the standard, so not below it.
        assert!(!means(3, Fen::new(189_699)).below(standard));
        assert!(means(3, Fen::new(189_698)).below(standard));
        assert!(means(2, Fen::new(189_698)).below_multiple(standard, twice));
        assert!(!means(2, Fen::new(189_699)).below_multiple(standard, twice));
        // 1,265.00 for three is 5,060 a year each; the month's 421.67 would make it 1,265.01.
        assert!(!means(3, Fen::new(126_500)).below(yearly(506_000)));
        assert!(means(3, Fen::new(126_499)).below(yearly(506_000)));
        assert!(!means(2, Fen::new(126_500)).below_multiple(yearly(506_000), twice));
        assert!(means(2, Fen::new(126_499)).below_multiple(yearly(506_000), twice));
        assert!(means(1, Fen::new(261_316)).below_yearly(Fen::new(3_135_800)));
        assert!(!means(1, Fen::new(261_317)).below_yearly(Fen::new(3_135_800)));
    }

    #[test]
    fn what_is_left_after_spending_is_never_below_nothing() {
        assert_eq!(means(2, yuan(300)).after(yuan(100)), means(2, yuan(200)));
        assert_eq!(means(2, yuan(300)).after(Fen::new(i64::MAX)), means(2, Fen::ZERO));
    }

    #[test]
    fn the_standard_follows_residence_county_and_day() {
        let standard = |county: &str, residence, year| {
            let county = CountyCode::parse(county).expect("a county");
            let day = NaiveDate::from_ymd_opt(year, 6, 1).expect("a day");
            let standard = Standard::on(Parameters::get(), county, residence, day)?;
            let shown = |fen: Result<Fen, MoneyError>| fen.expect("small").get();
            Ok((shown(standard.monthly(Rounding::Up)), shown(standard.yearly(Rounding::Up))))
        };
        let (urban, rural) = (pb::ResidenceKind::Urban, pb::ResidenceKind::Rural);
        assert_eq!(standard("540102", urban, 2021), Ok((91_000, 1_092_000)));
        assert_eq!(standard("540102", urban, 2025), Ok((93_000, 1_116_000)));
        // 5,060 a year is 421.666… a month.
        assert_eq!(standard("540102", rural, 2021), Ok((42_167, 506_000)));
        // 定日 lies on the border: a tenth more, and 5,566 a year is 463.833… a month.
        assert_eq!(standard("540223", urban, 2021), Ok((100_100, 1_201_200)));
        assert_eq!(standard("540223", rural, 2021), Ok((46_384, 556_600)));
        // The addition is known from 2021 on.
        assert_eq!(standard("540223", urban, 2020), Ok((84_700, 1_016_400)));
        assert!(matches!(standard("540102", urban, 2010), Err(ParameterError::NotInForce { .. })));
    }

    #[test]
    fn a_grade_is_paid_its_dated_sum_of_town_or_country() {
        let county = CountyCode::parse("540102").expect("a county");
        let day = NaiveDate::from_ymd_opt(2025, 6, 1).expect("a day");
        let paid = |residence, grade| Payment::of_grade(Parameters::get(), county, residence, grade, day);
        let (urban, rural) = (pb::ResidenceKind::Urban, pb::ResidenceKind::Rural);
        assert_eq!(paid(urban, pb::DibaoGrade::Unspecified), Ok(Payment::Difference));
        assert_eq!(paid(urban, pb::DibaoGrade::A), Ok(Payment::Sum(yuan(930))));
        for residence in [urban, rural] {
            let sums = [pb::DibaoGrade::A, pb::DibaoGrade::B, pb::DibaoGrade::C].map(|grade| {
                match paid(residence, grade).expect("in force") {
                    Payment::Sum(sum) => sum,
                    Payment::Difference => Fen::ZERO,
                }
            });
            assert!(sums[0] > sums[1] && sums[1] > sums[2] && sums[2] > Fen::ZERO, "{sums:?}");
            assert_eq!(Payment::is_graded(Parameters::get(), county, residence, day), Ok(false));
        }
    }

    #[test]
    fn the_dataset_tells_an_amount_to_the_nearest_hundred_yuan() {
        for (fen, told) in [(0, 0), (4_999, 0), (5_000, 10_000), (126_500, 130_000), (129_000, 130_000)] {
            assert_eq!(banded(Fen::new(fen)), Fen::new(told));
        }
    }
}
