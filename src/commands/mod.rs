//! Each command, from its options to its exit code.

mod contracts;
mod diff;
mod explain;
mod health;
mod lake;
mod lake_of_day;
mod parameters;
mod pki;
pub mod report;
mod schedule;
mod serve;
mod signature;
mod verify;
mod what_if;

use std::process::ExitCode;

use crate::{
    cli::{Action, ContractsArgs, ParametersAction, PkiAction},
    error::Error,
    lang::Lang,
    output::{self, EXIT_FAILED},
};

/// Runs a command.
pub fn run(action: Action, lang: Lang) -> ExitCode {
    // The service's own process sets up its runtime, its telemetry and its exit codes by itself.
    if let Action::Serve(arguments) = &action {
        return serve::run(&arguments.service, arguments.new, lang);
    }
    if !matches!(action, Action::Schedule(_) | Action::Verify(_)) {
        log_where_asked();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&Error::internal(error), lang),
    };
    runtime.block_on(dispatch(action, lang)).unwrap_or_else(|error| failed(&error, lang))
}

/// Writes the log of a command that runs once to standard error, where `RUST_LOG` asks for one; what runs on sets up its
/// telemetry by itself.
fn log_where_asked() {
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_default_env() {
        let to_errors = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        // Where a test has set up its own, that one stays.
        let _ = to_errors.with_ansi(false).try_init();
    }
}

async fn dispatch(action: Action, lang: Lang) -> Result<ExitCode, Error> {
    match action {
        Action::Demo(arguments) => crate::demo::run(arguments, lang).await,
        Action::Serve(_) => Ok(ExitCode::SUCCESS),
        Action::Report(arguments) => report::run(arguments, lang).await,
        Action::Diff(arguments) => diff::run(arguments, lang).await,
        Action::WhatIf(arguments) => what_if::run(arguments, lang).await,
        Action::Explain(arguments) => explain::run(arguments, lang).await,
        Action::Schedule(arguments) => schedule::run(arguments, lang).await,
        Action::Import(arguments) => crate::import::run(arguments, lang).await,
        Action::Verify(arguments) => verify::run(arguments, lang).await,
        Action::Health(arguments) => health::run(arguments, lang).await,
        Action::Lake(arguments) => lake::run(arguments, lang).await,
        Action::Signature(arguments) => signature::run(&arguments, lang),
        Action::Bench(arguments) => crate::bench::run(arguments, lang).await,
        Action::Pki { action: PkiAction::Init { dir, departments } } => pki::init(&dir, &departments, lang),
        Action::Contracts(ContractsArgs { out }) => contracts::write(&out, lang),
        Action::Parameters { action: ParametersAction::List { prefix, on } } => {
            parameters::list(&prefix, on, lang);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn failed(error: &Error, lang: Lang) -> ExitCode {
    output::error(error.message(lang));
    ExitCode::from(EXIT_FAILED)
}
