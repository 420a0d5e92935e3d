//! Calls that meet: one of them is carried out, and the others are told so.

use futures::{FutureExt as _, future::join_all};
use minsheng_proto::common::v1::EndKind;
use tonic::Code;

use super::case::{Answer, Case, Expected as _, Outcome, Scope, request_id};
use crate::wire::{meta, text};

/// Calls that are sent at once.
const CALLS: usize = 4;

pub(super) async fn run(case: &Case) -> Outcome {
    let sent = case.sample(&case.place(0)).await?;
    let name = text(&sent, "name");
    let creations = join_all((0..CALLS).map(|_| case.create(&sent))).await;
    one(case, "creations of one record", &creations, Code::AlreadyExists);
    let created = case.get(&name).await.expected("the record")?;
    case.same("the version of what was created at once", &meta(&created).etag.as_str(), &"v1");

    let varied = case.varied(&sent);
    let updates = join_all((0..CALLS).map(|_| case.update(&varied, "v1", Scope::default()))).await;
    one(case, "updates of one etag", &updates, Code::Aborted);
    let updated = case.get(&name).await.expected("the record")?;
    case.same("the version of what was updated at once", &meta(&updated).etag.as_str(), &"v2");

    let both = [
        case.update(&sent, "v2", Scope::default()).left_future(),
        case.end(&name, "v2", EndKind::Withdrawn, None).right_future(),
    ];
    one(case, "an update and a withdrawal of one etag", &join_all(both).await, Code::Aborted);

    let (other, id) = (case.sample(&case.place(1)).await?, request_id());
    let answers = join_all((0..CALLS).map(|_| case.create_as(&id, &other))).await;
    for answer in &answers {
        let first = answers[0].as_ref().ok();
        case.check(answer.is_ok() && answer.as_ref().ok() == first, || {
            let said = answers.iter().map(|answer| answer.as_ref().map_or_else(ToString::to_string, |_| "done".into()));
            format!("calls of one request at once: {:?}", said.collect::<Vec<String>>())
        });
    }
    Ok(())
}

/// Notes a fault unless one call was carried out; the others are refused by what it did, or are to be sent again.
fn one(case: &Case, what: &str, answers: &[Answer], code: Code) {
    let done = answers.iter().filter(|answer| answer.is_ok()).count();
    case.same(&format!("{what} at once that are carried out"), &done, &1);
    for refusal in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        let told = refusal.code == code || refusal.code == Code::Aborted && refusal.reason == "CONCURRENT_CHANGE";
        case.check(told, || format!("{what} at once: {refusal}"));
    }
}
