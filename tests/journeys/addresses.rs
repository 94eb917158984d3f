//! « Mes coordonnées »: addresses with their periods, taken up in requests, and the one that must not be told.

use forms::answers::Raw;
use jiff::SignedDuration;

use super::agent::act;
use crate::harness::{
    Client, Engine, OTHER_USAGER, Portal, USAGER, both,
    household::{address, live},
    journey::birth,
};

/// The page of a new request that asks for the filer's address.
async fn page_of_the_address(person: &mut Client) -> String {
    let answers = birth();
    let mut path = person.get("/demarches/acte-naissance/remplir").await.is(303).location().to_owned();
    for _ in 0..6 {
        if person.get(&path).await.form("action").holds("adresse.commune") {
            return path;
        }
        path = person.answer(&path, &answers).await;
    }
    panic!("no address is asked for");
}

async fn street(person: &mut Client, path: &str) -> String {
    person.get(path).await.is(200).form("action").value("adresse.numero_voie").to_owned()
}

both! {
    async fn addresses_have_their_periods(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        person.get("/compte/coordonnees").await.is(200).shows("Aucune adresse pour l’instant.");
        let page = person.post("/compte/coordonnees/ajouter", &[("adresse.numero_voie", "1 rue Haute"), ("depuis.jour", "40")]).await.is(422);
        assert_eq!(page.form("adresse.commune").value("adresse.numero_voie"), "1 rue Haute", "nothing typed is lost");
        page.shows("Saisissez la commune");
        let mut wrong = address("1 rue Haute", "2020-05-01", false);
        wrong.extend(["annee", "mois", "jour"].iter().zip(["2019", "1", "1"]).map(|(part, value)| (format!("jusque.{part}"), value.to_owned())));
        person.post_form("/compte/coordonnees/ajouter", &wrong).await.is(422).shows("pas avant le premier");

        let old = live(&mut person, "1 rue Haute", "2020-05-01", false).await;
        live(&mut person, "2 rue Basse", "2026-11-19", false).await;
        let page = person.get("/compte/coordonnees").await.shows("À partir du 19 novembre 2026");
        page.shows("Du 1er mai 2020 au 18 novembre 2026");
        assert_eq!(portal.count("account_address").await, 2, "twice is once");

        // Today's is taken up, and told to come from the account.
        let path = page_of_the_address(&mut person).await;
        let page = person.get(&path).await.shows("D’après votre compte").shows("1 rue Haute, 96000 Valmont – Modifier");
        assert!(page.links_to("#adresse-numero_voie"));
        assert_eq!(page.form("action").value("adresse.numero_voie"), "1 rue Haute");
        portal.later(SignedDuration::from_hours(48));
        let next = page_of_the_address(&mut person).await;
        assert_eq!(street(&mut person, &next).await, "2 rue Basse", "two days later, another");
        let path = next;

        // What is typed stays typed, and is no longer the account's.
        let form = person.get(&path).await.form("action").with("adresse.numero_voie", "9 place du Marché").with("action", "plus-tard");
        person.post_form(&path, &form.fields).await.is(303);
        person.get(&path).await.is(200).hides("2 rue Basse").hides("9 place du Marché, 96000").shows("D’après votre compte");
        assert_eq!(street(&mut person, &path).await, "9 place du Marché");
        // Emptied by hand is not filled again.
        let form = ["numero_voie", "code_postal", "commune"].iter().fold(person.get(&path).await.form("action"), |form, part| form.with(&format!("adresse.{part}"), ""));
        person.post_form(&path, &form.with("action", "plus-tard").fields).await.is(303);
        assert_eq!(street(&mut person, &path).await, "");

        // Corrected and removed, by its owner only.
        let one = format!("/compte/coordonnees/adresses/{old}");
        let mut other = portal.usager(OTHER_USAGER).await;
        other.get("/compte/coordonnees").await.hides("rue Haute");
        for rest in ["", "/retirer"] {
            other.get(&format!("{one}{rest}")).await.is(404);
            other.post_form(&format!("{one}{rest}"), &address("3 rue Volée", "2020-05-01", false)).await.is(404);
        }
        let form = person.get(&one).await.is(200).form("adresse.commune");
        assert_eq!((form.value("depuis.annee"), form.value("genre"), form.value("confidentielle")), ("2020", "main", "non"));
        person.post_form(&one, &form.with("adresse.numero_voie", "1 bis rue Haute").fields).await.leads_to("/compte/coordonnees?fait=modifiee");
        person.get("/compte/coordonnees?fait=modifiee").await.shows("1 bis rue Haute").shows("L’adresse est enregistrée.");
        assert!(person.data().await.to_string().contains("1 bis rue Haute"));
        person.get(&format!("{one}/retirer")).await.is(200).shows("1 bis rue Haute");
        person.post(&format!("{one}/retirer"), &[]).await.leads_to("/compte/coordonnees?fait=retiree");
        person.post(&format!("{one}/retirer"), &[]).await.is(404);
    }

    /// The mark was told with the request: what the account keeps since takes nothing from it.
    async fn a_correction_keeps_the_mark(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let kept = live(&mut person, "12 bis rue de l’Église", "2020-05-01", true).await;
        let mut answers: Raw = birth();
        answers.set("adresse.numero_voie", "12 bis rue de l’Église");
        let filed = person.file("acte-naissance", &answers).await;
        let theirs = format!("/agent/demandes/{}", filed.id);
        let mut agent = portal.agent("nadia.benali").await;
        act(&mut agent, &theirs, "take", &[]).await.is(303);
        act(&mut agent, &theirs, "ask", &[("champs", "titulaire"), ("message", "Le prénom ?"), ("jours", "15")]).await.is(303);
        person.post(&format!("/compte/coordonnees/adresses/{kept}/retirer"), &[]).await.is(303);
        let mine = format!("/demandes/{}", filed.id);
        let path = person.get(&format!("{mine}/repondre?vers=la-personne-concernee")).await.is(303).location().to_owned();
        answers.set("titulaire.prenoms", "Camille Zoëlle");
        let check = person.answer(&path, &answers).await;
        let form = person.get(&check).await.is(200).form("version");
        person.post_form(&check, &form.fields).await.leads_to(&format!("{mine}?fait=repondu"));
        agent.get(&theirs).await.is(200).shows("Zoëlle").shows("Adresse confidentielle, ne pas communiquer.");
        assert_eq!(person.data().await["demandes"][0]["adresse_confidentielle"], true);
    }

    async fn there_is_a_bound_and_nothing_typed_is_lost(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        for number in 0..30 {
            person.post_form("/compte/coordonnees/ajouter", &address(&format!("{number} rue Haute"), "2020-05-01", false)).await.is(303);
        }
        let page = person.post_form("/compte/coordonnees/ajouter", &address("31 rue Haute", "2020-05-01", false)).await.is(422).shows("déjà 30 adresses");
        let form = page.form("adresse.commune");
        assert_eq!(form.value("adresse.numero_voie"), "31 rue Haute");
        // Room is made, and the same form goes on.
        let id: uuid::Uuid = portal.db().one(db::sql!("select id from account_address where authority_id = $1 limit 1"), db::args![portal.city]).await.unwrap();
        person.post(&format!("/compte/coordonnees/adresses/{id}/retirer"), &[]).await.is(303);
        person.post_form("/compte/coordonnees/ajouter", &form.fields).await.is(303);
        // A change of address too.
        let home = person.get("/compte/coordonnees/changer").await.is(200).form("adresse.commune");
        let given = [("adresse.numero_voie", "8 rue du Départ"), ("adresse.code_postal", "96000"), ("adresse.commune", "Valmont"), ("confidentielle", "non")];
        let home = given.iter().fold(home, |form, (name, value)| form.with(name, value));
        let page = person.post_form("/compte/coordonnees/changer", &home.fields).await.is(422).shows("déjà 30 adresses");
        assert_eq!(page.form("adresse.commune").value("adresse.numero_voie"), "8 rue du Départ");
        assert_eq!(portal.count("coordinate_change").await, 0);
    }

    async fn a_confidential_address_is_typed_by_hand_and_told_as_such(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        live(&mut person, "12 bis rue de l’Église", "2020-05-01", true).await;
        person.get("/compte/coordonnees").await.shows("Confidentielle");
        let path = page_of_the_address(&mut person).await;
        person.get(&path).await.is(200).hides("Église");
        assert_eq!(street(&mut person, &path).await, "");

        let told = "Adresse confidentielle, ne pas communiquer.";
        let mut agent = portal.agent("nadia.benali").await;
        let elsewhere = person.file("acte-naissance", &birth()).await;
        agent.get(&format!("/agent/demandes/{}", elsewhere.id)).await.is(200).hides(told);
        let mut answers: Raw = birth();
        answers.set("adresse.numero_voie", "12 BIS, rue de l'eglise");
        let there = person.file("acte-naissance", &answers).await;
        agent.get(&format!("/agent/demandes/{}", there.id)).await.is(200).shows(told);
        // The same address, from somebody for whom it is no secret.
        let mut other = portal.usager(OTHER_USAGER).await;
        let theirs = other.file("acte-naissance", &answers).await;
        agent.get(&format!("/agent/demandes/{}", theirs.id)).await.is(200).hides(told);
    }
}
