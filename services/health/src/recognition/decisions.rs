//! The contract's `ResultDecisionService` over the register of decisions (互认记录).

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Facts, Head, Register, Table as _, date, day, enum_field, enum_number, required_day},
    store::{AnyConnection, Tx},
    values::{calendar::epoch_day, divisions::CountyCode},
};
use minsheng_proto::{common::v1::RecordState, health::v1 as pb};

use super::{
    evidence::{Evidence, in_operation},
    rules::{Standing, Visit, check_decision, standing},
    store::{check_listed, upward_only},
};
use crate::{
    institutions::{InstitutionReferences, hold_institutions, institution_id, institution_name},
    schema::ResultDecisionRecord,
};

/// The register of decisions on results of other institutions.
#[derive(Clone, Copy, Debug)]
pub struct ResultDecisions;

impl Register for ResultDecisions {
    type Record = ResultDecisionRecord;
    type Row = pb::ResultDecisionRow;

    fn decode(
        &self,
        decision: &pb::ResultDecision,
        head: Head,
        _: Option<&ResultDecisionRecord>,
        facts: Facts<'_>,
    ) -> Result<ResultDecisionRecord, Violations> {
        let mut violations = Violations::new();
        let performing = institution_id("performing_institution", &decision.performing_institution, &mut violations);
        let receiving = institution_id("receiving_institution", &decision.receiving_institution, &mut violations);
        violations.require(
            performing != receiving,
            "receiving_institution",
            "OWN_RESULT",
            "decides on a result of its own; only results of other institutions are recognised",
            "互认针对其他机构的结果",
        );
        let decided: pb::RecognitionDecision = enum_field("decision", decision.decision, &mut violations);
        let performed_on = required_day("performed_on", decision.performed_on.as_ref(), &mut violations);
        let decided_on = required_day("decided_on", decision.decided_on.as_ref(), &mut violations);
        violations.require(
            decided_on >= performed_on,
            "decided_on",
            "BEFORE_TEST",
            "lies before the day of the test",
            "决定日期早于检查日期",
        );
        violations.require(
            decided_on <= epoch_day(facts.today),
            "decided_on",
            "IN_FUTURE",
            "lies in the future",
            "决定日期晚于今天",
        );
        let reason = pb::ReexaminationReason::try_from(decision.reason).unwrap_or_default();
        check_decision(decided, reason, &decision.explanation, &mut violations);
        violations.into_result(ResultDecisionRecord {
            result_reference: decision.result_reference.clone(),
            item_code: decision.item_code.clone(),
            performing_institution: performing,
            performed_on,
            receiving_institution: receiving,
            decided_on,
            decision: decided as i64,
            reason: reason as i64,
            explanation: decision.explanation.clone(),
            price_fen: decision.price_fen,
            // The store knows the list and the certificates; see `complete`.
            recognisable: false,
            ..ResultDecisionRecord::with_head(head)
        })
    }

    fn encode(&self, record: &ResultDecisionRecord, _: Facts<'_>, _: bool) -> Result<pb::ResultDecision, Error> {
        Ok(pb::ResultDecision {
            result_reference: record.result_reference.clone(),
            item_code: record.item_code.clone(),
            performing_institution: institution_name(&record.performing_institution),
            performed_on: date(record.performed_on),
            receiving_institution: institution_name(&record.receiving_institution),
            decided_on: date(record.decided_on),
            decision: enum_number(record.decision),
            reason: enum_number(record.reason),
            explanation: record.explanation.clone(),
            price_fen: record.price_fen,
            recognisable: record.recognisable,
            ..pb::ResultDecision::default()
        })
    }

    fn row(&self, record: &ResultDecisionRecord, _: Facts<'_>) -> pb::ResultDecisionRow {
        pb::ResultDecisionRow {
            item_code: record.item_code.clone(),
            performing_institution: record.performing_institution.clone(),
            receiving_institution: record.receiving_institution.clone(),
            performed_on: date(record.performed_on),
            decided_on: date(record.decided_on),
            decision: enum_number(record.decision),
            reason: enum_number(record.reason),
            recognisable: record.recognisable,
            price_fen: record.price_fen,
        }
    }

    fn effective_on(&self, decision: &pb::ResultDecision, today: NaiveDate) -> NaiveDate {
        decision.decided_on.as_ref().and_then(day).unwrap_or(today)
    }

    fn clear_decided(&self, decision: &mut pb::ResultDecision) {
        decision.recognisable = false;
    }

    fn check(
        &self,
        connection: &mut AnyConnection,
        records: &[ResultDecisionRecord],
        _: Facts<'_>,
    ) -> Result<Vec<Violations>, Error> {
        let ids = records
            .iter()
            .flat_map(|record| [record.performing_institution.as_str(), record.receiving_institution.as_str()]);
        let institutions = InstitutionReferences::find(connection, ids)?;
        let mut verdicts = check_listed(connection, records.iter().map(|record| record.item_code.as_str()))?;
        for (record, violations) in records.iter().zip(&mut verdicts) {
            institutions.require("performing_institution", &record.performing_institution, violations);
            let receiving = &record.receiving_institution;
            institutions.require_in("receiving_institution", receiving, &record.area, violations);
        }
        Ok(verdicts)
    }

    fn restore(&self, state: &mut ResultDecisionRecord, decision: &pb::ResultDecision, _: &pb::ResultDecisionRow) {
        state.recognisable = decision.recognisable;
    }

    /// Marks what was recognisable on the day of the decision, as is known now: what the question would have answered.
    fn complete(
        &self,
        connection: &mut AnyConnection,
        records: &mut [ResultDecisionRecord],
        facts: Facts<'_>,
    ) -> Result<(), Error> {
        let named = records.iter().flat_map(|record| [&*record.performing_institution, &*record.receiving_institution]);
        let institutions = InstitutionReferences::find(connection, named)?;
        let asked = records.iter().map(|record| (&*record.performing_institution, &*record.item_code));
        let evidence = Evidence::find(connection, asked)?;
        for record in records {
            let (performing, receiving) = (&record.performing_institution, &record.receiving_institution);
            let county = CountyCode::parse(&record.area).map_err(Error::internal)?;
            let (performed_on, on) = (record.performed_on, record.decided_on);
            let visit = Visit {
                performed_on,
                on,
                receiving: county,
                in_operation: in_operation(&institutions, (performing, performed_on), (receiving, on)),
                downward: upward_only(facts.parameters, county, on) && institutions.is_lower(performing, receiving, on),
            };
            let found =
                standing(evidence.listed(&record.item_code), evidence.certified(performing, &record.item_code), visit);
            record.recognisable = matches!(found, Standing::Recognisable(_));
        }
        Ok(())
    }

    /// Holds the institutions until the unit ends, so that none is withdrawn in between.
    fn written(&self, tx: &mut Tx<'_>, records: &[ResultDecisionRecord], _: Facts<'_>) -> Result<(), Error> {
        let standing = records.iter().filter(|record| record.state == RecordState::Active as i64);
        let ids = standing.flat_map(|record| [&*record.performing_institution, &*record.receiving_institution]);
        hold_institutions(tx.connection, ids)
    }
}

minsheng_kit::register_api! {
    package: minsheng_proto::health::v1,
    register: ResultDecisions,
    resource: ResultDecision as result_decision,
    plural: ResultDecisions as result_decisions,
}
