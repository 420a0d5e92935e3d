//! The server's promises, each over real sockets.

pub(crate) mod echo;
mod stopping;

use std::time::{Duration, Instant};

use futures::StreamExt;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use super::ServerConfig;
use crate::pki::{Authority, Subject};
use echo::{Bench, ECHO, Echo, call, named, stream, who, within};

fn config() -> ServerConfig {
    ServerConfig::default().without_notice()
}

#[tokio::test]
async fn the_caller_is_the_department_of_its_certificate() {
    let bench = Bench::new();
    let running = bench.serve(config(), Echo::default()).await;
    assert_eq!(who(bench.channel("education", &running)).await.expect("answered"), "education");
    assert_eq!(who(bench.channel("health", &running)).await.expect("answered"), "health");
}

#[tokio::test]
async fn a_peer_without_a_certificate_or_of_another_authority_is_not_heard() {
    let (bench, elsewhere) = (Bench::new(), Bench::new());
    let running = bench.serve(config(), Echo::default()).await;
    let error = who(elsewhere.channel("education", &running)).await.expect_err("not heard");
    assert_eq!(error.code(), Code::Unavailable);

    let mut roots = rustls::RootCertStore::empty();
    let root = std::fs::read(bench.pki.path().join("ca.pem")).expect("the root");
    for certificate in <rustls_pki_types::CertificateDer as rustls_pki_types::pem::PemObject>::pem_slice_iter(&root) {
        roots.add(certificate.expect("a certificate")).expect("added");
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let anonymous = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", running.port)).await.expect("connected");
    let name = ServerName::try_from("localhost").expect("a name");
    let connector = TlsConnector::from(std::sync::Arc::new(anonymous));
    // In TLS 1.3 the client learns of the refusal at its first read.
    if let Ok(mut stream) = connector.connect(name, stream).await {
        let _ = stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        let read = stream.read(&mut [0; 64]).await;
        assert!(read.is_err(), "{read:?}");
    }
}

#[tokio::test]
async fn a_department_that_no_policy_permits_is_denied_but_may_probe() {
    let bench = Bench::new();
    let running = bench.serve(config(), Echo::default()).await;
    let channel = bench.channel("stranger", &running);
    let error = call(channel.clone(), "Left", Request::new(0)).await.expect_err("denied");
    assert_eq!(error.code(), Code::PermissionDenied);
    let info = error.get_details_error_info().expect("an ErrorInfo");
    assert_eq!(info.reason, "ACCESS_DENIED");
    assert_eq!(info.metadata["method"], format!("{ECHO}/Left"));
    let answer = HealthClient::new(channel).check(HealthCheckRequest { service: ECHO.to_owned() }).await;
    assert_eq!(answer.expect("answered").into_inner().status(), ServingStatus::Serving);
}

#[tokio::test]
async fn a_call_beyond_its_deadline_is_answered_deadline_exceeded() {
    let bench = Bench::new();
    let longest = Duration::from_millis(150);
    let running = bench.serve(ServerConfig { longest_deadline: longest, ..config() }, Echo::default()).await;
    // The caller would wait ten seconds; the server's own limit answers.
    let begun = Instant::now();
    let request = within(60_000, Duration::from_secs(10));
    let error = call(bench.channel("education", &running), "Sleep", request).await.expect_err("too late");
    assert_eq!((error.code(), error.message()), (Code::DeadlineExceeded, "deadline exceeded"));
    assert_eq!(error.get_details_error_info().expect("an ErrorInfo").reason, "DEADLINE_EXCEEDED");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_stream_beyond_its_deadline_ends_with_deadline_exceeded() {
    let bench = Bench::new();
    let longest = Duration::from_millis(300);
    let running = bench.serve(ServerConfig { longest_deadline: longest, ..config() }, Echo::default()).await;
    let request = within(20, Duration::from_secs(10));
    let mut ticks = stream(bench.channel("education", &running), "Tick", request).await.expect("begun");
    assert_eq!(ticks.next().await.expect("a tick").expect("a number"), 0);
    let error = loop {
        match ticks.next().await.expect("no end without a status") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!((error.code(), error.message()), (Code::DeadlineExceeded, "deadline exceeded"));
    assert_eq!(error.get_details_error_info().expect("an ErrorInfo").reason, "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn the_handler_knows_what_is_left_of_its_deadline() {
    let bench = Bench::new();
    let running = bench.serve(config(), Echo::default()).await;
    let request = within(0, Duration::from_secs(2));
    let left = call(bench.channel("education", &running), "Left", request).await.expect("answered");
    assert!((1_000..=2_000).contains(&left), "{left}");
}

#[tokio::test]
async fn one_call_more_than_there_are_places_is_refused_and_health_still_answers() {
    let bench = Bench::new();
    let running = bench.serve(ServerConfig { concurrent_calls: 1, ..config() }, Echo::default()).await;
    let channel = bench.channel("education", &running);
    // A stream holds its place for as long as it flows.
    let ticks = stream(channel.clone(), "Tick", within(10, Duration::from_secs(30))).await.expect("begun");
    let error = call(channel.clone(), "Left", Request::new(0)).await.expect_err("refused");
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert_eq!(error.get_details_error_info().expect("an ErrorInfo").reason, "TOO_MANY_CALLS");
    assert!(error.get_details_retry_info().expect("a RetryInfo").retry_delay.is_some());
    HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await.expect("alive");
    drop(ticks);
    let free = async {
        while call(channel.clone(), "Left", Request::new(0)).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), free).await.expect("the place is free again");
}

#[tokio::test]
async fn a_caller_that_holds_all_that_one_may_hold_shuts_no_other_out() {
    let bench = Bench::new();
    let config = ServerConfig { concurrent_calls: 4, calls_per_caller: 2, ..config() };
    let running = bench.serve(config, Echo::default()).await;
    let mut held = Vec::new();
    // Two connections of one caller have no more than one has.
    let channels = [(); 2].map(|()| bench.channel("education", &running));
    for channel in channels.clone() {
        held.push(stream(channel, "Tick", within(10, Duration::from_secs(30))).await.expect("begun"));
    }
    for channel in channels {
        let error = call(channel, "Left", Request::new(0)).await.expect_err("refused");
        assert_eq!(error.code(), Code::ResourceExhausted);
        let info = error.get_details_error_info().expect("an ErrorInfo");
        assert_eq!((info.reason.as_str(), info.metadata["limit"].as_str()), ("TOO_MANY_OF_CALLER", "calls"));
    }
    call(bench.channel("health", &running), "Left", Request::new(0)).await.expect("another has its own places");
}

#[tokio::test]
async fn a_caller_s_connections_are_counted_and_one_more_is_closed() {
    let bench = Bench::new();
    let config = ServerConfig { connections_per_caller: 1, ..config() };
    let running = bench.serve(config, Echo::default()).await;
    let first = bench.channel("education", &running);
    call(first.clone(), "Left", Request::new(0)).await.expect("the first connection");
    let error = call(bench.channel("education", &running), "Left", Request::new(0)).await.expect_err("closed");
    assert_eq!(error.code(), Code::Unavailable);
    call(first, "Left", Request::new(0)).await.expect("stays open");
    call(bench.channel("health", &running), "Left", Request::new(0)).await.expect("another's");
}

#[tokio::test]
async fn a_connection_that_is_silent_after_the_handshake_is_cut() {
    let bench = Bench::new();
    let config = ServerConfig { first_call: Duration::from_millis(50), ..config() };
    let running = bench.serve(config, Echo::default()).await;
    let mut silent = bench.handshake("education", running.port).await;
    let mut rest = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut silent, &mut rest);
    let _ = tokio::time::timeout(Duration::from_secs(5), read).await.expect("the server closes it");
    // One that has called may be silent as long as it lives.
    let channel = bench.channel("education", &running);
    call(channel.clone(), "Left", Request::new(0)).await.expect("in time");
    call(channel, "Sleep", Request::new(100)).await.expect("longer than the time for the first call");
}

#[tokio::test]
async fn a_certificate_that_runs_out_ends_its_connections() {
    let bench = Bench::new();
    let running = bench.serve(config(), Echo::default()).await;
    let authority = Authority::create_or_open(bench.pki.path()).expect("an authority");
    let short = Duration::from_secs(2);
    authority.issue_for(&named("visitor"), &Subject::localhost(), short).expect("issued");
    let channel = bench.channel("visitor", &running);
    call(channel.clone(), "Left", Request::new(0)).await.expect("still good");
    let over = async {
        // The connection is asked to close; a new one would need a good certificate.
        while call(channel.clone(), "Left", Request::new(0)).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), over).await.expect("ends with the certificate");
    call(bench.channel("education", &running), "Left", Request::new(0)).await.expect("another's is good");
}

#[tokio::test]
async fn a_stream_that_its_reader_takes_nothing_of_gives_up_its_place_and_tells_the_reader_who_comes_back() {
    let bench = Bench::new();
    let stall = Duration::from_millis(100);
    let running = bench.serve(ServerConfig { concurrent_calls: 1, stall, ..config() }, Echo::default()).await;
    let reader = bench.channel("education", &running);
    let mut poured = stream(reader, "Pour", within(0, Duration::from_mins(5))).await.expect("begun");
    poured.next().await.expect("a number").expect("no error");
    // Another connection: this one's window is full.
    let channel = bench.channel("education", &running);
    let free = async {
        while let Err(error) = call(channel.clone(), "Left", Request::new(0)).await {
            assert_eq!(error.code(), Code::ResourceExhausted, "{error:?}");
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), free).await.expect("the place is free again");
    let error = loop {
        match poured.next().await.expect("no end without a status") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert_eq!(error.get_details_error_info().expect("an ErrorInfo").reason, "READER_STALLED");
}

/// Calls a path with a message of any type, as a client that does not keep to the contract.
async fn call_by_path<M: prost::Message + Default + 'static>(
    channel: crate::clients::DepartmentChannel,
    path: &str,
    message: M,
) -> tonic::Status {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.expect("ready");
    let path = http::uri::PathAndQuery::try_from(path).expect("a path");
    let codec = tonic_prost::ProstCodec::<M, ()>::default();
    client.unary(Request::new(message), path, codec).await.expect_err("refused")
}

#[tokio::test]
async fn an_unknown_service_or_method_is_unimplemented_and_named() {
    let bench = Bench::new();
    let running = bench.serve(config(), Echo::default()).await;
    for (path, reason, named) in [
        ("/minsheng.test.v1.NoSuchService/Left", "UNKNOWN_SERVICE", "minsheng.test.v1.NoSuchService"),
        ("/grpc.health.v1.Health/Chek", "UNKNOWN_METHOD", "Chek"),
    ] {
        let status = call_by_path(bench.channel("education", &running), path, ()).await;
        assert_eq!(status.code(), Code::Unimplemented, "{path}");
        assert!(status.message().contains(named), "{}", status.message());
        assert_eq!(status.get_details_error_info().expect("an ErrorInfo").reason, reason);
    }
}

#[tokio::test]
async fn bytes_that_are_no_message_are_the_callers_fault() {
    let bench = Bench::new();
    let running = bench.serve(config(), Echo::default()).await;
    let path = format!("/{ECHO}/Left");
    // The method takes a number.
    let status = call_by_path(bench.channel("education", &running), &path, "text".to_owned()).await;
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("cannot be read"), "{}", status.message());
    assert_eq!(status.get_details_error_info().expect("an ErrorInfo").reason, "UNDECODABLE_REQUEST");
}

/// Makes a module that asks one version of reflection.
macro_rules! reflection_client {
    ($module:ident, $version:ident) => {
        mod $module {
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;

            /// Lists the services, and asks for the file of each that a name is given of.
            pub(super) async fn services(
                channel: crate::clients::DepartmentChannel,
                described: &[&str],
            ) -> Vec<String> {
                let mut client = ServerReflectionClient::new(channel);
                let files = described.iter().map(|name| MessageRequest::FileContainingSymbol((*name).to_owned()));
                let requests: Vec<_> = std::iter::once(MessageRequest::ListServices(String::new()))
                    .chain(files)
                    .map(|asked| tonic_reflection::pb::$version::ServerReflectionRequest {
                        host: String::new(),
                        message_request: Some(asked),
                    })
                    .collect();
                let answers = client.server_reflection_info(futures::stream::iter(requests)).await;
                let mut answers = answers.expect("answered").into_inner();
                let answer = answers.message().await.expect("no error").expect("an answer");
                let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
                    panic!("not a list: {answer:?}");
                };
                for name in described {
                    let answer = answers.message().await.expect("no error").expect("an answer");
                    let file = answer.message_response;
                    assert!(matches!(file, Some(MessageResponse::FileDescriptorResponse(_))), "{name}: {file:?}");
                }
                let mut names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
                names.sort();
                names
            }
        }
    };
}

reflection_client!(newer, v1);
reflection_client!(older, v1alpha);

#[tokio::test]
async fn reflection_of_both_versions_lists_the_services_and_describes_its_own() {
    let bench = Bench::new();
    let running = bench.serve(config(), Echo::default()).await;
    let own = super::OWN_SERVICES;
    for names in [
        newer::services(bench.channel("education", &running), &own).await,
        older::services(bench.channel("education", &running), &own).await,
    ] {
        assert_eq!(names[..3], own);
        assert_eq!(names[3..], [ECHO]);
    }
}

#[tokio::test]
async fn a_browser_calls_by_grpc_web_over_http_1() {
    let bench = Bench::new();
    let running = bench.serve(config(), Echo::default()).await;
    let mut tls = (*bench.credentials("education").client_config()).clone();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let stream = TcpStream::connect(("127.0.0.1", running.port)).await.expect("connected");
    let name = ServerName::try_from("localhost").expect("a name");
    let connector = TlsConnector::from(std::sync::Arc::new(tls));
    let mut stream = connector.connect(name, stream).await.expect("a handshake");
    let head = format!(
        "POST /{ECHO}/Refuse HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/grpc-web+proto\r\n\
         content-length: 5\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream.write_all(&[0; 5]).await.expect("sent");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("content-type: application/grpc-web+proto"), "{answer}");
    // NOT_FOUND.
    assert!(answer.contains("grpc-status: 5") || answer.contains("grpc-status:5"), "{answer}");
}

#[tokio::test]
async fn connections_made_after_a_renewal_see_the_new_certificate() {
    let bench = Bench::new();
    let running = bench.serve(config(), Echo::default()).await;
    let credentials = bench.credentials("health");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(running);
    let access = std::sync::Arc::new(crate::access::AccessPolicies::embedded().expect("policies"));
    let server = super::Server::builder(std::sync::Arc::clone(&credentials), access).config(config()).build();
    tokio::spawn(server.expect("a server").serve(listener, std::future::pending()));
    let seen = || async {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("connected");
        let connector = TlsConnector::from(bench.credentials("education").client_config());
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = connector.connect(name, stream).await.expect("a handshake");
        stream.get_ref().1.peer_certificates().expect("a chain")[0].clone()
    };
    let before = seen().await;
    let authority = crate::pki::Authority::create_or_open(bench.pki.path()).expect("the authority");
    let wider = crate::pki::Subject::localhost().with_dns_name("health");
    assert!(authority.issue(&echo::named("health"), &wider).expect("issued"));
    assert_eq!(before, seen().await, "nothing changes before the reload");
    assert!(credentials.reload().expect("reloaded"));
    assert_ne!(before, seen().await);
}
