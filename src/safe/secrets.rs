//! The key of a safe sealed under a secret of its owner: the account's password, the code
//! they chose, or the recovery code.

use anyhow::Result;
use uuid::Uuid;

use super::{
    crypt::Key,
    model::{Safe, Way, Wrap},
};
use crate::{accounts, error::Problem};

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
    match Key::unseal(&under, &place(way, safe.id), &wrap.sealed) {
        Some(key) if key.recipient() == safe.recipient => Ok(Some(key)),
        Some(_) => Err(Problem::Broken(anyhow::anyhow!("the public key of safe {} was replaced", safe.id))),
        None => Ok(None),
    }
}
