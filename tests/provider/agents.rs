//! ProConnect: agents are found by the address that the city trusts, created where it says so, or turned away.

use serde_json::json;

use super::{come, declare, path, sent, text};
use crate::{
    harness::{Engine, PASSWORD, Portal, both, provider::Provider},
    sso::{leads, parameter},
};

const NADIA: &str = "nadia.benali@valmont.example";
const DOOR: &str = "/agent/connexion";

/// A portal with ProConnect, as scripted, which speaks of Nadia.
async fn proconnect(portal: &Portal, rules: &str) -> Provider {
    let provider = Provider::start(&portal.app.clock).await;
    {
        let mut script = provider.script();
        script.proconnect = true;
        script.person = json!({"sub": "nadia-1", "given_name": "Nadia", "usual_name": "Benali", "email": NADIA, "siret": "21420001600017"});
    }
    declare(portal, &text("pc", "proconnect", &provider, &format!("[agents]\n{rules}"))).await;
    provider
}

both! {
    async fn an_agent_is_found_by_a_trusted_address_once(portal: Portal) {
        let provider = proconnect(&portal, "match_email = true\nsirets = [\"21420001600017\"]\n").await;
        let mut browser = portal.client();
        browser.get(DOOR).await.is(200).shows("S'identifier avec pc");
        come(&mut browser, &format!("{DOOR}?suite=/agent/envois"), "pc").await.leads_to("/agent/envois");
        browser.get("/agent/envois").await.is(200);
        let asked = format!("https://x/?{}", provider.asked("authorize")[0]);
        assert_eq!(parameter(&asked, "claims").as_deref(), Some(r#"{"id_token":{"amr":{"essential":true}}}"#));
        assert_eq!((parameter(&asked, "code_challenge"), parameter(&asked, "acr_values")), (None, None));
        browser.get("/agent/securite").await.is(200).shows("pc : Nadia Benali").shows("Connexion par un fournisseur d'identité");
        assert!(portal.outbox().await.iter().any(|mail| mail.0 == NADIA && mail.1.contains("identité est rattachée")));
        // From now on the subject counts, whatever the address becomes.
        provider.script().person["email"] = json!("n.benali@valmont.example");
        let mut other = portal.client();
        come(&mut other, DOOR, "pc").await.leads_to("/agent");
        assert!(other.get("/agent").await.is(200).html().contains("Nadia"));
        // Somebody else with the same address does not take it over: it has its identity already.
        provider.script().person["sub"] = json!("nadia-2");
        provider.script().person["email"] = json!(NADIA);
        come(&mut portal.client(), DOOR, "pc").await.is(403).shows("aucun compte d'agent");
        // Of another establishment by now: turned away, though known.
        (provider.script().person["sub"], provider.script().person["siret"]) = (json!("nadia-1"), json!("1"));
        come(&mut portal.client(), DOOR, "pc").await.is(403).shows("aucun compte d'agent");
        // Signing out goes by ProConnect.
        let end = leads(&other.post("/agent/deconnexion", &[]).await.is(200)).unwrap();
        assert!(end.contains("/session/end?id_token_hint=") && end.contains("deconnexion%2Fretour"), "{end}");
        other.get("/agent").await.is(303);
        other.get("/agent/deconnexion/retour").await.is(200).shows("Vous êtes déconnecté");
    }

    /// What its owner has taken away does not come back by an address, under any subject.
    async fn an_unlinked_identity_is_not_found_by_address(portal: Portal) {
        let provider = proconnect(&portal, "match_email = true\n").await;
        come(&mut portal.client(), DOOR, "pc").await.leads_to("/agent");
        let mut nadia = portal.agent("nadia.benali").await;
        let form = [("fournisseur", "pc"), ("mot-de-passe-retirer-identite", PASSWORD)];
        nadia.post("/agent/securite/identites/retirer", &form).await.leads_to("/agent/securite?fait=identite-retiree");
        for subject in ["nadia-1", "nadia-2"] {
            provider.script().person["sub"] = json!(subject);
            come(&mut portal.client(), DOOR, "pc").await.is(403).shows("Vous avez détaché pc de votre compte");
            assert_eq!(portal.count("provider_link").await, 0);
        }
        // Linked again with the password, it opens; and the next agent is found as ever.
        let form = [("fournisseur", "pc"), ("mot-de-passe-identite", PASSWORD)];
        let there = leads(&nadia.post("/agent/securite/identites", &form).await).unwrap();
        let back = path(&nadia, &sent(&there).await);
        nadia.get(&back).await.leads_to("/agent/securite?fait=identite");
        come(&mut portal.client(), DOOR, "pc").await.leads_to("/agent");
        assert_eq!(portal.count("provider_unlinked").await, 0);
        provider.script().person = json!({"sub": "paulo-1", "given_name": "Paulo", "usual_name": "Da Silva", "email": "paulo.da-silva@valmont.example"});
        come(&mut portal.client(), DOOR, "pc").await.leads_to("/agent");
    }

    async fn unknown_agents_are_turned_away_or_created(portal: Portal) {
        let provider = proconnect(&portal, "").await;
        // Known by their address only: the city has not said that it trusts it.
        come(&mut portal.client(), DOOR, "pc").await.is(403).shows("aucun compte d'agent").shows("Mot de passe");
        assert_eq!(portal.count("provider_link").await, 0);
        // They add it themselves.
        let mut nadia = portal.agent("nadia.benali").await;
        let form = [("fournisseur", "pc"), ("mot-de-passe-identite", PASSWORD)];
        let there = leads(&nadia.post("/agent/securite/identites", &form).await).unwrap();
        let back = path(&nadia, &sent(&there).await);
        nadia.get(&back).await.leads_to("/agent/securite?fait=identite");
        come(&mut portal.client(), DOOR, "pc").await.leads_to("/agent");
        // Unknown ones are created without any right.
        declare(&portal, &text("pc", "proconnect", &provider, "[agents]\ncreate = true\n")).await;
        provider.script().person = json!({"sub": "n", "given_name": "Noé", "usual_name": "Vidal", "email": "noe.vidal@valmont.example"});
        let mut noe = portal.client();
        come(&mut noe, DOOR, "pc").await.leads_to("/agent");
        assert!(noe.get("/agent").await.is(200).html().contains("Noé Vidal"));
        noe.get("/agent/securite").await.is(200).shows("pas de mot de passe");
        // An address that the provider itself has not checked finds nobody.
        provider.script().person = json!({"sub": "m", "given_name": "Max", "usual_name": "Roy", "email": "max@valmont.example", "email_verified": false});
        come(&mut portal.client(), DOOR, "pc").await.is(403);
        // An usager's account of the same address is another one.
        assert_eq!(portal.count("provider_link").await, 2);
    }
}

/// Whose role demands a second factor shows it after ProConnect too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_demands_a_second_factor_demands_it() {
    let portal = Portal::start(Engine::Sqlite).await;
    let _provider = proconnect(&portal, "match_email = true\n").await;
    crate::journeys::signing_in::demand(&portal, &["processor"]).await;
    let mut browser = portal.client();
    come(&mut browser, DOOR, "pc").await.leads_to("/agent");
    browser.get("/agent").await.leads_to("/agent/securite");
}
