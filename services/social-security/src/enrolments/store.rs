//! What the register of enrolments reads: covers of people.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{
    error::Error,
    load_among,
    register::{ACTIVE, Period, Table as _},
    store::AnyConnection,
};
use minsheng_proto::social_security::v1 as pb;

use crate::schema::{EnrolmentRecord, enrolments};

/// The cover of a person in a scheme by a state of an enrolment.
pub(super) struct CoverRecord {
    /// Id of the enrolment.
    pub(super) enrolment: String,
    /// Keyed blind index of the person.
    pub(super) resident_index: Vec<u8>,
    /// Number of the contract's `Scheme`.
    pub(super) scheme: i64,
    /// The days of cover.
    pub(super) period: Period,
}

type CoverColumns = (String, Vec<u8>, i64, Option<i64>, Option<i64>, i64, i64);

/// Returns the days of cover of a state in force: none unless it was admitted.
pub(super) fn cover_period(record: &EnrolmentRecord) -> Option<Period> {
    let admitted = record.decision == pb::EnrolmentDecision::Admitted as i64;
    let from = record.covered_from.filter(|_| admitted)?;
    record.period().intersection(Period::of_days(from, record.covered_to))
}

/// Reads all covers of some people, in any scheme.
pub(super) fn covers_of_people(connection: &mut AnyConnection, people: &[&[u8]]) -> Result<Vec<CoverRecord>, Error> {
    let admitted = enrolments::table
        .filter(enrolments::decision.eq(pb::EnrolmentDecision::Admitted as i64))
        .filter(enrolments::state.eq(ACTIVE))
        .select((
            enrolments::id,
            enrolments::resident_index,
            enrolments::scheme,
            enrolments::covered_from,
            enrolments::covered_to,
            enrolments::effective_on,
            enrolments::effective_until,
        ));
    let rows: Vec<CoverColumns> = load_among!(connection, admitted, enrolments::resident_index, people)?;
    let cover = |(enrolment, resident_index, scheme, covered_from, to, from, until): CoverColumns| {
        let period = Period { from, until }.intersection(Period::of_days(covered_from?, to))?;
        Some(CoverRecord { enrolment, resident_index, scheme, period })
    };
    Ok(rows.into_iter().filter_map(cover).collect())
}

/// Reads the cover of a person in a scheme that holds on a day: a cover that goes on in the enrolment's next state, with
/// another payer say, lasts as long as that one.
pub(crate) fn cover_of_person(
    connection: &mut AnyConnection,
    resident_index: &[u8],
    scheme: pb::Scheme,
    day: i64,
) -> Result<Option<Period>, Error> {
    let mut covers = covers_of_people(connection, &[resident_index])?;
    covers.retain(|cover| cover.scheme == scheme as i64);
    covers.sort_unstable_by_key(|cover| cover.period.from);
    let Some(first) = covers.iter().position(|cover| cover.period.contains(day)) else { return Ok(None) };
    let enrolment = covers[first].enrolment.clone();
    let whole = covers.split_off(first).into_iter().filter(|cover| cover.enrolment == enrolment);
    let goes_on =
        |one: Period, next: Period| if next.from == one.until { Period { until: next.until, ..one } } else { one };
    Ok(whole.map(|cover| cover.period).reduce(goes_on))
}

#[cfg(test)]
mod tests {
    use minsheng_kit::register::FOREVER;

    use super::*;

    #[test]
    fn a_cover_holds_on_the_days_that_the_state_and_the_cover_share() {
        let state = EnrolmentRecord {
            effective_on: 100,
            effective_until: 200,
            decision: pb::EnrolmentDecision::Admitted as i64,
            covered_from: Some(110),
            ..EnrolmentRecord::default()
        };
        let open = EnrolmentRecord { effective_until: FOREVER, ..state.clone() };
        let pending = pb::EnrolmentDecision::Pending as i64;
        for (state, period) in [
            (state.clone(), Some((110, 200))),
            (EnrolmentRecord { covered_from: Some(50), covered_to: Some(149), ..state.clone() }, Some((100, 150))),
            (EnrolmentRecord { covered_to: Some(300), ..state.clone() }, Some((110, 200))),
            (EnrolmentRecord { covered_from: Some(50), covered_to: Some(99), ..state.clone() }, None),
            (EnrolmentRecord { decision: pending, ..state }, None),
            (open.clone(), Some((110, FOREVER))),
            (EnrolmentRecord { covered_to: Some(110), ..open }, Some((110, 111))),
        ] {
            let expected = period.map(|(from, until)| Period { from, until });
            assert_eq!(cover_period(&state), expected, "{state:?}");
        }
    }
}
