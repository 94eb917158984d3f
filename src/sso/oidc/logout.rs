//! `/oidc/logout`: an application sends somebody to sign out here too (RP-Initiated Logout 1.0).

use axum::{
    extract::RawQuery,
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use forms::answers::Raw;
use minijinja::context;
use reqwest::Url;
use serde_json::Value;

use super::{authorize::query, jws, keys};
use crate::{
    error::Problem,
    platform::form::{self, Typed},
    sso::{self, address, client::Client, gate, store, visits},
    visit::Visitor,
};

/// The same request, posted from the application's page: asked again with this site's cookies.
pub async fn posted(Typed(typed): Typed) -> Response {
    Redirect::to(&format!("/oidc/logout?{}", query(&typed))).into_response()
}

/// Who sends, and where to then: nowhere but to a declared address.
struct Asked {
    client: Option<Client>,
    back: Option<Url>,
    /// The session that the application means.
    session: Option<uuid::Uuid>,
}

async fn read(visitor: &Visitor, raw: &Raw) -> Result<Asked, Problem> {
    let hint = raw.text("id_token_hint");
    let claims = if hint.is_empty() { None } else { jws::own_id_token(&keys::all(visitor).await?, hint) };
    let claim = |name: &str| claims.as_ref().and_then(|claims| claims.get(name)).and_then(Value::as_str);
    let named = Some(raw.text("client_id")).filter(|id| !id.is_empty());
    // A hint of one application and the name of another: neither is believed.
    let id = match (claim("aud"), named) {
        (Some(hinted), Some(named)) if hinted != named => None,
        (hinted, named) => hinted.or(named),
    };
    let client = match id {
        Some(id) => store::client(&visitor.db, id).await?,
        None => None,
    };
    let session = match claim("sid").and_then(|sid| sid.parse().ok()).filter(|_| client.is_some()) {
        Some(sid) => visits::session_of(&visitor.db, sid).await?,
        None => None,
    };
    let back = client.as_ref().and_then(|client| back(client, raw.text("post_logout_redirect_uri"), raw.text("state")));
    Ok(Asked { client, back, session })
}

fn back(client: &Client, uri: &str, state: &str) -> Option<Url> {
    let declared = client.oidc.as_ref()?.post_logout_redirect_uris.iter().any(|one| one == uri);
    let url = address::given(uri).filter(|_| declared)?;
    Some(if state.is_empty() { url } else { address::with(&url, &[("state", state)]) })
}

pub async fn show(visitor: Visitor, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let raw = form::urlencoded(query.unwrap_or_default().as_bytes());
    let asked = read(&visitor, &raw).await?;
    let mine = visitor.session.as_ref().filter(|session| session.account.is_some()).map(|session| session.id);
    if mine.is_some() && mine != asked.session {
        // Anybody can make such a link: the person says.
        let context = context! {
            service => asked.client.as_ref().map(|client| client.name.clone()), client => raw.text("client_id"),
            hint => raw.text("id_token_hint"), address => raw.text("post_logout_redirect_uri"), state => raw.text("state"),
        };
        return visitor.page("sso/leave.html", "Se déconnecter", context);
    }
    let cookie = sso::end_session(&visitor).await?;
    let mut response = match &asked.back {
        Some(url) => Redirect::to(url.as_str()).into_response(),
        None => left(&visitor)?,
    };
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

fn left(visitor: &Visitor) -> Result<Response, Problem> {
    sso::nobody(visitor).page("sso/left.html", "Vous êtes déconnecté", context! {})
}

/// The person said so.
pub async fn confirm(visitor: Visitor, Typed(typed): Typed) -> Result<Response, Problem> {
    let asked = read(&visitor, &typed).await?;
    let cookie = sso::end_session(&visitor).await?;
    let mut response = match (&asked.client, &asked.back) {
        (Some(client), Some(url)) => gate::page_onward(&sso::nobody(&visitor), &client.name, url)?,
        _ => left(&visitor)?,
    };
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}
