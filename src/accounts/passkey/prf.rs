//! A passkey asked of who is signed in, which also derives a secret (WebAuthn level 3, extension `prf`, above CTAP's
//! `hmac-secret`): for one salt, one key always gives the same 32 bytes, and nobody can compute them without it. The
//! browser hands them over beside the signed answer, which says nothing of them: they are worth what they open.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use data_encoding::BASE64URL_NOPAD;
use db::Tx;
use forms::answers::Raw;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use uuid::Uuid;
use webauthn_rs::prelude::{Passkey, PasskeyAuthentication, PublicKeyCredential};
use zeroize::Zeroizing;

use super::{
    ceremony,
    store::{self, Kept},
};
use crate::{
    accounts::{
        connections::{self, Happened},
        entry,
        session::Kind,
    },
    error::Problem,
    platform::secret,
    visit::Citizen,
};

/// A passkey, and what its secret is derived from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Salted {
    pub passkey: Uuid,
    pub salt: Vec<u8>,
}

/// What a challenge expects: which keys may answer, with which salts.
type State = (PasskeyAuthentication, Vec<Salted>);

/// A passkey of the person has just signed, its device having checked who holds it.
pub struct Derived {
    pub passkey: Uuid,
    /// The id that the authenticator chose.
    pub credential: Vec<u8>,
    pub salt: Vec<u8>,
    pub secret: Zeroizing<[u8; 32]>,
    key: Passkey,
}

impl Derived {
    /// Counter and flags move on. False when the passkey was removed meanwhile.
    pub async fn used(&self, tx: &mut Tx, now: Timestamp) -> Result<bool, db::Error> {
        store::used(tx, self.passkey, &self.key, now).await
    }
}

/// `{options, cle, sels}`: what the browser hands to the device, what it gives back with the answer, and the salt of
/// each key by its id.
///
/// # Errors
/// [`Problem::NotFound`] when none of these keys is there, or the site cannot have any.
pub async fn ask(citizen: &Citizen, purpose: &str, salted: Vec<Salted>) -> Result<Response, Problem> {
    let party = ceremony::party(citizen).map_err(|_| Problem::NotFound)?;
    let mut keys = Vec::new();
    let mut salts = Map::new();
    for kept in store::keys(&citizen.db, citizen.account.id).await? {
        if let Some(one) = salted.iter().find(|one| one.passkey == kept.id) {
            let id = BASE64URL_NOPAD.encode(kept.public_key.0.cred_id());
            salts.insert(id, BASE64URL_NOPAD.encode(&one.salt).into());
            keys.push(kept.public_key.0);
        }
    }
    if keys.is_empty() {
        return Err(Problem::NotFound);
    }
    let (asked, state) = party.start_passkey_authentication(&keys).map_err(anyhow::Error::from)?;
    let state: State = (state, salted);
    let key = ceremony::seal(citizen, purpose, &ceremony::owner(citizen), &state)?;
    let body = json!({"options": asked.public_key, "cle": key, "sels": salts}).to_string();
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// Which passkey answered (fields « cle », « reponse », « secret »), or what to say.
pub async fn answer(citizen: &Citizen, purpose: &str, typed: &Raw) -> Result<Result<Derived, String>, Problem> {
    let (state, salted): State = match ceremony::heard(citizen, purpose, &ceremony::owner(citizen), typed).await? {
        Ok(state) => state,
        Err(text) => return Ok(Err(text)),
    };
    let answer: Option<PublicKeyCredential> = serde_json::from_str(typed.text("reponse")).ok();
    let kept = match &answer {
        Some(answer) => store::find(&citizen.db, Kind::Usager, &answer.raw_id).await?,
        None => None,
    };
    if let (Some(answer), Some(kept)) = (answer, kept)
        && let Some(one) = salted.into_iter().find(|one| one.passkey == kept.id)
        && let Some(key) = judge(citizen, &answer, &state, &kept)
    {
        let credential = key.cred_id().to_vec();
        return Ok(match secret::read_key(typed.text("secret")) {
            Some(secret) => Ok(Derived { passkey: kept.id, credential, salt: one.salt, secret, key }),
            None => {
                Err("Cette clé d’accès ne sait pas ouvrir vos documents, ou votre navigateur ne le permet pas"
                    .to_owned())
            }
        });
    }
    connections::refused(citizen, &entry::client(citizen), Some(citizen.account.id), Happened::WrongPasskey).await?;
    Ok(Err("Cette clé d’accès n’est pas acceptée ici".to_owned()))
}

/// The key as it is after this answer; none when it is not its own, or its device did not check who holds it.
fn judge(
    citizen: &Citizen,
    answer: &PublicKeyCredential,
    state: &PasskeyAuthentication,
    kept: &Kept,
) -> Option<Passkey> {
    let judged = ceremony::party(citizen).ok()?.finish_passkey_authentication(answer, state);
    let proof = judged.inspect_err(|error| tracing::info!(%error, "passkey refused")).ok()?;
    let mut key = kept.public_key.0.clone();
    if kept.account_id != citizen.account.id || !proof.user_verified() {
        return None;
    }
    key.update_credential(&proof)?;
    Some(key)
}
