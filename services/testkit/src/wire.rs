//! Calls by the names of services, methods and fields, for tests that are written once for many contracts.

use bytes::{Buf as _, BufMut as _, Bytes};
use chrono::{Datelike as _, NaiveDate};
use futures::Stream;
use minsheng_kit::clients::{DepartmentChannel, OutgoingRequest as _};
use minsheng_proto::{common::v1 as common, descriptors};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor, Value};
use tonic::{
    Request, Status, Streaming,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

/// Bytes that an answer may have.
const LARGEST_ANSWER: usize = 16 << 20;

/// Returns the method of a path, `/package.Service/Method`; none where the contracts have no such method.
pub fn method(path: &str) -> Option<MethodDescriptor> {
    let (service, name) = path.trim_start_matches('/').split_once('/')?;
    descriptors().get_service_by_name(service)?.methods().find(|method| method.name() == name)
}

/// Makes the request of a method with some of its fields.
pub fn request<'a>(method: &MethodDescriptor, fields: impl IntoIterator<Item = (&'a str, Value)>) -> DynamicMessage {
    let mut message = DynamicMessage::new(method.input());
    for (field, value) in fields {
        message.set_field_by_name(field, value);
    }
    message
}

/// Calls a method, `/package.Service/Method`, over a channel.
pub async fn call(
    channel: &DepartmentChannel,
    path: &str,
    fields: impl IntoIterator<Item = (&str, Value)>,
) -> Result<DynamicMessage, Status> {
    let method = method(path).expect("in the contract");
    let answer = call_raw(channel, path, request(&method, fields).encode_to_vec()).await?;
    Ok(DynamicMessage::decode(method.output(), answer).expect("an answer of the contract"))
}

/// Calls a method with bytes that need be no message.
pub async fn call_raw(channel: &DepartmentChannel, path: &str, bytes: Vec<u8>) -> Result<Bytes, Status> {
    let mut client = Grpc::new(channel.clone()).max_decoding_message_size(LARGEST_ANSWER);
    client.ready().await?;
    let path = path.parse().expect("the path of a method");
    Ok(client.unary(Request::new(bytes).idempotent(), path, Raw).await?.into_inner())
}

/// Calls a method that takes and answers a stream of messages, all of them as their bytes.
pub async fn stream_raw(
    channel: &DepartmentChannel,
    path: &str,
    sent: impl Stream<Item = Vec<u8>> + Send + 'static,
) -> Result<Streaming<Bytes>, Status> {
    let mut client = Grpc::new(channel.clone()).max_decoding_message_size(LARGEST_ANSWER);
    client.ready().await?;
    let path = path.parse().expect("the path of a method");
    Ok(client.streaming(Request::new(sent), path, Raw).await?.into_inner())
}

/// Carries messages as their bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length)))
    }
}

/// Returns a day as the contract's date.
pub fn date(day: NaiveDate) -> common::Date {
    let part = |number: u32| i32::try_from(number).unwrap_or_default();
    common::Date { year: day.year(), month: part(day.month()), day: part(day.day()) }
}

/// Returns a day as the value of a field.
pub fn date_value(day: NaiveDate) -> Value {
    let message = descriptors().get_message_by_name("minsheng.common.v1.Date").expect("in the contract");
    let bytes = date(day).encode_to_vec();
    Value::Message(DynamicMessage::decode(message, bytes.as_slice()).expect("a date"))
}

/// Returns an update mask of these paths as the value of a field.
pub fn mask_value<'a>(paths: impl IntoIterator<Item = &'a str>) -> Value {
    let message = descriptors().get_message_by_name("google.protobuf.FieldMask").expect("in the contract");
    let mut mask = DynamicMessage::new(message);
    let paths = paths.into_iter().map(|path| Value::String(path.to_owned())).collect();
    mask.set_field_by_name("paths", Value::List(paths));
    Value::Message(mask)
}

/// Returns what the server says of a record beside its content.
pub fn meta(resource: &DynamicMessage) -> common::RecordMeta {
    let meta = resource.get_field_by_name("meta");
    let meta = meta.as_deref().and_then(Value::as_message);
    meta.and_then(|meta| meta.transcode_to().ok()).unwrap_or_default()
}

/// Returns the only message that a request's or an answer's field holds.
pub fn inner(message: &DynamicMessage, field: &str) -> DynamicMessage {
    let value = message.get_field_by_name(field).expect("a field of the message").into_owned();
    let Value::Message(inner) = value else { panic!("{field} holds no message") };
    inner
}

/// Returns the messages that a field lists.
pub fn listed(message: &DynamicMessage, field: &str) -> Vec<DynamicMessage> {
    let value = message.get_field_by_name(field).expect("a field of the message");
    let items = value.as_list().expect("a list");
    items.iter().filter_map(Value::as_message).cloned().collect()
}

/// Returns a field that is a text; empty where it is none.
pub fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
