//! Bad input: each field of the record wrong in turn, and requests that are no messages of the contract.

use futures::stream;
use minsheng_proto::common::v1::EndKind;
use prost_reflect::{DynamicMessage, Value};
use tonic::Code;

use super::{
    bad_values::{Bad, bad_records, no_day},
    case::{Case, Expected as _, Outcome, personal, request_id},
    refusal::Refusal,
};
use crate::wire::{call_raw, meta, text};

pub(super) async fn run(case: &Case) -> Outcome {
    let place = case.place(0);
    let good = case.sample(&place).await?;
    let name = text(&good, "name");
    for Bad { path, what, reason, record } in bad_records(&good, case.register, case.sampler.lies_in_a_county()) {
        let field = case.created_path(&path);
        match case.create(&record).await {
            Ok(created) => {
                case.fault(format_args!("{what} in {path} is accepted"));
                let (name, etag) = (text(&created, "name"), meta(&created).etag);
                case.end(&name, &etag, EndKind::Withdrawn, None).await.expected("a withdrawal")?;
            }
            refused => {
                let Some(refusal) = case.refused_for(&format!("{what} in {path}"), refused, &field) else { continue };
                let broken = refusal.has(&field, reason);
                case.check(broken, || format!("{what} in {path} is refused by {refusal}, {reason} expected"));
                for person in personal(&record).iter().filter(|person| person.value.len() >= 18) {
                    case.check(!refusal.repeats(&person.value), || format!("{what} in {path} is repeated"));
                }
            }
        }
    }
    case.refused("Get of what was refused", case.get(&name).await, Code::NotFound, "RECORD_NOT_FOUND");
    case.same("the list of what was refused", &case.listed(&place.county, vec![]).await?, &Vec::new());
    requests(case, &good).await;
    undecodable(case).await;
    Ok(())
}

/// Requests that are wrong beside the record.
async fn requests(case: &Case, good: &DynamicMessage) {
    let (field, created) = (case.register.field(), case.created_field());
    let id = |id: &str| ("request_id", Value::String(id.to_owned()));
    let (own, elsewhere) = (format!("{}/x", case.register.collection), "nowhere/x".to_owned());
    let name = |name: &str| ("name", Value::String(name.to_owned()));
    let etag = || ("etag", Value::String("v1".to_owned()));
    let ended = ("kind", Value::EnumNumber(EndKind::Withdrawn.into()));
    let uuid = request_id();
    for (what, verb, fields, named) in [
        ("a request_id that is no UUID", "Create", vec![id("first")], "request_id"),
        ("a creation without a record", "Create", vec![id(&uuid)], &*created),
        ("a request_id that is no UUID", "Update", vec![id("first"), etag()], "request_id"),
        ("an update without a record", "Update", vec![id(&uuid), etag()], &*field),
        ("an update without an etag", "Update", vec![id(&uuid)], "etag"),
        ("a name of another collection", "Get", vec![name(&elsewhere)], "name"),
        ("no name", "Get", vec![], "name"),
        ("a day that does not exist", "Get", vec![name(&own), ("on", no_day())], "on"),
        ("a request_id that is no UUID", "End", vec![id("first"), name(&own), etag(), ended.clone()], "request_id"),
        ("a name of another collection", "End", vec![id(&uuid), name(&elsewhere), etag(), ended.clone()], "name"),
        ("an end without an etag", "End", vec![id(&uuid), name(&own), ended], "etag"),
    ] {
        case.refused_for(&format!("{verb} of {what}"), case.send(verb, fields).await, named);
    }
    if case.takes("Create", "effective_on") {
        let fields = vec![id(&uuid), (&*field, Value::Message(good.clone())), ("effective_on", no_day())];
        case.refused_for("a first day that does not exist", case.send("Create", fields).await, "effective_on");
    }
    let unknown = case.get(&own).await;
    case.refused("Get of an unknown record", unknown, Code::NotFound, "RECORD_NOT_FOUND");
}

/// Bytes that are no message are the caller's fault, in every method.
async fn undecodable(case: &Case) {
    let bytes = vec![0xff_u8; 4];
    for verb in ["Create", "Get", "List", "Update", "End"] {
        let answer = call_raw(&case.operator, &case.path(verb), bytes.clone()).await.map_err(Refusal::from);
        case.refused(&format!("{verb} of no message"), answer, Code::InvalidArgument, "UNDECODABLE_REQUEST");
    }
    let answer = case.upload(stream::iter([bytes]), usize::MAX).await;
    case.refused("Upload of no message", answer, Code::InvalidArgument, "UNDECODABLE_REQUEST");
}
