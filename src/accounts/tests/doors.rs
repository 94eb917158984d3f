//! What strangers try: guessing, listing addresses, sending people elsewhere.

use super::*;

#[tokio::test]
async fn guessing_slows_down_for_known_and_unknown_alike() {
    let site = Site::new().await;
    site.account(Kind::Usager, "camille@exemple.fr").await;
    let mut browser = site.browser();
    for email in ["camille@exemple.fr", "personne@exemple.fr"] {
        for _ in 0..5 {
            browser.sign_in(email, "faux").await.is(422).shows("Adresse ou mot de passe incorrect");
        }
        browser.sign_in(email, PASSWORD).await.is(422).shows("Trop d’essais").shows("moins d’une minute");
        assert!(!browser.signed_in().await);
    }
    site.later(29);
    browser.sign_in("camille@exemple.fr", PASSWORD).await.is(422);
    site.later(2);
    browser.sign_in("camille@exemple.fr", "faux").await.shows("Adresse ou mot de passe incorrect");
    site.later(31);
    browser.sign_in("camille@exemple.fr", PASSWORD).await.is(422).shows("moins d’une minute");
    site.later(30);
    browser.sign_in("camille@exemple.fr", PASSWORD).await.leads_to("/mes-demandes");
    // Its owner came: all is forgotten.
    browser.post("/deconnexion", &[]).await;
    for _ in 0..5 {
        browser.sign_in("camille@exemple.fr", "faux").await.shows("Adresse ou mot de passe incorrect");
    }
}

#[tokio::test]
async fn one_password_tried_on_many_accounts_slows_down_too() {
    let site = Site::new().await;
    site.account(Kind::Usager, "camille@exemple.fr").await;
    let mut browser = site.browser();
    for guess in 0..50 {
        browser
            .sign_in(&format!("personne{guess}@exemple.fr"), "faux")
            .await
            .is(422)
            .shows("Adresse ou mot de passe incorrect");
    }
    browser.sign_in("camille@exemple.fr", PASSWORD).await.is(422).shows("Trop d’essais");
    site.later(31);
    browser.sign_in("camille@exemple.fr", PASSWORD).await.leads_to("/mes-demandes");
}

#[tokio::test]
async fn many_guesses_at_once_do_not_pass_uncounted() {
    let site = Site::new().await;
    site.account(Kind::Usager, "camille@exemple.fr").await;
    let tries = futures_util::future::join_all(
        (0..20).map(|_| async { site.browser().sign_in("camille@exemple.fr", "faux").await }),
    )
    .await;
    let judged = tries.iter().filter(|page| page.body.contains("Adresse ou mot de passe incorrect")).count();
    assert_eq!(judged, 5);
}

#[tokio::test]
async fn nobody_learns_which_addresses_have_an_account() {
    let site = Site::new().await;
    site.account(Kind::Usager, "camille@exemple.fr").await;
    let mut browser = site.browser();
    let masked = |page: &Page, email: &str| page.body.replace(email, "ADRESSE");
    for path in ["/mot-de-passe-oublie", "/connexion", "/inscription"] {
        let mut pages = Vec::new();
        for email in ["camille@exemple.fr", "personne@exemple.fr"] {
            let form = [("prenom", "A"), ("nom", "B"), ("email", email), ("mot-de-passe", OTHER)];
            let page = browser.post(path, &form).await;
            pages.push((page.status, masked(&page, email)));
        }
        assert_eq!(pages[0], pages[1], "{path}");
    }
    let mails: Vec<(String, String)> = site.mails().await.into_iter().map(|(to, subject, _)| (to, subject)).collect();
    let expected = [
        ("camille@exemple.fr", "Choisissez un nouveau mot de passe"),
        ("camille@exemple.fr", "Vous avez déjà un compte"),
        ("personne@exemple.fr", "Confirmez votre adresse électronique"),
    ];
    assert_eq!(mails, expected.map(|(to, subject)| (to.to_owned(), subject.to_owned())));
    // Signing up again changed nothing.
    browser.sign_in("camille@exemple.fr", PASSWORD).await.leads_to("/mes-demandes");
}

#[tokio::test]
async fn a_mailbox_is_not_filled_through_us() {
    let site = Site::new().await;
    site.account(Kind::Usager, "camille@exemple.fr").await;
    let mut browser = site.browser();
    for _ in 0..12 {
        browser
            .post("/mot-de-passe-oublie", &[("email", "camille@exemple.fr")])
            .await
            .is(200)
            .shows("Consultez vos courriels");
    }
    assert_eq!(site.mails().await.len(), 5);
}

#[tokio::test]
async fn nobody_is_sent_to_another_site() {
    let site = Site::new().await;
    site.account(Kind::Usager, "camille@exemple.fr").await;
    site.account(Kind::Agent, "agent@valmont.example").await;
    for outside in
        ["https://autre.fr", "//autre.fr", "/\\autre.fr", "/\t/autre.fr", "javascript:alert(1)", "autre.fr", "/é"]
    {
        let mut browser = site.browser();
        let page = browser.get(&format!("/connexion?suite={}", encode(outside))).await;
        assert_eq!(page.is(200).hidden("suite"), "/");
        browser
            .post("/connexion", &[("email", "camille@exemple.fr"), ("mot-de-passe", PASSWORD), ("suite", outside)])
            .await
            .leads_to("/");
        browser.get(&format!("/connexion?suite={}", encode(outside))).await.leads_to("/");
        browser
            .post(
                "/agent/connexion",
                &[("email", "agent@valmont.example"), ("mot-de-passe", PASSWORD), ("suite", outside)],
            )
            .await
            .leads_to("/");
    }
    let mut browser = site.browser();
    let form =
        [("prenom", ""), ("nom", "B"), ("email", "b@exemple.fr"), ("mot-de-passe", OTHER), ("suite", "//autre.fr")];
    browser.post("/inscription", &form).await.is(200);
    assert!(site.link().await.ends_with("?suite=/"));
}

#[tokio::test]
async fn usagers_and_agents_have_separate_doors() {
    let site = Site::new().await;
    site.account(Kind::Usager, "camille@exemple.fr").await;
    site.account(Kind::Agent, "agent@valmont.example").await;
    let mut browser = site.browser();
    browser.post("/agent/connexion", &[("email", "camille@exemple.fr"), ("mot-de-passe", PASSWORD)]).await.is(422);
    browser.sign_in("agent@valmont.example", PASSWORD).await.is(422);
    browser.get("/agent/connexion?suite=/agent/envois").await.is(200).shows("/mot-de-passe-oublie?espace=agent");
    browser
        .post("/agent/connexion", &[("email", "agent@valmont.example"), ("mot-de-passe", PASSWORD), ("suite", "")])
        .await
        .leads_to("/agent");
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["guichet-agent"]);
    browser.get("/agent/connexion").await.leads_to("/agent");
    browser.get("/compte").await.leads_to("/connexion?suite=/compte");
    let before = browser.cookies.clone();
    browser.post("/agent/connexion", &[("email", "agent@valmont.example"), ("mot-de-passe", PASSWORD)]).await;
    assert_ne!(browser.cookies, before);
    let mut stale = site.browser();
    stale.cookies = before;
    stale.get("/agent/connexion").await.is(200);

    browser.post("/mot-de-passe-oublie?espace=agent", &[("email", "agent@valmont.example")]).await.is(200);
    let link = site.link().await;
    browser.post(&link, &[("mot-de-passe", OTHER)]).await.leads_to("/agent/connexion?fait=mot-de-passe");
    browser.get("/agent/connexion?fait=mot-de-passe").await.is(200).shows("Votre mot de passe est changé");
    browser
        .post("/agent/connexion", &[("email", "agent@valmont.example"), ("mot-de-passe", OTHER)])
        .await
        .leads_to("/agent");
    browser.post("/agent/deconnexion", &[]).await.leads_to("/agent/connexion");
    assert!(browser.cookies.is_empty());
}

#[tokio::test]
async fn forms_say_what_is_wrong_and_keep_the_rest() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let page = browser
        .post("/inscription", &[("prenom", "Zoë"), ("nom", ""), ("email", "zoe"), ("mot-de-passe", "Secret-1")])
        .await;
    page.is(422)
        .shows("<title>Erreur")
        .shows("href=\"#nom\"")
        .shows("href=\"#email\"")
        .shows("href=\"#mot-de-passe\"")
        .shows("value=\"Zoë\"");
    assert!(!page.body.contains("Secret-1"));
    browser
        .post("/connexion", &[("email", ""), ("mot-de-passe", "x")])
        .await
        .is(422)
        .shows("Saisissez votre adresse électronique");
    browser.post("/connexion", &[("email", "a@b.fr")]).await.is(422).shows("Saisissez votre mot de passe");
    browser.post("/mot-de-passe-oublie", &[("email", "a@")]).await.is(422).shows("href=\"#email\"");
    // Bytes that are no text, and characters that databases refuse.
    for odd in ["nom=%FF%FE&email=a%00@b.fr&mot-de-passe=%00%FF", "email=%00&mot-de-passe=%FF", "&&=&=x&email", "\u{0}"]
    {
        for path in ["/inscription", "/connexion", "/mot-de-passe-oublie", "/agent/connexion"] {
            let page = browser.raw(path, odd.to_owned()).await;
            assert!([200, 422].contains(&page.status.as_u16()), "{path} {odd} {}", page.status);
        }
    }
    assert_eq!(site.mails().await.len(), 0);
}
