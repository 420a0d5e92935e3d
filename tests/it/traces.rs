//! A question from one department to another is one trace: each service, as a process of its own, tells a collector of
//! its side, and the two sides belong together.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::support::{Process, environment, free_port};
use chrono::NaiveDate;
use minsheng::site::Endpoints;
use minsheng_kit::values::identifiers::ResidentId;
use minsheng_proto::{common::v1::Date, community::v1 as pb, social_security::v1::AssistanceCategory};
use minsheng_testkit::TestSite;
use pb::{meal_price_service_client::MealPriceServiceClient, service_point_service_client::ServicePointServiceClient};
use prost::Message;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// The part of OpenTelemetry's `ExportTraceServiceRequest` that is looked at.
#[derive(Clone, PartialEq, Message)]
struct Export {
    #[prost(message, repeated, tag = "1")]
    services: Vec<OfService>,
}

#[derive(Clone, PartialEq, Message)]
struct OfService {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scopes: Vec<OfScope>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<Text>,
}

#[derive(Clone, PartialEq, Message)]
struct Text {
    #[prost(string, tag = "1")]
    text: String,
}

#[derive(Clone, PartialEq, Message)]
struct OfScope {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(int32, tag = "6")]
    kind: i32,
}

/// A span's kind on the side that answers, and on the side that asks.
const SERVER: i32 = 2;
const CLIENT: i32 = 3;

/// Bodies as they came, each an [`Export`].
type Received = Arc<watch::Sender<Vec<Vec<u8>>>>;

/// Accepts what one exporter posts and answers that all is well.
async fn collect(stream: TcpStream, received: Received) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        while !line.trim().is_empty() {
            line.clear();
            stream.read_line(&mut line).await?;
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        received.send_modify(|bodies| bodies.push(body));
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
    }
}

/// Finds what a service told of its side of a method.
fn span_of(bodies: &[Vec<u8>], service: &str, method: &str, kind: i32) -> Option<Span> {
    let exports = bodies.iter().map(|body| Export::decode(body.as_slice()).expect("an export"));
    let of_service = exports.flat_map(|export| export.services).filter(|of| {
        let attributes = of.resource.iter().flat_map(|resource| &resource.attributes);
        let mut names = attributes.filter(|attribute| attribute.key == "service.name");
        names.any(|name| name.value.as_ref().is_some_and(|value| value.text == service))
    });
    let mut spans = of_service.flat_map(|of| of.scopes).flat_map(|scope| scope.spans);
    spans.find(|span| span.name.ends_with(method) && span.kind == kind)
}

/// Waits until a service has told of its side of a method.
async fn told(received: &Received, service: &str, method: &str, kind: i32) -> Span {
    let mut bodies = received.subscribe();
    let telling = bodies.wait_for(|bodies| span_of(bodies, service, method, kind).is_some());
    let waited = tokio::time::timeout(Duration::from_secs(30), telling).await;
    let told = waited.unwrap_or_else(|_| panic!("{service} told nothing of {method} as {kind}"));
    span_of(&told.expect("the sender is kept"), service, method, kind).expect("it is there")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_of_community_to_social_security_is_one_trace_on_both_sides() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let collector = format!("http://{}", listener.local_addr().expect("bound"));
    let received = Received::default();
    let taking = Arc::clone(&received);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(collect(stream, Arc::clone(&taking)));
        }
    });

    let site = TestSite::new().expect("certificates");
    let ports = BTreeMap::from(["social-security", "community"].map(|department| (department, free_port())));
    let addresses = ports.iter().map(|(name, port)| ((*name).to_owned(), format!("https://localhost:{port}")));
    let endpoints = Endpoints { pki: site.path().join("pki"), addresses: addresses.collect() };
    let mut processes = Vec::new();
    for (department, port) in &ports {
        let database = format!("sqlite:{}", site.path().join(format!("{department}.db")).display());
        let mut variables = environment(site.path(), &database, *port);
        if *department == "community" {
            let social_security = endpoints.addresses["social-security"].clone();
            variables.insert("MINSHENG_UPSTREAM_SOCIAL_SECURITY".to_owned(), social_security);
        }
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", collector.as_str()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ] {
            variables.insert(name.to_owned(), value.to_owned());
        }
        processes.push(Process::start(department, &variables));
    }
    for process in &mut processes {
        process.serving(&endpoints).await;
    }

    let resident = ResidentId::synthetic(NaiveDate::from_ymd_opt(1950, 5, 6).expect("a day"), 1).expect("a person");
    let community = endpoints.channel("operator", "community").expect("a channel");
    let point = pb::ServicePoint {
        name: "service_points/m1".to_owned(),
        area: "540102".to_owned(),
        title: "八廓街道老年助餐点".to_owned(),
        kind: pb::ServicePointKind::ElderMealPoint.into(),
        operator: pb::OperatorKind::Collective.into(),
        level: pb::AreaLevel::Village.into(),
        township_code: "540102002".to_owned(),
        village_code: "540102002001".to_owned(),
        capacity: 24,
        opened_on: Some(Date { year: 2024, month: 3, day: 1 }),
        ..pb::ServicePoint::default()
    };
    let request_id = || uuid::Uuid::new_v4().to_string();
    let request =
        pb::CreateServicePointRequest { request_id: request_id(), service_point: Some(point), effective_on: None };
    ServicePointServiceClient::new(community.clone()).create_service_point(request).await.expect("created");
    let price = pb::MealPrice {
        area: "540102".to_owned(),
        resident_id: resident.expose().to_owned(),
        service_point: "service_points/m1".to_owned(),
        base_price_fen: 1501,
        applied_on: Some(Date { year: 2025, month: 9, day: 8 }),
        ..pb::MealPrice::default()
    };
    let request = pb::CreateMealPriceRequest { request_id: request_id(), meal_price: Some(price), effective_on: None };
    let set = MealPriceServiceClient::new(community).create_meal_price(request).await.expect("created");
    let set = set.into_inner().meal_price.expect("in the answer");
    assert_eq!(set.outcome(), pb::PriceOutcome::Set, "social security has answered");
    assert_eq!(set.assistance_category(), AssistanceCategory::None);

    let question = "socialsecurity.v1.QuestionService/GetAssistanceCategory";
    let answered = told(&received, "minsheng-social-security", question, SERVER).await;
    let asked = told(&received, "minsheng-community", question, CLIENT).await;
    let caused = told(&received, "minsheng-community", "MealPriceService/CreateMealPrice", SERVER).await;
    assert_eq!(answered.trace, asked.trace, "two traces");
    assert_eq!(answered.parent, asked.id, "the answer does not hang on the question");
    assert_eq!((asked.trace, asked.parent), (caused.trace, caused.id), "the question does not hang on its cause");
    let bodies = received.borrow().concat();
    let number = resident.expose().as_bytes();
    assert!(!bodies.windows(number.len()).any(|part| part == number), "a person's number is in a trace");
}
