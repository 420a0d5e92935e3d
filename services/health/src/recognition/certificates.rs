//! The contract's `QualityCertificateService` over the register of certificates (室间质评).

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared as _, Facts, Head, Register, date, day, declared::reference_id, natural_key},
    store::{AnyConnection, Tx},
};
use minsheng_proto::health::v1 as pb;

use super::{rounds, store::check_listed};
use crate::{institutions::InstitutionReferences, schema::QualityCertificateRecord};

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

    fn decode(
        &self,
        certificate: &pb::QualityCertificate,
        head: Head,
        previous: Option<&QualityCertificateRecord>,
        facts: Facts<'_>,
    ) -> Result<QualityCertificateRecord, Violations> {
        let mut violations = Violations::new();
        let record = QualityCertificateRecord::read(certificate, head, facts, &mut violations);
        violations.require(
            previous.is_none_or(|was| was.institution == record.institution && was.item_code == record.item_code),
            "item_code",
            "INSTITUTION_AND_ITEM_FIXED",
            "cannot become of another institution or item; withdraw the certificate and record another one",
            "机构和项目不可更改，请撤回后重新登记",
        );
        violations.require(
            !violations.is_empty() || record.valid_to >= record.valid_from,
            "valid_to",
            "BEFORE_START",
            "lies before the first day",
            "有效期止早于有效期起",
        );
        violations.into_result(record)
    }

    fn row(&self, record: &QualityCertificateRecord, _: Facts<'_>) -> pb::QualityCertificateRow {
        pb::QualityCertificateRow { valid_to: date(valid_to(record.valid_to, record.failed_on)), ..record.row() }
    }

    fn effective_on(&self, certificate: &pb::QualityCertificate, today: NaiveDate) -> NaiveDate {
        certificate.valid_from.as_ref().and_then(day).unwrap_or(today)
    }

    fn natural_id(&self, certificate: &pb::QualityCertificate, _: Facts<'_>) -> Option<String> {
        let institution = reference_id("institution", "institutions", &certificate.institution, &mut Violations::new());
        Some(natural_key(&[&institution, &certificate.round, &certificate.item_code]))
    }

    fn check(
        &self,
        connection: &mut AnyConnection,
        records: &[QualityCertificateRecord],
        _: Facts<'_>,
    ) -> Result<Vec<Violations>, Error> {
        let ids = records.iter().map(|record| record.institution.as_str());
        let institutions = InstitutionReferences::find(connection, ids)?;
        let mut verdicts = check_listed(connection, records.iter().map(|record| record.item_code.as_str()))?;
        for (record, violations) in records.iter().zip(&mut verdicts) {
            institutions.require_in("institution", &record.institution, &record.area, violations);
        }
        Ok(verdicts)
    }

    /// Marks what a later round took away.
    fn complete(
        &self,
        connection: &mut AnyConnection,
        records: &mut [QualityCertificateRecord],
        _: Facts<'_>,
    ) -> Result<(), Error> {
        rounds::mark_new(connection, records)
    }

    /// Marks the earlier rounds of the same institutions and items.
    fn written(&self, tx: &mut Tx<'_>, records: &[QualityCertificateRecord], facts: Facts<'_>) -> Result<(), Error> {
        rounds::mark_others(tx, records, facts)
    }
}

minsheng_kit::register_api! {
    package: minsheng_proto::health::v1,
    register: QualityCertificates,
    resource: QualityCertificate as quality_certificate,
    plural: QualityCertificates as quality_certificates,
}
