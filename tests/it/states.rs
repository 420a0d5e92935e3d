//! One property over every register: whoever is asked about a day, and however, says the same.
//!
//! Random histories (everything that the kit lets one do to a record, what it refuses included) are sent through the RPCs
//! and done to a naive model, day by day. Then for every day in a window the model is compared with `Get…` and `List…`,
//! with the questions of departments and the rules by which other registers judge, with the feed's sum as known at every
//! instant in between, and with what the statistics count. A register brings a sampler ([`Sampler`](minsheng_testkit::sampler::Sampler)).
//!
//! `MINSHENG_SOAK=1` takes more and longer histories. A failing run prints its seed; `MINSHENG_SEED` repeats it.

mod feed;
mod figures;
mod ground;
mod history;
mod model;
mod parameters;
mod shown;

use std::sync::Mutex;

use chrono::{Days, NaiveDate};
use futures::{StreamExt as _, stream};
use minsheng_testkit::{TestDatabase, databases, sampler::FIRST_DAY};

use ground::Ground;
use history::{History, Steady};

use crate::samplers;

/// Days of the window, from [`FIRST_DAY`] on: half a year.
const DAYS: usize = 181;
/// The day on which the first step is done; later ones follow within the window, so that it holds past and planned days.
const FIRST_STEP: usize = 60;
/// Days that pass between two steps at the most.
const PAUSE: usize = 7;
/// Calls that are under way at the same time.
const AT_ONCE: usize = 16;
/// The area of all records.
const REGION: &str = "540000";
/// Disagreements that are shown.
const SHOWN: usize = 12;

/// How much is done.
#[derive(Clone, Copy, Debug)]
struct Size {
    /// Histories of each register, each in a county of its own.
    histories: u16,
    /// Steps of each history.
    steps: usize,
    /// Days for which the statistics are counted beside the ends of months, and instants as of which they are.
    days: usize,
    instants: usize,
}

const SHORT: Size = Size { histories: 5, steps: 12, days: 3, instants: 2 };
const LONG: Size = Size { histories: 30, steps: 30, days: 40, instants: 12 };

/// Where model and service disagreed.
#[derive(Default)]
struct Faults(Mutex<Vec<String>>);

impl Faults {
    fn add(&self, fault: String) {
        self.0.lock().expect("no holder panics").push(fault);
    }

    /// Fails where there are any, with the first of them.
    fn none(self, database: TestDatabase, seed: u64) {
        let mut found = self.0.into_inner().expect("no holder panics");
        found.sort();
        let shown = &found[..found.len().min(SHOWN)];
        assert!(
            found.is_empty(),
            "{} disagreements on {database:?}, MINSHENG_SEED={seed}\n{}",
            found.len(),
            shown.join("\n")
        );
    }
}

/// A round of steps, one of each history: the instant behind it and the day on which it was done.
#[derive(Clone, Copy, Debug)]
struct Round {
    instant: i64,
    today: usize,
}

fn day_of(day: usize) -> NaiveDate {
    FIRST_DAY + Days::new(u64::try_from(day).expect("a small number"))
}

fn seed() -> u64 {
    let seed =
        std::env::var("MINSHENG_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    eprintln!("MINSHENG_SEED={seed}");
    seed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_asked_about_a_day_says_the_same() {
    let size = if std::env::var_os("MINSHENG_SOAK").is_some() { LONG } else { SHORT };
    let seed = seed();
    for database in databases() {
        same_answers(database, size, seed).await;
    }
}

async fn same_answers(database: TestDatabase, size: Size, seed: u64) {
    let ground = Ground::start_all(database, day_of(FIRST_STEP)).await;
    let numbers = 0..size.histories;
    let wanted = samplers::all().into_iter().flat_map(|sampler| numbers.clone().map(move |number| (sampler, number)));
    let prepared = stream::iter(wanted).map(|(sampler, number)| History::prepare(&ground, sampler, number, seed));
    let mut histories: Vec<History> = prepared.buffered(AT_ONCE).collect().await;
    let steady: Vec<Steady> = histories.iter().flat_map(|history| history.steady.clone()).collect();

    let (mut dice, mut rounds, mut today) = (fastrand::Rng::with_seed(seed), Vec::new(), FIRST_STEP);
    for _ in 0..size.steps {
        let pause = dice.usize(0..=PAUSE);
        if pause > 0 && today + pause < DAYS {
            today += pause;
            ground.set_day(day_of(today));
        }
        stream::iter(&mut histories).for_each_concurrent(AT_ONCE, |history| history.step(&ground, today)).await;
        rounds.push(Round { instant: ground.now(), today });
        for history in &mut histories {
            history.known.push(history.timeline.clone());
        }
    }

    let faults = Faults::default();
    for history in histories.iter().filter(|history| history.lost.is_some()) {
        faults.add(history.fault(history.lost.as_deref().unwrap_or_default()));
    }
    // From here on the whole window is past: what is counted is counted up to today.
    let today = DAYS + 3;
    ground.set_day(day_of(today));
    shown::by_name(&ground, &histories, today, seed, &faults).await;
    shown::lists(&ground, &histories, &steady, &faults).await;
    shown::questions(&ground, &histories, seed, &faults).await;
    feed::compare(&ground, &histories, &steady, &rounds, &faults).await;
    figures::compare(&ground, &histories, &steady, &rounds, size, seed, &faults).await;
    ground.stop().await;
    faults.none(database, seed);
}
