//! The contract's `QualityCertificateService` over the register of certificates (室间质评).

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared as _, Head, Register, RuleContext, date, day},
    store::{AnyConnection, Tx},
};
use minsheng_proto::health::v1 as pb;

use super::{rounds, rules::check_certificate, store::check_listed};
use crate::schema::QualityCertificateRecord;

/// The register of quality certificates, by institution, item and round.
#[derive(Clone, Copy, Debug)]
pub struct QualityCertificates;

/// Returns the last day of a certificate: a later failed round takes the mark away.
pub(super) fn valid_to(valid_to: i64, failed_on: Option<i64>) -> i64 {
    failed_on.map_or(valid_to, |failed| valid_to.min(failed - 1))
}

impl Register for QualityCertificates {
    type Record = QualityCertificateRecord;
    type Row = pb::QualityCertificateRow;

    fn validate(
        &self,
        certificate: &pb::QualityCertificate,
        head: Head,
        previous: Option<&QualityCertificateRecord>,
        context: RuleContext<'_>,
    ) -> Result<QualityCertificateRecord, Violations> {
        let mut violations = Violations::new();
        let record = QualityCertificateRecord::read(certificate, head, context, &mut violations);
        check_certificate(&record, previous, &mut violations);
        violations.into_result(record)
    }

    fn row(&self, record: &QualityCertificateRecord, _: RuleContext<'_>) -> pb::QualityCertificateRow {
        pb::QualityCertificateRow { valid_to: date(valid_to(record.valid_to, record.failed_on)), ..record.row() }
    }

    fn effective_on(&self, certificate: &pb::QualityCertificate, today: NaiveDate) -> NaiveDate {
        certificate.valid_from.as_ref().and_then(day).unwrap_or(today)
    }

    fn validate_against_store(
        &self,
        connection: &mut AnyConnection,
        records: &[QualityCertificateRecord],
        _: RuleContext<'_>,
    ) -> Result<Vec<Violations>, Error> {
        check_listed(connection, records.iter().map(|record| record.item_code.as_str()))
    }

    /// Marks what a later round took away.
    fn complete(
        &self,
        connection: &mut AnyConnection,
        records: &mut [QualityCertificateRecord],
        _: RuleContext<'_>,
    ) -> Result<(), Error> {
        rounds::mark_new(connection, records)
    }

    /// Marks the earlier rounds of the same institutions and items.
    fn after_write(
        &self,
        tx: &mut Tx<'_>,
        records: &[QualityCertificateRecord],
        context: RuleContext<'_>,
    ) -> Result<(), Error> {
        rounds::mark_others(tx, records, context)
    }
}

minsheng_kit::register_api! {
    package: minsheng_proto::health::v1,
    register: QualityCertificates,
    resource: QualityCertificate as quality_certificate,
    plural: QualityCertificates as quality_certificates,
}
