//! LemonLDAP::NG, run by plackup: a provider with its demonstration users (dwho / dwho), or an application. It ends
//! with the test.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    Folder,
    client::http,
    html,
    peers::{Killed, cached, eventually, free_port},
};

pub mod client;
mod provider;

pub use provider::{CLIENT, SECRET};

pub struct Llng {
    pub url: String,
    folder: Folder,
    _running: Killed,
}

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The system's: 2.16 in Debian 12.
    Installed,
    /// Since 2.17 an application is told of logouts.
    Recent,
}

impl Version {
    fn root(self) -> String {
        match self {
            Self::Installed => String::new(),
            Self::Recent => cached("lemonldap").to_str().unwrap().to_owned(),
        }
    }
}

impl Llng {
    /// Ready, and knowing the portal of this address as an application with two return addresses.
    pub async fn start(portal: &str) -> Self {
        let llng = Self::run(Version::Installed, |url, folder| provider::settings(url, folder, portal));
        llng.answers("/.well-known/openid-configuration").await;
        llng
    }

    /// With settings made of its address and of its folder, over those that all have.
    fn run(version: Version, settings: impl FnOnce(&str, &Folder) -> Value) -> Self {
        let (folder, port) = (Folder::new(), free_port());
        let (here, url) = (folder.0.to_str().unwrap().to_owned(), format!("http://127.0.0.1:{port}"));
        for path in ["conf", "sessions", "locks"] {
            std::fs::create_dir(folder.0.join(path)).unwrap();
        }
        let mut all = common(&url, &here);
        for (name, value) in settings(&url, &folder).as_object().unwrap() {
            all[name.as_str()] = value.clone();
        }
        std::fs::write(folder.0.join("conf/lmConf-1.json"), all.to_string()).unwrap();
        let root = version.root();
        let ini = format!(
            "[all]\nlogLevel = warn\n[configuration]\ntype = File\ndirName = {here}/conf\nlocalStorage = Cache::NullCache\n\
             [portal]\ntemplateDir = {root}/usr/share/lemonldap-ng/portal/templates\nstaticPrefix = /static\n"
        );
        std::fs::write(folder.0.join("lemonldap-ng.ini"), ini).unwrap();
        let script = format!(
            "use Lemonldap::NG::Portal::Main;\nLemonldap::NG::Portal::Main->run({{configStorage=>{{confFile=>'{here}/lemonldap-ng.ini'}}}});\n"
        );
        std::fs::write(folder.0.join("app.psgi"), script).unwrap();
        let log = std::fs::File::create(folder.0.join("log")).unwrap();
        let mut command = Command::new("plackup");
        command.args(["-o", "127.0.0.1", "-p", &port.to_string(), "app.psgi"]).current_dir(&folder.0);
        command.env("PERL5LIB", format!("{root}/usr/share/perl5"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        Self { url, folder, _running: Killed(child.expect("plackup is missing: run scripts/setup-tests.sh")) }
    }

    async fn answers(&self, path: &str) {
        let (http, address) = (http(), format!("{}{path}", self.url));
        eventually("LemonLDAP::NG answers", Duration::from_secs(60), async || http.get(&address).send().await.ok())
            .await;
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

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("log")).unwrap_or_default()
    }
}

fn cookies(answer: &reqwest::Response) -> String {
    let all = answer.headers().get_all("set-cookie").into_iter();
    all.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
}

fn common(url: &str, here: &str) -> Value {
    let store = json!({
        "Directory": format!("{here}/sessions"), "LockDirectory": format!("{here}/locks"),
        "generateModule": "Lemonldap::NG::Common::Apache::Session::Generate::SHA256",
    });
    json!({
        "cfgNum": 1, "cfgAuthor": "tests", "cfgDate": 1, "portal": format!("{url}/"), "domain": "127.0.0.1", "cookieName": "lemonldap", "securedCookie": 0,
        "exportedVars": {}, "macros": {}, "locationRules": {}, "exportedHeaders": {}, "requireToken": 0, "whatToTrace": "uid", "timeout": 7200,
        "globalStorage": "Apache::Session::File", "globalStorageOptions": store,
        "persistentStorage": "Apache::Session::File", "persistentStorageOptions": store, "localSessionStorage": "Cache::NullCache",
    })
}
