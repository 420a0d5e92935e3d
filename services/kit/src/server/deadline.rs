//! One deadline for every call.
//!
//! The layer reads `grpc-timeout`, caps it, and answers `DEADLINE_EXCEEDED` when the time is over, in the trailers when
//! the answer has begun: a stream is bound as a single answer is. The handler finds its [`Deadline`] in the request's
//! extensions, and clients hand on what is left of it.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use pin_project_lite::pin_project;
use prost::Message;
use prost_types::FileDescriptorSet;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::ServerConfig;
use crate::error::Error;

/// The header in which a caller names the time it gives a call.
pub(crate) const TIMEOUT_HEADER: &str = "grpc-timeout";

/// A watch on a service's health lives as long as its watcher wants: it ends when the server stops.
pub(super) const UNBOUNDED: &str = "/grpc.health.v1.Health/Watch";

/// The feed's stock clients set no deadline, whichever method they call.
const FEED: &str = "/arrow.flight.protocol.FlightService/";

/// The instant at which a call's answer is worth nothing any more.
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

    /// Returns the instant.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// Finds the deadline of the call whose handler runs here; work that a handler spawns does not inherit it.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|deadline| *deadline).ok()
    }

    /// Finds the deadline of the request being answered.
    pub fn of<T>(request: &tonic::Request<T>) -> Option<Self> {
        request.extensions().get::<Self>().copied()
    }
}

tokio::task_local! {
    /// The deadline of the call whose handler is being polled, so that calls it makes get what is left.
    static CURRENT: Deadline;
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
    /// Of unary methods.
    default: Duration,
    longest: Duration,
    /// Paths of streaming methods.
    streaming: Arc<HashSet<String>>,
    stopping: CancellationToken,
}

impl DeadlineLayer {
    /// Reads the times from the configuration, and ends health watches at `stopping`.
    pub(crate) fn new(config: &ServerConfig, streaming: Arc<HashSet<String>>, stopping: CancellationToken) -> Self {
        let longest = config.longest_deadline;
        Self { default: config.default_deadline.min(longest), longest, streaming, stopping }
    }

    /// Returns the time of a call whose caller names none.
    fn default_for(&self, path: &str) -> Duration {
        if path.starts_with(FEED) || self.streaming.contains(path) { self.longest } else { self.default }
    }
}

/// Lists the paths of streaming methods, as `/package.Service/Method`, in an encoded `FileDescriptorSet`.
pub(super) fn streaming_methods(encoded: &[u8]) -> Result<Vec<String>, prost::DecodeError> {
    let mut paths = Vec::new();
    for file in FileDescriptorSet::decode(encoded)?.file {
        for service in &file.service {
            for method in service.method.iter().filter(|m| m.client_streaming() || m.server_streaming()) {
                paths.push(format!("/{}.{}/{}", file.package(), service.name(), method.name()));
            }
        }
    }
    Ok(paths)
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
        let limit = if request.uri().path() == UNBOUNDED {
            Limit::Stop(self.layer.stopping.clone())
        } else {
            let time = match request.headers().get(TIMEOUT_HEADER) {
                None => self.layer.default_for(request.uri().path()),
                Some(value) => match parse_timeout(value.as_bytes()) {
                    Some(time) => time.min(self.layer.longest),
                    None => return DeadlineFuture::Malformed,
                },
            };
            let deadline = Deadline::within(time);
            request.extensions_mut().insert(deadline);
            Limit::At(deadline)
        };
        let end = limit.end();
        let inner = limit.enter(|| self.inner.call(request));
        DeadlineFuture::Running { inner, limit, end }
    }
}

/// What ends a call that does not end by itself.
#[derive(Debug, Clone)]
pub(crate) enum Limit {
    /// An instant.
    At(Deadline),
    /// The cancellation of a token, when the server stops.
    Stop(CancellationToken),
}

impl Limit {
    /// Polls the work of a handler, which may ask for its deadline.
    fn enter<T>(&self, poll: impl FnOnce() -> T) -> T {
        match self {
            Self::At(deadline) => CURRENT.sync_scope(*deadline, poll),
            Self::Stop(_) => poll(),
        }
    }

    /// Reports whether the instant is past, without a timer.
    fn is_over(&self) -> bool {
        match self {
            Self::At(deadline) => deadline.remaining().is_zero(),
            Self::Stop(token) => token.is_cancelled(),
        }
    }

    fn status(&self) -> Status {
        match self {
            Self::At(_) => Error::Deadline.into(),
            Self::Stop(_) => Error::Stopping.into(),
        }
    }

    fn end(&self) -> End {
        match self {
            Self::At(deadline) => End::At { sleep: sleep_until(deadline.0) },
            Self::Stop(token) => End::Stop { stopped: token.clone().cancelled_owned() },
        }
    }
}

pin_project! {
    /// Resolves at a call's limit.
    #[project = EndProjection]
    enum End {
        At { #[pin] sleep: Sleep },
        Stop { #[pin] stopped: WaitForCancellationFutureOwned },
    }
}

impl Future for End {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.project() {
            EndProjection::At { sleep } => sleep.poll(cx),
            EndProjection::Stop { stopped } => stopped.poll(cx),
        }
    }
}

pin_project! {
    /// See [`DeadlineLayer`].
    #[project = DeadlineFutureProjection]
    pub(crate) enum DeadlineFuture<F> {
        Running { #[pin] inner: F, limit: Limit, #[pin] end: End },
        Malformed,
    }
}

impl<F, E> Future for DeadlineFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            DeadlineFutureProjection::Running { inner, limit, end } => {
                if let Poll::Ready(answer) = limit.enter(|| inner.poll(cx)) {
                    // The timer is pinned here, so the body gets one of its own. A timer that is never polled, as in
                    // an answer that is ready at once, costs nothing.
                    return Poll::Ready(answer.map(|response| response.map(|body| bounded(body, limit.clone()))));
                }
                end.poll(cx).map(|()| Ok(limit.status().into_http()))
            }
            DeadlineFutureProjection::Malformed => {
                let text = "must be at most eight digits and one of H, M, S, m, u, n";
                let malformed = Error::invalid(TIMEOUT_HEADER, "MALFORMED_TIMEOUT", text, "须为至多八位数字加时间单位");
                Poll::Ready(Ok(Status::from(malformed).into_http()))
            }
        }
    }
}

/// Ends an answer at its limit.
pub(crate) fn bounded(body: Body, limit: Limit) -> Body {
    if body.is_end_stream() {
        return body;
    }
    Body::new(BoundedBody { inner: Some(body), end: limit.end(), limit })
}

pin_project! {
    /// An answer that ends with trailers of its own at the limit; the handler's stream is dropped then.
    struct BoundedBody {
        #[pin]
        inner: Option<Body>,
        #[pin]
        end: End,
        limit: Limit,
    }
}

impl HttpBody for BoundedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        // The clock first: a body that always has something ready would never let the timer be asked, and one that
        // nobody took anything from is asked again long after its time.
        if !this.limit.is_over() {
            if let Poll::Ready(frame) = this.limit.enter(|| inner.poll_frame(cx)) {
                return Poll::Ready(frame);
            }
            ready!(this.end.poll(cx));
        }
        let status = this.limit.status();
        this.inner.set(None);
        let mut trailers = HeaderMap::new();
        Poll::Ready(Some(status.add_header(&mut trailers).map(|()| Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_has_at_most_eight_digits_and_a_unit() {
        for (text, time) in [
            ("5S", Duration::from_secs(5)),
            ("99999999n", Duration::from_nanos(99_999_999)),
            ("250m", Duration::from_millis(250)),
            ("7u", Duration::from_micros(7)),
            ("2M", Duration::from_mins(2)),
            ("1H", Duration::from_hours(1)),
            ("0S", Duration::ZERO),
        ] {
            assert_eq!(parse_timeout(text.as_bytes()), Some(time), "{text}");
        }
        for text in ["", "S", "5", "123456789S", "-1S", "1.5S", "5s", "5 S"] {
            assert_eq!(parse_timeout(text.as_bytes()), None, "{text}");
        }
    }

    #[tokio::test]
    async fn a_call_whose_timeout_cannot_be_read_is_told_so() {
        use tonic_types::StatusExt as _;
        type Never = std::future::Pending<Result<Response<Body>, std::convert::Infallible>>;
        let Ok(answer) = DeadlineFuture::<Never>::Malformed.await;
        let status = Status::from_header_map(answer.headers()).expect("a status");
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        let bad = status.get_details_bad_request().expect("what was wrong");
        assert_eq!(bad.field_violations[0].field, TIMEOUT_HEADER);
    }

    #[test]
    fn streaming_methods_are_those_that_the_descriptors_call_so() {
        let paths = streaming_methods(tonic_health::pb::FILE_DESCRIPTOR_SET).expect("sound descriptors");
        assert_eq!(paths, ["/grpc.health.v1.Health/Watch"]);
    }

    #[test]
    fn a_call_without_a_timeout_gets_the_default_and_a_stream_the_longest() {
        let config = ServerConfig::default();
        let streaming = HashSet::from(["/a.B/Upload".to_owned()]);
        let layer = DeadlineLayer::new(&config, Arc::new(streaming), CancellationToken::new());
        assert_eq!(layer.default_for("/a.B/Get"), config.default_deadline);
        assert_eq!(layer.default_for("/a.B/Upload"), config.longest_deadline);
        assert_eq!(layer.default_for("/arrow.flight.protocol.FlightService/DoGet"), config.longest_deadline);
    }

    #[tokio::test]
    async fn a_body_that_is_always_ready_does_not_outrun_its_deadline() {
        use http_body_util::BodyExt as _;
        let endless = futures::stream::repeat_with(|| Ok::<_, Status>(Frame::data(Bytes::from_static(b"more"))));
        let body = Body::new(http_body_util::StreamBody::new(endless));
        let mut body = bounded(body, Limit::At(Deadline::within(Duration::ZERO)));
        let frame = body.frame().await.expect("a frame").expect("no error");
        assert_eq!(frame.into_trailers().expect("the end")["grpc-status"], "4");
        assert!(body.frame().await.is_none());
    }

    #[test]
    fn a_written_timeout_reads_back_in_its_unit() {
        for time in [Duration::ZERO, Duration::from_micros(5_000_001), Duration::from_secs(99), Duration::from_mins(15)]
        {
            assert_eq!(parse_timeout(format_timeout(time).as_bytes()), Some(time));
        }
        let days = Duration::from_hours(72);
        assert_eq!(parse_timeout(format_timeout(days).as_bytes()), Some(days));
    }
}
