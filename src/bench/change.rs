//! What changed between two builds: rows matched, medians, and the table that says it.

use std::fmt::Write as _;

use super::{
    results::{ResultRow, Results, RowName},
    table::{Spread, Unit, amount},
};
use crate::{
    lang::{Lang, Text},
    said,
};

/// Loss in per cent that is not remarked on, beyond the difference of old against old.
const TOLERATED: f64 = 5.0;

/// One round of turns: the old build before and after the new one.
#[derive(Clone, Debug)]
pub(super) struct Round {
    /// The old build.
    pub old: Results,
    /// The new build.
    pub new: Results,
    /// The old build a second time.
    pub again: Results,
}

/// What changed in one row.
#[derive(Clone, Debug, PartialEq)]
struct Change {
    name: RowName,
    unit: Unit,
    old: Medians,
    new: Medians,
    /// From old to new, in per cent.
    percent: f64,
    /// Old against old; none where it was not measured.
    noise: Option<Noise>,
}

/// Medians of a build.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Medians {
    ours: f64,
    ratio: f64,
}

/// How far the old build is from itself, in per cent.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Noise {
    /// Between the medians of its two series.
    difference: f64,
    /// Between the two measurements of a round.
    rounds: Spread,
}

/// What changed between two builds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Changes {
    rows: Vec<Change>,
    only_old: Vec<RowName>,
    only_new: Vec<RowName>,
}

impl Changes {
    /// Compares the builds' measurements over rounds of turns.
    pub(super) fn over_rounds(rounds: &[Round]) -> Self {
        let Some(first) = rounds.first() else { return Self::default() };
        Self::of(&first.old, &first.new, |old, new| {
            let both = |results: fn(&Round) -> &Results, name: &RowName| -> Vec<Medians> {
                let rows = rounds.iter().filter_map(|round| results(round).rows.iter().find(|row| row.name == *name));
                rows.map(medians).collect()
            };
            let before = both(|round| &round.old, &old.name);
            let again = both(|round| &round.again, &old.name);
            let after = both(|round| &round.new, &new.name);
            let ours = |values: &[Medians]| Spread::of(values.iter().map(|value| value.ours)).median;
            let noise = Noise {
                difference: percent(ours(&before), ours(&again)),
                rounds: Spread::of(before.iter().zip(&again).map(|(old, again)| percent(old.ours, again.ours))),
            };
            let (old, new) = (median_of(&[before, again].concat()), median_of(&after));
            (old, new, percent(old.ours, new.ours), Some(noise))
        })
    }

    /// Compares a run with an earlier one by their ratios, because the machine may have changed between them.
    pub(super) fn since(earlier: &Results, now: &Results) -> Self {
        Self::of(earlier, now, |old, new| (medians(old), medians(new), percent(old.ratio, new.ratio), None))
    }

    fn of(
        old: &Results,
        new: &Results,
        compare: impl Fn(&ResultRow, &ResultRow) -> (Medians, Medians, f64, Option<Noise>),
    ) -> Self {
        let partners = partners(&old.rows, &new.rows);
        let mut changes = Self::default();
        for (row, partner) in new.rows.iter().zip(&partners) {
            let Some(partner) = partner else {
                changes.only_new.push(row.name.clone());
                continue;
            };
            let (before, after, percent, noise) = compare(&old.rows[*partner], row);
            changes.rows.push(Change {
                name: row.name.clone(),
                unit: row.unit,
                old: before,
                new: after,
                percent,
                noise,
            });
        }
        let left = (0..old.rows.len()).filter(|index| !partners.contains(&Some(*index)));
        changes.only_old = left.map(|index| old.rows[index].name.clone()).collect();
        changes
    }

    /// Writes the table, then which rows lose too much, and those that only one of the builds has.
    pub(super) fn markdown(&self, lang: Lang) -> String {
        let mut text = String::from(lang.pick(HEAD));
        for (number, row) in (1..).zip(&self.rows) {
            let RowName { location, what, baseline } = &row.name;
            let side = |medians: Medians| {
                said!(lang, "{}({:.2})", "{} ({:.2})", amount(medians.ours, row.unit), medians.ratio)
            };
            let noise = row.noise.map_or_else(
                || "–".to_owned(),
                |Noise { difference, rounds }| {
                    let (least, greatest) = (rounds.least, rounds.greatest);
                    said!(
                        lang,
                        "{difference:+.1} %({least:+.1}~{greatest:+.1})",
                        "{difference:+.1} % ({least:+.1} to {greatest:+.1})"
                    )
                },
            );
            let verdict = match row.excess() {
                Some(excess) if excess > 0.0 => said!(lang, "**是**,超出 {excess:.1} %", "**yes**, by {excess:.1} %"),
                Some(_) => said!(lang, "否", "no"),
                None => "–".to_owned(),
            };
            let (old, new, percent) = (side(row.old), side(row.new), row.percent);
            let _ = writeln!(
                text,
                "| {number} | {location} | {what} | {baseline} | {old} | {new} | {percent:+.1} % | {noise} | {verdict} |"
            );
        }
        if self.rows.iter().any(|row| row.noise.is_some()) {
            let lost = self.rows.iter().filter(|row| row.excess().is_some_and(|excess| excess > 0.0)).count();
            let all = self.rows.len();
            let _ = writeln!(
                text,
                "\n{}",
                said!(
                    lang,
                    "损失超过旧对旧之差 {TOLERATED} % 以上的：{all} 行中 {lost} 行。",
                    "Rows that lose more than {TOLERATED} % beyond old against old: {lost} of {all}."
                )
            );
        }
        for (names, build) in [
            (&self.only_old, Text { zh: "仅旧有", en: "Only in old" }),
            (&self.only_new, Text { zh: "仅新有", en: "Only in new" }),
        ] {
            let build = lang.pick(build);
            for RowName { location, what, baseline } in names {
                let _ = writeln!(
                    text,
                    "\n{}",
                    said!(
                        lang,
                        "{build}：{location}，{what}，对照：{baseline}",
                        "{build}: {location}, {what}, beside {baseline}"
                    )
                );
            }
        }
        text
    }
}

const HEAD: Text = Text {
    zh: "| # | 何处 | 所测 | 对照 | 旧：中位数（比值）| 新：中位数（比值）| 变化 | 旧对旧：中位数之差（各轮）| 损失超过旧对旧之差 5 % 以上 |\n|---|---|---|---|---|---|---|---|---|\n",
    en: "| # | where | what | beside | old: median (ratio) | new: median (ratio) | change | old against old: medians (rounds) | loses more than 5 % beyond it |\n|---|---|---|---|---|---|---|---|---|\n",
};

impl Change {
    /// Returns by how much the loss passes what is tolerated, in per cent; negative within it, none without a measure
    /// of the noise.
    fn excess(&self) -> Option<f64> {
        let loss = if self.unit.more_is_better() { -self.percent } else { self.percent };
        self.noise.map(|noise| loss - noise.difference.abs() - TOLERATED)
    }
}

fn medians(row: &ResultRow) -> Medians {
    Medians { ours: row.ours, ratio: row.ratio }
}

fn median_of(values: &[Medians]) -> Medians {
    let median = |value: fn(&Medians) -> f64| Spread::of(values.iter().map(value)).median;
    Medians { ours: median(|value| value.ours), ratio: median(|value| value.ratio) }
}

fn percent(old: f64, new: f64) -> f64 {
    (new / old.max(f64::MIN_POSITIVE) - 1.0) * 100.0
}

/// Returns, for each new row, the index of the old row that measures the same.
///
/// Rows of the same name are the same. The wording of a row may have changed between the builds; so rows left over in
/// both are matched in their order where they have the same location, unit and RPC, provided they are equally many.
fn partners(old: &[ResultRow], new: &[ResultRow]) -> Vec<Option<usize>> {
    let mut partners: Vec<Option<usize>> =
        new.iter().map(|row| old.iter().position(|known| known.name == row.name)).collect();
    let left_old: Vec<usize> = (0..old.len()).filter(|index| !partners.contains(&Some(*index))).collect();
    let left_new: Vec<usize> = (0..new.len()).filter(|index| partners[*index].is_none()).collect();
    for &index in &left_new {
        let kind = kind(&new[index]);
        let theirs: Vec<usize> =
            left_old.iter().copied().filter(|old_index| self::kind(&old[*old_index]) == kind).collect();
        let ours: Vec<usize> = left_new.iter().copied().filter(|other| self::kind(&new[*other]) == kind).collect();
        if theirs.len() == ours.len() {
            partners[index] = ours.iter().zip(&theirs).find(|(other, _)| **other == index).map(|(_, theirs)| *theirs);
        }
    }
    partners
}

/// Returns what of a row's name does not depend on its wording: the location, the name in parentheses, and the unit.
fn kind(row: &ResultRow) -> (&str, &str, Unit) {
    let call = row.name.what.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    (&row.name.location, call.map_or("", |(call, _)| call), row.unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(what: &str, unit: Unit, ours: f64) -> ResultRow {
        let name =
            RowName { location: "SQLite".to_owned(), what: what.to_owned(), baseline: "an empty call".to_owned() };
        ResultRow { name, unit, ours, ratio: ours / 1_000.0 }
    }

    fn results(rows: &[ResultRow]) -> Results {
        Results { lang: Lang::En, rows: rows.to_vec() }
    }

    fn rounds(unit: Unit, measured: &[[f64; 3]]) -> Vec<Round> {
        let one = |ours| results(&[row("writes (Create)", unit, ours)]);
        measured.iter().map(|[old, new, again]| Round { old: one(*old), new: one(*new), again: one(*again) }).collect()
    }

    #[test]
    fn medians_are_taken_over_all_rounds_and_the_old_build_is_compared_with_itself() {
        let measured = [[100.0, 90.0, 104.0], [102.0, 95.0, 100.0], [90.0, 10.0, 108.0]];
        let changes = Changes::over_rounds(&rounds(Unit::PerSecond, &measured));
        let change = &changes.rows[0];
        assert!((change.old.ours - 101.0).abs() < 1e-9, "{change:?}");
        assert!((change.new.ours - 90.0).abs() < 1e-9, "{change:?}");
        assert!((change.percent + 10.891).abs() < 1e-3, "{change:?}");
        let noise = change.noise.expect("it was measured");
        assert!((noise.difference - 4.0).abs() < 1e-9, "{noise:?}");
        assert!((noise.rounds.least + 1.961).abs() < 1e-3 && (noise.rounds.greatest - 20.0).abs() < 1e-9, "{noise:?}");
        // 10.9 % lost, of which 4 % and 5 % are tolerated.
        assert!((change.excess().expect("judged") - 1.891).abs() < 1e-3);
    }

    #[test]
    fn what_counts_as_a_loss_depends_on_the_unit() {
        let excess = |unit, new| {
            Changes::over_rounds(&rounds(unit, &[[100.0, new, 100.0]])).rows[0].excess().expect("judged") > 0.0
        };
        assert!(excess(Unit::PerSecond, 94.0) && !excess(Unit::PerSecond, 96.0) && !excess(Unit::PerSecond, 150.0));
        assert!(excess(Unit::Seconds, 106.0) && !excess(Unit::Seconds, 104.0) && !excess(Unit::Seconds, 50.0));
        assert!(excess(Unit::Mebibytes, 106.0));
    }

    #[test]
    fn the_table_says_what_changed_and_which_rows_lose_too_much() {
        let measured = [[8_000.0, 7_000.0, 8_080.0]];
        let changes = Changes::over_rounds(&rounds(Unit::PerSecond, &measured));
        let text = changes.markdown(Lang::En);
        let expected = "| 1 | SQLite | writes (Create) | an empty call | 8,040/s (8.04) | 7,000/s (7.00) | -12.9 % | +1.0 % (+1.0 to +1.0) | **yes**, by 6.9 % |";
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("\nRows that lose more than 5 % beyond old against old: 1 of 1."), "{text}");
        assert!(changes.markdown(Lang::Zh).contains("**是**"));
        let same = Changes::over_rounds(&rounds(Unit::PerSecond, &[[1.0, 1.0, 1.0]])).markdown(Lang::En);
        assert!(same.contains("| +0.0 % | +0.0 % (+0.0 to +0.0) | no |"), "{same}");
    }

    #[test]
    fn an_earlier_run_is_compared_by_its_ratio_and_not_judged() {
        let (mut old, mut new) = (row("writes", Unit::PerSecond, 8_000.0), row("writes", Unit::PerSecond, 4_000.0));
        (old.ratio, new.ratio) = (0.4, 0.5);
        let text = Changes::since(&results(&[old]), &results(&[new])).markdown(Lang::En);
        assert!(text.contains("| 8,000/s (0.40) | 4,000/s (0.50) | +25.0 % | – | – |"), "{text}");
        assert!(!text.contains("Rows that lose"), "{text}");
    }

    #[test]
    fn rows_match_by_name_and_where_the_wording_changed_by_what_they_call() {
        let old = ["writes, own (Create)", "writes, one (Create)", "its look-ups (Check)", "a feed", "gone (Delete)"];
        let new = [
            "its lookups (Check)",
            "writes, own (Create)",
            "writes, shared (Create)",
            "the feed",
            "a (New)",
            "b (New)",
        ];
        let of = |names: &[&str]| names.iter().map(|name| row(name, Unit::PerSecond, 1.0)).collect::<Vec<_>>();
        assert_eq!(partners(&of(&old), &of(&new)), [Some(2), Some(0), Some(1), Some(3), None, None]);
        let text = Changes::since(&results(&of(&old)), &results(&of(&new))).markdown(Lang::En);
        assert!(text.contains("Only in old: SQLite, gone (Delete), beside an empty call"), "{text}");
        assert_eq!(text.matches("Only in new").count(), 2, "{text}");
    }

    #[test]
    fn rows_are_not_matched_by_order_where_their_number_differs() {
        let of = |names: &[&str]| names.iter().map(|name| row(name, Unit::PerSecond, 1.0)).collect::<Vec<_>>();
        assert_eq!(partners(&of(&["one (Create)"]), &of(&["two (Create)", "three (Create)"])), [None, None]);
    }
}
