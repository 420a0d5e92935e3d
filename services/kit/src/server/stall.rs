//! An answer whose reader takes nothing of it ends.
//!
//! A connection asks an answer for more only when the reader's window has room again, so an answer that gave something
//! and is not asked on waits for its reader; a timer within it would never be looked at. A watch beside it ends it when
//! that lasts too long: the handler's work and the call's place are freed at once, and a reader that comes back is told
//! in the trailers. Large pieces are given in parts, so that a reader who takes them slowly is seen to take them.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use parking_lot::Mutex;
use slab::Slab;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tonic::Status;
use tonic::body::Body;

use crate::error::Error;

/// Largest part of an answer that is given at once, in bytes: what a reader takes within the limit at the least.
const PART: usize = 64 * 1024;

/// Least time between two checks of the answers.
const SHORTEST_ROUND: Duration = Duration::from_millis(1);

/// Looks after all answers of a server that are being given.
///
/// One task looks at them again and again, so that a short call needs no task beside it. An answer therefore ends up to
/// a quarter of the limit late.
pub(super) struct Watch<K> {
    stall: Duration,
    answers: Mutex<Slab<Arc<Mutex<Answer<K>>>>>,
}

/// An answer that is watched; what it `keeps` is dropped with its end.
pub(super) struct WatchedBody<K> {
    answer: Arc<Mutex<Answer<K>>>,
    key: usize,
    watch: Arc<Watch<K>>,
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

    fn has_stalled(self, now: Instant, stall: Duration) -> bool {
        self.waited_for.is_some_and(|since| since + stall <= now)
    }
}

impl<K: Send + 'static> Watch<K> {
    /// Ends answers of which nothing was read for so long.
    pub(super) fn new(stall: Duration) -> Arc<Self> {
        Arc::new(Self { stall, answers: Mutex::new(Slab::new()) })
    }

    /// Watches an answer.
    pub(super) fn over(self: &Arc<Self>, body: Body, keeps: K) -> WatchedBody<K> {
        let reader = Reader::new(Instant::now());
        let answer = Answer { rest: Some((body, keeps)), given: Bytes::new(), reader, told: false };
        let answer = Arc::new(Mutex::new(answer));
        let key = self.answers.lock().insert(Arc::clone(&answer));
        WatchedBody { answer, key, watch: Arc::clone(self) }
    }

    /// Ends the answers whose readers have stalled, as long as it is polled; `stalled` gets what each of them kept.
    pub(super) async fn keep(&self, stalled: impl Fn(K)) {
        let mut again = interval((self.stall / 4).max(SHORTEST_ROUND));
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let now = again.tick().await;
            for (body, keeps) in self.stalled(now) {
                // Outside the locks: a handler's work may take its time to go.
                drop(body);
                stalled(keeps);
            }
        }
    }

    /// Removes what is left of the answers whose readers have stalled.
    fn stalled(&self, now: Instant) -> Vec<(Body, K)> {
        let answers = self.answers.lock();
        let ends = |(_, answer): (usize, &Arc<Mutex<Answer<K>>>)| {
            // One that is locked is being asked for more.
            let mut answer = answer.try_lock()?;
            let rest = answer.reader.has_stalled(now, self.stall).then(|| answer.rest.take()).flatten()?;
            answer.given = Bytes::new();
            Some(rest)
        };
        answers.iter().filter_map(ends).collect()
    }
}

impl<K> fmt::Debug for Watch<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("stall", &self.stall).finish_non_exhaustive()
    }
}

impl<K> Drop for WatchedBody<K> {
    fn drop(&mut self) {
        self.watch.answers.lock().remove(self.key);
    }
}

impl<K> Answer<K> {
    /// Returns the next part of what the body gave.
    fn part(&mut self) -> Frame<Bytes> {
        self.reader.is_given(Instant::now());
        let length = self.given.len().min(PART);
        Frame::data(self.given.split_to(length))
    }

    /// Returns, once, the status that tells the reader why there is no more.
    fn tell(&mut self) -> Option<Result<Frame<Bytes>, Status>> {
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        let mut trailers = HeaderMap::new();
        Some(Status::from(Error::ReaderStalled).add_header(&mut trailers).map(|()| Frame::trailers(trailers)))
    }
}

impl<K: Send + Unpin + 'static> HttpBody for WatchedBody<K> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut answer = self.answer.lock();
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
        let answer = self.answer.lock();
        match &answer.rest {
            Some((body, _)) => answer.given.is_empty() && body.is_end_stream(),
            None => answer.told,
        }
    }

    fn size_hint(&self) -> SizeHint {
        let answer = self.answer.lock();
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
        reader.asks();
        assert!(!reader.has_stalled(after(6_000), STALL), "the handler has nothing to give");
        reader.is_given(after(6_001));
        assert!(!reader.has_stalled(after(6_060), STALL) && reader.has_stalled(after(6_061), STALL));
    }

    #[tokio::test]
    async fn a_large_piece_is_given_in_parts_and_nothing_of_it_is_lost() {
        let piece: Vec<u8> = (0..=255).cycle().take(3 * PART + 5).collect();
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
        let frames = [Ok::<_, Status>(Frame::data(Bytes::from(piece.clone()))), Ok(Frame::trailers(trailers.clone()))];
        let mut body = Watch::new(STALL).over(Body::new(StreamBody::new(stream::iter(frames))), ());
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
        let endless = || {
            let more = stream::repeat_with(|| Ok::<_, Status>(Frame::data(Bytes::from_static(b"more"))));
            Body::new(StreamBody::new(more))
        };
        let kept = |rest: Vec<(Body, &'static str)>| rest.into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        let watch = Watch::new(STALL);
        let (mut left, mut read) = (watch.over(endless(), "left"), watch.over(endless(), "read"));
        left.frame().await.expect("a frame").expect("no error");
        let given = Instant::now();
        assert!(watch.stalled(given + STALL / 2).is_empty());
        std::thread::sleep(Duration::from_millis(2));
        read.frame().await.expect("a frame").expect("no error");
        assert_eq!(kept(watch.stalled(given + STALL)), ["left"]);
        assert!(watch.stalled(given + STALL).is_empty(), "once, and not the one that is read");
        let trailers = left.frame().await.expect("a frame").expect("no error").into_trailers().expect("the end");
        assert_eq!(trailers["grpc-status"], "4");
        assert!(left.is_end_stream() && left.frame().await.is_none());
        read.frame().await.expect("a frame").expect("no error").into_data().expect("more");
        drop((left, read));
        assert!(watch.answers.lock().is_empty(), "an answer that has ended is not looked at");
    }

    #[tokio::test]
    async fn who_is_told_of_an_answer_that_nobody_reads_is_told_what_it_kept() {
        let watch = Watch::new(Duration::from_millis(1));
        let never = Body::new(StreamBody::new(stream::pending::<Result<Frame<Bytes>, Status>>()));
        let _answer = watch.over(never, "kept");
        let (said, mut stalled) = tokio::sync::mpsc::unbounded_channel();
        let keeping = watch.keep(|name| said.send(name).expect("heard"));
        tokio::select! {
            name = stalled.recv() => assert_eq!(name, Some("kept")),
            () = keeping => unreachable!("it goes on"),
        }
    }
}
