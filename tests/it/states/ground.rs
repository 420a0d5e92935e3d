//! The four services of a test with one clock, and calls to them by the names of methods and fields.

use bytes::{Buf as _, BufMut as _, Bytes};
use chrono::NaiveDate;
use minsheng::{
    registers::{self, Register},
    site::SERVICES,
};
use minsheng_kit::clients::{DepartmentChannel, OutgoingRequest as _};
use minsheng_proto::{common::v1 as common, descriptors};
use minsheng_testkit::{TestClock, TestDatabase, TestService, TestSite};
use prost::Message as _;
use prost_reflect::{DynamicMessage, Value};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

/// Departments that another one asks, before those that ask.
const ORDER: [&str; 4] = ["social-security", "health", "education", "community"];

/// Running services.
pub(super) struct Ground {
    site: TestSite,
    clock: TestClock,
    services: Vec<(&'static str, TestService)>,
}

impl Ground {
    /// Starts some of the services on a day.
    pub(super) async fn start(database: TestDatabase, departments: &[&str], on: NaiveDate) -> Self {
        let site = TestSite::new().expect("certificates");
        let mut ground = Self { site, clock: TestClock::on(on), services: Vec::new() };
        for department in ORDER.into_iter().filter(|department| departments.contains(department)) {
            let definition = minsheng::site::service(department).expect("one of the four");
            let upstreams: Vec<_> = ground
                .services
                .iter()
                .filter(|(name, _)| *name == "social-security")
                .map(|(name, s)| (*name, s))
                .collect();
            let service = ground.site.start(definition, database, &ground.clock, &upstreams).await.expect("starts");
            ground.services.push((department, service));
        }
        ground
    }

    pub(super) async fn start_all(database: TestDatabase, on: NaiveDate) -> Self {
        Self::start(database, &ORDER, on).await
    }

    /// Goes on to noon of a later day.
    pub(super) fn set_day(&self, day: NaiveDate) {
        self.clock.set(day);
    }

    /// Returns an instant behind all that was answered, microseconds UTC.
    pub(super) fn now(&self) -> i64 {
        (self.clock.clock())()
    }

    pub(super) fn directory(&self) -> &std::path::Path {
        self.site.path()
    }

    pub(super) fn departments(&self) -> impl Iterator<Item = &'static str> {
        self.services.iter().map(|(department, _)| *department)
    }

    /// Opens a channel to a department as another one.
    pub(super) fn channel(&self, caller: &str, department: &str) -> DepartmentChannel {
        let (_, service) = self.services.iter().find(|(name, _)| *name == department).expect("a department that runs");
        let definition = SERVICES.into_iter().find(|known| known.department == department).expect("one of the four");
        self.site.channel(caller, definition, service).expect("a channel")
    }

    /// Stops the services.
    pub(super) async fn stop(self) {
        for (_, service) in self.services.into_iter().rev() {
            service.stop().await.expect("stops");
        }
    }
}

/// Calls a method, `/package.Service/Method`, over a channel.
pub(super) async fn call(
    channel: &DepartmentChannel,
    path: &str,
    fields: impl IntoIterator<Item = (&str, Value)>,
) -> Result<DynamicMessage, Status> {
    let (service, name) = path.trim_start_matches('/').split_once('/').expect("the path of a method");
    let service = descriptors().get_service_by_name(service).expect("in the contract");
    let method = service.methods().find(|method| method.name() == name).expect("in the contract");
    let mut message = DynamicMessage::new(method.input());
    for (field, value) in fields {
        message.set_field_by_name(field, value);
    }
    let mut client = Grpc::new(channel.clone()).max_decoding_message_size(16 << 20);
    client.ready().await?;
    let path = path.parse().expect("the path of a method");
    let answer = client.unary(Request::new(message.encode_to_vec()).idempotent(), path, Raw).await?.into_inner();
    Ok(DynamicMessage::decode(method.output(), answer).expect("an answer of the contract"))
}

/// Carries messages as their bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct Raw;

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

/// Returns a contract's date as a field.
pub(super) fn date(day: NaiveDate) -> Value {
    let message = descriptors().get_message_by_name("minsheng.common.v1.Date").expect("in the contract");
    let bytes = super::sampler::date(day).unwrap_or_default().encode_to_vec();
    Value::Message(DynamicMessage::decode(message, bytes.as_slice()).expect("a date"))
}

/// Returns what the server says of a record beside its content.
pub(super) fn meta(resource: &DynamicMessage) -> common::RecordMeta {
    let meta = resource.get_field_by_name("meta");
    let meta = meta.as_deref().and_then(Value::as_message);
    meta.and_then(|meta| meta.transcode_to().ok()).unwrap_or_default()
}

/// Returns the only message that a request's or an answer's field holds.
pub(super) fn inner(message: &DynamicMessage, field: &str) -> DynamicMessage {
    let value = message.get_field_by_name(field).expect("a field of the message").into_owned();
    let Value::Message(inner) = value else { panic!("{field} holds no message") };
    inner
}

pub(super) fn register(name: &str) -> &'static Register {
    registers::find(name).unwrap_or_else(|_| panic!("{name} is no register of the contracts"))
}
