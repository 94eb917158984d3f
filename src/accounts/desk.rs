//! Agents sign in apart from usagers: another page, another cookie, a shorter session.

use axum::{
    extract::Query,
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use minijinja::{Value, context};
use uuid::Uuid;

use super::{
    citizen::{Way, errors, flash},
    connections::{self, Happened},
    ending,
    entry::{self, Entry},
    factor::{
        self,
        step::{self, Step},
    },
    jobs,
    model::Wrong,
    passkey::{self, door::Proved},
    session::{self, Kind},
};
use crate::{
    agents,
    error::Problem,
    platform::{form::Typed, french, local},
    visit::{Arriving, Visitor},
};

const TITLE: &str = "Espace agent – Se connecter";
const HOME: &str = "/agent";

fn onward(suite: &str) -> &str {
    if suite.is_empty() { HOME } else { local(suite) }
}

fn context(visitor: &Visitor, email: &str, suite: &str, wrong: &[Wrong]) -> Value {
    // Whoever is signed in as an usager in this browser is nobody here.
    let passkeys = passkey::possible(visitor);
    context! { passkeys => passkeys, email => email, back => onward(suite), errors => errors(wrong), reason => "", who => Value::from(()) }
}

pub async fn show(visitor: Visitor, headers: HeaderMap, Query(way): Query<Way>) -> Result<Response, Problem> {
    if session::find(&visitor, &headers, Kind::Agent).await?.is_some_and(|session| session.account.is_some()) {
        return Ok(Redirect::to(onward(&way.suite)).into_response());
    }
    let told = (way.fait == "mot-de-passe").then_some("Votre mot de passe est changé. Connectez-vous avec le nouveau.");
    visitor.page("agent/sign_in.html", TITLE, context! { ..context(&visitor, "", &way.suite, &[]), ..flash(told) })
}

pub async fn send(visitor: Visitor, headers: HeaderMap, Typed(typed): Typed) -> Result<Response, Problem> {
    let (email, password, suite) = (typed.text("email"), typed.text("mot-de-passe"), typed.text("suite"));
    let again =
        |wrong: Wrong| visitor.page_again("agent/sign_in.html", TITLE, context(&visitor, email, suite, &[wrong]));
    if email.is_empty() {
        return again(Wrong::new("email", "Saisissez votre adresse professionnelle"));
    }
    if password.is_empty() {
        return again(Wrong::new("mot-de-passe", "Saisissez votre mot de passe"));
    }
    match entry::check(&visitor, Kind::Agent, email, password).await? {
        Entry::Known(found) if factor::present(&visitor.db, found.id).await? => {
            step::ask(&visitor, Kind::Agent, &found, suite, "")
        }
        Entry::Known(found) if must_show_passkey(&visitor, found.id).await? => {
            again(Wrong::new("cle-d-acces", "Votre rôle demande plus qu’un mot de passe : utilisez votre clé d’accès"))
        }
        Entry::Known(found) => enter(&visitor, &headers, found.id, Happened::SignedIn, None, suite).await,
        refused => again(Wrong::new("email", refused.refusal().unwrap_or_default())),
    }
}

/// Somebody reloads the page of the code, or comes back to it.
pub async fn start_again() -> Redirect {
    Redirect::to("/agent/connexion")
}

pub async fn code(visitor: Visitor, headers: HeaderMap, Typed(typed): Typed) -> Result<Response, Problem> {
    let suite = typed.text("suite");
    match step::answer(&visitor, Kind::Agent, &typed).await? {
        Step::Passed(account, how) => enter(&visitor, &headers, account, how, None, suite).await,
        Step::Again(page) => Ok(page),
        Step::Expired => {
            let wrong = Wrong::new("email", step::EXPIRED);
            visitor.page_again("agent/sign_in.html", TITLE, context(&visitor, "", suite, &[wrong]))
        }
    }
}

pub async fn passkey(visitor: Visitor, headers: HeaderMap, Typed(typed): Typed) -> Result<Response, Problem> {
    let suite = typed.text("suite");
    match passkey::door::answer(&visitor, Kind::Agent, &typed).await? {
        Ok(proved) => enter(&visitor, &headers, proved.account, Happened::SignedInByPasskey, Some(proved), suite).await,
        Err(text) => {
            let page = context(&visitor, "", suite, &[Wrong::new("cle-d-acces", text)]);
            visitor.page_again("agent/sign_in.html", TITLE, page)
        }
    }
}

/// Whether this agent's password is not enough, though no code is asked: their role demands a second factor,
/// and a passkey is what they have. Letting the password in would let it set another factor up.
async fn must_show_passkey(visitor: &Visitor, account: Uuid) -> Result<bool, Problem> {
    let memberships = agents::memberships(&visitor.db, account).await?;
    let demanding = &visitor.site.settings.second_factor;
    let obliged = memberships.iter().any(|membership| demanding.contains(&membership.role));
    Ok(obliged && passkey::present(&visitor.db, account).await?)
}

/// A new session, never the one that was there before.
async fn enter(
    visitor: &Visitor,
    headers: &HeaderMap,
    account: Uuid,
    how: Happened,
    proved: Option<Proved>,
    suite: &str,
) -> Result<Response, Problem> {
    if let Some(last) =
        ending::of(&visitor.db, account).await?.filter(|last| ending::over(Some(*last), visitor.today()))
    {
        let day = french::date(last);
        let wrong =
            Wrong::new("email", format!("Votre accès a pris fin le {day} au soir\u{a0}: voyez votre responsable"));
        return visitor.page_again("agent/sign_in.html", TITLE, context(visitor, "", suite, &[wrong]));
    }
    let old = session::find(visitor, headers, Kind::Agent).await?;
    let visit = &visitor.visit;
    let opened = visit
        .db
        .write(async |tx: &mut Tx| {
            if let Some(old) = &old {
                session::close(tx, old.id).await?;
            }
            connections::remember(tx, visit, account, how).await?;
            jobs::tell_recovery(tx, visit, account, how).await?;
            let opened = session::open(tx, visit, Kind::Agent, Some(account)).await?;
            if let Some(proved) = proved {
                proved.vouch(tx, opened.id).await?;
            }
            Ok::<_, db::Error>(opened)
        })
        .await?;
    visit.app.work.notify_one();
    let mut response = Redirect::to(onward(suite)).into_response();
    response.headers_mut().append(header::SET_COOKIE, opened.cookie);
    Ok(response)
}

pub async fn leave(Arriving(agent): Arriving) -> Result<Response, Problem> {
    agent.db.write(async |tx: &mut Tx| session::close(tx, agent.session_id).await).await?;
    let mut response = Redirect::to("/agent/connexion").into_response();
    response.headers_mut().append(header::SET_COOKIE, session::forget(&agent, Kind::Agent));
    Ok(response)
}
