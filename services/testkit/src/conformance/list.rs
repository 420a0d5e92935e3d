//! Lists: pages, their tokens, areas and days.

use chrono::{Days, NaiveDate};
use minsheng_kit::register;
use prost_reflect::Value;

use super::case::{Case, Expected as _, Outcome, personal};
use crate::wire::{call, date_value, meta, text};

/// Counties of the case: all of a prefecture, so that no other case has records there.
pub(super) const COUNTIES: u16 = 8;
/// Records of the case.
const RECORDS: u16 = 5;
const PAGE: i32 = 2;
/// Pages after which a walk is taken to be endless.
const MOST_PAGES: usize = 100;

fn area(code: &str) -> (&'static str, Value) {
    ("area", Value::String(code.to_owned()))
}

fn token(token: &str) -> (&'static str, Value) {
    ("page_token", Value::String(token.to_owned()))
}

pub(super) async fn run(case: &Case) -> Outcome {
    let mut names = Vec::new();
    let mut first_day = None;
    for which in 0..RECORDS {
        let created = case.create(&case.sample(&case.place(which)).await?).await.expected("a record")?;
        names.push(text(&created, "name"));
        first_day = meta(&created).effective_on.as_ref().and_then(register::day);
    }
    names.sort();
    let county = case.place(0).county;
    let prefecture = format!("{}00", &county[..4]);
    for which in 0..RECORDS {
        let of = case.place(which).county;
        case.check(of.starts_with(&county[..4]), || format!("{of} lies in another prefecture than {county}"));
    }
    walk(case, &prefecture, &names).await?;
    tokens(case, &prefecture, &county).await?;
    areas(case, &prefecture, &county, &names).await?;
    days(case, &prefecture, first_day.ok_or("a record says no first day")?, &names).await?;
    for size in [-1, 1001] {
        let refused = case.list(vec![area(&prefecture), ("page_size", Value::I32(size))]).await;
        case.refused_for(&format!("a page of {size}"), refused, "page_size");
    }
    Ok(())
}

/// Walks through all pages: each record once, by name.
async fn walk(case: &Case, prefecture: &str, names: &[String]) -> Outcome {
    let (mut found, mut next) = (Vec::new(), String::new());
    for _ in 0..MOST_PAGES {
        let asked = vec![area(prefecture), ("page_size", Value::I32(PAGE)), token(&next)];
        let page = case.list(asked).await.expected("a page")?;
        let full = page.records.len() == usize::try_from(PAGE).unwrap_or_default();
        case.check(full || page.next_page_token.is_empty(), || format!("a page of {} goes on", page.records.len()));
        for person in page.records.iter().flat_map(personal) {
            case.check(person.value.contains("****"), || format!("{} is not masked in a list", person.path));
        }
        found.extend(page.records.iter().map(|record| text(record, "name")));
        next = page.next_page_token;
        if next.is_empty() {
            break;
        }
    }
    case.check(next.is_empty(), || format!("after {MOST_PAGES} pages there is another one"));
    case.check(found.is_sorted(), || format!("pages are not by name: {found:?}"));
    let own: Vec<&String> = found.iter().filter(|name| names.contains(name)).collect();
    case.same("the records of all pages", &own, &names.iter().collect());
    Ok(())
}

/// A token leads through its own list and no other.
async fn tokens(case: &Case, prefecture: &str, county: &str) -> Outcome {
    let page = case.list(vec![area(prefecture), ("page_size", Value::I32(PAGE))]).await.expected("a page")?;
    let given = page.next_page_token;
    let tampered = format!("{}{}", if given.starts_with('A') { 'B' } else { 'A' }, given.get(1..).unwrap_or_default());
    let day = ("on", date_value(super::day(0)));
    let in_force_only = ("in_force_only", Value::Bool(true));
    for (what, fields) in [
        ("a token that was changed", vec![area(prefecture), token(&tampered)]),
        ("a token of another area", vec![area(county), token(&given)]),
        ("a token of another day", vec![area(prefecture), token(&given), day]),
        ("a token of the list of all", vec![area(prefecture), token(&given), in_force_only]),
    ] {
        case.refused_for(what, case.list(fields).await, "page_token");
    }
    // Every department keeps both of these.
    let other = if case.register.collection == "returns" { "milestones" } else { "returns" };
    let other = minsheng_proto::register_of_collection(other).expect("a register of the contracts");
    let answer = call(&case.operator, &other.method("List"), [area(prefecture), token(&given)]).await;
    case.refused_for("the token in another register's list", answer.map_err(Into::into), "page_token");
    Ok(())
}

/// An area holds what lies in it.
async fn areas(case: &Case, prefecture: &str, county: &str, names: &[String]) -> Outcome {
    for code in [prefecture, "540000"] {
        case.same(&format!("the list of {code}"), &case.listed(code, vec![]).await?, &names.to_vec());
    }
    let of_county = case.place(0).name(&case.register.collection, "list");
    case.same(&format!("the list of {county}"), &case.listed(county, vec![]).await?, &vec![of_county]);
    let elsewhere = crate::sampler::Place::of(COUNTIES).county;
    case.same(&format!("the list of {elsewhere}"), &case.listed(&elsewhere, vec![]).await?, &Vec::new());
    for (what, code) in [("a malformed area", "5401"), ("an area that does not exist", "549999")] {
        case.refused_for(what, case.list(vec![area(code)]).await, "area");
    }
    Ok(())
}

/// A day holds what has begun.
async fn days(case: &Case, prefecture: &str, first_day: NaiveDate, names: &[String]) -> Outcome {
    let before = first_day - Days::new(1);
    for in_force_only in [false, true] {
        for (day, expected) in [(before, Vec::new()), (first_day, names.to_vec())] {
            let asked = vec![("on", date_value(day)), ("in_force_only", Value::Bool(in_force_only))];
            let found = case.listed(prefecture, asked).await?;
            case.same(&format!("the list on {day}, in force only: {in_force_only}"), &found, &expected);
        }
    }
    let bad = super::bad_values::no_day();
    case.refused_for("a list on a day that does not exist", case.list(vec![area(prefecture), ("on", bad)]).await, "on");
    Ok(())
}
