//! Guichet as the single sign-on of other applications: what they ask, what people see, what must be refused.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::State, routing::any};
use db::{Json, args, sql};
use guichet::{
    authorities::Settings,
    platform::form,
    sso::{self, By, Declaration, Expected, Secret},
};
use reqwest::Url;
use tokio::net::TcpListener;

use crate::harness::{Client, PASSWORD, Page, Portal, USAGER};

mod applications;
mod cas;
mod client;
mod fresh;
mod lemonldap;
mod levels;
mod logout;
mod oidc;
mod peers;
mod proxy;

pub const SECRET: &str = "a secret of forty-three characters or so";

/// Declares an application; confidential ones get [`SECRET`].
pub async fn declare(portal: &Portal, text: &str) {
    let declaration = Declaration::read("test.toml", text).unwrap();
    let public = declaration.oidc.as_ref().is_none_or(|oidc| oidc.public);
    let secret = if public { Secret::None } else { Secret::New(SECRET) };
    let by = By::operator(&portal.app.clock);
    assert!(sso::put(&portal.db(), &declaration, secret, Expected::Anything, &by).await.unwrap());
}

/// Makes the portal's public address the one it really listens on, for programs that know no other.
pub async fn reachable(portal: &Portal) -> String {
    let address = format!("http://{}", portal.address);
    let Json(mut settings): Json<Settings> =
        portal.app.db.one(sql!("select settings from authority where id = $1"), args![portal.city]).await.unwrap();
    settings.public_url = address.clone();
    portal
        .app
        .db
        .write(async |tx: &mut db::Tx| {
            tx.run(sql!("update authority set settings = $1 where id = $2"), args![Json(&settings), portal.city])
                .await?;
            tx.run(sql!("update authority_host set host = '127.0.0.1'"), args![]).await?;
            Ok::<_, db::Error>(())
        })
        .await
        .unwrap();
    address
}

/// Where a page sends the browser: by a redirection, or by a page that goes on by itself.
pub fn leads(page: &Page) -> Option<String> {
    let refresh = page.header("refresh").strip_prefix("0;url=").map(str::to_owned);
    if refresh.is_some() {
        assert_eq!(page.status, 200);
        // Our forms may only lead to ourselves: that is why.
        assert!(page.header("content-security-policy").contains("form-action 'self'"));
    }
    refresh.or_else(|| (page.status == 303).then(|| page.location().to_owned()))
}

/// Goes on as a person would (signs in, agrees) until an address of another site, which it gives.
pub async fn walk(browser: &mut Client, path: &str) -> String {
    let base = format!("http://{}", browser.host);
    let mut path = path.to_owned();
    for _ in 0..10 {
        path = path.strip_prefix(&base).map_or_else(|| path.clone(), str::to_owned);
        if !path.starts_with('/') {
            return path;
        }
        let page = browser.get(&path).await;
        path = match leads(&page) {
            Some(next) => next,
            None => answer(browser, &page).await,
        };
    }
    panic!("turns in circles at {path}");
}

async fn answer(browser: &mut Client, page: &Page) -> String {
    let holds = |name: &str| page.forms().iter().any(|form| form.holds(name));
    if holds("mot-de-passe") {
        let form = page.form("mot-de-passe").with("email", USAGER).with("mot-de-passe", PASSWORD);
        return browser.post_form(&form.action, &form.fields).await.is(303).location().to_owned();
    }
    assert!(holds("choix"), "no way on from {}: {} {}", page.path, page.status, page.words());
    let form = page.form("choix").with("choix", "accepter");
    browser.post_form(&form.action, &form.fields).await.is(303).location().to_owned()
}

/// A parameter of an address.
#[track_caller]
pub fn parameter(address: &str, name: &str) -> Option<String> {
    let url = Url::parse(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

/// An application that keeps the forms it is sent.
pub struct Listener {
    pub url: String,
    received: Arc<Mutex<Vec<String>>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Listener {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received: Arc<Mutex<Vec<String>>> = Arc::default();
        let keep = async |State(kept): State<Arc<Mutex<Vec<String>>>>, body: String| kept.lock().unwrap().push(body);
        let router = Router::new().fallback(any(keep)).with_state(received.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, received, serving }
    }

    /// Values of this field in what was received.
    pub fn received(&self, field: &str) -> Vec<String> {
        let all = self.received.lock().unwrap();
        all.iter().map(|body| form::urlencoded(body.as_bytes()).text(field).to_owned()).collect()
    }
}
