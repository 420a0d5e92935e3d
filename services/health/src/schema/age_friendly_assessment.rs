// Written by `just gen` from `proto/minsheng/health/v1/age_friendly_assessment_service.proto`: change the contract instead.

//! 老年友善评估: the table `age_friendly_assessments` and its record.

use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::health::v1 as pb;

minsheng_kit::register_table! {
    /// One assessment of an institution, and the certificate that follows from it.
    age_friendly_assessments => AgeFriendlyAssessmentRecord {
        /// The institution, `institutions/{id}`.
        institution: Text = String,
        /// Day of the on-site check.
        assessed_on: BigInt = i64,
        /// Score of the dimension culture, 0 to 100.
        culture_score: BigInt = i64,
        /// Score of the dimension management, 0 to 100.
        management_score: BigInt = i64,
        /// Score of the dimension service, 0 to 100.
        service_score: BigInt = i64,
        /// Score of the dimension environment, 0 to 100.
        environment_score: BigInt = i64,
        /// True when every mandatory item is met.
        mandatory_met: Bool = bool,
        /// Day on which the certificate was revoked.
        revoked_on: Nullable<BigInt> = Option<i64>,
        /// True when the scores pass. Computed; output only.
        passed: Bool = bool,
        /// Weighted total, 0 to 100. Computed; output only.
        total_score: BigInt = i64,
        /// First day of the certificate. Computed; output only.
        certificate_from: Nullable<BigInt> = Option<i64>,
        /// Last day of the certificate, the day before a revocation included. Computed; output only.
        certificate_to: Nullable<BigInt> = Option<i64>,
    }
}

impl Declared for AgeFriendlyAssessmentRecord {
    type Resource = pb::AgeFriendlyAssessment;
    type Row = pb::AgeFriendlyAssessmentRow;

    const FIELDS: &'static [&'static str] = &[
        "institution",
        "assessed_on",
        "culture_score",
        "management_score",
        "service_score",
        "environment_score",
        "mandatory_met",
        "revoked_on",
        "passed",
        "total_score",
        "certificate_from",
        "certificate_to",
    ];

    fn read(
        resource: &pb::AgeFriendlyAssessment,
        head: Head,
        context: RuleContext<'_>,
        violations: &mut Violations,
    ) -> Self {
        Self {
            institution: declared::reference_id("institution", "institutions", &resource.institution, violations),
            assessed_on: declared::not_after_today(
                "assessed_on",
                declared::required_day("assessed_on", resource.assessed_on.as_ref(), violations),
                context,
                violations,
            ),
            culture_score: resource.culture_score,
            management_score: resource.management_score,
            service_score: resource.service_score,
            environment_score: resource.environment_score,
            mandatory_met: resource.mandatory_met,
            revoked_on: declared::not_after_today(
                "revoked_on",
                declared::optional_day("revoked_on", resource.revoked_on.as_ref(), violations),
                context,
                violations,
            ),
            ..Self::with_head(head)
        }
    }

    fn resource(&self, _: RuleContext<'_>, _: bool) -> Result<pb::AgeFriendlyAssessment, Error> {
        Ok(pb::AgeFriendlyAssessment {
            institution: declared::reference("institutions", &self.institution),
            assessed_on: declared::date(self.assessed_on),
            culture_score: self.culture_score,
            management_score: self.management_score,
            service_score: self.service_score,
            environment_score: self.environment_score,
            mandatory_met: self.mandatory_met,
            revoked_on: self.revoked_on.and_then(declared::date),
            passed: self.passed,
            total_score: self.total_score,
            certificate_from: self.certificate_from.and_then(declared::date),
            certificate_to: self.certificate_to.and_then(declared::date),
            ..pb::AgeFriendlyAssessment::default()
        })
    }

    fn row(&self) -> pb::AgeFriendlyAssessmentRow {
        pb::AgeFriendlyAssessmentRow {
            institution: self.institution.clone(),
            total_score: self.total_score,
            passed: self.passed,
            assessed_on: declared::date(self.assessed_on),
            certificate_from: self.certificate_from.and_then(declared::date),
            certificate_to: self.certificate_to.and_then(declared::date),
            revoked_on: self.revoked_on.and_then(declared::date),
        }
    }

    fn references(&self) -> Vec<declared::Named<'_>> {
        vec![declared::Named {
            field: "institution",
            collection: "institutions",
            same_county: true,
            id: &self.institution,
        }]
    }

    fn natural_id(_: &pb::AgeFriendlyAssessment, _: RuleContext<'_>) -> Option<String> {
        None
    }

    fn take_field(field: &str, from: &pb::AgeFriendlyAssessment, to: &mut pb::AgeFriendlyAssessment) -> bool {
        match field {
            "institution" => to.institution.clone_from(&from.institution),
            "assessed_on" => to.assessed_on = from.assessed_on,
            "culture_score" => to.culture_score = from.culture_score,
            "management_score" => to.management_score = from.management_score,
            "service_score" => to.service_score = from.service_score,
            "environment_score" => to.environment_score = from.environment_score,
            "mandatory_met" => to.mandatory_met = from.mandatory_met,
            "revoked_on" => to.revoked_on = from.revoked_on,
            "passed" => to.passed = from.passed,
            "total_score" => to.total_score = from.total_score,
            "certificate_from" => to.certificate_from = from.certificate_from,
            "certificate_to" => to.certificate_to = from.certificate_to,
            _ => return false,
        }
        true
    }

    fn clear_decided(resource: &mut pb::AgeFriendlyAssessment) {
        resource.passed = false;
        resource.total_score = 0;
        resource.certificate_from = None;
        resource.certificate_to = None;
    }

    fn restore_decided(&mut self, resource: &pb::AgeFriendlyAssessment) {
        self.passed = resource.passed;
        self.total_score = resource.total_score;
        self.certificate_from = declared::stored_day(resource.certificate_from.as_ref());
        self.certificate_to = declared::stored_day(resource.certificate_to.as_ref());
    }
}
