//! Keeping passwords: argon2id with the parameters OWASP recommends (19 MiB, 2 passes, 1 lane).

use anyhow::{Result, anyhow};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use sha2::{Digest, Sha256};
use tokio::{sync::Semaphore, task::spawn_blocking};
use zeroize::Zeroizing;

use super::model::regular_password;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Each computation takes 19 MiB: a crowd waits its turn rather than filling the machine.
static TURNS: Semaphore = Semaphore::const_new(8);

/// Takes the same time to refuse as the hash of a real account. No password is known for it.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2Fucy1jb21wdGUtMDAwMQ$dxLOU2DFR9A2YSuuMrpG1Li4y3qmUWS7NBd4sUhZcO8";

/// Tells one password from the next, and tells neither; of an account without any, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Print([u8; 32]);

impl Print {
    pub fn of(hash: Option<&str>) -> Self {
        Self(Sha256::digest(hash.unwrap_or_default()).into())
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// None when it is no print.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| anyhow!("argon2: {error}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The PHC string to keep for a password.
///
/// # Errors
/// Only when the machine fails.
pub async fn hash(password: &str) -> Result<String> {
    let password = regular_password(password);
    let _turn = TURNS.acquire().await?;
    spawn_blocking(move || {
        let hash: PasswordHash =
            hasher()?.hash_password(password.as_bytes()).map_err(|error| anyhow!("argon2: {error}"))?;
        Ok(hash.to_string())
    })
    .await?
}

/// Whether the password is the one kept; with none kept it never is, and takes as long to say.
///
/// # Errors
/// When the machine fails, or what is kept cannot be read.
pub async fn matches(password: &str, kept: Option<&str>) -> Result<bool> {
    let password = regular_password(password);
    let known = kept.is_some();
    let kept = kept.unwrap_or(NOBODY).to_owned();
    let _turn = TURNS.acquire().await?;
    let same = spawn_blocking(move || {
        let hash = PasswordHash::new(&kept).map_err(|error| anyhow!("kept password: {error}"))?;
        Ok::<bool, anyhow::Error>(hasher()?.verify_password(password.as_bytes(), &hash).is_ok())
    })
    .await??;
    Ok(same && known)
}

/// A key of 256 bits out of a password, or any other secret: what to encrypt with, never what to compare.
///
/// # Errors
/// Only when the machine fails.
pub async fn key(secret: &str, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
    let (secret, salt) = (Zeroizing::new(regular_password(secret)), salt.to_vec());
    let _turn = TURNS.acquire().await?;
    spawn_blocking(move || {
        let mut key = Zeroizing::new([0; 32]);
        let made = hasher()?.hash_password_into(secret.as_bytes(), &salt, key.as_mut());
        made.map_err(|error| anyhow!("argon2: {error}"))?;
        Ok(key)
    })
    .await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_matches() {
        let kept = hash("Un café, s’il vous plaît").await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(matches("Un café, s’il vous plaît", Some(&kept)).await.unwrap());
        // The same text, with accents typed the other way.
        assert!(matches("Un cafe\u{301}, s’il vous plai\u{302}t", Some(&kept)).await.unwrap());
        assert!(!matches("Un cafe, s’il vous plait", Some(&kept)).await.unwrap());
        assert!(!matches("", None).await.unwrap());
        assert!(matches("x", Some("not a hash")).await.is_err());
        assert_ne!(kept, hash("Un café, s’il vous plaît").await.unwrap());
    }

    #[test]
    fn nobody_costs_as_much_as_somebody() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&hash).unwrap();
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost(), params.output_len()),
            (MEMORY_KIB, PASSES, LANES, Some(32))
        );
    }
}
