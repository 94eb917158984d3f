//! Applications (« services ») that usagers sign in to with their account here: what a declaration says.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use jiff::Timestamp;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{
    address,
    mistake::{MOST, Mistake, Reason},
};
use crate::platform::{declaration, secret};

/// What an application may be given beside the name it knows somebody by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    GivenName,
    FamilyName,
    Email,
    PhoneNumber,
    /// The address somebody signs in with here, as a user name: lets applications join their files.
    Login,
}

pub type Claims = BTreeSet<Claim>;

/// A file of `guichet admin add-client`, or what an administrator filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    pub id: String,
    /// As usagers know it: « Médiathèque ».
    pub name: String,
    /// What it may be given.
    #[serde(default)]
    pub claims: Claims,
    #[serde(default)]
    pub oidc: Option<Oidc>,
    #[serde(default)]
    pub cas: Option<Cas>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// Exact addresses.
    pub redirect_uris: Vec<String>,
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    #[serde(default)]
    pub backchannel_logout_uri: Option<String>,
    /// Runs at the usager's (browser, telephone): has no secret, must use PKCE.
    #[serde(default)]
    pub public: bool,
    /// May renew its tokens as long as the session lasts.
    #[serde(default)]
    pub refresh_tokens: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cas {
    /// Beginnings of its addresses, each a scheme, a host, a port and whole segments of a path.
    pub services: Vec<String>,
    /// Beginnings of the addresses where it may be given proxy-granting tickets; none: it is no proxy.
    #[serde(default)]
    pub proxy_callbacks: Vec<String>,
}

impl Declaration {
    /// Reads a file, TOML or JSON by its name.
    ///
    /// # Errors
    /// The first mistake, named.
    pub fn read(name: &str, text: &str) -> Result<Self> {
        let found: Self = declaration::read(name, text)?;
        match found.mistakes().first() {
            Some(mistake) => Err(anyhow::anyhow!("{}", mistake.english())).with_context(|| name.to_owned()),
            None => Ok(found),
        }
    }

    /// The same declaration as a file.
    ///
    /// # Errors
    /// Never with a declaration that could be read.
    pub fn toml(&self) -> Result<String> {
        Ok(toml::to_string(self)?)
    }

    /// Whether tokens are asked with a secret.
    pub fn wants_secret(&self) -> bool {
        self.oidc.as_ref().is_some_and(|oidc| !oidc.public)
    }

    /// All that is wrong, in the order of the file.
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        let letters = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
        if self.id.is_empty() || self.id.len() > 60 || !self.id.bytes().all(letters) {
            found.push(Mistake::new("id", Reason::Id));
        }
        if self.name.trim().is_empty() || self.name.chars().count() > 100 {
            found.push(Mistake::new("name", Reason::Name));
        }
        if self.oidc.is_none() && self.cas.is_none() {
            found.push(Mistake::new("", Reason::NoProtocol));
        }
        if let Some(oidc) = &self.oidc {
            addresses(&mut found, "oidc.redirect_uris", &oidc.redirect_uris, true);
            addresses(&mut found, "oidc.post_logout_redirect_uris", &oidc.post_logout_redirect_uris, false);
            addresses(&mut found, "oidc.backchannel_logout_uri", oidc.backchannel_logout_uri.as_slice(), false);
        }
        if let Some(cas) = &self.cas {
            prefixes(&mut found, "cas.services", &cas.services, true);
            prefixes(&mut found, "cas.proxy_callbacks", &cas.proxy_callbacks, false);
            for text in cas.proxy_callbacks.iter().filter(|url| !url.starts_with("https://")) {
                found.push(Mistake::of("cas.proxy_callbacks", Reason::Https, text));
            }
        }
        found
    }
}

fn addresses(found: &mut Vec<Mistake>, key: &'static str, list: &[String], needed: bool) {
    if needed && list.is_empty() {
        found.push(Mistake::new(key, Reason::Missing));
    }
    if list.len() > MOST {
        found.push(Mistake::new(key, Reason::TooMany));
    }
    for text in list {
        if let Err(wrong) = address::declared(text) {
            found.push(Mistake::of(key, Reason::Address(wrong), text));
        }
    }
}

fn prefixes(found: &mut Vec<Mistake>, key: &'static str, list: &[String], needed: bool) {
    addresses(found, key, list, needed);
    for text in list.iter().filter(|url| url.contains('?')) {
        found.push(Mistake::of(key, Reason::Query, text));
    }
}

/// A declared application, as it is kept.
#[derive(Debug, Clone)]
pub struct Client {
    pub declaration: Declaration,
    pub secret_hash: Option<Vec<u8>>,
    /// The secret before, and until when it is good.
    pub old_secret: Option<(Vec<u8>, Timestamp)>,
    /// Grows with each change.
    pub version: i64,
}

impl std::ops::Deref for Client {
    type Target = Declaration;

    fn deref(&self) -> &Declaration {
        &self.declaration
    }
}

impl Client {
    pub fn clear_login(&self) -> bool {
        self.claims.contains(&Claim::Login)
    }

    /// Length of the longest declared beginning that covers this service.
    pub fn covers(&self, service: &Url) -> Option<usize> {
        longest(self.cas.as_ref()?.services.as_slice(), service)
    }

    pub fn may_call_back(&self, url: &Url) -> bool {
        self.cas.as_ref().is_some_and(|cas| longest(&cas.proxy_callbacks, url).is_some())
    }

    /// Whether this is its secret, or the one before that is still good.
    pub fn has_secret(&self, typed: &str, now: Timestamp) -> bool {
        let typed = secret::digest(typed);
        let old = self.old_secret.as_ref().filter(|(_, until)| now < *until).map(|(hash, _)| hash.as_slice());
        let present = self.secret_hash.as_deref().unwrap_or_default().ct_eq(&typed);
        (present | old.unwrap_or_default().ct_eq(&typed)).into()
    }
}

fn longest(prefixes: &[String], url: &Url) -> Option<usize> {
    let covering = prefixes.iter().filter_map(|prefix| Url::parse(prefix).ok());
    covering.filter(|prefix| address::covers(prefix, url)).map(|prefix| prefix.path().len()).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../../docs/examples/service.toml");

    #[test]
    fn the_example_is_a_declaration() {
        let found = Declaration::read("service.toml", FILE).unwrap();
        assert_eq!((found.id.as_str(), found.claims.len()), ("mediatheque", 3));
        let json = serde_json::to_string(&found).unwrap();
        assert_eq!(Declaration::read("a.JSON", &json).unwrap(), found);
        assert_eq!(Declaration::read("a.toml", &found.toml().unwrap()).unwrap(), found);
    }

    #[test]
    fn mistakes_are_named() {
        let wrong = |from: &str, to: &str| {
            let text = FILE.replace(from, to);
            assert_ne!(text, FILE, "{from}");
            format!("{:#}", Declaration::read("service.toml", &text).unwrap_err())
        };
        assert!(wrong("\"mediatheque\"", "\"Média\"").contains("id:"));
        assert!(wrong("[oidc]", "[oidcs]").contains("unknown field `oidcs`"));
        assert!(wrong("\"given_name\"", "\"birthdate\"").contains("birthdate"));
        assert!(
            wrong("https://mediatheque.exemple.fr/retour", "http://mediatheque.exemple.fr/retour")
                .contains("oidc.redirect_uris")
        );
        assert!(
            wrong("https://mediatheque.exemple.fr/cas/", "https://mediatheque.exemple.fr/cas?a")
                .contains("cas.services: ")
        );
        let bare = Declaration::read("a.toml", "id = \"a\"\nname = \"A\"\n").unwrap_err();
        assert!(format!("{bare:#}").contains("[oidc] or [cas]"));
    }

    #[test]
    fn a_public_application_has_no_secret_to_guess() {
        let declaration = Declaration::read("service.toml", FILE).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let mut client = Client { declaration, secret_hash: None, old_secret: None, version: 1 };
        assert!(!client.has_secret("", now) && !client.has_secret("x", now));
        client.secret_hash = Some(secret::digest("x"));
        assert!(client.has_secret("x", now) && !client.has_secret("y", now));
        let until = now + jiff::SignedDuration::from_hours(1);
        client.old_secret = Some((secret::digest("y"), until));
        assert!(client.has_secret("x", now) && client.has_secret("y", now));
        assert!(client.has_secret("x", until) && !client.has_secret("y", until));
    }

    #[test]
    fn every_mistake_is_told_in_both_languages() {
        let oidc = Oidc {
            redirect_uris: vec![],
            post_logout_redirect_uris: vec![
                "a".into(),
                "http://a.fr".into(),
                format!("https://a.fr/{}", "x".repeat(1000)),
            ],
            backchannel_logout_uri: Some("https://a:b@a.fr/".into()),
            public: false,
            refresh_tokens: false,
        };
        let cas =
            Cas { services: vec!["https://a.fr/?x".into(); 51], proxy_callbacks: vec!["http://localhost/".into()] };
        let mut wrong =
            Declaration { id: "É".into(), name: " ".into(), claims: Claims::new(), oidc: Some(oidc), cas: Some(cas) };
        let found = wrong.mistakes();
        let keys: std::collections::BTreeSet<&str> = found.iter().map(|one| one.key).collect();
        assert_eq!(keys.len(), 7, "{found:?}");
        assert!(found.iter().all(|one| one.english().starts_with(one.key) && one.french() != one.english()));
        (wrong.oidc, wrong.cas) = (None, None);
        assert_eq!(wrong.mistakes().last().map(Mistake::english).as_deref(), Some("[oidc] or [cas] is missing"));
    }
}
