//! Which certificate an institution holds on which day, and what that changes in its entries of the journal. Pure.
//!
//! A reader of `health.institutions` takes, for a day, the entry with the greatest day of validity up to it. An
//! institution may have entries for several days: its own changes, earlier certificates. So a certificate that is
//! recorded, corrected, revoked or withdrawn late must be written into every entry from its first day on, and each
//! of them must keep what else it says of the institution on its day.

use std::collections::BTreeMap;

use minsheng_kit::{journal::Change, register::date};
use minsheng_proto::health::v1 as pb;

/// A certificate as it stands: days since 1970-01-01, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificatePeriod {
    /// Id of the assessment.
    pub assessment: String,
    /// First day.
    pub from: i64,
    /// Last day; before the first when it was revoked on the first.
    pub to: i64,
    /// Day on which it was revoked or its assessment ended.
    pub cut_on: Option<i64>,
}

/// An entry of an institution in the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct InstitutionEntry {
    /// First day for which it is true.
    pub valid_on: i64,
    /// Number of the [`Change`].
    pub change: i64,
    /// What it says.
    pub row: pb::InstitutionRow,
}

/// Gives the certificate that counts on a day: the latest one that had begun. One that was revoked is not replaced by
/// an earlier one, because the revocation takes the institution's standing, not a document.
pub fn certificate_on(certificates: &[CertificatePeriod], day: i64) -> Option<&CertificatePeriod> {
    certificates
        .iter()
        .filter(|certificate| certificate.from <= day)
        .max_by(|a, b| (a.from, &a.assessment).cmp(&(b.from, &b.assessment)))
}

/// Gives the entries that must be written anew, in the order of days, so that the journal says on every day from
/// `since` on which certificate the institution held.
///
/// `entries` are those in the journal, in the order of positions; `certificates` are those that stand, of all the
/// institution's assessments. An institution that was withdrawn gets none: an entry would bring it back.
pub fn entries_rewritten(
    entries: Vec<InstitutionEntry>,
    certificates: &[CertificatePeriod],
    since: i64,
) -> Vec<InstitutionEntry> {
    // What was said before a withdrawal counts no more, should the institution have been recorded again.
    let withdrawn = entries.iter().rposition(|entry| entry.change == Change::Withdrawn as i64);
    let entries = entries.into_iter().skip(withdrawn.map_or(0, |index| index + 1));
    let days: BTreeMap<i64, InstitutionEntry> = entries.map(|entry| (entry.valid_on, entry)).collect();
    let mut wanted = days.clone();
    let boundaries = certificates.iter().flat_map(|certificate| [Some(certificate.from), certificate.cut_on]);
    for boundary in boundaries.flatten().chain([since]).filter(|day| *day >= since) {
        let before = days.range(..=boundary).next_back().map(|(_, entry)| entry);
        // Nothing is said of the institution before its first entry, and nothing more after its end.
        if let Some(before) = before.filter(|entry| entry.change != Change::Ended as i64) {
            wanted.entry(boundary).or_insert_with(|| InstitutionEntry {
                valid_on: boundary,
                change: Change::Changed as i64,
                row: before.row,
            });
        }
    }
    wanted
        .into_values()
        .filter(|entry| entry.valid_on >= since)
        .map(|entry| {
            let certificate = certificate_on(certificates, entry.valid_on);
            let change = if entry.change == Change::Created as i64 { Change::Changed as i64 } else { entry.change };
            InstitutionEntry {
                change,
                row: pb::InstitutionRow {
                    age_friendly_from: certificate.and_then(|certificate| date(certificate.from)),
                    age_friendly_to: certificate.and_then(|certificate| date(certificate.to)),
                    ..entry.row
                },
                ..entry
            }
        })
        .filter(|entry| days.get(&entry.valid_on).is_none_or(|there| there.row != entry.row))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(assessment: &str, from: i64, to: i64) -> CertificatePeriod {
        CertificatePeriod { assessment: assessment.to_owned(), from, to, cut_on: None }
    }

    fn entry(valid_on: i64, change: Change, level: i64) -> InstitutionEntry {
        let row = pb::InstitutionRow { level, ..pb::InstitutionRow::default() };
        InstitutionEntry { valid_on, change: change as i64, row }
    }

    /// What a reader would say for a day: level and last day of the certificate.
    fn seen(entries: &[InstitutionEntry], day: i64) -> Option<(i64, Option<i64>)> {
        let latest = entries.iter().enumerate().filter(|(_, entry)| entry.valid_on <= day);
        let (_, entry) = latest.max_by_key(|(position, entry)| (entry.valid_on, *position))?;
        let to = entry.row.age_friendly_to.as_ref().and_then(minsheng_kit::register::day);
        Some((entry.row.level, to.map(minsheng_kit::values::calendar::epoch_day)))
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
    fn a_certificate_recorded_late_stands_in_every_later_entry_and_changes_nothing_else_in_them() {
        let mut journal = vec![entry(0, Change::Created, 2), entry(300, Change::Changed, 3)];
        let written = entries_rewritten(journal.clone(), &[certificate("a", 100, 1000)], 100);
        assert_eq!(written.iter().map(|entry| entry.valid_on).collect::<Vec<_>>(), [100, 300]);
        journal.extend(written);
        assert_eq!(seen(&journal, 99), Some((2, None)));
        assert_eq!(seen(&journal, 100), Some((2, Some(1000))));
        assert_eq!(seen(&journal, 300), Some((3, Some(1000))));
    }

    #[test]
    fn a_withdrawn_assessment_leaves_what_the_others_say() {
        let (a, b) = (certificate("a", 100, 1000), certificate("b", 500, 1500));
        let mut journal = vec![entry(0, Change::Created, 2)];
        journal.extend(entries_rewritten(journal.clone(), std::slice::from_ref(&a), 100));
        journal.extend(entries_rewritten(journal.clone(), &[a.clone(), b], 500));
        assert_eq!(seen(&journal, 600), Some((2, Some(1500))));
        journal.extend(entries_rewritten(journal.clone(), &[a], 500));
        assert_eq!(seen(&journal, 600), Some((2, Some(1000))));
        journal.extend(entries_rewritten(journal.clone(), &[], 100));
        assert_eq!(seen(&journal, 600), Some((2, None)));
        assert_eq!(seen(&journal, 200), Some((2, None)));
    }

    #[test]
    fn a_revocation_is_written_for_its_day_and_for_the_days_before() {
        let mut journal = vec![entry(0, Change::Created, 2)];
        journal.extend(entries_rewritten(journal.clone(), &[certificate("a", 100, 1000)], 100));
        let revoked = CertificatePeriod { cut_on: Some(400), ..certificate("a", 100, 399) };
        let written = entries_rewritten(journal.clone(), &[revoked], 100);
        assert_eq!(written.iter().map(|entry| entry.valid_on).collect::<Vec<_>>(), [100, 400]);
        journal.extend(written);
        assert_eq!(seen(&journal, 200), Some((2, Some(399))));
        assert_eq!(seen(&journal, 500), Some((2, Some(399))));
    }

    #[test]
    fn a_withdrawn_institution_is_not_brought_back_and_an_ended_one_stays_ended() {
        let gone = vec![entry(0, Change::Created, 2), entry(0, Change::Withdrawn, 2)];
        assert!(entries_rewritten(gone, &[certificate("a", 100, 1000)], 100).is_empty());
        let ended = vec![entry(0, Change::Created, 2), entry(300, Change::Ended, 2)];
        let written = entries_rewritten(ended, &[certificate("a", 100, 1000)], 100);
        let changes: Vec<_> = written.iter().map(|entry| (entry.valid_on, entry.change)).collect();
        assert_eq!(changes, [(100, Change::Changed as i64), (300, Change::Ended as i64)]);
    }

    #[test]
    fn an_institution_recorded_again_after_a_withdrawal_is_there_from_its_new_day_on() {
        let again = vec![entry(0, Change::Created, 2), entry(0, Change::Withdrawn, 2), entry(200, Change::Created, 3)];
        let written = entries_rewritten(again, &[certificate("a", 100, 1000)], 100);
        assert_eq!(written.iter().map(|entry| (entry.valid_on, entry.row.level)).collect::<Vec<_>>(), [(200, 3)]);
    }

    #[test]
    fn nothing_is_written_twice() {
        let mut journal = vec![entry(0, Change::Created, 2)];
        let certificates = [certificate("a", 100, 1000)];
        journal.extend(entries_rewritten(journal.clone(), &certificates, 100));
        assert!(entries_rewritten(journal, &certificates, 100).is_empty());
    }
}
