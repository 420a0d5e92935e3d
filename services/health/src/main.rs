//! The health department's process.

fn main() -> std::process::ExitCode {
    minsheng_kit::launch::main(&minsheng_health::DEFINITION)
}
