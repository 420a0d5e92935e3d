//! The department's keys: pseudonyms, blind indexes, seals and page tokens, each derived from one secret.
//!
//! Identity numbers are stored sealed (AES-256-GCM-SIV, bound to table and column) and found by a keyed blind index.
//! A pseudonym is another keyed hash, so that who reads the dataset cannot join it with the register or with another
//! department's dataset.

use std::{fs, io::Write as _, path::Path};

use aes_gcm_siv::{
    Aes256GcmSiv, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{error::Error, values::identifiers::ResidentId};

const SECRET_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
/// A pseudonym's length before encoding: 128 bits.
const PSEUDONYM_BYTES: usize = 16;
const TOKEN_TAG_BYTES: usize = 16;

/// The keys of one department.
pub struct Keys {
    seal: Aes256GcmSiv,
    blind: Hmac<Sha256>,
    pseudonym: Hmac<Sha256>,
    token: Hmac<Sha256>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Keys {
    /// Derives the keys of a department from its secret.
    pub fn derive(secret: &[u8; SECRET_BYTES], department: &str) -> Self {
        let hkdf = Hkdf::<Sha256>::new(Some(department.as_bytes()), secret);
        let expand = |purpose: &str| {
            let mut key = Zeroizing::new([0; SECRET_BYTES]);
            hkdf.expand(purpose.as_bytes(), key.as_mut()).expect("32 bytes are within HKDF's limit");
            key
        };
        let mac = |purpose: &str| {
            <Hmac<Sha256> as hmac::Mac>::new_from_slice(expand(purpose).as_ref()).expect("HMAC takes any key length")
        };
        Self {
            seal: Aes256GcmSiv::new(expand("seal").as_ref().into()),
            blind: mac("blind-index"),
            pseudonym: mac("pseudonym"),
            token: mac("page-token"),
        }
    }

    /// Reads the department's secret from a directory, or makes one there (mode 0600).
    pub fn open_or_create(directory: &Path, department: &str) -> Result<Self, Error> {
        let path = directory.join(format!("{department}.key"));
        fs::create_dir_all(directory).map_err(Error::internal)?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(mut file) => {
                let mut secret = Zeroizing::new([0; SECRET_BYTES]);
                secret[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
                secret[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
                let strong = Hkdf::<Sha256>::new(None, secret.as_ref());
                strong.expand(b"minsheng secret", secret.as_mut()).expect("32 bytes are within HKDF's limit");
                file.write_all(secret.as_ref()).and_then(|()| file.sync_all()).map_err(Error::internal)?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::internal(error)),
        }
        let bytes = Zeroizing::new(fs::read(&path).map_err(Error::internal)?);
        let secret: &[u8; SECRET_BYTES] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| Error::internal(format!("{} does not hold 32 bytes", path.display())))?;
        Ok(Self::derive(secret, department))
    }

    /// Gives the blind index of a person.
    pub fn blind(&self, resident: &ResidentId) -> Vec<u8> {
        tag(&self.blind, resident.expose().as_bytes()).to_vec()
    }

    /// Gives the person's pseudonym in this department's datasets.
    pub fn pseudonym(&self, resident: &ResidentId) -> String {
        self.pseudonym_of_text(resident.expose())
    }

    fn pseudonym_of_text(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(&tag(&self.pseudonym, text.as_bytes())[..PSEUDONYM_BYTES])
    }

    /// Seals a value for one place, as `enrolments.resident`.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let random = uuid::Uuid::new_v4();
        let nonce = &random.as_bytes()[..NONCE_BYTES];
        let sealed = self
            .seal
            .encrypt(Nonce::from_slice(nonce), Payload { msg: plain, aad: place.as_bytes() })
            .expect("a record is far below the cipher's limit");
        [nonce, &sealed].concat()
    }

    /// Opens what was sealed for the same place.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (nonce, message) = sealed
            .split_at_checked(NONCE_BYTES)
            .ok_or_else(|| Error::internal(format!("sealed value of {place} is too short")))?;
        self.seal
            .decrypt(Nonce::from_slice(nonce), Payload { msg: message, aad: place.as_bytes() })
            .map(Zeroizing::new)
            .map_err(|_| Error::internal(format!("sealed value of {place} cannot be opened")))
    }

    /// Opens a sealed identity number.
    pub fn open_resident(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<String>, Error> {
        let plain = self.open(place, sealed)?;
        String::from_utf8(plain.to_vec()).map(Zeroizing::new).map_err(Error::internal)
    }

    /// Makes a page token that the holder can neither read meaning into nor change.
    pub fn page_token(&self, scope: &str, after: &str) -> String {
        let tag = tag(&self.token, format!("{scope}\0{after}").as_bytes());
        URL_SAFE_NO_PAD.encode([&tag[..TOKEN_TAG_BYTES], after.as_bytes()].concat())
    }

    /// Reads a page token back; an error when it was not made for this scope.
    pub fn read_page_token(&self, scope: &str, token: &str) -> Result<String, Error> {
        let bad = || {
            Error::invalid(
                "page_token",
                "BAD_PAGE_TOKEN",
                "was not given by this list for the same filter",
                "分页标记不属于本次查询",
            )
        };
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| bad())?;
        let (given, after) = bytes.split_at_checked(TOKEN_TAG_BYTES).ok_or_else(bad)?;
        let after = std::str::from_utf8(after).map_err(|_| bad())?;
        let mut mac = self.token.clone();
        mac.update(format!("{scope}\0{after}").as_bytes());
        mac.verify_truncated_left(given).map_err(|_| bad())?;
        Ok(after.to_owned())
    }
}

fn tag(mac: &Hmac<Sha256>, message: &[u8]) -> [u8; 32] {
    let mut mac = mac.clone();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(department: &str) -> Keys {
        Keys::derive(&[7; 32], department)
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_place_and_department() {
        let sealed = keys("health").seal("enrolments.resident", b"secret");
        assert_eq!(keys("health").open("enrolments.resident", &sealed).expect("same place").as_slice(), b"secret");
        assert!(keys("health").open("members.resident", &sealed).is_err());
        assert!(keys("education").open("enrolments.resident", &sealed).is_err());
    }

    #[test]
    fn departments_give_one_person_different_pseudonyms() {
        assert_ne!(keys("health").pseudonym_of_text("x"), keys("education").pseudonym_of_text("x"));
        assert_eq!(keys("health").pseudonym_of_text("x").len(), 22);
    }

    #[test]
    fn a_page_token_that_was_changed_or_moved_to_another_list_is_refused() {
        let keys = keys("health");
        let token = keys.page_token("institutions/540100", "abc");
        assert_eq!(keys.read_page_token("institutions/540100", &token).expect("own token"), "abc");
        assert!(keys.read_page_token("institutions/540200", &token).is_err());
        let mut changed = token.into_bytes();
        changed[3] ^= 1;
        assert!(keys.read_page_token("institutions/540100", &String::from_utf8_lossy(&changed)).is_err());
    }
}
