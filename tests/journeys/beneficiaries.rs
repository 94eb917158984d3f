//! For whom: two children, two drafts, told apart by their names.

use crate::harness::{Client, Engine, Portal, USAGER, both, journey::birth};

const SCHOOL: &str = "inscription-scolaire";

/// Fills in a new request for a child as far as the page that names them; gives the draft's address and
/// that of the next page.
async fn begin_for(portal: &Portal, person: &mut Client, first_names: &str, family: &str) -> (String, String) {
    let mut answers = portal.sample(SCHOOL).await;
    answers.set("enfant.prenoms", first_names);
    answers.set("enfant.nom_naissance", family);
    let mut path = person.get(&format!("/demarches/{SCHOOL}/remplir")).await.is(303).location().to_owned();
    for _ in 0..5 {
        let names_them = person.get(&path).await.form("action").holds("enfant.prenoms");
        path = person.answer(&path, &answers).await;
        if names_them {
            return (path.rsplit_once('/').unwrap().0.to_owned(), path);
        }
    }
    panic!("nobody is asked for");
}

both! {
    async fn two_children_have_two_drafts(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let (lea, next) = begin_for(&portal, &mut person, "Léa", "Martin").await;
        person.get(&next).await.is(200).hides("Vous avez déjà un brouillon");
        let (tom, next) = begin_for(&portal, &mut person, "Tom", "Martin").await;
        assert_ne!(lea, tom);
        person.get(&next).await.is(200).hides("Vous avez déjà un brouillon");

        let page = person.get(&format!("/demarches/{SCHOOL}")).await.is(200);
        let page = page.shows("Reprendre la demande pour Tom Martin, enregistrée le 17 novembre 2026");
        let page = page.shows("Reprendre la demande pour Léa Martin, enregistrée le 17 novembre 2026");
        assert!(page.shows("Commencer une autre demande").links_to(&format!("/demarches/{SCHOOL}/commencer?autre=oui")));
        // Whoever comes straight to the door is offered the same.
        let page = person.get(&format!("/demarches/{SCHOOL}/commencer")).await.is(200).shows("pour Léa Martin").shows("Commencer une autre demande").hides("Me connecter");
        assert!(page.links_to(&format!("{lea}/verifier")) && page.links_to(&format!("/demarches/{SCHOOL}/remplir")));
        person.get(&format!("/demarches/{SCHOOL}/commencer?autre=oui")).await.leads_to(&format!("/demarches/{SCHOOL}/remplir"));
        person.get("/mes-demandes").await.is(200).shows("Inscrire un enfant à l'école, pour Léa Martin").shows("Inscrire un enfant à l'école, pour Tom Martin");
        person.get("/").await.is(200).shows("Reprendre : Inscrire un enfant à l'école, pour Léa Martin");

        // A name corrected in the draft is corrected in the lists.
        let mut answers = portal.sample(SCHOOL).await;
        answers.set("enfant.prenoms", "Thomas");
        answers.set("enfant.nom_naissance", "Martin");
        person.answer(&format!("{tom}/votre-enfant"), &answers).await;
        person.get("/mes-demandes").await.is(200).shows("pour Thomas Martin").hides("pour Tom Martin");
    }

    async fn a_second_draft_for_the_same_child_is_pointed_at(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let (first, _) = begin_for(&portal, &mut person, "Anne-Lise", "Le Goff").await;
        let (second, next) = begin_for(&portal, &mut person, "anne lise", "LE GOFF").await;
        assert_ne!(first, second, "nothing is refused");
        let told = "Vous avez déjà un brouillon de cette démarche pour Anne-Lise Le Goff (17 novembre 2026) : le reprendre";
        for path in [next, format!("{second}/votre-enfant"), format!("{second}/verifier")] {
            let page = person.get(&path).await.is(200).shows(told);
            assert!(page.links_to(&format!("{first}/verifier")), "{path}");
        }
        // The first draft still holds what was typed there.
        person.get(&format!("{first}/verifier")).await.is(200).shows("Anne-Lise").shows("Vous avez déjà un brouillon de cette démarche pour anne lise LE GOFF");
        // Neither another procedure's draft nor another person's counts.
        portal.usager(crate::harness::OTHER_USAGER).await.get(&format!("/demarches/{SCHOOL}")).await.is(200).hides("Le Goff");
        person.post(&format!("{second}/supprimer"), &[]).await.is(303);
        person.get(&format!("{first}/verifier")).await.is(200).hides("Vous avez déjà un brouillon");
    }

    async fn the_name_follows_the_request(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let mut answers = birth();
        answers.set("titulaire.prenoms", "Léa, Zoé");
        let filed = person.file("acte-naissance", &answers).await;
        let request = format!("/demandes/{}", filed.id);
        person.get(&request).await.is(200).shows("pour Léa Zoé Martin");
        person.get("/mes-demandes").await.is(200).shows("Demander un acte de naissance, pour Léa Zoé Martin");
        person.get("/demarches/acte-naissance").await.is(200).shows("une demande en cours pour Léa Zoé Martin");
        let mut nadia = portal.agent("nadia.benali").await;
        nadia.get("/agent").await.is(200).shows("pour Léa Zoé Martin");
        nadia.get(&format!("/agent{request}")).await.is(200).shows("Pour Léa Zoé Martin");
        let found = nadia.get("/agent?q=Zo%C3%A9+Martin").await.is(200);
        found.shows(&filed.reference);
    }

    async fn without_an_account_too(portal: Portal) {
        let mut person = portal.client();
        let path = person.get("/demarches/acte-naissance/remplir").await.is(303).location().to_owned();
        let next = person.answer(&path, &birth()).await;
        let page = person.get("/demarches/acte-naissance").await.is(200).shows("Reprendre la demande enregistrée le 17 novembre 2026");
        assert!(page.hides("pour Camille").links_to(&next.replace("la-personne-concernee", "verifier")));
        person.answer(&next, &birth()).await;
        person.get("/demarches/acte-naissance/commencer").await.is(200).shows("Reprendre la demande pour Camille Zoé Martin, enregistrée le");
        portal.client().get("/demarches/acte-naissance/commencer").await.leads_to("/demarches/acte-naissance/remplir");
    }
}
