//! Signing in with others' identities: FranceConnect's and ProConnect's rules, what must be refused, and real
//! providers.

use guichet::provider::{self, Declaration};

use crate::{
    harness::{
        Client, Page, Portal,
        client::http,
        provider::{CLIENT, CLIENT_SECRET, Provider},
    },
    sso::leads,
};

mod agents;
mod certified;
mod doors;
pub mod links;
mod peers;
mod refusals;
mod usagers;

/// Declares a provider under the secret that scripted ones want.
pub async fn declare(portal: &Portal, text: &str) {
    declare_with(portal, text, CLIENT_SECRET).await;
}

pub async fn declare_with(portal: &Portal, text: &str, secret: &str) {
    let declaration = Declaration::read("test.toml", text).unwrap();
    let (db, now) = (portal.db(), portal.app.clock.now());
    provider::declare(&db, &portal.app.secret, &declaration, Some(secret), now).await.unwrap();
}

pub fn text(id: &str, profile: &str, provider: &Provider, more: &str) -> String {
    let door = if profile == "proconnect" { "agents" } else { "usagers" };
    format!(
        "id = \"{id}\"\nname = \"{id}\"\nprofile = \"{profile}\"\ndoor = \"{door}\"\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\n{more}",
        provider.issuer()
    )
}

/// A portal with FranceConnect, as scripted.
pub async fn franceconnect(portal: &Portal) -> Provider {
    let provider = Provider::start(&portal.app.clock).await;
    declare(portal, &text("fc", "franceconnect", &provider, "")).await;
    provider
}

/// Presses the provider's button on a sign-in page: the address it leads to, elsewhere.
pub async fn press(browser: &mut Client, page: &str, id: &str) -> String {
    let page = browser.get(page).await.is(200);
    let form = page.forms().into_iter().find(|form| form.action.ends_with(&format!("/fournisseur/{id}")));
    let form = form.unwrap_or_else(|| panic!("no button of {id}: {}", page.words()));
    let page = browser.post_form(&form.action, &form.fields).await;
    leads(&page).unwrap_or_else(|| panic!("{id} is not reached: {} {}", page.status, page.words()))
}

/// Where an address elsewhere sends the browser.
pub async fn sent(url: &str) -> String {
    let answer = http().get(url).send().await.unwrap();
    let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    to.unwrap_or_else(|| panic!("{url}: {status} {text}"))
}

/// The path on this site of a whole address.
#[track_caller]
pub fn path(browser: &Client, address: &str) -> String {
    let base = format!("http://{}", browser.host);
    address.strip_prefix(&base).unwrap_or_else(|| panic!("{address} is not here")).to_owned()
}

/// From the sign-in page to the provider; gives the address it sends back to, on this site.
pub async fn identified(browser: &mut Client, page: &str, id: &str) -> String {
    let there = press(browser, page, id).await;
    path(browser, &sent(&there).await)
}

/// From the sign-in page to the provider and back: whatever comes of it, were it 503.
pub async fn come(browser: &mut Client, page: &str, id: &str) -> Page {
    let back = identified(browser, page, id).await;
    arrive(browser, &back).await
}

/// Gets a page that may say that a provider is down.
pub async fn arrive(browser: &mut Client, path: &str) -> Page {
    browser.try_send(reqwest::Method::GET, path, |request| request).await.unwrap()
}
