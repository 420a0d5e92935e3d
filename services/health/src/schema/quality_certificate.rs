// Written by `just gen` from `proto/minsheng/health/v1/quality_certificate_service.proto`: change the contract instead.

//! 质评合格证: the table `quality_certificates` and its record.

use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::health::v1 as pb;

minsheng_kit::register_table! {
    /// What an institution showed for one item in one round of external quality assessment.
    quality_certificates => QualityCertificateRecord {
        /// The institution, `institutions/{id}`.
        institution: Text = String,
        /// Code of the item.
        item_code: Text = String,
        /// Where it vouches.
        scope: BigInt = i64,
        /// The quality-control organisation.
        quality_body: Text = String,
        /// Round of the external quality assessment.
        round: Text = String,
        /// True when the round was passed.
        passed: Bool = bool,
        /// First day.
        valid_from: BigInt = i64,
        /// Last day.
        valid_to: BigInt = i64,
        /// First day of a later round that the institution failed for the item: from it on the certificate vouches for
        /// nothing. Absent when there is none. Computed; output only.
        failed_on: Nullable<BigInt> = Option<i64>,
    }
}

impl Declared for QualityCertificateRecord {
    type Resource = pb::QualityCertificate;
    type Row = pb::QualityCertificateRow;

    const FIELDS: &'static [&'static str] = &[
        "institution",
        "item_code",
        "scope",
        "quality_body",
        "round",
        "passed",
        "valid_from",
        "valid_to",
        "failed_on",
    ];

    fn read(resource: &pb::QualityCertificate, head: Head, _: RuleContext<'_>, violations: &mut Violations) -> Self {
        Self {
            institution: declared::reference_id("institution", "institutions", &resource.institution, violations),
            item_code: resource.item_code.clone(),
            scope: declared::enum_field::<pb::RecognitionScope>("scope", resource.scope, violations) as i64,
            quality_body: resource.quality_body.clone(),
            round: resource.round.clone(),
            passed: resource.passed,
            valid_from: declared::required_day("valid_from", resource.valid_from.as_ref(), violations),
            valid_to: declared::required_day("valid_to", resource.valid_to.as_ref(), violations),
            ..Self::with_head(head)
        }
    }

    fn resource(&self, _: RuleContext<'_>, _: bool) -> Result<pb::QualityCertificate, Error> {
        Ok(pb::QualityCertificate {
            institution: declared::reference("institutions", &self.institution),
            item_code: self.item_code.clone(),
            scope: declared::enum_number(self.scope),
            quality_body: self.quality_body.clone(),
            round: self.round.clone(),
            passed: self.passed,
            valid_from: declared::date(self.valid_from),
            valid_to: declared::date(self.valid_to),
            failed_on: self.failed_on.and_then(declared::date),
            ..pb::QualityCertificate::default()
        })
    }

    fn row(&self) -> pb::QualityCertificateRow {
        pb::QualityCertificateRow {
            institution: self.institution.clone(),
            item_code: self.item_code.clone(),
            scope: declared::enum_number(self.scope),
            passed: self.passed,
            valid_from: declared::date(self.valid_from),
            ..pb::QualityCertificateRow::default()
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

    fn natural_id(resource: &pb::QualityCertificate, _: RuleContext<'_>) -> Option<String> {
        Some(declared::natural_key(&[
            declared::id_within("institutions", &resource.institution),
            &resource.round,
            &resource.item_code,
        ]))
    }

    fn take_field(field: &str, from: &pb::QualityCertificate, to: &mut pb::QualityCertificate) -> bool {
        match field {
            "institution" => to.institution.clone_from(&from.institution),
            "item_code" => to.item_code.clone_from(&from.item_code),
            "scope" => to.scope = from.scope,
            "quality_body" => to.quality_body.clone_from(&from.quality_body),
            "round" => to.round.clone_from(&from.round),
            "passed" => to.passed = from.passed,
            "valid_from" => to.valid_from = from.valid_from,
            "valid_to" => to.valid_to = from.valid_to,
            "failed_on" => to.failed_on = from.failed_on,
            _ => return false,
        }
        true
    }

    fn clear_decided(resource: &mut pb::QualityCertificate) {
        resource.failed_on = None;
    }

    fn restore_decided(&mut self, resource: &pb::QualityCertificate) {
        self.failed_on = declared::stored_day(resource.failed_on.as_ref());
    }
}
