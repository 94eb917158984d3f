//! Random tokens, codes derived from the installation's secret, and what is encrypted under it.

use std::path::Path;

use anyhow::{Context, Result};
use data_encoding::BASE64URL_NOPAD;
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf,
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::storage;

/// Letters and digits that are not taken for one another, aloud or in handwriting.
const CLEAR: &str = "23456789ACDEFGHJKLMNPQRTUVWXYZ";

#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    pub fn new(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// The secret of the configuration, or the one kept in `data/secret`, made at first use.
    pub fn open(configured: &str, data: &Path) -> Result<Self> {
        if !configured.is_empty() {
            return Ok(Self::new(configured));
        }
        let path = data.join("secret");
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Self::new(text.trim())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = keep(&path, &token()).with_context(|| format!("cannot write {}", path.display()))?;
                Ok(Self::new(text.trim()))
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Ten clear characters bound to `what` and `id`: the same each time, and not kept anywhere.
    pub fn code(&self, what: &str, id: &[u8]) -> String {
        // Hashing key, length-framed context and key again: HMAC's purpose without its crate.
        let inner = Sha256::new()
            .chain_update(self.0)
            .chain_update((what.len() as u64).to_be_bytes())
            .chain_update(what)
            .chain_update(id)
            .finalize();
        let outer = Sha256::new().chain_update(self.0).chain_update(inner).finalize();
        outer.iter().take(10).map(|byte| clear(*byte)).collect()
    }

    /// Encrypts what the database keeps but a copy of it must not tell; `what` binds it to its place.
    ///
    /// # Errors
    /// Never with texts of a sane length.
    pub fn seal(&self, what: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut sealed = plain.to_vec();
        self.sealing_key()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(what.as_bytes()), &mut sealed)
            .map_err(|_| anyhow::anyhow!("{what} cannot be encrypted"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// # Errors
    /// When it was sealed with another secret or for another place, or was changed.
    pub fn unseal(&self, what: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let error = || anyhow::anyhow!("{what} cannot be decrypted: is the secret the one of this database?");
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or_else(error)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| error())?;
        let mut rest = rest.to_vec();
        let plain = self.sealing_key()?.open_in_place(nonce, Aad::from(what.as_bytes()), &mut rest);
        Ok(plain.map_err(|_| error())?.to_vec())
    }

    /// Another key than the one of codes, derived from the same secret.
    fn sealing_key(&self) -> Result<LessSafeKey> {
        let source = hkdf::Salt::new(hkdf::HKDF_SHA256, b"guichet").extract(&self.0);
        let key =
            source.expand(&[b"seal"], &CHACHA20_POLY1305).map_err(|_| anyhow::anyhow!("no key can be derived"))?;
        Ok(LessSafeKey::new(UnboundKey::from(key)))
    }
}

/// Keeps `text` for ever: only its owner may read it, it survives a power cut, and of two processes that
/// start together one wins. Gives what is kept.
fn keep(path: &Path, text: &str) -> std::io::Result<String> {
    use std::io::Write;
    let made = path.with_extension(token());
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&made)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    match std::fs::hard_link(&made, path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    std::fs::remove_file(&made)?;
    if let Some(folder) = path.parent() {
        storage::sync_folder(folder)?;
    }
    std::fs::read_to_string(path)
}

fn clear(byte: u8) -> char {
    CLEAR.as_bytes().get(usize::from(byte) % CLEAR.len()).copied().map_or('2', char::from)
}

/// 256 random bits, in 43 characters fit for addresses and cookies.
pub fn token() -> String {
    BASE64URL_NOPAD.encode(&rand::random::<[u8; 32]>())
}

/// `count` random clear characters, as in references.
pub fn clear_text(count: usize) -> String {
    std::iter::repeat_with(rand::random::<u8>)
        .filter(|byte| usize::from(*byte) < 256 - 256 % CLEAR.len())
        .map(clear)
        .take(count)
        .collect()
}

/// What is kept of a token.
pub fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Compares what a person typed with a code: case, spaces and dashes do not matter, nor does time.
pub fn same_code(typed: &str, code: &str) -> bool {
    let typed: String = typed
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric())
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    typed.as_bytes().ct_eq(code.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_stays_in_its_place() {
        let secret = Secret::new("a");
        let sealed = secret.seal("clef 1", b"texte").unwrap();
        assert_eq!(secret.unseal("clef 1", &sealed).unwrap(), b"texte");
        assert!(!sealed.windows(5).any(|part| part == b"texte"));
        assert_ne!(sealed, secret.seal("clef 1", b"texte").unwrap());
        assert!(secret.unseal("clef 2", &sealed).is_err() && Secret::new("b").unseal("clef 1", &sealed).is_err());
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(secret.unseal("clef 1", &changed).is_err() && secret.unseal("clef 1", b"court").is_err());
    }

    #[test]
    fn codes_are_bound_and_forgiving() {
        let secret = Secret::new("a");
        let code = secret.code("suivi", b"1");
        assert_eq!(code.len(), 10);
        assert_eq!(code, secret.code("suivi", b"1"));
        assert_ne!(code, secret.code("suivi", b"2"));
        assert_ne!(code, Secret::new("b").code("suivi", b"1"));
        let spaced = format!("{} {}", &code[..5].to_lowercase(), &code[5..]);
        assert!(same_code(&spaced, &code));
        assert!(!same_code("", &code));
    }
}
