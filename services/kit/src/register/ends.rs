//! A record that ended may still change, and may end on another day: what its journal must then say so that a reader of
//! the feed sees it in force on the same days as the register does.
//!
//! A reader takes, for a day, the entry with the greatest day of validity up to it. An end told earlier stays in the
//! journal on its own day; so what the register says now is told again for each of these days.

use std::collections::BTreeSet;

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_proto::common::v1 as pb;
use prost::Message as _;

use super::{Head, Register, engine::revisions_place};
use crate::{
    error::{Error, Violations},
    journal::Change,
    keys::Keys,
    store::{Tx, schema::revisions},
    values::calendar::epoch_day,
};

/// What every resource has in its third field.
#[derive(Clone, PartialEq, prost::Message)]
struct OnlyMeta {
    #[prost(message, optional, tag = "3")]
    meta: Option<pb::RecordMeta>,
}

/// Refuses a change that would be true only from a day on which the record is no more.
pub(super) fn before_end(head: &Head) -> Result<(), Error> {
    let mut violations = Violations::new();
    violations.require(
        head.ended_on.is_none_or(|ended| head.effective_on < ended),
        "effective_on",
        "RECORD_ENDED",
        "is not before the day on which the record ended; end it on a later day first",
        "不早于记录的终止日期，请先推迟终止日期",
    );
    violations.into_result(()).map_err(Error::State)
}

/// Gives the days on which the record ended by what its present and its earlier contents say.
pub(super) fn told_earlier<R: Register>(tx: &mut Tx<'_>, was: &Head, keys: &Keys) -> Result<BTreeSet<i64>, Error> {
    let sealed: Vec<Vec<u8>> = revisions::table
        .filter(revisions::register.eq(R::COLLECTION))
        .filter(revisions::record.eq(&was.id))
        .select(revisions::resource)
        .load(tx.connection)?;
    let mut days: BTreeSet<i64> = was.ended_on.into_iter().collect();
    for sealed in sealed {
        let plain = keys.open(&revisions_place::<R>(), &sealed)?;
        let earlier = OnlyMeta::decode(plain.as_slice()).map_err(Error::internal)?;
        let ended_on = earlier.meta.and_then(|meta| meta.ended_on);
        days.extend(ended_on.as_ref().and_then(super::day).map(epoch_day));
    }
    Ok(days)
}

/// Gives the entries that tell a change of a record, as changes and days of validity; `earlier` are the days on which
/// it was told to end before.
pub(super) fn entries(change: Change, valid_on: i64, head: &Head, earlier: &BTreeSet<i64>) -> Vec<(Change, i64)> {
    let Some(ended_on) = head.ended_on.filter(|_| !earlier.is_empty()) else { return vec![(change, valid_on)] };
    // From its end on the record is ended, whatever else is said of it.
    let on_day = |day: i64| if day < ended_on { Change::Changed } else { Change::Ended };
    let main = if change == Change::Changed { on_day(valid_on) } else { change };
    let again = earlier.iter().filter(|day| **day >= head.effective_on && **day != ended_on && **day != valid_on);
    let mut entries = vec![(main, valid_on)];
    entries.extend(again.map(|day| (on_day(*day), *day)));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(effective_on: i64, ended_on: Option<i64>) -> Head {
        Head {
            id: "x".to_owned(),
            area: "540102".to_owned(),
            version: 3,
            effective_on,
            state: 2,
            ended_on,
            created_at: 0,
            updated_at: 0,
        }
    }

    #[test]
    fn a_change_of_what_stands_and_a_first_end_are_told_once() {
        let none = BTreeSet::new();
        assert_eq!(entries(Change::Changed, 10, &head(10, None), &none), [(Change::Changed, 10)]);
        assert_eq!(entries(Change::Ended, 20, &head(10, Some(20)), &none), [(Change::Ended, 20)]);
    }

    #[test]
    fn an_end_that_moves_tells_the_days_of_the_earlier_ends_again() {
        let earlier = BTreeSet::from([10, 25]);
        assert_eq!(
            entries(Change::Ended, 30, &head(10, Some(30)), &earlier),
            [(Change::Ended, 30), (Change::Changed, 10), (Change::Changed, 25)]
        );
        assert_eq!(
            entries(Change::Ended, 15, &head(10, Some(15)), &earlier),
            [(Change::Ended, 15), (Change::Changed, 10), (Change::Ended, 25)]
        );
    }

    #[test]
    fn a_record_that_ended_on_its_first_day_stays_ended_when_it_is_corrected() {
        assert_eq!(entries(Change::Changed, 10, &head(10, Some(10)), &BTreeSet::from([10])), [(Change::Ended, 10)]);
    }
}
