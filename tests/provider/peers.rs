//! Real providers: LemonLDAP::NG, the engine of FranceConnect, and Guichet's own.

use std::collections::BTreeMap;

use db::{Json, args, sql};

use super::{declare_with, path, press};
use crate::{
    harness::{
        Engine, Portal, USAGER,
        client::http,
        html,
        llng::{self, Llng},
        peers::Script,
    },
    sso::{self, leads, reachable, walk},
};

/// One sign-in at LemonLDAP::NG: the path it sends back to, and its session's cookie.
async fn dwho(browser: &mut crate::harness::Client, llng: &Llng, page: &str, id: &str) -> (String, String) {
    let there = press(browser, page, id).await;
    let (back, cookie) = llng.sign_in(&there, "dwho").await;
    (path(browser, &back), cookie)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lemonldap() {
    let portal = Portal::start_at_present(Engine::Sqlite).await;
    let here = reachable(&portal).await;
    let llng = Llng::start(&here).await;
    let declared = |id: &str, door: &str, more: &str| {
        let (url, client) = (&llng.url, llng::CLIENT);
        format!(
            "id = \"{id}\"\nname = \"Annuaire\"\nprofile = \"generic\"\ndoor = \"{door}\"\nissuer = \"{url}\"\nclient_id = \"{client}\"\n{more}"
        )
    };
    declare_with(&portal, &declared("llng", "usagers", "acr = [\"loa-1\"]\n"), llng::SECRET).await;
    let agents = "client_auth = \"basic\"\n[agents]\ncreate = true\n";
    declare_with(&portal, &declared("llng-agents", "agents", agents), llng::SECRET).await;

    // An usager: a new account, then the same one; the level is checked, an answer serves once.
    let mut browser = portal.client_at(&portal.address.to_string());
    let (back, _) = dwho(&mut browser, &llng, "/connexion", "llng").await;
    let page = browser.get(&back).await.is(303);
    browser.get(&back).await.is(410);
    let page = browser.follow(&page).await.is(200).shows("Bienvenue, Doctor Who");
    assert_eq!(page.form("email").value("email"), "dwho@badwolf.org");
    browser.post_form(&page.path, &page.form("email").fields).await.leads_to("/mes-demandes");
    let mut other = portal.client_at(&portal.address.to_string());
    let (back, cookie) = dwho(&mut other, &llng, "/connexion?suite=/compte", "llng").await;
    other.get(&back).await.leads_to("/compte");
    // Signed out here, signed out there, and back.
    let end = leads(&other.post("/deconnexion", &[]).await).unwrap();
    let answer = http().get(&end).header("cookie", &cookie).send().await.unwrap();
    let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    let to = to.unwrap_or_else(|| panic!("{end}: {}", answer.status()));
    other.get(&path(&other, &to)).await.is(200).shows("Vous êtes déconnecté");
    let there = press(&mut other, "/connexion", "llng").await;
    let page = http().get(&there).header("cookie", &cookie).send().await.unwrap();
    assert!(
        page.status().is_success() && page.text().await.unwrap().contains("name=\"password\""),
        "still signed in there"
    );
    // A level that it did not reach.
    declare_with(&portal, &declared("llng", "usagers", "acr = [\"loa-2\"]\n"), llng::SECRET).await;
    let (back, _) = dwho(&mut other, &llng, "/connexion", "llng").await;
    other.get(&back).await.is(403).shows("niveau de sécurité");
    // A secret that is not ours any more: not the person's fault.
    declare_with(&portal, &declared("llng", "usagers", ""), "faux").await;
    let (back, _) = dwho(&mut other, &llng, "/connexion", "llng").await;
    super::arrive(&mut other, &back).await.is(503).shows("ne répond pas");

    // An agent, by the other way of proving who we are.
    let mut agent = portal.client_at(&portal.address.to_string());
    let (back, _) = dwho(&mut agent, &llng, "/agent/connexion", "llng-agents").await;
    agent.get(&back).await.leads_to("/agent");
    assert!(agent.get("/agent").await.is(200).html().contains("Doctor Who"));
}

/// One city's portal takes the accounts of another's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guichet_itself() {
    let there = Portal::start_at_present(Engine::Sqlite).await;
    let here = Portal::start_at_present(Engine::Postgres).await;
    let (issuer, own) = (reachable(&there).await, reachable(&here).await);
    sso::declare(
        &there,
        &format!(
            "id = \"voisine\"\nname = \"Ville voisine\"\nclaims = [\"given_name\", \"family_name\", \"email\"]\n[oidc]\n\
             redirect_uris = [\"{own}/connexion/retour/voisine\"]\npost_logout_redirect_uris = [\"{own}/deconnexion/retour\"]\n"
        ),
    )
    .await;
    declare_with(
        &here,
        &format!("id = \"voisine\"\nname = \"Voisine\"\nprofile = \"generic\"\ndoor = \"usagers\"\nissuer = \"{issuer}\"\nclient_id = \"voisine\"\n"),
        sso::SECRET,
    )
    .await;
    let mut away = there.client_at(&there.address.to_string());
    let mut browser = here.client_at(&here.address.to_string());
    let ask = press(&mut browser, "/connexion", "voisine").await;
    let back = walk(&mut away, &ask).await;
    let page = browser.get(&path(&browser, &back)).await.is(303);
    let page = browser.follow(&page).await.is(200).shows("Bienvenue, Camille Martin");
    // The sample city has an account of this address: it is not taken over.
    assert_eq!(page.form("email").value("email"), USAGER);
    browser.post_form(&page.path, &page.form("email").fields).await.is(422).shows("Un compte existe déjà");
    let form = page.form("email").with("email", "camille@ailleurs.example");
    browser.post_form(&page.path, &form.fields).await.leads_to("/mes-demandes");
    let end = leads(&browser.post("/deconnexion", &[]).await).unwrap();
    let left = walk(&mut away, &end).await;
    browser.get(&path(&browser, &left)).await.is(200).shows("Vous êtes déconnecté");
    away.get("/compte").await.is(303);
}

/// A browser at the provider: follows it until it sends elsewhere, filling in what it asks.
async fn elsewhere(provider: &str, cookies: &mut BTreeMap<String, String>, url: &str) -> String {
    let http = http();
    let (mut url, mut form) = (url.to_owned(), None::<Vec<(String, String)>>);
    for _ in 0..10 {
        let jar = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let request = match form.take() {
            Some(fields) => http.post(&url).form(&fields),
            None => http.get(&url),
        };
        let answer = request.header("cookie", jar).send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
        let next = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        match next {
            Some(to) if to.starts_with('/') => url = format!("{provider}{to}"),
            Some(to) if to.starts_with(provider) => url = to,
            Some(to) => return to,
            None => {
                let (status, text) = (answer.status(), answer.text().await.unwrap());
                let found = html::forms(&text).into_iter().next();
                let asked = found.unwrap_or_else(|| panic!("{url}: {status} {text}")).with("logout", "yes");
                (url, form) = (asked.action.clone(), Some(asked.fields));
            }
        }
    }
    panic!("turns in circles at {url}");
}

/// The engine that FranceConnect runs on, with FranceConnect's rules.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_engine_of_franceconnect() {
    let portal = Portal::start_at_present(Engine::Sqlite).await;
    let here = reachable(&portal).await;
    let script = Script::start("franceconnect.mjs", &[&here, "ville", "un secret assez long"]);
    let url = script.url();
    let declared = |acr: &str| {
        format!(
            "id = \"fc\"\nname = \"FranceConnect\"\nprofile = \"franceconnect\"\ndoor = \"usagers\"\nissuer = \"{url}\"\nclient_id = \"ville\"\nacr = [\"{acr}\"]\n"
        )
    };
    declare_with(&portal, &declared("eidas1"), "un secret assez long").await;
    let (mut browser, mut cookies) = (portal.client_at(&portal.address.to_string()), BTreeMap::new());
    let ask = press(&mut browser, "/connexion", "fc").await;
    let back = elsewhere(&url, &mut cookies, &ask).await;
    let page = browser.get(&path(&browser, &back)).await.is(303);
    let page =
        browser.follow(&page).await.is(200).shows("Bienvenue, Angela MARTIN").shows("certifiée par FranceConnect");
    browser.post_form(&page.path, &page.form("email").fields).await.leads_to("/mes-demandes");
    let Json(identity): Json<serde_json::Value> = portal
        .db()
        .one(
            sql!("select identity from verified_identity where authority_id = $1 and source = 'provider:fc'"),
            args![portal.city],
        )
        .await
        .unwrap();
    assert_eq!((&identity["date_naissance"], &identity["nom_naissance"]), (&"1962-08".into(), &"DUBOIS".into()));
    let end = leads(&browser.post("/deconnexion", &[]).await).unwrap();
    let left = elsewhere(&url, &mut cookies, &end).await;
    browser.get(&path(&browser, &left)).await.is(200).shows("Vous êtes déconnecté");
    // The same person comes back, and is not strong enough for more.
    let ask = press(&mut browser, "/connexion", "fc").await;
    let back = elsewhere(&url, &mut cookies, &ask).await;
    browser.get(&path(&browser, &back)).await.leads_to("/mes-demandes");
    declare_with(&portal, &declared("eidas2"), "un secret assez long").await;
    browser.cookies.clear();
    let ask = press(&mut browser, "/connexion", "fc").await;
    let back = elsewhere(&url, &mut cookies, &ask).await;
    browser.get(&path(&browser, &back)).await.is(403);
}
