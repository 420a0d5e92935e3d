//! What the register of enrolments reads: covers of people.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{error::Error, load_among, store::AnyConnection};
use minsheng_proto::{common::v1 as common, social_security::v1 as pb};

use crate::{
    schema::{EnrolmentRecord, enrolments},
    spans::Span,
};

/// A cover of a person in a scheme.
pub(super) struct CoverRecord {
    /// Id of the enrolment.
    pub(super) enrolment: String,
    /// Keyed blind index of the person.
    pub(super) resident_index: Vec<u8>,
    /// Number of the contract's `Scheme`.
    pub(super) scheme: i64,
    /// The days of cover.
    pub(super) span: Span,
}

type CoverColumns = (String, Vec<u8>, i64, Option<i64>, Option<i64>, Option<i64>);

/// Gives the days of cover of an enrolment: none unless it was admitted, and none when it was withdrawn.
pub(super) fn cover_span(record: &EnrolmentRecord) -> Option<Span> {
    let counts = record.decision == pb::EnrolmentDecision::Admitted as i64
        && record.state != common::RecordState::Withdrawn as i64;
    let from = record.covered_from.filter(|_| counts)?;
    Span::new(from, record.covered_to)?.before(record.ended_on)
}

/// Reads all covers of some people, in any scheme.
pub(super) fn covers_of_people(connection: &mut AnyConnection, people: &[&[u8]]) -> Result<Vec<CoverRecord>, Error> {
    let admitted = enrolments::table
        .filter(enrolments::decision.eq(pb::EnrolmentDecision::Admitted as i64))
        .filter(enrolments::state.ne(common::RecordState::Withdrawn as i64))
        .select((
            enrolments::id,
            enrolments::resident_index,
            enrolments::scheme,
            enrolments::covered_from,
            enrolments::covered_to,
            enrolments::ended_on,
        ));
    let rows: Vec<CoverColumns> = load_among!(connection, admitted, enrolments::resident_index, people)?;
    let cover = |(enrolment, resident_index, scheme, from, to, ended_on): CoverColumns| {
        let span = Span::new(from?, to)?.before(ended_on)?;
        Some(CoverRecord { enrolment, resident_index, scheme, span })
    };
    Ok(rows.into_iter().filter_map(cover).collect())
}

/// Reads the covers of a person in a scheme.
pub(crate) fn covers_of_person(
    connection: &mut AnyConnection,
    resident_index: &[u8],
    scheme: pb::Scheme,
) -> Result<Vec<Span>, Error> {
    let covers = covers_of_people(connection, &[resident_index])?;
    Ok(covers.into_iter().filter(|cover| cover.scheme == scheme as i64).map(|cover| cover.span).collect())
}
