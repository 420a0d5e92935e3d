// Written by `just gen` from `proto/minsheng/education/v1/aid_case_service.proto`: change the contract instead.

//! 三包资格: the table `aid_cases` and its record.

use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::education::v1 as pb;

minsheng_kit::register_table! {
    /// One pupil's case for the three guarantees.
    aid_cases => AidCaseRecord {
        /// Identity number, sealed.
        resident: Binary = Vec<u8>,
        /// Keyed blind index of the person.
        resident_index: Binary = Vec<u8>,
        /// Pseudonym of the person in the dataset.
        person: Text = String,
        /// The school, `schools/{id}`.
        school: Text = String,
        /// Stage.
        stage: BigInt = i64,
        /// True for boarders.
        boarding: Bool = bool,
        /// On what ground.
        household_kind: BigInt = i64,
        /// Calendar year of the term.
        term_year: BigInt = i64,
        /// Day of the application.
        applied_on: BigInt = i64,
        /// What was decided. Output only.
        outcome: BigInt = i64,
        /// What social security answered. Output only.
        assistance_category: BigInt = i64,
        /// Day on which it was decided; the decision holds from the day from which the case is true
        /// (`meta.effective_on`). Output only.
        decided_on: Nullable<BigInt> = Option<i64>,
    }
}

impl Declared for AidCaseRecord {
    type Resource = pb::AidCase;
    type Row = pb::AidCaseRow;

    const FIELDS: &'static [&'static str] = &[
        "resident_id",
        "school",
        "stage",
        "boarding",
        "household_kind",
        "term_year",
        "applied_on",
        "outcome",
        "assistance_category",
        "decided_on",
    ];

    fn read(resource: &pb::AidCase, head: Head, context: RuleContext<'_>, violations: &mut Violations) -> Self {
        let resident =
            declared::person("aid_cases.resident", "resident_id", &resource.resident_id, context, violations);
        Self {
            resident: resident.sealed,
            resident_index: resident.index,
            person: resident.pseudonym,
            school: declared::whole_reference("school", "schools", &resource.school, violations),
            stage: declared::enum_field::<pb::AidStage>("stage", resource.stage, violations) as i64,
            boarding: resource.boarding,
            household_kind: declared::enum_field::<pb::AidHouseholdKind>(
                "household_kind",
                resource.household_kind,
                violations,
            ) as i64,
            term_year: i64::from(resource.term_year),
            applied_on: declared::not_after_today(
                "applied_on",
                declared::required_day("applied_on", resource.applied_on.as_ref(), violations),
                context,
                violations,
            ),
            ..Self::with_head(head)
        }
    }

    fn resource(&self, context: RuleContext<'_>, reveal: bool) -> Result<pb::AidCase, Error> {
        Ok(pb::AidCase {
            resident_id: declared::shown_person("aid_cases.resident", &self.resident, context, reveal)?,
            school: self.school.clone(),
            stage: declared::enum_number(self.stage),
            boarding: self.boarding,
            household_kind: declared::enum_number(self.household_kind),
            term_year: declared::enum_number(self.term_year),
            applied_on: declared::date(self.applied_on),
            outcome: declared::enum_number(self.outcome),
            assistance_category: declared::enum_number(self.assistance_category),
            decided_on: self.decided_on.and_then(declared::date),
            ..pb::AidCase::default()
        })
    }

    fn row(&self) -> pb::AidCaseRow {
        pb::AidCaseRow {
            person: self.person.clone(),
            stage: declared::enum_number(self.stage),
            boarding: self.boarding,
            household_kind: declared::enum_number(self.household_kind),
            outcome: declared::enum_number(self.outcome),
            applied_on: declared::date(self.applied_on),
            decided_on: self.decided_on.and_then(declared::date),
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

    fn natural_id(_: &pb::AidCase, _: RuleContext<'_>) -> Option<String> {
        None
    }

    fn take_field(field: &str, from: &pb::AidCase, to: &mut pb::AidCase) -> bool {
        match field {
            "resident_id" => to.resident_id.clone_from(&from.resident_id),
            "school" => to.school.clone_from(&from.school),
            "stage" => to.stage = from.stage,
            "boarding" => to.boarding = from.boarding,
            "household_kind" => to.household_kind = from.household_kind,
            "term_year" => to.term_year = from.term_year,
            "applied_on" => to.applied_on = from.applied_on,
            "outcome" => to.outcome = from.outcome,
            "assistance_category" => to.assistance_category = from.assistance_category,
            "decided_on" => to.decided_on = from.decided_on,
            _ => return false,
        }
        true
    }

    fn clear_decided(resource: &mut pb::AidCase) {
        resource.outcome = 0;
        resource.assistance_category = 0;
        resource.decided_on = None;
    }

    fn restore_decided(&mut self, resource: &pb::AidCase) {
        self.outcome = i64::from(resource.outcome);
        self.assistance_category = i64::from(resource.assistance_category);
        self.decided_on = declared::stored_day(resource.decided_on.as_ref());
    }
}
