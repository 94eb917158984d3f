//! Somebody on their way: what they were asked with, or who they turned out to be, kept sealed for half an
//! hour, bound to one browser by a cookie, good once.

use axum::http::{HeaderMap, HeaderValue};
use db::Tx;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{
    Provider,
    call::Shown,
    stage::{self, NewAttempt},
};
use crate::{accounts::session, error::Problem, platform::secret, visit::Visit};

/// Time to identify oneself: FranceConnect lets it last half an hour.
const LASTS: SignedDuration = SignedDuration::from_mins(30);
const PURPOSE: &str = "fournisseur-attente";
const SESSION: &str = "fournisseur-session";

/// What was asked of the provider.
#[derive(Debug, Serialize, Deserialize)]
pub struct Asked {
    pub nonce: String,
    /// Of the code challenge; empty when none was sent.
    pub verifier: String,
    /// Where they were going, and JSON of what they had typed.
    pub suite: String,
    pub saisie: String,
    /// Somebody signed in wants the identity to open their account: account and session.
    pub link: Option<(Uuid, Uuid)>,
    /// Credentials were asked for, though they may be signed in there: when.
    pub fresh: Option<Timestamp>,
}

/// Somebody that no account is linked to yet.
#[derive(Debug, Serialize, Deserialize)]
pub struct Arrived {
    pub at: Timestamp,
    pub shown: Shown,
    pub suite: String,
    pub saisie: String,
}

/// An identity that has just been shown by a provider, for the session that it opens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Proved {
    pub provider: String,
    /// As people know it.
    pub name: String,
    subject: String,
    id_token: String,
    proved_at: Option<Timestamp>,
}

impl Proved {
    pub(super) fn new(provider: &Provider, shown: &Shown) -> Self {
        Self {
            provider: provider.id.clone(),
            name: provider.name.clone(),
            subject: shown.person.subject.clone(),
            id_token: shown.id_token.clone(),
            proved_at: shown.proved_at,
        }
    }

    /// The button of the sign-in page to speak at, and what to say there, when it opens nothing any more.
    pub fn closed(&self) -> (String, String) {
        let text = format!("Cette identité {} n’ouvre plus ce compte : connectez-vous autrement", self.name);
        (format!("fournisseur-{}", self.provider), text)
    }

    /// The ID token as the session keeps it.
    ///
    /// # Errors
    /// Only when it is too long to encrypt.
    pub fn seal(&self, visit: &Visit) -> anyhow::Result<Vec<u8>> {
        visit.app.secret.seal(SESSION, visit.site.id.as_bytes(), self.id_token.as_bytes())
    }

    /// The session was opened by it; `sealed` comes from [`Proved::seal`]. False when it opens that account no
    /// more: the session must not be.
    pub async fn vouch(&self, tx: &mut Tx, session: Uuid, sealed: &[u8]) -> Result<bool, db::Error> {
        stage::vouch(tx, session, (&self.provider, &self.subject), sealed, self.proved_at).await
    }
}

/// The ID token of a session, as [`Proved::seal`] sealed it.
pub fn id_token(visit: &Visit, sealed: &[u8]) -> Option<String> {
    String::from_utf8(visit.app.secret.unseal(SESSION, visit.site.id.as_bytes(), sealed)?).ok()
}

impl Arrived {
    pub fn new(visit: &Visit, shown: Shown, asked: Asked) -> Self {
        Self { at: visit.now, shown, suite: asked.suite, saisie: asked.saisie }
    }
}

/// Name of the cookie that says which browser it is.
fn cookie_name(visit: &Visit) -> String {
    let prefix = if visit.app.config.secure_cookies { "__Host-" } else { "" };
    format!("{prefix}guichet-fournisseur")
}

/// The browser's own token: the one it has, or a new one; with the cookie that keeps it half an hour more.
pub fn browser(visit: &Visit, headers: &HeaderMap) -> (String, HeaderValue) {
    let token = present(visit, headers).map_or_else(secret::token, str::to_owned);
    let secure = if visit.app.config.secure_cookies { "; Secure" } else { "" };
    let (name, seconds) = (cookie_name(visit), LASTS.as_secs());
    let cookie = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    // Only letters, digits and punctuation fit for headers: this cannot fail.
    (token, HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static("")))
}

fn present<'a>(visit: &Visit, headers: &'a HeaderMap) -> Option<&'a str> {
    let own = |token: &&str| token.len() == 43 && token.bytes().all(|byte| byte.is_ascii_graphic());
    session::token(headers, &cookie_name(visit)).filter(own)
}

/// Sealed states open at their authority, at their stage, in their browser.
fn owner(visit: &Visit, stage: &str, browser: &[u8]) -> Vec<u8> {
    [visit.site.id.as_bytes().as_slice(), stage.as_bytes(), browser].concat()
}

/// Keeps where somebody stands under `key`, which only they are told.
pub async fn keep<S: Serialize>(
    visit: &Visit,
    (provider, browser): (&str, &str),
    stage: &str,
    key: &str,
    state: &S,
) -> Result<(), Problem> {
    let (hash, browser) = (secret::digest(key), secret::digest(browser));
    let clear = serde_json::to_vec(state).map_err(anyhow::Error::from)?;
    let sealed = visit.app.secret.seal(PURPOSE, &owner(visit, stage, &browser), &clear)?;
    let expires = visit.now.checked_add(LASTS).unwrap_or(visit.now);
    let new = NewAttempt { hash: &hash, provider, browser: &browser, stage, sealed: &sealed, expires };
    visit.db.write(async |tx: &mut Tx| stage::keep(tx, &new).await).await?;
    Ok(())
}

/// Where this browser stands under `key`, with the provider's id. Taken away when `once`.
pub async fn find<S: DeserializeOwned>(
    visit: &Visit,
    headers: &HeaderMap,
    stage: &str,
    key: &str,
    once: bool,
) -> Result<Option<(String, S)>, Problem> {
    let Some(browser) = present(visit, headers) else { return Ok(None) };
    let (hash, browser) = (secret::digest(key), secret::digest(browser));
    let found = if once {
        visit.db.write(async |tx: &mut Tx| stage::take(tx, &hash, &browser, stage, visit.now).await).await?
    } else {
        stage::look(&visit.db, &hash, &browser, stage, visit.now).await?
    };
    let Some(found) = found else { return Ok(None) };
    let clear = visit.app.secret.unseal(PURPOSE, &owner(visit, stage, &browser), &found.sealed);
    let state = clear.and_then(|clear| serde_json::from_slice(&clear).ok());
    Ok(state.map(|state| (found.provider_id, state)))
}

/// The identity is good, but the account asks for a code: what the session will know waits for it.
pub async fn wait(visit: &Visit, headers: &HeaderMap, account: Uuid, proved: &Proved) -> Result<(), Problem> {
    let Some(browser) = present(visit, headers) else { return Ok(()) };
    keep(visit, (&proved.provider, browser), stage::CODE, &awaited(browser, account), proved).await
}

/// What waited for the code of this account in this browser, of this provider.
pub async fn waiting(
    visit: &Visit,
    headers: &HeaderMap,
    account: Uuid,
    provider: &str,
) -> Result<Option<Proved>, Problem> {
    let Some(browser) = present(visit, headers) else { return Ok(None) };
    let key = awaited(browser, account);
    let found = find::<Proved>(visit, headers, stage::CODE, &key, true).await?;
    Ok(found.filter(|(of, _)| of == provider).map(|(_, proved)| proved))
}

fn awaited(browser: &str, account: Uuid) -> String {
    format!("{browser} {account}")
}
