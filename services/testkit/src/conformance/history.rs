//! A record's history: what it said before, the newest first, page by page, with persons masked.

use minsheng_proto::common::v1::{self as common, EndKind};
use prost_reflect::{DynamicMessage, Value};

use super::{
    case::{Case, Expected as _, Outcome, Scope, personal},
    day,
    refusal::Refusal,
};
use crate::wire::{call, date, listed, meta, text};

const METHOD: &str = "/minsheng.common.v1.RecordService/ListRevisions";
const PAGE: i32 = 2;
/// Days of the case, counted from the record's first one.
const CHANGED: u64 = 20;
const ENDED: u64 = 40;

/// A content that is expected in the history.
struct Former {
    version: usize,
    content: DynamicMessage,
    days: (Option<common::Date>, Option<common::Date>),
}

pub(super) async fn run(case: &Case) -> Outcome {
    let own = case.sample(&case.place(0)).await?;
    let other = case.varied(&own);
    let mut answers = vec![case.create(&own).await.expected("a record")?];
    let name = text(&own, "name");
    let etag = |answers: &[DynamicMessage]| answers.last().map(meta).unwrap_or_default().etag;
    let days = case.takes("Update", "effective_on");
    let corrected = Scope { correct_all: days, ..Scope::default() };
    answers.push(case.update(&other, &etag(&answers), corrected).await.expected("a correction")?);
    if days {
        let changed = Scope { effective_on: Some(day(CHANGED)), ..Scope::default() };
        answers.push(case.update(&own, &etag(&answers), changed).await.expected("a change")?);
        let ended = case.end(&name, &etag(&answers), EndKind::Ended, Some(day(ENDED))).await;
        answers.push(ended.expected("an end")?);
    }
    let withdrawn = case.end(&name, &etag(&answers), EndKind::Withdrawn, None).await;
    answers.push(withdrawn.expected("a withdrawal")?);

    let (first, changed, ended) = (meta(&answers[0]).effective_on, Some(date(day(CHANGED))), Some(date(day(ENDED))));
    let former = |version, content: &DynamicMessage, days| Former { version, content: case.content(content), days };
    let mut expected = vec![former(1, &own, (first, None)), former(2, &other, (first, None))];
    if days {
        // A change leaves the state before it with fewer days, an end the last one.
        expected.extend([
            former(3, &own, (changed, None)),
            former(4, &other, (first, changed)),
            former(4, &own, (changed, ended)),
        ]);
    }
    expected.reverse();
    compare(case, &read(case, &name).await?, &expected, &answers);
    refused(case, &name).await
}

fn compare(case: &Case, found: &[DynamicMessage], expected: &[Former], answers: &[DynamicMessage]) {
    let revisions: Vec<common::Revision> =
        found.iter().map(|revision| revision.transcode_to().expect("a revision")).collect();
    let versions: Vec<&str> = revisions.iter().map(|revision| revision.etag.as_str()).collect();
    let wanted: Vec<String> = expected.iter().map(|former| format!("v{}", former.version)).collect();
    case.same("the versions of the history", &versions, &wanted.iter().map(String::as_str).collect());
    for (revision, former) in revisions.iter().zip(expected) {
        let what = |what: &str| format!("{what} of version {} in the history", former.version);
        let any = revision.resource.as_ref().expect("a content");
        let content = DynamicMessage::decode(case.register.resource.clone(), any.value.as_slice()).expect("a record");
        case.same(&what("the content"), &case.content(&content), &former.content);
        case.same(&what("the days"), &(revision.effective_on, revision.effective_until), &former.days);
        case.same(&what("the department"), &revision.department.as_str(), &"operator");
        let replaced = answers.get(former.version).map(meta).unwrap_or_default().update_time;
        case.same(&what("the end"), &revision.replace_time, &replaced);
        for person in personal(&content) {
            case.check(person.value.contains('*'), || format!("{} is not masked in the history", person.path));
        }
    }
}

/// Reads a history, page by page.
async fn read(case: &Case, name: &str) -> Result<Vec<DynamicMessage>, String> {
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let page = page(case, name, PAGE, &token).await.expected("a history")?;
        let revisions = listed(&page, "revisions");
        case.check(revisions.len() <= 2, || format!("a page of {} revisions", revisions.len()));
        found.extend(revisions);
        token = text(&page, "next_page_token");
        if token.is_empty() {
            return Ok(found);
        }
    }
}

async fn page(case: &Case, name: &str, size: i32, token: &str) -> Result<DynamicMessage, Refusal> {
    let fields = [
        ("name", Value::String(name.to_owned())),
        ("page_size", Value::I32(size)),
        ("page_token", Value::String(token.to_owned())),
    ];
    call(&case.department, METHOD, fields).await.map_err(Refusal::from)
}

async fn refused(case: &Case, name: &str) -> Outcome {
    let first = page(case, name, 1, "").await.expected("a page")?;
    let token = text(&first, "next_page_token");
    let tampered = format!("{}{}", if token.starts_with('A') { 'B' } else { 'A' }, token.get(1..).unwrap_or_default());
    let other = format!("{name}-other");
    case.refused_for("a token that was changed", page(case, name, 1, &tampered).await, "page_token");
    case.refused_for("a token of another record", page(case, &other, 1, &token).await, "page_token");
    case.refused_for("a page of -1", page(case, name, -1, "").await, "page_size");
    case.refused_for("a history of no register", page(case, "nowhere/x", 1, "").await, "name");
    let none = page(case, &other, 1, "").await.expected("the history of a record that is not there")?;
    case.same("the history of a record that is not there", &listed(&none, "revisions").len(), &0);
    Ok(())
}
