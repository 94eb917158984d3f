//! Agents sign in apart from usagers: another page, another cookie, a shorter session.

use axum::{
    extract::Query,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use minijinja::{Value, context};
use uuid::Uuid;

use super::{
    citizen::{Way, errors, flash},
    connections::Happened,
    ending,
    entry::{self, Entry},
    factor::{
        self,
        step::{self, Step},
    },
    model::Wrong,
    opening::{Opening, Proof},
    passkey,
    session::{self, Kind},
};
use crate::{
    agents,
    error::Problem,
    journal::{self, Action, Line},
    platform::{form::Typed, french, local},
    provider, sso,
    visit::{Arriving, Visitor},
};

const TITLE: &str = "Espace agent – Se connecter";
const HOME: &str = "/agent";

fn onward(suite: &str) -> &str {
    if suite.is_empty() { HOME } else { local(suite) }
}

async fn context(visitor: &Visitor, email: &str, suite: &str, wrong: &[Wrong]) -> Result<Value, db::Error> {
    // Whoever is signed in as an usager in this browser is nobody here.
    let (passkeys, providers) = (passkey::possible(visitor), provider::offered(visitor, Kind::Agent).await?);
    Ok(
        context! { passkeys => passkeys, providers => providers, email => email, back => onward(suite), errors => errors(wrong), reason => "", who => Value::from(()) },
    )
}

pub async fn show(visitor: Visitor, headers: HeaderMap, Query(way): Query<Way>) -> Result<Response, Problem> {
    if session::find(&visitor, &headers, Kind::Agent).await?.is_some_and(|session| session.account.is_some()) {
        return Ok(Redirect::to(onward(&way.suite)).into_response());
    }
    let told = (way.fait == "mot-de-passe").then_some("Votre mot de passe est changé. Connectez-vous avec le nouveau.");
    let page = context(&visitor, "", &way.suite, &[]).await?;
    visitor.page("agent/sign_in.html", TITLE, context! { ..page, ..flash(told) })
}

pub async fn send(visitor: Visitor, headers: HeaderMap, Typed(typed): Typed) -> Result<Response, Problem> {
    let (email, password, suite) = (typed.text("email"), typed.text("mot-de-passe"), typed.text("suite"));
    let again = async |wrong: Wrong| {
        visitor.page_again("agent/sign_in.html", TITLE, context(&visitor, email, suite, &[wrong]).await?)
    };
    if email.is_empty() {
        return again(Wrong::new("email", "Saisissez votre adresse professionnelle")).await;
    }
    if password.is_empty() {
        return again(Wrong::new("mot-de-passe", "Saisissez votre mot de passe")).await;
    }
    match entry::check(&visitor, Kind::Agent, email, password).await? {
        Entry::Known(found) if factor::present(&visitor.db, found.id).await? => {
            step::ask(&visitor, Kind::Agent, &found, suite, "")
        }
        Entry::Known(found) if must_show_passkey(&visitor, found.id).await? => {
            again(Wrong::new("cle-d-acces", "Votre rôle demande plus qu’un mot de passe : utilisez votre clé d’accès"))
                .await
        }
        Entry::Known(found) => {
            let proof = Proof::Password(found.print());
            enter(&visitor, &headers, found.id, Happened::SignedIn, proof, suite).await
        }
        refused => again(Wrong::new("email", refused.refusal().unwrap_or_default())).await,
    }
}

/// Somebody reloads the page of the code, or comes back to it.
pub async fn start_again() -> Redirect {
    Redirect::to("/agent/connexion")
}

pub async fn code(visitor: Visitor, headers: HeaderMap, Typed(typed): Typed) -> Result<Response, Problem> {
    let suite = typed.text("suite");
    match step::answer(&visitor, &headers, Kind::Agent, &typed).await? {
        Step::Passed(account, print, how, before) => {
            enter(&visitor, &headers, account, how, Proof::code(print, before.as_ref()), suite).await
        }
        Step::Again(page) => Ok(page),
        Step::Expired => {
            let wrong = Wrong::new("email", step::EXPIRED);
            visitor.page_again("agent/sign_in.html", TITLE, context(&visitor, "", suite, &[wrong]).await?)
        }
    }
}

pub async fn passkey(visitor: Visitor, headers: HeaderMap, Typed(typed): Typed) -> Result<Response, Problem> {
    let suite = typed.text("suite");
    match passkey::door::answer(&visitor, Kind::Agent, &typed).await? {
        Ok(proved) => {
            let proof = Proof::Passkey(proved);
            enter(&visitor, &headers, proved.account, Happened::SignedInByPasskey, proof, suite).await
        }
        Err(text) => {
            let page = context(&visitor, "", suite, &[Wrong::new("cle-d-acces", text)]).await?;
            visitor.page_again("agent/sign_in.html", TITLE, page)
        }
    }
}

/// The sign-in page, with why a provider did not sign its reader in, at its button (`field`).
pub async fn refused(
    visitor: &Visitor,
    status: StatusCode,
    field: &str,
    text: &str,
    suite: &str,
) -> Result<Response, Problem> {
    let page = context(visitor, "", suite, &[]).await?;
    let errors = context! { errors => [context! { href => format!("#{field}"), text => text }] };
    visitor.page_with(status, "agent/sign_in.html", &format!("Erreur : {TITLE}"), context! { ..errors, ..page })
}

/// A provider has shown whose account it is. Here that is worth a password: a second factor is asked for, and
/// whose role demands one and has a passkey only must show it.
pub async fn by_provider(
    visitor: Visitor,
    headers: &HeaderMap,
    account: Uuid,
    proved: &provider::Proved,
    suite: &str,
) -> Result<Response, Problem> {
    if factor::present(&visitor.db, account).await? {
        return step::ask_after(&visitor, headers, Kind::Agent, account, proved, (suite, "")).await;
    }
    if must_show_passkey(&visitor, account).await? {
        let text = "Votre rôle demande plus que cette identité : utilisez votre clé d’accès";
        return refused(&visitor, StatusCode::FORBIDDEN, "cle-d-acces", text, suite).await;
    }
    enter(&visitor, headers, account, Happened::SignedInByProvider, Proof::Provider(proved, None), suite).await
}

/// Whether this agent's password is not enough, though no code is asked: their role demands a second factor,
/// and a passkey is what they have. Letting the password in would let it set another factor up.
async fn must_show_passkey(visitor: &Visitor, account: Uuid) -> Result<bool, Problem> {
    let obliged = agents::standing(visitor, account).await?.any_of(&visitor.site.settings.second_factor);
    Ok(obliged && passkey::present(&visitor.db, account).await?)
}

/// A new session, never the one that was there before.
async fn enter(
    visitor: &Visitor,
    headers: &HeaderMap,
    account: Uuid,
    how: Happened,
    proof: Proof<'_>,
    suite: &str,
) -> Result<Response, Problem> {
    if let Some(last) =
        ending::of(&visitor.db, account).await?.filter(|last| ending::over(Some(*last), visitor.today()))
    {
        let day = french::date(last);
        let wrong =
            Wrong::new("email", format!("Votre accès a pris fin le {day} au soir\u{a0}: voyez votre responsable"));
        return visitor.page_again("agent/sign_in.html", TITLE, context(visitor, "", suite, &[wrong]).await?);
    }
    let old = session::find(visitor, headers, Kind::Agent).await?;
    let visit = &visitor.visit;
    let opening = Opening::of(visit, Kind::Agent, account, how, proof)?;
    let opened = visit
        .db
        .write(async |tx: &mut Tx| {
            let Some(opened) = opening.open(tx).await? else { return Ok(None) };
            if let Some(old) = &old {
                session::close(tx, old.id).await?;
            }
            let trace = Line::city(Some(account), Action::AgentSignedIn).detail(how.code());
            journal::note(tx, visit.now, &trace).await?;
            Ok::<_, db::Error>(Some(opened))
        })
        .await?;
    let Some(opened) = opened else {
        let (status, field, text) = proof.closed();
        return refused(visitor, status, &field, &text, suite).await;
    };
    visit.app.work.notify_one();
    let mut response = Redirect::to(onward(suite)).into_response();
    response.headers_mut().append(header::SET_COOKIE, opened.cookie);
    Ok(response)
}

pub async fn leave(Arriving(agent): Arriving, visitor: Visitor) -> Result<Response, Problem> {
    let leaving = provider::leaving(&agent, agent.session_id, Kind::Agent).await?;
    agent.db.write(async |tx: &mut Tx| session::close(tx, agent.session_id).await).await?;
    let onward = provider::onward(&agent, leaving).await;
    let mut response = match onward {
        Some((name, url)) => sso::page_onward(&sso::nobody(&visitor), &name, &url)?,
        None => Redirect::to("/agent/connexion").into_response(),
    };
    response.headers_mut().append(header::SET_COOKIE, session::forget(&agent, Kind::Agent));
    Ok(response)
}
