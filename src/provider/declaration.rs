//! What the declaration of an identity provider says, and the rules of each profile.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::{
    accounts::session::Kind,
    platform::{address, declaration},
};

/// The rules that a provider goes by beyond those of OpenID Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    Generic,
    /// FranceConnect v2, and FranceConnect+.
    FranceConnect,
    ProConnect,
}

/// Whose sign-in page offers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    Usagers,
    Agents,
}

impl Door {
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Usager => Self::Usagers,
            Kind::Agent => Self::Agents,
        }
    }

    /// The page that signs in with a password.
    pub fn page(self) -> &'static str {
        match self {
            Self::Usagers => "/connexion",
            Self::Agents => "/agent/connexion",
        }
    }
}

/// How we prove who we are when a code is exchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuth {
    #[default]
    Post,
    Basic,
}

/// A file of `guichet admin add-provider`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    pub id: String,
    /// As people know it: « FranceConnect ».
    pub name: String,
    pub profile: Profile,
    pub door: Door,
    /// As its discovery document says it, to the letter.
    pub issuer: String,
    pub client_id: String,
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// Empty: those of the profile.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Levels of assurance: for FranceConnect the least one, else those that are accepted. Empty: the profile's.
    #[serde(default)]
    pub acr: Vec<String>,
    /// The identity it gives is checked, and counts as verified here. None: for FranceConnect only.
    #[serde(default)]
    pub verified: Option<bool>,
    /// Sends a code challenge (PKCE). None: except to ProConnect, which refuses what it does not know.
    #[serde(default)]
    pub pkce: Option<bool>,
    /// Whoever signs out here signs out there. None: yes.
    #[serde(default)]
    pub logout: Option<bool>,
    #[serde(default)]
    pub claims: Names,
    #[serde(default)]
    pub agents: Agents,
}

/// What the provider calls each thing. Empty: the profile's name for it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Names {
    pub given_name: String,
    pub family_name: String,
    pub use_name: String,
    pub email: String,
    pub birthdate: String,
    pub birthplace: String,
    pub birthcountry: String,
}

/// What becomes of an agent that is seen for the first time.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Agents {
    /// The city trusts the provider's addresses: an agent's account of the same address is theirs.
    pub match_email: bool,
    /// An unknown agent gets an account, without any department. Else they are turned away.
    pub create: bool,
    /// Only agents of these establishments (SIRET) enter. Empty: no such rule.
    pub sirets: BTreeSet<String>,
}

impl Declaration {
    /// Reads a file, TOML or JSON by its name.
    ///
    /// # Errors
    /// The first mistake, named.
    pub fn read(name: &str, text: &str) -> Result<Self> {
        let found: Self = declaration::read(name, text)?;
        found.check().with_context(|| name.to_owned())?;
        Ok(found)
    }

    fn check(&self) -> Result<()> {
        let letters = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
        ensure!(
            !self.id.is_empty() && self.id.len() <= 60 && self.id.bytes().all(letters),
            "id: small letters, digits and dashes, 60 at most"
        );
        ensure!(!self.name.trim().is_empty() && self.name.chars().count() <= 60, "name: 1 to 60 characters");
        let issuer = address::declared(&self.issuer).map_err(|wrong| anyhow::anyhow!("issuer: {}", wrong.english()))?;
        ensure!(issuer.query().is_none(), "issuer: no « ? » in it");
        ensure!(!self.client_id.is_empty(), "client_id is missing");
        let word = |text: &String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        ensure!(self.scopes.iter().all(word), "scopes: words without spaces");
        ensure!(self.acr.iter().all(word), "acr: words without spaces");
        ensure!(
            self.scopes.is_empty() || self.scopes.iter().any(|scope| scope == "openid"),
            "scopes: openid is missing"
        );
        if self.profile == Profile::FranceConnect {
            ensure!(self.door == Door::Usagers, "door: FranceConnect is for usagers");
            ensure!(
                self.acr.len() <= 1 && self.acr.iter().all(|acr| level(acr).is_some()),
                "acr: eidas1, eidas2 or eidas3"
            );
        }
        ensure!(self.door == Door::Agents || self.profile != Profile::ProConnect, "door: ProConnect is for agents");
        let agents = &self.agents;
        let ruled = agents.match_email || agents.create || !agents.sirets.is_empty();
        ensure!(self.door == Door::Agents || !ruled, "agents: only with door = \"agents\"");
        ensure!(self.door == Door::Usagers || self.verified != Some(true), "verified: only with door = \"usagers\"");
        Ok(())
    }

    pub fn scope(&self) -> String {
        if !self.scopes.is_empty() {
            return self.scopes.join(" ");
        }
        match self.profile {
            Profile::Generic => "openid profile email",
            Profile::FranceConnect => "openid identite_pivot preferred_username email",
            Profile::ProConnect => "openid given_name usual_name email siret",
        }
        .to_owned()
    }

    /// Levels to ask for. FranceConnect must be told one.
    pub fn acr_values(&self) -> String {
        if self.acr.is_empty() && self.profile == Profile::FranceConnect {
            return "eidas1".to_owned();
        }
        self.acr.join(" ")
    }

    /// Whether a level that was reached is enough: equal or higher for FranceConnect, else one of those declared.
    pub fn reached(&self, acr: Option<&str>) -> bool {
        if self.profile == Profile::FranceConnect {
            let wanted = self.acr.first().map_or("eidas1", String::as_str);
            return acr.and_then(level) >= level(wanted);
        }
        self.acr.is_empty() || acr.is_some_and(|acr| self.acr.iter().any(|wanted| wanted == acr))
    }

    pub fn verified(&self) -> bool {
        self.verified.unwrap_or(self.profile == Profile::FranceConnect)
    }

    pub fn pkce(&self) -> bool {
        self.pkce.unwrap_or(self.profile != Profile::ProConnect)
    }

    /// FranceConnect and ProConnect know no `max_age`: FranceConnect takes `prompt`, and asks at each time.
    pub fn takes_max_age(&self) -> bool {
        self.profile == Profile::Generic
    }

    pub fn logout(&self) -> bool {
        self.logout.unwrap_or(true)
    }

    /// FranceConnect and ProConnect sign what they say of somebody: anything else is not from them.
    pub fn signs_userinfo(&self) -> bool {
        self.profile != Profile::Generic
    }

    /// Text of the button.
    pub fn invitation(&self) -> String {
        match self.profile {
            Profile::Generic => format!("Se connecter avec {}", self.name),
            Profile::FranceConnect | Profile::ProConnect => format!("S’identifier avec {}", self.name),
        }
    }

    /// Where its owner explains it; empty when there is no such page.
    pub fn about(&self) -> &'static str {
        match self.profile {
            Profile::Generic => "",
            Profile::FranceConnect => "https://franceconnect.gouv.fr/",
            Profile::ProConnect => "https://www.proconnect.gouv.fr/",
        }
    }
}

/// `eidas1` to `eidas3`.
fn level(acr: &str) -> Option<u8> {
    acr.strip_prefix("eidas")?.parse().ok().filter(|level| (1..=3).contains(level))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../../docs/examples/franceconnect.toml");

    #[test]
    fn the_examples_are_declarations() {
        let found = Declaration::read("franceconnect.toml", FILE).unwrap();
        assert!(found.verified() && found.pkce() && found.logout() && found.signs_userinfo());
        assert_eq!(
            (found.acr_values().as_str(), found.invitation().as_str()),
            ("eidas1", "S’identifier avec FranceConnect")
        );
        let agents = include_str!("../../docs/examples/proconnect.toml");
        let found = Declaration::read("proconnect.toml", agents).unwrap();
        assert!(!found.verified() && !found.pkce() && found.agents.match_email);
        let json = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::to_string(&Declaration::read("a.JSON", &json).unwrap()).unwrap(), json);
    }

    #[test]
    fn mistakes_are_named() {
        let wrong = |from: &str, to: &str| {
            let text = FILE.replace(from, to);
            assert_ne!(text, FILE, "{from}");
            format!("{:#}", Declaration::read("franceconnect.toml", &text).unwrap_err())
        };
        assert!(wrong("\"usagers\"", "\"agents\"").contains("door:"));
        assert!(wrong("https://oidc", "http://oidc").contains("issuer:"));
        assert!(wrong("eidas1", "loa-1").contains("acr:"));
        assert!(wrong("profile", "profil").contains("unknown field `profil`"));
        let generic = "id = \"a\"\nname = \"A\"\nprofile = \"generic\"\ndoor = \"usagers\"\nissuer = \"https://a.fr\"\nclient_id = \"x\"\n";
        assert!(Declaration::read("a.toml", generic).is_ok());
        for (more, why) in [("scopes = [\"email\"]\n", "openid"), ("[agents]\ncreate = true\n", "agents:")] {
            assert!(
                format!("{:#}", Declaration::read("a.toml", &format!("{generic}{more}")).unwrap_err()).contains(why)
            );
        }
    }

    #[test]
    fn levels_are_compared() {
        let declared = |acr: &str| Declaration::read("f.toml", &FILE.replace("eidas1", acr)).unwrap();
        let (low, high) = (declared("eidas1"), declared("eidas2"));
        assert!(low.reached(Some("eidas1")) && low.reached(Some("eidas3")));
        assert!(high.reached(Some("eidas2")) && !high.reached(Some("eidas1")));
        for wrong in [None, Some(""), Some("eidas"), Some("eidas9"), Some("loa-4")] {
            assert!(!low.reached(wrong), "{wrong:?}");
        }
        let mut other = low.clone();
        (other.profile, other.acr) = (Profile::Generic, vec![]);
        assert!(other.reached(None));
        other.acr = vec!["loa-2".to_owned(), "loa-3".to_owned()];
        assert!(other.reached(Some("loa-3")) && !other.reached(Some("loa-4")) && !other.reached(None));
    }
}
