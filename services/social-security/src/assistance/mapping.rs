//! The contract's `AssistanceHouseholdService` over the register.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared as _, Head, Holders, Register, RuleContext, day, declared::days_read, enum_field},
    store::{AnyConnection, Tx, lock_keys},
    values::{identifiers::ResidentId, money::Fen},
};
use minsheng_proto::social_security::v1 as pb;

use super::{
    rules::{Former, banded, category_period, check_members, check_memberships, decide, member_indexes},
    sealed::{opened, sealed},
    store::{members_of_people, write_members},
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
        let former = previous.map(|previous| Former::of(previous, &head));
        let mut record = AssistanceHouseholdRecord {
            members: sealed(&household.members, context.keys),
            member_indexes: members.iter().flat_map(|(resident, _)| context.keys.blind(resident)).collect(),
            member_count: count(|_| true),
            severely_disabled_members: count(|member| member.severe_disability),
            single_person_members: count(|member| member.single_person_dibao),
            ..AssistanceHouseholdRecord::read(household, head, context, &mut violations)
        };
        if days_read(&violations) {
            decide(&mut record, household, former.as_ref(), context, &mut violations);
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

minsheng_kit::register_api! {
    package: minsheng_proto::social_security::v1,
    register: AssistanceHouseholds,
    resource: AssistanceHousehold as assistance_household,
    plural: AssistanceHouseholds as assistance_households,
}
