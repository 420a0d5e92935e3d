//! Withheld figures are attacked with everything that is published.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::attack::Attack;
use super::{DEFAULT_THRESHOLD, apply};
use crate::catalogue::Catalogue;
use crate::model::{Area, AttainmentDocument, Bilingual, Commitment, Level, Run, SecondaryMeasure, StatisticRow};
use crate::report::{Report, fixture, history};
use crate::testing::day;

const LIMIT: f64 = 10.0;

/// Persons of a county by class: women served, men served, not served.
type People = [u32; 3];

/// Three prefectures with so many counties.
fn areas(counties: &[usize]) -> Vec<Area> {
    let area = |code: String, level, parent: Option<&str>| Area {
        name_zh: code.clone(),
        name_en: code.clone(),
        code,
        level,
        parent: parent.map(Into::into),
    };
    let mut out = vec![area("540000".into(), Level::Region, None)];
    for (prefecture, count) in (1..).zip(counties) {
        let code = format!("540{prefecture}00");
        out.extend(
            (0..*count).map(|county| area(format!("540{prefecture}{}", 21 + county), Level::County, Some(&code))),
        );
        out.push(area(code, Level::Prefecture, Some("540000")));
    }
    out
}

/// A share of persons, its women beside it, and an amount that is paid by a fixed rate.
fn commitment(person_based: bool) -> Commitment {
    let beside = |name: &str, person_based| SecondaryMeasure {
        name: name.into(),
        title: Bilingual::default(),
        unit: Bilingual { zh: "个".into(), en: if person_based { "people" } else { "yuan" }.into() },
        person_based,
    };
    let known = fixture::commitments().into_iter().find(|known| known.id == "hpv-vaccination").unwrap();
    Commitment {
        person_based,
        secondary: vec![beside("women", true), beside("men", true), beside("paid", false)],
        ..known
    }
}

fn sums(areas: &[Area], counties: &BTreeMap<String, People>) -> BTreeMap<String, People> {
    let mut out: BTreeMap<String, People> = BTreeMap::new();
    for (code, people) in counties {
        let county = areas.iter().find(|area| area.code == *code).unwrap();
        for total in [code.as_str(), county.parent.as_deref().unwrap(), "540000"] {
            let sum = out.entry(total.to_owned()).or_default();
            sum.iter_mut().zip(people).for_each(|(sum, people)| *sum += people);
        }
    }
    out
}

/// The rows of a month.
fn rows(month: &str, people: &BTreeMap<String, People>) -> Vec<StatisticRow> {
    let row = |area: &str, measure: &str, numerator: u32, denominator: Option<u32>| StatisticRow {
        commitment: "hpv-vaccination".into(),
        measure: measure.into(),
        area: area.into(),
        month: day(month),
        numerator: Some(numerator.into()),
        denominator: denominator.map(Into::into),
        value: denominator.map_or(Some(numerator.into()), |whole| {
            (whole > 0).then(|| f64::from(numerator) / f64::from(whole) * 100.0)
        }),
        possible: None,
    };
    let of_area = |(area, [women, men, not]): (&String, &People)| {
        let served = women + men;
        vec![
            row(area, "primary", served, Some(served + not)),
            row(area, "women", *women, None),
            row(area, "men", *men, None),
            row(area, "paid", served * 1000, None),
        ]
    };
    people.iter().flat_map(of_area).collect()
}

fn document(commitment: &Commitment, areas: &[Area], rows: &[StatisticRow]) -> AttainmentDocument {
    fixture::assessed(std::slice::from_ref(commitment), areas, rows)
}

/// A figure that is published: measure, area, numerator, denominator.
type Published = (String, String, Option<f64>, Option<f64>);

/// Suppresses a month and reads back what the CSV publishes.
fn published(commitment: &Commitment, areas: &[Area], people: &BTreeMap<String, People>) -> Vec<Published> {
    let mut rows = rows("2026-06-01", people);
    let mut document = document(commitment, areas, &rows);
    let commitments = [commitment.clone()];
    apply(&mut document, &mut rows, &commitments, areas, DEFAULT_THRESHOLD);
    let mut csv = Vec::new();
    let report = Report {
        document: &document,
        commitments: &commitments,
        catalogue: Catalogue::shipped(),
        areas,
        rows: &rows,
        run: &Run::new(),
    };
    history::write_csv(&mut csv, &report).unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    let lines = reader.records().map(|line| {
        let line = line.unwrap();
        let figure = |place: usize| line.get(place).unwrap().parse().ok();
        (line[4].to_owned(), line[5].to_owned(), figure(7), figure(8))
    });
    lines.collect()
}

fn recovered(areas: &[Area], published: &[Published]) -> BTreeMap<super::attack::Count, f64> {
    let mut attack = Attack::default();
    for (measure, area, numerator, denominator) in published {
        attack.read(measure, area, *numerator, *denominator);
    }
    for measure in ["primary", "women", "men"] {
        attack.knows_sums(measure, areas);
    }
    attack.knows_parts("primary", &["women", "men"], areas);
    attack.run()
}

fn hidden(published: &[Published], measure: &str) -> BTreeSet<String> {
    let hidden = published.iter().filter(|(name, _, numerator, _)| name == measure && numerator.is_none());
    hidden.map(|(_, area, ..)| area.clone()).collect()
}

fn is_small(count: f64) -> bool {
    count > 0.0 && count < LIMIT
}

/// The counts of an area: served, women, men, all, not served.
fn counts(&[women, men, not]: &People) -> [(&'static str, char, f64); 5] {
    let all = |count: u32| f64::from(count);
    [
        ("primary", 'n', all(women + men)),
        ("women", 'n', all(women)),
        ("men", 'n', all(men)),
        ("primary", 'd', all(women + men + not)),
        ("primary", 'r', all(not)),
    ]
}

/// What a world would publish at the places where this one published something.
fn looks_the_same(published: &[Published], people: &BTreeMap<String, People>) -> bool {
    published.iter().filter(|(measure, ..)| measure != "paid").all(|(measure, area, numerator, denominator)| {
        let counts = counts(people.get(area).unwrap_or(&[0; 3]));
        let figure = |what| counts.iter().find(|(name, kind, _)| name == measure && *kind == what).map(|found| found.2);
        let same = |seen: Option<f64>, there: Option<f64>| seen.is_none() || seen == there;
        same(*numerator, figure('n')) && same(*denominator, figure('d'))
    })
}

/// Other worlds that nobody can tell from this one: one person more, fewer or elsewhere.
fn other_worlds(
    areas: &[Area],
    counties: &BTreeMap<String, People>,
    published: &[Published],
) -> Vec<BTreeMap<String, People>> {
    let places: Vec<Option<&String>> = counties.keys().map(Some).chain([None]).collect();
    let mut worlds = Vec::new();
    for (from, to) in places.iter().flat_map(|from| places.iter().map(move |to| (*from, *to))) {
        for class in 0..3 {
            let mut moved = counties.clone();
            if let Some(people) = from.and_then(|from| moved.get_mut(from)) {
                let Some(fewer) = people[class].checked_sub(1) else { continue };
                people[class] = fewer;
            }
            if let Some(people) = to.and_then(|to| moved.get_mut(to)) {
                people[class] += 1;
            }
            let world = sums(areas, &moved);
            if from != to && looks_the_same(published, &world) {
                worlds.push(world);
            }
        }
    }
    worlds
}

/// No small count that is withheld can be only one number.
fn check(areas: &[Area], counties: &BTreeMap<String, People>) -> Result<(), TestCaseError> {
    let people = sums(areas, counties);
    let published = published(&commitment(true), areas, &people);
    let found = recovered(areas, &published);
    let worlds = other_worlds(areas, counties, &published);
    let withheld = hidden(&published, "primary");
    for (area, own) in &people {
        for (measure, what, figure) in counts(own) {
            let region = area == "540000";
            if !withheld.contains(area) {
                prop_assert!(region || !is_small(figure), "{measure} {what} of {area} is shown: {figure}");
                continue;
            }
            if is_small(figure) {
                let key = (area.clone(), measure.to_owned(), what);
                prop_assert_eq!(found.get(&key), None, "recovered {:?} = {}", key, figure);
                let place = counts(own).iter().position(|known| (known.0, known.1) == (measure, what)).unwrap();
                let open = worlds.iter().any(|world| {
                    let there = world.get(area).map_or(0.0, |there| counts(there)[place].2);
                    (there - figure).abs() > 0.5
                });
                prop_assert!(open, "{measure} {what} of {area} can only be {figure}");
            }
        }
    }
    for measure in ["women", "men", "paid"] {
        prop_assert_eq!(&hidden(&published, measure), &withheld, "{} is withheld elsewhere", measure);
    }
    Ok(())
}

fn some_count() -> impl Strategy<Value = u32> {
    prop_oneof![3 => Just(0), 2 => 1_u32..10, 1 => 9_u32..12, 2 => 10_u32..200]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_small_count_that_is_withheld_follows_from_what_is_published(
        sizes in proptest::collection::vec(1_usize..5, 1..4),
        people in proptest::collection::vec([some_count(), some_count(), some_count()], 12),
    ) {
        let areas = areas(&sizes);
        let counties = areas.iter().filter(|area| area.level == Level::County).map(|area| area.code.clone());
        let counties: BTreeMap<String, People> = counties.zip(people).collect();
        check(&areas, &counties)?;
    }
}

fn province(counties: &[(&str, People)]) -> (Vec<Area>, BTreeMap<String, People>) {
    let areas = areas(&[3, 2, 2]);
    let mut all: BTreeMap<String, People> =
        areas.iter().filter(|area| area.level == Level::County).map(|area| (area.code.clone(), [0, 0, 0])).collect();
    for (code, people) in counties {
        *all.get_mut(*code).expect("a county") = *people;
    }
    (areas, all)
}

#[test]
fn the_attack_finds_what_a_careless_table_gives_away() {
    let (areas, counties) = province(&[("540121", [3, 0, 0]), ("540122", [40, 40, 40]), ("540221", [50, 50, 50])]);
    let people = sums(&areas, &counties);
    let mut open: Vec<Published> = published(&commitment(false), &areas, &BTreeMap::new());
    for row in rows("2026-06-01", &people) {
        let withheld = ["540121", "540100"].contains(&row.area.as_str());
        open.push((row.measure, row.area, row.numerator.filter(|_| !withheld), row.denominator.filter(|_| !withheld)));
    }
    let found = recovered(&areas, &open);
    let of = |area: &str| found.get(&(area.to_owned(), "primary".to_owned(), 'n')).copied();
    assert_eq!((of("540100"), of("540121")), (Some(83.0), Some(3.0)));
}

#[test]
fn three_persons_of_one_county_hide_county_prefecture_and_region() {
    let (areas, counties) = province(&[("540121", [3, 0, 0])]);
    let published = published(&commitment(true), &areas, &sums(&areas, &counties));
    assert_eq!(hidden(&published, "primary"), ["540000", "540100", "540121"].map(String::from).into());
    check(&areas, &counties).unwrap();
}

#[test]
fn forty_of_forty_three_is_as_telling_as_three() {
    let (areas, counties) = province(&[
        ("540121", [20, 20, 3]),
        ("540122", [40, 40, 40]),
        ("540123", [90, 90, 90]),
        ("540221", [50, 50, 50]),
    ]);
    let published = published(&commitment(true), &areas, &sums(&areas, &counties));
    assert_eq!(hidden(&published, "primary"), ["540121", "540122"].map(String::from).into());
    check(&areas, &counties).unwrap();
}

#[test]
fn few_without_something_in_the_whole_region_hide_every_prefecture_and_not_the_region() {
    let all = [("540121", [50, 50, 3]), ("540122", [50, 50, 0]), ("540221", [50, 50, 0]), ("540321", [60, 60, 0])];
    let (areas, counties) = province(&all);
    let hidden = hidden(&published(&commitment(true), &areas, &sums(&areas, &counties)), "primary");
    assert!(!hidden.contains("540000") && ["540100", "540200", "540300"].iter().all(|code| hidden.contains(*code)));
    check(&areas, &counties).unwrap();
}

#[test]
fn an_empty_prefecture_is_no_cover_for_the_only_other_one() {
    let (areas, counties) = province(&[("540221", [0, 3, 0]), ("540222", [10, 7, 1])]);
    let hidden = hidden(&published(&commitment(true), &areas, &sums(&areas, &counties)), "primary");
    assert_eq!(hidden, ["540000", "540200", "540221", "540222"].map(String::from).into());
    check(&areas, &counties).unwrap();
}

#[test]
fn a_prefecture_with_one_small_county_takes_a_neighbour_and_one_of_its_counties_with_it() {
    let large = [("540121", [100, 100, 20]), ("540122", [20, 20, 20]), ("540123", [60, 60, 20])];
    let (areas, counties) =
        province(&[large[0], large[1], large[2], ("540221", [2, 2, 0]), ("540321", [300, 300, 50])]);
    let published = published(&commitment(true), &areas, &sums(&areas, &counties));
    let expected = ["540100", "540122", "540200", "540221"].map(String::from);
    assert_eq!(hidden(&published, "primary"), expected.into());
    check(&areas, &counties).unwrap();
}

#[test]
fn a_measure_of_persons_is_looked_at_beside_a_figure_that_counts_none_and_leaves_it_alone() {
    let (areas, counties) = province(&[
        ("540121", [3, 20, 30]),
        ("540122", [40, 40, 40]),
        ("540221", [50, 50, 50]),
        ("540222", [60, 60, 60]),
    ]);
    let published = published(&commitment(false), &areas, &sums(&areas, &counties));
    let expected: BTreeSet<String> = ["540121", "540122"].map(String::from).into();
    assert_eq!(hidden(&published, "women"), expected);
    assert_eq!(hidden(&published, "men"), expected, "or the women are what is left of a total");
    for shown in ["primary", "paid"] {
        assert_eq!(hidden(&published, shown), BTreeSet::new(), "{shown} counts no persons");
    }
}

#[test]
fn amounts_alone_hide_nothing() {
    let all = ["540121", "540122", "540123", "540221", "540222", "540321", "540322"].map(|code| (code, [30, 30, 30]));
    let (areas, counties) = province(&all);
    let mut rows = rows("2026-06-01", &sums(&areas, &counties));
    for row in rows.iter_mut().filter(|row| row.measure == "paid") {
        (row.numerator, row.value) = (Some(5.0), Some(5.0));
    }
    let commitments = [commitment(true)];
    let mut document = document(&commitments[0], &areas, &rows);
    assert_eq!(apply(&mut document, &mut rows, &commitments, &areas, DEFAULT_THRESHOLD), 0);
}

#[test]
fn a_change_baseline_or_forecast_that_reaches_back_to_a_withheld_month_is_cleared() {
    let large = |women| {
        let all = ["540121", "540122", "540123", "540221", "540222", "540321", "540322"];
        province(&all.map(|code| (code, [if code == "540121" { women } else { 30 }, 30, 30])))
    };
    let (areas, early) = large(4);
    let (_, late) = large(34);
    for (first, withheld_then) in [(&early, true), (&late, false)] {
        let mut all = rows("2025-06-01", &sums(&areas, first));
        for month in ["2025-09-01", "2025-12-01", "2026-03-01", "2026-06-01"] {
            all.extend(rows(month, &sums(&areas, &late)));
        }
        let mut commitment = commitment(true);
        commitment.due = Some(day("2027-12-31"));
        commitment.standing = false;
        let mut document = document(&commitment, &areas, &all);
        let before = document.clone();
        apply(&mut document, &mut all, &[commitment], &areas, DEFAULT_THRESHOLD);
        let of = |document: &AttainmentDocument, area: &str| {
            document.commitments.iter().find(|entry| entry.area == area).cloned().expect("an entry")
        };
        let (known, shown) = (of(&before, "540121"), of(&document, "540121"));
        assert!(known.change_12_months.is_some() && known.baseline.is_some() && known.pace.is_some());
        assert!(!shown.suppressed && shown.value == known.value && shown.status == known.status);
        assert_eq!(shown.change_12_months.is_none(), withheld_then);
        assert_eq!(shown.baseline.is_none() && shown.pace.is_none() && shown.progress.is_none(), withheld_then);
        let prefecture = of(&document, "540100");
        assert!(prefecture.forecast.is_some(), "no month of the prefecture is withheld");
    }
}

#[test]
fn every_measure_that_is_counted_in_persons_says_so() {
    let persons = ["people", "person-times", "pupils", "families", "households", "elders", "children"];
    for entry in &Catalogue::embedded().unwrap().entries {
        let commitment = entry.commitment_on(day("2026-06-30"));
        let id = &commitment.id;
        assert!(commitment.person_based || !persons.contains(&commitment.unit.en.as_str()), "{id}");
        for measure in &commitment.secondary {
            let counted = persons.contains(&measure.unit.en.as_str());
            assert!(measure.person_based || !counted, "{id}.{} is in {}", measure.name, measure.unit.en);
        }
        let flags = |name: &str| entry.measures.iter().find(|measure| measure.name == name).map(|it| it.person_based);
        for measure in &commitment.secondary {
            assert_eq!(flags(&measure.name), Some(measure.person_based), "{id}.{}", measure.name);
        }
    }
}
