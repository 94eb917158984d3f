//! What must not open an account: bent or foreign tokens, answers mixed up, replayed or of another browser,
//! providers that are down, slow or say no.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use serde_json::json;

use super::{arrive, come, declare, franceconnect, identified, press, text};
use crate::{
    harness::{
        Engine, Portal, USAGER, both,
        provider::{Flaw, Provider},
    },
    sso::parameter,
};

both! {
    /// Each of these is refused, with the other ways in on the page, and opens nothing.
    async fn tokens_are_judged(portal: Portal) {
        let provider = franceconnect(&portal).await;
        let now = portal.app.clock.now().as_second();
        for (what, claims) in [
            ("nonce", json!({"nonce": "un autre nonce, bien assez long"})),
            ("issuer", json!({"iss": "https://autre.fr"})),
            ("audience", json!({"aud": "autre"})),
            ("audiences", json!({"aud": ["ville-de-valmont", "autre"]})),
            ("party", json!({"azp": "autre"})),
            ("expired two minutes ago", json!({"exp": now - 120})),
            ("made in three minutes", json!({"iat": now + 180})),
            ("hash", json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"})),
            ("no subject", json!({"sub": ""})),
        ] {
            provider.script().id_token = claims;
            come(&mut portal.client(), "/connexion", "fc").await.is(403).shows("n'est pas valable").shows("Mot de passe");
            assert_eq!(portal.count("provider_attempt").await, 0, "{what}");
        }
        provider.script().id_token = json!({"acr": "eidas0"});
        come(&mut portal.client(), "/connexion", "fc").await.is(403).shows("niveau de sécurité");
        provider.script().id_token = json!({});
        for flaw in [Flaw::AlgNone, Flaw::Hs256, Flaw::OtherKey, Flaw::UserinfoOtherKey, Flaw::UserinfoPlain] {
            provider.set(flaw);
            come(&mut portal.client(), "/connexion", "fc").await.is(403).shows("n'est pas valable");
        }
        provider.set(Flaw::None);
        for claims in [json!({"sub": "quelqu'un d'autre"}), json!({"iss": "https://autre.fr"}), json!({"aud": "autre"})] {
            provider.script().userinfo = claims;
            come(&mut portal.client(), "/connexion", "fc").await.is(403).shows("n'est pas valable");
        }
        provider.script().userinfo = json!({});
        // Clocks may be off by less than two minutes.
        for claims in [json!({"exp": now - 119}), json!({"iat": now + 120})] {
            provider.script().id_token = claims;
            come(&mut portal.client(), "/connexion", "fc").await.is(303);
        }
    }

    async fn answers_are_for_who_asked(portal: Portal) {
        let provider = franceconnect(&portal).await;
        let mut browser = portal.client();
        // Another browser: nothing is opened there, nor spent.
        let back = identified(&mut browser, "/connexion", "fc").await;
        portal.client().get(&back).await.is(410).shows("Trop de temps a passé");
        let mut thief = portal.client();
        press(&mut thief, "/connexion", "fc").await;
        thief.get(&back).await.is(410);
        browser.get(&back).await.is(303);
        // Again.
        browser.get(&back).await.is(410);
        // A code that has served, under a state that has not.
        let used = parameter(&format!("http://x{back}"), "code").unwrap();
        let state = parameter(&press(&mut browser, "/connexion", "fc").await, "state").unwrap();
        let iss = guichet::platform::encode(provider.issuer());
        browser.get(&format!("/connexion/retour/fc?state={state}&iss={iss}&code={used}")).await.is(403);
        // A code of another attempt: the challenge tells.
        let other = identified(&mut portal.client(), "/connexion", "fc").await;
        let code = parameter(&format!("http://x{other}"), "code").unwrap();
        let state = parameter(&press(&mut browser, "/connexion", "fc").await, "state").unwrap();
        browser.get(&format!("/connexion/retour/fc?state={state}&iss={iss}&code={code}")).await.is(403).shows("n'est pas valable");
        // No state, an unknown one, no code.
        for query in ["", "?code=x", "?state=x&code=x"] {
            browser.get(&format!("/connexion/retour/fc{query}")).await.is(410);
        }
        let state = parameter(&press(&mut browser, "/connexion", "fc").await, "state").unwrap();
        browser.get(&format!("/connexion/retour/fc?state={state}&iss={iss}")).await.is(403);
        // Too late.
        let back = identified(&mut browser, "/connexion", "fc").await;
        portal.later(SignedDuration::from_mins(30));
        browser.get(&back).await.is(410);
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        assert_eq!(portal.count("provider_attempt").await, 0);
        // From another site's page.
        browser.origin = Some("http://autre.fr".to_owned());
        browser.post("/connexion/fournisseur/fc", &[]).await.is(403);
    }

    /// A provider cannot have another's answer taken for its own (RFC 9700 §4.4).
    async fn providers_are_not_mixed_up(portal: Portal) {
        let provider = franceconnect(&portal).await;
        let rogue = Provider::start(&portal.app.clock).await;
        declare(&portal, &text("rogue", "franceconnect", &rogue, "")).await;
        let mut browser = portal.client();
        // The rogue sends the browser to the other one's return address, or answers in its name.
        let back = identified(&mut browser, "/connexion", "rogue").await;
        browser.get(&back.replace("/rogue?", "/fc?")).await.is(410);
        rogue.script().names = Some(provider.issuer().to_owned());
        come(&mut browser, "/connexion", "rogue").await.is(403).shows("n'est pas valable");
        assert_eq!(rogue.asked("token").len(), 0);
        // Or does not say who it is, having said that it would.
        let back = identified(&mut browser, "/connexion", "fc").await.replace("&iss=", "&ssi=");
        browser.get(&back).await.is(403);
        // The same subject at another provider is somebody else.
        rogue.script().names = Some(rogue.issuer().to_owned());
        for (id, count) in [("fc", 1), ("rogue", 2)] {
            let mut browser = portal.client();
            let page = come(&mut browser, "/connexion", id).await;
            let page = browser.follow(&page).await.is(200);
            let form = page.form("email").with("email", "");
            browser.post_form(&page.path, &form.fields).await.is(303);
            assert_eq!(portal.count("provider_link").await, count);
        }
        // Another issuer under the same id would open accounts that are not its own.
        let moved = guichet::provider::Declaration::read("a.toml", &text("fc", "franceconnect", &rogue, "")).unwrap();
        let (db, now) = (portal.db(), portal.app.clock.now());
        assert!(guichet::provider::declare(&db, &portal.app.secret, &moved, None, now).await.is_err());
        // Usagers' providers are not agents'.
        portal.client().post("/agent/connexion/fournisseur/fc", &[]).await.is(404);
    }

    async fn a_provider_that_says_no_leaves_the_other_ways(portal: Portal) {
        let provider = franceconnect(&portal).await;
        for (error, status, text) in [
            ("access_denied", 403, "fc n'a pas confirmé votre identité"),
            ("temporarily_unavailable", 503, "fc ne répond pas"),
            ("server_error", 503, "fc ne répond pas"),
            ("invalid_request", 403, "n'est pas valable"),
        ] {
            provider.script().error = error;
            let mut browser = portal.client();
            let page = come(&mut browser, "/connexion?suite=/compte", "fc").await.is(status).shows(text);
            assert!(page.links_to("#fournisseur-fc"));
            // The password still opens, and leads where they were going.
            let form = page.form("mot-de-passe").with("email", USAGER).with("mot-de-passe", crate::harness::PASSWORD);
            browser.post_form("/connexion", &form.fields).await.leads_to("/compte");
        }
    }

    async fn a_provider_that_is_down_leaves_the_other_ways(portal: Portal) {
        let provider = franceconnect(&portal).await;
        for flaw in [Flaw::Broken, Flaw::Endless, Flaw::Slow] {
            provider.set(Flaw::None);
            let mut browser = portal.client();
            let back = identified(&mut browser, "/connexion", "fc").await;
            provider.set(flaw);
            let before = Instant::now();
            let page = arrive(&mut browser, &back).await.is(503).shows("ne répond pas pour le moment");
            let limit = before.elapsed();
            assert!(limit < Duration::from_secs(8) && (flaw != Flaw::Slow || limit > Duration::from_secs(4)), "{flaw:?} {limit:?}");
            let form = page.form("mot-de-passe").with("email", USAGER).with("mot-de-passe", crate::harness::PASSWORD);
            browser.post_form("/connexion", &form.fields).await.leads_to("/mes-demandes");
        }
        // Nobody listens there.
        let gone = text("fc", "franceconnect", &provider, "").replace(provider.issuer(), "http://127.0.0.1:9");
        declare(&portal, &gone).await;
        let page = portal.client().try_send(reqwest::Method::POST, "/connexion/fournisseur/fc", |request| request).await.unwrap();
        page.is(503).shows("ne répond pas pour le moment").shows("Mot de passe");
    }
}
