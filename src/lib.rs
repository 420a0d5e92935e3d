//! The suite's command line: what an operator starts the departments' services with, loads files with, and gets the
//! page from.
//!
//! | module | what it is |
//! |---|---|
//! | [`catalogue`] | the catalogue that all commands go by |
//! | [`cli`] | commands and options, in both languages |
//! | [`lang`] | the two languages of everything that is printed |
//! | [`registers`] | the registers that the contracts declare, found by their descriptors |
//! | [`upload`] | one uploader for all registers |
//! | [`site`] | where the services are: those of a data directory, started here, or those that run elsewhere |
//! | [`clock`] | the day that it is |
//! | [`demo`] | the synthetic province, the published figures, and the way from records to the page |
//! | [`import`] | CSV and XLSX files into registers |
//! | [`bench`] | what it costs over a baseline |
//!
//! It decides nothing about records: everything goes through the services' public RPCs.

pub mod bench;
pub mod catalogue;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod demo;
pub mod error;
pub mod import;
pub mod lang;
pub mod output;
pub mod registers;
pub mod site;
pub mod upload;

use std::{ffi::OsString, process::ExitCode};

/// Runs the command line and gives the process's exit code.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.collect();
    let lang = lang::Lang::chosen(&arguments);
    match cli::parse(&arguments, lang) {
        Ok(command) => commands::run(command, lang),
        Err(error) => {
            let code = error.exit_code();
            let text = cli::misunderstanding(&error, lang);
            if error.use_stderr() {
                output::error(text.trim_end());
            } else {
                output::line(text.trim_end());
            }
            ExitCode::from(u8::try_from(code).unwrap_or(output::EXIT_USAGE))
        }
    }
}
