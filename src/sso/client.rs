//! Applications (« services ») that usagers sign in to with their account here: what a declaration says.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::address;
use crate::platform::secret;

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

/// A file of `guichet admin add-client`.
#[derive(Debug, Clone, Serialize, Deserialize)]
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

#[derive(Debug, Clone, Serialize, Deserialize)]
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

#[derive(Debug, Clone, Serialize, Deserialize)]
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
        let json = std::path::Path::new(name).extension().is_some_and(|kind| kind.eq_ignore_ascii_case("json"));
        let found: Self = if json {
            serde_json::from_str(text).with_context(|| name.to_owned())?
        } else {
            toml::from_str(text).with_context(|| name.to_owned())?
        };
        found.check().with_context(|| name.to_owned())?;
        Ok(found)
    }

    fn check(&self) -> Result<()> {
        let letters = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
        ensure!(
            !self.id.is_empty() && self.id.len() <= 60 && self.id.bytes().all(letters),
            "id: small letters, digits and dashes, 60 at most"
        );
        ensure!(!self.name.trim().is_empty() && self.name.chars().count() <= 100, "name: 1 to 100 characters");
        if self.oidc.is_none() && self.cas.is_none() {
            bail!("[oidc] or [cas] is missing");
        }
        if let Some(oidc) = &self.oidc {
            ensure!(!oidc.redirect_uris.is_empty(), "oidc.redirect_uris: one at least");
            check("oidc.redirect_uris", &oidc.redirect_uris)?;
            check("oidc.post_logout_redirect_uris", &oidc.post_logout_redirect_uris)?;
            check("oidc.backchannel_logout_uri", oidc.backchannel_logout_uri.as_slice())?;
        }
        if let Some(cas) = &self.cas {
            ensure!(!cas.services.is_empty(), "cas.services: one at least");
            check("cas.services", &cas.services)?;
            check("cas.proxy_callbacks", &cas.proxy_callbacks)?;
            let https = cas.proxy_callbacks.iter().all(|url| url.starts_with("https://"));
            ensure!(https, "cas.proxy_callbacks: must begin with https://");
            let query = cas.services.iter().chain(&cas.proxy_callbacks).any(|url| url.contains('?'));
            ensure!(!query, "cas: the beginning of an address has no « ? »");
        }
        Ok(())
    }
}

fn check(key: &str, addresses: &[String]) -> Result<()> {
    for text in addresses {
        if let Err(reason) = address::declared(text) {
            bail!("{key}: {text}: {reason}");
        }
    }
    Ok(())
}

/// A declared application, as it is kept.
#[derive(Debug, Clone)]
pub struct Client {
    pub declaration: Declaration,
    pub secret_hash: Option<Vec<u8>>,
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

    pub fn has_secret(&self, typed: &str) -> bool {
        let kept = self.secret_hash.as_deref().unwrap_or_default();
        kept.ct_eq(&secret::digest(typed)).into()
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
        assert_eq!(serde_json::to_string(&Declaration::read("a.JSON", &json).unwrap()).unwrap(), json);
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
        assert!(wrong("https://mediatheque.exemple.fr/cas/", "https://mediatheque.exemple.fr/cas?a").contains("cas:"));
        let bare = Declaration::read("a.toml", "id = \"a\"\nname = \"A\"\n").unwrap_err();
        assert!(format!("{bare:#}").contains("[oidc] or [cas]"));
    }

    #[test]
    fn a_public_application_has_no_secret_to_guess() {
        let declaration = Declaration::read("service.toml", FILE).unwrap();
        let mut client = Client { declaration, secret_hash: None };
        assert!(!client.has_secret("") && !client.has_secret("x"));
        client.secret_hash = Some(secret::digest("x"));
        assert!(client.has_secret("x") && !client.has_secret("y"));
    }
}
