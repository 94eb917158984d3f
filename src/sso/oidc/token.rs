//! `/oidc/token`: a code or a refresh token for tokens. A code or refresh token that comes twice ends
//! everything that came of it: one of the two senders stole it.

use axum::{
    Extension, Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use data_encoding::BASE64;
use db::Tx;
use forms::answers::Raw;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    jws::{self, Id},
    keys,
    request::{scope, verified},
    store::{self as grants, ACCESS_LASTS, Grant},
};
use crate::{
    accounts::Means,
    error::Problem,
    platform::{form::Typed, secret},
    sso::{client::Client, store, visits},
    visit::Visit,
};

/// An error of RFC 6749 §5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal(&'static str, &'static str);

const NOT_GOOD: Refusal = Refusal("invalid_grant", "unknown, used or too old");
const NOT_THE_CLIENT: Refusal = Refusal("invalid_client", "unknown application or wrong secret");

impl Refusal {
    fn answer(self, basic: bool) -> Response {
        let body = Json(json!({"error": self.0, "error_description": self.1}));
        if self.0 != NOT_THE_CLIENT.0 {
            return (StatusCode::BAD_REQUEST, body).into_response();
        }
        let mut response = (StatusCode::UNAUTHORIZED, body).into_response();
        if basic {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"token\""));
        }
        response
    }
}

pub async fn send(
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    Typed(typed): Typed,
) -> Result<Response, Problem> {
    let basic = headers.contains_key(header::AUTHORIZATION);
    let client = match client(&visit, &headers, &typed).await? {
        Ok(client) => client,
        Err(refusal) => return Ok(refusal.answer(basic)),
    };
    let tokens = match typed.text("grant_type") {
        "authorization_code" => exchange(&visit, &client, &typed).await?,
        "refresh_token" => refresh(&visit, &client, typed.text("refresh_token")).await?,
        _ => Err(Refusal("unsupported_grant_type", "authorization_code or refresh_token")),
    };
    Ok(match tokens {
        Ok(tokens) => Json(tokens).into_response(),
        Err(refusal) => {
            tracing::info!(client = client.id, error = refusal.0, reason = refusal.1, "token refused");
            refusal.answer(basic)
        }
    })
}

/// Who asks, by one way and no more.
async fn client(visit: &Visit, headers: &HeaderMap, typed: &Raw) -> Result<Result<Client, Refusal>, Problem> {
    let posted = typed.text("client_secret");
    let (id, typed_secret) = match headers.get(header::AUTHORIZATION).map(basic) {
        Some(None) => return Ok(Err(NOT_THE_CLIENT)),
        Some(Some(_)) if !posted.is_empty() => {
            return Ok(Err(Refusal("invalid_request", "one way of authentication only")));
        }
        Some(Some((id, secret))) if ["", id.as_str()].contains(&typed.text("client_id")) => (id, secret),
        Some(Some(_)) => return Ok(Err(NOT_THE_CLIENT)),
        None => (typed.text("client_id").to_owned(), posted.to_owned()),
    };
    let found = store::client(&visit.db, &id).await?;
    let good = found.filter(|client| {
        let public = client.oidc.as_ref().map(|oidc| oidc.public);
        match public {
            Some(true) => typed_secret.is_empty(),
            Some(false) => client.has_secret(&typed_secret, visit.now),
            None => false,
        }
    });
    Ok(good.ok_or(NOT_THE_CLIENT))
}

/// Id and secret, each form-encoded before (RFC 6749 §2.3.1).
fn basic(value: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    let bytes = BASE64.decode(encoded.trim().as_bytes()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    Some((decode(id), decode(secret)))
}

/// What is made before the transaction, which may run again.
struct Made {
    access: String,
    refresh: Option<String>,
    sid: Uuid,
    now: Timestamp,
}

impl Made {
    fn new(visit: &Visit, client: &Client) -> Self {
        let refreshed = client.oidc.as_ref().is_some_and(|oidc| oidc.refresh_tokens);
        let refresh = refreshed.then(secret::token);
        Self { access: secret::token(), refresh, sid: visit.id(), now: visit.now }
    }
}

/// What tokens say.
struct Given {
    grant: Grant,
    subject: String,
    sid: Uuid,
}

async fn exchange(visit: &Visit, client: &Client, typed: &Raw) -> Result<Result<Value, Refusal>, Problem> {
    let (code, made) = (typed.text("code"), Made::new(visit, client));
    let given = visit
        .db
        .write(async |tx: &mut Tx| {
            let Some(grant) = grants::of_code(tx, code).await? else { return Ok(Err(NOT_GOOD)) };
            if let Err(refusal) = judge(&grant, client, typed, made.now) {
                // Whoever holds this code is not the one it was made for, or holds it twice.
                grants::revoke(tx, grant.id).await?;
                return Ok(Err(refusal));
            }
            grants::use_code(tx, grant.id).await?;
            give(tx, grant, &made).await
        })
        .await?;
    finish(visit, client, given, &made).await
}

fn judge(grant: &Grant, client: &Client, typed: &Raw, now: Timestamp) -> Result<(), Refusal> {
    if grant.code_used || grant.code_until <= now || grant.client_id != client.id {
        return Err(NOT_GOOD);
    }
    if typed.text("redirect_uri") != grant.redirect_uri {
        return Err(Refusal("invalid_grant", "redirect_uri is not the one of the authorization"));
    }
    if !verified(grant.challenge.as_deref(), typed.text("code_verifier")) {
        return Err(Refusal("invalid_grant", "code_verifier does not match"));
    }
    Ok(())
}

async fn refresh(visit: &Visit, client: &Client, token: &str) -> Result<Result<Value, Refusal>, Problem> {
    let made = Made::new(visit, client);
    if made.refresh.is_none() {
        return Ok(Err(Refusal("unauthorized_client", "the declaration allows no refresh")));
    }
    let given = visit
        .db
        .write(async |tx: &mut Tx| {
            let Some(found) = grants::refresh(tx, token).await? else { return Ok(Err(NOT_GOOD)) };
            let Some(grant) = grants::grant(tx, found.grant_id).await? else { return Ok(Err(NOT_GOOD)) };
            if found.used || grant.client_id != client.id {
                grants::revoke(tx, grant.id).await?;
                return Ok(Err(NOT_GOOD));
            }
            if found.expires_at <= made.now {
                return Ok(Err(NOT_GOOD));
            }
            grants::use_refresh(tx, token).await?;
            // The nonce was for the first one.
            give(tx, Grant { nonce: None, ..grant }, &made).await
        })
        .await?;
    finish(visit, client, given, &made).await
}

async fn give(tx: &mut Tx, grant: Grant, made: &Made) -> Result<Result<Given, Refusal>, db::Error> {
    if store::owner(tx, grant.session_id, made.now).await?.is_none() {
        return Ok(Err(Refusal("invalid_grant", "the session is over")));
    }
    let subject = store::subject(tx, grant.account_id, &grant.client_id, made.now).await?;
    let sid = visits::enter_oidc(tx, (made.sid, made.now), grant.session_id, &grant.client_id, &subject).await?;
    grants::give(tx, grant.id, &made.access, made.refresh.as_deref(), made.now).await?;
    Ok(Ok(Given { grant, subject, sid }))
}

async fn finish(
    visit: &Visit,
    client: &Client,
    given: Result<Given, Refusal>,
    made: &Made,
) -> Result<Result<Value, Refusal>, Problem> {
    let given = match given {
        Ok(given) => given,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let sid = given.sid.to_string();
    let id = Id {
        issuer: visit.public_url(),
        client: &client.id,
        subject: &given.subject,
        sid: &sid,
        nonce: given.grant.nonce.as_deref(),
        auth_time: given.grant.auth_time,
        means: given.grant.means.as_deref().and_then(Means::named),
        acr: given.grant.acr.as_deref(),
        access_token: &made.access,
        now: made.now,
    };
    let id_token = keys::signing(visit).await?.sign("JWT", &jws::id_claims(&id))?;
    let mut answer = json!({
        "access_token": made.access, "token_type": "Bearer", "expires_in": ACCESS_LASTS.as_secs(),
        "scope": scope(&given.grant.claims.0), "id_token": id_token,
    });
    if let (Some(answer), Some(refresh)) = (answer.as_object_mut(), &made.refresh) {
        answer.insert("refresh_token".to_owned(), json!(refresh));
    }
    Ok(Ok(answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_read() {
        let read = |text: &str| basic(&HeaderValue::from_str(text).unwrap());
        let encoded = |text: &str| format!("Basic {}", BASE64.encode(text.as_bytes()));
        let pair = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(read(&encoded("a:b")), pair("a", "b"));
        assert_eq!(read(&encoded("a%2Db:c%3Ad+e:f").replace("Basic", "bAsIc")), pair("a-b", "c:d e:f"));
        for wrong in ["Basic", "Basic !", "Bearer YTpi", &encoded("a")] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
