//! Nobody chooses a status beside the table: in the kit and in the services, `status.rs` alone makes them of errors.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What makes a status of a code that the writer chose.
const CHOSEN: [&str; 19] = [
    "Status::new(",
    "Status::with_",
    "Status::ok(",
    "Status::cancelled(",
    "Status::unknown(",
    "Status::invalid_argument(",
    "Status::deadline_exceeded(",
    "Status::not_found(",
    "Status::already_exists(",
    "Status::permission_denied(",
    "Status::resource_exhausted(",
    "Status::failed_precondition(",
    "Status::aborted(",
    "Status::out_of_range(",
    "Status::unimplemented(",
    "Status::internal(",
    "Status::unavailable(",
    "Status::data_loss(",
    "Status::unauthenticated(",
];

/// Lists the sources of a folder that are not tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_status_is_chosen_beside_the_table() {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the services' folder");
    let mut files = Vec::new();
    for service in fs::read_dir(services).expect("the services") {
        let source = service.expect("an entry").path().join("src");
        if source.is_dir() {
            sources(&source, &mut files);
        }
    }
    assert!(files.len() > 100, "the sources are there: {}", files.len());
    files.retain(|path| !path.ends_with("kit/src/status.rs"));
    let mut chosen = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("readable");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().filter(|line| CHOSEN.iter().any(|maker| line.contains(maker)));
        chosen.extend(lines.map(|line| format!("{}: {}", path.display(), line.trim())));
    }
    assert!(chosen.is_empty(), "make an Error of it, so that `status.rs` gives code and reason: {chosen:#?}");
}
