//! Challenges: asked without a trace, carried sealed by the page, answered once within five minutes.

use anyhow::Context;
use data_encoding::BASE64URL_NOPAD;
use db::Tx;
use forms::answers::Raw;
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use webauthn_rs::prelude::{Url, Webauthn, WebauthnBuilder};

use super::store;
use crate::{
    accounts::{entry, person::Person},
    error::Problem,
    platform::throttle::{self, SHARED},
    visit::Visit,
};

/// Time to touch a key or show one's face.
const LASTS: SignedDuration = SignedDuration::from_mins(5);

/// Whether passkeys can exist here: browsers bind them to a host name, never to a bare address.
pub fn possible(visit: &Visit) -> bool {
    party(visit).is_ok()
}

/// The authority's site as passkeys know it: one made for another site or another port is never taken.
pub fn party(visit: &Visit) -> anyhow::Result<Webauthn> {
    let origin = Url::parse(visit.public_url()).context("public_url is no address")?;
    let host = origin.domain().context("passkeys need a host name in public_url")?;
    Ok(WebauthnBuilder::new(host, &origin)?.rp_name(&visit.site.name).timeout(LASTS.unsigned_abs()).build()?)
}

/// This person and this session only.
pub fn owner<P: Person>(person: &P) -> Vec<u8> {
    let visit = person.visit();
    [visit.site.id, person.account().id, person.session()].iter().flat_map(|id| *id.as_bytes()).collect()
}

/// What a challenge expects, as the page carries it.
pub fn seal<S: Serialize>(visit: &Visit, purpose: &str, owner: &[u8], state: &S) -> anyhow::Result<String> {
    let time = visit.now.as_microsecond().to_be_bytes();
    let clear = [time.as_slice(), &serde_json::to_vec(state)?].concat();
    Ok(BASE64URL_NOPAD.encode(&visit.app.secret.seal(purpose, owner, &clear)?))
}

/// What a challenge expects, once: none when it is bent, somebody else's, too old or answered already.
pub async fn take<S: DeserializeOwned>(
    visit: &Visit,
    purpose: &str,
    owner: &[u8],
    typed: &str,
) -> Result<Option<S>, Problem> {
    let sealed = BASE64URL_NOPAD.decode(typed.as_bytes()).unwrap_or_default();
    let clear = visit.app.secret.unseal(purpose, owner, &sealed);
    let Some((at, state)) = clear.as_deref().and_then(read) else { return Ok(None) };
    let expires = at.checked_add(LASTS).unwrap_or(at);
    if visit.now > expires {
        return Ok(None);
    }
    let digest = Sha256::digest(&sealed).to_vec();
    let first = visit.db.write(async |tx: &mut Tx| store::answer(tx, &digest, expires).await).await?;
    Ok(if first { serde_json::from_slice(state).ok() } else { None })
}

/// What the challenge of a form (field « cle ») expects, unless its network address was refused too often; else what
/// to say.
pub async fn heard<S: DeserializeOwned>(
    visit: &Visit,
    purpose: &str,
    owner: &[u8],
    typed: &Raw,
) -> Result<Result<S, String>, Problem> {
    if let Some(left) = throttle::wait(&visit.db, &entry::client(visit), SHARED, visit.now).await? {
        return Ok(Err(format!("Trop d’essais\u{a0}: réessayez dans {}", throttle::in_words(left))));
    }
    let state = take(visit, purpose, owner, typed.text("cle")).await?;
    Ok(state.ok_or_else(|| "Trop de temps a passé\u{a0}: recommencez avec votre clé d’accès".to_owned()))
}

fn read(clear: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (time, state) = clear.split_first_chunk::<8>()?;
    Some((Timestamp::from_microsecond(i64::from_be_bytes(*time)).ok()?, state))
}
