//! Authorization requests (OpenID Connect Core §3.1.2, RFC 7636): what is asked, or why it is refused. Pure.

use std::collections::BTreeSet;

use data_encoding::BASE64URL_NOPAD;
use forms::answers::Raw;
use sha2::{Digest, Sha256};

use super::level::{self, Level};
use crate::sso::client::{Claim, Claims, Client};

/// An answer to the application, at its own address: code, and a sentence for its developers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal(pub &'static str, pub &'static str);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub redirect_uri: String,
    pub state: Option<String>,
    pub nonce: Option<String>,
    /// S256, base64url.
    pub challenge: Option<String>,
    pub claims: Claims,
    pub silent: bool,
    /// Credentials, whoever is signed in.
    pub login: bool,
    pub consent: bool,
    /// Seconds since credentials were presented, at most.
    pub max_age: Option<i64>,
    /// Any of these will do, the first ones rather.
    pub levels: Vec<Level>,
}

/// OpenID Connect Core Unmet Authentication Requirements 1.0.
pub const UNMET: &str = "unmet_authentication_requirements";

/// Parameters that count; each may be there once.
const KNOWN: [&str; 16] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "prompt",
    "max_age",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "claims",
    "id_token_hint",
    "acr_values",
];

/// Longest state, nonce or challenge kept or given back.
const LONGEST: usize = 2000;

/// The address to answer to, when it is exactly a declared one: nothing is ever sent to another.
pub fn redirect_uri(client: &Client, raw: &Raw) -> Option<String> {
    let declared = &client.oidc.as_ref()?.redirect_uris;
    let mut given = raw.all("redirect_uri");
    let uri = given.next()?;
    (given.next().is_none() && declared.iter().any(|one| one == uri)).then(|| uri.to_owned())
}

/// What is given back as it came.
pub fn state(raw: &Raw) -> Option<String> {
    some(raw, "state").filter(|state| state.len() <= LONGEST)
}

fn some(raw: &Raw, name: &str) -> Option<String> {
    raw.all(name).next().filter(|value| !value.is_empty()).map(str::to_owned)
}

pub fn read(client: &Client, redirect_uri: String, raw: &Raw) -> Result<Asked, Refusal> {
    if KNOWN.iter().any(|name| raw.all(name).nth(1).is_some()) {
        return Err(Refusal("invalid_request", "a parameter is given twice"));
    }
    if raw.0.contains_key("request") {
        return Err(Refusal("request_not_supported", "request objects are not supported"));
    }
    if raw.0.contains_key("request_uri") {
        return Err(Refusal("request_uri_not_supported", "request objects are not supported"));
    }
    if raw.text("response_type") != "code" {
        return Err(Refusal("unsupported_response_type", "response_type must be code"));
    }
    if !["", "query"].contains(&raw.text("response_mode")) {
        return Err(Refusal("invalid_request", "response_mode must be query"));
    }
    if ["state", "nonce"].iter().any(|name| raw.text(name).len() > LONGEST) {
        return Err(Refusal("invalid_request", "state or nonce is too long"));
    }
    let challenge = challenge(client, raw)?;
    let claims = claims(client, raw.text("scope"))?;
    let prompt: BTreeSet<&str> = raw.text("prompt").split_whitespace().collect();
    if prompt.contains("none") && prompt.len() > 1 {
        return Err(Refusal("invalid_request", "prompt=none goes alone"));
    }
    let max_age = match some(raw, "max_age").map(|age| age.parse::<u32>()) {
        None => None,
        Some(Ok(age)) => Some(i64::from(age)),
        Some(Err(_)) => return Err(Refusal("invalid_request", "max_age must be a number of seconds")),
    };
    let Some(levels) = level::asked(raw.text("acr_values")) else {
        return Err(Refusal(UNMET, "no such acr_values here: see acr_values_supported"));
    };
    Ok(Asked {
        levels,
        redirect_uri,
        state: state(raw),
        nonce: some(raw, "nonce"),
        challenge,
        claims,
        silent: prompt.contains("none"),
        login: prompt.contains("login") || prompt.contains("select_account"),
        consent: prompt.contains("consent"),
        max_age,
    })
}

fn challenge(client: &Client, raw: &Raw) -> Result<Option<String>, Refusal> {
    let Some(challenge) = some(raw, "code_challenge") else {
        return if client.oidc.as_ref().is_some_and(|oidc| oidc.public) {
            Err(Refusal("invalid_request", "code_challenge is missing"))
        } else {
            Ok(None)
        };
    };
    if raw.text("code_challenge_method") != "S256" {
        return Err(Refusal("invalid_request", "code_challenge_method must be S256"));
    }
    let hash = BASE64URL_NOPAD.decode(challenge.as_bytes()).ok().filter(|hash| hash.len() == 32);
    if hash.is_none() {
        return Err(Refusal("invalid_request", "code_challenge is not a SHA-256 in base64url"));
    }
    Ok(Some(challenge))
}

/// What the scopes ask for, as far as the declaration allows it.
fn claims(client: &Client, scope: &str) -> Result<Claims, Refusal> {
    let scopes: BTreeSet<&str> = scope.split(' ').collect();
    if !scopes.contains("openid") {
        return Err(Refusal("invalid_scope", "scope must hold openid"));
    }
    let asked = |claim: &Claim| match claim {
        Claim::GivenName | Claim::FamilyName | Claim::Login => scopes.contains("profile"),
        Claim::Email => scopes.contains("email"),
        Claim::PhoneNumber => scopes.contains("phone"),
    };
    Ok(client.claims.iter().copied().filter(asked).collect())
}

/// The scopes that these claims stand for.
pub fn scope(claims: &Claims) -> String {
    let has = |list: &[Claim]| list.iter().any(|claim| claims.contains(claim));
    let profile = has(&[Claim::GivenName, Claim::FamilyName, Claim::Login]);
    let parts = [("profile", profile), ("email", has(&[Claim::Email])), ("phone", has(&[Claim::PhoneNumber]))];
    parts.iter().filter(|(_, there)| *there).fold("openid".to_owned(), |scope, (name, _)| format!("{scope} {name}"))
}

/// Whether `verifier` is what the challenge was made from (RFC 7636 §4.6).
pub fn verified(challenge: Option<&str>, verifier: &str) -> bool {
    let Some(challenge) = challenge else {
        // Nobody asked for a verifier: one that comes anyway tells of a mixed-up code.
        return verifier.is_empty();
    };
    let fit = (43..=128).contains(&verifier.len());
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    fit && verifier.bytes().all(unreserved) && BASE64URL_NOPAD.encode(&Sha256::digest(verifier.as_bytes())) == challenge
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{platform::form::urlencoded, sso::client::Declaration};

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn client(public: bool) -> Client {
        let text = format!(
            "id = \"a\"\nname = \"A\"\nclaims = [\"given_name\", \"email\"]\n[oidc]\nredirect_uris = [\"https://a.fr/cb\"]\npublic = {public}\n"
        );
        Client {
            declaration: Declaration::read("a.toml", &text).unwrap(),
            secret_hash: None,
            old_secret: None,
            version: 1,
        }
    }

    fn asked(public: bool, query: &str) -> Result<Asked, &'static str> {
        let raw = urlencoded(query.as_bytes());
        read(&client(public), "https://a.fr/cb".to_owned(), &raw).map_err(|refusal| refusal.0)
    }

    #[test]
    fn only_the_declared_address_is_answered() {
        let uri = |query: &str| redirect_uri(&client(false), &urlencoded(query.as_bytes()));
        assert_eq!(uri("redirect_uri=https://a.fr/cb").as_deref(), Some("https://a.fr/cb"));
        for wrong in [
            "",
            "redirect_uri=",
            "redirect_uri=https://a.fr/cb/",
            "redirect_uri=https://a.fr/cb?x=1",
            "redirect_uri=https://a.fr/cb%23x",
            "redirect_uri=https://A.fr/cb",
            "redirect_uri=http://a.fr/cb",
            "redirect_uri=https://autre.fr/cb",
            "redirect_uri=https://a.fr/cb&redirect_uri=https://autre.fr",
        ] {
            assert_eq!(uri(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn requests_are_read() {
        let found = asked(
            false,
            "response_type=code&scope=openid+profile+phone+x&state=s&nonce=n&prompt=login+consent&max_age=0",
        )
        .unwrap();
        assert_eq!(found.claims, Claims::from([Claim::GivenName]));
        assert_eq!((found.login, found.consent, found.silent, found.max_age), (true, true, false, Some(0)));
        assert_eq!((found.state.as_deref(), found.nonce.as_deref(), found.challenge), (Some("s"), Some("n"), None));
        assert_eq!(scope(&found.claims), "openid profile");
        assert_eq!(
            scope(&Claims::from([Claim::Email, Claim::Login, Claim::PhoneNumber])),
            "openid profile email phone"
        );
        let pkce = format!("response_type=code&scope=openid&code_challenge={CHALLENGE}&code_challenge_method=S256");
        assert_eq!(asked(true, &pkce).unwrap().challenge.as_deref(), Some(CHALLENGE));
    }

    #[test]
    fn mistakes_have_their_codes() {
        let pkce = |method: &str| format!("response_type=code&scope=openid&code_challenge={CHALLENGE}{method}");
        for (public, query, code) in [
            (false, "response_type=token&scope=openid", "unsupported_response_type"),
            (false, "response_type=code+id_token&scope=openid", "unsupported_response_type"),
            (false, "scope=openid", "unsupported_response_type"),
            (false, "response_type=code", "invalid_scope"),
            (false, "response_type=code&scope=email", "invalid_scope"),
            (false, "response_type=code&scope=openid&scope=openid", "invalid_request"),
            (false, "response_type=code&scope=openid&prompt=none+login", "invalid_request"),
            (false, "response_type=code&scope=openid&max_age=-1", "invalid_request"),
            (false, "response_type=code&scope=openid&response_mode=fragment", "invalid_request"),
            (false, "response_type=code&scope=openid&acr_values=eidas1", UNMET),
            (false, "response_type=code&scope=openid&acr_values=phr&acr_values=phr", "invalid_request"),
            (false, "response_type=code&scope=openid&request=x", "request_not_supported"),
            (false, "response_type=code&scope=openid&request_uri=x", "request_uri_not_supported"),
            (true, "response_type=code&scope=openid", "invalid_request"),
            (true, &pkce(""), "invalid_request"),
            (true, &pkce("&code_challenge_method=plain"), "invalid_request"),
            (true, "response_type=code&scope=openid&code_challenge=x&code_challenge_method=S256", "invalid_request"),
        ] {
            assert_eq!(asked(public, query), Err(code), "{query}");
        }
    }

    #[test]
    fn verifiers_match_their_challenge() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(verified(Some(CHALLENGE), verifier) && verified(None, ""));
        assert!(!verified(Some(CHALLENGE), "") && !verified(Some(CHALLENGE), &format!("{verifier}x")));
        assert!(!verified(None, verifier) && !verified(Some("x"), "x"));
    }
}
