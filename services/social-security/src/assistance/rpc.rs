//! The contract's `AssistanceHouseholdService` over the register.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    keys::Keys,
    register::{Facts, Head, Register, Table as _, date, day, enum_field, enum_number, optional_day, required_day},
    store::{AnyConnection, Tx, hold_keys},
    values::{
        calendar::{day_of_epoch, epoch_day},
        divisions::CountyCode,
        identifiers::ResidentId,
        money::Fen,
        parameters::ParameterError,
    },
};
use minsheng_proto::social_security::v1 as pb;
use prost::Message as _;

use super::{
    rules::{
        Lines, Means, Recognition, RoundingRule, check_category, check_members, check_recognition, monthly_amount,
    },
    store::{category_span, member_indexes, members_of_people, members_written},
};
use crate::{
    duration::decision_working_days,
    schema::AssistanceHouseholdRecord,
    spans::{Holders, Span},
};

/// Place of the sealed members.
const SEALED_MEMBERS: &str = "assistance_households.members";

/// The register of households on social assistance.
#[derive(Clone, Copy, Debug)]
pub struct AssistanceHouseholds;

/// The members as they are sealed.
#[derive(Clone, PartialEq, prost::Message)]
struct StoredMembers {
    #[prost(message, repeated, tag = "1")]
    members: Vec<pb::HouseholdMember>,
}

impl Register for AssistanceHouseholds {
    const COLLECTION: &'static str = "assistance_households";
    type Record = AssistanceHouseholdRecord;
    type Row = pb::AssistanceHouseholdRow;

    fn dataset(&self) -> String {
        "social_security.assistance".to_owned()
    }

    fn decode(
        &self,
        household: &pb::AssistanceHousehold,
        head: Head,
        _: Option<&AssistanceHouseholdRecord>,
        facts: Facts<'_>,
    ) -> Result<AssistanceHouseholdRecord, Violations> {
        let mut violations = Violations::new();
        let residence: pb::ResidenceKind = enum_field("residence_kind", household.residence_kind, &mut violations);
        let members = members_of(household, facts, &mut violations);
        let (recognition, days) = recognition_of(household, &mut violations);
        let means = Means {
            members: i64::try_from(household.members.len()).unwrap_or(i64::MAX),
            monthly_income: Fen::new(household.net_monthly_income_fen),
        };
        let mut paid = Paid::default();
        if days.is_empty() {
            check_recognition(&recognition, epoch_day(facts.today), &mut violations);
            paid = paid_to(&head, residence, &recognition, means, facts, &mut violations);
        }
        violations.extend_under("", days);
        violations.into_result(AssistanceHouseholdRecord {
            residence_kind: residence as i64,
            members: sealed(&household.members, facts.keys),
            member_indexes: members.iter().flat_map(|(resident, _)| facts.keys.blind(resident)).collect(),
            member_count: means.members,
            severely_disabled_members: household.members.iter().map(|member| i64::from(member.severe_disability)).sum(),
            net_monthly_income_fen: household.net_monthly_income_fen,
            category: recognition.category as i64,
            applied_on: recognition.applied_on,
            decided_on: recognition.decided_on,
            valid_from: recognition.valid_from,
            valid_to: recognition.valid_to,
            monthly_amount_fen: paid.amount.get(),
            monthly_standard_fen: paid.standard.get(),
            ..AssistanceHouseholdRecord::with_head(head)
        })
    }

    fn encode(
        &self,
        record: &AssistanceHouseholdRecord,
        facts: Facts<'_>,
        reveal: bool,
    ) -> Result<pb::AssistanceHousehold, Error> {
        Ok(pb::AssistanceHousehold {
            residence_kind: enum_number(record.residence_kind),
            members: opened(&record.members, facts.keys, reveal)?,
            net_monthly_income_fen: record.net_monthly_income_fen,
            category: enum_number(record.category),
            applied_on: date(record.applied_on),
            decided_on: date(record.decided_on),
            valid_from: record.valid_from.and_then(date),
            valid_to: record.valid_to.and_then(date),
            monthly_amount_fen: record.monthly_amount_fen,
            monthly_standard_fen: record.monthly_standard_fen,
            ..pb::AssistanceHousehold::default()
        })
    }

    fn row(&self, record: &AssistanceHouseholdRecord, facts: Facts<'_>) -> pb::AssistanceHouseholdRow {
        pb::AssistanceHouseholdRow {
            category: enum_number(record.category),
            residence_kind: enum_number(record.residence_kind),
            members: record.member_count,
            severely_disabled_members: record.severely_disabled_members,
            monthly_amount_fen: record.monthly_amount_fen,
            monthly_standard_fen: record.monthly_standard_fen,
            applied_on: date(record.applied_on),
            decided_on: date(record.decided_on),
            valid_from: record.valid_from.and_then(date),
            valid_to: record.valid_to.and_then(date),
            decision_working_days: decision_working_days(record.applied_on, record.decided_on, facts.calendar),
        }
    }

    fn effective_on(&self, household: &pb::AssistanceHousehold, today: NaiveDate) -> NaiveDate {
        let first = household.valid_from.as_ref().or(household.decided_on.as_ref());
        first.and_then(day).unwrap_or(today)
    }

    /// A person belongs to one assisted household at a time.
    fn check(
        &self,
        connection: &mut AnyConnection,
        records: &[AssistanceHouseholdRecord],
        _: Facts<'_>,
    ) -> Result<Vec<Violations>, Error> {
        let people: BTreeSet<&[u8]> =
            records.iter().filter(|record| category_span(record).is_some()).flat_map(member_indexes).collect();
        hold_keys(connection, "assistance_members.resident", people.iter().copied())?;
        let people: Vec<&[u8]> = people.into_iter().collect();
        let mut households = Holders::default();
        for member in members_of_people(connection, &people)? {
            let span = Span { from: member.valid_from, to: member.valid_to };
            households.add(member.resident_index, &member.household, span);
        }
        Ok(records.iter().map(|record| check_memberships(record, &mut households)).collect())
    }

    fn written(&self, tx: &mut Tx<'_>, records: &[AssistanceHouseholdRecord], _: Facts<'_>) -> Result<(), Error> {
        members_written(tx.connection, records)
    }
}

/// What dibao pays, and by which standard.
#[derive(Clone, Copy, Default)]
struct Paid {
    standard: Fen,
    amount: Fen,
}

/// Checks the category by the figures of the content's first day, and computes what is paid.
fn paid_to(
    head: &Head,
    residence: pb::ResidenceKind,
    recognition: &Recognition,
    means: Means,
    facts: Facts<'_>,
    violations: &mut Violations,
) -> Paid {
    let first_day = recognition.valid_from.unwrap_or(recognition.decided_on).max(head.effective_on);
    // The kit and the contract refuse an unknown county or residence themselves.
    let (Ok(county), Some(first_day)) = (CountyCode::parse(&head.area), day_of_epoch(first_day)) else {
        return Paid::default();
    };
    if residence == pb::ResidenceKind::Unspecified {
        return Paid::default();
    }
    let figures = Lines::on(facts.parameters, county, residence, first_day)
        .and_then(|lines| Ok((lines, RoundingRule::on(facts.parameters, county, first_day)?)));
    let (lines, rounding) = match figures {
        Ok(figures) => figures,
        Err(error) => {
            note_parameter(&error, violations);
            return Paid::default();
        }
    };
    check_category(recognition, means, &lines, violations);
    let amount = if recognition.category == pb::AssistanceCategory::Dibao {
        monthly_amount(lines.standard, means, rounding).unwrap_or_else(|error| {
            violations.add("net_monthly_income_fen", error.reason(), error.to_string(), error.message_zh());
            Fen::ZERO
        })
    } else {
        Fen::ZERO
    };
    Paid { standard: lines.standard, amount }
}

/// Notes that there is no standard to judge by.
fn note_parameter(error: &ParameterError, violations: &mut Violations) {
    violations.add("valid_from", error.reason(), error.to_string(), error.message_zh());
}

/// Reads the members' identities and relations, and checks them.
fn members_of(
    household: &pb::AssistanceHousehold,
    facts: Facts<'_>,
    violations: &mut Violations,
) -> Vec<(ResidentId, pb::MemberRelation)> {
    let mut members = Vec::with_capacity(household.members.len());
    for (index, member) in household.members.iter().enumerate() {
        let relation = enum_field(&format!("members[{index}].relation"), member.relation, violations);
        match ResidentId::parse(&member.resident_id, facts.today) {
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

/// Reads the category and its days; what is wrong with the days comes back apart.
fn recognition_of(household: &pb::AssistanceHousehold, violations: &mut Violations) -> (Recognition, Violations) {
    let mut days = Violations::new();
    let recognition = Recognition {
        category: enum_field("category", household.category, violations),
        applied_on: required_day("applied_on", household.applied_on.as_ref(), &mut days),
        decided_on: required_day("decided_on", household.decided_on.as_ref(), &mut days),
        valid_from: optional_day("valid_from", household.valid_from.as_ref(), &mut days),
        valid_to: optional_day("valid_to", household.valid_to.as_ref(), &mut days),
    };
    (recognition, days)
}

/// Checks that no member is in another household on the same days, and notes that they are in this one.
fn check_memberships(record: &AssistanceHouseholdRecord, households: &mut Holders<Vec<u8>>) -> Violations {
    let mut violations = Violations::new();
    let Some(span) = category_span(record) else { return violations };
    for (index, member) in member_indexes(record).enumerate() {
        violations.require(
            !households.held_by_another(&member.to_vec(), &record.id, span),
            &format!("members[{index}].resident_id"),
            "IN_ANOTHER_HOUSEHOLD",
            "belongs to another assisted household on some of these days",
            "该成员在此期间已属于其他救助家庭",
        );
    }
    if violations.is_empty() {
        for member in member_indexes(record) {
            households.add(member.to_vec(), &record.id, span);
        }
    }
    violations
}

fn sealed(members: &[pb::HouseholdMember], keys: &Keys) -> Vec<u8> {
    keys.seal(SEALED_MEMBERS, &StoredMembers { members: members.to_vec() }.encode_to_vec())
}

fn opened(sealed: &[u8], keys: &Keys, reveal: bool) -> Result<Vec<pb::HouseholdMember>, Error> {
    let plain = keys.open(SEALED_MEMBERS, sealed)?;
    let mut members = StoredMembers::decode(plain.as_slice()).map_err(Error::internal)?.members;
    if !reveal {
        for member in &mut members {
            let resident = ResidentId::parse_stored(&member.resident_id).map_err(Error::internal)?;
            member.resident_id = resident.to_string();
        }
    }
    Ok(members)
}

minsheng_kit::register_api! {
    package: minsheng_proto::social_security::v1,
    register: AssistanceHouseholds,
    resource: AssistanceHousehold as assistance_household,
    plural: AssistanceHouseholds as assistance_households,
}
