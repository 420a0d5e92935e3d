//! The contract's `AssistanceHouseholdService` over the register.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{
        Declared as _, Head, Holders, Register, RuleContext, Table as _, day, declared::days_read, enum_field,
        enum_number,
    },
    store::{AnyConnection, Tx, lock_keys},
    values::{
        calendar::{day_of_epoch, epoch_day},
        divisions::CountyCode,
        identifiers::ResidentId,
        money::{Fen, MoneyError},
        parameters::ParameterError,
    },
};
use minsheng_proto::social_security::v1 as pb;

use super::{
    rules::{
        Former, Lines, Means, Payment, Recognition, RoundingRule, amount_of_single_persons, banded, check_category,
        check_grade, check_members, check_recognition, check_single_persons, monthly_amount,
    },
    sealed::{opened, sealed},
    store::{category_period, member_indexes, members_of_people, write_members},
};
use crate::{duration::decision_working_days, schema::AssistanceHouseholdRecord};

/// The register of households on social assistance.
#[derive(Clone, Copy, Debug)]
pub struct AssistanceHouseholds;

impl Register for AssistanceHouseholds {
    type Record = AssistanceHouseholdRecord;
    type Row = pb::AssistanceHouseholdRow;

    fn validate(
        &self,
        household: &pb::AssistanceHousehold,
        head: Head,
        previous: Option<&AssistanceHouseholdRecord>,
        context: RuleContext<'_>,
    ) -> Result<AssistanceHouseholdRecord, Violations> {
        let mut violations = Violations::new();
        let members = members_of(household, context, &mut violations);
        let count = |says: fn(&pb::HouseholdMember) -> bool| {
            household.members.iter().map(|member| i64::from(says(member))).sum()
        };
        let former = previous.map(|previous| former(previous, &head));
        let mut record = AssistanceHouseholdRecord {
            members: sealed(&household.members, context.keys),
            member_indexes: members.iter().flat_map(|(resident, _)| context.keys.blind(resident)).collect(),
            member_count: count(|_| true),
            severely_disabled_members: count(|member| member.severe_disability),
            single_person_members: count(|member| member.single_person_dibao),
            ..AssistanceHouseholdRecord::read(household, head, context, &mut violations)
        };
        if days_read(&violations) {
            let recognition = recognition_of(household, &record);
            check_recognition(&recognition, epoch_day(context.today), &mut violations);
            let case = Case { household, recognition: &recognition, former: former.as_ref() };
            paid_to(&mut record, case, context, &mut violations);
        }
        violations.into_result(record)
    }

    fn encode(
        &self,
        record: &AssistanceHouseholdRecord,
        context: RuleContext<'_>,
        reveal: bool,
    ) -> Result<pb::AssistanceHousehold, Error> {
        let members = opened(&record.members, context.keys, reveal)?;
        Ok(pb::AssistanceHousehold { members, ..record.resource(context, reveal)? })
    }

    fn row(&self, record: &AssistanceHouseholdRecord, context: RuleContext<'_>) -> pb::AssistanceHouseholdRow {
        pb::AssistanceHouseholdRow {
            members: record.member_count,
            monthly_amount_fen: banded(Fen::new(record.monthly_amount_fen)).get(),
            decision_working_days: decision_working_days(record.applied_on, record.decided_on, context.calendar),
            ..record.row()
        }
    }

    fn effective_on(&self, household: &pb::AssistanceHousehold, today: NaiveDate) -> NaiveDate {
        let first = household.valid_from.as_ref().or(household.decided_on.as_ref());
        first.and_then(day).unwrap_or(today)
    }

    /// A person belongs to one assisted household at a time.
    fn lock(&self, connection: &mut AnyConnection, records: &[AssistanceHouseholdRecord]) -> Result<(), Error> {
        lock_keys(connection, "assistance_members.resident", members_in_force(records))
    }

    fn validate_against_store(
        &self,
        connection: &mut AnyConnection,
        records: &[AssistanceHouseholdRecord],
        _: RuleContext<'_>,
    ) -> Result<Vec<Violations>, Error> {
        let people: Vec<&[u8]> = members_in_force(records).into_iter().collect();
        let members = members_of_people(connection, &people)?.into_iter();
        let mut households: Holders<Vec<u8>> = members
            .map(|member| {
                let period = member.period();
                (member.resident_index, member.household, period)
            })
            .collect();
        Ok(records.iter().map(|record| check_memberships(record, &mut households)).collect())
    }

    fn write_children(
        &self,
        tx: &mut Tx<'_>,
        states: &[AssistanceHouseholdRecord],
        context: RuleContext<'_>,
    ) -> Result<(), Error> {
        write_members(tx.connection, states, context.keys)
    }

    fn after_write(
        &self,
        tx: &mut Tx<'_>,
        states: &[AssistanceHouseholdRecord],
        context: RuleContext<'_>,
    ) -> Result<(), Error> {
        self.write_children(tx, states, context)
    }
}

/// Returns the blind indexes of the members of households that have a category.
fn members_in_force(records: &[AssistanceHouseholdRecord]) -> BTreeSet<&[u8]> {
    records.iter().filter(|record| category_period(record).is_some()).flat_map(member_indexes).collect()
}

/// What is decided about a household.
#[derive(Clone, Copy)]
struct Case<'a> {
    household: &'a pb::AssistanceHousehold,
    recognition: &'a Recognition,
    former: Option<&'a Former>,
}

/// Returns what the state said that an update corrects or cuts.
///
/// A state that is cut goes before the new one, as does what a record said last that is resumed on the day of its end.
fn former(previous: &AssistanceHouseholdRecord, head: &Head) -> Former {
    let goes_before = if previous.head().is_ended() {
        previous.number > 0 && head.effective_on == previous.effective_on
    } else {
        head.effective_on > previous.effective_on
    };
    Former {
        category: pb::AssistanceCategory::try_from(enum_number(previous.category)).unwrap_or_default(),
        ground: pb::RecognitionGround::try_from(enum_number(previous.ground)).unwrap_or_default(),
        valid_from: previous.valid_from,
        monthly_amount_fen: previous.monthly_amount_fen,
        goes_before,
    }
}

/// Checks the category by the figures of the state's first day, and puts on the record what is paid and by which
/// standard.
fn paid_to(
    record: &mut AssistanceHouseholdRecord,
    case: Case<'_>,
    context: RuleContext<'_>,
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
    let parameters = context.parameters;
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

/// Reads the members' identities and relations, and checks them.
fn members_of(
    household: &pb::AssistanceHousehold,
    context: RuleContext<'_>,
    violations: &mut Violations,
) -> Vec<(ResidentId, pb::MemberRelation)> {
    let mut members = Vec::with_capacity(household.members.len());
    for (index, member) in household.members.iter().enumerate() {
        let relation = enum_field(&format!("members[{index}].relation"), member.relation, violations);
        match ResidentId::parse(&member.resident_id, context.today) {
            Ok(resident) => members.push((resident, relation)),
            Err(error) => {
                let field = format!("members[{index}].resident_id");
                violations.add(field, error.reason(), error.to_string(), error.message_zh());
            }
        }
    }
    // With a member missing the places would be named wrongly.
    if members.len() == household.members.len() {
        check_members(&members, violations);
    }
    members
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
fn check_memberships(record: &AssistanceHouseholdRecord, households: &mut Holders<Vec<u8>>) -> Violations {
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

minsheng_kit::register_api! {
    package: minsheng_proto::social_security::v1,
    register: AssistanceHouseholds,
    resource: AssistanceHousehold as assistance_household,
    plural: AssistanceHouseholds as assistance_households,
}
