//! The department's keys: pseudonyms, blind indexes, seals and page tokens, each derived from one secret.
//!
//! Identity numbers are stored sealed (AES-256-GCM-SIV, bound to table and column) and found by a keyed blind index.
//! A pseudonym is another keyed hash, so that who reads the dataset cannot join it with the register or with another
//! department's dataset.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

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
    request: Hmac<Sha256>,
    check: Hmac<Sha256>,
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
            request: mac("request-hash"),
            check: mac("key-check"),
        }
    }

    /// Reads the department's secret from a directory, or makes one there (mode 0600).
    ///
    /// The secret is whole before it has its name, and the name is given once: replicas that start together on one
    /// directory all read the secret of the one that was first.
    pub fn open_or_create(directory: &Path, department: &str) -> Result<Self, Error> {
        if !Self::exist(directory, department)? {
            create(directory, department).map_err(|error| {
                Error::internal(format!("cannot make {}: {error}", file_of(directory, department).display()))
            })?;
        }
        Self::existing(directory, department)
    }

    /// Reports whether a directory holds the department's secret.
    pub(crate) fn exist(directory: &Path, department: &str) -> Result<bool, Error> {
        file_of(directory, department).try_exists().map_err(Error::internal)
    }

    /// Reads the department's secret from a directory; an error when there is none.
    pub fn existing(directory: &Path, department: &str) -> Result<Self, Error> {
        let path = file_of(directory, department);
        let bytes = fs::read(&path).map(Zeroizing::new).map_err(|error| {
            Error::internal(format!(
                "cannot read {}, the key that the database was written with: {error}",
                path.display()
            ))
        })?;
        let secret: &[u8; SECRET_BYTES] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| Error::internal(format!("{} does not hold 32 bytes", path.display())))?;
        Ok(Self::derive(secret, department))
    }

    /// Returns what tells this key from another one; nothing can be learnt from it about the key.
    pub fn check_value(&self) -> Vec<u8> {
        tag(&self.check, b"minsheng").to_vec()
    }

    /// Puts the hash of a request under the key, for keeping.
    pub fn request_tag(&self, hash: &[u8]) -> Vec<u8> {
        tag(&self.request, hash).to_vec()
    }

    /// Returns [`request_tag`](Self::request_tag) as a function of its own.
    pub fn request_tags(&self) -> impl Fn(&[u8]) -> Vec<u8> + Send + 'static {
        let mac = self.request.clone();
        move |hash| tag(&mac, hash).to_vec()
    }

    /// Returns the blind index of a person.
    pub fn blind(&self, resident: &ResidentId) -> Vec<u8> {
        tag(&self.blind, resident.expose().as_bytes()).to_vec()
    }

    /// Returns the person's pseudonym in this department's datasets.
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

fn file_of(directory: &Path, department: &str) -> PathBuf {
    directory.join(format!("{department}.key"))
}

/// Makes a secret under a name of its own, durable, and then links it to the department's name unless that is taken.
fn create(directory: &Path, department: &str) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    secret[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    secret[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    let strong = Hkdf::<Sha256>::new(None, secret.as_ref());
    strong.expand(b"minsheng secret", secret.as_mut()).expect("32 bytes are within HKDF's limit");
    let draft = directory.join(format!(".{department}.{}.tmp", uuid::Uuid::new_v4()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    let linked = file.write_all(secret.as_ref()).and_then(|()| file.sync_all()).and_then(|()| {
        match fs::hard_link(&draft, file_of(directory, department)) {
            // Another replica was faster: its secret is the department's.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    });
    let removed = fs::remove_file(&draft);
    linked.and(removed)?;
    #[cfg(unix)]
    fs::File::open(directory)?.sync_all()?;
    Ok(())
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

    #[test]
    fn replicas_that_start_together_all_get_the_secret_of_the_first() {
        for round in 0..20 {
            let directory = tempfile::tempdir().expect("a directory");
            let start = std::sync::Barrier::new(8);
            let open = || {
                start.wait();
                Keys::open_or_create(directory.path(), "health").map(|keys| keys.check_value())
            };
            let values: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
                threads.into_iter().map(|thread| thread.join().expect("no panic").expect("a key")).collect()
            });
            assert!(values.iter().all(|value| *value == values[0]), "round {round}: two secrets");
            assert_eq!(fs::read_dir(directory.path()).expect("listed").count(), 1, "nothing else is left");
        }
    }

    #[test]
    fn a_secret_cut_short_or_missing_is_an_error_and_not_a_new_secret() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(Keys::existing(directory.path(), "health").is_err());
        fs::write(directory.path().join("health.key"), b"").expect("written");
        assert!(Keys::open_or_create(directory.path(), "health").is_err());
        assert!(fs::read(directory.path().join("health.key")).expect("read").is_empty());
    }

    #[test]
    fn what_is_kept_of_a_request_cannot_be_told_without_the_department_s_key() {
        let hash = [1; 32];
        assert_eq!(keys("health").request_tag(&hash), keys("health").request_tag(&hash));
        assert_ne!(keys("health").request_tag(&hash), keys("education").request_tag(&hash));
        assert_ne!(keys("health").request_tag(&hash), hash);
    }
}
