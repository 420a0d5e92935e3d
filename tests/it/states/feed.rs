//! What the feed says: read over Flight, and summed up as anybody may who knows no more than its columns.

use std::collections::{BTreeMap, BTreeSet};

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _, RecordBatch},
    datatypes::{Date32Type, Int64Type, TimestampMicrosecondType},
    util::display::array_value_to_string,
};
use futures::StreamExt as _;
use minsheng_analytics::feed::{Feed as _, FlightFeed};

use super::{
    DAYS, Faults, Round, day_of,
    ground::Ground,
    history::{History, Steady},
    model::Timeline,
};
use crate::samplers::department;

/// A row of a feed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) record: String,
    assertion: i64,
    diff: i64,
    from: i64,
    until: Option<i64>,
    ended: bool,
    recorded_at: i64,
    area: String,
    /// The dataset's own columns, as text.
    payload: Vec<String>,
    /// Those of them that are whole numbers.
    numbers: BTreeMap<String, i64>,
}

impl Entry {
    /// Reports whether its days hold one, counted from the first day of the window.
    fn is_of(&self, day: usize) -> bool {
        let day = i64::from(day_of(day).to_epoch_days());
        self.from <= day && self.until.is_none_or(|until| day < until)
    }
}

/// Reads a dataset from its beginning, in the order of positions, by record.
pub(super) async fn read(ground: &Ground, department: &str, dataset: &str) -> BTreeMap<String, Vec<Entry>> {
    let mut feed = FlightFeed::new(department, ground.channel("analytics", department));
    let mut pieces = feed.changes(dataset, "").await.expect("a feed");
    let mut entries: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    let mut last = 0;
    while let Some(piece) = pieces.next().await {
        let Some(rows) = piece.expect("a piece").rows else { continue };
        for row in 0..rows.num_rows() {
            let position = column(&rows, "_position").as_primitive::<Int64Type>().value(row);
            assert!(position > last, "position {position} comes after {last}");
            last = position;
            let entry = entry(&rows, row);
            entries.entry(entry.record.clone()).or_default().push(entry);
        }
    }
    entries
}

fn column(rows: &RecordBatch, name: &str) -> ArrayRef {
    rows.column_by_name(name).unwrap_or_else(|| panic!("no column {name}")).clone()
}

fn entry(rows: &RecordBatch, row: usize) -> Entry {
    let number = |name: &str| column(rows, name).as_primitive::<Int64Type>().value(row);
    let text = |name: &str| column(rows, name).as_string::<i32>().value(row).to_owned();
    let until = column(rows, "_until");
    let schema = rows.schema();
    let own: Vec<_> =
        schema.fields().iter().zip(rows.columns()).filter(|(field, _)| !field.name().starts_with('_')).collect();
    let numbers = own.iter().filter_map(|(field, values)| {
        let values = values.as_primitive_opt::<Int64Type>().filter(|values| values.is_valid(row))?;
        Some((field.name().clone(), values.value(row)))
    });
    Entry {
        record: text("_record"),
        assertion: number("_assertion"),
        diff: number("_diff"),
        from: column(rows, "_from").as_primitive::<Date32Type>().value(row).into(),
        until: until.is_valid(row).then(|| until.as_primitive::<Date32Type>().value(row).into()),
        ended: column(rows, "_ended").as_boolean().value(row),
        recorded_at: column(rows, "_recorded_at").as_primitive::<TimestampMicrosecondType>().value(row),
        area: text("_area"),
        numbers: numbers.collect(),
        payload: own.iter().map(|(_, values)| array_value_to_string(values, row).expect("a value")).collect(),
    }
}

/// Compares the feeds of all registers with the models, at every instant at which these were looked at.
pub(super) async fn compare(
    ground: &Ground,
    histories: &[History],
    steady: &[Steady],
    rounds: &[Round],
    faults: &Faults,
) {
    let registers: BTreeSet<&str> = histories.iter().map(|history| history.sampler.register()).collect();
    for register in registers {
        let register = super::ground::register(register);
        let department = department(register);
        let dataset = register.dataset(department);
        let feed = read(ground, department, &dataset).await;
        let entries = |name: &str| {
            let id = name.rsplit_once('/').map_or(name, |(_, id)| id);
            feed.get(id).map_or(&[][..], Vec::as_slice)
        };
        for record in steady.iter().filter(|record| record.register == register.collection) {
            let rows = entries(&record.name);
            let told = keeps_the_rules(rows).and_then(|()| {
                let wrong = (0..DAYS).find(|day| sum(rows, *day, false) != i64::from(record.from <= *day));
                wrong.map_or(Ok(()), |day| Err(format!("the feed sums up wrong on {}", day_of(day))))
            });
            if let Err(what) = told {
                faults.add(format!("{}, which nobody changed: {what}", record.name));
            }
        }
        for history in histories.iter().filter(|history| history.register.collection == register.collection) {
            let told = of_history(entries(&history.name), history, rounds);
            if let (Err(what), None) = (told, &history.lost) {
                faults.add(history.fault(&what));
            }
        }
    }
}

/// Sums up the signs of the rows of a day.
fn sum(rows: &[Entry], day: usize, ended: bool) -> i64 {
    rows.iter().filter(|row| row.ended == ended && row.is_of(day)).map(|row| row.diff).sum()
}

/// Returns the values that a column of whole numbers has on a day, each with the sum of its signs as known at an
/// instant.
pub(super) fn values_on(rows: &[Entry], instant: i64, day: usize, column: &str) -> BTreeMap<i64, usize> {
    let mut sums: BTreeMap<i64, i64> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.recorded_at <= instant && !row.ended && row.is_of(day)) {
        *sums.entry(row.numbers[column]).or_default() += row.diff;
    }
    sums.into_iter()
        .filter_map(|(value, sum)| Some((value, usize::try_from(sum).ok().filter(|sum| *sum > 0)?)))
        .collect()
}

/// Checks what every reader may rely on: one assertion for each number, at most one retraction and that a later one
/// which repeats the assertion, and instants that never go back.
pub(super) fn keeps_the_rules(rows: &[Entry]) -> Result<(), String> {
    let mut asserted: BTreeMap<i64, (&Entry, bool)> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        if index > 0 && rows[index - 1].recorded_at > row.recorded_at {
            return Err(format!("the instant goes back with {row:?}"));
        }
        match (row.diff, asserted.get_mut(&row.assertion)) {
            (1, None) => drop(asserted.insert(row.assertion, (row, false))),
            (-1, Some((assertion, retracted @ false))) => {
                *retracted = true;
                let repeats = Entry { diff: 1, recorded_at: assertion.recorded_at, ..row.clone() };
                if repeats != **assertion {
                    return Err(format!("{row:?} does not repeat {assertion:?}"));
                }
            }
            _ => return Err(format!("{row:?} asserts or retracts out of turn")),
        }
    }
    Ok(())
}

fn of_history(rows: &[Entry], history: &History, rounds: &[Round]) -> Result<(), String> {
    keeps_the_rules(rows)?;
    if rows.iter().any(|row| row.area != history.place.county) {
        return Err("the feed names another area".to_owned());
    }
    let mut told: BTreeMap<(u32, String), &[String]> = BTreeMap::new();
    for (round, timeline) in rounds.iter().zip(&history.known) {
        let known: Vec<Entry> = rows.iter().filter(|row| row.recorded_at <= round.instant).cloned().collect();
        let at = |day: usize| format!("as known after {} steps, on {},", timeline.version, day_of(day));
        for day in 0..DAYS {
            let (holds, ended) = (sum(&known, day, false), sum(&known, day, true));
            if holds != i64::from(timeline.holds_on(day)) {
                return Err(format!("{} the feed sums up to {holds}", at(day)));
            }
            if ended != i64::from(timeline.has_ended_on(day)) {
                return Err(format!("{} the rows of ended records sum up to {ended}", at(day)));
            }
        }
        for (content, payload) in contents(rows, &known, timeline) {
            let first = told.entry(content.clone()).or_insert(payload);
            if *first != payload {
                return Err(format!("{content:?} is told as {first:?} and as {payload:?}"));
            }
        }
    }
    let mut contents: BTreeMap<&[String], &str> = BTreeMap::new();
    for ((_, content), payload) in &told {
        let first = *contents.entry(payload).or_insert(content);
        if first != content {
            return Err(format!("{first} and {content} are both told as {payload:?}"));
        }
    }
    Ok(())
}

/// Pairs what the model says of the days with the rows that are left for them when all is netted.
fn contents<'a>(rows: &'a [Entry], known: &[Entry], timeline: &Timeline) -> Vec<((u32, String), &'a [String])> {
    let mut net: BTreeMap<i64, i64> = BTreeMap::new();
    for row in known {
        *net.entry(row.assertion).or_default() += row.diff;
    }
    let standing = |row: &&Entry| row.diff == 1 && net.get(&row.assertion) == Some(&1);
    let standing: Vec<&Entry> = rows.iter().filter(standing).collect();
    let days = [0].into_iter().chain(timeline.boundaries());
    let pairs = days.filter_map(|day| {
        let seen = timeline.seen(day)?;
        let row = standing.iter().find(|row| row.ended == seen.ended && row.is_of(day))?;
        // What was decided once more when the record was recorded again may be told otherwise.
        Some(((timeline.generation, format!("{:?}", seen.content)), row.payload.as_slice()))
    });
    pairs.collect()
}
