//! How an assessment is scored. Pure; the figures come from the dated parameters `age_friendly.*`.
//!
//! The basis, 国卫老龄函〔2020〕457号, leaves weights, pass mark and validity to the provinces; the region's are not
//! published, so all of them are parameters and none stands here.

use chrono::{Datelike as _, Days, NaiveDate};
use minsheng_kit::{
    error::Violations,
    values::{
        calendar::{add_months, day_of_epoch, epoch_day},
        divisions::AreaCode,
        parameters::{ParameterError, Parameters},
    },
};
use minsheng_proto::health::v1::InstitutionClass;

use crate::{institutions::is_age_friendly_class, schema::AgeFriendlyAssessmentRecord};

/// Points of one dimension in the scale of the contract.
const FULL_SCORE: i64 = 100;
/// Thousandths in a whole.
const PER_MILLE: i64 = 1000;

/// The scores of an assessment, each 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scores {
    /// 文化
    pub culture: i64,
    /// 管理
    pub management: i64,
    /// 服务
    pub service: i64,
    /// 环境
    pub environment: i64,
}

/// The standard in force for an area on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standard {
    /// Weights of culture, management, service, environment.
    pub weights: [i64; 4],
    /// Total from which an institution passes.
    pub pass_score: i64,
    /// Least score of each dimension, in thousandths of its points.
    pub floor_per_mille: i64,
    /// Months for which a certificate holds.
    pub validity_months: u32,
}

impl Standard {
    /// Reads the standard of an area on the day of an assessment.
    pub fn on(parameters: &Parameters, area: AreaCode, day: NaiveDate) -> Result<Self, ParameterError> {
        let value = |key: &str| parameters.value_on(key, area, day).map(|entry| entry.value);
        Ok(Self {
            weights: [
                value("age_friendly.weight_culture_score")?,
                value("age_friendly.weight_management_score")?,
                value("age_friendly.weight_service_score")?,
                value("age_friendly.weight_environment_score")?,
            ],
            pass_score: value("age_friendly.pass_score")?,
            floor_per_mille: value("age_friendly.dimension_floor_permille")?,
            validity_months: parameters.value_on("age_friendly.validity_months", area, day)?.as_months()?,
        })
    }
}

/// What follows from the scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Weighted total, 0 to 100, rounded down: it reaches the pass mark exactly when the unrounded one does.
    pub total: i64,
    /// Whether a certificate follows.
    pub passed: bool,
}

/// Scores an assessment: the weighted total, every dimension's least share, and all mandatory items.
pub fn score(scores: Scores, mandatory_met: bool, standard: &Standard) -> Outcome {
    let dimensions = [scores.culture, scores.management, scores.service, scores.environment];
    let weighted: i64 = dimensions.iter().zip(standard.weights).map(|(score, weight)| score * weight).sum();
    let weights: i64 = standard.weights.iter().sum();
    let total = if weights > 0 { weighted / weights } else { 0 };
    let above_floor = dimensions.iter().all(|score| score * PER_MILLE >= standard.floor_per_mille * FULL_SCORE);
    Outcome { total, passed: mandatory_met && above_floor && total >= standard.pass_score }
}

/// Returns the last day of a certificate that begins on a day, as a stored day; nothing outside the calendar.
///
/// It is the day before the same day of the month in which the term ends. Where that month has no such day, as after
/// 29 February, the term is full with the month's last day.
pub fn last_certificate_day(from: NaiveDate, standard: &Standard) -> Option<i64> {
    let same_day = add_months(from, standard.validity_months)?;
    if same_day.day() < from.day() {
        return Some(epoch_day(same_day));
    }
    same_day.checked_sub_days(Days::new(1)).map(epoch_day)
}

/// Finds the standard of the day of an assessment; notes a violation when none is in force.
pub(super) fn standard_on(
    parameters: &Parameters,
    area: &str,
    assessed_on: i64,
    violations: &mut Violations,
) -> Option<(Standard, NaiveDate)> {
    let (area, day) = (AreaCode::parse(area).ok()?, day_of_epoch(assessed_on)?);
    match Standard::on(parameters, area, day) {
        Ok(standard) => Some((standard, day)),
        Err(error) => {
            violations.add("assessed_on", error.reason(), error.to_string(), error.message_zh());
            None
        }
    }
}

/// Checks that an assessment stays that of its institution.
pub(super) fn check_institution_kept(
    assessment: &AgeFriendlyAssessmentRecord,
    previous: Option<&AgeFriendlyAssessmentRecord>,
    violations: &mut Violations,
) {
    violations.require(
        previous.is_none_or(|previous| previous.institution == assessment.institution),
        "institution",
        "INSTITUTION_FIXED",
        "cannot become another institution; withdraw the assessment and record another one",
        "评估对象不可更改，请撤回后重新登记",
    );
}

/// Checks that what is revoked is a certificate, and on a day on which it holds.
pub(super) fn check_revocation(
    outcome: Outcome,
    assessed_on: i64,
    revoked_on: Option<i64>,
    violations: &mut Violations,
) {
    violations.require(
        outcome.passed || revoked_on.is_none(),
        "revoked_on",
        "NO_CERTIFICATE",
        "is given, but no certificate follows from the scores",
        "未通过评估，无证书可撤销",
    );
    violations.require(
        revoked_on.is_none_or(|revoked| revoked >= assessed_on),
        "revoked_on",
        "BEFORE_CERTIFICATE",
        "lies before the first day of the certificate",
        "撤销日期早于证书起始日期",
    );
}

/// Checks that the institution was in operation on the day of the assessment, and then of a class that is assessed; `class`
/// is absent where it was not in operation.
pub(super) fn check_eligible(
    class: Option<InstitutionClass>,
    assessment: &AgeFriendlyAssessmentRecord,
    parameters: &Parameters,
    violations: &mut Violations,
) {
    use InstitutionClass as Class;
    let Some(class) = class else {
        violations.add(
            "assessed_on",
            "NOT_IN_OPERATION",
            "the institution was not in operation on that day",
            "评估日机构未在运营",
        );
        return;
    };
    let small = matches!(class, Class::Clinic | Class::OutpatientDepartment | Class::VillageClinic);
    let small_count = || {
        let (area, day) = (AreaCode::parse(&assessment.area).ok()?, day_of_epoch(assessment.assessed_on)?);
        parameters.value_on("age_friendly.clinics_are_eligible", area, day).ok().map(|entry| entry.value == 1)
    };
    violations.require(
        is_age_friendly_class(class) || (small && small_count().unwrap_or(false)),
        "institution",
        "CLASS_NOT_ASSESSED",
        "is not of a class that is assessed: general and Tibetan-medicine hospitals, township and community centres",
        "机构类别不在评估范围：综合医院、藏医院、乡镇卫生院和社区卫生服务中心",
    );
}

#[cfg(test)]
mod tests {
    use minsheng_kit::values::calendar::day_of_epoch;

    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).expect("a day")
    }

    fn standard() -> Standard {
        let area = AreaCode::parse("540102").expect("a county");
        Standard::on(Parameters::get(), area, day(2025, 3, 1)).expect("in force")
    }

    fn outcome(scores: [i64; 4], mandatory_met: bool) -> Outcome {
        let [culture, management, service, environment] = scores;
        score(Scores { culture, management, service, environment }, mandatory_met, &standard())
    }

    #[test]
    fn the_weighted_total_decides_together_with_the_least_share_and_the_mandatory_items() {
        // Weights 10, 20, 45, 25; 80 of 100 to pass; 60 in every dimension (handbook section 2).
        for (scores, mandatory, total, passed) in [
            ([80, 80, 80, 80], true, 80, true),
            ([80, 80, 80, 80], false, 80, false),
            ([60, 80, 90, 75], true, 81, true),
            ([59, 80, 90, 75], true, 81, false),
            ([100, 100, 100, 59], true, 89, false),
            ([80, 80, 80, 79], true, 79, false),
            ([100, 100, 100, 100], true, 100, true),
            ([0, 0, 0, 0], true, 0, false),
        ] {
            assert_eq!(outcome(scores, mandatory), Outcome { total, passed }, "{scores:?} {mandatory}");
        }
    }

    #[test]
    fn a_certificate_of_36_months_ends_on_the_day_before_the_same_day_three_years_on() {
        for (from, last) in [
            (day(2025, 3, 1), day(2028, 2, 29)),
            (day(2025, 3, 15), day(2028, 3, 14)),
            (day(2024, 2, 28), day(2027, 2, 27)),
            // From a day that the year of the end does not have: 36 full months, as from 1 March.
            (day(2024, 2, 29), day(2027, 2, 28)),
            (day(2024, 3, 1), day(2027, 2, 28)),
            (day(2023, 2, 28), day(2026, 2, 27)),
            (day(2025, 12, 31), day(2028, 12, 30)),
        ] {
            assert_eq!(last_certificate_day(from, &standard()).and_then(day_of_epoch), Some(last), "{from}");
        }
    }

    #[test]
    fn before_the_plan_period_there_is_no_standard() {
        let area = AreaCode::parse("540102").expect("a county");
        let refused = Standard::on(Parameters::get(), area, day(2019, 3, 1)).expect_err("not in force");
        assert_eq!(refused.reason(), "PARAMETER_NOT_IN_FORCE");
    }
}
