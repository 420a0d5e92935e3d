//! An answer whose reader takes nothing of it ends.
//!
//! A connection asks an answer for more only when the reader's window has room again, so an answer that gave something
//! and is not asked on waits for its reader; a timer within it would never be looked at. A watch beside it ends it when
//! that lasts too long: the handler's work and the call's place are freed at once, and a reader that comes back is told
//! in the trailers. Large pieces are given in parts, so that a reader who takes them slowly is seen to take them.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::identity::TRUST_DOMAIN;

/// Largest part of an answer that is given at once, in bytes: what a reader takes within the limit at the least.
const PART: usize = 64 * 1024;

/// An answer that is watched; what it `keeps` is dropped with its end.
pub(super) struct WatchedBody<K> {
    answer: Arc<Mutex<Answer<K>>>,
    _watch: AbortOnDropHandle<()>,
}

struct Answer<K> {
    /// The body and what is kept for it; none once the answer was ended for its reader.
    rest: Option<(Body, K)>,
    /// What the body gave and was not given on.
    given: Bytes,
    reader: Reader,
    told: bool,
}

/// Whether an answer waits for its reader.
#[derive(Debug, Clone, Copy)]
struct Reader {
    /// Since when, where it does.
    waited_for: Option<Instant>,
}

impl Reader {
    /// Nobody has asked yet.
    fn new(now: Instant) -> Self {
        Self { waited_for: Some(now) }
    }

    /// There is room for more.
    fn asks(&mut self) {
        self.waited_for = None;
    }

    /// Something was given.
    fn is_given(&mut self, now: Instant) {
        self.waited_for = Some(now);
    }

    /// Gives the moment at which the reader will have been waited for too long, if it goes on like that.
    fn limit(self, now: Instant, stall: Duration) -> Instant {
        self.waited_for.unwrap_or(now) + stall
    }

    fn has_stalled(self, now: Instant, stall: Duration) -> bool {
        self.waited_for.is_some_and(|since| since + stall <= now)
    }
}

/// Watches an answer; `stalled` is called when it is ended because its reader took nothing for so long.
pub(super) fn watched<K: Send + 'static>(
    body: Body,
    keeps: K,
    stall: Duration,
    stalled: impl FnOnce() + Send + 'static,
) -> WatchedBody<K> {
    let reader = Reader::new(Instant::now());
    let answer = Answer { rest: Some((body, keeps)), given: Bytes::new(), reader, told: false };
    let answer = Arc::new(Mutex::new(answer));
    let watch = tokio::spawn(watch(Arc::clone(&answer), stall, stalled));
    WatchedBody { answer, _watch: AbortOnDropHandle::new(watch) }
}

async fn watch<K>(answer: Arc<Mutex<Answer<K>>>, stall: Duration, stalled: impl FnOnce()) {
    let left = loop {
        let limit = open(&answer).reader.limit(Instant::now(), stall);
        sleep_until(limit).await;
        let mut answer = open(&answer);
        if answer.reader.has_stalled(Instant::now(), stall) {
            answer.given = Bytes::new();
            break answer.rest.take();
        }
    };
    // Outside the lock: a handler's work may take its time to go.
    drop(left);
    stalled();
}

fn open<K>(answer: &Mutex<Answer<K>>) -> MutexGuard<'_, Answer<K>> {
    answer.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K> Answer<K> {
    /// Gives the next part of what the body gave.
    fn part(&mut self) -> Frame<Bytes> {
        self.reader.is_given(Instant::now());
        let length = self.given.len().min(PART);
        Frame::data(self.given.split_to(length))
    }

    /// Tells the reader, once, why there is no more.
    fn tell(&mut self) -> Option<Result<Frame<Bytes>, Status>> {
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        let details = ErrorDetails::with_error_info("READER_STALLED", TRUST_DOMAIN, []);
        let message = "nothing of the answer was read for too long";
        let status = Status::with_error_details(Code::DeadlineExceeded, message, details);
        let mut trailers = HeaderMap::new();
        Some(status.add_header(&mut trailers).map(|()| Frame::trailers(trailers)))
    }
}

impl<K: Send + Unpin + 'static> HttpBody for WatchedBody<K> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut answer = open(&self.answer);
        answer.reader.asks();
        if !answer.given.is_empty() {
            return Poll::Ready(Some(Ok(answer.part())));
        }
        let Some((body, _)) = answer.rest.as_mut() else { return Poll::Ready(answer.tell()) };
        let Some(frame) = ready!(Pin::new(body).poll_frame(cx)).transpose()? else { return Poll::Ready(None) };
        Poll::Ready(Some(Ok(match frame.into_data() {
            Ok(data) => {
                answer.given = data;
                answer.part()
            }
            Err(frame) => {
                answer.reader.is_given(Instant::now());
                frame
            }
        })))
    }

    fn is_end_stream(&self) -> bool {
        let answer = open(&self.answer);
        match &answer.rest {
            Some((body, _)) => answer.given.is_empty() && body.is_end_stream(),
            None => answer.told,
        }
    }

    fn size_hint(&self) -> SizeHint {
        let answer = open(&self.answer);
        match &answer.rest {
            Some((body, _)) if answer.given.is_empty() => body.size_hint(),
            _ => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use http_body_util::{BodyExt as _, StreamBody};

    use super::*;

    const STALL: Duration = Duration::from_mins(1);

    #[test]
    fn a_reader_stalls_when_it_asks_for_nothing_and_not_while_the_answer_is_being_made() {
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let mut reader = Reader::new(begun);
        assert!(!reader.has_stalled(after(59), STALL) && reader.has_stalled(after(60), STALL), "it never asked");
        assert_eq!(reader.limit(after(10), STALL), after(60));
        reader.asks();
        assert!(!reader.has_stalled(after(6_000), STALL), "the handler has nothing to give");
        assert_eq!(reader.limit(after(6_000), STALL), after(6_060));
        reader.is_given(after(6_001));
        assert!(!reader.has_stalled(after(6_060), STALL) && reader.has_stalled(after(6_061), STALL));
    }

    #[tokio::test]
    async fn a_large_piece_is_given_in_parts_and_nothing_of_it_is_lost() {
        let piece: Vec<u8> = (0..=255).cycle().take(3 * PART + 5).collect();
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
        let frames = [Ok::<_, Status>(Frame::data(Bytes::from(piece.clone()))), Ok(Frame::trailers(trailers.clone()))];
        let mut body = watched(Body::new(StreamBody::new(stream::iter(frames))), (), STALL, || ());
        let (mut parts, mut all) = (Vec::new(), Vec::new());
        let end = loop {
            assert!(!body.is_end_stream());
            match body.frame().await.expect("a frame").expect("no error").into_data() {
                Ok(data) => {
                    parts.push(data.len());
                    all.extend_from_slice(&data);
                }
                Err(frame) => break frame.into_trailers().expect("trailers"),
            }
        };
        assert_eq!((parts, all == piece, end), (vec![PART, PART, PART, 5], true, trailers));
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn an_answer_that_nobody_reads_lets_go_of_what_it_keeps_and_tells_whoever_comes_back() {
        let endless = stream::repeat_with(|| Ok::<_, Status>(Frame::data(Bytes::from_static(b"more"))));
        let (kept, dropped) = tokio::sync::oneshot::channel::<()>();
        let (stalled, said) = tokio::sync::oneshot::channel();
        let body = Body::new(StreamBody::new(endless));
        let mut body = watched(body, kept, Duration::from_millis(1), move || {
            let _ = stalled.send(());
        });
        dropped.await.expect_err("let go of");
        said.await.expect("said");
        let trailers = body.frame().await.expect("a frame").expect("no error").into_trailers().expect("the end");
        assert_eq!(trailers["grpc-status"], "4");
        assert!(body.is_end_stream() && body.frame().await.is_none());
    }
}
