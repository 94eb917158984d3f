//! Guichet as an OpenID Connect provider: authorization code with PKCE, refresh, userinfo, logout by the
//! application and by us (OpenID Connect Core, Discovery, RP-Initiated Logout, Back-Channel Logout 1.0,
//! RFC 6749, 7636, 9207). One issuer for each authority: its public address.

use anyhow::Result;
use axum::{
    Router,
    routing::{get, post},
};

use crate::{app::App, visit::Visit};

mod authorize;
mod discovery;
pub mod jws;
pub mod keys;
mod level;
mod logout;
mod request;
mod store;
mod token;
mod userinfo;

/// Pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/oidc/authorize", get(authorize::show))
        .route("/oidc/logout", get(logout::show))
        .route("/oidc/deconnexion", post(logout::confirm))
}

/// What applications ask, and forms that they make browsers post: these only lead to the pages.
pub fn open_routes() -> Router<App> {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery::configuration))
        .route("/oidc/jwks", get(discovery::jwks))
        .route("/oidc/token", post(token::send))
        .route("/oidc/userinfo", get(userinfo::show).post(userinfo::show))
        .route("/oidc/authorize", post(authorize::posted))
        .route("/oidc/logout", post(logout::posted))
}

/// What a client is sent when a session ends.
pub async fn logout_token(visit: &Visit, client: &str, subject: &str, sid: &str) -> Result<String> {
    let key = keys::signing(visit).await?;
    let claims = jws::logout_claims(visit.public_url(), client, subject, sid, &visit.id().to_string(), visit.now);
    key.sign("logout+jwt", &claims)
}
