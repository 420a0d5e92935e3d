//! The rows of a journal that hold, as known at an instant.
//!
//! A journal asserts rows and retracts them. A count may sum `_diff`; what is distinct, grouped or joined needs each row
//! once. An assertion holds unless a retraction known by then takes it back, and says itself for which days it is true.

use polars::prelude::{DataFrame, Engine, Expr, IntoLazy as _, JoinArgs, JoinType, PolarsResult, col, lit};

/// Returns the assertions known at an instant and not retracted by then, with some columns, in no order.
///
/// It streams, so that beside rows and result only the keys of retracted rows are in memory, which are few.
pub(super) fn net(rows: DataFrame, as_of: i64, columns: &[Expr]) -> PolarsResult<DataFrame> {
    let known = rows.lazy().filter(col("_recorded_at").lt_eq(lit(as_of)));
    let key = [col("_record"), col("_assertion")];
    let retracted = known.clone().filter(col("_diff").lt(lit(0))).select(&key);
    let asserted = known.filter(col("_diff").gt(lit(0)));
    let net = asserted.join(retracted, &key, &key, JoinArgs::new(JoinType::Anti)).select(columns);
    let mut net = net.collect_with_engine(Engine::Streaming)?.unwrap_single();
    net.rechunk_mut_par();
    Ok(net)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use polars::prelude::{Column, DataType, IntoColumn as _, NamedFrom as _, Series};
    use proptest::prelude::*;

    use super::*;
    use crate::statistics::columns::{ENDED, FROM, UNTIL, days, numbers};

    const DAYS: std::ops::Range<i32> = 0..12;

    /// A journal's row by record, assertion, first day, first day after it, whether it has ended, and instant.
    type Told = (String, i64, i64, i32, Option<i32>, bool, i64);

    /// Histories of a few records: what is asserted at an instant is retracted some time later, or never.
    fn histories() -> impl Strategy<Value = Vec<Told>> {
        let assertion = (0_u8..6, DAYS, prop::option::of(1..6), any::<bool>(), 0_i64..40, prop::option::of(0_i64..20));
        prop::collection::vec(assertion, 0..60).prop_map(|assertions| {
            let mut told = Vec::new();
            for (number, (record, from, length, ended, at, retracted)) in (1..).zip(assertions) {
                let row = |diff, at| {
                    let until = length.map(|length| from + length);
                    (format!("things/{record}"), number, diff, from, until, ended, at)
                };
                told.push(row(1, at));
                told.extend(retracted.map(|later| row(-1, at + later)));
            }
            told.sort_by_key(|row| row.6);
            told
        })
    }

    fn frame(told: &[Told]) -> DataFrame {
        let integers =
            |name: &str, of: fn(&Told) -> i64| Column::new(name.into(), told.iter().map(of).collect::<Vec<i64>>());
        let dates = |name: &str, of: fn(&Told) -> Option<i32>| {
            let days = Series::new(name.into(), told.iter().map(of).collect::<Vec<Option<i32>>>());
            days.cast(&DataType::Date).unwrap().into_column()
        };
        let columns = vec![
            Column::new("_record".into(), told.iter().map(|row| row.0.as_str()).collect::<Vec<&str>>()),
            integers("_assertion", |row| row.1),
            integers("_diff", |row| row.2),
            dates(FROM, |row| Some(row.3)),
            dates(UNTIL, |row| row.4),
            Column::new(ENDED.into(), told.iter().map(|row| row.5).collect::<Vec<bool>>()),
            integers("_recorded_at", |row| row.6),
        ];
        DataFrame::new(told.len(), columns).unwrap()
    }

    /// What is true on a day, by record and assertion, with the sum of `_diff`.
    type OnDay = BTreeMap<(String, i64, bool), i64>;

    fn summed<'a>(rows: impl Iterator<Item = &'a Told>, on: i32) -> OnDay {
        let mut sums = OnDay::new();
        for row in rows.filter(|row| row.3 <= on && row.4.is_none_or(|until| on < until)) {
            *sums.entry((row.0.clone(), row.1, row.5)).or_default() += row.2;
        }
        sums.retain(|_, sum| *sum != 0);
        sums
    }

    /// The rows of a net, each as an assertion.
    fn rows(net: &DataFrame) -> Vec<Told> {
        let records = net.column("_record").unwrap().str().unwrap();
        let ended = net.column(ENDED).unwrap().bool().unwrap();
        let (from, until) = (days(net, FROM).unwrap(), days(net, UNTIL).unwrap());
        let assertions = numbers(net, "_assertion").unwrap();
        let row = |row| {
            let (record, assertion) = (records.get(row).unwrap().to_owned(), assertions.get(row).unwrap());
            (record, assertion, 1, from.get(row).unwrap(), until.get(row), ended.get(row).unwrap(), 0)
        };
        (0..net.height()).map(row).collect()
    }

    proptest! {
        #[test]
        fn the_net_says_on_every_day_what_the_sum_of_diffs_says(
            told in histories(),
            as_of in 0_i64..60,
            cut in 0_usize..60,
        ) {
            let cut = cut.min(told.len());
            let mut parts = frame(&told[..cut]);
            parts.vstack_mut(&frame(&told[cut..])).unwrap();
            let columns = ["_record", "_assertion", FROM, UNTIL, ENDED].map(col);
            let net = rows(&net(parts, as_of, &columns).unwrap());
            for on in DAYS.start - 1..DAYS.end + 7 {
                let known = told.iter().filter(|row| row.6 <= as_of);
                prop_assert_eq!(summed(net.iter(), on), summed(known, on));
            }
        }
    }
}
