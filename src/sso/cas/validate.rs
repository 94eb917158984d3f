//! What applications ask about tickets. A ticket that is shown here is used up, whatever the answer.

use axum::{
    Extension, Json,
    extract::Query,
    http::header,
    response::{IntoResponse, Response},
};
use db::Tx;
use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    login::set,
    message::{self, Attributes, Failure, Success},
    ticket::{self, Found, Kind, New},
};
use crate::{
    error::Problem,
    sso::{
        address,
        client::{Claim, Claims, Client},
        store::{self, Owner},
        visits::{self, Entry},
    },
    visit::Visit,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    service: String,
    ticket: String,
    renew: Option<String>,
    #[serde(rename = "pgtUrl")]
    pgt_url: Option<String>,
    format: String,
}

/// What an address accepts and says.
#[derive(Debug, Clone, Copy)]
struct Door {
    proxies: bool,
    attributes: bool,
}

pub async fn first(Extension(visit): Extension<Visit>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let asked = Asked { pgt_url: None, ..asked };
    let answer = answer(&visit, &asked, Door { proxies: false, attributes: false }).await?;
    Ok(message::two_lines(&answer).into_response())
}

pub async fn second(Extension(visit): Extension<Visit>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    said(&visit, &asked, Door { proxies: false, attributes: false }).await
}

pub async fn second_proxy(Extension(visit): Extension<Visit>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    said(&visit, &asked, Door { proxies: true, attributes: false }).await
}

pub async fn third(Extension(visit): Extension<Visit>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    said(&visit, &asked, Door { proxies: false, attributes: true }).await
}

pub async fn third_proxy(Extension(visit): Extension<Visit>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    said(&visit, &asked, Door { proxies: true, attributes: true }).await
}

async fn said(visit: &Visit, asked: &Asked, door: Door) -> Result<Response, Problem> {
    let answer = answer(visit, asked, door).await?;
    if asked.format.eq_ignore_ascii_case("json") {
        return Ok(Json(message::json(&answer)).into_response());
    }
    Ok(as_xml(message::xml(&answer)))
}

fn as_xml(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/xml; charset=utf-8")], text).into_response()
}

/// A ticket found good.
struct Good {
    client: Client,
    ticket: Found,
    owner: Owner,
    subject: String,
    consent: Claims,
}

async fn answer(visit: &Visit, asked: &Asked, door: Door) -> Result<Result<Success, Failure>, Problem> {
    if asked.ticket.is_empty() {
        return Ok(Err(Failure::InvalidRequest));
    }
    let good = match check(visit, asked, door).await? {
        Ok(good) => good,
        Err(failure) => {
            tracing::info!(code = failure.code(), "CAS ticket refused");
            return Ok(Err(failure));
        }
    };
    let pgt_iou = match asked.pgt_url.as_deref() {
        None => None,
        Some(url) => match grant(visit, &good, url).await? {
            Ok(iou) => Some(iou),
            Err(failure) => return Ok(Err(failure)),
        },
    };
    // Opened by a provider, an account may have no address yet: it is known by its random name then.
    let login = good.client.clear_login() && !good.owner.login.is_empty();
    let user = if login { good.owner.login.clone() } else { good.subject.clone() };
    let attributes = door.attributes.then(|| attributes(&good));
    Ok(Ok(Success { user, attributes, pgt_iou, proxies: good.ticket.proxies.0 }))
}

fn attributes(good: &Good) -> Attributes {
    let owner = &good.owner;
    let has = |claim| good.client.claims.contains(&claim) && good.consent.contains(&claim);
    let mut others = Vec::new();
    if has(Claim::GivenName) {
        others.push(("givenName", owner.first_name.clone()));
    }
    if has(Claim::FamilyName) {
        others.push(("sn", owner.last_name.clone()));
    }
    if let Some(email) = owner.email.as_ref().filter(|_| has(Claim::Email)) {
        others.push(("mail", email.clone()));
    }
    if let Some(phone) = owner.phone.as_ref().filter(|_| has(Claim::PhoneNumber)) {
        others.push(("telephoneNumber", phone.clone()));
    }
    Attributes { authentication_date: owner.created_at, from_new_login: good.ticket.renewed, others }
}

/// Takes the ticket away, then judges it.
async fn check(visit: &Visit, asked: &Asked, door: Door) -> Result<Result<Good, Failure>, Problem> {
    let (id, now) = (visit.id(), visit.now);
    let found = visit
        .db
        .write(async |tx: &mut Tx| {
            let Some(found) = ticket::take(tx, &asked.ticket).await? else { return Ok(Err(Failure::InvalidTicket)) };
            if let Err(failure) = judge(&found, asked, door, now) {
                return Ok(Err(failure));
            }
            let Some(owner) = store::owner(tx, found.session_id, now).await? else {
                return Ok(Err(Failure::InvalidTicket));
            };
            let subject = store::subject(tx, owner.account_id, &found.client_id, now).await?;
            if found.kind == Kind::Service.prefix() {
                let (session, client, service) = (found.session_id, &found.client_id, &found.service);
                let entry = Entry { session, client, service, ticket: &asked.ticket, subject: &subject };
                visits::enter_cas(tx, (id, now), &entry).await?;
            }
            Ok::<_, db::Error>(Ok((found, owner, subject)))
        })
        .await?;
    let (ticket, owner, subject) = match found {
        Ok(found) => found,
        Err(failure) => return Ok(Err(failure)),
    };
    let Some(client) = store::client(&visit.db, &ticket.client_id).await? else {
        return Ok(Err(Failure::InvalidTicket));
    };
    let consent = store::consent(&visit.db, owner.account_id, &client.id).await?.unwrap_or_default();
    Ok(Ok(Good { client, ticket, owner, subject, consent }))
}

fn judge(found: &Found, asked: &Asked, door: Door, now: Timestamp) -> Result<(), Failure> {
    if found.expires_at <= now {
        return Err(Failure::InvalidTicket);
    }
    if asked.service.is_empty() {
        return Err(Failure::InvalidRequest);
    }
    if found.kind == Kind::Proxy.prefix() && !door.proxies {
        return Err(Failure::InvalidTicketSpec);
    }
    if address::given(&asked.service).is_none_or(|service| service.as_str() != found.service) {
        return Err(Failure::InvalidService);
    }
    if set(asked.renew.as_deref()) && !found.renewed {
        return Err(Failure::InvalidTicket);
    }
    Ok(())
}

/// Gives a proxy-granting ticket to a declared address, over TLS that is checked; the answer only names it.
async fn grant(visit: &Visit, good: &Good, url: &str) -> Result<Result<String, Failure>, Problem> {
    let Some(url) = address::given(url).filter(|url| url.scheme() == "https") else {
        return Ok(Err(Failure::InvalidProxyCallback));
    };
    if !good.client.may_call_back(&url) {
        return Ok(Err(Failure::UnauthorizedServiceProxy));
    }
    let (granting, iou) = (Kind::Granting.make(), ticket::long("PGTIOU"));
    if !called_back(visit, &url, &granting, &iou).await {
        return Ok(Err(Failure::InvalidProxyCallback));
    }
    let proxies: Vec<String> = std::iter::once(url.to_string()).chain(good.ticket.proxies.0.iter().cloned()).collect();
    let new = New {
        kind: Kind::Granting,
        client: good.client.id.clone(),
        service: good.ticket.service.clone(),
        session: good.ticket.session_id,
        renewed: false,
        proxies,
    };
    visit.db.write(async |tx: &mut Tx| ticket::keep(tx, &granting, &new, visit.now).await).await?;
    Ok(Ok(iou))
}

async fn called_back(visit: &Visit, url: &Url, granting: &str, iou: &str) -> bool {
    let url = address::with(url, &[("pgtId", granting), ("pgtIou", iou)]);
    match visit.app.outside.get(url).send().await {
        Ok(answer) => answer.status() == reqwest::StatusCode::OK,
        Err(error) => {
            // Without its address, which holds the ticket.
            tracing::info!(error = %error.without_url(), "CAS proxy callback failed");
            false
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Proxied {
    pgt: String,
    #[serde(rename = "targetService")]
    target: String,
}

/// `/cas/proxy`: a ticket for another application, to an application that may be a proxy.
pub async fn proxy(Extension(visit): Extension<Visit>, Query(asked): Query<Proxied>) -> Result<Response, Problem> {
    Ok(as_xml(message::proxy(&proxied(&visit, &asked).await?)))
}

async fn proxied(visit: &Visit, asked: &Proxied) -> Result<Result<String, Failure>, Problem> {
    let Some(target) = address::given(&asked.target).filter(|_| Kind::of(&asked.pgt) == Some(Kind::Granting)) else {
        return Ok(Err(Failure::InvalidRequest));
    };
    let Some(client) = store::client_of(&visit.db, &target).await? else {
        return Ok(Err(Failure::UnauthorizedService));
    };
    let (ticket, now, client) = (Kind::Proxy.make(), visit.now, client.id.clone());
    let given = visit
        .db
        .write(async |tx: &mut Tx| {
            let Some(granting) = ticket::granting(tx, &asked.pgt, now).await? else { return Ok(false) };
            if store::owner(tx, granting.session_id, now).await?.is_none() {
                return Ok(false);
            }
            let session: Uuid = granting.session_id;
            let proxies = granting.proxies.0;
            let (client, service) = (client.clone(), target.to_string());
            let new = New { kind: Kind::Proxy, client, service, session, renewed: false, proxies };
            ticket::keep(tx, &ticket, &new, now).await?;
            Ok::<_, db::Error>(true)
        })
        .await?;
    Ok(if given { Ok(ticket) } else { Err(Failure::InvalidRequest) })
}
