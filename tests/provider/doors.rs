//! The doors that a provider opens: what the second factor remembers of them, what leaving does first, what
//! strangers may leave behind, what a new account is mailed.

use std::time::Duration;

use db::{args, sql};
use jiff::SignedDuration;
use reqwest::Method;

use super::{come, franceconnect, links::add};
use crate::{
    harness::{
        Client, Engine, PASSWORD, Page, Phone, Portal, USAGER, both,
        peers::eventually,
        provider::{Flaw, Provider},
    },
    journeys::signing_in::{give, password, set_up},
};

/// Somebody whose account a provider opens, with a second factor; in the browser they set both up in.
async fn armed(portal: &Portal) -> (Provider, Client, Phone) {
    let provider = franceconnect(portal).await;
    let mut browser = portal.usager(USAGER).await;
    add(&mut browser, "fc").await.leads_to("/compte/securite?fait=identite");
    let (phone, _) = set_up(portal, &mut browser, "/compte/securite").await;
    portal.later(SignedDuration::from_mins(1));
    (provider, browser, phone)
}

/// How the latest session was opened.
async fn means(portal: &Portal) -> String {
    let latest = sql!(
        "select means from session where authority_id = $1 and account_id is not null order by created_at desc, id desc limit 1"
    );
    portal.db().one(latest, args![portal.city]).await.unwrap()
}

async fn code_page(portal: &Portal) -> (Client, Page) {
    let mut browser = portal.client();
    let page = come(&mut browser, "/connexion?suite=/compte", "fc").await.is(200).shows("Saisissez votre code");
    (browser, page)
}

both! {
    /// The page of the code says by itself which provider came before: nothing else is believed.
    async fn the_code_knows_what_came_before_it(portal: Portal) {
        let (_provider, mut owner, phone) = armed(&portal).await;
        let (mut browser, page) = code_page(&portal).await;
        give(&mut browser, &page, "code", &phone.code(&portal, 0)).await.leads_to("/compte");
        assert_eq!(means(&portal).await, "provider-code");
        // Without the cookie under which the identity waits: nothing is opened, least of all as by a password.
        portal.later(SignedDuration::from_mins(1));
        let (mut browser, page) = code_page(&portal).await;
        browser.cookies.retain(|name, _| !name.contains("fournisseur"));
        give(&mut browser, &page, "code", &phone.code(&portal, 0)).await.is(422).shows("Trop de temps a passé");
        browser.get("/compte").await.is(303);
        // One identity, then back, then the password: the session was opened by the password.
        portal.later(SignedDuration::from_mins(1));
        let (mut browser, _) = code_page(&portal).await;
        let page = password(&mut browser, "/connexion", USAGER).await.is(200);
        give(&mut browser, &page, "code", &phone.code(&portal, 0)).await.is(303);
        assert_eq!(means(&portal).await, "code");
        browser.post("/deconnexion", &[]).await.leads_to("/");
        // Taken away while the code is looked for: it opens nothing any more.
        portal.later(SignedDuration::from_mins(1));
        let (mut browser, page) = code_page(&portal).await;
        let form = [("fournisseur", "fc"), ("mot-de-passe-retirer-identite", PASSWORD)];
        owner.post("/compte/securite/identites/retirer", &form).await.leads_to("/compte/securite?fait=identite-retiree");
        give(&mut browser, &page, "code", &phone.code(&portal, 0)).await.is(403).shows("n'ouvre plus ce compte");
        browser.get("/compte").await.is(303);
        assert_eq!(portal.count("provider_session").await, 0);
    }

    /// The session ends here before anything is asked of the provider.
    async fn leaving_does_not_wait_for_the_provider(portal: Portal) {
        let provider = franceconnect(&portal).await;
        let mut owner = portal.usager(USAGER).await;
        add(&mut owner, "fc").await.is(303);
        let mut browser = portal.client();
        come(&mut browser, "/connexion", "fc").await.is(303);
        browser.get("/compte").await.is(200);
        portal.later(SignedDuration::from_mins(11));
        provider.set(Flaw::Slow);
        let (before, mut leaving) = (provider.asked("discovery").len(), browser.clone());
        let asking = tokio::spawn(async move { leaving.try_send(Method::POST, "/deconnexion", |request| request).await });
        let asked = async || (provider.asked("discovery").len() > before).then_some(());
        eventually("the provider is asked", Duration::from_secs(5), asked).await;
        browser.get("/compte").await.is(303);
        // Gone before the answer, as a browser that is closed.
        asking.abort();
    }

    /// What was typed waits with a provider: strangers may not fill the database with it.
    async fn what_is_kept_for_strangers_is_bounded(portal: Portal) {
        let _provider = franceconnect(&portal).await;
        let typed = [("suite", "/compte"), ("saisie", "{\"message\":[\"Bonjour\"]}")];
        for _ in 0..50 {
            portal.client().post("/connexion/fournisseur/fc", &typed).await.is(200);
        }
        let page = portal.client().post("/connexion/fournisseur/fc", &typed).await.is(429).shows("réessayez dans");
        assert!(page.form("mot-de-passe").value("saisie").contains("Bonjour"));
        assert_eq!(portal.count("provider_attempt").await, 50);
        // Who has typed nothing signs in as ever; and so does everybody, a while later.
        portal.client().post("/connexion/fournisseur/fc", &[]).await.is(200);
        portal.later(SignedDuration::from_mins(1));
        portal.client().post("/connexion/fournisseur/fc", &typed).await.is(200);
    }

    /// A mailbox is not filled by opening accounts.
    async fn a_new_account_does_not_flood_a_mailbox(portal: Portal) {
        let _provider = franceconnect(&portal).await;
        for _ in 0..5 {
            portal.client().post("/mot-de-passe-oublie", &[("email", "angela@exemple.fr")]).await.is(200);
        }
        let mut browser = portal.client();
        let page = come(&mut browser, "/connexion?suite=/mes-documents", "fc").await.is(303);
        let page = browser.follow(&page).await.is(200);
        let page = browser.post_form(&page.path, &page.form("email").fields).await.is(303);
        let page = browser.follow(&page).await.is(200).shows("Votre compte est créé, sans adresse électronique").shows("Continuer");
        assert!(page.links_to("/mes-documents"));
        assert!(portal.outbox().await.iter().all(|mail| mail.0 != "angela@exemple.fr"));
        // Later, from the account itself.
        portal.later(SignedDuration::from_hours(2));
        browser.post("/compte/adresse", &[("nouvelle-adresse", "angela@exemple.fr")]).await.is(200);
        assert!(portal.outbox().await.iter().any(|mail| mail.0 == "angela@exemple.fr"));
    }
}
