//! Which certificate an institution holds on which day, and how that divides its states. Pure.

use std::collections::BTreeSet;

use minsheng_kit::register::{
    ACTIVE, Period, Table as _,
    states::{cut, same_content, state_on},
};
use minsheng_proto::common::v1::RecordState;

use crate::schema::{AgeFriendlyAssessmentRecord, InstitutionRecord};

/// A certificate as a state of its assessment says: days since 1970-01-01, first and last one included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificatePeriod {
    /// Id of the assessment.
    pub assessment: String,
    /// First day.
    pub from: i64,
    /// Last day; before the first when it was revoked on the first.
    pub to: i64,
    /// Days on which the assessment says so: from the certificate's first day on at the earliest.
    pub said: Period,
}

impl CertificatePeriod {
    /// Returns what a state of an assessment says, where it says something. Of an assessment that ended the certificate
    /// ended too, and no earlier one takes its place.
    pub(super) fn of(state: &AgeFriendlyAssessmentRecord) -> Option<Self> {
        let (from, to) = (state.certificate_from?, state.certificate_to?);
        let said = state.period().intersection(Period { from, until: i64::MAX })?;
        let ended = state.state == RecordState::Ended as i64;
        let to = if ended { to.min(state.effective_on - 1) } else { to };
        // An assessment that ended before its certificate began was never true.
        (!ended || to >= from).then(|| Self { assessment: state.id.clone(), from, to, said })
    }
}

/// Returns the certificate that counts on a day: the latest one that had begun. One that was revoked is not replaced by
/// an earlier one, because the revocation takes the institution's standing, not a document.
pub fn certificate_on(certificates: &[CertificatePeriod], day: i64) -> Option<&CertificatePeriod> {
    certificates
        .iter()
        .filter(|certificate| certificate.said.contains(day))
        .max_by(|a, b| (a.from, &a.assessment).cmp(&(b.from, &b.assessment)))
}

/// Returns an institution's states with the certificate of each day in them: divided where another one begins to count,
/// and one again where they were divided by one that no longer does.
///
/// Only states in force say which certificate is held; what has ended repeats the state before it.
pub fn aligned(states: &[InstitutionRecord], certificates: &[CertificatePeriod]) -> Vec<InstitutionRecord> {
    let in_force = |state: &InstitutionRecord| state.state == ACTIVE;
    let mut aligned = states.to_vec();
    let days: BTreeSet<i64> = certificates.iter().flat_map(|one| [one.said.from, one.said.until]).collect();
    for day in days {
        if state_on(&aligned, day).is_some_and(in_force) {
            cut(&mut aligned, day);
        }
    }
    for state in aligned.iter_mut().filter(|state| in_force(state)) {
        let certificate = certificate_on(certificates, state.effective_on);
        state.age_friendly_from = certificate.map(|certificate| certificate.from);
        state.age_friendly_to = certificate.map(|certificate| certificate.to);
    }
    // What the institution itself changed on a day stays a change.
    let changed = |day: i64| {
        let [before, after] = [day - 1, day].map(|day| state_on(states, day));
        let held = |state: &InstitutionRecord| (state.age_friendly_from, state.age_friendly_to);
        before.map(|state| state.effective_on) != after.map(|state| state.effective_on)
            && before.map(held) == after.map(held)
    };
    aligned.dedup_by(|next, state| {
        let one = in_force(next) && in_force(state) && same_content(next, state) && !changed(next.effective_on);
        if one {
            state.effective_until = next.effective_until;
        }
        one
    });
    aligned
}

#[cfg(test)]
#[path = "timeline/tests.rs"]
mod tests;
