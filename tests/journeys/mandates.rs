//! Mandates: somebody acts for another, as far and as long as they were allowed to, under their own name.

use jiff::SignedDuration;

use crate::harness::{
    Client, Engine, OTHER_USAGER, PASSWORD, Portal, USAGER,
    acting::{ALL, act, banner, invitation, mandate, terms},
    both, html,
    journey::question,
};

use super::identity::{RIGHTS, verify};

const THIRD: &str = "anne-laure.leroy@exemple.fr";
const CLOSED: &str = "Cette page ne s’ouvre qu’en votre nom";
const OVER: &str = "Vous n’agissez plus pour cette personne ou cette organisation";
const PREPARE: [(&str, &str); 3] = [("peut", "fill"), ("portee", "choix"), ("demarche", "demande-information")];

/// Camille gives a mandate to Mohamed, who acts by it.
async fn helped(portal: &Portal, more: &[(&str, &str)]) -> (Client, Client, String) {
    let (mut principal, mut helper) = (portal.usager(USAGER).await, portal.usager(OTHER_USAGER).await);
    let id = mandate(portal, &mut principal, &mut helper, OTHER_USAGER, more).await;
    act(&mut helper, &format!("mandate:{id}")).await;
    (principal, helper, id)
}

/// The page of a new request of this procedure.
async fn first(person: &mut Client, procedure: &str) -> String {
    person.get(&format!("/demarches/{procedure}/remplir")).await.is(303).location().to_owned()
}

both! {
    async fn everything_a_helper_does_is_told_as_theirs(portal: Portal) {
        let (mut principal, mut helper, id) = helped(&portal, &ALL).await;
        let page = helper.get("/mes-demandes").await.is(200);
        assert_eq!(banner(&page), "Camille Martin");
        // The principal's name and address are proposed, not the helper's.
        let filed = helper.file("demande-information", &question("Pour Camille")).await;
        let address = format!("/demandes/{}", filed.id);
        let sent = helper.post(&format!("{address}/messages"), &[("message", "Une précision")]).await.is(303);
        helper.follow(&sent).await.is(200).shows("Vous avez écrit au service");
        principal.get("/mes-demandes").await.is(200).shows(&filed.reference).shows("Envoyée par Mohamed Benkhelifa, mandataire (proche), jusqu’au 16 février 2027");
        let page = principal.get(&address).await.is(200).shows("par Mohamed Benkhelifa, mandataire");
        page.shows("Message au service, par Mohamed Benkhelifa, mandataire").hides("Vous avez écrit au service");
        let done = principal.get("/compte/mandats/fait").await.is(200).shows("Mandat accepté – Mohamed Benkhelifa");
        let done = done.shows("Brouillon commencé").shows(&filed.reference).shows("Demande consultée");
        done.shows(&format!("{}\u{a0}: Message au service – Mohamed Benkhelifa", filed.reference));
        let mut agent = portal.agent("paulo.da-silva").await;
        let page = agent.get(&format!("/agent/demandes/{}?onglet=historique", filed.id)).await.is(200);
        page.shows("Mohamed Benkhelifa, mandataire (proche)").shows("Mohamed Benkhelifa, mandataire de l’usager");
        // The principal's own deed is told as their own, to both.
        principal.post(&format!("{address}/messages"), &[("message", "Et une autre")]).await.is(303);
        principal.get(&address).await.is(200).shows("Vous avez écrit au service");
        helper.get(&address).await.is(200).shows("Message au service, par Camille Martin");
        // It is the principal's: the helper, as themself, has nothing of it.
        act(&mut helper, "moi").await;
        helper.get(&address).await.is(404);
        helper.get("/mes-demandes").await.is(200).hides(&filed.reference);
        helper.get("/compte/donnees").await.is(200).hides(&filed.reference);
        let data = principal.data().await;
        assert_eq!((&data["mandats"]["donnes"][0]["avec"], &data["demandes"][0]["envoyee_par"].as_str().unwrap().starts_with("Mohamed")), (&"Mohamed Benkhelifa".into(), &true));
        let mails = portal.outbox().await;
        for (to, subject) in [(USAGER, "Vous avez proposé un mandat"), (OTHER_USAGER, "Une personne vous donne mandat"), (USAGER, "Votre mandat est accepté")] {
            assert_eq!(mails.iter().filter(|(one, found, _)| one == to && found == subject).count(), 1, "{subject}");
        }
        principal.get("/compte/mandats").await.is(200).shows("Mohamed Benkhelifa, proche").shows("En cours").shows("16 février 2027");
        assert!(!id.is_empty());
    }

    async fn a_revoked_mandate_ends_at_once_and_loses_nothing(portal: Portal) {
        let (mut principal, mut helper, id) = helped(&portal, &ALL).await;
        let path = first(&mut helper, "demande-information").await;
        let second = helper.answer(&path, &question("Déjà écrit")).await;
        helper.get(&second).await.is(200);
        // In the middle of the second page.
        principal.post(&format!("/compte/mandats/{id}/terminer"), &[]).await.leads_to("/compte/mandats?fait=termine");
        helper.post(&second, &[("courriel", "trop@tard.fr"), ("action", "continuer")]).await.is(403).shows(OVER).shows("trop@tard.fr");
        let page = helper.get("/mes-demandes").await.is(200).hides("Brouillon");
        assert_eq!(banner(&page), "");
        helper.get(&second).await.is(404);
        helper.post(&second, &[("courriel", "trop@tard.fr"), ("action", "continuer")]).await.is(404);
        helper.post("/agir-pour", &[("pour", &format!("mandate:{id}"))]).await.is(404);
        // What was kept is the principal's to go on with.
        principal.get("/mes-demandes").await.is(200).shows("Préparé par une personne que vous avez mandatée");
        let draft = format!("/brouillons/{}/verifier", second.split('/').nth(2).unwrap());
        principal.get(&draft).await.is(200).shows("Déjà écrit").hides("trop@tard.fr");
        principal.get("/compte/mandats/fait").await.is(200).shows("Brouillon commencé").shows("Fin du mandat – Camille Martin");
        let mails = portal.outbox().await;
        assert!(mails.iter().any(|(to, subject, _)| to == OTHER_USAGER && subject == "Un mandat a pris fin"));
        // Prolonging what has ended gives nothing back.
        principal.post(&format!("/compte/mandats/{id}/prolonger"), &[("duree", "12")]).await.is(409);
    }

    async fn a_mandate_goes_as_far_as_it_says(portal: Portal) {
        let (mut principal, mut helper) = (portal.usager(USAGER).await, portal.usager(OTHER_USAGER).await);
        let own = principal.file("demande-information", &question("À moi")).await;
        let other = principal.file("acte-naissance", &crate::harness::journey::birth()).await;
        let id = mandate(&portal, &mut principal, &mut helper, OTHER_USAGER, &PREPARE).await;
        act(&mut helper, &format!("mandate:{id}")).await;
        // Another procedure, and what was sent: no.
        helper.get("/demarches/acte-naissance/remplir").await.is(403).shows("ne couvre pas cette démarche");
        helper.get("/demarches/acte-naissance/commencer").await.is(403);
        helper.post("/demarches/acte-naissance/remplir", &[("lieu", "ici")]).await.is(403);
        helper.get("/mes-demandes").await.is(200).hides(&own.reference).hides(&other.reference);
        helper.get(&format!("/demandes/{}", own.id)).await.is(403);
        helper.get(&format!("/demandes/{}", other.id)).await.is(404);
        helper.get(&format!("/demandes/{}/recepisse.pdf", own.id)).await.is(403);
        // To prepare is not to send: neither by the page nor by its form.
        let check = helper.fill("demande-information", &question("À relire")).await;
        let page = helper.get(&check).await.is(200).shows("Vous ne pouvez pas l’envoyer");
        assert!(!page.forms().iter().any(|form| form.holds("version")));
        helper.post(&check, &[("version", ""), ("declaration", "oui")]).await.is(403).shows("pas l’envoyer");
        let sent = principal.send_checked(&check).await;
        principal.get("/mes-demandes").await.is(200).shows(&sent.reference).hides("Envoyée par");
        // By theme, with the right to follow: those of the theme, and no message.
        let mut third = portal.usager(THIRD).await;
        let id = mandate(&portal, &mut principal, &mut third, THIRD, &[("peut", "follow"), ("portee", "choix"), ("theme", "etat-civil")]).await;
        act(&mut third, &format!("mandate:{id}")).await;
        third.get("/mes-demandes").await.is(200).shows(&other.reference).hides(&own.reference);
        third.get(&format!("/demandes/{}", other.id)).await.is(200);
        third.post(&format!("/demandes/{}/messages", other.id), &[("message", "Bonjour")]).await.is(403);
        third.get(&format!("/demandes/{}", own.id)).await.is(404);
    }

    async fn neither_account_nor_documents_come_along(portal: Portal) {
        let (mut principal, mut helper) = (portal.usager(USAGER).await, portal.usager(OTHER_USAGER).await);
        for person in [&mut principal, &mut helper] {
            person.post("/mes-documents/creer", &[("mot-de-passe", PASSWORD)]).await.is(200);
        }
        crate::harness::household::declare(&mut helper, "Aya", "2019-05-03").await;
        let id = mandate(&portal, &mut principal, &mut helper, OTHER_USAGER, &ALL).await;
        act(&mut helper, &format!("mandate:{id}")).await;
        // No account is at hand, the helper's no more than the principal's.
        for closed in ["/compte", "/mes-documents", "/compte/mandats"] {
            helper.get(closed).await.is(403).shows(CLOSED).hides(USAGER).hides(OTHER_USAGER);
        }
        helper.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.is(403).shows(CLOSED);
        helper.get("/mes-demandes").await.is(200);
        // Neither the helper's documents nor the principal's are offered, nor the helper's household.
        let answers = portal.sample("recensement-citoyen").await;
        let mut path = first(&mut helper, "recensement-citoyen").await;
        while !path.contains("/pieces/") {
            helper.get(&path).await.is(200).hides("Aya");
            path = helper.answer(&path, &answers).await;
        }
        let page = helper.get(&path).await.is(200).hides("Mes documents").hides("vos documents");
        assert!(!html::tags(page.html()).iter().any(|tag| tag.get("value") == "reprendre"));
        let none = uuid::Uuid::new_v4().to_string();
        helper.post(&path, &[("action", "reprendre"), ("document", &none)]).await.is(422);
    }

    async fn a_verified_identity_is_sent_by_its_owner(portal: Portal) {
        let (mut principal, mut helper, _) = helped(&portal, &ALL).await;
        verify(&portal, USAGER, "Martin").await;
        // The helper's own identity, verified too, is not the one that is asked for.
        verify(&portal, OTHER_USAGER, "Benkhelifa").await;
        let theirs = "identité vérifiée de la personne";
        helper.get(&format!("/demarches/{RIGHTS}/remplir")).await.is(403).shows(theirs);
        let answers = portal.sample(RIGHTS).await;
        let check = principal.fill(RIGHTS, &answers).await;
        let draft = check.trim_end_matches("/verifier");
        // They may prepare it, and are told that they may not send it.
        let mut page = format!("{draft}/vous");
        while !page.ends_with("/verifier") {
            page = helper.answer(&page, &answers).await;
            assert!(page.starts_with(draft), "{page}");
        }
        let page = helper.get(&check).await.is(200).shows(theirs).hides("Faire vérifier mon identité").hides("Il reste à compléter");
        assert!(!page.forms().iter().any(|form| form.holds("version")));
        let page = helper.post(&check, &[("version", ""), ("declaration", "oui")]).await.is(403).shows(theirs);
        page.shows("c’est à elle de l’envoyer, depuis son propre compte").shows("Le brouillon est conservé");
        let sent = principal.send_checked(&check).await;
        principal.get(&format!("/demandes/{}", sent.id)).await.is(200).shows("Identité vérifiée au guichet").hides("Benkhelifa");
    }

    async fn a_new_session_acts_for_nobody(portal: Portal) {
        let (mut principal, mut helper, _) = helped(&portal, &ALL).await;
        let path = first(&mut helper, "demande-information").await;
        let second = helper.answer(&path, &question("Déjà écrit")).await;
        // Somebody else signs in on the same browser, with a page of that draft still to be kept.
        let typed = r#"{"courriel":["autre@personne.fr"]}"#;
        let fields = [("email", THIRD), ("mot-de-passe", PASSWORD), ("suite", second.as_str()), ("saisie", typed)];
        helper.post("/connexion", &fields).await.is(303);
        assert_eq!(banner(&helper.get("/mes-demandes").await.is(200)), "");
        principal.get(&second).await.is(200).hides("autre@personne.fr");
    }

    async fn a_mandate_ends_by_itself(portal: Portal) {
        let mut fields = ALL.to_vec();
        fields.push(("duree", "1"));
        let (mut principal, mut helper) = (portal.usager(USAGER).await, portal.usager(OTHER_USAGER).await);
        let mut given = terms(OTHER_USAGER, &fields);
        given.retain(|(name, value)| *name != "duree" || *value == "1");
        principal.post("/compte/mandats/donner", &given).await.is(303);
        let link = invitation(&portal, OTHER_USAGER).await;
        helper.post(&link, &[("reponse", "accepter")]).await.is(303);
        let page = helper.get("/compte/mandats").await.is(200).shows("jusqu’au 16 décembre 2026");
        let tags = html::tags(page.html());
        let value = tags.iter().find(|tag| tag.get("name") == "pour").unwrap().get("value").to_owned();
        act(&mut helper, &value).await;
        portal.later(SignedDuration::from_hours(29 * 24));
        helper.get("/mes-demandes").await.is(200);
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        helper.get("/mes-demandes").await.is(200);
        // The 17th, before the sweep came by.
        portal.later(SignedDuration::from_hours(15));
        helper.get("/mes-demandes").await.is(403).shows(OVER);
        helper.post("/agir-pour", &[("pour", &value)]).await.is(404);
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        let mails = portal.outbox().await;
        for to in [USAGER, OTHER_USAGER] {
            assert_eq!(mails.iter().filter(|(one, subject, _)| one == to && subject == "Un mandat est arrivé à son terme").count(), 1, "{to}");
        }
        principal.get("/compte/mandats").await.is(200).shows("Terminé");
    }

    async fn a_mandate_is_prolonged_by_who_gave_it(portal: Portal) {
        let (mut principal, mut helper, id) = helped(&portal, &ALL).await;
        let renew = format!("/compte/mandats/{id}/prolonger");
        act(&mut helper, "moi").await;
        helper.post(&renew, &[("duree", "12")]).await.is(403).hides(CLOSED);
        portal.usager(THIRD).await.post(&renew, &[("duree", "12")]).await.is(404);
        principal.post(&renew, &[("duree", "24")]).await.is(400);
        principal.post(&renew, &[("duree", "12")]).await.leads_to("/compte/mandats?fait=prolonge");
        helper.get("/compte/mandats").await.is(200).shows("jusqu’au 16 novembre 2027");
        // The helper may give it up: at once, wherever they act by it.
        let mut elsewhere = portal.usager(OTHER_USAGER).await;
        act(&mut elsewhere, &format!("mandate:{id}")).await;
        helper.post(&format!("/compte/mandats/{id}/terminer"), &[]).await.is(303);
        elsewhere.get("/mes-demandes").await.is(403).shows(OVER);
        helper.post("/agir-pour", &[("pour", &format!("mandate:{id}"))]).await.is(404);
        principal.get("/compte/mandats").await.is(200).shows("Terminé");
        let mails = portal.outbox().await;
        assert!(mails.iter().any(|(to, subject, _)| to == USAGER && subject == "Un mandat a pris fin"));
    }

    async fn strangers_get_nothing(portal: Portal) {
        let (mut principal, mut helper, id) = helped(&portal, &ALL).await;
        let mut third = portal.usager(THIRD).await;
        for value in [format!("mandate:{id}"), format!("organisation:{id}"), "mandate:".to_owned(), "admin".to_owned()] {
            third.post("/agir-pour", &[("pour", &value)]).await.is(404);
        }
        // Nor does the principal act for themself by it.
        principal.post("/agir-pour", &[("pour", &format!("mandate:{id}"))]).await.is(404);
        third.post(&format!("/compte/mandats/{id}/terminer"), &[]).await.is(404);
        third.get("/compte/mandats/fait").await.is(200).shows("Rien pour l’instant");
        let page = principal.post("/compte/mandats/donner", &[("email", USAGER)]).await.is(422).shows("C’est votre propre adresse");
        page.shows("Choisissez une durée").shows("Choisissez pour quelles démarches").shows("Choisissez au moins une chose");
        let choice = [("peut", "fill"), ("portee", "choix")];
        principal.post("/compte/mandats/donner", &terms(THIRD, &choice)).await.is(422).shows("Choisissez au moins un thème");
        principal.post("/compte/mandats/donner", &terms(THIRD, &ALL)).await.is(303);
        let link = invitation(&portal, THIRD).await;
        helper.get(&link).await.is(403).shows(CLOSED);
        act(&mut helper, "moi").await;
        helper.get(&link).await.is(403).shows("autre adresse").hides("Camille");
        helper.post(&link, &[("reponse", "accepter")]).await.is(410);
        let page = third.get(&link).await.is(200).shows("Agir pour Camille Martin").shows("toutes");
        page.shows("envoyer des demandes");
        third.post(&link, &[("reponse", "refuser")]).await.is(303);
        third.post(&link, &[("reponse", "accepter")]).await.is(410);
        principal.get("/compte/mandats").await.is(200).shows("Refusé");
    }

    async fn the_counter_records_a_signed_paper(portal: Portal) {
        let (mut principal, mut helper) = (portal.usager(USAGER).await, portal.usager(OTHER_USAGER).await);
        let mut agent = portal.agent("nadia.benali").await;
        let mut fields = terms("", &ALL);
        fields.retain(|(name, _)| *name != "email");
        fields.extend([("mandant", USAGER), ("mandataire", OTHER_USAGER)]);
        let page = agent.post("/agent/mandats", &fields).await.is(422).shows("Vérifiez le mandat signé");
        assert_eq!(page.form("mandant").value("mandant"), USAGER, "nothing typed is lost");
        fields.push(("papier", "oui"));
        portal.agent("lea.fontaine").await.post("/agent/mandats", &fields).await.is(403);
        agent.post("/agent/mandats", &fields).await.leads_to("/agent/mandats?fait=enregistre");
        let page = helper.get("/compte/mandats").await.is(200).shows("enregistré au guichet");
        let tags = html::tags(page.html());
        let value = tags.iter().find(|tag| tag.get("name") == "pour").unwrap().get("value").to_owned();
        act(&mut helper, &value).await;
        assert_eq!(banner(&helper.get("/mes-demandes").await.is(200)), "Camille Martin");
        principal.get("/compte/mandats/fait").await.is(200).shows("d’après un papier signé").shows("La mairie").hides("Nadia");
        let mails = portal.outbox().await;
        for to in [USAGER, OTHER_USAGER] {
            assert!(mails.iter().any(|(one, _, body)| one == to && body.contains("D’après un papier signé")), "{to}");
        }
        let same = [("mandant", USAGER), ("mandataire", USAGER)];
        agent.post("/agent/mandats", &same).await.is(422).shows("C’est la même personne");
    }

    async fn a_page_opened_in_another_name_is_not_sent_by_mistake(portal: Portal) {
        let (mut principal, mut helper) = (portal.usager(USAGER).await, portal.usager(OTHER_USAGER).await);
        let id = mandate(&portal, &mut principal, &mut helper, OTHER_USAGER, &ALL).await;
        let path = first(&mut helper, "demande-information").await;
        let page = helper.get(&path).await.is(200);
        // Meanwhile, in another tab.
        act(&mut helper, &format!("mandate:{id}")).await;
        let form = page.form("action").with("message", "Pour moi seul");
        let page = helper.submit(&page, &form, &form.fields).await.is(200).shows("pour la même personne ou organisation");
        assert!(page.words().contains("Pour moi seul"), "nothing typed is lost");
        assert_eq!(portal.count("draft").await, 0);
        assert_eq!(banner(&page), "Camille Martin");
        // Nor is a page of one's own draft, sent while acting for somebody: it is given back.
        act(&mut helper, "moi").await;
        let own = first(&mut helper, "demande-information").await;
        let own = helper.answer(&own, &question("Le mien")).await;
        act(&mut helper, &format!("mandate:{id}")).await;
        helper.post(&own, &[("courriel", "ma@page.fr"), ("action", "continuer")]).await.is(404).shows("ma@page.fr");
        // Seen, it may be sent.
        let form = page.form("action");
        helper.submit(&page, &form, &form.fields).await;
        principal.get("/mes-demandes").await.is(200).shows("Brouillon");
    }

    async fn an_account_leaves_with_its_mandates(portal: Portal) {
        let (mut principal, mut helper, _) = helped(&portal, &ALL).await;
        let filed = helper.file("demande-information", &question("Pour Camille")).await;
        act(&mut helper, "moi").await;
        helper.get("/compte/supprimer").await.is(200).shows("1 mandat en cours ou proposé").hides(&filed.reference);
        helper.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.leads_to("/compte/supprime");
        principal.get(&format!("/demandes/{}", filed.id)).await.is(200).shows("par une personne mandatée, mandataire").shows("Vos réponses");
        principal.get("/compte/mandats").await.is(200).shows("Terminé");
        principal.get("/compte/mandats/fait").await.is(200).shows("Mandat accepté – Mohamed Benkhelifa");
        principal.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.leads_to("/compte/supprime");
        for table in ["mandate", "acting_event", "invitation"] {
            assert_eq!(portal.count(table).await, 0, "{table}");
        }
    }
}
