//! The community department's service as a process of its own.

fn main() -> std::process::ExitCode {
    minsheng_kit::launch::main(&minsheng_community::DEFINITION)
}
