//! Leaving: at the request of an application, and telling the others.

use data_encoding::BASE64URL_NOPAD;
use guichet::platform::encode;
use jiff::SignedDuration;
use serde_json::Value;

use super::{
    Listener,
    cas::{MEDIA, login, ticket, validate},
    declare, leads,
    oidc::{APP, tokens},
};
use crate::harness::{Client, Engine, OTHER_USAGER, PASSWORD, Portal, USAGER, both};

/// Two applications that want to be told, entered by this browser: the service ticket, the `sid`.
async fn entered(portal: &Portal, listener: &Listener, browser: &mut Client) -> (String, String) {
    let url = &listener.url;
    declare(portal, &MEDIA.replace("https://media.test/app", url)).await;
    let told = format!("{APP}backchannel_logout_uri = \"{url}/prevenu\"\n");
    declare(portal, &told).await;
    let ticket = ticket(browser, url).await;
    assert!(validate(portal, "serviceValidate", url, &ticket).await.contains("authenticationSuccess"));
    let id_token = tokens(portal, browser).await["id_token"].as_str().unwrap().to_owned();
    (ticket, claims(&id_token)["sid"].as_str().unwrap().to_owned())
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap()).unwrap()
}

#[track_caller]
fn told(listener: &Listener, ticket: &str, sid: &str) {
    let (saml, tokens) = (listener.received("logoutRequest"), listener.received("logout_token"));
    let index = format!("<samlp:SessionIndex>{ticket}</samlp:SessionIndex>");
    assert_eq!(saml.iter().filter(|text| text.contains(&index)).count(), 1, "{saml:?}");
    let sids: Vec<Value> =
        tokens.iter().filter(|token| !token.is_empty()).map(|token| claims(token)["sid"].clone()).collect();
    assert_eq!(sids.iter().filter(|found| *found == sid).count(), 1, "{sids:?}");
}

both! {
    async fn however_a_session_ends_its_applications_are_told(portal: Portal) {
        let listener = Listener::start().await;
        let mut expected = Vec::new();
        // Signing out.
        let mut one = portal.usager(USAGER).await;
        expected.push(entered(&portal, &listener, &mut one).await);
        one.post("/deconnexion", &[]).await.is(303);
        portal.work().await;
        told(&listener, &expected[0].0, &expected[0].1);
        // From another device.
        let mut two = portal.usager(USAGER).await;
        expected.push(entered(&portal, &listener, &mut two).await);
        portal.usager(USAGER).await.post("/compte/securite/deconnecter", &[]).await.is(303);
        // By an application.
        let mut three = portal.usager(USAGER).await;
        expected.push(entered(&portal, &listener, &mut three).await);
        three.get("/cas/logout").await.is(200).shows("Vous êtes déconnecté");
        // By its age.
        let mut four = portal.usager(USAGER).await;
        expected.push(entered(&portal, &listener, &mut four).await);
        portal.later(SignedDuration::from_hours(31 * 24));
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        // With the account.
        let mut five = portal.usager(OTHER_USAGER).await;
        expected.push(entered(&portal, &listener, &mut five).await);
        five.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.is(303);
        portal.work().await;
        for (ticket, sid) in &expected {
            told(&listener, ticket, sid);
        }
        assert_eq!(portal.count("sso_visit").await, 0);
    }

    /// An application that is down delays nobody, is told when it is back, and is given up in the end.
    async fn an_application_that_is_down_is_told_later(portal: Portal) {
        let gone = Listener::start().await;
        let mut person = portal.usager(USAGER).await;
        entered(&portal, &gone, &mut person).await;
        let url = gone.url.clone();
        drop(gone);
        person.post("/deconnexion", &[]).await.is(303);
        for _ in 0..6 {
            portal.work().await;
            portal.later(SignedDuration::from_hours(1));
        }
        assert_eq!(guichet::platform::jobs::pending(&portal.app.db).await.unwrap(), 0, "{url}");
    }

    /// Signing in anew for an application that insists does not throw out of the others.
    async fn signing_in_anew_goes_on(portal: Portal) {
        let listener = Listener::start().await;
        let mut person = portal.usager(USAGER).await;
        let (ticket, sid) = entered(&portal, &listener, &mut person).await;
        portal.later(SignedDuration::from_secs(10));
        crate::sso::walk(&mut person, &format!("{}&renew=true", login(&listener.url))).await;
        portal.work().await;
        assert_eq!(listener.received("logoutRequest"), Vec::<String>::new());
        person.post("/deconnexion", &[]).await.is(303);
        portal.work().await;
        told(&listener, &ticket, &sid);
    }

    async fn an_application_signs_out_its_own_session(portal: Portal) {
        declare(&portal, APP).await;
        let mut person = portal.usager(USAGER).await;
        let hint = tokens(&portal, &mut person).await["id_token"].as_str().unwrap().to_owned();
        let leave = |more: &str| format!("/oidc/logout?post_logout_redirect_uri={}&state=e%20f{more}", encode("https://app.test/parti"));
        // Without proof, the person is asked.
        for more in ["", "&client_id=app", "&id_token_hint=x.y.z", &format!("&id_token_hint={hint}&client_id=other")] {
            let page = person.get(&leave(more)).await.is(200).shows("Voulez-vous fermer");
            assert_eq!(leads(&page), None);
        }
        let mut other = portal.usager(OTHER_USAGER).await;
        let page = other.get(&leave(&format!("&id_token_hint={hint}"))).await.is(200).shows("Vous venez de Vélos");
        let form = page.form("state");
        // A form of another site does not count.
        let origin = other.origin.replace("https://app.test".into());
        other.post_form(&form.action, &form.fields).await.is(403);
        other.origin = origin;
        let page = other.post_form(&form.action, &form.fields).await.is(200);
        assert_eq!(leads(&page).as_deref(), Some("https://app.test/parti?state=e+f"));
        other.get("/compte").await.is(303);
        // With it, at once; even when it is old; and nowhere but where it was declared.
        portal.later(SignedDuration::from_hours(20));
        let page = person.get(&leave(&format!("&id_token_hint={hint}"))).await.is(303);
        assert_eq!(page.location(), "https://app.test/parti?state=e+f");
        person.get("/compte").await.is(303);
        for uri in ["https://app.test/parti/", "https://app.test/retour", "https://autre.test/", "javascript:1"] {
            let page = person.get(&format!("/oidc/logout?client_id=app&post_logout_redirect_uri={}", encode(uri))).await.is(200);
            assert_eq!(leads(&page), None, "{uri}");
        }
        // An image of another site signs nobody out.
        let mut person = portal.usager(USAGER).await;
        let image = |request: reqwest::RequestBuilder| request.header("sec-fetch-dest", "image");
        person.try_send(reqwest::Method::GET, "/cas/logout", image).await.unwrap().is(403);
        person.get("/compte").await.is(200);
    }
}
