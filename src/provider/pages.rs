//! The identities that open an account, on « Connexion et sécurité »: added and removed after the password.

use axum::{
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use minijinja::{Value, context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Door, Provider, arrive, attempt::Asked, call::Shown, door, person::Person as Shows, store};
use crate::{
    accounts::{
        self, NewAccount,
        connections::{self, Happened},
        jobs::{self, Letter, More},
        person::{self, Person},
        session::{self, Kind},
    },
    error::Problem,
    identity,
    platform::{form::Typed, local},
    visit::{Visit, Visitor},
};

/// To « Connexion et sécurité », saying what was done.
pub fn back(kind: Kind, done: &str) -> Response {
    let query = if done.is_empty() { String::new() } else { format!("?fait={done}") };
    Redirect::to(&format!("{}{query}", person::home(kind))).into_response()
}

/// Somebody reloads an address that only forms reach.
pub async fn start<P: Person>(_: P) -> Response {
    back(P::KIND, "")
}

/// Password given: to the provider, and back to [`linked`].
pub async fn link<P: Person>(
    person: P,
    visitor: Visitor,
    headers: HeaderMap,
    Typed(typed): Typed,
) -> Result<Response, Problem> {
    let (account, field) = (person.account(), "mot-de-passe-identite");
    let found = Provider::find(&visitor, typed.text("fournisseur"), Door::of(P::KIND)).await?;
    let provider = found.ok_or(Problem::NotFound)?;
    let text = typed.text(field);
    if let Some(wrong) = person::password(&visitor, P::KIND, &account.login, text, field).await? {
        return connections::pages::again(&person, "identite", &wrong).await;
    }
    let back = Some(typed.text("suite")).filter(|back| !back.is_empty()).map(local);
    let mut asked = Asked::new(&provider, back.unwrap_or_default(), "");
    asked.link = Some((account.id, person.session()));
    match door::go(&visitor, &headers, &provider, &asked).await? {
        Ok(response) => Ok(response),
        Err(trouble) => door::refuse(&visitor, P::KIND, &provider, &trouble, &asked).await,
    }
}

/// Back from the provider: the identity opens the account, if the session that asked for it is still there.
pub async fn linked(
    visitor: &Visitor,
    headers: &HeaderMap,
    kind: Kind,
    provider: &Provider,
    shown: &Shown,
    (account, asked_in, suite): (Uuid, Uuid, &str),
    taken: bool,
) -> Result<Response, Problem> {
    let session = session::find(visitor, headers, kind).await?;
    let same = session.as_ref().is_some_and(|session| {
        session.id == asked_in && session.account.as_ref().is_some_and(|owner| owner.id == account)
    });
    if !same {
        return Ok(back(kind, "identite-refusee"));
    }
    if taken || keep_link(visitor, provider, &shown.person, account, By::Owner).await? != Kept::Linked {
        return Ok(back(kind, "identite-prise"));
    }
    if !suite.is_empty() {
        return Ok(Redirect::to(local(suite)).into_response());
    }
    Ok(back(kind, "identite"))
}

/// Why an identity is linked to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Its owner has opened it by its own proof.
    Owner,
    /// The provider gives its address, which the city trusts.
    Address,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Linked,
    /// It opens another account, or the account has another identity of this provider.
    Taken,
    /// The owner took this provider away: their address alone does not bring it back.
    Unlinked,
}

/// The identity opens the account from now on; its owner is told.
pub async fn keep_link(
    visit: &Visit,
    provider: &Provider,
    shows: &Shows,
    account: Uuid,
    by: By,
) -> Result<Kept, Problem> {
    let new = arrive::new_link(provider, shows, account);
    let kept = visit
        .db
        .write(async |tx: &mut Tx| {
            if by == By::Address && store::unlinked(tx, account, &provider.id).await? {
                return Ok(Kept::Unlinked);
            }
            let again = by == By::Owner && store::opens(tx, &new).await?;
            if !again && !store::link(tx, &new, visit.now).await? {
                return Ok(Kept::Taken);
            }
            if let Some(found) = &shows.identity {
                identity::record(tx, account, &arrive::source(provider), found, visit.now).await?;
            }
            if again {
                // Opens it already: wanted for what it certifies.
                if shows.identity.is_some() {
                    connections::remember_with(tx, visit, account, Happened::IdentityVerified, &provider.name).await?;
                    jobs::queue(tx, visit, Letter::IdentityVerified, account, More::default()).await?;
                }
                return Ok(Kept::Linked);
            }
            store::forget_unlinked(tx, account, &provider.id).await?;
            connections::remember_with(tx, visit, account, Happened::IdentityLinked, &provider.name).await?;
            jobs::queue(tx, visit, Letter::IdentityLinked, account, More::default()).await?;
            Ok::<_, db::Error>(Kept::Linked)
        })
        .await?;
    visit.app.work.notify_one();
    Ok(kept)
}

/// A new account that the identity opens. `email`: an address to confirm, unless it is empty. False when the
/// identity got an account meanwhile.
pub async fn create(
    visit: &Visit,
    provider: &Provider,
    shows: &Shows,
    new: &NewAccount,
    email: &str,
) -> Result<bool, Problem> {
    let link = arrive::new_link(provider, shows, new.id);
    let made = visit
        .db
        .write(async |tx: &mut Tx| {
            accounts::insert(tx, new, visit.now).await?;
            if !store::link(tx, &link, visit.now).await? {
                accounts::remove(tx, new.id).await?;
                return Ok(false);
            }
            if let Some(found) = &shows.identity {
                identity::record(tx, new.id, &arrive::source(provider), found, visit.now).await?;
            }
            connections::remember_with(tx, visit, new.id, Happened::IdentityLinked, &provider.name).await?;
            if !email.is_empty() {
                accounts::email::store::begin(tx, new.id, email, true, visit.now).await?;
                jobs::queue(tx, visit, Letter::NewEmail, new.id, More { to: email, ..More::default() }).await?;
            }
            Ok::<_, db::Error>(true)
        })
        .await?;
    visit.app.work.notify_one();
    Ok(made)
}

/// The password being given, it stays a way in.
pub async fn unlink<P: Person>(person: P, Typed(typed): Typed) -> Result<Response, Problem> {
    let (visit, account, field) = (person.visit(), person.account(), "mot-de-passe-retirer-identite");
    if let Some(wrong) = person::password(visit, P::KIND, &account.login, typed.text(field), field).await? {
        return connections::pages::again(&person, "retirer-identite", &wrong).await;
    }
    let id = typed.text("fournisseur");
    let name = store::find(&visit.db, id).await?.map(|kept| kept.declaration.0.name);
    let name = name.ok_or(Problem::NotFound)?;
    let removed = visit
        .db
        .write(async |tx: &mut Tx| {
            let removed = store::unlink(tx, account.id, id, person.session(), visit.now).await?;
            if removed {
                connections::remember_with(tx, visit, account.id, Happened::IdentityUnlinked, &name).await?;
                jobs::queue(tx, visit, Letter::IdentityUnlinked, account.id, More::default()).await?;
            }
            Ok::<_, db::Error>(removed)
        })
        .await?;
    if !removed {
        return Err(Problem::NotFound);
    }
    visit.app.work.notify_one();
    Ok(back(P::KIND, "identite-retiree"))
}

/// What « Connexion et sécurité » says of them.
pub async fn summary<P: Person>(person: &P) -> Result<Value, Problem> {
    let visit = person.visit();
    let linked = store::of(&visit.db, person.account().id).await?;
    let door = Door::of(P::KIND);
    let all = store::all(&visit.db).await?.into_iter().map(Provider::from);
    let free: Vec<Json> = all
        .filter(|provider| provider.door == door && linked.iter().all(|link| link.provider_id != provider.id))
        .map(|provider| json!({"id": provider.id, "name": provider.name}))
        .collect();
    let list: Vec<Json> = linked
        .iter()
        .map(|link| {
            let used = link.used_at.map(|at| at.to_string()).unwrap_or_default();
            json!({
                "id": link.provider_id, "name": link.declaration.0.name, "person": format!("{} {}", link.first_name, link.last_name).trim(),
                "linked": link.linked_at.to_string(), "used": used,
            })
        })
        .collect();
    Ok(context! { list => Value::from(Serde(list)), free => Value::from(Serde(free)) })
}
