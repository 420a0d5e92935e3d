//! What every register promises its callers, checked through its RPCs: the six methods, paging, masks, etags, repeated
//! requests, uploads that are cut and resumed, histories, and bad input.
//!
//! Written once. A register brings its sampler and nothing else: what its methods take, which of its fields are
//! personal, required or decided by the register, and what it refers to stands in its contract. A register whose service
//! is written by hand, as returns, is checked as far as its methods go. What only one register promises is in its own
//! tests.

mod approve;
mod bad_input;
mod bad_values;
mod case;
mod create;
mod end;
mod history;
mod list;
mod natural_id;
mod race;
mod refusal;
mod update;
mod upload;

use chrono::NaiveDate;
use futures::{FutureExt as _, StreamExt as _, future::LocalBoxFuture, stream};
use minsheng_kit::assembly::Definition;

use crate::{
    TestClock, TestDatabase, TestSite,
    sampler::{FIRST_DAY, Sampler},
};
use case::{Case, Outcome};

/// Cases that are under way at the same time.
const AT_ONCE: usize = 8;
/// Days from the first day of the samples until today: what is done on them lies in the past.
const TODAY: u64 = 60;

/// A case: its title, which names its records, too; the counties that it needs; what it does.
type Run = (&'static str, u16, for<'a> fn(&'a Case) -> LocalBoxFuture<'a, Outcome>);

/// The cases. The list comes first: its counties lie in one prefecture.
const CASES: [Run; 10] = [
    ("list", list::COUNTIES, |case| list::run(case).boxed_local()),
    ("create", 2, |case| create::run(case).boxed_local()),
    ("natural-id", 2, |case| natural_id::run(case).boxed_local()),
    ("update", 2, |case| update::run(case).boxed_local()),
    ("end", 1, |case| end::run(case).boxed_local()),
    ("approve", 1, |case| approve::run(case).boxed_local()),
    ("upload", upload::COUNTIES, |case| upload::run(case).boxed_local()),
    ("race", 2, |case| race::run(case).boxed_local()),
    ("history", 1, |case| history::run(case).boxed_local()),
    ("bad-input", 1, |case| bad_input::run(case).boxed_local()),
];

fn day(number: u64) -> NaiveDate {
    FIRST_DAY + chrono::Days::new(number)
}

/// Checks registers of a department's service on a database; panics with all that does not hold, by register and case.
pub async fn check(definition: &'static Definition, database: TestDatabase, samplers: Vec<&'static dyn Sampler>) {
    let site = TestSite::new().expect("certificates");
    let clock = TestClock::on(day(TODAY));
    let service = site.start(definition, database, &clock, &[]).await.expect("starts");
    let channel = |caller| site.channel(caller, definition, &service).expect("a channel");
    let (operator, department) = (channel("operator"), channel(definition.department));
    let mut cases = Vec::new();
    for sampler in samplers {
        let mut first = 0;
        for (title, counties, run) in CASES {
            let case = Case::new(sampler, title, first..first + counties, operator.clone(), department.clone());
            cases.push((case, run));
            first += counties;
        }
    }
    stream::iter(&cases)
        .for_each_concurrent(AT_ONCE, async |(case, run)| {
            if let Err(what) = run(case).await {
                case.fault(what);
            }
        })
        .await;
    service.stop().await.expect("stops");
    let faults: Vec<String> = cases.into_iter().flat_map(|(case, _)| case.faults()).collect();
    assert!(faults.is_empty(), "{} on {database:?}\n{}", faults.len(), faults.join("\n"));
}
