//! An agent types what an usager brings or sends to complete their request.

use db::{args, sql};
use jiff::{SignedDuration, Timestamp};

use super::agent::act;
use crate::harness::{
    Client, Engine, OTHER_USAGER, Page, Portal, USAGER, both,
    html::tags,
    journey::{PDF, birth},
};

const ASK: [(&str, &str); 2] = [("message", "Merci de préciser."), ("jours", "15")];

async fn begin(agent: &mut Client, request: &str, fields: &[(&str, &str)]) -> Page {
    let path = format!("{request}/completer");
    let form = agent.get(&path).await.is(200).form("recu");
    let form = fields.iter().fold(form, |form, (name, value)| form.with(name, value));
    agent.post_form(&path, &form.fields).await
}

both! {
    async fn a_correction_that_came_by_post_is_typed_for_its_usager(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        let filed = person.file("acte-naissance", &birth()).await;
        let (mine, theirs) = (format!("/demandes/{}", filed.id), format!("/agent/demandes/{}", filed.id));
        let due = async || portal.db().one::<Timestamp>(sql!("select due_at from request where authority_id = $1 and id = $2"), args![portal.city, filed.id]).await.unwrap();
        // Nothing is asked yet.
        nadia.get(&theirs).await.is(200).hides("Saisir la réponse");
        nadia.get(&format!("{theirs}/completer")).await.leads_to(&theirs);
        let before = due().await;
        act(&mut nadia, &theirs, "ask", &[ASK[0], ASK[1], ("champs", "titulaire")]).await.is(303);
        portal.later(SignedDuration::from_hours(5 * 24));
        let mut nadia = portal.agent("nadia.benali").await;
        assert!(nadia.get(&theirs).await.is(200).shows("Saisir la réponse de l’usager").links_to(&format!("{theirs}/completer")));
        // Asked on the 17th: no answer came before.
        for (name, value, told) in [("recu", "16/11/2026", "ne peut pas être arrivée avant"), ("recu", "23/11/2026", "est à venir"), ("canal", "", "Choisissez par où")] {
            let page = begin(&mut nadia, &theirs, &[("canal", "courrier"), (name, value)]).await.is(422).shows(told);
            assert_eq!(page.form("recu").value("recu"), if name == "recu" { value } else { "22/11/2026" });
        }
        let begun = begin(&mut nadia, &theirs, &[("canal", "courrier"), ("recu", "19/11/2026")]).await.is(303);
        let check = begun.location().to_owned();
        let page = nadia.get(&check).await.is(200).shows("n’est pas encore enregistrée").shows("le 19 novembre 2026 (par courrier)").shows("préviendra l’usager");
        // What was asked for may be changed, and nothing else; nobody else reaches it.
        let draft = check.strip_suffix("/verifier").unwrap();
        assert!(page.links_to(&format!("{draft}/la-personne-concernee?retour=verifier")), "{}", page.html());
        nadia.get(&format!("{draft}/l-acte-demande")).await.is(303);
        portal.agent("fatoumata.diallo").await.get(&check).await.is(404);
        let mut corrected = birth();
        corrected.set("titulaire.prenoms", "Camille Zoëlle");
        let next = nadia.answer(&format!("{draft}/la-personne-concernee"), &corrected).await;
        let form = nadia.get(&next).await.is(200).shows("Zoëlle").form("version");
        nadia.post_form(&check, &form.fields).await.leads_to(&format!("{theirs}?fait=saisie"));
        // Sent twice, it is one answer.
        let again = nadia.post_form(&check, &form.fields).await.is(303);
        nadia.follow(&again).await.leads_to(&theirs);
        nadia.get(&format!("{theirs}?fait=saisie")).await.is(200).shows("La réponse est enregistrée").shows("Zoëlle").hides("Saisir la réponse");
        nadia.get(&format!("{theirs}?onglet=historique")).await.is(200).shows("Réponse saisie pour l’usager").shows("Nadia Benali");
        nadia.get(&format!("{theirs}?onglet=messages")).await.is(200).shows("Lettre reçue, noté par Nadia Benali").shows("19 novembre 2026");
        // The delay stood still until the letter came, not until it was typed.
        assert_eq!(due().await.duration_since(before), SignedDuration::from_hours(2 * 24));
        assert_eq!(portal.count("contact").await, 1);

        let mut person = portal.usager(USAGER).await;
        person.get(&mine).await.is(200).shows("Complétée pour vous par le service").shows("Zoëlle").shows("Lettre reçue").hides("Nadia");
        let mails: Vec<String> = portal.outbox().await.into_iter().filter(|(to, ..)| to == USAGER).map(|(_, subject, _)| subject).collect();
        assert_eq!(mails.iter().filter(|subject| subject.starts_with("Votre réponse pour la demande")).count(), 1, "{mails:?}");
    }

    /// Begun by the usager on the site, gone on with by an agent, finished by a colleague.
    async fn a_missing_piece_is_brought_to_the_counter(portal: Portal) {
        let mut person = portal.usager(OTHER_USAGER).await;
        let answers = portal.sample("recensement-citoyen").await;
        let filed = person.file("recensement-citoyen", &answers).await;
        let (mine, theirs) = (format!("/demandes/{}", filed.id), format!("/agent/demandes/{}", filed.id));
        let mut claire = portal.agent("claire.daubigny").await;
        act(&mut claire, &theirs, "ask", &[ASK[0], ASK[1], ("pieces", "identite")]).await.is(303);
        let own = person.get(&format!("{mine}/repondre?vers=pieces/identite")).await.is(303).location().to_owned();
        claire.get(&format!("{theirs}/completer")).await.is(200).shows("a commencé à répondre sur le site").shows("Carte d’identité ou passeport");
        let check = begin(&mut claire, &theirs, &[]).await.is(303).location().to_owned();
        let piece = check.replace("verifier", "pieces/identite");
        claire.get(&piece).await.is(200).shows("Merci de préciser.").shows("Ajouter un autre fichier");
        claire.upload(&piece, &[("action".into(), "ajouter".into())], &[("fichier", "passeport.pdf", PDF)]).await.leads_to(&piece);
        let page = claire.get(&piece).await.is(200).shows("passeport.pdf");
        let file = tags(page.html()).into_iter().find(|tag| tag.get("href").starts_with("/agent/fichiers/")).unwrap().get("href").to_owned();
        claire.get(&file).await.is(200);
        // Left for later: it waits in the department's list, and the usager sees the same.
        claire.post(&piece, &[("action", "plus-tard")]).await.leads_to("/agent/depots?fait=garde");
        assert!(claire.get("/agent/depots").await.is(200).shows(&filed.reference).links_to(&check));
        person.get(&own).await.is(200).shows("passeport.pdf");
        let form = claire.get(&check).await.is(200).shows("Elle compte comme reçue le ").shows("(au guichet)").form("version");
        claire.post_form(&check, &form.fields).await.leads_to(&format!("{theirs}?fait=saisie"));
        claire.get(&format!("{theirs}?onglet=messages")).await.is(200).shows("Visite au guichet, noté par Claire d’Aubigny");
        claire.get(&format!("{theirs}?onglet=pieces")).await.is(200).shows("passeport.pdf");
        person.get(&own).await.leads_to(&mine);
        assert_eq!((portal.count("draft").await, portal.count("intake").await), (0, 0));
    }
}
