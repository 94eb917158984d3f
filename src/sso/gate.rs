//! The way to an application, the same for each protocol: signed in, freshly when that is asked for, and
//! agreeing to what the application gets. Whoever lacks something is sent to get it, and comes back.

use axum::{
    extract::Query,
    http::{HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use jiff::{SignedDuration, Timestamp};
use minijinja::{context, value::Serde};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    client::{Claim, Claims, Client},
    store,
};
use crate::{
    accounts::{Means, session::Account},
    error::Problem,
    platform::{
        encode,
        form::{self, Typed},
        local,
    },
    visit::{Citizen, Visit, Visitor},
};

/// How long somebody may take to present credentials again.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// `retour` of who has just agreed.
pub const AGREED: &str = "accord";

/// `retour` of who cannot or will not sign in as surely as is asked.
pub const ABANDON: &str = "abandon";

/// What our own pages add to the address of an application's request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Marks {
    /// Comes from a form of ours: `oui`, `accord`, `refus` or `abandon`.
    pub retour: String,
    /// Since when credentials must have been presented, and the proof that we said so.
    pub depuis: String,
}

/// Somebody who may enter.
pub struct Ready<'a> {
    pub account: &'a Account,
    pub session: Uuid,
    /// When they presented their credentials.
    pub since: Timestamp,
    /// How; none when nobody noted it.
    pub means: Option<Means>,
    /// Whether that moment is sure: a provider that opened the session may not have told it.
    pub dated: bool,
    /// They did so for this very request.
    pub fresh: bool,
}

/// Who is signed in, since when. In somebody's name nobody enters: an application would take them for themself.
/// With `silent`, which shows no page, they are as good as absent.
pub async fn signed_in<'a>(
    visitor: &'a Visitor,
    client: &Client,
    marks: &Marks,
    silent: bool,
) -> Result<Option<Ready<'a>>, Problem> {
    if visitor.acting.is_some() {
        return if silent { Ok(None) } else { Err(Problem::Oneself) };
    }
    let (Some(session), Some(account)) = (&visitor.session, visitor.account()) else { return Ok(None) };
    let opened = store::opened(&visitor.db, session.id, visitor.now).await?;
    Ok(opened.map(|opened| {
        let means = opened.means.as_deref().and_then(Means::named);
        // Who comes by a provider may have identified themselves there long ago.
        let elsewhere = matches!(means, Some(Means::Provider | Means::ProviderCode));
        let proved_at = if elsewhere { opened.proved_at } else { Some(opened.created_at) };
        let asked = asked_since(visitor, client, &marks.depuis);
        let fresh = asked.zip(proved_at).is_some_and(|(asked, proved)| proved >= asked);
        let since = proved_at.unwrap_or(opened.created_at);
        Ready { account, session: session.id, since, means, dated: proved_at.is_some(), fresh }
    }))
}

/// Whether who goes on to this address of ours was sent for fresh credentials.
pub fn asks_fresh(suite: &str) -> bool {
    let query = suite.split_once('?').map_or("", |(_, query)| query);
    !form::urlencoded(query.as_bytes()).text("depuis").is_empty()
}

/// To the sign-in page, and back here. With `again`, even for who is signed in.
pub fn to_sign_in(visit: &Visit, client: &Client, again: bool) -> Response {
    let mut back = vec![("retour", "oui".to_owned())];
    let mut page = "/connexion?".to_owned();
    if again {
        let asked = visit.now.as_microsecond().to_string();
        back.push(("depuis", format!("{asked}.{}", proof(visit, client, &asked))));
        page.push_str("encore=oui&");
    }
    Redirect::to(&format!("{page}suite={}", encode(&here(visit, &back)))).into_response()
}

fn proof(visit: &Visit, client: &Client, asked: &str) -> String {
    visit.app.secret.code("sso-depuis", format!("{} {} {asked}", visit.site.id, client.id).as_bytes())
}

fn asked_since(visit: &Visit, client: &Client, mark: &str) -> Option<Timestamp> {
    let (asked, given) = mark.split_once('.')?;
    if !crate::platform::secret::same_code(given, &proof(visit, client, asked)) {
        return None;
    }
    let at = Timestamp::from_microsecond(asked.parse().ok()?).ok()?;
    (visit.now.duration_since(at) <= PATIENCE).then_some(at)
}

/// This very address, with other marks.
pub fn here(visit: &Visit, marks: &[(&str, String)]) -> String {
    let (path, query) = visit.here.split_once('?').unwrap_or((&visit.here, ""));
    let kept = query.split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && !["retour", "depuis"].contains(&name)
    });
    let added: Vec<String> = marks.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let pairs: Vec<&str> = kept.chain(added.iter().map(String::as_str)).collect();
    format!("{path}?{}", pairs.join("&"))
}

/// Whether the account agreed to give at least `claims`.
pub async fn agreed(visit: &Visit, account: Uuid, client: &Client, claims: &Claims) -> Result<bool, db::Error> {
    Ok(store::consent(&visit.db, account, &client.id).await?.is_some_and(|given| claims.is_subset(&given)))
}

/// What somebody agrees to: « Médiathèque recevra… ».
pub fn ask(
    visitor: &Visitor,
    client: &Client,
    account: &Account,
    claims: &Claims,
    marks: &Marks,
) -> Result<Response, Problem> {
    let kept = if marks.depuis.is_empty() { vec![] } else { vec![("depuis", marks.depuis.clone())] };
    let names: Vec<Json> = claims.iter().map(|claim| json!(claim)).collect();
    let names: Vec<&str> = names.iter().filter_map(Json::as_str).collect();
    let context = context! {
        service => &client.name, client => &client.id, suite => here(visitor, &kept), names => names.join(" "),
        given => Serde(given(claims, account)), login => claims.contains(&Claim::Login),
    };
    visitor.page("sso/consent.html", &format!("Se connecter à {}", client.name), context)
}

/// In French, what an application gets.
fn given(claims: &Claims, account: &Account) -> Vec<Json> {
    let phone = account.phone.as_deref().map(forms::kinds::phone::french).unwrap_or_default();
    let one = |claim: &Claim| {
        let value = match claim {
            Claim::GivenName => account.first_name.clone(),
            Claim::FamilyName => account.last_name.clone(),
            Claim::Email => account.email.clone().unwrap_or_default(),
            Claim::Login => account.login.clone(),
            Claim::PhoneNumber => phone.clone(),
        };
        json!({"label": label(*claim), "value": value})
    };
    claims.iter().map(one).collect()
}

pub fn label(claim: Claim) -> &'static str {
    match claim {
        Claim::GivenName => "Votre prénom",
        Claim::FamilyName => "Votre nom",
        Claim::Email => "Votre adresse électronique",
        Claim::PhoneNumber => "Votre numéro de téléphone",
        Claim::Login => "Votre identifiant de connexion",
    }
}

/// The answer to [`ask`].
pub async fn answer(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let client = store::client(&citizen.db, typed.text("service")).await?.ok_or(Problem::NotFound)?;
    let suite = local(typed.text("suite"));
    let mark = if typed.text("choix") == "accepter" {
        // What the page showed, as far as the declaration still allows it.
        let shown: Vec<Json> = typed.text("donnees").split_whitespace().map(Json::from).collect();
        let claims: Claims = shown.into_iter().filter_map(|name| serde_json::from_value(name).ok()).collect();
        let before = store::consent(&citizen.db, citizen.account.id, &client.id).await?.unwrap_or_default();
        let claims: Claims = claims.union(&before).copied().filter(|claim| client.claims.contains(claim)).collect();
        let now = citizen.now;
        citizen
            .db
            .write(async |tx: &mut Tx| store::agree(tx, citizen.account.id, &client.id, &claims, now).await)
            .await?;
        AGREED
    } else {
        "refus"
    };
    let link = if suite.contains('?') { '&' } else { '?' };
    Ok(Redirect::to(&format!("{suite}{link}retour={mark}")).into_response())
}

/// A stronger way in is needed than the one that was used: what to do. `have`: the account has such a way.
pub fn stronger(visitor: &Visitor, client: &Client, passkey: bool, have: bool) -> Result<Response, Problem> {
    let again = encode(&here(visitor, &[]));
    let context = context! {
        service => &client.name, passkey => passkey, have => have, again => format!("/connexion?encore=oui&suite={again}"),
        go_on => here(visitor, &[]), abandon => here(visitor, &[("retour", ABANDON.to_owned())]),
    };
    visitor.page("sso/stronger.html", &format!("{} demande plus qu’un mot de passe", client.name), context)
}

/// Sends the browser on to an application. After a form of ours this is a page that goes on by itself and
/// not a redirection, which our policy (`form-action 'self'`) would stop, and which would make us widen it.
pub fn onward(visitor: &Visitor, client: &Client, marks: &Marks, url: &Url) -> Result<Response, Problem> {
    if marks.retour.is_empty() {
        return Ok(Redirect::to(url.as_str()).into_response());
    }
    page_onward(visitor, &client.name, url)
}

/// The page that goes on by itself, to the application or the provider of this name.
pub fn page_onward(visitor: &Visitor, name: &str, url: &Url) -> Result<Response, Problem> {
    let context = context! { service => name, address => url.as_str() };
    let mut response = visitor.page("sso/onward.html", &format!("Vers {name}"), context)?;
    let refresh = HeaderValue::from_str(&format!("0;url={url}")).map_err(anyhow::Error::from)?;
    response.headers_mut().insert(header::REFRESH, refresh);
    Ok(response)
}

/// Nothing is sent to an address that nobody declared.
pub fn unknown(visitor: &Visitor) -> Result<Response, Problem> {
    visitor.page_with(
        axum::http::StatusCode::BAD_REQUEST,
        "sso/unknown.html",
        "Ce service n’est pas connu",
        context! {},
    )
}

/// They did not agree.
pub fn refused(visitor: &Visitor, client: &Client) -> Result<Response, Problem> {
    visitor.page("sso/refused.html", "Vous n’êtes pas connecté", context! { service => &client.name })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Way {
    fait: String,
}

/// « Services connectés »: what the account's owner agreed to.
pub async fn list(citizen: Citizen, Query(way): Query<Way>) -> Result<Response, Problem> {
    let services = consents(&citizen, citizen.account.id).await?;
    let told = (way.fait == "retire").then_some("Ce service ne recevra plus rien de votre compte.");
    let page = context! { services => Serde(services) };
    let flash =
        told.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } });
    citizen.page("sso/services.html", "Services connectés", context! { ..page, ..flash })
}

/// What an account agreed to: list of {id, name, date: date-time, given: list of text}.
pub async fn consents(visit: &Visit, account: Uuid) -> Result<Vec<Json>, db::Error> {
    let one = |one: store::Consent| {
        let claims: Vec<&str> = one.claims.0.iter().copied().map(label).collect();
        json!({"id": one.client_id, "name": one.declaration.0.name, "date": one.given_at.to_string(), "given": claims})
    };
    Ok(store::consents(&visit.db, account).await?.into_iter().map(one).collect())
}

pub async fn withdraw(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let client = typed.text("service");
    citizen.db.write(async |tx: &mut Tx| store::withdraw(tx, citizen.account.id, client).await).await?;
    Ok(Redirect::to("/compte/services?fait=retire").into_response())
}

/// What the account's owner gets of this in « mes données ».
pub async fn data(visit: &Visit, account: Uuid) -> Result<Json, db::Error> {
    let list = store::consents(&visit.db, account).await?;
    let aliases = store::aliases(&visit.db, account).await?;
    let one = |one: store::Consent| json!({"service": one.declaration.0.name, "donnees": one.claims.0, "depuis": one.given_at.to_string()});
    let alias = |(service, name): (String, String)| json!({"service": service, "ancien_nom": name});
    Ok(list.into_iter().map(one).chain(aliases.into_iter().map(alias)).collect())
}
