//! A record is created once, under the id that its caller chose.

use minsheng_proto::common::v1::{EndKind, ItemOutcome, RecordState};
use prost_reflect::{DynamicMessage, Value};
use tonic::Code;

use super::case::{Case, Expected as _, Outcome, personal, request_id};
use crate::wire::{meta, text};

pub(super) async fn run(case: &Case) -> Outcome {
    let place = case.place(0);
    let sent = case.sample(&place).await?;
    let (name, id) = (text(&sent, "name"), request_id());
    let created = case.create_as(&id, &sent).await.expected("a record")?;
    says_what_was_sent(case, &sent, &created);
    let read = case.get(&name).await.expected("what was created")?;
    case.same("Get after Create", &read, &created);

    let again = case.create_as(&id, &sent).await.expected("the same request")?;
    case.same("the answer to the same request", &again, &created);
    let reused = case.create_as(&id, &case.varied(&sent)).await;
    case.refused("another content under the same request_id", reused, Code::Aborted, "REQUEST_ID_REUSED");
    for (what, record) in [("the same content again", &sent), ("another content again", &case.varied(&sent))] {
        let refused = case.create(record).await;
        if let Some(refusal) = case.refused(what, refused, Code::AlreadyExists, "RECORD_EXISTS") {
            case.check(refusal.message.contains(&name), || format!("{what}: {refusal} does not name {name}"));
        }
    }
    stays_in_its_area(case, &name).await?;
    case.same("Get after what was refused", &case.get(&name).await.expected("the record")?, &created);
    case.same("the list of the county", &case.listed(&place.county, vec![]).await?, &vec![name]);
    decides_itself(case, &sent, &created).await
}

fn says_what_was_sent(case: &Case, sent: &DynamicMessage, created: &DynamicMessage) {
    let meta = meta(created);
    case.same("the name", &text(created, "name"), &text(sent, "name"));
    case.same("the area", &text(created, "area"), &text(sent, "area"));
    case.same("the content", &case.content(created), &case.content(sent));
    case.same("etag and state", &(meta.etag.as_str(), meta.state()), &("v1", RecordState::Active));
    case.check(meta.create_time.is_some() && meta.create_time == meta.update_time, || format!("times: {meta:?}"));
    case.check(meta.effective_on.is_some() && meta.effective_until.is_none(), || format!("days: {meta:?}"));
    for (whole, shown) in personal(sent).into_iter().zip(personal(created)) {
        let end = &whole.value[whole.value.len() - 4..];
        let masked = shown.value.contains("****") && shown.value.ends_with(end) && shown.value != whole.value;
        case.check(masked, || format!("{} is not masked in the answer", shown.path));
    }
}

/// What exists in one county is not recorded in another.
async fn stays_in_its_area(case: &Case, name: &str) -> Outcome {
    let mut elsewhere = case.sample(&case.place(1)).await?;
    elsewhere.set_field_by_name("name", Value::String(name.to_owned()));
    let results = case.upload_items(&[elsewhere]).await.expected("an upload")?;
    let [result] = results.as_slice() else { return Err(format!("one item is answered by {results:?}")) };
    case.same("the item of another county", &result.outcome(), &ItemOutcome::Rejected);
    let immutable = result.violations.iter().any(|broken| broken.field == "area" && broken.reason == "IMMUTABLE");
    case.check(immutable, || format!("the item of another county: {result:?}"));
    Ok(())
}

/// What the register decides is not taken from a caller: created again after a withdrawal, with the decisions sent, the
/// record says what it said before.
async fn decides_itself(case: &Case, sent: &DynamicMessage, created: &DynamicMessage) -> Outcome {
    let name = text(sent, "name");
    case.end(&name, "v1", EndKind::Withdrawn, None).await.expected("a withdrawal")?;
    let chosen = super::bad_values::chosen_by_caller(created);
    let mut with = sent.clone();
    for (field, value) in &chosen {
        with.set_field(field, value.clone());
    }
    let again = case.create(&with).await.expected("the record again")?;
    case.same("what the register decides", &case.decided(&again), &case.decided(created));
    case.same("the content of the record again", &case.content(&again), &case.content(created));
    Ok(())
}
