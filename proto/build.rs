//! Compiles the contracts: messages, clients and servers (tonic), validation (protovalidate), and the descriptor set.

use std::{env, error::Error, fs, path::PathBuf};

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

    Ok(())
}
