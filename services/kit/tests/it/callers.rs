//! What a caller sees of a department's service whatever its registers: what is served can be found out, and what cannot
//! be read is said to be the caller's fault.

use arrow_flight as flight;
use chrono::NaiveDate;
use minsheng_kit::{
    assembly::{Assembly, Definition},
    catalogue::Catalogue,
    clients::DepartmentChannel,
    store::Migrations,
};
use minsheng_proto::{FLIGHT_DESCRIPTOR_BYTES, returns::v1 as pb};
use minsheng_testkit::{TestClock, TestDatabase, TestService, TestSite};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use tonic::{Code, Request};
use tonic_prost::ProstCodec;
use tonic_reflection::pb::v1 as reflection;
use tonic_types::StatusExt as _;

static DEFINITION: Definition = Definition {
    department: "health",
    service: "health",
    migrations: Migrations::NONE,
    assemble: |parts| Assembly::new(parts.context),
};

async fn start() -> (TestSite, TestService, DepartmentChannel) {
    let site = TestSite::new().expect("certificates");
    let clock = TestClock::on(NaiveDate::from_ymd_opt(2026, 3, 20).expect("a day"));
    let service = site.start(&DEFINITION, TestDatabase::Sqlite, &clock, &[]).await.expect("starts");
    let channel = site.channel("operator", &DEFINITION, &service).expect("a channel");
    (site, service, channel)
}

/// Stands where a request of the contract should: its first field is a number.
#[derive(Clone, PartialEq, prost::Message)]
struct Wrong {
    #[prost(int64, tag = "1")]
    number: i64,
}

#[tokio::test]
async fn bytes_that_are_no_request_are_the_callers_fault_in_a_stream_too() {
    let (_site, service, channel) = start().await;
    let mut client = tonic::client::Grpc::new(channel);
    let codec = ProstCodec::<Wrong, pb::SubmitReturnsResponse>::default;
    client.ready().await.expect("ready");
    let method = http::uri::PathAndQuery::from_static("/minsheng.returns.v1.ReturnService/SubmitReturns");
    let unary = client.unary(Request::new(Wrong { number: 7 }), method, codec()).await.expect_err("no request");
    client.ready().await.expect("ready");
    let chunks = Request::new(tokio_stream::iter([Wrong { number: 7 }]));
    let method = http::uri::PathAndQuery::from_static("/minsheng.returns.v1.ReturnService/UploadReturns");
    let mut answers = client.streaming(chunks, method, codec()).await.expect("accepted").into_inner();
    let streamed = answers.message().await.expect_err("no request");
    for status in [unary, streamed] {
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        assert_eq!(status.get_details_error_info().expect("an ErrorInfo").reason, "UNDECODABLE_REQUEST");
    }
    service.stop().await.expect("stops");
}

#[tokio::test]
async fn the_catalogue_tells_page_by_page_what_may_be_filed() {
    use pb::catalogue_service_client::CatalogueServiceClient;
    let (site, service, _) = start().await;
    let analytics = site.channel("analytics", &DEFINITION, &service).expect("a channel");
    let mut client = CatalogueServiceClient::new(analytics);
    let shipped = Catalogue::shipped();
    let asked = |department: &str, page_token: String| pb::ListCommitmentsRequest {
        department: department.to_owned(),
        page_size: 7,
        page_token,
    };
    for department in ["", "health", "social-security", "nobody"] {
        let (mut told, mut token) = (Vec::new(), String::new());
        loop {
            let page = client.list_commitments(asked(department, token)).await.expect("listed").into_inner();
            assert!(page.commitments.len() <= 7);
            assert_eq!(page.edition, shipped.edition);
            told.extend(page.commitments);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
            let elsewhere = client.list_commitments(asked("education", token.clone())).await.expect_err("another list");
            assert_eq!(elsewhere.code(), Code::InvalidArgument);
        }
        let expected = shipped.entries.iter().map(|entry| &entry.commitment);
        let expected = expected.filter(|commitment| department.is_empty() || commitment.service == department);
        let ids = |all: &[pb::Commitment]| all.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&told), expected.map(|commitment| commitment.id.clone()).collect::<Vec<_>>(), "{department}");
        if department.is_empty() {
            assert_eq!(told.len(), 92);
            let points = told.iter().find(|one| one.id == "elder-meal-points").expect("in the catalogue");
            let entry =
                shipped.entries.iter().find(|entry| entry.commitment.id == points.id).expect("in the catalogue");
            assert_eq!((points.department.as_str(), points.target), ("community", entry.commitment.target));
            let primary = &points.measures[0];
            assert_eq!((primary.name.as_str(), &primary.unit), ("primary", &entry.primary().unit.en));
            assert_eq!(primary.form(), pb::MeasureForm::Figure);
            assert!(points.due.is_some() && !points.title_zh.is_empty() && !points.title_en.is_empty());
        }
    }
    service.stop().await.expect("stops");
}

/// Asks reflection, question by question.
async fn ask(
    channel: DepartmentChannel,
    asked: Vec<reflection::server_reflection_request::MessageRequest>,
) -> Vec<reflection::server_reflection_response::MessageResponse> {
    let mut client = reflection::server_reflection_client::ServerReflectionClient::new(channel);
    let requests = asked
        .into_iter()
        .map(|asked| reflection::ServerReflectionRequest { host: String::new(), message_request: Some(asked) });
    let requests: Vec<_> = requests.collect();
    let mut answers = client.server_reflection_info(tokio_stream::iter(requests)).await.expect("answered").into_inner();
    let mut found = Vec::new();
    while let Some(answer) = answers.message().await.expect("no error") {
        found.push(answer.message_response.expect("an answer"));
    }
    found
}

#[tokio::test]
async fn every_service_that_reflection_lists_is_described_down_to_its_imports() {
    use reflection::{server_reflection_request::MessageRequest, server_reflection_response::MessageResponse};
    let (_site, service, channel) = start().await;
    let listed = ask(channel.clone(), vec![MessageRequest::ListServices(String::new())]).await;
    let [MessageResponse::ListServicesResponse(listed)] = listed.as_slice() else { panic!("{listed:?}") };
    let names: Vec<&str> = listed.service.iter().map(|service| service.name.as_str()).collect();
    for expected in [
        "arrow.flight.protocol.FlightService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "minsheng.returns.v1.ReturnService",
    ] {
        assert!(names.contains(&expected), "{expected} is not among {names:?}");
    }
    for name in names {
        let mut asked = vec![MessageRequest::FileContainingSymbol(name.to_owned())];
        let mut files = std::collections::BTreeMap::new();
        while !asked.is_empty() {
            let mut imports = Vec::new();
            for answer in ask(channel.clone(), std::mem::take(&mut asked)).await {
                let MessageResponse::FileDescriptorResponse(found) = answer else { panic!("{name}: {answer:?}") };
                for file in found.file_descriptor_proto {
                    let file = prost_types::FileDescriptorProto::decode(file.as_slice()).expect("a file");
                    imports.extend(file.dependency.clone());
                    files.insert(file.name().to_owned(), file);
                }
            }
            imports.retain(|import| !files.contains_key(import));
            asked = imports.into_iter().map(MessageRequest::FileByFilename).collect();
        }
        let set = prost_types::FileDescriptorSet { file: files.into_values().collect() };
        let pool = DescriptorPool::from_file_descriptor_set(set).expect("all that it imports");
        assert!(pool.get_service_by_name(name).is_some_and(|found| found.methods().len() > 0), "{name}");
    }
    service.stop().await.expect("stops");
}

/// Reads a message of the crate by the descriptors, and expects to find nothing that they do not know.
fn same_shape(pool: &DescriptorPool, name: &str, message: &impl prost::Message) {
    let bytes = message.encode_to_vec();
    let descriptor = pool.get_message_by_name(&format!("arrow.flight.protocol.{name}")).expect(name);
    let mut read = DynamicMessage::decode(descriptor.clone(), bytes.as_slice()).expect(name);
    for field in descriptor.fields() {
        assert!(read.has_field(&field), "the crate does not have {}", field.full_name());
    }
    let count = descriptor.fields().len();
    assert_eq!(read.fields().count(), count, "{name}");
    assert_eq!(read.take_unknown_fields().count(), 0, "the crate has more in {name}");
}

#[test]
fn flight_is_described_as_the_crate_speaks_it() {
    let pool = DescriptorPool::decode(FLIGHT_DESCRIPTOR_BYTES).expect("the build wrote these descriptors");
    let bytes = prost::bytes::Bytes::from_static(b"x");
    let text = || "x".to_owned();
    let time = Some(prost_types::Timestamp { seconds: 1, nanos: 1 });
    let descriptor = flight::FlightDescriptor { r#type: 1, cmd: bytes.clone(), path: vec![text()] };
    let ticket = flight::Ticket { ticket: bytes.clone() };
    let location = flight::Location { uri: text() };
    let endpoint = flight::FlightEndpoint {
        ticket: Some(ticket.clone()),
        location: vec![location.clone()],
        expiration_time: time,
        app_metadata: bytes.clone(),
    };
    let info = flight::FlightInfo {
        schema: bytes.clone(),
        flight_descriptor: Some(descriptor.clone()),
        endpoint: vec![endpoint.clone()],
        total_records: 1,
        total_bytes: 1,
        ordered: true,
        app_metadata: bytes.clone(),
    };
    let poll = flight::PollInfo {
        info: Some(info.clone()),
        flight_descriptor: Some(descriptor.clone()),
        progress: Some(0.5),
        expiration_time: time,
    };
    let data = flight::FlightData {
        flight_descriptor: Some(descriptor.clone()),
        data_header: bytes.clone(),
        app_metadata: bytes.clone(),
        data_body: bytes.clone(),
    };
    same_shape(&pool, "HandshakeRequest", &flight::HandshakeRequest { protocol_version: 1, payload: bytes.clone() });
    same_shape(&pool, "HandshakeResponse", &flight::HandshakeResponse { protocol_version: 1, payload: bytes.clone() });
    same_shape(&pool, "ActionType", &flight::ActionType { r#type: text(), description: text() });
    same_shape(&pool, "Criteria", &flight::Criteria { expression: bytes.clone() });
    same_shape(&pool, "Action", &flight::Action { r#type: text(), body: bytes.clone() });
    same_shape(&pool, "Result", &flight::Result { body: bytes.clone() });
    same_shape(&pool, "SchemaResult", &flight::SchemaResult { schema: bytes.clone() });
    same_shape(&pool, "PutResult", &flight::PutResult { app_metadata: bytes });
    same_shape(&pool, "FlightDescriptor", &descriptor);
    same_shape(&pool, "Ticket", &ticket);
    same_shape(&pool, "Location", &location);
    same_shape(&pool, "FlightEndpoint", &endpoint);
    same_shape(&pool, "FlightInfo", &info);
    same_shape(&pool, "PollInfo", &poll);
    same_shape(&pool, "FlightData", &data);
}
