//! A record whose creation names none: where the content names it, the same content is the same record.

use minsheng_proto::common::v1::{ItemOutcome, ItemResult, NamedBy};
use prost_reflect::{DynamicMessage, Value};
use tonic::Code;

use super::case::{Case, Expected as _, Outcome, Varying, personal};
use crate::wire::text;

/// Longest id of a record.
const LONGEST_ID: usize = 128;

pub(super) async fn run(case: &Case) -> Outcome {
    let mut unnamed = case.sample(&case.place(0)).await?;
    unnamed.clear_field_by_name("name");
    for person in personal(&unnamed) {
        let mut exposing = unnamed.clone();
        exposing.set_field_by_name("name", Value::String(format!("{}/{}", case.register.collection, person.value)));
        let refused = case.create(&exposing).await;
        if let Some(refusal) = case.refused_for("an identity number as the id", refused, &case.created_path("name")) {
            case.check(!refusal.repeats(&person.value), || "the refusal repeats the identity number".to_owned());
        }
    }

    let created = case.create(&unnamed).await.expected("a record without a name")?;
    let name = text(&created, "name");
    let id = name.strip_prefix(&case.register.collection).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
    let characters = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    case.check(!id.is_empty() && id.len() <= LONGEST_ID && characters, || format!("the service named it {name:?}"));
    for person in personal(&unnamed) {
        case.check(!name.contains(&person.value), || format!("the name tells {}", person.path));
    }
    case.same("Get by the name", &case.get(&name).await.expected("the record")?, &created);
    if case.register.named_by == NamedBy::Server {
        is_found_again(case, &unnamed, &name).await?;
    }
    Ok(())
}

/// The same content is the same record, of a creation and of an upload; another one under its key is refused.
async fn is_found_again(case: &Case, unnamed: &DynamicMessage, name: &str) -> Outcome {
    let refused = case.create(unnamed).await;
    if let Some(refusal) = case.refused("the same content", refused, Code::AlreadyExists, "RECORD_EXISTS") {
        case.check(refusal.message.contains(name), || format!("the same content: {refusal} does not name {name}"));
    }
    let mut second = case.sample(&case.place(1)).await?;
    second.clear_field_by_name("name");
    let results = case.upload_items(&[unnamed.clone(), second.clone(), second]).await.expected("an upload")?;
    let outcomes: Vec<ItemOutcome> = results.iter().map(ItemResult::outcome).collect();
    let expected = [ItemOutcome::Unchanged, ItemOutcome::Created, ItemOutcome::Unchanged].to_vec();
    case.same("the same content, a new one and that again", &outcomes, &expected);
    if let [same, new, again] = results.as_slice() {
        case.same("the name of the same content", &same.name.as_str(), &name);
        case.same("the name of a content that is twice in a chunk", &new.name, &again.name);
    }
    let key = &case.register.natural_key;
    let beside = |varying: &Varying| !key.iter().any(|field| field.split('.').next() == Some(varying.field));
    if let Some(Varying { field, other }) = case.varying(unnamed).into_iter().find(beside) {
        let mut another = unnamed.clone();
        another.set_field_by_name(field, other);
        let results = case.upload_items(&[another]).await.expected("an upload")?;
        let mut broken = results.iter().flat_map(|result| &result.violations);
        let exists = broken.any(|broken| broken.field == "name" && broken.reason == "RECORD_EXISTS");
        case.check(exists, || format!("another content under the same key: {results:?}"));
    }
    Ok(())
}
