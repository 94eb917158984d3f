//! Another address for an account: both mailboxes agree, or one refuses.

use jiff::SignedDuration;

use super::{enter, history, link, subjects, usager};
use crate::harness::{Client, Engine, PASSWORD, Page, Portal, both};

const OLD: &str = "camille@exemple.fr";
const NEW: &str = "neuve@exemple.fr";

async fn ask(person: &mut Client, email: &str) -> Page {
    person.post("/compte/adresse", &[("nouvelle-adresse", email), ("mot-de-passe-adresse", PASSWORD)]).await
}

async fn begun(portal: &Portal) -> (Client, String, String) {
    usager(portal, OLD).await;
    let mut person = portal.usager(OLD).await;
    ask(&mut person, NEW).await.is(200).shows(NEW).shows(OLD).shows("72 heures");
    let links = (link(portal, OLD).await, link(portal, NEW).await);
    (person, links.0, links.1)
}

both! {
    async fn an_address_changes_once_both_mailboxes_agree(portal: Portal) {
        for first_is_old in [true, false] {
            let (former, wanted) = if first_is_old { (OLD, NEW) } else { ("paul@exemple.fr", "paul.neuf@exemple.fr") };
            usager(&portal, former).await;
            let mut person = portal.usager(former).await;
            person.post("/compte/adresse", &[("nouvelle-adresse", wanted), ("mot-de-passe-adresse", "faux")]).await.is(422).shows("pas votre mot de passe actuel");
            ask(&mut person, former).await.is(422).shows("déjà l'adresse");
            ask(&mut person, "pas une adresse").await.is(422);
            assert_eq!(subjects(&portal, former).await, Vec::<String>::new());
            ask(&mut person, wanted).await.is(200);
            let (old, new) = (link(&portal, former).await, link(&portal, wanted).await);
            person.get("/compte").await.is(200).shows("les liens envoyés").shows(wanted);
            let (first, second) = if first_is_old { (old, new) } else { (new, old) };
            // Anybody may read the mail: no session is needed, and looking changes nothing.
            let mut mailbox = portal.client();
            for _ in 0..2 {
                mailbox.get(&first).await.is(200).shows(former).shows(wanted);
            }
            mailbox.post(&first, &[("reponse", "oui")]).await.is(200).shows("Il reste une étape");
            mailbox.post(&first, &[("reponse", "oui")]).await.is(410);
            person.get("/compte").await.is(200).shows("le lien envoyé").shows(former);
            enter(&mut portal.client(), wanted, PASSWORD).await.is(422);
            mailbox.post(&second, &[("reponse", "oui")]).await.is(200).shows("Votre adresse est changée").shows(wanted);
            enter(&mut portal.client(), former, PASSWORD).await.is(422);
            enter(&mut portal.client(), wanted, PASSWORD).await.leads_to("/mes-demandes");
            assert_eq!(subjects(&portal, former).await.last().unwrap(), "L’adresse de votre compte a changé");
            person.get("/compte").await.is(200).hides("envoyé à");
            history(&mut person).await.shows("Changement d'adresse électronique demandé").shows("Adresse électronique changée");
        }
    }

    async fn the_former_mailbox_refuses(portal: Portal) {
        let (mut thief, old, new) = begun(&portal).await;
        portal.client().post(&new, &[("reponse", "oui")]).await.is(200);
        let page = portal.client().post(&old, &[("reponse", "refus")]).await.is(200).shows("annulé").shows(OLD);
        assert!(page.links_to("/mot-de-passe-oublie"));
        // Whoever asked is out, and neither link serves any more.
        thief.get("/compte").await.is(303);
        for used in [&old, &new] {
            portal.client().get(used).await.is(410);
            portal.client().post(used, &[("reponse", "oui")]).await.is(410);
        }
        let mut owner = portal.usager(OLD).await;
        history(&mut owner).await.shows("Changement d'adresse électronique refusé");
        owner.get("/compte").await.is(200).hides(NEW);
    }

    async fn the_new_mailbox_refuses(portal: Portal) {
        let (mut person, old, new) = begun(&portal).await;
        portal.client().post(&old, &[("reponse", "oui")]).await.is(200);
        portal.client().post(&new, &[("reponse", "refus")]).await.is(200).shows("annulé").shows(NEW);
        person.get("/compte").await.is(200).hides(NEW);
        enter(&mut portal.client(), NEW, PASSWORD).await.is(422);
    }

    async fn links_of_another_change_or_too_old_do_nothing(portal: Portal) {
        let (mut person, old, abandoned) = begun(&portal).await;
        portal.client().post(&old, &[("reponse", "oui")]).await.is(200);
        ask(&mut person, "autre@exemple.fr").await.is(200);
        portal.client().post(&abandoned, &[("reponse", "oui")]).await.is(410);
        // What the former mailbox said of the other change does not count for this one.
        let new = link(&portal, "autre@exemple.fr").await;
        portal.client().post(&new, &[("reponse", "oui")]).await.is(200).shows("Il reste une étape");
        let old = link(&portal, OLD).await;
        portal.later(SignedDuration::from_hours(73));
        portal.client().post(&old, &[("reponse", "oui")]).await.is(410);
        enter(&mut portal.client(), OLD, PASSWORD).await.leads_to("/mes-demandes");
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        assert_eq!(portal.count("email_change").await, 0);
    }

    async fn a_new_password_forgets_the_change(portal: Portal) {
        let (mut person, old, new) = begun(&portal).await;
        person.post("/compte/mot-de-passe", &[("mot-de-passe-actuel", PASSWORD), ("mot-de-passe", "une-autre-longue-phrase")]).await.is(303);
        for gone in [&old, &new] {
            portal.client().post(gone, &[("reponse", "oui")]).await.is(410);
        }
    }

    async fn an_address_that_has_an_account_is_not_taken(portal: Portal) {
        let (mut person, old, new) = begun(&portal).await;
        portal.client().post(&old, &[("reponse", "oui")]).await.is(200);
        // Somebody opens an account there before the link is opened.
        usager(&portal, NEW).await;
        portal.client().post(&new, &[("reponse", "oui")]).await.is(410);
        // Whoever asks for an address that has an account learns nothing; its owner gets the usual mail.
        ask(&mut person, "NEUVE@exemple.fr").await.is(200).shows("Consultez vos courriels");
        assert_eq!(subjects(&portal, "NEUVE@exemple.fr").await, ["Vous avez déjà un compte"]);
    }

    async fn the_counter_replaces_a_mailbox_that_is_lost(portal: Portal) {
        let id = usager(&portal, OLD).await;
        let mut agent = portal.agent("nadia.benali").await;
        agent.post("/agent/comptes", &[("email", OLD)]).await.is(200).shows("Changer l'adresse électronique");
        let form = format!("/agent/comptes/{id}/adresse");
        let page = agent.post(&form, &[("nouvelle-adresse", NEW), ("motif-adresse", "")]).await.is(422);
        assert!(page.html().contains("value=\"neuve@exemple.fr\""));
        page.shows("Vérifiez l'identité").shows("Écrivez le motif");
        let full = [("nouvelle-adresse", NEW), ("identite-adresse", "oui"), ("motif-adresse", "Boîte perdue, carte d’identité")];
        agent.post(&form, &full).await.leads_to("/agent/comptes?fait=adresse");
        let told = link(&portal, OLD).await;
        portal.client().post(&told, &[("reponse", "refus")]).await.is(200).shows("annulé");
        portal.client().get(&told).await.is(410);
        agent.post(&form, &full).await.leads_to("/agent/comptes?fait=adresse");
        portal.client().post(&link(&portal, NEW).await, &[("reponse", "oui")]).await.is(200).shows("Votre adresse est changée");
        let mut owner = portal.usager(NEW).await;
        history(&mut owner).await.shows("demandé au guichet").shows("Boîte perdue, carte d’identité");
    }

    async fn two_answers_at_once_change_it_once(portal: Portal) {
        let (_, old, new) = begun(&portal).await;
        let (mut one, mut other) = (portal.client(), portal.client());
        let answer = [("reponse", "oui")];
        let (first, second) = tokio::join!(one.post(&old, &answer), other.post(&new, &answer));
        let done = [first, second].iter().filter(|page| page.status == 200 && page.words().contains("est changée")).count();
        assert_eq!(done, 1);
        assert_eq!(subjects(&portal, OLD).await.iter().filter(|subject| subject.contains("a changé")).count(), 1);
    }
}
