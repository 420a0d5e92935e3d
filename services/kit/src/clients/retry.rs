//! When to try again: tower's retries, with a budget for each channel and pauses that grow.
//!
//! The budget keeps a department that is down from being hit by several times its usual load: beside one retry a second, at
//! most one call in ten is repeated.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::time::Sleep;
use tonic::{Code, Status, body::Body};
use tower::retry::{
    Policy,
    backoff::{Backoff, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff as _},
    budget::{Budget as _, TpsBudget},
};
use tracing::debug;

use crate::{identity::Department, server::Deadline};

/// Attempts at one call after the first.
const RETRIES: u32 = 2;
/// How long what a call earned is kept, which is also for how many seconds the least rate is saved up.
const SAVED_FOR: Duration = Duration::from_secs(10);
/// Retries a second that are there without calls that earn them.
const LEAST_RATE: u32 = 1;
/// Retries that a call earns.
const EARNED: f32 = 0.1;

/// What is left for retries on one channel.
#[derive(Clone, Debug)]
pub(super) struct RetryBudget(Arc<TpsBudget>);

impl Default for RetryBudget {
    fn default() -> Self {
        Self(Arc::new(TpsBudget::new(SAVED_FOR, LEAST_RATE, EARNED)))
    }
}

/// The retries of one call that may be repeated: of an answer that says UNAVAILABLE, and only while there is time.
#[derive(Clone, Debug)]
pub(super) struct Retries {
    left: u32,
    budget: RetryBudget,
    pauses: ExponentialBackoff,
    deadline: Deadline,
    department: Department,
}

impl Retries {
    /// Notes a call in the budget and returns what it may repeat.
    pub(super) fn of_call(budget: &RetryBudget, deadline: Deadline, department: Department) -> Self {
        budget.0.deposit();
        let pauses = ExponentialBackoffMaker::default().make_backoff();
        Self { left: RETRIES, budget: budget.clone(), pauses, deadline, department }
    }
}

impl Policy<Request<Full<Bytes>>, Response<Body>, Status> for Retries {
    type Future = Sleep;

    fn retry(&mut self, _: &mut Request<Full<Bytes>>, result: &mut Result<Response<Body>, Status>) -> Option<Sleep> {
        let unavailable = match result {
            Ok(response) => Status::from_header_map(response.headers()).is_some_and(|s| s.code() == Code::Unavailable),
            Err(status) => status.code() == Code::Unavailable,
        };
        if !unavailable || self.left == 0 {
            return None;
        }
        let pause = self.pauses.next_backoff();
        if pause.deadline() >= self.deadline.instant() || !self.budget.0.withdraw() {
            return None;
        }
        self.left -= 1;
        debug!(department = %self.department, left = self.left, "the department is unavailable; trying again");
        Some(pause)
    }

    fn clone_request(&mut self, request: &Request<Full<Bytes>>) -> Option<Request<Full<Bytes>>> {
        Some(request.clone())
    }
}
