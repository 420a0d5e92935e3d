//! Compiles the contracts: messages, clients and servers (tonic), validation (protovalidate), and the descriptor set; and
//! takes up their texts, so that the command line can write them for an integrator.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver, IncludeFileResolver};

/// Serves `buf/validate/validate.proto` out of the crate that ships it, so that no copy stands in this tree.
struct ValidateResolver;

impl FileResolver for ValidateResolver {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        prost_protovalidate_types::DESCRIPTOR_POOL
            .get_file_by_name(name)
            .map(|file| File::from_file_descriptor_proto(file.file_descriptor_proto().clone()))
            .ok_or_else(|| protox::Error::file_not_found(name))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed=minsheng");
    println!("cargo:rerun-if-changed=flight");

    let mut files = Vec::new();
    for area in fs::read_dir(root.join("minsheng"))? {
        for file in fs::read_dir(area?.path().join("v1"))? {
            files.push(file?.path());
        }
    }
    files.sort();

    let mut resolver = ChainFileResolver::new();
    resolver.add(IncludeFileResolver::new(root.clone()));
    resolver.add(ValidateResolver);
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).include_source_info(true);
    for file in &files {
        compiler.open_file(file.strip_prefix(&root)?)?;
    }
    // The encoded set keeps the options (labels, datasets, rules), which prost's own types would drop.
    let descriptors = out.join("descriptors.bin");
    fs::write(&descriptors, compiler.encode_file_descriptor_set())?;

    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    config.extern_path(".buf.validate", "::prost_protovalidate_types");
    tonic_prost_build::configure()
        .emit_rerun_if_changed(false)
        .build_transport(true)
        .compile_fds_with_config(compiler.file_descriptor_set(), config)?;

    prost_protovalidate_build::Builder::new()
        .file_descriptor_set_path(&descriptors)?
        .fail_on_runtime_only(true)
        .compile()?;

    let mut resolver = ChainFileResolver::new();
    resolver.add(IncludeFileResolver::new(root.join("flight")));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).include_source_info(true).open_file("Flight.proto")?;
    fs::write(out.join("flight.bin"), compiler.encode_file_descriptor_set())?;

    publish(&root, &files, &out)
}

/// Writes a table of the contracts' texts, with the one file that they import and no compiler of contracts brings.
fn publish(root: &Path, files: &[PathBuf], out: &Path) -> Result<(), Box<dyn Error>> {
    let mut table = String::from(
        "/// The contracts and what they import, each by its path and with its text; without the files of\n\
         /// `google/protobuf`, which every compiler of contracts brings.\n\
         pub const CONTRACTS: &[(&str, &str)] = &[\n",
    );
    let mut add = |path: &str, file: &Path| -> Result<(), Box<dyn Error>> {
        let file = file.to_str().ok_or("a contract's path is not UTF-8")?;
        Ok(writeln!(table, "    ({path:?}, include_str!({file:?})),")?)
    };
    add(VALIDATE, &validate_proto(root)?)?;
    for file in files {
        add(file.strip_prefix(root)?.to_str().ok_or("a contract's path is not UTF-8")?, file)?;
    }
    table.push_str("];\n");
    fs::write(out.join("published.rs"), table)?;
    Ok(())
}

const VALIDATE: &str = "buf/validate/validate.proto";

/// Finds the text of the validation rules in the source of the crate that ships it; cargo knows where that is.
fn validate_proto(root: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let asked = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .output()?;
    let told = String::from_utf8_lossy(&asked.stdout);
    let manifest = told
        .split_once("\"name\":\"prost-protovalidate-types\",\"version\"")
        .and_then(|(_, package)| package.split_once("\"manifest_path\":\""))
        .and_then(|(_, path)| path.split_once('"'))
        .ok_or_else(|| {
            format!("cargo does not say where prost-protovalidate-types is: {}", String::from_utf8_lossy(&asked.stderr))
        })?
        .0;
    let text = Path::new(manifest).with_file_name("proto").join(VALIDATE);
    if text.is_file() { Ok(text) } else { Err(format!("{} is not there", text.display()).into()) }
}
