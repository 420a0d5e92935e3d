//! How things are measured: so many callers at once for a time, and two things in turns.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tonic::Status;

use crate::error::Error;

/// Lets callers, each by its own means, call one after the other's answer for a time; returns calls per second, or the
/// first call's failure.
pub(super) async fn rate<M, C, F>(callers: &[M], window: Duration, call: C) -> Result<f64, Error>
where
    M: Clone + Send + Sync + 'static,
    C: Fn(M) -> F + Clone + Send + 'static,
    F: Future<Output = Result<(), Status>> + Send,
{
    let began = Instant::now();
    let until = began + window;
    let tasks: Vec<_> = callers
        .iter()
        .map(|means| {
            let (call, means) = (call.clone(), means.clone());
            tokio::spawn(async move {
                let mut answered = 0_u32;
                while Instant::now() < until {
                    call(means.clone()).await?;
                    answered += 1;
                }
                Ok::<_, Status>(answered)
            })
        })
        .collect();
    let mut answered = 0.0;
    for task in tasks {
        let calls = task.await.map_err(Error::internal)?;
        answered += f64::from(calls.map_err(|status| Error::internal(format!("a measured call failed: {status}")))?);
    }
    Ok(answered / began.elapsed().as_secs_f64())
}

/// Measures two things in turns, after one turn that does not count; the one that goes first changes with each turn.
pub(super) async fn in_turns(
    rounds: usize,
    mut ours: impl AsyncFnMut() -> Result<f64, Error>,
    mut bare: impl AsyncFnMut() -> Result<f64, Error>,
) -> Result<(Vec<f64>, Vec<f64>), Error> {
    ours().await?;
    bare().await?;
    let mut measured = (Vec::new(), Vec::new());
    for round in 0..rounds {
        if round.is_multiple_of(2) {
            measured.0.push(ours().await?);
            measured.1.push(bare().await?);
        } else {
            measured.1.push(bare().await?);
            measured.0.push(ours().await?);
        }
    }
    Ok(measured)
}

/// Returns how many of something happened per second.
pub(super) fn per_second(number: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX)) / took.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn callers_work_at_the_same_time_and_a_failed_call_is_no_measurement() {
        let pause = |()| async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok(())
        };
        let measured = rate(&[(); 8], Duration::from_millis(100), pause).await.expect("measured");
        assert!(measured > 300.0, "{measured}");
        assert!(rate(&[(); 2], Duration::from_millis(10), |()| async { Err(Status::aborted("no")) }).await.is_err());
    }

    #[tokio::test]
    async fn the_two_are_measured_in_turns() {
        let order = std::cell::RefCell::new(String::new());
        let note = |what: char| {
            order.borrow_mut().push(what);
            Ok(1.0)
        };
        let measured = in_turns(2, async || note('a'), async || note('b')).await.expect("measured");
        assert_eq!((order.borrow().as_str(), measured.0.len()), ("ababba", 2));
    }
}
