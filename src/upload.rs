//! One uploader for all registers: items in chunks, an answer per item once it is durable, resumed after a cut.
//!
//! The messages here are those of every register's standard methods on the wire; items are carried as the bytes of
//! the register's own resource.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use minsheng_kit::clients::{DepartmentChannel, OutgoingRequest as _};
use minsheng_proto::common::v1 as common;
use tonic::{Request, Status, client::Grpc, codegen::http::uri::PathAndQuery};
use uuid::Uuid;

use crate::registers::Register;

/// Items of one chunk.
pub const CHUNK: usize = 1000;
/// Time that one upload may take.
const UPLOAD_TIME: Duration = Duration::from_mins(15);
/// Time that one creation or update may take.
const UPDATE_TIME: Duration = Duration::from_secs(30);
/// Largest answer to a chunk, in bytes.
const LARGEST_ANSWER: usize = 16 << 20;

/// A chunk, as any register's upload takes it.
#[derive(Clone, PartialEq, prost::Message)]
struct Chunk {
    #[prost(string, tag = "1")]
    upload_id: String,
    #[prost(int64, tag = "2")]
    number: i64,
    #[prost(bool, tag = "3")]
    validate_only: bool,
    #[prost(bytes = "bytes", repeated, tag = "4")]
    items: Vec<Bytes>,
}

/// The answer to a chunk, as any register's upload gives it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Answer {
    /// Number of the chunk.
    #[prost(int64, tag = "1")]
    pub chunk: i64,
    /// One for each item, in order.
    #[prost(message, repeated, tag = "2")]
    pub results: Vec<common::ItemResult>,
}

/// A change from a day on, as any register takes it.
#[derive(Clone, PartialEq, prost::Message)]
struct UpdateRequest {
    #[prost(string, tag = "1")]
    request_id: String,
    #[prost(bytes = "bytes", tag = "2")]
    resource: Bytes,
    #[prost(string, tag = "3")]
    etag: String,
    #[prost(message, optional, tag = "4")]
    update_mask: Option<prost_types::FieldMask>,
    #[prost(message, optional, tag = "5")]
    effective_on: Option<common::Date>,
}

/// A creation, as any register takes it.
#[derive(Clone, PartialEq, prost::Message)]
struct CreateRequest {
    #[prost(string, tag = "1")]
    request_id: String,
    #[prost(bytes = "bytes", tag = "2")]
    resource: Bytes,
    #[prost(message, optional, tag = "3")]
    effective_on: Option<common::Date>,
}

/// An end or a withdrawal, as any register takes it.
#[derive(Clone, PartialEq, prost::Message)]
struct EndRequest {
    #[prost(string, tag = "1")]
    request_id: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    etag: String,
    #[prost(enumeration = "common::EndKind", tag = "4")]
    kind: i32,
    #[prost(message, optional, tag = "5")]
    ended_on: Option<common::Date>,
}

/// The answer to a creation, an update or an end; nobody here reads it.
#[derive(Clone, PartialEq, prost::Message)]
struct Recorded {}

/// One new record, created by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Creation {
    /// Makes it repeatable.
    pub request_id: Uuid,
    /// The record.
    pub resource: Bytes,
    /// Day from which it is true; absent for the day that the register itself names.
    pub effective_on: Option<common::Date>,
}

/// One change of one record from a day on.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// Makes it repeatable.
    pub request_id: Uuid,
    /// The record with its name and the fields that change.
    pub resource: Bytes,
    /// Version that it changes, from 1.
    pub version: u32,
    /// The fields that change.
    pub fields: Vec<String>,
    /// Day from which it is true.
    pub effective_on: common::Date,
}

/// The end of one record, or its withdrawal.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// Makes it repeatable.
    pub request_id: Uuid,
    /// Name of the record.
    pub name: String,
    /// Version that it ends, from 1.
    pub version: u32,
    /// What becomes of the record.
    pub kind: common::EndKind,
    /// First day on which it is no longer true; none when it is withdrawn.
    pub ended_on: Option<common::Date>,
}

/// Uploads into one register of one department.
#[derive(Clone, Debug)]
pub struct Uploader {
    channel: DepartmentChannel,
    register: &'static Register,
    upload_id: Uuid,
    validate_only: bool,
}

impl Uploader {
    /// Prepares an upload; `upload_id` is the same when the same content is uploaded again.
    pub fn new(channel: DepartmentChannel, register: &'static Register, upload_id: Uuid) -> Self {
        Self { channel, register, upload_id, validate_only: false }
    }

    /// Checks only, records nothing.
    #[must_use]
    pub fn validate_only(mut self) -> Self {
        self.validate_only = true;
        self
    }

    /// Sends chunks, the first of which has the number `first`, and hands every answer to `answered` as it comes.
    pub async fn send<S>(&self, first: i64, chunks: S, mut answered: impl FnMut(Answer)) -> Result<(), Status>
    where
        S: Stream<Item = Vec<Bytes>> + Send + 'static,
    {
        let (upload_id, validate_only) = (self.upload_id.to_string(), self.validate_only);
        let numbered = chunks.zip(futures::stream::iter(first..)).map(move |(items, number)| Chunk {
            upload_id: upload_id.clone(),
            number,
            validate_only,
            items,
        });
        let mut request = Request::new(numbered);
        request.set_timeout(UPLOAD_TIME);
        let mut client = Grpc::new(self.channel.clone())
            .max_decoding_message_size(LARGEST_ANSWER)
            .max_encoding_message_size(LARGEST_ANSWER);
        client.ready().await?;
        let codec = tonic_prost::ProstCodec::<Chunk, Answer>::default();
        let mut answers = client.streaming(request, path(&self.register.method("Upload"))?, codec).await?.into_inner();
        while let Some(answer) = answers.message().await? {
            answered(answer);
        }
        Ok(())
    }
}

/// Changes one record.
pub async fn update(channel: DepartmentChannel, register: &Register, change: Update) -> Result<(), Status> {
    let mut request = Request::new(UpdateRequest {
        request_id: change.request_id.to_string(),
        resource: change.resource,
        etag: format!("v{}", change.version),
        update_mask: Some(prost_types::FieldMask { paths: change.fields }),
        effective_on: Some(change.effective_on),
    })
    .idempotent();
    request.set_timeout(UPDATE_TIME);
    let mut client = Grpc::new(channel);
    client.ready().await?;
    let codec = tonic_prost::ProstCodec::<UpdateRequest, Recorded>::default();
    client.unary(request, path(&register.method("Update"))?, codec).await?;
    Ok(())
}

/// Ends or withdraws one record.
pub async fn end(channel: DepartmentChannel, register: &Register, ending: Ending) -> Result<(), Status> {
    let mut request = Request::new(EndRequest {
        request_id: ending.request_id.to_string(),
        name: ending.name,
        etag: format!("v{}", ending.version),
        kind: ending.kind.into(),
        ended_on: ending.ended_on,
    })
    .idempotent();
    request.set_timeout(UPDATE_TIME);
    let mut client = Grpc::new(channel);
    client.ready().await?;
    let codec = tonic_prost::ProstCodec::<EndRequest, Recorded>::default();
    client.unary(request, path(&register.method("End"))?, codec).await?;
    Ok(())
}

/// Records one.
pub async fn create(channel: DepartmentChannel, register: &Register, record: Creation) -> Result<(), Status> {
    let mut request = Request::new(CreateRequest {
        request_id: record.request_id.to_string(),
        resource: record.resource,
        effective_on: record.effective_on,
    })
    .idempotent();
    request.set_timeout(UPDATE_TIME);
    let mut client = Grpc::new(channel);
    client.ready().await?;
    let codec = tonic_prost::ProstCodec::<CreateRequest, Recorded>::default();
    client.unary(request, path(&register.method("Create"))?, codec).await?;
    Ok(())
}

fn path(text: &str) -> Result<PathAndQuery, Status> {
    text.parse().map_err(|_| Status::unimplemented(format!("{text} is not the path of a method")))
}
