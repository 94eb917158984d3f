//! « Supprimer mon compte ».

use super::usager;
use crate::harness::{Engine, PASSWORD, Portal, USAGER, both, journey::birth};

both! {
    async fn what_goes_and_what_stays_is_told_before(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        assert!(person.get("/compte").await.is(200).links_to("/compte/supprimer"));
        let page = person.get("/compte/supprimer").await.is(200).shows("Vos demandes en cours").shows(&filed.reference);
        let page = page.shows("Voici ce qui sera effacé tout de suite").shows("Votre identité vérifiée").shows("en cours").shows("puis détruites");
        let (_, rest) = page.html().split_once("Code de suivi <strong class=\"g-ref\">").unwrap();
        let code = rest.split('<').next().unwrap().to_owned();
        // A wrong password erases nothing and the page is whole again.
        person.post("/compte/supprimer", &[("mot-de-passe-suppression", "autre chose")]).await.is(422).shows("Ce n'est pas votre mot de passe").shows(&code);
        person.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.leads_to("/compte/supprime");
        person.get("/compte/supprime").await.is(200).shows("code de suivi");
        // What was noted follows the request from any browser.
        let mut browser = portal.client();
        let request = format!("/demandes/{}", filed.id);
        assert!(browser.get(&request).await.location().starts_with("/connexion"));
        browser.post("/suivre", &[("reference", &filed.reference), ("code", &code)]).await.leads_to(&request);
        browser.get(&request).await.is(200).shows(&filed.reference);
    }

    async fn an_account_that_sent_nothing_leaves_nothing(portal: Portal) {
        usager(&portal, "neuf@exemple.fr").await;
        let mut person = portal.usager("neuf@exemple.fr").await;
        let page = person.get("/compte/supprimer").await.is(200).shows("Rien : vous n'avez envoyé aucune demande");
        page.hides("Vos demandes en cours").hides("Mon foyer").hides("Votre identité vérifiée");
    }
}
