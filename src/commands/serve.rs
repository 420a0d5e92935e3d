//! `serve`: one department's service as a process of its own.

use std::process::ExitCode;

use crate::{lang::Lang, output, said, site};

pub(super) fn run(name: &str, lang: Lang) -> ExitCode {
    let Some(definition) = site::service(name) else {
        let known: Vec<_> = site::SERVICES.iter().map(|definition| definition.department).collect();
        let known = known.join(", ");
        output::error(said!(lang, "没有服务 {name};可用:{known}", "there is no service {name}; there are: {known}"));
        return ExitCode::from(output::EXIT_USAGE);
    };
    minsheng_kit::launch::main(definition)
}
