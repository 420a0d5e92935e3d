//! The contracts that the command writes compile by themselves, by what an integrator has.

use std::{collections::BTreeSet, fs, path::Path};

use super::support::minsheng;

/// Lists the contracts below a directory, by their paths in it.
fn contracts(directory: &Path, below: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(below).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            contracts(directory, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            let path = path.strip_prefix(directory).expect("below it");
            found.push(path.to_str().expect("UTF-8").to_owned());
        }
    }
}

#[test]
fn the_contracts_that_are_written_compile_by_themselves_to_what_is_served() {
    let directory = tempfile::tempdir().expect("a directory");
    let (code, said, _) = minsheng(directory.path(), &["contracts", "--out", "contracts", "--lang", "en"]);
    assert_eq!(code, 0);
    assert!(said.contains("grpc_tools.protoc -I contracts"), "{said}");
    let root = directory.path().join("contracts");
    let mut files = Vec::new();
    contracts(&root, &root, &mut files);
    // Only this directory is read, beside the types that every compiler brings.
    let compiled = protox::compile(&files, [&root]).expect("they compile");
    let own = |package: &str| package.starts_with("minsheng.");
    let services = |set: &prost_types::FileDescriptorSet| -> BTreeSet<String> {
        let of = |file: &prost_types::FileDescriptorProto| {
            let package = file.package().to_owned();
            file.service.iter().map(move |service| format!("{package}.{}", service.name())).collect::<Vec<_>>()
        };
        set.file.iter().filter(|file| own(file.package())).flat_map(of).collect()
    };
    let served: prost_types::FileDescriptorSet =
        prost::Message::decode(minsheng_proto::DESCRIPTOR_BYTES).expect("descriptors");
    assert_eq!(services(&compiled), services(&served));
    assert!(root.join("buf.yaml").is_file());
    // Written again, it is the same.
    let (code, ..) = minsheng(directory.path(), &["contracts", "--out", "contracts"]);
    assert_eq!(code, 0);
}
