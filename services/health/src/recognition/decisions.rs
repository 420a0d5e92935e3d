//! The contract's `ResultDecisionService` over the register of decisions (互认记录).

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared as _, Head, Register, RuleContext, day},
    store::AnyConnection,
    values::divisions::CountyCode,
};
use minsheng_proto::health::v1 as pb;

use super::{
    evidence::{Evidence, in_operation},
    rules::{Standing, Visit, check_decision, check_parties_and_days, standing},
    store::{check_listed, upward_only},
};
use crate::{institutions::InstitutionReferences, schema::ResultDecisionRecord};

/// The register of decisions on results of other institutions.
#[derive(Clone, Copy, Debug)]
pub struct ResultDecisions;

impl Register for ResultDecisions {
    type Record = ResultDecisionRecord;
    type Row = pb::ResultDecisionRow;

    fn validate(
        &self,
        decision: &pb::ResultDecision,
        head: Head,
        _: Option<&ResultDecisionRecord>,
        context: RuleContext<'_>,
    ) -> Result<ResultDecisionRecord, Violations> {
        let mut violations = Violations::new();
        let record = ResultDecisionRecord::read(decision, head, context, &mut violations);
        check_parties_and_days(&record, &mut violations);
        check_decision(decision.decision(), decision.reason(), &decision.explanation, &mut violations);
        violations.into_result(record)
    }

    fn effective_on(&self, decision: &pb::ResultDecision, today: NaiveDate) -> NaiveDate {
        decision.decided_on.as_ref().and_then(day).unwrap_or(today)
    }

    fn validate_against_store(
        &self,
        connection: &mut AnyConnection,
        records: &[ResultDecisionRecord],
        _: RuleContext<'_>,
    ) -> Result<Vec<Violations>, Error> {
        check_listed(connection, records.iter().map(|record| record.item_code.as_str()))
    }

    /// Marks what was recognisable on the day of the decision, as is known now: what the question would have answered.
    fn complete(
        &self,
        connection: &mut AnyConnection,
        records: &mut [ResultDecisionRecord],
        context: RuleContext<'_>,
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
                downward: upward_only(context.parameters, county, on)
                    && institutions.is_lower(performing, receiving, on),
            };
            let found =
                standing(evidence.listed(&record.item_code), evidence.certified(performing, &record.item_code), visit);
            record.recognisable = matches!(found, Standing::Recognisable(_));
        }
        Ok(())
    }
}

minsheng_kit::register_api! {
    package: minsheng_proto::health::v1,
    register: ResultDecisions,
    resource: ResultDecision as result_decision,
    plural: ResultDecisions as result_decisions,
}
