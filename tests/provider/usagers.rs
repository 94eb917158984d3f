//! FranceConnect: first sign-in, next ones, what the provider says, signing out.

use db::{Json, args, sql};
use serde_json::{Value, json};

use super::{come, franceconnect, path, sent};
use crate::{
    harness::{
        Client, Engine, Portal, USAGER, both,
        journey::{filled, question},
    },
    journeys::{life, signing_in::set_up},
    sso::{leads, parameter},
};

/// First sign-in with a new account, without any address.
async fn create(browser: &mut Client, id: &str, email: &str) {
    let page = come(browser, "/connexion", id).await.is(303);
    let page = browser.follow(&page).await.is(200);
    let form = page.form("email").with("email", email);
    browser.post_form(&page.path, &form.fields).await.leads_to("/mes-demandes");
}

async fn identity(portal: &Portal) -> (String, Value) {
    let (source, Json(identity)): (String, Json<Value>) = portal
        .db()
        .one(
            sql!("select source, identity from verified_identity where authority_id = $1 and source like 'provider:%'"),
            args![portal.city],
        )
        .await
        .unwrap();
    (source, identity)
}

both! {
    async fn a_new_account_is_opened_and_found_again(portal: Portal) {
        let provider = franceconnect(&portal).await;
        let mut browser = portal.client();
        let page = browser.get("/connexion?suite=/compte").await.is(200).shows("Qu'est-ce que fc ?").shows("S'identifier avec fc");
        assert!(page.links_to("https://franceconnect.gouv.fr/"));
        let page = come(&mut browser, "/connexion?suite=/compte", "fc").await.is(303);
        // What FranceConnect wants to be asked.
        let asked = format!("https://x/?{}", provider.asked("authorize")[0]);
        assert_eq!(parameter(&asked, "acr_values").as_deref(), Some("eidas1"));
        assert_eq!(parameter(&asked, "redirect_uri").as_deref(), Some("http://ville.test/connexion/retour/fc"));
        assert!(parameter(&asked, "code_challenge").is_some() && parameter(&asked, "nonce").unwrap().len() >= 32);
        let first = browser.follow(&page).await.is(200).shows("Bienvenue, Angela DUBOIS").shows("certifiée par fc");
        let form = first.form("email");
        assert_eq!(form.value("email"), "angela@exemple.fr");
        browser.post_form(&first.path, &form.fields).await.leads_to("/compte");
        // The page has served.
        browser.get(&first.path).await.is(410).shows("a déjà servi");
        assert_eq!(
            identity(&portal).await,
            ("provider:fc".to_owned(), json!({
                "nom_naissance": "DUBOIS", "prenoms": "Angela Claire", "date_naissance": "1962",
                "lieu_naissance": {"commune": "code INSEE 75107", "pays": "France", "code_commune": "75107", "code_pays": "99100"},
            }))
        );
        browser.get("/compte").await.is(200).shows("pas encore d'adresse électronique");
        browser.get("/compte/securite").await.is(200).shows("fc : Angela DUBOIS").shows("Identité rattachée").shows("pas de mot de passe");
        // The address counts once its owner has opened the link.
        let mails = portal.outbox().await;
        let (to, _, text) = mails.last().unwrap();
        assert_eq!(to, "angela@exemple.fr");
        let link = text.split("http://ville.test").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        browser.get(&link).await.is(200);
        browser.post(&link, &[("reponse", "oui")]).await.is(200).shows("Votre adresse est changée");
        browser.get("/compte").await.is(200).shows("Nous vous écrivons à angela@exemple.fr");
        // Elsewhere, later: straight in, the very same account.
        let mut other = portal.client();
        come(&mut other, "/connexion", "fc").await.leads_to("/mes-demandes");
        other.get("/compte").await.is(200).shows("angela@exemple.fr");
        assert!(other.data().await.to_string().contains("angela-1"));
        assert_eq!(portal.count("provider_link").await, 1);
        assert_eq!(portal.count("provider_attempt").await, 0);
    }

    /// Asked for the password that they do not have, somebody is told how to get one, and gets one.
    async fn an_account_without_password_is_no_dead_end(portal: Portal) {
        let _provider = franceconnect(&portal).await;
        let mut browser = portal.client();
        create(&mut browser, "fc", "").await;
        let asked = [("mot-de-passe-suppression", "n'importe quoi")];
        browser.post("/compte/supprimer", &asked).await.is(422).shows("confirmez d'abord une adresse électronique");
        browser.post("/mes-documents/creer", &[("mot-de-passe", "x")]).await.is(422).shows("Choisissez un code");
        // The first address needs no password, and is not one before it is confirmed.
        browser.post("/compte/adresse", &[("nouvelle-adresse", "angela@exemple.fr")]).await.is(200).shows("angela@exemple.fr");
        portal.client().post("/mot-de-passe-oublie", &[("email", "angela@exemple.fr")]).await.is(200);
        let mails = portal.outbox().await;
        let mine: Vec<&str> = mails.iter().filter(|mail| mail.0 == "angela@exemple.fr").map(|mail| mail.2.as_str()).collect();
        assert_eq!(mine.len(), 1, "{mails:?}");
        let link = |text: &str| text.split("http://ville.test").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        let confirm = link(mine[0]);
        browser.get(&confirm).await.is(200);
        browser.post(&confirm, &[("reponse", "oui")]).await.is(200);
        browser.post("/compte/supprimer", &asked).await.is(422).shows("J'ai oublié mon mot de passe");
        let page = browser.get("/compte/securite").await.is(200);
        assert!(page.links_to("/mot-de-passe-oublie"));
        // From now on a second address is not given by an open session alone.
        browser.post("/compte/adresse", &[("nouvelle-adresse", "autre@exemple.fr")]).await.is(422);
        browser.post("/mot-de-passe-oublie", &[("email", "angela@exemple.fr")]).await.is(200);
        let reset = link(&portal.outbox().await.last().unwrap().2);
        let page = browser.get(&reset).await.is(200);
        let form = page.form("mot-de-passe").with("mot-de-passe", "quatre mots faciles à retenir");
        browser.post_form(&reset, &form.fields).await.is(303);
        browser.post("/connexion", &[("email", "angela@exemple.fr"), ("mot-de-passe", "quatre mots faciles à retenir")]).await.leads_to("/mes-demandes");
        // With a password, the identity can be taken away.
        let form = [("fournisseur", "fc"), ("mot-de-passe-retirer-identite", "quatre mots faciles à retenir")];
        browser.post("/compte/securite/identites/retirer", &form).await.leads_to("/compte/securite?fait=identite-retiree");
        assert_eq!(portal.count("provider_link").await, 0);
    }

    /// Two accounts are not made one by whoever finds a browser left open.
    async fn without_password_a_merge_wants_a_session_just_opened(portal: Portal) {
        let _provider = franceconnect(&portal).await;
        let other = "camille@exemple.fr";
        life::usager(&portal, other).await;
        let mut browser = portal.client();
        create(&mut browser, "fc", "").await;
        let proof = [("autre-compte", other), ("mot-de-passe-autre", crate::harness::PASSWORD)];
        let page = browser.post("/compte/reunir", &proof).await.is(200);
        let fields = page.form("preuve").fields;
        portal.later(jiff::SignedDuration::from_mins(10));
        let old = browser.post("/compte/reunir", &proof).await.is(200).form("preuve").fields;
        portal.later(jiff::SignedDuration::from_mins(6));
        let door = "/connexion?encore=oui&suite=/compte/reunir";
        browser.get("/compte/reunir").await.leads_to(door);
        browser.post("/compte/reunir", &proof).await.leads_to(door);
        // Proved ten minutes ago, by a session that is older.
        browser.post_form("/compte/reunir/confirmer", &old).await.leads_to(door);
        browser.post_form("/compte/reunir/confirmer", &fields).await.is(422).shows("Trop de temps");
        portal.usager(other).await.get("/compte").await.is(200);
        come(&mut browser, door, "fc").await.leads_to("/compte/reunir");
        browser.post_form("/compte/reunir/confirmer", &old).await.leads_to("/compte?fait=reunis");
    }

    /// The link to an address that is somebody's sign-in name could never work: its owner is told instead.
    async fn a_first_address_that_is_taken_gets_no_link(portal: Portal) {
        let _provider = franceconnect(&portal).await;
        let mut browser = portal.client();
        create(&mut browser, "fc", "").await;
        browser.post("/compte/adresse", &[("nouvelle-adresse", USAGER)]).await.is(200).shows(USAGER);
        let mails: Vec<_> = portal.outbox().await.into_iter().filter(|mail| mail.0 == USAGER).collect();
        assert_eq!(mails.last().unwrap().1, "Vous avez déjà un compte");
        assert!(mails.iter().all(|mail| !mail.2.contains("/confirmer/")), "{mails:?}");
    }

    /// Nobody gets somebody's account by bearing their address.
    async fn an_address_opens_no_account(portal: Portal) {
        let provider = franceconnect(&portal).await;
        provider.script().person["email"] = json!(USAGER);
        let mut browser = portal.client();
        let page = come(&mut browser, "/connexion?suite=/compte", "fc").await;
        let page = browser.follow(&page).await.is(200);
        let again = browser.post_form(&page.path, &page.form("email").fields).await.is(422).shows("Un compte existe déjà avec cette adresse");
        browser.get("/compte").await.is(303);
        // Their own password shows that it is theirs; then the identity is added, if they say so.
        let sign_in = page.path.clone();
        assert!(again.links_to(&format!("/connexion?suite={sign_in}")));
        let door = browser.get(&format!("/connexion?suite={sign_in}")).await.is(200);
        let form = door.form("mot-de-passe").with("email", USAGER).with("mot-de-passe", crate::harness::PASSWORD);
        browser.post_form("/connexion", &form.fields).await.leads_to(&sign_in);
        let page = browser.get(&sign_in).await.is(200).shows("Rattacher fc à votre compte");
        assert_eq!(portal.count("provider_link").await, 0);
        browser.post_form(&sign_in, &page.form("choix").fields).await.leads_to("/compte");
        assert_eq!(portal.count("provider_link").await, 1);
        assert!(portal.outbox().await.iter().any(|mail| mail.0 == USAGER && mail.1.contains("identité est rattachée")));
        // From now on the provider opens it, and signing out ends both.
        let mut other = portal.client();
        come(&mut other, "/connexion", "fc").await.leads_to("/mes-demandes");
        other.get("/compte").await.is(200).shows(USAGER);
        assert!(leads(&browser.post("/deconnexion", &[]).await).unwrap().contains("/session/end?"));
    }

    async fn who_leaves_leaves_the_provider_too(portal: Portal) {
        let provider = franceconnect(&portal).await;
        let mut browser = portal.client();
        create(&mut browser, "fc", "").await;
        let end = leads(&browser.post("/deconnexion", &[]).await.is(200)).unwrap();
        assert!(end.starts_with(&format!("{}/session/end?", provider.issuer())), "{end}");
        assert!(parameter(&end, "id_token_hint").unwrap().split('.').count() == 3 && parameter(&end, "state").unwrap().len() >= 32);
        assert_eq!(parameter(&end, "post_logout_redirect_uri").as_deref(), Some("http://ville.test/deconnexion/retour"));
        browser.get("/compte").await.is(303);
        browser.get("/deconnexion/retour?state=x").await.is(200).shows("Vous êtes déconnecté");
        // Who came by a password goes nowhere.
        portal.usager(USAGER).await.post("/deconnexion", &[]).await.leads_to("/");
        // The token is not readable in the database.
        come(&mut browser, "/connexion", "fc").await.is(303);
        let sealed: Vec<u8> = portal.db().one(sql!("select sealed from provider_session where authority_id = $1"), args![portal.city]).await.unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"eyJhbG"));
        // Down: out of here all the same.
        provider.set(crate::harness::provider::Flaw::Broken);
        portal.later(jiff::SignedDuration::from_mins(11));
        browser.post("/deconnexion", &[]).await.leads_to("/");
        browser.get("/compte").await.is(303);
    }

    async fn what_changes_at_the_provider_changes_here(portal: Portal) {
        let provider = franceconnect(&portal).await;
        let mut browser = portal.client();
        create(&mut browser, "fc", "").await;
        browser.get("/compte/securite").await.is(200).hides("Identité changée");
        provider.script().person["preferred_username"] = json!("MARTIN");
        come(&mut browser, "/connexion?encore=oui", "fc").await.leads_to("/mes-demandes");
        // Signed in already: asked to identify again.
        assert!(provider.asked("authorize").last().unwrap().contains("prompt=login"));
        browser.get("/compte/securite").await.is(200).shows("Identité changée chez le fournisseur").shows("fc : Angela MARTIN");
        assert_eq!(identity(&portal).await.1["nom_usage"], "MARTIN");
        assert_eq!(browser.get("/compte").await.form("nom").value("nom"), "MARTIN");
        // A name that its owner chose stays.
        browser.post("/compte", &[("prenom", "Angie"), ("nom", "Martin")]).await.is(303);
        provider.script().person["preferred_username"] = json!("DURAND");
        let mut other = portal.client();
        come(&mut other, "/connexion", "fc").await.is(303);
        assert_eq!(other.get("/compte").await.form("prenom").value("prenom"), "Angie");
        assert_eq!(identity(&portal).await.1["nom_usage"], "DURAND");
    }

    /// ES256, keys that change, a provider that does not name itself.
    async fn keys_may_change(portal: Portal) {
        let provider = franceconnect(&portal).await;
        provider.script().names = None;
        let mut browser = portal.client();
        create(&mut browser, "fc", "").await;
        for (key, curve) in [("clef-2", false), ("clef-3", true)] {
            (provider.script().key, provider.script().curve) = (key, curve);
            let before = provider.asked("jwks").len();
            come(&mut portal.client(), "/connexion", "fc").await.leads_to("/mes-demandes");
            assert_eq!(provider.asked("jwks").len(), before + 1);
        }
        // Known keys are not asked for again, nor is the discovery document, for ten minutes.
        let (keys, documents) = (provider.asked("jwks").len(), provider.asked("discovery").len());
        come(&mut portal.client(), "/connexion", "fc").await.is(303);
        assert_eq!((provider.asked("jwks").len(), provider.asked("discovery").len()), (keys, documents));
        portal.later(jiff::SignedDuration::from_mins(11));
        come(&mut portal.client(), "/connexion", "fc").await.is(303);
        assert_eq!((provider.asked("jwks").len(), provider.asked("discovery").len()), (keys + 1, documents + 1));
    }

    /// What was typed before a session ended goes to the provider's door and back.
    async fn nothing_typed_is_lost(portal: Portal) {
        let provider = franceconnect(&portal).await;
        let mut browser = portal.client();
        create(&mut browser, "fc", "").await;
        let check = browser.fill("demande-information", &question("Avant la pause")).await;
        let draft = format!("{}/votre-message", check.trim_end_matches("/verifier"));
        let form = browser.get(&draft).await.form("action");
        let fields = filled(&form, &question("Après la pause"));
        browser.cookies.clear();
        let page = browser.post_form(&draft, &fields).await.is(200).shows("Vos réponses sont conservées");
        let form = page.forms().into_iter().find(|form| form.action == "/connexion/fournisseur/fc").unwrap();
        assert!(form.value("saisie").contains("Après la pause"));
        // The provider is down: the page keeps it.
        provider.set(crate::harness::provider::Flaw::Broken);
        portal.later(jiff::SignedDuration::from_mins(11));
        let body = crate::harness::urlencoded(&form.fields);
        let down = browser
            .try_send(reqwest::Method::POST, &form.action, |request| request.header("content-type", "application/x-www-form-urlencoded").body(body))
            .await
            .unwrap();
        let down = down.is(503).shows("fc ne répond pas pour le moment");
        assert!(down.form("mot-de-passe").value("saisie").contains("Après la pause"));
        provider.set(crate::harness::provider::Flaw::None);
        let form = down.forms().into_iter().find(|form| form.action == "/connexion/fournisseur/fc").unwrap();
        let there = leads(&browser.post_form(&form.action, &form.fields).await).unwrap();
        let back = path(&browser, &sent(&there).await);
        browser.get(&back).await.leads_to(&draft);
        assert_eq!(browser.get(&draft).await.form("action").value("message"), "Après la pause");
    }
}

/// A second factor is asked for after a provider as after a password, and the session knows both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_is_still_asked() {
    let portal = Portal::start(Engine::Sqlite).await;
    let _provider = franceconnect(&portal).await;
    let mut browser = portal.usager(USAGER).await;
    let form = [("fournisseur", "fc"), ("mot-de-passe-identite", crate::harness::PASSWORD)];
    let there = leads(&browser.post("/compte/securite/identites", &form).await).unwrap();
    let back = path(&browser, &sent(&there).await);
    browser.get(&back).await.leads_to("/compte/securite?fait=identite");
    let (phone, _) = set_up(&portal, &mut browser, "/compte/securite").await;
    portal.later(jiff::SignedDuration::from_mins(1));
    let mut other = portal.client();
    let page = come(&mut other, "/connexion?suite=/compte", "fc").await.is(200).shows("Saisissez votre code");
    other.get("/compte").await.is(303);
    let form = page.form("code").with("code", &phone.code(&portal, 0));
    other.post_form("/connexion/code", &form.fields).await.leads_to("/compte");
    assert!(leads(&other.post("/deconnexion", &[]).await).unwrap().contains("/session/end?"));
}
