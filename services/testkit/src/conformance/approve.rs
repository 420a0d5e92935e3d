//! Approvals, of registers whose contract has them.

use minsheng_proto::common::v1::{EndKind, ItemOutcome, ItemResult};
use prost_reflect::Value;
use tonic::Code;

use super::case::{Answer, Case, Expected as _, Outcome, Scope, request_id};
use crate::wire::{inner, meta, text};

async fn approve(case: &Case, id: &str, name: &str, etag: &str) -> Answer {
    let fields = vec![
        ("request_id", Value::String(id.to_owned())),
        ("name", Value::String(name.to_owned())),
        ("etag", Value::String(etag.to_owned())),
        // Another officer than files.
        ("officer", Value::String("0231".to_owned())),
    ];
    Ok(inner(&case.send("Approve", fields).await?, &case.register.field()))
}

pub(super) async fn run(case: &Case) -> Outcome {
    if !case.has("Approve") {
        return Ok(());
    }
    let sent = case.sample(&case.place(0)).await?;
    let created = case.create(&sent).await.expected("a record")?;
    let (name, id, etag) = (text(&created, "name"), request_id(), meta(&created).etag);
    let stale = approve(case, &request_id(), &name, "v9999").await;
    case.refused("an approval by a stale etag", stale, Code::Aborted, "ETAG_MISMATCH");
    let unknown = approve(case, &request_id(), &format!("{}/nothing-there", case.register.collection), "v1").await;
    case.refused("an approval of an unknown record", unknown, Code::NotFound, "RECORD_NOT_FOUND");

    let approved = approve(case, &id, &name, &etag).await.expected("an approval")?;
    let again = approve(case, &id, &name, &etag).await.expected("the same approval")?;
    case.same("the answer to the same approval", &again, &approved);
    case.same("the content of what was approved", &case.content(&approved), &case.content(&created));
    case.same("its first day", &meta(&approved).effective_on, &meta(&created).effective_on);
    let decided: Vec<_> = case.register.resource.fields().collect();
    let decided: Vec<_> = decided
        .into_iter()
        .filter(|field| field.name() != "meta" && approved.get_field(field) != created.get_field(field))
        .collect();
    case.check(!decided.is_empty(), || "an approval changes nothing".to_owned());
    let results = case.upload_items(std::slice::from_ref(&sent)).await.expected("an upload")?;
    let outcome = results.first().map(ItemResult::outcome);
    case.same("the same content after its approval", &outcome, &Some(ItemOutcome::Unchanged));

    let changed = case.update(&case.varied(&sent), &meta(&approved).etag, Scope::default()).await;
    let changed = changed.expected("a change of what was approved")?;
    for field in &decided {
        let (found, expected) = (changed.get_field(field), created.get_field(field));
        case.same(&format!("{} after a change", field.name()), &found, &expected);
    }
    let withdrawn = case.end(&name, &meta(&changed).etag, EndKind::Withdrawn, None).await.expected("a withdrawal")?;
    let answer = approve(case, &request_id(), &name, &meta(&withdrawn).etag).await;
    case.refused("an approval of what was withdrawn", answer, Code::FailedPrecondition, "RECORD_WITHDRAWN");
    Ok(())
}
