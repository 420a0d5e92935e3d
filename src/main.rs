//! The command `minsheng`.

use std::process::ExitCode;

fn main() -> ExitCode {
    minsheng::run(std::env::args_os())
}
