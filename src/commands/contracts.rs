//! `contracts`: the contracts as files, for whoever builds a client of them.

use std::{fs, path::Path, process::ExitCode};

use minsheng_proto::CONTRACTS;

use crate::{error::Error, lang::Lang, output, said};

/// What buf needs to know: one module, the directory.
const BUF: &str = "version: v2\nmodules:\n  - path: .\n";

pub(super) fn write(directory: &Path, lang: Lang) -> Result<ExitCode, Error> {
    for (path, text) in CONTRACTS {
        let file = directory.join(path);
        let folder = file.parent().unwrap_or(directory);
        fs::create_dir_all(folder).map_err(Error::file(folder))?;
        fs::write(&file, text).map_err(Error::file(&file))?;
    }
    let file = directory.join("buf.yaml");
    fs::write(&file, BUF).map_err(Error::file(&file))?;
    let (count, place) = (CONTRACTS.len(), directory.display());
    output::line(said!(
        lang,
        "已将 {count} 个接口文件写入 {place}，编译时无需联网，例如：",
        "{count} contracts are in {place}; they compile without a network, for instance by:"
    ));
    output::line(format!(
        "  python -m grpc_tools.protoc -I {place} --python_out=. --grpc_python_out=. $(find {place} -name '*.proto')"
    ));
    Ok(ExitCode::SUCCESS)
}
