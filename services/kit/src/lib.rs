//! What every service is built from: configuration, server, identity and access, store, journal and feed,
//! idempotency, audit, telemetry, clients. It holds no department's rule.

pub mod access;
pub mod clients;
pub mod identity;
pub mod pki;
pub mod server;
pub mod values;
pub mod error;
pub mod journal;
pub mod keys;
pub mod status;
pub mod store;
