//! Every shipped procedure can be filled in and sent by the answers that its own kinds find right.

use crate::harness::{Engine, Portal, USAGER, both};

both! {
    async fn every_procedure_can_be_sent(portal: Portal) {
        let visit = guichet::work::visit(&portal.app, portal.city).await.unwrap();
        let current = guichet::catalogue::current(&visit).await.unwrap();
        let mut person = portal.usager(USAGER).await;
        for (id, published) in &current.procedures {
            person.get(&format!("/demarches/{id}")).await.is(200).shows(&published.procedure.title.replace('\u{a0}', " "));
            let mut answers = published.procedure.sample(visit.today());
            adjust(id, &mut answers);
            let filed = person.file(id, &answers).await;
            person.get(&format!("/demandes/{}", filed.id)).await.is(200).shows(&filed.reference);
            let receipt = person.get(&format!("/demandes/{}/recepisse.pdf", filed.id)).await.is(200);
            assert!(receipt.bytes.starts_with(b"%PDF"), "{id}");
        }
        let mails = portal.outbox().await;
        assert_eq!(mails.len(), current.procedures.len(), "one mail for each");
    }
}

/// Where any answer of the right kind will not do: dates that follow each other, ages.
fn adjust(procedure: &str, answers: &mut forms::answers::Raw) {
    let mut day = |name: &str, (day, month, year): (&str, &str, &str)| {
        for (part, value) in [("jour", day), ("mois", month), ("annee", year)] {
            answers.set(format!("{name}.{part}"), value);
        }
    };
    match procedure {
        "operation-tranquillite-vacances" => {
            day("debut", ("20", "11", "2026"));
            day("fin", ("4", "12", "2026"));
            day("visites.0.visite_debut", ("22", "11", "2026"));
            day("visites.0.visite_fin", ("23", "11", "2026"));
        }
        "recensement-citoyen" => day("naissance", ("13", "10", "2010")),
        "inscription-scolaire" => day("enfant", ("1", "7", "2022")),
        "debit-boissons-temporaire" => answers.set("boissons", "fermentees"),
        _ => {}
    }
}
