//! Certificates over an institution's states, case by case.

use minsheng_kit::register::{FOREVER, Head, WITHDRAWN};

use super::*;

/// An assessment that passed on a day, with the last day of its certificate, in force from its day until another.
fn assessment(id: &str, from: i64, to: i64, until: i64) -> AgeFriendlyAssessmentRecord {
    AgeFriendlyAssessmentRecord {
        certificate_from: Some(from),
        certificate_to: Some(to),
        passed: true,
        ..AgeFriendlyAssessmentRecord::with_head(head(id, from, until, RecordState::Active))
    }
}

fn head(id: &str, from: i64, until: i64, state: RecordState) -> Head {
    Head { id: id.to_owned(), effective_on: from, effective_until: until, state: state as i64, ..Head::default() }
}

fn certificate(id: &str, from: i64, to: i64) -> CertificatePeriod {
    CertificatePeriod::of(&assessment(id, from, to, FOREVER)).expect("a certificate")
}

fn institution(from: i64, until: i64, level: i64) -> InstitutionRecord {
    InstitutionRecord { level, ..InstitutionRecord::with_head(head("h", from, until, RecordState::Active)) }
}

/// First day, grade and last day of the certificate of each state.
fn told(states: &[InstitutionRecord]) -> Vec<(i64, i64, Option<i64>)> {
    states.iter().map(|state| (state.effective_on, state.level, state.age_friendly_to)).collect()
}

#[test]
fn the_latest_certificate_counts_and_a_revoked_one_is_not_replaced_by_an_earlier_one() {
    let certificates = [certificate("a", 100, 1000), certificate("b", 500, 599)];
    let on = |day| certificate_on(&certificates, day).map(|certificate| certificate.assessment.as_str());
    assert_eq!(on(99), None);
    assert_eq!(on(499), Some("a"));
    assert_eq!(on(700), Some("b"));
}

#[test]
fn a_certificate_recorded_late_stands_in_every_later_state_and_changes_nothing_else_in_them() {
    let states = [institution(0, 300, 2), institution(300, FOREVER, 3)];
    let found = aligned(&states, &[certificate("a", 100, 1000)]);
    assert_eq!(told(&found), [(0, 2, None), (100, 2, Some(1000)), (300, 3, Some(1000))]);
    let untils: Vec<_> = found.iter().map(|state| state.effective_until).collect();
    assert_eq!(untils, [100, 300, FOREVER]);
}

#[test]
fn a_withdrawn_assessment_leaves_what_the_others_say() {
    let (a, b) = (certificate("a", 100, 1000), certificate("b", 500, 1500));
    let opened = [institution(0, FOREVER, 2)];
    let both = aligned(&opened, &[a.clone(), b]);
    assert_eq!(told(&both), [(0, 2, None), (100, 2, Some(1000)), (500, 2, Some(1500))]);
    let first = aligned(&both, &[a]);
    assert_eq!(told(&first), [(0, 2, None), (100, 2, Some(1000))]);
    assert_eq!(aligned(&first, &[]), opened);
}

#[test]
fn a_change_of_the_institution_that_says_the_same_stays_a_change() {
    let changed = [institution(0, 300, 2), institution(300, FOREVER, 2)];
    assert_eq!(aligned(&changed, &[]), changed);
    let found = aligned(&changed, &[certificate("a", 100, 1000)]);
    assert_eq!(told(&found), [(0, 2, None), (100, 2, Some(1000)), (300, 2, Some(1000))]);
}

#[test]
fn an_assessment_that_ended_ends_its_certificate_from_that_day_on_and_no_earlier_one_takes_its_place() {
    let ended = |until, from| {
        let state = assessment("b", 500, 1500, until);
        let mut end = state.clone();
        end.set_head(head("b", until, FOREVER, RecordState::Ended));
        let states = if from < until { vec![state, end] } else { vec![end] };
        states.iter().filter_map(CertificatePeriod::of).chain([certificate("a", 100, 1000)]).collect::<Vec<_>>()
    };
    let opened = [institution(0, FOREVER, 2)];
    let found = aligned(&opened, &ended(600, 500));
    assert_eq!(told(&found), [(0, 2, None), (100, 2, Some(1000)), (500, 2, Some(1500)), (600, 2, Some(599))]);
    // One that ended on its first day was never true.
    let found = aligned(&opened, &ended(500, 500));
    assert_eq!(told(&found), [(0, 2, None), (100, 2, Some(1000))]);
}

#[test]
fn an_assessment_changed_from_a_day_on_says_another_certificate_from_that_day_on() {
    let before = assessment("a", 100, 1000, 400);
    let after = AgeFriendlyAssessmentRecord {
        effective_on: 400,
        effective_until: FOREVER,
        certificate_to: Some(399),
        ..before.clone()
    };
    let certificates: Vec<_> = [before, after].iter().filter_map(CertificatePeriod::of).collect();
    let found = aligned(&[institution(0, FOREVER, 2)], &certificates);
    assert_eq!(told(&found), [(0, 2, None), (100, 2, Some(1000)), (400, 2, Some(399))]);
}

#[test]
fn a_withdrawn_institution_is_left_alone_and_one_that_ended_is_divided_before_its_end_only() {
    let mut withdrawn = institution(0, FOREVER, 2);
    withdrawn.state = WITHDRAWN;
    let certificates = [certificate("a", 100, 1000), certificate("b", 400, 1500)];
    assert_eq!(aligned(std::slice::from_ref(&withdrawn), &certificates), [withdrawn]);
    let mut end = institution(300, FOREVER, 2);
    end.state = RecordState::Ended as i64;
    let found = aligned(&[institution(0, 300, 2), end], &certificates);
    assert_eq!(told(&found), [(0, 2, None), (100, 2, Some(1000)), (300, 2, None)], "the kit repeats what ended");
}

#[test]
fn what_is_in_line_stays_as_it_is() {
    let certificates = [certificate("a", 100, 1000), certificate("b", 500, 1500)];
    let once = aligned(&[institution(0, 300, 2), institution(300, FOREVER, 3)], &certificates);
    assert_eq!(aligned(&once, &certificates), once);
}
