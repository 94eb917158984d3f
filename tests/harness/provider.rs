//! An identity provider that does what a test tells it to: a real server with its own keys, as strict as
//! FranceConnect about what it is asked, and as wrong as wanted in what it answers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock},
};

use axum::{
    Router,
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use data_encoding::BASE64URL_NOPAD;
use guichet::platform::{clock::Clock, form, secret};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair, PublicKeyComponents},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256},
};
use rsa::pkcs8::EncodePrivateKey;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

pub const CLIENT: &str = "ville-de-valmont";
pub const CLIENT_SECRET: &str = "secret donné par le fournisseur";

/// What it does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    None,
    AlgNone,
    /// Signed with the public key, as if it were a shared secret.
    Hs256,
    /// Signed by another key, under the name of the published one.
    OtherKey,
    UserinfoOtherKey,
    UserinfoPlain,
    /// Accepts the connection and answers nothing in time.
    Slow,
    Endless,
    Broken,
}

/// What it accepts and says.
pub struct Script {
    pub flaw: Flaw,
    /// Claims of the person.
    pub person: Json,
    /// In the place of, or besides, what the ID token and userinfo would say.
    pub id_token: Json,
    pub userinfo: Json,
    /// Answers every request so: `access_denied`.
    pub error: &'static str,
    /// Names another issuer in its answers, or none.
    pub names: Option<String>,
    /// ES256 in the place of RS256.
    pub curve: bool,
    /// Name of the key: another one is a new key.
    pub key: &'static str,
    /// Plays ProConnect: refuses parameters that it does not know.
    pub proconnect: bool,
    /// What was asked, by path.
    pub asked: Vec<(String, String)>,
    codes: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Clone)]
struct Shared {
    issuer: String,
    clock: Clock,
    script: Arc<Mutex<Script>>,
}

pub struct Provider {
    shared: Shared,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Angela, as FranceConnect's own test identities are made.
pub fn angela() -> Json {
    json!({
        "sub": "angela-1", "given_name": "Angela Claire", "given_name_array": ["Angela", "Claire"], "family_name": "DUBOIS", "gender": "female",
        "birthdate": "1962-00-00", "birthplace": "75107", "birthcountry": "99100", "email": "angela@exemple.fr",
    })
}

impl Provider {
    /// Its clock is the portal's.
    pub async fn start(clock: &Clock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}/api/v2", listener.local_addr().unwrap());
        let script = Script {
            flaw: Flaw::None,
            person: angela(),
            id_token: json!({}),
            userinfo: json!({}),
            error: "",
            names: Some(issuer.clone()),
            curve: false,
            key: "clef-1",
            proconnect: false,
            asked: vec![],
            codes: BTreeMap::new(),
        };
        let shared = Shared { issuer, clock: clock.clone(), script: Arc::new(Mutex::new(script)) };
        let router = Router::new()
            .route("/api/v2/.well-known/openid-configuration", get(discovery))
            .route("/api/v2/jwks", get(jwks))
            .route("/api/v2/authorize", get(authorize))
            .route("/api/v2/token", post(token))
            .route("/api/v2/userinfo", get(userinfo))
            .with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shared, serving }
    }

    pub fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// What it does from now on.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.shared.script.lock().unwrap()
    }

    pub fn set(&self, flaw: Flaw) {
        self.script().flaw = flaw;
    }

    /// Requests for this path.
    pub fn asked(&self, path: &str) -> Vec<String> {
        self.script().asked.iter().filter(|(found, _)| found == path).map(|(_, query)| query.clone()).collect()
    }
}

impl Shared {
    fn note(&self, path: &str, text: &str) -> MutexGuard<'_, Script> {
        let mut script = self.script.lock().unwrap();
        script.asked.push((path.to_owned(), text.to_owned()));
        script
    }
}

/// Late, broken or endless, as told; nothing when it is to answer.
async fn trouble(flaw: Flaw) -> Option<Response> {
    match flaw {
        Flaw::Slow => {
            // Longer than anybody waits for it; the test ends before.
            std::future::pending::<()>().await;
            None
        }
        Flaw::Broken => Some(StatusCode::BAD_GATEWAY.into_response()),
        Flaw::Endless => Some(" ".repeat(2_000_000).into_response()),
        _ => None,
    }
}

async fn discovery(State(shared): State<Shared>) -> Response {
    let (flaw, named) = {
        let script = shared.note("discovery", "");
        (script.flaw, script.names.is_some())
    };
    if let Some(response) = trouble(flaw).await {
        return response;
    }
    let issuer = &shared.issuer;
    axum::Json(json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"), "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"), "jwks_uri": format!("{issuer}/jwks"), "end_session_endpoint": format!("{issuer}/session/end"),
        "authorization_response_iss_parameter_supported": named,
    }))
    .into_response()
}

/// RSA keys are long to make: one for good answers, another for bad ones.
fn rsa_key(good: bool) -> &'static KeyPair {
    static KEYS: OnceLock<[KeyPair; 2]> = OnceLock::new();
    let make = || {
        let made = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
        KeyPair::from_pkcs8(made.to_pkcs8_der().unwrap().as_bytes()).unwrap()
    };
    let [one, other] = KEYS.get_or_init(|| [make(), make()]);
    if good { one } else { other }
}

fn curve_key() -> &'static EcdsaKeyPair {
    static KEY: OnceLock<EcdsaKeyPair> = OnceLock::new();
    KEY.get_or_init(|| {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap()
    })
}

fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

fn public() -> PublicKeyComponents<Vec<u8>> {
    PublicKeyComponents::from(rsa_key(true).public())
}

async fn jwks(State(shared): State<Shared>) -> Response {
    let (key, curve) = {
        let script = shared.note("jwks", "");
        (script.key, script.curve)
    };
    let one = if curve {
        let point = curve_key().public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": key, "x": encode(&point[1..33]), "y": encode(&point[33..])})
    } else {
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": key, "n": encode(&public().n), "e": encode(&public().e)})
    };
    axum::Json(json!({"keys": [one]})).into_response()
}

/// What FranceConnect demands of a request, and what ProConnect does not know.
fn check(script: &Script, query: &BTreeMap<String, String>) -> Result<(), String> {
    let text = |name: &str| query.get(name).map_or("", String::as_str);
    let known =
        ["response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "acr_values", "claims", "prompt"];
    if script.proconnect
        && let Some(name) = query.keys().find(|name| !known.contains(&name.as_str()))
    {
        return Err(format!("Y000400 {name}"));
    }
    let least = if script.proconnect { 32 } else { 22 };
    for (good, what) in [
        (text("response_type") == "code", "response_type"),
        (text("client_id") == CLIENT, "client_id"),
        (text("scope").split(' ').any(|scope| scope == "openid"), "scope"),
        (text("state").len() >= least, "state"),
        (text("nonce").len() >= least, "nonce"),
        (script.proconnect || text("acr_values").starts_with("eidas"), "acr_values"),
        (["", "login", "consent", "login consent"].contains(&text("prompt")), "prompt"),
    ] {
        if !good {
            return Err(what.to_owned());
        }
    }
    Ok(())
}

fn pairs(bytes: &[u8]) -> BTreeMap<String, String> {
    let raw = form::urlencoded(bytes);
    raw.0.iter().map(|(name, values)| (name.clone(), values[0].clone())).collect()
}

async fn authorize(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let text = query.unwrap_or_default();
    let mut script = shared.note("authorize", &text);
    let query = pairs(text.as_bytes());
    if let Err(wrong) = check(&script, &query) {
        return (StatusCode::BAD_REQUEST, wrong).into_response();
    }
    let encode = guichet::platform::encode;
    let mut back = format!("{}?state={}", query["redirect_uri"], encode(&query["state"]));
    if let Some(name) = &script.names {
        back += &format!("&iss={}", encode(name));
    }
    if script.error.is_empty() {
        let code = secret::token();
        back += &format!("&code={code}");
        script.codes.insert(code, query);
    } else {
        back += &format!("&error={}&error_description=user+authentication+aborted", script.error);
    }
    Redirect::to(&back).into_response()
}

fn refuse(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, axum::Json(json!({"error": error}))).into_response()
}

async fn token(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let flaw = shared.note("token", &String::from_utf8_lossy(&body)).flaw;
    if let Some(response) = trouble(flaw).await {
        return response;
    }
    let mut script = shared.script.lock().unwrap();
    let form = pairs(&body);
    let text = |name: &str| form.get(name).map_or("", String::as_str);
    if headers.contains_key(header::AUTHORIZATION)
        || (text("client_id"), text("client_secret")) != (CLIENT, CLIENT_SECRET)
    {
        return refuse("invalid_client");
    }
    // Good once.
    let Some(asked) = script.codes.remove(text("code")) else { return refuse("invalid_grant") };
    let challenge = asked.get("code_challenge").map_or("", String::as_str);
    let proved = challenge.is_empty() || challenge == encode(&Sha256::digest(text("code_verifier").as_bytes()));
    if asked["redirect_uri"] != text("redirect_uri") || !proved {
        return refuse("invalid_grant");
    }
    let (access, now) = (secret::token(), shared.clock.now().as_second());
    let hash: Vec<u8> = Sha256::digest(access.as_bytes())[..16].to_vec();
    let mut claims = json!({
        "iss": shared.issuer, "aud": CLIENT, "sub": script.person["sub"], "nonce": asked["nonce"], "iat": now, "exp": now + 60,
        "acr": asked.get("acr_values"), "amr": ["pwd"], "at_hash": encode(&hash),
    });
    put(&mut claims, &script.id_token);
    let id_token = sign(&script, &claims, script.flaw == Flaw::OtherKey);
    axum::Json(json!({"access_token": access, "token_type": "Bearer", "expires_in": 60, "id_token": id_token}))
        .into_response()
}

fn put(claims: &mut Json, more: &Json) {
    for (name, value) in more.as_object().unwrap() {
        claims[name.as_str()] = value.clone();
    }
}

fn sign(script: &Script, claims: &Json, forged: bool) -> String {
    let algorithm = match script.flaw {
        Flaw::AlgNone => "none",
        Flaw::Hs256 => "HS256",
        _ if script.curve => "ES256",
        _ => "RS256",
    };
    let header = json!({"alg": algorithm, "typ": "JWT", "kid": script.key});
    let text = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
    let signature = match algorithm {
        "none" => vec![],
        "HS256" => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &public().n), text.as_bytes()).as_ref().to_vec(),
        "ES256" => curve_key().sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec(),
        _ => {
            let key = rsa_key(!forged);
            let mut signature = vec![0; key.public().modulus_len()];
            key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
            signature
        }
    };
    format!("{text}.{}", encode(&signature))
}

async fn userinfo(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let script = shared.note("userinfo", "");
    if !headers.get(header::AUTHORIZATION).is_some_and(|value| value.to_str().unwrap().starts_with("Bearer ")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut claims = script.person.clone();
    put(&mut claims, &json!({"iss": shared.issuer, "aud": CLIENT}));
    put(&mut claims, &script.userinfo);
    if script.flaw == Flaw::UserinfoPlain {
        return axum::Json(claims).into_response();
    }
    let signed = sign(&script, &claims, script.flaw == Flaw::UserinfoOtherKey);
    ([(header::CONTENT_TYPE, "application/jwt")], signed).into_response()
}
