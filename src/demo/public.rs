//! stub
use crate::{demo::Loaded, error::Error, lang::Lang, site::Site};

pub async fn file(_site: &Site, _lang: Lang) -> Result<Loaded, Error> {
    Ok(Loaded::default())
}
