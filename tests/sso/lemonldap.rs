//! LemonLDAP::NG, unmodified, whose users are those of Guichet: as Debian 12 has it, and a recent one.

use guichet::sso::{self, By, Declaration, Expected, Secret};
use jiff::SignedDuration;
use serde_json::Value;

use super::{SECRET, declare, oidc, reachable, walk};
use crate::harness::{
    Client, Engine, Portal, USAGER,
    client::http,
    llng::{Llng, Version, client::Browser},
};

// Messages of its pages, by their numbers.
const SIGNED_OUT: &str = "trmsg=\"47\"";
const NOT_IDENTIFIED: &str = "trmsg=\"106\"";

/// Comes in by the portal's door, to the session that the application opens.
async fn enter(person: &mut Client, browser: &mut Browser, llng: &Llng) -> Value {
    assert_eq!(browser.session(llng).await, None);
    let ask = browser.sent(llng, &format!("{}/", llng.url)).await;
    let back = walk(person, &ask).await;
    assert!(back.starts_with(&format!("{}/?openidconnectcallback=1&code=", llng.url)), "{back}");
    let shown = browser.get(&back).await;
    assert!(shown.status < 400, "{} {} {}", shown.status, shown.text, llng.log());
    browser.session(llng).await.unwrap_or_else(|| panic!("no session: {} {}", shown.text, llng.log()))
}

async fn accounts_open_lemonldap(version: Version, engine: Engine) {
    let portal = Portal::start_at_present(engine).await;
    let guichet = reachable(&portal).await;
    let llng = Llng::application(version, &guichet, SECRET).await;
    declare(&portal, &llng.declaration()).await;
    declare(&portal, oidc::APP).await;
    let (mut person, mut browser) = (portal.client_at(&portal.address.to_string()), Browser::default());

    let first = enter(&mut person, &mut browser, &llng).await;
    let held = |name: &str| first[name].as_str().unwrap_or_else(|| panic!("no {name}: {first}")).to_owned();
    assert_eq!([held("mail"), held("cn"), held("sn")], [USAGER, "Camille Martin", "Martin"].map(str::to_owned));
    // Its own number for this person, who has another elsewhere.
    let code = oidc::code(&mut person, &oidc::authorize("")).await;
    let ask = http().post(format!("{guichet}/oidc/token")).basic_auth("app", Some(SECRET)).form(&oidc::exchange(&code));
    let tokens: Value = serde_json::from_str(&ask.send().await.unwrap().text().await.unwrap()).unwrap();
    let elsewhere = oidc::claims(tokens["id_token"].as_str().unwrap())["sub"].as_str().unwrap().to_owned();
    assert_eq!((held("uid").len(), held("_user")), (43, held("uid")));
    assert_ne!(held("uid"), elsewhere);

    // Signed out there: here too, without a question, and back.
    let leave = browser.sent(&llng, &format!("{}/?logout=1", llng.url)).await;
    assert!(leave.starts_with(&format!("{guichet}/oidc/logout?")), "{leave}");
    assert_eq!(browser.session(&llng).await, None);
    let home = walk(&mut person, &leave).await;
    assert_eq!(home, format!("{}/?logout=1", llng.url));
    let shown = browser.get(&home).await;
    assert!(shown.status == 200 && shown.text.contains(SIGNED_OUT), "{}", shown.text);
    person.get("/compte").await.is(303);

    // The same person comes back under the same number; then signs out here.
    portal.work().await;
    let again = enter(&mut person, &mut browser, &llng).await;
    assert_eq!(again["uid"], first["uid"]);
    person.post("/deconnexion", &[]).await.is(303);
    portal.work().await;
    assert_eq!(guichet::platform::jobs::pending(&portal.app.db).await.unwrap(), 0, "{}", llng.log());
    // What 2.16 cannot do: it is never told, and reads keys when it starts.
    if version == Version::Recent {
        assert_eq!(browser.session(&llng).await, None, "{}", llng.log());
        sso::rotate(&portal.db(), &portal.app.secret, &portal.app.clock).await.unwrap();
        portal.later(SignedDuration::from_hours(1));
        enter(&mut person, &mut browser, &llng).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn installed() {
    accounts_open_lemonldap(Version::Installed, Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recent() {
    accounts_open_lemonldap(Version::Recent, Engine::Postgres).await;
}

/// A wrong address, a person who does not agree, a wrong secret: said, and nobody enters.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_enters() {
    let portal = Portal::start_at_present(Engine::Sqlite).await;
    let guichet = reachable(&portal).await;
    let llng = Llng::application(Version::Recent, &guichet, SECRET).await;
    let (mut person, mut browser) = (portal.client_at(&portal.address.to_string()), Browser::default());
    person.sign_in("/connexion", USAGER).await;

    declare(&portal, &llng.declaration().replace("/?openidconnectcallback=1", "/")).await;
    let ask = browser.sent(&llng, &format!("{}/", llng.url)).await;
    let page = person.get(ask.strip_prefix(&guichet).unwrap()).await.is(400).shows("n'est pas connu");
    assert_eq!(super::leads(&page), None);

    let declaration = Declaration::read("test.toml", &llng.declaration()).unwrap();
    let by = By::operator(&portal.app.clock);
    assert!(sso::put(&portal.db(), &declaration, Secret::New("another"), Expected::Anything, &by).await.unwrap());
    // The person does not agree.
    let ask = browser.sent(&llng, &format!("{}/", llng.url)).await;
    let page = person.get(ask.strip_prefix(&guichet).unwrap()).await.is(200);
    let form = page.form("choix").with("choix", "refuser");
    let said = person.post_form(&form.action, &form.fields).await.is(303);
    let shown = browser.get(&walk(&mut person, said.location()).await).await;
    assert!(shown.to.is_none() && shown.text.contains(NOT_IDENTIFIED), "{}", shown.text);
    assert!(llng.log().contains("access_denied"), "{}", llng.log());

    let ask = browser.sent(&llng, &format!("{}/", llng.url)).await;
    let shown = browser.get(&walk(&mut person, &ask).await).await;
    assert!(shown.to.is_none() && shown.text.contains(NOT_IDENTIFIED), "{}", shown.text);
    assert!(llng.log().contains("authorization_code, error: Unauthorized"), "{}", llng.log());
    assert_eq!((browser.session(&llng).await, portal.count("sso_token").await), (None, 0));
}
