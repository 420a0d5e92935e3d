//! Logs, traces and metrics: one start, one layer for calls, one set of attribute names.
//!
//! Logs go to standard error. Traces, metrics and logs also go to an OpenTelemetry collector when one is configured.
//! Calls are recorded by one layer on the server's side and one on the caller's, under OpenTelemetry's stable names for
//! RPC, and a call's trace runs through both. Nothing here ever holds personal data: messages are not recorded.

pub mod attributes;
mod calls;
mod config;
mod propagation;
mod rpc;
mod start;
#[cfg(test)]
mod tests;

pub use calls::{CallMetrics, Side};
pub use config::{Export, ExportProtocol, LogFormat, TelemetryConfig, TelemetryConfigError};
pub use rpc::{RpcBody, RpcError, RpcFuture, RpcLayer, RpcService};
pub use start::{TelemetryError, TelemetryGuard, init};
