//! How faithful participation raises the ceiling of critical-illness insurance (大病保险最高支付限额).
//!
//! Source: 国办发〔2024〕38号 and the region's opinion of 2025-06-23. Two quotas grow apart: one for each further year
//! of unbroken participation, one after each year without a payment from the fund. Together they raise the ceiling
//! up to a cap. A break costs the count of years, not what was earned; using the raise costs the zero-claim quota
//! only. Settlement applies it; this module never asks who the person is.

use chrono::NaiveDate;
use minsheng_kit::values::{
    divisions::AreaCode,
    money::{Fen, MoneyError, Rounding},
    parameters::{ParameterError, Parameters},
};

/// The figures of an area on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// The ceiling before any raise, a year.
    pub ceiling: Fen,
    /// Raise for each further year of participation.
    pub step_continuous: Fen,
    /// Raise after a year without a payment from the fund.
    pub step_zero_claim: Fen,
    /// Most that both raises come to.
    pub cap: Fen,
    /// Full consecutive years before the first raise for participation.
    pub years_before_first_step: u32,
    /// First year that counts as consecutive; earlier ones count for nothing.
    pub count_from_year: i32,
}

impl Figures {
    /// Reads the figures that hold for an area on a day.
    pub fn on(parameters: &Parameters, area: AreaCode, day: NaiveDate) -> Result<Self, ParameterError> {
        let value = |key| parameters.value_on(key, area, day);
        let count_from = value("critical_illness.count_from_year")?;
        Ok(Self {
            ceiling: value("critical_illness.ceiling_fen")?.as_fen()?,
            step_continuous: value("critical_illness.step_continuous_fen")?.as_fen()?,
            step_zero_claim: value("critical_illness.step_zero_claim_fen")?.as_fen()?,
            cap: value("critical_illness.cap_fen")?.as_fen()?,
            years_before_first_step: value("critical_illness.years_before_first_step_years")?.as_years()?,
            count_from_year: i32::try_from(count_from.value)
                .map_err(|_| ParameterError::OutOfRange { key: count_from.key.clone() })?,
        })
    }
}

/// What the fund paid for a person in a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claims {
    /// Nothing.
    None,
    /// Something, without the raise being needed.
    WithoutRaise,
    /// Something, for which the raise was used.
    UsedRaise,
}

/// One year of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Year {
    /// True when the premium of the year was paid, in the normal time.
    pub paid: bool,
    /// What the fund paid in it.
    pub claims: Claims,
}

/// What a person has earned by the beginning of a year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earned {
    /// Years of participation without a break, the present one included.
    pub years_in_row: u32,
    /// Quota for participation.
    pub continuous: Fen,
    /// Quota for years without a claim.
    pub zero_claim: Fen,
}

impl Earned {
    /// Goes on to the year `year`, whose premium was paid or not, after the year `last`.
    ///
    /// `last` is absent for the first year that is looked at. A quota grows only in a year whose premium is paid.
    pub fn enter(self, year: i32, paid: bool, last: Option<Year>, figures: &Figures) -> Result<Self, MoneyError> {
        let mut next = self;
        next.years_in_row = if !paid || year < figures.count_from_year { 0 } else { self.years_in_row + 1 };
        if next.years_in_row > figures.years_before_first_step {
            next.continuous = next.continuous.plus(figures.step_continuous)?;
        }
        match last {
            Some(Year { claims: Claims::UsedRaise, .. }) => next.zero_claim = Fen::ZERO,
            Some(Year { paid: true, claims: Claims::None }) if paid && year > figures.count_from_year => {
                next.zero_claim = next.zero_claim.plus(figures.step_zero_claim)?;
            }
            _ => {}
        }
        Ok(next)
    }

    /// Returns the raise of the ceiling: both quotas, up to the cap.
    pub fn raise(self, figures: &Figures) -> Result<Fen, MoneyError> {
        Ok(self.continuous.plus(self.zero_claim)?.min(figures.cap))
    }

    /// Returns the raised ceiling.
    pub fn ceiling(self, figures: &Figures) -> Result<Fen, MoneyError> {
        figures.ceiling.plus(self.raise(figures)?)
    }
}

/// Computes the cap out of the ceiling and the national share, rounded down.
pub fn cap_of(ceiling: Fen, share: minsheng_kit::values::money::PerMille) -> Result<Fen, MoneyError> {
    share.of(ceiling, Rounding::Down)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        let day = NaiveDate::from_ymd_opt(2025, 9, 1).expect("a day");
        Figures::on(Parameters::get(), AreaCode::parse("540102").expect("a county"), day).expect("published")
    }

    fn yuan(yuan: i64) -> Fen {
        Fen::from_yuan(yuan).expect("small")
    }

    const FAITHFUL: Year = Year { paid: true, claims: Claims::None };

    /// Goes through the years from `from` on and gives what is earned in each.
    fn history(from: i32, years: &[Year]) -> Vec<Earned> {
        let figures = figures();
        let (mut earned, mut last) = (Earned::default(), None);
        let mut all = Vec::new();
        for (year, now) in (from..).zip(years) {
            earned = earned.enter(year, now.paid, last, &figures).expect("small");
            all.push(earned);
            last = Some(*now);
        }
        all
    }

    fn raises(earned: &[Earned]) -> Vec<i64> {
        earned.iter().map(|earned| earned.raise(&figures()).expect("small").get() / 100).collect()
    }

    #[test]
    fn who_pays_every_year_and_never_claims_reaches_the_cap_in_2030() {
        let earned = history(2025, &[FAITHFUL; 7]);
        assert_eq!(raises(&earned), [0, 4_000, 8_000, 12_000, 20_000, 28_000, 28_000]);
        assert_eq!(earned[4].continuous, yuan(4_000));
        assert_eq!(earned[4].zero_claim, yuan(16_000));
        assert_eq!(earned[6].ceiling(&figures()), Ok(yuan(168_000)));
    }

    #[test]
    fn using_the_raise_clears_the_zero_claim_quota_and_leaves_the_other() {
        let mut years = [FAITHFUL; 7];
        years[5].claims = Claims::UsedRaise;
        let earned = history(2025, &years);
        assert_eq!((earned[6].continuous, earned[6].zero_claim), (yuan(12_000), Fen::ZERO));
        assert_eq!(raises(&earned)[6], 12_000);
    }

    #[test]
    fn a_claim_that_does_not_use_the_raise_adds_nothing_and_takes_nothing() {
        let mut years = [FAITHFUL; 4];
        years[1].claims = Claims::WithoutRaise;
        assert_eq!(raises(&history(2025, &years)), [0, 4_000, 4_000, 8_000]);
    }

    #[test]
    fn a_break_costs_the_count_of_years_not_what_was_earned() {
        let mut years = [FAITHFUL; 8];
        years[5].paid = false;
        let earned = history(2025, &years);
        assert_eq!(earned[4].continuous, yuan(4_000));
        assert_eq!((earned[5].years_in_row, earned[5].continuous), (0, yuan(4_000)));
        assert_eq!((earned[6].years_in_row, earned[6].continuous), (1, yuan(4_000)));
        // Neither the year without a premium nor the one after it brings a zero-claim step; the next does.
        assert_eq!(earned[4].zero_claim, earned[6].zero_claim);
        assert_eq!(earned[7].zero_claim, earned[6].zero_claim.plus(yuan(4_000)).expect("small"));
    }

    #[test]
    fn years_before_2025_count_for_nothing() {
        let earned = history(2022, &[FAITHFUL; 5]);
        assert_eq!(raises(&earned), [0, 0, 0, 0, 4_000]);
        assert_eq!(earned[4].years_in_row, 2);
    }

    #[test]
    fn the_published_cap_is_the_national_share_of_the_ceiling() {
        let day = NaiveDate::from_ymd_opt(2025, 9, 1).expect("a day");
        let area = AreaCode::parse("540000").expect("the region");
        let share =
            Parameters::get().value_on("critical_illness.cap_of_ceiling_permille", area, day).expect("published");
        let figures = figures();
        assert_eq!(cap_of(figures.ceiling, share.as_per_mille().expect("a share")), Ok(figures.cap));
    }
}
