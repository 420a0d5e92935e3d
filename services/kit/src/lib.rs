//! What every service is built from: configuration, server, identity and access, store, journal and feed,
//! idempotency, audit, telemetry, clients. It holds no department's rule.

pub mod access;
pub mod assembly;
pub mod clients;
mod common;
pub mod config;
pub mod context;
pub mod error;
pub mod filings;
pub mod identity;
pub mod journal;
pub mod keys;
pub mod launch;
pub mod pki;
pub mod register;
pub mod rpc;
pub mod server;
pub mod status;
pub mod store;
pub mod telemetry;

pub use minsheng_catalogue as catalogue;
pub use minsheng_values as values;
#[doc(hidden)]
pub use pastey;
