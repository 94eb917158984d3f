//! Judging what a provider signed: ID tokens (OpenID Connect Core §3.1.3.7) and signed userinfo (§5.3.2).

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::declaration::Declaration;

/// How far the provider's clock may be from ours.
const CLOCKS: SignedDuration = SignedDuration::from_mins(2);
/// Longest name of somebody at a provider (OpenID Connect Core §2).
const LONGEST_SUBJECT: usize = 255;

/// What was asked, and when the answer came.
pub struct Asked<'a> {
    pub declared: &'a Declaration,
    pub nonce: &'a str,
    pub access_token: &'a str,
    /// When credentials were asked for, if they were.
    pub fresh: Option<Timestamp>,
    pub now: Timestamp,
}

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The claim that is not what it must be.
    Claim(&'static str),
    /// A good token, of somebody not identified as strongly as was asked.
    Weak,
    /// A good token, of somebody who was asked for credentials and has not given them since.
    Old,
}

/// The subject of an ID token whose signature is good.
///
/// # Errors
/// The first claim that does not answer what was asked.
pub fn id_token(asked: &Asked<'_>, claims: &Json) -> Result<String, Wrong> {
    let declared = asked.declared;
    let text = |name: &str| claims.get(name).and_then(Json::as_str);
    let must = |good: bool, name: &'static str| if good { Ok(()) } else { Err(Wrong::Claim(name)) };
    must(text("iss") == Some(declared.issuer.as_str()), "iss")?;
    must(audience(claims, &declared.client_id), "aud")?;
    let several = claims.get("aud").and_then(Json::as_array).is_some_and(|all| all.len() > 1);
    match claims.get("azp") {
        Some(party) => must(party.as_str() == Some(declared.client_id.as_str()), "azp")?,
        None => must(!several, "azp")?,
    }
    must(after(claims, "exp", asked.now).is_some_and(|late| late < CLOCKS), "exp")?;
    must(after(claims, "iat", asked.now).is_some_and(|age| age >= -CLOCKS), "iat")?;
    must(claims.get("nbf").is_none() || after(claims, "nbf", asked.now).is_some_and(|age| age >= -CLOCKS), "nbf")?;
    must(bool::from(text("nonce").unwrap_or_default().as_bytes().ct_eq(asked.nonce.as_bytes())), "nonce")?;
    if let Some(hash) = claims.get("at_hash") {
        must(hash.as_str() == Some(half_hash(asked.access_token).as_str()), "at_hash")?;
    }
    let subject = text("sub").unwrap_or_default();
    must(!subject.is_empty() && subject.len() <= LONGEST_SUBJECT && !subject.contains('\0'), "sub")?;
    if !fresh(asked, claims) {
        return Err(Wrong::Old);
    }
    if declared.reached(text("acr")) { Ok(subject.to_owned()) } else { Err(Wrong::Weak) }
}

/// When they gave their credentials there, if it says so.
pub fn auth_time(claims: &Json) -> Option<Timestamp> {
    time(claims, "auth_time")
}

/// Whether credentials that were asked for were given since. Who was asked by `max_age` must say when; whoever
/// knows `prompt=login` only, as FranceConnect, may not.
fn fresh(asked: &Asked<'_>, claims: &Json) -> bool {
    let Some(since) = asked.fresh else { return true };
    match auth_time(claims) {
        Some(at) => since.duration_since(at) <= CLOCKS,
        None => !asked.declared.takes_max_age() && claims.get("auth_time").is_none(),
    }
}

/// Checks who a userinfo answer speaks of; when it was signed, also who says it and to whom.
///
/// # Errors
/// The first claim that does not go with the ID token.
pub fn userinfo(asked: &Asked<'_>, subject: &str, claims: &Json, signed: bool) -> Result<(), Wrong> {
    let must = |good: bool, name: &'static str| if good { Ok(()) } else { Err(Wrong::Claim(name)) };
    must(claims.get("sub").and_then(Json::as_str) == Some(subject), "userinfo sub")?;
    if signed {
        let issuer = claims.get("iss").and_then(Json::as_str);
        must(claims.get("iss").is_none() || issuer == Some(asked.declared.issuer.as_str()), "userinfo iss")?;
        must(claims.get("aud").is_none() || audience(claims, &asked.declared.client_id), "userinfo aud")?;
        let fresh = after(claims, "exp", asked.now).is_some_and(|late| late < CLOCKS);
        must(claims.get("exp").is_none() || fresh, "userinfo exp")?;
    }
    Ok(())
}

fn audience(claims: &Json, client: &str) -> bool {
    match claims.get("aud") {
        Some(Json::String(one)) => one == client,
        Some(Json::Array(all)) => all.iter().any(|one| one.as_str() == Some(client)),
        _ => false,
    }
}

/// How long after a claimed time it is.
fn after(claims: &Json, name: &str, now: Timestamp) -> Option<SignedDuration> {
    Some(now.duration_since(time(claims, name)?))
}

fn time(claims: &Json, name: &str) -> Option<Timestamp> {
    let seconds = claims.get(name)?;
    // Some providers give fractions of seconds.
    #[expect(clippy::cast_possible_truncation, reason = "Timestamp refuses what is too far")]
    let seconds = seconds.as_i64().or_else(|| seconds.as_f64().map(|seconds| seconds as i64))?;
    Timestamp::from_second(seconds).ok()
}

/// The left half of the token's hash (OpenID Connect Core §3.1.3.6), RS256 and ES256 both hashing with SHA-256.
fn half_hash(token: &str) -> String {
    let hash: Vec<u8> = Sha256::digest(token.as_bytes()).iter().copied().take(16).collect();
    BASE64URL_NOPAD.encode(&hash)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: &str = "2026-11-17T09:00:00Z";
    const TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    fn declared() -> Declaration {
        let text = "id = \"a\"\nname = \"A\"\nprofile = \"franceconnect\"\ndoor = \"usagers\"\nissuer = \"https://a.fr/\"\nclient_id = \"ville\"";
        Declaration::read("a.toml", text).unwrap()
    }

    fn claims() -> Json {
        let now = now().as_second();
        json!({
            "iss": "https://a.fr/", "aud": "ville", "sub": "s", "nonce": "n", "iat": now, "exp": now + 60, "acr": "eidas1",
            "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
        })
    }

    fn judge(claims: &Json) -> Result<String, Wrong> {
        let declared = declared();
        id_token(&Asked { declared: &declared, nonce: "n", access_token: TOKEN, fresh: None, now: now() }, claims)
    }

    #[test]
    fn one_wrong_claim_is_enough() {
        assert_eq!(judge(&claims()), Ok("s".to_owned()));
        let at = |seconds: i64| json!(now().as_second() + seconds);
        for (name, value, good) in [
            ("iss", json!("https://a.fr"), false),
            ("iss", Json::Null, false),
            ("aud", json!("autre"), false),
            ("aud", json!(["ville"]), true),
            ("aud", json!(["ville", "autre"]), false),
            ("aud", Json::Null, false),
            ("azp", json!("ville"), true),
            ("azp", json!("autre"), false),
            ("exp", at(-119), true),
            ("exp", at(-120), false),
            ("exp", Json::Null, false),
            ("exp", json!("demain"), false),
            ("exp", json!(1e300), false),
            ("iat", at(120), true),
            ("iat", at(121), false),
            ("iat", Json::Null, false),
            ("nbf", at(120), true),
            ("nbf", at(121), false),
            ("nonce", json!("m"), false),
            ("nonce", Json::Null, false),
            ("at_hash", json!("77QmUPtjPfzWtF2AnpK9RR"), false),
            ("at_hash", json!(1), false),
            ("sub", json!(""), false),
            ("sub", json!(7), false),
            ("sub", json!("x".repeat(256)), false),
        ] {
            let mut bent = claims();
            bent[name] = value.clone();
            let found = judge(&bent);
            assert_eq!(found.is_ok(), good, "{name} {value}: {found:?}");
            if !good {
                assert!(matches!(found, Err(Wrong::Claim(_))), "{name} {value}");
            }
        }
        let mut shared = claims();
        (shared["aud"], shared["azp"]) = (json!(["ville", "autre"]), json!("ville"));
        assert!(judge(&shared).is_ok());
        let mut weak = claims();
        weak["acr"] = json!("eidas0");
        assert_eq!(judge(&weak), Err(Wrong::Weak));
        weak.as_object_mut().unwrap().remove("acr");
        assert_eq!(judge(&weak), Err(Wrong::Weak));
    }

    #[test]
    fn fresh_credentials_are_judged() {
        let mut ordinary = declared();
        ordinary.profile = crate::provider::declaration::Profile::Generic;
        let judge = |declared: &Declaration, told: Json| {
            let mut claims = claims();
            claims.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
            id_token(&Asked { declared, nonce: "n", access_token: TOKEN, fresh: Some(now()), now: now() }, &claims)
        };
        let at = |seconds: i64| json!({"auth_time": now().as_second() + seconds});
        for declared in [&ordinary, &declared()] {
            assert!(judge(declared, at(-120)).is_ok() && judge(declared, at(5)).is_ok());
            assert_eq!(judge(declared, at(-121)), Err(Wrong::Old));
            assert_eq!(judge(declared, json!({"auth_time": "hier"})), Err(Wrong::Old));
        }
        assert_eq!(judge(&ordinary, json!({})), Err(Wrong::Old));
        assert!(judge(&declared(), json!({})).is_ok());
    }

    #[test]
    fn userinfo_speaks_of_the_same_person() {
        let declared = declared();
        let asked = Asked { declared: &declared, nonce: "n", access_token: TOKEN, fresh: None, now: now() };
        let judge = |claims: Json| userinfo(&asked, "s", &claims, true).is_ok();
        assert!(judge(json!({"sub": "s"})) && judge(claims()));
        for wrong in [
            json!({}),
            json!({"sub": "t"}),
            json!({"sub": "s", "iss": "https://b.fr"}),
            json!({"sub": "s", "aud": "autre"}),
            json!({"sub": "s", "exp": 1}),
        ] {
            assert!(!judge(wrong.clone()), "{wrong}");
        }
        assert!(userinfo(&asked, "t", &json!({"sub": "s"}), false).is_err());
    }
}
