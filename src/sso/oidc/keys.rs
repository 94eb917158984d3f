//! Keys that sign: made at first use, sealed in the database, replaced by `guichet admin rotate-keys`.

use std::sync::Arc;

use anyhow::{Context, Result};
use db::{Db, Tx, args, row, sql};
use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use rsa::pkcs8::EncodePrivateKey;
use uuid::Uuid;

use super::jws::{ID_LASTS, Key};
use crate::{platform::clock::Clock, platform::secret::Secret, visit::Visit};

const BITS: usize = 2048;
/// A new key is published for this long before it signs: caches of published keys are younger.
pub const PUBLISHED_BEFORE: SignedDuration = SignedDuration::from_hours(1);
/// How long applications may keep the list of keys.
pub const CACHED: SignedDuration = SignedDuration::from_mins(15);
/// A replaced key still recognises ID tokens that come back at logout: as long as a session lasts.
const RECOGNISES: SignedDuration = SignedDuration::from_hours(31 * 24);

row! {
    struct Kept {
        id: String,
        sealed: Vec<u8>,
        signs_from: Timestamp,
    }
}

/// A new private key, in PKCS#8.
pub fn make() -> Result<Vec<u8>> {
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, BITS).context("no RSA key")?;
    Ok(key.to_pkcs8_der().context("no RSA key")?.as_bytes().to_vec())
}

/// What sealed keys are for.
const PURPOSE: &str = "clef-sso";

/// Whose a sealed key is: bound to its place.
fn place(db: &Db, id: &str) -> Vec<u8> {
    format!("{} {id}", db.authority()).into_bytes()
}

/// Keys read lately, by authority and name: reading one is work that no token needs. Which key signs is
/// asked of the database each time, and what a name stands for never changes: nothing here grows old.
pub struct Read(Cache<(Uuid, String), Arc<Key>>);

impl Default for Read {
    fn default() -> Self {
        Self(Cache::new(200))
    }
}

fn read(visit: &Visit, kept: &Kept) -> Result<Arc<Key>> {
    let name = (visit.db.authority(), kept.id.clone());
    visit.app.signing_keys.0.get_or_insert_with(&name, || {
        let clear = visit
            .app
            .secret
            .unseal(PURPOSE, &place(&visit.db, &kept.id), &kept.sealed)
            .context("a signing key cannot be decrypted: is the secret the one of this database?")?;
        Ok(Arc::new(Key::read(&kept.id, &clear)?))
    })
}

/// Oldest first.
async fn kept(db: &Db) -> Result<Vec<Kept>, db::Error> {
    db.all(
        sql!("select id, sealed, signs_from from sso_key where authority_id = $1 order by signs_from, id"),
        args![db.authority()],
    )
    .await
}

/// The key that signs now.
pub async fn signing(visit: &Visit) -> Result<Arc<Key>> {
    let all = kept(&visit.db).await?;
    // The first when time went back.
    if let Some(key) = all.iter().rev().find(|key| key.signs_from <= visit.now).or(all.first()) {
        return read(visit, key);
    }
    add(&visit.db, &visit.app.secret, &visit.app.clock, SignedDuration::ZERO).await?;
    read(visit, kept(&visit.db).await?.first().context("no signing key")?)
}

/// The keys to publish: those to come, the one that signs, and those whose tokens are not over.
pub async fn published(visit: &Visit) -> Result<Vec<Arc<Key>>> {
    signing(visit).await?;
    let all = kept(&visit.db).await?;
    let over = |next: Option<&Kept>| {
        let end = next.and_then(|next| next.signs_from.checked_add(ID_LASTS + CACHED).ok());
        end.is_some_and(|end| end <= visit.now)
    };
    let live = all.iter().enumerate().filter(|(index, _)| !over(all.get(index + 1)));
    live.map(|(_, key)| read(visit, key)).collect()
}

/// Every key that still recognises what it signed.
pub async fn all(visit: &Visit) -> Result<Vec<Arc<Key>>> {
    kept(&visit.db).await?.iter().map(|key| read(visit, key)).collect()
}

/// Makes the key that signs next; gives from when.
///
/// # Errors
/// When the database does not answer.
pub async fn rotate(db: &Db, secret: &Secret, clock: &Clock) -> Result<Timestamp> {
    let wait = if kept(db).await?.is_empty() { SignedDuration::ZERO } else { PUBLISHED_BEFORE };
    add(db, secret, clock, wait).await
}

async fn add(db: &Db, secret: &Secret, clock: &Clock, wait: SignedDuration) -> Result<Timestamp> {
    let pkcs8 = tokio::task::spawn_blocking(make).await??;
    let (id, now) = (clock.id().simple().to_string(), clock.now());
    let sealed = secret.seal(PURPOSE, &place(db, &id), &pkcs8)?;
    let from = now.checked_add(wait)?;
    db.write(async |tx: &mut Tx| {
        tx.run(
            sql!("insert into sso_key (authority_id, id, sealed, created_at, signs_from) values ($1, $2, $3, $4, $5)"),
            args![tx.authority(), &id, &sealed, now, from],
        )
        .await?;
        Ok::<_, db::Error>(())
    })
    .await?;
    Ok(from)
}

/// Forgets keys that were replaced long ago.
pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), db::Error> {
    let before = now.checked_sub(RECOGNISES).unwrap_or(now);
    tx.run(
        sql!(
            "delete from sso_key where authority_id = $1 and exists (select 1 from sso_key n
               where n.authority_id = sso_key.authority_id and n.signs_from > sso_key.signs_from and n.signs_from < $2)"
        ),
        args![tx.authority(), before],
    )
    .await?;
    Ok(())
}
