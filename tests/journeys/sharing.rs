//! Two adults who share their households, or only a child; somebody under protection.

use db::{args, sql};
use jiff::SignedDuration;

use crate::harness::{
    Client, Engine, OTHER_USAGER, PASSWORD, Page, Portal, USAGER, both,
    household::{child, declare, invitation, invite, live},
    html,
};

const HOME: &str = "/compte/foyer";

/// The page of a new school request that asks for the child.
async fn page_of_the_child(portal: &Portal, person: &mut Client) -> Page {
    let answers = portal.sample("inscription-scolaire").await;
    let mut path = person.get("/demarches/inscription-scolaire/remplir").await.is(303).location().to_owned();
    for _ in 0..5 {
        let page = person.get(&path).await;
        if page.form("action").holds("enfant.prenoms") {
            return page;
        }
        path = person.answer(&path, &answers).await;
    }
    panic!("nobody is asked for");
}

fn offers(page: &Page, member: &str) -> bool {
    html::tags(page.html()).iter().any(|tag| tag.get("name") == "reprendre" && tag.get("value") == member)
}

async fn take_up(person: &mut Client, page: &Page, member: &str) -> Page {
    let form = page.form("action").with("reprendre", member);
    person.submit(page, &form, &form.fields).await
}

both! {
    /// Separated parents: one child in two homes, and nothing else of one another.
    async fn a_child_is_shared_and_nothing_else(portal: Portal) {
        let (mut mother, mut father) = (portal.usager(USAGER).await, portal.usager(OTHER_USAGER).await);
        let lea = declare(&mut mother, "Léa", "2019-05-03").await;
        let tom = declare(&mut mother, "Tom", "2021-02-01").await;
        live(&mut mother, "1 rue Haute", "2020-05-01", false).await;
        declare(&mut father, "Inès", "2018-02-01").await;
        live(&mut father, "2 rue Basse", "2020-05-01", false).await;

        let share = invite(&mut mother, OTHER_USAGER, &[&lea]).await;
        mother.get(HOME).await.shows("Invitation envoyée, sans réponse. Elle vaut jusqu’au 1er décembre 2026.").shows(OTHER_USAGER);
        father.get(HOME).await.is(200).hides("Léa").hides("Camille");
        let link = invitation(&portal, OTHER_USAGER).await;
        assert_eq!(portal.outbox().await.iter().filter(|(to, ..)| to == OTHER_USAGER).count(), 1, "twice is once");
        assert!(portal.outbox().await.iter().all(|(_, _, body)| !body.contains("Léa")), "a mail names no child");

        // Who holds the link without the address learns nothing; the invited sees exactly what is at stake.
        portal.client().get(&link).await.is(303);
        let unknown = mother.get("/compte/foyer/invitations/inconnue").await.is(410);
        assert_eq!(html::words(mother.get(&link).await.is(410).html()), html::words(unknown.html()));
        mother.post(&link, &[("action", "accepter")]).await.is(410);
        mother.post(&link, &[("action", "refuser")]).await.is(410);
        let page = father.get(&link).await.is(200).shows("Camille Martin vous invite").shows("Léa Martin").shows("Ni votre adresse");
        page.hides("Tom").hides("rue Haute").hides("rue Basse").hides("Inès");
        father.post(&link, &[]).await.leads_to(&link);
        assert!(!offers(&page_of_the_child(&portal, &mut father).await, &lea), "nothing before he accepts");

        // Twice at once is once; the link serves once.
        let (mut one, mut two) = (father.clone(), father.clone());
        let accept = [("action", "accepter")];
        let (one, two) = tokio::join!(one.post(&link, &accept), two.post(&link, &accept));
        let mut seen = [one.status, two.status];
        seen.sort_unstable();
        assert_eq!(seen, [303, 410]);
        father.get(&link).await.is(410);
        let page = father.get(HOME).await.is(200).shows("Léa Martin").shows("Déclaration de Camille Martin").shows("Inès");
        page.hides("Tom").hides("rue Haute").hides(USAGER);
        let page = mother.get(HOME).await.shows("Mohamed Benkhelifa").shows("Des enfants de votre foyer sont partagés.");
        page.hides("Inès").hides("rue Basse");

        // Each takes the child up; only who declared them changes them, and the other sees it.
        let page = page_of_the_child(&portal, &mut father).await;
        assert!(offers(&page, &lea) && !offers(&page, &tom));
        let page = take_up(&mut father, &page, &lea).await.is(200);
        assert_eq!(page.form("action").value("enfant.prenoms"), "Léa");
        for rest in ["", "/deces", "/retirer"] {
            father.get(&format!("{HOME}/{lea}{rest}")).await.is(404);
            father.post_form(&format!("{HOME}/{lea}{rest}"), &child("Volée", "2019")).await.is(404);
        }
        father.get("/compte/coordonnees/changer").await.is(200).hides("Léa");
        portal.later(SignedDuration::from_hours(24));
        mother.post_form(&format!("{HOME}/{lea}"), &child("Léa, Rose", "2019-05-03")).await.is(303);
        father.get(HOME).await.shows("Léa Rose Martin").shows("à jour du 18 novembre 2026");
        let request = mother.file("inscription-scolaire", &portal.sample("inscription-scolaire").await).await;
        father.get(&format!("/demandes/{}", request.id)).await.is(404);
        assert!(!father.data().await.to_string().contains("Léa, Rose"), "what is hers is in her copy");

        // Ended by the one who did not begin it: at once, for the page already open too.
        let end = format!("{HOME}/partages/{share}/arreter");
        portal.usager("anne-laure.leroy@exemple.fr").await.post(&end, &[]).await.is(404);
        let page = page_of_the_child(&portal, &mut father).await;
        father.get(&end).await.is(200).shows("Arrêter le partage avec Camille Martin ?");
        father.post(&end, &[]).await.leads_to("/compte/foyer?fait=arrete");
        father.get(HOME).await.is(200).hides("Léa").hides("Camille");
        take_up(&mut father, &page, &lea).await.is(200).shows("Cette personne n’est plus proposée");
        mother.get(HOME).await.is(200).hides("Mohamed").shows("Léa");
        mother.post(&end, &[]).await.is(404);
        assert_eq!((portal.count("household_share").await, portal.count("household_share_member").await), (0, 0));
    }

    async fn two_households_are_shared_but_for_secrets(portal: Portal) {
        let (mut one, mut two) = (portal.usager(USAGER).await, portal.usager(OTHER_USAGER).await);
        declare(&mut one, "Léa", "2019-05-03").await;
        declare(&mut two, "Inès", "2018-02-01").await;
        live(&mut one, "1 rue Haute", "2020-05-01", false).await;
        live(&mut two, "2 rue Secrète", "2020-05-01", true).await;
        invite(&mut one, &OTHER_USAGER.to_uppercase(), &[]).await;
        let link = invitation(&portal, &OTHER_USAGER.to_uppercase()).await;
        two.get(&link).await.is(200).shows("Léa Martin").shows("Inès").hides("rue Secrète").hides("rue Haute");
        two.post(&link, &[("action", "accepter")]).await.leads_to("/compte/foyer?fait=accepte");
        two.get(HOME).await.shows("Léa Martin").shows("Son adresse : 1 rue Haute, 96000 Valmont");
        one.get(HOME).await.shows("Inès Martin").hides("Secrète").hides("Son adresse");
        // Closing one's account ends it.
        one.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.leads_to("/compte/supprime");
        two.get(HOME).await.is(200).hides("Léa").hides("rue Haute");
        assert_eq!(portal.count("household_share").await, 0);
    }

    async fn sharing_ends_by_itself(portal: Portal) {
        let (mut mother, mut father) = (portal.usager(USAGER).await, portal.usager(OTHER_USAGER).await);
        let lea = declare(&mut mother, "Léa", "2008-11-19").await;
        let tom = declare(&mut mother, "Tom", "2019").await;
        invite(&mut mother, OTHER_USAGER, &[&lea, &tom]).await;
        let link = invitation(&portal, OTHER_USAGER).await;
        father.post(&link, &[("action", "accepter")]).await.is(303);
        father.get(HOME).await.shows("Léa").shows("Tom");
        portal.later(SignedDuration::from_hours(48));
        father.get(HOME).await.hides("Léa").shows("Tom");
        assert!(!offers(&page_of_the_child(&portal, &mut father).await, &lea));
        mother.post(&format!("{HOME}/{tom}/deces"), &[("deces.annee", "2026")]).await.is(303);
        father.get(HOME).await.hides("Tom");
        // Of age, or dead: nobody to invite for.
        mother.get("/compte/foyer/inviter").await.is(200).hides("Léa").hides("Tom");
        mother.post("/compte/foyer/inviter", &[("courriel", "x@exemple.fr"), ("portee", "enfants"), ("enfants", &lea)]).await.is(422);
    }

    /// Whether the address has an account or not, who invites sees the same; and an invitation does not wait for ever.
    async fn an_invitation_tells_nothing(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let strange = "personne.inconnue@exemple.fr";
        person.post("/compte/foyer/inviter", &[("courriel", USAGER), ("portee", "foyer")]).await.is(422).shows("C’est l’adresse de votre compte");
        person.post("/compte/foyer/inviter", &[("portee", "enfants")]).await.is(422);
        let (known, unknown) = (invite(&mut person, OTHER_USAGER, &[]).await, invite(&mut person, strange, &[]).await);
        let page = person.get(HOME).await.is(200);
        let words = html::words(page.html());
        let told = |email: &str| words.split(email).nth(1).unwrap().split("Retirer").next().unwrap().to_owned();
        assert_eq!(told(OTHER_USAGER), told(strange));
        assert_ne!(known, unknown);
        // The mails are the same, but for the address.
        let mails = portal.outbox().await;
        let body = |to: &str| {
            let (_, _, body) = mails.iter().find(|(other, ..)| other == to).unwrap();
            let lines = body.lines().filter(|line| !line.contains("/invitations/")).collect::<Vec<_>>().join("\n");
            lines.replace(to, "ADRESSE")
        };
        assert_eq!(body(OTHER_USAGER), body(strange));
        let link = invitation(&portal, OTHER_USAGER).await;
        let stored: Vec<Vec<u8>> = portal.db().all(sql!("select token_hash from household_share where authority_id = $1"), args![portal.city]).await.unwrap();
        assert!(stored.iter().all(|hash| !link.contains(&String::from_utf8_lossy(hash).into_owned())));
        portal.later(SignedDuration::from_hours(14 * 24));
        let mut other = portal.usager(OTHER_USAGER).await;
        other.get(&link).await.is(410);
        other.post(&link, &[("action", "accepter")]).await.is(410);
        let mut person = portal.usager(USAGER).await;
        person.get(HOME).await.shows("Invitation restée sans réponse");
    }

    async fn shares_have_a_bound_and_nothing_typed_is_lost(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        for number in 0..20 {
            invite(&mut person, &format!("voisin{number}@exemple.fr"), &[]).await;
        }
        let page = person.post("/compte/foyer/inviter", &[("courriel", "tante@exemple.fr"), ("portee", "foyer")]).await.is(422).shows("déjà 20 partages");
        assert_eq!(page.form("courriel").value("courriel"), "tante@exemple.fr");
        assert_eq!(portal.count("household_share").await, 20);
    }

    async fn somebody_under_protection_is_asked_for_until_it_ends(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let page = person.get("/compte/foyer/proteger").await.is(200);
        let id = page.form("membre").value("membre").to_owned();
        person.post("/compte/foyer/proteger", &[("identite.prenoms", "Rose")]).await.is(422).shows("Choisissez une réponse");
        let mut fields = child("Rose", "1940-05-03");
        fields.retain(|(name, _)| name.starts_with("identite."));
        let day = |name: &str, (year, month, day): (&str, &str, &str)| {
            [("annee", year), ("mois", month), ("jour", day)].map(|(part, value)| (format!("{name}.{part}"), value.to_owned()))
        };
        fields.extend([("membre".to_owned(), id.clone()), ("mesure".to_owned(), "tutelle".to_owned())]);
        fields.extend(day("mesure_debut", ("2022", "5", "1")));
        let wrong = [fields.clone(), day("mesure_fin", ("2021", "1", "1")).to_vec()].concat();
        person.post_form("/compte/foyer/proteger", &wrong).await.is(422).shows("pas avant le premier");
        fields.extend(day("mesure_fin", ("2026", "11", "18")));
        for _ in 0..2 {
            person.post_form("/compte/foyer/proteger", &fields).await.leads_to("/compte/foyer?fait=declare");
        }
        person.get(HOME).await.is(200).shows("Rose Martin").shows("Tutelle, du 1er mai 2022 au 18 novembre 2026");
        assert_eq!(portal.count("household_member").await, 1);
        let page = page_of_the_child(&portal, &mut person).await;
        assert!(offers(&page, &id));
        let form = person.get(&format!("{HOME}/{id}")).await.is(200).form("mesure");
        assert_eq!((form.value("mesure"), form.value("mesure_fin.jour"), form.value("identite.prenoms")), ("tutelle", "18", "Rose"));
        // Nobody else is shown them, whole household or not.
        let mut other = portal.usager(OTHER_USAGER).await;
        invite(&mut person, OTHER_USAGER, &[]).await;
        let link = invitation(&portal, OTHER_USAGER).await;
        other.get(&link).await.is(200).hides("Rose");
        other.post(&link, &[("action", "accepter")]).await.is(303);
        other.get(HOME).await.is(200).hides("Rose");

        portal.later(SignedDuration::from_hours(48));
        person.get(HOME).await.shows("La mesure a pris fin le 18 novembre 2026.");
        take_up(&mut person, &page, &id).await.is(200).shows("Cette personne n’est plus proposée");
        person.post_form(&format!("{HOME}/{id}"), &form.with("mesure_fin.annee", "2030").fields).await.leads_to("/compte/foyer?fait=modifie");
        take_up(&mut person, &page, &id).await.is(200).shows("Informations reprises de votre foyer");
    }
}
