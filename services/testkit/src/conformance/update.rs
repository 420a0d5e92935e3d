//! Updates: masks, etags, what never changes, what is personal, what the register decides.

use minsheng_proto::common::v1::{ItemOutcome, ItemResult};
use prost_reflect::{DynamicMessage, Value};
use tonic::Code;

use super::{
    bad_values::{chosen_by_caller, no_day},
    case::{Case, Expected as _, Outcome, Scope, Varying, personal, request_id},
    day,
};
use crate::wire::{date_value, meta, text};

fn etag(record: &DynamicMessage) -> String {
    meta(record).etag
}

fn masked<'a>(paths: &[&'a str]) -> Scope<'a> {
    Scope { mask: Some(paths.to_vec()), ..Scope::default() }
}

pub(super) async fn run(case: &Case) -> Outcome {
    let sent = case.sample(&case.place(0)).await?;
    let mut record = case.create(&sent).await.expected("a record")?;
    refused(case, &sent, &record).await?;
    let has_masks = case.takes("Update", "update_mask");
    if has_masks {
        record = one_field_at_a_time(case, record).await?;
        paths(case, &record).await;
        persons(case, &sent, &record).await?;
    }
    // Without a mask, with an empty one and with a star all fields are taken.
    let forms = [None, Some(vec![]), Some(vec!["*"])];
    for mask in forms.into_iter().take(if has_masks { 3 } else { 1 }) {
        let mut whole = sent.clone();
        for Varying { field, other } in case.varying(&record) {
            whole.set_field_by_name(field, other);
        }
        let scope = Scope { mask: mask.clone(), ..Scope::default() };
        let updated = case.update(&whole, &etag(&record), scope).await;
        record = updated.expected(&format!("an update with the mask {mask:?}"))?;
        case.same(&format!("the content after the mask {mask:?}"), &case.content(&record), &case.content(&whole));
    }
    if has_masks {
        record = clears(case, &sent, record).await?;
    }
    record = decides_itself(case, &sent, record).await?;
    repeats(case, &sent, record).await
}

/// What is refused leaves the record as it is.
async fn refused(case: &Case, sent: &DynamicMessage, record: &DynamicMessage) -> Outcome {
    let (name, varied) = (text(record, "name"), case.varied(sent));
    let stale = case.update(&varied, "v9999", Scope::default()).await;
    if let Some(refusal) = case.refused("a stale etag", stale, Code::Aborted, "ETAG_MISMATCH") {
        let told = refusal.metadata.get("etag").cloned().unwrap_or_default();
        case.same("the present etag in the refusal", &told, &etag(record));
    }
    let mut unknown = varied.clone();
    unknown.set_field_by_name("name", Value::String(format!("{}/nothing-there", case.register.collection)));
    let answer = case.update(&unknown, "v1", Scope::default()).await;
    case.refused("an update of an unknown record", answer, Code::NotFound, "RECORD_NOT_FOUND");
    let mut nameless = varied.clone();
    nameless.clear_field_by_name("name");
    let answer = case.update(&nameless, &etag(record), Scope::default()).await;
    case.refused_for("an update without a name", answer, &case.updated_path("name"));

    let mut moved = varied;
    moved.set_field_by_name("area", Value::String(case.place(1).county));
    let mut forms = vec![Scope::default()];
    if case.takes("Update", "update_mask") {
        forms.push(masked(&["area"]));
    }
    for scope in forms {
        let answer = case.update(&moved, &etag(record), scope).await;
        if let Some(refusal) = case.refused_for("another area", answer, &case.updated_path("area")) {
            let immutable = refusal.has(&case.updated_path("area"), "IMMUTABLE");
            case.check(immutable, || format!("another area is refused by {refusal}"));
        }
    }
    days(case, sent, &etag(record)).await;
    case.same("Get after what was refused", &case.get(&name).await.expected("the record")?, record);
    Ok(())
}

/// Days that are none, or do not go together.
async fn days(case: &Case, sent: &DynamicMessage, etag: &str) {
    let field = case.register.field();
    for (what, named, days) in [
        ("a day that does not exist", "effective_on", vec![("effective_on", no_day())]),
        ("a day that does not exist", "correct_on", vec![("correct_on", no_day())]),
        (
            "a change and a correction at once",
            "effective_on",
            vec![("effective_on", date_value(day(1))), ("correct_all", Value::Bool(true))],
        ),
        ("a resumption without a day", "resume", vec![("resume", Value::Bool(true))]),
    ] {
        if case.takes("Update", named) {
            let id = ("request_id", Value::String(request_id()));
            let record = (&*field, Value::Message(case.varied(sent)));
            let fields = [vec![id, record, ("etag", Value::String(etag.to_owned()))], days].concat();
            case.refused_for(what, case.send("Update", fields).await, named);
        }
    }
}

/// A mask of one field changes that field and no other.
async fn one_field_at_a_time(case: &Case, mut record: DynamicMessage) -> Result<DynamicMessage, String> {
    let fields: Vec<&str> = case.varying(&record).into_iter().map(|varying| varying.field).collect();
    for field in fields {
        // All fields are sent with another value.
        let mut sent = record.clone();
        for Varying { field, other } in case.varying(&record) {
            sent.set_field_by_name(field, other);
        }
        let mut expected = record.clone();
        expected.set_field_by_name(field, sent.get_field_by_name(field).expect("a field").into_owned());
        let expected = case.content(&expected);
        let updated = case.update(&sent, &etag(&record), masked(&[field])).await;
        record = updated.expected(&format!("an update of {field}"))?;
        case.same(&format!("the content after an update of {field}"), &case.content(&record), &expected);
        let read = case.get(&text(&record, "name")).await.expected("what was updated")?;
        case.same("Get after an update", &read, &record);
    }
    Ok(record)
}

/// A path that cannot be updated is named.
async fn paths(case: &Case, record: &DynamicMessage) {
    let field = case.varying(record)[0].field;
    for path in ["no_such_field", "name", "meta", &format!("{field}.inner")] {
        let answer = case.update(record, &etag(record), masked(&[field, path])).await;
        if let Some(refusal) = case.refused_for(&format!("the path {path}"), answer, "update_mask") {
            case.check(refusal.repeats(path), || format!("the path {path} is refused without its name: {refusal}"));
        }
    }
}

/// A masked value that is sent back does not take the value's place; a mask that leaves the field out keeps it.
async fn persons(case: &Case, sent: &DynamicMessage, record: &DynamicMessage) -> Outcome {
    for person in personal(record) {
        for scope in [masked(&[&person.field]), Scope::default()] {
            let answer = case.update(record, &etag(record), scope).await;
            case.refused_for("a masked value sent back", answer, &case.updated_path(&person.path));
        }
    }
    // The same item is the same record only if the person is the same, too.
    let mut same = sent.clone();
    for Varying { field, .. } in case.varying(sent) {
        same.set_field_by_name(field, record.get_field_by_name(field).expect("a field").into_owned());
    }
    let results = case.upload_items(&[same]).await.expected("an upload")?;
    let outcome = results.first().map(ItemResult::outcome);
    case.same("the record uploaded with its persons", &outcome, &Some(ItemOutcome::Unchanged));
    Ok(())
}

/// A field that the whole record leaves out is cleared.
async fn clears(case: &Case, sent: &DynamicMessage, mut record: DynamicMessage) -> Result<DynamicMessage, String> {
    for (field, values) in case.sampler.variations() {
        let descriptor = case.register.resource.get_field_by_name(field).expect("a field of the resource");
        let may_be_absent = values.iter().any(|value| value.is_default_for_field(&descriptor));
        let value = values.iter().find(|value| !value.is_default_for_field(&descriptor));
        let (true, Some(value)) = (may_be_absent, value) else { continue };
        let mut whole = sent.clone();
        whole.set_field(&descriptor, value.clone());
        let set = case.update(&whole, &etag(&record), Scope::default()).await.expected("a whole record")?;
        whole.clear_field(&descriptor);
        record = case.update(&whole, &etag(&set), Scope::default()).await.expected("a record without a field")?;
        case.check(!record.has_field(&descriptor), || format!("{field} is not cleared"));
    }
    Ok(record)
}

/// What the register decides is not taken from a caller.
async fn decides_itself(case: &Case, sent: &DynamicMessage, record: DynamicMessage) -> Result<DynamicMessage, String> {
    let chosen = chosen_by_caller(&record);
    if chosen.is_empty() {
        return Ok(record);
    }
    let mut whole = sent.clone();
    for (field, value) in &chosen {
        whole.set_field(field, value.clone());
    }
    let updated = case.update(&whole, &etag(&record), Scope::default()).await.expected("a whole record")?;
    for (field, value) in &chosen {
        let taken = updated.get_field(field).as_ref() == value;
        case.check(!taken, || format!("{} is taken from the caller", field.name()));
    }
    Ok(updated)
}

/// The same request is carried out once.
async fn repeats(case: &Case, sent: &DynamicMessage, record: DynamicMessage) -> Outcome {
    let (id, first_etag) = (request_id(), etag(&record));
    let updated = case.update_as(&id, sent, &first_etag, Scope::default()).await.expected("an update")?;
    let again = case.update_as(&id, sent, &first_etag, Scope::default()).await.expected("the same update")?;
    case.same("the answer to the same update", &again, &updated);
    let reused = case.update_as(&id, &case.varied(sent), &first_etag, Scope::default()).await;
    case.refused("another update under the same request_id", reused, Code::Aborted, "REQUEST_ID_REUSED");
    let read = case.get(&text(&updated, "name")).await.expected("the record")?;
    case.same("Get after the same update", &read, &updated);
    Ok(())
}
