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

/// The allocator of all that is built on the kit, SQLite included. What one thread takes for a unit of work the store's
/// writer gives back, and with the C library's allocator each waits for the other: an eighth of the writer's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
