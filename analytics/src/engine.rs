//! The thread on which the data-frame engine works.
//!
//! The engine drives an async runtime of its own and refuses to start on a thread of some others; its planner also
//! recurses deeply, which an unoptimised build feels. So every query runs on a plain thread with room for it, whoever
//! asks.

use std::panic::resume_unwind;
use std::thread::{Builder, Scope, ScopedJoinHandle, scope};

/// Room for the planner's recursion, in bytes; only what is used is taken from memory.
const STACK: usize = 64 << 20;

/// Does some work on a plain thread and waits for it.
pub(crate) fn on_own_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    scope(|scope| joined(spawned(scope, work)))
}

/// Does the same work on several plain threads, and waits for all of them.
pub(crate) fn on_own_threads<T: Send>(threads: usize, work: impl Fn() -> T + Sync) -> Vec<T> {
    scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| spawned(scope, &work)).collect();
        threads.into_iter().map(joined).collect()
    })
}

fn spawned<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> ScopedJoinHandle<'scope, T> {
    let named = Builder::new().name("engine".to_owned()).stack_size(STACK);
    named.spawn_scoped(scope, work).expect("the system has room for one more thread")
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}
