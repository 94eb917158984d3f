//! « Mes documents »: each usager's own safe (« coffre-fort »). Documents are encrypted to a key of which
//! the portal keeps the secret half only sealed, under the password (or a code of one's own), under a recovery code and under what
//! passkeys derive: neither the database with the files nor an agent reads them. docs/decisions/0013 says against whom this holds.

use axum::{
    Router,
    http::{HeaderMap, header},
    response::Response,
    routing::{get, post},
};
use db::{Db, Tx, args};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    app::App,
    error::Problem,
    platform::upload::Received,
    visit::{Visit, Visitor},
};

mod crypt;
mod deposit;
mod door;
mod kinds;
mod list;
mod model;
mod one;
mod opening;
mod organisation;
mod own;
mod passkey;
mod secrets;
mod shared;
mod store;
mod take;
mod whose;

pub use crypt::{Content, Key, Recipient};
pub use deposit::{Deposit, deposit};
pub use shared::{dissolve, follow, lose};
pub use store::{Added, clash, merge, uses_end};
pub use whose::Owner;

use model::{STAYS_OPEN, Way, Wrap};
use opening::State;
use take::Entries;

/// The same pages for both owners: the address tells [`whose::Holder`] whose documents they are.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/mes-documents", get(list::show))
        .route("/mes-documents/ouvrir", get(door::show).post(door::open))
        .route("/mes-documents/ouvrir/cle", get(passkey::start).post(passkey::open))
        .route("/mes-documents/ouvrir/cle/defi", get(passkey::start).post(passkey::challenge_open))
        .route("/mes-documents/code", get(door::code).post(door::new_code))
        .route("/mes-documents/fermer", post(door::close))
        .route("/mes-documents/ajouter", get(list::adding).post(list::add))
        .route("/mes-documents/tout.zip", get(take::all))
        .route("/mes-documents/{document}", get(one::show).post(one::save))
        .route("/mes-documents/{document}/fichier", get(one::download))
        .route("/mes-documents/{document}/supprimer", get(one::removing).post(one::remove))
        .route("/mes-documents/creer", post(door::create))
        .route("/mes-documents/cles", get(passkey::show).post(passkey::add))
        .route("/mes-documents/cles/defi", get(passkey::again).post(passkey::challenge_add))
        .route("/mes-documents/cles/retirer", get(passkey::again).post(passkey::remove))
        .route("/mes-documents/secours", get(door::rescue).post(door::rescued))
        .route("/mes-documents/mon-code", get(own::show).post(own::change))
        .merge(of_organisations())
}

fn of_organisations() -> Router<App> {
    Router::new()
        .route("/organisations/{organisation}/documents", get(list::show))
        .route("/organisations/{organisation}/documents/ouvrir", get(door::show).post(door::open))
        .route("/organisations/{organisation}/documents/ouvrir/cle", get(passkey::start).post(passkey::open))
        .route(
            "/organisations/{organisation}/documents/ouvrir/cle/defi",
            get(passkey::start).post(passkey::challenge_open),
        )
        .route("/organisations/{organisation}/documents/code", get(door::code).post(door::new_code))
        .route("/organisations/{organisation}/documents/fermer", post(door::close))
        .route("/organisations/{organisation}/documents/ajouter", get(list::adding).post(list::add))
        .route("/organisations/{organisation}/documents/tout.zip", get(take::all))
        .route("/organisations/{organisation}/documents/{document}", get(one::show).post(one::save))
        .route("/organisations/{organisation}/documents/{document}/fichier", get(one::download))
        .route("/organisations/{organisation}/documents/{document}/supprimer", get(one::removing).post(one::remove))
        .route("/organisations/{organisation}/documents/creer", post(organisation::create))
        .route("/organisations/{organisation}/documents/acces", get(organisation::access).post(organisation::give))
        .route("/organisations/{organisation}/documents/secours", get(organisation::rescue).post(organisation::rescued))
}

/// The password was just proved right: opens the safe with it, if there is one that it opens. Whatever
/// goes wrong, signing in does not suffer.
pub async fn signed_in(visitor: &Visitor, password: &str, response: &mut Response) {
    match open_with(visitor, password).await {
        Ok(Some(cookie)) => {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(None) => {}
        Err(problem) => tracing::error!(problem = ?problem, "a safe cannot be opened at sign-in"),
    }
}

async fn open_with(visitor: &Visitor, password: &str) -> Result<Option<axum::http::HeaderValue>, Problem> {
    let Some(account) = visitor.account() else { return Ok(None) };
    let Some(safe) = store::of(&visitor.db, Owner::Account(account.id)).await? else { return Ok(None) };
    let wrap = store::wrap(&visitor.db, safe.id, Way::Password).await?;
    let Some(wrap) = wrap.filter(|wrap| !wrap.stale) else { return Ok(None) };
    match secrets::unseal(&wrap, &safe, Way::Password, password).await? {
        Some(key) => opening::open(visitor, &safe, &key).await.map(Some),
        None => Ok(None),
    }
}

/// A safe's key under a new password.
pub struct Rewrapped(Uuid, Wrap);

/// Before a password is replaced: what will open the safe with the new one. None when there is no safe, or
/// when the present password does not open it.
pub async fn rewrap(visit: &Visit, account: Uuid, present: &str, new: &str) -> Result<Option<Rewrapped>, Problem> {
    let Some(safe) = store::of(&visit.db, Owner::Account(account)).await? else { return Ok(None) };
    let Some(wrap) = store::wrap(&visit.db, safe.id, Way::Password).await? else { return Ok(None) };
    match secrets::unseal(&wrap, &safe, Way::Password, present).await? {
        Some(key) => Ok(Some(Rewrapped(safe.id, secrets::seal(&key, safe.id, Way::Password, new).await?))),
        None => Ok(None),
    }
}

/// With the new password, in the same transaction. Without [`rewrap`] (the former password is forgotten),
/// the safe keeps what the former one opens, and waits for it or for the recovery code.
pub async fn password_changed(
    tx: &mut Tx,
    account: Uuid,
    rewrapped: Option<&Rewrapped>,
    now: Timestamp,
) -> Result<(), db::Error> {
    match rewrapped {
        Some(Rewrapped(safe, wrap)) => store::put_wrap(tx, *safe, Way::Password, wrap, now).await,
        None => store::outlive_password(tx, account).await,
    }
}

/// Closes the safes that nobody used for a while.
pub async fn close_idle(tx: &mut Tx, now: Timestamp) -> Result<(), db::Error> {
    store::close_before(tx, now.checked_sub(STAYS_OPEN).unwrap_or(now)).await
}

/// Which of these stored objects are documents of a safe.
pub async fn known(db: &Db, ids: &[Uuid]) -> Result<Vec<Uuid>, db::Error> {
    let query = db::Query::new("select id from safe_document where authority_id = {}").bind(db.authority());
    db.all(query.and_in("id", ids), args![]).await
}

/// How many documents an account has.
pub async fn count(db: &Db, account: Uuid) -> Result<i64, db::Error> {
    match store::of(db, Owner::Account(account)).await? {
        Some(safe) => Ok(store::weight(db, safe.id).await?.1),
        None => Ok(0),
    }
}

/// The passkeys that open an account's documents.
pub async fn passkeys(db: &Db, account: Uuid) -> Result<Vec<Uuid>, db::Error> {
    let Some(safe) = store::of(db, Owner::Account(account)).await? else { return Ok(Vec::new()) };
    Ok(store::key_wraps(db, safe.id).await?.into_iter().map(|wrap| wrap.passkey_id).collect())
}

/// What is kept of an account's documents that the portal can read.
pub async fn data(db: &Db, account: Uuid) -> Result<Json, db::Error> {
    let Some(safe) = store::of(db, Owner::Account(account)).await? else { return Ok(json!([])) };
    let documents = store::documents(db, safe.id).await?;
    let one = |document: &model::Document| {
        json!({
            "type": kinds::of(&document.kind).name, "taille": document.size, "date": document.issued_on.to_string(),
            "valable_jusqu_au": document.until().map(|day| day.to_string()), "range_le": document.added_at.to_string(),
            "par_la_mairie": document.deposit.is_some(),
        })
    };
    Ok(documents.iter().map(one).collect())
}

/// What an export of one's data may take from here.
pub enum Contents {
    None,
    /// Their owner has not opened them in this session.
    Closed,
    Open(Entries, Key),
}

pub async fn contents(visitor: &Visitor, headers: &HeaderMap) -> Result<Contents, Problem> {
    let Some(account) = visitor.account() else { return Ok(Contents::None) };
    match opening::own(visitor, headers).await? {
        Some((safe, key)) => Ok(Contents::Open(Entries::of(&visitor.db, &safe, &key).await?, key)),
        None if exists(&visitor.db, account.id).await? => Ok(Contents::Closed),
        None => Ok(Contents::None),
    }
}

/// What a usager may take for a piece from their documents, or from those of the organisation they act for: `state` is `none`, `closed` or `open`; `open` is
/// where to open them and come back; `organisation`: whether they are one's.
pub async fn choice(visitor: &Visitor, headers: &HeaderMap) -> Result<Json, Problem> {
    let organisation = visitor.acting.is_some();
    let none = json!({"state": "none", "open": "", "organisation": organisation, "documents": []});
    // By a mandate one uses neither the other's documents, which stay closed, nor one's own.
    let Some(owner) = Owner::of(visitor) else { return Ok(none) };
    let (safe, key) = match opening::state(visitor, headers, owner).await? {
        State::Open(safe, key) => (safe, key),
        State::Closed => {
            let door = opening::door(owner, &visitor.here);
            return Ok(json!({"state": "closed", "open": door, "organisation": organisation, "documents": []}));
        }
        State::None | State::NoOwn | State::NoKey(_) => return Ok(none),
    };
    let documents = store::documents(&visitor.db, safe.id).await?;
    let mut shown: Vec<Json> = documents.iter().map(|document| list::shown(visitor, owner, &key, document)).collect();
    // Those still good first.
    shown.sort_by_key(|document| document.get("outdated").and_then(Json::as_bool));
    Ok(json!({"state": "open", "open": "", "organisation": organisation, "documents": shown}))
}

/// Copies a document to an ordinary file `to`. None when it is not there, or the safe is not open.
pub async fn copy(
    visitor: &Visitor,
    headers: &HeaderMap,
    document: Uuid,
    to: Uuid,
) -> Result<Option<Received>, Problem> {
    let Some(owner) = Owner::of(visitor) else { return Ok(None) };
    let State::Open(safe, key) = opening::state(visitor, headers, owner).await? else { return Ok(None) };
    match store::document(&visitor.db, safe.id, document).await? {
        Some(document) => Ok(Some(deposit::copy(visitor, &key, &document, to).await?)),
        None => Ok(None),
    }
}

/// Remembers, for its owner, that a file is a copy of a document.
pub async fn copied(visit: &Visit, document: Uuid, file: Uuid) -> Result<(), db::Error> {
    visit.db.write(async |tx: &mut Tx| store::use_document(tx, document, file, visit.now).await).await
}

/// Whether an account has a safe.
pub async fn exists(db: &Db, account: Uuid) -> Result<bool, db::Error> {
    Ok(store::of(db, Owner::Account(account)).await?.is_some())
}

/// Whether the city put this in the safe of its owner before; none without a safe.
pub async fn keeps(db: &Db, owner: Owner, deposit: &str) -> Result<Option<bool>, db::Error> {
    match store::of(db, owner).await? {
        Some(safe) => store::deposited(db, safe.id, deposit).await.map(Some),
        None => Ok(None),
    }
}
