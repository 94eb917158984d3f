//! Back from a provider with a good identity: to the account it opens, or to what makes or finds one.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use uuid::Uuid;

use super::{
    Proved, Provider,
    attempt::{self, Arrived, Asked},
    call::Shown,
    door::no_entry,
    first,
    pages::{self, By, Kept},
    person::Person,
    stage,
    store::{self, Link, NewLink},
};
use crate::{
    accounts::{
        self,
        citizen::sign_in,
        connections::{self, Happened},
        desk,
        session::Kind,
    },
    error::Problem,
    identity,
    platform::secret,
    visit::{Visit, Visitor},
};

/// The identity is good: to the account it opens, or to what makes one.
pub async fn arrive(
    visitor: Visitor,
    headers: &HeaderMap,
    kind: Kind,
    provider: &Provider,
    shown: Shown,
    asked: Asked,
) -> Result<Response, Problem> {
    if !belongs(provider, &shown.person) {
        return unknown_agent(&visitor, provider, &asked.suite).await;
    }
    let found = store::linked(&visitor.db, &provider.id, &shown.person.subject, kind.name()).await?;
    if let Some((account, session)) = asked.link {
        let taken = found.is_some_and(|link| link.account_id != account);
        return pages::linked(&visitor, headers, kind, provider, &shown, (account, session, &asked.suite), taken).await;
    }
    if let Some(link) = found {
        refresh(&visitor, provider, &link, &shown.person).await?;
        return enter(visitor, headers, kind, link.account_id, &Proved::new(provider, &shown), &asked).await;
    }
    match kind {
        Kind::Usager => {
            let (key, (browser, cookie)) = (secret::token(), attempt::browser(&visitor, headers));
            let arrived = Arrived::new(&visitor, shown, asked);
            attempt::keep(&visitor, (&provider.id, &browser), stage::ARRIVED, &key, &arrived).await?;
            let mut response = Redirect::to(&first::page(&key)).into_response();
            response.headers_mut().append(header::SET_COOKIE, cookie);
            Ok(response)
        }
        Kind::Agent => agent(visitor, headers, provider, shown, &asked).await,
    }
}

async fn enter(
    visitor: Visitor,
    headers: &HeaderMap,
    kind: Kind,
    account: Uuid,
    proved: &Proved,
    asked: &Asked,
) -> Result<Response, Problem> {
    match kind {
        Kind::Usager => sign_in::by_provider(visitor, headers, account, proved, &asked.suite, &asked.saisie).await,
        Kind::Agent => desk::by_provider(visitor, headers, account, proved, &asked.suite).await,
    }
}

/// What the provider says now of somebody known: a changed name is kept, and a changed identity if that provider
/// certified the one that is kept. Told in the history.
async fn refresh(visit: &Visit, provider: &Provider, link: &Link, person: &Person) -> Result<(), Problem> {
    let source = source(provider);
    let renamed = (&link.first_name, &link.last_name) != (&person.first_name, &person.last_name);
    let new = new_link(provider, person, link.account_id);
    visit
        .db
        .write(async |tx: &mut Tx| {
            store::used(tx, &new, visit.now).await?;
            if renamed {
                let before = (link.first_name.as_str(), link.last_name.as_str());
                accounts::rename(tx, link.account_id, before, (&person.first_name, &person.last_name)).await?;
            }
            let corrected = match &person.identity {
                Some(identity) => identity::correct(tx, link.account_id, &source, identity, visit.now).await?,
                None => false,
            };
            if renamed || corrected {
                let name = &provider.name;
                connections::remember_with(tx, visit, link.account_id, Happened::IdentityChanged, name).await?;
            }
            Ok::<_, db::Error>(())
        })
        .await?;
    Ok(())
}

/// Of verified identities.
pub fn source(provider: &Provider) -> String {
    format!("provider:{}", provider.id)
}

pub fn new_link<'a>(provider: &'a Provider, person: &'a Person, account: Uuid) -> NewLink<'a> {
    NewLink {
        provider: &provider.id,
        subject: &person.subject,
        account,
        first_name: &person.first_name,
        last_name: &person.last_name,
    }
}

/// Whether the agent is of an establishment that may enter.
fn belongs(provider: &Provider, person: &Person) -> bool {
    let sirets = &provider.agents.sirets;
    sirets.is_empty() || person.siret.as_ref().is_some_and(|siret| sirets.contains(siret))
}

/// An agent seen for the first time: found by their address where the city trusts it, created where it says
/// so, turned away else.
async fn agent(
    visitor: Visitor,
    headers: &HeaderMap,
    provider: &Provider,
    shown: Shown,
    asked: &Asked,
) -> Result<Response, Problem> {
    let (person, rules) = (&shown.person, &provider.agents);
    let email = person.email.as_deref().filter(|_| !person.email_unchecked);
    let known = match email {
        Some(email) => accounts::id_of(&visitor.db, Kind::Agent, email).await?,
        None => None,
    };
    let account = match (known, email) {
        (Some(account), _) if rules.match_email => {
            match pages::keep_link(&visitor, provider, person, account, By::Address).await? {
                Kept::Linked => Some(account),
                Kept::Taken => None,
                Kept::Unlinked => return unlinked_agent(&visitor, provider, &asked.suite).await,
            }
        }
        (None, Some(email)) if rules.create => {
            let new = accounts::NewAccount {
                id: visitor.id(),
                kind: Kind::Agent,
                email: email.to_owned(),
                password_hash: None,
                first_name: person.first_name.clone(),
                last_name: person.last_name.clone(),
                phone: None,
                quality: None,
                confirmed_at: Some(visitor.now),
            };
            pages::create(&visitor, provider, person, &new, "").await?.then_some(new.id)
        }
        _ => None,
    };
    match account {
        Some(account) => {
            let proved = Proved::new(provider, &shown);
            enter(visitor, headers, Kind::Agent, account, &proved, asked).await
        }
        None => unknown_agent(&visitor, provider, &asked.suite).await,
    }
}

async fn unknown_agent(visitor: &Visitor, provider: &Provider, suite: &str) -> Result<Response, Problem> {
    let text = format!(
        "{} vous connaît, mais aucun compte d’agent ne vous correspond ici : adressez-vous à l’administrateur de votre service",
        provider.name
    );
    no_entry(visitor, Kind::Agent, provider, (StatusCode::FORBIDDEN, &text), suite, "").await
}

async fn unlinked_agent(visitor: &Visitor, provider: &Provider, suite: &str) -> Result<Response, Problem> {
    let text = format!(
        "Vous avez détaché {} de votre compte : connectez-vous autrement, puis rattachez-le à la page « Connexion et sécurité »",
        provider.name
    );
    no_entry(visitor, Kind::Agent, provider, (StatusCode::FORBIDDEN, &text), suite, "").await
}
