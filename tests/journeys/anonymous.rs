//! A birth certificate, without an account.

use crate::harness::{
    Engine, Portal, both,
    journey::{birth, filled, question, raw},
};

both! {
    async fn a_certificate_from_the_first_page_to_the_receipt(portal: Portal) {
        let mut person = portal.client();
        person.get("/").await.is(200).shows("Demander un acte de naissance");
        let page = person.get("/demarches/acte-naissance").await.is(200).shows("Gratuit").shows("5 jours ouvrés");
        assert!(page.links_to("/demarches/acte-naissance/commencer"), "{}", page.html());
        assert!(person.cookies.is_empty(), "reading needs no cookie");
        person.get("/demarches/acte-naissance/commencer").await.leads_to("/demarches/acte-naissance/remplir");

        let check = person.fill("acte-naissance", &birth()).await;
        person.get(&check).await.is(200).shows("Camille Zoé").shows("Zéphyrine").shows("Copie intégrale").shows("12 avril 1989");
        let filed = person.send_checked(&check).await;
        assert!(!filed.code.is_empty());
        filed.page.shows(&filed.reference).shows("5 jours ouvrés").shows("camille.martin@exemple.fr");
        // The confirmation survives a bookmark, a reload, a second click.
        person.get(&format!("/demandes/{}/envoyee", filed.id)).await.is(200).shows(&filed.reference);

        let mails = portal.outbox().await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        let (to, subject, body) = &mails[0];
        assert_eq!((to.as_str(), subject.as_str()), ("camille.martin@exemple.fr", format!("Votre demande {} est enregistrée", filed.reference).as_str()));
        assert!(body.contains(&format!("http://ville.test/suivre?reference={}", filed.reference)), "{body}");
        assert!(!body.contains(&filed.code) && !body.contains(&filed.code.replace('-', "")), "the code must not travel by mail");

        // Another device, with the reference and the code, written in any way.
        let mut elsewhere = portal.client();
        let tracked = format!("/demandes/{}", filed.id);
        elsewhere.get(&tracked).await.leads_to(&format!("/connexion?suite={}", guichet::platform::encode(&tracked)));
        elsewhere.get(&format!("/suivre?reference={}", filed.reference)).await.is(200).shows("Suivre une demande");
        let code = filed.code.to_lowercase();
        elsewhere.post("/suivre", &[("reference", &filed.reference.to_lowercase()), ("code", &code)]).await.leads_to(&tracked);
        elsewhere.get(&tracked).await.is(200).shows(&filed.reference).shows("Envoyée").shows("Copie intégrale");

        let page = elsewhere.get(&tracked).await;
        let form = page.form("message").with("message", "Est-ce que l'enveloppe sera discrète ? <b>Merci</b>");
        for _ in 0..2 {
            elsewhere.post_form(&form.action, &form.fields).await.leads_to(&format!("{tracked}?fait=message"));
        }
        let page = elsewhere.get(&format!("{tracked}?fait=message")).await.is(200).shows("Votre message est envoyé").shows("<b>Merci</b>");
        assert_eq!(page.words().matches("l'enveloppe sera discrète").count(), 1);

        let receipt = elsewhere.get(&format!("{tracked}/recepisse.pdf")).await.is(200);
        assert_eq!(receipt.header("content-type"), "application/pdf");
        assert!(receipt.header("content-disposition").starts_with("attachment"));
        assert!(receipt.bytes.starts_with(b"%PDF") && receipt.bytes.len() > 2000);
    }

    async fn a_question_page_kept_ready_shows_nobody_else_s_answers(portal: Portal) {
        let (mut one, mut other) = (portal.client(), portal.client());
        let open = "/demarches/demande-information/remplir";
        let mut pages = Vec::new();
        for person in [&mut one, &mut other] {
            let first = person.get(open).await.is(303);
            pages.push(person.follow(&first).await.is(200));
        }
        let theirs = pages.pop().unwrap();
        let page = pages.pop().unwrap();
        let fields = filled(&page.form("action"), &raw(&[("message", "Le carrefour des Halles")]));
        one.submit(&page, &page.form("action"), &fields).await.is(422).shows("Le carrefour des Halles").shows("Erreur :");
        for _ in 0..2 {
            other.get(&theirs.path).await.is(200).hides("carrefour").hides("Erreur :").shows("Votre message");
        }
    }

    async fn a_birth_year_alone_is_no_way_round_a_rule(portal: Portal) {
        // The portal's clock says 2026: born in 1951, somebody is perhaps 74 still.
        for (year, stops) in [("1951", true), ("1950", false)] {
            let mut answers = birth();
            answers.clear("titulaire.jour");
            answers.clear("titulaire.mois");
            answers.set("titulaire.annee", year);
            answers.set("qualite", "autre");
            let mut person = portal.client();
            let mut path = person.get("/demarches/acte-naissance/remplir").await.is(303).location().to_owned();
            while !path.ends_with("/vous") {
                path = person.answer(&path, &answers).await;
            }
            let form = person.get(&path).await.is(200).form("action");
            let page = person.post_form(&path, &filled(&form, &answers)).await;
            if stops {
                page.is(200).shows("tant que l'acte a moins de 75 ans");
            } else {
                page.is(303);
            }
        }
    }

    async fn a_draft_is_taken_up_elsewhere_by_its_code(portal: Portal) {
        let mut person = portal.client();
        let check = person.fill("demande-information", &question("À reprendre plus tard")).await;
        let draft = check.trim_end_matches("/verifier").to_owned();
        let page = person.get(&format!("{draft}/enregistre")).await.is(200);
        let words = page.words();
        let reference = words.split_whitespace().find(|word| word.starts_with("VAL-")).unwrap().trim_end_matches(['.', ',']).to_owned();
        let code = crate::harness::html::tags(page.html()).into_iter().find(|tag| tag.get("class") == "g-code").map(|tag| tag.after.trim().to_owned()).unwrap();

        let mut elsewhere = portal.client();
        elsewhere.get(&check).await.is(303);
        elsewhere.post("/suivre", &[("reference", &reference), ("code", "FAUX-CODE-0000")]).await.is(422).shows("Aucune demande n'a cette référence");
        elsewhere.post("/suivre", &[("reference", &reference), ("code", &code)]).await.leads_to(&check);
        let filed = elsewhere.send_checked(&check).await;
        assert_eq!(filed.reference, reference, "a request keeps its draft's reference");
    }

    async fn a_request_is_cancelled_once(portal: Portal) {
        let mut person = portal.client();
        let filed = person.file("demande-information", &question("Finalement non")).await;
        let path = format!("/demandes/{}/annuler", filed.id);
        person.get(&path).await.is(200).shows("Annuler");
        for _ in 0..2 {
            person.post(&path, &[]).await.leads_to(&format!("/demandes/{}", filed.id));
        }
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).shows("Annulée à votre demande");
        let subjects: Vec<String> = portal.outbox().await.into_iter().map(|(_, subject, _)| subject).collect();
        assert_eq!(subjects.len(), 2, "{subjects:?}");
    }
}
