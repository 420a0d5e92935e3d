//! The health department's process.

/// The allocator of the whole process, SQLite included. What one thread takes for a unit of work the store's writer gives
/// back, and with the C library's allocator each waits for the other: an eighth of the writer's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    minsheng_kit::launch::main(&minsheng_health::DEFINITION)
}
