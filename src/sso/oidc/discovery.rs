//! What applications read to find everything else.

use axum::{
    Extension, Json,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{keys, level::Level};
use crate::{error::Problem, visit::Visit};

pub async fn configuration(Extension(visit): Extension<Visit>) -> Response {
    cached(told(visit.public_url()))
}

/// Changes rarely, and is the same for all.
fn cached(value: Value) -> Response {
    let mut response = Json(value).into_response();
    if let Ok(cache) = HeaderValue::from_str(&format!("public, max-age={}", keys::CACHED.as_secs())) {
        response.headers_mut().insert(header::CACHE_CONTROL, cache);
    }
    response
}

fn told(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oidc/authorize"),
        "token_endpoint": format!("{issuer}/oidc/token"),
        "userinfo_endpoint": format!("{issuer}/oidc/userinfo"),
        "jwks_uri": format!("{issuer}/oidc/jwks"),
        "end_session_endpoint": format!("{issuer}/oidc/logout"),
        "scopes_supported": ["openid", "profile", "email", "phone"],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "name", "given_name", "family_name",
            "preferred_username", "email", "email_verified", "phone_number", "phone_number_verified",
        ],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "acr_values_supported": Level::ALL.map(Level::acr),
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "ui_locales_supported": ["fr"],
    })
}

pub async fn jwks(Extension(visit): Extension<Visit>) -> Result<Response, Problem> {
    let list: Vec<Value> = keys::published(&visit).await?.iter().map(|key| key.jwk()).collect();
    Ok(cached(json!({"keys": list})))
}
