//! « Applications reliées »: what an administrator does on pages.

use guichet::sso;
use jiff::SignedDuration;

use super::{SECRET, declare, oidc, parameter, walk};
use crate::harness::{Client, Engine, Page, Portal, USAGER, both, html};
use crate::journeys::signing_in::demand;

const HOME: &str = "/agent/applications";
const SHEET: &str = "/agent/applications/fiche/app";

async fn administrator(portal: &Portal) -> Client {
    portal.agent("maelle.keller").await
}

/// The form of a new application, filled in as [`oidc::APP`] declares it.
async fn filled(browser: &mut Client) -> Vec<(String, String)> {
    let form = browser.get(&format!("{HOME}/ajouter")).await.is(200).form("retours");
    let form = form.with("identifiant", "app").with("nom", "Vélos").with("oidc", "oui").with("renouveler", "oui");
    let form = form.with("retours", "https://app.test/retour\nhttps://app.test/autre");
    let mut form = form.with("apres-deconnexion", "https://app.test/parti").fields;
    form.extend(["given_name", "family_name", "email"].map(|claim| ("donnees".to_owned(), claim.to_owned())));
    form
}

fn with(mut form: Vec<(String, String)>, name: &str, value: &str) -> Vec<(String, String)> {
    form.retain(|(known, _)| known != name);
    form.push((name.to_owned(), value.to_owned()));
    form
}

/// The secret that a page shows.
#[track_caller]
fn secret(page: &Page) -> String {
    assert_eq!(page.header("cache-control"), "no-store");
    let shown =
        html::tags(page.html()).into_iter().find(|tag| tag.name == "strong" && tag.get("class").contains("g-ref"));
    shown.expect("no secret").after.to_owned()
}

async fn good(portal: &Portal, secret: &str) -> bool {
    let app = sso::client(&portal.db(), "app").await.unwrap().unwrap();
    let page = oidc::ask_with(portal, "app", secret, &[("grant_type", "authorization_code"), ("code", "x")]).await;
    assert_eq!(app.has_secret(secret, portal.app.clock.now()), page.status == 400);
    page.status == 400
}

both! {
    async fn an_application_is_added_and_entered(portal: Portal) {
        let mut admin = administrator(&portal).await;
        assert!(admin.get("/agent").await.is(200).links_to(HOME));
        admin.get(HOME).await.is(200).shows("Aucune application");
        let form = filled(&mut admin).await;
        let page = admin.post_form(&format!("{HOME}/ajouter"), &form).await.is(200).shows("ne sera plus affiché");
        let secret = secret(&page);
        assert!(good(&portal, &secret).await && !good(&portal, SECRET).await);
        let mut person = portal.client();
        let to = walk(&mut person, &oidc::authorize("")).await;
        let code = parameter(&to, "code").unwrap();
        oidc::ask_with(&portal, "app", &secret, &oidc::exchange(&code)).await.is(200);
        let page = admin.get(SHEET).await.is(200).shows("Un usager a donné son accord, 1 session en cours").shows("Application ajoutée");
        page.shows("Maëlle Keller").hides(&secret);
        // The same declaration as a file, good for the command line.
        let file = admin.get(&format!("{SHEET}/declaration.toml")).await.is(200);
        assert!(file.header("content-disposition").starts_with("attachment"));
        let read = sso::Declaration::read("app.toml", file.html()).unwrap();
        assert_eq!(read, sso::Declaration::read("app.toml", oidc::APP).unwrap());
        // The id is taken: nothing typed is lost.
        let page = admin.post_form(&format!("{HOME}/ajouter"), &with(form, "nom", "Autres vélos")).await.is(422).shows("a déjà cet identifiant");
        assert_eq!(page.form("retours").value("nom"), "Autres vélos");
    }

    async fn mistakes_are_told_beside_their_fields(portal: Portal) {
        let mut admin = administrator(&portal).await;
        let path = format!("{HOME}/ajouter");
        let page = admin.post(&path, &[]).await.is(422);
        page.shows("Choisissez au moins un protocole").shows("Saisissez un identifiant").shows("Saisissez le nom");
        let form = filled(&mut admin).await;
        for (field, value, text) in [
            ("identifiant", "Vélos", "Saisissez un identifiant"),
            ("retours", "", "Saisissez au moins une adresse"),
            ("retours", "https://app.test/retour\nhttp://app.test/", "doit commencer par https://"),
            ("apres-deconnexion", "parti", "n’est pas une adresse complète"),
            ("prevenir", "https://a:b@app.test/", "ne doit contenir ni nom"),
        ] {
            let page = admin.post_form(&path, &with(form.clone(), field, value)).await.is(422).shows(text);
            assert!(page.html().contains(&format!("id=\"{field}-error\"")), "{field}");
            let again = page.form("retours");
            assert_eq!(again.value(field), value, "{field}");
            assert_eq!(again.fields.iter().filter(|(name, _)| name == "donnees").count(), 3);
        }
        let cas = with(with(form, "cas", "oui"), "adresses-cas", "https://app.test/?a");
        admin.post_form(&path, &cas).await.is(422).shows("est un début d’adresse");
        assert_eq!((portal.count("sso_client").await, portal.count("sso_change").await), (0, 0));
    }

    async fn a_secret_is_renewed_beside_the_old_one(portal: Portal) {
        declare(&portal, oidc::APP).await;
        let mut admin = administrator(&portal).await;
        let path = format!("{SHEET}/secret");
        let form = admin.get(&path).await.is(200).shows("7 jours").form("version");
        let second = secret(&admin.post_form(&path, &form.fields).await.is(200).shows("L’ancien secret reste accepté"));
        assert!(good(&portal, SECRET).await && good(&portal, &second).await);
        // The same form again: the secret shown first stays.
        admin.post_form(&path, &form.fields).await.leads_to(&format!("{SHEET}?fait=deja"));
        admin.get(SHEET).await.shows("L’ancien secret reste accepté");
        // A third: two at most.
        let form = admin.get(&path).await.is(200).shows("cessera tout de suite").form("version");
        let third = secret(&admin.post_form(&path, &form.fields).await.is(200));
        assert!(!good(&portal, SECRET).await && good(&portal, &second).await && good(&portal, &third).await);
        portal.later(SignedDuration::from_hours(7 * 24));
        let mut admin = administrator(&portal).await;
        assert!(!good(&portal, &second).await && good(&portal, &third).await);
        // Seen by others: the old one ends at once.
        let form = admin.get(&path).await.is(200).form("version").with("tout-de-suite", "oui");
        let fourth = secret(&admin.post_form(&path, &form.fields).await.is(200));
        assert!(!good(&portal, &third).await && good(&portal, &fourth).await);
        let page = admin.get(SHEET).await.is(200).shows("Secret renouvelé").shows("l’ancien a cessé tout de suite");
        assert!(!page.html().contains(&fourth));
    }

    async fn a_change_is_traced_and_never_overwritten_unseen(portal: Portal) {
        declare(&portal, oidc::APP).await;
        let mut admin = administrator(&portal).await;
        let path = format!("{SHEET}/modifier");
        let form = admin.get(&path).await.is(200).form("retours");
        let first = form.clone().with("nom", "Bicyclettes").with("retours", "https://app.test/retour");
        admin.post_form(&path, &first.fields).await.leads_to(&format!("{SHEET}?fait=modifiee"));
        let page = admin.get(SHEET).await.is(200).shows("Bicyclettes").shows("Adresses de retour : retiré https://app.test/autre");
        page.shows("Maëlle Keller").shows("Direction informatique (ligne de commande)");
        assert!(good(&portal, SECRET).await);
        // A colleague's page, older: told, and what was typed is still there.
        let late = form.with("nom", "Cycles");
        let page = admin.post_form(&path, &late.fields).await.is(422).shows("modifiée pendant votre saisie");
        let again = page.form("retours");
        assert_eq!(again.value("nom"), "Cycles");
        admin.post_form(&path, &again.fields).await.is(303);
        // Public: the secret goes; confidential again: another one, shown once.
        let form = admin.get(&path).await.form("retours").with("type", "public");
        admin.post_form(&path, &form.fields).await.is(303);
        assert!(!good(&portal, SECRET).await);
        admin.get(&format!("{SHEET}/secret")).await.is(404);
        let form = admin.get(&path).await.form("retours").with("type", "serveur");
        let made = secret(&admin.post_form(&path, &form.fields).await.is(200));
        assert!(good(&portal, &made).await && !good(&portal, SECRET).await);
    }

    async fn an_application_is_removed_after_telling_what_ends(portal: Portal) {
        declare(&portal, oidc::APP).await;
        let mut person = portal.usager(USAGER).await;
        let tokens = oidc::tokens(&portal, &mut person).await;
        let mut admin = administrator(&portal).await;
        let path = format!("{SHEET}/retirer");
        admin.get(&path).await.is(200).shows("1 usager a donné son accord").shows("1 session en cours").shows("connaît 1 usager");
        admin.post(&path, &[]).await.leads_to(&format!("{HOME}?fait=retiree"));
        admin.get(HOME).await.is(200).shows("Aucune application").shows("Application retirée : Vélos").shows("Maëlle Keller");
        admin.get(SHEET).await.is(404);
        admin.post(&path, &[]).await.is(404);
        oidc::userinfo(&portal, tokens["access_token"].as_str().unwrap()).await.is(401);
        person.get(&oidc::authorize("")).await.is(400);
        for table in ["sso_client", "sso_subject", "sso_consent", "sso_grant", "sso_token", "sso_visit"] {
            assert_eq!(portal.count(table).await, 0, "{table}");
        }
    }

    async fn administrators_may_be_obliged_to_a_second_factor(portal: Portal) {
        let mut admin = administrator(&portal).await;
        admin.get(HOME).await.is(200);
        demand(&portal, &["administrator"]).await;
        admin.get(HOME).await.leads_to("/agent/securite");
        admin.post(&format!("{HOME}/ajouter"), &[]).await.leads_to("/agent/securite");
        // Nobody else is.
        portal.agent("claire.daubigny").await.get("/agent").await.is(200);
    }
}
