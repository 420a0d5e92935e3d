//! Writes what follows from the declarations of registers: in every contract the six methods with their messages and
//! the row of the dataset; in
//! every department the table, the record of a state, and the ways between it, the resource and the dataset's row; for the
//! command line the columns of imported files.
//!
//! `minsheng-gen` writes, `minsheng-gen --check` fails where a file is not what would be written. Files are written where
//! they lie, so that what is committed is what a reader, `buf` and an integrator's compiler see.

mod contract;
mod fields;
mod import;
mod row;
mod rust;

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write as _,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

use minsheng_proto::{Register, registers};

fn main() -> ExitCode {
    let check = match env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => {
            eprintln!("minsheng-gen: {other} is no option; there is --check");
            return ExitCode::from(2);
        }
    };
    match run(check) {
        Ok(stale) if stale.is_empty() => ExitCode::SUCCESS,
        Ok(stale) if check => {
            for path in stale {
                eprintln!("minsheng-gen: {} is not what `just gen` writes", path.display());
            }
            ExitCode::FAILURE
        }
        Ok(written) => {
            for path in written {
                eprintln!("minsheng-gen: {} is written", path.display());
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("minsheng-gen: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Generates every file; returns those that differ from what lies there, which are written unless they are only checked.
fn run(check: bool) -> Result<Vec<PathBuf>, String> {
    let proto = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("lies in proto").to_owned();
    let root = proto.parent().expect("lies in the workspace").to_owned();
    let mut differing = Vec::new();
    let mut put = |path: PathBuf, text: String| {
        let there = fs::read_to_string(&path).ok();
        if there.as_deref() != Some(&text) {
            if !check {
                let folder = path.parent().expect("a file lies in a folder");
                let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
                written.map_err(|error| format!("{}: {error}", path.display()))?;
            }
            differing.push(path);
        }
        Ok::<_, String>(())
    };
    let mut folders: BTreeMap<PathBuf, Vec<&Register>> = BTreeMap::new();
    for register in registers() {
        let path = proto.join(register.resource.parent_file().name());
        let read = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let text = if register.own_methods { read } else { contract::written(&read, register) };
        put(path, contract::with_row(&text, register))?;
        let folder = match &register.keeper {
            Some(keeper) => root.join("services").join(keeper).join("src/schema"),
            None => root.join("services/kit/src/filings/schema"),
        };
        put(folder.join(format!("{}.rs", register.field())), formatted(&rust::written(register))?)?;
        folders.entry(folder).or_default().push(register);
    }
    put(root.join("src/import/declared.rs"), formatted(&import::written(registers()))?)?;
    for (folder, registers) in folders {
        put(folder.join("mod.rs"), formatted(&rust::module(&registers))?)?;
    }
    Ok(differing)
}

/// Formats Rust as the workspace does.
fn formatted(text: &str) -> Result<String, String> {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rustfmt.toml");
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path", config])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("rustfmt: {error}"))?;
    let mut input = rustfmt.stdin.take().expect("piped");
    input.write_all(text.as_bytes()).map_err(|error| format!("rustfmt: {error}"))?;
    drop(input);
    let output = rustfmt.wait_with_output().map_err(|error| format!("rustfmt: {error}"))?;
    if !output.status.success() {
        return Err(format!("rustfmt refuses what was generated:\n{text}"));
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}
