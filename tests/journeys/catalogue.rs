//! Every shipped procedure can be filled in and sent by the answers that its own kinds find right.

use crate::harness::{Engine, Portal, USAGER, both};

both! {
    async fn every_procedure_can_be_sent(portal: Portal) {
        let visit = guichet::work::visit(&portal.app, portal.city).await.unwrap();
        let current = guichet::catalogue::current(&visit).await.unwrap();
        let mut person = portal.usager(USAGER).await;
        // It has a page of its own.
        let filled = || current.procedures.iter().filter(|(id, _)| *id != "changement-coordonnees");
        for (id, published) in filled() {
            person.get(&format!("/demarches/{id}")).await.is(200).shows(&published.procedure.title.replace('\u{a0}', " "));
            let answers = portal.sample(id).await;
            let filed = person.file(id, &answers).await;
            person.get(&format!("/demandes/{}", filed.id)).await.is(200).shows(&filed.reference);
            let receipt = person.get(&format!("/demandes/{}/recepisse.pdf", filed.id)).await.is(200);
            assert!(receipt.bytes.starts_with(b"%PDF"), "{id}");
        }
        let mails = portal.outbox().await;
        assert_eq!(mails.len(), filled().count(), "one mail for each");
    }
}

both! {
    async fn a_page_kept_for_everybody_is_nobodys(portal: Portal) {
        let (mut stranger, mut person) = (portal.client(), portal.usager(USAGER).await);
        for _ in 0..2 {
            assert!(!stranger.get("/").await.is(200).html().contains("/deconnexion"), "a stranger signed in");
            assert!(person.get("/").await.is(200).html().contains("/deconnexion"), "a person signed out");
        }
    }
}
