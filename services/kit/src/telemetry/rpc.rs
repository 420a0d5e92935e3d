//! The layer that records calls, on the server's side and on the caller's.
//!
//! A call's outcome stands in the headers when it fails at once, else in the trailers after the last message, so the
//! answer's body is watched until its end. Whoever goes away before that leaves a cancelled call.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use pin_project_lite::pin_project;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::attributes::OTHER_METHOD;
use super::calls::{Call, CallMetrics, Side};
use super::propagation;
use crate::identity::{Caller, Department};

/// Records the calls that pass through it.
#[derive(Debug, Clone)]
pub struct RpcLayer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    metrics: CallMetrics,
    end: End,
}

#[derive(Debug)]
enum End {
    /// Answers for these services.
    Server(HashSet<String>),
    /// Asks this department.
    Client(Department),
}

impl RpcLayer {
    /// Records the calls that a server answers. Methods of other services than these are recorded under one name.
    pub fn server(metrics: CallMetrics, services: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let services = services.into_iter().map(Into::into).collect();
        Self(Arc::new(Shared { metrics, end: End::Server(services) }))
    }

    /// Records the calls to one department.
    pub fn client(metrics: CallMetrics, department: Department) -> Self {
        Self(Arc::new(Shared { metrics, end: End::Client(department) }))
    }

    fn begin(&self, request: &mut Request<Body>) -> Call {
        let Shared { metrics, end } = &*self.0;
        let method = request.uri().path().trim_start_matches('/');
        match end {
            End::Server(services) => {
                let known = method.split_once('/').is_some_and(|(service, _)| services.contains(service));
                let method = if known { method } else { OTHER_METHOD };
                let peer = request.extensions().get::<Caller>().map(|caller| caller.department.as_str());
                let call = Call::begin(metrics, Side::Server, method, peer);
                // Without an exporter there is no trace to continue.
                let _ = call.span().set_parent(propagation::extract(request.headers()));
                call
            }
            End::Client(department) => {
                let call = Call::begin(metrics, Side::Client, method, Some(department.as_str()));
                propagation::inject(&call.span().context(), request.headers_mut());
                call
            }
        }
    }
}

impl<S> Layer<S> for RpcLayer {
    type Service = RpcService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RpcService { inner, layer: self.clone() }
    }
}

/// See [`RpcLayer`].
#[derive(Debug, Clone)]
pub struct RpcService<S> {
    inner: S,
    layer: RpcLayer,
}

impl<S> Service<Request<Body>> for RpcService<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Error: RpcError,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = RpcFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let call = self.layer.begin(&mut request);
        let inner = call.span().in_scope(|| self.inner.call(request));
        RpcFuture { inner, call: Some(call) }
    }
}

/// An error of a service under the layer, and the outcome that it stands for.
pub trait RpcError {
    /// Returns the outcome.
    fn code(&self) -> Code;
}

impl RpcError for std::convert::Infallible {
    fn code(&self) -> Code {
        match *self {}
    }
}

impl RpcError for Status {
    fn code(&self) -> Code {
        Self::code(self)
    }
}

pin_project! {
    /// See [`RpcLayer`].
    #[derive(Debug)]
    pub struct RpcFuture<F> {
        #[pin]
        inner: F,
        call: Option<Call>,
    }
}

impl<F, E> Future for RpcFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
    E: RpcError,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let entered = this.call.as_ref().map(|call| call.span().enter());
        let answer = ready!(this.inner.poll(cx));
        drop(entered);
        let Some(mut call) = this.call.take() else { return Poll::Ready(answer) };
        Poll::Ready(match answer {
            Ok(response) => {
                if let Some(code) = code_in(response.headers()) {
                    call.end(code);
                    Ok(response)
                } else {
                    Ok(response.map(|inner| Body::new(RpcBody { inner, call })))
                }
            }
            Err(error) => {
                call.end(error.code());
                Err(error)
            }
        })
    }
}

/// Reads the outcome, where the headers or trailers carry one.
fn code_in(headers: &HeaderMap) -> Option<Code> {
    headers.get(Status::GRPC_STATUS).map(|value| Code::from_bytes(value.as_bytes()))
}

pin_project! {
    /// See [`RpcLayer`].
    #[derive(Debug)]
    pub struct RpcBody {
        #[pin]
        inner: Body,
        call: Call,
    }
}

impl HttpBody for RpcBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let entered = this.call.span().enter();
        let frame = ready!(this.inner.poll_frame(cx));
        drop(entered);
        match &frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.call.end(code_in(trailers).unwrap_or(Code::Unknown));
                }
            }
            Some(Err(status)) => this.call.end(status.code()),
            // An answer without a status is none.
            None => this.call.end(Code::Unknown),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
