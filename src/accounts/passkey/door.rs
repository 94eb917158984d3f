//! Signing in with a passkey: the browser asks a challenge, the device finds the account and signs.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use db::Tx;
use forms::answers::Raw;
use serde_json::json;
use uuid::Uuid;
use webauthn_rs::prelude::{DiscoverableAuthentication, Passkey, PublicKeyCredential};

use super::{
    ceremony,
    store::{self, Kept},
};
use crate::{
    accounts::{
        connections::{self, Happened},
        entry,
        means::Means,
        session::Kind,
    },
    error::Problem,
    visit::{Visit, Visitor},
};

const PURPOSE: &str = "cle-d-acces-connexion";

/// A passkey that has just proved its owner's presence.
#[derive(Debug, Clone, Copy)]
pub struct Proved {
    pub account: Uuid,
    key: Uuid,
    synced: bool,
}

impl Proved {
    pub fn means(self) -> Means {
        if self.synced { Means::SyncedPasskey } else { Means::Passkey }
    }

    /// Whether it has not been removed since.
    pub async fn still(self, tx: &mut Tx) -> Result<bool, db::Error> {
        store::there(tx, self.account, self.key).await
    }

    /// The session that it opens has both factors.
    pub async fn vouch(self, tx: &mut Tx, session: Uuid) -> Result<(), db::Error> {
        store::vouch(tx, session, self.key).await
    }
}

/// Which door: usagers' and agents' are not the same.
fn owner(visit: &Visit, kind: Kind) -> Vec<u8> {
    [visit.site.id.as_bytes().as_slice(), kind.name().as_bytes()].concat()
}

pub async fn challenge_usager(visitor: Visitor) -> Result<Response, Problem> {
    challenge(&visitor, Kind::Usager)
}

pub async fn challenge_agent(visitor: Visitor) -> Result<Response, Problem> {
    challenge(&visitor, Kind::Agent)
}

/// `{options, cle}`: what the browser hands to the device, and what it gives back with the answer.
fn challenge(visit: &Visit, kind: Kind) -> Result<Response, Problem> {
    let party = ceremony::party(visit).map_err(|_| Problem::NotFound)?;
    let (asked, state) = party.start_discoverable_authentication().map_err(anyhow::Error::from)?;
    let key = ceremony::seal(visit, PURPOSE, &owner(visit, kind), &state)?;
    // The button asks; nothing is offered while somebody types.
    let body = json!({"options": asked.public_key, "cle": key}).to_string();
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// Whose passkey answered, or what to say.
pub async fn answer(visit: &Visit, kind: Kind, typed: &Raw) -> Result<Result<Proved, String>, Problem> {
    let state = match ceremony::heard(visit, PURPOSE, &owner(visit, kind), typed).await? {
        Ok(state) => state,
        Err(text) => return Ok(Err(text)),
    };
    let answer: Option<PublicKeyCredential> = serde_json::from_str(typed.text("reponse")).ok();
    let kept = match &answer {
        Some(answer) => store::find(&visit.db, kind, &answer.raw_id).await?,
        None => None,
    };
    if let (Some(answer), Some(kept)) = (&answer, &kept)
        && let Some((key, synced)) = judge(visit, answer, state, kept)
        && visit.db.write(async |tx: &mut Tx| store::used(tx, kept.id, &key, visit.now).await).await?
    {
        return Ok(Ok(Proved { account: kept.account_id, key: kept.id, synced }));
    }
    connections::refused(visit, &entry::client(visit), kept.map(|kept| kept.account_id), Happened::WrongPasskey)
        .await?;
    Ok(Err("Cette clé d’accès n’est pas acceptée ici\u{a0}: connectez-vous avec votre mot de passe".to_owned()))
}

/// The key as it is after this answer, and whether its maker may copy it; none when the answer is not its own, or its device did not check
/// who holds it.
fn judge(
    visit: &Visit,
    answer: &PublicKeyCredential,
    state: DiscoverableAuthentication,
    kept: &Kept,
) -> Option<(Passkey, bool)> {
    let party = ceremony::party(visit).ok()?;
    let (account, _) = party.identify_discoverable_authentication(answer).ok()?;
    let mut key = kept.public_key.0.clone();
    let judged = party.finish_discoverable_authentication_v2(answer, state, &key);
    let proof = judged.inspect_err(|error| tracing::info!(%error, "passkey refused")).ok()?;
    if account != kept.account_id || !proof.user_verified() {
        return None;
    }
    key.update_credential(&proof)?;
    Some((key, proof.backup_eligible()))
}
