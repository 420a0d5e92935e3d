//! How many calls run at the same time, and what the next one is told.
//!
//! A call that finds no place is answered `RESOURCE_EXHAUSTED` at once: waiting in a queue would use up the time its
//! caller gave it. A place is held until the answer's last byte, so streams count for as long as they flow, and no longer
//! than their reader takes something of them.

use std::collections::HashSet;
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

use super::callers::{CallPlaces, CallerPlaces};
use super::stall::Watch;
use crate::error::Error;
use crate::identity::{Caller, Department};
use crate::telemetry::CallMetrics;

/// Whoever watches over a busy server must still hear that it lives.
const ALWAYS_ADMITTED: &str = "/grpc.health.v1.Health/Check";

/// After this time a refused caller may try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Admits calls while there are places.
#[derive(Debug, Clone)]
pub(crate) struct AdmissionLayer {
    places: Arc<Semaphore>,
    /// Paths of streaming methods.
    streaming: Arc<HashSet<String>>,
    watch: Arc<Watch<Held>>,
    metrics: CallMetrics,
}

impl AdmissionLayer {
    /// Admits so many calls at a time, of each caller as many as its places allow; an answer of which nothing is read for so
    /// long gives up its place.
    pub(crate) fn new(places: usize, stall: Duration, streaming: Arc<HashSet<String>>, metrics: CallMetrics) -> Self {
        let places = Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
        Self { places, streaming, watch: Watch::new(stall), metrics }
    }

    /// Takes the places of a call, or says why there is none.
    fn admit(&self, request: &Request<Body>) -> Result<Held, Error> {
        let path = request.uri().path();
        // Taken first, so that a question that finds the server full costs nothing of its caller's hour.
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            self.metrics.limited("server");
            Error::TooManyCalls { retry_after: RETRY_AFTER }
        })?;
        let own = request.extensions().get::<Arc<CallerPlaces>>();
        let own = own.map(|own| own.call(path, self.streaming.contains(path))).transpose();
        let own = own.map_err(|(limit, retry_after)| {
            self.metrics.limited(limit.name());
            Error::TooManyOfCaller { what: limit.name(), retry_after }
        })?;
        let caller = request.extensions().get::<Caller>().map(|caller| caller.department.clone());
        Ok(Held { method: request.uri().clone(), caller, _place: place, _own: own })
    }

    /// Ends answers that nobody reads, as long as it is polled.
    pub(crate) fn watch(&self) -> impl Future<Output = ()> + use<> {
        let (watch, metrics) = (Arc::clone(&self.watch), self.metrics.clone());
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
        if request.uri().path() == ALWAYS_ADMITTED {
            return AdmissionFuture::Admitted { inner: self.inner.call(request), held: None };
        }
        match self.layer.admit(&request) {
            Ok(held) => {
                let held = Some((held, Arc::clone(&self.layer.watch)));
                AdmissionFuture::Admitted { inner: self.inner.call(request), held }
            }
            Err(error) => AdmissionFuture::Refused { error: Some(error) },
        }
    }
}

pin_project! {
    /// See [`AdmissionLayer`].
    #[project = AdmissionFutureProjection]
    pub(crate) enum AdmissionFuture<F> {
        Admitted { #[pin] inner: F, held: Option<(Held, Arc<Watch<Held>>)> },
        Refused { error: Option<Error> },
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
            AdmissionFutureProjection::Refused { error } => {
                let error = error.take().unwrap_or(Error::TooManyCalls { retry_after: RETRY_AFTER });
                Poll::Ready(Ok(Status::from(error).into_http()))
            }
        }
    }
}

/// A call's place, and what is said of the call when its reader stalls.
pub(crate) struct Held {
    method: Uri,
    caller: Option<Department>,
    _place: OwnedSemaphorePermit,
    _own: Option<CallPlaces>,
}

impl Held {
    fn stalled(self, metrics: &CallMetrics) {
        let Self { method, caller, .. } = self;
        let (method, caller) = (method.path(), caller.map(tracing::field::display));
        tracing::warn!(method, caller, "an answer was ended: nothing of it was read for too long");
        metrics.stalled();
    }
}
