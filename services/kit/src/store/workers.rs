//! Threads for what may block for a short time: as many as there are connections, so that none of them waits for one.
//!
//! A thread that ends one call takes the next without going to sleep. On a runtime's own threads for blocking work, of
//! which there are as many as callers, each call woke one of them twice: to begin, and when a connection was given
//! back.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crossbeam_channel::Sender;
use tokio::sync::oneshot;

use crate::error::Error;

type Job = Box<dyn FnOnce() + Send>;

pub(super) struct Workers {
    jobs: Sender<Job>,
    patience: Duration,
}

impl Workers {
    /// Starts so many threads; they end when this is gone. A call that none of them took within the patience is
    /// refused.
    pub(super) fn start(threads: u32, patience: Duration) -> Result<Self, Error> {
        let (jobs, waiting) = crossbeam_channel::unbounded::<Job>();
        for number in 0..threads.max(1) {
            let waiting = waiting.clone();
            std::thread::Builder::new()
                .name(format!("store-{number}"))
                .spawn(move || waiting.iter().for_each(|job| job()))
                .map_err(Error::internal)?;
        }
        Ok(Self { jobs, patience })
    }

    /// Carries out a call on one of the threads.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        let (answer, mut answered) = oneshot::channel();
        let taken = Arc::new(AtomicBool::new(false));
        let job = {
            let taken = Arc::clone(&taken);
            move || {
                // Whose caller was refused, or went away, is not begun.
                if taken.swap(true, Ordering::Relaxed) || answer.is_closed() {
                    return;
                }
                let result = catch_unwind(AssertUnwindSafe(work));
                // A caller that went away needs no answer.
                let _ = answer.send(result.unwrap_or_else(|_| Err(Error::internal("a call of the store panicked"))));
            }
        };
        let stopped = || Error::StoreUnavailable("the store is stopping".into());
        self.jobs.send(Box::new(job)).map_err(|_| stopped())?;
        if let Ok(result) = tokio::time::timeout(self.patience, &mut answered).await {
            return result.map_err(|_| stopped())?;
        }
        if !taken.swap(true, Ordering::Relaxed) {
            return Err(Error::StoreUnavailable("no connection became free in time".into()));
        }
        answered.await.map_err(|_| stopped())?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A call that holds the one thread until it is let go.
    async fn held(workers: &Arc<Workers>) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<(), Error>>) {
        let (go, gone) = mpsc::channel();
        let (begun, began) = oneshot::channel();
        let workers = Arc::clone(workers);
        let hold = move || {
            begun.send(()).expect("the test waits");
            gone.recv().map_err(Error::internal)
        };
        let held = tokio::spawn(async move { workers.run(hold).await });
        began.await.expect("begins");
        (go, held)
    }

    /// Makes a call that notes that it was begun.
    fn noting(begun: &Arc<AtomicBool>) -> impl FnOnce() -> Result<(), Error> + Send + 'static {
        let begun = Arc::clone(begun);
        move || {
            begun.store(true, Ordering::SeqCst);
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_call_that_no_thread_takes_in_time_is_refused_and_never_begun() {
        let workers = Arc::new(Workers::start(1, Duration::from_millis(5)).expect("starts"));
        let (go, held) = held(&workers).await;
        let begun = Arc::default();
        let refused = workers.run(noting(&begun)).await.expect_err("refused");
        assert_eq!(refused.reason(), "STORE_UNAVAILABLE", "{refused:?}");
        go.send(()).expect("held");
        held.await.expect("no panic").expect("what was begun is waited for, longer than the patience");
        let (past, came_past) = mpsc::channel();
        workers.jobs.send(Box::new(move || past.send(()).expect("waited for"))).expect("goes on");
        came_past.recv().expect("the thread came past it");
        assert!(!begun.load(Ordering::SeqCst), "whoever was refused may have sent the request again");
    }

    #[tokio::test]
    async fn a_call_that_panics_is_a_fault_and_its_thread_takes_the_next() {
        let workers = Workers::start(1, Duration::from_mins(1)).expect("starts");
        let fault = workers.run(|| -> Result<(), Error> { panic!("in a call") }).await.expect_err("a fault");
        assert_eq!(fault.reason(), "INTERNAL", "{fault:?}");
        assert_eq!(workers.run(|| Ok(7)).await.expect("answered"), 7);
    }

    #[tokio::test]
    async fn for_a_caller_that_went_away_nothing_is_begun() {
        let workers = Arc::new(Workers::start(1, Duration::from_mins(1)).expect("starts"));
        let (go, held) = held(&workers).await;
        let begun = Arc::default();
        let mut gone = Box::pin(workers.run(noting(&begun)));
        assert!(futures::poll!(&mut gone).is_pending());
        drop(gone);
        go.send(()).expect("held");
        held.await.expect("no panic").expect("ran");
        workers.run(|| Ok(())).await.expect("the thread came past it");
        assert!(!begun.load(Ordering::SeqCst));
    }
}
