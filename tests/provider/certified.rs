//! Identities that a provider certifies: asked for on line, told by its name, never put over what the person
//! or the counter has decided since.

use db::{args, sql};
use serde_json::json;

use super::{come, declare, franceconnect, links::add, path, sent, text};
use crate::{
    harness::{Client, Engine, OTHER_USAGER, PASSWORD, Portal, both, journey::filled, provider::Provider},
    journeys::identity::verify,
    sso::leads,
};

/// Demands a verified identity.
const RIGHTS: &str = "acces-donnees-personnelles";

/// Who verified the identity of this account, if anybody did, and the name in use.
async fn verified(portal: &Portal) -> Option<(String, String)> {
    let found: Option<(String, db::Json<serde_json::Value>)> = portal
        .db()
        .first(
            sql!("select v.source, v.identity from verified_identity v join account a on a.authority_id = v.authority_id and a.id = v.account_id where v.authority_id = $1 and a.login = $2"),
            args![portal.city, OTHER_USAGER],
        )
        .await
        .unwrap();
    found.map(|(source, identity)| (source, identity.0["nom_usage"].as_str().unwrap_or_default().to_owned()))
}

async fn renamed(portal: &Portal, provider: &Provider, name: &str) {
    provider.script().person["preferred_username"] = json!(name);
    come(&mut portal.client(), "/connexion", "fc").await.leads_to("/mes-demandes");
}

/// By the form of a page, the password given: to the provider and back.
async fn link(browser: &mut Client, page: &str) -> String {
    let form = browser.get(page).await.is(200).form("mot-de-passe-identite").with("mot-de-passe-identite", PASSWORD);
    let there = leads(&browser.post_form(&form.action, &form.fields).await.is(200)).unwrap();
    let back = path(browser, &sent(&there).await);
    browser.get(&back).await.is(303).location().to_owned()
}

both! {
    async fn signing_in_changes_only_what_the_provider_certified(portal: Portal) {
        let provider = franceconnect(&portal).await;
        let mut person = portal.usager(OTHER_USAGER).await;
        add(&mut person, "fc").await.leads_to("/compte/securite?fait=identite");
        renamed(&portal, &provider, "MARTIN").await;
        assert_eq!(verified(&portal).await, Some(("provider:fc".into(), "MARTIN".into())));
        // An agent has seen papers since, which say otherwise.
        verify(&portal, OTHER_USAGER, "Benkhelifa").await;
        renamed(&portal, &provider, "DURAND").await;
        assert_eq!(verified(&portal).await, Some(("counter".into(), String::new())));
        // Taken away by its owner, it does not come back by itself.
        person.post("/compte/identite/retirer", &[]).await.is(303);
        renamed(&portal, &provider, "LEROY").await;
        assert_eq!(verified(&portal).await, None);
        // Asked for anew, it does.
        let next = link(&mut person, "/compte/identite").await;
        person.get(&next).await.is(200).shows("Votre identité est vérifiée").shows("par fc");
        assert_eq!(verified(&portal).await, Some(("provider:fc".into(), "LEROY".into())));
        assert_eq!(portal.count("provider_link").await, 1);
    }

    async fn identities_are_certified_on_line_and_told_by_name(portal: Portal) {
        let provider = Provider::start(&portal.app.clock).await;
        let named = |text: String| text.replace("name = \"fc\"", "name = \"Identité nationale\"");
        declare(&portal, &named(text("fc", "franceconnect", &provider, ""))).await;
        declare(&portal, &text("autre", "generic", &provider, "acr = [\"eidas1\"]")).await;
        // Sent there by a procedure, and back to it.
        let mut person = portal.usager(OTHER_USAGER).await;
        let start = format!("/demarches/{RIGHTS}/remplir");
        let page = person.get(&start).await.is(303);
        let ways = person.get(page.location()).await.is(303).location().to_owned();
        let page = person.get(&ways).await.is(200).shows("En ligne").shows("Identité nationale");
        assert!(!page.html().contains("autre\""), "only those that check identities: {}", page.words());
        let next = link(&mut person, &ways).await;
        let page = person.get(&next).await.is(200).shows("Votre identité est vérifiée").shows("par Identité nationale");
        assert!(page.links_to(&format!("/demarches/{RIGHTS}/commencer")), "{}", page.words());
        let told = "Identité vérifiée par Identité nationale le 17 novembre 2026";
        person.get("/compte").await.shows(told);
        // In the question, before sending, on the receipt's page, at the department.
        let mut next = person.get(&start).await.is(303).location().to_owned();
        person.get(&next).await.is(200).shows(told);
        let typed = portal.sample(RIGHTS).await;
        next = person.post_form(&next, &filled(&person.clone().get(&next).await.form("action"), &typed)).await.is(303).location().to_owned();
        while !next.ends_with("/verifier") {
            next = person.answer(&next, &typed).await;
        }
        person.get(&next).await.shows(told);
        let sent = person.send_checked(&next).await;
        person.get(&format!("/demandes/{}", sent.id)).await.shows(told);
        portal.agent("paulo.da-silva").await.get(&format!("/agent/demandes/{}", sent.id)).await.is(200).shows(told);
    }
}
