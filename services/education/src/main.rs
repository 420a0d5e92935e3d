//! The education department's service as its own process.

fn main() -> std::process::ExitCode {
    minsheng_kit::launch::main(&minsheng_education::DEFINITION)
}
