//! The same of parameters: what an operator files from day to day, `ListParameters`, and the feed's sum.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use fastrand::Rng;
use minsheng_kit::values::parameters::{Parameter, Parameters};
use minsheng_proto::common::v1::{
    self as common, ListParametersRequest, SetParameterRequest, parameter_service_client::ParameterServiceClient,
};
use minsheng_testkit::{TestDatabase, databases};

use super::{
    DAYS, FIRST_STEP, Faults, day_of,
    feed::{self, Entry},
    ground::Ground,
    history::request_id,
    seed,
};
use crate::samplers::date;

/// Keys of health whose values are filed, one of which the software ships without.
const KEYS: [(&str, &str); 3] =
    [("recognition.minimum_institutions", "count"), ("age_friendly.pass_score", "score"), ("states.test_days", "days")];
const AREAS: [&str; 3] = ["540000", "540100", "540102"];
const DEPARTMENT: &str = "health";

/// A value that somebody filed or the software ships with.
#[derive(Clone, Debug, PartialEq)]
struct Filed {
    value: i64,
    from: NaiveDate,
    to: Option<NaiveDate>,
}

/// The values of each key and area in the order in which they were told; those that the software ships with come first.
type Told = BTreeMap<(String, String), Vec<Filed>>;

/// Returns the value that holds on a day: of those whose days hold it the one that started last, of two that started on one
/// day the later one alone.
fn held(told: &[Filed], day: NaiveDate) -> Option<i64> {
    let mut found: Option<&Filed> = None;
    for (index, filed) in told.iter().enumerate() {
        let replaced = told[index + 1..].iter().any(|later| later.from == filed.from);
        let holds = !replaced && filed.from <= day && filed.to.is_none_or(|last| day <= last);
        if holds && found.is_none_or(|found| found.from <= filed.from) {
            found = Some(filed);
        }
    }
    found.map(|filed| filed.value)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn list_and_feed_say_the_same_of_parameters_on_every_day() {
    let steps = if std::env::var_os("MINSHENG_SOAK").is_some() { 200 } else { 25 };
    let seed = seed();
    for database in databases() {
        same_parameters(database, steps, seed).await;
    }
}

async fn same_parameters(database: TestDatabase, steps: usize, seed: u64) {
    let ground = Ground::start(database, &[DEPARTMENT], day_of(FIRST_STEP)).await;
    let (mut dice, faults) = (Rng::with_seed(seed), Faults::default());
    let mut told = shipped();
    let mut known = vec![(ground.now(), told.clone())];
    for _ in 0..steps {
        file(&ground, &mut told, &mut dice).await;
        known.push((ground.now(), told.clone()));
    }
    for day in 0..DAYS {
        let expected = all_held(&told, day_of(day));
        let listed = list(&ground, day_of(day)).await;
        if listed != expected {
            faults.add(difference(&format!("ListParameters on {}", day_of(day)), &listed, &expected, &told));
        }
    }
    let rows = feed::read(&ground, DEPARTMENT, &format!("{DEPARTMENT}.parameters")).await;
    for (record, rows) in &rows {
        feed::keeps_the_rules(rows).unwrap_or_else(|what| faults.add(format!("{record}: {what}")));
    }
    for (step, (instant, told)) in known.iter().enumerate() {
        for day in 0..DAYS {
            let (summed, expected) = (sums(&rows, *instant, day), all_held(told, day_of(day)));
            if summed != expected {
                let what = format!("after {step} steps the feed's sum of {}", day_of(day));
                faults.add(difference(&what, &summed, &expected, told));
                break;
            }
        }
    }
    ground.stop().await;
    faults.none(database, seed);
}

fn shipped() -> Told {
    let mut told = Told::new();
    for Parameter { key, area, value, effective_from, effective_to, .. } in Parameters::get().iter() {
        let filed = Filed { value: *value, from: *effective_from, to: *effective_to };
        told.entry((key.clone(), area.as_str().to_owned())).or_default().push(filed);
    }
    told
}

/// Files a value that begins within the window, or before it.
async fn file(ground: &Ground, told: &mut Told, dice: &mut Rng) {
    let (key, unit) = KEYS[dice.usize(0..KEYS.len())];
    let area = AREAS[dice.usize(0..AREAS.len())];
    let near = dice.usize(0..12) * 15;
    let from = day_of(near) - chrono::Days::new(if dice.u8(0..6) == 0 { 400 } else { 0 });
    let to = (dice.u8(0..3) == 0).then(|| from + chrono::Days::new(dice.u64(0..60)));
    let filed = Filed { value: dice.i64(1..90), from, to };
    let parameter = common::Parameter {
        key: key.to_owned(),
        area: area.to_owned(),
        value: filed.value,
        unit: unit.to_owned(),
        effective_from: date(from),
        effective_to: to.and_then(date),
        source: "a test".to_owned(),
        confidence: common::Confidence::Low.into(),
    };
    let prost_reflect::Value::String(request_id) = request_id(dice) else { return };
    let request = SetParameterRequest { request_id, parameter: Some(parameter) };
    let mut client = ParameterServiceClient::new(ground.channel("operator", DEPARTMENT));
    client.set_parameter(request).await.expect("filed");
    told.entry((key.to_owned(), area.to_owned())).or_default().push(filed);
}

/// The values that hold on a day, by record.
type Held = BTreeMap<String, Vec<i64>>;

fn all_held(told: &Told, day: NaiveDate) -> Held {
    let held = told.iter().filter_map(|((key, area), told)| Some((format!("{key}/{area}"), vec![held(told, day)?])));
    held.collect()
}

async fn list(ground: &Ground, day: NaiveDate) -> Held {
    let mut client = ParameterServiceClient::new(ground.channel("operator", DEPARTMENT));
    let mut listed = Held::new();
    let mut page_token = String::new();
    loop {
        let request = ListParametersRequest { key_prefix: String::new(), on: date(day), page_size: 1000, page_token };
        let page = client.list_parameters(request).await.expect("listed").into_inner();
        for parameter in page.parameters {
            let record = format!("{}/{}", parameter.key, parameter.area);
            listed.entry(record).or_default().push(parameter.value);
        }
        if page.next_page_token.is_empty() {
            return listed;
        }
        page_token = page.next_page_token;
    }
}

/// Nets the rows of a day and returns what is left, by record.
fn sums(rows: &BTreeMap<String, Vec<Entry>>, instant: i64, day: usize) -> Held {
    let mut held = Held::new();
    for (record, rows) in rows {
        for (value, count) in feed::values_on(rows, instant, day, "value") {
            held.entry(record.clone()).or_default().extend(vec![value; count]);
        }
    }
    held
}

fn difference(what: &str, found: &Held, expected: &Held, told: &Told) -> String {
    let wrong = |record: &&String| found.get(*record) != expected.get(*record);
    let record = expected.keys().chain(found.keys()).find(wrong).cloned().unwrap_or_default();
    let filed = record.split_once('/').and_then(|(key, area)| told.get(&(key.to_owned(), area.to_owned())));
    format!("{what}: {record} is {:?}, {:?} expected: {filed:?}", found.get(&record), expected.get(&record))
}
