//! An open safe: for a while after its last use, in one session, the key waits in the database under a
//! random secret that only the browser's cookie holds. Any process can then serve; the database alone
//! opens nothing.

use std::ops::Deref;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, request::Parts},
};
use data_encoding::BASE64URL_NOPAD;
use db::Tx;
use jiff::SignedDuration;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    crypt::Key,
    model::{STAYS_OPEN, Safe},
    secrets, shared, store,
    whose::{Holder, Owner},
};
use crate::{
    accounts::session,
    error::Problem,
    platform::{encode, secret},
    visit::{Visit, Visitor},
};

/// How often a use is written down.
const NOTED: SignedDuration = SignedDuration::from_mins(1);

/// A signed-in usager before open documents: their own, or those of the organisation they act for.
pub struct Open {
    pub holder: Holder,
    pub safe: Safe,
    pub key: Key,
}

impl Deref for Open {
    type Target = Holder;
    fn deref(&self) -> &Holder {
        &self.holder
    }
}

/// How documents are found.
pub enum State {
    /// The owner has no safe.
    None,
    Open(Safe, Key),
    /// The visitor's own safe is closed, which opens these.
    Closed,
    /// An organisation's, and the visitor has no safe of their own that could open it.
    NoOwn,
    /// An organisation's, and nobody gave the visitor a key.
    NoKey(Safe),
}

/// The visitor's own safe and its key, when it is open.
pub async fn own(visitor: &Visitor, headers: &HeaderMap) -> Result<Option<(Safe, Key)>, Problem> {
    let Some(account) = visitor.account() else { return Ok(None) };
    let Some(safe) = store::of(&visitor.db, Owner::Account(account.id)).await? else { return Ok(None) };
    let key = find(visitor, headers, &safe).await?;
    Ok(key.map(|key| (safe, key)))
}

/// The documents of `owner`, whose right the caller has checked: see [`Owner::of`].
///
/// # Errors
/// When a key is not the one of the safe's public key: see [`secrets::unseal`](super::secrets::unseal).
pub async fn state(visitor: &Visitor, headers: &HeaderMap, owner: Owner) -> Result<State, Problem> {
    let Some(safe) = store::of(&visitor.db, owner).await? else { return Ok(State::None) };
    if let Owner::Account(_) = owner {
        let key = find(visitor, headers, &safe).await?;
        return Ok(key.map_or(State::Closed, |key| State::Open(safe, key)));
    }
    let Some(account) = visitor.account() else { return Ok(State::NoOwn) };
    let Some(own) = store::of(&visitor.db, Owner::Account(account.id)).await? else { return Ok(State::NoOwn) };
    let Some(own_key) = find(visitor, headers, &own).await? else { return Ok(State::Closed) };
    let Some(sealed) = shared::find(&visitor.db, safe.id, account.id, own.id).await? else {
        return Ok(State::NoKey(safe));
    };
    let key = secrets::checked(&safe, Some(own_key.shared(&sealed)?))?;
    Ok(match key {
        Some(key) => State::Open(safe, key),
        None => State::NoKey(safe),
    })
}

impl<S: Send + Sync> FromRequestParts<S> for Open {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let holder = Holder::from_request_parts(parts, state).await?;
        match self::state(&holder, &parts.headers, holder.owner).await? {
            State::Open(safe, key) => Ok(Self { holder, safe, key }),
            State::Closed => Err(Problem::Elsewhere(door(holder.owner, &holder.here))),
            State::None | State::NoOwn | State::NoKey(_) => Err(Problem::Elsewhere(holder.base())),
        }
    }
}

/// Where documents are opened, before coming back to `here`.
pub fn door(owner: Owner, here: &str) -> String {
    format!("{}/ouvrir?suite={}", owner.base(), encode(here))
}

fn cookie_name(visit: &Visit) -> &'static str {
    if visit.app.config.secure_cookies { "__Host-guichet-documents" } else { "guichet-documents" }
}

/// What binds an opening to its session and its safe.
fn place(session: Uuid, safe: Uuid) -> String {
    format!("guichet safe open {session} {safe}")
}

fn cookie(visit: &Visit, value: &str, more: &str) -> HeaderValue {
    let secure = if visit.app.config.secure_cookies { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict{more}{secure}", cookie_name(visit));
    // Only letters, digits and punctuation fit for headers: this cannot fail.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// The cookie that makes the browser forget its secret.
pub fn forget(visit: &Visit) -> HeaderValue {
    cookie(visit, "", "; Max-Age=0")
}

/// Opens the safe in the visitor's session; gives the cookie to set, which ends with the browser.
pub async fn open(visitor: &Visitor, safe: &Safe, key: &Key) -> Result<HeaderValue, Problem> {
    let session = visitor.session.as_ref().ok_or_else(|| visitor.sign_in())?.id;
    let secret = Zeroizing::new(rand::random::<[u8; 32]>());
    let sealed = key.seal(&secret, &place(session, safe.id))?;
    visitor.db.write(async |tx: &mut Tx| store::open(tx, session, safe.id, &sealed, visitor.now).await).await?;
    Ok(cookie(visitor, &Zeroizing::new(BASE64URL_NOPAD.encode(&*secret)), ""))
}

/// The key of the visitor's safe, when it is open in this session and this browser.
pub async fn find(visitor: &Visitor, headers: &HeaderMap, safe: &Safe) -> Result<Option<Key>, Problem> {
    let Some(session) = &visitor.session else { return Ok(None) };
    let Some(secret) = session::token(headers, cookie_name(visitor)).and_then(secret::read_key) else {
        return Ok(None);
    };
    let Some((sealed, used)) = store::opening(&visitor.db, session.id, safe.id).await? else { return Ok(None) };
    let idle = visitor.now.duration_since(used);
    if idle > STAYS_OPEN {
        visitor.db.write(async |tx: &mut Tx| store::close(tx, session.id).await).await?;
        return Ok(None);
    }
    let key = Key::unseal(&secret, &place(session.id, safe.id), &sealed);
    if key.is_some() && idle > NOTED {
        visitor.db.write(async |tx: &mut Tx| store::keep_open(tx, session.id, visitor.now).await).await?;
    }
    Ok(key)
}
