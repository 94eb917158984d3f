//! What opens a safe, what closes it, and that nothing is lost in between.

use jiff::SignedDuration;

use super::*;

const DOOR: &str = "/mes-documents/ouvrir?suite=/mes-documents";

/// A new password by mail, in a browser of its own.
pub async fn reset(portal: &Portal, password: &str) {
    let mut browser = portal.client();
    browser.post("/mot-de-passe-oublie", &[("email", USAGER)]).await.is(200);
    let (_, _, body) = portal.outbox().await.pop().unwrap();
    let link = body.lines().find_map(|line| line.trim().strip_prefix("http://ville.test")).unwrap().to_owned();
    browser.post(&link, &[("mot-de-passe", password)]).await.is(303);
}

pub async fn sign_in(portal: &Portal, password: &str) -> Client {
    let mut client = portal.client();
    client.post("/connexion", &[("email", USAGER), ("mot-de-passe", password)]).await.is(303);
    client
}

async fn reads(client: &mut Client, document: &str) {
    assert_eq!(client.get(&format!("{document}/fichier")).await.is(200).bytes, secret_pdf());
}

both! {
    async fn it_closes_by_itself_and_opens_with_the_password(portal: Portal) {
        let (mut person, _, document) = owner(&portal).await;
        for _ in 0..3 {
            portal.later(SignedDuration::from_mins(29));
            reads(&mut person, &document).await;
        }
        portal.later(SignedDuration::from_mins(31));
        person.get("/mes-documents").await.leads_to(DOOR);
        let door = person.get(&format!("{document}/fichier")).await.is(303);
        assert_eq!(door.location(), format!("/mes-documents/ouvrir?suite={document}/fichier"));
        assert_eq!(portal.count("safe_opening").await, 0);
        open(&mut person, OTHER_PASSWORD).await.is(422).shows("pas votre mot de passe actuel");
        person.get("/mes-documents").await.leads_to(DOOR);
        person.post("/mes-documents/ouvrir", &[("mot-de-passe", PASSWORD), ("suite", "https://autre.fr")]).await.leads_to("/");
        reads(&mut person, &document).await;
        person.post("/mes-documents/fermer", &[]).await.leads_to("/mes-documents/ouvrir");
        person.get("/mes-documents").await.leads_to(DOOR);
    }

    /// The session and the secret are both needed, and end with it.
    async fn it_is_open_in_one_browser_only(portal: Portal) {
        let (mut person, _, document) = owner(&portal).await;
        let mut thief = person.clone();
        thief.cookies.remove("guichet-documents").expect("a cookie of its own");
        thief.get(&document).await.is(303);
        // Another device opens its own with the password of the sign-in.
        let mut phone = sign_in(&portal, PASSWORD).await;
        reads(&mut phone, &document).await;
        let mut mixed = phone.clone();
        mixed.cookies.insert("guichet-documents".into(), person.cookies["guichet-documents"].clone());
        mixed.get(&document).await.is(303);
        assert_eq!(portal.count("safe_opening").await, 2);
        let kept = person.clone();
        person.post("/deconnexion", &[]).await.is(303);
        assert_eq!(portal.count("safe_opening").await, 1);
        let mut back = sign_in(&portal, PASSWORD).await;
        back.cookies.insert("guichet-documents".into(), kept.cookies["guichet-documents"].clone());
        back.get(&document).await.is(303);
        phone.post("/compte/securite/deconnecter", &[]).await.is(303);
        assert_eq!(portal.count("safe_opening").await, 1);
        reads(&mut phone, &document).await;
    }

    async fn a_changed_password_opens_it(portal: Portal) {
        let (mut person, code, document) = owner(&portal).await;
        person.post("/mes-documents/fermer", &[]).await.is(303);
        person.post("/compte/mot-de-passe", &[("mot-de-passe-actuel", PASSWORD), ("mot-de-passe", OTHER_PASSWORD)]).await.is(303);
        let mut again = sign_in(&portal, OTHER_PASSWORD).await;
        reads(&mut again, &document).await;
        // The former one no longer does, even where the new one is asked for again.
        again.post("/mes-documents/secours", &[("secours", PASSWORD), ("mot-de-passe", OTHER_PASSWORD)]).await.is(422).shows("ni votre code de secours");
        again.post("/mes-documents/fermer", &[]).await.is(303);
        again.post("/mes-documents/secours", &[("secours", &code), ("mot-de-passe", OTHER_PASSWORD)]).await.is(303);
        reads(&mut again, &document).await;
    }

    async fn a_forgotten_password_leaves_it_closed_until_the_code(portal: Portal) {
        let (mut before, code, document) = owner(&portal).await;
        reset(&portal, OTHER_PASSWORD).await;
        before.get(&document).await.is(303);
        let mut person = sign_in(&portal, OTHER_PASSWORD).await;
        person.get(&document).await.is(303);
        person.get(&format!("/mes-documents/ouvrir?suite={document}")).await.leads_to(&format!("/mes-documents/secours?suite={document}"));
        person.get("/mes-documents/secours").await.is(200).shows("Vos documents sont toujours là");
        open(&mut person, OTHER_PASSWORD).await.is(303);
        person.get(&document).await.is(303);
        let wrong = code.replacen(|letter: char| letter.is_ascii_alphanumeric(), "0", 1);
        let rescue = |secret: &str, password: &str| [("secours", secret), ("mot-de-passe", password), ("suite", "/mes-documents")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        person.post_form("/mes-documents/secours", &rescue("", OTHER_PASSWORD)).await.is(422).shows("Saisissez votre code");
        person.post_form("/mes-documents/secours", &rescue(&wrong, OTHER_PASSWORD)).await.is(422).shows("ni votre code de secours");
        person.post_form("/mes-documents/secours", &rescue(&code, PASSWORD)).await.is(422).shows("pas votre mot de passe actuel");
        person.get(&document).await.is(303);
        let typed = code.to_lowercase().replace('-', " ");
        person.post_form("/mes-documents/secours", &rescue(&typed, OTHER_PASSWORD)).await.leads_to("/mes-documents");
        reads(&mut person, &document).await;
        // From now on the new password is enough.
        let mut again = sign_in(&portal, OTHER_PASSWORD).await;
        reads(&mut again, &document).await;
        person.get("/mes-documents").await.is(200).shows(&format!("{SECRET}.pdf"));
    }

    async fn a_password_found_again_opens_it_too(portal: Portal) {
        let (_, _, document) = owner(&portal).await;
        reset(&portal, OTHER_PASSWORD).await;
        // Even after another change in the meantime, which the safe does not follow.
        let mut person = sign_in(&portal, OTHER_PASSWORD).await;
        let third = "trois petits navires gris";
        person.post("/compte/mot-de-passe", &[("mot-de-passe-actuel", OTHER_PASSWORD), ("mot-de-passe", third)]).await.is(303);
        person.get(&document).await.is(303);
        person.post("/mes-documents/secours", &[("secours", PASSWORD), ("mot-de-passe", third)]).await.is(303);
        reads(&mut person, &document).await;
        let mut again = sign_in(&portal, third).await;
        reads(&mut again, &document).await;
    }

    async fn a_new_code_replaces_the_former_one(portal: Portal) {
        let (mut person, former, document) = owner(&portal).await;
        person.post("/mes-documents/code", &[("mot-de-passe", OTHER_PASSWORD)]).await.is(422);
        let page = person.post("/mes-documents/code", &[("mot-de-passe", PASSWORD)]).await.is(200);
        let new = code(&page);
        assert_ne!(new, former);
        person.post("/mes-documents/fermer", &[]).await.is(303);
        person.post("/mes-documents/secours", &[("secours", &former), ("mot-de-passe", PASSWORD)]).await.is(422);
        person.post("/mes-documents/secours", &[("secours", &new), ("mot-de-passe", PASSWORD)]).await.is(303);
        reads(&mut person, &document).await;
    }

    async fn codes_are_not_guessed(portal: Portal) {
        let (mut person, code, _) = owner(&portal).await;
        person.post("/mes-documents/fermer", &[]).await.is(303);
        let wrong = "2".repeat(30);
        for _ in 0..5 {
            person.post("/mes-documents/secours", &[("secours", &wrong), ("mot-de-passe", PASSWORD)]).await.is(422).shows("ni votre code de secours");
        }
        person.post("/mes-documents/secours", &[("secours", &code), ("mot-de-passe", PASSWORD)]).await.is(422).shows("Trop d’essais");
        portal.later(SignedDuration::from_secs(31));
        person.post("/mes-documents/secours", &[("secours", &code), ("mot-de-passe", PASSWORD)]).await.is(303);
    }

    /// Somebody with the database puts their own public key: nothing more goes in.
    async fn a_replaced_public_key_is_noticed(portal: Portal) {
        let (mut person, _, _) = owner(&portal).await;
        let theirs = age::x25519::Identity::generate().to_public().to_string();
        portal.db().write(async |tx: &mut db::Tx| tx.run(db::sql!("update safe set recipient = $1 where authority_id = $2"), db::args![&theirs, portal.city]).await).await.unwrap();
        // Open already: the key that was opened is the one that encrypts.
        let document = add(&mut person, "carte.pdf", "identite", PDF).await;
        assert_eq!(person.get(&format!("{document}/fichier")).await.is(200).bytes, PDF);
        person.post("/mes-documents/fermer", &[]).await.is(303);
        let page = person.try_send(reqwest::Method::POST, "/mes-documents/ouvrir", |request| request.body(format!("mot-de-passe={}", guichet::platform::encode(PASSWORD)))).await.unwrap();
        assert_eq!(page.status, 500, "{}", page.words());
    }
}
