//! Signing in and out.

use axum::{
    extract::Query,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::context;
use uuid::Uuid;

use super::{Way, errors, flash, onward, safe, sent};
use crate::{
    accounts::{
        connections::Happened,
        entry::{self, Entry},
        factor::{
            self,
            step::{self, Step},
        },
        jobs::{self, Letter, More},
        model::Wrong,
        opening::{Opening, Proof},
        passkey,
        session::{self, Kind, Session},
        store::{self, Credentials},
    },
    error::Problem,
    platform::form::Typed,
    provider, requests, safe, sso,
    visit::Visitor,
};

/// What was typed before a session ended waits in the sign-in page up to this size.
pub const LARGEST_TYPED: usize = 500_000;

const TITLE: &str = "Se connecter";

#[derive(Default)]
struct Shown<'a> {
    email: &'a str,
    suite: &'a str,
    /// JSON of what was typed before the session ended.
    saisie: &'a str,
    reason: &'static str,
    told: Option<&'static str>,
}

impl Shown<'_> {
    async fn context(&self, visitor: &Visitor, wrong: &[Wrong]) -> Result<minijinja::Value, db::Error> {
        let (passkeys, providers) = (passkey::possible(visitor), provider::offered(visitor, Kind::Usager).await?);
        let page = context! { passkeys => passkeys, providers => providers, email => self.email, back => safe(self.suite), typed => self.saisie, reason => self.reason, errors => errors(wrong) };
        Ok(context! { ..page, ..flash(self.told) })
    }
}

pub async fn show(visitor: Visitor, Query(way): Query<Way>) -> Result<Response, Problem> {
    if visitor.account().is_some() && way.encore.is_empty() {
        return Ok(Redirect::to(onward(&way.suite)).into_response());
    }
    let told = match way.fait.as_str() {
        "confirme" => Some("Votre adresse est confirmée. Connectez-vous pour continuer."),
        "active" => Some("Votre compte est activé. Connectez-vous avec votre identifiant et votre mot de passe."),
        "mot-de-passe" => Some("Votre mot de passe est changé. Connectez-vous avec le nouveau."),
        _ => None,
    };
    let reason = if way.suite.is_empty() || told.is_some() { "" } else { "needed" };
    let shown = Shown { suite: &way.suite, reason, told, ..Shown::default() };
    visitor.page("accounts/sign_in.html", TITLE, shown.context(&visitor, &[]).await?)
}

/// The sign-in page in the place of a page whose session has ended; what was typed waits in it.
pub async fn sign_in_again(visitor: &Visitor, suite: &str, typed: &Raw) -> Result<Response, Problem> {
    let saisie = serde_json::to_string(typed).map_err(anyhow::Error::from)?;
    let kept = saisie.len() <= LARGEST_TYPED;
    let shown = Shown {
        suite,
        saisie: if kept { &saisie } else { "" },
        reason: if kept { "session" } else { "needed" },
        ..Shown::default()
    };
    visitor.page("accounts/sign_in.html", TITLE, shown.context(visitor, &[]).await?)
}

/// The sign-in page, with why a provider did not sign its reader in, at its button (`field`).
pub async fn refused(
    visitor: &Visitor,
    status: StatusCode,
    field: &str,
    text: &str,
    suite: &str,
    saisie: &str,
) -> Result<Response, Problem> {
    let reason = if saisie.is_empty() { "" } else { "session" };
    let shown = Shown { suite, saisie, reason, ..Shown::default() };
    let page = shown.context(visitor, &[]).await?;
    let errors = context! { errors => [context! { href => format!("#{field}"), text => text }] };
    visitor.page_with(status, "accounts/sign_in.html", &format!("Erreur : {TITLE}"), context! { ..errors, ..page })
}

pub async fn send(visitor: Visitor, Typed(typed): Typed) -> Result<Response, Problem> {
    let (email, password, suite) = (typed.text("email"), typed.text("mot-de-passe"), typed.text("suite"));
    let saisie = Some(typed.text("saisie")).filter(|saisie| saisie.len() <= LARGEST_TYPED).unwrap_or_default();
    let reason = if saisie.is_empty() { "" } else { "session" };
    let again = async |wrong: Wrong| {
        let shown = Shown { email, suite, saisie, reason, told: None };
        visitor.page_again("accounts/sign_in.html", TITLE, shown.context(&visitor, &[wrong]).await?)
    };
    if email.is_empty() {
        return again(Wrong::new("email", "Saisissez votre adresse électronique ou votre identifiant")).await;
    }
    if password.is_empty() {
        return again(Wrong::new("mot-de-passe", "Saisissez votre mot de passe")).await;
    }
    let entry = entry::check(&visitor, Kind::Usager, email, password).await?;
    match entry {
        Entry::Known(found) if found.confirmed_at.is_none() => confirm_first(&visitor, &found, suite).await,
        Entry::Known(found) if factor::present(&visitor.db, found.id).await? => {
            step::ask(&visitor, Kind::Usager, &found, safe(suite), saisie)
        }
        Entry::Known(found) => {
            let onward = Onward { suite, saisie, password: Some(password) };
            enter(visitor.clone(), found.id, Happened::SignedIn, Proof::Password(found.print()), onward).await
        }
        refused => again(Wrong::new("email", refused.refusal().unwrap_or_default())).await,
    }
}

/// Somebody reloads the page of the code, or comes back to it.
pub async fn start_again() -> Redirect {
    Redirect::to("/connexion")
}

pub async fn code(visitor: Visitor, headers: HeaderMap, Typed(typed): Typed) -> Result<Response, Problem> {
    let (suite, saisie) = (typed.text("suite"), typed.text("saisie"));
    let saisie = if saisie.len() <= LARGEST_TYPED { saisie } else { "" };
    match step::answer(&visitor, &headers, Kind::Usager, &typed).await? {
        Step::Passed(account, print, how, before) => {
            let onward = Onward { suite, saisie, password: None };
            enter(visitor, account, how, Proof::code(print, before.as_ref()), onward).await
        }
        Step::Again(page) => Ok(page),
        Step::Expired => {
            let shown = Shown { suite, saisie, ..Shown::default() };
            let wrong = Wrong::new("email", step::EXPIRED);
            visitor.page_again("accounts/sign_in.html", TITLE, shown.context(&visitor, &[wrong]).await?)
        }
    }
}

pub async fn passkey(visitor: Visitor, Typed(typed): Typed) -> Result<Response, Problem> {
    let (suite, saisie) = (typed.text("suite"), typed.text("saisie"));
    let saisie = if saisie.len() <= LARGEST_TYPED { saisie } else { "" };
    match passkey::door::answer(&visitor, Kind::Usager, &typed).await? {
        Ok(proved) => {
            let onward = Onward { suite, saisie, password: None };
            enter(visitor, proved.account, Happened::SignedInByPasskey, Proof::Passkey(proved), onward).await
        }
        Err(text) => {
            let shown = Shown { suite, saisie, ..Shown::default() };
            let page = shown.context(&visitor, &[Wrong::new("cle-d-acces", text)]).await?;
            visitor.page_again("accounts/sign_in.html", TITLE, page)
        }
    }
}

/// A provider has shown whose account it is; a second factor is asked for all the same.
pub async fn by_provider(
    visitor: Visitor,
    headers: &HeaderMap,
    account: Uuid,
    proved: &provider::Proved,
    suite: &str,
    saisie: &str,
) -> Result<Response, Problem> {
    if factor::present(&visitor.db, account).await? {
        return step::ask_after(&visitor, headers, Kind::Usager, account, proved, (safe(suite), saisie)).await;
    }
    let onward = Onward { suite, saisie, password: None };
    enter(visitor, account, Happened::SignedInByProvider, Proof::Provider(proved, None), onward).await
}

/// The password is right, but the address was never confirmed: a new link is sent.
async fn confirm_first(visitor: &Visitor, found: &Credentials, suite: &str) -> Result<Response, Problem> {
    // Accounts of the counter have no address to prove: they are activated with their code.
    let email = found.email.as_deref().unwrap_or(&found.login);
    if entry::may_write_to(visitor, email).await? {
        let more = More { suite: safe(suite), ..More::default() };
        visitor
            .db
            .write(async |tx: &mut Tx| jobs::queue(tx, visitor, Letter::Confirm, found.id, more.clone()).await)
            .await?;
        visitor.app.work.notify_one();
    }
    sent(visitor, "sign-up", email, jobs::CONFIRM_LASTS, "/inscription")
}

/// Where they go on, and what they had typed when the last session ended.
#[derive(Clone, Copy)]
struct Onward<'a> {
    suite: &'a str,
    saisie: &'a str,
    /// Typed just now, with no second factor after it: it opens their documents too.
    password: Option<&'a str>,
}

/// Opens the session, saves what was typed before the last one ended, and goes on.
async fn enter(
    mut visitor: Visitor,
    account: Uuid,
    how: Happened,
    proof: Proof<'_>,
    Onward { suite, saisie, password }: Onward<'_>,
) -> Result<Response, Problem> {
    let Some(cookie) = open(&mut visitor, account, how, proof).await? else {
        let (status, field, text) = proof.closed();
        return refused(&visitor, status, &field, &text, safe(suite), saisie).await;
    };
    if !saisie.is_empty()
        && let Ok(typed) = serde_json::from_str::<Raw>(saisie)
    {
        requests::restore(&visitor, suite, &clean(typed)).await?;
    }
    let mut response = Redirect::to(onward(suite)).into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    // With a second factor the password is gone by now: documents are opened when they are wanted.
    if let Some(password) = password {
        safe::signed_in(&visitor, password, &mut response).await;
    }
    Ok(response)
}

/// The hidden field came back from a browser: what cannot be kept is left out again.
pub fn clean(typed: Raw) -> Raw {
    let without = |text: String| text.replace('\0', "");
    Raw(typed.0.into_iter().map(|(name, values)| (without(name), values.into_iter().map(without).collect())).collect())
}

/// A new session for the account, never the one that was there before; a session without account
/// hands over what it began. None when the account is no longer as it was proved.
async fn open(
    visitor: &mut Visitor,
    account: Uuid,
    how: Happened,
    proof: Proof<'_>,
) -> Result<Option<HeaderValue>, Problem> {
    let (visit, old) = (&visitor.visit, visitor.session.as_ref());
    let opening = Opening::of(visit, Kind::Usager, account, how, proof)?;
    let opened = visit
        .db
        .write(async |tx: &mut Tx| {
            let Some(opened) = opening.open(tx).await? else { return Ok(None) };
            if let Some(old) = old {
                if old.account.is_none() {
                    requests::owner::follow(tx, old.id, opened.id, account).await?;
                }
                if old.account.as_ref().is_some_and(|before| before.id == account) {
                    sso::session_goes_on(tx, old.id, opened.id).await?;
                }
                session::close(tx, old.id).await?;
            }
            Ok::<_, db::Error>(Some(opened))
        })
        .await?;
    let Some(opened) = opened else { return Ok(None) };
    visit.app.work.notify_one();
    let found = store::find(&visit.db, account).await?.ok_or(Problem::NotFound)?;
    visitor.session = Some(Session {
        id: opened.id,
        account: Some(found.into()),
        passkey: None,
        waiting: 0,
        ends_on: None,
        acting: None,
    });
    // The new session acts for nobody: what is saved now is its own person's.
    visitor.acting = None;
    Ok(Some(opened.cookie))
}

pub async fn leave(visitor: Visitor) -> Result<Response, Problem> {
    let onward = match &visitor.session {
        Some(session) => {
            let leaving = provider::leaving(&visitor, session.id, Kind::Usager).await?;
            visitor.db.write(async |tx: &mut Tx| session::close(tx, session.id).await).await?;
            provider::onward(&visitor, leaving).await
        }
        None => None,
    };
    let mut response = match onward {
        Some((name, url)) => sso::page_onward(&sso::nobody(&visitor), &name, &url)?,
        None => Redirect::to("/").into_response(),
    };
    response.headers_mut().append(header::SET_COOKIE, session::forget(&visitor, Kind::Usager));
    Ok(response)
}
