//! What is decided about a household: its category judged, what is paid, and who belongs to it on which days. Pure.

use minsheng_kit::{
    error::Violations,
    register::{Head, Holders, Period, RuleContext, Table as _, enum_number},
    values::{
        calendar::{day_of_epoch, epoch_day},
        divisions::CountyCode,
        money::{Fen, MoneyError},
        parameters::{ParameterError, Parameters},
    },
};
use minsheng_proto::social_security::v1 as pb;

use super::{
    Former, Lines, Means, Payment, Recognition, RoundingRule, amount_of_single_persons, check_category, check_grade,
    check_recognition, check_single_persons, monthly_amount,
};
use crate::schema::AssistanceHouseholdRecord;

/// Bytes of a blind index.
const INDEX_BYTES: usize = 32;

/// What is decided about a household.
#[derive(Clone, Copy)]
struct Case<'a> {
    household: &'a pb::AssistanceHousehold,
    recognition: &'a Recognition,
    former: Option<&'a Former>,
}

/// Judges the recognition of a household, and puts on the record what is paid and by which standard.
pub(in crate::assistance) fn decide(
    record: &mut AssistanceHouseholdRecord,
    household: &pb::AssistanceHousehold,
    former: Option<&Former>,
    context: RuleContext<'_>,
    violations: &mut Violations,
) {
    let recognition = recognition_of(household, record);
    check_recognition(&recognition, epoch_day(context.today), violations);
    let case = Case { household, recognition: &recognition, former };
    paid_to(record, case, context.parameters, violations);
}

/// Checks the category by the figures of the state's first day, and puts on the record what is paid and by which
/// standard.
fn paid_to(
    record: &mut AssistanceHouseholdRecord,
    case: Case<'_>,
    parameters: &Parameters,
    violations: &mut Violations,
) {
    let Case { household, recognition, former } = case;
    let first_day = recognition.valid_from.unwrap_or(recognition.decided_on).max(record.effective_on);
    // The kit and the contract refuse an unknown county or residence themselves.
    let (Ok(county), Some(first_day)) = (CountyCode::parse(&record.area), day_of_epoch(first_day)) else { return };
    let residence = household.residence_kind();
    if residence == pb::ResidenceKind::Unspecified {
        return;
    }
    let figures = || -> Result<_, ParameterError> {
        Ok((
            Lines::on(parameters, county, residence, first_day)?,
            RoundingRule::on(parameters, county, first_day)?,
            Payment::is_graded(parameters, county, residence, first_day)?,
            Payment::of_grade(parameters, county, residence, household.grade(), first_day)?,
        ))
    };
    let (lines, rounding, is_graded, payment) = match figures() {
        Ok(figures) => figures,
        Err(error) => {
            // There is no standard to judge by.
            violations.add("valid_from", error.reason(), error.to_string(), error.message_zh());
            return;
        }
    };
    let means = Means { members: record.member_count, monthly_income: Fen::new(household.net_monthly_income_fen) };
    check_category(recognition, means, &lines, former, violations);
    check_single_persons(&household.members, recognition.category, lines.standard, violations);
    let fades_out = recognition.ground == pb::RecognitionGround::FadeOut;
    let on_dibao = recognition.category == pb::AssistanceCategory::Dibao;
    let pays_dibao = (on_dibao && !fades_out) || record.single_person_members > 0;
    check_grade(household.grade(), pays_dibao, is_graded, violations);
    let money = || -> Result<_, MoneyError> {
        let amount = if on_dibao && fades_out {
            Fen::new(former.map_or(0, |former| former.monthly_amount_fen))
        } else if on_dibao {
            monthly_amount(lines.standard, payment, recognition.counted(means), rounding)?
        } else {
            amount_of_single_persons(&household.members, lines.standard, payment, rounding)?
        };
        Ok((amount, lines.standard.monthly(rounding.direction)?, lines.standard.yearly(rounding.direction)?))
    };
    match money() {
        Ok((amount, monthly, yearly)) => {
            record.monthly_amount_fen = amount.get();
            record.monthly_standard_fen = monthly.get();
            record.yearly_standard_fen = yearly.get();
        }
        Err(error) => {
            violations.add("net_monthly_income_fen", error.reason(), error.to_string(), error.message_zh());
        }
    }
}

/// Returns what the rules judge of the category and its days.
fn recognition_of(household: &pb::AssistanceHousehold, record: &AssistanceHouseholdRecord) -> Recognition {
    Recognition {
        category: household.category(),
        ground: household.ground(),
        deducted_spending: Fen::new(household.deducted_spending_monthly_fen),
        applied_on: record.applied_on,
        decided_on: record.decided_on,
        valid_from: record.valid_from,
        valid_to: record.valid_to,
    }
}

/// Checks that no member is in another household on the same days, and notes that they are in this one.
pub(in crate::assistance) fn check_memberships(
    record: &AssistanceHouseholdRecord,
    households: &mut Holders<Vec<u8>>,
) -> Violations {
    let mut violations = Violations::new();
    let Some(period) = category_period(record) else { return violations };
    for (index, member) in member_indexes(record).enumerate() {
        violations.require(
            !households.held_by_another(&member.to_vec(), &record.id, period),
            &format!("members[{index}].resident_id"),
            "IN_ANOTHER_HOUSEHOLD",
            "belongs to another assisted household on some of these days",
            "该成员在此期间已属于其他救助家庭",
        );
    }
    if violations.is_empty() {
        for member in member_indexes(record) {
            households.hold(member.to_vec(), &record.id, period);
        }
    }
    violations
}

impl Former {
    /// Returns what the state said that an update corrects or cuts.
    ///
    /// A state that is cut goes before the new one, as does what a record said last that is resumed on the day of its end.
    pub fn of(previous: &AssistanceHouseholdRecord, head: &Head) -> Self {
        let goes_before = if previous.head().is_ended() {
            previous.number > 0 && head.effective_on == previous.effective_on
        } else {
            head.effective_on > previous.effective_on
        };
        Self {
            category: pb::AssistanceCategory::try_from(enum_number(previous.category)).unwrap_or_default(),
            ground: pb::RecognitionGround::try_from(enum_number(previous.ground)).unwrap_or_default(),
            valid_from: previous.valid_from,
            monthly_amount_fen: previous.monthly_amount_fen,
            goes_before,
        }
    }
}

/// Returns the blind indexes of a household's members, in their order.
pub(in crate::assistance) fn member_indexes(record: &AssistanceHouseholdRecord) -> impl Iterator<Item = &[u8]> {
    record.member_indexes.chunks(INDEX_BYTES)
}

/// Returns the days on which a state in force puts the household's members in a category; none for the category NONE.
pub(in crate::assistance) fn category_period(record: &AssistanceHouseholdRecord) -> Option<Period> {
    let counts = record.category != pb::AssistanceCategory::None as i64;
    let from = record.valid_from.filter(|_| counts)?;
    record.period().intersection(Period::of_days(from, record.valid_to))
}
