//! Runs the social-security service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    minsheng_kit::launch::main(&minsheng_social_security::DEFINITION)
}
