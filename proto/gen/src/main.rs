//! Writes what follows from the declarations of registers: in every contract the six methods with their messages.
//!
//! `minsheng-gen` writes, `minsheng-gen --check` fails where a file is not what would be written. Files are written where
//! they lie, so that what is committed is what a reader, `buf` and an integrator's compiler see.

mod contract;

use std::{env, fs, path::PathBuf, process::ExitCode};

use minsheng_proto::registers;

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
                println!("{}", path.display());
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
    for register in registers() {
        if !register.own_methods {
            let path = proto.join(register.resource.parent_file().name());
            let read = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            put(path, contract::written(&read, register))?;
        }
    }
    Ok(differing)
}
