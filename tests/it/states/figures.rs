//! What the statistics count: `COUNT(*)` of each dataset in each county, out of one lake for all histories.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Datelike as _, NaiveDate};
use minsheng_analytics::{
    catalogue::Catalogue,
    feed::FlightFeed,
    job,
    lake::Lake,
    statistics::{BitemporalCutoff, Statistics, compute},
};

use super::{
    DAYS, Faults, Round, Size, day_of,
    ground::{Ground, register},
    history::{History, Steady},
};
use crate::samplers::department;

/// Reads all feeds into a lake, and compares what is counted with the models: at the ends of months, on some days more, and
/// as known at some of the earlier instants.
pub(super) async fn compare(
    ground: &Ground,
    histories: &[History],
    steady: &[Steady],
    rounds: &[Round],
    size: Size,
    seed: u64,
    faults: &Faults,
) {
    let lake = Arc::new(Mutex::new(Lake::open(&ground.directory().join("lake")).expect("a lake")));
    let feeds = ground.departments().map(|name| FlightFeed::new(name, ground.channel("analytics", name))).collect();
    let collected = job::collect(feeds, &lake).await;
    assert!(collected.unreached.is_empty(), "{:?}", collected.unreached);
    let now = ground.now();
    tokio::task::block_in_place(|| {
        let lake = lake.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = Figures { catalogue: catalogue(histories), lake: &lake, histories, steady };
        let mut dice = fastrand::Rng::with_seed(seed);
        for index in 0..size.days {
            let on = if index == 0 { DAYS - 1 } else { dice.usize(0..DAYS) };
            figures.compare(on, now, rounds.len() - 1, faults);
        }
        for _ in 0..size.instants {
            let round = dice.usize(0..rounds.len());
            // What was known at an instant is counted up to its day.
            figures.compare(rounds[round].today, rounds[round].instant, round, faults);
        }
    });
}

struct Figures<'a> {
    catalogue: Catalogue,
    lake: &'a Lake,
    histories: &'a [History],
    steady: &'a [Steady],
}

impl Figures<'_> {
    /// Compares the months up to a day, as known at an instant that belongs to a round of steps.
    fn compare(&self, on: usize, instant: i64, round: usize, faults: &Faults) {
        let as_of = DateTime::from_timestamp_micros(instant).expect("an instant");
        let question = BitemporalCutoff { on: day_of(on), as_of };
        let counted = compute(&self.catalogue, self.lake, &question).expect("counted");
        let mut told = BTreeSet::new();
        let ends = (0..on).filter(|day| day_of(day + 1).day() == 1).chain([on]);
        for day in ends {
            for ((register, county), expected) in self.expected(day, round) {
                let found = value(&counted, register, county, day_of(day));
                // A dataset that says nothing of the day yet has no row.
                let differs = (found.unwrap_or_default() - expected).abs() > 0.5;
                if differs && told.insert((register, county)) {
                    let what = format!("{register} of {county} on {}, known at {as_of}", day_of(day));
                    let here = |history: &&History| history.place.county == county;
                    let of: Vec<String> = self.of(register).filter(here).map(|history| history.fault("")).collect();
                    faults.add(format!("{what}: {found:?} are counted, {expected} expected\n{}", of.join("\n")));
                }
            }
        }
    }

    fn of<'a>(&'a self, register: &'a str) -> impl Iterator<Item = &'a History> {
        self.histories.iter().filter(move |history| history.sampler.register() == register)
    }

    /// Counts the records in force on a day, by register and county; counties of a history that was lost are left out.
    fn expected(&self, day: usize, round: usize) -> BTreeMap<(&str, &str), f64> {
        let mut counts: BTreeMap<(&str, &str), f64> = BTreeMap::new();
        for record in self.steady {
            *counts.entry((record.register, &record.county)).or_default() += f64::from(record.from <= day);
        }
        let mut lost = BTreeSet::new();
        for history in self.histories {
            let place = (history.sampler.register(), history.place.county.as_str());
            *counts.entry(place).or_default() += f64::from(history.known[round].holds_on(day));
            if history.lost.is_some() {
                lost.insert(place);
            }
        }
        counts.retain(|place, _| !lost.contains(place));
        counts
    }
}

fn value(counted: &Statistics, register: &str, county: &str, day: NaiveDate) -> Option<f64> {
    let month = day.with_day(1);
    let row = counted
        .rows
        .iter()
        .find(|row| row.commitment == id(register) && row.area == county && Some(row.month) == month)?;
    row.value
}

fn id(register: &str) -> String {
    register.replace('_', "-")
}

/// Returns a catalogue that counts each register's dataset. The catalogue's check would have filings counted by other ways;
/// as records they are like any others, so the datasets are put in behind it.
fn catalogue(histories: &[History]) -> Catalogue {
    let registers: BTreeSet<&str> = histories.iter().map(|history| history.sampler.register()).collect();
    let mut text = String::new();
    for name in &registers {
        let id = id(name);
        write!(
            text,
            r#"
[[commitment]]
id = "{id}"
article = 1
service = "education"
leads = ["test"]
title_zh = "演示"
title_en = "A test"
kind = "count"
basis = "trend"
direction = "rising"
unit = "records"
unit_zh = "条"
source = "register"
text_zh = "演示"
text_en = "A test"

[[commitment.measures]]
name = "primary"
form = "figure"
dataset = "education.schools"
empty = "zero"
numerator = "COUNT(*)"
"#
        )
        .expect("a text grows");
    }
    let mut catalogue = Catalogue::parse(&[("states.toml", &text)]).expect("a sound catalogue");
    for (entry, name) in catalogue.entries.iter_mut().zip(&registers) {
        let register = register(name);
        entry.measures[0].dataset = register.dataset(department(register));
    }
    catalogue
}
