//! Documents of an organisation: who opens them, who does not any more, and what the city can read.

use db::{args, sql};
use uuid::Uuid;

use super::{
    requests::{file, reuse, to_first_piece},
    secrecy::{decrypt, everything, files, holds, unseal},
    *,
};
use crate::harness::{
    OTHER_USAGER,
    acting::{CLUB, act, declare_club, join, mandate},
};

const NOT_GIVEN: &str = "l’accès ne vous a pas encore été donné";
const THIRD: &str = "anne-laure.leroy@exemple.fr";

/// A club whose president keeps a document; its delegate has documents of their own, and no key yet. Both act for it.
struct Club {
    president: Client,
    delegate: Client,
    id: String,
    /// Where its documents are.
    base: String,
    code: String,
    document: String,
}

impl Club {
    async fn set(portal: &Portal) -> Self {
        let (mut president, mut delegate) = (portal.usager(USAGER).await, portal.usager(OTHER_USAGER).await);
        let id = declare_club(&mut president).await;
        join(portal, &mut president, &id, &mut delegate, OTHER_USAGER, "delegate").await;
        for person in [&mut president, &mut delegate] {
            create(person).await;
            act(person, &format!("organisation:{id}")).await;
        }
        let base = format!("/organisations/{id}/documents");
        president.get(&base).await.is(200).shows("Créer l’espace de documents de l’organisation").hides(SECRET);
        let page = president.post(&format!("{base}/creer"), &[]).await.is(200).shows(CLUB);
        let code = super::code(&page);
        let document = put(&mut president, &base, SECRET).await;
        Self { president, delegate, id, base, code, document }
    }

    /// In the name of the organisation, or in one's own (`moi`).
    fn whom(&self) -> String {
        format!("organisation:{}", self.id)
    }

    async fn give(&mut self, portal: &Portal, email: &str) -> Page {
        let to = account(portal, email).await.to_string();
        self.president.post(&format!("{}/acces", self.base), &[("representant", &to)]).await
    }

    /// What the president does of somebody's role, in their own name.
    async fn change(&mut self, portal: &Portal, email: &str, action: &str) {
        act(&mut self.president, "moi").await;
        let other = account(portal, email).await;
        let path = format!("/compte/organisations/{}/representants/{other}", self.id);
        self.president.post(&path, &[("action", action)]).await.is(303);
        let whom = self.whom();
        act(&mut self.president, &whom).await;
    }
}

async fn put(person: &mut Client, base: &str, name: &str) -> String {
    let fields = [("type".to_owned(), "domicile".to_owned())];
    let name = format!("{name}.pdf");
    let page = person.upload(&format!("{base}/ajouter"), &fields, &[("fichier", &name, &secret_pdf())]).await.is(303);
    page.location().split('?').next().unwrap().to_owned()
}

async fn account(portal: &Portal, email: &str) -> Uuid {
    let query = sql!("select id from account where authority_id = $1 and kind = 'usager' and email = $2");
    portal.db().one(query, args![portal.city, email]).await.unwrap()
}

/// The key of a person's own safe, as their cookie opens it.
async fn own_key(portal: &Portal, person: &Client, email: &str) -> age::x25519::Identity {
    let cookie = data_encoding::BASE64URL_NOPAD.decode(person.cookies["guichet-documents"].as_bytes()).unwrap();
    let (safe, session, sealed): (Uuid, Uuid, Vec<u8>) = portal
        .db()
        .one(
            sql!(
                "select o.safe_id, o.session_id, o.sealed from safe_opening o join safe s on s.authority_id = o.authority_id and s.id = o.safe_id
                 where o.authority_id = $1 and s.account_id = $2"
            ),
            args![portal.city, account(portal, email).await],
        )
        .await
        .unwrap();
    unseal(&cookie, &format!("guichet safe open {session} {safe}"), &sealed).expect("the cookie opens")
}

both! {
    async fn representatives_share_documents(portal: Portal) {
        let mut club = Club::set(&portal).await;
        let (base, document) = (club.base.clone(), club.document.clone());
        let fetch = format!("{document}/fichier");
        // Representing it is not enough.
        club.delegate.get(&base).await.is(200).shows(NOT_GIVEN).shows("Camille Martin").hides(SECRET);
        for path in [&document, &fetch, &format!("{base}/tout.zip"), &format!("{base}/acces")] {
            club.delegate.get(path).await.leads_to(&base);
        }
        club.president.get(&format!("{base}/acces")).await.is(200).shows("Mohamed Benkhelifa").shows("Donner l’accès");
        club.give(&portal, OTHER_USAGER).await.leads_to(&format!("{base}/acces?fait=donne"));
        assert!(club.delegate.get(&base).await.is(200).shows(SECRET).links_to(&document));
        assert_eq!(club.delegate.get(&fetch).await.is(200).bytes, secret_pdf());
        let second = put(&mut club.delegate, &base, "Statuts").await;
        club.president.get(&base).await.is(200).shows("Statuts").shows(SECRET);
        club.president.get(&format!("{base}/tout.zip")).await.is(200);
        club.delegate.post(&format!("{second}/supprimer"), &[]).await.leads_to(&format!("{base}?fait=supprime"));
        club.president.get(&base).await.is(200).hides("Statuts");
        // Neither's own: nor does what is one's own show there.
        let id = document.rsplit('/').next().unwrap();
        act(&mut club.president, "moi").await;
        club.president.get("/mes-documents").await.is(200).hides(SECRET);
        club.president.get(&format!("/mes-documents/{id}")).await.is(404);
        club.president.get(&base).await.is(404);
        let own = add(&mut club.president, "A moi.pdf", "identite", &secret_pdf()).await;
        let whom = club.whom();
        act(&mut club.president, &whom).await;
        club.president.get(&base).await.is(200).hides("A moi");
        club.president.get(&format!("{base}/{}", own.rsplit('/').next().unwrap())).await.is(404);
        // A form of one's own documents, sent while one acts for the organisation, puts nothing there.
        send(&mut club.president, "Egare.pdf", "identite", &secret_pdf()).await.is(403);
        // Closed, they open with one's own.
        club.delegate.post(&format!("{base}/fermer"), &[]).await.leads_to(&format!("{base}/ouvrir"));
        club.delegate.get(&document).await.is(303);
        let page = club.delegate.get(&format!("{base}/ouvrir")).await.is(200).shows("s’ouvrent avec les vôtres");
        assert!(page.form("mot-de-passe").holds("suite"));
        club.delegate.post(&format!("{base}/ouvrir"), &[("mot-de-passe", OTHER_PASSWORD)]).await.is(422);
        club.delegate.post(&format!("{base}/ouvrir"), &[("mot-de-passe", PASSWORD), ("suite", &document)]).await.leads_to(&document);
        club.delegate.get(&document).await.is(200).shows(SECRET);
        // The history says who, and no name of a document.
        act(&mut club.president, "moi").await;
        let page = club.president.get(&format!("/compte/organisations/{}", club.id)).await.is(200);
        page.shows("Accès aux documents donné : Mohamed Benkhelifa").hides(SECRET);
    }

    async fn outsiders_and_helpers_find_nothing(portal: Portal) {
        let mut club = Club::set(&portal).await;
        let mut third = portal.usager(THIRD).await;
        create(&mut third).await;
        let paths = [club.base.clone(), club.document.clone(), format!("{}/fichier", club.document), format!("{}/tout.zip", club.base)];
        for path in &paths {
            third.get(path).await.is(404);
        }
        club.give(&portal, THIRD).await.is(422);
        // By a mandate of the president: neither the organisation's nor anybody's own.
        act(&mut club.president, "moi").await;
        let id = mandate(&portal, &mut club.president, &mut third, THIRD, &crate::harness::acting::ALL).await;
        act(&mut third, &format!("mandate:{id}")).await;
        for path in &paths {
            third.get(path).await.is(404);
        }
        third.get("/mes-documents").await.is(403);
        // Another organisation's key opens nothing here.
        act(&mut third, "moi").await;
        let fields = [("nature", "company"), ("nom", "Autre"), ("siret", "732 829 320 00074"), ("adresse", "Ailleurs")];
        let page = third.post("/compte/organisations/declarer", &fields).await.is(303);
        let other = page.location().split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
        act(&mut third, &format!("organisation:{other}")).await;
        for path in &paths {
            third.get(path).await.is(404);
        }
        third.post(&format!("/organisations/{other}/documents/creer"), &[]).await.is(200);
        let astray = club.document.replace(&club.id, &other);
        third.get(&astray).await.is(404);
        assert_eq!(portal.count("safe_shared").await, 2);
    }

    async fn who_leaves_opens_nothing_more(portal: Portal) {
        let mut club = Club::set(&portal).await;
        let base = club.base.clone();
        club.give(&portal, OTHER_USAGER).await.is(303);
        // Reading requests only.
        club.change(&portal, OTHER_USAGER, "reader").await;
        assert_eq!(portal.count("safe_shared").await, 1);
        club.delegate.get(&base).await.is(403).hides(SECRET);
        club.give(&portal, OTHER_USAGER).await.is(422).shows("ne permet pas d’ouvrir");
        // The role comes back, the key does not by itself.
        club.change(&portal, OTHER_USAGER, "delegate").await;
        club.delegate.get(&base).await.is(200).shows(NOT_GIVEN).hides(SECRET);
        club.give(&portal, OTHER_USAGER).await.is(303);
        club.delegate.get(&club.document).await.is(200);
        club.change(&portal, OTHER_USAGER, "retirer").await;
        assert_eq!(portal.count("safe_shared").await, 1);
        club.delegate.get(&club.document).await.is(403).hides(SECRET);
        club.delegate.get(&base).await.is(404);
        club.delegate.get(&format!("{}/fichier", club.document)).await.is(404);
        club.delegate.get("/mes-documents").await.is(200).hides(SECRET);
    }

    async fn the_presidency_changes_and_the_former_president_leaves(portal: Portal) {
        let mut club = Club::set(&portal).await;
        club.give(&portal, OTHER_USAGER).await.is(303);
        let (url, next) = (format!("/compte/organisations/{}", club.id), account(&portal, OTHER_USAGER).await.to_string());
        for person in [&mut club.president, &mut club.delegate] {
            act(person, "moi").await;
        }
        club.president.post(&format!("{url}/presidence"), &[("action", "proposer"), ("a", &next)]).await.is(303);
        club.delegate.post(&format!("{url}/presidence"), &[("action", "accepter")]).await.is(303);
        assert_eq!(portal.count("safe_shared").await, 2);
        club.president.post(&format!("{url}/quitter"), &[]).await.is(303);
        assert_eq!(portal.count("safe_shared").await, 1);
        let whom = club.whom();
        act(&mut club.delegate, &whom).await;
        club.delegate.get(&club.base).await.is(200).shows(SECRET);
        let page = club.delegate.post(&format!("{}/code", club.base), &[("mot-de-passe", PASSWORD)]).await.is(200);
        assert_ne!(super::code(&page), club.code);
        // Its last representative closes their account: the organisation goes, its documents with it.
        act(&mut club.delegate, "moi").await;
        club.delegate.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.leads_to("/compte/supprime");
        assert_eq!(portal.count("safe_document").await, 0);
        assert_eq!(portal.count("safe").await, 1, "the former president's own");
    }

    async fn the_recovery_code_opens_when_nobody_can(portal: Portal) {
        let mut club = Club::set(&portal).await;
        let rescue = format!("{}/secours", club.base);
        // Nobody holds a key any more.
        portal.direct(vec!["delete from safe_shared".to_owned()]).await;
        club.delegate.get(&club.base).await.is(200).shows("Plus aucun représentant ne peut les ouvrir");
        club.president.get(&club.base).await.is(200).hides(SECRET);
        club.delegate.post(&rescue, &[("secours", "")]).await.is(422);
        let wrong = club.delegate.post(&rescue, &[("secours", &"2".repeat(30))]).await.is(422);
        wrong.shows("Ce n’est pas le code de secours des documents de l’organisation");
        assert_eq!(portal.count("safe_shared").await, 0);
        club.delegate.post(&rescue, &[("secours", &club.code.to_lowercase())]).await.leads_to(&format!("{}?fait=acces", club.base));
        club.delegate.get(&club.document).await.is(200).shows(SECRET);
        // Only who presides changes the code; the old one is worth nothing then.
        club.delegate.get(&format!("{}/code", club.base)).await.is(403);
        let president = account(&portal, USAGER).await.to_string();
        club.delegate.post(&format!("{}/acces", club.base), &[("representant", &president)]).await.is(303);
        club.president.post(&format!("{}/code", club.base), &[("mot-de-passe", OTHER_PASSWORD)]).await.is(422);
        let page = club.president.post(&format!("{}/code", club.base), &[("mot-de-passe", PASSWORD)]).await.is(200);
        let new = super::code(&page);
        portal.direct(vec!["delete from safe_shared".to_owned()]).await;
        club.delegate.post(&rescue, &[("secours", &club.code)]).await.is(422);
        club.delegate.post(&rescue, &[("secours", &new)]).await.is(303);
    }

    /// An administrator with the database and the files, while both representatives are there.
    async fn database_and_files_tell_nothing_of_the_organisation(portal: Portal) {
        let mut club = Club::set(&portal).await;
        let (president, delegate) =
            (own_key(&portal, &club.president, USAGER).await, own_key(&portal, &club.delegate, OTHER_USAGER).await);
        let shared: Vec<u8> = portal.db().one(sql!("select sealed from safe_shared where authority_id = $1"), args![portal.city]).await.unwrap();
        assert!(decrypt(&delegate, &shared).is_none(), "not for the delegate yet");
        club.give(&portal, OTHER_USAGER).await.is(303);
        let (rows, kept) = (everything(&portal).await, files(&portal.files()));
        let plain = club.code.replace('-', "");
        for needle in [SECRET, "Quittance", "Bougainvill\\u00e9e", "AGE-SECRET-KEY", &club.code, &plain, PASSWORD] {
            for (place, value) in rows.iter().chain(&kept) {
                assert!(!holds(value, needle.as_bytes()), "{needle} in {place}");
            }
        }
        // The keys of the two, and the code, open it; nothing that is kept does.
        let id = club.document.rsplit('/').next().unwrap();
        let sealed = &kept.iter().find(|(path, _)| path.contains(id)).unwrap().1;
        let wraps: Vec<Vec<u8>> = portal.db().all(sql!("select sealed from safe_shared where authority_id = $1"), args![portal.city]).await.unwrap();
        assert_eq!(wraps.len(), 2);
        for own in [&president, &delegate] {
            let keys: Vec<Vec<u8>> = wraps.iter().filter_map(|wrap| decrypt(own, wrap)).collect();
            assert_eq!(keys.len(), 1, "one wrap each");
            let key: age::x25519::Identity = String::from_utf8(keys[0].clone()).unwrap().parse().unwrap();
            assert_eq!(decrypt(&key, sealed).unwrap(), secret_pdf());
            assert!(decrypt(own, sealed).is_none(), "their own key opens the wrap only");
        }
        let (safe, salt, wrap): (Uuid, Vec<u8>, Vec<u8>) = portal
            .db()
            .one(
                sql!("select w.safe_id, w.salt, w.sealed from safe_wrap w join safe s on s.authority_id = w.authority_id and s.id = w.safe_id where w.authority_id = $1 and s.organisation_id is not null"),
                args![portal.city],
            )
            .await
            .unwrap();
        let place = format!("guichet safe code {safe}");
        let under = guichet::accounts::key(&plain, &salt).await.unwrap();
        assert_eq!(decrypt(&unseal(&*under, &place, &wrap).expect("the code opens"), sealed).unwrap(), secret_pdf());
        for (column, value) in rows.iter().filter(|(_, value)| value.len() == 32) {
            assert!(unseal(value, &place, &wrap).is_none(), "{column} opens");
        }
    }

    async fn a_replaced_public_key_is_noticed(portal: Portal) {
        let mut club = Club::set(&portal).await;
        let swap = "update safe set recipient = (select k.recipient from safe k where k.organisation_id is null limit 1) where organisation_id is not null";
        portal.direct(vec![swap.to_owned()]).await;
        let answer = club.president.try_send(reqwest::Method::GET, &club.base, |request| request).await.unwrap();
        assert_eq!(answer.status, 500, "an incident");
        assert!(!holds(&answer.bytes, SECRET.as_bytes()));
    }

    async fn a_piece_takes_a_document_of_the_organisation(portal: Portal) {
        let mut club = Club::set(&portal).await;
        let piece = to_first_piece(&portal, &mut club.delegate, "recensement-citoyen").await;
        club.delegate.get(&piece).await.is(200).hides(SECRET);
        reuse(&mut club.delegate, &piece, &club.document).await.is(422);
        club.give(&portal, OTHER_USAGER).await.is(303);
        club.delegate.get(&piece).await.is(200).shows("Utiliser un document de l’organisation").shows(SECRET);
        reuse(&mut club.delegate, &piece, &club.document).await.leads_to(&piece);
        let copy = file(&club.delegate.get(&piece).await.shows("Document reçu")).unwrap();
        assert_eq!(club.delegate.get(&copy).await.is(200).bytes, secret_pdf());
        club.president.get(&club.document).await.is(200).shows("Utilisé dans…").shows("brouillon");
        // The receipt goes to the organisation's documents, not to one's own.
        let filed = club.president.file("demande-information", &crate::harness::journey::question("Le dojo ?")).await;
        let address = format!("/demandes/{}", filed.id);
        club.president.get(&address).await.is(200).shows("Ranger l’accusé dans les documents de l’organisation");
        club.president.post(&format!("{address}/ranger"), &[]).await.leads_to(&format!("{address}?fait=range"));
        club.president.get(&address).await.is(200).shows("L’accusé est rangé dans les documents de l’organisation");
        club.delegate.get(&club.base).await.is(200).shows(&format!("accuse-enregistrement-{}", filed.reference));
        act(&mut club.president, "moi").await;
        club.president.get("/mes-documents").await.is(200).hides(&filed.reference);
    }
}
