//! What a caller says about its request, beside the message.

use crate::server::Deadline;

/// Marks a request that may be sent again: a read, or a write with a `request_id`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Idempotent;

/// How a request is to be sent.
pub trait OutgoingRequest: Sized {
    /// Declares that sending it twice does what sending it once does, so that it may be retried.
    #[must_use]
    fn idempotent(self) -> Self;

    /// Limits it to the time that is left until `deadline`; for work that a handler has spawned, which does not inherit
    /// the handler's own deadline.
    #[must_use]
    fn until(self, deadline: Deadline) -> Self;
}

impl<T> OutgoingRequest for tonic::Request<T> {
    fn idempotent(mut self) -> Self {
        self.extensions_mut().insert(Idempotent);
        self
    }

    fn until(mut self, deadline: Deadline) -> Self {
        self.extensions_mut().insert(deadline);
        self
    }
}
