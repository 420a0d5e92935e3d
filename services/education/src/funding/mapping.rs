//! The contract's `FundingRecordService` over the register.

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared as _, Head, Held, Period, Register, RuleContext, Table as _, day, enum_number},
    store::{AnyConnection, lock_keys},
    values::{
        calendar::{day_of_epoch, epoch_day},
        divisions::{AreaCode, Divisions},
        parameters::Parameters,
    },
};
use minsheng_proto::education::v1 as pb;

use super::{
    rules::{
        Given, Kind, NoVerdict, SchoolInTerm, Verdict, check_nutrition, check_school, note_not_in_service, term_days,
        verdict,
    },
    store::{once, there_already},
};
use crate::{
    schema::{FundingRecord, SchoolRecord},
    schools,
};

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
    type Record = FundingRecord;
    type Row = pb::FundingRecordRow;

    fn validate(
        &self,
        funding: &pb::FundingRecord,
        head: Head,
        _: Option<&FundingRecord>,
        context: RuleContext<'_>,
    ) -> Result<FundingRecord, Violations> {
        let mut violations = Violations::new();
        let mut record = FundingRecord::read(funding, head, context, &mut violations);
        let fund = fund_of(&record);
        check_nutrition(fund, funding.amount_fen, funding.nutrition_fen, funding.nutrition_students, &mut violations);
        let (Some(days), true) = (term_days(funding.term_year, funding.term()), violations.is_empty()) else {
            return Err(violations);
        };
        // The school decides by which standards it is judged; see `complete`.
        record.term_from = epoch_day(days.from);
        record.term_to = epoch_day(days.to);
        violations.into_result(record)
    }

    fn effective_on(&self, funding: &pb::FundingRecord, today: NaiveDate) -> NaiveDate {
        funding.paid_on.as_ref().and_then(day).unwrap_or(today)
    }

    /// A school has one record of a fund in a term.
    fn lock(&self, connection: &mut AnyConnection, records: &[FundingRecord]) -> Result<(), Error> {
        let keys: Vec<String> = records.iter().map(|record| format!("{:?}", once(record))).collect();
        lock_keys(connection, "funding_records.term", keys.iter().map(String::as_bytes))
    }

    /// Checks that the school is there and may have the fund, that standards are in force for the term, and that the term
    /// has no other record.
    fn validate_against_store(
        &self,
        connection: &mut AnyConnection,
        records: &[FundingRecord],
        context: RuleContext<'_>,
    ) -> Result<Vec<Violations>, Error> {
        let schools = schools::named(connection, records.iter().map(|record| record.school.as_str()))?;
        let mut there = there_already(connection, records)?;
        Ok(records
            .iter()
            .map(|record| {
                let mut violations = Violations::new();
                match schools.in_term(&record.school, term_of(record)) {
                    Some(school) => {
                        let in_term = SchoolInTerm {
                            stage: school.school_stage(),
                            rural: school.rural,
                            public: school.is_public(),
                            in_service: school.teaches_in(term_of(record)),
                        };
                        check_school(fund_of(record), record.nutrition_students, in_term, &mut violations);
                        if let Err(none) = verdict_on(record, school, context.parameters) {
                            none.note(&mut violations);
                        }
                    }
                    None => note_not_in_service(&mut violations),
                }
                there.claim(once(record), &record.id, record.period(), HELD, &mut violations);
                violations
            })
            .collect())
    }

    /// Writes what the standards say; a record whose school or standards are missing was refused by `validate_against_store`.
    fn complete(
        &self,
        connection: &mut AnyConnection,
        records: &mut [FundingRecord],
        context: RuleContext<'_>,
    ) -> Result<(), Error> {
        let schools = schools::named(connection, records.iter().map(|record| record.school.as_str()))?;
        for record in records {
            let Some(school) = schools.in_term(&record.school, term_of(record)) else { continue };
            let Ok(verdict) = verdict_on(record, school, context.parameters) else { continue };
            record.per_student_year_fen = verdict.per_student_year_fen;
            record.base_per_student_year_fen = verdict.base.per_student_year_fen;
            record.standard_fen = verdict.base.standard_fen;
            record.meets_standard = verdict.base.meets_standard;
            record.shortfall_fen = verdict.base.shortfall_fen;
            record.nutrition_meets_standard = verdict.nutrition.map(|nutrition| nutrition.meets_standard);
            record.nutrition_standard_fen = verdict.nutrition.map(|nutrition| nutrition.standard_fen);
            record.nutrition_shortfall_fen = verdict.nutrition.map_or(0, |nutrition| nutrition.shortfall_fen);
        }
        Ok(())
    }

    /// Takes the verdict as it was told: the standards that it was made by may have been corrected since.
    fn restore(&self, record: &mut FundingRecord, _: &pb::FundingRecord, row: &pb::FundingRecordRow) {
        record.per_student_year_fen = row.per_student_year_fen;
        record.base_per_student_year_fen = row.base_per_student_year_fen;
        record.standard_fen = row.standard_fen;
        record.meets_standard = row.meets_standard;
        record.shortfall_fen = row.shortfall_fen;
        record.nutrition_meets_standard = row.nutrition_meets_standard;
        record.nutrition_standard_fen = row.nutrition_standard_fen;
        record.nutrition_shortfall_fen = row.nutrition_shortfall_fen;
    }
}

fn fund_of(record: &FundingRecord) -> pb::FundKind {
    pb::FundKind::try_from(enum_number(record.fund)).unwrap_or_default()
}

/// Returns the days of a record's term.
fn term_of(record: &FundingRecord) -> Period {
    Period { from: record.term_from, until: record.term_to + 1 }
}

/// Judges a record by the standards of its school and of the first day of its term.
fn verdict_on(record: &FundingRecord, school: &SchoolRecord, parameters: &Parameters) -> Result<Verdict, NoVerdict> {
    let given = Given {
        fund: fund_of(record),
        students: record.students,
        amount_fen: record.amount_fen,
        nutrition_fen: record.nutrition_fen,
        nutrition_students: record.nutrition_students,
    };
    let area = AreaCode::parse(&school.area).unwrap_or_else(|_| Divisions::get().region());
    let kind = Kind { stage: school.school_stage(), altitude_class: school.altitude(), area };
    verdict(given, kind, day_of_epoch(record.term_from).unwrap_or_default(), parameters)
}

minsheng_kit::register_api! {
    package: minsheng_proto::education::v1,
    register: FundingRecords,
    resource: FundingRecord as funding_record,
    plural: FundingRecords as funding_records,
}
