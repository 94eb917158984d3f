//! Organisations: declared, represented by several people, handed over; their requests belong to them.

use uuid::Uuid;

use crate::harness::{
    Client, Engine, OTHER_USAGER, PASSWORD, Portal, USAGER,
    acting::{CLUB, RNA, SIRET, act, banner, declare_club, invitation, join},
    both,
    journey::question,
};

const THIRD: &str = "anne-laure.leroy@exemple.fr";
const OVER: &str = "Vous n’agissez plus pour cette personne ou cette organisation";

async fn club(portal: &Portal, role: &str) -> (Client, Client, String) {
    let (mut president, mut other) = (portal.usager(USAGER).await, portal.usager(OTHER_USAGER).await);
    let id = declare_club(&mut president).await;
    join(portal, &mut president, &id, &mut other, OTHER_USAGER, role).await;
    (president, other, id)
}

/// The number of an account, as pages name it in addresses.
async fn account(portal: &Portal, email: &str) -> Uuid {
    let query = db::sql!("select id from account where authority_id = $1 and kind = 'usager' and email = $2");
    portal.db().one(query, db::args![portal.city, email]).await.unwrap()
}

both! {
    async fn an_organisation_is_declared_once(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        person.get("/compte").await.is(200).shows("Mes organisations");
        let wrong = [("nature", "association"), ("nom", CLUB), ("rna", "W96300123"), ("adresse", "1 rue du Stade")];
        let page = person.post("/compte/organisations/declarer", &wrong).await.is(422).shows("W suivi de neuf chiffres");
        assert_eq!((page.form("rna").value("rna"), page.form("nom").value("nom")), ("W96300123", CLUB), "nothing typed is lost");
        let id = declare_club(&mut person).await;
        let page = person.get(&format!("/compte/organisations/{id}?fait=declaree")).await.is(200);
        page.shows(CLUB).shows("Siret 356 000 000 00048, RNA W963001234").shows("non vérifiée").shows("président ou présidente");
        // A second claim learns that the number is known, and from whom to ask; not by whom.
        let mut other = portal.usager(OTHER_USAGER).await;
        let claim = [("nature", "association"), ("nom", "Autre nom"), ("rna", "w963 001 234"), ("adresse", "Ailleurs")];
        let page = other.post("/compte/organisations/declarer", &claim).await.is(422).shows("déjà déclarée avec ce numéro");
        page.shows("Demandez à la personne qui la préside").hides("Camille").hides(CLUB).hides(USAGER);
        // Nor by its id, were it guessed.
        let stolen = [("organisation", id.as_str()), ("nature", "other"), ("nom", "Volée"), ("siret", "732 829 320 00074"), ("adresse", "Ailleurs")];
        other.post("/compte/organisations/declarer", &stolen).await.is(422);
        other.get(&format!("/compte/organisations/{id}")).await.is(404);
        other.post("/agir-pour", &[("pour", &format!("organisation:{id}"))]).await.is(404);
        assert_eq!(portal.count("organisation").await, 1);
        assert_eq!(portal.count("representative").await, 1);
    }

    async fn requests_belong_to_the_organisation(portal: Portal) {
        let (mut president, mut delegate, id) = club(&portal, "delegate").await;
        assert_eq!(banner(&delegate.get("/mes-demandes").await), "");
        act(&mut delegate, &format!("organisation:{id}")).await;
        let page = delegate.get("/mes-demandes").await.is(200).shows("Aucune demande");
        assert_eq!(banner(&page), CLUB);
        assert!(!page.links_to("/mes-documents"));
        // What the sheet tells is taken up, and said to be.
        let answers = portal.sample("debit-boissons-temporaire").await;
        let mut path = delegate.get("/demarches/debit-boissons-temporaire/remplir").await.is(303).location().to_owned();
        while !delegate.get(&path).await.is(200).form("action").holds("organisateur_type") {
            path = delegate.answer(&path, &answers).await;
        }
        let page = delegate.get(&path).await.is(200).shows("reprises de la fiche de l’organisation");
        assert_eq!(page.form("siret").value("siret").replace('\u{a0}', " "), SIRET);
        // A question that an answer makes appear is filled in too.
        let form = page.form("action").with("organisateur_type", "association").with("autorisations", "0").with("action", "continuer");
        let page = delegate.submit(&page, &form, &form.fields).await.is(200).shows("Une question de plus");
        assert_eq!((page.form("rna").value("rna"), page.form("rna").value("organisateur_nom")), (RNA, CLUB));
        let filed = delegate.file("demande-information", &question("Pouvons-nous réserver le dojo ?")).await;
        assert_eq!(filed.code, "", "an organisation has no need of a code");
        let address = format!("/demandes/{}", filed.id);
        delegate.get("/mes-demandes").await.is(200).shows(&filed.reference);
        // Neither's own.
        act(&mut delegate, "moi").await;
        let page = delegate.get("/mes-demandes").await.is(200).hides(&filed.reference);
        assert_eq!(banner(&page), "");
        delegate.get(&address).await.is(404);
        president.get(&address).await.is(404);
        president.get("/compte/donnees").await.is(200).hides(&filed.reference);
        // The organisation's: whoever represents it finds it, and who did what.
        act(&mut president, &format!("organisation:{id}")).await;
        president.get("/mes-demandes").await.is(200).shows(&filed.reference).shows("Envoyée par Mohamed Benkhelifa, délégué");
        president.get(&address).await.is(200).shows("par Mohamed Benkhelifa");
        president.post(&format!("{address}/messages"), &[("message", "Merci de répondre vite")]).await.is(303);
        act(&mut delegate, &format!("organisation:{id}")).await;
        delegate.get(&address).await.is(200).shows("Message au service, par Camille Martin");
        // The department knows who filed, for whom, by what right.
        let mut agent = portal.agent("paulo.da-silva").await;
        let page = agent.get(&format!("/agent/demandes/{}?onglet=historique", filed.id)).await.is(200);
        let page = page.shows(CLUB).shows("déclarée, non vérifiée").shows("Mohamed Benkhelifa, délégué");
        page.shows("Mohamed Benkhelifa, pour l’organisation");
        agent.get(&format!("/agent/demandes/{}/dossier.pdf", filed.id)).await.is(200);
    }

    async fn a_reader_only_reads(portal: Portal) {
        let (mut president, mut reader, id) = club(&portal, "reader").await;
        act(&mut president, &format!("organisation:{id}")).await;
        let filed = president.file("demande-information", &question("Bonjour")).await;
        let check = president.fill("demande-information", &question("Pas encore")).await;
        act(&mut reader, &format!("organisation:{id}")).await;
        let address = format!("/demandes/{}", filed.id);
        reader.get("/mes-demandes").await.is(200).shows(&filed.reference).hides("Brouillon");
        let page = reader.get(&address).await.is(200);
        assert!(!page.links_to(&format!("{address}/messages")) && !page.links_to(&format!("{address}/annuler")));
        reader.get(&format!("{address}/recepisse.pdf")).await.is(200);
        reader.post(&format!("{address}/messages"), &[("message", "Bonjour")]).await.is(403);
        reader.get(&format!("{address}/annuler")).await.is(403);
        reader.post(&format!("{address}/annuler"), &[]).await.is(403);
        reader.get("/demarches/demande-information/remplir").await.is(403);
        reader.post("/demarches/demande-information/remplir", &[("sujet", "rue")]).await.is(403);
        reader.get(&check).await.is(404);
        reader.post(&check, &[]).await.is(404);
        // Nor do they choose who represents it.
        act(&mut reader, "moi").await;
        let url = format!("/compte/organisations/{id}");
        reader.get(&url).await.is(200).hides("Inviter un représentant");
        reader.post(&format!("{url}/inviter"), &[("email", THIRD), ("role", "delegate")]).await.is(403);
        let me = account(&portal, OTHER_USAGER).await;
        reader.post(&format!("{url}/representants/{me}"), &[("action", "delegate")]).await.is(403);
        reader.post(&format!("{url}/presidence"), &[("action", "proposer"), ("a", &me.to_string())]).await.is(403);
        reader.post(&format!("{url}/presidence"), &[("action", "accepter")]).await.is(409);
        act(&mut president, "moi").await;
        // Made a delegate, it holds at once, without signing in again.
        act(&mut reader, &format!("organisation:{id}")).await;
        president.post(&format!("{url}/representants/{me}"), &[("action", "delegate")]).await.leads_to(&format!("{url}?fait=role"));
        reader.post(&format!("{address}/messages"), &[("message", "Bonjour")]).await.is(303);
    }

    async fn the_presidency_is_handed_over(portal: Portal) {
        let (mut president, mut other, id) = club(&portal, "delegate").await;
        let url = format!("/compte/organisations/{id}");
        let (old, new) = (account(&portal, USAGER).await, account(&portal, OTHER_USAGER).await);
        president.post(&format!("{url}/quitter"), &[]).await.is(400).shows("proposez d’abord la présidence");
        president.post(&format!("{url}/representants/{old}"), &[("action", "retirer")]).await.is(400);
        president.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.is(422).shows("transmettez-leur d’abord la présidence");
        president.post(&format!("{url}/presidence"), &[("action", "proposer"), ("a", &new.to_string())]).await.leads_to(&format!("{url}?fait=propose"));
        // Nothing changes before it is accepted; taken back, it cannot be.
        president.post(&format!("{url}/presidence"), &[("action", "retirer")]).await.leads_to(&format!("{url}?fait=reprise"));
        other.post(&format!("{url}/presidence"), &[("action", "accepter")]).await.is(409);
        president.post(&format!("{url}/presidence"), &[("action", "proposer"), ("a", &new.to_string())]).await.is(303);
        other.get(&url).await.is(200).shows("La présidence vous est proposée");
        other.post(&format!("{url}/presidence"), &[("action", "accepter")]).await.leads_to(&format!("{url}?fait=presidence"));
        other.get(&url).await.is(200).shows("Vous y êtes président ou présidente").shows("Présidence transmise : Mohamed Benkhelifa");
        president.get(&url).await.is(200).shows("Vous y êtes délégué ou déléguée");
        president.post(&format!("{url}/inviter"), &[("email", THIRD), ("role", "delegate")]).await.is(403);
        // Removed while acting: told once, back to oneself.
        act(&mut president, &format!("organisation:{id}")).await;
        other.post(&format!("{url}/representants/{old}"), &[("action", "retirer")]).await.leads_to(&format!("{url}?fait=retire"));
        president.get("/mes-demandes").await.is(403).shows(OVER);
        let page = president.get("/mes-demandes").await.is(200);
        assert_eq!(banner(&page), "");
        president.get(&url).await.is(404);
        let mails = portal.outbox().await;
        assert!(mails.iter().any(|(to, subject, _)| to == USAGER && subject.contains("ne représentez plus")), "{mails:?}");
        assert_eq!(mails.iter().filter(|(_, subject, _)| subject.contains("La présidence d’une organisation a changé")).count(), 2);
    }

    async fn invitations_are_for_their_address_once(portal: Portal) {
        let mut president = portal.usager(USAGER).await;
        let id = declare_club(&mut president).await;
        let url = format!("/compte/organisations/{id}");
        let page = president.post(&format!("{url}/inviter"), &[("email", "pas une adresse"), ("role", "reader")]).await.is(422);
        assert_eq!(page.form("email").value("email"), "pas une adresse");
        president.post(&format!("{url}/inviter"), &[("email", OTHER_USAGER), ("role", "president")]).await.is(303);
        let link = invitation(&portal, OTHER_USAGER).await;
        portal.client().get(&link).await.is(303);
        // A forwarded mail opens nothing.
        let mut third = portal.usager(THIRD).await;
        third.get(&link).await.is(403).shows("autre adresse").hides(CLUB);
        third.post(&link, &[("reponse", "accepter")]).await.is(410);
        let mut other = portal.usager(OTHER_USAGER).await;
        other.post(&link, &[]).await.leads_to(&link);
        other.post(&link, &[("reponse", "accepter")]).await.is(303);
        // The presidency is no invitation's to give.
        other.get(&url).await.is(200).shows("Vous y êtes délégué ou déléguée");
        other.post(&link, &[("reponse", "accepter")]).await.is(410);
        president.post(&format!("{url}/inviter"), &[("email", OTHER_USAGER), ("role", "reader")]).await.is(422).shows("représente déjà");
        // Refused, taken back, too old.
        president.post(&format!("{url}/inviter"), &[("email", THIRD), ("role", "reader")]).await.is(303);
        let refused = invitation(&portal, THIRD).await;
        third.post(&refused, &[("reponse", "refuser")]).await.leads_to("/agir-pour?fait=refuse");
        third.get(&url).await.is(404);
        president.post(&format!("{url}/inviter"), &[("email", THIRD), ("role", "reader")]).await.is(303);
        let late = invitation(&portal, THIRD).await;
        portal.later(jiff::SignedDuration::from_hours(14 * 24));
        third.get(&late).await.is(410);
        third.post(&late, &[("reponse", "accepter")]).await.is(410);
        assert_eq!(portal.count("representative").await, 2);
    }

    async fn the_counter_verifies_and_changes_the_presidency(portal: Portal) {
        let (mut president, mut delegate, id) = club(&portal, "delegate").await;
        let mut agent = portal.agent("nadia.benali").await;
        let verify = format!("/agent/organisations/{id}/verifier");
        let preside = format!("/agent/organisations/{id}/presidence");
        agent.post("/agent/organisations", &[("numero", "judo")]).await.is(422);
        agent.post("/agent/organisations", &[("numero", "732 829 320 00074")]).await.is(200).shows("Aucune organisation");
        agent.post("/agent/organisations", &[("numero", RNA)]).await.is(200).shows(CLUB).shows("Camille Martin");
        let page = agent.post(&verify, &[("motif", "Récépissé du 3 mai")]).await.is(422).shows("Vérifiez les papiers");
        assert!(page.words().contains("Récépissé du 3 mai"), "nothing typed is lost");
        agent.post(&verify, &[("papiers", "oui"), ("motif", "Récépissé du 3 mai")]).await.leads_to("/agent/organisations?fait=verifiee");
        president.get(&format!("/compte/organisations/{id}")).await.is(200).shows("Papiers vérifiés au guichet").shows("Récépissé du 3 mai");
        let fields = [("papiers-presidence", "oui"), ("motif-presidence", "PV du 3 octobre")];
        agent.post(&preside, &[fields[0], fields[1], ("email", "personne@exemple.fr")]).await.is(422).shows("Aucun compte n’a cette adresse");
        agent.post(&preside, &[fields[0], fields[1], ("email", OTHER_USAGER)]).await.leads_to("/agent/organisations?fait=presidence");
        president.get(&format!("/compte/organisations/{id}")).await.is(404);
        delegate.get(&format!("/compte/organisations/{id}")).await.is(200).shows("Vous y êtes président ou présidente").shows("La mairie").shows("PV du 3 octobre").hides("Nadia");
        let mails = portal.outbox().await;
        for to in [USAGER, OTHER_USAGER] {
            assert!(mails.iter().any(|(one, subject, _)| one == to && subject.contains("présidence")), "{to}");
        }
    }

    async fn an_organisation_outlives_who_leaves_and_ends_with_the_last(portal: Portal) {
        let (mut president, mut delegate, id) = club(&portal, "delegate").await;
        act(&mut delegate, &format!("organisation:{id}")).await;
        let mut answers = question("Bonjour");
        answers.set("courriel", OTHER_USAGER);
        let filed = delegate.file("demande-information", &answers).await;
        delegate.fill("demande-information", &question("Pas encore")).await;
        act(&mut delegate, "moi").await;
        let data = delegate.data().await;
        assert_eq!(data["organisations"][0]["nom"], CLUB);
        delegate.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.leads_to("/compte/supprime");
        act(&mut president, &format!("organisation:{id}")).await;
        president.get("/mes-demandes").await.is(200).shows(&filed.reference).shows("Brouillon");
        president.get(&format!("/demandes/{}", filed.id)).await.is(200);
        // Who left is not written to any more: the president is.
        let (before, mut agent) = (portal.outbox().await.len(), portal.agent("paulo.da-silva").await);
        let address = format!("/agent/demandes/{}/messages", filed.id);
        agent.post(&address, &[("message", "Le dojo est libre")]).await.is(303);
        let mails = portal.outbox().await;
        assert_eq!(mails.iter().skip(before).map(|(to, ..)| to.as_str()).collect::<Vec<_>>(), [USAGER]);
        act(&mut president, "moi").await;
        president.get("/compte/supprimer").await.is(200).shows("Votre place dans 1 organisation").hides(&filed.reference);
        president.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.leads_to("/compte/supprime");
        for (table, left) in [("organisation", 0), ("representative", 0), ("acting_event", 0), ("draft", 0), ("request", 1)] {
            assert_eq!(portal.count(table).await, left, "{table}");
        }
    }
}
