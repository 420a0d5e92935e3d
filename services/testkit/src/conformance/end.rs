//! What becomes of a record's days: ended, moved, lifted, taken back, withdrawn, and recorded again.

use chrono::Days;
use minsheng_proto::common::v1::{EndKind, RecordState};
use prost_reflect::{DynamicMessage, Value};
use tonic::Code;

use super::{
    case::{Case, Expected as _, Outcome, Scope, request_id},
    day,
};
use crate::wire::{date, date_value, meta, text};

/// Days of the case, counted from the record's first one.
const CHANGED: u64 = 20;
const ENDED: u64 = 40;
const MOVED: u64 = 45;
const RESUMED: u64 = 50;

pub(super) async fn run(case: &Case) -> Outcome {
    let place = case.place(0);
    let sent = case.sample(&place).await?;
    let mut record = case.create(&sent).await.expected("a record")?;
    let name = text(&record, "name");
    for (what, name, etag, code, reason) in [
        ("a withdrawal by a stale etag", name.as_str(), "v9999", Code::Aborted, "ETAG_MISMATCH"),
        (
            "a withdrawal of an unknown record",
            &*format!("{}/nothing-there", case.register.collection),
            "v1",
            Code::NotFound,
            "RECORD_NOT_FOUND",
        ),
    ] {
        case.refused(what, case.end(name, etag, EndKind::Withdrawn, None).await, code, reason);
    }
    if case.takes("End", "kind") {
        refused(case, &record).await?;
        record = ended_and_moved(case, &sent, record, &place.county).await?;
        record = changed_and_taken_back(case, &sent, record).await?;
    }
    withdrawn(case, &sent, record, &place.county).await
}

fn etag(record: &DynamicMessage) -> String {
    meta(record).etag
}

/// What a record's days do not allow.
async fn refused(case: &Case, record: &DynamicMessage) -> Outcome {
    let (name, etag) = (text(record, "name"), etag(record));
    let end = async |kind, day| case.end(&name, &etag, kind, day).await;
    case.refused_for("an end without a day", end(EndKind::Ended, None).await, "ended_on");
    let before = day(0) - Days::new(1);
    case.refused_for("an end before the first day", end(EndKind::Ended, Some(before)).await, "ended_on");
    case.refused_for("a change taken back without a day", end(EndKind::TakenBack, None).await, "effective_on");
    case.refused_for("an end of no kind", end(EndKind::Unspecified, None).await, "kind");
    let lifted = end(EndKind::Lifted, None).await;
    case.refused("lifting an end that is not there", lifted, Code::FailedPrecondition, "NOT_ENDED");
    for none in [0, CHANGED] {
        let taken = end(EndKind::TakenBack, Some(day(none))).await;
        case.refused("taking back no change", taken, Code::FailedPrecondition, "NO_SUCH_CHANGE");
    }
    let unknown = vec![
        ("request_id", Value::String(request_id())),
        ("name", Value::String(name.clone())),
        ("etag", Value::String(etag.clone())),
        ("kind", Value::EnumNumber(9_999)),
    ];
    case.refused_for("an end of an unknown kind", case.send("End", unknown).await, "kind");
    case.same("Get after what was refused", &case.get(&name).await.expected("the record")?, record);
    Ok(())
}

/// Notes a fault unless the record stands on a day as expected.
async fn stands(case: &Case, name: &str, on: u64, expected: RecordState) -> Outcome {
    let shown = case.get_on(name, Some(day(on))).await.expected(&format!("the record on {}", day(on)))?;
    case.same(&format!("the state on {}", day(on)), &meta(&shown).state(), &expected);
    Ok(())
}

async fn in_force(case: &Case, county: &str, on: u64) -> Result<usize, String> {
    let asked = vec![("on", date_value(day(on))), ("in_force_only", Value::Bool(true))];
    Ok(case.listed(county, asked).await?.len())
}

async fn ended_and_moved(
    case: &Case,
    sent: &DynamicMessage,
    record: DynamicMessage,
    county: &str,
) -> Result<DynamicMessage, String> {
    let (name, id, first) = (text(&record, "name"), request_id(), etag(&record));
    let mut record = record;
    for (until, id) in [(ENDED, &*id), (MOVED, &*request_id())] {
        record = case.end_as(id, &name, &etag(&record), EndKind::Ended, Some(day(until))).await.expected("an end")?;
        let meta = meta(&record);
        let ended = (RecordState::Ended, Some(date(day(until))));
        case.same("state and day of the end", &(meta.state(), meta.ended_on), &ended);
        case.same("the content of what ended", &case.content(&record), &case.content(sent));
        stands(case, &name, until - 1, RecordState::Active).await?;
        stands(case, &name, until, RecordState::Ended).await?;
        case.same("in force on the last day", &in_force(case, county, until - 1).await?, &1);
        case.same("in force on the day after it", &in_force(case, county, until).await?, &0);
    }
    let again = case.end_as(&id, &name, &first, EndKind::Ended, Some(day(ENDED))).await.expected("the same end")?;
    case.same("the day in the answer to the same end", &meta(&again).ended_on, &Some(date(day(ENDED))));

    let after = Scope { effective_on: Some(day(RESUMED)), ..Scope::default() };
    let change = case.update(&case.varied(sent), &etag(&record), after.clone()).await;
    case.refused("a change after the end", change, Code::FailedPrecondition, "RECORD_ENDED");
    let resumed = Scope { resume: true, ..after };
    record = case.update(&case.varied(sent), &etag(&record), resumed).await.expected("a resumption")?;
    stands(case, &name, RESUMED - 1, RecordState::Ended).await?;
    stands(case, &name, RESUMED, RecordState::Active).await?;
    let back = case.end(&name, &etag(&record), EndKind::TakenBack, Some(day(RESUMED))).await;
    record = back.expected("a resumption taken back")?;
    stands(case, &name, RESUMED, RecordState::Ended).await?;
    record = case.end(&name, &etag(&record), EndKind::Lifted, None).await.expected("an end lifted")?;
    let meta = meta(&record);
    case.same("state and end after it was lifted", &(meta.state(), meta.ended_on), &(RecordState::Active, None));
    stands(case, &name, RESUMED, RecordState::Active).await?;
    Ok(record)
}

async fn changed_and_taken_back(
    case: &Case,
    sent: &DynamicMessage,
    record: DynamicMessage,
) -> Result<DynamicMessage, String> {
    let (name, varied) = (text(&record, "name"), case.varied(sent));
    let scope = Scope { effective_on: Some(day(CHANGED)), ..Scope::default() };
    let changed = case.update(&varied, &etag(&record), scope).await.expected("a change")?;
    let days = (meta(&changed).effective_on, meta(&changed).effective_until);
    case.same("the days of the change", &days, &(Some(date(day(CHANGED))), None));
    for (on, expected) in [(CHANGED - 1, sent), (CHANGED, &varied)] {
        let shown = case.get_on(&name, Some(day(on))).await.expected("the record")?;
        case.same(&format!("the content on {}", day(on)), &case.content(&shown), &case.content(expected));
    }
    let back = case.end(&name, &etag(&changed), EndKind::TakenBack, Some(day(CHANGED))).await;
    let record = back.expected("a change taken back")?;
    let shown = case.get_on(&name, Some(day(CHANGED))).await.expected("the record")?;
    case.same("the content after the change was taken back", &case.content(&shown), &case.content(sent));
    Ok(record)
}

/// A withdrawn record counts for no day, is kept, and can be recorded again.
async fn withdrawn(case: &Case, sent: &DynamicMessage, record: DynamicMessage, county: &str) -> Outcome {
    let (name, id, first) = (text(&record, "name"), request_id(), etag(&record));
    let end = async || case.end_as(&id, &name, &first, EndKind::Withdrawn, None).await;
    let withdrawn = end().await.expected("a withdrawal")?;
    case.same("the state after a withdrawal", &meta(&withdrawn).state(), &RecordState::Withdrawn);
    case.same("the answer to the same withdrawal", &end().await.expected("the same withdrawal")?, &withdrawn);
    case.same("Get after a withdrawal", &case.get(&name).await.expected("the record")?, &withdrawn);
    let on = case.get_on(&name, Some(day(CHANGED))).await;
    case.refused("Get of a day of what was withdrawn", on, Code::NotFound, "RECORD_NOT_FOUND");
    case.same("the list with what was withdrawn", &case.listed(county, vec![]).await?, &vec![name.clone()]);
    case.same("in force after a withdrawal", &in_force(case, county, CHANGED).await?, &0);
    let update = case.update(&case.varied(sent), &etag(&withdrawn), Scope::default()).await;
    case.refused("an update of what was withdrawn", update, Code::FailedPrecondition, "RECORD_WITHDRAWN");
    let again = case.end(&name, &etag(&withdrawn), EndKind::Withdrawn, None).await;
    case.refused("a second withdrawal", again, Code::FailedPrecondition, "RECORD_WITHDRAWN");

    let recorded = case.create(&case.varied(sent)).await.expected("the record again")?;
    let version = |etag: &str| etag.trim_start_matches('v').parse::<u32>().unwrap_or_default();
    let meta = meta(&recorded);
    case.same("the version of the record again", &version(&meta.etag), &(version(&etag(&withdrawn)) + 1));
    case.same("the state of the record again", &meta.state(), &RecordState::Active);
    case.same("the content of the record again", &case.content(&recorded), &case.content(&case.varied(sent)));
    case.same("in force when it is there again", &in_force(case, county, CHANGED).await?, &1);
    Ok(())
}
