//! What a category rests on where the plain income of the household does not carry it: spending that is deducted, and a
//! fade-out; and the grade of dibao in a county that pays by grade. Pure.

use minsheng_kit::error::Violations;
use minsheng_proto::social_security::v1 as pb;

use super::{
    amount::Means,
    category::{Lines, Recognition, holds_at_most},
};

/// The state that an update corrects or cuts.
#[derive(Clone, Copy, Debug)]
pub struct Former {
    /// Category.
    pub category: pb::AssistanceCategory,
    /// What it rested on.
    pub ground: pb::RecognitionGround,
    /// First day of the category, or of the fade-out.
    pub valid_from: Option<i64>,
    /// What was paid a month, in fen.
    pub monthly_amount_fen: i64,
    /// True when it holds until the new content does; false when that corrects it from its beginning.
    pub goes_before: bool,
}

/// Checks that a ground belongs to the category, and what the ground itself asks for.
pub(super) fn check_ground(
    recognition: &Recognition,
    means: Means,
    lines: &Lines,
    former: Option<&Former>,
    violations: &mut Violations,
) {
    use pb::{AssistanceCategory as Category, RecognitionGround as Ground};
    let Recognition { category, ground, .. } = *recognition;
    let fits = match ground {
        Ground::Unspecified | Ground::Income => true,
        Ground::SpendingDeducted => matches!(category, Category::Dibao | Category::Margin),
        Ground::FadeOut => category == Category::Dibao,
    };
    violations.require(
        fits,
        "ground",
        "GROUND_NOT_OF_CATEGORY",
        "does not belong to the category",
        "认定依据与认定类别不符",
    );
    let deducts = ground == Ground::SpendingDeducted;
    violations.require(
        deducts == (recognition.deducted_spending.get() > 0),
        "deducted_spending_monthly_fen",
        "SPENDING_NOT_OF_GROUND",
        "is required for the ground SPENDING_DEDUCTED and belongs to no other",
        "仅“扣减刚性支出认定”须填扣减金额",
    );
    if deducts {
        check_deduction(means, lines, violations);
    }
    if ground == Ground::FadeOut {
        check_fade_out(recognition, lines, former, violations);
    }
}

/// Necessary spending is deducted where the county does so, and of households below the income of the region.
fn check_deduction(means: Means, lines: &Lines, violations: &mut Violations) {
    violations.require(
        lines.deducts_spending,
        "ground",
        "SPENDING_NOT_DEDUCTED_HERE",
        "is not known in this county on the day: it deducts no necessary spending",
        "该县区未实行刚性支出扣减",
    );
    violations.require(
        lines.rigid_yearly.is_none_or(|line| means.below_yearly(line)),
        "category",
        "INCOME_CONTRADICTS_CATEGORY",
        "needs an income per head below last year's of the region before spending is deducted",
        "扣减前人均收入须低于上年度人均可支配收入",
    );
}

/// A fade-out follows dibao, and is over within the longest time, counted from its own first day; that a later content
/// of it names a later day does not begin it again.
fn check_fade_out(recognition: &Recognition, lines: &Lines, former: Option<&Former>, violations: &mut Violations) {
    let on_dibao = former.filter(|former| former.category == pb::AssistanceCategory::Dibao);
    let goes_on = on_dibao.filter(|former| former.ground == pb::RecognitionGround::FadeOut);
    violations.require(
        goes_on.is_some() || on_dibao.is_some_and(|former| former.goes_before),
        "ground",
        "FADE_OUT_FOLLOWS_DIBAO",
        "is a change, from a day on, of a household that is on dibao until then",
        "渐退期只能自某日起接续该家庭的低保",
    );
    let begun = goes_on.and_then(|former| former.valid_from);
    if let (Some(from), Some(months)) = (recognition.valid_from, lines.fade_out_months) {
        let from = begun.map_or(from, |begun| begun.min(from));
        violations.require(
            holds_at_most(from, recognition.valid_to, months),
            "valid_to",
            "VALID_TOO_LONG",
            "is required for a fade-out and lies within the longest time from valid_from, its first day",
            "渐退期须填有效期止，自有效期起（渐退首日）不得超过最长渐退期",
        );
    }
}

/// Checks the grade: it is said where dibao is paid by grade, and nowhere else.
pub fn check_grade(grade: pb::DibaoGrade, pays_dibao: bool, is_graded: bool, violations: &mut Violations) {
    let said = grade != pb::DibaoGrade::Unspecified;
    violations.require(
        said || !(pays_dibao && is_graded),
        "grade",
        "GRADE_REQUIRED",
        "is required: the county pays dibao by grade",
        "该县区低保分档发放，须填档次",
    );
    violations.require(
        !said || (pays_dibao && is_graded),
        "grade",
        "GRADE_NOT_PAID",
        "belongs to dibao in a county that pays by grade",
        "仅分档发放低保的县区填写档次",
    );
}

#[cfg(test)]
mod tests {
    use minsheng_kit::values::money::Fen;
    use pb::{AssistanceCategory as Category, DibaoGrade as Grade, RecognitionGround as Ground};

    use super::*;
    use crate::assistance::rules::category::{check_category, tests::lines};

    /// Of 2025: 20,089 is 1 January, 20,453 is 31 December.
    fn recognition(category: Category, ground: Ground, spending: i64) -> Recognition {
        Recognition {
            category,
            ground,
            deducted_spending: Fen::new(spending),
            applied_on: 10,
            decided_on: 20,
            valid_from: Some(20_089),
            valid_to: Some(20_453),
        }
    }

    fn former(category: Category, ground: Ground, goes_before: bool) -> Former {
        Former { category, ground, valid_from: Some(20_000), monthly_amount_fen: 50_000, goes_before }
    }

    fn found(recognition: &Recognition, per_head: i64, lines: &Lines, former: Option<&Former>) -> Vec<&'static str> {
        let means = Means { members: 2, monthly_income: Fen::new(per_head * 2) };
        let mut violations = Violations::new();
        check_category(recognition, means, lines, former, &mut violations);
        violations.iter().map(|violation| violation.reason).collect()
    }

    #[test]
    fn what_is_left_after_the_spending_decides_where_the_county_deducts_it() {
        let dibao = |spending| recognition(Category::Dibao, Ground::SpendingDeducted, spending);
        let margin = |spending| recognition(Category::Margin, Ground::SpendingDeducted, spending);
        for (recognition, per_head, expected) in [
            // 1,500 a head less 600.01 is below 900; less 600 it is not.
            (dibao(120_002), 150_000, vec![]),
            (dibao(120_000), 150_000, vec!["INCOME_CONTRADICTS_CATEGORY"]),
            (margin(120_000), 150_000, vec![]),
            (margin(120_002), 150_000, vec!["INCOME_CONTRADICTS_CATEGORY"]),
            (margin(0), 100_000, vec!["SPENDING_NOT_OF_GROUND"]),
            // Who earns more than people of the region is not poor by spending.
            (dibao(600_000), 261_317, vec!["INCOME_CONTRADICTS_CATEGORY"]),
            (recognition(Category::Dibao, Ground::Income, 100), 80_000, vec!["SPENDING_NOT_OF_GROUND"]),
            (recognition(Category::Tekun, Ground::SpendingDeducted, 100), 80_000, vec!["GROUND_NOT_OF_CATEGORY"]),
        ] {
            assert_eq!(found(&recognition, per_head, &lines(), None), expected, "{recognition:?} {per_head}");
        }
        let elsewhere = Lines { deducts_spending: false, ..lines() };
        assert_eq!(found(&dibao(120_002), 150_000, &elsewhere, None), ["SPENDING_NOT_DEDUCTED_HERE"]);
    }

    #[test]
    fn dibao_runs_on_in_a_fade_out_of_twelve_months_at_most_after_the_income_has_risen_to_the_margin() {
        let fading = recognition(Category::Dibao, Ground::FadeOut, 0);
        let dibao = former(Category::Dibao, Ground::Income, true);
        for (per_head, expected) in [
            (90_000, vec![]),
            (134_999, vec![]),
            (89_999, vec!["INCOME_CONTRADICTS_CATEGORY"]),
            (135_000, vec!["INCOME_CONTRADICTS_CATEGORY"]),
        ] {
            assert_eq!(found(&fading, per_head, &lines(), Some(&dibao)), expected, "{per_head}");
        }
        for valid_to in [None, Some(20_454)] {
            let long = Recognition { valid_to, ..fading };
            assert_eq!(found(&long, 100_000, &lines(), Some(&dibao)), ["VALID_TOO_LONG"], "{valid_to:?}");
        }
        let margin = recognition(Category::Margin, Ground::FadeOut, 0);
        assert_eq!(found(&margin, 100_000, &lines(), Some(&dibao)), ["GROUND_NOT_OF_CATEGORY"]);
    }

    #[test]
    fn a_fade_out_follows_dibao_and_is_not_begun_again() {
        let fading = recognition(Category::Dibao, Ground::FadeOut, 0);
        let follows = vec!["FADE_OUT_FOLLOWS_DIBAO"];
        for (former, expected) in [
            (None, follows.clone()),
            (Some(former(Category::Margin, Ground::Income, true)), follows.clone()),
            // A correction would say that it faded from the beginning.
            (Some(former(Category::Dibao, Ground::Income, false)), follows),
            (Some(former(Category::Dibao, Ground::SpendingDeducted, true)), vec![]),
            // It began on day 20,000 and cannot last until 20,453, whatever day it names now.
            (Some(former(Category::Dibao, Ground::FadeOut, true)), vec!["VALID_TOO_LONG"]),
        ] {
            assert_eq!(found(&fading, 100_000, &lines(), former.as_ref()), expected, "{former:?}");
        }
        let begun = former(Category::Dibao, Ground::FadeOut, false);
        let shorter = Recognition { valid_to: Some(20_364), ..fading };
        assert!(found(&shorter, 100_000, &lines(), Some(&begun)).is_empty());
    }

    #[test]
    fn a_grade_is_said_where_the_county_pays_by_grade_and_nowhere_else() {
        for (grade, pays_dibao, is_graded, expected) in [
            (Grade::Unspecified, true, false, vec![]),
            (Grade::Unspecified, false, true, vec![]),
            (Grade::B, true, true, vec![]),
            (Grade::Unspecified, true, true, vec!["GRADE_REQUIRED"]),
            (Grade::B, true, false, vec!["GRADE_NOT_PAID"]),
            (Grade::B, false, true, vec!["GRADE_NOT_PAID"]),
        ] {
            let mut violations = Violations::new();
            check_grade(grade, pays_dibao, is_graded, &mut violations);
            let found: Vec<_> = violations.iter().map(|violation| violation.reason).collect();
            assert_eq!(found, expected, "{grade:?} {pays_dibao} {is_graded}");
        }
    }
}
