//! The catalogue that all commands go by: of the directory that `MINSHENG_CATALOGUE_DIR` names, or of the build.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use minsheng_analytics::catalogue;
use minsheng_catalogue::Catalogue;

use crate::error::Error;

/// The variable that names the directory; a service reads it too.
const VARIABLE: &str = "MINSHENG_CATALOGUE_DIR";

/// Returns the catalogue; a directory is read and checked once, its expressions too.
pub fn get() -> Result<&'static Arc<Catalogue>, Error> {
    static OWN: OnceLock<Result<Arc<Catalogue>, String>> = OnceLock::new();
    let Some(directory) = directory() else { return Ok(Catalogue::shipped()) };
    let read = |directory: &Path| catalogue::read(directory).map(Arc::new).map_err(|error| error.to_string());
    let own = OWN.get_or_init(|| read(&directory)).as_ref();
    own.map_err(|problem| Error::Configuration(format!("{VARIABLE}: {problem}")))
}

/// Returns the operator's catalogue, if there is one.
pub fn own() -> Result<Option<&'static Catalogue>, Error> {
    if directory().is_none() { Ok(None) } else { get().map(|catalogue| Some(catalogue.as_ref())) }
}

fn directory() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from)
}
