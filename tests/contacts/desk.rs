//! Contacts that agents write down, on a request or to qualify.

use db::{args, sql};
use guichet::requests::sweep;
use jiff::SignedDuration;

use crate::{
    erasure::{objects, traces},
    harness::{
        Client, Engine, Filed, OTHER_USAGER, Page, Portal, USAGER, both,
        html::Form,
        journey::{JPEG, PDF, birth},
    },
};

const TEXT: &str = "Passera jeudi avec sa Pamplemousse";

fn desk(filed: &Filed) -> String {
    format!("/agent/demandes/{}", filed.id)
}

fn typed(form: &Form, fields: &[(&str, &str)]) -> Form {
    fields.iter().fold(form.clone(), |form, (name, value)| form.with(name, value))
}

const CALL: [(&str, &str); 3] = [("canal", "call"), ("sens", "recu"), ("texte", TEXT)];

/// Writes a contact down on the page that asks for it.
async fn note(agent: &mut Client, path: &str, fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> Page {
    let form = agent.get(path).await.is(200).form("texte");
    let form = typed(&typed(&form, &CALL), fields);
    agent.upload(&form.action, &form.fields, files).await
}

async fn on_request(agent: &mut Client, filed: &Filed, shared: &str) -> Page {
    let path = format!("{}/echanges", desk(filed));
    note(agent, &path, &[("partage", shared)], &[("document.fichier", "lettre.pdf", PDF)]).await
}

/// A contact to qualify; its page.
async fn loose(agent: &mut Client) -> String {
    let path = "/agent/contacts/nouveau?service=etat-civil";
    let scan: [(&str, &str, &[u8]); 1] = [("document.fichier", "photo.jpg", JPEG)];
    note(agent, path, &[("qui", "Madame Z"), ("coordonnees", "06 39 98 00 00")], &scan)
        .await
        .leads_to("/agent/contacts?fait=note");
    last(agent).await
}

async fn last(agent: &mut Client) -> String {
    let page = agent.get("/agent/contacts").await.is(200);
    let mut hrefs = crate::harness::html::tags(page.html()).into_iter().map(|tag| tag.get("href").to_owned());
    hrefs.rfind(|href| href.starts_with("/agent/contacts/") && !href.contains("nouveau")).expect("no contact")
}

both! {
    async fn what_is_noted_and_shared_is_on_both_pages(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        let filed = person.file("acte-naissance", &birth()).await;
        let mine = format!("/demandes/{}", filed.id);
        on_request(&mut nadia, &filed, "oui").await.leads_to(&format!("{}?onglet=messages&fait=contact", desk(&filed)));
        let page = nadia.get(&format!("{}?onglet=messages", desk(&filed))).await.is(200).shows(TEXT).shows("Appel reçu, noté par Nadia Benali").shows("Camille Zoé Martin");
        let scan = crate::harness::html::tags(page.html()).into_iter().find(|tag| tag.get("href").starts_with("/agent/fichiers/")).unwrap().get("href").to_owned();
        let file = nadia.get(&scan).await.is(200);
        assert_eq!((file.bytes.as_slice(), file.header("content-type")), (PDF, "application/pdf"));
        assert!(file.header("content-disposition").starts_with("attachment"));
        nadia.get(&format!("{}?onglet=historique", desk(&filed))).await.is(200).shows("Échange noté, visible de l'usager");
        // It is found by its words, as messages are.
        nadia.get("/agent?q=pamplemousse").await.is(200).shows(&filed.reference);

        let page = person.get(&mine).await.is(200).shows(TEXT).shows("Appel reçu").shows("Le service a noté un échange").hides("Nadia");
        let scan = crate::harness::html::tags(page.html()).into_iter().map(|tag| tag.get("href").to_owned()).filter(|href| href.starts_with("/fichiers/")).map(|href| href.to_owned()).collect::<Vec<_>>();
        assert_eq!(person.get(scan.first().unwrap()).await.is(200).bytes, PDF);
        portal.usager(OTHER_USAGER).await.get(scan.first().unwrap()).await.is(404);
        let data = person.data().await;
        assert_eq!(data["contacts"][0]["texte"], TEXT, "{data}");
        // The department keeps its own history of accesses.
        let lines: i64 = portal.db().one(sql!("select count(*) from journal where authority_id = $1 and detail = 'contact'"), args![portal.city]).await.unwrap();
        assert_eq!(lines, 1);
    }

    async fn what_is_internal_stays_with_the_department(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        let filed = person.file("acte-naissance", &birth()).await;
        on_request(&mut nadia, &filed, "non").await.is(303);
        let page = nadia.get(&format!("{}?onglet=messages", desk(&filed))).await.is(200).shows(TEXT).shows("Interne");
        let scan = crate::harness::html::tags(page.html()).into_iter().find(|tag| tag.get("href").starts_with("/agent/fichiers/")).unwrap().get("href").to_owned();
        nadia.get(&scan).await.is(200);
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).hides(TEXT).hides("Le service a noté").hides("lettre.pdf");
        // Even to who knows its address.
        person.get(&scan.replace("/agent", "")).await.is(404);
        let (archive, data) = person.export().await;
        assert!(!data.to_string().contains("Pamplemousse") && !data.to_string().contains("contact-internal"), "{data}");
        assert!(!String::from_utf8_lossy(&archive).contains("lettre.pdf"));
    }

    async fn mistakes_lose_nothing_and_a_double_click_notes_once(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        let filed = person.file("acte-naissance", &birth()).await;
        let path = format!("{}/echanges", desk(&filed));
        let scan: [(&str, &str, &[u8]); 1] = [("document.fichier", "lettre.pdf", PDF)];
        // Tomorrow, in one minute: not yet.
        let page = note(&mut nadia, &path, &[("jour_du_contact.jour", "18"), ("partage", "oui")], &scan).await.is(422).shows("Ce jour est à venir").shows("lettre.pdf");
        assert_eq!(page.form("texte").value("texte"), TEXT);
        note(&mut nadia, &path, &[("heure", "10 h 01"), ("partage", "oui")], &[]).await.is(422).shows("Cette heure est à venir");
        note(&mut nadia, &path, &[("partage", "")], &[]).await.is(422);
        note(&mut nadia, &path, &[("partage", "oui")], &[("document.fichier", "page.html", b"<html>")]).await.is(422).shows("Ce fichier n'est pas d'un type accepté");
        assert_eq!(portal.count("contact").await, 0);
        // The file of the first try is still there.
        let form = typed(&page.form("texte"), &[("jour_du_contact.jour", "17")]);
        nadia.upload(&form.action, &form.fields, &[]).await.is(303);
        nadia.upload(&form.action, &form.fields, &scan).await.is(303);
        assert_eq!(portal.count("contact").await, 1);
        nadia.get(&format!("{}?onglet=messages", desk(&filed))).await.is(200).shows("lettre.pdf");
        let files: i64 = portal.db().one(sql!("select count(*) from file where authority_id = $1 and slot like 'contact%'"), args![portal.city]).await.unwrap();
        assert_eq!(files, 1);
        // Back to the form with other words: they are not taken for noted, and become a second contact.
        let other = typed(&form, &[("texte", "Elle demande un duplicata.")]);
        let page = nadia.upload(&form.action, &other.fields, &[]).await.is(422).shows("déjà noté");
        let again = page.form("texte");
        assert_eq!(again.value("texte"), "Elle demande un duplicata.");
        assert_eq!(portal.count("contact").await, 1);
        nadia.upload(&again.action, &again.fields, &[]).await.is(303);
        assert_eq!(portal.count("contact").await, 2);
        // What an agent names is their own: it does not reach a colleague's contact.
        let mut herve = portal.agent("herve.le-goff").await;
        herve.upload(&form.action, &form.fields, &[]).await.is(303);
        assert_eq!(portal.count("contact").await, 3);
    }

    async fn a_contact_to_qualify_is_tied_by_its_reference(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        let filed = person.file("acte-naissance", &birth()).await;
        let contact = loose(&mut nadia).await;
        let page = nadia.get(&contact).await.is(200).shows(TEXT).shows("Madame Z").shows("06 39 98 00 00").shows("photo.jpg");
        let photo = crate::harness::html::tags(page.html()).into_iter().find(|tag| tag.get("href").contains("/fichiers/")).unwrap().get("href").to_owned();
        nadia.get(&photo).await.is(200);
        let elsewhere = person.file("debit-boissons-temporaire", &portal.sample("debit-boissons-temporaire").await).await;
        // A request of another department, one that does not exist, none: one answer.
        for reference in ["", "VAL-0000-00", elsewhere.reference.as_str()] {
            nadia.post(&format!("{contact}/rattacher"), &[("reference", reference)]).await.is(422);
        }
        let mut fatou = portal.agent("fatoumata.diallo").await;
        fatou.get(&contact).await.is(404);
        fatou.get(&photo).await.is(404);
        nadia.post(&format!("{contact}/rattacher"), &[("reference", &filed.reference.to_lowercase()), ("partage", "oui")]).await
            .leads_to(&format!("{}?onglet=messages&fait=rattache", desk(&filed)));
        nadia.get(&format!("{}?onglet=messages", desk(&filed))).await.is(200).shows(TEXT).shows("photo.jpg");
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).shows(TEXT).shows("photo.jpg");
        nadia.get("/agent/contacts").await.is(200).hides("Madame Z");
        // It is on its request now, whoever looks.
        nadia.get(&contact).await.leads_to(&format!("{}?onglet=messages", desk(&filed)));
        fatou.get(&contact).await.is(404);
        assert_eq!(portal.count("contact").await, 1);
    }

    async fn two_colleagues_settle_it_once(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let (mut nadia, mut herve) = (portal.agent("nadia.benali").await, portal.agent("herve.le-goff").await);
        let filed = person.file("acte-naissance", &birth()).await;
        let contact = loose(&mut nadia).await;
        nadia.post(&format!("{contact}/classer"), &[("motif", "parce que")]).await.is(422).shows("Choisissez pourquoi");
        nadia.post(&format!("{contact}/confier"), &[("service", "etat-civil")]).await.is(422).shows("Choisissez le service");
        nadia.post(&format!("{contact}/classer"), &[("motif", "answered")]).await.leads_to("/agent/contacts?fait=classe");
        herve.post(&format!("{contact}/rattacher"), &[("reference", &filed.reference)]).await.leads_to("/agent/contacts?fait=deja");
        herve.post(&format!("{contact}/confier"), &[("service", "commerce")]).await.leads_to("/agent/contacts?fait=deja");
        nadia.get("/agent/contacts").await.is(200).hides("Madame Z");
        nadia.get("/agent/contacts?etat=classes").await.is(200).shows("Madame Z").shows("Réponse donnée");
        nadia.get(&contact).await.is(200).shows("Classé le");
        nadia.get(&format!("{}?onglet=messages", desk(&filed))).await.is(200).hides(TEXT);
    }

    async fn handed_to_another_department_it_is_theirs(portal: Portal) {
        let (mut nadia, mut marc) = (portal.agent("nadia.benali").await, portal.agent("marc.rinaldi").await);
        let contact = loose(&mut nadia).await;
        marc.get(&contact).await.is(404);
        nadia.post(&format!("{contact}/confier"), &[("service", "commerce")]).await.leads_to("/agent/contacts?fait=confie");
        nadia.get(&contact).await.is(404);
        marc.get("/agent/contacts").await.is(200).shows("Madame Z");
        marc.get(&contact).await.is(200).shows(TEXT);
        let line: String = portal.db().one(sql!("select detail from journal where authority_id = $1 and action = 'contact-changed' order by at desc, id desc limit 1"), args![portal.city]).await.unwrap();
        assert_eq!(line, "commerce");
    }

    async fn what_nobody_ties_is_forgotten_in_time(portal: Portal) {
        let mut nadia = portal.agent("nadia.benali").await;
        let closed = loose(&mut nadia).await;
        nadia.post(&format!("{closed}/classer"), &[("motif", "answered")]).await.is(303);
        loose(&mut nadia).await;
        // Given up: its file was sent, its form never was right.
        note(&mut nadia, "/agent/contacts/nouveau?service=etat-civil", &[("qui", "")], &[("document.fichier", "perdu.pdf", PDF)]).await.is(422);
        assert_eq!(objects(&portal), 3);
        portal.later(SignedDuration::from_hours(24 * 2));
        sweep::all(&portal.app).await.unwrap();
        assert_eq!(portal.count("file").await, 2, "the file of what was given up is forgotten");
        portal.later(SignedDuration::from_hours(24 * 360));
        sweep::all(&portal.app).await.unwrap();
        assert_eq!(portal.count("contact").await, 2);
        portal.later(SignedDuration::from_hours(24 * 8));
        sweep::all(&portal.app).await.unwrap();
        assert_eq!(traces(&portal, "Pamplemousse").await, Vec::<String>::new());
        assert_eq!(portal.count("file").await, 0);
    }
}
