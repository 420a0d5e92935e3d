//! Numbers that change from day to day, kept as their differences.
//!
//! A row that counts from one day until another adds to a number at the first and takes it away at the second. Summed
//! up, the differences give the number on any day, so that a row is read once whatever the number of months. They are
//! whole numbers: their sum depends on no order.

use std::collections::BTreeMap;

/// The first day that figures are given for, 2024-01-01, as days since 1970-01-01; what began before has begun by then.
pub(super) const FIRST_DAY: i32 = 19_723;
/// No figure is given for a day as late as this one, 2124-01-01.
pub(super) const LAST_DAY: i32 = 56_248;
/// Days whose differences lie side by side; those of later days are few.
const NEAR: usize = 4_096;

/// The differences of a number, by area.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Steps {
    by_area: BTreeMap<i32, BTreeMap<i32, i64>>,
}

impl Steps {
    /// Adds to a number in an area from a day on.
    pub(super) fn add(&mut self, area: i32, day: i32, by: i64) {
        if by != 0 && day < LAST_DAY {
            *self.by_area.entry(area).or_default().entry(day.max(FIRST_DAY)).or_default() += by;
        }
    }

    /// Adds other differences.
    pub(super) fn extend(&mut self, other: &Self) {
        for (area, days) in &other.by_area {
            for (day, by) in days {
                self.add(*area, *day, *by);
            }
        }
    }

    /// Takes other differences away.
    pub(super) fn take_away(&mut self, other: &Self) {
        for (area, days) in &other.by_area {
            for (day, by) in days {
                self.add(*area, *day, -by);
            }
        }
    }

    /// Returns the areas of which anything was said, in the order of their codes.
    pub(super) fn areas(&self) -> impl Iterator<Item = i32> {
        self.by_area.keys().copied()
    }

    /// Returns the differences, by area and day.
    pub(super) fn iter(&self) -> impl Iterator<Item = (i32, i32, i64)> {
        self.by_area.iter().flat_map(|(area, days)| days.iter().map(|(day, by)| (*area, *day, *by)))
    }

    /// Returns the number in an area on each of some days, which follow each other.
    pub(super) fn on(&self, area: i32, on: &[i32]) -> Vec<i64> {
        let mut steps = self.by_area.get(&area).into_iter().flatten().peekable();
        let mut sum = 0;
        let until = |day: &i32| {
            while let Some((_, by)) = steps.next_if(|(step, _)| *step <= day) {
                sum += by;
            }
            sum
        };
        on.iter().map(until).collect()
    }
}

/// Differences while rows are read: one array of days for each area.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    near: Vec<Vec<i64>>,
    far: Steps,
}

impl Gathered {
    /// Adds `by` from one day until another in an area, by its number among the areas.
    pub(super) fn count(&mut self, area: Slot, from: i32, until: i32, by: i64) {
        if from < until {
            self.add(area, from, by);
            self.add(area, until, -by);
        }
    }

    /// Adds to a number from a day on.
    pub(super) fn add(&mut self, area: Slot, day: i32, by: i64) {
        if day >= LAST_DAY {
            return;
        }
        let index = usize::try_from(day.max(FIRST_DAY) - FIRST_DAY).unwrap_or_default();
        if index >= NEAR {
            self.far.add(area.code, day, by);
            return;
        }
        if self.near.len() <= area.index {
            self.near.resize_with(area.index + 1, Vec::new);
        }
        let days = &mut self.near[area.index];
        if days.len() <= index {
            days.resize(index + 1, 0);
        }
        days[index] += by;
    }

    /// Adds what was gathered to steps; `codes` names the areas by their numbers.
    pub(super) fn into_steps(self, codes: &[i32], steps: &mut Steps) {
        steps.extend(&self.far);
        for (code, days) in codes.iter().zip(&self.near) {
            for (day, by) in (FIRST_DAY..).zip(days) {
                steps.add(*code, day, *by);
            }
        }
    }
}

/// An area: its code, and its number among the areas that were met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) code: i32,
    pub(super) index: usize,
}

/// The areas that were met, numbered.
#[derive(Debug)]
pub(super) struct Slots {
    /// By the last four digits of a code of the region, the number and one; 0 for none.
    known: Vec<u32>,
    others: BTreeMap<i32, usize>,
    codes: Vec<i32>,
}

/// The codes of the region begin so.
const REGION: i32 = 540_000;
const CODES: usize = 10_000;

impl Slots {
    pub(super) fn new() -> Self {
        Self { known: vec![0; CODES], others: BTreeMap::new(), codes: Vec::new() }
    }

    /// Returns the codes by number.
    pub(super) fn codes(&self) -> &[i32] {
        &self.codes
    }

    /// Returns the area of a code.
    pub(super) fn of(&mut self, code: i32) -> Slot {
        let next = self.codes.len();
        let place = usize::try_from(code - REGION).ok().and_then(|place| self.known.get_mut(place));
        let index = match place {
            Some(number) => {
                if *number == 0 {
                    *number = u32::try_from(next + 1).unwrap_or_default();
                }
                usize::try_from(*number).unwrap_or_default() - 1
            }
            None => *self.others.entry(code).or_insert(next),
        };
        if index == next {
            self.codes.push(code);
        }
        Slot { code, index }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rows by area, first day, first day behind, and weight.
    fn rows() -> impl Strategy<Value = Vec<(i32, i32, i32, i64)>> {
        let day =
            || prop_oneof![FIRST_DAY - 50..FIRST_DAY + 300, Just(FIRST_DAY + 5_000), Just(i32::MAX), Just(i32::MIN)];
        prop::collection::vec((540_100..540_104, day(), day(), -3_i64..9), 0..40)
    }

    proptest! {
        #[test]
        fn on_any_day_the_sum_of_differences_is_what_a_count_of_the_rows_gives(rows in rows()) {
            let (mut slots, mut gathered) = (Slots::new(), Gathered::default());
            for (area, from, until, by) in &rows {
                gathered.count(slots.of(*area), *from, *until, *by);
            }
            let mut steps = Steps::default();
            gathered.into_steps(slots.codes(), &mut steps);
            let days: Vec<i32> = (FIRST_DAY..FIRST_DAY + 310).chain([FIRST_DAY + 4_999, FIRST_DAY + 5_001]).collect();
            for area in 540_100..540_104 {
                let counted = |day: &i32| {
                    let on = rows.iter().filter(|row| row.0 == area && row.1 <= *day && *day < row.2);
                    on.map(|row| row.3).sum::<i64>()
                };
                prop_assert_eq!(steps.on(area, &days), days.iter().map(counted).collect::<Vec<_>>());
            }
            let mut none = steps.clone();
            none.take_away(&steps);
            prop_assert!(none.iter().all(|(.., by)| by == 0));
        }
    }
}
