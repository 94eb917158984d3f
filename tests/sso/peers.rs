//! Real applications, unmodified: python-cas, openid-client, mod_auth_openidc, mod_auth_cas.

use std::time::Duration;

use serde_json::Value;

use super::{SECRET, declare, reachable, walk};
use crate::harness::{
    Engine, Portal, USAGER,
    peers::{self, Apache, Script},
};

/// Where an application sends the browser.
async fn sent(http: &reqwest::Client, url: &str) -> String {
    let answer = http.get(url).send().await.unwrap();
    let status = answer.status();
    let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    let text = answer.text().await.unwrap();
    to.unwrap_or_else(|| panic!("{url}: {status} {text}"))
}

async fn json(http: &reqwest::Client, url: &str) -> Value {
    let answer = http.get(url).send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{url}: {status} {text}"))
}

/// The application forgets the session, told by ours.
async fn forgotten(http: &reqwest::Client, app: &str) {
    peers::eventually("the application is told", Duration::from_secs(10), async || {
        let open = json(http, &format!("{app}/sessions")).await;
        (open == serde_json::json!([])).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_cas() {
    for version in ["2", "3"] {
        let portal = Portal::start(Engine::Sqlite).await;
        let guichet = reachable(&portal).await;
        let app = Script::start("cas_client.py", &[&guichet, version]);
        let declaration =
            format!("id = \"py\"\nname = \"Python\"\nclaims = [\"email\"]\n[cas]\nservices = [\"{}/\"]\n", app.url());
        declare(&portal, &declaration).await;
        let http = crate::harness::client::http();
        let mut browser = portal.client_at(&portal.address.to_string());
        let ask = sent(&http, &app.url()).await;
        let back = walk(&mut browser, &ask).await;
        let who = json(&http, &back).await;
        assert_eq!(who["user"].as_str().map(str::len), Some(43), "{who}");
        let mail = if version == "3" { Value::from(USAGER) } else { Value::Null };
        assert_eq!(who["attributes"]["mail"], mail);
        // The same ticket again.
        assert_eq!(http.get(&back).send().await.unwrap().status(), 403);
        assert_eq!(json(&http, &format!("{}/sessions", app.url())).await.as_array().map(Vec::len), Some(1));
        browser.post("/deconnexion", &[]).await.is(303);
        portal.work().await;
        forgotten(&http, &app.url()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openid_client() {
    for secret in [SECRET, ""] {
        let portal = Portal::start_at_present(Engine::Postgres).await;
        let guichet = reachable(&portal).await;
        let app = Script::start("oidc_client.mjs", &[&guichet, "js", secret]);
        let (url, public) = (app.url(), secret.is_empty());
        declare(
            &portal,
            &format!(
                "id = \"js\"\nname = \"Script\"\nclaims = [\"email\", \"given_name\"]\n[oidc]\npublic = {public}\nredirect_uris = [\"{url}/retour\"]\n\
                 post_logout_redirect_uris = [\"{url}/parti\"]\nbackchannel_logout_uri = \"{url}/prevenu\"\nrefresh_tokens = true\n"
            ),
        )
        .await;
        let http = crate::harness::client::http();
        let mut browser = portal.client_at(&portal.address.to_string());
        let ask = sent(&http, &url).await;
        let back = walk(&mut browser, &ask).await;
        let who = json(&http, &back).await;
        assert_eq!(
            (who["info"]["email"].as_str(), &who["info"]["given_name"]),
            (Some(USAGER), &Value::from("Camille")),
            "{who}"
        );
        assert_eq!((&who["info"]["sub"], &who["refreshed"]), (&who["claims"]["sub"], &Value::from(true)));
        // Signs out here, is told, and gets the browser back.
        let leave = sent(&http, &format!("{url}/quitter")).await;
        assert_eq!(walk(&mut browser, &leave).await, format!("{url}/parti?state=etat"));
        portal.work().await;
        forgotten(&http, &url).await;
    }
}

/// Gets a page with cookies, as a browser of the application's site; gives status, where to, who.
async fn visit(http: &reqwest::Client, cookies: &mut Vec<String>, url: &str) -> (u16, String, String) {
    let answer = http.get(url).header("cookie", cookies.join("; ")).send().await.unwrap();
    let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    for cookie in answer.headers().get_all("set-cookie") {
        let cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        let name = cookie.split('=').next().unwrap().to_owned();
        cookies.retain(|kept| !kept.starts_with(&format!("{name}=")));
        cookies.push(cookie);
    }
    (answer.status().as_u16(), header("location"), header("x-user"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apache() {
    let portal = Portal::start_at_present(Engine::Sqlite).await;
    let guichet = reachable(&portal).await;
    let apache = Apache::start(peers::free_port(), &guichet, SECRET);
    let url = apache.url();
    declare(
        &portal,
        &format!(
            "id = \"apache\"\nname = \"Apache\"\nclaims = [\"email\", \"given_name\"]\n[oidc]\nredirect_uris = [\"{url}/oidc/retour\"]\n[cas]\nservices = [\"{url}/cas/\"]\n"
        ),
    )
    .await;
    let http = crate::harness::client::http();
    let listening = async || http.get(&url).send().await.ok().map(drop);
    peers::eventually("Apache listens", Duration::from_secs(20), listening).await;
    let mut browser = portal.client_at(&portal.address.to_string());
    for (door, who) in [("oidc", USAGER), ("cas", "")] {
        let (start, mut cookies) = (format!("{url}/{door}/"), Vec::new());
        let (status, ask, _) = visit(&http, &mut cookies, &start).await;
        assert_eq!(status, 302, "{}", apache.log());
        let back = walk(&mut browser, &ask).await;
        let (status, to, _) = visit(&http, &mut cookies, &back).await;
        assert_eq!((status, to.as_str()), (302, start.as_str()), "{back} {}", apache.log());
        let (status, _, user) = visit(&http, &mut cookies, &start).await;
        assert_eq!(status, 200, "{}", apache.log());
        if who.is_empty() {
            assert_eq!(user.len(), 43, "{user}");
            // Signed out here, it is signed out there.
            browser.post("/deconnexion", &[]).await.is(303);
            portal.work().await;
            assert_eq!(visit(&http, &mut cookies, &start).await.0, 302, "{}", apache.log());
        } else {
            assert_eq!(user, who);
        }
    }
}
