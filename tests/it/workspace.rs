//! The shape of the workspace: which crate may know which, and how large a file may grow.
//!
//! `docs/ARCHITECTURE.md` draws the same arrows. When this test fails, the code took a short cut: mend the code, or
//! change the drawing, this table and the reason together.

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

const PROTO: &str = "minsheng-proto";
const GEN: &str = "minsheng-gen";
const VALUES: &str = "minsheng-values";
const CATALOGUE: &str = "minsheng-catalogue";
const KIT: &str = "minsheng-kit";
const SERVICES: [&str; 4] = ["minsheng-social-security", "minsheng-education", "minsheng-health", "minsheng-community"];
const TESTKIT: &str = "minsheng-testkit";
const ANALYTICS: &str = "minsheng-analytics";
const ROOT: &str = "minsheng";

/// Lines that a service's `main.rs` may have.
const LONGEST_MAIN: usize = 30;

/// The arrows: what each crate of the workspace may depend on, of the workspace.
fn allowed(package: &str) -> BTreeSet<&'static str> {
    match package {
        PROTO | VALUES => BTreeSet::new(),
        GEN => BTreeSet::from([PROTO]),
        CATALOGUE => BTreeSet::from([PROTO, VALUES]),
        KIT => BTreeSet::from([PROTO, VALUES, CATALOGUE]),
        ANALYTICS => BTreeSet::from([PROTO, VALUES, CATALOGUE, KIT]),
        TESTKIT => BTreeSet::from([PROTO, KIT]),
        ROOT => BTreeSet::from([PROTO, CATALOGUE, KIT, ANALYTICS]).into_iter().chain(SERVICES).collect(),
        service if SERVICES.contains(&service) => BTreeSet::from([PROTO, KIT]),
        other => panic!("{other} is new: say here and in docs/ARCHITECTURE.md what it may know"),
    }
}

/// Who may know a library, where not everybody may.
fn keepers(library: &str) -> Option<BTreeSet<&'static str>> {
    let store = || -> BTreeSet<_> { BTreeSet::from([KIT, TESTKIT]).into_iter().chain(SERVICES).collect() };
    match library {
        "polars" | "askama" | "augurs" | "croner" => Some(BTreeSet::from([ANALYTICS])),
        // The root package writes the templates of its imports.
        "rust_xlsxwriter" => Some(BTreeSet::from([ANALYTICS, ROOT])),
        "diesel_migrations" => Some(store()),
        // The benchmark's bare statements; see `the_command_line_speaks_to_a_database_in_its_benchmark_alone`.
        "diesel" => Some(store().into_iter().chain([ROOT]).collect()),
        "pq-sys" | "libsqlite3-sys" | "cedar-policy" | "rustls" | "rcgen" | "aes-gcm-siv" | "opentelemetry_sdk" => {
            Some(BTreeSet::from([KIT]))
        }
        "clap" | "indicatif" => Some(BTreeSet::from([ROOT])),
        _ => None,
    }
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo describes the workspace")
}

/// Lists what a crate depends on when it is built, or also when it is tested.
fn dependencies(package: &Package, tests_too: bool) -> Vec<&str> {
    package
        .dependencies
        .iter()
        .filter(|dependency| tests_too || dependency.kind != DependencyKind::Development)
        .map(|dependency| dependency.name.as_str())
        .collect()
}

fn is_of_the_suite(name: &str) -> bool {
    name == ROOT || name.starts_with("minsheng-")
}

fn rust_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory of the workspace reads").flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).expect("a source file reads").lines().count()
}

#[test]
fn arrows_between_crates_go_one_way() {
    for package in metadata().workspace_packages() {
        let allowed = allowed(&package.name);
        for dependency in dependencies(package, false).into_iter().filter(|name| is_of_the_suite(name)) {
            assert!(allowed.contains(dependency), "{} must not know {dependency}", package.name);
        }
    }
}

#[test]
fn the_test_kit_is_known_to_tests_alone() {
    for package in metadata().workspace_packages() {
        assert!(!dependencies(package, false).contains(&TESTKIT), "{} links the test kit", package.name);
    }
}

#[test]
fn a_service_does_not_know_another_service_not_even_in_its_tests() {
    for package in metadata().workspace_packages() {
        if SERVICES.contains(&package.name.as_str()) {
            for dependency in dependencies(package, true) {
                assert!(!SERVICES.contains(&dependency), "{} must not know {dependency}", package.name);
            }
        }
    }
}

/// Takes the paths that a source file includes: `include_str!`, `include_bytes!`, `include!` and `#[path = ".."]`.
fn included(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for beginning in ["include_str!(", "include_bytes!(", "include!(", "#[path ="] {
        for (at, _) in text.match_indices(beginning) {
            let rest = text[at + beginning.len()..].trim_start();
            // A path that is put together begins with its first part.
            let rest = rest.strip_prefix("concat!(").map_or(rest, str::trim_start);
            found.extend(rest.strip_prefix('"').and_then(|rest| rest.split_once('"')).map(|(path, _)| path));
        }
    }
    found
}

/// Resolves a path against a directory without asking the disk: what is put together may not be there as such.
fn resolved(directory: &Path, path: &str) -> PathBuf {
    let mut resolved = directory.to_owned();
    for step in Path::new(path).components() {
        match step {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::CurDir => {}
            step => resolved.push(step),
        }
    }
    resolved
}

/// Returns the crate's folder that a path lies in: the innermost of those that hold it.
fn home<'a>(folders: &'a [PathBuf], path: &Path) -> Option<&'a PathBuf> {
    folders.iter().filter(|folder| path.starts_with(folder)).max_by_key(|folder| folder.components().count())
}

#[test]
fn no_crate_includes_a_file_of_another_crate_s_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let metadata = metadata();
    let folders: Vec<PathBuf> = metadata
        .workspace_packages()
        .iter()
        .map(|package| package.manifest_path.parent().expect("a folder").as_std_path().to_owned())
        .collect();
    let mut files = Vec::new();
    for folder in ["src", "tests", "proto", "services", "analytics"] {
        rust_files(&root.join(folder), &mut files);
    }
    let mut seen = 0;
    for file in files {
        let own = home(&folders, &file).expect("every source file is of some crate");
        for path in included(&fs::read_to_string(&file).expect("a source file reads")) {
            seen += 1;
            let target = resolved(file.parent().expect("a folder"), path);
            let theirs = home(&folders, &target).expect("an included file is of the workspace");
            // What lies in no crate's folder but the workspace's own, as `deploy` and `docs`, is everybody's.
            let shared =
                theirs == root && !target.starts_with(root.join("src")) && !target.starts_with(root.join("tests"));
            assert!(theirs == own || shared, "{} includes {}", file.display(), target.display());
        }
    }
    assert!(seen > 20, "{seen} files are included: the test finds none");
}

#[test]
fn a_path_that_leaves_its_crate_is_found_however_it_is_included() {
    let text =
        "include_str!(\"../a\") include_bytes!(concat!(\"../b/\", $name)) #[path = \"../c.rs\"] include!(\"d.rs\")";
    assert_eq!(included(text), ["../a", "../b/", "d.rs", "../c.rs"]);
    let folders = ["/w", "/w/analytics", "/w/analytics/catalogue"].map(PathBuf::from);
    let target = resolved(Path::new("/w/services/kit/src"), "../../../analytics/catalogue/data/a.toml");
    assert_eq!(home(&folders, &target), Some(&folders[2]));
    assert_eq!(home(&folders, &resolved(Path::new("/w/services/kit/src"), "../../../deploy/a")), Some(&folders[0]));
}

#[test]
fn a_library_is_known_where_it_belongs_and_nowhere_else() {
    for package in metadata().workspace_packages() {
        for dependency in dependencies(package, false) {
            if let Some(keepers) = keepers(dependency) {
                assert!(keepers.contains(package.name.as_str()), "{} must not know {dependency}", package.name);
            }
        }
    }
}

#[test]
fn the_command_line_speaks_to_a_database_in_its_benchmark_alone() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    for file in files {
        let place = file.strip_prefix(&source).expect("it was found there").to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).expect("a source file reads");
        assert!(place.contains("bench") || !text.contains("diesel::"), "src/{place} must not know diesel");
    }
}

#[test]
fn the_choice_between_databases_is_made_in_the_store_alone() {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("services");
    let mut files = Vec::new();
    rust_files(&services, &mut files);
    for file in files {
        let place = file.strip_prefix(&services).expect("it was found there").to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).expect("a source file reads");
        let chooses = text.contains("AnyConnection::Postgres") || text.contains("AnyConnection::Sqlite");
        let may = place.starts_with("kit/src/store/") || place.contains("/tests/");
        assert!(may || !chooses, "services/{place} chooses between the databases");
    }
}

#[test]
fn every_crate_takes_version_licence_and_lints_from_the_workspace() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for package in metadata().workspace_packages() {
        assert_eq!(package.license.as_deref(), Some("Apache-2.0"), "{}", package.name);
        assert_eq!(package.publish.as_deref(), Some(&[][..]), "{} would be published", package.name);
        let manifest = fs::read_to_string(&package.manifest_path).expect("a manifest reads");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} has lints of its own", package.name);
        assert!(package.manifest_path.starts_with(root), "{} lies elsewhere", package.name);
    }
}

#[test]
fn a_service_s_main_fits_one_screen() {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("services");
    let mut seen = 0;
    for entry in fs::read_dir(services).expect("the services are there").flatten() {
        let main = entry.path().join("src/main.rs");
        if main.is_file() {
            assert!(lines(&main) <= LONGEST_MAIN, "{} has more than {LONGEST_MAIN} lines", main.display());
            seen += 1;
        }
    }
    assert_eq!(seen, SERVICES.len());
}

/// Where commands write unless told otherwise: the first step of each path.
fn written_by_default(command: &clap::Command, found: &mut BTreeSet<String>) {
    for option in
        command.get_arguments().filter(|option| ["data", "dir", "lake", "out"].contains(&option.get_id().as_str()))
    {
        for path in option.get_default_values() {
            let first = Path::new(path).components().next().expect("a path");
            found.insert(first.as_os_str().to_string_lossy().into_owned());
        }
    }
    for below in command.get_subcommands() {
        written_by_default(below, found);
    }
}

#[test]
fn what_commands_write_goes_neither_into_the_repository_nor_into_an_image() {
    // The demo's own two directories follow from its profile, which no option's default says.
    let mut names = BTreeSet::from(["minsheng-data", "minsheng-data-public"].map(str::to_owned));
    written_by_default(&minsheng::cli::command(minsheng::lang::Lang::En), &mut names);
    for name in ["lake", "minsheng-bench", "report", "reports"] {
        assert!(names.contains(name), "{name} is not among {names:?}");
    }
    for (file, everywhere) in [(".gitignore", ""), (".dockerignore", "**/")] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("it reads");
        let patterns: BTreeSet<&str> = text.lines().map(|line| line.trim_start_matches('/')).collect();
        for name in &names {
            let covered = patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => name == pattern,
            });
            assert!(covered, "{file} lets {name} through");
        }
        for keys in ["*.key", "*key.pem"] {
            assert!(patterns.contains(format!("{everywhere}{keys}").as_str()), "{file} lets {keys} through");
        }
    }
}
