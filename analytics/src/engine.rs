//! The thread on which the data-frame engine works.
//!
//! The engine drives an async runtime of its own and refuses to start on a thread of some others; its planner also
//! recurses deeply, which an unoptimised build feels. So every query runs on a plain thread with room for it, whoever
//! asks.

use std::panic::resume_unwind;
use std::thread::{Builder, scope};

/// Room for the planner's recursion, in bytes; only what is used is taken from memory.
const STACK: usize = 64 << 20;

/// Does some work on a plain thread and waits for it.
pub(crate) fn on_own_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    scope(|scope| {
        let named = Builder::new().name("engine".to_owned()).stack_size(STACK);
        let thread = named.spawn_scoped(scope, work).expect("the system has room for one more thread");
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}
