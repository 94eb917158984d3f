//! Letters that agents write, and the messages that wait for their department's text to be corrected.

use db::{args, sql};

use crate::{
    harness::{Client, Engine, Portal, USAGER, both, journey::Filed},
    journeys::{
        identity::text_of,
        letters::{letters, send},
    },
};

const BAR: &str = "debit-boissons-temporaire";

async fn bar(portal: &Portal, person: &mut Client, agent: &mut Client) -> Filed {
    let answers = portal.sample(BAR).await;
    let filed = person.file(BAR, &answers).await;
    crate::journeys::agent::act(agent, &desk(&filed), "take", &[]).await.is(303);
    filed
}

fn desk(filed: &Filed) -> String {
    format!("/agent/demandes/{}", filed.id)
}

/// A text of the department that cannot be filled in: it shows what is missing where it is missing.
const HOLE: &str = "{% si not answered(service.telephone) %}{{ service.telephone }}{% fin %}";

/// Texts of the mails about a decision, the failures of others notwithstanding.
async fn decided(portal: &Portal) -> Vec<String> {
    let of = sql!("select body from outbox where authority_id = $1 and subject like '%décision%' order by at, id");
    portal.db().all(of, args![portal.city]).await.unwrap()
}

async fn without_phone(portal: &Portal) {
    let none = async |tx: &mut db::Tx| {
        tx.run(sql!("update department set phone = null where authority_id = $1"), args![tx.authority()]).await
    };
    portal.db().write(none).await.unwrap();
}

both! {
    async fn an_agent_writes_a_letter_outside_of_any_action(portal: Portal) {
        let (mut person, mut marc) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        portal.work().await;
        let path = format!("{}/courrier", desk(&filed));
        assert!(marc.get(&desk(&filed)).await.is(200).links_to(&path));
        let form = marc.get(&path).await.is(200).shows("Directeur du commerce").form("texte");
        // Nothing typed is lost, and what cannot be printed is said.
        let wrong = form.clone().with("objet", "Le terrain").with("texte", "Bonjour,\n**non fermé").with("action", "envoyer");
        let page = marc.post_form(&path, &wrong.fields).await.is(422).shows("Ligne 2").shows("Le gras n'est pas fermé");
        assert_eq!((page.form("texte").value("objet"), page.form("texte").value("texte")), ("Le terrain", "Bonjour,\n**non fermé"));
        // Sent without having been read: shown first.
        let typed = form.with("objet", "Le terrain").with("texte", "Bonjour,\n\nVotre terrain est **libre** {{ le 3 }}.\n\n- Apportez la clé.");
        let page = marc.post_form(&path, &typed.clone().with("action", "envoyer").fields).await.is(200).shows("{{ le 3 }}");
        assert_eq!(portal.count("letter").await, 0);
        let pdf = marc.post_form(&format!("{path}/apercu.pdf"), &typed.fields).await.is(200);
        assert!(text_of(&pdf.bytes).contains("Apportez la clé."));
        let seen = page.form("texte").with("action", "envoyer");
        // Changed after it was read: shown again.
        marc.post_form(&path, &seen.clone().with("objet", "Autre").fields).await.is(200);
        assert_eq!(portal.count("letter").await, 0);
        for _ in 0..2 {
            marc.post_form(&path, &seen.fields).await.leads_to(&format!("{}?onglet=pieces&fait=lettre", desk(&filed)));
        }
        portal.work().await;
        let sent = letters(&mut person, &filed).await;
        assert_eq!(sent.len(), 1, "sent twice, written once");
        for words in ["Le terrain", "Apportez la clé.", "{{ le 3 }}", "Marc Rinaldi", "Directeur du commerce", &filed.reference] {
            assert!(sent[0].contains(words), "no {words:?} in:\n{}", sent[0]);
        }
        let told = portal.outbox().await.into_iter().filter(|(_, subject, _)| subject.contains("Un message vous attend")).collect::<Vec<_>>();
        assert!(told.len() == 1 && !told[0].2.contains("terrain"), "{told:?}");
        let history = marc.get(&format!("{}?onglet=historique", desk(&filed))).await.is(200);
        assert_eq!(history.words().matches("Lettre écrite à l'usager").count(), 1);
        // The form of one request writes to no other.
        let other = bar(&portal, &mut person, &mut marc).await;
        let elsewhere = format!("{}/courrier", desk(&other));
        let page = marc.post_form(&elsewhere, &seen.fields).await.is(200);
        marc.post_form(&elsewhere, &page.form("texte").with("action", "envoyer").fields).await.is(404);
        assert_eq!(portal.count("letter").await, 1);
    }

    async fn a_letter_begins_from_a_template_and_is_posted(portal: Portal) {
        let (mut person, mut marc) = (portal.client(), portal.agent("marc.rinaldi").await);
        let mut answers = portal.sample(BAR).await;
        answers.clear("courriel");
        answers.set("manifestation", "Loto");
        let filed = person.file(BAR, &answers).await;
        let path = format!("{}/courrier", desk(&filed));
        let page = marc.get(&path).await.is(200).shows("Refus de buvette temporaire");
        assert!(page.html().contains("name=\"poste\" type=\"checkbox\" value=\"oui\" checked"), "nobody else tells them");
        let page = marc.get(&format!("{path}?modele=buvette-refus")).await.is(200);
        let form = page.form("texte");
        let body = form.value("texte").to_owned();
        assert!(body.contains("Loto") && !body.contains("{{") && !body.contains("{%"), "{body}");
        // What the request does not have is to be replaced by hand.
        let holed = form.clone().with("texte", &format!("{body}\n\n[Qualité de l’agent qui agit]")).with("action", "apercu");
        marc.post_form(&path, &holed.fields).await.is(422).shows("Remplacez");
        let page = marc.post_form(&path, &form.with("texte", "Changé pour le Loto.").with("action", "apercu").fields).await.is(200);
        marc.post_form(&path, &page.form("texte").with("action", "envoyer").fields).await.is(303);
        portal.work().await;
        let queue = marc.get("/agent/courriers/demandes").await.is(200).shows(&filed.reference);
        let pdf = marc.post_form("/agent/courriers/demandes/imprimer", &queue.form("lettre").fields).await.is(200);
        let text = text_of(&pdf.bytes);
        assert!(text.contains("Changé pour le Loto."), "{text}");
        marc.get(&format!("{path}?modele=courriel-decision")).await.is(404);
        marc.get(&format!("{path}?modele=inconnu")).await.is(404);
    }

    /// The register says in which quality a letter is signed, for who has a line about all decisions or about
    /// letters; a line about some decisions is not one.
    async fn letters_are_signed_as_the_register_allows(portal: Portal) {
        let (mut person, mut marc, mut solene) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await, portal.agent("solene.petitjean").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        let path = format!("{}/courrier", desk(&filed));
        let decisions = async |decisions: &'static str| {
            let change = async |tx: &mut db::Tx| tx.run(sql!("update delegation set decisions = $2 where authority_id = $1"), args![tx.authority(), decisions]).await;
            assert!(portal.db().write(change).await.unwrap() > 0);
        };
        for (of, named) in [("all", true), ("letters", true), ("favourable", false)] {
            decisions(of).await;
            let page = marc.get(&path).await.is(200);
            assert_eq!(page.words().contains("Par délégation, arrêté n° 2026-118"), named, "{of}");
        }
        solene.get(&path).await.is(200).hides("Par délégation");
        // A line about letters signs no decision.
        decisions("letters").await;
        marc.get(&format!("{}/actions/accept", desk(&filed))).await.is(200).shows("Vous n'avez pas de délégation");
        // Without a quality, nothing leaves.
        let bare = async |tx: &mut db::Tx| tx.run(sql!("update account set quality = null where authority_id = $1 and email = 'solene.petitjean@valmont.example'"), args![tx.authority()]).await;
        portal.db().write(bare).await.unwrap();
        let form = solene.get(&path).await.is(200).form("texte").with("objet", "o").with("texte", "t").with("action", "envoyer");
        solene.post_form(&path, &form.fields).await.is(422).shows("Votre qualité n'est pas renseignée");
    }

    async fn a_mail_waits_for_its_template_and_leaves_once(portal: Portal) {
        let (mut person, mut marc) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        portal.work().await;
        let path = "/agent/modeles/commerce/courriel-decision";
        let form = marc.get(path).await.is(200).form("texte").with("action", "enregistrer");
        without_phone(&portal).await;
        marc.post_form(path, &form.clone().with("texte", &format!("Appelez le {HOLE}")).fields).await.is(303);
        marc.get(&format!("{}/actions/accept", desk(&filed))).await.is(200).shows("attendra que le modèle du service soit corrigé");
        send(&mut marc, &desk(&filed), "accept", &[]).await.is(303);
        portal.work().await;
        assert_eq!(decided(&portal).await.len(), 0);
        // What follows it is not held up: the letter is made.
        assert_eq!(letters(&mut person, &filed).await.len(), 1);
        let page = marc.get("/agent/envois").await.is(200).shows(&filed.reference).shows("Décision prise").shows("Téléphone du service").shows("Envoyer le texte commun");
        assert!(page.links_to("/agent/modeles"));
        marc.get(&desk(&filed)).await.is(200).shows("Un courriel n'est pas parti").shows("Envoyer le texte commun");
        marc.get("/agent/modeles").await.is(200).shows("À corriger : 1 envoi attend");
        // Another department sees nothing of it.
        portal.agent("nadia.benali").await.get("/agent/envois").await.is(200).hides(&filed.reference);
        let form = marc.get(path).await.is(200).form("texte").with("action", "enregistrer");
        marc.post_form(path, &form.with("texte", "Une décision est prise.").fields).await.leads_to("/agent/modeles?fait=relances");
        portal.work().await;
        assert_eq!(decided(&portal).await.len(), 1);
        let body = decided(&portal).await.remove(0);
        assert!(body.contains("Une décision est prise."), "{body}");
        marc.get("/agent/envois").await.is(200).hides(&filed.reference);
        marc.get("/agent/modeles").await.is(200).hides("À corriger");
        portal.work().await;
        assert_eq!(decided(&portal).await.len(), 1, "sent once");
    }

    async fn a_mail_whose_template_cannot_be_filled_may_leave_in_the_common_words(portal: Portal) {
        let (mut person, mut marc) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        portal.work().await;
        let path = "/agent/modeles/commerce/courriel-decision";
        let form = marc.get(path).await.is(200).form("texte").with("action", "enregistrer");
        without_phone(&portal).await;
        marc.post_form(path, &form.with("texte", &format!("Appelez le {HOLE}")).fields).await.is(303);
        send(&mut marc, &desk(&filed), "accept", &[]).await.is(303);
        portal.work().await;
        let retry = marc.get("/agent/envois").await.is(200).forms().into_iter().find(|form| form.action.ends_with("/relancer")).unwrap().action;
        // Somebody of another department cannot.
        portal.agent("nadia.benali").await.post(&retry, &[("texte", "commun")]).await.is(404);
        for _ in 0..2 {
            let again = marc.post(&retry, &[("texte", "commun")]).await;
            assert!([303, 404].contains(&again.status), "{}", again.status);
        }
        portal.work().await;
        let decided = decided(&portal).await;
        assert!(decided.len() == 1 && !decided[0].contains("Appelez"), "{decided:?}");
        marc.get(&format!("{}?onglet=historique", desk(&filed))).await.is(200).shows("Envoi relancé");
    }

    /// What is shown of people leaves a line, as other lists do.
    async fn lists_of_failures_and_comments_are_traced(portal: Portal) {
        let mut marc = portal.agent("marc.rinaldi").await;
        marc.get("/agent/envois").await.is(200);
        marc.get("/agent/avis").await.is(200);
        let traced: Vec<String> = portal
            .db()
            .all(sql!("select action from journal where authority_id = $1 and action in ('failures-opened', 'comments-opened') order by action"), args![portal.city])
            .await
            .unwrap();
        assert_eq!(traced, ["comments-opened", "failures-opened"]);
    }
}
