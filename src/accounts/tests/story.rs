//! From opening an account to a new password.

use super::*;

#[tokio::test]
async fn an_account_from_sign_up_to_a_new_password() {
    let site = Site::new().await;
    let (mut home, mut phone) = (site.browser(), site.browser());

    home.sign_up("Camille@exemple.fr").await.is(200).shows("Consultez vos courriels").shows("24\u{a0}heures");
    home.sign_in("camille@exemple.fr", "pas le bon mot de passe").await.is(422);
    let link = site.link().await;
    assert!(link.starts_with("/confirmer/") && link.ends_with("?suite=/demarches"), "{link}");

    // Mail filters open links, twice even: only the button counts.
    for _ in 0..2 {
        phone.get(&link).await.is(200).shows("Confirmer mon adresse").shows("Camille@exemple.fr");
    }
    phone.post(&link, &[]).await.leads_to("/connexion?fait=confirme&suite=/demarches");
    phone
        .get("/connexion?fait=confirme&suite=/demarches")
        .await
        .shows("Votre adresse est confirmée")
        .shows("value=\"&#x2f;demarches\"");
    phone.post(&link, &[]).await.is(410).shows("Ce lien n’est plus valable");
    phone.get(&link).await.is(410);

    phone
        .post("/connexion", &[("email", " CAMILLE@exemple.fr"), ("mot-de-passe", PASSWORD), ("suite", "/demarches")])
        .await
        .leads_to("/demarches");
    home.sign_in("camille@exemple.fr", PASSWORD).await.leads_to("/mes-demandes");
    home.get("/connexion?suite=/demarches").await.leads_to("/demarches");
    home.get("/inscription").await.leads_to("/compte");
    home.get("/compte").await.is(200).shows("Camille").shows("Connexion et sécurité");

    let mut stranger = site.browser();
    stranger.post("/mot-de-passe-oublie", &[("email", "camille@exemple.fr")]).await.is(200).shows("une heure");
    let link = site.link().await;
    stranger.get(&link).await.is(200).shows("Nouveau mot de passe");
    stranger
        .post(&link, &[("mot-de-passe", "Camille-1978")])
        .await
        .is(422)
        .shows("trop facile à deviner")
        .shows("Nouveau mot de passe");
    stranger.post(&link, &[("mot-de-passe", OTHER)]).await.leads_to("/connexion?fait=mot-de-passe");
    stranger.post(&link, &[("mot-de-passe", OTHER)]).await.is(410).shows("Recevoir un nouveau lien");
    assert!(!home.signed_in().await && !phone.signed_in().await);
    home.sign_in("camille@exemple.fr", PASSWORD).await.is(422);
    home.sign_in("camille@exemple.fr", OTHER).await.leads_to("/mes-demandes");

    let subjects: Vec<String> = site.mails().await.into_iter().map(|(_, subject, _)| subject).collect();
    assert_eq!(
        subjects,
        ["Confirmez votre adresse électronique", "Choisissez un nouveau mot de passe", "Votre mot de passe a changé"]
    );
    home.post("/deconnexion", &[]).await.leads_to("/");
    assert!(home.cookies.is_empty() && !home.signed_in().await);
}

#[tokio::test]
async fn a_link_lasts_as_long_as_the_mail_says() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.sign_up("camille@exemple.fr").await.is(200);
    let link = site.link().await;
    site.later(24 * 3600 - 60);
    browser.get(&link).await.is(200);
    site.later(61);
    browser.get(&link).await.is(410).shows("Créer mon compte");
    browser.post(&link, &[]).await.is(410);
    browser.post("/mot-de-passe-oublie", &[("email", "camille@exemple.fr")]).await.is(200);
    let reset = site.link().await;
    // A link is only good for its own purpose.
    browser.post(&reset.replace("/mot-de-passe/", "/confirmer/"), &[]).await.is(410);
    site.later(3601);
    browser.get(&reset).await.is(410);
    browser.get("/confirmer/x").await.is(410);
    browser.get("/mot-de-passe/%00").await.is(410);
    browser.get("/mot-de-passe/%FF").await.is(400);
}

#[tokio::test]
async fn a_reset_link_proves_the_address_too() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.sign_up("camille@exemple.fr").await.is(200);
    site.mails().await;
    browser.post("/mot-de-passe-oublie", &[("email", "camille@exemple.fr")]).await.is(200);
    let link = site.link().await;
    browser.post(&link, &[("mot-de-passe", OTHER)]).await.leads_to("/connexion?fait=mot-de-passe");
    browser.sign_in("camille@exemple.fr", OTHER).await.leads_to("/mes-demandes");
}

/// Somebody else began an account with this address: what the owner confirms is the latest, and the
/// first mail is good for nothing.
#[tokio::test]
async fn the_latest_sign_up_counts() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.sign_up("camille@exemple.fr").await.is(200);
    let first = site.link().await;
    let form = [("prenom", ""), ("nom", "Autre"), ("email", "camille@exemple.fr"), ("mot-de-passe", OTHER)];
    browser.post("/inscription", &form).await.is(200);
    let second = site.link().await;
    browser.post(&first, &[]).await.is(410);
    // The right password is not enough before the address is proved; a new link comes.
    browser.sign_in("camille@exemple.fr", OTHER).await.is(200).shows("Consultez vos courriels");
    assert!(!browser.signed_in().await);
    assert_eq!(site.mails().await.len(), 3);
    browser.post(&second, &[]).await.leads_to("/connexion?fait=confirme");
    browser.sign_in("camille@exemple.fr", PASSWORD).await.is(422);
    browser.sign_in("camille@exemple.fr", OTHER).await.leads_to("/mes-demandes");
}

#[tokio::test]
async fn what_was_typed_before_the_session_ended_comes_back() {
    let site = Site::new().await;
    site.account(Kind::Usager, "camille@exemple.fr").await;
    let mut browser = site.browser();
    let path = format!("/brouillons/{}/identite", Uuid::new_v4());
    let page = browser.post(&path, &[("nom", "\"><script>O'Neil"), ("nom", "2")]).await;
    page.is(200).shows("Vos réponses sont conservées").shows("action=\"/connexion\"");
    assert!(!page.body.contains("<script>O"));
    let (suite, saisie) = (page.hidden("suite"), page.hidden("saisie"));
    assert_eq!((suite.as_str(), saisie.as_str()), (path.as_str(), r#"{"nom":["\"><script>O'Neil","2"]}"#));
    let form = |password| {
        [
            ("email", "camille@exemple.fr"),
            ("mot-de-passe", password),
            ("suite", suite.as_str()),
            ("saisie", saisie.as_str()),
        ]
    };
    let page = browser.post("/connexion", &form("faux")).await;
    page.is(422);
    assert_eq!(page.hidden("saisie"), saisie);
    browser.post("/connexion", &form(PASSWORD)).await.leads_to(&path);
    // Not JSON, or too much of it: signing in matters more.
    for odd in ["{", &"x".repeat(600_000)] {
        let mut again = site.browser();
        again
            .post("/connexion", &[("email", "camille@exemple.fr"), ("mot-de-passe", PASSWORD), ("saisie", odd)])
            .await
            .leads_to("/mes-demandes");
    }
}
