//! What a school was given for a term, judged by the standard of that term. Pure; whole fen throughout.

use chrono::NaiveDate;
use minsheng_kit::{
    error::Violations,
    values::{
        divisions::AreaCode,
        parameters::{Parameter, ParameterError, Parameters},
    },
};
use minsheng_proto::education::v1 as pb;

/// Terms of a school year: one for each value of the contract's `Term`.
pub const TERMS_PER_YEAR: i64 = 2;

/// Standard of public funds of senior secondary schools (普通高中生均公用经费), by dated parameter.
const SENIOR_PUBLIC_FUNDS: &str = "senior_public_funds.standard_fen";
/// Average standard of the three guarantees without nutrition (教育三包年生均标准), by dated parameter.
const THREE_GUARANTEES: &str = "three_guarantees.standard_without_nutrition_fen";
/// Standard of the nutrition scheme (营养改善计划), by dated parameter.
const NUTRITION: &str = "nutrition.standard_fen";

/// First and last day of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TermDays {
    /// First day, on which the standard is looked up.
    pub from: NaiveDate,
    /// Last day: the day before the next term.
    pub to: NaiveDate,
}

/// What a school was given for a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// What for.
    pub fund: pb::FundKind,
    /// Students for whom it is meant.
    pub students: i64,
    /// Amount for the term, in fen, nutrition included.
    pub amount_fen: i64,
    /// Of it nutrition, in fen.
    pub nutrition_fen: i64,
    /// Students in the nutrition scheme.
    pub nutrition_students: i64,
}

/// What the standards of the three guarantees ask about a school.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its stage.
    pub stage: pb::SchoolStage,
    /// Class of hardship of its place.
    pub altitude_class: pb::AltitudeClass,
    /// Its county; of border counties a rate may be recorded for the county itself.
    pub area: AreaCode,
}

/// What a standard says about an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The standard, in fen for each student and year.
    pub standard_fen: i64,
    /// Amount for each student, brought to a year, in fen, rounded down.
    pub per_student_year_fen: i64,
    /// True when the amount reaches the standard.
    pub meets_standard: bool,
    /// What is missing for all students of the term, in fen, rounded up; 0 when nothing is.
    pub shortfall_fen: i64,
}

/// What the standards say about what a school was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The whole amount for each student, brought to a year, in fen, rounded down.
    pub per_student_year_fen: i64,
    /// Of the amount without nutrition.
    pub base: Judgement,
    /// Of the nutrition part; none when nobody is in the scheme.
    pub nutrition: Option<Judgement>,
}

/// Why there is no verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoVerdict {
    /// No standard is in force on the first day of the term.
    Standard(ParameterError),
    /// No standard of the nutrition scheme is.
    NutritionStandard(ParameterError),
    /// The amount for each student exceeds what can be stored.
    TooLarge,
}

impl NoVerdict {
    /// Notes the violation of the field on which no verdict could be made.
    pub fn note(&self, violations: &mut Violations) {
        match self {
            Self::Standard(error) => {
                violations.add("term_year", error.reason(), error.to_string(), error.message_zh());
            }
            Self::NutritionStandard(error) => {
                violations.add("nutrition_students", error.reason(), error.to_string(), error.message_zh());
            }
            Self::TooLarge => violations.add("amount_fen", "TOO_LARGE", "exceeds what can be kept", "金额过大"),
        }
    }
}

/// Returns the days of a term of the calendar year in which it begins: spring from 1 March to 31 August, autumn from
/// 1 September to the end of February.
///
/// These are the days by which the notices date their standards ("from the spring term 2025"); when teaching begins is
/// every county's own matter and decides nothing here.
pub fn term_days(year: i32, term: pb::Term) -> Option<TermDays> {
    let day = NaiveDate::from_ymd_opt;
    match term {
        pb::Term::Spring => Some(TermDays { from: day(year, 3, 1)?, to: day(year, 8, 31)? }),
        pb::Term::Autumn => Some(TermDays { from: day(year, 9, 1)?, to: day(year + 1, 3, 1)?.pred_opt()? }),
        pb::Term::Unspecified => None,
    }
}

/// Looks up the standard of a fund for a student and a year, in fen, in force on a day for a kind of school; of the
/// three guarantees the one without nutrition.
///
/// The three guarantees have a rate for each stage and altitude class, which is not published: where a rate of the
/// school's own kind is recorded for the day, it holds, else the published average does.
pub fn standard_of(
    fund: pb::FundKind,
    school: Kind,
    on: NaiveDate,
    parameters: &Parameters,
) -> Result<i64, ParameterError> {
    use ParameterError::{NoSuchKey, NotInForce, NotKnown};
    let fen = |key: &str| Ok(parameters.value_on(key, school.area, on)?.as_fen()?.get());
    if fund == pb::FundKind::SeniorPublicFunds {
        return fen(SENIOR_PUBLIC_FUNDS);
    }
    match rate_key(school).map(|key| fen(&key)) {
        Some(Err(NotKnown { .. } | NoSuchKey { .. } | NotInForce { .. })) | None => fen(THREE_GUARANTEES),
        Some(found) => found,
    }
}

/// Names the parameter with the rate of a kind of school, without nutrition.
fn rate_key(school: Kind) -> Option<String> {
    use pb::SchoolStage as Stage;
    let stage = match school.stage {
        Stage::Kindergarten => "kindergarten",
        Stage::Primary | Stage::Junior | Stage::NineYear | Stage::Special | Stage::Dedicated => "compulsory",
        Stage::Senior | Stage::Vocational => "senior",
        Stage::Unspecified => return None,
    };
    let class = match school.altitude_class {
        pb::AltitudeClass::Two => "two",
        pb::AltitudeClass::Three => "three",
        pb::AltitudeClass::Four => "four",
        pb::AltitudeClass::Unspecified => return None,
    };
    Some(format!("three_guarantees.{stage}_class_{class}_without_nutrition_fen"))
}

/// Judges what a school was given for a term by the standards in force on the term's first day: what is not nutrition
/// by the standard without nutrition, the nutrition part by its own, so that neither hides what the other lacks.
pub fn verdict(given: Given, school: Kind, on: NaiveDate, parameters: &Parameters) -> Result<Verdict, NoVerdict> {
    let standard = standard_of(given.fund, school, on, parameters).map_err(NoVerdict::Standard)?;
    let base = judge(given.amount_fen - given.nutrition_fen, given.students, standard).ok_or(NoVerdict::TooLarge)?;
    let whole = judge(given.amount_fen, given.students, standard).ok_or(NoVerdict::TooLarge)?;
    let nutrition = if given.nutrition_students > 0 {
        let standard = parameters.value_on(NUTRITION, school.area, on).and_then(Parameter::as_fen);
        let standard = standard.map_err(NoVerdict::NutritionStandard)?.get();
        Some(judge(given.nutrition_fen, given.nutrition_students, standard).ok_or(NoVerdict::TooLarge)?)
    } else {
        None
    };
    Ok(Verdict { per_student_year_fen: whole.per_student_year_fen, base, nutrition })
}

/// Judges what was given for a term's students by a standard for a student and a year.
///
/// The amount meets the standard when `amount × terms >= standard × students`: no division, so nothing is lost. None
/// when there are no students, or when the amount for each of them exceeds what can be stored.
pub fn judge(amount_fen: i64, students: i64, standard_fen: i64) -> Option<Judgement> {
    if students <= 0 {
        return None;
    }
    let terms = i128::from(TERMS_PER_YEAR);
    let (year, due) = (i128::from(amount_fen) * terms, i128::from(standard_fen) * i128::from(students));
    let missing = (due - year).max(0);
    Some(Judgement {
        standard_fen,
        per_student_year_fen: i64::try_from(year.div_euclid(i128::from(students))).ok()?,
        meets_standard: year >= due,
        shortfall_fen: i64::try_from((missing + terms - 1) / terms).ok()?,
    })
}

/// Checks that the nutrition part belongs to the three guarantees, lies within the amount and has students.
pub fn check_nutrition(
    fund: pb::FundKind,
    amount_fen: i64,
    nutrition_fen: i64,
    nutrition_students: i64,
    violations: &mut Violations,
) {
    violations.require(
        fund == pb::FundKind::ThreeGuarantees || (nutrition_fen == 0 && nutrition_students == 0),
        "nutrition_fen",
        "NOT_THREE_GUARANTEES",
        "only the three guarantees have a nutrition part",
        "只有教育三包经费含营养改善计划",
    );
    violations.require(
        nutrition_fen <= amount_fen,
        "nutrition_fen",
        "MORE_THAN_AMOUNT",
        "is a part of the amount and exceeds it",
        "超过拨付金额",
    );
    violations.require(
        nutrition_fen == 0 || nutrition_students > 0,
        "nutrition_students",
        "NUTRITION_WITHOUT_STUDENTS",
        "there is nutrition money but nobody in the scheme",
        "有营养改善资金但没有学生",
    );
}

/// What the register of schools says about a school, for a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchoolInTerm {
    /// Its stage.
    pub stage: pb::SchoolStage,
    /// True when in a township or village.
    pub rural: bool,
    /// True unless others than the state run it.
    pub public: bool,
    /// True when it taught on a day of the term.
    pub in_service: bool,
}

/// Checks that a school may have a fund for a term: whether it is public, its stage, whether it is in service, whether
/// it is in the nutrition scheme.
///
/// Public funds of this kind are for senior secondary schools. The three guarantees reach from kindergarten to the
/// senior stage; the nutrition scheme is for rural schools of the compulsory stage. All of them are for public schools.
pub fn check_school(fund: pb::FundKind, nutrition_students: i64, school: SchoolInTerm, violations: &mut Violations) {
    use pb::SchoolStage as Stage;
    let SchoolInTerm { stage, rural, public, in_service } = school;
    violations.require(
        fund != pb::FundKind::SeniorPublicFunds || stage == Stage::Senior,
        "fund",
        "NOT_A_SENIOR_SCHOOL",
        "is for senior secondary schools only",
        "仅限普通高中",
    );
    violations.require(public, "school", "NOT_A_PUBLIC_SCHOOL", "is not a public school", "不是公办学校");
    let compulsory =
        matches!(stage, Stage::Primary | Stage::Junior | Stage::NineYear | Stage::Special | Stage::Dedicated);
    violations.require(
        nutrition_students == 0 || (compulsory && rural),
        "nutrition_students",
        "NOT_IN_NUTRITION_SCHEME",
        "the nutrition scheme is for rural schools of the compulsory stage",
        "营养改善计划仅限农村义务教育学校",
    );
    if !in_service {
        note_not_in_service(violations);
    }
}

/// Notes that a school did not teach in the term.
pub(super) fn note_not_in_service(violations: &mut Violations) {
    violations.add(
        "school",
        "SCHOOL_NOT_IN_SERVICE",
        "did not teach in the term: not opened by then, or closed before",
        "学校在该学期未开办或已停办",
    );
}

#[cfg(test)]
#[path = "rules/tests.rs"]
mod tests;
