//! How many calls run at the same time, and what the next one is told.
//!
//! A call that finds no place is answered `RESOURCE_EXHAUSTED` at once: waiting in a queue would use up the time its
//! caller gave it. A place is held until the answer's last byte, so streams count for as long as they flow, and no longer
//! than their reader takes something of them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{Request, Response, Uri};
use http_body::Body as _;
use pin_project_lite::pin_project;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::stall::Watch;
use crate::error::Error;
use crate::identity::{Caller, Department};
use crate::telemetry::CallMetrics;

/// Whoever watches over a busy server must still hear that it lives.
const ALWAYS_ADMITTED: &str = "/grpc.health.v1.Health/";

/// After this time a refused caller may try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Admits calls while there are places.
#[derive(Debug, Clone)]
pub(crate) struct AdmissionLayer {
    places: Arc<Semaphore>,
    watch: Arc<Watch<Held>>,
}

impl AdmissionLayer {
    /// Admits so many calls at a time; an answer of which nothing is read for so long gives up its place.
    pub(crate) fn new(places: usize, stall: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))), watch: Watch::new(stall) }
    }

    /// Ends answers that nobody reads, as long as it is polled.
    pub(crate) fn watch(&self, metrics: CallMetrics) -> impl Future<Output = ()> + use<> {
        let watch = Arc::clone(&self.watch);
        async move { watch.keep(|held| held.stalled(&metrics)).await }
    }
}

impl<S> Layer<S> for AdmissionLayer {
    type Service = AdmissionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AdmissionService { inner, layer: self.clone() }
    }
}

/// See [`AdmissionLayer`].
#[derive(Debug, Clone)]
pub(crate) struct AdmissionService<S> {
    inner: S,
    layer: AdmissionLayer,
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
            return AdmissionFuture::Admitted { inner: self.inner.call(request), held: None };
        }
        match Arc::clone(&self.layer.places).try_acquire_owned() {
            Ok(place) => {
                let caller = request.extensions().get::<Caller>().map(|caller| caller.department.clone());
                let held = Held { method: request.uri().clone(), caller, _place: place };
                let held = Some((held, Arc::clone(&self.layer.watch)));
                AdmissionFuture::Admitted { inner: self.inner.call(request), held }
            }
            Err(_) => AdmissionFuture::Refused,
        }
    }
}

pin_project! {
    /// See [`AdmissionLayer`].
    #[project = AdmissionFutureProjection]
    pub(crate) enum AdmissionFuture<F> {
        Admitted { #[pin] inner: F, held: Option<(Held, Arc<Watch<Held>>)> },
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
            AdmissionFutureProjection::Admitted { inner, held } => {
                let response = ready!(inner.poll(cx))?;
                Poll::Ready(Ok(response.map(|inner| match held.take() {
                    Some((held, watch)) if !inner.is_end_stream() => Body::new(watch.over(inner, held)),
                    _ => inner,
                })))
            }
            AdmissionFutureProjection::Refused => {
                Poll::Ready(Ok(Status::from(Error::TooManyCalls { retry_after: RETRY_AFTER }).into_http()))
            }
        }
    }
}

/// A call's place, and what is said of the call when its reader stalls.
pub(crate) struct Held {
    method: Uri,
    caller: Option<Department>,
    _place: OwnedSemaphorePermit,
}

impl Held {
    fn stalled(self, metrics: &CallMetrics) {
        let Self { method, caller, .. } = self;
        let (method, caller) = (method.path(), caller.map(tracing::field::display));
        tracing::warn!(method, caller, "an answer was ended: nothing of it was read for too long");
        metrics.stalled();
    }
}
