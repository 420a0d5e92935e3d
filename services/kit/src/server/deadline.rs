//! One deadline for every call.
//!
//! The layer reads `grpc-timeout`, caps it, and answers `DEADLINE_EXCEEDED` when the time is over, in the trailers when
//! the answer has begun: a stream is bound as a single answer is. The handler finds its [`Deadline`] in the request's
//! extensions, and clients hand on what is left of it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

/// The header in which a caller names the time it gives a call.
pub(crate) const TIMEOUT_HEADER: &str = "grpc-timeout";

/// A watch on a service's health lives as long as its watcher wants: it ends when the server stops.
const UNBOUNDED: &str = "/grpc.health.v1.Health/Watch";

/// The moment at which a call's answer is worth nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// Makes the deadline that lies `time` from now.
    pub fn within(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// Returns the time that is left, zero when it is over.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Returns the moment.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// Finds the deadline of the request being answered.
    pub fn of<T>(request: &tonic::Request<T>) -> Option<Self> {
        request.extensions().get::<Self>().copied()
    }
}

/// Reads a `grpc-timeout` value: at most eight digits and a unit.
pub(crate) fn parse_timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let amount: u64 = digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    Some(match unit {
        b'H' => Duration::from_secs(amount * 3_600),
        b'M' => Duration::from_secs(amount * 60),
        b'S' => Duration::from_secs(amount),
        b'm' => Duration::from_millis(amount),
        b'u' => Duration::from_micros(amount),
        b'n' => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// Writes a time as a `grpc-timeout` value, in the finest unit that holds it.
pub(crate) fn format_timeout(time: Duration) -> String {
    const LARGEST: u128 = 99_999_999;
    if time.as_micros() <= LARGEST {
        format!("{}u", time.as_micros())
    } else if time.as_millis() <= LARGEST {
        format!("{}m", time.as_millis())
    } else {
        format!("{}S", u128::from(time.as_secs()).min(LARGEST))
    }
}

/// Puts [`Deadline`]s on calls.
#[derive(Debug, Clone)]
pub(crate) struct DeadlineLayer {
    default: Duration,
    longest: Duration,
    stopping: CancellationToken,
}

impl DeadlineLayer {
    /// Gives calls that name no time `default`, none more than `longest`, and ends health watches at `stopping`.
    pub(crate) fn new(default: Duration, longest: Duration, stopping: CancellationToken) -> Self {
        Self { default: default.min(longest), longest, stopping }
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService { inner, layer: self.clone() }
    }
}

/// See [`DeadlineLayer`].
#[derive(Debug, Clone)]
pub(crate) struct DeadlineService<S> {
    inner: S,
    layer: DeadlineLayer,
}

impl<S> Service<Request<Body>> for DeadlineService<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = DeadlineFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if request.uri().path() == UNBOUNDED {
            let stopping = Bound::Stopping { stopped: self.layer.stopping.clone().cancelled_owned() };
            return DeadlineFuture::Running { inner: self.inner.call(request), bound: Some(stopping) };
        }
        let time = match request.headers().get(TIMEOUT_HEADER) {
            None => self.layer.default,
            Some(value) => match parse_timeout(value.as_bytes()) {
                Some(time) => time.min(self.layer.longest),
                None => {
                    let status = Status::invalid_argument("the header grpc-timeout is malformed");
                    return DeadlineFuture::Refused { status: Some(status) };
                }
            },
        };
        let deadline = Deadline::within(time);
        request.extensions_mut().insert(deadline);
        let bound = Bound::Deadline { sleep: sleep_until(deadline.0), deadline };
        DeadlineFuture::Running { inner: self.inner.call(request), bound: Some(bound) }
    }
}

pin_project! {
    /// What ends a call that does not end by itself.
    #[project = BoundProjection]
    enum Bound {
        Deadline { #[pin] sleep: Sleep, deadline: Deadline },
        Stopping { #[pin] stopped: WaitForCancellationFutureOwned },
    }
}

impl Bound {
    fn poll_end(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Status> {
        match self.project() {
            BoundProjection::Deadline { sleep, .. } => {
                ready!(sleep.poll(cx));
                Poll::Ready(Status::deadline_exceeded("the call's deadline is over"))
            }
            BoundProjection::Stopping { stopped } => {
                ready!(stopped.poll(cx));
                Poll::Ready(Status::unavailable("the server is stopping"))
            }
        }
    }
}

pin_project! {
    /// See [`DeadlineLayer`].
    #[project = DeadlineFutureProjection]
    pub(crate) enum DeadlineFuture<F> {
        Running { #[pin] inner: F, #[pin] bound: Option<Bound> },
        Refused { status: Option<Status> },
    }
}

impl<F, E> Future for DeadlineFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            DeadlineFutureProjection::Running { inner, mut bound } => {
                if let Poll::Ready(answer) = inner.poll(cx) {
                    let Some(rest) = bound.as_mut().as_pin_mut().map(renewed) else { return Poll::Ready(answer) };
                    bound.set(None);
                    return Poll::Ready(answer.map(|response| response.map(|body| bounded(body, rest))));
                }
                match bound.as_pin_mut() {
                    Some(bound) => bound.poll_end(cx).map(|status| Ok(status.into_http())),
                    None => Poll::Pending,
                }
            }
            DeadlineFutureProjection::Refused { status } => {
                let status = status.take().unwrap_or_else(|| Status::cancelled("polled after the end"));
                Poll::Ready(Ok(status.into_http()))
            }
        }
    }
}

/// Makes the same bound anew: timers are pinned, so the body cannot take over the one of the future. A timer that is
/// never polled, as in an answer that is ready at once, costs nothing.
fn renewed(bound: Pin<&mut Bound>) -> Bound {
    match bound.project() {
        BoundProjection::Deadline { deadline, .. } => {
            Bound::Deadline { sleep: sleep_until(deadline.0), deadline: *deadline }
        }
        BoundProjection::Stopping { stopped } => {
            // The future cannot be cloned out of its pin; taking its token's future anew is the caller's matter.
            let _ = stopped;
            unreachable_stopping()
        }
    }
}

fn bounded(body: Body, bound: Bound) -> Body {
    if body.is_end_stream() {
        return body;
    }
    Body::new(BoundedBody { inner: body, bound, over: false })
}
