//! Real applications, unmodified: python-cas, openid-client.

use std::time::Duration;

use serde_json::Value;

use super::{SECRET, declare, reachable, walk};
use crate::harness::{
    Engine, Portal, USAGER,
    peers::{self, Script},
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
