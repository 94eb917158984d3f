//! Random tokens, codes derived from the installation's secret, and encryption under it.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use data_encoding::BASE64URL_NOPAD;
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
    signature::Ed25519KeyPair,
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

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
        self.characters(what, id, 10)
    }

    /// The same in twelve characters, for letters.
    pub fn long_code(&self, what: &str, id: &[u8]) -> String {
        self.characters(what, id, 12)
    }

    fn characters(&self, what: &str, id: &[u8], count: usize) -> String {
        // Hashing key, length-framed context and key again: HMAC's purpose without its crate.
        let inner = Sha256::new()
            .chain_update(self.0)
            .chain_update((what.len() as u64).to_be_bytes())
            .chain_update(what)
            .chain_update(id)
            .finalize();
        let outer = Sha256::new().chain_update(self.0).chain_update(inner).finalize();
        outer.iter().take(count).map(|byte| clear(*byte)).collect()
    }

    /// Encrypts what must not be read in a stolen database (ChaCha20-Poly1305, a random nonce first). Only
    /// [`Secret::unseal`] for the same `purpose` and the same owner opens it.
    ///
    /// # Errors
    /// Only when there is too much to encrypt.
    pub fn seal(&self, purpose: &str, owner: &[u8], clear: &[u8]) -> Result<Vec<u8>> {
        seal_under(&self.key(purpose), owner, clear)
    }

    /// What was sealed; none when it is not whole, or is another purpose's, owner's or installation's.
    pub fn unseal(&self, purpose: &str, owner: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        unseal_under(&self.key(purpose), owner, sealed)
    }

    /// What is kept of something that must be found again but not read: without the installation's secret,
    /// nobody can try values against it.
    pub fn fingerprint(&self, purpose: &str, clear: &[u8]) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key(&format!("fingerprint {purpose}")));
        hmac::sign(&key, clear).as_ref().to_vec()
    }

    /// What signs for `purpose` (Ed25519): the same pair each time, kept nowhere.
    ///
    /// # Errors
    /// Never for a key of this size.
    pub fn signer(&self, purpose: &str) -> Result<Ed25519KeyPair> {
        let seed = self.key(&format!("sign {purpose}"));
        Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| anyhow!("no signing key"))
    }

    /// A key of its own for each purpose.
    fn key(&self, purpose: &str) -> [u8; 32] {
        let master = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let derived = hmac::sign(&master, format!("guichet seal {purpose}").as_bytes());
        let mut key = [0; 32];
        key.copy_from_slice(derived.as_ref());
        key
    }
}

/// Encrypts under a key of one's own; `place` binds what is sealed to where it is kept.
///
/// # Errors
/// Only when there is too much to encrypt.
pub fn seal_under(key: &[u8; 32], place: &[u8], clear: &[u8]) -> Result<Vec<u8>> {
    let nonce = rand::random::<[u8; NONCE_LEN]>();
    let mut body = clear.to_vec();
    cipher(key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut body)
        .map_err(|_| anyhow!("cannot encrypt"))?;
    Ok([&nonce[..], &body].concat())
}

/// What [`seal_under`] sealed; none under another key, or for another place.
pub fn unseal_under(key: &[u8; 32], place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut body = body.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let size = cipher(key).ok()?.open_in_place(nonce, Aad::from(place), &mut body).ok()?.len();
    body.truncate(size);
    Some(body)
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key).map_err(|_| anyhow!("key of a wrong size"))?;
    Ok(LessSafeKey::new(key))
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

/// A key of 256 bits as [`token`] writes one; none of another size.
pub fn read_key(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(text.as_bytes()).ok()?);
    bytes.as_slice().try_into().ok().map(Zeroizing::new)
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

/// « 7F3K2-9ACDE »: a code in groups of `size` letters.
pub fn grouped(code: &str, size: usize) -> String {
    let letters: Vec<char> = code.chars().collect();
    let groups: Vec<String> = letters.chunks(size.max(1)).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

/// A code that a person typed, as it was made: case, spaces and dashes do not matter.
pub fn regular(typed: &str) -> String {
    typed.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}

/// Compares what a person typed with a code, as [`regular`] takes it; time tells nothing.
pub fn same_code(typed: &str, code: &str) -> bool {
    regular(typed).as_bytes().ct_eq(code.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_bound_and_forgiving() {
        let secret = Secret::new("a");
        let code = secret.code("suivi", b"1");
        assert_eq!(code.len(), 10);
        assert_eq!(code, secret.code("suivi", b"1"));
        assert_eq!(secret.long_code("suivi", b"1").len(), 12);
        assert_ne!(code, secret.code("suivi", b"2"));
        assert_ne!(code, Secret::new("b").code("suivi", b"1"));
        let spaced = format!("{} {}", &code[..5].to_lowercase(), &code[5..]);
        assert!(same_code(&spaced, &code));
        assert!(!same_code("", &code));
        assert_eq!(grouped("ABCDEFGHJK", 5), "ABCDE-FGHJK");
        assert_eq!(grouped("ABCDEFG", 3), "ABC-DEF-G");
        assert!(same_code(&grouped(&code, 4), &code));
    }

    #[test]
    fn fingerprints_are_bound_to_purpose_and_installation() {
        let secret = Secret::new("a");
        let print = secret.fingerprint("lien", b"1");
        assert_eq!((print.len(), &print), (32, &secret.fingerprint("lien", b"1")));
        for other in [
            secret.fingerprint("autre", b"1"),
            secret.fingerprint("lien", b"2"),
            Secret::new("b").fingerprint("lien", b"1"),
        ] {
            assert_ne!(print, other);
        }
    }

    #[test]
    fn keys_are_read_whole() {
        assert_eq!(*read_key(&BASE64URL_NOPAD.encode(&[7; 32])).unwrap(), [7; 32]);
        assert!(read_key(&token()).is_some());
        for size in [0, 16, 31, 33, 64] {
            assert!(read_key(&BASE64URL_NOPAD.encode(&vec![7; size])).is_none(), "{size}");
        }
        for text in ["x", "é", &"=".repeat(43), &format!("{}=", BASE64URL_NOPAD.encode(&[7; 32]))] {
            assert!(read_key(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_sealed_opens_only_whole_and_at_home() {
        let secret = Secret::new("a");
        let sealed = secret.seal("facteur", b"1", b"clear text").unwrap();
        assert_eq!(secret.unseal("facteur", b"1", &sealed).unwrap(), b"clear text");
        assert!(!sealed.windows(5).any(|part| part == b"clear"));
        assert_ne!(sealed, secret.seal("facteur", b"1", b"clear text").unwrap());
        for (who, purpose, owner) in
            [(&secret, "facteur", b"2"), (&secret, "autre", b"1"), (&Secret::new("b"), "facteur", b"1")]
        {
            assert!(who.unseal(purpose, owner, &sealed).is_none());
        }
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(secret.unseal("facteur", b"1", &bent).is_none());
            assert!(secret.unseal("facteur", b"1", &sealed[..at]).is_none());
        }
    }
}
