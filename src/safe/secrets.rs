//! The key of a safe sealed under a secret of its owner: the account's password, the code
//! they chose, the recovery code, or what a passkey derives.

use anyhow::{Result, anyhow};
use jiff::Timestamp;
use ring::hkdf::{HKDF_SHA256, Salt};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    crypt::Key,
    model::{KeyWrap, Safe, Way, Wrap},
};
use crate::{
    accounts::{self, passkey::prf::Derived},
    error::Problem,
};

/// What binds a sealed key to its safe and to the secret that opens it.
fn place(way: Way, safe: Uuid) -> String {
    format!("guichet safe {} {safe}", way.name())
}

/// Seals the key under a secret, with a salt of its own: neither the login hash nor another wrap helps
/// to guess it.
pub async fn seal(key: &Key, safe: Uuid, way: Way, secret: &str) -> Result<Wrap> {
    let salt: [u8; 16] = rand::random();
    let under = accounts::key(secret, &salt).await?;
    Ok(Wrap { salt: salt.to_vec(), sealed: key.seal(&under, &place(way, safe))?, stale: false })
}

/// The key, if the secret is the right one.
///
/// # Errors
/// When the safe's public key is not the one of its secret key: somebody changed it, and what is put in
/// meanwhile could be read by them.
pub async fn unseal(wrap: &Wrap, safe: &Safe, way: Way, secret: &str) -> Result<Option<Key>, Problem> {
    let under = accounts::key(secret, &wrap.salt).await?;
    checked(safe, Key::unseal(&under, &place(way, safe.id), &wrap.sealed))
}

/// # Errors
/// As [`unseal`].
pub fn checked(safe: &Safe, key: Option<Key>) -> Result<Option<Key>, Problem> {
    match key {
        Some(key) if key.recipient() == safe.recipient => Ok(Some(key)),
        Some(_) => Err(Problem::Broken(anyhow::anyhow!("the public key of safe {} was replaced", safe.id))),
        None => Ok(None),
    }
}

fn place_of_passkey(safe: Uuid, passkey: Uuid) -> String {
    format!("guichet safe passkey {safe} {passkey}")
}

/// The key under which a passkey's wrap is sealed: HKDF-SHA-256 (RFC 5869) of what the passkey derived, bound to the
/// authority, the account and the credential. Ids are 16 bytes each, so that no two places read the same.
fn under_passkey(
    secret: &[u8; 32],
    salt: &[u8],
    authority: Uuid,
    account: Uuid,
    credential: &[u8],
) -> Result<Zeroizing<[u8; 32]>> {
    let info = [b"guichet safe passkey".as_slice(), authority.as_bytes(), account.as_bytes(), credential];
    let mut under = Zeroizing::new([0; 32]);
    Salt::new(HKDF_SHA256, salt)
        .extract(secret)
        .expand(&info, HKDF_SHA256)
        .and_then(|key| key.fill(&mut *under))
        .map_err(|_| anyhow!("no key out of a passkey"))?;
    Ok(under)
}

/// Seals the key under what a passkey has just derived.
pub fn seal_by_passkey(
    key: &Key,
    (authority, account): (Uuid, Uuid),
    safe: &Safe,
    derived: &Derived,
    now: Timestamp,
) -> Result<KeyWrap> {
    let under = under_passkey(&derived.secret, &derived.salt, authority, account, &derived.credential)?;
    let sealed = key.seal(&under, &place_of_passkey(safe.id, derived.passkey))?;
    Ok(KeyWrap { passkey_id: derived.passkey, salt: derived.salt.clone(), sealed, made_at: now })
}

/// The key, if the passkey derived what it did when it was sealed.
///
/// # Errors
/// As [`unseal`].
pub fn unseal_by_passkey(
    wrap: &KeyWrap,
    (authority, account): (Uuid, Uuid),
    safe: &Safe,
    derived: &Derived,
) -> Result<Option<Key>, Problem> {
    let under = under_passkey(&derived.secret, &wrap.salt, authority, account, &derived.credential)?;
    checked(safe, Key::unseal(&under, &place_of_passkey(safe.id, derived.passkey), &wrap.sealed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed apart by RFC 5869: two HMACs.
    #[test]
    fn a_passkey_derives_one_key_for_each_place() {
        use ring::hmac::{HMAC_SHA256, Key as Mac, sign};
        let (city, account, secret, salt) = (Uuid::from_u128(1), Uuid::from_u128(2), [7; 32], [8; 32]);
        let under = |secret, salt: &[u8], city, account, credential: &[u8]| {
            *under_passkey(secret, salt, city, account, credential).unwrap()
        };
        let key = under(&secret, &salt, city, account, b"key");
        let extracted = sign(&Mac::new(HMAC_SHA256, &salt), &secret);
        let info = [b"guichet safe passkey".as_slice(), city.as_bytes(), account.as_bytes(), b"key", &[1]].concat();
        assert_eq!(key, sign(&Mac::new(HMAC_SHA256, extracted.as_ref()), &info).as_ref());
        for other in [
            under(&[6; 32], &salt, city, account, b"key"),
            under(&secret, &[6; 32], city, account, b"key"),
            under(&secret, &salt, account, account, b"key"),
            under(&secret, &salt, city, city, b"key"),
            under(&secret, &salt, city, account, b"ke"),
        ] {
            assert_ne!(key, other);
        }
    }
}
