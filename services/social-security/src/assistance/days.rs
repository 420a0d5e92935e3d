//! On which days the present content of a household holds. Pure.
//!
//! A content is true from the day from which it was told, `effective_on`. A correction may name an earlier first day of
//! the category: then the content claims the days from there on, and the days so named stay with the record, because the
//! dataset has told of each of them and is told again of each when the content changes once more.

use minsheng_proto::{common::v1 as common, social_security::v1 as pb};

use crate::{schema::AssistanceHouseholdRecord, spans::Span};

/// Bytes of a day.
const DAY_BYTES: usize = size_of::<i64>();

/// Gives the days before `effective_on` that corrections of the present content named as its first.
pub(super) fn claimed_days(record: &AssistanceHouseholdRecord) -> impl Iterator<Item = i64> {
    record.claimed_days.chunks_exact(DAY_BYTES).map(|day| i64::from_le_bytes(day.try_into().unwrap_or_default()))
}

/// Gives the first day of which the present content speaks.
pub(super) fn first_day(record: &AssistanceHouseholdRecord) -> i64 {
    claimed_days(record).fold(record.effective_on, i64::min)
}

/// Gives the days that a correction of a content leaves claimed, as they are stored.
///
/// A category that began under a former content, and was only carried on by this one, is not moved by correcting this
/// one: the former content speaks of those days.
pub(super) fn claimed_after(corrected: &AssistanceHouseholdRecord, valid_from: Option<i64>) -> Vec<u8> {
    let first = first_day(corrected);
    let carried_on = corrected.valid_from.is_some_and(|was| was < first);
    let mut claimed = corrected.claimed_days.clone();
    if let Some(from) = valid_from.filter(|from| *from < first && !carried_on) {
        claimed.extend_from_slice(&from.to_le_bytes());
    }
    claimed
}

/// Gives the days on which the household's present content puts its members in a category. None for the category NONE,
/// and none when the record was withdrawn.
pub(super) fn category_span(record: &AssistanceHouseholdRecord) -> Option<Span> {
    let counts =
        record.category != pb::AssistanceCategory::None as i64 && record.state != common::RecordState::Withdrawn as i64;
    let from = record.valid_from.filter(|_| counts)?.max(first_day(record));
    Span::new(from, record.valid_to)?.before(record.ended_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// True from a day on, with a category from another.
    fn content(effective_on: i64, valid_from: Option<i64>) -> AssistanceHouseholdRecord {
        AssistanceHouseholdRecord {
            effective_on,
            category: pb::AssistanceCategory::Dibao as i64,
            valid_from,
            ..AssistanceHouseholdRecord::default()
        }
    }

    fn corrected(was: &AssistanceHouseholdRecord, valid_from: i64) -> AssistanceHouseholdRecord {
        let claimed_days = claimed_after(was, Some(valid_from));
        AssistanceHouseholdRecord { valid_from: Some(valid_from), claimed_days, ..was.clone() }
    }

    #[test]
    fn a_first_day_corrected_to_an_earlier_one_is_claimed_and_to_a_later_one_is_not() {
        let told = content(100, Some(100));
        for (valid_from, first) in [(90, 90), (100, 100), (110, 110)] {
            let span = category_span(&corrected(&told, valid_from));
            assert_eq!(span, Span::new(first, None), "{valid_from}");
        }
        // Corrected again and again, each day that was named stays known.
        let again = corrected(&corrected(&corrected(&told, 90), 70), 80);
        assert_eq!(category_span(&again), Span::new(80, None));
        assert_eq!(claimed_days(&again).collect::<Vec<_>>(), [90, 70]);
    }

    #[test]
    fn a_household_in_no_category_that_is_corrected_to_one_claims_the_days_of_it() {
        let none = content(100, None);
        assert_eq!(category_span(&none), None);
        assert_eq!(category_span(&corrected(&none, 60)), Span::new(60, None));
    }

    #[test]
    fn a_category_that_a_former_content_began_is_not_moved_by_correcting_the_present_one() {
        let carried_on = content(100, Some(50));
        assert_eq!(category_span(&corrected(&carried_on, 40)), Span::new(100, None));
    }
}
