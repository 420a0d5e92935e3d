use proptest::prelude::*;

use super::*;

const CREATED: i64 = 1;
const CHANGED: i64 = 2;

/// What an entry says: change, first day, payload.
type Said = (i64, i64, u8);

/// Makes the entries of a record out of its writes, each with its instant; other records' entries lie between them.
fn entries(writes: &[(i64, Vec<Said>)]) -> Vec<Before> {
    let all = writes.iter().flat_map(|(instant, said)| said.iter().map(|said| (*instant, *said)));
    all.zip((7..).step_by(3))
        .map(|((recorded_at, (change, valid_on, payload)), position)| Before {
            position,
            record: "record".to_owned(),
            change,
            valid_on,
            recorded_at,
            area: format!("54010{}", payload % 2),
            payload: vec![payload],
        })
        .collect()
}

/// What is true on a day as known at an instant by the earlier journal's rule: payload, and whether the record has ended.
fn overridden(entries: &[Before], instant: i64, day: i64) -> Option<(u8, bool)> {
    let known: Vec<&Before> = entries.iter().filter(|entry| entry.recorded_at <= instant).collect();
    let withdrawn = known.iter().filter(|entry| entry.change == CHANGE_WITHDRAWN).map(|entry| entry.position).max();
    known
        .iter()
        .filter(|entry| Some(entry.position) > withdrawn && entry.valid_on <= day)
        .max_by_key(|entry| (entry.valid_on, entry.position))
        .map(|entry| (entry.payload[0], entry.change == CHANGE_ENDED))
}

/// The sums of the signs of what is told for a day until an instant, by payload and whether the record has ended; without
/// those that are nothing.
fn summed(carried: &[Carried], instant: i64, day: i64) -> Vec<((u8, bool), i64)> {
    let mut sums: BTreeMap<(u8, bool), i64> = BTreeMap::new();
    let known = carried.iter().filter(|entry| entry.recorded_at <= instant);
    for entry in known.filter(|entry| entry.valid_from <= day && day < entry.valid_until) {
        *sums.entry((entry.payload[0], entry.ended)).or_default() += entry.diff;
    }
    sums.into_iter().filter(|(_, sum)| *sum != 0).collect()
}

/// What is told, without what every entry of these tests says alike: assertion, sign, days, whether ended, payload.
fn told(carried: &[Carried]) -> Vec<(i64, i64, i64, i64, bool, u8)> {
    let told = |entry: &Carried| {
        let Carried { assertion, diff, valid_from, valid_until, ended, ref payload, .. } = *entry;
        (assertion, diff, valid_from, valid_until, ended, payload[0])
    };
    carried.iter().map(told).collect()
}

#[test]
fn entries_that_overrode_others_become_assertions_and_retractions() {
    for (what, writes, expected) in [
        ("created", vec![vec![(CREATED, 10, 1)]], vec![(0, 1, 10, FOREVER, false, 1)]),
        (
            "changed from a day on",
            vec![vec![(CREATED, 10, 1)], vec![(CHANGED, 20, 2)]],
            vec![
                (0, 1, 10, FOREVER, false, 1),
                (0, -1, 10, FOREVER, false, 1),
                (1, 1, 10, 20, false, 1),
                (2, 1, 20, FOREVER, false, 2),
            ],
        ),
        (
            "corrected",
            vec![vec![(CREATED, 10, 1)], vec![(CHANGED, 10, 2)]],
            vec![(0, 1, 10, FOREVER, false, 1), (0, -1, 10, FOREVER, false, 1), (1, 1, 10, FOREVER, false, 2)],
        ),
        (
            "corrected to what it said",
            vec![vec![(CREATED, 10, 1)], vec![(CHANGED, 10, 1)]],
            vec![(0, 1, 10, FOREVER, false, 1)],
        ),
        (
            "ended",
            vec![vec![(CREATED, 10, 1)], vec![(CHANGE_ENDED, 20, 1)]],
            vec![
                (0, 1, 10, FOREVER, false, 1),
                (0, -1, 10, FOREVER, false, 1),
                (1, 1, 10, 20, false, 1),
                (2, 1, 20, FOREVER, true, 1),
            ],
        ),
        (
            "ended on its first day",
            vec![vec![(CREATED, 10, 1)], vec![(CHANGE_ENDED, 10, 1)]],
            vec![(0, 1, 10, FOREVER, false, 1), (0, -1, 10, FOREVER, false, 1), (1, 1, 10, FOREVER, true, 1)],
        ),
        (
            "ended earlier, told again for the day of the former end",
            vec![vec![(CREATED, 10, 1), (CHANGE_ENDED, 20, 1)], vec![(CHANGE_ENDED, 15, 1), (CHANGE_ENDED, 20, 1)]],
            vec![
                (0, 1, 10, 20, false, 1),
                (1, 1, 20, FOREVER, true, 1),
                (0, -1, 10, 20, false, 1),
                (1, -1, 20, FOREVER, true, 1),
                (2, 1, 10, 15, false, 1),
                (3, 1, 15, FOREVER, true, 1),
            ],
        ),
        (
            "withdrawn, and recorded again",
            vec![vec![(CREATED, 10, 1)], vec![(CHANGE_WITHDRAWN, 10, 1)], vec![(CREATED, 12, 1)]],
            vec![(0, 1, 10, FOREVER, false, 1), (0, -1, 10, FOREVER, false, 1), (1, 1, 12, FOREVER, false, 1)],
        ),
        (
            "told of earlier days too, by a correction",
            vec![vec![(CREATED, 10, 1), (CHANGED, 20, 2)], vec![(CHANGED, 20, 3), (CHANGED, 15, 3)]],
            vec![
                (0, 1, 10, 20, false, 1),
                (1, 1, 20, FOREVER, false, 2),
                (0, -1, 10, 20, false, 1),
                (1, -1, 20, FOREVER, false, 2),
                (2, 1, 10, 15, false, 1),
                (3, 1, 15, 20, false, 3),
                (4, 1, 20, FOREVER, false, 3),
            ],
        ),
    ] {
        let writes: Vec<_> = (100..).zip(writes).collect();
        let entries = entries(&writes);
        let contents: Vec<usize> = (0..entries.len()).collect();
        assert_eq!(told(&converted("dataset", &entries, &contents).0), expected, "{what}");
    }
}

#[test]
fn neighbouring_days_of_one_content_are_one_state() {
    let entries = entries(&[(100, vec![(CREATED, 10, 1)]), (101, vec![(CHANGED, 20, 2), (CHANGED, 15, 2)])]);
    for (contents, expected) in [
        ([0, 1, 1], vec![(1, 1, 10, 15, false, 1), (2, 1, 15, FOREVER, false, 2)]),
        // What the dataset does not show may be another.
        ([0, 1, 2], vec![(1, 1, 10, 15, false, 1), (2, 1, 15, 20, false, 2), (3, 1, 20, FOREVER, false, 2)]),
    ] {
        let (carried, live) = converted("dataset", &entries, &contents);
        let created = [(0, 1, 10, FOREVER, false, 1), (0, -1, 10, FOREVER, false, 1)];
        assert_eq!(told(&carried), [&created[..], &expected].concat());
        let places = live.iter().map(|segment| segment.entry);
        assert!(places.eq(if expected.len() == 2 { vec![0, 2] } else { vec![0, 2, 1] }));
    }
}

#[test]
fn an_instant_that_lies_before_a_former_one_is_told_as_that_one() {
    let entries = entries(&[(100, vec![(CREATED, 10, 1)]), (90, vec![(CHANGED, 10, 2)])]);
    let (carried, _) = converted("dataset", &entries, &[0, 1]);
    assert_eq!(carried.iter().map(|entry| entry.recorded_at).collect::<Vec<_>>(), [100, 100, 100]);
}

/// Days of the histories: few, so that entries meet.
const DAYS: std::ops::Range<i64> = 0..10;

/// Writes with instants that grow, of which some tell of several days.
fn histories() -> impl Strategy<Value = Vec<(i64, Vec<Said>)>> {
    let change =
        prop_oneof![1 => Just(CREATED), 6 => Just(CHANGED), 3 => Just(CHANGE_ENDED), 1 => Just(CHANGE_WITHDRAWN)];
    let write = prop::collection::vec((change, DAYS, 0_u8..4), 1..4);
    prop::collection::vec((1_i64..3, write), 1..12).prop_map(|writes| {
        let mut instant = 0;
        let later = |(more, said)| {
            instant += more;
            (instant, said)
        };
        writes.into_iter().map(later).collect()
    })
}

proptest! {
    #[test]
    fn on_every_day_and_at_every_instant_the_sum_is_what_the_former_rule_said(
        writes in histories(),
        contents in prop::collection::vec(0_usize..3, 40),
    ) {
        let entries = entries(&writes);
        let (carried, live) = converted("dataset", &entries, &contents);
        let last = entries.iter().map(|entry| entry.recorded_at).max().unwrap_or_default();
        for instant in -1..=last + 1 {
            for day in DAYS.start - 1..=DAYS.end {
                let expected = Vec::from_iter(overridden(&entries, instant, day).map(|said| (said, 1)));
                prop_assert_eq!(summed(&carried, instant, day), expected, "day {} at {}", day, instant);
            }
        }
        // What holds in the end is a sequence of states.
        let days = live.iter().map(|segment| (segment.from, segment.until));
        prop_assert!(days.clone().all(|(from, until)| from < until));
        prop_assert!(days.clone().zip(days.skip(1)).all(|(one, next)| one.1 == next.0));
        prop_assert!(live.last().is_none_or(|last| last.until == FOREVER));
    }

    #[test]
    fn each_assertion_stands_once_and_is_retracted_at_most_once_later_with_its_bytes(
        writes in histories(),
        contents in prop::collection::vec(0_usize..3, 40),
    ) {
        let (carried, live) = converted("dataset", &entries(&writes), &contents);
        prop_assert!(carried.is_sorted_by(|one, next| one.position < next.position && one.recorded_at <= next.recorded_at));
        let mut standing: BTreeMap<i64, &Carried> = BTreeMap::new();
        let mut next = 0;
        for entry in &carried {
            if entry.diff == 1 {
                prop_assert_eq!(entry.assertion, next);
                next += 1;
                standing.insert(entry.assertion, entry);
            } else {
                let Some(asserted) = standing.remove(&entry.assertion) else {
                    return Err(TestCaseError::fail(format!("{entry:?} retracts what does not stand")));
                };
                let Carried { position, recorded_at, .. } = asserted.clone();
                prop_assert_eq!(&Carried { diff: 1, position, recorded_at, ..entry.clone() }, asserted);
            }
        }
        let states: BTreeMap<i64, &Segment> = live.iter().map(|segment| (segment.assertion, segment)).collect();
        prop_assert!(standing.keys().eq(states.keys()));
        for (entry, segment) in standing.values().zip(states.values()) {
            prop_assert_eq!((entry.valid_from, entry.valid_until), (segment.from, segment.until));
            prop_assert_eq!((entry.ended, &entry.area, &entry.payload), (segment.ended, &segment.area, &segment.payload));
        }
    }
}
