//! « Mon foyer »: declared once, taken up in requests, private to its account.

use forms::answers::Raw;
use jiff::SignedDuration;

use crate::harness::{
    Client, Engine, OTHER_USAGER, PASSWORD, Page, Portal, USAGER, both,
    household::{child, declare},
    html,
    journey::filled,
};

const SCHOOL: &str = "inscription-scolaire";
const TOLD: &str = "Informations reprises de votre foyer : vérifiez-les.";
const GONE: &str = "Cette personne n’est plus proposée par votre foyer. Vos réponses sont conservées.";

/// The page of a new school request that asks for the child.
async fn page_of_the_child(portal: &Portal, person: &mut Client) -> String {
    let answers = portal.sample(SCHOOL).await;
    let mut path = person.get(&format!("/demarches/{SCHOOL}/remplir")).await.is(303).location().to_owned();
    for _ in 0..5 {
        if person.get(&path).await.form("action").holds("enfant.prenoms") {
            return path;
        }
        path = person.answer(&path, &answers).await;
    }
    panic!("nobody is asked for");
}

/// Presses the button of a member, with what the page holds; without any script.
async fn take_up(person: &mut Client, page: &Page, member: &str) -> Page {
    let form = page.form("action").with("reprendre", member);
    person.submit(page, &form, &form.fields).await
}

fn value(page: &Page, name: &str) -> String {
    page.form("action").value(name).to_owned()
}

fn offers(page: &Page, member: &str) -> bool {
    html::tags(page.html()).iter().any(|tag| tag.get("name") == "reprendre" && tag.get("value") == member)
}

both! {
    async fn a_child_is_declared_corrected_and_removed(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        person.get("/compte").await.is(200).shows("Mon foyer");
        person.get("/compte/foyer").await.is(200).shows("Personne pour l’instant").hides("Demander pour une personne");
        let page = person.post("/compte/foyer/ajouter", &[("identite.prenoms", "Léa"), ("identite.mois", "13")]).await.is(422);
        let page = page.shows("Saisissez le nom de naissance").shows("Choisissez une réponse");
        let form = page.form("identite.prenoms");
        assert_eq!((form.value("identite.prenoms"), form.value("identite.mois")), ("Léa", "13"), "nothing typed is lost");

        let lea = declare(&mut person, "Léa, Zoé", "2019-05-03").await;
        let address = format!("/compte/foyer/{lea}");
        let page = person.get("/compte/foyer?fait=declare").await.is(200).shows("La personne est ajoutée à votre foyer.");
        let page = page.shows("Léa Zoé Martin").shows("3 mai 2019").shows("Lyon (Rhône)").shows("vous exercez l’autorité parentale");
        let page = page.shows("Déclaration du 17 novembre 2026").hides("modifiée le");
        // « Demander pour »: what is asked for somebody, but for the dead.
        let page = page.shows("Inscrire un enfant à l'école");
        assert!(page.links_to(&format!("/demarches/{SCHOOL}/commencer")));
        assert!(!page.links_to("/demarches/acte-deces/commencer") && !page.links_to("/demarches/restaurant-scolaire/commencer"));

        portal.later(SignedDuration::from_hours(24));
        let form = person.get(&address).await.is(200).form("identite.prenoms");
        assert_eq!((form.value("identite.jour"), form.value("lien"), form.value("autorite_parentale")), ("3", "child", "oui"));
        // No first name, a birth date that misses its day, somebody else's responsibility.
        let bare = form.with("identite.prenoms", "").with("identite.jour", "").with("autorite_parentale", "non");
        person.post_form(&address, &bare.fields).await.is(422).shows("Sans prénom");
        person.post_form(&address, &bare.with("identite.sans_prenom", "oui").fields).await.leads_to("/compte/foyer?fait=modifie");
        let page = person.get("/compte/foyer").await.shows("sans prénom").shows("mai 2019").shows("vous n’exercez pas l’autorité parentale");
        page.shows("modifiée le 18 novembre 2026").hides("3 mai 2019");

        person.get(&format!("{address}/retirer")).await.is(200).shows("Retirer Martin de votre foyer ?");
        person.get("/compte/foyer").await.shows("sans prénom");
        person.post(&format!("{address}/retirer"), &[]).await.leads_to("/compte/foyer?fait=retire");
        person.post(&format!("{address}/retirer"), &[]).await.is(404);
        person.get("/compte/foyer").await.shows("Personne pour l’instant");
        assert_eq!(portal.count("household_member").await, 0);
    }

    async fn a_member_is_taken_up_in_a_request(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let lea = declare(&mut person, "Léa, Zoé", "2022-05-03").await;
        let tom = declare(&mut person, "Tom", "2021").await;
        let path = page_of_the_child(&portal, &mut person).await;
        let page = person.get(&path).await.is(200).shows("Reprendre les informations de Léa Zoé Martin").shows("Tom Martin").hides(TOLD);
        assert!(offers(&page, &lea) && offers(&page, &tom));

        // What else is typed on the page stays.
        let others: Vec<String> = page.form("action").names.iter().filter(|name| !name.starts_with("enfant.")).cloned().collect();
        let answers = portal.sample(SCHOOL).await;
        let mut typed = Raw::default();
        typed.0.extend(answers.0.iter().filter(|(name, _)| others.contains(name)).map(|(name, values)| (name.clone(), values.clone())));
        let mut fields = filled(&page.form("action"), &typed);
        fields.retain(|(name, _)| name != "action");
        fields.push(("enfant.prenoms".to_owned(), "Autre".to_owned()));
        fields.push(("reprendre".to_owned(), lea.clone()));
        let page = person.post_form(&path, &fields).await.is(200).shows(TOLD).hides("Il y a");
        let expected = [("nom_naissance", "Martin"), ("prenoms", "Léa, Zoé"), ("jour", "3"), ("mois", "5"), ("annee", "2022"), ("lieu", "Lyon"), ("departement", "Rhône")];
        for (part, text) in expected {
            assert_eq!(value(&page, &format!("enfant.{part}")), text, "{part}");
        }
        for (name, values) in &typed.0 {
            assert!(page.form("action").fields.iter().any(|(found, value)| found == name && values.contains(value)), "{name} is lost");
        }
        // It is kept in the draft, and may be changed; nobody comes twice of it.
        assert_eq!(value(&person.get(&path).await, "enfant.prenoms"), "Léa, Zoé");
        let page = take_up(&mut person, &page, &tom).await.is(200).shows(TOLD);
        assert_eq!((value(&page, "enfant.prenoms"), value(&page, "enfant.jour")), ("Tom".to_owned(), String::new()));
        person.get("/mes-demandes").await.shows("Inscrire un enfant à l'école, pour Tom Martin");

        // Sent for somebody else: the household stays as it was declared.
        let mut answers = portal.sample(SCHOOL).await;
        answers.set("enfant.prenoms", "Inès");
        person.answer(&path, &answers).await;
        person.get("/mes-demandes").await.shows("pour Inès");
        assert_eq!(portal.count("household_member").await, 2);
        // No member is offered where nobody is asked for.
        let check = path.rsplit_once('/').unwrap().0.to_owned();
        person.get(&format!("{check}/verifier")).await.is(200).hides("Reprendre les informations");
    }

    /// A question of the first page, before there is a draft; and only the parts that the question asks.
    async fn a_condition_may_bring_the_question(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let lea = declare(&mut person, "Léa", "2010-10-13").await;
        let path = person.get("/demarches/recensement-citoyen/remplir").await.is(303).location().to_owned();
        let page = person.get(&path).await.is(200).hides("Reprendre les informations");
        let form = page.form("action").with("declarant", "representant").with("action", "continuer");
        let page = person.post_form(&path, &form.fields).await.is(200).shows("Reprendre les informations de Léa Martin");
        let path = page.path.clone();
        let page = take_up(&mut person, &page, &lea).await.is(200).shows(TOLD);
        assert_eq!((value(&page, "jeune.prenoms"), value(&page, "declarant")), ("Léa".to_owned(), "representant".to_owned()));
        let raw: Vec<db::Json<Raw>> = portal
            .db()
            .all(db::sql!("select raw from draft where authority_id = $1 and account_id is not null"), db::args![portal.city])
            .await
            .unwrap();
        let drafts: Vec<&Raw> = raw.iter().map(|raw| &raw.0).filter(|raw| raw.text("jeune.prenoms") == "Léa").collect();
        assert_eq!(drafts.len(), 1, "{path}");
        assert!(drafts[0].0.keys().all(|name| name != "jeune.annee" && name != "jeune.lieu"), "{drafts:?}");
        // At once, by the very form that makes the draft.
        let path = person.get("/demarches/recensement-citoyen/remplir").await.is(303).location().to_owned();
        let form = person.get(&path).await.form("action").with("declarant", "representant").with("reprendre", &lea);
        let page = person.post_form(&path, &form.fields).await.is(200).shows(TOLD);
        assert_eq!((value(&page, "jeune.prenoms"), value(&page, "declarant")), ("Léa".to_owned(), "representant".to_owned()));
        assert_eq!(person.get(&path).await.is(303).location().split('/').nth(1), Some("brouillons"), "the draft is made");
        // Of the dead, nobody living is proposed.
        let path = person.get("/demarches/acte-deces/remplir").await.is(303).location().to_owned();
        let page = person.get(&path).await.is(200).hides("Reprendre les informations");
        assert!(!page.html().contains("name=\"reprendre\""));
    }

    async fn children_grow_up(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let lea = declare(&mut person, "Léa", "2008-11-18").await;
        let path = page_of_the_child(&portal, &mut person).await;
        let page = person.get(&path).await.is(200);
        assert!(offers(&page, &lea));
        portal.later(SignedDuration::from_hours(24));
        let told = "Majeur·e depuis le 18 novembre 2026 : cette personne peut ouvrir son propre compte.";
        person.get("/compte/foyer").await.is(200).shows(told).hides("Demander pour une personne");
        person.get(&path).await.is(200).hides("Reprendre les informations");
        // The page was open since the day before: what it holds stays.
        let form = page.form("action").with("enfant.prenoms", "Sacha").with("reprendre", &lea);
        let page = person.post_form(&path, &form.fields).await.is(200).shows(GONE);
        assert_eq!(value(&page, "enfant.prenoms"), "Sacha");
        // What was declared may still be removed.
        person.post(&format!("/compte/foyer/{lea}/retirer"), &[]).await.leads_to("/compte/foyer?fait=retire");
    }

    async fn the_dead_are_left_alone(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let lea = declare(&mut person, "Léa", "2019-05-03").await;
        let path = page_of_the_child(&portal, &mut person).await;
        let page = person.get(&path).await.is(200);
        let death = format!("/compte/foyer/{lea}/deces");
        person.get(&death).await.is(200).shows("Décès de Léa Martin").hides("Retirer cette indication");
        person.post(&death, &[("deces.annee", "2018")]).await.is(422).shows("pas avant la naissance");
        person.post(&death, &[("deces.annee", "2027")]).await.is(422);
        person.post(&death, &[]).await.is(422);
        person.post(&death, &[("deces.mois", "10"), ("deces.annee", "2026")]).await.leads_to("/compte/foyer?fait=modifie");
        person.get("/compte/foyer").await.is(200).shows("Décès indiqué : octobre 2026.").hides("Demander pour une personne");
        take_up(&mut person, &page, &lea).await.is(200).shows(GONE);
        let form = person.get(&death).await.is(200).form("deces.annee");
        assert_eq!((form.value("deces.mois"), form.value("deces.annee")), ("10", "2026"));
        person.post(&death, &[("action", "annuler")]).await.leads_to("/compte/foyer?fait=modifie");
        person.get("/compte/foyer").await.is(200).hides("Décès indiqué").shows("Demander pour une personne");
        take_up(&mut person, &page, &lea).await.is(200).shows(TOLD);
    }

    async fn a_household_is_its_accounts_alone(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let lea = declare(&mut person, "Léa", "2019-05-03").await;
        let mut other = portal.usager(OTHER_USAGER).await;
        other.get("/compte/foyer").await.is(200).hides("Léa");
        for rest in ["", "/deces", "/retirer"] {
            other.get(&format!("/compte/foyer/{lea}{rest}")).await.is(404);
            other.post_form(&format!("/compte/foyer/{lea}{rest}"), &child("Volée", "2019")).await.is(404);
        }
        // Another's id where one's own is to be made: a person of one's own.
        let mut fields = child("Aya", "2020");
        fields.push(("membre".to_owned(), lea.clone()));
        other.post_form("/compte/foyer/ajouter", &fields).await.leads_to("/compte/foyer?fait=declare");
        person.get("/compte/foyer").await.is(200).shows("Léa Martin").hides("Aya");
        other.get("/compte/foyer").await.is(200).shows("Aya Martin").hides("Léa");

        let mine = declare(&mut person, "Tom", "2021").await;
        let path = page_of_the_child(&portal, &mut other).await;
        let page = other.get(&path).await.is(200).hides("Tom Martin").hides("Léa");
        let page = take_up(&mut other, &page, &mine).await.is(200).shows(GONE);
        assert_eq!(value(&page, "enfant.prenoms"), "");
        // Somebody who is not signed in has no household.
        let mut nobody = portal.client();
        let path = page_of_the_child(&portal, &mut nobody).await;
        let page = nobody.get(&path).await.is(200).hides("Reprendre les informations");
        take_up(&mut nobody, &page, &mine).await.is(200).shows(GONE);
    }

    async fn a_household_leaves_with_its_account(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        declare(&mut person, "Léa", "2019-05-03").await;
        let data = person.data().await;
        let lea = &data["foyer"][0];
        assert_eq!((&lea["lien"], &lea["identite"]["prenoms"], &lea["autorite_parentale"]), (&"Enfant".into(), &"Léa".into(), &true.into()));
        person.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.leads_to("/compte/supprime");
        assert_eq!(portal.count("household_member").await, 0);
    }

    async fn a_household_has_a_bound(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        for index in 0..50 {
            let year = (1950 + index).to_string();
            person.post_form("/compte/foyer/ajouter", &child("Léa", &year)).await.leads_to("/compte/foyer?fait=declare");
        }
        let page = person.post_form("/compte/foyer/ajouter", &child("Léa", "2019")).await.is(422).shows("déjà 50 personnes");
        assert_eq!(page.form("identite.prenoms").value("identite.prenoms"), "Léa");
        assert_eq!(portal.count("household_member").await, 50);
    }
}
