//! How many calls run at the same time, and what the next one is told.
//!
//! A call that finds no place is answered `RESOURCE_EXHAUSTED` at once: waiting in a queue would use up the time its
//! caller gave it. A place is held until the answer's last byte, so streams count for as long as they flow.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use tower::{Layer, Service};

use crate::identity::TRUST_DOMAIN;

/// Whoever watches over a busy server must still hear that it lives.
const ALWAYS_ADMITTED: &str = "/grpc.health.v1.Health/";

/// After this time a refused caller may try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Admits calls while there are places.
#[derive(Debug, Clone)]
pub(crate) struct AdmissionLayer {
    places: Arc<Semaphore>,
}

impl AdmissionLayer {
    /// Admits so many calls at a time.
    pub(crate) fn new(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))) }
    }
}

impl<S> Layer<S> for AdmissionLayer {
    type Service = AdmissionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AdmissionService { inner, places: Arc::clone(&self.places) }
    }
}

/// See [`AdmissionLayer`].
#[derive(Debug, Clone)]
pub(crate) struct AdmissionService<S> {
    inner: S,
    places: Arc<Semaphore>,
}

impl<S> Service<Request<Body>> for AdmissionService<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = AdmissionFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if request.uri().path().starts_with(ALWAYS_ADMITTED) {
            return AdmissionFuture::Admitted { inner: self.inner.call(request), place: None };
        }
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => AdmissionFuture::Admitted { inner: self.inner.call(request), place: Some(place) },
            Err(_) => AdmissionFuture::Refused,
        }
    }
}

pin_project! {
    /// See [`AdmissionLayer`].
    #[project = AdmissionFutureProjection]
    pub(crate) enum AdmissionFuture<F> {
        Admitted { #[pin] inner: F, place: Option<OwnedSemaphorePermit> },
        Refused,
    }
}

impl<F, E> Future for AdmissionFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            AdmissionFutureProjection::Admitted { inner, place } => {
                let response = ready!(inner.poll(cx))?;
                Poll::Ready(Ok(response.map(|inner| match place.take() {
                    Some(place) if !inner.is_end_stream() => Body::new(HeldBody { inner, _place: place }),
                    _ => inner,
                })))
            }
            AdmissionFutureProjection::Refused => {
                let mut details = ErrorDetails::with_error_info("TOO_MANY_CALLS", TRUST_DOMAIN, []);
                details.set_retry_info(Some(RETRY_AFTER));
                let message = "the service is answering as many calls as it can";
                let status = Status::with_error_details(Code::ResourceExhausted, message, details);
                Poll::Ready(Ok(status.into_http()))
            }
        }
    }
}

pin_project! {
    /// An answer that holds its call's place.
    struct HeldBody {
        #[pin]
        inner: Body,
        _place: OwnedSemaphorePermit,
    }
}

impl HttpBody for HeldBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        self.project().inner.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
