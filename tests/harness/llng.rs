//! LemonLDAP::NG, run by plackup, with its demonstration users (dwho / dwho). It ends with the test.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::json;

use super::{
    Folder,
    client::http,
    html,
    peers::{Killed, eventually, free_port},
};

pub const CLIENT: &str = "ville";
pub const SECRET: &str = "s3cret";

pub struct Llng {
    pub url: String,
    folder: Folder,
    _running: Killed,
}

impl Llng {
    /// Ready, and knowing the portal of this address as an application with two return addresses.
    pub async fn start(portal: &str) -> Self {
        let (folder, port) = (Folder::new(), free_port());
        let (here, url) = (folder.0.to_str().unwrap().to_owned(), format!("http://127.0.0.1:{port}"));
        for path in ["conf", "sessions", "locks"] {
            std::fs::create_dir(folder.0.join(path)).unwrap();
        }
        let openssl = |arguments: &[&str]| {
            let done = Command::new("openssl").args(arguments).current_dir(&folder.0).stderr(Stdio::null()).status();
            assert!(done.unwrap().success(), "openssl {arguments:?}");
        };
        openssl(&["genrsa", "-out", "key.pem", "2048"]);
        openssl(&["rsa", "-in", "key.pem", "-pubout", "-out", "public.pem"]);
        let key = |name: &str| std::fs::read_to_string(folder.0.join(name)).unwrap();
        let settings = settings(&url, &here, portal, &key("key.pem"), &key("public.pem"));
        std::fs::write(folder.0.join("conf/lmConf-1.json"), settings.to_string()).unwrap();
        let ini = format!(
            "[all]\nlogLevel = warn\n[configuration]\ntype = File\ndirName = {here}/conf\nlocalStorage = Cache::NullCache\n\
             [portal]\ntemplateDir = /usr/share/lemonldap-ng/portal/templates\nstaticPrefix = /static\n"
        );
        std::fs::write(folder.0.join("lemonldap-ng.ini"), ini).unwrap();
        let script = format!(
            "use Lemonldap::NG::Portal::Main;\nLemonldap::NG::Portal::Main->run({{configStorage=>{{confFile=>'{here}/lemonldap-ng.ini'}}}});\n"
        );
        std::fs::write(folder.0.join("app.psgi"), script).unwrap();
        let log = std::fs::File::create(folder.0.join("log")).unwrap();
        let mut command = Command::new("plackup");
        command.args(["-o", "127.0.0.1", "-p", &port.to_string(), "app.psgi"]).current_dir(&folder.0);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let llng =
            Self { url, folder, _running: Killed(child.expect("plackup is missing: run scripts/setup-tests.sh")) };
        let address = format!("{}/.well-known/openid-configuration", llng.url);
        let http = http();
        eventually("LemonLDAP::NG answers", Duration::from_secs(60), async || http.get(&address).send().await.ok())
            .await;
        llng
    }

    /// Signs in as one of its users; gives where it sends the browser, and its session's cookie.
    pub async fn sign_in(&self, url: &str, user: &str) -> (String, String) {
        let http = http();
        let page = http.get(url).send().await.unwrap();
        let before = cookies(&page);
        let text = page.text().await.unwrap();
        // Its page is not as regular as ours.
        let hidden = text.split_once("name=\"url\" value=\"").map(|(_, rest)| rest.split('"').next().unwrap());
        let form = [
            ("url", html::decode(hidden.unwrap_or_default())),
            ("user", user.to_owned()),
            ("password", user.to_owned()),
        ];
        let answer = http.post(url).header("cookie", before).form(&form).send().await.unwrap();
        let session = cookies(&answer);
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        (to.unwrap_or_else(|| panic!("{}: {}", answer.status(), self.log())), session)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("log")).unwrap_or_default()
    }
}

fn cookies(answer: &reqwest::Response) -> String {
    let all = answer.headers().get_all("set-cookie").into_iter();
    all.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
}

fn settings(url: &str, here: &str, portal: &str, key: &str, public: &str) -> serde_json::Value {
    let store = json!({
        "Directory": format!("{here}/sessions"), "LockDirectory": format!("{here}/locks"),
        "generateModule": "Lemonldap::NG::Common::Apache::Session::Generate::SHA256",
    });
    let option = |name: &str| format!("oidcRPMetaDataOptions{name}");
    let two = |usager: &str, agent: &str| format!("{portal}{usager} {portal}{agent}");
    let client = json!({
        option("ClientID"): CLIENT, option("ClientSecret"): SECRET, option("IDTokenSignAlg"): "RS256", option("BypassConsent"): 1,
        option("RedirectUris"): two("/connexion/retour/llng", "/agent/connexion/retour/llng-agents"),
        option("PostLogoutRedirectUris"): two("/deconnexion/retour", "/agent/deconnexion/retour"),
        option("LogoutBypassConfirm"): 1, option("UserIDAttr"): "uid", option("RequirePKCE"): 1,
    });
    let mut all = json!({
        "cfgNum": 1, "cfgAuthor": "tests", "cfgDate": 1, "portal": format!("{url}/"), "domain": "127.0.0.1", "cookieName": "lemonldap", "securedCookie": 0,
        "authentication": "Demo", "userDB": "Same", "passwordDB": "Demo", "demoExportedVars": {"cn": "cn", "mail": "mail", "uid": "uid"},
        "exportedVars": {}, "macros": {}, "locationRules": {}, "exportedHeaders": {}, "requireToken": 0, "whatToTrace": "uid", "timeout": 7200,
        "globalStorage": "Apache::Session::File", "globalStorageOptions": store,
        "persistentStorage": "Apache::Session::File", "persistentStorageOptions": store, "localSessionStorage": "Cache::NullCache",
    });
    let provider = json!({
        "issuerDBOpenIDConnectActivation": 1, "issuerDBOpenIDConnectPath": "^/oauth2/", "issuerDBOpenIDConnectRule": 1,
        "oidcServiceMetaDataIssuer": url, "oidcServicePrivateKeySig": key, "oidcServicePublicKeySig": public, "oidcServiceKeyIdSig": "llng-1",
        "oidcServiceAllowAuthorizationCodeFlow": 1, "oidcServiceMetaDataAuthorizeURI": "authorize", "oidcServiceMetaDataTokenURI": "token",
        "oidcServiceMetaDataUserInfoURI": "userinfo", "oidcServiceMetaDataJWKSURI": "jwks", "oidcServiceMetaDataEndSessionURI": "logout",
        "oidcServiceMetaDataAuthnContext": {"loa-1": 1, "loa-2": 2}, "oidcRPMetaDataOptions": {"guichet": client},
        "oidcRPMetaDataExportedVars": {"guichet": {"email": "mail", "family_name": "cn"}}, "oidcRPMetaDataMacros": {},
    });
    for (name, value) in provider.as_object().unwrap() {
        all[name.as_str()] = value.clone();
    }
    all
}
