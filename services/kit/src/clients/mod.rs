//! Calls to other departments: who answers is checked, every call has a deadline, and what may be repeated is.
//!
//! A generated client is built over a [`DepartmentChannel`]: `QuestionServiceClient::new(channel)`. The channel
//! connects when it is first used and again after a failure, so a service starts whether or not its neighbours are up.
//!
//! A call gets five seconds unless its request says otherwise (`set_timeout`), and never more than is left of the call
//! that the process is itself answering. `UNAVAILABLE` is retried within a budget, only for requests that say they are
//! idempotent: reads, and writes that carry a `request_id`. Whatever fails names the department.

mod channel;
mod connector;
mod request;
mod retry;
#[cfg(test)]
mod tests;

pub use channel::{ChannelConfig, ChannelError, DepartmentChannel};
pub use request::OutgoingRequest;
