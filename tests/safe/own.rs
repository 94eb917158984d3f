//! The safe of who has no password: a code of their own opens it, and the recovery code.

use db::{args, sql};
use jiff::SignedDuration;

use super::*;
use crate::provider::{come, franceconnect};

pub const CODE: &str = "moulin orange sans vent";
const OTHER_CODE: &str = "quatre saisons en hiver";
const ADDRESS: &str = "angela@exemple.fr";

/// Signs in with FranceConnect, in a browser of its own; the first time opens an account without password.
async fn come_in(portal: &Portal) -> Client {
    let mut browser = portal.client();
    let page = come(&mut browser, "/connexion", "fc").await.is(303);
    if page.location() == "/mes-demandes" {
        return browser;
    }
    let page = browser.follow(&page).await.is(200);
    browser.post_form(&page.path, &page.form("email").with("email", "").fields).await.leads_to("/mes-demandes");
    browser
}

/// Somebody without password, with a safe and one document in it: the recovery code, the document.
pub async fn without_password(portal: &Portal) -> (Client, String, String) {
    let mut person = come_in(portal).await;
    let page = person.post("/mes-documents/creer", &[("code-documents", CODE)]).await.is(200);
    let recovery = code(&page);
    let document = add(&mut person, &format!("{SECRET}.pdf"), "domicile", &secret_pdf()).await;
    (person, recovery, document)
}

async fn reads(client: &mut Client, document: &str) {
    assert_eq!(client.get(&format!("{document}/fichier")).await.is(200).bytes, secret_pdf());
}

async fn open_with(client: &mut Client, code: &str, password: &str) -> Page {
    let form = [("code-documents", code), ("mot-de-passe", password), ("suite", "/mes-documents")];
    client.post("/mes-documents/ouvrir", &form).await
}

async fn change(client: &mut Client, secret: &str, code: &str) -> Page {
    let form = [("secours", secret), ("code-documents", code), ("suite", "/mes-documents")];
    client.post("/mes-documents/mon-code", &form).await
}

async fn close(client: &mut Client) {
    client.post("/mes-documents/fermer", &[]).await.is(303);
}

/// The account gets the address and the password, as it would by a mail.
async fn get_password(portal: &Portal, password: &str) {
    let hash = guichet::accounts::hash(password).await.unwrap();
    portal
        .db()
        .write(async |tx: &mut db::Tx| {
            tx.run(
                sql!("update account set login = $1, login_key = $1, email = $1, email_key = $1, password_hash = $2 where authority_id = $3 and login = ''"),
                args![ADDRESS, &hash, portal.city],
            )
            .await
        })
        .await
        .unwrap();
}

both! {
    async fn a_chosen_code_opens_it(portal: Portal) {
        let _provider = franceconnect(&portal).await;
        let mut person = come_in(&portal).await;
        person.get("/mes-documents").await.is(200).shows("un code que vous choisissez maintenant").hides("mot de passe");
        // As hard to guess as a password; a password is none.
        for (code, says) in [("", "Choisissez un code"), ("court", "Votre code est trop court"), ("dubois dubois", "code")] {
            person.post("/mes-documents/creer", &[("code-documents", code), ("mot-de-passe", CODE)]).await.is(422).shows(says);
        }
        assert_eq!(portal.count("safe").await, 0);
        let (mut person, _, document) = without_password(&portal).await;
        close(&mut person).await;
        person.get(&document).await.is(303);
        person.get("/mes-documents/ouvrir").await.is(200).shows("Le code que vous avez choisi les ouvre").hides("Mot de passe");
        open_with(&mut person, "", "").await.is(422).shows("Saisissez le code de vos documents");
        open_with(&mut person, OTHER_CODE, "").await.is(422).shows("pas le code de vos documents");
        open_with(&mut person, "", CODE).await.is(422);
        person.get(&document).await.is(303);
        open_with(&mut person, CODE, "").await.leads_to("/mes-documents");
        reads(&mut person, &document).await;
        // Coming in by the provider opens the account, not the documents.
        let mut phone = come_in(&portal).await;
        phone.get(&document).await.is(303);
        open_with(&mut phone, CODE, "").await.leads_to("/mes-documents");
        reads(&mut phone, &document).await;
    }

    async fn codes_are_changed_with_one_another(portal: Portal) {
        let _provider = franceconnect(&portal).await;
        let (mut person, recovery, document) = without_password(&portal).await;
        close(&mut person).await;
        person.get("/mes-documents/secours?suite=/mes-documents").await.leads_to("/mes-documents/mon-code?suite=/mes-documents");
        person.get("/mes-documents/mon-code").await.is(200).shows("code de secours");
        change(&mut person, "", "").await.is(422).shows("Saisissez votre code actuel").shows("Choisissez un code");
        change(&mut person, OTHER_CODE, OTHER_CODE).await.is(422).shows("ni votre code de secours");
        change(&mut person, CODE, "court").await.is(422).shows("trop court");
        person.get(&document).await.is(303);
        change(&mut person, CODE, OTHER_CODE).await.leads_to("/mes-documents");
        reads(&mut person, &document).await;
        close(&mut person).await;
        open_with(&mut person, CODE, "").await.is(422);
        // Forgotten: the recovery code.
        change(&mut person, &recovery, CODE).await.leads_to("/mes-documents");
        close(&mut person).await;
        open_with(&mut person, OTHER_CODE, "").await.is(422);
        open_with(&mut person, CODE, "").await.leads_to("/mes-documents");
        // Another recovery code, for the chosen one.
        person.post("/mes-documents/code", &[("code-documents", OTHER_CODE)]).await.is(422).shows("pas le code de vos documents");
        let new = code(&person.post("/mes-documents/code", &[("code-documents", CODE)]).await.is(200));
        change(&mut person, &recovery, OTHER_CODE).await.is(422);
        change(&mut person, &new, OTHER_CODE).await.leads_to("/mes-documents");
        reads(&mut person, &document).await;
    }

    async fn chosen_codes_are_not_guessed(portal: Portal) {
        let _provider = franceconnect(&portal).await;
        let (mut person, recovery, _) = without_password(&portal).await;
        close(&mut person).await;
        for _ in 0..5 {
            open_with(&mut person, OTHER_CODE, "").await.is(422).shows("pas le code de vos documents");
        }
        open_with(&mut person, CODE, "").await.is(422).shows("Trop d’essais");
        change(&mut person, &recovery, OTHER_CODE).await.is(422).shows("Trop d’essais");
        portal.later(SignedDuration::from_secs(31));
        open_with(&mut person, CODE, "").await.leads_to("/mes-documents");
    }

    async fn a_password_got_later_is_one_more_way_in(portal: Portal) {
        let _provider = franceconnect(&portal).await;
        let (mut person, _, document) = without_password(&portal).await;
        close(&mut person).await;
        get_password(&portal, PASSWORD).await;
        let mut elsewhere = portal.client();
        elsewhere.post("/connexion", &[("email", ADDRESS), ("mot-de-passe", PASSWORD)]).await.is(303);
        elsewhere.get(&document).await.is(303);
        // The password alone does not open it yet; the code does, and may take the password along.
        open_with(&mut person, "", PASSWORD).await.is(303);
        person.get(&document).await.is(303);
        open_with(&mut person, CODE, OTHER_PASSWORD).await.is(422).shows("pas votre mot de passe actuel");
        person.get(&document).await.is(303);
        open_with(&mut person, CODE, "").await.leads_to("/mes-documents");
        reads(&mut person, &document).await;
        close(&mut person).await;
        person.get("/mes-documents/ouvrir").await.is(200).shows("il ouvrira aussi vos documents");
        open_with(&mut person, CODE, PASSWORD).await.leads_to("/mes-documents");
        let mut elsewhere = portal.client();
        elsewhere.post("/connexion", &[("email", ADDRESS), ("mot-de-passe", PASSWORD)]).await.is(303);
        reads(&mut elsewhere, &document).await;
        close(&mut elsewhere).await;
        open_with(&mut elsewhere, "", PASSWORD).await.leads_to("/mes-documents");
        // Another password takes its wrap along; the code stays.
        elsewhere.post("/compte/mot-de-passe", &[("mot-de-passe-actuel", PASSWORD), ("mot-de-passe", OTHER_PASSWORD)]).await.is(303);
        close(&mut elsewhere).await;
        open_with(&mut elsewhere, "", OTHER_PASSWORD).await.leads_to("/mes-documents");
        close(&mut elsewhere).await;
        open_with(&mut elsewhere, CODE, "").await.leads_to("/mes-documents");
        reads(&mut elsewhere, &document).await;
    }
}
