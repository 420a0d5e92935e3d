//! One case of one register: its records, its calls, and what does not hold.

use std::{fmt, ops::Range};

use chrono::NaiveDate;
use futures::{Stream, StreamExt as _, stream};
use minsheng_kit::clients::DepartmentChannel;
use minsheng_proto::{
    Register,
    common::v1::{self as common, EndKind},
    is_personal, is_set, register_of_collection,
};
use parking_lot::Mutex;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor, ReflectMessage as _, Value};
use tonic::Code;

use super::refusal::Refusal;
use crate::{
    sampler::{FIRST_DAY, Place, Sampler},
    wire::{self, date_value, inner, listed, mask_value, text},
};

/// Fields below this number are the envelope: name, area, meta.
const FIRST_OWN_FIELD: u32 = 10;

/// The methods of a service that is written by hand, by those that they stand for.
const STANDS_FOR: [(&str, &str); 3] = [("Create", "Submit"), ("Update", "Correct"), ("End", "Withdraw")];

/// What ends a case before all is checked.
pub(super) type Outcome = Result<(), String>;
/// The answer to a call about one record.
pub(super) type Answer = Result<DynamicMessage, Refusal>;

/// What was expected where a call was refused.
pub(super) trait Expected<T> {
    fn expected(self, what: &str) -> Result<T, String>;
}

impl<T> Expected<T> for Result<T, Refusal> {
    fn expected(self, what: &str) -> Result<T, String> {
        self.map_err(|refusal| format!("{what}: {refusal}"))
    }
}

/// A field that may vary by itself.
pub(super) struct Varying {
    pub(super) field: &'static str,
    /// What it may say instead of what a record says.
    pub(super) other: Value,
}

/// A page of a list.
pub(super) struct Page {
    pub(super) records: Vec<DynamicMessage>,
    pub(super) next_page_token: String,
}

/// The answer to a chunk.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ChunkAnswer {
    pub(super) chunk: i64,
    pub(super) results: Vec<common::ItemResult>,
}

/// Which states an update changes, and how much of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope<'a> {
    pub(super) mask: Option<Vec<&'a str>>,
    pub(super) effective_on: Option<NaiveDate>,
    pub(super) correct_all: bool,
    pub(super) resume: bool,
}

/// A case and what it found.
pub(super) struct Case {
    pub(super) sampler: &'static dyn Sampler,
    pub(super) register: &'static Register,
    title: &'static str,
    counties: Range<u16>,
    pub(super) operator: DepartmentChannel,
    pub(super) department: DepartmentChannel,
    faults: Mutex<Vec<String>>,
}

pub(super) fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

impl Case {
    pub(super) fn new(
        sampler: &'static dyn Sampler,
        title: &'static str,
        counties: Range<u16>,
        operator: DepartmentChannel,
        department: DepartmentChannel,
    ) -> Self {
        let register = register_of_collection(sampler.register()).expect("a register of the contracts");
        Self { sampler, register, title, counties, operator, department, faults: Mutex::default() }
    }

    // --- What does not hold -----------------------------------------------------------------------------------------

    /// Notes what does not hold.
    pub(super) fn fault(&self, what: impl fmt::Display) {
        self.faults.lock().push(format!("{}, {}: {what}", self.register.collection, self.title));
    }

    /// Returns what does not hold.
    pub(super) fn faults(self) -> Vec<String> {
        self.faults.into_inner()
    }

    /// Notes a fault unless something holds.
    pub(super) fn check(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fault(what());
        }
    }

    /// Notes a fault unless two are the same.
    pub(super) fn same<T: PartialEq + fmt::Debug>(&self, what: &str, found: &T, expected: &T) {
        self.check(found == expected, || format!("{what}: {found:?}, expected {expected:?}"));
    }

    /// Notes a fault unless a call was refused with a code and a reason.
    pub(super) fn refused<T>(
        &self,
        what: &str,
        answer: Result<T, Refusal>,
        code: Code,
        reason: &str,
    ) -> Option<Refusal> {
        match answer {
            Ok(_) => self.fault(format_args!("{what} is accepted, {code:?} {reason} expected")),
            Err(refusal) if refusal.code == code && refusal.reason == reason => return Some(refusal),
            Err(refusal) => self.fault(format_args!("{what} is refused by {refusal}; {code:?} {reason} expected")),
        }
        None
    }

    /// Notes a fault unless a call was refused for a field.
    pub(super) fn refused_for<T>(&self, what: &str, answer: Result<T, Refusal>, field: &str) -> Option<Refusal> {
        let refusal = self.refused(what, answer, Code::InvalidArgument, "INVALID_REQUEST")?;
        self.check(refusal.names(field), || format!("{what} is refused, but not for {field}: {refusal}"));
        Some(refusal)
    }

    // --- Records ----------------------------------------------------------------------------------------------------

    /// Returns one of the case's counties.
    pub(super) fn place(&self, which: u16) -> Place {
        let number = self.counties.start + which;
        assert!(self.counties.contains(&number), "{} has more counties than it says", self.title);
        Place::of(number)
    }

    /// Returns the record of a county, after creating what it refers to.
    pub(super) async fn sample(&self, place: &Place) -> Result<DynamicMessage, String> {
        let name = place.name(&self.register.collection, self.title);
        let sample = self.sampler.sample(place, &name);
        for needed in sample.needs {
            let of = register_of_collection(needed.register).expect("a register of the contracts");
            let record = DynamicMessage::decode(of.resource.clone(), needed.record).expect("a record");
            let fields = [("request_id", Value::String(request_id())), (&*of.field(), Value::Message(record))];
            let created = wire::call(&self.operator, &of.method("Create"), fields).await;
            created.map_err(Refusal::from).expected(&format!("a record of {} that is needed", of.collection))?;
        }
        Ok(DynamicMessage::decode(self.register.resource.clone(), sample.record).expect("a record"))
    }

    /// Lists the fields that may vary, with what a record says in them.
    pub(super) fn varying(&self, record: &DynamicMessage) -> Vec<Varying> {
        let varying = self.sampler.variations().into_iter().map(|(field, values)| {
            let own = record.get_field_by_name(field).expect("a field of the resource").into_owned();
            let other = values.into_iter().find(|value| *value != own).expect("another value than the record's");
            Varying { field, other }
        });
        varying.collect()
    }

    /// Returns a record that differs in the first field that may vary.
    pub(super) fn varied(&self, record: &DynamicMessage) -> DynamicMessage {
        let mut varied = record.clone();
        let Varying { field, other } = self.varying(record).swap_remove(0);
        varied.set_field_by_name(field, other);
        varied
    }

    /// Returns the content of a record as far as its caller decides it, without what is personal.
    pub(super) fn content(&self, record: &DynamicMessage) -> DynamicMessage {
        let mut content = record.clone();
        for field in self.register.resource.fields() {
            let own = field.number() >= FIRST_OWN_FIELD && !is_set(&field, "output_only") && !is_set(&field, "of_days");
            // A default that was set is the same as nothing.
            if !own || !record.has_field(&field) {
                content.clear_field(&field);
            }
        }
        clear_personal(&mut content);
        content
    }

    /// Returns the content of a record that its register decides.
    pub(super) fn decided(&self, record: &DynamicMessage) -> DynamicMessage {
        let mut decided = DynamicMessage::new(self.register.resource.clone());
        for field in self.register.resource.fields().filter(|field| is_set(field, "output_only")) {
            if record.has_field(&field) {
                decided.set_field(&field, record.get_field(&field).into_owned());
            }
        }
        decided
    }

    /// Reports whether a record is one of this case.
    pub(super) fn is_own(&self, record: &DynamicMessage) -> bool {
        text(record, "name").starts_with(&format!("{}/{}-", self.register.collection, self.title))
    }

    // --- Methods ----------------------------------------------------------------------------------------------------

    /// Returns the path of a method, or of the one that stands for it.
    pub(super) fn path(&self, verb: &str) -> String {
        let path = self.register.method(verb);
        if wire::method(&path).is_some() {
            return path;
        }
        let instead = STANDS_FOR.iter().find(|(standard, _)| *standard == verb).map_or(verb, |(_, instead)| instead);
        self.register.method(instead)
    }

    pub(super) fn method(&self, verb: &str) -> MethodDescriptor {
        let path = self.path(verb);
        wire::method(&path).unwrap_or_else(|| panic!("{path} is in no contract"))
    }

    /// Reports whether the register has a method.
    pub(super) fn has(&self, verb: &str) -> bool {
        wire::method(&self.path(verb)).is_some()
    }

    /// Reports whether a method's request has a field.
    pub(super) fn takes(&self, verb: &str, field: &str) -> bool {
        self.method(verb).input().get_field_by_name(field).is_some()
    }

    /// Reports whether records are created in batches, each item of which is judged by itself.
    fn submits(&self) -> bool {
        !self.takes("Create", &self.register.field())
    }

    /// Returns the field in which a creation sends its record.
    pub(super) fn created_field(&self) -> String {
        if self.submits() { self.register.collection.clone() } else { self.register.field() }
    }

    /// Returns where a refused creation names a field of the record.
    pub(super) fn created_path(&self, field: &str) -> String {
        if self.submits() { field.to_owned() } else { self.updated_path(field) }
    }

    /// Returns where a refused update names a field of the record.
    pub(super) fn updated_path(&self, field: &str) -> String {
        format!("{}.{field}", self.register.field())
    }

    /// Calls a method with those of the fields that its request has.
    pub(super) async fn send(&self, verb: &str, fields: Vec<(&str, Value)>) -> Answer {
        let path = self.path(verb);
        let fields = fields.into_iter().filter(|(field, _)| self.takes(verb, field));
        wire::call(&self.operator, &path, fields).await.map_err(Refusal::from)
    }

    /// Creates a record under a request id of its own.
    pub(super) async fn create(&self, record: &DynamicMessage) -> Answer {
        self.create_as(&request_id(), record).await
    }

    /// Creates a record that begins on the first day.
    pub(super) async fn create_as(&self, request_id: &str, record: &DynamicMessage) -> Answer {
        let (field, id) = (self.created_field(), ("request_id", Value::String(request_id.to_owned())));
        if self.submits() {
            let batch = Value::List(vec![Value::Message(record.clone())]);
            let results = results(&self.send("Create", vec![id, (&*field, batch)]).await?);
            let [result] = results.as_slice() else { panic!("one item went in and {} came out", results.len()) };
            return match Refusal::of_item(result) {
                Some(refusal) => Err(refusal),
                None => self.get(&result.name).await,
            };
        }
        let mut fields = vec![id, (&*field, Value::Message(record.clone()))];
        if !self.sampler.names_its_first_day() {
            fields.push(("effective_on", date_value(FIRST_DAY)));
        }
        Ok(inner(&self.send("Create", fields).await?, &field))
    }

    /// Reads a record as it is shown where no day is asked for.
    pub(super) async fn get(&self, name: &str) -> Answer {
        self.get_on(name, None).await
    }

    pub(super) async fn get_on(&self, name: &str, on: Option<NaiveDate>) -> Answer {
        let mut fields = vec![("name", Value::String(name.to_owned()))];
        fields.extend(on.map(|day| ("on", date_value(day))));
        Ok(inner(&self.send("Get", fields).await?, &self.register.field()))
    }

    /// Updates a record under a request id of its own.
    pub(super) async fn update(&self, record: &DynamicMessage, etag: &str, scope: Scope<'_>) -> Answer {
        self.update_as(&request_id(), record, etag, scope).await
    }

    pub(super) async fn update_as(
        &self,
        request_id: &str,
        record: &DynamicMessage,
        etag: &str,
        scope: Scope<'_>,
    ) -> Answer {
        let field = self.register.field();
        let mut fields = vec![
            ("request_id", Value::String(request_id.to_owned())),
            (&*field, Value::Message(record.clone())),
            ("etag", Value::String(etag.to_owned())),
            ("correct_all", Value::Bool(scope.correct_all)),
            ("resume", Value::Bool(scope.resume)),
            ("reason", Value::String("conformance".to_owned())),
        ];
        fields.extend(scope.mask.map(|paths| ("update_mask", mask_value(paths))));
        fields.extend(scope.effective_on.map(|day| ("effective_on", date_value(day))));
        Ok(inner(&self.send("Update", fields).await?, &field))
    }

    /// Ends a record, or does to its days what the kind says.
    pub(super) async fn end(&self, name: &str, etag: &str, kind: EndKind, day: Option<NaiveDate>) -> Answer {
        self.end_as(&request_id(), name, etag, kind, day).await
    }

    pub(super) async fn end_as(
        &self,
        request_id: &str,
        name: &str,
        etag: &str,
        kind: EndKind,
        day: Option<NaiveDate>,
    ) -> Answer {
        let mut fields = vec![
            ("request_id", Value::String(request_id.to_owned())),
            ("name", Value::String(name.to_owned())),
            ("etag", Value::String(etag.to_owned())),
            ("kind", Value::EnumNumber(kind.into())),
        ];
        let of = if kind == EndKind::TakenBack { "effective_on" } else { "ended_on" };
        fields.extend(day.map(|day| (of, date_value(day))));
        Ok(inner(&self.send("End", fields).await?, &self.register.field()))
    }

    /// Asks for a page.
    pub(super) async fn list(&self, fields: Vec<(&str, Value)>) -> Result<Page, Refusal> {
        let answer = self.send("List", fields).await?;
        let records = listed(&answer, &self.register.collection);
        Ok(Page { records, next_page_token: text(&answer, "next_page_token") })
    }

    /// Lists the names of the case's own records in an area.
    pub(super) async fn listed(&self, area: &str, fields: Vec<(&str, Value)>) -> Result<Vec<String>, String> {
        let mut asked = vec![("area", Value::String(area.to_owned())), ("page_size", Value::I32(1000))];
        asked.extend(fields);
        let page = self.list(asked).await.expected("a list")?;
        Ok(page.records.iter().filter(|record| self.is_own(record)).map(|record| text(record, "name")).collect())
    }

    /// Makes a chunk of an upload.
    pub(super) fn chunk(&self, upload_id: &str, number: i64, items: &[DynamicMessage]) -> DynamicMessage {
        let items = items.iter().cloned().map(Value::Message).collect();
        let fields = [
            ("upload_id", Value::String(upload_id.to_owned())),
            ("chunk", Value::I64(number)),
            (&*self.register.collection, Value::List(items)),
        ];
        wire::request(&self.method("Upload"), fields)
    }

    /// Sends chunks and reads so many answers at the most.
    pub(super) async fn upload(
        &self,
        chunks: impl Stream<Item = Vec<u8>> + Send + 'static,
        most: usize,
    ) -> Result<Vec<ChunkAnswer>, Refusal> {
        let output = self.method("Upload").output();
        let mut answers = wire::stream_raw(&self.operator, &self.path("Upload"), chunks).await?;
        let mut read = Vec::new();
        while read.len() < most
            && let Some(bytes) = answers.message().await?
        {
            let answer = DynamicMessage::decode(output.clone(), bytes).expect("an answer of the contract");
            let chunk = answer.get_field_by_name("chunk").and_then(|number| number.as_i64()).unwrap_or_default();
            read.push(ChunkAnswer { chunk, results: results(&answer) });
        }
        Ok(read)
    }

    /// Sends chunks and reads all answers.
    pub(super) async fn upload_all(&self, chunks: Vec<DynamicMessage>) -> Result<Vec<ChunkAnswer>, Refusal> {
        let bytes: Vec<Vec<u8>> = chunks.iter().map(prost::Message::encode_to_vec).collect();
        self.upload(stream::iter(bytes), usize::MAX).await
    }

    /// Uploads items as one chunk of an upload of their own.
    pub(super) async fn upload_items(&self, items: &[DynamicMessage]) -> Result<Vec<common::ItemResult>, Refusal> {
        let answers = self.upload_all(vec![self.chunk(&request_id(), 0, items)]).await?;
        Ok(answers.into_iter().flat_map(|answer| answer.results).collect())
    }

    /// Uploads items, reads the first answer and cuts the stream, which the service then still expects chunks of.
    pub(super) async fn upload_cut(&self, chunk: &DynamicMessage) -> Result<Vec<ChunkAnswer>, Refusal> {
        let sent = stream::iter([chunk.encode_to_vec()]).chain(stream::pending());
        self.upload(sent, 1).await
    }
}

/// Reads the answers to items.
fn results(answer: &DynamicMessage) -> Vec<common::ItemResult> {
    let results = listed(answer, "results").into_iter();
    results.map(|result| result.transcode_to().expect("an item's answer")).collect()
}

/// Clears what is personal, in the message and in those inside it.
fn clear_personal(message: &mut DynamicMessage) {
    for field in message.descriptor().fields() {
        if !message.has_field(&field) {
            continue;
        }
        if is_personal(&field) {
            message.clear_field(&field);
            continue;
        }
        match message.get_field_mut(&field) {
            Value::Message(inner) => clear_personal(inner),
            Value::List(items) => items.iter_mut().filter_map(Value::as_message_mut).for_each(clear_personal),
            _ => {}
        }
    }
}

/// Lists what is personal in a message, with the field of the message that it stands in and its path.
pub(super) fn personal(message: &DynamicMessage) -> Vec<Personal> {
    let mut found = Vec::new();
    for field in message.descriptor().fields() {
        let name = field.name().to_owned();
        match message.get_field(&field).as_ref() {
            Value::String(value) if is_personal(&field) => {
                found.push(Personal { field: name.clone(), path: name, value: value.clone() });
            }
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    let inside = item.as_message().map(personal).unwrap_or_default();
                    found.extend(inside.into_iter().map(|inner| Personal {
                        field: name.clone(),
                        path: format!("{name}[{index}].{}", inner.path),
                        value: inner.value,
                    }));
                }
            }
            _ => {}
        }
    }
    found
}

/// A personal value.
#[derive(Clone, Debug)]
pub(super) struct Personal {
    /// Field of the resource.
    pub(super) field: String,
    /// Path of the value, as `members[0].resident_id`.
    pub(super) path: String,
    pub(super) value: String,
}
