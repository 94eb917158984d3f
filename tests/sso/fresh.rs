//! Fresh credentials, asked by an application, given at an identity provider: it is asked for them, and its
//! answer is judged.

use jiff::SignedDuration;
use serde_json::json;

use super::{SECRET, declare, oidc, parameter, walk};
use crate::{
    harness::{
        Client, Engine, Portal, USAGER, both,
        provider::{Flaw, Provider},
    },
    provider::{self, come, franceconnect, links::add, text},
};

/// A portal with an ordinary provider, whose tokens it signs; it opens an account.
async fn ordinary(portal: &Portal) -> Provider {
    let provider = Provider::start(&portal.app.clock).await;
    provider::declare(portal, &text("fc", "generic", &provider, "acr = [\"eidas1\"]")).await;
    add(&mut portal.usager(USAGER).await, "fc").await.leads_to("/compte/securite?fait=identite");
    provider
}

/// To the sign-in page, as an application sends there.
async fn sent_to_sign_in(browser: &mut Client, more: &str) -> String {
    let page = browser.get(&oidc::authorize(more)).await.is(303);
    assert!(page.location().starts_with("/connexion?encore=oui&suite="), "{}", page.location());
    page.location().to_owned()
}

/// What the provider was asked last.
fn asked(provider: &Provider, name: &str) -> Option<String> {
    parameter(&format!("https://x/?{}", provider.asked("authorize").last().unwrap()), name)
}

both! {
    async fn fresh_credentials_are_asked_of_the_provider(portal: Portal) {
        declare(&portal, oidc::APP).await;
        let provider = ordinary(&portal).await;
        let now = || portal.app.clock.now().as_second();
        // Nothing of the sort, when nobody asks for it.
        come(&mut portal.client(), "/connexion", "fc").await.leads_to("/mes-demandes");
        assert_eq!((asked(&provider, "prompt"), asked(&provider, "max_age")), (None, None));
        for more in ["&prompt=login", "&max_age=60"] {
            let mut browser = portal.client();
            let door = sent_to_sign_in(&mut browser, more).await;
            // When they did it must be told, and be after it was asked, but for two minutes.
            for (told, status) in [(json!({}), 403), (json!({"auth_time": now() - 121}), 403), (json!({"auth_time": now() - 119}), 303)] {
                provider.script().id_token = told;
                let page = come(&mut browser, &door, "fc").await.is(status);
                assert_eq!((asked(&provider, "prompt").as_deref(), asked(&provider, "max_age").as_deref()), (Some("login"), Some("0")));
                if status == 303 {
                    browser.get(page.location()).await.is(200);
                    let to = walk(&mut browser, page.location()).await;
                    assert!(to.starts_with("https://app.test/retour?code="), "{to}");
                } else {
                    page.shows("ne vous a pas demandé de vous identifier de nouveau");
                    browser.get("/compte").await.is(303);
                }
            }
        }
    }

    /// FranceConnect always asks; it knows no `max_age`, and may not tell when.
    async fn franceconnect_is_asked_in_its_own_words(portal: Portal) {
        declare(&portal, oidc::APP).await;
        let provider = franceconnect(&portal).await;
        add(&mut portal.usager(USAGER).await, "fc").await.is(303);
        let mut browser = portal.client();
        let door = sent_to_sign_in(&mut browser, "&max_age=60").await;
        let page = come(&mut browser, &door, "fc").await.is(303);
        assert_eq!((asked(&provider, "prompt").as_deref(), asked(&provider, "max_age")), (Some("login"), None));
        browser.get(page.location()).await.is(200);
        assert!(walk(&mut browser, page.location()).await.starts_with("https://app.test/retour?code="));
        // What it tells is judged all the same.
        let old = portal.app.clock.now().as_second() - 121;
        provider.script().id_token = json!({"auth_time": old});
        let mut browser = portal.client();
        let door = sent_to_sign_in(&mut browser, "&prompt=login").await;
        come(&mut browser, &door, "fc").await.is(403);
    }

    /// Signing in by a provider's old session is not giving credentials, whatever the button's form said.
    async fn an_old_session_at_the_provider_is_not_fresh(portal: Portal) {
        declare(&portal, oidc::APP).await;
        let provider = ordinary(&portal).await;
        let before = portal.app.clock.now().as_second() - 3600;
        for told in [json!({"auth_time": before}), json!({})] {
            provider.script().id_token = told;
            let mut browser = portal.client();
            let door = sent_to_sign_in(&mut browser, "&prompt=login").await;
            let there = guichet::platform::form::urlencoded(door.split_once('?').unwrap().1.as_bytes());
            come(&mut browser, "/connexion", "fc").await.leads_to("/mes-demandes");
            sent_to_sign_in(&mut browser, "&max_age=600").await;
            let again = browser.get(there.text("suite")).await.is(303);
            assert!(again.location().starts_with("/connexion?encore=oui"), "{}", again.location());
        }
        // Old enough for who asks less; and the application is told when it was.
        provider.script().id_token = json!({"auth_time": before});
        let mut browser = portal.client();
        come(&mut browser, "/connexion", "fc").await.is(303);
        portal.later(SignedDuration::from_mins(1));
        let code = oidc::code(&mut browser, &oidc::authorize("&max_age=7200")).await;
        let tokens = oidc::json(&oidc::ask_with(&portal, "app", SECRET, &oidc::exchange(&code)).await.is(200));
        assert_eq!(oidc::claims(tokens["id_token"].as_str().unwrap())["auth_time"].as_i64(), Some(before));
        provider.set(Flaw::None);
    }
}
