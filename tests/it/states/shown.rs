//! What the registers' own answers say of days: their Get and List, and the questions of others.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use minsheng::upload::Uploader;
use minsheng_kit::clients::OutgoingRequest as _;
use minsheng_proto::common::v1 as common;
use minsheng_testkit::{
    sampler::Question,
    wire::{Raw, call, date_value, inner, meta, text},
};
use prost_reflect::{DynamicMessage, Value};
use tonic::{Code, Request, client::Grpc};
use uuid::Uuid;

use super::{
    AT_ONCE, DAYS, Faults, REGION, day_of,
    ground::Ground,
    history::{History, Steady},
    model::Seen,
};
use crate::samplers::{date, department};

/// Compares an answer with what the model says of a day.
fn compare(shown: &DynamicMessage, seen: &Seen<'_>, version: u32) -> Result<(), String> {
    let meta = meta(shown);
    let day = |day: usize| date(day_of(day));
    let state = if seen.ended { common::RecordState::Ended } else { common::RecordState::Active };
    let expected = common::RecordMeta {
        etag: format!("v{version}"),
        effective_on: day(seen.from),
        effective_until: seen.until.and_then(day),
        ended_on: seen.ended_on.and_then(day),
        state: state.into(),
        create_time: meta.create_time,
        update_time: meta.update_time,
    };
    if meta != expected {
        return Err(format!("shows {meta:?} where {expected:?} is expected"));
    }
    for (field, value) in seen.content {
        let found = shown.get_field_by_name(field).map(std::borrow::Cow::into_owned);
        if found.as_ref() != Some(value) {
            return Err(format!("shows {found:?} as {field} where {value:?} is expected"));
        }
    }
    Ok(())
}

/// Asks for each record by its name: on the days of its boundaries and beside them, on some others, and without a day.
pub(super) async fn by_name(ground: &Ground, histories: &[History], today: usize, seed: u64, faults: &Faults) {
    let asking = histories.iter().filter(|history| history.lost.is_none() && history.timeline.is_there());
    stream::iter(asking)
        .for_each_concurrent(AT_ONCE, async |history| {
            if let Err(what) = history_by_name(ground, history, today, seed).await {
                faults.add(history.fault(&what));
            }
        })
        .await;
}

async fn history_by_name(ground: &Ground, history: &History, today: usize, seed: u64) -> Result<(), String> {
    let channel = ground.channel("operator", history.department);
    let name = || ("name", Value::String(history.name.clone()));
    let (path, field) = (history.register.method("Get"), history.register.field());
    for day in some_days(history, seed) {
        let found = call(&channel, &path, [name(), ("on", date_value(day_of(day)))]).await;
        let on = day_of(day);
        match (found, history.timeline.seen(day)) {
            (Ok(answer), Some(seen)) => compare(&inner(&answer, &field), &seen, history.timeline.version)
                .map_err(|what| format!("Get on {on} {what}"))?,
            (Err(status), None) if status.code() == Code::NotFound => {}
            (Ok(_), None) => return Err(format!("Get on {on} shows a record that is not there")),
            (Err(status), _) => return Err(format!("Get on {on} is refused: {status:?}")),
        }
    }
    let shown = history.get(ground).await.map_err(|status| format!("Get is refused: {status:?}"))?;
    match history.timeline.seen(history.timeline.present(today)) {
        Some(seen) => compare(&shown, &seen, history.timeline.version).map_err(|what| format!("Get {what}")),
        None if meta(&shown).state() == common::RecordState::Withdrawn => Ok(()),
        None => Err(format!("Get shows {:?} of a withdrawn record", meta(&shown))),
    }
}

/// Draws the days on which one record is looked at.
fn some_days(history: &History, seed: u64) -> BTreeSet<usize> {
    let mut dice = fastrand::Rng::with_seed(seed ^ u64::from(history.place.number));
    let beside = history.timeline.boundaries().into_iter().flat_map(|day| [day - 1, day, day + 1]);
    beside.chain([0, DAYS - 1, dice.usize(0..DAYS), dice.usize(0..DAYS)]).filter(|day| *day < DAYS).collect()
}

/// Lists every register on every day of the window.
pub(super) async fn lists(ground: &Ground, histories: &[History], steady: &[Steady], faults: &Faults) {
    let registers: BTreeSet<&str> = histories.iter().map(|history| history.sampler.register()).collect();
    let asked = registers.iter().flat_map(|register| (0..DAYS).map(move |day| (*register, day)));
    stream::iter(asked)
        .for_each_concurrent(AT_ONCE, async |(register, day)| {
            // Both forms of the list, each on every other day and on the day after it.
            let in_force_only = day % 4 < 2;
            let of: Vec<&History> = histories.iter().filter(|history| history.sampler.register() == register).collect();
            let listed = list(ground, register, day, in_force_only).await;
            let steady = steady.iter().filter(|record| record.register == register && record.from <= day);
            for record in steady.filter(|record| !listed.contains_key(&record.name)) {
                faults.add(format!("{} is not listed on {}, and nobody changed it", record.name, day_of(day)));
            }
            for history in of.into_iter().filter(|history| history.lost.is_none()) {
                let seen = history.timeline.seen(day).filter(|seen| !(seen.ended && in_force_only));
                let told = match (listed.get(&history.name), seen) {
                    (Some(shown), Some(seen)) => compare(shown, &seen, history.timeline.version),
                    (None, None) => Ok(()),
                    (Some(_), None) => Err("shows a record that is not there".to_owned()),
                    (None, Some(_)) => Err("leaves out a record".to_owned()),
                };
                if let Err(what) = told {
                    let form = if in_force_only { " in force only" } else { "" };
                    faults.add(history.fault(&format!("List{form} on {} {what}", day_of(day))));
                }
            }
        })
        .await;
}

async fn list(ground: &Ground, register: &str, day: usize, in_force_only: bool) -> BTreeMap<String, DynamicMessage> {
    let register = super::ground::register(register);
    let channel = ground.channel("operator", department(register));
    let mut found = BTreeMap::new();
    let mut token = String::new();
    loop {
        let fields = [
            ("area", Value::String(REGION.to_owned())),
            ("page_size", Value::I32(1000)),
            ("page_token", Value::String(token)),
            ("on", date_value(day_of(day))),
            ("in_force_only", Value::Bool(in_force_only)),
        ];
        let page = call(&channel, &register.method("List"), fields).await.expect("listed");
        let records = page.get_field_by_name(&register.collection).expect("a list").into_owned();
        for record in records.as_list().expect("a list").iter().filter_map(Value::as_message) {
            found.insert(text(record, "name"), record.clone());
        }
        token = text(&page, "next_page_token");
        if token.is_empty() {
            return found;
        }
    }
}

/// Items about records, each with whether it would be taken, by day.
type AskedByDay<'a> = BTreeMap<usize, Vec<(&'a History, bool, Bytes)>>;

/// Puts the registers' questions: those by which other registers judge on every day, those of other departments on some.
pub(super) async fn questions(ground: &Ground, histories: &[History], seed: u64, faults: &Faults) {
    let asked = histories.iter().filter(|history| history.lost.is_none() && history.timeline.is_there());
    let mut items: BTreeMap<&str, AskedByDay<'_>> = BTreeMap::new();
    let mut calls = Vec::new();
    for history in asked {
        let some = some_days(history, seed);
        for day in 0..DAYS {
            for question in history.sampler.questions(&history.place, &history.name, day_of(day)) {
                let mut put = |register, expected, item| {
                    let days = items.entry(register).or_default();
                    days.entry(day).or_default().push((history, expected, item));
                };
                match question {
                    Question::Takes { register, item } => put(register, history.timeline.holds_on(day), item),
                    Question::KeyIsFree { item } => {
                        put(history.sampler.register(), !history.timeline.holds_from(day), item);
                    }
                    Question::Asks { .. } if some.contains(&day) => calls.push((history, day, question)),
                    Question::Asks { .. } => {}
                }
            }
        }
    }
    for (register, days) in items {
        would_be_taken(ground, register, days, faults).await;
    }
    stream::iter(calls)
        .for_each_concurrent(AT_ONCE, async |(history, day, question)| {
            let Question::Asks { caller, department, path, request, yes } = question else { return };
            let mut client = Grpc::new(ground.channel(caller, department));
            client.ready().await.expect("connected");
            let route = path.parse().expect("a path");
            let answered = client.unary(Request::new(request.to_vec()).idempotent(), route, Raw).await;
            let expected = history.timeline.holds_on(day);
            match answered {
                Ok(answer) if yes(answer.get_ref().clone()) == expected => {}
                Ok(_) => faults.add(history.fault(&format!("{path} on {} does not say {expected}", day_of(day)))),
                Err(status) => faults.add(history.fault(&format!("{path} on {}: {status:?}", day_of(day)))),
            }
        })
        .await;
}

/// Lets a register check items without taking them: one chunk for each day, so that items of several days do not meet.
async fn would_be_taken(ground: &Ground, register: &str, days: AskedByDay<'_>, faults: &Faults) {
    let register = super::ground::register(register);
    let uploader =
        Uploader::new(ground.channel("operator", department(register)), register, Uuid::new_v4()).validate_only();
    let chunks: Vec<Vec<Bytes>> =
        days.values().map(|asked| asked.iter().map(|(_, _, item)| item.clone()).collect()).collect();
    let days: Vec<_> = days.into_iter().collect();
    let answered = uploader.send(0, stream::iter(chunks), |answer| {
        let (day, asked) = &days[usize::try_from(answer.chunk).expect("from 0")];
        for ((history, expected, _), result) in asked.iter().zip(&answer.results) {
            let taken = result.outcome() == common::ItemOutcome::Valid;
            if taken != *expected {
                let (on, kind) = (day_of(*day), &register.collection);
                faults.add(history.fault(&format!("{kind} of {on} would be taken: {taken}; {result:?}")));
            }
        }
    });
    answered.await.expect("answered");
}
