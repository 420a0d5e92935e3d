//! What the registers answer after the change of versions, compared with what they answered and told before it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chrono::Datelike as _;
use minsheng::registers::{self, Register};
use minsheng_kit::{
    assembly::Definition,
    clients::{DepartmentChannel, OutgoingRequest as _},
    values::calendar::day_of_epoch,
};
use minsheng_proto::{
    common::v1::{
        Date, EndKind, ListParametersRequest, ListRevisionsRequest, parameter_service_client::ParameterServiceClient,
        record_service_client::RecordServiceClient,
    },
    descriptors,
};
use minsheng_testkit::TestService;
use prost::Message as _;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, ReflectMessage as _, Value};
use serde_json::{Map, Value as Json, json};
use tonic::{Code, Request, Status, client::Grpc};

use super::{
    SHOWN,
    fixture::{Answers, Fixture},
    journals::{self, Before, By},
};

/// Fields of rows that say another thing than the field of the resource that has their name.
const NOT_THE_SAME: [(&str, &str); 4] = [
    // Not told, because what it is of the full price tells the category.
    ("meal_prices", "price_fen"),
    // Told to the nearest hundred yuan.
    ("assistance_households", "monthly_amount_fen"),
    // Told with the day on which an end, or a later round, took it away.
    ("recognition_items", "active_to"),
    ("quality_certificates", "valid_to"),
];
/// Registers of which a correction may speak of days before the one from which its content is said to be true.
const CLAIMS_DAYS: [&str; 1] = ["assistance_households"];
/// How long a case may wait that can be decided.
const DECIDED: Duration = Duration::from_mins(1);
/// Time between two questions for it.
const PAUSE: Duration = Duration::from_millis(50);
/// Most records of a page.
const PAGE: i32 = 1000;

/// A service that is asked.
pub(super) struct Asked<'a> {
    fixture: &'a Fixture,
    definition: &'static Definition,
    channel: DepartmentChannel,
}

#[derive(Clone, PartialEq, prost::Message)]
struct GetRequest {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    on: Option<Date>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct GetResponse {
    #[prost(bytes = "vec", tag = "1")]
    resource: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct EndRequest {
    #[prost(string, tag = "1")]
    request_id: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    etag: String,
    #[prost(enumeration = "EndKind", tag = "4")]
    kind: i32,
}

impl<'a> Asked<'a> {
    pub(super) fn new(fixture: &'a Fixture, definition: &'static Definition, service: &TestService) -> Self {
        let channel = fixture.site.channel(definition.department, definition, service).expect("a channel");
        Self { fixture, definition, channel }
    }

    async fn get(&self, register: &Register, name: &str, on: Option<Date>) -> Result<DynamicMessage, Status> {
        let request = Request::new(GetRequest { name: name.to_owned(), on }).idempotent();
        let mut client = Grpc::new(self.channel.clone());
        client.ready().await?;
        let codec = tonic_prost::ProstCodec::<GetRequest, GetResponse>::default();
        let path = register.method("Get").parse().expect("a path");
        let answer = client.unary(request, path, codec).await?.into_inner();
        Ok(DynamicMessage::decode(register.resource.clone(), answer.resource.as_slice()).expect("the resource"))
    }

    /// Asks for each record that had changed: for the content that was the present one, and for its history.
    pub(super) async fn records_changed_before(&self) {
        let mut wrong = Vec::new();
        let records = &self.fixture.told.records[self.definition.department];
        for (name, told) in records {
            let register = register_of(name);
            let meta = &told.record["meta"];
            let withdrawn = meta["state"] == "RECORD_STATE_WITHDRAWN";
            let on = (!withdrawn).then(|| date_of(&meta["effective_on"]));
            let found = self.get(register, name, on).await.expect("it is there");
            let (found, expected) = (json_of(&found), without_times(&told.record));
            if content(&found) != content(&expected) {
                wrong.push(format!("{name}: {}, not {}", content(&found), content(&expected)));
            }
            if found["meta"]["etag"] != expected["meta"]["etag"] {
                wrong.push(format!("{name}: {} is not {}", found["meta"]["etag"], expected["meta"]["etag"]));
            }
            if withdrawn && found["meta"]["state"] != meta["state"] {
                wrong.push(format!("{name}: not withdrawn"));
            }
            let (found, expected) = (self.revisions(register, name).await, &told.revisions);
            let expected: Vec<Json> = expected.iter().map(without_times).collect();
            if found != expected {
                wrong.push(format!("{name}: revisions {found:#?}, not {expected:#?}"));
            }
        }
        assert!(!records.is_empty());
        none(&wrong, self.definition);
    }

    async fn revisions(&self, register: &Register, name: &str) -> Vec<Json> {
        let asked = ListRevisionsRequest { name: name.to_owned(), page_size: PAGE, page_token: String::new() };
        let mut client = RecordServiceClient::new(self.channel.clone());
        let answer = client.list_revisions(Request::new(asked).idempotent()).await.expect("answered").into_inner();
        let revisions = answer.revisions.into_iter().map(|revision| {
            let resource = revision.resource.expect("a content");
            let content = DynamicMessage::decode(register.resource.clone(), resource.value.as_slice());
            let mut content = json_of(&content.expect("the resource"));
            content["@type"] = json!(resource.type_url);
            let Date { year, month, day } = revision.effective_on.expect("a day");
            json!({
                "etag": revision.etag,
                "effective_on": { "year": year, "month": month, "day": day },
                "department": revision.department,
                "resource": content,
            })
        });
        revisions.collect()
    }

    /// Asks for every record on the days around those of which the former journal told: the content is the one of which it
    /// told last.
    pub(super) async fn every_day_of(&self, before: &By<Before>) {
        let collections: BTreeMap<String, &Register> =
            registers::all().iter().map(|register| (register.dataset(self.definition.department), register)).collect();
        let mut wrong = Vec::new();
        for ((dataset, id), entries) in before {
            let Some(register) = collections.get(dataset) else { continue };
            let row = format!("{}Row", register.resource.full_name());
            let row = descriptors().get_message_by_name(&row).expect("a row");
            let name = format!("{}/{id}", register.collection);
            for day in journals::days(entries) {
                let Some(on) = date(day) else { continue };
                let said = journals::overridden(entries, i64::MAX, day);
                match (self.get(register, &name, Some(on)).await, said) {
                    (Err(status), None) if status.code() == Code::NotFound => {}
                    (Ok(found), Some((_, payload, ended))) => {
                        let row = DynamicMessage::decode(row.clone(), payload.as_slice()).expect("a row");
                        let state = if ended { "RECORD_STATE_ENDED" } else { "RECORD_STATE_ACTIVE" };
                        let other = json_of(&found)["meta"]["state"] != state;
                        // What a record said last is shown when it has ended; the former journal told of what it said when
                        // it was ended.
                        let mut others = if ended { Vec::new() } else { differing(register, &found, &row) };
                        let told = &self.fixture.told.records[self.definition.department];
                        if let Some(told) =
                            told.get(&name).filter(|_| !CLAIMS_DAYS.contains(&register.collection.as_str()))
                        {
                            others.extend(differing_beside(told, on, &found, &row));
                        }
                        if other || !others.is_empty() {
                            wrong.push(format!("{name} on day {day}: {found}, not {state} {row}; {others:?}"));
                        }
                    }
                    (found, said) => wrong.push(format!("{name} on day {day}: {found:?}, not {said:?}")),
                }
            }
        }
        none(&wrong, self.definition);
    }

    /// Asks until the cases that waited for another department, which answers now, are decided.
    pub(super) async fn what_waited_is_decided(&self) {
        for (name, told) in &self.fixture.told.records[self.definition.department] {
            let waits = |record: &Json| record["outcome"].as_str().is_some_and(|outcome| outcome.contains("WAITING"));
            let began = Instant::now();
            while waits(&told.record) {
                let found = json_of(&self.get(register_of(name), name, None).await.expect("it is there"));
                if !waits(&found) {
                    break;
                }
                assert!(began.elapsed() < DECIDED, "{name} waits still: {found}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Withdraws the records that had changed, as far as their registers let it.
    pub(super) async fn withdraws_records(&self) {
        let mut withdrawn = 0;
        for (name, told) in &self.fixture.told.records[self.definition.department] {
            let register = register_of(name);
            // A return has a method of its own for it.
            if register.collection == "returns" || told.record["meta"]["state"] == "RECORD_STATE_WITHDRAWN" {
                continue;
            }
            let request = EndRequest {
                request_id: uuid::Uuid::new_v4().to_string(),
                name: name.clone(),
                etag: told.record["meta"]["etag"].as_str().expect("a version").to_owned(),
                kind: EndKind::Withdrawn.into(),
            };
            let mut client = Grpc::new(self.channel.clone());
            client.ready().await.expect("reached");
            let codec = tonic_prost::ProstCodec::<EndRequest, GetResponse>::default();
            let path = register.method("End").parse().expect("a path");
            match client.unary(Request::new(request).idempotent(), path, codec).await {
                Ok(_) => withdrawn += 1,
                // Others name it, or it changed in the unit that withdrew another one.
                Err(status) => assert!(matches!(status.code(), Code::FailedPrecondition | Code::Aborted), "{status:?}"),
            }
        }
        assert!(withdrawn > 5, "{}: {withdrawn} records were withdrawn", self.definition.department);
    }

    /// Asks for all parameters: those in force are in force still, with the same values.
    pub(super) async fn parameters(&self) {
        let mut client = ParameterServiceClient::new(self.channel.clone());
        let asked = ListParametersRequest { page_size: PAGE, ..ListParametersRequest::default() };
        let answer = client.list_parameters(Request::new(asked).idempotent()).await.expect("answered").into_inner();
        let parameter = descriptors().get_message_by_name("minsheng.common.v1.Parameter").expect("in the contracts");
        let found = answer.parameters.iter().map(|found| {
            let found = DynamicMessage::decode(parameter.clone(), found.encode_to_vec().as_slice());
            json_of(&found.expect("the same message"))
        });
        let found: Vec<Json> = found.collect();
        let told = &self.fixture.told.parameters[self.definition.department];
        let filed =
            |all: &[Json]| -> Vec<Json> { all.iter().filter(|value| value["source"] == "a test").cloned().collect() };
        assert_eq!(filed(&found), filed(told), "{}", self.definition.department);
    }
}

/// Names the fields that are not in the row and in which a state differs from what the record said of the day by its former
/// contents: of those that began by then the last one.
fn differing_beside(told: &Answers, on: Date, found: &DynamicMessage, row: &DynamicMessage) -> Vec<String> {
    let contents = told.revisions.iter().rev().map(|revision| &revision["resource"]);
    let contents: Vec<&Json> = contents.chain([&told.record]).collect();
    let withdrawn = |content: &&Json| content["meta"]["state"] == "RECORD_STATE_WITHDRAWN";
    let again = contents.iter().rposition(withdrawn).map_or(0, |withdrawn| withdrawn + 1);
    let day = |date: Date| (date.year, date.month, date.day);
    let began = |content: &&&Json| day(date_of(&content["meta"]["effective_on"])) <= day(on);
    let Some(expected) = contents[again..].iter().rev().find(began) else { return Vec::new() };
    let found = json_of(found);
    let names = found.as_object().into_iter().chain(expected.as_object()).flat_map(Map::keys);
    // A history masks persons altogether.
    let beside = names.filter(|name| {
        let in_row = row.descriptor().get_field_by_name(name).is_some();
        !in_row && !["meta", "name", "@type", "resident_id"].contains(&name.as_str())
    });
    beside.filter(|name| found[name.as_str()] != expected[name.as_str()]).cloned().collect()
}

fn none(wrong: &[String], definition: &Definition) {
    let shown = &wrong[..wrong.len().min(SHOWN)];
    assert!(wrong.is_empty(), "{}: {} disagree: {shown:#?}", definition.department, wrong.len());
}

fn register_of(name: &str) -> &'static Register {
    registers::find(name.split('/').next().unwrap_or_default()).expect("a register")
}

fn date(day: i64) -> Option<Date> {
    let day = day_of_epoch(day)?;
    Some(Date { year: day.year(), month: day.month().try_into().ok()?, day: day.day().try_into().ok()? })
}

fn date_of(told: &Json) -> Date {
    let number = |name: &str| told[name].as_i64().and_then(|number| number.try_into().ok()).expect("a number");
    Date { year: number("year"), month: number("month"), day: number("day") }
}

/// Names the fields that a resource and its row have both and in which they differ. A row names a record by its id.
fn differing(register: &Register, resource: &DynamicMessage, row: &DynamicMessage) -> Vec<String> {
    let fields = row.descriptor();
    let fields = fields.fields().filter(|field| !NOT_THE_SAME.contains(&(register.collection.as_str(), field.name())));
    let both = fields.filter_map(|field| Some((resource.descriptor().get_field_by_name(field.name())?, field)));
    let both = both.filter(|(of_resource, of_row)| {
        of_resource.kind() == of_row.kind() && of_resource.is_list() == of_row.is_list()
    });
    both.filter(|(of_resource, of_row)| match (&*resource.get_field(of_resource), &*row.get_field(of_row)) {
        (Value::String(named), Value::String(id)) => named != id && !named.ends_with(&format!("/{id}")),
        (one, other) => one != other,
    })
    .map(|(field, _)| field.name().to_owned())
    .collect()
}

/// Returns a resource without what the server knows beside its content.
fn content(resource: &Json) -> Json {
    let mut content = resource.clone();
    if let Json::Object(fields) = &mut content {
        fields.remove("meta");
    }
    content
}

/// Spells a message as the fixture does, without instants and without what only this version says.
fn json_of(message: &DynamicMessage) -> Json {
    let fields = message.fields().filter(|(field, _)| {
        let instant = matches!(field.kind(), Kind::Message(kind) if is_instant(&kind));
        !instant && field.name() != "effective_until"
    });
    Json::Object(fields.map(|(field, value)| (field.name().to_owned(), value_of(&field.kind(), value))).collect())
}

fn is_instant(message: &MessageDescriptor) -> bool {
    message.full_name() == "google.protobuf.Timestamp"
}

fn value_of(kind: &Kind, value: &Value) -> Json {
    match (kind, value) {
        (_, Value::List(values)) => Json::Array(values.iter().map(|value| value_of(kind, value)).collect()),
        (_, Value::Message(message)) => json_of(message),
        (Kind::Enum(kind), Value::EnumNumber(number)) => {
            kind.get_value(*number).map_or(json!(number), |value| json!(value.name()))
        }
        (_, Value::Bool(value)) => json!(value),
        (_, Value::String(value)) => json!(value),
        (_, Value::I32(value)) => json!(value),
        (_, Value::I64(value)) => json!(value.to_string()),
        (_, Value::F64(value)) => json!(value),
        (_, other) => panic!("{other:?} is in no contract"),
    }
}

/// Returns what was told without its instants, which JSON spells as texts.
fn without_times(told: &Json) -> Json {
    match told {
        Json::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| !name.ends_with("_time"));
            Json::Object(fields.map(|(name, value)| (name.clone(), without_times(value))).collect::<Map<_, _>>())
        }
        Json::Array(values) => Json::Array(values.iter().map(without_times).collect()),
        other => other.clone(),
    }
}
