//! The contract's `FundingRecordService` over the register.

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Facts, Head, Held, Register, Table as _, date, day, enum_field, enum_number, required_day},
    store::AnyConnection,
    values::{calendar::epoch_day, divisions::AreaCode, parameters::ParameterError},
};
use minsheng_proto::education::v1 as pb;

use super::{
    rules::{check_nutrition, check_school, judge, nutrition_meets, standard_of, term_days},
    store::{once, there_already},
};
use crate::{schema::FundingEntry, schools};

/// Longest id of a record.
const LONGEST_ID: usize = 64;

/// Said where another record of the term is there.
const HELD: Held = Held {
    field: "term",
    reason: "TERM_RECORDED",
    description: "the school has a record of this fund and term; change that one",
    description_zh: "该校该学期该项经费已有记录，请修改原记录",
};

/// The register of appropriations and payments.
#[derive(Clone, Copy, Debug)]
pub struct FundingRecords;

impl Register for FundingRecords {
    const COLLECTION: &'static str = "funding_records";
    type Record = FundingEntry;
    type Row = pb::FundingRecordRow;

    fn dataset(&self) -> String {
        "education.funding".to_owned()
    }

    fn decode(
        &self,
        funding: &pb::FundingRecord,
        head: Head,
        _: Option<&FundingEntry>,
        facts: Facts<'_>,
    ) -> Result<FundingEntry, Violations> {
        let mut violations = Violations::new();
        let fund: pb::FundKind = enum_field("fund", funding.fund, &mut violations);
        let term: pb::Term = enum_field("term", funding.term, &mut violations);
        let paid_on = required_day("paid_on", funding.paid_on.as_ref(), &mut violations);
        violations.require(
            paid_on <= epoch_day(facts.today),
            "paid_on",
            "IN_FUTURE",
            "lies in the future",
            "拨付日期晚于今天",
        );
        check_nutrition(fund, funding.amount_fen, funding.nutrition_fen, funding.nutrition_students, &mut violations);
        let (Some(days), Ok(area), true) =
            (term_days(funding.term_year, term), AreaCode::parse(&head.area), violations.is_empty())
        else {
            return Err(violations);
        };
        let standard_fen = match standard_of(fund, area, days.from, facts.parameters) {
            Ok(standard) => standard,
            Err(error) => return Err(no_standard("term_year", &error)),
        };
        let nutrition_meets_standard =
            match nutrition_meets(funding.nutrition_fen, funding.nutrition_students, area, days.from, facts.parameters)
            {
                Ok(meets) => meets,
                Err(error) => return Err(no_standard("nutrition_fen", &error)),
            };
        let Some(judgement) = judge(funding.amount_fen, funding.students, standard_fen) else {
            violations.add("amount_fen", "TOO_LARGE", "exceeds what can be kept", "金额过大");
            return Err(violations);
        };
        violations.into_result(FundingEntry {
            school: funding.school.clone(),
            fund: fund as i64,
            term_year: i64::from(funding.term_year),
            term: term as i64,
            students: funding.students,
            amount_fen: funding.amount_fen,
            nutrition_fen: funding.nutrition_fen,
            nutrition_students: funding.nutrition_students,
            paid_on,
            term_from: epoch_day(days.from),
            term_to: epoch_day(days.to),
            per_student_year_fen: judgement.per_student_year_fen,
            standard_fen,
            meets_standard: judgement.meets_standard,
            shortfall_fen: judgement.shortfall_fen,
            nutrition_meets_standard,
            ..FundingEntry::with_head(head)
        })
    }

    fn encode(&self, record: &FundingEntry, _: Facts<'_>, _: bool) -> Result<pb::FundingRecord, Error> {
        Ok(pb::FundingRecord {
            school: record.school.clone(),
            fund: enum_number(record.fund),
            term_year: enum_number(record.term_year),
            term: enum_number(record.term),
            students: record.students,
            amount_fen: record.amount_fen,
            nutrition_fen: record.nutrition_fen,
            nutrition_students: record.nutrition_students,
            paid_on: date(record.paid_on),
            ..pb::FundingRecord::default()
        })
    }

    fn row(&self, record: &FundingEntry, _: Facts<'_>) -> pb::FundingRecordRow {
        pb::FundingRecordRow {
            school: record.school.clone(),
            fund: enum_number(record.fund),
            term: enum_number(record.term),
            term_from: date(record.term_from),
            term_to: date(record.term_to),
            students: record.students,
            amount_fen: record.amount_fen,
            nutrition_fen: record.nutrition_fen,
            per_student_year_fen: record.per_student_year_fen,
            standard_fen: record.standard_fen,
            meets_standard: record.meets_standard,
            shortfall_fen: record.shortfall_fen,
            nutrition_meets_standard: record.nutrition_meets_standard,
        }
    }

    fn effective_on(&self, funding: &pb::FundingRecord, today: NaiveDate) -> NaiveDate {
        funding.paid_on.as_ref().and_then(day).unwrap_or(today)
    }

    /// The school, the fund and the term name the record, so that a file loaded twice loads nothing twice.
    fn natural_id(&self, funding: &pb::FundingRecord, _: Facts<'_>) -> Option<String> {
        let school = funding.school.rsplit('/').next()?;
        let id = format!("{school}.{}.{}.{}", funding.fund, funding.term_year, funding.term);
        (id.len() <= LONGEST_ID).then_some(id)
    }

    /// Checks that the school is there and may have the fund, and that the term has no other record.
    fn check(
        &self,
        connection: &mut AnyConnection,
        records: &[FundingEntry],
        _: Facts<'_>,
    ) -> Result<Vec<Violations>, Error> {
        let schools = schools::named(connection, records.iter().map(|record| record.school.as_str()))?;
        let mut there = there_already(connection, records)?;
        Ok(records
            .iter()
            .map(|record| {
                let mut violations = Violations::new();
                if let Some(school) = schools.of_record(&record.school, &record.area, &mut violations) {
                    let fund = pb::FundKind::try_from(enum_number(record.fund)).unwrap_or_default();
                    let closed = school.closed_on.is_some_and(|closed| closed <= record.term_from);
                    check_school(
                        fund,
                        record.nutrition_students,
                        school.school_stage(),
                        school.rural,
                        closed,
                        &mut violations,
                    );
                }
                there.claim(once(record), &record.id, HELD, &mut violations);
                violations
            })
            .collect())
    }
}

fn no_standard(field: &str, error: &ParameterError) -> Violations {
    let mut violations = Violations::new();
    violations.add(field, error.reason(), error.to_string(), error.message_zh());
    violations
}

minsheng_kit::register_api! {
    package: minsheng_proto::education::v1,
    register: FundingRecords,
    resource: FundingRecord as funding_record,
    plural: FundingRecords as funding_records,
}
