//! Brings the states of institutions into line with their certificates, in the unit that records the assessments.

use std::collections::{BTreeSet, HashMap};

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{
    error::Error,
    load_among,
    register::{RuleContext, WITHDRAWN, rewrite},
    store::{AnyConnection, Tx},
};

use super::timeline::{CertificatePeriod, aligned};
use crate::{
    institutions::{Institutions, institutions_locked},
    schema::{AgeFriendlyAssessmentRecord, age_friendly_assessments},
};

/// Brings institutions up to date with their assessments. Those in `named` must still be there once they are locked: one
/// that was withdrawn meanwhile refuses the unit.
pub(super) fn align_institutions(
    tx: &mut Tx<'_>,
    institutions: &BTreeSet<&str>,
    named: &BTreeSet<&str>,
    context: RuleContext<'_>,
) -> Result<(), Error> {
    let ids: Vec<String> = institutions.iter().map(|id| (*id).to_owned()).collect();
    let states = institutions_locked(tx.connection, &ids)?;
    let there = states.iter().filter(|state| state.number == 0 && state.state != WITHDRAWN);
    if there.filter(|state| named.contains(state.id.as_str())).count() < named.len() {
        return Err(Error::Raced);
    }
    let certificates = certificates_of(tx.connection, &ids)?;
    for was in states.chunk_by(|one, next| one.id == next.id) {
        let now = aligned(was, certificates.get(&was[0].id).map_or(&[], Vec::as_slice));
        if now != was {
            rewrite(tx, &Institutions, was, now, context)?;
        }
    }
    Ok(())
}

/// Lists the certificates that the assessments of institutions say, by institution.
pub fn certificates_of(
    connection: &mut AnyConnection,
    institutions: &[String],
) -> Result<HashMap<String, Vec<CertificatePeriod>>, Error> {
    let mut found: HashMap<String, Vec<CertificatePeriod>> = HashMap::new();
    let passed = age_friendly_assessments::table
        .filter(age_friendly_assessments::passed.eq(true))
        .filter(age_friendly_assessments::state.ne(WITHDRAWN));
    let states: Vec<AgeFriendlyAssessmentRecord> =
        load_among!(connection, passed, age_friendly_assessments::institution, institutions)?;
    for state in states {
        if let Some(period) = CertificatePeriod::of(&state) {
            found.entry(state.institution).or_default().push(period);
        }
    }
    Ok(found)
}
