// Written by `just gen` from `proto/minsheng/education/v1/funding_record_service.proto`: change the contract instead.

//! 经费拨付: the table `funding_records` and its record.

use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::education::v1 as pb;

minsheng_kit::register_table! {
    /// What one school was given for one purpose and one term.
    funding_records => FundingRecord {
        /// The school, `schools/{id}`.
        school: Text = String,
        /// What for.
        fund: BigInt = i64,
        /// Calendar year of the term.
        term_year: BigInt = i64,
        /// The term.
        term: BigInt = i64,
        /// Students enrolled (public funds) or eligible (three guarantees).
        students: BigInt = i64,
        /// Appropriated or paid for the term, in fen, the nutrition part included.
        amount_fen: BigInt = i64,
        /// Of it for the nutrition scheme, in fen; 0 outside the rural compulsory stage.
        nutrition_fen: BigInt = i64,
        /// Students in the nutrition scheme.
        nutrition_students: BigInt = i64,
        /// Day of the payment.
        paid_on: BigInt = i64,
        /// First day of the term.
        term_from: BigInt = i64,
        /// Last day of the term.
        term_to: BigInt = i64,
        /// Amount for each student, brought to a year, in fen; the nutrition part included.
        per_student_year_fen: BigInt = i64,
        /// Standard by which the amount was judged, in fen for each student and year; of the three guarantees the one
        /// without nutrition.
        standard_fen: BigInt = i64,
        /// True when the amount, of the three guarantees that without nutrition, reaches the standard.
        meets_standard: Bool = bool,
        /// What is missing to the standard for all students of the term, in fen; missing nutrition is not in it.
        shortfall_fen: BigInt = i64,
        /// True when the nutrition part reaches its own standard; absent where there is none.
        nutrition_meets_standard: Nullable<Bool> = Option<bool>,
        /// Amount without the nutrition part for each student, brought to a year, in fen.
        base_per_student_year_fen: BigInt = i64,
        /// Standard of the nutrition scheme in force, in fen for each student in it and year; absent where there is
        /// none.
        nutrition_standard_fen: Nullable<BigInt> = Option<i64>,
        /// What is missing to it for the term, in fen.
        nutrition_shortfall_fen: BigInt = i64,
    }
}

impl Declared for FundingRecord {
    type Resource = pb::FundingRecord;
    type Row = pb::FundingRecordRow;

    const FIELDS: &'static [&'static str] = &[
        "school",
        "fund",
        "term_year",
        "term",
        "students",
        "amount_fen",
        "nutrition_fen",
        "nutrition_students",
        "paid_on",
    ];

    fn read(resource: &pb::FundingRecord, head: Head, context: RuleContext<'_>, violations: &mut Violations) -> Self {
        Self {
            school: declared::whole_reference("school", "schools", &resource.school, violations),
            fund: declared::enum_field::<pb::FundKind>("fund", resource.fund, violations) as i64,
            term_year: i64::from(resource.term_year),
            term: declared::enum_field::<pb::Term>("term", resource.term, violations) as i64,
            students: resource.students,
            amount_fen: resource.amount_fen,
            nutrition_fen: resource.nutrition_fen,
            nutrition_students: resource.nutrition_students,
            paid_on: declared::not_after_today(
                "paid_on",
                declared::required_day("paid_on", resource.paid_on.as_ref(), violations),
                context,
                violations,
            ),
            ..Self::with_head(head)
        }
    }

    fn resource(&self, _: RuleContext<'_>, _: bool) -> Result<pb::FundingRecord, Error> {
        Ok(pb::FundingRecord {
            school: self.school.clone(),
            fund: declared::enum_number(self.fund),
            term_year: declared::enum_number(self.term_year),
            term: declared::enum_number(self.term),
            students: self.students,
            amount_fen: self.amount_fen,
            nutrition_fen: self.nutrition_fen,
            nutrition_students: self.nutrition_students,
            paid_on: declared::date(self.paid_on),
            ..pb::FundingRecord::default()
        })
    }

    fn row(&self) -> pb::FundingRecordRow {
        pb::FundingRecordRow {
            school: self.school.clone(),
            fund: declared::enum_number(self.fund),
            term: declared::enum_number(self.term),
            term_from: declared::date(self.term_from),
            term_to: declared::date(self.term_to),
            students: self.students,
            amount_fen: self.amount_fen,
            nutrition_fen: self.nutrition_fen,
            per_student_year_fen: self.per_student_year_fen,
            standard_fen: self.standard_fen,
            meets_standard: self.meets_standard,
            shortfall_fen: self.shortfall_fen,
            nutrition_meets_standard: self.nutrition_meets_standard,
            nutrition_students: self.nutrition_students,
            base_per_student_year_fen: self.base_per_student_year_fen,
            nutrition_standard_fen: self.nutrition_standard_fen,
            nutrition_shortfall_fen: self.nutrition_shortfall_fen,
        }
    }

    fn references(&self) -> Vec<declared::Named<'_>> {
        vec![declared::Named {
            field: "school",
            collection: "schools",
            same_county: true,
            id: declared::id_within("schools", &self.school),
        }]
    }

    fn natural_id(resource: &pb::FundingRecord, _: RuleContext<'_>) -> Option<String> {
        Some(declared::natural_key(&[
            declared::id_within("schools", &resource.school),
            &resource.fund.to_string(),
            &resource.term_year.to_string(),
            &resource.term.to_string(),
        ]))
    }

    fn take_field(field: &str, from: &pb::FundingRecord, to: &mut pb::FundingRecord) -> bool {
        match field {
            "school" => to.school.clone_from(&from.school),
            "fund" => to.fund = from.fund,
            "term_year" => to.term_year = from.term_year,
            "term" => to.term = from.term,
            "students" => to.students = from.students,
            "amount_fen" => to.amount_fen = from.amount_fen,
            "nutrition_fen" => to.nutrition_fen = from.nutrition_fen,
            "nutrition_students" => to.nutrition_students = from.nutrition_students,
            "paid_on" => to.paid_on = from.paid_on,
            _ => return false,
        }
        true
    }

    fn clear_decided(_: &mut pb::FundingRecord) {}

    fn restore_decided(&mut self, _: &pb::FundingRecord) {}
}
