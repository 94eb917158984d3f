//! LemonLDAP::NG as an application: it has no accounts, people come in by their account at Guichet.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Llng, Version};
use crate::harness::client::http;

pub const ID: &str = "llng";

impl Llng {
    /// Ready, set as `docs/sso.md` says: with Guichet's own discovery document, and its keys where that tells.
    pub async fn application(version: Version, guichet: &str, secret: &str) -> Self {
        let discovery = format!("{guichet}/.well-known/openid-configuration");
        let metadata = http().get(&discovery).send().await.unwrap().text().await.unwrap();
        let llng = Self::run(version, |_, _| settings(&metadata, secret));
        llng.answers("/").await;
        llng
    }

    /// What to declare at Guichet.
    pub fn declaration(&self) -> String {
        let url = &self.url;
        format!(
            "id = \"{ID}\"\nname = \"Intranet\"\nclaims = [\"given_name\", \"family_name\", \"email\"]\n[oidc]\n\
             redirect_uris = [\"{url}/?openidconnectcallback=1\"]\npost_logout_redirect_uris = [\"{url}/?logout=1\"]\n\
             backchannel_logout_uri = \"{url}/oauth2/blogout\"\n"
        )
    }
}

fn settings(metadata: &str, secret: &str) -> Value {
    let option = |name: &str| format!("oidcOPMetaDataOptions{name}");
    let guichet = json!({
        option("ClientID"): ID, option("ClientSecret"): secret, option("Scope"): "openid profile email",
        option("TokenEndpointAuthMethod"): "client_secret_post", option("CheckJWTSignature"): 1, option("UseNonce"): 1,
        option("JWKSTimeout"): 1800, option("StoreIDToken"): 1,
    });
    json!({
        "authentication": "OpenIDConnect", "userDB": "Same", "passwordDB": "Null",
        "oidcOPMetaDataJSON": {"guichet": metadata}, "oidcOPMetaDataJWKS": {}, "oidcOPMetaDataOptions": {"guichet": guichet},
        "oidcOPMetaDataExportedVars": {"guichet": {"uid": "sub", "cn": "name", "givenName": "given_name", "sn": "family_name", "mail": "email"}},
        // Its sessions keep what was asked, having no cache here.
        "tokenUseGlobalStorage": 1,
        // To be asked what a session holds.
        "restSessionServer": 1, "exportedAttr": "+ _user uid cn givenName sn mail",
    })
}

/// A browser at the application.
#[derive(Default)]
pub struct Browser {
    cookies: BTreeMap<String, String>,
}

/// What it was shown.
pub struct Shown {
    pub status: u16,
    pub to: Option<String>,
    pub text: String,
}

impl Browser {
    pub async fn get(&mut self, url: &str) -> Shown {
        // LemonLDAP::NG answers programs otherwise than people.
        self.ask(url, "text/html").await
    }

    async fn ask(&mut self, url: &str, kind: &str) -> Shown {
        let jar = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let request = http().get(url).header("cookie", jar).header("accept", kind);
        let answer = request.send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        Shown { status: answer.status().as_u16(), to, text: answer.text().await.unwrap() }
    }

    /// Where it is sent, out of this application.
    pub async fn sent(&mut self, llng: &Llng, url: &str) -> String {
        let shown = self.get(url).await;
        let to = shown.to.filter(|to| !to.starts_with(&llng.url));
        to.unwrap_or_else(|| panic!("{url}: {} {} {}", shown.status, shown.text, llng.log()))
    }

    /// What the application keeps of who is signed in there; nothing when nobody is.
    pub async fn session(&mut self, llng: &Llng) -> Option<Value> {
        let shown = self.ask(&format!("{}/session/my/global", llng.url), "application/json").await;
        let told: Value = serde_json::from_str(&shown.text).unwrap_or_else(|_| panic!("{} {}", shown.text, llng.log()));
        // Nobody: it tells programs how far the sign-in is.
        told.get("_session_id").is_some().then_some(told)
    }
}
