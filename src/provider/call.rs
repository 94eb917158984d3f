//! Calls to providers: discovery, keys, code for tokens, userinfo. Five seconds for all that one page needs,
//! a quarter of a megabyte for each answer; discovery and keys are kept in memory for ten minutes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, anyhow};
use jiff::{SignedDuration, Timestamp};
use reqwest::{RequestBuilder, Url};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    declaration::{ClientAuth, Declaration},
    person::{self, Person},
    token::{self, Asked},
};
use crate::{
    platform::{
        address, encode,
        jws::{self, PublicKey, Unsigned},
    },
    visit::Visit,
};

const PATIENCE: Duration = Duration::from_secs(5);
const LARGEST: usize = 256 * 1024;
const KEPT: SignedDuration = SignedDuration::from_mins(10);

/// Why somebody who came from a provider, or wanted to go there, is not signed in.
#[derive(Debug)]
pub enum Trouble {
    /// It does not answer, or not what a provider answers.
    Down(anyhow::Error),
    /// It, or the person, said no: its word for it.
    Denied(String),
    /// What came cannot be believed.
    Untrusted(String),
    /// Identified, but less strongly than was asked.
    Weak,
    /// Identified, but not anew, as was asked.
    Old,
    /// Too late, a second time, or in another browser.
    Stale,
}

impl From<token::Wrong> for Trouble {
    fn from(wrong: token::Wrong) -> Self {
        match wrong {
            token::Wrong::Weak => Self::Weak,
            token::Wrong::Old => Self::Old,
            token::Wrong::Claim(name) => Self::Untrusted(format!("wrong {name}")),
        }
    }
}

/// What a discovery document says that matters here.
#[derive(Debug)]
pub struct Known {
    pub authorization: Url,
    token: Url,
    userinfo: Option<Url>,
    keys: Url,
    pub end_session: Option<Url>,
    /// Says who it is in its answers (RFC 9207).
    pub names_itself: bool,
}

/// What was read lately: discovery documents by issuer, keys by address.
#[derive(Default)]
pub struct Cache {
    known: Kept<Known>,
    keys: Kept<Vec<PublicKey>>,
}

struct Kept<T>(Mutex<HashMap<String, (Timestamp, Arc<T>)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Kept<T> {
    fn get(&self, name: &str, now: Timestamp) -> Option<Arc<T>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, value) = kept.get(name)?;
        (now.duration_since(*at).abs() < KEPT).then(|| value.clone())
    }

    fn put(&self, name: &str, now: Timestamp, value: T) -> Arc<T> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Addresses that are declared no more leave.
        kept.retain(|_, (at, _)| now.duration_since(*at).abs() < KEPT);
        let value = Arc::new(value);
        kept.insert(name.to_owned(), (now, value.clone()));
        value
    }
}

/// All that a page needs of a provider, in time or not at all.
async fn in_time<T>(steps: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    tokio::time::timeout(PATIENCE, steps).await.unwrap_or_else(|_| Err(Trouble::Down(anyhow!("no answer in 5 s"))))
}

/// Sends a request and reads the answer, up to a size: status, kind, body.
async fn ask(request: RequestBuilder) -> Result<(reqwest::StatusCode, String, Vec<u8>), Trouble> {
    let read = async {
        let mut response = request.send().await?;
        let kind = response.headers().get(reqwest::header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            anyhow::ensure!(body.len() + chunk.len() <= LARGEST, "more than {LARGEST} bytes");
            body.extend_from_slice(&chunk);
        }
        Ok::<_, anyhow::Error>((response.status(), kind, body))
    };
    read.await.map_err(Trouble::Down)
}

async fn json(visit: &Visit, url: &Url) -> Result<Json, Trouble> {
    let (status, _, body) = ask(visit.app.outside.get(url.clone())).await?;
    let read = || {
        anyhow::ensure!(status.is_success(), "{url} answers {status}");
        serde_json::from_slice(&body).with_context(|| format!("{url} does not give JSON"))
    };
    read().map_err(Trouble::Down)
}

/// What the provider says of itself.
pub async fn known(visit: &Visit, declared: &Declaration) -> Result<Arc<Known>, Trouble> {
    in_time(discover(visit, declared)).await
}

async fn discover(visit: &Visit, declared: &Declaration) -> Result<Arc<Known>, Trouble> {
    let cache = &visit.app.providers.known;
    if let Some(known) = cache.get(&declared.issuer, visit.now) {
        return Ok(known);
    }
    let address = format!("{}/.well-known/openid-configuration", declared.issuer.trim_end_matches('/'));
    let url = Url::parse(&address).map_err(|error| Trouble::Down(error.into()))?;
    let document = json(visit, &url).await?;
    let known = read_discovery(declared, &document).map_err(Trouble::Down)?;
    Ok(cache.put(&declared.issuer, visit.now, known))
}

fn read_discovery(declared: &Declaration, document: &Json) -> anyhow::Result<Known> {
    let text = |name: &str| document.get(name).and_then(Json::as_str);
    anyhow::ensure!(text("issuer") == Some(declared.issuer.as_str()), "its issuer is {:?}", text("issuer"));
    let named = |name: &'static str| match text(name) {
        Some(text) => address::declared(text).map(Some).map_err(|wrong| anyhow!("{name}: {}", wrong.english())),
        None => Ok(None),
    };
    let needed = |name: &'static str| named(name)?.with_context(|| format!("no {name}"));
    Ok(Known {
        authorization: needed("authorization_endpoint")?,
        token: needed("token_endpoint")?,
        userinfo: named("userinfo_endpoint")?,
        keys: needed("jwks_uri")?,
        end_session: named("end_session_endpoint")?,
        names_itself: document.get("authorization_response_iss_parameter_supported").and_then(Json::as_bool)
            == Some(true),
    })
}

/// The claims of a token that the provider signed. A key that is not known may be new: the list is read
/// again, once.
async fn signed(visit: &Visit, known: &Known, token: &str) -> Result<Json, Trouble> {
    let cache = &visit.app.providers.keys;
    let (name, now) = (known.keys.as_str(), visit.now);
    let read = async || Ok::<_, Trouble>(cache.put(name, now, PublicKey::list(&json(visit, &known.keys).await?)));
    let (keys, fresh) = match cache.get(name, now) {
        Some(keys) => (keys, false),
        None => (read().await?, true),
    };
    let mut found = jws::read(&keys, token);
    if found == Err(Unsigned::UnknownKey) && !fresh {
        found = jws::read(&read().await?, token);
    }
    found.map(|(_, claims)| claims).map_err(|error| Trouble::Untrusted(format!("signature: {error:?}")))
}

/// Somebody as the provider shows them, with the ID token that ends their session there.
#[derive(Debug, Serialize, Deserialize)]
pub struct Shown {
    pub person: Person,
    pub id_token: String,
    /// When they gave their credentials there; none when it does not say.
    pub proved_at: Option<Timestamp>,
}

/// What an authorization code is exchanged with.
pub struct Code<'a> {
    pub code: &'a str,
    pub redirect_uri: &'a str,
    /// Empty when no challenge was sent.
    pub verifier: &'a str,
    pub nonce: &'a str,
    /// When credentials were asked for, if they were.
    pub fresh: Option<Timestamp>,
}

/// Code for tokens, tokens for a person.
pub async fn exchange(visit: &Visit, declared: &Declaration, secret: &str, code: &Code<'_>) -> Result<Shown, Trouble> {
    in_time(async {
        let known = discover(visit, declared).await?;
        let (access_token, id_token) = tokens(visit, &known, declared, secret, code).await?;
        let claims = signed(visit, &known, &id_token).await?;
        let asked =
            Asked { declared, nonce: code.nonce, access_token: &access_token, fresh: code.fresh, now: visit.now };
        let subject = token::id_token(&asked, &claims)?;
        // What was asked for is done: only now is sure by our own clock.
        let proved_at = code.fresh.map(|_| visit.now).or_else(|| token::auth_time(&claims).map(|at| at.min(visit.now)));
        let more = userinfo(visit, &known, &asked, &subject).await?;
        let person = person::read(declared, &subject, &merged(claims, more));
        Ok(Shown { person, id_token, proved_at })
    })
    .await
}

/// Userinfo completes what the ID token says.
fn merged(mut claims: Json, more: Option<Json>) -> Json {
    if let (Some(all), Some(Json::Object(more))) = (claims.as_object_mut(), more) {
        all.extend(more);
    }
    claims
}

async fn tokens(
    visit: &Visit,
    known: &Known,
    declared: &Declaration,
    secret: &str,
    code: &Code<'_>,
) -> Result<(String, String), Trouble> {
    let mut form = vec![("grant_type", "authorization_code"), ("code", code.code), ("redirect_uri", code.redirect_uri)];
    if !code.verifier.is_empty() {
        form.push(("code_verifier", code.verifier));
    }
    let request = visit.app.outside.post(known.token.clone());
    let request = match declared.client_auth {
        ClientAuth::Post => {
            form.extend([("client_id", declared.client_id.as_str()), ("client_secret", secret)]);
            request
        }
        // Each form-encoded before (RFC 6749 §2.3.1).
        ClientAuth::Basic => request.basic_auth(encode(&declared.client_id), Some(encode(secret))),
    };
    let (status, _, body) = ask(request.form(&form)).await?;
    let answer: Json = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| answer.get(name).and_then(Json::as_str).map(str::to_owned);
    if !status.is_success() {
        let error = text("error").unwrap_or_default();
        return Err(match error.as_str() {
            "invalid_grant" => Trouble::Untrusted("the code is refused".to_owned()),
            _ => Trouble::Down(anyhow!("the token endpoint answers {status} {error}")),
        });
    }
    match (text("access_token"), text("id_token")) {
        (Some(access), Some(id)) => Ok((access, id)),
        _ => Err(Trouble::Untrusted("no access_token or no id_token".to_owned())),
    }
}

async fn userinfo(visit: &Visit, known: &Known, asked: &Asked<'_>, subject: &str) -> Result<Option<Json>, Trouble> {
    let must_sign = asked.declared.signs_userinfo();
    let Some(url) = &known.userinfo else {
        return if must_sign { Err(Trouble::Untrusted("no userinfo".to_owned())) } else { Ok(None) };
    };
    let request = visit.app.outside.get(url.clone()).bearer_auth(asked.access_token);
    let (status, kind, body) = ask(request).await?;
    if !status.is_success() {
        return Err(Trouble::Down(anyhow!("userinfo answers {status}")));
    }
    let is_signed = kind.starts_with("application/jwt");
    if must_sign && !is_signed {
        return Err(Trouble::Untrusted(format!("userinfo is not signed: {kind}")));
    }
    let claims = if is_signed {
        signed(visit, known, String::from_utf8_lossy(&body).trim()).await?
    } else {
        serde_json::from_slice(&body).map_err(|_| Trouble::Untrusted("userinfo is no JSON".to_owned()))?
    };
    token::userinfo(asked, subject, &claims, is_signed)?;
    Ok(Some(claims))
}
