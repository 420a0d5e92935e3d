//! Which category a household can be recognised in, and for how long (社会救助法 13-22; before 2026-07-01 社会救助暂行办法).

use chrono::NaiveDate;
use minsheng_kit::{
    error::Violations,
    values::{
        calendar::{add_months, day_of_epoch, epoch_day},
        divisions::CountyCode,
        money::{Fen, PerMille},
        parameters::{Parameter, ParameterError, Parameters},
    },
};
use minsheng_proto::social_security::v1 as pb;

use super::{
    amount::{Means, Standard, known, switched_on},
    grounds::{Former, check_ground},
};

/// The lines that incomes are compared with, for a county on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lines {
    /// Dibao standard of a member.
    pub standard: Standard,
    /// Margin line as a multiple of the standard; nothing before there was one.
    pub margin: Option<PerMille>,
    /// Income line of rigid-expenditure households a year and member: last year's income per head. Nothing where it
    /// is not published; the comparison is then left to the county.
    pub rigid_yearly: Option<Fen>,
    /// Months for which a rigid-expenditure recognition holds at most.
    pub rigid_months: Option<u32>,
    /// Months for which dibao runs on at most after the income has risen.
    pub fade_out_months: Option<u32>,
    /// True where the county deducts necessary spending from the income.
    pub deducts_spending: bool,
}

impl Lines {
    /// Reads the lines.
    pub fn on(
        parameters: &Parameters,
        county: CountyCode,
        residence: pb::ResidenceKind,
        day: NaiveDate,
    ) -> Result<Self, ParameterError> {
        let value = |key| known(parameters.value_on(key, county, day));
        let months = |key| value(key)?.map(Parameter::as_months).transpose();
        Ok(Self {
            standard: Standard::on(parameters, county, residence, day)?,
            margin: value("margin.multiplier_permille")?.map(Parameter::as_per_mille).transpose()?,
            rigid_yearly: value("rigid.income_line_yearly_fen")?.map(Parameter::as_fen).transpose()?,
            rigid_months: months("rigid.validity_months")?,
            fade_out_months: months("dibao.fade_out_months")?,
            deducts_spending: switched_on(parameters, "dibao.deduct_spending", county, day)?,
        })
    }
}

/// A recognition and its days, counted since 1970-01-01.
#[derive(Clone, Copy, Debug)]
pub struct Recognition {
    /// The category.
    pub category: pb::AssistanceCategory,
    /// What it rests on.
    pub ground: pb::RecognitionGround,
    /// Necessary spending that is deducted from the income, a month.
    pub deducted_spending: Fen,
    /// Day of the application.
    pub applied_on: i64,
    /// Day of the decision.
    pub decided_on: i64,
    /// First day of the category.
    pub valid_from: Option<i64>,
    /// Last day of the category.
    pub valid_to: Option<i64>,
}

impl Recognition {
    /// Returns the means that count: what is left where spending is deducted.
    pub fn counted(&self, means: Means) -> Means {
        if self.ground == pb::RecognitionGround::SpendingDeducted { means.after(self.deducted_spending) } else { means }
    }
}

/// Checks the days of a recognition.
pub fn check_recognition(recognition: &Recognition, today: i64, violations: &mut Violations) {
    let Recognition { category, applied_on, decided_on, valid_from, valid_to, .. } = *recognition;
    violations.require(
        decided_on >= applied_on,
        "decided_on",
        "BEFORE_APPLICATION",
        "lies before the day of the application",
        "认定日期早于申请日期",
    );
    violations.require(decided_on <= today, "decided_on", "IN_FUTURE", "lies in the future", "认定日期不得晚于当日");
    let none = category == pb::AssistanceCategory::None;
    violations.require(
        none || valid_from.is_some(),
        "valid_from",
        "REQUIRED_BY_CATEGORY",
        "is required unless the category is NONE",
        "除“无”以外须填有效期起",
    );
    violations.require(
        !none || (valid_from.is_none() && valid_to.is_none()),
        "valid_from",
        "NOT_OF_CATEGORY",
        "does not belong to the category NONE",
        "类别为“无”时不填有效期",
    );
    if let (Some(from), Some(to)) = (valid_from, valid_to) {
        violations.require(
            to >= from,
            "valid_to",
            "BEFORE_VALIDITY",
            "lies before the first day of the category",
            "有效期止早于有效期起",
        );
    }
}

/// Checks a category and its ground against the household's means and its validity.
///
/// Assets, labour capacity and the papers of necessary spending are not in the record, so a category may still be
/// wrong; it is refused where what the record says rules it out. Somebody without income in the sense of tekun is one
/// whose income lies below the dibao standard (民发〔2021〕43号).
pub fn check_category(
    recognition: &Recognition,
    means: Means,
    lines: &Lines,
    former: Option<&Former>,
    violations: &mut Violations,
) {
    use pb::{AssistanceCategory as Category, RecognitionGround as Ground};
    check_ground(recognition, means, lines, former, violations);
    let counted = recognition.counted(means);
    let below_standard = counted.below(lines.standard);
    let below_margin = lines.margin.is_none_or(|margin| counted.below_multiple(lines.standard, margin));
    let mut income = |holds, description: &str, description_zh: &str| {
        violations.require(holds, "category", "INCOME_CONTRADICTS_CATEGORY", description, description_zh);
    };
    match (recognition.category, recognition.ground) {
        (Category::Dibao, Ground::FadeOut) => income(
            !below_standard && below_margin,
            "needs, in a fade-out, an income per head from the dibao standard to below the margin line",
            "渐退期人均收入须不低于低保标准且低于低保边缘标准",
        ),
        (Category::Tekun | Category::Dibao, _) => {
            income(below_standard, "needs an income per head below the dibao standard", "人均收入须低于低保标准");
        }
        (Category::Margin, _) => income(
            !below_standard && below_margin,
            "needs an income per head from the dibao standard to below the margin line",
            "人均收入须不低于低保标准且低于低保边缘标准",
        ),
        (Category::RigidExpenditure, _) => {
            income(
                lines.rigid_yearly.is_none_or(|line| means.below_yearly(line)),
                "needs an income per head below last year's of the region",
                "人均收入须低于上年度人均可支配收入",
            );
            if let Some(months) = lines.rigid_months {
                violations.require(
                    recognition.valid_from.is_none_or(|from| holds_at_most(from, recognition.valid_to, months)),
                    "valid_to",
                    "VALID_TOO_LONG",
                    "is required for rigid expenditure and lies within the longest validity",
                    "刚性支出困难认定须填有效期止且不得超过最长有效期",
                );
            }
        }
        (Category::None | Category::Unspecified, _) => {}
    }
}

/// Reports whether a validity ends, and does so within so many months: twelve months from 1 January end on 31 December,
/// for the first and the last day both count.
pub(super) fn holds_at_most(from: i64, to: Option<i64>, months: u32) -> bool {
    let behind = day_of_epoch(from).and_then(|from| add_months(from, months));
    to.zip(behind).is_some_and(|(to, behind)| to < epoch_day(behind))
}

#[cfg(test)]
pub(super) mod tests {
    use pb::{AssistanceCategory as Category, RecognitionGround as Ground};

    use super::*;

    /// The lines of a county, for tests of all rules.
    pub(in super::super) fn lines() -> Lines {
        Lines {
            standard: Standard::of_month(Fen::new(90_000)).expect("small"),
            margin: Some(PerMille::new(1_500)),
            rigid_yearly: Some(Fen::new(3_135_800)),
            rigid_months: Some(12),
            fade_out_months: Some(12),
            deducts_spending: true,
        }
    }

    /// Of 2025: 20,089 is 1 January, 20,453 is 31 December.
    fn recognition(category: Category) -> Recognition {
        Recognition {
            category,
            ground: Ground::Unspecified,
            deducted_spending: Fen::ZERO,
            applied_on: 10,
            decided_on: 20,
            valid_from: Some(20_089),
            valid_to: Some(20_453),
        }
    }

    fn found(recognition: &Recognition, means: Means, lines: &Lines) -> Vec<&'static str> {
        reasons(|violations| check_category(recognition, means, lines, None, violations))
    }

    fn reasons(check: impl FnOnce(&mut Violations)) -> Vec<&'static str> {
        let mut violations = Violations::new();
        check(&mut violations);
        violations.iter().map(|violation| violation.reason).collect()
    }

    #[test]
    fn a_category_that_the_income_rules_out_is_refused() {
        for (category, fen_per_head, fits) in [
            (Category::Tekun, 0, true),
            (Category::Tekun, 90_000, false),
            (Category::Dibao, 89_999, true),
            (Category::Dibao, 90_000, false),
            (Category::Margin, 89_999, false),
            (Category::Margin, 90_000, true),
            (Category::Margin, 134_999, true),
            (Category::Margin, 135_000, false),
            (Category::RigidExpenditure, 261_316, true),
            (Category::RigidExpenditure, 261_317, false),
            (Category::None, 0, true),
            (Category::None, 900_000, true),
        ] {
            let means = Means { members: 3, monthly_income: Fen::new(fen_per_head * 3) };
            let expected: &[&str] = if fits { &[] } else { &["INCOME_CONTRADICTS_CATEGORY"] };
            assert_eq!(found(&recognition(category), means, &lines()), expected, "{category:?} {fen_per_head}");
        }
    }

    #[test]
    fn rigid_expenditure_is_recognised_for_twelve_months_at_most() {
        let means = Means { members: 1, monthly_income: Fen::new(200_000) };
        for (valid_to, fits) in [(Some(20_453), true), (Some(20_454), false), (None, false)] {
            let recognition = Recognition { valid_to, ..recognition(Category::RigidExpenditure) };
            let expected: &[&str] = if fits { &[] } else { &["VALID_TOO_LONG"] };
            assert_eq!(found(&recognition, means, &lines()), expected, "{valid_to:?}");
        }
        let open = Recognition { valid_to: None, ..recognition(Category::Dibao) };
        let poor = Means { members: 1, monthly_income: Fen::ZERO };
        assert!(found(&open, poor, &lines()).is_empty());
    }

    #[test]
    fn a_figure_that_nobody_published_for_the_day_decides_nothing() {
        let lines = Lines { margin: None, rigid_yearly: None, ..lines() };
        let rich = Means { members: 1, monthly_income: Fen::new(900_000) };
        for category in [Category::Margin, Category::RigidExpenditure] {
            assert!(found(&recognition(category), rich, &lines).is_empty(), "{category:?}");
        }
    }

    #[test]
    fn the_days_of_a_recognition_follow_each_other() {
        let dibao = recognition(Category::Dibao);
        let none = Recognition { valid_from: None, valid_to: None, ..recognition(Category::None) };
        for (recognition, expected) in [
            (dibao, vec![]),
            (none, vec![]),
            (Recognition { decided_on: 9, ..dibao }, vec!["BEFORE_APPLICATION"]),
            (Recognition { decided_on: 101, ..dibao }, vec!["IN_FUTURE"]),
            (Recognition { valid_from: None, valid_to: None, ..dibao }, vec!["REQUIRED_BY_CATEGORY"]),
            (Recognition { valid_from: Some(1), ..none }, vec!["NOT_OF_CATEGORY"]),
            (Recognition { valid_to: Some(20_088), ..dibao }, vec!["BEFORE_VALIDITY"]),
        ] {
            assert_eq!(
                reasons(|violations| check_recognition(&recognition, 100, violations)),
                expected,
                "{recognition:?}"
            );
        }
    }
}
