//! Uploads: item by item, cut and resumed, sent again, checked alone.

use minsheng_proto::common::v1::{ItemOutcome, ItemResult};
use prost_reflect::{DynamicMessage, Value};
use tonic::Code;

use super::case::{Case, Expected as _, Outcome, request_id};
use crate::wire::{meta, text};

/// Counties of the case, one for each record.
pub(super) const COUNTIES: u16 = 4;

fn outcomes(results: &[ItemResult]) -> Vec<ItemOutcome> {
    results.iter().map(ItemResult::outcome).collect()
}

pub(super) async fn run(case: &Case) -> Outcome {
    use ItemOutcome::{Created, Rejected, Unchanged, Valid};
    let mut items = Vec::new();
    for which in 0..COUNTIES {
        items.push(case.sample(&case.place(which)).await?);
    }
    // One that breaks a rule of the register, and one that breaks the contract's.
    let [unknown, malformed] = ["549999", "5401"].map(|area| {
        let mut bad = items[3].clone();
        bad.set_field_by_name("area", Value::String(area.to_owned()));
        bad
    });
    let mixed = [items[0].clone(), unknown, items[1].clone(), items[0].clone(), malformed];
    let (rest, upload_id) = ([items[2].clone()], request_id());

    let mut only_checked = case.chunk(&upload_id, 0, &mixed);
    only_checked.set_field_by_name("validate_only", Value::Bool(true));
    let answers = case.upload_all(vec![only_checked]).await.expected("a check")?;
    let [checked] = answers.as_slice() else { return Err(format!("one chunk is answered by {answers:?}")) };
    let expected = vec![Valid, Rejected, Valid, Unchanged, Rejected];
    case.same("what a check says", &outcomes(&checked.results), &expected);
    case.same("the list after a check", &recorded(case).await?, &Vec::new());

    // The stream is cut after the first answer, with a chunk to come.
    let first = case.chunk(&upload_id, 0, &mixed);
    let cut = case.upload_cut(&first).await.expected("the first chunk")?;
    let [answer] = cut.as_slice() else { return Err(format!("one chunk is answered by {cut:?}")) };
    let expected = vec![Created, Rejected, Created, Unchanged, Rejected];
    case.same("what is said of the items", &outcomes(&answer.results), &expected);
    if answer.results.len() != mixed.len() {
        return Ok(());
    }
    let indexes: Vec<i32> = answer.results.iter().map(|result| result.index).collect();
    case.same("the indexes of the answers", &indexes, &vec![0, 1, 2, 3, 4]);
    for (index, item) in [(0, 0), (2, 1), (3, 0)] {
        case.same("the name of an item", &answer.results[index].name, &text(&items[item], "name"));
    }
    for bad in [1, 4] {
        let broken = &answer.results[bad].violations;
        let of_area = !broken.is_empty() && broken.iter().all(|broken| broken.field == "area");
        case.check(of_area, || format!("a bad area is refused for {broken:?}"));
    }

    let second = case.chunk(&upload_id, 1, &rest);
    let resumed = case.upload_all(vec![first, second]).await.expected("the upload resumed")?;
    let [again, last] = resumed.as_slice() else { return Err(format!("two chunks are answered by {resumed:?}")) };
    case.same("the answer to the same chunk", again, answer);
    case.same("the second chunk", &(last.chunk, outcomes(&last.results)), &(1, vec![Created]));
    let mut names: Vec<String> = items[..3].iter().map(|item| text(item, "name")).collect();
    names.sort();
    case.same("the records of the upload", &recorded(case).await?, &names);
    for name in &names {
        let record = case.get(name).await.expected("an uploaded record")?;
        case.same("the version of an uploaded record", &meta(&record).etag.as_str(), &"v1");
    }

    let other = case.upload_all(vec![case.chunk(&upload_id, 0, &rest)]).await;
    case.refused("another content under a chunk's number", other, Code::Aborted, "REQUEST_ID_REUSED");
    let others = [items[0].clone(), case.varied(&items[0]), items[3].clone()];
    let results = case.upload_items(&others).await.expected("another upload")?;
    case.same("another upload", &outcomes(&results), &vec![Unchanged, Rejected, Created]);
    let Some(other) = results.get(1) else { return Ok(()) };
    let exists = other.violations.iter().any(|broken| broken.field == "name" && broken.reason == "RECORD_EXISTS");
    case.check(exists, || format!("another content of a record that is there: {other:?}"));
    envelopes(case, &items[0]).await;
    Ok(())
}

/// Lists the records of the case, by name.
async fn recorded(case: &Case) -> Result<Vec<String>, String> {
    case.listed("540000", vec![]).await
}

/// A chunk that is wrong beside its items is refused, with all that is wrong in it.
async fn envelopes(case: &Case, item: &DynamicMessage) {
    let items = std::slice::from_ref(item);
    let list = case.register.collection.as_str();
    for (what, chunk, fields) in [
        ("an upload_id that is no UUID", case.chunk("first", 0, items), vec!["upload_id"]),
        ("a number below 0", case.chunk(&request_id(), -1, items), vec!["chunk"]),
        ("a chunk without items", case.chunk(&request_id(), 0, &[]), vec![list]),
        ("both", case.chunk("first", -1, items), vec!["upload_id", "chunk"]),
    ] {
        let answer = case.upload_all(vec![chunk]).await;
        if let Some(refusal) = case.refused(what, answer, Code::InvalidArgument, "INVALID_REQUEST") {
            let named = fields.iter().all(|field| refusal.names(field));
            case.check(named, || format!("{what} is refused, but not for {fields:?}: {refusal}"));
        }
    }
}
