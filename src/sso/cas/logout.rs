//! `/cas/logout`: ends the session here, and by single logout in the applications.

use axum::{
    extract::Query,
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use minijinja::context;
use serde::Deserialize;

use crate::{
    error::Problem,
    sso::{self, address, store},
    visit::Visitor,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    service: String,
}

/// Only a page that somebody goes to ends their session: an image or a frame of another site does not.
fn visited(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_none_or(|to| to == "document")
}

pub async fn show(visitor: Visitor, headers: HeaderMap, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    if !visited(&headers) {
        return Err(Problem::Forbidden("Cette page s’ouvre seulement par un lien."));
    }
    // Nowhere but to a declared service; the `url` of older versions is not followed at all.
    let service = match address::given(&asked.service) {
        Some(service) => store::client_of(&visitor.db, &service).await?.map(|_| service),
        None => None,
    };
    let cookie = sso::end_session(&visitor).await?;
    let mut response = match service {
        Some(service) => Redirect::to(service.as_str()).into_response(),
        None => sso::nobody(&visitor).page("sso/left.html", "Vous êtes déconnecté", context! {})?,
    };
    response.headers_mut().append(axum::http::header::SET_COOKIE, cookie);
    Ok(response)
}
