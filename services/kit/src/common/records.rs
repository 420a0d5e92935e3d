//! The contract's `RecordService`: what a record was before, who looked at a person's records, and how many there are.

use std::{collections::BTreeMap, sync::Arc};

use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, Queryable, RunQueryDsl as _};
use minsheng_proto::{common::v1 as pb, is_personal, register_of_collection};
use prost_reflect::{DynamicMessage, ReflectMessage as _, Value, prost::Message as _};
use tonic::{Request, Response, Status};

use crate::{
    context::Context,
    error::{Error, Violations},
    journal::feed::Cursor,
    keys::Keys,
    register::{CountInForce, date, enum_number, required_day, timestamp},
    rpc::{self, Question},
    store::schema::{accesses, revisions},
    values::divisions::AreaCode,
};

/// What stands in place of personal data.
const MASK: &str = "***";

#[derive(Queryable)]
struct RevisionRow {
    version: i64,
    number: i64,
    effective_on: i64,
    effective_until: i64,
    replaced_at: i64,
    department: String,
    resource: Vec<u8>,
}

#[derive(Queryable)]
struct AccessRow {
    position: i64,
    recorded_at: i64,
    department: String,
    officer: String,
    purpose: i64,
    case_number: String,
    method: String,
}

/// The contract's service.
#[derive(Clone)]
pub(super) struct RecordRpc {
    context: Context,
    counted: Arc<BTreeMap<&'static str, CountInForce>>,
}

impl RecordRpc {
    pub(super) fn new(context: Context, counted: BTreeMap<&'static str, CountInForce>) -> Self {
        Self { context, counted: Arc::new(counted) }
    }
}

/// Reads where a page of a list begins that goes from the newest to the oldest.
fn position_behind(keys: &Keys, scope: &str, token: &str) -> Result<(i64, i64), Error> {
    if token.is_empty() {
        return Ok((i64::MAX, i64::MAX));
    }
    let read = keys.read_page_token(scope, token)?;
    let (first, second) = read.split_once('.').ok_or_else(|| Error::internal("a page token without its parts"))?;
    Ok((first.parse().map_err(Error::internal)?, second.parse().map_err(Error::internal)?))
}

/// Cuts rows, of which one more than a page was read, to the page; returns the token of the next one.
fn cut<T>(rows: &mut Vec<T>, size: usize, keys: &Keys, scope: &str, position: impl Fn(&T) -> (i64, i64)) -> String {
    let more = rows.len() > size;
    rows.truncate(size);
    let token = |last| {
        let (first, second) = position(last);
        keys.page_token(scope, &format!("{first}.{second}"))
    };
    rows.last().filter(|_| more).map(token).unwrap_or_default()
}

/// Masks personal fields, in the message and in those inside it.
fn masked(message: &mut DynamicMessage) {
    let fields: Vec<_> = message.descriptor().fields().collect();
    for field in fields {
        if !message.has_field(&field) {
            continue;
        }
        if is_personal(&field) {
            message.set_field(&field, Value::String(MASK.to_owned()));
            continue;
        }
        match message.get_field_mut(&field) {
            Value::Message(inner) => masked(inner),
            Value::List(items) => items.iter_mut().filter_map(Value::as_message_mut).for_each(masked),
            _ => {}
        }
    }
}

#[tonic::async_trait]
impl pb::record_service_server::RecordService for RecordRpc {
    async fn list_revisions(
        &self,
        request: Request<pb::ListRevisionsRequest>,
    ) -> Result<Response<pb::ListRevisionsResponse>, Status> {
        let asked = rpc::checked(request)?;
        let unknown =
            || Error::invalid("name", "WRONG_COLLECTION", "is not a record of this suite", "不是本系统的记录编号");
        let (collection, id) = asked.name.split_once('/').ok_or_else(unknown)?;
        let resource = register_of_collection(collection).ok_or_else(unknown)?.resource.clone();
        let (collection, id) = (collection.to_owned(), id.to_owned());
        let size = super::page_size(asked.page_size);
        let scope = format!("revisions/{}", asked.name);
        let before = position_behind(&self.context.keys, &scope, &asked.page_token)?;
        let keys = Arc::clone(&self.context.keys);
        let found = self
            .context
            .store
            .read(move |connection| {
                let mut rows: Vec<RevisionRow> = revisions::table
                    .filter(revisions::register.eq(&collection))
                    .filter(revisions::record.eq(&id))
                    .filter(
                        (revisions::version.lt(before.0))
                            .or(revisions::version.eq(before.0).and(revisions::number.lt(before.1))),
                    )
                    .order((revisions::version.desc(), revisions::number.desc()))
                    .limit(i64::try_from(size + 1).map_err(Error::internal)?)
                    .select((
                        revisions::version,
                        revisions::number,
                        revisions::effective_on,
                        revisions::effective_until,
                        revisions::replaced_at,
                        revisions::department,
                        revisions::resource,
                    ))
                    .load(connection)?;
                let next_page_token = cut(&mut rows, size, &keys, &scope, |row| (row.version, row.number));
                let place = format!("revisions.{collection}");
                let revisions = rows
                    .into_iter()
                    .map(|row| {
                        let plain = keys.open(&place, &row.resource)?;
                        let mut message =
                            DynamicMessage::decode(resource.clone(), plain.as_slice()).map_err(Error::internal)?;
                        masked(&mut message);
                        Ok(pb::Revision {
                            etag: format!("v{}", row.version),
                            effective_on: date(row.effective_on),
                            effective_until: date(row.effective_until),
                            replace_time: Some(timestamp(row.replaced_at)),
                            department: row.department,
                            resource: Some(prost_types::Any {
                                type_url: format!("type.googleapis.com/{}", resource.full_name()),
                                value: message.encode_to_vec(),
                            }),
                        })
                    })
                    .collect::<Result<Vec<_>, Error>>()?;
                Ok(pb::ListRevisionsResponse { revisions, next_page_token })
            })
            .await?;
        Ok(Response::new(found))
    }

    async fn list_accesses(
        &self,
        request: Request<pb::ListAccessesRequest>,
    ) -> Result<Response<pb::ListAccessesResponse>, Status> {
        let (question, asked) = Question::take(request, |message| message.context.as_ref())?;
        let size = super::page_size(asked.page_size);
        let keys = Arc::clone(&self.context.keys);
        let answer = question
            .answer_about(&self.context, &asked.resident_id, move |tx, resident| {
                // One person's token leads nowhere in another's list.
                let subject = keys.blind(resident);
                let scope = format!("accesses/{subject:?}");
                let before = position_behind(&keys, &scope, &asked.page_token)?;
                let mut rows: Vec<AccessRow> = accesses::table
                    .filter(accesses::subject.eq(subject))
                    .filter(accesses::position.lt(before.0))
                    .order(accesses::position.desc())
                    .limit(i64::try_from(size + 1).map_err(Error::internal)?)
                    .select((
                        accesses::position,
                        accesses::recorded_at,
                        accesses::department,
                        accesses::officer,
                        accesses::purpose,
                        accesses::case_number,
                        accesses::method,
                    ))
                    .load(tx.connection)?;
                let next_page_token = cut(&mut rows, size, &keys, &scope, |row| (row.position, 0));
                let accesses = rows
                    .into_iter()
                    .map(|row| pb::Access {
                        access_time: Some(timestamp(row.recorded_at)),
                        department: row.department,
                        officer: row.officer,
                        purpose: enum_number(row.purpose),
                        case_number: row.case_number,
                        method: row.method,
                    })
                    .collect();
                Ok(pb::ListAccessesResponse { accesses, next_page_token })
            })
            .await?;
        Ok(Response::new(answer))
    }

    async fn count_records(
        &self,
        request: Request<pb::CountRecordsRequest>,
    ) -> Result<Response<pb::CountRecordsResponse>, Status> {
        let asked = rpc::checked(request)?;
        let unknown = || {
            Error::invalid("collection", "WRONG_COLLECTION", "is not a register of this service", "不是本服务的台账")
        };
        let count = *self.counted.get(asked.collection.as_str()).ok_or_else(unknown)?;
        let register = register_of_collection(&asked.collection).ok_or_else(unknown)?;
        let dataset = register.dataset(&self.context.service.replace('_', "-"));
        let area = AreaCode::parse(&asked.area)
            .map_err(|error| Error::invalid("area", error.reason(), error.to_string(), error.message_zh()))?;
        let mut violations = Violations::new();
        let on = required_day("on", asked.on.as_ref(), &mut violations);
        let on = violations.into_result(on).map_err(Error::from)?;
        let settled = self.context.store.settled().await?;
        // One read is one snapshot: what is counted, and where the feed stands.
        let read = move |connection: &mut _| {
            let (low, high) = area.range();
            let counts = count(connection, (&low, &high), on)?;
            Ok((counts, Cursor::now(connection, settled)?))
        };
        let (counts, cursor) = self.context.store.read_long(read).await?;
        let cursor = cursor.seal(&self.context.keys, &dataset);
        let counts = counts.into_iter().map(|(area, records)| pb::AreaCount { area, records }).collect();
        Ok(Response::new(pb::CountRecordsResponse { counts, dataset, cursor }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_fields_are_masked_in_nested_messages_too() {
        use minsheng_proto::social_security::v1 as ss;
        let household = ss::AssistanceHousehold {
            members: vec![ss::HouseholdMember {
                resident_id: "549999199001010012".to_owned(),
                ..ss::HouseholdMember::default()
            }],
            ..ss::AssistanceHousehold::default()
        };
        let descriptor = register_of_collection("assistance_households").expect("declared").resource.clone();
        let mut message = DynamicMessage::decode(descriptor, household.encode_to_vec().as_slice()).expect("decodes");
        masked(&mut message);
        let back = ss::AssistanceHousehold::decode(message.encode_to_vec().as_slice()).expect("decodes");
        assert_eq!(back.members[0].resident_id, MASK);
    }
}
