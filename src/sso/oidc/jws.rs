//! Signed tokens (RFC 7515 and 7519): RS256 and nothing else, so that nobody can choose how they are checked.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use ring::{
    rand::SystemRandom,
    rsa::{KeyPair, PublicKeyComponents},
    signature::RSA_PKCS1_SHA256,
};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::accounts::Means;
use crate::platform::jws::{self, PublicKey};

/// How long an ID token may be presented as a proof of signing in.
pub const ID_LASTS: SignedDuration = SignedDuration::from_mins(10);
const LOGOUT_LASTS: SignedDuration = SignedDuration::from_mins(2);

/// A key that signs, and its public name.
pub struct Key {
    pub id: String,
    pair: KeyPair,
}

impl Key {
    /// # Errors
    /// When `pkcs8` is no RSA key.
    pub fn read(id: &str, pkcs8: &[u8]) -> Result<Self> {
        let pair = KeyPair::from_pkcs8(pkcs8).map_err(|error| anyhow!("key {id}: {error}"))?;
        Ok(Self { id: id.to_owned(), pair })
    }

    /// # Errors
    /// Never with a key that could be read.
    pub fn sign(&self, kind: &str, claims: &Json) -> Result<String> {
        let header = json!({"alg": "RS256", "typ": kind, "kid": self.id});
        let text = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(header.to_string().as_bytes()),
            BASE64URL_NOPAD.encode(claims.to_string().as_bytes())
        );
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| anyhow!("key {} does not sign", self.id))?;
        Ok(format!("{text}.{}", BASE64URL_NOPAD.encode(&signature)))
    }

    fn public(&self) -> PublicKeyComponents<Vec<u8>> {
        PublicKeyComponents::from(self.pair.public())
    }

    /// As it is published.
    pub fn jwk(&self) -> Json {
        let public = self.public();
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id,
            "n": BASE64URL_NOPAD.encode(&public.n), "e": BASE64URL_NOPAD.encode(&public.e),
        })
    }
}

/// The claims of an ID token that one of these keys signed, however old it is.
pub fn own_id_token(keys: &[Arc<Key>], token: &str) -> Option<Json> {
    let keys: Vec<PublicKey> = keys.iter().map(|key| PublicKey::rsa(&key.id, key.public())).collect();
    let (kind, claims) = jws::read(&keys, token).ok()?;
    (kind.as_deref() == Some("JWT")).then_some(claims)
}

/// What an ID token says.
pub struct Id<'a> {
    pub issuer: &'a str,
    pub client: &'a str,
    pub subject: &'a str,
    pub sid: &'a str,
    pub nonce: Option<&'a str>,
    pub auth_time: Timestamp,
    /// How, and how surely.
    pub means: Option<Means>,
    pub acr: Option<&'a str>,
    pub access_token: &'a str,
    pub now: Timestamp,
}

pub fn id_claims(id: &Id<'_>) -> Json {
    let mut claims = json!({
        "iss": id.issuer, "sub": id.subject, "aud": id.client, "sid": id.sid,
        "iat": id.now.as_second(), "exp": id.now.as_second() + ID_LASTS.as_secs(),
        "auth_time": id.auth_time.as_second(), "at_hash": half_hash(id.access_token),
    });
    let optional = [
        ("nonce", id.nonce.map(Json::from)),
        ("acr", id.acr.map(Json::from)),
        ("amr", id.means.map(Means::methods).filter(|methods| !methods.is_empty()).map(|methods| json!(methods))),
    ];
    if let Some(claims) = claims.as_object_mut() {
        let there = optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        claims.extend(there);
    }
    claims
}

/// The left half of the token's hash (OpenID Connect Core §3.1.3.6).
fn half_hash(token: &str) -> String {
    let hash: Vec<u8> = Sha256::digest(token.as_bytes()).iter().copied().take(16).collect();
    BASE64URL_NOPAD.encode(&hash)
}

pub fn logout_claims(issuer: &str, client: &str, subject: &str, sid: &str, id: &str, now: Timestamp) -> Json {
    json!({
        // A list, though of one: LemonLDAP::NG takes nothing else here.
        "iss": issuer, "sub": subject, "aud": [client], "sid": sid, "jti": id,
        "iat": now.as_second(), "exp": now.as_second() + LOGOUT_LASTS.as_secs(),
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> Key {
        Key::read(id, &super::super::keys::make().unwrap()).unwrap()
    }

    #[test]
    fn only_our_own_id_tokens_are_known() {
        let keys = [Arc::new(key("a")), Arc::new(key("b"))];
        let claims = json!({"sub": "x"});
        let token = keys[1].sign("JWT", &claims).unwrap();
        assert_eq!(own_id_token(&keys, &token), Some(claims.clone()));
        assert_eq!(own_id_token(&keys[..1], &token), None);
        assert_eq!(own_id_token(&keys, &keys[0].sign("logout+jwt", &claims).unwrap()), None);
        let encode = |value: Json| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let (text, signature) = token.rsplit_once('.').unwrap();
        let (header, body) = text.split_once('.').unwrap();
        let forged = encode(json!({"sub": "y"}));
        let none = encode(json!({"alg": "none", "typ": "JWT", "kid": "b"}));
        let other = encode(json!({"alg": "RS256", "typ": "JWT", "kid": "a"}));
        for wrong in [
            format!("{header}.{forged}.{signature}"),
            format!("{none}.{body}."),
            format!("{none}.{body}.{signature}"),
            format!("{other}.{body}.{signature}"),
            format!("{header}.{body}"),
            format!("{token}x"),
            String::new(),
        ] {
            assert_eq!(own_id_token(&keys, &wrong), None, "{wrong}");
        }
    }

    #[test]
    fn claims_are_those_of_the_specification() {
        // Computed with OpenSSL: dgst -sha256, first 16 bytes, base64url.
        assert_eq!(half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ");
        let now: Timestamp = "2026-11-17T09:00:00Z".parse().unwrap();
        let mut id = Id {
            issuer: "i",
            client: "c",
            subject: "s",
            sid: "d",
            nonce: Some("n"),
            auth_time: now,
            means: Some(Means::Code),
            acr: Some("a"),
            access_token: "t",
            now,
        };
        let claims = id_claims(&id);
        assert_eq!((claims["nonce"].as_str(), claims["exp"].as_i64()), (Some("n"), Some(now.as_second() + 600)));
        assert_eq!((&claims["acr"], &claims["amr"]), (&json!("a"), &json!(["pwd", "otp", "mfa"])));
        (id.nonce, id.means, id.acr) = (None, None, None);
        assert!(["nonce", "acr", "amr"].iter().all(|name| id_claims(&id).get(name).is_none()));
        let logout = logout_claims("i", "c", "s", "d", "j", now);
        assert!(
            logout["nonce"].is_null()
                && logout["events"]["http://schemas.openid.net/event/backchannel-logout"].is_object()
        );
    }
}
